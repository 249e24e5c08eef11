/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * WidgetThumbnail: a small picture of a machine: its live screen while it runs, the last one
 * while it is saved, else the icon of its system. */
#pragma once

#include "app/api/vitrine.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define WIDGET_TYPE_THUMBNAIL (widget_thumbnail_get_type())
G_DECLARE_FINAL_TYPE(WidgetThumbnail, widget_thumbnail, WIDGET, THUMBNAIL, GtkDrawingArea)

/* Size in logical pixels; the picture keeps its shape inside. */
GtkWidget *widget_thumbnail_new(int width, int height);
/* NULL: nothing. Follows the machine's state. */
void widget_thumbnail_set_machine(WidgetThumbnail *thumbnail, VitrineMachine *machine);

G_END_DECLS
