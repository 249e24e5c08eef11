/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Lines into the log file, each by one write(2), so that threads do not mix theirs. */
#include "app/console/console-log.h"

#include <string.h>
#include <unistd.h>

#define LOG_LIMIT (64ll * 1024 * 1024)

struct ConsoleLog {
    int descriptor;
    gint64 start; /* monotonic, microseconds */
    GMutex mutex;
    gint64 written;
};

ConsoleLog *
console_log_new(int descriptor)
{
    ConsoleLog *log = g_new0(ConsoleLog, 1);

    log->descriptor = descriptor;
    log->start = g_get_monotonic_time();
    g_mutex_init(&log->mutex);
    return log;
}

void
console_log_free(ConsoleLog *log)
{
    if (!log)
        return;
    if (log->descriptor >= 0)
        close(log->descriptor);
    g_mutex_clear(&log->mutex);
    g_free(log);
}

static void
write_all(int descriptor, const char *text, gsize size)
{
    while (size > 0) {
        ssize_t done = write(descriptor, text, size);
        if (done <= 0)
            return;
        text += done;
        size -= (gsize)done;
    }
}

void
console_log_line(ConsoleLog *log, const char *line)
{
    gint64 now = g_get_monotonic_time() - log->start;
    g_autofree char *whole = g_strdup_printf("%02d:%02d:%02d.%06d %s\n", (int)(now / 3600000000),
                                             (int)(now / 60000000 % 60), (int)(now / 1000000 % 60),
                                             (int)(now % 1000000), line);
    gsize size = strlen(whole);

    g_mutex_lock(&log->mutex);
    if (log->descriptor < 0)
        write_all(STDERR_FILENO, whole, size);
    else if (log->written + (gint64)size <= LOG_LIMIT)
        write_all(log->descriptor, whole, size);
    log->written += (gint64)size;
    g_mutex_unlock(&log->mutex);
}

void
console_log_printf(ConsoleLog *log, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    g_autofree char *line = g_strdup_vprintf(format, args);
    va_end(args);
    console_log_line(log, line);
}

void
console_log_text(ConsoleLog *log, const char *text)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    for (unsigned i = 0; lines[i]; i++) {
        if (*lines[i])
            console_log_line(log, lines[i]);
    }
}
