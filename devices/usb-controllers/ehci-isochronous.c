/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * EHCI: isochronous descriptors, those of high speed with up to eight transactions in a frame
 * (3.3, 4.7) and split ones with a single one (3.4, 4.12.3). They are begun before their frame,
 * which gives devices of the host time to answer, and end with it; ehci-frame.c lets a frame wait
 * for what is to come. What has not come by then is left to the next descriptors of that endpoint,
 * in its order, up to EHCI_LATE_FRAMES later; what is sent goes out all the same, for nobody
 * acknowledges it. */
#include "devices/usb-controllers/ehci-private.h"

#include <string.h>

#define PAGE 0x1000u
#define ITD_WORDS 16u
#define ITD_TRANSACTIONS 8u
#define ITD_PAGES 7u
#define ITD_ACTIVE (1u << 31)
#define ITD_BABBLE (1u << 29)
#define ITD_XACT_ERROR (1u << 28)
#define ITD_LENGTH (0xfffu << 16)
#define ITD_INTERRUPT (1u << 15)
#define ITD_TARGET 0xf7fu /* of the device: its address and the endpoint */
#define SITD_WORDS 7u
#define SITD_TARGET 0x7f7f0f7fu /* and of its hub: address and port */
#define SITD_ACTIVE (1u << 7)
#define SITD_BUFFER_ERROR (1u << 5)
#define SITD_BABBLE (1u << 4)
#define SITD_XACT_ERROR (1u << 3)
#define SITD_MISSED (1u << 2)
#define SITD_LENGTH (0x3ffu << 16)
#define SITD_INTERRUPT (1u << 31)
#define SITD_IN (1u << 31)
#define SPEED_FULL 0u
#define SPEED_HIGH 2u

/* One that is known already counts as seen. */
static bool
is_under_way(EhciController *ehci, uint8_t kind, uint32_t at)
{
    EhciTransfer *transfer = ehci_find_transfer(ehci, kind, at);

    if (transfer != NULL)
        transfer->seen = ehci->isochronous = true;
    return transfer != NULL;
}

static void
read_words(EhciController *ehci, uint32_t at, uint32_t *words, unsigned count)
{
    memset(words, 0, count * sizeof(*words));
    pdm_phys_read(ehci->device, at, words, count * sizeof(*words));
}

static void
describe(EhciController *ehci, EhciTransfer *transfer, uint64_t frame, uint32_t target, bool in)
{
    VusbUrb *urb = transfer->urb;

    transfer->frame = frame;
    transfer->target = target;
    urb->type = VUSB_ISOCHRONOUS;
    urb->endpoint = (uint8_t)(target >> 8 & 15);
    urb->in = in;
    urb->frame_ns = ehci_frame_ns(ehci, frame);
}

/* --- high speed --- */
static uint32_t
itd_place(uint32_t transaction)
{
    return (transaction >> 12 & 7) * PAGE + (transaction & (PAGE - 1));
}

static void
begin_itd(EhciController *ehci, EhciTransfer *transfer, const uint32_t *words, uint64_t frame)
{
    VusbUrb *urb = transfer->urb;
    uint32_t offset = 0, packets = 0;

    describe(ehci, transfer, frame, words[9] & ITD_TARGET, (words[10] >> 11 & 1) != 0);
    memcpy(transfer->words, words, ITD_WORDS * sizeof(*words));
    for (unsigned i = 0; i < ITD_TRANSACTIONS; i++) {
        const uint32_t transaction = words[1 + i], size = (transaction & ITD_LENGTH) >> 16;

        if ((transaction & ITD_ACTIVE) == 0)
            continue;
        transfer->packets[packets] = (uint8_t)i;
        urb->packets[packets++] = (VusbPacket){.offset = offset, .size = size};
        if (!urb->in)
            ehci_move(ehci, words + 9, ITD_PAGES, itd_place(transaction), urb->data + offset, size,
                      false);
        offset += size;
    }
    ehci_submit(ehci, transfer, SPEED_HIGH, words[9] & 127, 0, 0);
}

void
ehci_visit_itd(EhciController *ehci, uint32_t at, uint64_t frame)
{
    uint32_t words[ITD_WORDS], size = 0, packets = 0;
    EhciTransfer *transfer;

    if (is_under_way(ehci, EHCI_ITD, at))
        return;
    read_words(ehci, at, words, ITD_WORDS);
    for (unsigned i = 0; i < ITD_TRANSACTIONS; i++) {
        if ((words[1 + i] & ITD_ACTIVE) == 0)
            continue;
        size += (words[1 + i] & ITD_LENGTH) >> 16;
        packets++;
    }
    if (packets == 0)
        return;
    ehci->isochronous = true;
    transfer = ehci_new_transfer(ehci, EHCI_ITD, at, size, packets);
    if (transfer != NULL)
        begin_itd(ehci, transfer, words, frame);
}

