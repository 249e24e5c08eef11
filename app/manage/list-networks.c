/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * list: the host's network devices, internal networks and DHCP servers. */
#include <string.h>

#include "app/manage/list-private.h"

#define HOST_PREFIX "HostInterfaceNetworking-"

/* A stable identifier of a device: its name in the first bytes, its address in the last. */
static char *
guid_of(const VitrineHostInterface *device)
{
    guint8 bytes[16] = {0};
    g_auto(GStrv) parts = g_strsplit(device->mac, ":", 6);

    strncpy((char *)bytes, device->name, 8);
    bytes[7] = 0x40;
    bytes[8] = 0x80;
    for (guint i = 0; parts[i] != NULL && i < 6; i++)
        bytes[10 + i] = (guint8)g_ascii_strtoull(parts[i], NULL, 16);
    return g_strdup_printf("%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
                           bytes[3], bytes[2], bytes[1], bytes[0], bytes[5], bytes[4], bytes[7],
                           bytes[6], bytes[8], bytes[9], bytes[10], bytes[11], bytes[12], bytes[13],
                           bytes[14], bytes[15]);
}

void
list_interfaces(bool host_only)
{
    g_autoptr(GPtrArray) devices = vitrine_list_host_interfaces();

    for (guint i = 0; i < devices->len; i++) {
        const VitrineHostInterface *device = devices->pdata[i];
        g_autofree char *guid = guid_of(device);

        if (device->host_only != host_only)
            continue;
        manage_print("Name:            %s\n", device->name);
        manage_print("GUID:            %s\n", guid);
        manage_print("DHCP:            Disabled\n");
        manage_print("IPAddress:       %s\n", device->address);
        manage_print("NetworkMask:     %s\n", device->mask);
        manage_print("IPV6Address:     %s\n", device->address6);
        manage_print("IPV6NetworkMaskPrefixLength: %u\n", device->bits6);
        manage_print("HardwareAddress: %s\n", device->mac);
        manage_print("MediumType:      Ethernet\n");
        manage_print("Wireless:        %s\n", device->wireless ? "Yes" : "No");
        manage_print("Status:          %s\n", device->up ? "Up" : "Down");
        manage_print("VBoxNetworkName: " HOST_PREFIX "%s\n\n", device->name);
    }
}

/* Those that a machine's card names, each once. */
void
list_intnets(VitrineClient *client)
{
    GListModel *machines = vitrine_client_get_machines(client);
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

    for (guint i = 0; i < g_list_model_get_n_items(machines); i++) {
        g_autoptr(VitrineMachine) machine = g_list_model_get_item(machines, i);
        g_autoptr(VitrineSettings) settings =
            vitrine_machine_load_settings_sync(machine, NULL, NULL);

        for (guint slot = 0; settings != NULL && slot < VITRINE_ADAPTER_COUNT; slot++) {
            const VitrineAdapter *adapter = vitrine_settings_get_adapter(settings, slot);

            if (adapter->enabled && adapter->network == VITRINE_NETWORK_INTERNAL &&
                *adapter->internal_network != '\0' &&
                g_hash_table_add(seen, g_strdup(adapter->internal_network)))
                manage_print("Name:        %s\n\n", adapter->internal_network);
        }
    }
}

/* --- DHCP servers --- */

static void
print_marks(char **lines, const char *scope, const char *title, const char *word)
{
    g_autofree char *start = g_strdup_printf("%s %s ", scope, word);
    g_autoptr(GString) text = g_string_new(NULL);

    for (; *lines != NULL; lines++) {
        if (g_str_has_prefix(*lines, start))
            g_string_append_printf(text, "%s%s", text->len != 0 ? ", " : "",
                                   *lines + strlen(start));
    }
    manage_print("    %-18s%s\n", title, text->len != 0 ? text->str : "None");
}

static void
print_options(char **lines, const char *scope)
{
    for (; *lines != NULL; lines++) {
        g_auto(GStrv) words = g_strsplit(*lines, " ", 4);
        const bool hex = g_strcmp0(words[1], "hex") == 0;

        if (g_strv_length(words) == 4 && g_str_equal(words[0], scope) &&
            (hex || g_str_equal(words[1], "option")))
            manage_print("    %5s/%s: %s\n", words[2], hex ? "hex" : "legacy", words[3]);
    }
}

