/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Networks: see the header. The worker's requests are in app/worker/README.md. The worker is
 * hostile as soon as it has seen a frame: it is asked with a limit of time, and its answers are
 * bounded. */
#include "app/service/network-private.h"

#include <errno.h>
#include <gio/gunixfdmessage.h>
#include <glib-unix.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ANSWER_MAX 1024
#define ANSWER_SECONDS 2
#define RESTARTS_MAX 20
#define EVENT "lease\n"
#define EVENTS_MAX 256

static gboolean start(Network *network, GError **error);

/* --- talking to a worker --- */

static gboolean
fail_errno(GError **error, int errnum)
{
    g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_FAILED,
                "The network's process cannot be reached: %s.", g_strerror(errnum));
    return FALSE;
}

static gboolean
send_request(int control, const NetworkRequest *request)
{
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(sizeof(int))];
    } rights = {.header = {CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS}};
    struct iovec part = {request->text, strlen(request->text)};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};

    if (request->descriptor >= 0) {
        memcpy(CMSG_DATA(&rights.header), &request->descriptor, sizeof(int));
        message.msg_control = &rights;
        message.msg_controllen = sizeof(rights);
    }
    return sendmsg(control, &message, MSG_NOSIGNAL) >= 0;
}

/* What the worker says by itself may come before its answer. */
static ssize_t
receive_answer(Network *network, char answer[ANSWER_MAX + 1])
{
    for (guint i = 0; i < EVENTS_MAX; i++) {
        const ssize_t got = recv(network->control, answer, ANSWER_MAX, 0);

        if (got <= 0)
            return got;
        answer[got] = '\0';
        if (!g_str_has_prefix(answer, EVENT))
            return got;
        network_take_lease(network, answer);
    }
    errno = EPROTO;
    return -1;
}

gboolean
network_ask(Network *network, const NetworkRequest *request, GError **error)
{
    char answer[ANSWER_MAX + 1];
    char *sentence;
    guint64 code;
    ssize_t got;

    if (!send_request(network->control, request))
        return fail_errno(error, errno);
    got = receive_answer(network, answer);
    if (got <= 0)
        return fail_errno(error, got < 0 ? errno : EPIPE);
    if (g_str_equal(answer, "ok"))
        return TRUE;
    code = g_str_has_prefix(answer, "error ") ? g_ascii_strtoull(answer + 6, &sentence, 10) : 0;
    if (code == 0 && !g_str_has_prefix(answer, "error 0"))
        return fail_errno(error, EPROTO);
    g_autofree char *text = g_utf8_make_valid(g_strstrip(sentence), -1);
    g_set_error_literal(error, VITRINE_ERROR, (int)MIN(code, VITRINE_ERROR_DISCONNECTED), text);
    return FALSE;
}

gboolean
network_ask_text(Network *network, const char *text, GError **error)
{
    const NetworkRequest request = {(char *)text, -1};

    return network_ask(network, &request, error);
}

static gboolean
on_event(int fd, GIOCondition condition, gpointer user_data)
{
    Network *network = user_data;
    char text[ANSWER_MAX + 1];
    const ssize_t got = recv(fd, text, ANSWER_MAX, MSG_DONTWAIT);

    if (got < 0 && errno == EAGAIN)
        return G_SOURCE_CONTINUE;
    if (got <= 0) {
        network->event_source = 0;
        return G_SOURCE_REMOVE;
    }
    text[got] = '\0';
    if (g_str_has_prefix(text, EVENT))
        network_take_lease(network, text);
    return G_SOURCE_CONTINUE;
}

static void
close_control(Network *network)
{
    if (network->event_source != 0)
        g_source_remove(network->event_source);
    network->event_source = 0;
    if (network->control >= 0)
        close(network->control);
    network->control = -1;
}

/* --- a worker's life --- */

static void
say_all_again(Network *network)
{
    network_say_dhcp(network, NULL);
    if (network->trunk != NULL)
        network_ask(network, network->trunk, NULL);
    for (guint i = 0; i < network->forwards->len; i++)
        network_ask_text(network, network->forwards->pdata[i], NULL);
    for (guint i = 0; i < network->cards->len; i++) {
        const NetworkCard *card = network->cards->pdata[i];

        network_ask(network, &card->port, NULL);
        for (guint j = 0; j < card->forwards->len; j++)
            network_ask_text(network, card->forwards->pdata[j], NULL);
    }
}

