/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * natnetwork: networks behind NAT that several machines share. Manual, chapter VBoxManage,
 * "natnetwork". Leaves out: --ipv6-default: with IPv6, the gateway always offers itself as the way
 * to everywhere. */
#include <string.h>

#include "app/manage/list-private.h"
#include "app/manage/manage.h"

/* --- list --- */

/* "NAME,tcp,HOST-IP,8080,GUEST-IP,80" becomes "NAME:tcp:[HOST-IP]:8080:[GUEST-IP]:80". */
static void
print_forwards(const char *title, const char *text)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    if (*text != '\0')
        manage_print("%s\n", title);
    for (char **line = lines; *line != NULL; line++) {
        g_auto(GStrv) words = g_strsplit(*line, ",", -1);

        if (g_strv_length(words) == 6)
            manage_print("        %s:%s:[%s]:%s:[%s]:%s\n", words[0], words[1], words[2], words[3],
                         words[4], words[5]);
    }
}

static const char *
yes_or_no(bool value)
{
    return value ? "Yes" : "No";
}

static void
print_network(const VitrineNatNetwork *network)
{
    g_autofree char *gateway = vitrine_nat_network_address(network, 1);
    g_auto(GStrv) loopbacks = g_strsplit(network->loopbacks, "\n", -1);

    manage_print("Name:         %s\n", network->name);
    manage_print("Enabled:      %s\n", yes_or_no(network->enabled));
    manage_print("Network:      %s\n", network->range);
    manage_print("Gateway:      %s\n", gateway);
    manage_print("DHCP Server:  %s\n", yes_or_no(network->dhcp));
    manage_print("IPv6:         %s\n", yes_or_no(network->ipv6));
    manage_print("IPv6 Prefix:  %s\n", network->prefix6);
    manage_print("IPv6 Default: %s\n", yes_or_no(network->default_route6));
    print_forwards("Port-forwarding (ipv4)", network->forwards4);
    print_forwards("Port-forwarding (ipv6)", network->forwards6);
    if (*network->loopbacks != '\0')
        manage_print("loopback mappings (ipv4)\n");
    for (char **line = loopbacks; *line != NULL; line++)
        manage_print("        %s\n", *line);
    if (*network->loopback6 != '\0')
        manage_print("loopback mappings (ipv6)\n        ::1=%s\n", network->loopback6);
    manage_print("\n");
}

void
list_natnets(VitrineClient *client, const char *pattern)
{
    g_autoptr(GPtrArray) networks = vitrine_client_list_nat_networks(client);
    guint found = 0;

    manage_print("NAT Networks:\n\n");
    for (guint i = 0; i < networks->len; i++) {
        const VitrineNatNetwork *network = networks->pdata[i];

        if (pattern != NULL && !g_pattern_match_simple(pattern, network->name))
            continue;
        print_network(network);
        found++;
    }
    manage_print("%u %s found\n", found, found == 1 ? "network" : "networks");
}

/* --- changes --- */

/* "127.0.0.1=2", or delete and an address. */
static bool
take_loopback(ManageArgs *args, VitrineNatNetwork *network, GError **error)
{
    const char *text;

    if (!manage_args_text(args, &text, error))
        return false;
    if (g_str_equal(text, "delete")) {
        if (!manage_args_text(args, &text, error))
            return false;
        text = "";
    }
    vitrine_adapter_set_text(&network->loopbacks, text);
    return true;
}

/* A number, 0 for none; or delete, with or without the address. */
static bool
take_loopback6(ManageArgs *args, VitrineNatNetwork *network, GError **error)
{
    const char *text;

    if (!manage_args_text(args, &text, error))
        return false;
    if (g_str_equal(text, "delete")) {
        if (args->at < args->count && g_str_equal(args->words[args->at], "::1"))
            manage_args_take(args);
        text = "0";
    }
    vitrine_adapter_set_text(&network->loopback6, g_str_equal(text, "0") ? "" : text);
    return true;
}

static void
remove_rule(char **lines, const char *name)
{
    g_auto(GStrv) list = g_strsplit(*lines, "\n", -1);
    GString *left = g_string_new(NULL);
    const size_t length = strlen(name);

    for (char **line = list; *line != NULL; line++) {
        if (**line != '\0' && !(strncmp(*line, name, length) == 0 && (*line)[length] == ','))
            g_string_append_printf(left, "%s%s", left->len != 0 ? "\n" : "", *line);
    }
    g_free(*lines);
    *lines = g_string_free(left, FALSE);
}

