/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VitrineClient's lists of NAT networks and DHCP servers, and the calls that change them. The lists
 * are properties of the service: small, and whole each time. */
#include "app/api/client-state.h"

static RemoteCall
network_call(const char *method, GVariant *parameters)
{
    return (RemoteCall){VITRINE_SERVICE_PATH, "org.vitrine.Service", method, parameters};
}

/* Records of aa{sv}; what cannot be read is left out. */
static GPtrArray *
list(VitrineClient *client, const char *property, gpointer (*parse)(GVariant *, GError **),
     GDestroyNotify free_record)
{
    GPtrArray *records = g_ptr_array_new_with_free_func(free_record);
    GVariant *value = g_hash_table_lookup(client->properties, property);

    if (value == NULL || !g_variant_is_of_type(value, G_VARIANT_TYPE("aa{sv}")))
        return records;
    for (gsize i = 0; i < g_variant_n_children(value); i++) {
        g_autoptr(GVariant) dictionary = g_variant_get_child_value(value, i);
        gpointer record = parse(dictionary, NULL);

        if (record != NULL)
            g_ptr_array_add(records, record);
    }
    return records;
}

static gpointer
parse_network(GVariant *value, GError **error)
{
    return vitrine_nat_network_from_variant(value, error);
}

static gpointer
parse_server(GVariant *value, GError **error)
{
    return vitrine_dhcp_server_from_variant(value, error);
}

GPtrArray *
vitrine_client_list_nat_networks(VitrineClient *client)
{
    return list(client, "NatNetworks", parse_network, (GDestroyNotify)vitrine_nat_network_free);
}

GPtrArray *
vitrine_client_list_dhcp_servers(VitrineClient *client)
{
    return list(client, "DhcpServers", parse_server, (GDestroyNotify)vitrine_dhcp_server_free);
}

VitrineNatNetwork *
vitrine_client_find_nat_network(VitrineClient *client, const char *name)
{
    g_autoptr(GPtrArray) networks = vitrine_client_list_nat_networks(client);

    for (guint i = 0; i < networks->len; i++) {
        const VitrineNatNetwork *network = networks->pdata[i];

        if (g_str_equal(network->name, name))
            return vitrine_nat_network_copy(network);
    }
    return NULL;
}

VitrineDhcpServer *
vitrine_client_find_dhcp_server(VitrineClient *client, const char *name)
{
    g_autoptr(GPtrArray) servers = vitrine_client_list_dhcp_servers(client);

    for (guint i = 0; i < servers->len; i++) {
        const VitrineDhcpServer *server = servers->pdata[i];

        if (g_str_equal(server->name, name))
            return vitrine_dhcp_server_copy(server);
    }
    return NULL;
}

static RemoteCall
save_nat_network(const char *name, const VitrineNatNetwork *network)
{
    return network_call("SaveNatNetwork",
                        g_variant_new("(s@a{sv})", name, vitrine_nat_network_to_variant(network)));
}

static RemoteCall
save_dhcp_server(const VitrineDhcpServer *server)
{
    return network_call("SaveDhcpServer",
                        g_variant_new("(@a{sv})", vitrine_dhcp_server_to_variant(server)));
}

static RemoteCall
change(const char *method, const char *name, const char *verb)
{
    return network_call(method, g_variant_new("(ss)", name, verb));
}

/* --- the ways to make such a call --- */

static gboolean
make(VitrineClient *client, RemoteCall call, GCancellable *cancellable, GError **error)
{
    return client_change_sync(client, &call, cancellable, error);
}

static void
begin(VitrineClient *client, RemoteCall call, GCancellable *cancellable,
      GAsyncReadyCallback callback, gpointer user_data)
{
    client_call_async(client, client, &call, cancellable, callback, user_data);
}

gboolean
vitrine_client_save_nat_network_sync(VitrineClient *client, const char *name,
                                     const VitrineNatNetwork *network, GCancellable *cancellable,
                                     GError **error)
{
    return make(client, save_nat_network(name, network), cancellable, error);
}

void
vitrine_client_save_nat_network_async(VitrineClient *client, const char *name,
                                      const VitrineNatNetwork *network, GCancellable *cancellable,
                                      GAsyncReadyCallback callback, gpointer user_data)
{
    begin(client, save_nat_network(name, network), cancellable, callback, user_data);
}

gboolean
vitrine_client_save_nat_network_finish(VitrineClient *client, GAsyncResult *result, GError **error)
{
    return client_call_finish_void(client, result, error);
}

gboolean
vitrine_client_change_nat_network_sync(VitrineClient *client, const char *name, const char *verb,
                                       GCancellable *cancellable, GError **error)
{
    return make(client, change("ChangeNatNetwork", name, verb), cancellable, error);
}

void
vitrine_client_change_nat_network_async(VitrineClient *client, const char *name, const char *verb,
                                        GCancellable *cancellable, GAsyncReadyCallback callback,
                                        gpointer user_data)
{
    begin(client, change("ChangeNatNetwork", name, verb), cancellable, callback, user_data);
}

gboolean
vitrine_client_change_nat_network_finish(VitrineClient *client, GAsyncResult *result,
                                         GError **error)
{
    return client_call_finish_void(client, result, error);
}

gboolean
vitrine_client_save_dhcp_server_sync(VitrineClient *client, const VitrineDhcpServer *server,
                                     GCancellable *cancellable, GError **error)
{
    return make(client, save_dhcp_server(server), cancellable, error);
}

void
vitrine_client_save_dhcp_server_async(VitrineClient *client, const VitrineDhcpServer *server,
                                      GCancellable *cancellable, GAsyncReadyCallback callback,
                                      gpointer user_data)
{
    begin(client, save_dhcp_server(server), cancellable, callback, user_data);
}

gboolean
vitrine_client_save_dhcp_server_finish(VitrineClient *client, GAsyncResult *result, GError **error)
{
    return client_call_finish_void(client, result, error);
}

gboolean
vitrine_client_change_dhcp_server_sync(VitrineClient *client, const char *name, const char *verb,
                                       GCancellable *cancellable, GError **error)
{
    return make(client, change("ChangeDhcpServer", name, verb), cancellable, error);
}

void
vitrine_client_change_dhcp_server_async(VitrineClient *client, const char *name, const char *verb,
                                        GCancellable *cancellable, GAsyncReadyCallback callback,
                                        gpointer user_data)
{
    begin(client, change("ChangeDhcpServer", name, verb), cancellable, callback, user_data);
}

gboolean
vitrine_client_change_dhcp_server_finish(VitrineClient *client, GAsyncResult *result,
                                         GError **error)
{
    return client_call_finish_void(client, result, error);
}

gboolean
vitrine_client_find_lease_sync(VitrineClient *client, const char *name, const char *mac,
                               char **address, char **state, gint64 *issued, guint *seconds,
                               GCancellable *cancellable, GError **error)
{
    const RemoteCall call = network_call("FindLease", g_variant_new("(ss)", name, mac));
    g_autoptr(GVariant) reply = client_call_sync(client, &call, NULL, cancellable, error);

    if (reply == NULL)
        return FALSE;
    g_variant_get(reply, "(ssxu)", address, state, issued, seconds);
    return TRUE;
}
