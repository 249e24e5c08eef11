/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * OHCI: isochronous transfers (4.3.2, 6.4.4). A device that is far away (of the host, remote) needs
 * longer than a frame for an answer, so transfers begin ahead of their frames, several at once, and
 * are retired in their order when their last frame is over. */
#include "devices/usb-controllers/ohci-private.h"

#define AHEAD_FRAMES 32
#define AHEAD_TRANSFERS 32u /* of one endpoint */

/* --- the queue of an endpoint --- */
bool
ohci_is_queued(OhciController *ohci, const OhciEd *ed, uint32_t td)
{
    uint32_t at = ed->head & POINTER;

    for (unsigned i = 0; i < AHEAD_TRANSFERS && at != (ed->tail & POINTER); i++) {
        OhciTd queued;

        if (at == td)
            return true;
        ohci_read_td(ohci, at, false, &queued);
        at = queued.next & POINTER;
    }
    return false;
}

static OhciTransfer *
find(OhciController *ohci, const OhciEd *ed, uint32_t td)
{
    for (unsigned i = 0; i < OHCI_TRANSFERS; i++) {
        OhciTransfer *transfer = &ohci->transfers[i];

        if (transfer->urb != NULL && transfer->ed == ed->at && transfer->td == td)
            return transfer;
    }
    return NULL;
}

/* Frames since this one, of 16 bits; negative: it is still to come. */
static int
frames_since(const OhciController *ohci, uint32_t frame)
{
    return (int16_t)(uint16_t)(ohci_frame(ohci) - frame);
}

/* The same for what has to begin: frames that the controller itself has slept through, on a busy
 * host, are not over for it. */
static int
frames_late(const OhciController *ohci, uint32_t frame)
{
    const uint64_t now = MIN(ohci_frame(ohci), ohci->served_frame + 1);

    return (int16_t)(uint16_t)(now - frame);
}

/* --- the end --- */
static void
finish(OhciController *ohci, OhciTransfer *transfer, OhciEd *ed)
{
    VusbUrb *urb = g_steal_pointer(&transfer->urb);
    OhciTd td;

    ohci_read_td(ohci, transfer->td, true, &td);
    for (uint32_t i = 0; i < urb->packet_count && i + transfer->skipped < PACKETS_MAX; i++) {
        const VusbPacket *packet = &urb->packets[i];
        unsigned code = ohci_code_of(packet->status);

        if (urb->in && code == CODE_NONE && packet->actual < packet->size)
            code = CODE_UNDERRUN;
        td.offsets[i + transfer->skipped] =
            (uint16_t)(code << 12 | (urb->in ? packet->actual & 0x7ff : 0));
        if (urb->in && packet->offset + packet->size <= ohci_buffer_size(&td)) {
            for (uint32_t at = 0; at < packet->actual; at++)
                pdm_phys_write(ohci->device, ohci_buffer_at(&td, packet->offset + at),
                               urb->data + packet->offset + at, 1);
        }
    }
    ohci_retire(ohci, ed, transfer->td, &td, CODE_NONE);
    ohci->hub->urb_free(ohci->hub->user, urb);
}

/* One that was never begun and whose frames are over: 4.3.2.3. */
static bool
retire_missed(OhciController *ohci, OhciEd *ed, uint32_t at)
{
    OhciTd td;

    ohci_read_td(ohci, at, true, &td);
    if (frames_late(ohci, td.flags & 0xffff) <= (int)(td.flags >> 24 & 7))
        return false;
    ohci->bytes -= MIN(ohci->bytes, 64);
    ohci_retire(ohci, ed, at, &td, CODE_OVERRUN);
    return true;
}

