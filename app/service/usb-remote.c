/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Remote USB devices: "usbredir:HOST:PORT" and "usbredir:/PATH" name a usbredir peer that waits for
 * a machine; "usbredir:listen:HOST:PORT", "usbredir:listen:/PATH" and "usbredir:tcp://:PORT" (of
 * all addresses of the host) where a machine waits for peers, one after the other. The service
 * connects or listens, the machine's process gets the socket. */
#include "app/service/usb-private.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#define PREFIX "usbredir:"
#define CONNECT_SECONDS 10

typedef struct {
    Service *service;
    char *machine, *id, *capture;
    GDBusMethodInvocation *invocation;
} Remote;

gboolean
usb_is_remote(const char *id)
{
    return vitrine_usb_remote_is_address(id);
}

/* --- what clients see --- */
void
usb_remote_note(Machine *machine, const char *id, gboolean there)
{
    const char *const *before = vitrine_dbus_machine_get_remote_usb(machine->skeleton);
    g_autoptr(GPtrArray) ids = g_ptr_array_new_with_free_func(g_free);

    /* Copies: the skeleton frees its old value before it takes the new one. */
    for (guint i = 0; before != NULL && before[i] != NULL; i++) {
        if (!g_str_equal(before[i], id))
            g_ptr_array_add(ids, g_strdup(before[i]));
    }
    if (there)
        g_ptr_array_add(ids, g_strdup(id));
    g_ptr_array_add(ids, NULL);
    vitrine_dbus_machine_set_remote_usb(machine->skeleton, (const char *const *)ids->pdata);
}

/* Of one that the settings have: the person hears of it. Takes error, which may be NULL. */
static void
tell_problem(Machine *machine, GError *error)
{
    if (error == NULL)
        return;
    if (machine != NULL && machine->vm != NULL)
        g_dbus_connection_call(machine->vm, NULL, VITRINE_VM_PROCESS_PATH, "org.vitrine.VmProcess",
                               "TellUsbProblem", g_variant_new("(s)", error->message), NULL,
                               G_DBUS_CALL_FLAGS_NONE, G_MAXINT, NULL, NULL, NULL);
    g_error_free(error);
}

static void
answer(Remote *remote, GError *error)
{
    Machine *machine = service_find_machine(remote->service, remote->machine);

    if (remote->invocation == NULL)
        tell_problem(machine, error);
    else if (error == NULL)
        g_dbus_method_invocation_return_value(remote->invocation, NULL);
    else
        g_dbus_method_invocation_take_error(remote->invocation, error);
    g_free(remote->machine);
    g_free(remote->id);
    g_free(remote->capture);
    g_free(remote);
}

/* Its process may have gone, and another one come, meanwhile; or have lost the device at once. */
static void
note_attached(const Remote *remote, GObject *connection)
{
    Machine *machine = service_find_machine(remote->service, remote->machine);

    if (machine != NULL && (GObject *)machine->vm == connection)
        usb_remote_note(machine, remote->id, TRUE);
}

static void
on_attached(GObject *source, GAsyncResult *result, gpointer user_data)
{
    GError *error = NULL;
    g_autoptr(GVariant) reply = g_dbus_connection_call_with_unix_fd_list_finish(
        G_DBUS_CONNECTION(source), NULL, result, &error);

    if (error != NULL)
        g_dbus_error_strip_remote_error(error);
    else
        note_attached(user_data, source);
    answer(user_data, error);
}

static void
hand_over(Remote *remote, GSocket *socket)
{
    Machine *machine = service_find_machine(remote->service, remote->machine);
    const UsbGift gift = {remote->id, remote->id + strlen(PREFIX), g_socket_get_fd(socket),
                          remote->capture};
    GError *error = NULL;

    if (machine == NULL || !usb_takes(machine))
        answer(remote, g_error_new(VITRINE_ERROR, VITRINE_ERROR_STATE,
                                   "The machine does not take USB devices in its present state."));
    else if (!usb_hand_over(machine, &gift, on_attached, remote, &error))
        answer(remote, error);
}

/* --- a peer that waits --- */
static void
on_connected(GObject *source, GAsyncResult *result, gpointer user_data)
{
    Remote *remote = user_data;
    g_autoptr(GError) cause = NULL;
    g_autoptr(GSocketConnection) connection =
        g_socket_client_connect_finish(G_SOCKET_CLIENT(source), result, &cause);

    if (connection != NULL)
        hand_over(remote, g_socket_connection_get_socket(connection));
    else
        answer(remote, g_error_new(VITRINE_ERROR, VITRINE_ERROR_IO,
                                   "The remote USB device \"%s\" cannot be reached: %s.",
                                   remote->id + strlen(PREFIX), cause->message));
}

static void
connect_to(Remote *remote, GSocketConnectable *peer)
{
    g_autoptr(GSocketClient) client = g_socket_client_new();

    g_socket_client_set_timeout(client, CONNECT_SECONDS);
    g_socket_client_connect_async(client, peer, NULL, on_connected, remote);
}

