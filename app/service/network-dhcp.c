/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The DHCP server of a network: its settings as requests to the worker, and its leases, which are
 * kept in <network>-Dhcpd.leases in the configuration folder. The worker's words are bounded: a
 * file holds so many leases, and is written once a second at most. */
#include "app/service/machine.h"
#include "app/service/network-private.h"

#include <string.h>

#define HOST_PREFIX "HostInterfaceNetworking-"
#define DHCP_NUMBER 3u
#define ROUTER 3
#define NAME_SERVER 6

char *
network_dhcp_name(const char *network)
{
    if (g_str_has_prefix(network, NETWORK_TAP))
        return g_strconcat(HOST_PREFIX, network + strlen(NETWORK_TAP), NULL);
    if (g_str_has_prefix(network, "internal/") || g_str_has_prefix(network, NETWORK_NATNET))
        return g_strdup(strchr(network, '/') + 1);
    return NULL;
}

/* --- which server --- */

static VitrineDhcpServer *
find_settings(Networks *networks, const char *name)
{
    g_autoptr(GPtrArray) all = netservice_read_dhcp_servers(networks->service->global);

    for (guint i = 0; i < all->len; i++) {
        const VitrineDhcpServer *server = all->pdata[i];

        if (g_str_equal(server->name, name))
            return vitrine_dhcp_server_copy(server);
    }
    return NULL;
}

/* The server's settings as they are in force; NULL: there is none. nat: that of its network. */
static VitrineDhcpServer *
find_server(Network *network, VitrineNatNetwork **nat)
{
    g_autofree char *name = network_dhcp_name(network->name);
    g_autoptr(VitrineDhcpServer) server = NULL;

    *nat = NULL;
    if (name == NULL)
        return NULL;
    if (g_str_has_prefix(network->name, NETWORK_NATNET)) {
        *nat = nat_network_find(network->networks, name, NULL);
        if (*nat == NULL || !(*nat)->dhcp)
            return NULL;
    }
    server = find_settings(network->networks, name);
    if (server == NULL && *nat != NULL)
        server = vitrine_dhcp_server_new_for_network(*nat);
    return server != NULL && server->enabled && vitrine_dhcp_server_check(server, NULL)
               ? g_steal_pointer(&server)
               : NULL;
}

/* --- its settings --- */

/* Groups are told by number, in their order. */
static guint
group_number(char **lines, const char *scope)
{
    g_autofree char *own = g_strconcat(scope, " ", NULL);
    guint number = 0;

    for (; *lines != NULL && !g_str_has_prefix(*lines, own); lines++) {
        if (g_str_has_prefix(*lines, "group:") && g_str_has_suffix(*lines, " group 1"))
            number++;
    }
    return number;
}

/* "mac" or "group" of a scope; FALSE: the machine or its card is not there. */
static gboolean
add_scope(Networks *networks, GString *text, char **lines, const char *scope)
{
    g_autofree char *number = g_strdup_printf("%u", group_number(lines, scope));
    g_auto(GStrv) parts = NULL;
    const Machine *machine;
    guint64 slot;

    if (g_str_equal(scope, "global"))
        return TRUE;
    if (g_str_has_prefix(scope, "group:")) {
        network_add_key(text, "group", number);
        return TRUE;
    }
    if (g_str_has_prefix(scope, "mac:")) {
        network_add_key(text, "mac", scope + 4);
        return TRUE;
    }
    parts = g_strsplit(scope + strlen("vm:"), "/", 2);
    machine = service_find_machine(networks->service, parts[0]);
    if (machine == NULL || machine->record == NULL || parts[1] == NULL ||
        !g_ascii_string_to_unsigned(parts[1], 10, 0, VITRINE_ADAPTER_COUNT - 1, &slot, NULL))
        return FALSE;
    network_add_key(text, "mac",
                    vitrine_settings_get_adapter(machine->record->settings, (guint)slot)->mac);
    return TRUE;
}

