/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Ethernet's CRC, four bits at a time: see the header. */
#include "devices/network/net-crc.h"

#define POLYNOMIAL 0xedb88320u

static void
make_table(uint32_t table[16])
{
    for (uint32_t i = 0; i < 16; i++) {
        uint32_t value = i;

        for (unsigned bit = 0; bit < 4; bit++)
            value = value >> 1 ^ ((value & 1) != 0 ? POLYNOMIAL : 0);
        table[i] = value;
    }
}

uint32_t
net_crc(const void *data, size_t size)
{
    const uint8_t *bytes = data;
    uint32_t crc = UINT32_MAX, table[16];

    make_table(table);
    for (size_t i = 0; i < size; i++) {
        crc ^= bytes[i];
        crc = crc >> 4 ^ table[crc & 15];
        crc = crc >> 4 ^ table[crc & 15];
    }
    return crc;
}
