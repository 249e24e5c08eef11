/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * <NetserviceRegistry>: see the header. Conditions of groups of DHCP clients are kept as they are,
 * and not understood. */
#include "app/service/settings/netservice-file.h"

#include <string.h>

#include "app/service/settings/xml.h"

#define DHCP_SERVER "NetserviceRegistry/DHCPServers/DHCPServer"
#define NAT_NETWORK "NetserviceRegistry/NATNetworks/NATNetwork"

static void
take_text(char **field, xmlNodePtr node, const char *attribute)
{
    g_autofree char *text = xml_get(node, attribute);

    if (text != NULL)
        vitrine_adapter_set_text(field, text);
}

/* Here flags are digits. */
static const char *
digit(gboolean value)
{
    return value ? "1" : "0";
}

static xmlNodePtr
find(SettingsFile *file, const char *path, const char *name)
{
    for (xmlNodePtr node = xml_path(file->body, path); node != NULL; node = xml_next(node)) {
        g_autofree char *own = xml_get(node, "networkName");

        if (g_strcmp0(own, name) == 0)
            return node;
    }
    return NULL;
}

static void
add_line(char **lines, const char *line)
{
    char *all = **lines != '\0' ? g_strdup_printf("%s\n%s", *lines, line) : g_strdup(line);

    g_free(*lines);
    *lines = all;
}

/* --- NAT networks --- */

static void
read_forwards(char **lines, xmlNodePtr parent)
{
    static const char *const keys[] = {"hostip", "hostport", "guestip", "guestport"};

    for (xmlNodePtr node = xml_child(parent, "Forwarding"); node != NULL; node = xml_next(node)) {
        g_autofree char *name = xml_get(node, "name"), *line = NULL;
        GString *text = g_string_new(name != NULL ? name : "");

        g_string_append(text, xml_get_int(node, "proto", 1) == 0 ? ",udp" : ",tcp");
        for (guint i = 0; i < G_N_ELEMENTS(keys); i++) {
            g_autofree char *value = xml_get(node, keys[i]);

            g_string_append_printf(text, ",%s", value != NULL ? value : "");
        }
        line = g_string_free(text, FALSE);
        add_line(lines, line);
    }
}

static void
read_loopbacks(char **lines, xmlNodePtr mappings)
{
    vitrine_adapter_set_text(lines, "");
    for (xmlNodePtr node = xml_child(mappings, "Loopback4"); node != NULL; node = xml_next(node)) {
        g_autofree char *address = xml_get(node, "address"), *offset = xml_get(node, "offset");
        g_autofree char *line =
            g_strdup_printf("%s=%s", address != NULL ? address : "", offset != NULL ? offset : "");

        add_line(lines, line);
    }
}

GPtrArray *
netservice_read_nat_networks(SettingsFile *file)
{
    GPtrArray *networks = g_ptr_array_new_with_free_func((GDestroyNotify)vitrine_nat_network_free);

    for (xmlNodePtr node = xml_path(file->body, NAT_NETWORK); node != NULL; node = xml_next(node)) {
        VitrineNatNetwork *network = vitrine_nat_network_new();

        take_text(&network->name, node, "networkName");
        take_text(&network->range, node, "network");
        take_text(&network->prefix6, node, "ipv6prefix");
        network->enabled = xml_get_bool(node, "enabled", FALSE);
        network->dhcp = xml_get_bool(node, "needDhcp", FALSE);
        network->ipv6 = xml_get_bool(node, "ipv6", FALSE);
        network->default_route6 = xml_get_bool(node, "advertiseDefaultIPv6Route", FALSE);
        read_forwards(&network->forwards4, xml_child(node, "PortForwarding4"));
        read_forwards(&network->forwards6, xml_child(node, "PortForwarding6"));
        read_loopbacks(&network->loopbacks, xml_child(node, "Mappings"));
        g_ptr_array_add(networks, network);
    }
    return networks;
}

static void
write_forwards(xmlNodePtr node, const char *child, const char *text)
{
    static const char *const keys[] = {"hostip", "hostport", "guestip", "guestport"};
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    xml_remove(xml_child(node, child));
    for (char **line = lines; *line != NULL; line++) {
        g_auto(GStrv) words = g_strsplit(*line, ",", 6);
        xmlNodePtr rule;

        if (g_strv_length(words) != 6)
            continue;
        rule = xml_add(xml_make_path(node, child), "Forwarding");
        xml_set(rule, "name", words[0]);
        xml_set(rule, "proto", g_str_equal(words[1], "udp") ? "0" : "1");
        for (guint i = 0; i < G_N_ELEMENTS(keys); i++)
            xml_set(rule, keys[i], *words[i + 2] != '\0' ? words[i + 2] : NULL);
    }
}

