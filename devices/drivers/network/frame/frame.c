/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Frames: see the header. IPv4 by RFC 791, IPv6 by RFC 8200 (of its extension headers those that
 * may stand before TCP), TCP by RFC 9293, UDP by RFC 768. */
#include "devices/drivers/network/frame/frame.h"

#include <string.h>

enum { NEEDS_CHECKSUM = 1, CHECKSUM_GOOD = 2 };
enum { IPV4_MIN = 20, IPV6_SIZE = 40, TCP_MIN = 20, UDP_SIZE = 8 };
enum { TCP_FLAGS = 13, TCP_FIN = 1, TCP_PUSH = 8, TCP_CWR = 0x80 };

void
frame_header_put(uint8_t header[FRAME_HEADER_SIZE], const PdmFrameOffload *offload)
{
    memset(header, 0, FRAME_HEADER_SIZE);
    if (offload == NULL)
        return;
    header[0] = (uint8_t)((offload->needs_checksum ? NEEDS_CHECKSUM : 0) |
                          (offload->checksum_good ? CHECKSUM_GOOD : 0));
    header[1] = (uint8_t)offload->segment;
    frame_store16(header + 2, offload->segment_size);
    frame_store16(header + 4, offload->header_length);
    frame_store16(header + 6, offload->checksum_start);
    frame_store16(header + 8, offload->checksum_offset);
}

void
frame_header_get(const uint8_t header[FRAME_HEADER_SIZE], PdmFrameOffload *offload)
{
    *offload = (PdmFrameOffload){
        .needs_checksum = (header[0] & NEEDS_CHECKSUM) != 0,
        .checksum_good = (header[0] & CHECKSUM_GOOD) != 0,
        .segment = header[1] <= PDM_SEGMENT_UDP ? (PdmSegmentKind)header[1] : PDM_SEGMENT_NONE,
        .segment_size = frame_load16(header + 2),
        .header_length = frame_load16(header + 4),
        .checksum_start = frame_load16(header + 6),
        .checksum_offset = frame_load16(header + 8),
    };
}

/* Sums 8 bytes at a time: the ones-complement sum is the same in any byte order but for a swap at
 * the end, and carries are added back in. */
uint16_t
frame_sum(const void *data, size_t size, uint32_t start)
{
    const uint8_t *at = data;
    unsigned __int128 wide = 0;
    uint64_t sum, word;

    for (; size >= 32; size -= 32, at += 32) {
        uint64_t words[4];

        memcpy(words, at, sizeof(words));
        wide += (unsigned __int128)words[0] + words[1];
        wide += (unsigned __int128)words[2] + words[3];
    }
    for (; size >= 8; size -= 8, at += 8) {
        memcpy(&word, at, 8);
        wide += word;
    }
    if (size > 0) {
        word = 0;
        memcpy(&word, at, size);
        wide += word;
    }
    sum = (uint64_t)wide + (uint64_t)(wide >> 64);
    sum += sum < (uint64_t)wide;
    sum = (sum & 0xffffffff) + (sum >> 32);
    sum = (sum & 0xffffffff) + (sum >> 32);
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (uint64_t)GUINT16_FROM_BE((uint16_t)sum) + (start & 0xffff) + (start >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)((sum & 0xffff) + (sum >> 16));
}

/* --- headers --- */

static uint16_t
pseudo_sum(const uint8_t *addresses, size_t size, uint8_t protocol, uint32_t length)
{
    return frame_sum(addresses, size, (length >> 16) + (length & 0xffff) + protocol);
}

static void
parse_ipv4(const uint8_t *data, size_t size, FrameParts *parts)
{
    const uint8_t *ip = data + parts->network;
    uint16_t header = (ip[0] & 15) * 4, total = frame_load16(ip + 2);

    if (ip[0] >> 4 != 4 || header < IPV4_MIN || total < header || parts->network + total > size) {
        parts->network = 0;
        return;
    }
    parts->end = parts->network + total;
    parts->protocol = ip[9];
    if ((frame_load16(ip + 6) & 0x1fff) != 0)
        return; /* a later fragment */
    parts->transport = (uint16_t)(parts->network + header);
    parts->pseudo = pseudo_sum(ip + 12, 8, parts->protocol, (uint32_t)(total - header));
}