/* "NAME:tcp:[HOST-IP]:PORT:[GUEST-IP]:PORT" as a line of the settings; NULL: it is none. Addresses
 * may have colons, so that they are in brackets. */
static char *
parse_rule(const char *text, char **name)
{
    g_autoptr(GRegex) regex =
        g_regex_new("^([^:,]*):(tcp|udp):\\[?([^\\]]*?)\\]?:([0-9]+):\\[?([^\\]]*?)\\]?:([0-9]+)$",
                    G_REGEX_CASELESS, 0, NULL);
    g_autoptr(GMatchInfo) match = NULL;
    g_auto(GStrv) words = NULL;
    g_autofree char *protocol = NULL;

    if (!g_regex_match(regex, text, 0, &match))
        return NULL;
    words = g_match_info_fetch_all(match);
    protocol = g_ascii_strdown(words[2], -1);
    *name = g_strdup(words[1]);
    return g_strdup_printf("%s,%s,%s,%s,%s,%s", words[1], protocol, words[3], words[4], words[5],
                           words[6]);
}

static bool
take_forward(ManageArgs *args, char **lines, GError **error)
{
    g_autofree char *line = NULL, *name = NULL, *before = NULL;
    const char *text;

    if (!manage_args_text(args, &text, error))
        return false;
    if (g_str_equal(text, "delete")) {
        if (!manage_args_text(args, &text, error))
            return false;
        before = g_strdup(*lines);
        remove_rule(lines, text);
        if (!g_str_equal(before, *lines))
            return true;
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_NOT_FOUND, "There is no rule '%s'.", text);
        return false;
    }
    line = parse_rule(text, &name);
    if (line == NULL) {
        g_set_error(error, MANAGE_SYNTAX_ERROR, 0,
                    "'%s' is no rule: NAME:tcp|udp:[HOST-IP]:PORT:[GUEST-IP]:PORT", text);
        return false;
    }
    remove_rule(lines, name);
    before = *lines;
    *lines = *before != '\0' ? g_strdup_printf("%s\n%s", before, line) : g_strdup(line);
    return true;
}

static bool
take_switch(ManageArgs *args, gboolean *field, GError **error)
{
    bool on;

    if (!manage_args_switch(args, &on, error))
        return false;
    *field = on;
    return true;
}

/* Of the short options, some differ from others by their case. */
static bool
take_capital(ManageArgs *args, const char *word)
{
    const char letter[] = {(char)g_ascii_tolower(word[1]), '\0'};

    return args->at < args->count && g_str_has_prefix(args->words[args->at], word) &&
           manage_args_take_option(args, letter, NULL);
}

/* One option. *taken false: it is none of these. */
static bool
take_option(ManageArgs *args, VitrineNatNetwork *network, bool *taken, GError **error)
{
    *taken = true;
    if (manage_args_take_option(args, "loopback6", NULL) || take_capital(args, "-L"))
        return take_loopback6(args, network, error);
    if (manage_args_take_option(args, "portforward6", NULL) || take_capital(args, "-P"))
        return take_forward(args, &network->forwards6, error);
    if (manage_args_take_option(args, "network", NULL) || manage_args_take_option(args, "n", NULL))
        return manage_args_field(args, &network->range, error);
    if (manage_args_take_option(args, "dhcp", NULL) || manage_args_take_option(args, "h", NULL))
        return take_switch(args, &network->dhcp, error);
    if (manage_args_take_option(args, "ipv6prefix", NULL))
        return manage_args_field(args, &network->prefix6, error);
    if (manage_args_take_option(args, "ipv6", NULL) || manage_args_take_option(args, "6", NULL))
        return take_switch(args, &network->ipv6, error);
    if (manage_args_take_option(args, "loopback4", NULL) ||
        manage_args_take_option(args, "l", NULL))
        return take_loopback(args, network, error);
    if (manage_args_take_option(args, "portforward4", NULL) ||
        manage_args_take_option(args, "p", NULL))
        return take_forward(args, &network->forwards4, error);
    if (manage_args_take_option(args, "enable", NULL) || manage_args_take_option(args, "e", NULL))
        network->enabled = TRUE;
    else if (manage_args_take_option(args, "disable", NULL) ||
             manage_args_take_option(args, "d", NULL))
        network->enabled = FALSE;
    else
        *taken = false;
    return true;
}