static void
write_loopbacks(xmlNodePtr node, const char *text)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    xml_remove(xml_child(node, "Mappings"));
    for (char **line = lines; *line != NULL; line++) {
        g_auto(GStrv) words = g_strsplit(*line, "=", 2);
        xmlNodePtr mapping;

        if (g_strv_length(words) != 2)
            continue;
        mapping = xml_add(xml_make_path(node, "Mappings"), "Loopback4");
        xml_set(mapping, "address", words[0]);
        xml_set(mapping, "offset", words[1]);
    }
}

void
netservice_write_nat_network(SettingsFile *file, const char *name, const VitrineNatNetwork *network)
{
    xmlNodePtr node = find(file, NAT_NETWORK, name);

    if (network == NULL) {
        xml_remove(node);
        return;
    }
    if (node == NULL)
        node = xml_add(xml_make_path(file->body, "NetserviceRegistry/NATNetworks"), "NATNetwork");
    xml_set(node, "networkName", network->name);
    xml_set(node, "network", network->range);
    xml_set(node, "ipv6", digit(network->ipv6));
    xml_set(node, "ipv6prefix", network->prefix6);
    xml_set(node, "advertiseDefaultIPv6Route", digit(network->default_route6));
    xml_set(node, "needDhcp", digit(network->dhcp));
    xml_set(node, "enabled", digit(network->enabled));
    write_forwards(node, "PortForwarding4", network->forwards4);
    write_forwards(node, "PortForwarding6", network->forwards6);
    write_loopbacks(node, network->loopbacks);
}

/* --- DHCP servers: settings of one scope --- */

static const struct {
    const char *attribute, *word;
} times[] = {{"minLeaseTime", "least"}, {"defaultLeaseTime", "usual"}, {"maxLeaseTime", "most"}};

static const struct {
    const char *attribute, *word;
} marks[] = {{"forcedOptions", "force"}, {"suppressedOptions", "suppress"}};

static void
add_config(char **lines, const char *scope, const char *word, const char *value)
{
    g_autofree char *line = g_strdup_printf("%s %s %s", scope, word, value);

    if (strchr(value, '\n') == NULL)
        add_line(lines, line);
}

static void
read_options(char **lines, const char *scope, xmlNodePtr node)
{
    for (xmlNodePtr option = xml_child(node, "Option"); option != NULL; option = xml_next(option)) {
        g_autofree char *name = xml_get(option, "name"), *value = xml_get(option, "value");
        g_autofree char *both =
            g_strdup_printf("%s %s", name != NULL ? name : "", value != NULL ? value : "");

        add_config(lines, scope, xml_get_int(option, "encoding", 0) == 1 ? "hex" : "option", both);
    }
}

static void
read_config(char **lines, const char *scope, xmlNodePtr node)
{
    g_autofree char *fixed = xml_get(node, "fixedAddress");

    if (fixed != NULL && *fixed != '\0')
        add_config(lines, scope, "fixed", fixed);
    for (guint i = 0; i < G_N_ELEMENTS(times); i++) {
        g_autofree char *value = xml_get(node, times[i].attribute);

        if (value != NULL && !g_str_equal(value, "0"))
            add_config(lines, scope, times[i].word, value);
    }
    for (guint i = 0; i < G_N_ELEMENTS(marks); i++) {
        g_autofree char *value = xml_get(node, marks[i].attribute);
        g_auto(GStrv) numbers = g_strsplit_set(value != NULL ? value : "", " ,", -1);

        for (char **number = numbers; *number != NULL; number++) {
            if (**number != '\0')
                add_config(lines, scope, marks[i].word, *number);
        }
    }
    read_options(lines, scope, node);
}

/* The scope of a <Config>; NULL: it has none. The caller's. */
static char *
read_scope(xmlNodePtr config)
{
    g_autofree char *mac = xml_get(config, "MACAddress");
    g_autofree char *machine = xml_get_uuid(config, "vm-name");
    g_autofree char *digits = NULL;

    if (machine != NULL)
        return g_strdup_printf("vm:%s/%u", machine, (guint)xml_get_int(config, "slot", 0));
    if (mac == NULL)
        return NULL;
    g_auto(GStrv) parts = g_strsplit(mac, ":", -1);
    digits = g_strjoinv("", parts);
    g_free(mac);
    mac = g_ascii_strup(digits, -1);
    return g_strdup_printf("mac:%s", mac);
}

