/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Ethernet's CRC (IEEE 802.3 section 3.2.9): what hashes group addresses, and the frame check
 * sequence. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* The remainder as it is before the last inversion, lowest bit first on the wire. */
uint32_t net_crc(const void *data, size_t size);
/* The frame check sequence; its lowest byte goes first. */
static inline uint32_t
net_fcs(const void *data, size_t size)
{
    return ~net_crc(data, size);
}
