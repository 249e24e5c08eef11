/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Answers to the calls about NAT networks and DHCP servers. What is changed is in force at once
 * where it runs. */
#include "app/service/network-private.h"

#include <string.h>

/* --- telling --- */

static GVariant *
nat_networks_now(Service *service)
{
    g_autoptr(GPtrArray) networks = netservice_read_nat_networks(service->global);
    GVariantBuilder builder;

    g_variant_builder_init(&builder, G_VARIANT_TYPE("aa{sv}"));
    for (guint i = 0; i < networks->len; i++) {
        VitrineNatNetwork *network = networks->pdata[i];
        g_autofree char *name = g_strconcat(NETWORK_NATNET, network->name, NULL);

        network->running = network_find(service->networks, name) != NULL;
        g_variant_builder_add_value(&builder, vitrine_nat_network_to_variant(network));
    }
    return g_variant_builder_end(&builder);
}

static GVariant *
dhcp_servers_now(Service *service)
{
    g_autoptr(GPtrArray) servers = netservice_read_dhcp_servers(service->global);
    GVariantBuilder builder;

    g_variant_builder_init(&builder, G_VARIANT_TYPE("aa{sv}"));
    for (guint i = 0; i < servers->len; i++)
        g_variant_builder_add_value(&builder, vitrine_dhcp_server_to_variant(servers->pdata[i]));
    return g_variant_builder_end(&builder);
}

void
networks_publish(Service *service)
{
    vitrine_dbus_service_set_nat_networks(service->skeleton, nat_networks_now(service));
    vitrine_dbus_service_set_dhcp_servers(service->skeleton, dhcp_servers_now(service));
    g_dbus_interface_skeleton_flush(G_DBUS_INTERFACE_SKELETON(service->skeleton));
}

static Network *
running_nat_network(Service *service, const char *name)
{
    g_autofree char *key = g_strconcat(NETWORK_NATNET, name, NULL);

    return network_find(service->networks, key);
}

/* The running network that a DHCP server serves; NULL: none. */
static Network *
running_of_dhcp(Service *service, const char *name)
{
    GHashTableIter iter;
    gpointer network;

    g_hash_table_iter_init(&iter, service->networks->by_name);
    while (g_hash_table_iter_next(&iter, NULL, &network)) {
        g_autofree char *own = network_dhcp_name(((Network *)network)->name);

        if (g_strcmp0(own, name) == 0)
            return network;
    }
    return NULL;
}

/* --- NAT networks --- */

static VitrineNatNetwork *
find_saved(Service *service, const char *name)
{
    g_autoptr(GPtrArray) networks = netservice_read_nat_networks(service->global);

    for (guint i = 0; i < networks->len; i++) {
        const VitrineNatNetwork *network = networks->pdata[i];

        if (g_str_equal(network->name, name))
            return vitrine_nat_network_copy(network);
    }
    return NULL;
}

static gboolean
fail_missing(GDBusMethodInvocation *invocation, const char *name)
{
    return service_refuse(invocation, VITRINE_ERROR_NOT_FOUND, "There is no NAT network “%s”.",
                          name);
}

/* A new name has to be free, an old one to be there; a running network keeps its name. */
static gboolean
check_names(Service *service, const char *name, const VitrineNatNetwork *network, GError **error)
{
    g_autoptr(VitrineNatNetwork) same = find_saved(service, network->name);

    if (!vitrine_nat_network_check(network, error))
        return FALSE;
    if (same != NULL && !g_str_equal(name, network->name)) {
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_EXISTS,
                    "There is already a NAT network “%s”.", network->name);
        return FALSE;
    }
    if (!g_str_equal(name, network->name) && running_nat_network(service, name) != NULL) {
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_STATE,
                    "The NAT network “%s” is running: its name can change when it is stopped.",
                    name);
        return FALSE;
    }
    return TRUE;
}

/* Only ports: connections go on. Else its process is replaced. */
static gboolean
apply(Network *running, const VitrineNatNetwork *before, const VitrineNatNetwork *now,
      GError **error)
{
    g_autoptr(VitrineNatNetwork) same = vitrine_nat_network_copy(before);
    g_autoptr(GError) refused = NULL;
    gboolean done;

    same->running = now->running;
    vitrine_adapter_set_text(&same->forwards4, now->forwards4);
    vitrine_adapter_set_text(&same->forwards6, now->forwards6);
    if (!vitrine_nat_network_equal(same, now)) {
        g_ptr_array_set_size(running->forwards, 0);
        if (!network_replace(running, nat_network_setup(now), error))
            return FALSE;
    }
    done = nat_network_say_forwards(running, now, &refused);
    if (!done)
        g_propagate_error(error, g_steal_pointer(&refused));
    return done;
}