static void
print_scope(const VitrineDhcpServer *server, char **lines, const char *scope)
{
    static const struct {
        const char *title, *word;
    } times[] = {
        {"minLeaseTime:", "least"}, {"defaultLeaseTime:", "usual"}, {"maxLeaseTime:", "most"}};

    for (guint i = 0; i < G_N_ELEMENTS(times); i++) {
        g_autofree char *value = vitrine_dhcp_server_get_config(server, scope, times[i].word);

        manage_print("    %-18s%s%s\n", times[i].title, value != NULL ? value : "default",
                     value != NULL ? " sec" : "");
    }
    print_marks(lines, scope, "Forced options:", "force");
    print_marks(lines, scope, "Suppressed opts.:", "suppress");
}

static void
print_conditions(char **lines, const char *scope)
{
    g_autofree char *include = g_strconcat(scope, " include ", NULL);
    g_autofree char *exclude = g_strconcat(scope, " exclude ", NULL);
    guint count = 0;

    for (; *lines != NULL; lines++) {
        const bool in = g_str_has_prefix(*lines, include);

        if (!in && !g_str_has_prefix(*lines, exclude))
            continue;
        manage_print("    %-18s%s %s\n", "Conditions:", in ? "include" : "exclude",
                     *lines + strlen(include));
        count++;
    }
    if (count == 0)
        manage_print("    %-18s%s\n", "Conditions:", "None");
}

static void
print_groups(const VitrineDhcpServer *server, char **lines)
{
    guint count = 0;

    for (char **line = lines; *line != NULL; line++) {
        g_autofree char *scope = NULL, *name = NULL;

        if (!g_str_has_prefix(*line, "group:") || !g_str_has_suffix(*line, " group 1"))
            continue;
        scope = g_strndup(*line, strcspn(*line, " "));
        name = g_uri_unescape_string(scope + strlen("group:"), NULL);
        manage_print("Group:              %s\n", name != NULL ? name : scope);
        print_conditions(lines, scope);
        print_scope(server, lines, scope);
        print_options(lines, scope);
        count++;
    }
    if (count == 0)
        manage_print("Groups:               None\n");
}

static void
print_scopes(const VitrineDhcpServer *server, char **lines)
{
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

    for (char **line = lines; *line != NULL; line++) {
        g_auto(GStrv) words = g_strsplit(*line, " ", 2);
        g_autofree char *fixed = NULL;

        if (words[0] == NULL || *words[0] == '\0' || g_str_equal(words[0], "global") ||
            g_str_has_prefix(words[0], "group:") || !g_hash_table_add(seen, g_strdup(words[0])))
            continue;
        if (g_hash_table_size(seen) == 1)
            manage_print("Individual Configs:\n");
        fixed = vitrine_dhcp_server_get_config(server, words[0], "fixed");
        manage_print("Individual Config: %s\n", words[0]);
        print_scope(server, lines, words[0]);
        manage_print("    %-18s%s\n", "Fixed address:", fixed != NULL ? fixed : "dynamic");
        print_options(lines, words[0]);
    }
    if (g_hash_table_size(seen) == 0)
        manage_print("Individual Configs:   None\n");
}

void
list_dhcpservers(VitrineClient *client)
{
    g_autoptr(GPtrArray) servers = vitrine_client_list_dhcp_servers(client);

    for (guint i = 0; i < servers->len; i++) {
        const VitrineDhcpServer *server = servers->pdata[i];
        g_auto(GStrv) lines = g_strsplit(server->configs, "\n", -1);

        manage_print("NetworkName:    %s\n", server->name);
        manage_print("Dhcpd IP:       %s\n", server->address);
        manage_print("LowerIPAddress: %s\n", server->lower);
        manage_print("UpperIPAddress: %s\n", server->upper);
        manage_print("NetworkMask:    %s\n", server->mask);
        manage_print("Enabled:        %s\n", server->enabled ? "Yes" : "No");
        manage_print("Global Configuration:\n");
        print_scope(server, lines, "global");
        manage_print("        1/legacy: %s\n", server->mask);
        print_options(lines, "global");
        print_groups(server, lines);
        print_scopes(server, lines);
        manage_print("\n");
    }
}
