/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * dhcpserver: servers that give out addresses in internal, host-only and NAT networks. Manual,
 * chapter VBoxManage, "dhcpserver". */
#include <string.h>

#include "app/manage/manage.h"

#define HOST_PREFIX "HostInterfaceNetworking-"

typedef struct {
    Manage *manage;
    VitrineDhcpServer *server;
    char *scope; /* of the options that follow */
} Change;

static bool
fail_syntax(GError **error, const char *format, const char *text)
{
    g_set_error(error, MANAGE_SYNTAX_ERROR, 0, "%s '%s'", format, text);
    return false;
}

/* --- which network --- */

/* The name may stand anywhere among the options; the caller's, NULL: it was not said. */
static char *
find_name(const ManageArgs *args)
{
    ManageArgs copy = *args;
    const char *text = NULL;
    char *name = NULL;

    while (copy.at < copy.count) {
        const bool device = manage_args_take_option(&copy, "interface", NULL) ||
                            manage_args_take_option(&copy, "ifname", NULL);

        if (!device && !manage_args_take_option(&copy, "network", NULL) &&
            !manage_args_take_option(&copy, "netname", NULL)) {
            manage_args_take(&copy);
            continue;
        }
        if (!manage_args_text(&copy, &text, NULL))
            break;
        g_free(name);
        name = g_strconcat(device ? HOST_PREFIX : "", text, NULL);
    }
    return name;
}

static bool
skip_name(ManageArgs *args)
{
    static const char *const names[] = {"interface", "ifname", "network", "netname"};
    const char *text;

    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        if (manage_args_take_option(args, names[i], NULL))
            return manage_args_text(args, &text, NULL);
    }
    return false;
}

/* --- lines of its settings --- */

static void
remove_word(const Change *change, const char *word, const char *number)
{
    g_autofree char *start =
        g_strdup_printf("%s %s%s%s", change->scope, word, *number != '\0' ? " " : "", number);

    vitrine_dhcp_server_remove_config(change->server, start);
}

static void
add_line(const Change *change, const char *word, const char *value)
{
    vitrine_dhcp_server_add_config(change->server, change->scope, word, value);
}

/* --- options --- */

typedef enum { TAKE_TEXT, TAKE_SET, TAKE_MARK, TAKE_UNMARK, TAKE_DELETE } TakeKind;

/* Options that go to the scope that was named last. */
static const struct {
    const char *pattern, *word;
    TakeKind kind;
} scoped[] = {
    {"setopthex", "hex", TAKE_SET},
    {"setopt", "option", TAKE_SET},
    {"delopt", "option", TAKE_DELETE},
    {"forceopt", "force", TAKE_MARK},
    {"unforceopt", "force", TAKE_UNMARK},
    {"suppressopt", "suppress", TAKE_MARK},
    {"supressopt", "suppress", TAKE_MARK},
    {"unsuppressopt", "suppress", TAKE_UNMARK},
    {"unsupressopt", "suppress", TAKE_UNMARK},
    {"minleasetime", "least", TAKE_TEXT},
    {"defaultleasetime", "usual", TAKE_TEXT},
    {"maxleasetime", "most", TAKE_TEXT},
    {"fixedaddress", "fixed", TAKE_TEXT},
};

static void
forget_option(const Change *change, const char *number)
{
    remove_word(change, "option", number);
    remove_word(change, "hex", number);
}

static bool
take_scoped(const Change *change, ManageArgs *args, TakeKind kind, const char *word, GError **error)
{
    const char *text, *value;
    g_autofree char *both = NULL;

    if (!manage_args_text(args, &text, error))
        return false;
    switch (kind) {
    case TAKE_SET:
        value = manage_args_take(args);
        if (value == NULL)
            return fail_syntax(error, "A value is missing for option", text);
        both = g_strdup_printf("%s %s", text, value);
        forget_option(change, text);
        add_line(change, word, both);
        return true;
    case TAKE_DELETE: forget_option(change, text); return true;
    case TAKE_UNMARK: remove_word(change, word, text); return true;
    case TAKE_MARK:
        remove_word(change, word, text);
        add_line(change, word, text);
        return true;
    case TAKE_TEXT: break;
    }
    remove_word(change, word, "");
    if (!g_str_equal(text, "0") && *text != '\0')
        add_line(change, word, text);
    return true;
}