GPtrArray *
netservice_read_dhcp_servers(SettingsFile *file)
{
    GPtrArray *servers = g_ptr_array_new_with_free_func((GDestroyNotify)vitrine_dhcp_server_free);

    for (xmlNodePtr node = xml_path(file->body, DHCP_SERVER); node != NULL; node = xml_next(node)) {
        VitrineDhcpServer *server = vitrine_dhcp_server_new();

        take_text(&server->name, node, "networkName");
        take_text(&server->address, node, "IPAddress");
        take_text(&server->mask, node, "networkMask");
        take_text(&server->lower, node, "lowerIP");
        take_text(&server->upper, node, "upperIP");
        server->enabled = xml_get_bool(node, "enabled", FALSE);
        if (xml_child(node, "Options") != NULL)
            read_config(&server->configs, "global", xml_child(node, "Options"));
        for (xmlNodePtr config = xml_child(node, "Config"); config != NULL;
             config = xml_next(config)) {
            g_autofree char *scope = read_scope(config);

            if (scope != NULL)
                read_config(&server->configs, scope, config);
        }
        g_ptr_array_add(servers, server);
    }
    return servers;
}

static xmlNodePtr
make_scope(xmlNodePtr server, const char *scope)
{
    xmlNodePtr config;

    if (g_str_equal(scope, "global"))
        return xml_make_path(server, "Options");
    for (config = xml_child(server, "Config"); config != NULL; config = xml_next(config)) {
        g_autofree char *own = read_scope(config);

        if (g_strcmp0(own, scope) == 0)
            return config;
    }
    config = xml_add(server, "Config");
    if (g_str_has_prefix(scope, "mac:")) {
        xml_set(config, "MACAddress", scope + 4);
    } else {
        g_auto(GStrv) parts = g_strsplit(scope + 3, "/", 2);

        xml_set_uuid(config, "vm-name", parts[0]);
        xml_set(config, "slot", parts[1]);
    }
    return config;
}

static void
add_number(xmlNodePtr node, const char *attribute, const char *number)
{
    g_autofree char *old = xml_get(node, attribute);
    g_autofree char *both = old != NULL ? g_strdup_printf("%s %s", old, number) : g_strdup(number);

    xml_set(node, attribute, both);
}

static void
write_config(xmlNodePtr server, char **words)
{
    xmlNodePtr node = make_scope(server, words[0]), option;

    if (g_str_equal(words[1], "fixed"))
        xml_set(node, "fixedAddress", words[2]);
    for (guint i = 0; i < G_N_ELEMENTS(times); i++) {
        if (g_str_equal(words[1], times[i].word))
            xml_set(node, times[i].attribute, words[2]);
    }
    for (guint i = 0; i < G_N_ELEMENTS(marks); i++) {
        if (g_str_equal(words[1], marks[i].word))
            add_number(node, marks[i].attribute, words[2]);
    }
    if (g_str_equal(words[1], "option") || g_str_equal(words[1], "hex")) {
        g_auto(GStrv) parts = g_strsplit(words[2], " ", 2);

        option = xml_add(node, "Option");
        xml_set(option, "name", parts[0]);
        xml_set(option, "value", parts[1] != NULL ? parts[1] : "");
        xml_set(option, "encoding", g_str_equal(words[1], "hex") ? "1" : NULL);
    }
}

void
netservice_write_dhcp_server(SettingsFile *file, const char *name, const VitrineDhcpServer *server)
{
    xmlNodePtr node = find(file, DHCP_SERVER, name), old;

    if (server == NULL) {
        xml_remove(node);
        return;
    }
    if (node == NULL)
        node = xml_add(xml_make_path(file->body, "NetserviceRegistry/DHCPServers"), "DHCPServer");
    xml_set(node, "networkName", server->name);
    xml_set(node, "IPAddress", server->address);
    xml_set(node, "networkMask", server->mask);
    xml_set(node, "lowerIP", server->lower);
    xml_set(node, "upperIP", server->upper);
    xml_set(node, "enabled", digit(server->enabled));
    xml_remove(xml_child(node, "Options"));
    while ((old = xml_child(node, "Config")) != NULL)
        xml_remove(old);
    g_auto(GStrv) lines = g_strsplit(server->configs, "\n", -1);

    for (char **line = lines; *line != NULL; line++) {
        g_auto(GStrv) words = g_strsplit(*line, " ", 3);

        if (g_strv_length(words) == 3)
            write_config(node, words);
    }
}
