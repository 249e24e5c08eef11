/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The records of NAT networks, and what such a network can be. */
#include <glib/gi18n.h>
#include <string.h>

#include "app/api/record.h"
#include "app/api/settings-private.h"
#include "app/api/vitrine.h"

#define LOOPBACK_LAST 14 /* machines begin at .15 at the latest */

#define AT(field) G_STRUCT_OFFSET(VitrineNatNetwork, field)
/* clang-format off */
static const RecordField fields[] = {
    {RECORD_BOOL, "enabled",         AT(enabled), NULL},
    {RECORD_BOOL, "dhcp",            AT(dhcp), NULL},
    {RECORD_BOOL, "ipv6",            AT(ipv6), NULL},
    {RECORD_BOOL, "default-route-6", AT(default_route6), NULL},
    {RECORD_BOOL, "running",         AT(running), NULL},
    {RECORD_TEXT, "name",            AT(name), NULL},
    {RECORD_TEXT, "range",           AT(range), NULL},
    {RECORD_TEXT, "prefix-6",        AT(prefix6), NULL},
    {RECORD_TEXT, "forwards-4",      AT(forwards4), NULL},
    {RECORD_TEXT, "forwards-6",      AT(forwards6), NULL},
    {RECORD_TEXT, "loopbacks",       AT(loopbacks), NULL},
    {RECORD_TEXT, "loopback-6",      AT(loopback6), NULL},
};
/* clang-format on */
static const RecordType record = {
    sizeof(VitrineNatNetwork),
    7,
    {AT(name), AT(range), AT(prefix6), AT(forwards4), AT(forwards6), AT(loopbacks), AT(loopback6)},
};

G_DEFINE_BOXED_TYPE(VitrineNatNetwork, vitrine_nat_network, vitrine_nat_network_copy,
                    vitrine_nat_network_free)

VitrineNatNetwork *
vitrine_nat_network_new(void)
{
    VitrineNatNetwork *network = g_new0(VitrineNatNetwork, 1);

    record_init(fields, G_N_ELEMENTS(fields), network);
    network->enabled = network->dhcp = TRUE;
    vitrine_adapter_set_text(&network->range, "10.0.2.0/24");
    vitrine_adapter_set_text(&network->prefix6, "fd17:625c:f037:2::/64");
    vitrine_adapter_set_text(&network->loopbacks, "127.0.0.1=2");
    vitrine_adapter_set_text(&network->loopback6, "2");
    return network;
}

VitrineNatNetwork *
vitrine_nat_network_copy(const VitrineNatNetwork *network)
{
    return record_copy(&record, network);
}

void
vitrine_nat_network_free(VitrineNatNetwork *network)
{
    record_free(&record, network);
}

gboolean
vitrine_nat_network_equal(const VitrineNatNetwork *a, const VitrineNatNetwork *b)
{
    return record_equal(fields, G_N_ELEMENTS(fields), a, b);
}

GVariant *
vitrine_nat_network_to_variant(const VitrineNatNetwork *network)
{
    return record_to_variant(fields, G_N_ELEMENTS(fields), network);
}

VitrineNatNetwork *
vitrine_nat_network_from_variant(GVariant *value, GError **error)
{
    g_autoptr(VitrineNatNetwork) network = vitrine_nat_network_new();

    return record_take_variant(fields, G_N_ELEMENTS(fields), network, value, "A NAT network's",
                               error)
               ? g_steal_pointer(&network)
               : NULL;
}

/* --- what it can be --- */

/* "10.0.2.0/24" as a number, in the host's order; FALSE: it is none. */
static gboolean
parse_range(const char *text, guint32 *network, guint *bits)
{
    g_auto(GStrv) parts = g_strsplit(text, "/", -1);
    guint64 number;

    if (g_strv_length(parts) != 2 || !vitrine_parse_ipv4(parts[0], network) ||
        !g_ascii_string_to_unsigned(parts[1], 10, 8, 27, &number, NULL))
        return FALSE;
    *bits = (guint)number;
    *network &= ~(guint32)0 << (32 - *bits);
    return TRUE;
}

char *
vitrine_nat_network_address(const VitrineNatNetwork *network, guint number)
{
    guint32 base;
    guint bits;

    if (!parse_range(network->range, &base, &bits))
        return g_strdup("");
    base += number;
    return g_strdup_printf("%u.%u.%u.%u", base >> 24, base >> 16 & 255, base >> 8 & 255,
                           base & 255);
}

static gboolean
refuse(GError **error, const char *sentence)
{
    g_set_error_literal(error, VITRINE_ERROR, VITRINE_ERROR_INVALID, sentence);
    return FALSE;
}

static gboolean
check_prefix6(const char *text)
{
    g_auto(GStrv) parts = g_strsplit(text, "/", -1);
    g_autoptr(GInetAddress) address = parts[0] ? g_inet_address_new_from_string(parts[0]) : NULL;

    return address != NULL && g_inet_address_get_family(address) == G_SOCKET_FAMILY_IPV6 &&
           g_strcmp0(parts[1], "64") == 0;
}

/* The gateway is the one way to the host, so that there is one such number. */
static gboolean
check_loopbacks(const char *lines, GError **error)
{
    guint64 number;

    if (*lines == '\0')
        return TRUE;
    if (strchr(lines, '\n') != NULL)
        return refuse(error, _("Only one address of a network can lead to the host itself."));
    if (!g_str_has_prefix(lines, "127.0.0.1=") ||
        !g_ascii_string_to_unsigned(lines + strlen("127.0.0.1="), 10, 2, LOOPBACK_LAST, &number,
                                    NULL) ||
        number == 3)
        return refuse(error, _("The host's own address is “127.0.0.1=” and a number from 2 to 14, "
                               "but not 3, which is the name server's."));
    return TRUE;
}

/* A number of the prefix; the router's own and the name server's are theirs. */
static gboolean
check_loopback6(const char *text, GError **error)
{
    guint64 number;

    if (*text == '\0' ||
        (g_ascii_string_to_unsigned(text, 10, 2, G_MAXINT32, &number, NULL) && number != 3))
        return TRUE;
    return refuse(error,
                  _("The host's own IPv6 address is a number from 2, but not 3, which is the "
                    "name server's."));
}

gboolean
vitrine_nat_network_check(const VitrineNatNetwork *network, GError **error)
{
    g_autofree char *what = NULL;
    guint32 base;
    guint bits;

    if (*network->name == '\0' || strpbrk(network->name, "/\n") != NULL)
        return refuse(error, _("A network needs a name, without slashes."));
    if (!parse_range(network->range, &base, &bits))
        return refuse(error, _("The network is an address and the length of its mask, from 8 to "
                               "27: 10.0.2.0/24."));
    if (!check_prefix6(network->prefix6))
        return refuse(error, _("The IPv6 prefix ends in /64: fd17:625c:f037:2::/64."));
    what = vitrine_forwards_problem(network->forwards4, TRUE);
    if (what == NULL)
        what = vitrine_forwards_problem(network->forwards6, TRUE);
    if (what != NULL)
        return refuse(error, what);
    return check_loopbacks(network->loopbacks, error) && check_loopback6(network->loopback6, error);
}
