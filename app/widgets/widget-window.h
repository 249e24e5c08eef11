/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What windows beside a main window have in common. */
#pragma once

#include <gtk/gtk.h>

/* Escape and Ctrl+W close the window, unless what has the focus takes the key. */
void widget_window_close_by_keys(GtkWindow *window);
/* The Tab key goes past a list of rows without controls of their own, on which GTK stops at each;
 * the arrow keys go through it. */
void widget_list_tab_passes(GtkListBox *list);
/* What Enter presses in the button's window, and what the theme shows as the way on. A dialog with
 * a header bar takes that look from the buttons of its template when it is made: call this after.
 */
void widget_window_set_default(GtkWidget *button);
/* The same for a response of a dialog with a row of buttons. */
void widget_dialog_set_default(GtkDialog *dialog, int response);
