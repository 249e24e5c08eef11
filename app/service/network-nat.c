/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * NAT networks: what their settings mean for the worker. Of the network's addresses .1 is the
 * gateway, .3 gives out addresses and answers for names; if the host's own address is in it, the
 * gateway is there as well, by default at .2. Manual, chapter Networking, "NAT service". */
#include "app/service/network-private.h"

#include <string.h>

#define GATEWAY 1u
#define USUAL_HOST 2u
#define RESOLVER "/etc/resolv.conf"
#define RESOLVER_MAX 65536u

VitrineNatNetwork *
nat_network_find(Networks *networks, const char *name, GError **error)
{
    g_autoptr(GPtrArray) all = netservice_read_nat_networks(networks->service->global);

    for (guint i = 0; i < all->len; i++) {
        const VitrineNatNetwork *network = all->pdata[i];

        if (!g_str_equal(network->name, name))
            continue;
        if (network->enabled)
            return vitrine_nat_network_copy(network);
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_STATE,
                    "The NAT network “%s” is switched off.", name);
        return NULL;
    }
    g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_NOT_FOUND,
                "There is no NAT network “%s”: make it in the network tool, or with “natnetwork "
                "add”.",
                name);
    return NULL;
}

char *
nat_network_setup(const VitrineNatNetwork *network)
{
    GString *setup = g_string_new("network\nno-dhcp=1\nname-server=3");
    g_autofree char *gateway = vitrine_nat_network_address(network, GATEWAY);
    const char *number = strchr(network->loopbacks, '=');
    g_autofree char *host = g_strdup(number != NULL ? number + 1 : "2");

    network_add_key(setup, "ipv4", network->range);
    network_add_key(setup, "gateway", gateway);
    network_add_key(setup, "host", host);
    if (number != NULL)
        network_add_key(setup, "loopback", "1");
    if (network->ipv6) {
        network_add_key(setup, "ipv6", "1");
        network_add_key(setup, "prefix6", network->prefix6);
        network_add_key(setup, "loopback6", network->loopback6);
    }
    return g_string_free(setup, FALSE);
}

static gboolean
say_lines(Network *network, const char *text, gboolean ipv6, GError **error)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    gboolean done = TRUE;

    for (char **line = lines; *line != NULL; line++) {
        char *request;

        if (**line == '\0')
            continue;
        request = network_forward_request("forward", *line, ipv6);
        g_ptr_array_add(network->forwards, request);
        if (!network_ask_text(network, request, done ? error : NULL))
            done = FALSE;
    }
    return done;
}

gboolean
nat_network_say_forwards(Network *network, const VitrineNatNetwork *settings, GError **error)
{
    gboolean done;

    for (guint i = 0; i < network->forwards->len; i++) {
        g_autofree char *text = g_strconcat("un", network->forwards->pdata[i], NULL);

        network_ask_text(network, text, NULL);
    }
    g_ptr_array_set_size(network->forwards, 0);
    done = say_lines(network, settings->forwards4, FALSE, error);
    return say_lines(network, settings->forwards6, TRUE, done ? error : NULL) && done;
}

/* --- the host's domains (resolv.conf(5)) --- */

void
network_add_domains(GString *setup)
{
    g_autofree char *text = NULL, *list = NULL;
    g_auto(GStrv) lines = NULL;
    gsize size;

    if (!g_file_get_contents(RESOLVER, &text, &size, NULL) || size > RESOLVER_MAX)
        return;
    lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line != NULL; line++) {
        g_auto(GStrv) words = g_strsplit_set(g_strstrip(*line), " \t", -1);

        if (words[0] == NULL || words[1] == NULL || g_str_equal(words[1], "."))
            continue;
        if (g_str_equal(words[0], "search") || g_str_equal(words[0], "domain")) {
            g_free(list); /* the last one counts */
            list = g_strjoinv(",", words + 1);
        }
    }
    if (list == NULL)
        return;
    network_add_key(setup, "search", list);
    *strchrnul(list, ',') = '\0';
    network_add_key(setup, "domain", list);
}
