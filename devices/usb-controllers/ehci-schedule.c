/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * EHCI: the two schedules (4.6, 4.8). The guest owns them, so they may lead anywhere, themselves
 * included: a frame follows a bounded number of links. */
#include "devices/usb-controllers/ehci-private.h"

#define LIST_MASK 0xfffff000u
#define LINKS_MAX 1024u /* where no frame's budget counts */

static uint32_t
read_link(EhciController *ehci, uint32_t at)
{
    uint32_t link = EHCI_END;

    pdm_phys_read(ehci->device, at & EHCI_LINK, &link, sizeof(link));
    return link;
}

static unsigned
kind_of(uint32_t link)
{
    return link >> 1 & 3;
}

/* --- the asynchronous list: a ring of queue heads --- */
void
ehci_run_async(EhciController *ehci)
{
    uint32_t at = ehci->async_base & EHCI_LINK, link;

    if (at == 0 || ehci->saving || ehci->hub == NULL)
        return;
    for (; ehci->visits > 0; at = link & EHCI_LINK) {
        ehci->visits--;
        ehci_visit_queue(ehci, at, EHCI_IN_ASYNC, 0);
        link = read_link(ehci, at);
        if ((link & EHCI_END) != 0 || kind_of(link) != EHCI_QH ||
            (link & EHCI_LINK) == (ehci->async_base & EHCI_LINK))
            break;
    }
}

void
ehci_forget_unlinked(EhciController *ehci)
{
    uint32_t at = ehci->async_base & EHCI_LINK, link;

    for (unsigned i = 0; i < EHCI_TRANSFERS; i++)
        ehci->transfers[i].seen = ehci->transfers[i].list != EHCI_IN_ASYNC;
    for (unsigned i = 0; i < LINKS_MAX; i++, at = link & EHCI_LINK) {
        EhciTransfer *transfer = ehci_find_transfer(ehci, EHCI_QH, at);

        if (transfer != NULL)
            transfer->seen = true;
        link = read_link(ehci, at);
        if ((link & EHCI_END) != 0 || (link & EHCI_LINK) == (ehci->async_base & EHCI_LINK))
            break;
    }
    for (unsigned i = 0; i < EHCI_TRANSFERS; i++) {
        if (ehci->transfers[i].urb != NULL && !ehci->transfers[i].seen)
            ehci_drop_transfer(&ehci->transfers[i]);
    }
}

/* --- the periodic list: a list for each frame --- */
static uint32_t
frame_link(EhciController *ehci, uint64_t frame)
{
    const uint32_t entry = (uint32_t)(frame % ehci_list_size(ehci));
    uint32_t link = EHCI_END;

    pdm_phys_read(ehci->device, (ehci->periodic_base & LIST_MASK) + 4 * entry, &link, sizeof(link));
    return link;
}

static void
visit(EhciController *ehci, uint32_t link, uint64_t frame, bool ahead)
{
    const uint32_t at = link & EHCI_LINK;

    switch (kind_of(link)) {
    case EHCI_ITD: ehci_visit_itd(ehci, at, frame); break;
    case EHCI_SITD: ehci_visit_sitd(ehci, at, frame); break;
    case EHCI_QH:
        if (!ahead)
            ehci_visit_queue(ehci, at, EHCI_IN_PERIODIC, frame);
        break;
    default: break;
    }
}

static bool
of_frame(const EhciController *ehci, const EhciTransfer *transfer, uint64_t frame)
{
    return transfer->urb != NULL && !transfer->over && transfer->list == EHCI_IN_PERIODIC &&
           transfer->frame % ehci_list_size(ehci) == frame % ehci_list_size(ehci);
}

/* ahead: the frame has not begun, only isochronous transfers get ready for it. */
static void
run_frame(EhciController *ehci, uint64_t frame, bool ahead)
{
    uint32_t link = frame_link(ehci, frame);

    for (unsigned i = 0; i < EHCI_TRANSFERS; i++)
        ehci->transfers[i].seen = !of_frame(ehci, &ehci->transfers[i], frame);
    while ((link & EHCI_END) == 0 && ehci->visits > 0) {
        const uint32_t at = link & EHCI_LINK;

        ehci->visits--;
        visit(ehci, link, frame, ahead);
        link = read_link(ehci, at);
        if ((link & EHCI_LINK) == at)
            break;
    }
    for (unsigned i = 0; i < EHCI_TRANSFERS && !ahead; i++) {
        if (ehci->transfers[i].urb != NULL && !ehci->transfers[i].seen)
            ehci_drop_transfer(&ehci->transfers[i]);
    }
}

void
ehci_run_periodic(EhciController *ehci, uint64_t first, uint64_t last)
{
    const uint64_t ahead = ehci->isochronous ? EHCI_AHEAD : EHCI_AHEAD_IDLE;

    if (ehci->saving || ehci->hub == NULL)
        return;
    ehci->isochronous = false;
    for (uint64_t frame = first; frame <= last; frame++)
        run_frame(ehci, frame, false);
    for (uint64_t frame = last + 1; frame <= last + ahead; frame++)
        run_frame(ehci, frame, true);
}

bool
ehci_is_linked(EhciController *ehci, const EhciTransfer *transfer)
{
    uint32_t link;

    if (transfer->list == EHCI_IN_ASYNC)
        return true;
    link = frame_link(ehci, transfer->frame);
    for (unsigned i = 0; i < LINKS_MAX && (link & EHCI_END) == 0; i++) {
        const uint32_t at = link & EHCI_LINK;

        if (at == transfer->at && kind_of(link) == transfer->kind)
            return true;
        link = read_link(ehci, at);
        if ((link & EHCI_LINK) == at)
            break;
    }
    return false;
}
