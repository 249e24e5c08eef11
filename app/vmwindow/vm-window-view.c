/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * How the guest's picture and the window go together: the window follows the guest's mode without
 * leaving the screen, full screen with a toolbar that slides in, scaled picture. */
#include "app/vmwindow/vm-window-private.h"

#include "app/widgets/widget-preferences.h"

#include <glib/gi18n.h>

#define TOOLBAR_MS 1500
#define LEAVE_HINT_SECONDS 3

/* --- size --- */
/* The part of the monitor that windows may use. */
static void
work_area(VmWindow *window, GdkRectangle *area)
{
    GdkDisplay *display = gtk_widget_get_display(GTK_WIDGET(window));
    GdkWindow *own = gtk_widget_get_window(GTK_WIDGET(window));
    GdkMonitor *monitor =
        own ? gdk_display_get_monitor_at_window(display, own) : gdk_display_get_monitor(display, 0);

    gdk_monitor_get_workarea(monitor, area);
}

/* What the window has around the picture: menu bar, status bar, bars. */
static void
chrome_size(VmWindow *window, int *width, int *height)
{
    int window_width, window_height;

    gtk_window_get_size(GTK_WINDOW(window), &window_width, &window_height);
    *width = window_width - gtk_widget_get_allocated_width(GTK_WIDGET(window->scroller));
    *height = window_height - gtk_widget_get_allocated_height(GTK_WIDGET(window->scroller));
}

/* Moves the window so far that it is whole on the screen. */
static void
keep_on_screen(VmWindow *window, const GdkRectangle *area, int width, int height)
{
    int x, y, new_x, new_y;

    gtk_window_get_position(GTK_WINDOW(window), &x, &y);
    new_x = MAX(MIN(x, area->x + area->width - width), area->x);
    new_y = MAX(MIN(y, area->y + area->height - height), area->y);
    if (new_x != x || new_y != y)
        gtk_window_move(GTK_WINDOW(window), new_x, new_y);
}

void
vm_window_adjust(VmWindow *window)
{
    guint guest_width, guest_height;
    int chrome_width, chrome_height, width, height;
    GdkRectangle area;

    vm_display_get_guest_size(window->display, &guest_width, &guest_height);
    if (window->fullscreen || guest_width == 0 || gtk_window_is_maximized(GTK_WINDOW(window)))
        return;
    work_area(window, &area);
    chrome_size(window, &chrome_width, &chrome_height);
    width = MIN((int)guest_width + MAX(chrome_width, 0), area.width);
    height = MIN((int)guest_height + MAX(chrome_height, 0), area.height);
    gtk_window_resize(GTK_WINDOW(window), width, height);
    keep_on_screen(window, &area, width, height);
}

static gboolean
adjust_later(gpointer data)
{
    g_autoptr(VmWindow) window = data;

    if (gtk_widget_get_mapped(GTK_WIDGET(window)))
        vm_window_adjust(window);
    return G_SOURCE_REMOVE;
}

void
vm_window_adjust_later(VmWindow *window)
{
    if (!window->scaled) /* after the widgets have taken the new size */
        g_idle_add(adjust_later, g_object_ref(window));
}

static void
on_guest_resized(VmDisplay *display, guint width, guint height, VmWindow *window)
{
    vm_window_adjust_later(window);
}

static gboolean
can_be_sized(VmWindow *window)
{
    return gtk_widget_get_mapped(GTK_WIDGET(window)) && !window->fullscreen &&
           !gtk_window_is_maximized(GTK_WINDOW(window));
}

void
vm_window_show_bar(VmWindow *window, GtkInfoBar *bar, gboolean shown)
{
    GtkWidget *widget = GTK_WIDGET(bar);
    int width, height, change = gtk_widget_get_allocated_height(widget);
    GdkRectangle area;

    if (gtk_widget_get_visible(widget) == shown)
        return;
    gtk_widget_set_visible(widget, shown);
    if (!can_be_sized(window))
        return;
    gtk_window_get_size(GTK_WINDOW(window), &width, &height);
    if (shown)
        gtk_widget_get_preferred_height_for_width(widget, width, NULL, &change);
    work_area(window, &area);
    height = MIN(height + (shown ? change : -change), area.height);
    gtk_window_resize(GTK_WINDOW(window), width, height);
    keep_on_screen(window, &area, width, height);
}

