/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Joins fragments of IPv4 (RFC 791, section 3.2) of UDP and ICMP before they reach libslirp, whose
 * own code for it does not stand hostile ones. Bounded: so many datagrams at a time, each for some
 * seconds; one whose fragments overlap is given up as a whole, as RFC 5722 wants it for IPv6. */
#include "app/worker/network.h"

#include <netinet/in.h>
#include <string.h>

#define DATAGRAMS_MAX 16u
#define LIFE_US (15 * G_USEC_PER_SEC)
#define IPV4_SIZE 20u
#define DATA_MAX (65535u - IPV4_SIZE)
#define UNITS ((DATA_MAX + 7u) / 8u)
#define MORE 0x2000u
#define OFFSET 0x1fffu

typedef struct {
    bool used;
    uint8_t key[11]; /* identification, addresses, protocol */
    int64_t begun;
    bool headed; /* the first fragment has come, and with it the frame's head */
    uint8_t head[FRAME_ETHERNET + IPV4_SIZE];
    uint32_t total, have, end; /* bytes of data; total 0: not known; end: of what has come */
    uint8_t seen[UNITS / 8 + 1];
    uint8_t *data; /* DATA_MAX bytes */
} Datagram;

struct Fragments {
    Datagram datagrams[DATAGRAMS_MAX];
    uint8_t frame[FRAME_ETHERNET + 65535];
};

Fragments *
fragments_new(void)
{
    return g_new0(Fragments, 1);
}

static void
forget(Datagram *datagram)
{
    g_free(datagram->data);
    *datagram = (Datagram){0};
}

void
fragments_free(Fragments *fragments)
{
    for (unsigned i = 0; i < DATAGRAMS_MAX; i++)
        forget(&fragments->datagrams[i]);
    g_free(fragments);
}

bool
fragments_is_one(const uint8_t *data, size_t size)
{
    return size >= FRAME_ETHERNET + IPV4_SIZE && frame_load16(data + 12) == FRAME_IPV4 &&
           (frame_load16(data + FRAME_ETHERNET + 6) & (MORE | OFFSET)) != 0;
}

static Datagram *
find(Fragments *fragments, const uint8_t *key, int64_t now)
{
    Datagram *oldest = &fragments->datagrams[0];

    for (unsigned i = 0; i < DATAGRAMS_MAX; i++) {
        Datagram *datagram = &fragments->datagrams[i];

        if (datagram->used && now - datagram->begun > LIFE_US)
            forget(datagram);
        if (datagram->used && memcmp(datagram->key, key, sizeof(datagram->key)) == 0)
            return datagram;
        if (datagram->begun < oldest->begun)
            oldest = datagram;
    }
    forget(oldest);
    oldest->used = true;
    oldest->begun = now;
    oldest->data = g_malloc(DATA_MAX);
    memcpy(oldest->key, key, sizeof(oldest->key));
    return oldest;
}

/* False: part of it was there, or it does not fit what is known. */
static bool
add(Datagram *datagram, const uint8_t *data, uint32_t offset, uint32_t size, bool last)
{
    for (uint32_t unit = offset / 8; unit < (offset + size + 7) / 8; unit++) {
        if ((datagram->seen[unit / 8] >> unit % 8 & 1) != 0)
            return false;
        datagram->seen[unit / 8] |= (uint8_t)(1u << unit % 8);
    }
    if (last && datagram->total != 0)
        return false;
    if (last)
        datagram->total = offset + size;
    datagram->end = MAX(datagram->end, offset + size);
    memcpy(datagram->data + offset, data, size);
    datagram->have += size;
    return datagram->total == 0 || datagram->end <= datagram->total;
}

static size_t
join(Fragments *fragments, const Datagram *datagram)
{
    uint8_t *ip = fragments->frame + FRAME_ETHERNET;

    memcpy(fragments->frame, datagram->head, sizeof(datagram->head));
    ip[0] = 0x45; /* without the options */
    frame_store16(ip + 2, (uint16_t)(IPV4_SIZE + datagram->total));
    frame_store16(ip + 6, 0);
    frame_store16(ip + 10, 0);
    frame_store16(ip + 10, frame_checksum(ip, IPV4_SIZE, 0));
    memcpy(ip + IPV4_SIZE, datagram->data, datagram->total);
    return FRAME_ETHERNET + IPV4_SIZE + datagram->total;
}

static void
make_key(const uint8_t *ip, uint8_t *key)
{
    memcpy(key, ip + 4, 2);
    memcpy(key + 2, ip + 12, 8);
    key[10] = ip[9];
}

uint8_t *
fragments_add(Fragments *fragments, const uint8_t *frame, size_t size, int64_t now,
              size_t *joined_size)
{
    const uint8_t *ip = frame + FRAME_ETHERNET;
    const uint32_t header = (ip[0] & 15u) * 4u, length = frame_load16(ip + 2);
    const uint32_t offset = (frame_load16(ip + 6) & OFFSET) * 8u;
    const bool last = (frame_load16(ip + 6) & MORE) == 0;
    uint8_t key[11];
    Datagram *datagram;
    uint32_t part;

    if (ip[0] >> 4 != 4 || header < IPV4_SIZE || length <= header ||
        length > size - FRAME_ETHERNET || (ip[9] != IPPROTO_UDP && ip[9] != IPPROTO_ICMP) ||
        frame_sum(ip, header, 0) != 0xffff)
        return NULL;
    part = length - header;
    if ((!last && part % 8 != 0) || offset + part > DATA_MAX)
        return NULL;
    make_key(ip, key);
    datagram = find(fragments, key, now);
    if (!add(datagram, ip + header, offset, part, last)) {
        forget(datagram);
        return NULL;
    }
    if (offset == 0) {
        memcpy(datagram->head, frame, sizeof(datagram->head));
        datagram->headed = true;
    }
    if (datagram->total == 0 || datagram->have != datagram->total || !datagram->headed)
        return NULL;
    *joined_size = join(fragments, datagram);
    forget(datagram);
    return fragments->frame;
}
