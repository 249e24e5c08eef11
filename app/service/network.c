/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Networks: see the header. The worker's requests are in app/worker/README.md. The worker is
 * hostile as soon as it has seen a frame: it is asked with a limit of time, and its answers are
 * bounded. */
#include "app/service/network.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gunixfdmessage.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define ANSWER_MAX 1024
#define ANSWER_SECONDS 2
#define TAP_HEADER_SIZE 10
#define RESTARTS_MAX 20

/* A request that is said again to a worker that takes the place of another. */
typedef struct {
    char *text;
    int descriptor; /* that goes with it; owned; -1: none */
} Request;

/* A card on a network. */
typedef struct {
    char *id; /* "<machine>/<slot>" */
    Request port;
    GPtrArray *forwards; /* texts of requests "forward" */
} Card;

typedef struct {
    Networks *networks;
    char *name;
    char *setup;
    Request *trunk; /* the host's TAP device, or NULL */
    GPtrArray *cards;
    int control;
    GPid pid;
    guint watch, restarts;
} Network;

struct Networks {
    GHashTable *by_name; /* Network */
};

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
send_request(int control, const Request *request)
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

static gboolean
ask(const Network *network, const Request *request, GError **error)
{
    char answer[ANSWER_MAX + 1];
    char *sentence;
    guint64 code;
    ssize_t got;

    if (!send_request(network->control, request))
        return fail_errno(error, errno);
    got = recv(network->control, answer, ANSWER_MAX, 0);
    if (got <= 0)
        return fail_errno(error, got < 0 ? errno : EPIPE);
    answer[got] = '\0';
    if (g_str_equal(answer, "ok"))
        return TRUE;
    code = g_str_has_prefix(answer, "error ") ? g_ascii_strtoull(answer + 6, &sentence, 10) : 0;
    if (code == 0 && !g_str_has_prefix(answer, "error 0"))
        return fail_errno(error, EPROTO);
    g_autofree char *text = g_utf8_make_valid(g_strstrip(sentence), -1);
    g_set_error_literal(error, VITRINE_ERROR, (int)MIN(code, VITRINE_ERROR_DISCONNECTED), text);
    return FALSE;
}

static gboolean
ask_text(const Network *network, const char *text, GError **error)
{
    const Request request = {(char *)text, -1};

    return ask(network, &request, error);
}

/* --- a worker's life --- */

static void
say_all_again(Network *network)
{
    if (network->trunk != NULL)
        ask(network, network->trunk, NULL);
    for (guint i = 0; i < network->cards->len; i++) {
        const Card *card = network->cards->pdata[i];

        ask(network, &card->port, NULL);
        for (guint j = 0; j < card->forwards->len; j++)
            ask_text(network, card->forwards->pdata[j], NULL);
    }
}

static void
on_ended(GPid pid, int status, gpointer user_data)
{
    Network *network = user_data;
    g_autoptr(GError) error = NULL;

    g_spawn_close_pid(pid);
    network->watch = 0;
    close(network->control);
    network->control = -1;
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
    return ask_text(network, network->setup, error);
}

static void
request_clear(Request *request)
{
    g_free(request->text);
    if (request->descriptor >= 0)
        close(request->descriptor);
}