static bool
set_scope(Change *change, char *scope)
{
    g_free(change->scope);
    change->scope = scope;
    return true;
}

/* --vm NAME [--nic N] */
static bool
take_machine(Change *change, ManageArgs *args, GError **error)
{
    const char *name;
    VitrineMachine *machine;
    guint64 number = 1;

    if (!manage_args_text(args, &name, error))
        return false;
    machine = manage_machine(change->manage, name, error);
    if (machine == NULL)
        return false;
    if (manage_args_take_option(args, "nic", NULL) && !manage_args_number(args, &number, error))
        return false;
    if (number < 1 || number > VITRINE_ADAPTER_COUNT)
        return fail_syntax(error, "There is no such network card of machine", name);
    return set_scope(
        change, g_strdup_printf("vm:%s/%u", vitrine_machine_get_id(machine), (guint)number - 1));
}

static bool
take_mac(Change *change, ManageArgs *args, GError **error)
{
    g_autofree char *mac = NULL;
    const char *text;

    if (!manage_args_text(args, &text, error))
        return false;
    mac = vitrine_plain_mac(text);
    if (strlen(mac) != 12 || strspn(mac, "0123456789ABCDEF") != 12)
        return fail_syntax(error, "This is no address of a network card:", text);
    return set_scope(change, g_strconcat("mac:", mac, NULL));
}

/* --- groups of clients --- */

static bool
take_group(Change *change, ManageArgs *args, GError **error)
{
    g_autofree char *escaped = NULL, *known = NULL;
    const char *name;

    if (!manage_args_text(args, &name, error))
        return false;
    escaped = g_uri_escape_string(name, NULL, TRUE);
    set_scope(change, g_strconcat("group:", escaped, NULL));
    known = vitrine_dhcp_server_get_config(change->server, change->scope, "group");
    if (known == NULL)
        add_line(change, "group", "1");
    return true;
}

/* A value is in one condition of a kind at most. */
static bool
take_condition(Change *change, ManageArgs *args, const char *kind, const char *word, GError **error)
{
    g_autofree char *line = NULL, *mac = NULL;
    const char *text;

    if (!manage_args_text(args, &text, error))
        return false;
    if (!g_str_has_prefix(change->scope, "group:"))
        return fail_syntax(error, "A group has to be named before the condition", text);
    if (*text == '\0')
        return fail_syntax(error, "The value of a condition cannot be empty", text);
    mac = vitrine_plain_mac(text);
    line = g_strdup_printf("%s %s", kind, g_str_equal(kind, "mac") ? mac : text);
    remove_word(change, "include", line);
    remove_word(change, "exclude", line);
    if (word != NULL)
        add_line(change, word, line);
    return true;
}

/* --incl-mac, --del-vendor-wild ... */
static bool
take_group_option(Change *change, ManageArgs *args, bool *taken, GError **error)
{
    static const char *const kinds[][2] = {{"mac", "mac"},       {"macwild", "mac-wild"},
                                           {"vendor", "vendor"}, {"vendorwild", "vendor-wild"},
                                           {"user", "user"},     {"userwild", "user-wild"}};
    static const char *const verbs[][2] = {{"incl", "include"}, {"excl", "exclude"}, {"del", NULL}};

    *taken = true;
    if (manage_args_take_option(args, "group", NULL))
        return take_group(change, args, error);
    if (manage_args_take_option(args, "zapconditions", NULL)) {
        remove_word(change, "include", "");
        remove_word(change, "exclude", "");
        return true;
    }
    for (guint i = 0; i < G_N_ELEMENTS(kinds) * G_N_ELEMENTS(verbs); i++) {
        const char *const *kind = kinds[i / G_N_ELEMENTS(verbs)];
        const char *const *verb = verbs[i % G_N_ELEMENTS(verbs)];
        g_autofree char *pattern = g_strconcat(verb[0], kind[0], NULL);

        if (manage_args_take_option(args, pattern, NULL))
            return take_condition(change, args, kind[1], verb[1], error);
    }
    *taken = false;
    return true;
}

/* --- all options --- */

