/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * vitrine-worker: does one job on one file for the service, confined, and ends.
 *   vitrine-worker probe NAME FORMAT
 *   vitrine-worker create NAME FORMAT VARIANT SIZE UUID
 *   vitrine-worker recognize NAME
 * NAME is only for messages: the file is descriptor 3. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "app/api/vitrine.h"
#include "app/worker/worker.h"
#include "vmm/base/error.h"

void
worker_answer(const char *key, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *value = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_autofree char *line = g_utf8_make_valid(value, -1);
    for (char *at = line; *at; at++) {
        if ((guchar)*at < ' ')
            *at = ' ';
    }
    printf("%s %s\n", key, line);
    fflush(stdout);
}

/* The core's codes are the first of ours, in the same order, up to DENIED. */
static int
code_of(const GError *error)
{
    if (error->domain == BASE_ERROR && error->code <= (int)VITRINE_ERROR_DENIED)
        return error->code;
    return error->domain == VITRINE_ERROR ? error->code : (int)VITRINE_ERROR_FAILED;
}

G_STATIC_ASSERT((int)BASE_ERROR_FAILED == (int)VITRINE_ERROR_FAILED);
G_STATIC_ASSERT((int)BASE_ERROR_NO_SPACE == (int)VITRINE_ERROR_NO_SPACE);
G_STATIC_ASSERT((int)BASE_ERROR_CORRUPT == (int)VITRINE_ERROR_CORRUPT);
G_STATIC_ASSERT((int)BASE_ERROR_DENIED == (int)VITRINE_ERROR_DENIED);

static bool
run(int argc, char **argv, GError **error)
{
    const char *job = argc > 1 ? argv[1] : "";
    if (strcmp(job, "recognize") == 0 && argc == 3)
        return worker_recognize(argv[2], error);
    if (strcmp(job, "probe") == 0 && argc == 4)
        return worker_confine(error) && worker_probe(argv[2], argv[3], error);
    if (strcmp(job, "create") == 0 && argc == 7)
        return worker_confine(error) &&
               worker_create(argv[2], argv[3], argv[4], argv[5], argv[6], error);
    g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_INVALID,
                "This program is started by Vitrine's service.");
    return false;
}

int
main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    if (!run(argc, argv, &error)) {
        worker_answer("error", "%d %s", code_of(error), error->message);
        return 1;
    }
    worker_answer("done", "1");
    return 0;
}