static void
card_free(gpointer data)
{
    Card *card = data;

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
network_free(gpointer data)
{
    Network *network = data;

    if (network->watch != 0) {
        g_source_remove(network->watch);
        g_child_watch_add(network->pid, on_reaped, NULL);
    }
    if (network->control >= 0)
        close(network->control);
    if (network->trunk != NULL)
        request_clear(network->trunk);
    g_free(network->trunk);
    g_ptr_array_unref(network->cards);
    g_free(network->setup);
    g_free(network->name);
    g_free(network);
}

Networks *
networks_new(void)
{
    Networks *networks = g_new0(Networks, 1);

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

static void
add_text(GString *setup, const char *key, const char *value)
{
    /* A line's end would begin another key. */
    if (*value != '\0' && strchr(value, '\n') == NULL)
        g_string_append_printf(setup, "\n%s=%s", key, value);
}

static char *
nat_setup(const VitrineAdapter *adapter, guint slot)
{
    GString *setup = g_string_new("network\nipv6=1");
    g_autofree char *usual = g_strdup_printf("10.0.%u.0/24", slot + 2);

    add_text(setup, "ipv4", *adapter->nat_range != '\0' ? adapter->nat_range : usual);
    add_text(setup, "bind", adapter->nat_host_ip);
    add_text(setup, "tftp-path", adapter->nat_tftp_prefix);
    add_text(setup, "tftp-server", adapter->nat_tftp_server);
    add_text(setup, "boot-file", adapter->nat_tftp_file);
    if (adapter->nat_localhost)
        add_text(setup, "loopback", "1");
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
    case VITRINE_NETWORK_NAT_NETWORK: return g_strdup_printf("nat/%s", adapter->nat_network);
    case VITRINE_NETWORK_BRIDGED: return g_strdup_printf("tap/%s", adapter->bridged_interface);
    case VITRINE_NETWORK_HOST_ONLY: return g_strdup_printf("tap/%s", adapter->host_only_interface);
    default:
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_NOT_SUPPORTED,
                    "This version cannot attach a network card in this way.");
        return NULL;
    }
}

static char *
network_setup(const VitrineAdapter *adapter, guint slot)
{
    if (adapter->network == VITRINE_NETWORK_NAT)
        return nat_setup(adapter, slot);
    if (adapter->network == VITRINE_NETWORK_NAT_NETWORK)
        return g_strdup("network\nipv4=10.0.2.0/24");
    return g_strdup("network");
}

/* A TAP device of the host that its administrator has given to this user. */
static int
open_tap(const char *name, GError **error)
{
    struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR};
    const int header = TAP_HEADER_SIZE;
    int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK), errnum;

    g_strlcpy(request.ifr_name, name, sizeof(request.ifr_name));
    if (fd >= 0 && if_nametoindex(name) != 0 && ioctl(fd, TUNSETIFF, &request) == 0 &&
        ioctl(fd, TUNSETVNETHDRSZ, &header) == 0)
        return fd;
    errnum = errno;
    if (fd >= 0)
        close(fd);
    g_set_error(
        error, VITRINE_ERROR, VITRINE_ERROR_DENIED,
        "The host's network “%s” cannot be used: %s. It has to be a TAP device that belongs "
        "to you; an administrator makes one with “ip tuntap add dev %s mode tap user %s”.",
        name, g_strerror(errnum), *name != '\0' ? name : "NAME", g_get_user_name());
    return -1;
}

static gboolean
add_trunk(Network *network, const char *device, GError **error)
{
    Request trunk = {g_strdup("port\nid=host\ntap=1"), open_tap(device, error)};

    if (trunk.descriptor < 0) {
        request_clear(&trunk);
        return FALSE;
    }
    network->trunk = g_memdup2(&trunk, sizeof(trunk));
    return ask(network, network->trunk, error);
}

static Network *
make_network(Networks *networks, char *name, char *setup, GError **error)
{
    Network *network = g_new0(Network, 1);

    network->networks = networks;
    network->name = name;
    network->setup = setup;
    network->control = -1;
    network->cards = g_ptr_array_new_with_free_func(card_free);
    if (!start(network, error) ||
        (g_str_has_prefix(name, "tap/") && !add_trunk(network, name + 4, error))) {
        network_free(network);
        return NULL;
    }
    g_hash_table_insert(networks->by_name, network->name, network);
    return network;
}

