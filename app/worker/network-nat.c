/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The gateway of a network on libslirp: NAT for TCP, UDP and ICMP, DHCP, a name server that passes
 * questions on, TFTP, and ports of the host that lead to machines. The network's addresses: .2 the
 * gateway, .3 the name server, .15 the first machine (manual, chapter "Networking"). */
#include "app/worker/network-join.h"
#include "app/worker/network.h"

#include <arpa/inet.h>
#include <errno.h>
#include <slirp/libslirp.h>
#include <string.h>

#include "app/api/vitrine-types.h"

#define GATEWAY 2u
#define NAME_SERVER 3u
#define FIRST_MACHINE 15u
#define PREFIX6_BITS 64
#define FRAME_USUAL_MAX 1514u
#define SERVER_PORTS 69u /* DHCP, TFTP */
#define PREFIX6_USUAL "fd17:625c:f037:2::"

typedef struct {
    SlirpTimerId id;
    void *opaque;
    int64_t due_ms; /* -1: not set */
} NatTimer;

struct Nat {
    Network *network;
    Slirp *slirp;
    GPtrArray *timers; /* NatTimer */
    GArray *fds;       /* while libslirp fills or reads it: the loop's */
    struct in_addr first, host, name_server;
    struct in6_addr name_server6; /* zero: there is no IPv6 */
    NamesNetwork names;
    bool host_names;
    NatReach reach;
    Fragments *fragments;
    Joiner *joiner; /* of what libslirp sends */
};

/* --- what libslirp asks for --- */

static int64_t
clock_ns(void *opaque)
{
    return g_get_monotonic_time() * 1000;
}

static ssize_t
send_packet(const void *data, size_t size, void *opaque)
{
    Nat *nat = opaque;
    const ssize_t sent = (ssize_t)size;
    g_autofree uint8_t *changed = NULL;

    if (size > PDM_NETWORK_FRAME_MAX)
        return sent;
    if (nat->host_names && size <= FRAME_USUAL_MAX && names_may_be_in(data, size)) {
        changed = g_malloc(FRAME_USUAL_MAX);
        memcpy(changed, data, size);
        size = names_tell(changed, size, FRAME_USUAL_MAX, &nat->names);
    }
    joiner_add(nat->joiner, changed != NULL ? changed : data, size);
    return sent;
}

static void
forward(void *user, uint8_t *data, size_t size, const PdmFrameOffload *offload)
{
    network_forward(((Nat *)user)->network, PLACE_HOST, data, size, offload);
}

void
nat_flush(Nat *nat)
{
    joiner_flush(nat->joiner);
}

static void
guest_error(const char *message, void *opaque)
{
}

static void *
timer_new_opaque(SlirpTimerId id, void *timer_opaque, void *opaque)
{
    Nat *nat = opaque;
    NatTimer *timer = g_new(NatTimer, 1);

    *timer = (NatTimer){id, timer_opaque, -1};
    g_ptr_array_add(nat->timers, timer);
    return timer;
}

static void
timer_free(void *timer, void *opaque)
{
    g_ptr_array_remove(((Nat *)opaque)->timers, timer);
}

static void
timer_mod(void *timer, int64_t due_ms, void *opaque)
{
    ((NatTimer *)timer)->due_ms = due_ms;
}

static void
ignore_fd(int fd, void *opaque)
{
}

static void
ignore(void *opaque)
{
}

static const SlirpCb callbacks = {
    .send_packet = send_packet,
    .guest_error = guest_error,
    .clock_get_ns = clock_ns,
    .timer_free = timer_free,
    .timer_mod = timer_mod,
    .register_poll_fd = ignore_fd,
    .unregister_poll_fd = ignore_fd,
    .notify = ignore,
    .timer_new_opaque = timer_new_opaque,
};

/* --- frames --- */

static bool
is_tcp4(const uint8_t *data, size_t size)
{
    FrameParts parts;

    return frame_parse(data, size, &parts) && parts.type == FRAME_IPV4 &&
           parts.network == FRAME_ETHERNET && parts.protocol == IPPROTO_TCP && parts.payload != 0;
}

/* Servers of libslirp's own have no use for datagrams of more than a frame. */
static bool
is_long_for_server(const uint8_t *data, size_t size)
{
    FrameParts parts;

    return frame_parse(data, size, &parts) && parts.protocol == FRAME_UDP && parts.payload != 0 &&
           frame_load16(data + parts.transport + 2) <= SERVER_PORTS;
}

