/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * OHCI: transfers (4.3, 6.4.4, 6.5). The first transfer descriptor of an endpoint is at its device
 * until there is an answer; then it goes to the done queue, unless the guest has taken it out. */
#include "devices/usb-controllers/ohci-private.h"

#include <string.h>

#define POINTER 0xfffffff0u
#define PAGE 0x1000u
#define ED_SKIP (1u << 14)
#define ED_ISOCHRONOUS (1u << 15)
#define ED_HALTED 1u
#define ED_CARRY 2u
#define TD_ROUNDING (1u << 18)
#define TD_TOGGLE_VALID (1u << 25)
#define TD_TOGGLE (1u << 24)
#define PACKETS_MAX 8u /* of an isochronous descriptor */
#define PACKET_MAX 1023u

enum {
    CODE_NONE = 0,
    CODE_STALL = 4,
    CODE_NO_ANSWER = 5,
    CODE_OVERRUN = 8,
    CODE_UNDERRUN = 9,
    CODE_NOT_ACCESSED = 14,
};
enum { PID_SETUP, PID_OUT, PID_IN };

/* A descriptor in guest memory: general ones have four words, isochronous ones offsets, too. */
typedef struct {
    uint32_t flags, buffer, next, end;
    uint16_t offsets[PACKETS_MAX];
} OhciTd;

static void
read_td(OhciController *ohci, uint32_t at, bool isochronous, OhciTd *td)
{
    *td = (OhciTd){0};
    pdm_phys_read(ohci->device, at, td, isochronous ? sizeof(*td) : 16);
}

/* --- the buffer: bytes up to `end`, in at most two pages --- */
static uint32_t
buffer_size(const OhciTd *td)
{
    if (td->buffer == 0)
        return 0;
    if ((td->buffer ^ td->end) / PAGE != 0)
        return PAGE - td->buffer % PAGE + td->end % PAGE + 1;
    return td->end + 1 >= td->buffer ? td->end + 1 - td->buffer : 0;
}

static uint32_t
buffer_at(const OhciTd *td, uint32_t offset)
{
    const uint32_t first = PAGE - td->buffer % PAGE;

    return offset < first ? td->buffer + offset : (td->end & ~(PAGE - 1)) + (offset - first);
}

static void
move(OhciController *ohci, const OhciTd *td, uint8_t *data, uint32_t size, bool to_guest)
{
    const uint32_t first = MIN(size, PAGE - td->buffer % PAGE);

    for (uint32_t at = 0; at<size; at = size> first && at == 0 ? first : size) {
        const uint32_t piece = at == 0 ? first : size - first;

        if (to_guest)
            pdm_phys_write(ohci->device, buffer_at(td, at), data + at, piece);
        else
            pdm_phys_read(ohci->device, buffer_at(td, at), data + at, piece);
    }
}

/* --- under way --- */
bool
ohci_is_under_way(const OhciController *ohci, uint32_t ed)
{
    for (unsigned i = 0; i < OHCI_TRANSFERS; i++) {
        if (ohci->transfers[i].urb != NULL && ohci->transfers[i].ed == ed)
            return true;
    }
    return false;
}

static OhciTransfer *
free_place(OhciController *ohci)
{
    for (unsigned i = 0; i < OHCI_TRANSFERS; i++) {
        if (ohci->transfers[i].urb == NULL)
            return &ohci->transfers[i];
    }
    return NULL;
}

/* The guest still waits for it. */
static bool
is_wanted(OhciController *ohci, const OhciTransfer *transfer)
{
    OhciEd ed;

    ohci_read_ed(ohci, transfer->ed, &ed);
    return (ed.flags & ED_SKIP) == 0 && (ed.head & ED_HALTED) == 0 &&
           (ed.head & POINTER) == transfer->td && (ed.head & POINTER) != (ed.tail & POINTER);
}

void
ohci_cancel(OhciController *ohci, bool all)
{
    for (unsigned i = 0; i < OHCI_TRANSFERS; i++) {
        OhciTransfer *transfer = &ohci->transfers[i];

        if (transfer->urb != NULL && (all || !is_wanted(ohci, transfer)))
            ohci->hub->cancel(ohci->hub->user, g_steal_pointer(&transfer->urb));
    }
}

/* --- the done queue --- */
static void
retire(OhciController *ohci, OhciEd *ed, uint32_t at, OhciTd *td, unsigned code)
{
    const uint32_t delay = code != CODE_NONE ? 0 : td->flags >> 21 & 7;
    const bool halt = code != CODE_NONE && (ed->flags & ED_ISOCHRONOUS) == 0;

    ed->head = (td->next & POINTER) | (ed->head & ED_CARRY) | (halt ? ED_HALTED : 0);
    td->next = ohci->done_head;
    td->flags = (td->flags & 0x0fffffffu) | code << 28;
    pdm_phys_write(ohci->device, at, td, (ed->flags & ED_ISOCHRONOUS) != 0 ? sizeof(*td) : 16);
    pdm_phys_write(ohci->device, ed->at + 8, &ed->head, sizeof(ed->head));
    ohci->done_head = at;
    if (delay < ohci->done_delay)
        ohci->done_delay = delay;
    ohci_wake(ohci);
}

