/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * modifyvm's options for network cards: --nicN says what a card is attached to, the others say more
 * of it. Manual, chapter VBoxManage, "modifyvm", networking settings. */
#include <string.h>

#include "app/manage/manage-words.h"
#include "app/manage/modifyvm-private.h"

typedef enum {
    OPTION_ATTACHMENT, /* none, or what the card is attached to */
    OPTION_WORD,
    OPTION_SWITCH,
    OPTION_TEXT,
    OPTION_MAC,
    OPTION_FORWARD,
    OPTION_PROPERTY,
    OPTION_NOTHING, /* what the gateway cannot do */
    OPTION_NO_CARD, /* what no card does */
} OptionKind;

typedef struct {
    const char *pattern;
    OptionKind kind;
    gsize offset;
    GType (*type)(void); /* of WORD */
} Option;

#define AT(field) G_STRUCT_OFFSET(VitrineAdapter, field)
/* clang-format off */
static const Option options[] = {
    {"nic#",                OPTION_ATTACHMENT, 0, NULL},
    {"nictype#",            OPTION_WORD,       AT(type), vitrine_adapter_type_get_type},
    {"nicpromisc#",         OPTION_WORD,       AT(promiscuous), vitrine_promiscuous_get_type},
    {"cableconnected#",     OPTION_SWITCH,     AT(cable_connected), NULL},
    {"macaddress#",         OPTION_MAC,        0, NULL},
    {"nictrace#",           OPTION_SWITCH,     AT(trace), NULL},
    {"nictracefile#",       OPTION_TEXT,       AT(trace_file), NULL},
    {"bridgeadapter#",      OPTION_TEXT,       AT(bridged_interface), NULL},
    {"hostonlyadapter#",    OPTION_TEXT,       AT(host_only_interface), NULL},
    {"intnet#",             OPTION_TEXT,       AT(internal_network), NULL},
    {"natnetwork#",         OPTION_TEXT,       AT(nat_network), NULL},
    {"nicgenericdrv#",      OPTION_TEXT,       AT(generic_driver), NULL},
    {"nicproperty#",        OPTION_PROPERTY,   0, NULL},
    {"natnet#",             OPTION_TEXT,       AT(nat_range), NULL},
    {"natpf#",              OPTION_FORWARD,    0, NULL},
    {"natbindip#",          OPTION_TEXT,       AT(nat_host_ip), NULL},
    {"nattftpprefix#",      OPTION_TEXT,       AT(nat_tftp_prefix), NULL},
    {"nattftpfile#",        OPTION_TEXT,       AT(nat_tftp_file), NULL},
    {"nattftpserver#",      OPTION_TEXT,       AT(nat_tftp_server), NULL},
    {"natdnspassdomain#",   OPTION_SWITCH,     AT(nat_pass_domain), NULL},
    {"natdnsproxy#",        OPTION_SWITCH,     AT(nat_dns_proxy), NULL},
    {"natdnshostresolver#", OPTION_SWITCH,     AT(nat_host_resolver), NULL},
    {"natlocalhostreachable#", OPTION_SWITCH,  AT(nat_localhost), NULL},
    {"nataliasmode#",       OPTION_NOTHING,    0, NULL},
    {"natsettings#",        OPTION_NOTHING,    0, NULL},
    {"nicspeed#",           OPTION_NO_CARD,    0, NULL},
    {"nicbootprio#",        OPTION_NO_CARD,    0, NULL},
    {"nicbandwidthgroup#",  OPTION_NO_CARD,    0, NULL},
};
/* clang-format on */

static gpointer
at(VitrineAdapter *adapter, const Option *option)
{
    return (char *)adapter + option->offset;
}

/* what: it has to be instead. */
static bool
refuse(ManageArgs *args, const char *text, const char *what, GError **error)
{
    g_set_error(error, MANAGE_SYNTAX_ERROR, 0, "%s: '%s' is not %s.", args->option, text, what);
    return false;
}

static bool
take_attachment(VitrineAdapter *adapter, const char *text, GError **error)
{
    int value;

    adapter->enabled = g_ascii_strcasecmp(text, "none") != 0;
    if (!adapter->enabled) {
        adapter->network = VITRINE_NETWORK_NONE;
        return true;
    }
    if (!manage_from_word(VITRINE_TYPE_NETWORK, text, &value, error))
        return false;
    adapter->network = (VitrineNetwork)value;
    return true;
}

static bool
take_mac(ManageArgs *args, VitrineAdapter *adapter, const char *text, GError **error)
{
    g_autofree char *mac = vitrine_plain_mac(text);

    if (g_ascii_strcasecmp(text, "auto") == 0) {
        g_free(adapter->mac);
        adapter->mac = vitrine_adapter_new_mac();
        return true;
    }
    if (strlen(mac) != 12 || strspn(mac, "0123456789ABCDEF") != 12 ||
        (g_ascii_xdigit_value(mac[1]) & 1) != 0)
        return refuse(args, text, "twelve hexadecimal digits, the second of them even, or auto",
                      error);
    vitrine_adapter_set_text(&adapter->mac, mac);
    return true;
}

/* Lines without those that begin with this word and a mark. */
static char *
without(const char *lines, const char *name, char mark, bool *found)
{
    g_autofree char *start = g_strdup_printf("%s%c", name, mark);
    g_auto(GStrv) list = g_strsplit(lines, "\n", -1);
    GString *left = g_string_new(NULL);

    for (char **line = list; *line != NULL; line++) {
        if (g_str_has_prefix(*line, start))
            *found = true;
        else if (**line != '\0')
            g_string_append_printf(left, "%s%s", left->len != 0 ? "\n" : "", *line);
    }
    return g_string_free(left, FALSE);
}

