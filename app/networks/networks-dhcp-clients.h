/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The page with what a DHCP server tells its clients: all of them, groups, single network cards. */
#pragma once

#include "app/api/vitrine.h"

#include <gtk/gtk.h>

typedef struct NetworksDhcpClients NetworksDhcpClients;

/* changed is called with data; the page lives as long as its widget. */
NetworksDhcpClients *networks_dhcp_clients_new(VitrineClient *client, const char *configs,
                                               void (*changed)(gpointer), gpointer data);
GtkWidget *networks_dhcp_clients_get_widget(NetworksDhcpClients *clients);
/* Without a server there is nobody to tell it. */
void networks_dhcp_clients_set_possible(NetworksDhcpClients *clients, gboolean possible);
/* What the page says, as a VitrineDhcpServer has it; g_free() */
char *networks_dhcp_clients_get_configs(NetworksDhcpClients *clients);
/* What is wrong with it by itself, for the reader; NULL: nothing. g_free() */
char *networks_dhcp_clients_get_problem(NetworksDhcpClients *clients);