static bool
is_extension(uint8_t protocol)
{
    return protocol == 0 || protocol == 43 || protocol == 60; /* hop by hop, routing, options */
}

static void
parse_ipv6(const uint8_t *data, size_t size, FrameParts *parts)
{
    const uint8_t *ip = data + parts->network;
    uint32_t at = parts->network + IPV6_SIZE;

    if (ip[0] >> 4 != 6 || at + frame_load16(ip + 4) > size) {
        parts->network = 0;
        return;
    }
    parts->end = at + frame_load16(ip + 4);
    parts->protocol = ip[6];
    while (is_extension(parts->protocol) && at + 8 <= parts->end) {
        parts->protocol = data[at];
        at += 8 + 8u * data[at + 1];
    }
    if (at > parts->end || is_extension(parts->protocol))
        return;
    parts->transport = (uint16_t)at;
    parts->pseudo = pseudo_sum(ip + 8, 32, parts->protocol, parts->end - at);
}

static void
parse_transport(const uint8_t *data, FrameParts *parts)
{
    uint32_t left = parts->end - parts->transport, header = UDP_SIZE;

    if (parts->protocol == FRAME_TCP && left >= TCP_MIN)
        header = (uint32_t)(data[parts->transport + 12] >> 4) * 4;
    else if (parts->protocol != FRAME_UDP)
        header = UINT32_MAX;
    if (header > left || (parts->protocol == FRAME_TCP && header < TCP_MIN))
        parts->transport = 0;
    else
        parts->payload = (uint16_t)(parts->transport + header);
}

bool
frame_parse(const uint8_t *data, size_t size, FrameParts *parts)
{
    uint16_t at = FRAME_ETHERNET;

    *parts = (FrameParts){0};
    if (size < FRAME_ETHERNET || size > PDM_NETWORK_FRAME_MAX)
        return false;
    parts->type = frame_load16(data + 12);
    parts->end = (uint32_t)size;
    if (parts->type == FRAME_TAGGED && size >= FRAME_ETHERNET + FRAME_VLAN) {
        parts->type = frame_load16(data + 16);
        at += FRAME_VLAN;
    }
    parts->network = at;
    if (parts->type == FRAME_IPV4 && size >= (size_t)at + IPV4_MIN)
        parse_ipv4(data, size, parts);
    else if (parts->type == FRAME_IPV6 && size >= (size_t)at + IPV6_SIZE)
        parse_ipv6(data, size, parts);
    else
        parts->network = 0;
    if (parts->transport != 0)
        parse_transport(data, parts);
    return true;
}

/* --- what a frame wants --- */

bool
frame_offload_holds(const PdmFrameOffload *offload, size_t size)
{
    if (size < FRAME_ETHERNET || size > PDM_NETWORK_FRAME_MAX)
        return false;
    if (offload->needs_checksum &&
        (size_t)offload->checksum_start + offload->checksum_offset + 2 > size)
        return false;
    return offload->segment == PDM_SEGMENT_NONE ||
           (offload->segment_size != 0 && offload->header_length > FRAME_ETHERNET &&
            offload->header_length <= size);
}

void
frame_put_checksum(uint8_t *data, size_t size, const PdmFrameOffload *offload)
{
    uint8_t *at = data + offload->checksum_start;
    uint16_t sum = frame_checksum(at, size - offload->checksum_start, 0);

    /* Of UDP, where 0 means that there is none; the same number otherwise. */
    frame_store16(at + offload->checksum_offset, sum != 0 ? sum : 0xffff);
}

/* The IP header of a piece: its length, its number, its checksum. */
static void
fix_network(uint8_t *frame, size_t size, const FrameParts *parts, unsigned index)
{
    uint8_t *ip = frame + parts->network;

    if (parts->type == FRAME_IPV4) {
        frame_store16(ip + 2, (uint16_t)(size - parts->network));
        frame_store16(ip + 4, (uint16_t)(frame_load16(ip + 4) + index));
        frame_store16(ip + 10, 0);
        frame_store16(ip + 10, frame_checksum(ip, (size_t)(ip[0] & 15) * 4, 0));
    } else {
        frame_store16(ip + 4, (uint16_t)(size - parts->network - IPV6_SIZE));
    }
}