static void
retire_first(OhciController *ohci, OhciEd *ed)
{
    for (unsigned i = 0; i < AHEAD_TRANSFERS; i++) {
        const uint32_t at = ed->head & POINTER;
        OhciTransfer *transfer = find(ohci, ed, at);

        if (at == (ed->tail & POINTER))
            return;
        if (transfer == NULL && !retire_missed(ohci, ed, at))
            return;
        if (transfer == NULL)
            continue;
        if (!transfer->answered || frames_since(ohci, transfer->last) <= 0)
            return;
        finish(ohci, transfer, ed);
    }
}

static void
on_done(void *user, VusbUrb *urb)
{
    OhciTransfer *transfer = user;
    OhciController *ohci = transfer->ohci;

    transfer->answered = true;
    ohci_run_ed(ohci, transfer->ed, OHCI_LIST_PERIODIC);
}

/* --- the beginning --- */

/* Where packet number `index` lies within the buffer. */
static uint32_t
packet_at(const OhciTd *td, unsigned index, unsigned count)
{
    const uint32_t first = td->buffer & (PAGE - 1);
    uint32_t place;

    if (index == count)
        return ohci_buffer_size(td);
    place = td->offsets[index] & 0x1fff; /* bit 12: in the second page */
    return place >= first ? place - first : 0;
}

static void
set_packets(VusbUrb *urb, const OhciTd *td, unsigned skipped, unsigned count)
{
    for (unsigned i = skipped; i < count; i++) {
        const uint32_t begin = MIN(packet_at(td, i, count), urb->size);
        const uint32_t end = MIN(packet_at(td, i + 1, count), urb->size);

        urb->packets[i - skipped] =
            (VusbPacket){.offset = begin, .size = end > begin ? MIN(end - begin, PACKET_MAX) : 0};
    }
    urb->packet_count = count - skipped;
}

/* late: frames since its first one. */
static bool
begin(OhciController *ohci, const OhciEd *ed, uint32_t at, const OhciTd *td, int late)
{
    const unsigned count = (td->flags >> 24 & 7) + 1, skipped = (unsigned)MAX(late, 0);
    OhciTransfer *transfer = ohci_free_place(ohci);
    VusbUrb *urb = NULL;

    if (transfer != NULL)
        urb = ohci_new_urb(ohci, ed, at, transfer, ohci_buffer_size(td), count - skipped);
    if (urb == NULL)
        return false;
    transfer->list = OHCI_LIST_PERIODIC;
    transfer->skipped = skipped;
    transfer->last = (td->flags + count - 1) & 0xffff;
    urb->type = VUSB_ISOCHRONOUS;
    urb->in = (ed->flags >> 11 & 3) == PID_IN;
    urb->done = on_done;
    urb->frame_ns = pdm_now(ohci->device) + (uint64_t)MAX(-late, 0) * OHCI_FRAME_NS;
    set_packets(urb, td, skipped, count);
    if (!urb->in)
        ohci_move(ohci, td, urb->data, urb->size, false);
    ohci_submit(ohci, ed, urb);
    return true;
}

static void
begin_next(OhciController *ohci, const OhciEd *ed)
{
    uint32_t at = ed->head & POINTER;

    for (unsigned i = 0; i < AHEAD_TRANSFERS && at != (ed->tail & POINTER); i++) {
        OhciTd td;

        ohci_read_td(ohci, at, true, &td);
        if (find(ohci, ed, at) == NULL) {
            const int late = frames_late(ohci, td.flags & 0xffff);

            if (late < -AHEAD_FRAMES || late > (int)(td.flags >> 24 & 7) || ohci->bytes == 0 ||
                !begin(ohci, ed, at, &td, late))
                return;
        }
        at = td.next & POINTER;
    }
}

void
ohci_run_isochronous(OhciController *ohci, const OhciEd *ed)
{
    OhciEd copy = *ed;

    ohci->isochronous = true;
    if ((ohci->control & OHCI_CONTROL_ISOCHRONOUS) == 0 || ohci->hub == NULL)
        return;
    retire_first(ohci, &copy);
    if ((copy.head & ED_HALTED) == 0)
        begin_next(ohci, &copy);
}