/* libslirp 4.7 damages its memory when it joins hostile fragments: it gets whole datagrams. What
 * else is longer than a frame can only be TCP. */
static void
give(void *user, uint8_t *data, size_t size)
{
    Nat *nat = user;

    if (fragments_is_one(data, size)) {
        data = fragments_add(nat->fragments, data, size, g_get_monotonic_time(), &size);
        if (data == NULL || is_long_for_server(data, size))
            return;
    } else if (size > FRAME_USUAL_MAX && !is_tcp4(data, size)) {
        return;
    }
    if (reach_allows(&nat->reach, data, size))
        slirp_input(nat->slirp, data, (int)size);
}

void
nat_input(Nat *nat, uint8_t *data, size_t size, const PdmFrameOffload *offload)
{
    /* A long TCP segment is one to it as well: it ends the connection and does not pass it on. Over
     * IPv6 it refuses what is longer than its MTU. */
    if (offload->segment != PDM_SEGMENT_TCP4 || !is_tcp4(data, size)) {
        frame_finish(data, size, offload, give, nat);
        return;
    }
    if (offload->needs_checksum)
        frame_put_checksum(data, size, offload);
    give(nat, data, size);
}

/* --- the loop --- */

static int
add_poll(int fd, int events, void *opaque)
{
    Nat *nat = opaque;
    const GPollFD entry = {
        .fd = fd,
        .events = (gushort)(((events & SLIRP_POLL_IN) != 0 ? G_IO_IN : 0) |
                            ((events & SLIRP_POLL_OUT) != 0 ? G_IO_OUT : 0) |
                            ((events & SLIRP_POLL_PRI) != 0 ? G_IO_PRI : 0) |
                            ((events & SLIRP_POLL_ERR) != 0 ? G_IO_ERR : 0) |
                            ((events & SLIRP_POLL_HUP) != 0 ? G_IO_HUP : 0)),
    };

    g_array_append_val(nat->fds, entry);
    return (int)nat->fds->len - 1;
}

static int
get_events(int index, void *opaque)
{
    const Nat *nat = opaque;
    const gushort events = g_array_index(nat->fds, GPollFD, (guint)index).revents;

    return ((events & G_IO_IN) != 0 ? SLIRP_POLL_IN : 0) |
           ((events & G_IO_OUT) != 0 ? SLIRP_POLL_OUT : 0) |
           ((events & G_IO_PRI) != 0 ? SLIRP_POLL_PRI : 0) |
           ((events & G_IO_ERR) != 0 ? SLIRP_POLL_ERR : 0) |
           ((events & G_IO_HUP) != 0 ? SLIRP_POLL_HUP : 0);
}

void
nat_prepare(Nat *nat, GArray *fds, int *timeout)
{
    const int64_t now = g_get_monotonic_time() / 1000;
    uint32_t wait = UINT32_MAX;

    nat->fds = fds;
    slirp_pollfds_fill(nat->slirp, &wait, add_poll, nat);
    for (guint i = 0; i < nat->timers->len; i++) {
        const NatTimer *timer = nat->timers->pdata[i];

        if (timer->due_ms >= 0)
            wait = (uint32_t)MIN((int64_t)wait, MAX(timer->due_ms - now, 0));
    }
    *timeout = wait > INT_MAX ? -1 : (int)wait;
}

void
nat_dispatch(Nat *nat, GArray *fds)
{
    const int64_t now = g_get_monotonic_time() / 1000;

    nat->fds = fds;
    slirp_pollfds_poll(nat->slirp, 0, get_events, nat);
    for (guint i = 0; i < nat->timers->len; i++) {
        NatTimer *timer = nat->timers->pdata[i];

        if (timer->due_ms < 0 || timer->due_ms > now)
            continue;
        timer->due_ms = -1;
        slirp_handle_timer(nat->slirp, timer->id, timer->opaque);
    }
}

/* --- what it is made of --- */

static bool
refuse(GError **error, const char *what, const char *text)
{
    g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_INVALID, "“%s” is no %s.", text, what);
    return false;
}

static struct in_addr
host_of(struct in_addr network, unsigned number)
{
    return (struct in_addr){htonl(ntohl(network.s_addr) + number)};
}

