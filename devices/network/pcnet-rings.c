/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What a PCnet has in guest memory: the initialisation block and the descriptors of both rings, in
 * the layouts that BCR20 chooses (data sheets, "User accessible registers": "Initialization block",
 * "Receive descriptors", "Transmit descriptors"); and the timer that polls them.
 *
 * A card polls both rings all the time. Here a bell (TDMD, an interrupt acknowledged) is heard at
 * once and the timer is slow, until it finds something: then the driver relies on it. */
#include "devices/network/pcnet-private.h"

#include <string.h>

enum {
    RING_MAX_NARROW = 7, /* as powers of two */
    RING_MAX_WIDE = 9,
    BUFFER_MASK = 0xfff,
    STYLE_SWAPPED = 3,
    HURRIED_TURNS = 200,
};

#define POLL_SLOW_NS 50000000ull
#define POLL_WAITS_NS 1000000ull
#define POLL_FAST_NS 1638400ull

/* --- the initialisation block --- */

static uint16_t
load16(const uint8_t *at)
{
    return (uint16_t)(at[0] | at[1] << 8);
}

static uint32_t
load32(const uint8_t *at)
{
    return load16(at) | (uint32_t)load16(at + 2) << 16;
}

static uint16_t
negated_length(unsigned power)
{
    return (uint16_t) - (1 << power);
}

/* The upper byte of every address where structures have 16 bits. */
static uint32_t
upper(const Pcnet *nic)
{
    return (uint32_t)(nic->csr[CSR_IADR + 1] & 0xff00) << 16;
}

static void
read_narrow(Pcnet *nic)
{
    uint8_t block[24];

    pdm_phys_read(nic->device, pcnet_pair(nic->csr, CSR_IADR), block, sizeof(block));
    nic->csr[CSR_MODE] = load16(block);
    for (unsigned i = 0; i < 3; i++)
        nic->csr[CSR_PADR + i] = load16(block + 2 + 2 * i);
    for (unsigned i = 0; i < 4; i++)
        nic->csr[CSR_LADRF + i] = load16(block + 8 + 2 * i);
    pcnet_set_pair(nic->csr, CSR_BADR, (load32(block + 16) & 0xfffff8) | upper(nic));
    pcnet_set_pair(nic->csr, CSR_BADX, (load32(block + 20) & 0xfffff8) | upper(nic));
    nic->csr[CSR_RCVRL] = negated_length(MIN(block[19] >> 5, RING_MAX_NARROW));
    nic->csr[CSR_XMTRL] = negated_length(MIN(block[23] >> 5, RING_MAX_NARROW));
    nic->csr[6] = (uint16_t)(block[19] >> 5 << 8 | block[23] >> 5 << 12);
}

static void
read_wide(Pcnet *nic)
{
    uint8_t block[28];

    pdm_phys_read(nic->device, pcnet_pair(nic->csr, CSR_IADR), block, sizeof(block));
    nic->csr[CSR_MODE] = load16(block);
    for (unsigned i = 0; i < 3; i++)
        nic->csr[CSR_PADR + i] = load16(block + 4 + 2 * i);
    for (unsigned i = 0; i < 4; i++)
        nic->csr[CSR_LADRF + i] = load16(block + 12 + 2 * i);
    pcnet_set_pair(nic->csr, CSR_BADR, load32(block + 20) & ~15u);
    pcnet_set_pair(nic->csr, CSR_BADX, load32(block + 24) & ~15u);
    nic->csr[CSR_RCVRL] = negated_length(MIN(block[2] >> 4, RING_MAX_WIDE));
    nic->csr[CSR_XMTRL] = negated_length(MIN(block[3] >> 4, RING_MAX_WIDE));
    nic->csr[6] = (uint16_t)(block[2] >> 4 << 8 | block[3] >> 4 << 12);
}