static void
fix_transport(uint8_t *frame, size_t size, const FrameParts *parts, uint32_t offset, bool last)
{
    uint8_t *at = frame + parts->transport, *sum = at + (parts->protocol == FRAME_TCP ? 16 : 6);
    const uint8_t *ip = frame + parts->network;
    uint32_t length = (uint32_t)(size - parts->transport);
    uint16_t pseudo = parts->type == FRAME_IPV4 ? pseudo_sum(ip + 12, 8, parts->protocol, length)
                                                : pseudo_sum(ip + 8, 32, parts->protocol, length);

    if (parts->protocol == FRAME_TCP) {
        frame_store32(at + 4, frame_load32(at + 4) + offset);
        if (!last)
            at[TCP_FLAGS] &= (uint8_t) ~(TCP_FIN | TCP_PUSH);
        if (offset != 0)
            at[TCP_FLAGS] &= (uint8_t)~TCP_CWR;
    } else {
        frame_store16(at + 4, (uint16_t)length);
    }
    frame_store16(sum, 0);
    frame_store16(sum, frame_checksum(at, length, pseudo));
    if (frame_load16(sum) == 0)
        frame_store16(sum, 0xffff);
}

static bool
fits(const FrameParts *parts, const PdmFrameOffload *offload)
{
    uint16_t type = offload->segment == PDM_SEGMENT_TCP6 ? FRAME_IPV6 : FRAME_IPV4;
    uint8_t protocol = offload->segment == PDM_SEGMENT_UDP ? FRAME_UDP : FRAME_TCP;

    return parts->payload != 0 && parts->protocol == protocol &&
           (parts->type == type || offload->segment == PDM_SEGMENT_UDP);
}

/* What is left from a piece on, as one frame: that piece's headers for all of it. */
static void
make_rest(uint8_t *piece, const uint8_t *headers, const FrameParts *parts, uint32_t offset,
          unsigned index, size_t size)
{
    uint8_t *at = piece + parts->transport;

    memcpy(piece, headers, parts->payload);
    fix_network(piece, size, parts, index);
    if (parts->protocol == FRAME_TCP) {
        frame_store32(at + 4, frame_load32(at + 4) + offset);
        if (offset != 0)
            at[TCP_FLAGS] &= (uint8_t)~TCP_CWR;
    }
}

/* Each piece is made in front of the data that it carries, where the piece before has been. */
static bool
cut(uint8_t **data, size_t *size, const PdmFrameOffload *offload, FrameTaker taker, void *user)
{
    uint8_t headers[FRAME_ETHERNET + FRAME_VLAN + 256];
    FrameParts parts;
    uint32_t offset = 0, left;

    if (!frame_parse(*data, *size, &parts) || !fits(&parts, offload) ||
        parts.payload > sizeof(headers))
        return true;
    memcpy(headers, *data, parts.payload);
    left = parts.end - parts.payload;
    for (unsigned index = 0; index == 0 || left > 0; index++) {
        uint32_t part = MIN(left, offload->segment_size);
        uint8_t *piece = *data + offset;

        memcpy(piece, headers, parts.payload);
        fix_network(piece, parts.payload + part, &parts, index);
        fix_transport(piece, parts.payload + part, &parts, offset, left == part);
        if (!taker(user, piece, parts.payload + part)) {
            *data = piece;
            *size = parts.payload + left;
            make_rest(piece, headers, &parts, offset, index, *size);
            return false;
        }
        left -= part;
        offset += part;
    }
    return true;
}

bool
frame_offer(uint8_t **data, size_t *size, const PdmFrameOffload *offload, FrameTaker taker,
            void *user)
{
    if (!frame_offload_holds(offload, *size))
        return true;
    if (offload->segment != PDM_SEGMENT_NONE)
        return cut(data, size, offload, taker, user);
    if (offload->needs_checksum)
        frame_put_checksum(*data, *size, offload);
    return taker(user, *data, *size);
}

typedef struct {
    FrameSink sink;
    void *user;
} Sink;

static bool
take(void *user, uint8_t *data, size_t size)
{
    const Sink *to = user;

    to->sink(to->user, data, size);
    return true;
}

void
frame_finish(uint8_t *data, size_t size, const PdmFrameOffload *offload, FrameSink sink, void *user)
{
    Sink to = {sink, user};

    frame_offer(&data, &size, offload, take, &to);
}
