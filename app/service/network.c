/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Networks: see the header. */
#include "app/service/network-private.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

Networks *
networks_new(Service *service)
{
    Networks *networks = g_new0(Networks, 1);

    networks->service = service;
    networks->by_name = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, network_free);
    return networks;
}

void
networks_free(Networks *networks)
{
    g_hash_table_unref(networks->by_name);
    g_free(networks);
}

static gboolean
add_trunk(Network *network, const char *device, GError **error)
{
    NetworkRequest trunk = {g_strdup("port\nid=host\ntap=1"), network_open_tap(device, error)};

    if (trunk.descriptor < 0) {
        network_request_clear(&trunk);
        return FALSE;
    }
    network->trunk = g_memdup2(&trunk, sizeof(trunk));
    return network_ask(network, network->trunk, error);
}

Network *
network_find(Networks *networks, const char *name)
{
    return g_hash_table_lookup(networks->by_name, name);
}

static void
card_free(gpointer data)
{
    NetworkCard *card = data;

    network_request_clear(&card->port);
    g_ptr_array_unref(card->forwards);
    g_free(card->id);
    g_free(card);
}

Network *
network_make(Networks *networks, char *name, char *setup, GError **error)
{
    Network *network = g_new0(Network, 1);

    network->networks = networks;
    network->name = name;
    network->setup = setup;
    network->control = -1;
    network->cards = g_ptr_array_new_with_free_func(card_free);
    network->forwards = g_ptr_array_new_with_free_func(g_free);
    if (!network_start(network, error) ||
        (g_str_has_prefix(name, NETWORK_TAP) &&
         !add_trunk(network, name + strlen(NETWORK_TAP), error)) ||
        !network_say_dhcp(network, error)) {
        network_free(network);
        return NULL;
    }
    g_hash_table_insert(networks->by_name, network->name, network);
    networks_publish(networks->service);
    return network;
}

/* The ports of a NAT network lead to its machines as soon as it runs. */
static void
begin_nat_network(Network *network, char **warning)
{
    const char *name = network->name + strlen(NETWORK_NATNET);
    g_autoptr(VitrineNatNetwork) settings = nat_network_find(network->networks, name, NULL);
    g_autoptr(GError) error = NULL;

    if (settings != NULL && !nat_network_say_forwards(network, settings, &error))
        *warning = g_strdup(error->message);
}

static Network *
find_network(Networks *networks, const char *machine, guint slot, const VitrineAdapter *adapter,
             char **warning, GError **error)
{
    g_autofree char *name = network_name(machine, slot, adapter, error);
    Network *network = name != NULL ? network_find(networks, name) : NULL;
    char *setup;

    if (name == NULL || network != NULL)
        return network;
    setup = network_setup(networks, adapter, slot, error);
    if (setup == NULL)
        return NULL;
    network = network_make(networks, g_steal_pointer(&name), setup, error);
    if (network != NULL && adapter->network == VITRINE_NETWORK_NAT_NETWORK)
        begin_nat_network(network, warning);
    return network;
}

/* --- cards --- */

static char *
card_id(const char *machine, guint slot)
{
    return g_strdup_printf("%s/%u", machine, slot);
}

static const char *
policy_word(const VitrineAdapter *adapter)
{
    static const char *const words[] = {"deny", "vms", "all"};

    return words[adapter->promiscuous];
}

static gboolean
add_forwards(Network *network, NetworkCard *card, const char *lines, GError **error)
{
    g_auto(GStrv) list = g_strsplit(lines, "\n", -1);
    gboolean done = TRUE;

    for (char **line = list; *line != NULL; line++) {
        if (**line == '\0')
            continue;
        g_ptr_array_add(card->forwards, network_forward_request("forward", *line, FALSE));
        /* The others are there all the same; the first that cannot be is named. */
        if (!network_ask_text(network, card->forwards->pdata[card->forwards->len - 1],
                              done ? error : NULL))
            done = FALSE;
    }
    return done;
}

static gboolean
add_card(Network *network, const char *id, const VitrineAdapter *adapter, int *machine_end,
         char **warning, GError **error)
{
    g_autoptr(GError) refused = NULL;
    NetworkCard *card;
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return network_fail_errno(error, errno);
    card = g_new0(NetworkCard, 1);
    card->id = g_strdup(id);
    card->port.text =
        g_strdup_printf("port\nid=%s\nmac=%s\npolicy=%s", id, adapter->mac, policy_word(adapter));
    card->port.descriptor = pair[1];
    card->forwards = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(network->cards, card);
    *machine_end = pair[0];
    if (!network_ask(network, &card->port, error))
        return FALSE;
    if (adapter->network == VITRINE_NETWORK_NAT &&
        !add_forwards(network, card, adapter->nat_forwards, &refused))
        *warning = g_strdup(refused->message);
    return TRUE;
}

