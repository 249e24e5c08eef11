/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Reaches the service of a configuration folder. When nobody answers it is started; of several that
 * are started at once, the lock file lets one live, and all clients find that one. */
#include <unistd.h>

#include "app/api/client-private.h"

#define PATIENCE_SECONDS 20
#define SPAWN_EVERY_MS 1000
#define RETRY_MS 15

/* A service outlives the terminal and the process group of the client that started it. */
static void
leave_session(gpointer user_data)
{
    setsid();
}

static gboolean
spawn_service(const char *config_folder, GError **error)
{
    g_autofree char *program = vitrine_find_program("vitrine-service", error);
    if (program == NULL)
        return FALSE;
    char *argv[] = {program, (char *)"--config-folder", (char *)config_folder, NULL};
    g_autoptr(GError) cause = NULL;
    if (g_spawn_async("/", argv, NULL, G_SPAWN_STDOUT_TO_DEV_NULL | G_SPAWN_STDERR_TO_DEV_NULL,
                      leave_session, NULL, NULL, &cause))
        return TRUE;
    g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_FAILED, "The service cannot be started: %s.",
                cause->message);
    return FALSE;
}

GDBusConnection *
service_connect(const char *config_folder, GCancellable *cancellable, GError **error)
{
    g_autofree char *path = vitrine_transport_path(config_folder, "service", error);
    gint64 start = g_get_monotonic_time(), spawned = 0;
    if (path == NULL)
        return NULL;
    for (;;) {
        g_autoptr(GError) cause = NULL;
        GDBusConnection *connection = vitrine_transport_connect(path, cancellable, &cause);
        if (connection)
            return connection;
        gint64 now = g_get_monotonic_time();
        if (g_error_matches(cause, VITRINE_ERROR, VITRINE_ERROR_CANCELLED) ||
            now - start > PATIENCE_SECONDS * G_USEC_PER_SEC) {
            g_propagate_error(error, g_steal_pointer(&cause));
            return NULL;
        }
        if (spawned == 0 || now - spawned > SPAWN_EVERY_MS * 1000) {
            if (!spawn_service(config_folder, error))
                return NULL;
            spawned = now;
        }
        g_usleep(RETRY_MS * 1000);
    }
}
