/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VirtualBox.xml's <NetserviceRegistry>: DHCP servers and NAT networks; and the files with leases,
 * one for each network, beside it. */
#pragma once

#include "app/api/vitrine.h"
#include "app/service/settings/settings-file.h"

/* (element-type VitrineNatNetwork), in the file's order. */
GPtrArray *netservice_read_nat_networks(SettingsFile *file);
/* Writes one of this name ("" or a name that is not there: a new one); NULL: removes it. */
void netservice_write_nat_network(SettingsFile *file, const char *name,
                                  const VitrineNatNetwork *network);
/* (element-type VitrineDhcpServer). */
GPtrArray *netservice_read_dhcp_servers(SettingsFile *file);
void netservice_write_dhcp_server(SettingsFile *file, const char *name,
                                  const VitrineDhcpServer *server);

typedef struct {
    char mac[13]; /* hex digits */
    char address[16];
    gint64 issued;
    guint seconds;
    gboolean bound;
} NetLease;

/* (element-type NetLease): of a file that may be missing or damaged. At most NET_LEASES_MAX. */
#define NET_LEASES_MAX 4096
GArray *leases_file_read(const char *path);
gboolean leases_file_write(const char *path, GArray *leases, GError **error);
