/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The list of widget-rows.h. */
#include "app/widgets/widget-rows.h"

#include "app/widgets/widget-empty.h"
#include "app/widgets/widget-format.h"

#include <glib/gi18n.h>

enum { COLUMN_ACTIVE, COLUMN_TEXT, COLUMN_DETAILS, COLUMN_COUNT };

typedef struct {
    const WidgetRowsKind *kind;
    gpointer data;
    GtkListStore *store;
    GtkTreeView *view;
    GtkWidget *empty, *buttons;
    GtkWidget *edit, *remove, *up, *down;
    guint count;
} Rows;

static void
rows_free(gpointer data)
{
    Rows *rows = data;

    g_object_unref(rows->store);
    g_free(rows);
}

/* --- what is chosen --- */
static int
selected(Rows *rows)
{
    GtkTreeModel *model;
    GtkTreeIter iter;
    g_autoptr(GtkTreePath) path = NULL;

    if (!gtk_tree_selection_get_selected(gtk_tree_view_get_selection(rows->view), &model, &iter))
        return -1;
    path = gtk_tree_model_get_path(model, &iter);
    return gtk_tree_path_get_indices(path)[0];
}

static void
show_possible(Rows *rows)
{
    const int at = selected(rows);

    gtk_widget_set_sensitive(rows->edit, at >= 0);
    gtk_widget_set_sensitive(rows->remove, at >= 0);
    if (rows->up != NULL) {
        gtk_widget_set_sensitive(rows->up, at > 0);
        gtk_widget_set_sensitive(rows->down, at >= 0 && at + 1 < (int)rows->count);
    }
    gtk_widget_set_visible(rows->empty, rows->count == 0);
}

static void
on_selected(GtkTreeSelection *selection, Rows *rows)
{
    show_possible(rows);
}

/* --- what it shows --- */
static void
say(const WidgetRow *row, gpointer to)
{
    gtk_list_store_insert_with_values(to, NULL, -1, COLUMN_ACTIVE, row->active, COLUMN_TEXT,
                                      row->text, COLUMN_DETAILS, row->details, -1);
}

void
widget_rows_show(GtkWidget *widget, guint count, int at)
{
    Rows *rows = g_object_get_data(G_OBJECT(widget), "rows");
    g_autoptr(GtkTreePath) path = NULL;

    gtk_list_store_clear(rows->store);
    rows->count = count;
    for (guint i = 0; i < count; i++)
        rows->kind->describe(rows->data, i, say, rows->store);
    if (at >= 0 && at < (int)count) {
        path = gtk_tree_path_new_from_indices(at, -1);
        gtk_tree_view_set_cursor(rows->view, path, NULL, FALSE);
    }
    show_possible(rows);
}

/* --- what a person does --- */
static void
on_toggled(GtkCellRendererToggle *cell, char *path, Rows *rows)
{
    rows->kind->on_toggle(rows->data, (guint)g_ascii_strtoull(path, NULL, 10));
}

static void
on_add(GtkButton *button, Rows *rows)
{
    rows->kind->on_add(rows->data);
}

static void
on_edit(GtkButton *button, Rows *rows)
{
    const int at = selected(rows);

    if (at >= 0)
        rows->kind->on_edit(rows->data, (guint)at);
}

static void
on_activated(GtkTreeView *view, GtkTreePath *path, GtkTreeViewColumn *column, Rows *rows)
{
    on_edit(NULL, rows);
}

static void
on_remove(GtkButton *button, Rows *rows)
{
    const int at = selected(rows);

    if (at >= 0)
        rows->kind->on_remove(rows->data, (guint)at);
}

static void
move(Rows *rows, int by)
{
    const int at = selected(rows), to = at + by;

    if (at >= 0 && to >= 0 && to < (int)rows->count)
        rows->kind->on_move(rows->data, (guint)at, (guint)to);
}

static void
on_up(GtkButton *button, Rows *rows)
{
    move(rows, -1);
}

static void
on_down(GtkButton *button, Rows *rows)
{
    move(rows, 1);
}

/* --- how it is made --- */
static GtkWidget *
add_button(Rows *rows, const char *icon, const char *name, GCallback callback)
{
    GtkWidget *button = gtk_button_new_from_icon_name(icon, GTK_ICON_SIZE_BUTTON);

    widget_set_name(button, _(name));
    g_signal_connect(button, "clicked", callback, rows);
    gtk_container_add(GTK_CONTAINER(rows->buttons), button);
    return button;
}

