/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VitrineMedium: a view of an image that the service knows. */
#include <string.h>

#include "app/api/client-private.h"

struct _VitrineMedium {
    GObject parent;
    VitrineClient *client; /* borrowed: the client owns its media */
    char *id;
    char *path;
    Cache *cache;
    char **machines, **children, **snapshots;
    GHashTable *properties;
};

G_DEFINE_FINAL_TYPE(VitrineMedium, vitrine_medium, G_TYPE_OBJECT)

#define PROPERTIES "app/api/medium-properties.def"
#define OBJECT VitrineMedium
#define GETTER_NAME(getter) vitrine_medium_get_##getter

static const CacheField fields[] = {
#include "app/api/properties-fields.def"
};

static void
medium_get_property(GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
    cache_get_property(VITRINE_MEDIUM(object)->cache, &fields[id - 1], value);
}

static void
medium_finalize(GObject *object)
{
    VitrineMedium *medium = VITRINE_MEDIUM(object);
    if (medium->client)
        g_object_remove_weak_pointer(G_OBJECT(medium->client), (gpointer *)&medium->client);
    g_free(medium->id);
    g_free(medium->path);
    g_strfreev(medium->machines);
    g_strfreev(medium->children);
    g_strfreev(medium->snapshots);
    g_hash_table_unref(medium->properties);
    g_hash_table_unref(medium->cache);
    G_OBJECT_CLASS(vitrine_medium_parent_class)->finalize(object);
}

static void
vitrine_medium_class_init(VitrineMediumClass *class)
{
    GObjectClass *object_class = G_OBJECT_CLASS(class);
    object_class->get_property = medium_get_property;
    object_class->finalize = medium_finalize;
    cache_install(object_class, fields, G_N_ELEMENTS(fields));
}

static void
vitrine_medium_init(VitrineMedium *medium)
{
    medium->cache = cache_new();
    medium->machines = g_new0(char *, 1);
    medium->children = g_new0(char *, 1);
    medium->snapshots = g_new0(char *, 1);
    medium->properties = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
}

static void
take_strings(GVariant *properties, const char *key, char ***place)
{
    char **strings = NULL;
    if (!g_variant_lookup(properties, key, "^as", &strings))
        return;
    g_strfreev(*place);
    *place = strings;
}

static void
take_properties(VitrineMedium *medium, GVariant *properties)
{
    g_autoptr(GVariant) table =
        g_variant_lookup_value(properties, "Properties", G_VARIANT_TYPE("a{ss}"));
    GVariantIter iter;
    const char *name, *value;
    if (table == NULL)
        return;
    g_hash_table_remove_all(medium->properties);
    g_variant_iter_init(&iter, table);
    while (g_variant_iter_loop(&iter, "{&s&s}", &name, &value))
        g_hash_table_insert(medium->properties, g_strdup(name), g_strdup(value));
}

void
medium_update(VitrineMedium *medium, GVariant *properties)
{
    take_strings(properties, "Machines", &medium->machines);
    take_strings(properties, "Children", &medium->children);
    take_strings(properties, "Snapshots", &medium->snapshots);
    take_properties(medium, properties);
    cache_update(medium->cache, G_OBJECT(medium), fields, G_N_ELEMENTS(fields), properties);
}

VitrineMedium *
medium_new(VitrineClient *client, const char *id, GVariant *properties)
{
    VitrineMedium *medium = g_object_new(VITRINE_TYPE_MEDIUM, NULL);
    g_set_weak_pointer(&medium->client, client);
    medium->id = g_strdup(id);
    medium->path = vitrine_object_path(VITRINE_MEDIUM_PREFIX, id);
    medium_update(medium, properties);
    return medium;
}

VitrineClient *
medium_client(VitrineMedium *medium)
{
    return medium->client;
}

const char *
vitrine_medium_get_id(VitrineMedium *medium)
{
    return medium->id;
}

#include "app/api/properties-getters.def"

char *
vitrine_medium_dup_name(VitrineMedium *medium)
{
    return g_path_get_basename(vitrine_medium_get_location(medium));
}

