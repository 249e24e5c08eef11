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
