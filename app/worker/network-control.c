/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the service says to the network worker: messages on a local socket, each answered by one
 * message, "ok" or "error" and a sentence. A message is lines: the request's word, then KEY=VALUE;
 * README.md has them. A descriptor may come with one. */
#include "app/worker/network.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "app/api/vitrine-types.h"

#define MESSAGE_MAX 16384u

typedef struct {
    char **lines;
    int descriptor; /* that came with it; -1: none, or taken */
} Request;

static const char *
value_of(const Request *request, const char *key)
{
    const size_t length = strlen(key);

    for (char **line = request->lines + 1; *line != NULL; line++) {
        if (strncmp(*line, key, length) == 0 && (*line)[length] == '=' &&
            (*line)[length + 1] != '\0')
            return *line + length + 1;
    }
    return NULL;
}

static bool
flag_of(const Request *request, const char *key)
{
    return g_strcmp0(value_of(request, key), "1") == 0;
}

static bool
refuse(GError **error, const char *what)
{
    g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_INVALID, "The network worker was asked for %s.",
                what);
    return false;
}

/* --- requests --- */

/* The first request: what the network is. After it the worker is confined. */
static bool
set_up(Network *network, Request *request, GError **error)
{
    const char *search = value_of(request, "search");
    g_auto(GStrv) domains = g_strsplit(search != NULL ? search : "", ",", 8);
    const NatOptions options = {
        .ipv4 = value_of(request, "ipv4"),
        .ipv6 = flag_of(request, "ipv6"),
        .prefix6 = value_of(request, "prefix6"),
        .loopback = flag_of(request, "loopback"),
        .dns = !flag_of(request, "no-dns"),
        .dhcp = !flag_of(request, "no-dhcp"),
        .domain = value_of(request, "domain"),
        .search = search != NULL ? (const char *const *)domains : NULL,
        .tftp_path = value_of(request, "tftp-path"),
        .tftp_server = value_of(request, "tftp-server"),
        .boot_file = value_of(request, "boot-file"),
        .bind = value_of(request, "bind"),
    };
    const char *folders[] = {options.tftp_path, NULL};

    if (network->configured)
        return refuse(error, "a second network");
    network->configured = true;
    if (options.ipv4 != NULL) {
        network->nat = nat_new(network, &options, error);
        if (network->nat == NULL)
            return false;
    }
    return network_confine(folders, error);
}

static bool
parse_mac(const char *text, uint8_t mac[6])
{
    if (text == NULL || strlen(text) != 12)
        return false;
    for (unsigned i = 0; i < 12; i++) {
        if (!g_ascii_isxdigit(text[i]))
            return false;
        mac[i / 2] = (uint8_t)(mac[i / 2] << 4 | g_ascii_xdigit_value(text[i]));
    }
    return true;
}

static PortPolicy
policy_of(const char *text)
{
    if (g_strcmp0(text, "vms") == 0)
        return POLICY_VMS;
    return g_strcmp0(text, "all") == 0 ? POLICY_ALL : POLICY_DENY;
}

static bool
add_port(Network *network, Request *request, GError **error)
{
    const char *id = value_of(request, "id");
    const bool tap = flag_of(request, "tap");
    uint8_t mac[6] = {0};

    if (id == NULL || request->descriptor < 0 ||
        (!tap && !parse_mac(value_of(request, "mac"), mac)))
        return refuse(error, "a card without a name, an address or a socket");
    return network_add_port(network, id, mac, policy_of(value_of(request, "policy")), tap,
                            g_steal_fd(&request->descriptor), error);
}

static bool
remove_port(Network *network, Request *request, GError **error)
{
    const char *id = value_of(request, "id");

    return id != NULL ? network_remove_port(network, id, error)
                      : refuse(error, "a card without a name");
}

static bool
set_policy(Network *network, Request *request, GError **error)
{
    const char *id = value_of(request, "id");
    Port *port = id != NULL ? network_find_port(network, id) : NULL;

    if (port == NULL)
        return refuse(error, "a card that there is not");
    port->policy = policy_of(value_of(request, "policy"));
    return true;
}

static bool
parse_port(const char *text, unsigned *port)
{
    guint64 number;

    if (text == NULL || !g_ascii_string_to_unsigned(text, 10, 1, 65535, &number, NULL))
        return false;
    *port = (unsigned)number;
    return true;
}

static bool
forward(Network *network, Request *request, bool add, GError **error)
{
    const char *host_ip = value_of(request, "host-ip"), *guest_ip = value_of(request, "guest-ip");
    NatForward rule = {
        .udp = g_strcmp0(value_of(request, "protocol"), "udp") == 0,
        .host_ip = host_ip != NULL ? host_ip : "",
        .guest_ip = guest_ip != NULL ? guest_ip : "",
    };

    if (network->nat == NULL || !parse_port(value_of(request, "host-port"), &rule.host_port) ||
        (add && !parse_port(value_of(request, "guest-port"), &rule.guest_port)))
        return refuse(error, "a port that cannot be");
    return add ? nat_add_forward(network->nat, &rule, error)
               : nat_remove_forward(network->nat, &rule, error);
}

static bool
add_forward(Network *network, Request *request, GError **error)
{
    return forward(network, request, true, error);
}

static bool
remove_forward(Network *network, Request *request, GError **error)
{
    return forward(network, request, false, error);
}

static const struct {
    const char *word;
    bool (*run)(Network *network, Request *request, GError **error);
} requests[] = {
    {"forward", add_forward}, {"network", set_up},           {"policy", set_policy},
    {"port", add_port},       {"unforward", remove_forward}, {"unport", remove_port},
};

static bool
run(Network *network, Request *request, GError **error)
{
    for (guint i = 0; i < G_N_ELEMENTS(requests) && request->lines[0] != NULL; i++) {
        if (strcmp(requests[i].word, request->lines[0]) == 0)
            return requests[i].run(network, request, error);
    }
    return refuse(error, "what it does not know");
}

/* --- messages --- */

static int
descriptor_of(struct msghdr *message)
{
    const struct cmsghdr *part = CMSG_FIRSTHDR(message);
    int descriptor = -1;

    if (part != NULL && part->cmsg_level == SOL_SOCKET && part->cmsg_type == SCM_RIGHTS)
        memcpy(&descriptor, CMSG_DATA(part), sizeof(descriptor));
    return descriptor;
}

bool
network_control(Network *network)
{
    char text[MESSAGE_MAX + 1];
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(sizeof(int))];
    } control;
    struct iovec part = {text, MESSAGE_MAX};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof(control)};
    const ssize_t got = recvmsg(network->control, &message, MSG_CMSG_CLOEXEC);
    g_autofree char *answer = NULL;
    g_autoptr(GError) error = NULL;
    Request request;

    if (got <= 0)
        return false;
    text[got] = '\0';
    request = (Request){g_strsplit(text, "\n", 64), descriptor_of(&message)};
    if (run(network, &request, &error))
        answer = g_strdup("ok");
    else
        answer = g_strdup_printf("error %d %s", error->code, error->message);
    if (request.descriptor >= 0)
        close(request.descriptor);
    g_strfreev(request.lines);
    return send(network->control, answer, strlen(answer), MSG_NOSIGNAL) > 0;
}