/* --- peers that come --- */

/* A socket that a machine left behind goes; nothing else of that name, and none that is in use. */
static void
clear_path(const char *path)
{
    g_autoptr(GSocketClient) client = g_socket_client_new();
    g_autoptr(GSocketAddress) address = g_unix_socket_address_new(path);
    g_autoptr(GSocketConnection) user =
        g_socket_client_connect(client, G_SOCKET_CONNECTABLE(address), NULL, NULL);
    GStatBuf status;

    if (user == NULL && g_lstat(path, &status) == 0 && S_ISSOCK(status.st_mode))
        g_unlink(path);
}

/* NULL with error. */
static GSocketAddress *
listen_address(const VitrineUsbRemote *place, GError **error)
{
    GSocketAddress *address;

    if (*place->path != '\0') {
        clear_path(place->path);
        return g_unix_socket_address_new(place->path);
    }
    address =
        g_inet_socket_address_new_from_string(g_str_equal(place->host, "localhost") ? "127.0.0.1"
                                              : *place->host == '\0'                ? "0.0.0.0"
                                                                                    : place->host,
                                              (guint16)place->port);
    if (address == NULL)
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_INVALID,
                    "\"%s\" is no address of this computer: write a number such as 127.0.0.1.",
                    place->host);
    return address;
}

static void
listen_at(Remote *remote, const VitrineUsbRemote *place)
{
    GError *error = NULL;
    g_autoptr(GError) cause = NULL;
    g_autoptr(GSocketAddress) address = listen_address(place, &error);
    g_autoptr(GSocket) socket =
        address != NULL ? g_socket_new(g_socket_address_get_family(address), G_SOCKET_TYPE_STREAM,
                                       G_SOCKET_PROTOCOL_DEFAULT, &cause)
                        : NULL;

    if (socket != NULL && g_socket_bind(socket, address, TRUE, &cause) &&
        g_socket_listen(socket, &cause)) {
        hand_over(remote, socket);
        return;
    }
    if (g_error_matches(cause, G_IO_ERROR, G_IO_ERROR_ADDRESS_IN_USE))
        error = g_error_new(VITRINE_ERROR, VITRINE_ERROR_BUSY,
                            "Another program, or another machine, waits at \"%s\" already: choose "
                            "another port.",
                            remote->id + strlen(PREFIX));
    else if (error == NULL)
        error = g_error_new(VITRINE_ERROR, VITRINE_ERROR_IO,
                            "The machine cannot wait for remote USB devices at \"%s\": %s.",
                            remote->id + strlen(PREFIX), cause->message);
    answer(remote, error);
}

/* --- calls --- */
void
usb_remote_attach(Machine *machine, const char *id, const char *capture,
                  GDBusMethodInvocation *invocation)
{
    g_autoptr(GSocketConnectable) peer = NULL;
    GError *error = NULL;
    g_autoptr(VitrineUsbRemote) place = vitrine_usb_remote_parse(id, &error);
    Remote *remote = g_new0(Remote, 1);

    *remote = (Remote){machine->service, g_strdup(machine->id), g_strdup(id), g_strdup(capture),
                       invocation};
    if (place == NULL) {
        answer(remote, error);
    } else if (place->listens) {
        listen_at(remote, place);
    } else {
        peer = *place->path != '\0' ? G_SOCKET_CONNECTABLE(g_unix_socket_address_new(place->path))
                                    : g_network_address_new(place->host, (guint16)place->port);
        connect_to(remote, peer);
    }
}

void
usb_remote_start(Machine *machine)
{
    const char *text = vitrine_settings_get_string(machine->record->settings, "usb-remotes");
    g_auto(GStrv) ids = g_strsplit(text, " ", -1);

    for (char **id = ids; *id != NULL; id++) {
        if (usb_is_remote(*id))
            usb_remote_attach(machine, *id, NULL, NULL);
    }
}

void
usb_remote_detach(Machine *machine, const char *id, GDBusMethodInvocation *invocation)
{
    const char *const *there = vitrine_dbus_machine_get_remote_usb(machine->skeleton);

    if (machine->vm == NULL || there == NULL || !g_strv_contains(there, id)) {
        service_refuse(invocation, VITRINE_ERROR_STATE,
                       "The machine does not have the remote USB device \"%s\".",
                       id + strlen(PREFIX));
        return;
    }
    g_dbus_connection_call(machine->vm, NULL, VITRINE_VM_PROCESS_PATH, "org.vitrine.VmProcess",
                           "DetachUsb", g_variant_new("(s)", id), NULL, G_DBUS_CALL_FLAGS_NONE,
                           G_MAXINT, NULL, NULL, NULL);
    g_dbus_method_invocation_return_value(invocation, NULL);
}
