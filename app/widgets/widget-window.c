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

static gboolean
on_list_focus(GtkWidget *list, GtkDirectionType direction, gpointer data)
{
    const gboolean is_tab = direction == GTK_DIR_TAB_FORWARD || direction == GTK_DIR_TAB_BACKWARD;

    if (is_tab && gtk_container_get_focus_child(GTK_CONTAINER(list)))
        g_signal_stop_emission_by_name(list, "focus");
    return FALSE;
}

void
widget_list_tab_passes(GtkListBox *list)
{
    g_signal_connect(list, "focus", G_CALLBACK(on_list_focus), NULL);
}

void
widget_window_set_default(GtkWidget *button)
{
    gtk_widget_set_can_default(button, TRUE);
    gtk_widget_grab_default(button);
    gtk_style_context_add_class(gtk_widget_get_style_context(button),
                                GTK_STYLE_CLASS_SUGGESTED_ACTION);
}

void
widget_dialog_set_default(GtkDialog *dialog, int response)
{
    widget_window_set_default(gtk_dialog_get_widget_for_response(dialog, response));
}
