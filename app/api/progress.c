/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VitrineProgress: a view of a progress object in the service. */
#include "app/api/client-private.h"

struct _VitrineProgress {
    GObject parent;
    VitrineClient *client;
    char *path;
    Cache *cache;
};

G_DEFINE_FINAL_TYPE(VitrineProgress, vitrine_progress, G_TYPE_OBJECT)

static const CacheField fields[] = {
    {"Description", "description", 's', NULL},
    {"Percent", "percent", 'u', NULL},
    {"Cancellable", "cancellable", 'b', NULL},
    {"Completed", "completed", 'b', NULL},
};

static void
progress_get_property(GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
    cache_get_property(VITRINE_PROGRESS(object)->cache, &fields[id - 1], value);
}

static void
progress_finalize(GObject *object)
{
    VitrineProgress *progress = VITRINE_PROGRESS(object);
    client_forget_progress(progress->client, progress->path, progress);
    g_object_unref(progress->client);
    g_free(progress->path);
    g_hash_table_unref(progress->cache);
    G_OBJECT_CLASS(vitrine_progress_parent_class)->finalize(object);
}

static void
vitrine_progress_class_init(VitrineProgressClass *class)
{
    GObjectClass *object_class = G_OBJECT_CLASS(class);
    object_class->get_property = progress_get_property;
    object_class->finalize = progress_finalize;
    cache_install(object_class, fields, G_N_ELEMENTS(fields));
}

static void
vitrine_progress_init(VitrineProgress *progress)
{
    progress->cache = cache_new();
}

void
progress_update(VitrineProgress *progress, GVariant *properties)
{
    cache_update(progress->cache, G_OBJECT(progress), fields, G_N_ELEMENTS(fields), properties);
}

void
progress_lost(VitrineProgress *progress)
{
    GVariantDict dict;
    g_variant_dict_init(&dict, NULL);
    g_variant_dict_insert(&dict, "Completed", "b", TRUE);
    g_variant_dict_insert(&dict, "Cancellable", "b", FALSE);
    g_autoptr(GVariant) properties = g_variant_ref_sink(g_variant_dict_end(&dict));
    progress_update(progress, properties);
}

static void
on_properties(GObject *source, GAsyncResult *result, gpointer user_data)
{
    g_autoptr(GVariant) reply = client_call_finish(source, result, NULL);
    if (reply == NULL || !g_variant_is_of_type(reply, G_VARIANT_TYPE("(a{sv})"))) {
        progress_lost(VITRINE_PROGRESS(source));
        return;
    }
    g_autoptr(GVariant) properties = g_variant_get_child_value(reply, 0);
    progress_update(VITRINE_PROGRESS(source), properties);
}

VitrineProgress *
progress_new(VitrineClient *client, const char *path)
{
    VitrineProgress *progress = g_object_new(VITRINE_TYPE_PROGRESS, NULL);
    RemoteCall call = {path, "org.freedesktop.DBus.Properties", "GetAll",
                       g_variant_new("(s)", "org.vitrine.Progress")};
    progress->client = g_object_ref(client);
    progress->path = g_strdup(path);
    client_watch_progress(client, path, progress);
    client_call_async(client, progress, &call, NULL, on_properties, NULL);
    return progress;
}

VitrineProgress *
progress_from_reply(VitrineClient *client, GVariant *reply)
{
    const char *path;
    if (reply == NULL)
        return NULL;
    g_variant_get_child(reply, 0, "&o", &path);
    VitrineProgress *progress = progress_new(client, path);
    g_variant_unref(reply);
    return progress;
}

const char *
vitrine_progress_get_description(VitrineProgress *progress)
{
    return cache_string(progress->cache, "Description");
}

guint
vitrine_progress_get_percent(VitrineProgress *progress)
{
    return cache_number(progress->cache, "Percent");
}

gboolean
vitrine_progress_get_cancellable(VitrineProgress *progress)
{
    return cache_bool(progress->cache, "Cancellable");
}

gboolean
vitrine_progress_get_completed(VitrineProgress *progress)
{
    return cache_bool(progress->cache, "Completed");
}

static RemoteCall
progress_call(VitrineProgress *progress, const char *method)
{
    return (RemoteCall){progress->path, "org.vitrine.Progress", method, NULL};
}

void
vitrine_progress_cancel(VitrineProgress *progress)
{
    RemoteCall call = progress_call(progress, "Cancel");
    client_call_async(progress->client, progress, &call, NULL, NULL, NULL);
}

char *
vitrine_progress_wait_sync(VitrineProgress *progress, GCancellable *cancellable, GError **error)
{
    RemoteCall call = progress_call(progress, "Wait");
    g_autoptr(GVariant) reply = client_call_sync(progress->client, &call, NULL, cancellable, error);
    char *text = NULL;
    if (reply == NULL)
        return NULL;
    client_refresh_sync(progress->client, cancellable, NULL);
    g_variant_get_child(reply, 0, "s", &text);
    return text;
}

void
vitrine_progress_wait_async(VitrineProgress *progress, GCancellable *cancellable,
                            GAsyncReadyCallback callback, gpointer user_data)
{
    RemoteCall call = progress_call(progress, "Wait");
    client_call_async(progress->client, progress, &call, cancellable, callback, user_data);
}

char *
vitrine_progress_wait_finish(VitrineProgress *progress, GAsyncResult *result, GError **error)
{
    return client_call_finish_string(progress, result, error);
}
