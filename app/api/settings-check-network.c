/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The network part of vitrine_settings_check(): addresses of cards, names of networks, forwarded
 * ports. What the machine runs without is advice; what means nothing at all is an error. */
#include <glib/gi18n.h>
#include <string.h>

#include "app/api/settings-private.h"

#define MAC_DIGITS 12
#define RULE_WORDS 6

enum { RULE_NAME, RULE_PROTOCOL, RULE_HOST_IP, RULE_HOST_PORT, RULE_GUEST_IP, RULE_GUEST_PORT };

typedef struct {
    GPtrArray *problems;
    guint slot;
} Check;

static char *
field_of(guint slot, const char *part)
{
    return g_strdup_printf("adapter:%u%s%s", slot, *part != '\0' ? ":" : "", part);
}

/* message is taken. */
static void
add(const Check *check, const char *part, VitrineError code, gboolean fatal, char *message)
{
    g_autofree char *field = field_of(check->slot, part);

    vitrine_problems_add(check->problems, field, code, fatal, message);
}

/* --- the card --- */

static void
check_type(const Check *check, const VitrineAdapter *adapter)
{
    if (!vitrine_adapter_is_built(adapter->type))
        add(check, "type", VITRINE_ERROR_NOT_SUPPORTED, FALSE,
            g_strdup(_("This version does not have this card: choose another one, or the machine "
                       "will not start.")));
}

static void
check_mac(const Check *check, VitrineSettings *settings, const char *mac)
{
    if (*mac == '\0') /* it gets one when it is saved */
        return;
    if (strlen(mac) != MAC_DIGITS || strspn(mac, "0123456789ABCDEFabcdef") != MAC_DIGITS) {
        add(check, "mac", VITRINE_ERROR_INVALID, TRUE,
            g_strdup(_("An address has twelve digits, 0 to 9 and A to F: 080027A1B2C3.")));
        return;
    }
    if (g_ascii_xdigit_value(mac[1]) & 1) {
        add(check, "mac", VITRINE_ERROR_INVALID, TRUE,
            g_strdup(_("This is an address of a group: the second digit has to be even.")));
        return;
    }
    for (guint other = 0; other < check->slot; other++) {
        const VitrineAdapter *second = vitrine_settings_get_adapter(settings, other);

        if (second->enabled && g_ascii_strcasecmp(second->mac, mac) == 0)
            add(check, "mac", VITRINE_ERROR_EXISTS, FALSE,
                g_strdup_printf(_("Adapter %u has the same address."), other + 1));
    }
}

/* --- what it is attached to --- */

/* "UDPTunnel" with dest, dport and sport. */
static void
check_generic(const Check *check, const VitrineAdapter *adapter)
{
    static const char *const needed[] = {"dest=", "dport=", "sport="};
    g_autofree char *lines = g_strconcat("\n", adapter->generic_properties, NULL);

    if (g_ascii_strcasecmp(adapter->generic_driver, "UDPTunnel") != 0) {
        add(check, "name", VITRINE_ERROR_NOT_SUPPORTED, FALSE,
            g_strdup(_("This version has one generic driver, UDPTunnel.")));
        return;
    }
    for (guint i = 0; i < G_N_ELEMENTS(needed); i++) {
        g_autofree char *start = g_strconcat("\n", needed[i], NULL);

        if (strstr(lines, start) == NULL) {
            add(check, "name", VITRINE_ERROR_INVALID, FALSE,
                g_strdup(_("A UDP tunnel needs the properties dest, dport and sport.")));
            return;
        }
    }
}

static void
check_network(const Check *check, const VitrineAdapter *adapter)
{
    const char *missing = NULL;

    switch (adapter->network) {
    case VITRINE_NETWORK_BRIDGED:
        missing = *adapter->bridged_interface ? NULL : _("Say which device of the host.");
        break;
    case VITRINE_NETWORK_HOST_ONLY:
        missing = *adapter->host_only_interface ? NULL : _("Say which device of the host.");
        break;
    case VITRINE_NETWORK_NAT_NETWORK:
        missing = *adapter->nat_network ? NULL : _("The network needs a name.");
        break;
    case VITRINE_NETWORK_GENERIC: check_generic(check, adapter); break;
    default: break;
    }
    if (missing != NULL)
        add(check, "name", VITRINE_ERROR_INVALID, FALSE, g_strdup(missing));
}

static void
check_nat(const Check *check, const VitrineAdapter *adapter)
{
    g_autofree char *range = vitrine_plain_range(adapter->nat_range);
    guint32 address;

    if (*adapter->nat_range != '\0' && range == NULL)
        add(check, "nat", VITRINE_ERROR_INVALID, TRUE,
            g_strdup_printf(_("“%s” is no network: it is an address and the length of its mask, "
                              "from 8 to 27, such as 10.0.2.0/24."),
                            adapter->nat_range));
    if (*adapter->nat_host_ip != '\0' && !vitrine_parse_ipv4(adapter->nat_host_ip, &address))
        add(check, "nat", VITRINE_ERROR_INVALID, TRUE,
            g_strdup_printf(_("“%s” is no IPv4 address of this computer."), adapter->nat_host_ip));
    if (*adapter->nat_tftp_server != '\0' &&
        !vitrine_parse_ipv4(adapter->nat_tftp_server, &address))
        add(check, "nat", VITRINE_ERROR_INVALID, TRUE,
            g_strdup_printf(_("“%s” is no IPv4 address of a TFTP server."),
                            adapter->nat_tftp_server));
}

/* --- forwarded ports --- */

