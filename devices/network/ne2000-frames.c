/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What an NE2000 sends and receives (DP8390D, "Packet reception", "Packet transmission"): frames to
 * be sent lie anywhere in its memory, received ones in a ring of pages, each behind a header of
 * four bytes. A frame that finds no pages waits in the driver below until the driver has read one,
 * where the card would say that it overflowed. Left out: what of a frame loops back into the FIFO.
 */
#include "devices/network/ne2000-private.h"
#include "devices/network/net-crc.h"

#include <string.h>

enum {
    HEADER_SIZE = 14,
    SHORT_MIN = 60,
    USUAL_MAX = 1518, /* with a VLAN tag, without the check sequence */
    RING_HEADER = 4,
};

/* --- sending --- */

/* What the card drives onto the wire; false: no receiver would take it. */
static bool
make_frame(const Ne2000 *nic, uint8_t *frame, uint32_t *size)
{
    const uint32_t from = nic->transmit_page * NE2000_PAGE;
    uint32_t check;

    *size = MIN(nic->transmit_count, (uint32_t)USUAL_MAX + NE2000_CHECK_SIZE);
    for (uint32_t i = 0; i < *size; i++)
        frame[i] = nic->ram[(from + i) % NE2000_RAM_SIZE];
    if ((nic->transmit_config & TCR_CRC) == 0)
        return *size >= HEADER_SIZE && nic->transmit_count <= USUAL_MAX;
    if (*size < HEADER_SIZE + NE2000_CHECK_SIZE)
        return false;
    *size -= NE2000_CHECK_SIZE;
    memcpy(&check, frame + *size, sizeof(check));
    return GUINT32_FROM_LE(check) == net_fcs(frame, *size);
}

/* False: there is no room. */
static bool
send_frame(Ne2000 *nic, bool carrier)
{
    static const PdmFrameOffload none;
    uint8_t frame[USUAL_MAX + NE2000_CHECK_SIZE];
    uint32_t size;

    if ((nic->transmit_config & TCR_LOOP) != 0 || !carrier || !make_frame(nic, frame, &size))
        return true;
    return nic->net->send(nic->net->user, &(PdmFramePiece){frame, size}, 1, &none);
}

/* What CR's TXP asks for. */
void
ne2000_transmit(Ne2000 *nic)
{
    const bool carrier = nic->net != NULL && nic->net->link_up(nic->net->user);

    if ((nic->command & (CR_TXP | CR_STP)) != CR_TXP || !send_frame(nic, carrier))
        return;
    nic->command &= (uint8_t)~CR_TXP;
    nic->transmit_status = TSR_PTX | (carrier ? 0 : TSR_CRS);
    ne2000_raise(nic, ISR_PTX);
}

/* --- receiving --- */

/* The chip counts the CRC's bits from the other end. */
static bool
is_in_group(const Ne2000 *nic, const uint8_t *to)
{
    const uint32_t crc = net_crc(to, 6);
    unsigned index = 0;

    for (unsigned i = 0; i < 6; i++)
        index = index << 1 | (crc >> i & 1);
    return (nic->groups[index / 8] >> index % 8 & 1) != 0;
}

static bool
is_wanted(const Ne2000 *nic, const uint8_t *to)
{
    const bool all = (to[0] & to[1] & to[2] & to[3] & to[4] & to[5]) == 0xff;

    if (all)
        return (nic->receive_config & RCR_AB) != 0;
    if ((to[0] & 1) != 0)
        return (nic->receive_config & RCR_AM) != 0 && is_in_group(nic, to);
    return (nic->receive_config & RCR_PRO) != 0 || memcmp(to, nic->address, 6) == 0;
}

/* Pages of the ring; 0: it is not one. */
static uint32_t
ring_pages(const Ne2000 *nic)
{
    const bool good = nic->page_start < nic->page_stop && nic->current >= nic->page_start &&
                      nic->current < nic->page_stop;

    return good ? (uint32_t)(nic->page_stop - nic->page_start) : 0;
}

/* Pages before the boundary, which the next frame may not reach. */
static uint32_t
free_pages(const Ne2000 *nic)
{
    const uint32_t pages = ring_pages(nic);
    const uint32_t used = (uint32_t)(nic->current - nic->boundary);

    if (nic->boundary > nic->current)
        return (uint32_t)(nic->boundary - nic->current);
    return used < pages ? pages - used : 0;
}

/* From a place on, through the ring's end. */
static void
put(Ne2000 *nic, uint32_t *at, const void *data, uint32_t size)
{
    const uint8_t *bytes = data;

    for (uint32_t i = 0; i < size; i++) {
        nic->ram[*at % NE2000_RAM_SIZE] = bytes[i];
        if (++*at == nic->page_stop * NE2000_PAGE)
            *at = nic->page_start * NE2000_PAGE;
    }
}

static void
store(Ne2000 *nic, const uint8_t *data, uint32_t size, uint32_t pages)
{
    const uint32_t padded = MAX(size, (uint32_t)SHORT_MIN), total = padded + NE2000_CHECK_SIZE;
    uint32_t next = nic->current + pages, at = nic->current * NE2000_PAGE, check;
    uint8_t frame[USUAL_MAX] = {0};

    memcpy(frame, data, size);
    check = GUINT32_TO_LE(net_fcs(frame, padded));
    if (next >= nic->page_stop)
        next -= nic->page_stop - nic->page_start;
    nic->receive_status = RSR_PRX | ((data[0] & 1) != 0 ? RSR_PHY : 0);
    put(nic, &at,
        (const uint8_t[RING_HEADER]){nic->receive_status, (uint8_t)next, (uint8_t)total,
                                     (uint8_t)(total >> 8)},
        RING_HEADER);
    put(nic, &at, frame, padded);
    put(nic, &at, &check, sizeof(check));
    nic->current = (uint8_t)next;
}

static void
miss(Ne2000 *nic)
{
    nic->missed += nic->missed < 0xff;
    if (nic->missed == 0x80)
        ne2000_raise(nic, ISR_CNT);
}

bool
ne2000_receive(void *user, const void *data, size_t size, const PdmFrameOffload *offload)
{
    Ne2000 *nic = user;
    uint32_t pages;

    if ((nic->command & (CR_STA | CR_STP)) != CR_STA || (nic->transmit_config & TCR_LOOP) != 0 ||
        size < HEADER_SIZE || size > USUAL_MAX || !is_wanted(nic, data))
        return true;
    pages = ((uint32_t)MAX(size, SHORT_MIN) + NE2000_CHECK_SIZE + RING_HEADER + NE2000_PAGE - 1) /
            NE2000_PAGE;
    if ((nic->receive_config & RCR_MON) != 0 || pages >= ring_pages(nic)) {
        miss(nic);
        return true;
    }
    if (pages >= free_pages(nic)) {
        nic->waits = 1;
        return false;
    }
    store(nic, data, (uint32_t)size, pages);
    ne2000_raise(nic, ISR_PRX);
    return true;
}

/* The driver may have read a frame. */
void
ne2000_receive_ready(Ne2000 *nic)
{
    if (!nic->waits)
        return;
    nic->waits = 0;
    if (nic->net != NULL)
        nic->net->receive_ready(nic->net->user);
}
