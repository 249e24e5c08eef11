/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * DHCP servers in <NetserviceRegistry>: see netservice-file.h. What is for all clients is in
 * <Options>, what is for groups in <Group>, with the conditions of being in it, and what is for
 * single cards in <Config>. */
#include "app/service/settings/netservice-private.h"

#include <string.h>

#define DHCP_SERVER "NetserviceRegistry/DHCPServers/DHCPServer"

static const struct {
    const char *attribute, *word;
} times[] = {
    {"secMinLeaseTime", "least"}, {"secDefaultLeaseTime", "usual"}, {"secMaxLeaseTime", "most"}};

static const struct {
    const char *attribute, *word;
} marks[] = {{"forcedOptions", "force"}, {"suppressedOptions", "suppress"}};

/* Kinds of conditions by their number in the file. */
static const char *const kinds[] = {"mac",         "mac-wild", "vendor",
                                    "vendor-wild", "user",     "user-wild"};

static void
add_config(char **lines, const char *scope, const char *word, const char *value)
{
    g_autofree char *line = g_strdup_printf("%s %s %s", scope, word, value);

    if (strchr(value, '\n') == NULL)
        netservice_add_line(lines, line);
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

/* --- groups --- */

/* Its name without spaces, which part a line. The caller's. */
static char *
group_scope(xmlNodePtr group)
{
    g_autofree char *name = xml_get(group, "name");
    g_autofree char *escaped = g_uri_escape_string(name != NULL ? name : "", NULL, TRUE);

    return g_strconcat("group:", escaped, NULL);
}

static void
read_condition(char **lines, const char *scope, xmlNodePtr condition)
{
    const int kind = xml_get_int(condition, "type", 0);
    g_autofree char *value = xml_get(condition, "value"), *both = NULL;

    if (kind < 0 || kind >= (int)G_N_ELEMENTS(kinds) || value == NULL)
        return;
    if (kind == 0) {
        g_auto(GStrv) parts = g_strsplit_set(value, ":-", -1);

        g_free(value);
        value = g_strjoinv("", parts);
    }
    both = g_strdup_printf("%s %s", kinds[kind], value);
    add_config(lines, scope, xml_get_bool(condition, "inclusive", TRUE) ? "include" : "exclude",
               both);
}

static void
read_group(char **lines, xmlNodePtr group)
{
    g_autofree char *scope = group_scope(group);

    add_config(lines, scope, "group", "1");
    for (xmlNodePtr node = xml_child(group, "Condition"); node != NULL; node = xml_next(node))
        read_condition(lines, scope, node);
    read_config(lines, scope, group);
}

static void
write_condition(xmlNodePtr group, gboolean inclusive, const char *text)
{
    g_auto(GStrv) words = g_strsplit(text, " ", 2);
    const char *value = words[0] != NULL && words[1] != NULL ? words[1] : "";

    for (guint i = 0; i < G_N_ELEMENTS(kinds) && words[0] != NULL; i++) {
        g_autofree char *number = g_strdup_printf("%u", i), *mac = NULL;
        xmlNodePtr node;

        if (!g_str_equal(words[0], kinds[i]))
            continue;
        if (i == 0 && strlen(value) == 12)
            mac = g_strdup_printf("%.2s:%.2s:%.2s:%.2s:%.2s:%.2s", value, value + 2, value + 4,
                                  value + 6, value + 8, value + 10);
        node = xml_add(group, "Condition");
        xml_set(node, "inclusive", inclusive ? "true" : "false");
        xml_set(node, "type", number);
        xml_set(node, "value", mac != NULL ? mac : value);
    }
}

static xmlNodePtr
make_group(xmlNodePtr server, const char *scope)
{
    g_autofree char *name = g_uri_unescape_string(scope + strlen("group:"), NULL);
    xmlNodePtr group;

    for (group = xml_child(server, "Group"); group != NULL; group = xml_next(group)) {
        g_autofree char *own = group_scope(group);

        if (g_str_equal(own, scope))
            return group;
    }
    group = xml_add(server, "Group");
    xml_set(group, "name", name != NULL ? name : "");
    return group;
}

/* --- servers --- */

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

        netservice_take_text(&server->name, node, "networkName");
        netservice_take_text(&server->address, node, "IPAddress");
        netservice_take_text(&server->mask, node, "networkMask");
        netservice_take_text(&server->lower, node, "lowerIP");
        netservice_take_text(&server->upper, node, "upperIP");
        server->enabled = xml_get_bool(node, "enabled", FALSE);
        if (xml_child(node, "Options") != NULL)
            read_config(&server->configs, "global", xml_child(node, "Options"));
        for (xmlNodePtr group = xml_child(node, "Group"); group != NULL; group = xml_next(group))
            read_group(&server->configs, group);
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
    if (g_str_has_prefix(scope, "group:"))
        return make_group(server, scope);
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

    if (g_str_equal(words[1], "include") || g_str_equal(words[1], "exclude"))
        write_condition(node, g_str_equal(words[1], "include"), words[2]);
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
    static const char *const scopes[] = {"Options", "Group", "Config"};
    xmlNodePtr node = netservice_find(file, DHCP_SERVER, name), old;

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
    xml_set(node, "enabled", netservice_digit(server->enabled));
    for (guint i = 0; i < G_N_ELEMENTS(scopes); i++) {
        while ((old = xml_child(node, scopes[i])) != NULL)
            xml_remove(old);
    }
    g_auto(GStrv) lines = g_strsplit(server->configs, "\n", -1);

    for (char **line = lines; *line != NULL; line++) {
        g_auto(GStrv) words = g_strsplit(*line, " ", 3);

        if (g_strv_length(words) == 3)
            write_config(node, words);
    }
}
