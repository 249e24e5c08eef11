/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The network tool: host-only, NAT and internal networks of all machines. Manual, chapters "Virtual
 * Networking" and "Network Manager". */
#pragma once

#include "app/api/vitrine.h"

#include <gtk/gtk.h>

#define NETWORKS_TYPE_WINDOW (networks_window_get_type())
G_DECLARE_FINAL_TYPE(NetworksWindow, networks_window, NETWORKS, WINDOW, GtkWindow)

GtkWidget *networks_window_new(GtkWindow *parent, VitrineClient *client);
