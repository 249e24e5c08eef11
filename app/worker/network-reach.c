/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What of the host's own addresses machines reach through the gateway. libslirp has one switch for
 * both kinds, leads a whole IPv6 prefix to the host, and connects to whatever other address a frame
 * has; nothing that a machine sends may mean the host unless the settings say so. RFC 1122 3.2.1.3,
 * RFC 4291 2.5. */
#include <string.h>

#include "app/worker/network.h"

enum { IPV4_SIZE = 20, IPV4_TO = 16, IPV6_SIZE = 40, IPV6_TO = 24, IPV6_NEXT = 6, PORTS = 4 };
enum { DNS = 53, BOOTP = 67, TFTP = 69, DHCPV6 = 547 };

#define BROADCAST 0xffffffffu

/* The gateway's own servers: they never lead further. */
static bool
is_server(uint8_t protocol, uint16_t port)
{
    return protocol == FRAME_UDP && (port == BOOTP || port == TFTP || port == DHCPV6);
}

static bool
allows_ipv4(const NatReach *reach, const uint8_t *ip, size_t size)
{
    const uint32_t to = size >= IPV4_SIZE ? frame_load32(ip + IPV4_TO) : 0;
    const size_t header = size >= IPV4_SIZE ? (size_t)(ip[0] & 15) * 4 : 0;
    const uint8_t protocol = size >= IPV4_SIZE ? ip[9] : 0;
    uint16_t port;

    /* 127.0.0.0/8, and 0.0.0.0, by which a host connects to itself. */
    if (header < IPV4_SIZE || to >> 24 == 127 || to >> 24 == 0)
        return false;
    if (protocol != FRAME_TCP && protocol != FRAME_UDP)
        return true;
    if (size < header + PORTS)
        return false;
    port = frame_load16(ip + header + 2);
    if (to != reach->host && to != BROADCAST)
        return true;
    return reach->loopback || is_server(protocol, port);
}

/* ::, ::1, and IPv4 addresses in IPv6 clothes. */
static bool
is_within_host(const uint8_t *to)
{
    static const uint8_t zero[10], mapped[2] = {0xff, 0xff};

    return memcmp(to, zero, sizeof(zero)) == 0 &&
           (memcmp(to + 10, mapped, sizeof(mapped)) == 0 || memcmp(to + 10, zero, 2) == 0);
}

static bool
is_number(const NatReach *reach, const uint8_t *to, unsigned number)
{
    uint8_t wanted[16] = {0};

    memcpy(wanted, reach->prefix6, sizeof(reach->prefix6));
    frame_store32(wanted + 12, number);
    return memcmp(to, wanted, sizeof(wanted)) == 0;
}

static bool
allows_ipv6(const NatReach *reach, const uint8_t *ip, size_t size)
{
    static const uint8_t all_nodes[16] = {[0] = 0xff, [1] = 2, [15] = 1};
    const uint8_t *to = ip + IPV6_TO;
    const uint8_t protocol = size >= IPV6_SIZE ? ip[IPV6_NEXT] : 0;
    uint16_t port;

    if (size < IPV6_SIZE || is_within_host(to))
        return false;
    if (protocol != FRAME_TCP && protocol != FRAME_UDP)
        return true;
    if (size < IPV6_SIZE + PORTS)
        return false;
    port = frame_load16(ip + IPV6_SIZE + 2);
    if (memcmp(to, reach->prefix6, sizeof(reach->prefix6)) != 0 &&
        memcmp(to, all_nodes, sizeof(all_nodes)) != 0)
        return true;
    return is_server(protocol, port) ||
           (reach->loopback6 != 0 && is_number(reach, to, reach->loopback6)) ||
           (port == DNS && reach->name_server6 != 0 && is_number(reach, to, reach->name_server6));
}

bool
reach_allows(const NatReach *reach, const uint8_t *data, size_t size)
{
    if (size < FRAME_ETHERNET)
        return false;
    switch (frame_load16(data + FRAME_ETHERNET - 2)) {
    case FRAME_IPV4: return allows_ipv4(reach, data + FRAME_ETHERNET, size - FRAME_ETHERNET);
    case FRAME_IPV6: return allows_ipv6(reach, data + FRAME_ETHERNET, size - FRAME_ETHERNET);
    default: return true;
    }
}
