/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VitrineClient's calls that make images of others, and change their UUIDs. */
#include "app/api/client-state.h"

static RemoteCall
service_call(const char *method, GVariant *parameters)
{
    return (RemoteCall){VITRINE_SERVICE_PATH, "org.vitrine.Service", method, parameters};
}

static VitrineProgress *
start_sync(VitrineClient *client, RemoteCall call, GCancellable *cancellable, GError **error)
{
    return progress_from_reply(client, client_call_sync(client, &call, NULL, cancellable, error));
}

static VitrineProgress *
start_finish(VitrineClient *client, GAsyncResult *result, GError **error)
{
    return progress_from_reply(client, client_call_finish(client, result, error));
}

static RemoteCall
clone_call(const char *source, const char *location, const char *format, const char *variant,
           GVariant *options)
{
    g_autofree char *path = *location ? g_canonicalize_filename(location, NULL) : g_strdup("");
    GVariant *all = options ? options : g_variant_new_array(G_VARIANT_TYPE("{sv}"), NULL, 0);
    return service_call("CloneMedium",
                        g_variant_new("(ssss@a{sv})", source, path, format, variant, all));
}

VitrineProgress *
vitrine_client_clone_medium_sync(VitrineClient *client, const char *source, const char *location,
                                 const char *format, const char *variant, GVariant *options,
                                 GCancellable *cancellable, GError **error)
{
    return start_sync(client, clone_call(source, location, format, variant, options), cancellable,
                      error);
}

void
vitrine_client_clone_medium_async(VitrineClient *client, const char *source, const char *location,
                                  const char *format, const char *variant, GVariant *options,
                                  GCancellable *cancellable, GAsyncReadyCallback callback,
                                  gpointer user_data)
{
    RemoteCall call = clone_call(source, location, format, variant, options);
    client_call_async(client, client, &call, cancellable, callback, user_data);
}

VitrineProgress *
vitrine_client_clone_medium_finish(VitrineClient *client, GAsyncResult *result, GError **error)
{
    return start_finish(client, result, error);
}

static RemoteCall
convert_call(const char *source, const char *location, const char *format, const char *variant,
             const char *uuid)
{
    g_autofree char *from = g_canonicalize_filename(source, NULL);
    g_autofree char *to = g_canonicalize_filename(location, NULL);
    return service_call("ConvertFromRaw",
                        g_variant_new("(sssss)", from, to, format, variant, uuid ? uuid : ""));
}

VitrineProgress *
vitrine_client_convert_from_raw_sync(VitrineClient *client, const char *source,
                                     const char *location, const char *format, const char *variant,
                                     const char *uuid, GCancellable *cancellable, GError **error)
{
    return start_sync(client, convert_call(source, location, format, variant, uuid), cancellable,
                      error);
}

void
vitrine_client_convert_from_raw_async(VitrineClient *client, const char *source,
                                      const char *location, const char *format, const char *variant,
                                      const char *uuid, GCancellable *cancellable,
                                      GAsyncReadyCallback callback, gpointer user_data)
{
    RemoteCall call = convert_call(source, location, format, variant, uuid);
    client_call_async(client, client, &call, cancellable, callback, user_data);
}

VitrineProgress *
vitrine_client_convert_from_raw_finish(VitrineClient *client, GAsyncResult *result, GError **error)
{
    return start_finish(client, result, error);
}

static RemoteCall
uuids_call(const char *location, const char *uuid, const char *parent)
{
    g_autofree char *path = g_canonicalize_filename(location, NULL);
    return service_call("SetImageUuids",
                        g_variant_new("(sss)", path, uuid ? uuid : "", parent ? parent : ""));
}

VitrineProgress *
vitrine_client_set_image_uuids_sync(VitrineClient *client, const char *location, const char *uuid,
                                    const char *parent, GCancellable *cancellable, GError **error)
{
    return start_sync(client, uuids_call(location, uuid, parent), cancellable, error);
}

void
vitrine_client_set_image_uuids_async(VitrineClient *client, const char *location, const char *uuid,
                                     const char *parent, GCancellable *cancellable,
                                     GAsyncReadyCallback callback, gpointer user_data)
{
    RemoteCall call = uuids_call(location, uuid, parent);
    client_call_async(client, client, &call, cancellable, callback, user_data);
}

VitrineProgress *
vitrine_client_set_image_uuids_finish(VitrineClient *client, GAsyncResult *result, GError **error)
{
    return start_finish(client, result, error);
}
