/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The host's own name servers in what the gateway says by DHCP, by router advertisements and by
 * DHCPv6: machines ask them, and not the gateway (manual, chapter Networking, "NAT": without a DNS
 * proxy the guest is offered the host's servers). libslirp knows one server, itself, so that its
 * answers are changed here (RFC 2132, 3.8; RFC 8106, 5.1; RFC 3646, 3). Where the host's servers
 * of a kind cannot be reached from a machine's network - they are the host itself, as with a
 * resolver of its own - machines are told of the gateway as before. */
#include <arpa/inet.h>
#include <string.h>

#include "app/worker/network.h"

#define RESOLVER "/etc/resolv.conf"
#define RESOLVER_MAX 65536u
#define SERVER_PORT 67u
#define CLIENT_PORT 68u
#define OPTIONS_AT 240u
#define NAME_SERVERS 6u
#define LOOPBACK_NET 127u
#define PREFIX6_SIZE 8u /* bytes of a network's part of an address */

enum { OPTION_PAD = 0, OPTION_END = 255 };
enum { IPV6_SIZE = 40, IPV6_LENGTH = 4, IPV6_NEXT = 6, ICMP6 = 58 };
enum { ADVERTISEMENT = 134, ADVERTISEMENT_OPTIONS = 16, ADVERTISEMENT_SERVERS = 25 };
enum { SERVER6_PORT = 547, CLIENT6_PORT = 546, DHCP6_OPTIONS = 4, DHCP6_SERVERS = 23 };

/* --- the host's servers (resolv.conf(5)) --- */

static bool
can_reach4(struct in_addr server, const NamesNetwork *network)
{
    return ntohl(server.s_addr) >> 24 != LOOPBACK_NET && server.s_addr != INADDR_ANY &&
           (server.s_addr & network->mask.s_addr) != network->base.s_addr;
}

static bool
can_reach6(const struct in6_addr *server, const NamesNetwork *network)
{
    return !IN6_IS_ADDR_LOOPBACK(server) && !IN6_IS_ADDR_UNSPECIFIED(server) &&
           !IN6_IS_ADDR_LINKLOCAL(server) && !IN6_IS_ADDR_MULTICAST(server) &&
           memcmp(server, &network->prefix6, PREFIX6_SIZE) != 0;
}

void
names_parse(const char *text, const NamesNetwork *network, HostNames *names)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    bool all4 = true, all6 = true;

    *names = (HostNames){.count4 = 0};
    for (char **line = lines; *line != NULL && names->count4 + names->count6 < NAMES_MAX; line++) {
        g_auto(GStrv) words = g_strsplit_set(g_strstrip(*line), " \t", 3);
        struct in_addr *own4 = &names->ipv4[names->count4];
        struct in6_addr *own6 = &names->ipv6[names->count6];

        if (words[0] == NULL || words[1] == NULL || !g_str_equal(words[0], "nameserver"))
            continue;
        if (inet_pton(AF_INET, words[1], own4) == 1) {
            all4 = all4 && can_reach4(*own4, network);
            names->count4++;
        } else if (inet_pton(AF_INET6, words[1], own6) == 1) {
            all6 = all6 && can_reach6(own6, network);
            names->count6++;
        } else
            all6 = false; /* with a zone: of the host's own link */
    }
    names->count4 = all4 ? names->count4 : 0;
    names->count6 = all6 ? names->count6 : 0;
}

/* --- changing a frame --- */

typedef struct {
    uint8_t *data;
    size_t size, room;
} Frame;

/* Other bytes in the place of some; false: there is no room. */
static bool
replace(Frame *frame, size_t at, size_t length, const void *bytes, size_t size)
{
    if (at + length > frame->size || frame->size - length + size > frame->room)
        return false;
    memmove(frame->data + at + size, frame->data + at + length, frame->size - at - length);
    memcpy(frame->data + at, bytes, size);
    frame->size = frame->size - length + size;
    return true;
}

/* --- DHCP --- */

static bool
is_dhcp_answer(const Frame *frame, const FrameParts *parts)
{
    return parts->type == FRAME_IPV4 && parts->protocol == FRAME_UDP && parts->payload != 0 &&
           frame_load16(frame->data + parts->transport) == SERVER_PORT &&
           frame_load16(frame->data + parts->transport + 2) == CLIENT_PORT &&
           parts->end >= parts->payload + OPTIONS_AT;
}

/* Where an option begins; size: it is not there. */
static size_t
find_option(const uint8_t *data, size_t at, size_t size, uint8_t number)
{
    while (at < size && data[at] != number) {
        if (data[at] == OPTION_END)
            return size;
        at += data[at] == OPTION_PAD ? 1 : at + 1 < size ? 2u + data[at + 1] : 2u;
    }
    return MIN(at, size);
}

/* The message has room behind its options: its size stays. */
static void
tell_dhcp(uint8_t *data, size_t first, size_t size, const HostNames *names)
{
    const size_t length = names->count4 * sizeof(struct in_addr);
    const size_t at = find_option(data, first, size, NAME_SERVERS);
    const size_t end = find_option(data, first, size, OPTION_END);
    size_t tail;

    if (at + 2 > size || end >= size)
        return;
    tail = at + 2 + data[at + 1];
    if (tail > end || at + 2 + length + (end + 1 - tail) > size)
        return;
    memmove(data + at + 2 + length, data + tail, end + 1 - tail);
    data[at + 1] = (uint8_t)length;
    memcpy(data + at + 2, names->ipv4, length);
}

