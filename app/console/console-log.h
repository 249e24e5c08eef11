/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The machine's log file: one line an event, with the time since the start. */
#pragma once

#include <glib.h>

typedef struct ConsoleLog ConsoleLog;

/* Takes the descriptor; -1: lines go to the standard error. */
ConsoleLog *console_log_new(int descriptor);
void console_log_free(ConsoleLog *log);
/* Any thread. Never fails: a log that can't be written is not a reason to stop a machine. The file
 * stays below 64 MiB. */
void console_log_line(ConsoleLog *log, const char *line);
void console_log_printf(ConsoleLog *log, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* Several lines, each with the time. */
void console_log_text(ConsoleLog *log, const char *text);
