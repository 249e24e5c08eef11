/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A card's frames in pcapng, each with its direction. */
#include "devices/drivers/network/trace.h"

#define KEPT_MAX 65535u

bool
network_trace_start(NetworkTrace *trace, int descriptor)
{
    return pcapng_start(&trace->file, descriptor, PCAPNG_ETHERNET, UINT64_MAX);
}

void
network_trace_stop(NetworkTrace *trace)
{
    pcapng_stop(&trace->file);
}

void
network_trace_frame(NetworkTrace *trace, bool sent, const uint8_t *data, size_t size)
{
    const PcapngPiece piece = {data, size < KEPT_MAX ? size : KEPT_MAX};

    pcapng_packet(&trace->file, sent ? PCAPNG_OUTBOUND : PCAPNG_INBOUND, &piece, 1, size);
}
