/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The table of forwarded ports: of a network card behind NAT, of a NAT network. */
#pragma once

#include <gtk/gtk.h>

/* What the table says now, after each change. */
typedef void (*WidgetForwardsChanged)(gpointer data, const char *lines);

/* lines: "NAME,tcp|udp,HOST-IP,HOST-PORT,GUEST-IP,GUEST-PORT". Rules are edited where they stand.
 * first: an empty address of the guest means the first that is given out. changed is called with
 * data; free_data with it when the table goes. */
GtkWidget *widget_forwards_new(const char *lines, gboolean first, WidgetForwardsChanged changed,
                               gpointer data, GDestroyNotify free_data);
