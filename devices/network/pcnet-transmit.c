/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Sending with a PCnet (data sheets, "Transmit function programming"): a frame is the buffers from
 * a descriptor with STP to one with ENP. A frame that the network has no room for stays in the ring
 * until it has. Nothing collides here: all that can go wrong is a cable that is out (LCAR) and a
 * chain that the driver has not finished (BUFF, UFLO). */
#include "devices/network/net-crc.h"
#include "devices/network/pcnet-private.h"

#include <string.h>

enum {
    SHORT_MIN = 60,
    HEADER_SIZE = 14,
    BABBLES_FROM = 1518, /* with the check sequence: longer ones babble */
    TURN_MAX = 512,      /* descriptors at a time: buffers may lie on the ring */
    CHAIN_MAX = 64,      /* descriptors of a frame */
};

/* A frame in the ring: where it ends, and what became of it. */
typedef struct {
    PcnetDescriptor chain[CHAIN_MAX];
    uint32_t count;
    uint32_t size; /* of what was gathered, at most PCNET_FRAME_MAX */
    bool whole;    /* its last descriptor is there */
    bool add_check;
} Outgoing;

static uint32_t
next_of(const Pcnet *nic, uint32_t index)
{
    return index + 1 < pcnet_ring_length(nic, CSR_XMTRL) ? index + 1 : 0;
}

static void
gather(Pcnet *nic, Outgoing *frame)
{
    uint32_t index = nic->transmit_at;

    for (; frame->count < CHAIN_MAX; index = next_of(nic, index)) {
        PcnetDescriptor *piece = &frame->chain[frame->count];
        uint32_t part;

        *piece = pcnet_descriptor(nic, CSR_BADX, index);
        if ((piece->status & DESCRIPTOR_OWN) == 0)
            return;
        part = MIN(piece->length, PCNET_FRAME_MAX - frame->size);
        pdm_phys_read(nic->device, piece->buffer, nic->frame + frame->size, part);
        frame->size += part;
        frame->count++;
        if ((piece->status & DESCRIPTOR_ENP) != 0) {
            frame->whole = true;
            return;
        }
    }
}

/* The check sequence at the end is the driver's: a frame in which it is wrong arrives nowhere. */
static bool
take_check(const Pcnet *nic, uint32_t *size)
{
    uint32_t check;

    if (*size < HEADER_SIZE + PCNET_CHECK_SIZE)
        return false;
    *size -= PCNET_CHECK_SIZE;
    memcpy(&check, nic->frame + *size, sizeof(check));
    return GUINT32_FROM_LE(check) == net_fcs(nic->frame, *size);
}

/* False: there is no room. */
static bool
put_on_wire(Pcnet *nic, uint32_t size)
{
    static const PdmFrameOffload none;
    const PdmFramePiece piece = {nic->frame, size};

    return nic->net == NULL || size < HEADER_SIZE ||
           nic->net->send(nic->net->user, &piece, 1, &none);
}

/* False: there is no room, and the frame stays where it is. */
static bool
send_frame(Pcnet *nic, const Outgoing *frame)
{
    const bool pads = (nic->csr[4] & CSR4_APAD_XMT) != 0;
    const bool adds = frame->add_check || (pads && frame->size < SHORT_MIN);
    uint32_t size = frame->size;
    bool good;

    if (pads && size < SHORT_MIN) {
        memset(nic->frame + size, 0, SHORT_MIN - size);
        size = SHORT_MIN;
    }
    good = adds || take_check(nic, &size);
    if (pcnet_loops(nic)) {
        pcnet_receive_looped(nic, nic->frame, size, good);
        return true;
    }
    return !good || !nic->link || put_on_wire(nic, size);
}

/* Gives the descriptors back, the last one with what happened. */
static void
finish(Pcnet *nic, const Outgoing *frame, uint16_t errors)
{
    const uint16_t mode = nic->csr[5];
    const uint16_t first = frame->chain[0].status;

    for (uint32_t i = 0; i < frame->count; i++) {
        const PcnetDescriptor *piece = &frame->chain[i];
        const bool last = i + 1 == frame->count;
        const uint16_t status = (uint16_t)(piece->status & ~(DESCRIPTOR_OWN | DESCRIPTOR_ERR));

        pcnet_write_back(nic, piece,
                         (uint16_t)(status | (last && errors != 0 ? DESCRIPTOR_ERR : 0)),
                         last ? errors : 0, true);
        nic->transmit_at = (uint16_t)next_of(nic, nic->transmit_at);
    }
    /* Frames may be sent without saying so, unless they fail. */
    if (errors != 0 || ((mode & CSR5_TOKINTD) == 0 &&
                        ((mode & CSR5_LTINTEN) == 0 || (first & TRANSMIT_LTINT) != 0)))
        pcnet_raise(nic, CSR0_TINT);
}

/* The driver has not finished what it began: the transmitter stops, or goes on at the next frame.
 */
static void
fail(Pcnet *nic, const Outgoing *frame)
{
    if ((nic->csr[3] & CSR3_DXSUFLO) == 0)
        nic->csr[0] &= (uint16_t)~CSR0_TXON;
    finish(nic, frame, TRANSMIT_BUFF | TRANSMIT_UFLO);
}

/* One frame, or a descriptor that belongs to none. False: there is nothing to send now. */
static bool
send_next(Pcnet *nic)
{
    PcnetDescriptor first;
    Outgoing frame = {0};

    if ((nic->csr[0] & CSR0_TXON) == 0 || (nic->csr[5] & CSR5_SPND) != 0)
        return false;
    if (nic->transmit_at >= pcnet_ring_length(nic, CSR_XMTRL))
        nic->transmit_at = 0;
    first = pcnet_descriptor(nic, CSR_BADX, nic->transmit_at);
    if ((first.status & DESCRIPTOR_OWN) == 0)
        return false;
    if ((first.status & DESCRIPTOR_STP) == 0) {
        pcnet_write_back(nic, &first, (uint16_t)(first.status & ~DESCRIPTOR_OWN), 0, true);
        nic->transmit_at = (uint16_t)next_of(nic, nic->transmit_at);
        return true;
    }
    frame.add_check =
        (nic->csr[CSR_MODE] & CSR15_DXMTFCS) == 0 || (first.status & TRANSMIT_ADD_FCS) != 0;
    gather(nic, &frame);
    if (frame.count == 0)
        return false; /* the driver took it back meanwhile */
    if (!frame.whole) {
        fail(nic, &frame);
        return true;
    }
    if (!send_frame(nic, &frame))
        return false;
    nic->csr[4] |= CSR4_TXSTRT;
    if (frame.size > BABBLES_FROM)
        pcnet_raise(nic, CSR0_BABL);
    finish(nic, &frame, nic->link || pcnet_loops(nic) ? 0 : TRANSMIT_LCAR);
    return true;
}

bool
pcnet_transmit(Pcnet *nic)
{
    bool any = false;

    if (nic->busy)
        return false;
    nic->busy = true;
    for (unsigned i = 0; i < TURN_MAX && send_next(nic); i++)
        any = true;
    nic->busy = false;
    nic->csr[0] &= (uint16_t)~CSR0_TDMD;
    pcnet_update_interrupt(nic);
    return any;
}
