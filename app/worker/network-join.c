/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Joins segments of TCP over IPv4 (RFC 9293, RFC 791) without options: see the header. Only what
 * cutting restores to the bit is joined, but for the numbers of IPv4's datagrams. */
#include "app/worker/network-join.h"

#include <string.h>

enum {
    IP_AT = FRAME_ETHERNET,
    TCP_AT = IP_AT + 20,
    DATA_AT = TCP_AT + 20,
    JOINED_MAX = DATA_AT + 32768, /* so that the other side begins before the last is made */
    FLAGS = TCP_AT + 13,
    FLAG_ACK = 0x10,
    FLAG_PUSH = 0x08,
    MORE_FRAGMENTS = 0x3fff, /* or a later one */
};

struct Joiner {
    JoinerSink sink;
    void *user;
    uint8_t *data;
    size_t size;     /* of what waits, 0: nothing */
    size_t segment;  /* payload of its first segment */
    unsigned count;  /* of segments in it */
    uint32_t number; /* of the byte that would follow */
};

Joiner *
joiner_new(JoinerSink sink, void *user)
{
    Joiner *joiner = g_new0(Joiner, 1);

    joiner->sink = sink;
    joiner->user = user;
    joiner->data = g_malloc(JOINED_MAX);
    return joiner;
}

void
joiner_free(Joiner *joiner)
{
    if (joiner == NULL)
        return;
    g_free(joiner->data);
    g_free(joiner);
}

/* Payload of a segment that may be joined with others; 0: it may not. */
static size_t
payload_of(const uint8_t *data, size_t size)
{
    FrameParts parts;

    if (size < DATA_AT || size > JOINED_MAX || !frame_parse(data, size, &parts) ||
        parts.type != FRAME_IPV4 || parts.protocol != FRAME_TCP || parts.transport != TCP_AT ||
        parts.payload != DATA_AT || (frame_load16(data + IP_AT + 6) & MORE_FRAGMENTS) != 0 ||
        (data[FLAGS] & ~FLAG_PUSH) != FLAG_ACK)
        return 0;
    return parts.end - DATA_AT;
}

/* All of both headers but lengths, numbers, flags and sums. */
static bool
is_alike(const uint8_t *a, const uint8_t *b)
{
    return memcmp(a, b, IP_AT + 2) == 0 && memcmp(a + IP_AT + 6, b + IP_AT + 6, 4) == 0 &&
           memcmp(a + IP_AT + 12, b + IP_AT + 12, 12) == 0 &&
           memcmp(a + TCP_AT + 8, b + TCP_AT + 8, 5) == 0 &&
           memcmp(a + TCP_AT + 14, b + TCP_AT + 14, 2) == 0 &&
           memcmp(a + TCP_AT + 18, b + TCP_AT + 18, 2) == 0;
}

static bool
continues(const Joiner *joiner, const uint8_t *data, size_t payload)
{
    return joiner->size != 0 && payload != 0 && payload <= joiner->segment &&
           joiner->size + payload <= JOINED_MAX &&
           frame_load32(data + TCP_AT + 4) == joiner->number && is_alike(joiner->data, data);
}

void
joiner_flush(Joiner *joiner)
{
    PdmFrameOffload offload = {.checksum_good = true};
    uint8_t *ip = joiner->data + IP_AT;
    FrameParts parts;

    if (joiner->size == 0)
        return;
    if (joiner->count > 1) {
        frame_store16(ip + 2, (uint16_t)(joiner->size - IP_AT));
        frame_store16(ip + 10, 0);
        frame_store16(ip + 10, frame_checksum(ip, TCP_AT - IP_AT, 0));
        offload = (PdmFrameOffload){
            .needs_checksum = true,
            .checksum_start = TCP_AT,
            .checksum_offset = 16,
            .segment = PDM_SEGMENT_TCP4,
            .segment_size = (uint16_t)joiner->segment,
            .header_length = DATA_AT,
        };
        if (frame_parse(joiner->data, joiner->size, &parts))
            frame_store16(joiner->data + TCP_AT + 16, parts.pseudo);
    }
    joiner->sink(joiner->user, joiner->data, joiner->size, &offload);
    joiner->size = 0;
}

static void
begin(Joiner *joiner, const uint8_t *data, size_t payload)
{
    joiner->size = DATA_AT + payload; /* without padding */
    memcpy(joiner->data, data, joiner->size);
    joiner->segment = payload;
    joiner->count = 1;
    joiner->number = frame_load32(data + TCP_AT + 4) + (uint32_t)payload;
}

static void
append(Joiner *joiner, const uint8_t *data, size_t payload)
{
    memcpy(joiner->data + joiner->size, data + DATA_AT, payload);
    joiner->data[FLAGS] = data[FLAGS];
    joiner->size += payload;
    joiner->number += (uint32_t)payload;
    joiner->count++;
}

void
joiner_add(Joiner *joiner, const uint8_t *data, size_t size)
{
    const PdmFrameOffload good = {.checksum_good = true};
    const size_t payload = payload_of(data, size);

    if (continues(joiner, data, payload)) {
        append(joiner, data, payload);
    } else {
        joiner_flush(joiner);
        if (payload == 0) {
            joiner->sink(joiner->user, (uint8_t *)data, size, &good);
            return;
        }
        begin(joiner, data, payload);
    }
    /* A shorter one is the last of a run, and one that is pushed does not wait. */
    if (payload < joiner->segment || (data[FLAGS] & FLAG_PUSH) != 0)
        joiner_flush(joiner);
}