static gboolean
on_save_nat_network(VitrineDBusService *skeleton, GDBusMethodInvocation *invocation,
                    const char *name, GVariant *dictionary, Service *service)
{
    GError *error = NULL;
    g_autoptr(VitrineNatNetwork) network = vitrine_nat_network_from_variant(dictionary, &error);
    g_autoptr(VitrineNatNetwork) before = find_saved(service, name);
    Network *running = running_nat_network(service, name);

    if (network == NULL)
        return service_fail(invocation, error);
    if (!service_allow_change(service, invocation))
        return TRUE;
    if (*name != '\0' && before == NULL)
        return fail_missing(invocation, name);
    if (!check_names(service, name, network, &error))
        return service_fail(invocation, error);
    netservice_write_nat_network(service->global, name, network);
    if (!service_save(service, &error)) {
        netservice_write_nat_network(service->global, network->name, before);
        return service_fail(invocation, error);
    }
    if (running != NULL && !apply(running, before, network, &error)) {
        networks_publish(service);
        return service_fail(invocation, error);
    }
    networks_publish(service);
    vitrine_dbus_service_complete_save_nat_network(skeleton, invocation);
    return TRUE;
}

static gboolean
remove_nat_network(Service *service, const char *name, GError **error)
{
    Network *running = running_nat_network(service, name);
    g_autoptr(VitrineNatNetwork) before = find_saved(service, name);

    if (running != NULL && running->cards->len != 0) {
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_BUSY,
                    "A machine that is running uses the NAT network “%s”.", name);
        return FALSE;
    }
    netservice_write_nat_network(service->global, name, NULL);
    if (!service_save(service, error)) {
        netservice_write_nat_network(service->global, name, before);
        return FALSE;
    }
    if (running != NULL) {
        running->kept = FALSE;
        network_drop_unused(running);
    }
    return TRUE;
}

static gboolean
start_nat_network(Service *service, const char *name, GError **error)
{
    g_autoptr(VitrineNatNetwork) settings = nat_network_find(service->networks, name, error);
    Network *running = running_nat_network(service, name);

    if (settings == NULL)
        return FALSE;
    if (running == NULL)
        running = network_make(service->networks, g_strconcat(NETWORK_NATNET, name, NULL),
                               nat_network_setup(settings), error);
    if (running == NULL)
        return FALSE;
    running->kept = TRUE;
    if (running->forwards->len != 0 || nat_network_say_forwards(running, settings, error))
        return TRUE;
    running->kept = FALSE;
    network_drop_unused(running);
    return FALSE;
}

static gboolean
stop_nat_network(Service *service, const char *name, GError **error)
{
    Network *running = running_nat_network(service, name);

    if (running == NULL)
        return TRUE;
    if (running->cards->len != 0) {
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_BUSY,
                    "A machine that is running uses the NAT network “%s”.", name);
        return FALSE;
    }
    running->kept = FALSE;
    network_drop_unused(running);
    return TRUE;
}

static gboolean
on_change_nat_network(VitrineDBusService *skeleton, GDBusMethodInvocation *invocation,
                      const char *name, const char *verb, Service *service)
{
    static const struct {
        const char *verb;
        gboolean (*run)(Service *service, const char *name, GError **error);
    } verbs[] = {
        {"remove", remove_nat_network}, {"start", start_nat_network}, {"stop", stop_nat_network}};
    g_autoptr(VitrineNatNetwork) network = find_saved(service, name);
    GError *error = NULL;

    if (!service_allow_change(service, invocation))
        return TRUE;
    if (network == NULL)
        return fail_missing(invocation, name);
    for (guint i = 0; i < G_N_ELEMENTS(verbs); i++) {
        if (!g_str_equal(verbs[i].verb, verb))
            continue;
        if (!verbs[i].run(service, name, &error))
            return service_fail(invocation, error);
        networks_publish(service);
        service_check_idle(service);
        vitrine_dbus_service_complete_change_nat_network(skeleton, invocation);
        return TRUE;
    }
    return service_refuse(invocation, VITRINE_ERROR_INVALID, "A network cannot be told to %s.",
                          verb);
}

/* --- DHCP servers --- */

static gboolean
on_save_dhcp_server(VitrineDBusService *skeleton, GDBusMethodInvocation *invocation,
                    GVariant *dictionary, Service *service)
{
    GError *error = NULL;
    g_autoptr(VitrineDhcpServer) server = vitrine_dhcp_server_from_variant(dictionary, &error);
    Network *running;

    if (server == NULL)
        return service_fail(invocation, error);
    if (!service_allow_change(service, invocation))
        return TRUE;
    if (!vitrine_dhcp_server_check(server, &error))
        return service_fail(invocation, error);
    netservice_write_dhcp_server(service->global, server->name, server);
    if (!service_save(service, &error))
        return service_fail(invocation, error);
    running = running_of_dhcp(service, server->name);
    networks_publish(service);
    if (running != NULL && !network_say_dhcp(running, &error))
        return service_fail(invocation, error);
    vitrine_dbus_service_complete_save_dhcp_server(skeleton, invocation);
    return TRUE;
}

