/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * EHCI: queue heads and their elements (3.5, 3.6, 4.10). The element in the overlay is at its
 * device until there is an answer; then the overlay and the element say what came of it, and the
 * queue goes on with the next. */
#include "devices/usb-controllers/ehci-private.h"

#include <string.h>

#define PAGE 0x1000u
enum {
    TOKEN_PING = 1 << 0,
    TOKEN_XACT_ERROR = 1 << 3,
    TOKEN_BABBLE = 1 << 4,
    TOKEN_BUFFER_ERROR = 1 << 5,
    TOKEN_HALTED = 1 << 6,
    TOKEN_ACTIVE = 1 << 7,
    TOKEN_ERRORS = 3 << 10, /* the counter */
    TOKEN_INTERRUPT = 1 << 15,
};
#define TOKEN_TOGGLE (1u << 31)
#define TOGGLE_CONTROL (1u << 14) /* of a queue head: the elements say data 0 or 1 */
enum { PID_OUT, PID_IN, PID_SETUP };
#define OVERLAY_AT 12u
#define OVERLAY_SIZE 36u
#define NAK_COUNT 0x1eu

/* What a transfer keeps of its queue head. */
enum { KEPT_ENDPOINT, KEPT_SPLIT, KEPT_TOKEN };

static uint32_t
total_of(uint32_t token)
{
    return token >> 16 & 0x7fff;
}

static void
write_overlay(EhciController *ehci, uint32_t at, const EhciQh *qh)
{
    pdm_phys_write(ehci->device, at + OVERLAY_AT, &qh->current, OVERLAY_SIZE);
}

static void
read_queue(EhciController *ehci, uint32_t at, EhciQh *qh)
{
    memset(qh, 0, sizeof(*qh));
    pdm_phys_read(ehci->device, at, qh, sizeof(*qh));
}

/* --- the end of an element --- */
static void
halt(EhciController *ehci, uint32_t at, EhciQh *qh, uint32_t reason)
{
    const uint32_t done = (qh->token & TOKEN_INTERRUPT) != 0 ? EHCI_DONE : 0;

    qh->token = (qh->token & ~(uint32_t)TOKEN_ACTIVE) | TOKEN_HALTED | reason;
    write_overlay(ehci, at, qh);
    pdm_phys_write(ehci->device, (qh->current & EHCI_LINK) + 8, &qh->token, sizeof(qh->token));
    ehci_interrupt(ehci, EHCI_FAILED | done);
}

/* Data 0 and 1 change with each packet: 4.10.3. */
static void
count_packets(EhciQh *qh, uint32_t moved)
{
    const uint32_t largest = MAX(qh->endpoint >> 16 & 0x7ff, 1);

    if ((MAX((moved + largest - 1) / largest, 1) & 1) != 0)
        qh->token ^= TOKEN_TOGGLE;
}

static void
count_bytes(EhciQh *qh, uint32_t moved)
{
    const uint32_t page = qh->token >> 12 & 7;
    const uint32_t place = page * PAGE + (qh->buffers[0] & (PAGE - 1)) + moved;

    qh->token = (qh->token & ~(7u << 12 | 0x7fffu << 16)) | (place / PAGE & 7) << 12 |
                (total_of(qh->token) - moved) << 16;
    qh->buffers[0] = (qh->buffers[0] & ~(PAGE - 1)) | place % PAGE;
}

static void
finish_good(EhciController *ehci, uint32_t at, EhciQh *qh, VusbUrb *urb, uint32_t moved)
{
    const bool is_short = moved < urb->size;
    uint32_t bits = 0;

    count_packets(qh, moved);
    count_bytes(qh, moved);
    if (is_short || total_of(qh->token) == 0)
        qh->token &= ~(uint32_t)TOKEN_ACTIVE;
    write_overlay(ehci, at, qh);
    if ((qh->token & TOKEN_ACTIVE) != 0)
        return;
    pdm_phys_write(ehci->device, (qh->current & EHCI_LINK) + 8, &qh->token, sizeof(qh->token));
    if ((qh->token & TOKEN_INTERRUPT) != 0 || (is_short && urb->in))
        bits = EHCI_DONE;
    if (bits != 0)
        ehci_interrupt(ehci, bits);
}

/* Without a counter a transaction that fails is tried for ever, in the next frame again. */
static void
finish_error(EhciController *ehci, uint32_t at, EhciQh *qh)
{
    if ((qh->token & TOKEN_ERRORS) == 0)
        return;
    qh->token &= ~(uint32_t)TOKEN_ERRORS;
    halt(ehci, at, qh, TOKEN_XACT_ERROR);
}

static void
finish(EhciController *ehci, EhciTransfer *transfer, VusbUrb *urb, EhciQh *qh)
{
    const uint32_t moved = MIN(urb->actual, urb->size);
    const uint32_t place = (qh->token >> 12 & 7) * PAGE + (qh->buffers[0] & (PAGE - 1));

    if (urb->in)
        ehci_move(ehci, qh->buffers, EHCI_BUFFERS, place, urb->data, moved, true);
    switch (urb->status) {
    case VUSB_OK:
    case VUSB_SHORT: finish_good(ehci, transfer->at, qh, urb, moved); break;
    case VUSB_STALL: halt(ehci, transfer->at, qh, 0); break;
    case VUSB_BABBLE: halt(ehci, transfer->at, qh, TOKEN_BABBLE); break;
    default: finish_error(ehci, transfer->at, qh); break;
    }
}

static bool
unchanged(const EhciTransfer *transfer, const EhciQh *qh)
{
    const uint32_t *kept = transfer->words;

    return qh->current == transfer->qtd && qh->endpoint == kept[KEPT_ENDPOINT] &&
           qh->split == kept[KEPT_SPLIT] && qh->token == kept[KEPT_TOKEN];
}

