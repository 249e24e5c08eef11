/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * pcapng (draft-ietf-opsawg-pcapng): a section, one interface with microseconds, and an enhanced
 * packet block for each frame with its direction. */
#include "devices/drivers/network/trace.h"
#include "devices/drivers/network/wire.h"

enum {
    SECTION_BLOCK = 0x0a0d0d0a,
    INTERFACE_BLOCK = 1,
    PACKET_BLOCK = 6,
    ORDER_MAGIC = 0x1a2b3c4d,
    ETHERNET = 1,
    SNAP = 65535,
    OPTION_FLAGS = 2, /* of a packet: direction in the low two bits */
    INBOUND = 1,
    OUTBOUND = 2,
};

bool
network_trace_start(NetworkTrace *trace, int descriptor)
{
    const uint32_t head[] = {
        SECTION_BLOCK,   28, ORDER_MAGIC, 1,    UINT32_MAX, UINT32_MAX, 28, /* version 1.0 */
        INTERFACE_BLOCK, 20, ETHERNET,    SNAP, 20,
    };
    const PdmFramePiece part = {head, sizeof(head)};

    trace->descriptor = descriptor;
    trace->active = wire_write(descriptor, &part, 1);
    if (!trace->active)
        wire_close(descriptor);
    return trace->active;
}

void
network_trace_stop(NetworkTrace *trace)
{
    if (trace->active)
        wire_close(trace->descriptor);
    trace->active = false;
}

void
network_trace_frame(NetworkTrace *trace, bool sent, const uint8_t *data, size_t size)
{
    static const uint8_t zeros[4];
    const uint64_t now = (uint64_t)g_get_real_time();
    const uint32_t kept = (uint32_t)MIN(size, SNAP), padding = -kept & 3;
    const uint32_t total = 28 + kept + padding + 12 + 4;
    const uint32_t head[] = {PACKET_BLOCK, total,         0, (uint32_t)(now >> 32), (uint32_t)now,
                             kept,         (uint32_t)size};
    const uint32_t tail[] = {OPTION_FLAGS | 4 << 16, sent ? OUTBOUND : INBOUND, 0, total};
    const PdmFramePiece parts[] = {
        {head, sizeof(head)},
        {data, kept},
        {zeros, padding},
        {tail, sizeof(tail)},
    };

    if (trace->active && !wire_write(trace->descriptor, parts, G_N_ELEMENTS(parts)))
        network_trace_stop(trace);
}