/* The name may stand anywhere among the options. */
static const char *
find_name(const ManageArgs *args)
{
    ManageArgs copy = *args;
    const char *name = NULL;

    while (copy.at < copy.count) {
        if (manage_args_take_option(&copy, "netname", NULL) ||
            manage_args_take_option(&copy, "t", NULL))
            manage_args_text(&copy, &name, NULL);
        else
            manage_args_take(&copy);
    }
    return name;
}

static bool
take_options(ManageArgs *args, VitrineNatNetwork *network, bool *ranged, GError **error)
{
    while (args->at < args->count) {
        g_autofree char *range = g_strdup(network->range);
        const char *text;
        bool taken;

        if (manage_args_take_option(args, "netname", NULL) ||
            manage_args_take_option(args, "t", NULL)) {
            if (!manage_args_text(args, &text, error))
                return false;
            continue;
        }
        *ranged |= strstr(args->words[args->at], "network") != NULL ||
                   g_str_has_prefix(args->words[args->at], "-n");
        if (!take_option(args, network, &taken, error))
            return false;
        if (!taken) {
            g_set_error(error, MANAGE_SYNTAX_ERROR, 0, "Invalid parameter '%s'",
                        manage_args_take(args));
            return false;
        }
    }
    return true;
}

static bool
add(VitrineClient *client, ManageArgs *args, const char *name, GError **error)
{
    g_autoptr(VitrineNatNetwork) network = vitrine_nat_network_new();
    bool ranged = false;

    vitrine_adapter_set_text(&network->name, name);
    network->dhcp = FALSE;
    if (!take_options(args, network, &ranged, error))
        return false;
    if (!ranged) {
        g_set_error(error, MANAGE_SYNTAX_ERROR, 0, "Missing --network option");
        return false;
    }
    return vitrine_client_save_nat_network_sync(client, "", network, NULL, error);
}

static bool
modify(VitrineClient *client, ManageArgs *args, const char *name, GError **error)
{
    g_autoptr(VitrineNatNetwork) network = vitrine_client_find_nat_network(client, name);
    bool ranged = false;

    if (network == NULL) {
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_NOT_FOUND, "There is no NAT network '%s'.",
                    name);
        return false;
    }
    return take_options(args, network, &ranged, error) &&
           vitrine_client_save_nat_network_sync(client, name, network, NULL, error);
}

static bool
run(Manage *manage, ManageArgs *args, GError **error)
{
    static const char *const verbs[] = {"remove", "start", "stop", NULL};
    const char *verb = manage_args_take(args);
    const char *name = find_name(args);
    VitrineClient *client;

    if (verb == NULL) {
        g_set_error(error, MANAGE_SYNTAX_ERROR, 0, "No subcommand was given.");
        return false;
    }
    client = manage_client(manage, error);
    if (client == NULL)
        return false;
    if (g_str_equal(verb, "list")) {
        list_natnets(client, manage_args_take(args));
        return true;
    }
    if (!g_strv_contains(verbs, verb) && !g_str_equal(verb, "add") &&
        !g_str_equal(verb, "modify")) {
        g_set_error(error, MANAGE_SYNTAX_ERROR, 0, "Invalid parameter '%s'", verb);
        return false;
    }
    if (name == NULL) {
        g_set_error(error, MANAGE_SYNTAX_ERROR, 0, "Missing --netname option");
        return false;
    }
    if (g_str_equal(verb, "add"))
        return add(client, args, name, error);
    if (g_str_equal(verb, "modify"))
        return modify(client, args, name, error);
    return vitrine_client_change_nat_network_sync(client, name, verb, NULL, error);
}

const ManageCommand manage_command_natnetwork = {
    .name = "natnetwork",
    .title = "Make and change networks behind NAT",
    .usage = "natnetwork add --netname NAME --network ADDRESS/BITS [--enable|--disable]\n"
             "        [--dhcp on|off] [--ipv6 on|off] [--ipv6-prefix PREFIX/64]\n"
             "        [--loopback-4 127.0.0.1=NUMBER] [--loopback-6 NUMBER]\n"
             "        [--port-forward-4 RULE] [--port-forward-6 RULE]\n"
             "natnetwork modify --netname NAME [the options of add]\n"
             "        [--port-forward-4 delete NAME] [--loopback-4 delete 127.0.0.1]\n"
             "        [--port-forward-6 delete NAME] [--loopback-6 0]\n"
             "natnetwork remove|start|stop --netname NAME\n"
             "natnetwork list [PATTERN]\n",
    .about = "A NAT network is a network of machines with a way out through the host. A RULE is "
             "NAME:tcp|udp:[HOST-IP]:PORT:[GUEST-IP]:PORT.",
    .run = run,
};