static bool
take_server_option(Change *change, ManageArgs *args, bool *taken, GError **error)
{
    VitrineDhcpServer *server = change->server;
    const struct {
        const char *pattern, *older;
        char **field;
    } addresses[] = {{"serverip", "ip", &server->address},
                     {"netmask", "m", &server->mask},
                     {"lowerip", "l", &server->lower},
                     {"upperip", "u", &server->upper}};

    *taken = true;
    for (guint i = 0; i < G_N_ELEMENTS(addresses); i++) {
        if (manage_args_take_option(args, addresses[i].pattern, NULL) ||
            manage_args_take_option(args, addresses[i].older, NULL))
            return manage_args_field(args, addresses[i].field, error);
    }
    if (manage_args_take_option(args, "enable", NULL) || manage_args_take_option(args, "e", NULL))
        server->enabled = TRUE;
    else if (manage_args_take_option(args, "disable", NULL) ||
             manage_args_take_option(args, "d", NULL))
        server->enabled = FALSE;
    else
        *taken = false;
    return true;
}

static bool
take_option(Change *change, ManageArgs *args, GError **error)
{
    bool taken;

    if (skip_name(args))
        return true;
    if (!take_server_option(change, args, &taken, error) || taken)
        return taken;
    if (!take_group_option(change, args, &taken, error))
        return false;
    if (taken)
        return true;
    if (manage_args_take_option(args, "global", NULL))
        return set_scope(change, g_strdup("global"));
    if (manage_args_take_option(args, "vm", NULL))
        return take_machine(change, args, error);
    if (manage_args_take_option(args, "macaddress", NULL))
        return take_mac(change, args, error);
    if (manage_args_take_option(args, "removeconfig", NULL)) {
        vitrine_dhcp_server_remove_config(change->server, change->scope);
        return true;
    }
    for (guint i = 0; i < G_N_ELEMENTS(scoped); i++) {
        if (manage_args_take_option(args, scoped[i].pattern, NULL))
            return take_scoped(change, args, scoped[i].kind, scoped[i].word, error);
    }
    return fail_syntax(error, "Invalid parameter", manage_args_take(args));
}

static bool
take_all(Manage *manage, ManageArgs *args, VitrineDhcpServer *server, GError **error)
{
    Change change = {manage, server, g_strdup("global")};
    bool ok = true;

    while (ok && args->at < args->count)
        ok = take_option(&change, args, error);
    g_free(change.scope);
    return ok;
}

static bool
has_addresses(const VitrineDhcpServer *server, GError **error)
{
    const struct {
        const char *text, *option;
    } needed[] = {{server->address, "--server-ip"},
                  {server->mask, "--netmask"},
                  {server->lower, "--lower-ip"},
                  {server->upper, "--upper-ip"}};

    for (guint i = 0; i < G_N_ELEMENTS(needed); i++) {
        if (*needed[i].text == '\0') {
            g_set_error(error, MANAGE_SYNTAX_ERROR, 0, "Missing %s option", needed[i].option);
            return false;
        }
    }
    return true;
}

static bool
add(Manage *manage, ManageArgs *args, const char *name, GError **error)
{
    g_autoptr(VitrineDhcpServer) old = vitrine_client_find_dhcp_server(manage->client, name);
    g_autoptr(VitrineDhcpServer) server = vitrine_dhcp_server_new();

    if (old != NULL) {
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_EXISTS, "DHCP server already exists");
        return false;
    }
    vitrine_adapter_set_text(&server->name, name);
    return take_all(manage, args, server, error) && has_addresses(server, error) &&
           vitrine_client_save_dhcp_server_sync(manage->client, server, NULL, error);
}

static bool
modify(Manage *manage, ManageArgs *args, const char *name, GError **error)
{
    g_autoptr(VitrineDhcpServer) server = vitrine_client_find_dhcp_server(manage->client, name);

    if (server == NULL) {
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_NOT_FOUND, "DHCP server does not exist");
        return false;
    }
    return take_all(manage, args, server, error) &&
           vitrine_client_save_dhcp_server_sync(manage->client, server, NULL, error);
}

/* --- leases --- */

static char *
time_text(gint64 seconds)
{
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(seconds);

    return time != NULL ? g_date_time_format(time, "%Y-%m-%dT%H:%M:%SZ") : g_strdup("?");
}

