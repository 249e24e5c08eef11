/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VitrineMedium's calls that change what it is registered as, and its image. */
#include "app/api/client-private.h"

static void
call_async(VitrineMedium *medium, RemoteCall call, GCancellable *cancellable,
           GAsyncReadyCallback callback, gpointer user_data)
{
    client_call_async(medium_client(medium), medium, &call, cancellable, callback, user_data);
}

static gboolean
change_sync(VitrineMedium *medium, RemoteCall call, GCancellable *cancellable, GError **error)
{
    return client_change_sync(medium_client(medium), &call, cancellable, error);
}

static VitrineProgress *
start_sync(VitrineMedium *medium, RemoteCall call, GCancellable *cancellable, GError **error)
{
    VitrineClient *client = medium_client(medium);
    return progress_from_reply(client, client_call_sync(client, &call, NULL, cancellable, error));
}

static VitrineProgress *
start_finish(VitrineMedium *medium, GAsyncResult *result, GError **error)
{
    return progress_from_reply(medium_client(medium), client_call_finish(medium, result, error));
}

/* The service has another working folder. */
static RemoteCall
path_call(VitrineMedium *medium, const char *method, const char *location)
{
    g_autofree char *path = g_canonicalize_filename(location, NULL);
    return medium_call(medium, method, g_variant_new("(s)", path));
}

gboolean
vitrine_medium_set_medium_type_sync(VitrineMedium *medium, VitrineMediumType type,
                                    GCancellable *cancellable, GError **error)
{
    return change_sync(
        medium,
        medium_call(medium, "SetMediumType",
                    g_variant_new("(s)", vitrine_nick(VITRINE_TYPE_MEDIUM_TYPE, (int)type))),
        cancellable, error);
}

void
vitrine_medium_set_medium_type_async(VitrineMedium *medium, VitrineMediumType type,
                                     GCancellable *cancellable, GAsyncReadyCallback callback,
                                     gpointer user_data)
{
    call_async(medium,
               medium_call(medium, "SetMediumType",
                           g_variant_new("(s)", vitrine_nick(VITRINE_TYPE_MEDIUM_TYPE, (int)type))),
               cancellable, callback, user_data);
}

gboolean
vitrine_medium_set_medium_type_finish(VitrineMedium *medium, GAsyncResult *result, GError **error)
{
    return client_call_finish_void(medium, result, error);
}

gboolean
vitrine_medium_set_auto_reset_sync(VitrineMedium *medium, gboolean auto_reset,
                                   GCancellable *cancellable, GError **error)
{
    return change_sync(medium,
                       medium_call(medium, "SetAutoReset", g_variant_new("(b)", auto_reset)),
                       cancellable, error);
}

void
vitrine_medium_set_auto_reset_async(VitrineMedium *medium, gboolean auto_reset,
                                    GCancellable *cancellable, GAsyncReadyCallback callback,
                                    gpointer user_data)
{
    call_async(medium, medium_call(medium, "SetAutoReset", g_variant_new("(b)", auto_reset)),
               cancellable, callback, user_data);
}

gboolean
vitrine_medium_set_auto_reset_finish(VitrineMedium *medium, GAsyncResult *result, GError **error)
{
    return client_call_finish_void(medium, result, error);
}

gboolean
vitrine_medium_set_image_property_sync(VitrineMedium *medium, const char *name, const char *value,
                                       GCancellable *cancellable, GError **error)
{
    return change_sync(
        medium, medium_call(medium, "SetProperty", g_variant_new("(ss)", name, value ? value : "")),
        cancellable, error);
}

void
vitrine_medium_set_image_property_async(VitrineMedium *medium, const char *name, const char *value,
                                        GCancellable *cancellable, GAsyncReadyCallback callback,
                                        gpointer user_data)
{
    call_async(medium,
               medium_call(medium, "SetProperty", g_variant_new("(ss)", name, value ? value : "")),
               cancellable, callback, user_data);
}

gboolean
vitrine_medium_set_image_property_finish(VitrineMedium *medium, GAsyncResult *result,
                                         GError **error)
{
    return client_call_finish_void(medium, result, error);
}

gboolean
vitrine_medium_set_location_sync(VitrineMedium *medium, const char *location,
                                 GCancellable *cancellable, GError **error)
{
    return change_sync(medium, path_call(medium, "SetLocation", location), cancellable, error);
}

void
vitrine_medium_set_location_async(VitrineMedium *medium, const char *location,
                                  GCancellable *cancellable, GAsyncReadyCallback callback,
                                  gpointer user_data)
{
    call_async(medium, path_call(medium, "SetLocation", location), cancellable, callback,
               user_data);
}

gboolean
vitrine_medium_set_location_finish(VitrineMedium *medium, GAsyncResult *result, GError **error)
{
    return client_call_finish_void(medium, result, error);
}

VitrineProgress *
vitrine_medium_move_sync(VitrineMedium *medium, const char *location, GCancellable *cancellable,
                         GError **error)
{
    return start_sync(medium, path_call(medium, "Move", location), cancellable, error);
}

void
vitrine_medium_move_async(VitrineMedium *medium, const char *location, GCancellable *cancellable,
                          GAsyncReadyCallback callback, gpointer user_data)
{
    call_async(medium, path_call(medium, "Move", location), cancellable, callback, user_data);
}

VitrineProgress *
vitrine_medium_move_finish(VitrineMedium *medium, GAsyncResult *result, GError **error)
{
    return start_finish(medium, result, error);
}

VitrineProgress *
vitrine_medium_resize_sync(VitrineMedium *medium, guint64 logical_size, GCancellable *cancellable,
                           GError **error)
{
    return start_sync(medium, medium_call(medium, "Resize", g_variant_new("(t)", logical_size)),
                      cancellable, error);
}

void
vitrine_medium_resize_async(VitrineMedium *medium, guint64 logical_size, GCancellable *cancellable,
                            GAsyncReadyCallback callback, gpointer user_data)
{
    call_async(medium, medium_call(medium, "Resize", g_variant_new("(t)", logical_size)),
               cancellable, callback, user_data);
}

VitrineProgress *
vitrine_medium_resize_finish(VitrineMedium *medium, GAsyncResult *result, GError **error)
{
    return start_finish(medium, result, error);
}

VitrineProgress *
vitrine_medium_compact_sync(VitrineMedium *medium, GCancellable *cancellable, GError **error)
{
    return start_sync(medium, medium_call(medium, "Compact", NULL), cancellable, error);
}

void
vitrine_medium_compact_async(VitrineMedium *medium, GCancellable *cancellable,
                             GAsyncReadyCallback callback, gpointer user_data)
{
    call_async(medium, medium_call(medium, "Compact", NULL), cancellable, callback, user_data);
}

VitrineProgress *
vitrine_medium_compact_finish(VitrineMedium *medium, GAsyncResult *result, GError **error)
{
    return start_finish(medium, result, error);
}
