/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A record of a card's frames in a file that network analysers read (pcapng). */
#pragma once

#include "vmm/base/pcapng.h"

/* Zeroed memory records nothing. */
typedef struct {
    Pcapng file;
} NetworkTrace;

/* Takes the descriptor of an empty file over. False: it cannot be written to. */
bool network_trace_start(NetworkTrace *trace, int descriptor);
void network_trace_stop(NetworkTrace *trace);
/* At most 64 KiB of a frame are kept. A full disk ends the record. */
void network_trace_frame(NetworkTrace *trace, bool sent, const uint8_t *data, size_t size);

static inline bool
network_trace_active(const NetworkTrace *trace)
{
    return trace->file.active;
}
