/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * NetworksDhcpForm: a page with a DHCP server's settings: whether it is on, its addresses. A second
 * page has what clients are told (networks-dhcp-clients.h). Signal "changed". */
#pragma once

#include "app/api/vitrine.h"

#include <gtk/gtk.h>

#define NETWORKS_TYPE_DHCP_FORM (networks_dhcp_form_get_type())
G_DECLARE_FINAL_TYPE(NetworksDhcpForm, networks_dhcp_form, NETWORKS, DHCP_FORM, GtkGrid)

/* enabled: may differ from the server's own, which a NAT network decides. */
GtkWidget *networks_dhcp_form_new(VitrineClient *client, const VitrineDhcpServer *server,
                                  gboolean enabled);
/* (transfer none): the second page. */
GtkWidget *networks_dhcp_form_get_clients(NetworksDhcpForm *form);
gboolean networks_dhcp_form_get_enabled(NetworksDhcpForm *form);
/* (transfer full): what the pages say */
VitrineDhcpServer *networks_dhcp_form_get_server(NetworksDhcpForm *form);
/* What is wrong with the server that the pages say, for the reader; NULL: nothing. g_free() */
char *networks_dhcp_form_get_problem(NetworksDhcpForm *form, const VitrineDhcpServer *server);
/* Another network: addresses that nobody has typed become these. */
void networks_dhcp_form_follow(NetworksDhcpForm *form, const VitrineDhcpServer *server);

/* A label of another form gets the width of this form's. */
void networks_dhcp_form_align(NetworksDhcpForm *form, GtkWidget *label);
