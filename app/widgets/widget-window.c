/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What windows beside a main window have in common. */
#include "app/widgets/widget-window.h"

static gboolean
on_key_press(GtkWidget *window, GdkEventKey *event, gpointer data)
{
    const guint modifiers = event->state & gtk_accelerator_get_default_mod_mask();
    const gboolean is_escape = event->keyval == GDK_KEY_Escape && modifiers == 0;
    const gboolean is_close =
        gdk_keyval_to_lower(event->keyval) == GDK_KEY_w && modifiers == GDK_CONTROL_MASK;

    if (!is_escape && !is_close)
        return GDK_EVENT_PROPAGATE;
    gtk_window_close(GTK_WINDOW(window));
    return GDK_EVENT_STOP;
}

void
widget_window_close_by_keys(GtkWindow *window)
{
    g_signal_connect_after(window, "key-press-event", G_CALLBACK(on_key_press), NULL);
}