static void
add_option(GString *text, const char *word, const char *value)
{
    g_auto(GStrv) parts = g_strsplit(value, " ", 2);
    g_autoptr(GString) hex = g_string_new(NULL);

    network_add_key(text, "number", parts[0]);
    if (g_str_equal(word, "hex"))
        g_string_append(hex, parts[1]);
    if (g_str_equal(word, "option")) {
        g_autoptr(GBytes) bytes =
            vitrine_dhcp_option_parse((guint)g_ascii_strtoull(parts[0], NULL, 10), parts[1], NULL);
        gsize size = 0;
        const guint8 *data = bytes != NULL ? g_bytes_get_data(bytes, &size) : NULL;

        for (gsize i = 0; i < size; i++)
            g_string_append_printf(hex, "%02x", data[i]);
    }
    network_add_key(text, "data", hex->str);
}

/* Whether a line "SCOPE force N" goes with an option. */
static gboolean
is_forced(char **lines, const char *scope, const char *number)
{
    g_autofree char *wanted = g_strdup_printf("%s force %s", scope, number);

    return g_strv_contains((const char *const *)lines, wanted);
}

static void
add_condition(GString *text, gboolean include, const char *value)
{
    g_auto(GStrv) parts = g_strsplit(value, " ", 2);

    g_string_assign(text, "dhcp-condition");
    if (include)
        network_add_key(text, "include", "1");
    network_add_key(text, "kind", parts[0]);
    network_add_key(text, "value", parts[1] != NULL ? parts[1] : "");
}

static void
say_config(Network *network, char **lines, const char *line)
{
    static const char *const options[] = {"option", "hex", "suppress", NULL};
    static const char *const times[] = {"least", "usual", "most", NULL};
    g_auto(GStrv) words = g_strsplit(line, " ", 3);
    g_autoptr(GString) text = g_string_new(NULL);

    if (g_strv_contains(options, words[1])) {
        g_auto(GStrv) number = g_strsplit(words[2], " ", 2);

        g_string_assign(text, "dhcp-option");
        add_option(text, words[1], words[2]);
        if (is_forced(lines, words[0], number[0]))
            network_add_key(text, "forced", "1");
    } else if (g_strv_contains(times, words[1])) {
        g_string_assign(text, "dhcp-times");
        network_add_key(text, words[1], words[2]);
    } else if (g_str_equal(words[1], "include") || g_str_equal(words[1], "exclude")) {
        add_condition(text, g_str_equal(words[1], "include"), words[2]);
    } else if (g_str_equal(words[1], "fixed")) {
        g_string_assign(text, "dhcp-fixed");
        network_add_key(text, "address", words[2]);
    }
    if (text->len != 0 && add_scope(network->networks, text, lines, words[0]))
        network_ask_text(network, text->str, NULL);
}

static void
say_option(Network *network, guint number, const char *address)
{
    g_autofree char *value = g_strdup_printf("%u %s", number, address);
    g_autoptr(GString) text = g_string_new("dhcp-option");

    add_option(text, "option", value);
    network_ask_text(network, text->str, NULL);
}

static void
say_configs(Network *network, const VitrineDhcpServer *server, const VitrineNatNetwork *nat)
{
    g_auto(GStrv) lines = g_strsplit(server->configs, "\n", -1);

    /* The settings' own come later and count. */
    if (nat != NULL) {
        g_autofree char *gateway = vitrine_nat_network_address(nat, 1);
        g_autofree char *names = vitrine_nat_network_address(nat, DHCP_NUMBER);

        say_option(network, ROUTER, gateway);
        say_option(network, NAME_SERVER, names);
    }
    for (char **line = lines; *line != NULL; line++) {
        if (**line != '\0')
            say_config(network, lines, *line);
    }
}

/* --- leases --- */

static char *
leases_path(const Network *network)
{
    g_autofree char *name = network_dhcp_name(network->name);
    g_autofree char *file = g_strconcat(name, "-Dhcpd.leases", NULL);

    return g_build_filename(network->networks->service->config_folder, file, NULL);
}

