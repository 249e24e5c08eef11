/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The host's own name servers in what the gateway says by DHCP: machines ask them, and not the
 * gateway (manual, chapter Networking, "NAT": without a DNS proxy the guest is offered the host's
 * servers). libslirp knows one server, itself, so that its answers are changed here (RFC
 * 2132, 3.8). Where the host's servers cannot be reached from a machine's network - they are the
 * host itself, as with a resolver of its own, or speak IPv6 - machines are told of the gateway as
 * before. */
#include <arpa/inet.h>
#include <string.h>

#include "app/worker/network.h"

#define RESOLVER "/etc/resolv.conf"
#define RESOLVER_MAX 65536u
#define SERVERS_MAX 3u /* resolv.conf(5) */
#define SERVER_PORT 67u
#define CLIENT_PORT 68u
#define OPTIONS_AT 240u
#define NAME_SERVERS 6u
#define LOOPBACK_NET 127u

enum { OPTION_PAD = 0, OPTION_END = 255 };

typedef struct {
    struct in_addr servers[SERVERS_MAX];
    size_t count;
} Names;

static bool
can_reach(struct in_addr server, struct in_addr network, struct in_addr mask)
{
    return ntohl(server.s_addr) >> 24 != LOOPBACK_NET && server.s_addr != INADDR_ANY &&
           (server.s_addr & mask.s_addr) != network.s_addr;
}

/* False: machines cannot ask all that the host asks. */
static bool
read_names(Names *names, struct in_addr network, struct in_addr mask)
{
    g_autofree char *text = NULL;
    g_auto(GStrv) lines = NULL;
    gsize size;

    *names = (Names){.count = 0};
    if (!g_file_get_contents(RESOLVER, &text, &size, NULL) || size > RESOLVER_MAX)
        return false;
    lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line != NULL && names->count < SERVERS_MAX; line++) {
        g_auto(GStrv) words = g_strsplit_set(g_strstrip(*line), " \t", 3);
        struct in_addr *server = &names->servers[names->count];

        if (words[0] == NULL || words[1] == NULL || !g_str_equal(words[0], "nameserver"))
            continue;
        if (inet_pton(AF_INET, words[1], server) != 1 || !can_reach(*server, network, mask))
            return false;
        names->count++;
    }
    return names->count != 0;
}

static bool
is_dhcp_answer(const uint8_t *frame, size_t size, FrameParts *parts)
{
    return frame_parse(frame, size, parts) && parts->type == FRAME_IPV4 &&
           parts->protocol == FRAME_UDP && parts->payload != 0 &&
           frame_load16(frame + parts->transport) == SERVER_PORT &&
           frame_load16(frame + parts->transport + 2) == CLIENT_PORT &&
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

/* The answer has room behind its options. */
static void
replace(uint8_t *data, size_t first, size_t size, const Names *names)
{
    const size_t length = names->count * sizeof(struct in_addr);
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
    memcpy(data + at + 2, names->servers, length);
}

void
names_tell(uint8_t *frame, size_t size, struct in_addr network, struct in_addr mask)
{
    FrameParts parts;
    Names names;

    if (!is_dhcp_answer(frame, size, &parts) || !read_names(&names, network, mask))
        return;
    replace(frame, parts.payload + OPTIONS_AT, parts.end, &names);
    frame_store16(frame + parts.transport + 6, 0); /* no sum (RFC 768) */
}
