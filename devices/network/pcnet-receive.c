/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Receiving with a PCnet (data sheets, "Receive function programming"): address filters, the ring,
 * frames that loop back. Where a card would lose a frame for want of a buffer (MISS), the frame
 * waits in the driver below for as long as the ring could hold it. Left out: look-ahead packet
 * processing, runt packets, receive frame tags. */
#include "devices/network/net-crc.h"
#include "devices/network/pcnet-private.h"

#include <string.h>

enum {
    SHORT_MIN = 60,
    HEADER_SIZE = 14,
    USUAL_MAX = 1518, /* with a VLAN tag, without the check sequence */
    LENGTH_FIELD_MIN = 46,
};

/* --- filters --- */

static bool
is_own(const Pcnet *nic, const uint8_t *to)
{
    for (unsigned i = 0; i < 6; i++) {
        if (to[i] != (uint8_t)(nic->csr[CSR_PADR + i / 2] >> (i % 2 * 8)))
            return false;
    }
    return (nic->csr[CSR_MODE] & CSR15_DRCVPA) == 0;
}

static bool
is_in_group(const Pcnet *nic, const uint8_t *to)
{
    const uint32_t hash = net_crc(to, 6) >> 26;

    return (nic->csr[CSR_LADRF + hash / 16] >> hash % 16 & 1) != 0;
}

/* Why the frame is taken, as RMD1 says; false: it is not. */
static bool
is_wanted(const Pcnet *nic, const uint8_t *to, uint16_t *why)
{
    const bool all = (to[0] & to[1] & to[2] & to[3] & to[4] & to[5]) == 0xff;

    *why = 0;
    if (all && (nic->csr[CSR_MODE] & CSR15_DRCVBC) == 0)
        *why = RECEIVE_BAM;
    else if ((to[0] & 1) != 0 && is_in_group(nic, to))
        *why = RECEIVE_LAFM;
    else if (is_own(nic, to))
        *why = RECEIVE_PAM;
    return *why != 0 || (nic->csr[CSR_MODE] & CSR15_PROM) != 0;
}

/* --- the ring --- */

typedef struct {
    const uint8_t *data;
    uint32_t size;  /* of data */
    uint32_t total; /* with padding and check sequence */
    uint32_t check;
    uint16_t status;
} Incoming;

typedef enum { ROOM_YES, ROOM_LATER, ROOM_NEVER } Room;

static Room
find_room(Pcnet *nic, uint32_t total)
{
    const uint32_t count = pcnet_ring_length(nic, CSR_RCVRL);
    uint32_t index = nic->receive_at, found = 0;

    for (uint32_t i = 0; i < count && i < PCNET_FRAME_MAX; i++) {
        const PcnetDescriptor next = pcnet_descriptor(nic, CSR_BADR, index);

        if ((next.status & DESCRIPTOR_OWN) == 0)
            return ROOM_LATER;
        found += next.length;
        if (found >= total)
            return ROOM_YES;
        index = index + 1 < count ? index + 1 : 0;
    }
    return ROOM_NEVER;
}

/* Bytes of the frame from a place on: its own, padding, the check sequence. */
static void
store(Pcnet *nic, uint64_t gpa, const Incoming *frame, uint32_t from, uint32_t length)
{
    uint8_t tail[SHORT_MIN + PCNET_CHECK_SIZE] = {0};
    const uint32_t check = GUINT32_TO_LE(frame->check);
    const uint32_t padded = MAX(frame->size, (uint32_t)SHORT_MIN);

    if (from < frame->size) {
        const uint32_t part = MIN(length, frame->size - from);

        pdm_phys_write(nic->device, gpa, frame->data + from, part);
        gpa += part;
        from += part;
        length -= part;
    }
    if (length == 0)
        return;
    memcpy(tail + (padded - frame->size), &check, sizeof(check));
    pdm_phys_write(nic->device, gpa, tail + (from - frame->size), length);
}

