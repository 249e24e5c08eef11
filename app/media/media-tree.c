/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Rows of media. Which image stands on which comes from files: a circle ends at the depth that a
 * chain can have. */
#include "app/media/media-tree.h"

#include "app/widgets/widget-drive.h"
#include "app/widgets/widget-format.h"

#include <glib/gi18n.h>

#define DEPTH_MAX 300
#define MEBIBYTE (1024u * 1024)

GtkTreeStore *
media_tree_new(void)
{
    return gtk_tree_store_new(MEDIA_COLUMN_COUNT, VITRINE_TYPE_MEDIUM, G_TYPE_STRING, G_TYPE_STRING,
                              G_TYPE_STRING, G_TYPE_STRING, G_TYPE_STRING);
}

char *
media_size(guint64 bytes)
{
    if (bytes == 0)
        return g_strdup("");
    if (bytes < MEBIBYTE)
        return g_strdup_printf(_("%d KB"), (int)((bytes + 1023) / 1024));
    return widget_megabytes(bytes / MEBIBYTE);
}

/* What rows are made of. */
typedef struct {
    GtkTreeStore *store;
    VitrineClient *client;
    MediaUsers *users;
} Filling;

static void add_children(const Filling *filling, GtkTreeIter *parent, VitrineMedium *medium,
                         unsigned depth);

static void
add_medium(const Filling *filling, GtkTreeIter *parent, VitrineMedium *medium, unsigned depth)
{
    const gboolean broken = vitrine_medium_get_state(medium) == VITRINE_MEDIUM_STATE_INACCESSIBLE;
    g_autofree char *file = vitrine_medium_dup_name(medium);
    g_autofree char *title = media_users_title(filling->users, medium);
    g_autofree char *size = media_size(vitrine_medium_get_logical_size(medium));
    g_autofree char *file_size = media_size(vitrine_medium_get_file_size(medium));
    g_autofree char *used_by = media_users_text(filling->users, medium);
    GtkTreeIter row;

    gtk_tree_store_insert_with_values(
        filling->store, &row, parent, -1, MEDIA_COLUMN_MEDIUM, medium, MEDIA_COLUMN_ICON,
        broken ? "dialog-warning-symbolic" : widget_drive_icon(vitrine_medium_get_kind(medium)),
        MEDIA_COLUMN_NAME, title ? title : file, MEDIA_COLUMN_SIZE,
        broken ? _("Can't be read") : size, MEDIA_COLUMN_FILE_SIZE, file_size, MEDIA_COLUMN_USED_BY,
        used_by, -1);
    if (depth < DEPTH_MAX)
        add_children(filling, &row, medium, depth + 1);
}

static void
add_children(const Filling *filling, GtkTreeIter *parent, VitrineMedium *medium, unsigned depth)
{
    const char *const *children = vitrine_medium_get_children(medium);

    for (guint i = 0; children && children[i]; i++) {
        VitrineMedium *child = vitrine_client_find_medium(filling->client, children[i]);
        if (child)
            add_medium(filling, parent, child, depth);
    }
}

void
media_tree_fill(GtkTreeStore *store, VitrineClient *client, MediaUsers *users,
                VitrineMediumKind kind)
{
    const Filling filling = {store, client, users};
    GListModel *media = vitrine_client_get_media(client);

    gtk_tree_store_clear(store);
    for (guint i = 0; i < g_list_model_get_n_items(media); i++) {
        g_autoptr(VitrineMedium) medium = g_list_model_get_item(media, i);
        const char *parent = vitrine_medium_get_parent_id(medium);

        if (vitrine_medium_get_kind(medium) == kind &&
            (!parent || *parent == '\0' || !vitrine_client_find_medium(client, parent)))
            add_medium(&filling, NULL, medium, 0);
    }
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
    g_autoptr(VitrineMedium) medium = NULL;

    gtk_tree_model_get(model, row, MEDIA_COLUMN_MEDIUM, &medium, -1);
    if (!medium || !g_str_equal(vitrine_medium_get_id(medium), search->id))
        return FALSE;
    *search->found = *row;
    search->is_there = TRUE;
    return TRUE;
}