static void
put_lines(char **lines, char *left, const char *line)
{
    g_free(*lines);
    *lines = *left != '\0' ? g_strdup_printf("%s\n%s", left, line) : g_strdup(line);
    g_free(left);
}

static bool
is_port(const char *text)
{
    return g_ascii_string_to_unsigned(text, 10, 1, 65535, NULL, NULL);
}

/* "[NAME],tcp|udp,[HOST-IP],HOST-PORT,[GUEST-IP],GUEST-PORT", or delete and a name. */
bool
modifyvm_forward(ManageArgs *args, VitrineAdapter *adapter, const char *text, GError **error)
{
    g_auto(GStrv) words = NULL;
    g_autofree char *line = NULL, *name = NULL;
    const char *rule = text;
    bool found = false;

    if (g_str_equal(text, "delete")) {
        char *left;

        if (!manage_args_text(args, &rule, error))
            return false;
        left = without(adapter->nat_forwards, rule, ',', &found);
        g_free(adapter->nat_forwards);
        adapter->nat_forwards = left;
        return found || refuse(args, rule, "the name of a rule", error);
    }
    words = g_strsplit(text, ",", -1);
    if (g_strv_length(words) != 6 || !is_port(words[3]) || !is_port(words[5]) ||
        (g_ascii_strcasecmp(words[1], "tcp") != 0 && g_ascii_strcasecmp(words[1], "udp") != 0))
        return refuse(args, text, "[NAME],tcp|udp,[HOSTIP],HOSTPORT,[GUESTIP],GUESTPORT", error);
    name = *words[0] != '\0' ? g_strdup(words[0])
                             : g_strdup_printf("%s_%s_%s", words[1], words[3], words[5]);
    line = g_strdup_printf("%s,%s,%s,%s,%s,%s", name,
                           g_ascii_strcasecmp(words[1], "udp") == 0 ? "udp" : "tcp", words[2],
                           words[3], words[4], words[5]);
    put_lines(&adapter->nat_forwards, without(adapter->nat_forwards, name, ',', &found), line);
    return true;
}

/* NAME=VALUE */
static bool
take_property(ManageArgs *args, VitrineAdapter *adapter, const char *text, GError **error)
{
    g_auto(GStrv) words = g_strsplit(text, "=", 2);
    bool found = false;

    if (g_strv_length(words) != 2 || *words[0] == '\0')
        return refuse(args, text, "NAME=VALUE", error);
    put_lines(&adapter->generic_properties,
              without(adapter->generic_properties, words[0], '=', &found), text);
    return true;
}

static bool
take_text(const Option *option, VitrineAdapter *adapter, const char *text)
{
    const bool path = option->offset == AT(trace_file) || option->offset == AT(nat_tftp_prefix);
    const bool none = g_str_equal(text, "none") || g_str_equal(text, "default");
    /* The service has another working directory. */
    g_autofree char *value = none                    ? g_strdup("")
                             : path && *text != '\0' ? manage_absolute_path(text)
                                                     : g_strdup(text);

    vitrine_adapter_set_text(at(adapter, option), value);
    return true;
}

/* What changes nothing may be said. */
static bool
refuse_option(ManageArgs *args, OptionKind kind, const char *text, GError **error)
{
    static const char *const nothing[] = {"default", "none", "0", "0,0,0,0,0", NULL};

    if (g_strv_contains(nothing, text))
        return true;
    g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_NOT_SUPPORTED,
                "%s has no effect in this version: %s.", args->option,
                kind == OPTION_NO_CARD
                    ? "its cards have the speed of their kind, no limit, and start in the order of "
                      "their numbers"
                    : "its gateway ends each connection and begins another one on the host, so "
                      "that it has neither aliases nor buffers to set");
    return false;
}

static bool
change(ManageArgs *args, const Option *option, VitrineAdapter *adapter, GError **error)
{
    const char *text;
    bool on;
    int value;

    if (option->kind == OPTION_SWITCH) {
        if (!manage_args_switch(args, &on, error))
            return false;
        *(gboolean *)at(adapter, option) = on;
        return true;
    }
    if (!manage_args_text(args, &text, error))
        return false;
    switch (option->kind) {
    case OPTION_ATTACHMENT: return take_attachment(adapter, text, error);
    case OPTION_MAC: return take_mac(args, adapter, text, error);
    case OPTION_FORWARD: return modifyvm_forward(args, adapter, text, error);
    case OPTION_PROPERTY: return take_property(args, adapter, text, error);
    case OPTION_NOTHING:
    case OPTION_NO_CARD: return refuse_option(args, option->kind, text, error);
    case OPTION_TEXT: return take_text(option, adapter, text);
    default: break;
    }
    if (!manage_from_word(option->type(), text, &value, error))
        return false;
    *(int *)at(adapter, option) = value;
    return true;
}

bool
modifyvm_network_option(ManageArgs *args, VitrineSettings *settings, bool *taken, GError **error)
{
    guint slot;

    for (guint i = 0; i < G_N_ELEMENTS(options); i++) {
        if (!manage_args_take_option(args, options[i].pattern, &slot))
            continue;
        *taken = true;
        if (slot > VITRINE_ADAPTER_COUNT) {
            g_set_error(error, MANAGE_SYNTAX_ERROR, 0, "%s: there are only %d network cards.",
                        args->option, VITRINE_ADAPTER_COUNT);
            return false;
        }
        g_autoptr(VitrineAdapter) adapter =
            vitrine_adapter_copy(vitrine_settings_get_adapter(settings, slot - 1));

        if (!change(args, &options[i], adapter, error))
            return false;
        vitrine_settings_set_adapter(settings, slot - 1, adapter);
        return true;
    }
    *taken = false;
    return true;
}