void
vm_window_set_scaled(VmWindow *window, gboolean scaled)
{
    GtkPolicyType policy = scaled ? GTK_POLICY_NEVER : GTK_POLICY_AUTOMATIC;

    window->scaled = scaled;
    vm_display_set_scaled(window->display, scaled || window->fullscreen);
    gtk_scrolled_window_set_policy(window->scroller, policy, policy);
    vm_window_adjust_later(window);
    vm_window_update_actions(window);
}

/* --- full screen --- */
static gboolean
hide_toolbar(gpointer data)
{
    VmWindow *window = data;

    window->toolbar_timer = 0;
    gtk_revealer_set_reveal_child(window->toolbar, FALSE);
    return G_SOURCE_REMOVE;
}

static void
show_toolbar(VmWindow *window)
{
    gtk_revealer_set_reveal_child(window->toolbar, TRUE);
    g_clear_handle_id(&window->toolbar_timer, g_source_remove);
    window->toolbar_timer = g_timeout_add(TOOLBAR_MS, hide_toolbar, window);
}

static gboolean
hide_leave_hint(gpointer data)
{
    VmWindow *window = data;

    window->leave_timer = 0;
    gtk_revealer_set_reveal_child(window->leave_hint, FALSE);
    return G_SOURCE_REMOVE;
}

static void
show_leave_hint(VmWindow *window)
{
    g_autofree char *key = widget_host_key_name(vm_input_get_host_key(window->input));
    g_autofree char *text = g_strdup_printf(_("%s + F leaves full screen"), key);

    vm_window_show_hint(window, text);
}

void
vm_window_show_hint(VmWindow *window, const char *text)
{
    gtk_label_set_text(window->leave_label, text);
    gtk_revealer_set_reveal_child(window->leave_hint, TRUE);
    g_clear_handle_id(&window->leave_timer, g_source_remove);
    window->leave_timer = g_timeout_add_seconds(LEAVE_HINT_SECONDS, hide_leave_hint, window);
}

void
vm_window_set_fullscreen(VmWindow *window, gboolean fullscreen)
{
    if (fullscreen)
        gtk_window_fullscreen(GTK_WINDOW(window));
    else
        gtk_window_unfullscreen(GTK_WINDOW(window));
}

static gboolean
on_window_state(GtkWidget *widget, GdkEventWindowState *event, VmWindow *window)
{
    gboolean fullscreen = (event->new_window_state & GDK_WINDOW_STATE_FULLSCREEN) != 0;

    if (fullscreen == window->fullscreen)
        return GDK_EVENT_PROPAGATE;
    window->fullscreen = fullscreen;
    gtk_widget_set_visible(GTK_WIDGET(window->menu_place), !fullscreen);
    gtk_widget_set_visible(GTK_WIDGET(window->status),
                           !fullscreen && vm_window_wants_status_bar(window));
    vm_display_set_scaled(window->display, fullscreen || window->scaled);
    if (fullscreen) {
        show_leave_hint(window);
        show_toolbar(window);
    } else {
        hide_toolbar(window);
        hide_leave_hint(window);
        vm_window_set_scaled(window, window->scaled);
    }
    vm_window_update_actions(window);
    return GDK_EVENT_PROPAGATE;
}

/* The pointer at the upper edge brings the toolbar. */
static gboolean
on_motion(GtkWidget *widget, GdkEventMotion *event, VmWindow *window)
{
    if (window->fullscreen && event->y < 3)
        show_toolbar(window);
    return GDK_EVENT_PROPAGATE;
}

void
vm_window_connect_view(VmWindow *window)
{
    g_signal_connect(window->display, "guest-resized", G_CALLBACK(on_guest_resized), window);
    g_signal_connect(window, "window-state-event", G_CALLBACK(on_window_state), window);
    g_signal_connect(window->display, "motion-notify-event", G_CALLBACK(on_motion), window);
}