gboolean
media_tree_find(GtkTreeStore *store, const char *id, GtkTreeIter *found)
{
    Search search = {.id = id, .found = found};

    gtk_tree_model_foreach(GTK_TREE_MODEL(store), compare_row, &search);
    return search.is_there;
}

/* --- what a person sees of it --- */

struct MediaTreeMarks {
    GHashTable *closed; /* UUIDs */
    char *selected;     /* UUID; NULL: none */
    GtkTreePath *place; /* of that */
    GtkTreeView *view;  /* while rows are gone through */
};

static gboolean
mark_row(GtkTreeModel *model, GtkTreePath *path, GtkTreeIter *row, gpointer data)
{
    MediaTreeMarks *marks = data;
    g_autoptr(VitrineMedium) medium = NULL;

    if (!gtk_tree_model_iter_has_child(model, row) || gtk_tree_view_row_expanded(marks->view, path))
        return FALSE;
    gtk_tree_model_get(model, row, MEDIA_COLUMN_MEDIUM, &medium, -1);
    g_hash_table_add(marks->closed, g_strdup(vitrine_medium_get_id(medium)));
    return FALSE;
}

MediaTreeMarks *
media_tree_mark(GtkTreeView *view)
{
    MediaTreeMarks *marks = g_new0(MediaTreeMarks, 1);
    GtkTreeModel *model = gtk_tree_view_get_model(view);
    GtkTreeIter row;

    marks->view = view;
    marks->closed = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    gtk_tree_model_foreach(model, mark_row, marks);
    if (gtk_tree_selection_get_selected(gtk_tree_view_get_selection(view), NULL, &row)) {
        g_autoptr(VitrineMedium) medium = NULL;

        gtk_tree_model_get(model, &row, MEDIA_COLUMN_MEDIUM, &medium, -1);
        marks->selected = g_strdup(vitrine_medium_get_id(medium));
        marks->place = gtk_tree_model_get_path(model, &row);
    }
    return marks;
}

static gboolean
close_row(GtkTreeModel *model, GtkTreePath *path, GtkTreeIter *row, gpointer data)
{
    MediaTreeMarks *marks = data;
    g_autoptr(VitrineMedium) medium = NULL;

    gtk_tree_model_get(model, row, MEDIA_COLUMN_MEDIUM, &medium, -1);
    if (g_hash_table_contains(marks->closed, vitrine_medium_get_id(medium)))
        gtk_tree_view_collapse_row(marks->view, path);
    return FALSE;
}

/* The row that was selected, else what is in its place, before it or above it, else the first. */
static gboolean
find_selected(MediaTreeMarks *marks, GtkTreeModel *model, GtkTreeIter *row)
{
    if (marks->selected && media_tree_find(GTK_TREE_STORE(model), marks->selected, row))
        return TRUE;
    while (marks->place && gtk_tree_path_get_depth(marks->place) > 0) {
        if (gtk_tree_model_get_iter(model, row, marks->place))
            return TRUE;
        if (!gtk_tree_path_prev(marks->place))
            gtk_tree_path_up(marks->place);
    }
    return gtk_tree_model_get_iter_first(model, row);
}

void
media_tree_select(GtkTreeView *view, GtkTreeIter *row)
{
    GtkTreePath *path = gtk_tree_model_get_path(gtk_tree_view_get_model(view), row);
    GtkTreePath *above = gtk_tree_path_copy(path);

    if (gtk_tree_path_up(above) && gtk_tree_path_get_depth(above) > 0)
        gtk_tree_view_expand_to_path(view, above);
    gtk_tree_view_set_cursor(view, path, NULL, FALSE);
    gtk_tree_path_free(above);
    gtk_tree_path_free(path);
}

void
media_tree_return(GtkTreeView *view, MediaTreeMarks *marks)
{
    GtkTreeModel *model = gtk_tree_view_get_model(view);
    GtkTreeIter row;

    gtk_tree_view_expand_all(view);
    gtk_tree_model_foreach(model, close_row, marks);
    if (find_selected(marks, model, &row))
        media_tree_select(view, &row);
    g_hash_table_unref(marks->closed);
    g_clear_pointer(&marks->place, gtk_tree_path_free);
    g_free(marks->selected);
    g_free(marks);
}