static void
on_ended(GPid pid, int status, gpointer user_data)
{
    Network *network = user_data;
    g_autoptr(GError) error = NULL;

    g_spawn_close_pid(pid);
    network->watch = 0;
    close_control(network);
    g_warning("The process of the network %s has ended (status %d).", network->name, status);
    if (network->restarts++ < RESTARTS_MAX && start(network, &error))
        say_all_again(network);
    else
        g_warning("The network %s stays down: %s", network->name,
                  error != NULL ? error->message : "it has ended too often");
}

static gboolean
spawn(Network *network, int worker_end, GError **error)
{
    g_autofree char *program = vitrine_find_program("vitrine-worker", error);
    const int target = 3;

    if (program == NULL)
        return FALSE;
    const char *const argv[] = {program, "network", NULL};
    return g_spawn_async_with_pipes_and_fds(
        NULL, argv, NULL,
        G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_STDOUT_TO_DEV_NULL | G_SPAWN_STDERR_TO_DEV_NULL, NULL,
        NULL, -1, -1, -1, &worker_end, &target, 1, &network->pid, NULL, NULL, NULL, error);
}

static gboolean
start(Network *network, GError **error)
{
    const struct timeval limit = {ANSWER_SECONDS, 0};
    int pair[2];
    gboolean ok;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return fail_errno(error, errno);
    setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    ok = spawn(network, pair[1], error);
    close(pair[1]);
    network->control = pair[0];
    if (!ok) {
        close(pair[0]);
        network->control = -1;
        return FALSE;
    }
    network->watch = g_child_watch_add(network->pid, on_ended, network);
    network->event_source = g_unix_fd_add(network->control, G_IO_IN, on_event, network);
    return network_ask_text(network, network->setup, error);
}

static void
request_clear(NetworkRequest *request)
{
    g_free(request->text);
    if (request->descriptor >= 0)
        close(request->descriptor);
}

static void
card_free(gpointer data)
{
    NetworkCard *card = data;

    request_clear(&card->port);
    g_ptr_array_unref(card->forwards);
    g_free(card->id);
    g_free(card);
}

static void
on_reaped(GPid pid, int status, gpointer user_data)
{
    g_spawn_close_pid(pid);
}

/* Its socket's end is the worker's. */
static void
leave_worker(Network *network)
{
    if (network->watch != 0) {
        g_source_remove(network->watch);
        g_child_watch_add(network->pid, on_reaped, NULL);
    }
    network->watch = 0;
    close_control(network);
}

static void
network_free(gpointer data)
{
    Network *network = data;

    leave_worker(network);
    network_close_leases(network);
    if (network->trunk != NULL)
        request_clear(network->trunk);
    g_free(network->trunk);
    g_ptr_array_unref(network->cards);
    g_ptr_array_unref(network->forwards);
    g_free(network->setup);
    g_free(network->name);
    g_free(network);
}

gboolean
network_replace(Network *network, char *setup, GError **error)
{
    g_free(network->setup);
    network->setup = setup;
    leave_worker(network);
    if (!start(network, error))
        return FALSE;
    say_all_again(network);
    return TRUE;
}

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

/* --- what a network is --- */

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

    network_add_key(setup, "ipv4", *adapter->nat_range != '\0' ? adapter->nat_range : usual);
    network_add_key(setup, "bind", adapter->nat_host_ip);
    network_add_key(setup, "tftp-path", adapter->nat_tftp_prefix);
    network_add_key(setup, "tftp-server", adapter->nat_tftp_server);
    network_add_key(setup, "boot-file", adapter->nat_tftp_file);
    if (adapter->nat_localhost)
        network_add_key(setup, "loopback", "1");
    if (adapter->nat_pass_domain)
        network_add_domains(setup);
    return g_string_free(setup, FALSE);
}

/* The name of the network that a card is on; NULL with error where this version has no such. */
static char *
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

static char *
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

static gboolean
add_trunk(Network *network, const char *device, GError **error)
{
    NetworkRequest trunk = {g_strdup("port\nid=host\ntap=1"), network_open_tap(device, error)};

    if (trunk.descriptor < 0) {
        request_clear(&trunk);
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
    if (!start(network, error) ||
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
        return fail_errno(error, errno);
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
