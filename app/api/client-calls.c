/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VitrineClient's calls to the service's own object. */
#include "app/api/client-state.h"

static RemoteCall
service_call(const char *method, GVariant *parameters)
{
    return (RemoteCall){VITRINE_SERVICE_PATH, "org.vitrine.Service", method, parameters};
}

static GVariant *
options_or_empty(GVariant *options)
{
    return options ? options : g_variant_new_array(G_VARIANT_TYPE("{sv}"), NULL, 0);
}

/* Calls, brings the lists up to date and returns the reply's first string. */
static char *
call_for_string(VitrineClient *client, const RemoteCall *call, GCancellable *cancellable,
                GError **error)
{
    g_autoptr(GVariant) reply = client_call_sync(client, call, NULL, cancellable, error);
    char *text = NULL;
    if (reply == NULL)
        return NULL;
    client_refresh_sync(client, cancellable, NULL);
    g_variant_get_child(reply, 0, "s", &text);
    return text;
}

gboolean
vitrine_client_set_system_property_sync(VitrineClient *client, const char *name, GVariant *value,
                                        GCancellable *cancellable, GError **error)
{
    RemoteCall call = service_call("SetSystemProperty", g_variant_new("(sv)", name, value));
    return client_change_sync(client, &call, cancellable, error);
}

void
vitrine_client_set_system_property_async(VitrineClient *client, const char *name, GVariant *value,
                                         GCancellable *cancellable, GAsyncReadyCallback callback,
                                         gpointer user_data)
{
    RemoteCall call = service_call("SetSystemProperty", g_variant_new("(sv)", name, value));
    client_call_async(client, client, &call, cancellable, callback, user_data);
}

gboolean
vitrine_client_set_system_property_finish(VitrineClient *client, GAsyncResult *result,
                                          GError **error)
{
    return client_call_finish_void(client, result, error);
}

gboolean
vitrine_client_set_extra_data_sync(VitrineClient *client, const char *key, const char *value,
                                   GCancellable *cancellable, GError **error)
{
    RemoteCall call = service_call("SetExtraData", g_variant_new("(ss)", key, value ? value : ""));
    return client_change_sync(client, &call, cancellable, error);
}

void
vitrine_client_set_extra_data_async(VitrineClient *client, const char *key, const char *value,
                                    GCancellable *cancellable, GAsyncReadyCallback callback,
                                    gpointer user_data)
{
    RemoteCall call = service_call("SetExtraData", g_variant_new("(ss)", key, value ? value : ""));
    client_call_async(client, client, &call, cancellable, callback, user_data);
}

gboolean
vitrine_client_set_extra_data_finish(VitrineClient *client, GAsyncResult *result, GError **error)
{
    return client_call_finish_void(client, result, error);
}

static RemoteCall
create_machine_call(const char *name, GVariant *options)
{
    return service_call("CreateMachine",
                        g_variant_new("(s@a{sv})", name, options_or_empty(options)));
}

/* Takes reply. */
static char *
created_machine(GVariant *reply, char **settings_file)
{
    char *id = NULL;
    if (settings_file)
        *settings_file = NULL;
    if (reply == NULL)
        return NULL;
    g_variant_get_child(reply, 0, "s", &id);
    if (settings_file)
        g_variant_get_child(reply, 1, "s", settings_file);
    g_variant_unref(reply);
    return id;
}

char *
vitrine_client_create_machine_sync(VitrineClient *client, const char *name, GVariant *options,
                                   char **settings_file, GCancellable *cancellable, GError **error)
{
    RemoteCall call = create_machine_call(name, options);
    GVariant *reply = client_call_sync(client, &call, NULL, cancellable, error);
    if (reply)
        client_refresh_sync(client, cancellable, NULL);
    return created_machine(reply, settings_file);
}

void
vitrine_client_create_machine_async(VitrineClient *client, const char *name, GVariant *options,
                                    GCancellable *cancellable, GAsyncReadyCallback callback,
                                    gpointer user_data)
{
    RemoteCall call = create_machine_call(name, options);
    client_call_async(client, client, &call, cancellable, callback, user_data);
}

