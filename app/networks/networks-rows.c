/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Rows of networks. An internal network is there as long as a machine's card names it, or a DHCP
 * server does. */
#include "app/networks/networks-rows.h"

#include <glib/gi18n.h>

#define DEVICE_PREFIX "HostInterfaceNetworking-"

GtkListStore *
networks_rows_new(void)
{
    return gtk_list_store_new(NETWORKS_COLUMN_COUNT, G_TYPE_STRING, G_TYPE_STRING, G_TYPE_STRING,
                              G_TYPE_STRING, G_TYPE_STRING, G_TYPE_STRING);
}

char *
networks_device_dhcp_name(const char *device)
{
    return g_strconcat(DEVICE_PREFIX, device, NULL);
}

char *
networks_address_text(const char *address, const char *mask)
{
    g_autoptr(GInetAddress) parsed = g_inet_address_new_from_string(mask);
    const guint8 *bytes = parsed != NULL ? g_inet_address_to_bytes(parsed) : NULL;
    guint bits = 0;

    if (*address == '\0' || bytes == NULL)
        return g_strdup(address);
    for (gsize i = 0; i < g_inet_address_get_native_size(parsed); i++)
        bits += (guint)__builtin_popcount(bytes[i]);
    return g_strdup_printf("%s/%u", address, bits);
}

/* What a network's server gives out; server NULL: it has none. */
static char *
dhcp_text(const VitrineDhcpServer *server)
{
    if (server == NULL || !server->enabled)
        return g_strdup(_("Off"));
    return g_strdup_printf(_("%s to %s"), server->lower, server->upper);
}

static char *
saved_dhcp_text(VitrineClient *client, const char *name)
{
    g_autoptr(VitrineDhcpServer) server = vitrine_client_find_dhcp_server(client, name);

    return dhcp_text(server);
}

static void
fill_devices(GtkListStore *store, VitrineClient *client, NetworksUsers *users)
{
    g_autoptr(GPtrArray) devices = vitrine_list_host_interfaces();

    for (guint i = 0; i < devices->len; i++) {
        const VitrineHostInterface *device = devices->pdata[i];
        g_autofree char *name = networks_device_dhcp_name(device->name);
        g_autofree char *ipv4 = networks_address_text(device->address, device->mask);
        g_autofree char *ipv6 = *device->address6 != '\0'
                                    ? g_strdup_printf("%s/%u", device->address6, device->bits6)
                                    : g_strdup("");
        g_autofree char *dhcp = saved_dhcp_text(client, name);
        g_autofree char *used_by =
            networks_users_of(users, VITRINE_NETWORK_HOST_ONLY, device->name);

        if (device->host_only)
            gtk_list_store_insert_with_values(store, NULL, -1, NETWORKS_COLUMN_NAME, device->name,
                                              NETWORKS_COLUMN_IPV4, ipv4, NETWORKS_COLUMN_IPV6,
                                              ipv6, NETWORKS_COLUMN_DHCP, dhcp,
                                              NETWORKS_COLUMN_USED_BY, used_by, -1);
    }
}

static char *
nat_dhcp_text(VitrineClient *client, const VitrineNatNetwork *network)
{
    g_autoptr(VitrineDhcpServer) server = NULL;

    if (!network->dhcp)
        return g_strdup(_("Off"));
    server = vitrine_client_find_dhcp_server(client, network->name);
    if (server == NULL)
        server = vitrine_dhcp_server_new_for_network(network);
    return dhcp_text(server);
}

static void
fill_nat_networks(GtkListStore *store, VitrineClient *client, NetworksUsers *users)
{
    g_autoptr(GPtrArray) networks = vitrine_client_list_nat_networks(client);

    for (guint i = 0; i < networks->len; i++) {
        const VitrineNatNetwork *network = networks->pdata[i];
        g_autofree char *dhcp = nat_dhcp_text(client, network);
        g_autofree char *used_by =
            networks_users_of(users, VITRINE_NETWORK_NAT_NETWORK, network->name);
        const char *state = !network->enabled  ? _("Switched off")
                            : network->running ? _("Running")
                                               : _("Not in use");

        gtk_list_store_insert_with_values(
            store, NULL, -1, NETWORKS_COLUMN_NAME, network->name, NETWORKS_COLUMN_IPV4,
            network->range, NETWORKS_COLUMN_IPV6, network->ipv6 ? network->prefix6 : _("Off"),
            NETWORKS_COLUMN_DHCP, dhcp, NETWORKS_COLUMN_STATE, state, NETWORKS_COLUMN_USED_BY,
            used_by, -1);
    }
}

/* Servers of internal networks are those whose name is nobody else's. */
static gboolean
is_internal(VitrineClient *client, const char *name)
{
    g_autoptr(VitrineNatNetwork) network = vitrine_client_find_nat_network(client, name);

    return network == NULL && !g_str_has_prefix(name, DEVICE_PREFIX);
}

static void
fill_internal(GtkListStore *store, VitrineClient *client, NetworksUsers *users)
{
    g_autoptr(GPtrArray) names = networks_users_names(users, VITRINE_NETWORK_INTERNAL);
    g_autoptr(GPtrArray) servers = vitrine_client_list_dhcp_servers(client);

    for (guint i = 0; i < servers->len; i++) {
        const VitrineDhcpServer *server = servers->pdata[i];

        if (is_internal(client, server->name) &&
            !g_ptr_array_find_with_equal_func(names, server->name, g_str_equal, NULL))
            g_ptr_array_add(names, g_strdup(server->name));
    }
    for (guint i = 0; i < names->len; i++) {
        const char *name = names->pdata[i];
        g_autofree char *dhcp = saved_dhcp_text(client, name);
        g_autofree char *used_by = networks_users_of(users, VITRINE_NETWORK_INTERNAL, name);

        gtk_list_store_insert_with_values(store, NULL, -1, NETWORKS_COLUMN_NAME, name,
                                          NETWORKS_COLUMN_DHCP, dhcp, NETWORKS_COLUMN_USED_BY,
                                          used_by, -1);
    }
}

void
networks_rows_fill(GtkListStore *store, VitrineClient *client, NetworksUsers *users,
                   NetworksKind kind)
{
    gtk_list_store_clear(store);
    switch (kind) {
    case NETWORKS_HOST_ONLY: fill_devices(store, client, users); break;
    case NETWORKS_NAT: fill_nat_networks(store, client, users); break;
    case NETWORKS_INTERNAL: fill_internal(store, client, users); break;
    }
}

gboolean
networks_rows_find(GtkListStore *store, const char *name, GtkTreeIter *found)
{
    GtkTreeModel *model = GTK_TREE_MODEL(store);
    gboolean more = gtk_tree_model_get_iter_first(model, found);

    for (; more; more = gtk_tree_model_iter_next(model, found)) {
        g_autofree char *own = NULL;

        gtk_tree_model_get(model, found, NETWORKS_COLUMN_NAME, &own, -1);
        if (g_strcmp0(own, name) == 0)
            return TRUE;
    }
    return FALSE;
}