void
ohci_write_back(OhciController *ohci)
{
    uint32_t head = ohci->done_head;

    if (ohci->done_delay != 0 && ohci->done_delay != OHCI_NO_WRITEBACK)
        ohci->done_delay--;
    if (ohci->done_delay != 0 || head == 0 || (ohci->status & OHCI_WRITEBACK) != 0)
        return;
    if ((ohci->status & ohci->enable & OHCI_INTERRUPTS) != 0)
        head |= 1; /* there is something else, too */
    pdm_phys_write(ohci->device, ohci->hcca + 0x84, &head, sizeof(head));
    ohci->done_head = 0;
    ohci->done_delay = OHCI_NO_WRITEBACK;
    ohci_interrupt(ohci, OHCI_WRITEBACK);
}

/* --- answers --- */
static unsigned
code_of(VusbStatus status)
{
    switch (status) {
    case VUSB_OK:
    case VUSB_SHORT: return CODE_NONE;
    case VUSB_STALL: return CODE_STALL;
    case VUSB_BABBLE: return CODE_OVERRUN;
    default: return CODE_NO_ANSWER;
    }
}

/* Data 0 and 1 change with each packet: 5.2.4. Devices of VUSB do without, the guest may look. */
static void
count_packets(OhciEd *ed, OhciTd *td, uint32_t moved)
{
    const uint32_t largest = MAX(ed->flags >> 16 & 0x7ff, 1);
    const bool begin = (td->flags & TD_TOGGLE_VALID) != 0 ? (td->flags & TD_TOGGLE) != 0
                                                          : (ed->head & ED_CARRY) != 0;
    const bool end = begin != ((MAX((moved + largest - 1) / largest, 1) & 1) != 0);

    td->flags = (td->flags & ~TD_TOGGLE) | TD_TOGGLE_VALID | (end ? TD_TOGGLE : 0);
    ed->head = (ed->head & ~ED_CARRY) | (end ? ED_CARRY : 0);
}

static void
finish_general(OhciController *ohci, OhciTransfer *transfer, VusbUrb *urb, OhciEd *ed)
{
    unsigned code = code_of(urb->status);
    const uint32_t moved = MIN(urb->actual, urb->size);
    OhciTd td;

    read_td(ohci, transfer->td, false, &td);
    if (buffer_size(&td) != urb->size) {
        code = CODE_NO_ANSWER; /* the guest has changed it meanwhile */
    } else {
        if (urb->in)
            move(ohci, &td, urb->data, moved, true);
        if (code == CODE_NONE && moved < urb->size && (td.flags & TD_ROUNDING) == 0)
            code = CODE_UNDERRUN;
        td.buffer = moved == urb->size ? 0 : buffer_at(&td, moved);
    }
    count_packets(ed, &td, moved);
    td.flags = (td.flags & ~(3u << 26)) | (code == CODE_NO_ANSWER ? 3u << 26 : 0);
    retire(ohci, ed, transfer->td, &td, code);
}

static void
finish_isochronous(OhciController *ohci, OhciTransfer *transfer, VusbUrb *urb, OhciEd *ed)
{
    OhciTd td;

    read_td(ohci, transfer->td, true, &td);
    for (uint32_t i = 0; i < urb->packet_count && i + transfer->skipped < PACKETS_MAX; i++) {
        const VusbPacket *packet = &urb->packets[i];
        unsigned code = code_of(packet->status);

        if (urb->in && code == CODE_NONE && packet->actual < packet->size)
            code = CODE_UNDERRUN;
        td.offsets[i + transfer->skipped] =
            (uint16_t)(code << 12 | (urb->in ? packet->actual & 0x7ff : 0));
        if (urb->in && packet->offset + packet->size <= buffer_size(&td)) {
            for (uint32_t at = 0; at < packet->actual; at++)
                pdm_phys_write(ohci->device, buffer_at(&td, packet->offset + at),
                               urb->data + packet->offset + at, 1);
        }
    }
    retire(ohci, ed, transfer->td, &td, CODE_NONE);
}

static void
on_done(void *user, VusbUrb *urb)
{
    OhciTransfer *transfer = user;
    OhciController *ohci = transfer->ohci;
    const uint32_t at = transfer->ed;
    const bool wanted = is_wanted(ohci, transfer);
    OhciEd ed;

    transfer->urb = NULL;
    ohci_read_ed(ohci, at, &ed);
    if (wanted && urb->type == VUSB_ISOCHRONOUS)
        finish_isochronous(ohci, transfer, urb, &ed);
    else if (wanted)
        finish_general(ohci, transfer, urb, &ed);
    ohci->hub->urb_free(ohci->hub->user, urb);
    if (ohci->bytes > 0)
        ohci_run_ed(ohci, at, transfer->list);
}

