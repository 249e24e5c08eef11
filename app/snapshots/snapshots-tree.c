/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The rows. The tree comes from the service; its depth is bounded there (250). */
#include "app/snapshots/snapshots-tree.h"

#include "app/widgets/widget-format.h"

#include <glib/gi18n.h>

GtkTreeStore *
snapshots_tree_new(void)
{
    return gtk_tree_store_new(SNAPSHOTS_COLUMN_COUNT, VITRINE_TYPE_SNAPSHOT, G_TYPE_STRING,
                              G_TYPE_STRING, G_TYPE_INT, G_TYPE_STRING);
}

static void
add_current_state(GtkTreeStore *store, GtkTreeIter *parent, VitrineMachine *machine)
{
    const char *change = vitrine_machine_get_current_state_modified(machine) ? _("changed") : "";

    gtk_tree_store_insert_with_values(store, NULL, parent, -1, SNAPSHOTS_COLUMN_ICON,
                                      widget_state_icon(vitrine_machine_get_state(machine)),
                                      SNAPSHOTS_COLUMN_NAME, _("Current state"),
                                      SNAPSHOTS_COLUMN_WEIGHT, PANGO_WEIGHT_BOLD,
                                      SNAPSHOTS_COLUMN_AGE, change, -1);
}

static void
add_snapshot(GtkTreeStore *store, GtkTreeIter *parent, VitrineSnapshot *snapshot,
             VitrineMachine *machine)
{
    GListModel *children = vitrine_snapshot_get_children(snapshot);
    g_autofree char *age = widget_age(vitrine_snapshot_get_time_stamp(snapshot));
    GtkTreeIter row;

    gtk_tree_store_insert_with_values(
        store, &row, parent, -1, SNAPSHOTS_COLUMN_SNAPSHOT, snapshot, SNAPSHOTS_COLUMN_ICON,
        vitrine_snapshot_get_online(snapshot) ? "media-playback-start-symbolic"
                                              : "camera-photo-symbolic",
        SNAPSHOTS_COLUMN_NAME, vitrine_snapshot_get_name(snapshot), SNAPSHOTS_COLUMN_WEIGHT,
        PANGO_WEIGHT_NORMAL, SNAPSHOTS_COLUMN_AGE, age, -1);
    for (guint i = 0; i < g_list_model_get_n_items(children); i++) {
        g_autoptr(VitrineSnapshot) child = g_list_model_get_item(children, i);
        add_snapshot(store, &row, child, machine);
    }
    if (g_str_equal(vitrine_snapshot_get_id(snapshot),
                    vitrine_machine_get_current_snapshot(machine)))
        add_current_state(store, &row, machine);
}

void
snapshots_tree_fill(GtkTreeStore *store, VitrineSnapshot *root, VitrineMachine *machine)
{
    gtk_tree_store_clear(store);
    if (root)
        add_snapshot(store, NULL, root, machine);
    else
        add_current_state(store, NULL, machine);
}

typedef struct {
    const char *id;
    GtkTreeIter *found;
    gboolean is_there;
} Search;

static gboolean
compare_row(GtkTreeModel *model, GtkTreePath *path, GtkTreeIter *row, gpointer data)
{
    Search *search = data;
    g_autoptr(VitrineSnapshot) snapshot = NULL;

    gtk_tree_model_get(model, row, SNAPSHOTS_COLUMN_SNAPSHOT, &snapshot, -1);
    if (!g_str_equal(snapshot ? vitrine_snapshot_get_id(snapshot) : "", search->id))
        return FALSE;
    *search->found = *row;
    search->is_there = TRUE;
    return TRUE;
}

gboolean
snapshots_tree_find(GtkTreeStore *store, const char *id, GtkTreeIter *found)
{
    Search search = {.id = id, .found = found};

    gtk_tree_model_foreach(GTK_TREE_MODEL(store), compare_row, &search);
    return search.is_there;
}

static gboolean
update_age(GtkTreeModel *model, GtkTreePath *path, GtkTreeIter *row, gpointer data)
{
    g_autoptr(VitrineSnapshot) snapshot = NULL;
    g_autofree char *age = NULL;

    gtk_tree_model_get(model, row, SNAPSHOTS_COLUMN_SNAPSHOT, &snapshot, -1);
    if (snapshot) {
        age = widget_age(vitrine_snapshot_get_time_stamp(snapshot));
        gtk_tree_store_set(GTK_TREE_STORE(model), row, SNAPSHOTS_COLUMN_AGE, age, -1);
    }
    return FALSE;
}

void
snapshots_tree_update_ages(GtkTreeStore *store)
{
    gtk_tree_model_foreach(GTK_TREE_MODEL(store), update_age, NULL);
}