bool
ehci_queue_waits(EhciController *ehci, const EhciTransfer *transfer)
{
    EhciQh qh;

    read_queue(ehci, transfer->at, &qh);
    return unchanged(transfer, &qh);
}

/* --- the beginning of one --- */

/* The next element into the overlay: 4.10.2. */
static bool
advance(EhciController *ehci, uint32_t at, EhciQh *qh)
{
    const bool alternate = total_of(qh->token) != 0 && (qh->alternate & EHCI_END) == 0;
    const uint32_t link = alternate ? qh->alternate : qh->next_qtd;
    EhciQtd qtd = {0};
    uint32_t kept = qh->token & TOKEN_PING;

    if ((link & EHCI_END) != 0)
        return false;
    pdm_phys_read(ehci->device, link & EHCI_LINK, &qtd, sizeof(qtd));
    if ((qtd.token & TOKEN_ACTIVE) == 0)
        return false;
    if ((qh->endpoint & TOGGLE_CONTROL) == 0) {
        kept |= qh->token & TOKEN_TOGGLE;
        qtd.token &= ~TOKEN_TOGGLE;
    }
    qh->current = link & EHCI_LINK;
    qh->next_qtd = qtd.next;
    qh->alternate = (qtd.alternate & ~NAK_COUNT) | (qh->endpoint >> 28) << 1;
    qh->token = qtd.token | kept;
    memcpy(qh->buffers, qtd.buffers, sizeof(qh->buffers));
    write_overlay(ehci, at, qh);
    return true;
}

static void
describe(EhciController *ehci, VusbUrb *urb, const EhciQh *qh, EhciList list)
{
    const unsigned pid = qh->token >> 8 & 3;

    urb->endpoint = qh->endpoint >> 8 & 15;
    urb->in = pid == PID_IN;
    if (urb->endpoint == 0 || pid == PID_SETUP) {
        urb->type = VUSB_CONTROL;
        urb->stage = pid == PID_SETUP ? VUSB_STAGE_SETUP : urb->in ? VUSB_STAGE_IN : VUSB_STAGE_OUT;
    } else {
        urb->type = list == EHCI_IN_PERIODIC ? VUSB_INTERRUPT : VUSB_BULK;
    }
}

static void
begin(EhciController *ehci, uint32_t at, EhciQh *qh, EhciList list, uint64_t frame)
{
    const uint32_t place = (qh->token >> 12 & 7) * PAGE + (qh->buffers[0] & (PAGE - 1));
    const uint32_t room = EHCI_BUFFERS * PAGE > place ? EHCI_BUFFERS * PAGE - place : 0;
    const uint32_t size = MIN(total_of(qh->token), room);
    EhciTransfer *transfer;

    if ((qh->token >> 8 & 3) > PID_SETUP || (size == 0 && total_of(qh->token) != 0)) {
        halt(ehci, at, qh, TOKEN_BUFFER_ERROR);
        return;
    }
    transfer = ehci_new_transfer(ehci, EHCI_QH, at, size, 0);
    if (transfer == NULL)
        return;
    transfer->list = list;
    transfer->frame = frame;
    transfer->qtd = qh->current;
    transfer->words[KEPT_ENDPOINT] = qh->endpoint;
    transfer->words[KEPT_SPLIT] = qh->split;
    transfer->words[KEPT_TOKEN] = qh->token;
    describe(ehci, transfer->urb, qh, list);
    if (!transfer->urb->in)
        ehci_move(ehci, qh->buffers, EHCI_BUFFERS, place, transfer->urb->data, size, false);
    ehci_submit(ehci, transfer, qh->endpoint >> 12 & 3, qh->endpoint & 127, qh->split >> 16 & 127,
                qh->split >> 23 & 127);
}

/* Goes on where the queue stands. */
static void
run_queue(EhciController *ehci, uint32_t at, EhciList list, uint64_t frame)
{
    EhciQh qh;

    read_queue(ehci, at, &qh);
    if ((qh.token & TOKEN_HALTED) != 0 || (list == EHCI_IN_PERIODIC && (qh.split & 0xff) == 0))
        return;
    if ((qh.token & TOKEN_ACTIVE) != 0 || advance(ehci, at, &qh))
        begin(ehci, at, &qh, list, frame);
}

void
ehci_visit_queue(EhciController *ehci, uint32_t at, EhciList list, uint64_t frame)
{
    EhciTransfer *transfer = ehci_find_transfer(ehci, EHCI_QH, at);

    if (transfer != NULL) {
        transfer->seen = true;
        transfer->frame = frame;
        transfer->list = list;
        if (ehci_queue_waits(ehci, transfer))
            return;
        ehci_drop_transfer(transfer);
    }
    if (ehci->bytes > 0)
        run_queue(ehci, at, list, frame);
}

void
ehci_queue_done(EhciTransfer *transfer, VusbUrb *urb)
{
    EhciController *ehci = transfer->ehci;
    bool wanted;
    EhciQh qh;

    read_queue(ehci, transfer->at, &qh);
    wanted = unchanged(transfer, &qh) && ehci_is_linked(ehci, transfer);
    transfer->urb = NULL;
    if (wanted)
        finish(ehci, transfer, urb, &qh);
    ehci->hub->urb_free(ehci->hub->user, urb);
    if (!wanted || ehci->saving || ehci->bytes == 0)
        return;
    /* What failed and is to be tried again waits for its next turn. */
    if ((qh.token & (TOKEN_ACTIVE | TOKEN_HALTED)) == 0)
        run_queue(ehci, transfer->at, transfer->list, transfer->frame);
    ehci_wake(ehci);
}