static gboolean
write_leases(gpointer user_data)
{
    Network *network = user_data;
    g_autofree char *path = leases_path(network);
    g_autoptr(GError) error = NULL;

    network->lease_source = 0;
    if (!leases_file_write(path, network->leases, &error))
        g_warning("The leases of the network %s cannot be kept: %s", network->name, error->message);
    return G_SOURCE_REMOVE;
}

static void
say_lease(Network *network, const NetLease *lease)
{
    g_autofree char *text = g_strdup_printf(
        "dhcp-lease\nmac=%s\naddress=%s\nissued=%" G_GINT64_FORMAT "\nseconds=%u\nbound=%d",
        lease->mac, lease->address, lease->issued, lease->seconds, lease->bound);

    network_ask_text(network, text, NULL);
}

static gboolean
is_text_of(const char *text, const char *characters, gsize most)
{
    return text != NULL && *text != '\0' && strlen(text) <= most &&
           strspn(text, characters) == strlen(text);
}

/* FALSE: it is no lease. */
static gboolean
parse_lease(const char *text, NetLease *lease)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", 8);
    const char *mac = NULL, *address = NULL;

    *lease = (NetLease){0};
    for (char **line = lines; *line != NULL; line++) {
        if (g_str_has_prefix(*line, "mac="))
            mac = *line + strlen("mac=");
        else if (g_str_has_prefix(*line, "address="))
            address = *line + strlen("address=");
        else if (g_str_has_prefix(*line, "issued="))
            lease->issued = g_ascii_strtoll(*line + strlen("issued="), NULL, 10);
        else if (g_str_has_prefix(*line, "seconds="))
            lease->seconds = (guint)g_ascii_strtoull(*line + strlen("seconds="), NULL, 10);
        else if (g_str_equal(*line, "bound=1"))
            lease->bound = TRUE;
    }
    if (!is_text_of(mac, "0123456789ABCDEF", 12) || !is_text_of(address, "0123456789.", 15))
        return FALSE;
    g_strlcpy(lease->mac, mac, sizeof(lease->mac));
    g_strlcpy(lease->address, address, sizeof(lease->address));
    return TRUE;
}

/* A card and an address have one lease. */
static void
put_lease(GArray *leases, const NetLease *lease)
{
    for (guint i = leases->len; i-- > 0;) {
        const NetLease *old = &g_array_index(leases, NetLease, i);

        if (g_str_equal(old->mac, lease->mac) || g_str_equal(old->address, lease->address))
            g_array_remove_index_fast(leases, i);
    }
    if (leases->len < NET_LEASES_MAX)
        g_array_append_vals(leases, lease, 1);
}

void
network_take_lease(Network *network, const char *text)
{
    NetLease lease;

    if (network->leases == NULL || !parse_lease(text, &lease))
        return;
    put_lease(network->leases, &lease);
    if (network->lease_source == 0)
        network->lease_source = g_timeout_add_seconds(1, write_leases, network);
}

void
network_close_leases(Network *network)
{
    if (network->lease_source != 0) {
        g_source_remove(network->lease_source);
        write_leases(network);
    }
    g_clear_pointer(&network->leases, g_array_unref);
}

/* --- the whole --- */

gboolean
network_stop_dhcp(Network *network, GError **error)
{
    network_close_leases(network);
    return network_ask_text(network, "dhcp", error);
}

gboolean
network_say_dhcp(Network *network, GError **error)
{
    g_autoptr(VitrineNatNetwork) nat = NULL;
    g_autoptr(VitrineDhcpServer) server = find_server(network, &nat);
    g_autofree char *text = NULL, *path = NULL;

    if (server == NULL)
        return network_stop_dhcp(network, error);
    network_close_leases(network);
    path = leases_path(network);
    text = g_strdup_printf("dhcp\nserver=%s\nmask=%s\nlower=%s\nupper=%s", server->address,
                           server->mask, server->lower, server->upper);
    if (!network_ask_text(network, text, error))
        return FALSE;
    network->leases = leases_file_read(path);
    say_configs(network, server, nat);
    for (guint i = 0; i < network->leases->len; i++)
        say_lease(network, &g_array_index(network->leases, NetLease, i));
    return TRUE;
}