static gboolean
is_port(const char *text)
{
    return g_ascii_string_to_unsigned(text, 10, 1, 65535, NULL, NULL);
}

static gboolean
is_address(const char *text)
{
    return *text == '\0' || g_hostname_is_ip_address(text);
}

/* What is wrong with one rule; NULL: nothing. */
static const char *
rule_problem(char **words)
{
    if (*words[RULE_NAME] == '\0')
        return _("a rule needs a name.");
    if (!g_str_equal(words[RULE_PROTOCOL], "tcp") && !g_str_equal(words[RULE_PROTOCOL], "udp"))
        return _("the protocol is TCP or UDP.");
    if (!is_address(words[RULE_HOST_IP]))
        return _("the host's address is not an IP address; empty means any.");
    if (!is_port(words[RULE_HOST_PORT]))
        return _("the host's port is a number from 1 to 65535.");
    if (!is_address(words[RULE_GUEST_IP]))
        return _("the guest's address is not an IP address; empty means the first one given out.");
    if (!is_port(words[RULE_GUEST_PORT]))
        return _("the guest's port is a number from 1 to 65535.");
    return NULL;
}

/* What stands in the way of a rule in one before it; NULL: nothing. */
static const char *
rule_conflict(char **words, char **before)
{
    if (g_str_equal(words[RULE_NAME], before[RULE_NAME]))
        return _("another rule has this name.");
    if (g_str_equal(words[RULE_PROTOCOL], before[RULE_PROTOCOL]) &&
        g_str_equal(words[RULE_HOST_PORT], before[RULE_HOST_PORT]) &&
        (g_str_equal(words[RULE_HOST_IP], before[RULE_HOST_IP]) || *words[RULE_HOST_IP] == '\0' ||
         *before[RULE_HOST_IP] == '\0'))
        return _("another rule has this port of the host.");
    return NULL;
}

static char *
rule_sentence(guint number, const char *name, const char *what)
{
    g_autofree char *plain = g_strdup_printf("%u", number);

    return g_strdup_printf(_("Rule “%s”: %s"), *name != '\0' ? name : plain, what);
}

/* The first problem of one line; it is added to the rules, if it is one. */
static char *
line_problem(GPtrArray *rules, const char *line, gboolean whole, VitrineError *code)
{
    g_auto(GStrv) words = g_strsplit(line, ",", -1);
    char *sentence = NULL;
    const char *what;

    *code = VITRINE_ERROR_INVALID;
    if (g_strv_length(words) != RULE_WORDS)
        return rule_sentence(rules->len + 1, line,
                             _("this is not a rule; a name cannot have a comma."));
    what = rule_problem(words);
    if (what == NULL && whole && *words[RULE_GUEST_IP] == '\0')
        what = _("in a network of several machines the guest's address has to be said.");
    for (guint i = 0; what == NULL && i < rules->len; i++) {
        what = rule_conflict(words, rules->pdata[i]);
        *code = what != NULL ? VITRINE_ERROR_EXISTS : *code;
    }
    if (what != NULL)
        sentence = rule_sentence(rules->len + 1, words[RULE_NAME], what);
    g_ptr_array_add(rules, g_steal_pointer(&words));
    return sentence;
}

static void
check_forwards(const Check *check, const char *forwards)
{
    g_autoptr(GPtrArray) rules = g_ptr_array_new_with_free_func((GDestroyNotify)g_strfreev);
    g_auto(GStrv) lines = g_strsplit(forwards, "\n", -1);

    for (char **line = lines; *line != NULL; line++) {
        VitrineError code;
        char *sentence = **line != '\0' ? line_problem(rules, *line, FALSE, &code) : NULL;

        if (sentence != NULL)
            add(check, "forwards", code, TRUE, sentence);
    }
}

char *
vitrine_forwards_problem(const char *forwards, gboolean whole)
{
    g_autoptr(GPtrArray) rules = g_ptr_array_new_with_free_func((GDestroyNotify)g_strfreev);
    g_auto(GStrv) lines = g_strsplit(forwards, "\n", -1);
    char *sentence = NULL;

    for (char **line = lines; *line != NULL && sentence == NULL; line++) {
        VitrineError code;

        if (**line != '\0')
            sentence = line_problem(rules, *line, whole, &code);
    }
    return sentence;
}

gboolean
vitrine_parse_ipv4(const char *text, guint32 *address)
{
    g_autoptr(GInetAddress) parsed = g_inet_address_new_from_string(text);
    const guint8 *bytes;

    if (parsed == NULL || g_inet_address_get_family(parsed) != G_SOCKET_FAMILY_IPV4)
        return FALSE;
    bytes = g_inet_address_to_bytes(parsed);
    *address =
        (guint32)bytes[0] << 24 | (guint32)bytes[1] << 16 | (guint32)bytes[2] << 8 | bytes[3];
    return TRUE;
}

void
vitrine_settings_check_network(VitrineSettings *settings, GPtrArray *problems)
{
    for (guint slot = 0; slot < VITRINE_ADAPTER_COUNT; slot++) {
        const VitrineAdapter *adapter = vitrine_settings_get_adapter(settings, slot);
        const Check check = {problems, slot};

        if (!adapter->enabled)
            continue;
        check_type(&check, adapter);
        check_mac(&check, settings, adapter->mac);
        check_network(&check, adapter);
        if (adapter->network != VITRINE_NETWORK_NAT)
            continue;
        check_nat(&check, adapter);
        check_forwards(&check, adapter->nat_forwards);
    }
}
