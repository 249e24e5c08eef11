/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Formats log lines and limits their rate. Files, rotation and levels are the embedder's. */
#include "vmm/base/log.h"

#include <string.h>

struct BaseLog {
    BaseLogSink sink;
    void *user;
};

BaseLog *
base_log_new(BaseLogSink sink, void *user)
{
    BaseLog *log = g_new0(BaseLog, 1);

    log->sink = sink;
    log->user = user;
    return log;
}

void
base_log_free(BaseLog *log)
{
    g_free(log);
}

/* A guest can put anything into a message: the log of a terminal or a web page must stay text. */
static void
clean_text(char *text)
{
    for (char *c = text; *c != '\0'; c++) {
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = ' ';
    }
}

static void
emit_line(BaseLog *log, const char *origin, const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    g_autofree char *line = g_strdup_printf("%s: %s", origin, valid);

    clean_text(line);
    if (strlen(line) > BASE_LOG_LINE_MAX) {
        char *end = g_utf8_find_prev_char(line, line + BASE_LOG_LINE_MAX);

        *end = '\0';
    }
    log->sink(log->user, line);
}

void
base_log_va(BaseLog *log, const char *origin, const char *format, va_list arguments)
{
    g_autofree char *text = NULL;
    g_auto(GStrv) lines = NULL;

    if (log->sink == NULL)
        return;
    text = g_strdup_vprintf(format, arguments);
    lines = g_strsplit(g_strchomp(text), "\n", -1);
    for (char **line = lines; *line != NULL; line++)
        emit_line(log, origin, *line);
}

void
base_log(BaseLog *log, const char *origin, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    base_log_va(log, origin, format, arguments);
    va_end(arguments);
}

bool
base_log_allow(BaseLogLimit *limit, uint64_t now_ns, uint32_t *dropped)
{
    bool allowed;

    g_mutex_lock(&limit->lock);
    if (limit->used > 0 && now_ns > limit->since_ns) {
        const uint64_t regained = (now_ns - limit->since_ns) / limit->interval_ns;

        limit->used -= (uint32_t)MIN(regained, limit->used);
        limit->since_ns += regained * limit->interval_ns;
    }
    if (limit->used == 0)
        limit->since_ns = now_ns;
    allowed = limit->used < limit->burst;
    *dropped = allowed ? limit->dropped : 0;
    limit->dropped = allowed ? 0 : limit->dropped + 1;
    limit->used += allowed;
    g_mutex_unlock(&limit->lock);
    return allowed;
}