/* "10.0.2.0/24". */
static bool
set_ipv4(SlirpConfig *config, const NatOptions *options, GError **error)
{
    const char *text = options->ipv4;
    g_auto(GStrv) parts = g_strsplit(text, "/", 2);
    guint64 bits = 24;

    if (parts[0] == NULL || inet_pton(AF_INET, parts[0], &config->vnetwork) != 1 ||
        (parts[1] != NULL && !g_ascii_string_to_unsigned(parts[1], 10, 8, 27, &bits, NULL)))
        return refuse(error, "network, such as 10.0.2.0/24", text);
    config->vnetmask.s_addr = htonl(~0u << (32 - bits));
    config->vnetwork.s_addr &= config->vnetmask.s_addr;
    config->vhost = host_of(config->vnetwork, options->host != 0 ? options->host : GATEWAY);
    config->vnameserver =
        host_of(config->vnetwork, options->name_server != 0 ? options->name_server : NAME_SERVER);
    config->vdhcp_start = host_of(config->vnetwork, FIRST_MACHINE);
    config->in_enabled = true;
    return true;
}

static bool
set_ipv6(SlirpConfig *config, const NatOptions *options, GError **error)
{
    const char *text = options->prefix6;
    const unsigned host = options->loopback6 != 0 ? options->loopback6 : GATEWAY;
    g_auto(GStrv) parts = g_strsplit(text != NULL ? text : PREFIX6_USUAL, "/", 2);

    if (parts[0] == NULL || inet_pton(AF_INET6, parts[0], &config->vprefix_addr6) != 1)
        return refuse(error, "prefix, such as " PREFIX6_USUAL "/64", text);
    memset(config->vprefix_addr6.s6_addr + PREFIX6_BITS / 8, 0, 16 - PREFIX6_BITS / 8);
    config->vprefix_len = PREFIX6_BITS;
    config->vhost6 = config->vnameserver6 = config->vprefix_addr6;
    frame_store32(config->vhost6.s6_addr + 12, host);
    config->vnameserver6.s6_addr[15] = NAME_SERVER;
    config->in6_enabled = true;
    return true;
}

Nat *
nat_new(Network *network, const NatOptions *options, GError **error)
{
    struct sockaddr_in bind = {.sin_family = AF_INET};
    SlirpConfig config = {
        .version = 4,
        .vhostname = NULL,
        .tftp_server_name = options->tftp_server,
        .tftp_path = options->tftp_path,
        .bootfile = options->boot_file,
        .vdomainname = options->domain,
        .vdnssearch = (const char **)options->search,
        .if_mtu = options->mtu,
        .if_mru = options->mtu,
        .disable_host_loopback = !options->loopback && options->loopback6 == 0,
        .disable_dns = !options->dns,
        .disable_dhcp = !options->dhcp,
    };
    Nat *nat;

    if (!set_ipv4(&config, options, error) || (options->ipv6 && !set_ipv6(&config, options, error)))
        return NULL;
    if (options->bind != NULL) {
        if (inet_pton(AF_INET, options->bind, &bind.sin_addr) != 1) {
            refuse(error, "address", options->bind);
            return NULL;
        }
        config.outbound_addr = &bind;
    }
    nat = g_new0(Nat, 1);
    nat->network = network;
    nat->timers = g_ptr_array_new_with_free_func(g_free);
    nat->names = (NamesNetwork){config.vnetwork, config.vnetmask, config.vprefix_addr6};
    nat->host_names = options->host_names;
    nat->first = config.vdhcp_start;
    nat->host = config.vhost;
    nat->name_server = config.vnameserver;
    nat->name_server6 = config.vnameserver6;
    nat->reach = (NatReach){
        .host = ntohl(config.vhost.s_addr),
        .loopback = options->loopback,
        .loopback6 = options->loopback6,
        .name_server6 = options->dns ? NAME_SERVER : 0,
    };
    memcpy(nat->reach.prefix6, &config.vprefix_addr6, sizeof(nat->reach.prefix6));
    nat->fragments = fragments_new();
    nat->joiner = joiner_new(forward, nat);
    nat->slirp = slirp_new(&config, &callbacks, nat);
    if (nat->slirp != NULL)
        return nat;
    joiner_free(nat->joiner);
    fragments_free(nat->fragments);
    g_ptr_array_unref(nat->timers);
    g_free(nat);
    g_set_error_literal(error, VITRINE_ERROR, VITRINE_ERROR_INVALID,
                        "The gateway cannot be made of these settings.");
    return NULL;
}