void
pcnet_initialise(Pcnet *nic)
{
    if (pcnet_is_wide(nic))
        read_wide(nic);
    else
        read_narrow(nic);
    nic->receive_at = nic->transmit_at = 0;
}

/* --- descriptors --- */

/* Of a ring whose length is at a register, negated; 0 counts as all. */
uint32_t
pcnet_ring_length(const Pcnet *nic, unsigned csr)
{
    return nic->csr[csr] != 0 ? 0x10000u - nic->csr[csr] : 0x10000u;
}

PcnetDescriptor
pcnet_descriptor(Pcnet *nic, unsigned base_csr, uint32_t index)
{
    const bool wide = pcnet_is_wide(nic);
    PcnetDescriptor found = {
        .at = (uint32_t)(pcnet_pair(nic->csr, base_csr) + index * (wide ? 16u : 8u))};
    uint8_t raw[16] = {0};
    uint32_t count;

    pdm_phys_read(nic->device, found.at, raw, wide ? 16 : 8);
    if (wide) {
        const unsigned at = (nic->bcr[BCR_SWS] & 0xff) == STYLE_SWAPPED ? 8 : 0;

        found.buffer = load32(raw + at);
        found.status = load16(raw + 6);
    } else {
        found.buffer = (load32(raw) & 0xffffff) | upper(nic);
        found.status = load16(raw + 2) & 0xff00;
    }
    count = load16(raw + 4) & BUFFER_MASK;
    found.length = 0x1000 - count;
    return found;
}

/* `result`: of a sent frame its errors, of a received one its length. The status comes last: with
 * it the descriptor may be the driver's. */
void
pcnet_write_back(Pcnet *nic, const PcnetDescriptor *descriptor, uint16_t status, uint16_t result,
                 bool transmit)
{
    const bool wide = pcnet_is_wide(nic);

    if (wide) {
        const unsigned at = (nic->bcr[BCR_SWS] & 0xff) == STYLE_SWAPPED ? 0 : 8;
        const uint32_t word = GUINT32_TO_LE(transmit ? (uint32_t)result << 16 : result);
        const uint16_t upper_half = GUINT16_TO_LE(status);

        pdm_phys_write(nic->device, descriptor->at + at, &word, sizeof(word));
        pdm_phys_write(nic->device, descriptor->at + 6, &upper_half, sizeof(upper_half));
    } else {
        const uint16_t word = GUINT16_TO_LE(result);
        const uint8_t byte = (uint8_t)(status >> 8);

        pdm_phys_write(nic->device, descriptor->at + 6, &word, sizeof(word));
        pdm_phys_write(nic->device, descriptor->at + 3, &byte, sizeof(byte));
    }
}

/* --- polling --- */

static void
poll_rings(void *user)
{
    Pcnet *nic = user;

    if (nic->hurries > 0)
        nic->hurries--;
    pcnet_receive_ready(nic);
    if ((nic->csr[4] & CSR4_DPOLL) == 0 && pcnet_transmit(nic))
        nic->hurries = HURRIED_TURNS;
    pcnet_poll_update(nic);
}

void
pcnet_poll_init(Pcnet *nic)
{
    nic->poll = pdm_timer_new(nic->device, "pcnet-poll", poll_rings, nic);
}

/* Sets the timer for the next turn, or none. */
void
pcnet_poll_update(Pcnet *nic)
{
    const uint64_t now = pdm_now(nic->device);
    const bool sends = (nic->csr[0] & CSR0_TXON) != 0 && (nic->csr[4] & CSR4_DPOLL) == 0;

    if ((nic->csr[5] & CSR5_SPND) != 0 || (!sends && !nic->waits))
        pdm_timer_cancel(nic->device, nic->poll);
    else
        pdm_timer_set(nic->device, nic->poll,
                      now + (nic->waits         ? POLL_WAITS_NS
                             : nic->hurries > 0 ? POLL_FAST_NS
                                                : POLL_SLOW_NS));
}
