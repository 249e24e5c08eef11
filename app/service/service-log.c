/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Where the service's own messages go: vitrine-service.log in the configuration folder, since its
 * standard error belongs to nobody. It starts anew when it has grown large. */
#include <glib/gstdio.h>
#include <stdio.h>

#include "app/service/service.h"

#define MAX_LOG (1024 * 1024)

static GLogWriterOutput
write_message(GLogLevelFlags level, const GLogField *fields, gsize count, gpointer file)
{
    g_autoptr(GDateTime) now = g_date_time_new_now_utc();
    g_autofree char *time = g_date_time_format(now, "%Y-%m-%dT%H:%M:%SZ");
    g_autofree char *text = g_log_writer_format_fields(level, fields, count, FALSE);
    if (level > G_LOG_LEVEL_MESSAGE) /* debugging is for those who attach a terminal */
        return G_LOG_WRITER_HANDLED;
    fprintf(file, "%s %s\n", time, g_strstrip(text));
    fflush(file);
    return G_LOG_WRITER_HANDLED;
}

void
service_log_open(const char *config_folder)
{
    g_autofree char *path = g_build_filename(config_folder, "vitrine-service.log", NULL);
    GStatBuf status;
    gboolean large = g_stat(path, &status) == 0 && status.st_size > MAX_LOG;
    if (!g_file_test(config_folder, G_FILE_TEST_IS_DIR))
        return; /* nothing has been kept here yet */
    FILE *file = g_fopen(path, large ? "we" : "ae");
    if (file)
        g_log_set_writer_func(write_message, file, NULL);
}