void
nat_free(Nat *nat)
{
    slirp_cleanup(nat->slirp);
    joiner_free(nat->joiner);
    fragments_free(nat->fragments);
    g_ptr_array_unref(nat->timers);
    g_free(nat);
}

uint32_t
nat_gateway(const Nat *nat)
{
    return ntohl(nat->host.s_addr);
}

bool
nat_has_address(const Nat *nat, uint32_t address)
{
    return address == ntohl(nat->host.s_addr) || address == ntohl(nat->name_server.s_addr);
}

bool
nat_is_name_server(const Nat *nat, const uint8_t *address, bool ipv6)
{
    if (!ipv6)
        return memcmp(address, &nat->name_server, sizeof(nat->name_server)) == 0;
    return !IN6_IS_ADDR_UNSPECIFIED(&nat->name_server6) &&
           memcmp(address, &nat->name_server6, sizeof(nat->name_server6)) == 0;
}

/* --- ports that lead to machines --- */

/* An address and a port of either kind. */
typedef union {
    struct sockaddr any;
    struct sockaddr_in ipv4;
    struct sockaddr_in6 ipv6;
} Place;

static bool
parse_place(Place *place, bool ipv6, const char *text, struct in_addr usual, unsigned port,
            GError **error)
{
    memset(place, 0, sizeof(*place));
    if (ipv6) {
        place->ipv6.sin6_family = AF_INET6;
        place->ipv6.sin6_port = htons((uint16_t)port);
        if (*text != '\0' && inet_pton(AF_INET6, text, &place->ipv6.sin6_addr) != 1)
            return refuse(error, "IPv6 address", text);
        return true;
    }
    place->ipv4.sin_family = AF_INET;
    place->ipv4.sin_port = htons((uint16_t)port);
    place->ipv4.sin_addr = usual;
    if (*text != '\0' && inet_pton(AF_INET, text, &place->ipv4.sin_addr) != 1)
        return refuse(error, "address", text);
    return true;
}

static socklen_t
place_size(const Place *place)
{
    return place->any.sa_family == AF_INET6 ? sizeof(place->ipv6) : sizeof(place->ipv4);
}

static int
forward_flags(const NatForward *forward)
{
    return (forward->udp ? SLIRP_HOSTFWD_UDP : 0) | (forward->ipv6 ? SLIRP_HOSTFWD_V6ONLY : 0);
}

bool
nat_add_forward(Nat *nat, const NatForward *forward, GError **error)
{
    const struct in_addr any = {INADDR_ANY};
    Place host, guest;

    if (!parse_place(&host, forward->ipv6, forward->host_ip, any, forward->host_port, error) ||
        !parse_place(&guest, forward->ipv6, forward->guest_ip, nat->first, forward->guest_port,
                     error))
        return false;
    if (forward->ipv6 && *forward->guest_ip == '\0')
        return refuse(error, "IPv6 address of a machine", "");
    if (slirp_add_hostxfwd(nat->slirp, &host.any, place_size(&host), &guest.any, place_size(&guest),
                           forward_flags(forward)) == 0)
        return true;
    g_set_error(error, VITRINE_ERROR,
                errno == EADDRINUSE ? VITRINE_ERROR_BUSY : VITRINE_ERROR_DENIED,
                "The host's %s port %u cannot be used: %s.", forward->udp ? "UDP" : "TCP",
                forward->host_port, g_strerror(errno));
    return false;
}

bool
nat_remove_forward(Nat *nat, const NatForward *forward, GError **error)
{
    const struct in_addr any = {INADDR_ANY};
    Place host;

    if (!parse_place(&host, forward->ipv6, forward->host_ip, any, forward->host_port, error))
        return false;
    if (slirp_remove_hostxfwd(nat->slirp, &host.any, place_size(&host), forward_flags(forward)) ==
        0)
        return true;
    g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_NOT_FOUND,
                "The host's %s port %u leads to no machine.", forward->udp ? "UDP" : "TCP",
                forward->host_port);
    return false;
}