/* Of packet number i of those that came; from NULL: nothing came. */
static uint32_t
itd_error(const VusbUrb *from, uint32_t i, bool in)
{
    if (from == NULL || i >= from->packet_count)
        return in ? ITD_XACT_ERROR : 0;
    switch (from->packets[i].status) {
    case VUSB_OK:
    case VUSB_SHORT: return 0;
    case VUSB_BABBLE: return ITD_BABBLE;
    default: return ITD_XACT_ERROR;
    }
}

static void
finish_itd(EhciController *ehci, EhciTransfer *transfer, const VusbUrb *from)
{
    const VusbUrb *urb = transfer->urb;
    bool interrupt = false;

    for (uint32_t i = 0; i < urb->packet_count; i++) {
        const VusbPacket *packet =
            from != NULL && i < from->packet_count ? &from->packets[i] : NULL;
        const unsigned index = 1u + transfer->packets[i];
        const uint32_t before = transfer->words[index];
        const uint32_t room = packet != NULL ? MIN(packet->size, urb->packets[i].size) : 0;
        uint32_t now = (before & ~ITD_ACTIVE) | itd_error(from, i, urb->in);

        if (urb->in) {
            const uint32_t actual = packet != NULL ? MIN(packet->actual, room) : 0;

            now = (now & ~ITD_LENGTH) | actual << 16;
            if (actual > 0)
                ehci_move(ehci, transfer->words + 9, ITD_PAGES, itd_place(before),
                          from->data + packet->offset, actual, true);
        }
        pdm_phys_write(ehci->device, transfer->at + 4 * index, &now, sizeof(now));
        interrupt = interrupt || (before & ITD_INTERRUPT) != 0;
    }
    if (interrupt)
        ehci_interrupt(ehci, EHCI_DONE);
}

/* --- split --- */
static void
begin_sitd(EhciController *ehci, EhciTransfer *transfer, const uint32_t *words, uint64_t frame)
{
    VusbUrb *urb = transfer->urb;

    describe(ehci, transfer, frame, words[1] & SITD_TARGET, (words[1] & SITD_IN) != 0);
    memcpy(transfer->words, words, SITD_WORDS * sizeof(*words));
    urb->packets[0] = (VusbPacket){.size = urb->size};
    if (!urb->in)
        ehci_move(ehci, words + 4, 2, words[4] & (PAGE - 1), urb->data, urb->size, false);
    ehci_submit(ehci, transfer, SPEED_FULL, words[1] & 127, words[1] >> 16 & 127,
                words[1] >> 24 & 127);
}

void
ehci_visit_sitd(EhciController *ehci, uint32_t at, uint64_t frame)
{
    uint32_t words[SITD_WORDS];
    EhciTransfer *transfer;

    if (is_under_way(ehci, EHCI_SITD, at))
        return;
    read_words(ehci, at, words, SITD_WORDS);
    if ((words[3] & SITD_ACTIVE) == 0 || (words[2] & 0xff) == 0)
        return;
    ehci->isochronous = true;
    transfer = ehci_new_transfer(ehci, EHCI_SITD, at, (words[3] & SITD_LENGTH) >> 16, 1);
    if (transfer != NULL)
        begin_sitd(ehci, transfer, words, frame);
}

static uint32_t
sitd_error(const VusbUrb *from, bool in)
{
    if (from == NULL)
        return in ? SITD_MISSED : 0;
    switch (from->packets[0].status) {
    case VUSB_OK:
    case VUSB_SHORT: return 0;
    case VUSB_BABBLE: return SITD_BABBLE;
    default: return SITD_XACT_ERROR;
    }
}

static void
finish_sitd(EhciController *ehci, EhciTransfer *transfer, const VusbUrb *from)
{
    const VusbUrb *urb = transfer->urb;
    const uint32_t before = transfer->words[3];
    const uint32_t room = from != NULL ? MIN(from->packets[0].size, urb->size) : 0;
    const uint32_t actual = from != NULL ? MIN(from->packets[0].actual, room)
                            : urb->in    ? 0
                                         : urb->size;
    uint32_t now = (before & ~(SITD_ACTIVE | SITD_LENGTH)) | sitd_error(from, urb->in);

    if (urb->in && from != NULL)
        ehci_move(ehci, transfer->words + 4, 2, transfer->words[4] & (PAGE - 1), from->data, actual,
                  true);
    now |= (urb->size - actual) << 16;
    pdm_phys_write(ehci->device, transfer->at + 12, &now, sizeof(now));
    if ((before & SITD_INTERRUPT) != 0)
        ehci_interrupt(ehci, EHCI_DONE);
}

