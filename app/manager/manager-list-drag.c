/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Dragging rows: between others, into groups, out of them. A line or a frame shows where the row
 * would go. */
#include "app/manager/manager-list-private.h"

#define TARGET_NAME "application/x-vitrine-row"
#define EDGE 0.25 /* of a group's row: beside it, not into it */

static const GtkTargetEntry targets[] = {{(char *)TARGET_NAME, GTK_TARGET_SAME_WIDGET, 0}};

typedef struct {
    GtkListBoxRow *row; /* NULL: the end of the list */
    GroupNode *group;
    guint index;
    const char *class;
} Place;

static guint
index_in_parent(const GroupNode *node)
{
    guint index = 0;

    g_ptr_array_find(node->parent->children, node, &index);
    return index;
}

/* Where in the list a row would be dropped. */
static Place
place_at(ManagerList *list, double y)
{
    GtkListBoxRow *row = gtk_list_box_get_row_at_y(GTK_LIST_BOX(list), (int)y);
    GroupNode *node = manager_list_node(list, row);
    GtkAllocation area;
    double share;

    if (!node)
        return (Place){NULL, group_tree_root(list->tree), G_MAXUINT, NULL};
    gtk_widget_get_allocation(GTK_WIDGET(row), &area);
    share = (y - area.y) / MAX(area.height, 1);
    if (share < (node->group ? EDGE : 0.5))
        return (Place){row, node->parent, index_in_parent(node), "drop-before"};
    if (!node->group || (node->closed && share > 1 - EDGE))
        return (Place){row, node->parent, index_in_parent(node) + 1, "drop-after"};
    return (Place){row, node, node->closed ? G_MAXUINT : 0, "drop-into"};
}

static void
mark(ManagerList *list, GtkListBoxRow *row, const char *class)
{
    if (list->drop_row)
        gtk_style_context_remove_class(gtk_widget_get_style_context(GTK_WIDGET(list->drop_row)),
                                       list->drop_class);
    g_clear_weak_pointer(&list->drop_row);
    if (!row || !class)
        return;
    g_set_weak_pointer(&list->drop_row, row);
    list->drop_class = class;
    gtk_style_context_add_class(gtk_widget_get_style_context(GTK_WIDGET(row)), class);
}

static gboolean
on_button(GtkWidget *widget, GdkEventButton *event, gpointer data)
{
    int y;

    gtk_widget_translate_coordinates(gtk_get_event_widget((GdkEvent *)event), widget, (int)event->x,
                                     (int)event->y, NULL, &y);
    MANAGER_LIST(widget)->press_y = y;
    return GDK_EVENT_PROPAGATE;
}

static void
on_begin(GtkWidget *widget, GdkDragContext *context, gpointer data)
{
    ManagerList *list = MANAGER_LIST(widget);
    GtkListBoxRow *row = gtk_list_box_get_row_at_y(GTK_LIST_BOX(list), (int)list->press_y);
    cairo_surface_t *picture;
    GtkAllocation area;
    cairo_t *cr;

    list->dragged = manager_list_node(list, row);
    if (!row)
        return;
    gtk_widget_get_allocation(GTK_WIDGET(row), &area);
    picture = gdk_window_create_similar_surface(gtk_widget_get_window(widget), CAIRO_CONTENT_COLOR,
                                                area.width, area.height);
    cr = cairo_create(picture);
    gtk_render_background(gtk_widget_get_style_context(widget), cr, 0, 0, area.width, area.height);
    gtk_widget_draw(GTK_WIDGET(row), cr);
    cairo_destroy(cr);
    cairo_surface_set_device_offset(picture, -12, area.y - list->press_y);
    gtk_drag_set_icon_surface(context, picture);
    cairo_surface_destroy(picture);
}

/* Near an edge the list moves under the pointer. */
static void
scroll_along(ManagerList *list, int y)
{
    GtkWidget *scroller = gtk_widget_get_ancestor(GTK_WIDGET(list), GTK_TYPE_SCROLLED_WINDOW);
    GtkAdjustment *adjustment =
        scroller ? gtk_scrolled_window_get_vadjustment(GTK_SCROLLED_WINDOW(scroller)) : NULL;

    if (adjustment)
        gtk_adjustment_clamp_page(adjustment, y - 24, y + 24);
}

static gboolean
on_motion(GtkWidget *widget, GdkDragContext *context, int x, int y, guint time, gpointer data)
{
    ManagerList *list = MANAGER_LIST(widget);
    Place place = place_at(list, y);

    mark(list, place.row, place.class);
    scroll_along(list, y);
    gdk_drag_status(context, list->dragged ? GDK_ACTION_MOVE : 0, time);
    return TRUE;
}

static void
on_leave(GtkWidget *widget, GdkDragContext *context, guint time, gpointer data)
{
    mark(MANAGER_LIST(widget), NULL, NULL);
}

static gboolean
on_drop(GtkWidget *widget, GdkDragContext *context, int x, int y, guint time, gpointer data)
{
    ManagerList *list = MANAGER_LIST(widget);
    Place place = place_at(list, y);
    GroupNode *node = list->dragged;
    gboolean moved =
        node && node != place.group && group_tree_move(list->tree, node, place.group, place.index);

    mark(list, NULL, NULL);
    list->dragged = NULL;
    gtk_drag_finish(context, moved, FALSE, time);
    if (moved)
        manager_list_changed(list, node);
    return TRUE;
}

static void
on_end(GtkWidget *widget, GdkDragContext *context, gpointer data)
{
    ManagerList *list = MANAGER_LIST(widget);

    list->dragged = NULL;
    manager_list_reload_later(list);
}

void
manager_list_setup_drag(ManagerList *list)
{
    GtkWidget *widget = GTK_WIDGET(list);

    gtk_drag_source_set(widget, GDK_BUTTON1_MASK, targets, G_N_ELEMENTS(targets), GDK_ACTION_MOVE);
    gtk_drag_dest_set(widget, 0, targets, G_N_ELEMENTS(targets), GDK_ACTION_MOVE);
    g_signal_connect(widget, "button-press-event", G_CALLBACK(on_button), NULL);
    g_signal_connect(widget, "drag-begin", G_CALLBACK(on_begin), NULL);
    g_signal_connect(widget, "drag-motion", G_CALLBACK(on_motion), NULL);
    g_signal_connect(widget, "drag-leave", G_CALLBACK(on_leave), NULL);
    g_signal_connect(widget, "drag-drop", G_CALLBACK(on_drop), NULL);
    g_signal_connect(widget, "drag-end", G_CALLBACK(on_end), NULL);
}