/* --- the beginning --- */
static VusbUrb *
new_urb(OhciController *ohci, const OhciEd *ed, OhciTransfer *transfer, uint32_t size,
        uint32_t packets)
{
    VusbUrb *urb = ohci->hub->urb_new(ohci->hub->user, size, packets);

    if (urb == NULL)
        return NULL;
    urb->endpoint = ed->flags >> 7 & 15;
    urb->size = size;
    urb->done = on_done;
    urb->user = transfer;
    transfer->ohci = ohci;
    transfer->urb = urb;
    transfer->ed = ed->at;
    transfer->td = ed->head & POINTER;
    ohci->bytes -= MIN(ohci->bytes, size + 64);
    return urb;
}

static void
submit(OhciController *ohci, const OhciEd *ed, VusbUrb *urb)
{
    ohci->hub->submit(ohci->hub->user, ohci->hub->by_address(ohci->hub->user, ed->flags & 127),
                      urb);
}

static void
begin_general(OhciController *ohci, const OhciEd *ed, OhciTransfer *transfer)
{
    const unsigned direction = ed->flags >> 11 & 3;
    unsigned pid = direction;
    OhciTd td;
    VusbUrb *urb;

    read_td(ohci, ed->head & POINTER, false, &td);
    if (direction == 0 || direction == 3)
        pid = td.flags >> 19 & 3;
    urb = new_urb(ohci, ed, transfer, buffer_size(&td), 0);
    if (urb == NULL)
        return;
    urb->in = pid == PID_IN;
    if (transfer->list == OHCI_LIST_CONTROL) {
        urb->type = VUSB_CONTROL;
        urb->stage = pid == PID_SETUP ? VUSB_STAGE_SETUP : urb->in ? VUSB_STAGE_IN : VUSB_STAGE_OUT;
    } else {
        urb->type = transfer->list == OHCI_LIST_BULK ? VUSB_BULK : VUSB_INTERRUPT;
    }
    if (!urb->in)
        move(ohci, &td, urb->data, urb->size, false);
    submit(ohci, ed, urb);
}

/* Where packet number `index` lies within the buffer. */
static uint32_t
packet_at(const OhciTd *td, unsigned index, unsigned count)
{
    const uint32_t first = td->buffer & (PAGE - 1);
    uint32_t place;

    if (index == count)
        return buffer_size(td);
    place = td->offsets[index] & 0x1fff; /* bit 12: in the second page */
    return place >= first ? place - first : 0;
}

static void
begin_packets(OhciController *ohci, const OhciEd *ed, OhciTransfer *transfer, const OhciTd *td,
              unsigned skipped)
{
    const unsigned count = (td->flags >> 24 & 7) + 1;
    const uint32_t size = buffer_size(td);
    VusbUrb *urb = new_urb(ohci, ed, transfer, size, count - skipped);

    if (urb == NULL)
        return;
    urb->type = VUSB_ISOCHRONOUS;
    urb->in = (ed->flags >> 11 & 3) == PID_IN;
    urb->packet_count = count - skipped;
    urb->frame_ns = pdm_now(ohci->device);
    transfer->skipped = skipped;
    for (unsigned i = skipped; i < count; i++) {
        const uint32_t begin = MIN(packet_at(td, i, count), size);
        const uint32_t end = MIN(packet_at(td, i + 1, count), size);

        urb->packets[i - skipped] =
            (VusbPacket){.offset = begin, .size = end > begin ? MIN(end - begin, PACKET_MAX) : 0};
    }
    if (!urb->in)
        move(ohci, td, urb->data, size, false);
    submit(ohci, ed, urb);
}

/* A descriptor has its first frame: too early it waits, too late it is over: 4.3.2. */
static void
begin_isochronous(OhciController *ohci, const OhciEd *ed, OhciTransfer *transfer)
{
    const uint32_t at = ed->head & POINTER;
    OhciEd copy = *ed;
    int late;
    OhciTd td;

    ohci->isochronous = true;
    if ((ohci->control & OHCI_CONTROL_ISOCHRONOUS) == 0)
        return;
    read_td(ohci, at, true, &td);
    late = (int16_t)(uint16_t)(ohci_frame(ohci) - (td.flags & 0xffff));
    if (late < 0)
        return;
    if (late <= (int)(td.flags >> 24 & 7)) {
        begin_packets(ohci, ed, transfer, &td, (unsigned)late);
        return;
    }
    ohci->bytes -= MIN(ohci->bytes, 64);
    retire(ohci, &copy, at, &td, CODE_OVERRUN);
}

void
ohci_begin(OhciController *ohci, const OhciEd *ed, OhciList list)
{
    OhciTransfer *transfer = free_place(ohci);

    if (transfer == NULL || ohci->hub == NULL)
        return;
    transfer->list = list;
    transfer->skipped = 0;
    if ((ed->flags & ED_ISOCHRONOUS) != 0 && list == OHCI_LIST_PERIODIC)
        begin_isochronous(ohci, ed, transfer);
    else
        begin_general(ohci, ed, transfer);
}
