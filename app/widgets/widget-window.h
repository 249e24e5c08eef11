/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What windows beside a main window have in common. */
#pragma once

#include <gtk/gtk.h>

/* Escape and Ctrl+W close the window, unless what has the focus takes the key. */
void widget_window_close_by_keys(GtkWindow *window);