const char *const *
vitrine_medium_get_machines(VitrineMedium *medium)
{
    return (const char *const *)medium->machines;
}

static int
compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

const char *const *
vitrine_medium_get_children(VitrineMedium *medium)
{
    return (const char *const *)medium->children;
}

const char *const *
vitrine_medium_get_snapshots(VitrineMedium *medium)
{
    return (const char *const *)medium->snapshots;
}

const char *
vitrine_medium_get_image_property(VitrineMedium *medium, const char *name)
{
    return g_hash_table_lookup(medium->properties, name);
}

const char **
vitrine_medium_list_image_properties(VitrineMedium *medium)
{
    GPtrArray *names = g_ptr_array_new();
    GHashTableIter iter;
    gpointer name;
    g_hash_table_iter_init(&iter, medium->properties);
    while (g_hash_table_iter_next(&iter, &name, NULL))
        g_ptr_array_add(names, name);
    g_ptr_array_sort(names, compare_names);
    g_ptr_array_add(names, NULL);
    return (const char **)g_ptr_array_free(names, FALSE);
}

RemoteCall
medium_call(VitrineMedium *medium, const char *method, GVariant *parameters)
{
    return (RemoteCall){medium->path, "org.vitrine.Medium", method, parameters};
}

gboolean
vitrine_medium_refresh_sync(VitrineMedium *medium, GCancellable *cancellable, GError **error)
{
    RemoteCall call = medium_call(medium, "Refresh", NULL);
    return client_change_sync(medium->client, &call, cancellable, error);
}

void
vitrine_medium_refresh_async(VitrineMedium *medium, GCancellable *cancellable,
                             GAsyncReadyCallback callback, gpointer user_data)
{
    RemoteCall call = medium_call(medium, "Refresh", NULL);
    client_call_async(medium->client, medium, &call, cancellable, callback, user_data);
}

gboolean
vitrine_medium_refresh_finish(VitrineMedium *medium, GAsyncResult *result, GError **error)
{
    return client_call_finish_void(medium, result, error);
}

static RemoteCall
close_call(VitrineMedium *medium, gboolean delete_file)
{
    return (RemoteCall){VITRINE_SERVICE_PATH, "org.vitrine.Service", "CloseMedium",
                        g_variant_new("(sb)", medium->id, delete_file)};
}

gboolean
vitrine_medium_close_sync(VitrineMedium *medium, gboolean delete_file, GCancellable *cancellable,
                          GError **error)
{
    RemoteCall call = close_call(medium, delete_file);
    return client_change_sync(medium->client, &call, cancellable, error);
}

void
vitrine_medium_close_async(VitrineMedium *medium, gboolean delete_file, GCancellable *cancellable,
                           GAsyncReadyCallback callback, gpointer user_data)
{
    RemoteCall call = close_call(medium, delete_file);
    client_call_async(medium->client, medium, &call, cancellable, callback, user_data);
}

gboolean
vitrine_medium_close_finish(VitrineMedium *medium, GAsyncResult *result, GError **error)
{
    return client_call_finish_void(medium, result, error);
}

gboolean
vitrine_medium_set_description_sync(VitrineMedium *medium, const char *description,
                                    GCancellable *cancellable, GError **error)
{
    RemoteCall call = medium_call(medium, "SetDescription", g_variant_new("(s)", description));
    return client_change_sync(medium->client, &call, cancellable, error);
}

void
vitrine_medium_set_description_async(VitrineMedium *medium, const char *description,
                                     GCancellable *cancellable, GAsyncReadyCallback callback,
                                     gpointer user_data)
{
    RemoteCall call = medium_call(medium, "SetDescription", g_variant_new("(s)", description));
    client_call_async(medium->client, medium, &call, cancellable, callback, user_data);
}

gboolean
vitrine_medium_set_description_finish(VitrineMedium *medium, GAsyncResult *result, GError **error)
{
    return client_call_finish_void(medium, result, error);
}