static Network *
find_network(Networks *networks, const char *machine, guint slot, const VitrineAdapter *adapter,
             GError **error)
{
    g_autofree char *name = network_name(machine, slot, adapter, error);
    Network *network = name != NULL ? g_hash_table_lookup(networks->by_name, name) : NULL;

    if (name == NULL || network != NULL)
        return network;
    return make_network(networks, g_steal_pointer(&name), network_setup(adapter, slot), error);
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

/* "forward" or "unforward" of a line of the settings; NULL: it is none. */
static char *
forward_request(const char *word, const char *line)
{
    static const char *const keys[] = {NULL,        "protocol", "host-ip",
                                       "host-port", "guest-ip", "guest-port"};
    g_auto(GStrv) words = g_strsplit(line, ",", 6);
    GString *text = g_string_new(word);

    for (guint i = 1; i < G_N_ELEMENTS(keys) && g_strv_length(words) == 6; i++)
        add_text(text, keys[i], words[i]);
    return g_string_free(text, FALSE);
}

static gboolean
add_forwards(Network *network, Card *card, const char *lines, GError **error)
{
    g_auto(GStrv) list = g_strsplit(lines, "\n", -1);
    gboolean done = TRUE;

    for (char **line = list; *line != NULL; line++) {
        if (**line == '\0')
            continue;
        g_ptr_array_add(card->forwards, forward_request("forward", *line));
        /* The others are there all the same; the first that cannot be is named. */
        if (!ask_text(network, card->forwards->pdata[card->forwards->len - 1], done ? error : NULL))
            done = FALSE;
    }
    return done;
}

static gboolean
add_card(Network *network, const char *id, const VitrineAdapter *adapter, int *machine_end,
         char **warning, GError **error)
{
    g_autoptr(GError) refused = NULL;
    Card *card;
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return fail_errno(error, errno);
    card = g_new0(Card, 1);
    card->id = g_strdup(id);
    card->port.text =
        g_strdup_printf("port\nid=%s\nmac=%s\npolicy=%s", id, adapter->mac, policy_word(adapter));
    card->port.descriptor = pair[1];
    card->forwards = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(network->cards, card);
    *machine_end = pair[0];
    if (!ask(network, &card->port, error))
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
        const Card *card = network->cards->pdata[i];
        g_autofree char *text = NULL;

        if (!g_str_equal(card->id, id))
            continue;
        text = g_strdup_printf("unport\nid=%s", id);
        if (network->cards->len > 1)
            ask_text(network, text, NULL);
        g_ptr_array_remove_index(network->cards, i);
        return network->cards->len == 0;
    }
    return FALSE;
}

void
networks_close(Networks *networks, const char *machine, int slot)
{
    for (int i = slot >= 0 ? slot : 0; i <= (slot >= 0 ? slot : VITRINE_ADAPTER_COUNT - 1); i++) {
        g_autofree char *id = card_id(machine, (guint)i);
        GHashTableIter iter;
        gpointer network;

        g_hash_table_iter_init(&iter, networks->by_name);
        while (g_hash_table_iter_next(&iter, NULL, &network)) {
            if (drop_card(network, id))
                g_hash_table_iter_remove(&iter);
        }
    }
}

int
networks_open(Networks *networks, const char *machine, guint slot, const VitrineAdapter *adapter,
              char **warning, GError **error)
{
    g_autofree char *id = card_id(machine, slot);
    Network *network;
    int descriptor = -1;

    networks_close(networks, machine, (int)slot);
    network = find_network(networks, machine, slot, adapter, error);
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

static Card *
find_card(const Network *network, const char *id)
{
    for (guint i = 0; i < network->cards->len; i++) {
        Card *card = network->cards->pdata[i];

        if (g_str_equal(card->id, id))
            return card;
    }
    return NULL;
}

static gboolean
change_forwards(Network *network, Card *card, const VitrineAdapter *before,
                const VitrineAdapter *now, GError **error)
{
    g_auto(GStrv) old = g_strsplit(before->nat_forwards, "\n", -1);

    if (g_str_equal(before->nat_forwards, now->nat_forwards))
        return TRUE;
    for (char **line = old; *line != NULL; line++) {
        g_autofree char *text = forward_request("unforward", *line);

        if (**line != '\0')
            ask_text(network, text, NULL);
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
    Card *card = network != NULL ? find_card(network, id) : NULL;
    g_autofree char *policy = NULL;

    if (card == NULL)
        return TRUE;
    if (before->promiscuous != now->promiscuous) {
        policy = g_strdup_printf("policy\nid=%s\npolicy=%s", id, policy_word(now));
        if (!ask_text(network, policy, error))
            return FALSE;
    }
    return now->network != VITRINE_NETWORK_NAT ||
           change_forwards(network, card, before, now, error);
}
