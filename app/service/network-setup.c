/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What a card's settings mean: the name of its network, and the first request to its worker. */
#include "app/service/network-private.h"

#include <string.h>

#define HOST6 "2" /* of the gateway, in the prefix: it is the host */

void
network_add_key(GString *text, const char *key, const char *value)
{
    /* A line's end would begin another key. */
    if (*value != '\0' && strchr(value, '\n') == NULL)
        g_string_append_printf(text, "\n%s=%s", key, value);
}

static char *
nat_setup(const VitrineAdapter *adapter, guint slot)
{
    GString *setup = g_string_new("network\nipv6=1");
    g_autofree char *usual = g_strdup_printf("10.0.%u.0/24", slot + 2);
    g_autofree char *range = vitrine_plain_range(adapter->nat_range);

    network_add_key(setup, "ipv4", range != NULL ? range : usual);
    network_add_key(setup, "bind", adapter->nat_host_ip);
    network_add_key(setup, "tftp-path", adapter->nat_tftp_prefix);
    network_add_key(setup, "tftp-server", adapter->nat_tftp_server);
    network_add_key(setup, "boot-file", adapter->nat_tftp_file);
    if (adapter->nat_localhost) {
        network_add_key(setup, "loopback", "1");
        network_add_key(setup, "loopback6", HOST6);
    }
    if (adapter->nat_host_resolver)
        network_add_key(setup, "resolver", "1");
    if (!adapter->nat_dns_proxy && !adapter->nat_host_resolver)
        network_add_key(setup, "host-names", "1");
    if (adapter->nat_pass_domain)
        network_add_domains(setup);
    return g_string_free(setup, FALSE);
}

char *
network_name(const char *machine, guint slot, const VitrineAdapter *adapter, GError **error)
{
    switch (adapter->network) {
    case VITRINE_NETWORK_NAT: return g_strdup_printf("nat/%s/%u", machine, slot);
    case VITRINE_NETWORK_INTERNAL:
        return g_strdup_printf("internal/%s", *adapter->internal_network != '\0'
                                                  ? adapter->internal_network
                                                  : "intnet");
    case VITRINE_NETWORK_NAT_NETWORK:
        return g_strdup_printf(NETWORK_NATNET "%s", adapter->nat_network);
    case VITRINE_NETWORK_BRIDGED: return g_strdup_printf("tap/%s", adapter->bridged_interface);
    case VITRINE_NETWORK_HOST_ONLY: return g_strdup_printf("tap/%s", adapter->host_only_interface);
    default:
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_NOT_SUPPORTED,
                    "This version cannot attach a network card in this way.");
        return NULL;
    }
}

char *
network_setup(Networks *networks, const VitrineAdapter *adapter, guint slot, GError **error)
{
    g_autoptr(VitrineNatNetwork) settings = NULL;

    if (adapter->network == VITRINE_NETWORK_NAT)
        return nat_setup(adapter, slot);
    if (adapter->network != VITRINE_NETWORK_NAT_NETWORK)
        return g_strdup("network");
    settings = nat_network_find(networks, adapter->nat_network, error);
    return settings != NULL ? nat_network_setup(settings) : NULL;
}

/* --- ports that lead to machines --- */

char *
network_forward_request(const char *word, const char *line, gboolean ipv6)
{
    static const char *const keys[] = {NULL,        "protocol", "host-ip",
                                       "host-port", "guest-ip", "guest-port"};
    g_auto(GStrv) words = g_strsplit(line, ",", 6);
    GString *text = g_string_new(word);

    for (guint i = 1; i < G_N_ELEMENTS(keys) && g_strv_length(words) == 6; i++)
        network_add_key(text, keys[i], words[i]);
    if (ipv6)
        network_add_key(text, "ipv6", "1");
    return g_string_free(text, FALSE);
}
