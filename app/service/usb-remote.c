/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Remote USB devices: "usbredir:HOST:PORT" and "usbredir:/PATH" name a usbredir peer that waits for
 * a machine. The service connects, the machine's process gets the socket. */
#include "app/service/usb-private.h"

#include <string.h>
#include <unistd.h>

#define PREFIX "usbredir:"
#define CONNECT_SECONDS 10

typedef struct {
    Service *service;
    char *machine, *id;
    GDBusMethodInvocation *invocation;
} Remote;

gboolean
usb_is_remote(const char *id)
{
    return g_str_has_prefix(id, PREFIX);
}

static void
answer(Remote *remote, GError *error)
{
    if (error == NULL)
        g_dbus_method_invocation_return_value(remote->invocation, NULL);
    else
        g_dbus_method_invocation_take_error(remote->invocation, error);
    g_free(remote->machine);
    g_free(remote->id);
    g_free(remote);
}

static void
on_attached(GObject *source, GAsyncResult *result, gpointer user_data)
{
    GError *error = NULL;
    g_autoptr(GVariant) reply = g_dbus_connection_call_with_unix_fd_list_finish(
        G_DBUS_CONNECTION(source), NULL, result, &error);

    if (error != NULL)
        g_dbus_error_strip_remote_error(error);
    answer(user_data, error);
}

static void
hand_over(Remote *remote, Machine *machine, GSocketConnection *connection)
{
    const int socket = g_socket_get_fd(g_socket_connection_get_socket(connection));
    g_autoptr(GUnixFDList) fds = g_unix_fd_list_new();
    GError *error = NULL;

    if (g_unix_fd_list_append(fds, socket, &error) < 0) {
        answer(remote, error);
        return;
    }
    g_dbus_connection_call_with_unix_fd_list(
        machine->vm, NULL, VITRINE_VM_PROCESS_PATH, "org.vitrine.VmProcess", "AttachUsb",
        g_variant_new("(ssh)", remote->id, remote->id + strlen(PREFIX), 0), NULL,
        G_DBUS_CALL_FLAGS_NONE, G_MAXINT, fds, NULL, on_attached, remote);
}

static void
on_connected(GObject *source, GAsyncResult *result, gpointer user_data)
{
    Remote *remote = user_data;
    Machine *machine = service_find_machine(remote->service, remote->machine);
    g_autoptr(GError) cause = NULL;
    g_autoptr(GSocketConnection) connection =
        g_socket_client_connect_finish(G_SOCKET_CLIENT(source), result, &cause);

    if (connection == NULL)
        answer(remote, g_error_new(VITRINE_ERROR, VITRINE_ERROR_IO,
                                   "The remote USB device \"%s\" cannot be reached: %s.",
                                   remote->id + strlen(PREFIX), cause->message));
    else if (machine == NULL || !usb_takes(machine))
        answer(remote, g_error_new(VITRINE_ERROR, VITRINE_ERROR_STATE,
                                   "The machine does not take USB devices in its present state."));
    else
        hand_over(remote, machine, connection);
}

/* NULL with error: nobody can read it. */
static GSocketConnectable *
parse(const char *id, GError **error)
{
    const char *place = id + strlen(PREFIX), *colon = strrchr(place, ':');
    guint64 port = 0;

    if (g_path_is_absolute(place))
        return G_SOCKET_CONNECTABLE(g_unix_socket_address_new(place));
    if (colon != NULL && colon > place &&
        g_ascii_string_to_unsigned(colon + 1, 10, 1, 65535, &port, NULL)) {
        g_autofree char *host = g_strndup(place, (gsize)(colon - place));

        return g_network_address_new(host, (guint16)port);
    }
    g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_INVALID,
                "\"%s\" is no address of a remote USB device: usbredir:HOST:PORT or "
                "usbredir:/PATH is.",
                id);
    return NULL;
}

void
usb_remote_attach(Machine *machine, const char *id, GDBusMethodInvocation *invocation)
{
    GError *error = NULL;
    g_autoptr(GSocketConnectable) peer = parse(id, &error);
    g_autoptr(GSocketClient) client = g_socket_client_new();
    Remote *remote;

    if (peer == NULL) {
        service_fail(invocation, error);
        return;
    }
    remote = g_new0(Remote, 1);
    *remote = (Remote){machine->service, g_strdup(machine->id), g_strdup(id), invocation};
    g_socket_client_set_timeout(client, CONNECT_SECONDS);
    g_socket_client_connect_async(client, peer, NULL, on_connected, remote);
}

void
usb_remote_detach(Machine *machine, const char *id, GDBusMethodInvocation *invocation)
{
    g_dbus_connection_call(machine->vm, NULL, VITRINE_VM_PROCESS_PATH, "org.vitrine.VmProcess",
                           "DetachUsb", g_variant_new("(s)", id), NULL, G_DBUS_CALL_FLAGS_NONE,
                           G_MAXINT, NULL, NULL, NULL);
    g_dbus_method_invocation_return_value(invocation, NULL);
}
