/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The client's connection: opened at first and again when the service died, in a thread where the
 * caller must not wait; and calls over it. */
#include "app/api/client-state.h"

#define RECONNECT_MS 50
#define RECONNECT_FAILED_MS 2000

static void start_connecting(VitrineClient *client);

void
client_take_error(GError **error, GError *in)
{
    g_dbus_error_strip_remote_error(in);
    if (in->domain == VITRINE_ERROR) {
        g_propagate_error(error, in);
        return;
    }
    VitrineError code = VITRINE_ERROR_FAILED;
    if (g_error_matches(in, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        code = VITRINE_ERROR_CANCELLED;
    else if (g_error_matches(in, G_IO_ERROR, G_IO_ERROR_CLOSED) ||
             g_error_matches(in, G_IO_ERROR, G_IO_ERROR_BROKEN_PIPE) ||
             g_error_matches(in, G_DBUS_ERROR, G_DBUS_ERROR_DISCONNECTED) ||
             g_error_matches(in, G_DBUS_ERROR, G_DBUS_ERROR_NO_REPLY))
        code = VITRINE_ERROR_DISCONNECTED;
    else if (g_error_matches(in, G_DBUS_ERROR, G_DBUS_ERROR_UNKNOWN_METHOD) ||
             g_error_matches(in, G_DBUS_ERROR, G_DBUS_ERROR_UNKNOWN_OBJECT))
        code = VITRINE_ERROR_NOT_FOUND;
    g_set_error(error, VITRINE_ERROR, code, "%s", in->message);
    g_error_free(in);
}

GDBusConnection *
client_connection(VitrineClient *client)
{
    return client->connection;
}

/* The source's data holds no reference: the client destroys the source when it goes. */
static gboolean
reconnect_now(gpointer user_data)
{
    VitrineClient *client = user_data;
    g_clear_pointer(&client->reconnect, g_source_unref);
    start_connecting(client);
    return G_SOURCE_REMOVE;
}

static void
reconnect_later(VitrineClient *client, guint milliseconds)
{
    if (client->reconnect)
        return;
    client->reconnect = g_timeout_source_new(milliseconds);
    g_source_set_callback(client->reconnect, reconnect_now, client, NULL);
    g_source_attach(client->reconnect, client->context);
}

/* The service that did it has gone; another one begins with work of its own. */
static void
lose_progress(VitrineClient *client)
{
    g_autoptr(GHashTable) lost = g_steal_pointer(&client->progress);
    g_autoptr(GPtrArray) all = g_ptr_array_new_with_free_func(g_object_unref);
    GHashTableIter iter;
    gpointer progress;
    client->progress = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_hash_table_iter_init(&iter, lost);
    while (g_hash_table_iter_next(&iter, NULL, &progress))
        g_ptr_array_add(all, g_object_ref(progress));
    for (guint i = 0; i < all->len; i++)
        progress_lost(all->pdata[i]);
}

static void
drop_connection(VitrineClient *client)
{
    if (client->connection == NULL)
        return;
    g_dbus_connection_signal_unsubscribe(client->connection, client->subscription);
    g_signal_handler_disconnect(client->connection, client->closed_handler);
    g_clear_object(&client->connection);
    lose_progress(client);
}

/* A service that was killed is noticed by the socket at once, by its signal only in the main loop.
 */
static void
drop_if_dead(VitrineClient *client)
{
    GIOStream *stream =
        client->connection ? g_dbus_connection_get_stream(client->connection) : NULL;
    if (stream == NULL)
        return;
    GSocket *socket = G_IS_SOCKET_CONNECTION(stream)
                          ? g_socket_connection_get_socket(G_SOCKET_CONNECTION(stream))
                          : NULL;
    if (g_dbus_connection_is_closed(client->connection) ||
        (socket && (g_socket_condition_check(socket, G_IO_HUP | G_IO_ERR) & (G_IO_HUP | G_IO_ERR))))
        drop_connection(client);
}

static void
on_closed(GDBusConnection *connection, gboolean vanished, GError *error, gpointer user_data)
{
    VitrineClient *client = user_data;
    drop_connection(client);
    g_object_notify(G_OBJECT(client), "connected");
    reconnect_later(client, RECONNECT_MS);
}

/* Takes the connection, subscribes and lets messages flow. */
static void
adopt(VitrineClient *client, GDBusConnection *connection)
{
    drop_connection(client);
    client->connection = connection;
    client->subscription = g_dbus_connection_signal_subscribe(connection, NULL, NULL, NULL, NULL,
                                                              NULL, G_DBUS_SIGNAL_FLAGS_NONE,
                                                              client_on_signal, client, NULL);
    client->closed_handler = g_signal_connect(connection, "closed", G_CALLBACK(on_closed), client);
    g_dbus_connection_start_message_processing(connection);
}

static const RemoteCall get_objects = {VITRINE_SERVICE_PATH, "org.vitrine.Service", "GetObjects",
                                       NULL};
#define OBJECTS_TYPE "(a{sv}a{ss}a(sa{sv})a(sa{sv}))"

static gboolean
take_reply(VitrineClient *client, GVariant *reply, GError **error)
{
    if (!g_variant_is_of_type(reply, G_VARIANT_TYPE(OBJECTS_TYPE))) {
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_VERSION,
                    "The running service is of another version: end all its programs first.");
        return FALSE;
    }
    client_take_objects(client, reply);
    return TRUE;
}

static GVariant *
raw_call_sync(VitrineClient *client, const RemoteCall *call, GUnixFDList **fds,
              GCancellable *cancellable, GError **error)
{
    g_autoptr(GError) cause = NULL;
    g_autoptr(GDBusConnection) connection = g_object_ref(client->connection);
    GVariant *reply = g_dbus_connection_call_with_unix_fd_list_sync(
        connection, NULL, call->path, call->interface, call->method, call->parameters, NULL,
        G_DBUS_CALL_FLAGS_NONE, G_MAXINT, NULL, fds, cancellable, &cause);
    if (reply == NULL)
        client_take_error(error, g_steal_pointer(&cause));
    return reply;
}

gboolean
client_refresh_sync(VitrineClient *client, GCancellable *cancellable, GError **error)
{
    g_autoptr(GVariant) reply = raw_call_sync(client, &get_objects, NULL, cancellable, error);
    return reply && take_reply(client, reply, error);
}

gboolean
client_connect_sync(VitrineClient *client, GCancellable *cancellable, GError **error)
{
    drop_if_dead(client);
    if (client->connection)
        return TRUE;
    GDBusConnection *connection = service_connect(client->config_folder, cancellable, error);
    if (connection == NULL)
        return FALSE;
    g_main_context_push_thread_default(client->context);
    adopt(client, connection);
    g_main_context_pop_thread_default(client->context);
    if (!client_refresh_sync(client, cancellable, error))
        return FALSE;
    g_object_notify(G_OBJECT(client), "connected");
    return TRUE;
}

static void
connect_thread(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
    GError *error = NULL;
    GDBusConnection *connection = service_connect(data, cancellable, &error);
    if (connection)
        g_task_return_pointer(task, connection, g_object_unref);
    else
        g_task_return_error(task, error);
}

static void dispatch_call(GTask *task);

/* Lets the waiting calls go, or fails them all. */
static void
release_waiting(VitrineClient *client, const GError *error)
{
    GTask *task;
    while ((task = g_queue_pop_head(&client->waiting))) {
        if (error) {
            g_task_return_error(task, g_error_copy(error));
            g_object_unref(task);
        } else {
            dispatch_call(task);
        }
    }
}

static void
on_objects(GObject *source, GAsyncResult *result, gpointer user_data)
{
    g_autoptr(VitrineClient) client = user_data;
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) reply =
        g_dbus_connection_call_finish(G_DBUS_CONNECTION(source), result, &error);
    client->connecting = FALSE;
    if (reply && take_reply(client, reply, &error)) {
        g_object_notify(G_OBJECT(client), "connected");
        release_waiting(client, NULL);
        return;
    }
    if (error->domain != VITRINE_ERROR) {
        GError *mine = NULL;
        client_take_error(&mine, g_steal_pointer(&error));
        error = mine;
    }
    release_waiting(client, error);
    drop_connection(client);
    reconnect_later(client, RECONNECT_FAILED_MS);
}

