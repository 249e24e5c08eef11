/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * vitrine-service: started by the first client, ends a few seconds after the last is gone. */
#include <glib-unix.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>

#include "app/service/service.h"

static gboolean
on_terminate(gpointer user_data)
{
    g_main_loop_quit(user_data);
    return G_SOURCE_CONTINUE;
}

/* Another service may be about to end: its socket is gone, its lock not yet. */
static gboolean
start_patiently(Service *service, GError **error)
{
    for (guint attempt = 0;; attempt++) {
        g_autoptr(GError) cause = NULL;
        if (service_start(service, &cause))
            return TRUE;
        if (attempt == 50 || !g_error_matches(cause, VITRINE_ERROR, VITRINE_ERROR_BUSY)) {
            g_propagate_error(error, g_steal_pointer(&cause));
            return FALSE;
        }
        g_autoptr(GDBusConnection) other =
            vitrine_transport_connect(service->socket_path, NULL, NULL);
        if (other) {
            g_propagate_error(error, g_steal_pointer(&cause));
            return FALSE;
        }
        g_usleep(50 * 1000);
    }
}

int
main(int argc, char **argv)
{
    g_autofree char *folder = NULL;
    gboolean version = FALSE;
    GOptionEntry entries[] = {
        {"config-folder", 0, 0, G_OPTION_ARG_FILENAME, &folder, "Configuration folder", "FOLDER"},
        {"version", 0, 0, G_OPTION_ARG_NONE, &version, "Print the version", NULL},
        {NULL}};
    g_autoptr(GOptionContext) context = g_option_context_new("- the service of Vitrine");
    g_autoptr(GError) error = NULL;
    g_option_context_add_main_entries(context, entries, NULL);
    if (g_option_context_parse(context, &argc, &argv, &error) && argc > 1)
        g_set_error(&error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED, "Unknown argument \"%s\".",
                    argv[1]);
    if (error) {
        fprintf(stderr, "vitrine-service: %s\n", error->message);
        return 2;
    }
    if (version) {
        printf("%s\n", VITRINE_VERSION);
        return 0;
    }
    signal(SIGPIPE, SIG_IGN);
    if (folder == NULL)
        folder = vitrine_config_folder();
    g_autoptr(GMainLoop) loop = g_main_loop_new(NULL, FALSE);
    Service *service = service_new(folder, loop);
    gboolean started = start_patiently(service, &error);
    gboolean superfluous = g_error_matches(error, VITRINE_ERROR, VITRINE_ERROR_BUSY);
    if (started) {
        g_unix_signal_add(SIGTERM, on_terminate, loop);
        g_unix_signal_add(SIGINT, on_terminate, loop);
        g_main_loop_run(loop);
    } else if (!superfluous) {
        fprintf(stderr, "vitrine-service: %s\n", error->message);
    }
    service_free(service);
    return started || superfluous ? 0 : 1;
}
