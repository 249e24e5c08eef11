/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The log of one VM: lines with where they come from, handed to a sink (which knows the time). What
 * a guest can cause is limited, so that it cannot fill the host's disk. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* Called with one line without a newline, valid UTF-8 without control characters, at most
 * BASE_LOG_LINE_MAX bytes; from any thread, several at once. */
typedef void (*BaseLogSink)(void *user, const char *line);

#define BASE_LOG_LINE_MAX 2000

typedef struct BaseLog BaseLog;
/* sink may be NULL: everything is dropped. */
BaseLog *base_log_new(BaseLogSink sink, void *user);
void base_log_free(BaseLog *log);

/* Any thread. origin is a short name ("vm", "ide/0"). A longer text is several lines when it has
 * newlines, and is cut at BASE_LOG_LINE_MAX otherwise. */
void base_log(BaseLog *log, const char *origin, const char *format, ...) G_GNUC_PRINTF(3, 4);
void base_log_va(BaseLog *log, const char *origin, const char *format, va_list arguments)
    G_GNUC_PRINTF(3, 0);

/* At most `burst` lines, then one more every `interval_ns`. Zeroed but for these two. Any thread.
 */
typedef struct {
    uint32_t burst;
    uint64_t interval_ns;
    GMutex lock;
    uint32_t used;
    uint32_t dropped;
    uint64_t since_ns;
} BaseLogLimit;

/* May a line be written at this time (base_clock_ns())? *dropped is how many were refused before
 * it, to be told with it. */
bool base_log_allow(BaseLogLimit *limit, uint64_t now_ns, uint32_t *dropped);
