/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The list of filters of USB devices: of a machine, and the global ones. New ones are made empty or
 * from what is plugged in. */
#pragma once

#include "app/api/vitrine.h"

#include <gtk/gtk.h>

/* filters: VitrineUsbFilter, the list's own. */
typedef void (*WidgetUsbFiltersChanged)(gpointer data, GPtrArray *filters);

/* changed is called with data after each change that a person makes. */
GtkWidget *widget_usb_filters_new(VitrineClient *client, gboolean global,
                                  WidgetUsbFiltersChanged changed, gpointer data);
/* Shows these; copied. */
void widget_usb_filters_show(GtkWidget *list, GPtrArray *filters);
