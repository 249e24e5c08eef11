/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Records that network and USB analysers read: pcapng (draft-ietf-opsawg-pcapng), one section with
 * one interface and timestamps in microseconds. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zeroed memory records nothing. */
typedef struct {
    int descriptor;
    bool active;
    uint64_t left; /* bytes that the file may still grow by */
} Pcapng;

typedef enum {
    PCAPNG_ETHERNET = 1,
    PCAPNG_USB_LINUX_MMAPPED = 220,
} PcapngLink;

/* The low two bits of a packet's flags; NONE writes no flags. */
typedef enum { PCAPNG_NONE, PCAPNG_INBOUND, PCAPNG_OUTBOUND } PcapngDirection;

typedef struct {
    const void *data;
    size_t size;
} PcapngPiece;

/* Takes the descriptor of an empty file over. limit: bytes of the file, at which the record ends.
 * False: it cannot be written to. */
bool pcapng_start(Pcapng *file, int descriptor, PcapngLink link, uint64_t limit);
void pcapng_stop(Pcapng *file);
/* A packet of these pieces, of which there may be more than were kept: `original` bytes. Blocks as
 * long as the disk does; a full disk ends the record. */
void pcapng_packet(Pcapng *file, PcapngDirection direction, const PcapngPiece *pieces,
                   unsigned count, size_t original);
