/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Run a machine in this process: what the programs `vitrine --startvm` and `vitrine-headless` do
 * beside showing a window. The machine is seen only through the Main API, also by a window in the
 * same process. */
#pragma once

#include <glib.h>
#include <stdbool.h>

typedef struct ConsoleRun ConsoleRun;

/* machine: name or UUID. type: "gui" or "headless". Free with console_run_free(). */
ConsoleRun *console_run_new(const char *machine, const char *type);
void console_run_free(ConsoleRun *run);

/* Locks the machine, builds it, and runs it until it is off; on the calling thread, in a main
 * context of its own. False with an error (VITRINE_ERROR) that was reported to the service too: the
 * machine did not start, or ended because of an error. */
bool console_run_main(ConsoleRun *run, GError **error);

/* The devices of this program and of its modules, as GVariant's text of an aa{sv} (see
 * org.vitrine.Service.GetDevices). The caller's; NULL with an error. */
char *console_describe_devices(GError **error);

/* Powers the machine off and makes console_run_main() return. Any thread, any time. */
void console_run_stop(ConsoleRun *run);
