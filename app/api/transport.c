/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Private peer-to-peer D-Bus over UNIX sockets: names, locks, both ends. No bus is needed. */
#include "app/api/transport.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "app/api/vitrine-types.h"

#define HASH_LENGTH 16
#define LONGEST_SUFFIX 48 /* "-" UUID ".lock" and a margin */

static char *
hash_of_folder(const char *config_folder)
{
    g_autofree char *real = realpath(config_folder, NULL);
    g_autofree char *absolute = g_canonicalize_filename(real ? real : config_folder, NULL);
    char *hash = g_compute_checksum_for_string(G_CHECKSUM_SHA256, absolute, -1);
    hash[HASH_LENGTH] = '\0';
    return hash;
}

static char *
runtime_folder(void)
{
    const char *runtime = g_getenv("XDG_RUNTIME_DIR");
    if (runtime && g_path_is_absolute(runtime)) {
        g_autofree char *folder = g_build_filename(runtime, "vitrine", NULL);
        gboolean fits = strlen(folder) + 1 + HASH_LENGTH + LONGEST_SUFFIX <
                        sizeof(((struct sockaddr_un *)NULL)->sun_path);
        if (fits && g_file_test(runtime, G_FILE_TEST_IS_DIR))
            return g_steal_pointer(&folder);
    }
    g_autofree char *name = g_strdup_printf("vitrine-%u", (guint)getuid());
    return g_build_filename(g_get_tmp_dir(), name, NULL);
}

/* In a folder that everybody may write to, somebody else could have made it first. */
static gboolean
check_folder(const char *folder, GError **error)
{
    struct stat status;
    if (g_mkdir(folder, 0700) < 0 && errno != EEXIST) {
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_IO, "Cannot make the folder \"%s\": %s.",
                    folder, g_strerror(errno));
        return FALSE;
    }
    if (lstat(folder, &status) < 0 || !S_ISDIR(status.st_mode) || status.st_uid != getuid() ||
        (status.st_mode & 077) != 0) {
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_DENIED,
                    "The folder \"%s\" must be yours and closed to others (mode 0700).", folder);
        return FALSE;
    }
    return TRUE;
}

char *
vitrine_transport_path(const char *config_folder, const char *suffix, GError **error)
{
    g_autofree char *folder = runtime_folder();
    g_autofree char *hash = hash_of_folder(config_folder);
    g_autofree char *name = g_strconcat(hash, "-", suffix, NULL);
    if (!check_folder(folder, error))
        return NULL;
    return g_build_filename(folder, name, NULL);
}

int
vitrine_transport_lock(const char *path, GError **error)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_IO, "Cannot open \"%s\": %s.", path,
                    g_strerror(errno));
        return -1;
    }
    if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_BUSY, "\"%s\" is locked.", path);
        close(fd);
        return -1;
    }
    return fd;
}

static char *
address_of(const char *path)
{
    g_autofree char *escaped = g_dbus_address_escape_value(path);
    return g_strconcat("unix:path=", escaped, NULL);
}

static gboolean
allow_mechanism(GDBusAuthObserver *observer, const char *mechanism, gpointer user_data)
{
    return g_str_equal(mechanism, "EXTERNAL");
}

GDBusServer *
vitrine_transport_listen(const char *path, GError **error)
{
    g_autoptr(GDBusAuthObserver) observer = g_dbus_auth_observer_new();
    g_autofree char *address = address_of(path);
    g_autofree char *guid = g_dbus_generate_guid();
    g_signal_connect(observer, "allow-mechanism", G_CALLBACK(allow_mechanism), NULL);
    g_unlink(path);
    g_autoptr(GDBusServer) server = g_dbus_server_new_sync(
        address, G_DBUS_SERVER_FLAGS_AUTHENTICATION_REQUIRE_SAME_USER, guid, observer, NULL, error);
    if (server == NULL)
        return NULL;
    g_chmod(path, 0600);
    g_dbus_server_start(server);
    return g_steal_pointer(&server);
}

GDBusConnection *
vitrine_transport_connect(const char *path, GCancellable *cancellable, GError **error)
{
    g_autoptr(GError) cause = NULL;
    g_autofree char *address = address_of(path);
    GDBusConnection *connection =
        g_dbus_connection_new_for_address_sync(address,
                                               G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT |
                                                   G_DBUS_CONNECTION_FLAGS_DELAY_MESSAGE_PROCESSING,
                                               NULL, cancellable, &cause);
    if (connection)
        return connection;
    if (g_error_matches(cause, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_CANCELLED, "%s", cause->message);
    else
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_DISCONNECTED,
                    "Nobody answers at \"%s\": %s.", path, cause->message);
    return NULL;
}

char *
vitrine_object_path(const char *prefix, const char *id)
{
    char *path = g_strconcat(prefix, id, NULL);
    return g_strdelimit(path, "-", '_');
}

char *
vitrine_object_id(const char *prefix, const char *path)
{
    if (!g_str_has_prefix(path, prefix))
        return NULL;
    g_autofree char *id = g_strdelimit(g_strdup(path + strlen(prefix)), "_", '-');
    return g_uuid_string_is_valid(id) ? g_steal_pointer(&id) : NULL;
}