static bool
find_lease(VitrineClient *client, ManageArgs *args, const char *name, GError **error)
{
    g_autofree char *mac = NULL, *address = NULL, *state = NULL, *begin = NULL, *end = NULL;
    const char *text = NULL;
    gint64 issued, left;
    guint seconds;

    while (args->at < args->count) {
        if (manage_args_take_option(args, "macaddress", NULL)) {
            if (!manage_args_text(args, &text, error))
                return false;
        } else if (!skip_name(args))
            return fail_syntax(error, "Invalid parameter", manage_args_take(args));
    }
    if (text == NULL) {
        g_set_error(error, MANAGE_SYNTAX_ERROR, 0, "Missing --mac-address option");
        return false;
    }
    mac = vitrine_plain_mac(text);
    if (!vitrine_client_find_lease_sync(client, name, mac, &address, &state, &issued, &seconds,
                                        NULL, error))
        return false;
    begin = time_text(issued);
    end = time_text(issued + seconds);
    left = MAX(issued + seconds - g_get_real_time() / G_USEC_PER_SEC, 0);
    manage_print("IP Address:  %s\n", address);
    manage_print("MAC Address: %.2s:%.2s:%.2s:%.2s:%.2s:%.2s\n", mac, mac + 2, mac + 4, mac + 6,
                 mac + 8, mac + 10);
    manage_print("State:       %s\n", state);
    manage_print("Issued:      %s (%" G_GINT64_FORMAT ")\n", begin, issued);
    manage_print("Expire:      %s (%" G_GINT64_FORMAT ")\n", end, issued + seconds);
    manage_print("TTL:         %u sec, currently %" G_GINT64_FORMAT " sec left\n", seconds, left);
    return true;
}

static bool
run(Manage *manage, ManageArgs *args, GError **error)
{
    static const char *const verbs[] = {"add",   "modify",  "findlease", "remove",
                                        "start", "restart", "stop",      NULL};
    const char *verb = manage_args_take(args);
    g_autofree char *name = find_name(args);

    if (verb == NULL) {
        g_set_error(error, MANAGE_SYNTAX_ERROR, 0, "No subcommand was given.");
        return false;
    }
    if (!g_strv_contains(verbs, verb))
        return fail_syntax(error, "Invalid parameter", verb);
    if (name == NULL) {
        g_set_error(error, MANAGE_SYNTAX_ERROR, 0, "You need to specify --network or --interface");
        return false;
    }
    if (manage_client(manage, error) == NULL)
        return false;
    if (g_str_equal(verb, "add"))
        return add(manage, args, name, error);
    if (g_str_equal(verb, "modify"))
        return modify(manage, args, name, error);
    if (g_str_equal(verb, "findlease"))
        return find_lease(manage->client, args, name, error);
    return vitrine_client_change_dhcp_server_sync(manage->client, name, verb, NULL, error);
}

const ManageCommand manage_command_dhcpserver = {
    .name = "dhcpserver",
    .title = "Make and change DHCP servers of networks",
    .usage =
        "dhcpserver add --network NAME|--interface DEVICE --server-ip ADDRESS --netmask MASK\n"
        "        --lower-ip ADDRESS --upper-ip ADDRESS --enable|--disable\n"
        "        [[--global | --group NAME | --vm NAME|UUID [--nic N] | --mac-address ADDRESS]\n"
        "        [--set-opt N VALUE] [--set-opt-hex N HEX] [--force-opt N] "
        "[--suppress-opt N]\n"
        "        [--min-lease-time SECONDS] [--default-lease-time SECONDS]\n"
        "        [--max-lease-time SECONDS] [--fixed-address ADDRESS]\n"
        "        [--incl-mac|--excl-mac ADDRESS] [--incl-mac-wild|--excl-mac-wild PATTERN]\n"
        "        [--incl-vendor|--excl-vendor CLASS] "
        "[--incl-vendor-wild|--excl-vendor-wild PATTERN]\n"
        "        [--incl-user|--excl-user CLASS] [--incl-user-wild|--excl-user-wild PATTERN] "
        "...]\n"
        "dhcpserver modify --network NAME|--interface DEVICE [the options of add]\n"
        "        [--del-opt N] [--unforce-opt N] [--unsuppress-opt N] [--remove-config]\n"
        "        [--del-mac|--del-vendor|--del-user VALUE]\n"
        "        [--del-mac-wild|--del-vendor-wild|--del-user-wild PATTERN] "
        "[--zap-conditions]\n"
        "dhcpserver remove|start|restart|stop --network NAME|--interface DEVICE\n"
        "dhcpserver findlease --network NAME|--interface DEVICE --mac-address ADDRESS\n",
    .about = "A DHCP server gives machines of an internal, host-only or NAT network their "
             "addresses. It runs as long as a machine uses the network.",
    .run = run,
};