static void
on_connected(GObject *source, GAsyncResult *result, gpointer user_data)
{
    g_autoptr(VitrineClient) client = user_data;
    g_autoptr(GError) error = NULL;
    GDBusConnection *connection = g_task_propagate_pointer(G_TASK(result), &error);
    if (connection == NULL) {
        client->connecting = FALSE;
        release_waiting(client, error);
        reconnect_later(client, RECONNECT_FAILED_MS);
        return;
    }
    if (client->connection) { /* a synchronous call was quicker */
        g_object_unref(connection);
        client->connecting = FALSE;
        release_waiting(client, NULL);
        return;
    }
    adopt(client, connection);
    g_dbus_connection_call(connection, NULL, get_objects.path, get_objects.interface,
                           get_objects.method, NULL, NULL, G_DBUS_CALL_FLAGS_NONE, G_MAXINT, NULL,
                           on_objects, g_steal_pointer(&client));
}

static void
start_connecting(VitrineClient *client)
{
    if (client->connecting || client->connection)
        return;
    client->connecting = TRUE;
    g_autoptr(GTask) task = g_task_new(NULL, NULL, on_connected, g_object_ref(client));
    g_task_set_task_data(task, g_strdup(client->config_folder), g_free);
    g_task_run_in_thread(task, connect_thread);
}

