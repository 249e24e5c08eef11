/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * NetworksDhcpForm: a page with a DHCP server's settings: whether it is on, its addresses, how long
 * what it gives out is good. Signal "changed". */
#pragma once

#include "app/api/vitrine.h"

#include <gtk/gtk.h>

#define NETWORKS_TYPE_DHCP_FORM (networks_dhcp_form_get_type())
G_DECLARE_FINAL_TYPE(NetworksDhcpForm, networks_dhcp_form, NETWORKS, DHCP_FORM, GtkGrid)

/* enabled: may differ from the server's own, which a NAT network decides. */
GtkWidget *networks_dhcp_form_new(const VitrineDhcpServer *server, gboolean enabled);
gboolean networks_dhcp_form_get_enabled(NetworksDhcpForm *form);
/* (transfer full): what the page says; settings that it does not show are those of the server that
 * it was made with. */
VitrineDhcpServer *networks_dhcp_form_get_server(NetworksDhcpForm *form);
/* Another network: addresses that nobody has typed become these. */
void networks_dhcp_form_follow(NetworksDhcpForm *form, const VitrineDhcpServer *server);

/* A label of another form gets the width of this form's. */
void networks_dhcp_form_align(NetworksDhcpForm *form, GtkWidget *label);
