/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * OHCI: transfers (4.3, 6.4.4, 6.5). The first transfer descriptor of an endpoint is at its device
 * until there is an answer; then it goes to the done queue, unless the guest has taken it out. */
#include "devices/usb-controllers/ohci-private.h"

#include <string.h>

void
ohci_read_td(OhciController *ohci, uint32_t at, bool isochronous, OhciTd *td)
{
    *td = (OhciTd){0};
    pdm_phys_read(ohci->device, at, td, isochronous ? sizeof(*td) : 16);
}

/* --- the buffer: bytes up to `end`, in at most two pages --- */
uint32_t
ohci_buffer_size(const OhciTd *td)
{
    if (td->buffer == 0)
        return 0;
    if ((td->buffer ^ td->end) / PAGE != 0)
        return PAGE - td->buffer % PAGE + td->end % PAGE + 1;
    return td->end + 1 >= td->buffer ? td->end + 1 - td->buffer : 0;
}

uint32_t
ohci_buffer_at(const OhciTd *td, uint32_t offset)
{
    const uint32_t first = PAGE - td->buffer % PAGE;

    return offset < first ? td->buffer + offset : (td->end & ~(PAGE - 1)) + (offset - first);
}

void
ohci_move(OhciController *ohci, const OhciTd *td, uint8_t *data, uint32_t size, bool to_guest)
{
    const uint32_t first = MIN(size, PAGE - td->buffer % PAGE);

    for (uint32_t at = 0; at<size; at = size> first && at == 0 ? first : size) {
        const uint32_t piece = at == 0 ? first : size - first;

        if (to_guest)
            pdm_phys_write(ohci->device, ohci_buffer_at(td, at), data + at, piece);
        else
            pdm_phys_read(ohci->device, ohci_buffer_at(td, at), data + at, piece);
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

OhciTransfer *
ohci_free_place(OhciController *ohci)
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
           (ed.head & POINTER) != (ed.tail & POINTER) &&
           ((ed.head & POINTER) == transfer->td ||
            ((ed.flags & ED_ISOCHRONOUS) != 0 && ohci_is_queued(ohci, &ed, transfer->td)));
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
void
ohci_retire(OhciController *ohci, OhciEd *ed, uint32_t at, OhciTd *td, unsigned code)
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
unsigned
ohci_code_of(VusbStatus status)
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
    unsigned code = ohci_code_of(urb->status);
    const uint32_t moved = MIN(urb->actual, urb->size);
    OhciTd td;

    ohci_read_td(ohci, transfer->td, false, &td);
    if (ohci_buffer_size(&td) != urb->size) {
        code = CODE_NO_ANSWER; /* the guest has changed it meanwhile */
    } else {
        if (urb->in)
            ohci_move(ohci, &td, urb->data, moved, true);
        if (code == CODE_NONE && moved < urb->size && (td.flags & TD_ROUNDING) == 0)
            code = CODE_UNDERRUN;
        td.buffer = moved == urb->size ? 0 : ohci_buffer_at(&td, moved);
    }
    count_packets(ed, &td, moved);
    td.flags = (td.flags & ~(3u << 26)) | (code == CODE_NO_ANSWER ? 3u << 26 : 0);
    ohci_retire(ohci, ed, transfer->td, &td, code);
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
    if (wanted)
        finish_general(ohci, transfer, urb, &ed);
    ohci->hub->urb_free(ohci->hub->user, urb);
    if (ohci->bytes > 0)
        ohci_run_ed(ohci, at, transfer->list);
}

/* --- the beginning --- */
VusbUrb *
ohci_new_urb(OhciController *ohci, const OhciEd *ed, uint32_t td, OhciTransfer *transfer,
             uint32_t size, uint32_t packets)
{
    VusbUrb *urb = ohci->hub->urb_new(ohci->hub->user, size, packets);

    if (urb == NULL)
        return NULL;
    urb->endpoint = ed->flags >> 7 & 15;
    urb->size = size;
    urb->user = transfer;
    transfer->ohci = ohci;
    transfer->urb = urb;
    transfer->ed = ed->at;
    transfer->td = td;
    transfer->answered = false;
    ohci->bytes -= MIN(ohci->bytes, size + 64);
    return urb;
}

void
ohci_submit(OhciController *ohci, const OhciEd *ed, VusbUrb *urb)
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

    ohci_read_td(ohci, ed->head & POINTER, false, &td);
    if (direction == 0 || direction == 3)
        pid = td.flags >> 19 & 3;
    urb = ohci_new_urb(ohci, ed, ed->head & POINTER, transfer, ohci_buffer_size(&td), 0);
    if (urb == NULL)
        return;
    urb->in = pid == PID_IN;
    urb->done = on_done;
    if (transfer->list == OHCI_LIST_CONTROL) {
        urb->type = VUSB_CONTROL;
        urb->stage = pid == PID_SETUP ? VUSB_STAGE_SETUP : urb->in ? VUSB_STAGE_IN : VUSB_STAGE_OUT;
    } else {
        urb->type = transfer->list == OHCI_LIST_BULK ? VUSB_BULK : VUSB_INTERRUPT;
    }
    if (!urb->in)
        ohci_move(ohci, &td, urb->data, urb->size, false);
    ohci_submit(ohci, ed, urb);
}

void
ohci_begin(OhciController *ohci, const OhciEd *ed, OhciList list)
{
    OhciTransfer *transfer = ohci_free_place(ohci);

    if (transfer == NULL || ohci->hub == NULL)
        return;
    transfer->list = list;
    begin_general(ohci, ed, transfer);
}
