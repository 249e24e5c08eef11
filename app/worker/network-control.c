/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the service says to the network worker: messages on a local socket, each answered by one
 * message, "ok" or "error" and a sentence. A message is lines: the request's word, then KEY=VALUE;
 * README.md has them. A descriptor may come with one. */
#include "app/worker/network.h"

#include <arpa/inet.h>
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

/* 0: none, or no number. */
static uint32_t
number_of(const Request *request, const char *key)
{
    const char *text = value_of(request, key);
    guint64 number;

    return text != NULL && g_ascii_string_to_unsigned(text, 10, 0, UINT32_MAX, &number, NULL)
               ? (uint32_t)number
               : 0;
}

/* 0: none, or no address. In the host's order. */
static uint32_t
address_of(const Request *request, const char *key)
{
    const char *text = value_of(request, key);
    struct in_addr address;

    return text != NULL && inet_pton(AF_INET, text, &address) == 1 ? ntohl(address.s_addr) : 0;
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
        .loopback6 = number_of(request, "loopback6"),
        .dns = !flag_of(request, "no-dns"),
        .dhcp = !flag_of(request, "no-dhcp"),
        .host_names = flag_of(request, "host-names"),
        .domain = value_of(request, "domain"),
        .search = search != NULL ? (const char *const *)domains : NULL,
        .tftp_path = value_of(request, "tftp-path"),
        .tftp_server = value_of(request, "tftp-server"),
        .boot_file = value_of(request, "boot-file"),
        .bind = value_of(request, "bind"),
        .host = number_of(request, "host"),
        .name_server = number_of(request, "name-server"),
    };
    const char *folders[] = {options.tftp_path, NULL};

    if (network->configured)
        return refuse(error, "a second network");
    network->configured = true;
    if (options.ipv4 != NULL) {
        network->nat = nat_new(network, &options, error);
        if (network->nat == NULL)
            return false;
        local_set_gateway(network, address_of(request, "gateway"));
        if (flag_of(request, "resolver"))
            network->resolver = resolver_new();
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
        .ipv6 = flag_of(request, "ipv6"),
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

/* --- the DHCP server --- */

static void
on_lease(void *user, const DhcpLease *lease)
{
    const uint8_t *mac = lease->mac;
    g_autofree char *text = g_strdup_printf(
        "lease\nmac=%02X%02X%02X%02X%02X%02X\naddress=%u.%u.%u.%u\nissued=%" G_GINT64_FORMAT
        "\nseconds=%u\nbound=%d",
        mac[0], mac[1], mac[2], mac[3], mac[4], mac[5], lease->address >> 24,
        lease->address >> 16 & 255, lease->address >> 8 & 255, lease->address & 255, lease->issued,
        lease->seconds, lease->bound);

    network_tell(user, text);
}

static bool
set_dhcp(Network *network, Request *request, GError **error)
{
    const DhcpRange range = {address_of(request, "server"), address_of(request, "mask"),
                             address_of(request, "lower"), address_of(request, "upper")};
    Dhcp *dhcp = NULL;

    if (value_of(request, "server") != NULL) {
        dhcp = dhcp_new(&range, on_lease, network);
        if (dhcp == NULL)
            return refuse(error, "a range of addresses that is none");
    }
    local_set_dhcp(network, dhcp);
    return true;
}

/* Whom a setting is for. */
static bool
read_scope(const Request *request, DhcpScope *scope)
{
    const char *mac = value_of(request, "mac");

    *scope = (DhcpScope){.kind = DHCP_FOR_ALL, .group = number_of(request, "group")};
    if (value_of(request, "group") != NULL)
        scope->kind = DHCP_FOR_GROUP;
    else if (mac != NULL)
        scope->kind = DHCP_FOR_CARD;
    return mac == NULL || parse_mac(mac, scope->mac);
}

static bool
set_dhcp_option(Network *network, Request *request, GError **error)
{
    const char *hex = value_of(request, "data");
    const uint32_t number = number_of(request, "number");
    const size_t size = hex != NULL ? strlen(hex) / 2 : 0;
    uint8_t data[256];
    DhcpScope scope;

    for (size_t i = 0; i < MIN(size, sizeof(data)); i++)
        data[i] =
            (uint8_t)(g_ascii_xdigit_value(hex[2 * i]) << 4 | g_ascii_xdigit_value(hex[2 * i + 1]));
    if (network->dhcp == NULL || number > 255 || size > 255 || !read_scope(request, &scope) ||
        !dhcp_set_option(network->dhcp, &scope, (uint8_t)number, data, size,
                         flag_of(request, "forced")))
        return refuse(error, "a DHCP option that cannot be");
    return true;
}

static bool
set_dhcp_times(Network *network, Request *request, GError **error)
{
    const uint32_t seconds[DHCP_TIMES] = {number_of(request, "least"), number_of(request, "usual"),
                                          number_of(request, "most")};
    DhcpScope scope;

    if (network->dhcp == NULL || !read_scope(request, &scope) ||
        !dhcp_set_times(network->dhcp, &scope, seconds))
        return refuse(error, "lease times that cannot be");
    return true;
}

static bool
set_dhcp_condition(Network *network, Request *request, GError **error)
{
    static const char *const kinds[] = {
        [DHCP_MAC] = "mac",       [DHCP_MAC_PATTERN] = "mac-wild",
        [DHCP_VENDOR] = "vendor", [DHCP_VENDOR_PATTERN] = "vendor-wild",
        [DHCP_USER] = "user",     [DHCP_USER_PATTERN] = "user-wild"};
    const char *value = value_of(request, "value"), *kind = value_of(request, "kind");
    size_t size = value != NULL ? strlen(value) : 0;
    uint8_t mac[6];

    for (unsigned i = 0; i < G_N_ELEMENTS(kinds) && network->dhcp != NULL; i++) {
        if (g_strcmp0(kind, kinds[i]) != 0)
            continue;
        if (i == DHCP_MAC) {
            value = parse_mac(value, mac) ? (const char *)mac : NULL;
            size = value != NULL ? sizeof(mac) : 0;
        }
        if (dhcp_set_condition(network->dhcp, number_of(request, "group"),
                               flag_of(request, "include"), i, value, size))
            return true;
    }
    return refuse(error, "a condition that cannot be");
}

static bool
set_dhcp_fixed(Network *network, Request *request, GError **error)
{
    uint8_t mac[6];

    if (network->dhcp == NULL || !parse_mac(value_of(request, "mac"), mac) ||
        !dhcp_set_fixed(network->dhcp, mac, address_of(request, "address")))
        return refuse(error, "a fixed address that is not in the network");
    return true;
}

static bool
restore_lease(Network *network, Request *request, GError **error)
{
    const char *issued = value_of(request, "issued");
    DhcpLease lease = {.address = address_of(request, "address"),
                       .seconds = number_of(request, "seconds"),
                       .issued = issued != NULL ? g_ascii_strtoll(issued, NULL, 10) : 0,
                       .bound = flag_of(request, "bound")};

    if (network->dhcp == NULL || !parse_mac(value_of(request, "mac"), lease.mac))
        return refuse(error, "a lease that cannot be");
    dhcp_restore(network->dhcp, &lease);
    return true;
}

/* --- names --- */

static bool
answer_question(Network *network, Request *request, GError **error)
{
    const char *content = value_of(request, "content");

    /* A name that is there may have no address of the kind. */
    if (content == NULL && !flag_of(request, "missing"))
        content = "";
    resolver_answer(network, number_of(request, "number"), content, flag_of(request, "failed"));
    return true;
}

static const struct {
    const char *word;
    bool (*run)(Network *network, Request *request, GError **error);
} requests[] = {
    {"dhcp", set_dhcp},
    {"dhcp-condition", set_dhcp_condition},
    {"dhcp-fixed", set_dhcp_fixed},
    {"dhcp-lease", restore_lease},
    {"dhcp-option", set_dhcp_option},
    {"dhcp-times", set_dhcp_times},
    {"forward", add_forward},
    {"network", set_up},
    {"policy", set_policy},
    {"port", add_port},
    {"resolved", answer_question},
    {"unforward", remove_forward},
    {"unport", remove_port},
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

void
network_tell(Network *network, const char *text)
{
    if (send(network->control, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
        return;
}
