/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Where the private sockets are and how both ends open them; for this room and the service.
 *
 * All are in one folder, mode 0700, owned by the user: $XDG_RUNTIME_DIR/vitrine, else
 * vitrine-<uid> in the temporary folder (also when the first is too long for a socket's name).
 * Names begin with a hash of the configuration folder: <hash>-service        the service's socket
 * <hash>-service.lock   held by the one service <hash>-<uuid>         a VM process's console
 * <hash>-<uuid>.lock    held by the VM process Only the same user is let in. */
#pragma once

#include <gio/gio.h>

#define VITRINE_SERVICE_PATH "/org/vitrine/Service"
#define VITRINE_MACHINE_PREFIX "/org/vitrine/machines/"
#define VITRINE_MEDIUM_PREFIX "/org/vitrine/media/"
#define VITRINE_PROGRESS_PREFIX "/org/vitrine/progress/"
#define VITRINE_CONSOLE_PATH "/org/vitrine/Console"
#define VITRINE_VM_PROCESS_PATH "/org/vitrine/VmProcess"

/* The path <folder>/<hash>-<suffix>; makes the folder. NULL with error when it is not ours alone.
 */
char *vitrine_transport_path(const char *config_folder, const char *suffix, GError **error);

/* Whoever has a lock file open and locked. Returns the descriptor (closed in children), -1 with
 * VITRINE_ERROR_BUSY when somebody else holds it. */
int vitrine_transport_lock(const char *path, GError **error);

/* A started server at a socket path, replacing a dead one's socket; mode 0600, same user only. */
GDBusServer *vitrine_transport_listen(const char *path, GError **error);

/* Connects to a socket path. Messages are read only after
 * g_dbus_connection_start_message_processing(), so that no signal is lost before the caller has
 * subscribed. VITRINE_ERROR_DISCONNECTED when nobody answers. */
GDBusConnection *vitrine_transport_connect(const char *path, GCancellable *cancellable,
                                           GError **error);

/* Turns "prefix" + UUID into an object path and back (NULL when it is not one). */
char *vitrine_object_path(const char *prefix, const char *id);
char *vitrine_object_id(const char *prefix, const char *path);

/* The program of that name that belongs to this build: below $VITRINE_PROGRAMS, beside the running
 * program or this library (also in a build tree), where programs are installed, or in $PATH. NULL
 * with VITRINE_ERROR_NOT_FOUND. */
char *vitrine_find_program(const char *name, GError **error);
