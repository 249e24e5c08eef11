/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VitrineSnapshot: a tree of plain values, made from what the service lists. */
#include <string.h>

#include "app/api/snapshot-private.h"

struct _VitrineSnapshot {
    GObject parent_instance;
    VitrineSnapshot *parent; /* weak */
    GListStore *children;
    char *id, *name, *description, *state_file;
    gint64 time_stamp;
};

G_DEFINE_FINAL_TYPE(VitrineSnapshot, vitrine_snapshot, G_TYPE_OBJECT)

enum { PROP_0, PROP_ID, PROP_NAME, PROP_DESCRIPTION, PROP_TIME_STAMP, PROP_ONLINE };

static void
snapshot_get_property(GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
    VitrineSnapshot *snapshot = VITRINE_SNAPSHOT(object);
    switch (id) {
    case PROP_ID: g_value_set_string(value, snapshot->id); break;
    case PROP_NAME: g_value_set_string(value, snapshot->name); break;
    case PROP_DESCRIPTION: g_value_set_string(value, snapshot->description); break;
    case PROP_TIME_STAMP: g_value_set_int64(value, snapshot->time_stamp); break;
    case PROP_ONLINE: g_value_set_boolean(value, *snapshot->state_file != '\0'); break;
    default: G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
    }
}

static void
snapshot_finalize(GObject *object)
{
    VitrineSnapshot *snapshot = VITRINE_SNAPSHOT(object);
    g_clear_weak_pointer(&snapshot->parent);
    g_object_unref(snapshot->children);
    g_free(snapshot->id);
    g_free(snapshot->name);
    g_free(snapshot->description);
    g_free(snapshot->state_file);
    G_OBJECT_CLASS(vitrine_snapshot_parent_class)->finalize(object);
}

static void
vitrine_snapshot_class_init(VitrineSnapshotClass *class)
{
    GObjectClass *object_class = G_OBJECT_CLASS(class);
    GParamFlags flags = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS;
    object_class->get_property = snapshot_get_property;
    object_class->finalize = snapshot_finalize;
    g_object_class_install_property(object_class, PROP_ID,
                                    g_param_spec_string("id", "id", "UUID", "", flags));
    g_object_class_install_property(object_class, PROP_NAME,
                                    g_param_spec_string("name", "name", "Name", "", flags));
    g_object_class_install_property(
        object_class, PROP_DESCRIPTION,
        g_param_spec_string("description", "description", "Free text", "", flags));
    g_object_class_install_property(object_class, PROP_TIME_STAMP,
                                    g_param_spec_int64("time-stamp", "time-stamp",
                                                       "Seconds since 1970", G_MININT64, G_MAXINT64,
                                                       0, flags));
    g_object_class_install_property(
        object_class, PROP_ONLINE,
        g_param_spec_boolean("online", "online", "Has the machine's memory", FALSE, flags));
}

static void
vitrine_snapshot_init(VitrineSnapshot *snapshot)
{
    snapshot->children = g_list_store_new(VITRINE_TYPE_SNAPSHOT);
}

VitrineSnapshot *
snapshot_tree_from_reply(GVariant *reply)
{
    g_autoptr(GVariant) list = g_variant_get_child_value(reply, 0);
    g_autoptr(GHashTable) by_id = g_hash_table_new(g_str_hash, g_str_equal);
    VitrineSnapshot *root = NULL;
    GVariantIter iter;
    const char *id, *parent_id, *name, *description, *state_file;
    gint64 time;
    if (!g_variant_is_of_type(list, G_VARIANT_TYPE("a(ssssxs)")))
        return NULL;
    g_variant_iter_init(&iter, list);
    while (g_variant_iter_loop(&iter, "(&s&s&s&sx&s)", &id, &parent_id, &name, &description, &time,
                               &state_file)) {
        VitrineSnapshot *parent = g_hash_table_lookup(by_id, parent_id);
        if (root && parent == NULL)
            continue;
        VitrineSnapshot *snapshot = g_object_new(VITRINE_TYPE_SNAPSHOT, NULL);
        snapshot->id = g_strdup(id);
        snapshot->name = g_strdup(name);
        snapshot->description = g_strdup(description);
        snapshot->state_file = g_strdup(state_file);
        snapshot->time_stamp = time;
        g_hash_table_insert(by_id, snapshot->id, snapshot);
        if (parent == NULL) {
            root = snapshot;
            continue;
        }
        g_set_weak_pointer(&snapshot->parent, parent);
        g_list_store_append(parent->children, snapshot);
        g_object_unref(snapshot);
    }
    return root;
}

const char *
vitrine_snapshot_get_id(VitrineSnapshot *snapshot)
{
    return snapshot->id;
}

const char *
vitrine_snapshot_get_name(VitrineSnapshot *snapshot)
{
    return snapshot->name;
}

const char *
vitrine_snapshot_get_description(VitrineSnapshot *snapshot)
{
    return snapshot->description;
}

gint64
vitrine_snapshot_get_time_stamp(VitrineSnapshot *snapshot)
{
    return snapshot->time_stamp;
}

gboolean
vitrine_snapshot_get_online(VitrineSnapshot *snapshot)
{
    return *snapshot->state_file != '\0';
}

const char *
vitrine_snapshot_get_state_file(VitrineSnapshot *snapshot)
{
    return snapshot->state_file;
}

VitrineSnapshot *
vitrine_snapshot_get_parent(VitrineSnapshot *snapshot)
{
    return snapshot->parent;
}

GListModel *
vitrine_snapshot_get_children(VitrineSnapshot *snapshot)
{
    return G_LIST_MODEL(snapshot->children);
}

typedef gboolean (*Match)(VitrineSnapshot *snapshot, const char *text);

static gboolean
has_id(VitrineSnapshot *snapshot, const char *text)
{
    return g_ascii_strcasecmp(snapshot->id, text) == 0;
}

static gboolean
has_name(VitrineSnapshot *snapshot, const char *text)
{
    return g_str_equal(snapshot->name, text);
}

static VitrineSnapshot *
find(VitrineSnapshot *snapshot, Match match, const char *text, VitrineSnapshot *best)
{
    if (match(snapshot, text) && (best == NULL || snapshot->time_stamp < best->time_stamp))
        best = snapshot;
    GListModel *children = G_LIST_MODEL(snapshot->children);
    for (guint i = 0; i < g_list_model_get_n_items(children); i++) {
        g_autoptr(VitrineSnapshot) child = g_list_model_get_item(children, i);
        best = find(child, match, text, best);
    }
    return best;
}

VitrineSnapshot *
vitrine_snapshot_find(VitrineSnapshot *root, const char *name_or_id)
{
    gsize length = strlen(name_or_id);
    gboolean braces = length > 2 && name_or_id[0] == '{' && name_or_id[length - 1] == '}';
    g_autofree char *id = braces ? g_strndup(name_or_id + 1, length - 2) : g_strdup(name_or_id);
    if (root == NULL)
        return NULL;
    VitrineSnapshot *found = find(root, has_id, id, NULL);
    return found ? found : find(root, has_name, name_or_id, NULL);
}