/* --- router advertisements --- */

/* Lengths count eight bytes. */
static void
tell_advertisement(Frame *frame, size_t icmp, const HostNames *names)
{
    const size_t length = names->count6 * sizeof(struct in6_addr);
    size_t at = icmp + ADVERTISEMENT_OPTIONS;

    while (at + 8 <= frame->size && frame->data[at + 1] != 0 &&
           frame->data[at] != ADVERTISEMENT_SERVERS)
        at += 8u * frame->data[at + 1];
    if (at + 8 > frame->size || frame->data[at + 1] == 0 ||
        !replace(frame, at + 8, 8u * frame->data[at + 1] - 8, names->ipv6, length))
        return;
    frame->data[at + 1] = (uint8_t)(1 + length / 8);
}

/* --- DHCPv6 --- */

static void
tell_dhcp6(Frame *frame, size_t first, const HostNames *names)
{
    const size_t length = names->count6 * sizeof(struct in6_addr);
    size_t at = first;

    while (at + 4 <= frame->size && frame_load16(frame->data + at) != DHCP6_SERVERS)
        at += 4u + frame_load16(frame->data + at + 2);
    if (at + 4 > frame->size ||
        !replace(frame, at + 4, frame_load16(frame->data + at + 2), names->ipv6, length))
        return;
    frame_store16(frame->data + at + 2, (uint16_t)length);
}

/* Lengths and sum of what is now of another size; the pseudo header's sum: RFC 8200, 8.1. */
static void
mend6(Frame *frame, size_t sum_at, bool udp)
{
    uint8_t *ip = frame->data + FRAME_ETHERNET, *data = ip + IPV6_SIZE;
    const size_t size = frame->size - FRAME_ETHERNET - IPV6_SIZE;
    uint16_t sum;

    frame_store16(ip + IPV6_LENGTH, (uint16_t)size);
    if (udp)
        frame_store16(data + 4, (uint16_t)size);
    frame_store16(data + sum_at, 0);
    sum = frame_sum(ip + 8, 32, ip[IPV6_NEXT] + (uint32_t)size);
    sum = frame_checksum(data, size, sum);
    frame_store16(data + sum_at, sum != 0 ? sum : 0xffff);
}

static void
tell6(Frame *frame, const FrameParts *parts, const HostNames *names)
{
    const size_t data = FRAME_ETHERNET + IPV6_SIZE;

    if (parts->type != FRAME_IPV6 || parts->network != FRAME_ETHERNET || parts->end < data)
        return;
    if (frame->data[FRAME_ETHERNET + IPV6_NEXT] == ICMP6 &&
        parts->end >= data + ADVERTISEMENT_OPTIONS && frame->data[data] == ADVERTISEMENT) {
        frame->size = parts->end; /* without padding */
        tell_advertisement(frame, data, names);
        mend6(frame, 2, false);
    } else if (parts->protocol == FRAME_UDP && parts->transport == data && parts->payload != 0 &&
               frame_load16(frame->data + data) == SERVER6_PORT &&
               frame_load16(frame->data + data + 2) == CLIENT6_PORT) {
        frame->size = parts->end;
        tell_dhcp6(frame, parts->payload + DHCP6_OPTIONS, names);
        mend6(frame, 6, true);
    }
}

size_t
names_put(uint8_t *data, size_t size, size_t room, const HostNames *names)
{
    Frame frame = {data, size, room};
    FrameParts parts;

    if (!frame_parse(data, size, &parts))
        return size;
    if (names->count6 != 0)
        tell6(&frame, &parts, names);
    if (names->count4 != 0 && is_dhcp_answer(&frame, &parts)) {
        tell_dhcp(data, parts.payload + OPTIONS_AT, parts.end, names);
        frame_store16(data + parts.transport + 6, 0); /* no sum (RFC 768) */
    }
    return frame.size;
}

bool
names_may_be_in(const uint8_t *data, size_t size)
{
    const uint16_t type = size >= FRAME_ETHERNET + IPV6_SIZE ? frame_load16(data + 12) : 0;
    FrameParts parts;
    uint16_t port;

    if (type == FRAME_IPV6 && data[FRAME_ETHERNET + IPV6_NEXT] == ICMP6)
        return data[MIN(FRAME_ETHERNET + IPV6_SIZE, size - 1)] == ADVERTISEMENT;
    if (!frame_parse(data, size, &parts) || parts.protocol != FRAME_UDP || parts.payload == 0)
        return false;
    port = frame_load16(data + parts.transport);
    return port == SERVER_PORT || port == SERVER6_PORT;
}

size_t
names_tell(uint8_t *frame, size_t size, size_t room, const NamesNetwork *network)
{
    g_autofree char *text = NULL;
    HostNames names;
    gsize length;

    if (!g_file_get_contents(RESOLVER, &text, &length, NULL) || length > RESOLVER_MAX)
        return size;
    names_parse(text, network, &names);
    return names_put(frame, size, room, &names);
}