void
client_disconnect(VitrineClient *client)
{
    if (client->reconnect)
        g_source_destroy(client->reconnect);
    g_clear_pointer(&client->reconnect, g_source_unref);
    if (client->connection) {
        g_autoptr(GDBusConnection) connection = g_object_ref(client->connection);
        drop_connection(client);
        g_dbus_connection_close(connection, NULL, NULL, NULL);
    }
}

/* Calls that may be made twice: a service that dies in the middle is worth a second try. */
static gboolean
is_repeatable(const RemoteCall *call)
{
    static const char *const methods[] = {"Refresh", "RecognizeMedia", "SetExtraData",
                                          "SetSystemProperty", NULL};
    return g_str_has_prefix(call->method, "Get") || g_strv_contains(methods, call->method);
}

/* A machine or a medium may outlive its client in somebody's hands. */
static GError *
no_client(void)
{
    return g_error_new_literal(VITRINE_ERROR, VITRINE_ERROR_DISCONNECTED,
                               "The client of this object is gone: find the object in a new one.");
}

GVariant *
client_call_sync(VitrineClient *client, const RemoteCall *call, GUnixFDList **fds,
                 GCancellable *cancellable, GError **error)
{
    g_autoptr(GVariant) parameters = call->parameters ? g_variant_ref_sink(call->parameters) : NULL;
    RemoteCall owned = *call;
    owned.parameters = parameters;
    if (client == NULL) {
        g_propagate_error(error, no_client());
        return NULL;
    }
    for (gboolean again = is_repeatable(call);; again = FALSE) {
        g_autoptr(GError) cause = NULL;
        if (!client_connect_sync(client, cancellable, error))
            return NULL;
        GVariant *reply = raw_call_sync(client, &owned, fds, cancellable, &cause);
        if (reply)
            return reply;
        if (!again || !g_error_matches(cause, VITRINE_ERROR, VITRINE_ERROR_DISCONNECTED)) {
            g_propagate_error(error, g_steal_pointer(&cause));
            return NULL;
        }
        drop_connection(client);
    }
}

gboolean
client_change_sync(VitrineClient *client, const RemoteCall *call, GCancellable *cancellable,
                   GError **error)
{
    g_autoptr(GVariant) reply = client_call_sync(client, call, NULL, cancellable, error);
    if (reply == NULL)
        return FALSE;
    if (client->connection) /* the change is made; a service that dies now is found out later */
        client_refresh_sync(client, cancellable, NULL);
    return TRUE;
}

typedef struct {
    VitrineClient *client;
    char *path;
    const char *interface; /* static, as all names of calls are */
    const char *method;
    GVariant *parameters;
} PendingCall;

static void
pending_free(gpointer data)
{
    PendingCall *pending = data;
    g_object_unref(pending->client);
    g_free(pending->path);
    g_clear_pointer(&pending->parameters, g_variant_unref);
    g_free(pending);
}

static void
on_reply(GObject *source, GAsyncResult *result, gpointer user_data)
{
    g_autoptr(GTask) task = user_data;
    GError *error = NULL, *mine = NULL;
    GVariant *reply = g_dbus_connection_call_finish(G_DBUS_CONNECTION(source), result, &error);
    if (reply) {
        g_task_return_pointer(task, reply, (GDestroyNotify)g_variant_unref);
        return;
    }
    client_take_error(&mine, error);
    g_task_return_error(task, mine);
}