/* --- the end --- */
void
ehci_isochronous_done(EhciTransfer *transfer, VusbUrb *urb)
{
    if (transfer->over && !urb->in) {
        transfer->ehci->hub->urb_free(transfer->ehci->hub->user, g_steal_pointer(&transfer->urb));
        return;
    }
    transfer->answered = true;
    if (urb->status == VUSB_OK || urb->status == VUSB_SHORT)
        return;
    for (uint32_t i = 0; i < urb->packet_count; i++) {
        if (urb->packets[i].status == VUSB_OK && urb->packets[i].actual == 0)
            urb->packets[i].status = urb->status;
    }
}

/* Of two transfers: the one whose frame is first, or that began first. */
static bool
is_before(const EhciTransfer *transfer, const EhciTransfer *other)
{
    return transfer->frame < other->frame ||
           (transfer->frame == other->frame && transfer->number < other->number);
}

static bool
may_answer(const EhciTransfer *answer, const EhciTransfer *transfer)
{
    if (answer == transfer || !transfer->urb->in)
        return answer == transfer && answer->answered;
    return answer->urb != NULL && answer->urb->in && answer->answered &&
           answer->kind == transfer->kind && answer->target == transfer->target &&
           is_before(answer, transfer);
}

/* The oldest answer of the endpoint that nobody has had; NULL: none. What the guest sends is its
 * own answer. */
static EhciTransfer *
find_answer(EhciController *ehci, const EhciTransfer *transfer)
{
    EhciTransfer *found = NULL;

    for (unsigned i = 0; i < EHCI_TRANSFERS; i++) {
        EhciTransfer *other = &ehci->transfers[i];

        if (may_answer(other, transfer) && (found == NULL || is_before(other, found)))
            found = other;
    }
    return found;
}

static void
finish(EhciController *ehci, EhciTransfer *transfer)
{
    EhciTransfer *answer = find_answer(ehci, transfer);
    const VusbUrb *from = answer != NULL ? answer->urb : NULL;

    if (transfer->kind == EHCI_ITD)
        finish_itd(ehci, transfer, from);
    else
        finish_sitd(ehci, transfer, from);
    transfer->over = answer != transfer;
    if (answer != NULL)
        ehci_drop_transfer(answer);
}

static bool
is_due(const EhciTransfer *transfer, uint64_t frame)
{
    return transfer->urb != NULL && !transfer->over && transfer->kind != EHCI_QH &&
           transfer->frame < frame;
}

bool
ehci_awaits(EhciController *ehci, uint64_t frame)
{
    for (unsigned i = 0; i < EHCI_TRANSFERS; i++) {
        const EhciTransfer *transfer = &ehci->transfers[i];

        if (is_due(transfer, frame) && transfer->urb->in && find_answer(ehci, transfer) == NULL &&
            ehci_is_linked(ehci, transfer))
            return true;
    }
    return false;
}

/* The first of those whose frame is over; NULL: none. */
static EhciTransfer *
find_over(EhciController *ehci, uint64_t frame)
{
    EhciTransfer *found = NULL;

    for (unsigned i = 0; i < EHCI_TRANSFERS; i++) {
        EhciTransfer *transfer = &ehci->transfers[i];

        if (is_due(transfer, frame) && (found == NULL || is_before(transfer, found)))
            found = transfer;
    }
    return found;
}

void
ehci_finish_frame(EhciController *ehci, uint64_t frame)
{
    EhciTransfer *transfer;

    while ((transfer = find_over(ehci, frame)) != NULL) {
        if (ehci_is_linked(ehci, transfer))
            finish(ehci, transfer);
        else if (transfer->urb->in || transfer->answered)
            ehci_drop_transfer(transfer);
        else
            transfer->over = true;
    }
    for (unsigned i = 0; i < EHCI_TRANSFERS; i++) {
        transfer = &ehci->transfers[i];
        if (transfer->urb != NULL && transfer->over && transfer->urb->in &&
            transfer->frame + EHCI_LATE_FRAMES < frame)
            ehci_drop_transfer(transfer);
    }
}
