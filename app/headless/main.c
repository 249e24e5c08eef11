/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * vitrine-headless: runs a machine without a window. Manual, chapter "Remote virtual machines",
 * VBoxHeadless. Leaves out: remote display and recording options. */
#include "app/console/console-run.h"

#include <glib-unix.h>
#include <locale.h>
#include <stdlib.h>

static gboolean
on_signal(gpointer data)
{
    console_run_stop(data);
    return G_SOURCE_CONTINUE;
}

/* Signals are watched on a thread of their own: the machine has the main one. */
static gpointer
watch_signals(gpointer data)
{
    g_main_loop_run(data);
    return NULL;
}

/* As a source it also ends a loop that has not begun yet. */
static gboolean
on_quit(gpointer data)
{
    g_main_loop_quit(data);
    return G_SOURCE_REMOVE;
}

static bool
parse(int *argc, char ***argv, char **machine, GError **error)
{
    g_autofree char *alias = NULL;
    GOptionEntry entries[] = {
        {"startvm", 's', 0, G_OPTION_ARG_STRING, machine, "Machine to run", "NAME|UUID"},
        {"comment", 'c', 0, G_OPTION_ARG_STRING, &alias, "Ignored; shown in process lists", "TEXT"},
        {NULL},
    };
    g_autoptr(GOptionContext) context = g_option_context_new("- run a machine without a window");

    g_option_context_add_main_entries(context, entries, NULL);
    if (!g_option_context_parse(context, argc, argv, error))
        return false;
    if (*argc > 1 || !*machine) {
        g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED,
                    *argc > 1 ? "Unknown argument “%s”."
                              : "Say which machine to run: --startvm NAME.%s",
                    *argc > 1 ? (*argv)[1] : "");
        return false;
    }
    return true;
}

int
main(int argc, char **argv)
{
    g_autofree char *machine = NULL;
    g_autoptr(GError) error = NULL;
    g_autoptr(GMainLoop) loop = NULL;
    g_autoptr(GThread) thread = NULL;
    ConsoleRun *run;
    bool ok;

    setlocale(LC_ALL, "");
    if (!parse(&argc, &argv, &machine, &error)) {
        g_printerr("vitrine-headless: %s\n", error->message);
        return 2;
    }
    run = console_run_new(machine, "headless");
    loop = g_main_loop_new(NULL, FALSE);
    g_unix_signal_add(SIGTERM, on_signal, run);
    g_unix_signal_add(SIGINT, on_signal, run);
    g_unix_signal_add(SIGHUP, on_signal, run);
    thread = g_thread_new("signals", watch_signals, loop);
    ok = console_run_main(run, &error);
    if (!ok)
        g_printerr("vitrine-headless: %s\n", error->message);
    g_idle_add(on_quit, loop);
    g_thread_join(g_steal_pointer(&thread));
    console_run_free(run);
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