/* Takes task. */
static void
dispatch_call(GTask *task)
{
    PendingCall *pending = g_task_get_task_data(task);
    g_dbus_connection_call(pending->client->connection, NULL, pending->path, pending->interface,
                           pending->method, pending->parameters, NULL, G_DBUS_CALL_FLAGS_NONE,
                           G_MAXINT, g_task_get_cancellable(task), on_reply, task);
}

void
client_call_async(VitrineClient *client, gpointer source, const RemoteCall *call,
                  GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
    GTask *task = g_task_new(source, cancellable, callback, user_data);
    if (client == NULL) {
        if (call->parameters)
            g_variant_unref(g_variant_ref_sink(call->parameters));
        g_task_return_error(task, no_client());
        g_object_unref(task);
        return;
    }
    PendingCall *pending = g_new0(PendingCall, 1);
    pending->client = g_object_ref(client);
    pending->path = g_strdup(call->path);
    pending->interface = call->interface;
    pending->method = call->method;
    pending->parameters = call->parameters ? g_variant_ref_sink(call->parameters) : NULL;
    g_task_set_task_data(task, pending, pending_free);
    drop_if_dead(client);
    if (client->connection && !client->connecting) {
        dispatch_call(task);
        return;
    }
    g_queue_push_tail(&client->waiting, task);
    start_connecting(client);
}

GVariant *
client_call_finish(gpointer source, GAsyncResult *result, GError **error)
{
    g_return_val_if_fail(g_task_is_valid(result, source), NULL);
    return g_task_propagate_pointer(G_TASK(result), error);
}

gboolean
client_call_finish_void(gpointer source, GAsyncResult *result, GError **error)
{
    g_autoptr(GVariant) reply = client_call_finish(source, result, error);
    return reply != NULL;
}

char *
client_call_finish_string(gpointer source, GAsyncResult *result, GError **error)
{
    g_autoptr(GVariant) reply = client_call_finish(source, result, error);
    char *text = NULL;
    if (reply)
        g_variant_get_child(reply, 0, "s", &text);
    return text;
}

void
client_watch_progress(VitrineClient *client, const char *path, VitrineProgress *progress)
{
    g_hash_table_insert(client->progress, g_strdup(path), progress);
}

/* A later service may have work of the same name. */
void
client_forget_progress(VitrineClient *client, const char *path, const VitrineProgress *progress)
{
    if (g_hash_table_lookup(client->progress, path) == progress)
        g_hash_table_remove(client->progress, path);
}

/* What new_async() returns when the first connection is there. */
static void
on_first_reply(GObject *source, GAsyncResult *result, gpointer user_data)
{
    g_autoptr(GTask) task = user_data;
    GError *error = NULL;
    g_autoptr(GVariant) reply = client_call_finish(source, result, &error);
    if (reply)
        g_task_return_pointer(task, g_object_ref(source), g_object_unref);
    else
        g_task_return_error(task, error);
}

static VitrineClient *
make_client(const char *config_folder)
{
    g_autofree char *folder =
        config_folder ? g_canonicalize_filename(config_folder, NULL) : vitrine_config_folder();
    return g_object_new(VITRINE_TYPE_CLIENT, "config-folder", folder, NULL);
}

VitrineClient *
vitrine_client_new_sync(const char *config_folder, GCancellable *cancellable, GError **error)
{
    g_autoptr(VitrineClient) client = make_client(config_folder);
    return client_connect_sync(client, cancellable, error) ? g_steal_pointer(&client) : NULL;
}

void
vitrine_client_new_async(const char *config_folder, GCancellable *cancellable,
                         GAsyncReadyCallback callback, gpointer user_data)
{
    static const RemoteCall ping = {VITRINE_SERVICE_PATH, "org.freedesktop.DBus.Peer", "Ping",
                                    NULL};
    g_autoptr(VitrineClient) client = make_client(config_folder);
    GTask *task = g_task_new(NULL, cancellable, callback, user_data);
    client_call_async(client, client, &ping, cancellable, on_first_reply, task);
}

VitrineClient *
vitrine_client_new_finish(GAsyncResult *result, GError **error)
{
    return g_task_propagate_pointer(G_TASK(result), error);
}
