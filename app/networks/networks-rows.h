/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The networks of one kind as rows. */
#pragma once

#include "app/networks/networks-users.h"

#include <gtk/gtk.h>

typedef enum {
    NETWORKS_HOST_ONLY,
    NETWORKS_NAT,
    NETWORKS_INTERNAL,
} NetworksKind;

#define NETWORKS_KINDS 3

/* Not every kind shows each of them. */
enum {
    NETWORKS_COLUMN_NAME,
    NETWORKS_COLUMN_IPV4,
    NETWORKS_COLUMN_IPV6,
    NETWORKS_COLUMN_DHCP,
    NETWORKS_COLUMN_STATE,
    NETWORKS_COLUMN_USED_BY,
    NETWORKS_COLUMN_COUNT
};

GtkListStore *networks_rows_new(void);
void networks_rows_fill(GtkListStore *store, VitrineClient *client, NetworksUsers *users,
                        NetworksKind kind);
/* The row of a network, by its name. FALSE: there is none. */
gboolean networks_rows_find(GtkListStore *store, const char *name, GtkTreeIter *found);
/* The name that the DHCP server of a host-only device has; g_free(). */
char *networks_device_dhcp_name(const char *device);
/* "192.168.56.1/24" of an address and its mask; "" without an address; g_free(). */
char *networks_address_text(const char *address, const char *mask);
