/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Where a window is and how large, as the original writes it into extra data: "x,y,width,height",
 * with ",max" when it is maximized; then the numbers are those of the window before. */
#pragma once

#include <gtk/gtk.h>

/* Moves and sizes a window to what was saved, as far as it fits on the screens that there are now:
 * a place that no screen has is forgotten, a size larger than the screen is cut. sized FALSE: only
 * the place. FALSE: value is NULL or damaged. */
gboolean widget_geometry_restore(GtkWindow *window, const char *value, gboolean sized);

/* Gets the value some time after the window was moved, sized or maximized by hand, also when it is
 * closed; not while it is full screen. */
typedef void (*WidgetGeometryChanged)(const char *value, gpointer data);
/* To be called once; ends with the window. */
void widget_geometry_follow(GtkWindow *window, WidgetGeometryChanged changed, gpointer data);
