/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VitrineMediaInfo and the call that makes it. */
#include "app/api/client-state.h"

G_DEFINE_BOXED_TYPE(VitrineMediaInfo, vitrine_media_info, vitrine_media_info_copy,
                    vitrine_media_info_free)

VitrineMediaInfo *
vitrine_media_info_copy(const VitrineMediaInfo *info)
{
    VitrineMediaInfo *copy = g_memdup2(info, sizeof *info);
    copy->os_type = g_strdup(info->os_type);
    copy->os_name = g_strdup(info->os_name);
    copy->os_id = g_strdup(info->os_id);
    copy->volume_label = g_strdup(info->volume_label);
    copy->architecture = g_strdup(info->architecture);
    return copy;
}

void
vitrine_media_info_free(VitrineMediaInfo *info)
{
    if (info == NULL)
        return;
    g_free(info->os_type);
    g_free(info->os_name);
    g_free(info->os_id);
    g_free(info->volume_label);
    g_free(info->architecture);
    g_free(info);
}

static char *
take_text(GVariant *dictionary, const char *key)
{
    char *text = NULL;
    return g_variant_lookup(dictionary, key, "s", &text) ? text : g_strdup("");
}

/* Takes reply. */
static VitrineMediaInfo *
info_from_reply(GVariant *reply)
{
    if (reply == NULL)
        return NULL;
    g_autoptr(GVariant) dictionary = g_variant_get_child_value(reply, 0);
    VitrineMediaInfo *info = g_new0(VitrineMediaInfo, 1);
    info->os_type = take_text(dictionary, "os-type");
    info->os_name = take_text(dictionary, "os-name");
    info->os_id = take_text(dictionary, "os-id");
    info->volume_label = take_text(dictionary, "volume-label");
    info->architecture = take_text(dictionary, "architecture");
    g_variant_lookup(dictionary, "bootable", "b", &info->bootable);
    g_variant_lookup(dictionary, "live", "b", &info->live);
    g_variant_unref(reply);
    return info;
}

static RemoteCall
recognize_call(const char *location)
{
    g_autofree char *path = g_canonicalize_filename(location, NULL);
    return (RemoteCall){VITRINE_SERVICE_PATH, "org.vitrine.Service", "RecognizeMedia",
                        g_variant_new("(s)", path)};
}

VitrineMediaInfo *
vitrine_client_recognize_media_sync(VitrineClient *client, const char *location,
                                    GCancellable *cancellable, GError **error)
{
    RemoteCall call = recognize_call(location);
    return info_from_reply(client_call_sync(client, &call, NULL, cancellable, error));
}

void
vitrine_client_recognize_media_async(VitrineClient *client, const char *location,
                                     GCancellable *cancellable, GAsyncReadyCallback callback,
                                     gpointer user_data)
{
    RemoteCall call = recognize_call(location);
    client_call_async(client, client, &call, cancellable, callback, user_data);
}

VitrineMediaInfo *
vitrine_client_recognize_media_finish(VitrineClient *client, GAsyncResult *result, GError **error)
{
    return info_from_reply(client_call_finish(client, result, error));
}