static void
fill_ring(Pcnet *nic, const Incoming *frame)
{
    const uint32_t count = pcnet_ring_length(nic, CSR_RCVRL);

    for (uint32_t done = 0; done < frame->total;) {
        const PcnetDescriptor piece = pcnet_descriptor(nic, CSR_BADR, nic->receive_at);
        const uint32_t part = MIN(frame->total - done, piece.length);
        const bool last = done + part == frame->total;
        uint16_t status = done == 0 ? DESCRIPTOR_STP : 0;

        store(nic, piece.buffer, frame, done, part);
        if (last)
            status |= (uint16_t)(DESCRIPTOR_ENP | frame->status);
        pcnet_write_back(nic, &piece, status, last ? frame->total & 0xfff : 0, false);
        nic->receive_at = (uint16_t)(nic->receive_at + 1u < count ? nic->receive_at + 1u : 0);
        done += part;
    }
}

/* Without padding and check sequence, where the driver wants that and the length says what is
 * which. */
static uint32_t
stripped(const Pcnet *nic, const Incoming *frame)
{
    const unsigned length = (unsigned)(frame->data[12] << 8 | frame->data[13]);

    if ((nic->csr[4] & CSR4_ASTRP_RCV) == 0 || length >= LENGTH_FIELD_MIN)
        return frame->total;
    return MIN(HEADER_SIZE + length, frame->total);
}

static void
miss(Pcnet *nic)
{
    nic->csr[CSR_MFC]++;
    if (nic->csr[CSR_MFC] == 0)
        nic->csr[4] |= 1 << 9;
    pcnet_raise(nic, CSR0_MISS);
}

/* False: there is no buffer now. */
static bool
take(Pcnet *nic, Incoming *frame)
{
    Room room;

    if (nic->receive_at >= pcnet_ring_length(nic, CSR_RCVRL))
        nic->receive_at = 0;
    frame->total = MAX(frame->size, (uint32_t)SHORT_MIN) + PCNET_CHECK_SIZE;
    frame->total = stripped(nic, frame);
    room = find_room(nic, frame->total);
    if (room == ROOM_LATER)
        return false;
    if (room == ROOM_NEVER)
        miss(nic);
    else
        fill_ring(nic, frame);
    if (room == ROOM_YES)
        pcnet_raise(nic, CSR0_RINT);
    return true;
}

static uint32_t
padded_check(const uint8_t *data, uint32_t size)
{
    uint8_t padded[SHORT_MIN] = {0};

    if (size >= SHORT_MIN)
        return net_fcs(data, size);
    memcpy(padded, data, size);
    return net_fcs(padded, sizeof(padded));
}

bool
pcnet_receive(void *user, const void *data, size_t size, const PdmFrameOffload *offload)
{
    Pcnet *nic = user;
    Incoming frame = {.data = data, .size = (uint32_t)size};

    if ((nic->csr[0] & CSR0_RXON) == 0 || pcnet_loops(nic) || size < HEADER_SIZE ||
        size > USUAL_MAX || !is_wanted(nic, data, &frame.status))
        return true;
    frame.check = padded_check(data, frame.size);
    if ((nic->csr[5] & CSR5_SPND) == 0 && take(nic, &frame))
        return true;
    nic->waits = 1;
    pcnet_poll_update(nic);
    return false;
}

void
pcnet_receive_looped(Pcnet *nic, const uint8_t *data, uint32_t size, bool check_good)
{
    Incoming frame = {.data = data, .size = size};

    if ((nic->csr[0] & CSR0_RXON) == 0 || size < HEADER_SIZE ||
        !is_wanted(nic, data, &frame.status))
        return;
    frame.check = padded_check(data, size);
    if (!check_good) {
        frame.check = ~frame.check;
        frame.status |= DESCRIPTOR_ERR | RECEIVE_CRC;
    }
    if (!take(nic, &frame))
        miss(nic);
}

/* The driver may have given buffers back. */
void
pcnet_receive_ready(Pcnet *nic)
{
    if (!nic->waits || (nic->csr[5] & CSR5_SPND) != 0)
        return;
    if ((nic->csr[0] & CSR0_RXON) != 0 && nic->receive_at < pcnet_ring_length(nic, CSR_RCVRL) &&
        (pcnet_descriptor(nic, CSR_BADR, nic->receive_at).status & DESCRIPTOR_OWN) == 0)
        return;
    nic->waits = 0;
    if (nic->net != NULL)
        nic->net->receive_ready(nic->net->user);
}
