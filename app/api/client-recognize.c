/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VitrineMediaInfo and the call that makes it. */
#include "app/api/client-state.h"
#include "app/api/record.h"

static const RecordType media_info_record = {
    sizeof(VitrineMediaInfo),
    5,
    {G_STRUCT_OFFSET(VitrineMediaInfo, os_type), G_STRUCT_OFFSET(VitrineMediaInfo, os_name),
     G_STRUCT_OFFSET(VitrineMediaInfo, os_id), G_STRUCT_OFFSET(VitrineMediaInfo, volume_label),
     G_STRUCT_OFFSET(VitrineMediaInfo, architecture)}};

G_DEFINE_BOXED_TYPE(VitrineMediaInfo, vitrine_media_info, vitrine_media_info_copy,
                    vitrine_media_info_free)

VitrineMediaInfo *
vitrine_media_info_copy(const VitrineMediaInfo *info)
{
    return record_copy(&media_info_record, info);
}

void
vitrine_media_info_free(VitrineMediaInfo *info)
{
    record_free(&media_info_record, info);
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
