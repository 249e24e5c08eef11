/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * vitrine-worker: does one job on files for the service, confined, and ends. README.md has the jobs
 * and their words; the files are descriptors from 3 on, names are only for messages. */
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

static const struct {
    const char *name;
    WorkerJobFunction function;
} jobs[] = {
    {"check", worker_check},         {"clone", worker_clone},
    {"comment", worker_comment},     {"compact", worker_compact},
    {"create", worker_create},       {"create-child", worker_create_child},
    {"extents", worker_extents},     {"merge", worker_merge},
    {"parts", worker_parts},         {"probe", worker_probe},
    {"resize", worker_resize},       {"resize-parts", worker_resize_parts},
    {"set-uuids", worker_set_uuids},
};

static bool
run(int argc, char **argv, GError **error)
{
    const char *job = argc > 1 ? argv[1] : "";
    if (strcmp(job, "recognize") == 0 && argc == 3)
        return worker_recognize(argv[2], error);
    if (strcmp(job, "network") == 0)
        return worker_network(error);
    for (guint i = 0; i < G_N_ELEMENTS(jobs); i++) {
        WorkerWords words;
        if (strcmp(job, jobs[i].name) != 0)
            continue;
        worker_words_init(&words, argc - 2, argv + 2);
        return worker_confine(error) && jobs[i].function(&words, error);
    }
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
