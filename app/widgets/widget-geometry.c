/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Place and size of a window, saved and restored. */
#include "app/widgets/widget-geometry.h"

#include <stdio.h>

#define SETTLE_MS 400 /* a window that moves says so many times */
#define LEAST 64      /* pixels of a window that have to be on a screen */

/* --- restoring --- */
/* The part of a monitor that windows may use, of the monitor that has most of the window; FALSE:
 * none has enough of it. */
static gboolean
find_area(const GdkRectangle *wanted, GdkRectangle *area)
{
    GdkDisplay *display = gdk_display_get_default();
    int best = 0;

    for (int i = 0; i < gdk_display_get_n_monitors(display); i++) {
        GdkRectangle work, common;
        gdk_monitor_get_workarea(gdk_display_get_monitor(display, i), &work);
        if (!gdk_rectangle_intersect(wanted, &work, &common) || common.width < LEAST ||
            common.height < LEAST || common.width * common.height <= best)
            continue;
        best = common.width * common.height;
        *area = work;
    }
    return best > 0;
}

gboolean
widget_geometry_restore(GtkWindow *window, const char *value, gboolean sized)
{
    GdkRectangle wanted, area;
    int end = 0;

    if (!value || sscanf(value, "%d,%d,%d,%d%n", &wanted.x, &wanted.y, &wanted.width,
                         &wanted.height, &end) != 4)
        return FALSE;
    if (wanted.width < LEAST || wanted.width > G_MAXINT16 || wanted.height < LEAST ||
        wanted.height > G_MAXINT16 || ABS(wanted.x) > G_MAXINT16 || ABS(wanted.y) > G_MAXINT16)
        return FALSE;
    if (find_area(&wanted, &area)) {
        wanted.width = MIN(wanted.width, area.width);
        wanted.height = MIN(wanted.height, area.height);
        gtk_window_set_position(window, GTK_WIN_POS_NONE);
        gtk_window_move(window, CLAMP(wanted.x, area.x, area.x + area.width - wanted.width),
                        CLAMP(wanted.y, area.y, area.y + area.height - wanted.height));
    } else { /* let the window manager find a place */
        gdk_monitor_get_workarea(gdk_display_get_monitor(gdk_display_get_default(), 0), &area);
        wanted.width = MIN(wanted.width, area.width);
        wanted.height = MIN(wanted.height, area.height);
    }
    if (sized)
        gtk_window_resize(window, wanted.width, wanted.height);
    if (sized && g_str_has_prefix(value + end, ",max"))
        gtk_window_maximize(window);
    return TRUE;
}

/* --- following --- */
typedef struct {
    GtkWindow *window;
    WidgetGeometryChanged changed;
    gpointer data;
    GdkRectangle normal; /* width 0: not known yet */
    char *told;
    guint timer;
} Follower;

static void
tell(Follower *follower)
{
    const GdkRectangle *normal = &follower->normal;
    g_autofree char *value = NULL;

    g_clear_handle_id(&follower->timer, g_source_remove);
    if (normal->width == 0)
        return;
    value = g_strdup_printf("%d,%d,%d,%d%s", normal->x, normal->y, normal->width, normal->height,
                            gtk_window_is_maximized(follower->window) ? ",max" : "");
    if (g_strcmp0(value, follower->told) == 0)
        return;
    g_free(follower->told);
    follower->told = g_steal_pointer(&value);
    follower->changed(follower->told, follower->data);
}

static gboolean
on_settled(gpointer data)
{
    Follower *follower = data;
    GdkWindow *own = gtk_widget_get_window(GTK_WIDGET(follower->window));
    GdkWindowState state = own ? gdk_window_get_state(own) : GDK_WINDOW_STATE_WITHDRAWN;

    follower->timer = 0;
    if (state &
        (GDK_WINDOW_STATE_FULLSCREEN | GDK_WINDOW_STATE_WITHDRAWN | GDK_WINDOW_STATE_ICONIFIED))
        return G_SOURCE_REMOVE;
    if (!(state & (GDK_WINDOW_STATE_MAXIMIZED | GDK_WINDOW_STATE_TILED))) {
        gtk_window_get_position(follower->window, &follower->normal.x, &follower->normal.y);
        gtk_window_get_size(follower->window, &follower->normal.width, &follower->normal.height);
    }
    tell(follower);
    return G_SOURCE_REMOVE;
}

static gboolean
on_event(GtkWidget *widget, GdkEvent *event, Follower *follower)
{
    g_clear_handle_id(&follower->timer, g_source_remove);
    follower->timer = g_timeout_add(SETTLE_MS, on_settled, follower);
    return GDK_EVENT_PROPAGATE;
}

static void
on_unmap(GtkWidget *widget, Follower *follower)
{
    if (!follower->timer)
        return;
    g_clear_handle_id(&follower->timer, g_source_remove);
    on_settled(follower); /* moved just before it was closed */
}

static void
follower_free(gpointer data)
{
    Follower *follower = data;

    g_clear_handle_id(&follower->timer, g_source_remove);
    g_free(follower->told);
    g_free(follower);
}

void
widget_geometry_follow(GtkWindow *window, WidgetGeometryChanged changed, gpointer data)
{
    Follower *follower = g_new0(Follower, 1);

    *follower = (Follower){.window = window, .changed = changed, .data = data};
    g_object_set_data_full(G_OBJECT(window), "widget-geometry", follower, follower_free);
    g_signal_connect(window, "configure-event", G_CALLBACK(on_event), follower);
    g_signal_connect(window, "window-state-event", G_CALLBACK(on_event), follower);
    g_signal_connect(window, "unmap", G_CALLBACK(on_unmap), follower);
}