char *
vitrine_client_create_machine_finish(VitrineClient *client, GAsyncResult *result,
                                     char **settings_file, GError **error)
{
    return created_machine(client_call_finish(client, result, error), settings_file);
}

/* The service has another working folder. */
static RemoteCall
register_call(const char *settings_file)
{
    g_autofree char *path = g_canonicalize_filename(settings_file, NULL);
    return service_call("RegisterMachine", g_variant_new("(s)", path));
}

char *
vitrine_client_register_machine_sync(VitrineClient *client, const char *settings_file,
                                     GCancellable *cancellable, GError **error)
{
    RemoteCall call = register_call(settings_file);
    return call_for_string(client, &call, cancellable, error);
}

void
vitrine_client_register_machine_async(VitrineClient *client, const char *settings_file,
                                      GCancellable *cancellable, GAsyncReadyCallback callback,
                                      gpointer user_data)
{
    RemoteCall call = register_call(settings_file);
    client_call_async(client, client, &call, cancellable, callback, user_data);
}

char *
vitrine_client_register_machine_finish(VitrineClient *client, GAsyncResult *result, GError **error)
{
    return client_call_finish_string(client, result, error);
}

static RemoteCall
open_medium_call(const char *location, VitrineMediumKind kind)
{
    g_autofree char *path = g_canonicalize_filename(location, NULL);
    return service_call("OpenMedium",
                        g_variant_new("(ss)", path, vitrine_nick(VITRINE_TYPE_MEDIUM_KIND, kind)));
}

char *
vitrine_client_open_medium_sync(VitrineClient *client, const char *location, VitrineMediumKind kind,
                                GCancellable *cancellable, GError **error)
{
    RemoteCall call = open_medium_call(location, kind);
    return call_for_string(client, &call, cancellable, error);
}

void
vitrine_client_open_medium_async(VitrineClient *client, const char *location,
                                 VitrineMediumKind kind, GCancellable *cancellable,
                                 GAsyncReadyCallback callback, gpointer user_data)
{
    RemoteCall call = open_medium_call(location, kind);
    client_call_async(client, client, &call, cancellable, callback, user_data);
}

char *
vitrine_client_open_medium_finish(VitrineClient *client, GAsyncResult *result, GError **error)
{
    return client_call_finish_string(client, result, error);
}

static RemoteCall
create_medium_call(const char *location, VitrineMediumKind kind, const char *format,
                   const char *variant, guint64 logical_size, GVariant *options)
{
    g_autofree char *path = g_canonicalize_filename(location, NULL);
    return service_call("CreateMedium",
                        g_variant_new("(sssst@a{sv})", path,
                                      vitrine_nick(VITRINE_TYPE_MEDIUM_KIND, kind), format, variant,
                                      logical_size, options_or_empty(options)));
}

VitrineProgress *
vitrine_client_create_medium_sync(VitrineClient *client, const char *location,
                                  VitrineMediumKind kind, const char *format, const char *variant,
                                  guint64 logical_size, GVariant *options,
                                  GCancellable *cancellable, GError **error)
{
    RemoteCall call = create_medium_call(location, kind, format, variant, logical_size, options);
    return progress_from_reply(client, client_call_sync(client, &call, NULL, cancellable, error));
}

void
vitrine_client_create_medium_async(VitrineClient *client, const char *location,
                                   VitrineMediumKind kind, const char *format, const char *variant,
                                   guint64 logical_size, GVariant *options,
                                   GCancellable *cancellable, GAsyncReadyCallback callback,
                                   gpointer user_data)
{
    RemoteCall call = create_medium_call(location, kind, format, variant, logical_size, options);
    client_call_async(client, client, &call, cancellable, callback, user_data);
}

VitrineProgress *
vitrine_client_create_medium_finish(VitrineClient *client, GAsyncResult *result, GError **error)
{
    return progress_from_reply(client, client_call_finish(client, result, error));
}