/* TRUE: the network has no card any more. */
static gboolean
drop_card(Network *network, const char *id)
{
    for (guint i = 0; i < network->cards->len; i++) {
        const NetworkCard *card = network->cards->pdata[i];
        g_autofree char *text = NULL;

        if (!g_str_equal(card->id, id))
            continue;
        text = g_strdup_printf("unport\nid=%s", id);
        if (network->cards->len > 1 || network->kept)
            network_ask_text(network, text, NULL);
        g_ptr_array_remove_index(network->cards, i);
        return network->cards->len == 0 && !network->kept;
    }
    return FALSE;
}

void
networks_close(Networks *networks, const char *machine, int slot)
{
    gboolean dropped = FALSE;

    for (int i = slot >= 0 ? slot : 0; i <= (slot >= 0 ? slot : VITRINE_ADAPTER_COUNT - 1); i++) {
        g_autofree char *id = card_id(machine, (guint)i);
        GHashTableIter iter;
        gpointer network;

        g_hash_table_iter_init(&iter, networks->by_name);
        while (g_hash_table_iter_next(&iter, NULL, &network)) {
            if (drop_card(network, id)) {
                g_hash_table_iter_remove(&iter);
                dropped = TRUE;
            }
        }
    }
    if (dropped)
        networks_publish(networks->service);
}

void
network_drop_unused(Network *network)
{
    if (network->cards->len == 0 && !network->kept)
        g_hash_table_remove(network->networks->by_name, network->name);
}

gboolean
networks_are_kept(Networks *networks)
{
    GHashTableIter iter;
    gpointer network;

    g_hash_table_iter_init(&iter, networks->by_name);
    while (g_hash_table_iter_next(&iter, NULL, &network)) {
        if (((Network *)network)->kept)
            return TRUE;
    }
    return FALSE;
}

int
networks_open(Networks *networks, const char *machine, guint slot, const VitrineAdapter *adapter,
              char **warning, GError **error)
{
    g_autofree char *id = card_id(machine, slot);
    Network *network;
    int descriptor = -1;

    networks_close(networks, machine, (int)slot);
    if (adapter->network == VITRINE_NETWORK_GENERIC)
        return network_open_tunnel(adapter, error);
    network = find_network(networks, machine, slot, adapter, warning, error);
    if (network == NULL)
        return -1;
    if (add_card(network, id, adapter, &descriptor, warning, error))
        return descriptor;
    if (descriptor >= 0)
        close(descriptor);
    networks_close(networks, machine, (int)slot);
    return -1;
}

/* --- changes --- */

static NetworkCard *
find_card(const Network *network, const char *id)
{
    for (guint i = 0; i < network->cards->len; i++) {
        NetworkCard *card = network->cards->pdata[i];

        if (g_str_equal(card->id, id))
            return card;
    }
    return NULL;
}

static gboolean
change_forwards(Network *network, NetworkCard *card, const VitrineAdapter *before,
                const VitrineAdapter *now, GError **error)
{
    g_auto(GStrv) old = g_strsplit(before->nat_forwards, "\n", -1);

    if (g_str_equal(before->nat_forwards, now->nat_forwards))
        return TRUE;
    for (char **line = old; *line != NULL; line++) {
        g_autofree char *text = network_forward_request("unforward", *line, FALSE);

        if (**line != '\0')
            network_ask_text(network, text, NULL);
    }
    g_ptr_array_set_size(card->forwards, 0);
    return add_forwards(network, card, now->nat_forwards, error);
}

gboolean
networks_update(Networks *networks, const char *machine, guint slot, const VitrineAdapter *before,
                const VitrineAdapter *now, GError **error)
{
    g_autofree char *id = card_id(machine, slot);
    g_autofree char *name = network_name(machine, slot, now, NULL);
    Network *network = name != NULL ? g_hash_table_lookup(networks->by_name, name) : NULL;
    NetworkCard *card = network != NULL ? find_card(network, id) : NULL;
    g_autofree char *policy = NULL;

    if (card == NULL)
        return TRUE;
    if (before->promiscuous != now->promiscuous) {
        policy = g_strdup_printf("policy\nid=%s\npolicy=%s", id, policy_word(now));
        if (!network_ask_text(network, policy, error))
            return FALSE;
    }
    return now->network != VITRINE_NETWORK_NAT ||
           change_forwards(network, card, before, now, error);
}