static void
build_buttons(Rows *rows)
{
    const WidgetRowsKind *kind = rows->kind;

    rows->buttons = gtk_box_new(GTK_ORIENTATION_VERTICAL, 6);
    add_button(rows, "list-add-symbolic", kind->add, G_CALLBACK(on_add));
    rows->edit = add_button(rows, "document-edit-symbolic", kind->edit, G_CALLBACK(on_edit));
    rows->remove = add_button(rows, "list-remove-symbolic", kind->remove, G_CALLBACK(on_remove));
    if (kind->up == NULL)
        return;
    rows->up = add_button(rows, "go-up-symbolic", kind->up, G_CALLBACK(on_up));
    rows->down = add_button(rows, "go-down-symbolic", kind->down, G_CALLBACK(on_down));
}

void
widget_rows_add_button(GtkWidget *widget, GtkWidget *button)
{
    Rows *rows = g_object_get_data(G_OBJECT(widget), "rows");

    gtk_container_add(GTK_CONTAINER(rows->buttons), button);
    gtk_box_reorder_child(GTK_BOX(rows->buttons), button, 1);
}

static void
add_column(Rows *rows, GtkCellRenderer *cell, const char *attribute, int column)
{
    gtk_tree_view_insert_column_with_attributes(rows->view, -1, NULL, cell, attribute, column,
                                                NULL);
}

static void
build_view(Rows *rows)
{
    GtkCellRenderer *text = gtk_cell_renderer_text_new(), *details = gtk_cell_renderer_text_new();

    rows->view = GTK_TREE_VIEW(gtk_tree_view_new_with_model(GTK_TREE_MODEL(rows->store)));
    gtk_tree_view_set_headers_visible(rows->view, FALSE);
    gtk_tree_view_set_enable_search(rows->view, FALSE);
    gtk_tree_view_set_tooltip_column(rows->view, COLUMN_DETAILS);
    atk_object_set_name(gtk_widget_get_accessible(GTK_WIDGET(rows->view)), _(rows->kind->name));
    if (rows->kind->on_toggle != NULL) {
        GtkCellRenderer *toggle = gtk_cell_renderer_toggle_new();

        g_signal_connect(toggle, "toggled", G_CALLBACK(on_toggled), rows);
        add_column(rows, toggle, "active", COLUMN_ACTIVE);
    }
    g_object_set(text, "ellipsize", PANGO_ELLIPSIZE_END, "width-chars", rows->kind->text_width,
                 NULL);
    g_object_set(details, "ellipsize", PANGO_ELLIPSIZE_END, "sensitive", FALSE, NULL);
    add_column(rows, text, "text", COLUMN_TEXT);
    add_column(rows, details, "text", COLUMN_DETAILS);
    g_signal_connect(rows->view, "row-activated", G_CALLBACK(on_activated), rows);
    g_signal_connect(gtk_tree_view_get_selection(rows->view), "changed", G_CALLBACK(on_selected),
                     rows);
}

GtkWidget *
widget_rows_new(const WidgetRowsKind *kind, const char *empty, gpointer data)
{
    Rows *rows = g_new0(Rows, 1);
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 6), *overlay = gtk_overlay_new();
    GtkWidget *scroller = gtk_scrolled_window_new(NULL, NULL);

    rows->kind = kind;
    rows->data = data;
    rows->store = gtk_list_store_new(COLUMN_COUNT, G_TYPE_BOOLEAN, G_TYPE_STRING, G_TYPE_STRING);
    build_view(rows);
    build_buttons(rows);
    rows->empty = widget_empty_page_new(kind->icon, empty, NULL);
    gtk_widget_set_no_show_all(rows->empty, TRUE);
    gtk_scrolled_window_set_shadow_type(GTK_SCROLLED_WINDOW(scroller), GTK_SHADOW_IN);
    gtk_scrolled_window_set_min_content_height(GTK_SCROLLED_WINDOW(scroller), kind->height);
    gtk_container_add(GTK_CONTAINER(scroller), GTK_WIDGET(rows->view));
    gtk_container_add(GTK_CONTAINER(overlay), scroller);
    gtk_overlay_add_overlay(GTK_OVERLAY(overlay), rows->empty);
    gtk_overlay_set_overlay_pass_through(GTK_OVERLAY(overlay), rows->empty, TRUE);
    gtk_widget_set_hexpand(overlay, TRUE);
    gtk_box_pack_start(GTK_BOX(box), overlay, TRUE, TRUE, 0);
    gtk_box_pack_start(GTK_BOX(box), rows->buttons, FALSE, FALSE, 0);
    g_object_set_data_full(G_OBJECT(box), "rows", rows, rows_free);
    widget_rows_show(box, 0, -1);
    return box;
}
