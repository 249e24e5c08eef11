/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * NAT networks in <NetserviceRegistry>: see the header. */
#include "app/service/settings/netservice-private.h"

#include <string.h>

#define NAT_NETWORK "NetserviceRegistry/NATNetworks/NATNetwork"

void
netservice_take_text(char **field, xmlNodePtr node, const char *attribute)
{
    g_autofree char *text = xml_get(node, attribute);

    if (text != NULL)
        vitrine_adapter_set_text(field, text);
}

const char *
netservice_digit(gboolean value)
{
    return value ? "1" : "0";
}

xmlNodePtr
netservice_find(SettingsFile *file, const char *path, const char *name)
{
    for (xmlNodePtr node = xml_path(file->body, path); node != NULL; node = xml_next(node)) {
        g_autofree char *own = xml_get(node, "networkName");

        if (g_strcmp0(own, name) == 0)
            return node;
    }
    return NULL;
}

void
netservice_add_line(char **lines, const char *line)
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
        netservice_add_line(lines, line);
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

        netservice_add_line(lines, line);
    }
}

/* The original writes 0 for none. */
static void
read_loopback6(char **text, xmlNodePtr node)
{
    const int number = xml_get_int(node, "loopback6", 0);

    g_free(*text);
    *text = number > 0 ? g_strdup_printf("%d", number) : g_strdup("");
}

GPtrArray *
netservice_read_nat_networks(SettingsFile *file)
{
    GPtrArray *networks = g_ptr_array_new_with_free_func((GDestroyNotify)vitrine_nat_network_free);

    for (xmlNodePtr node = xml_path(file->body, NAT_NETWORK); node != NULL; node = xml_next(node)) {
        VitrineNatNetwork *network = vitrine_nat_network_new();

        netservice_take_text(&network->name, node, "networkName");
        netservice_take_text(&network->range, node, "network");
        netservice_take_text(&network->prefix6, node, "ipv6prefix");
        network->enabled = xml_get_bool(node, "enabled", FALSE);
        network->dhcp = xml_get_bool(node, "needDhcp", FALSE);
        network->ipv6 = xml_get_bool(node, "ipv6", FALSE);
        network->default_route6 = xml_get_bool(node, "advertiseDefaultIPv6Route", FALSE);
        read_forwards(&network->forwards4, xml_child(node, "PortForwarding4"));
        read_forwards(&network->forwards6, xml_child(node, "PortForwarding6"));
        read_loopbacks(&network->loopbacks, xml_child(node, "Mappings"));
        read_loopback6(&network->loopback6, node);
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
    xmlNodePtr node = netservice_find(file, NAT_NETWORK, name);

    if (network == NULL) {
        xml_remove(node);
        return;
    }
    if (node == NULL)
        node = xml_add(xml_make_path(file->body, "NetserviceRegistry/NATNetworks"), "NATNetwork");
    xml_set(node, "networkName", network->name);
    xml_set(node, "network", network->range);
    xml_set(node, "ipv6", netservice_digit(network->ipv6));
    xml_set(node, "ipv6prefix", network->prefix6);
    xml_set(node, "advertiseDefaultIPv6Route", netservice_digit(network->default_route6));
    xml_set(node, "needDhcp", netservice_digit(network->dhcp));
    xml_set(node, "enabled", netservice_digit(network->enabled));
    write_forwards(node, "PortForwarding4", network->forwards4);
    write_forwards(node, "PortForwarding6", network->forwards6);
    write_loopbacks(node, network->loopbacks);
    xml_set(node, "loopback6", *network->loopback6 != '\0' ? network->loopback6 : NULL);
}