static gboolean
has_dhcp_server(Service *service, const char *name)
{
    g_autoptr(GPtrArray) servers = netservice_read_dhcp_servers(service->global);

    for (guint i = 0; i < servers->len; i++) {
        if (g_str_equal(((VitrineDhcpServer *)servers->pdata[i])->name, name))
            return TRUE;
    }
    return FALSE;
}

static gboolean
change_dhcp_server(Service *service, const char *name, const char *verb, GError **error)
{
    Network *running = running_of_dhcp(service, name);

    if (g_str_equal(verb, "remove")) {
        netservice_write_dhcp_server(service->global, name, NULL);
        return service_save(service, error) &&
               (running == NULL || network_say_dhcp(running, error));
    }
    if (running == NULL) {
        if (g_str_equal(verb, "stop"))
            return TRUE;
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_STATE,
                    "No machine uses the network “%s”: its DHCP server starts with the first.",
                    name);
        return FALSE;
    }
    if (g_str_equal(verb, "start") || g_str_equal(verb, "restart"))
        return network_say_dhcp(running, error);
    if (g_str_equal(verb, "stop"))
        return network_stop_dhcp(running, error);
    g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_INVALID, "A DHCP server cannot be told to %s.",
                verb);
    return FALSE;
}

static gboolean
on_change_dhcp_server(VitrineDBusService *skeleton, GDBusMethodInvocation *invocation,
                      const char *name, const char *verb, Service *service)
{
    GError *error = NULL;

    if (!service_allow_change(service, invocation))
        return TRUE;
    if (!has_dhcp_server(service, name))
        return service_refuse(invocation, VITRINE_ERROR_NOT_FOUND,
                              "The network “%s” has no DHCP server.", name);
    if (!change_dhcp_server(service, name, verb, &error))
        return service_fail(invocation, error);
    networks_publish(service);
    vitrine_dbus_service_complete_change_dhcp_server(skeleton, invocation);
    return TRUE;
}

/* --- leases --- */

/* Of the running network, or what was kept. */
static GArray *
leases_of(Service *service, const char *name)
{
    const Network *running = running_of_dhcp(service, name);
    g_autofree char *file = g_strconcat(name, "-Dhcpd.leases", NULL);
    g_autofree char *path = g_build_filename(service->config_folder, file, NULL);

    return running != NULL && running->leases != NULL ? g_array_ref(running->leases)
                                                      : leases_file_read(path);
}

static gboolean
on_find_lease(VitrineDBusService *skeleton, GDBusMethodInvocation *invocation, const char *name,
              const char *mac, Service *service)
{
    g_autoptr(GArray) leases = NULL;

    if (*name == '\0' || strchr(name, '/') != NULL)
        return service_refuse(invocation, VITRINE_ERROR_INVALID, "“%s” is no network.", name);
    leases = leases_of(service, name);
    for (guint i = 0; i < leases->len; i++) {
        const NetLease *lease = &g_array_index(leases, NetLease, i);
        const gboolean ended =
            g_get_real_time() / G_USEC_PER_SEC >= lease->issued + (gint64)lease->seconds;

        if (g_ascii_strcasecmp(lease->mac, mac) != 0)
            continue;
        vitrine_dbus_service_complete_find_lease(skeleton, invocation, lease->address,
                                                 !lease->bound ? "released"
                                                 : ended       ? "expired"
                                                               : "acked",
                                                 lease->issued, lease->seconds);
        return TRUE;
    }
    return service_refuse(invocation, VITRINE_ERROR_NOT_FOUND,
                          "The network “%s” has no lease for the address %s.", name, mac);
}

void
networks_connect_calls(Service *service)
{
    static const struct {
        const char *signal;
        GCallback handler;
    } handlers[] = {
        {"handle-change-dhcp-server", G_CALLBACK(on_change_dhcp_server)},
        {"handle-change-nat-network", G_CALLBACK(on_change_nat_network)},
        {"handle-find-lease", G_CALLBACK(on_find_lease)},
        {"handle-save-dhcp-server", G_CALLBACK(on_save_dhcp_server)},
        {"handle-save-nat-network", G_CALLBACK(on_save_nat_network)},
    };

    for (guint i = 0; i < G_N_ELEMENTS(handlers); i++)
        g_signal_connect(service->skeleton, handlers[i].signal, handlers[i].handler, service);
}
