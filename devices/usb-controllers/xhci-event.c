/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * xHCI: event rings (4.9.4) and interrupters (4.17). Events for which a ring has no room wait for
 * the guest to move its dequeue pointer, up to XHCI_HELD_EVENTS; then they are lost, and a Host
 * Controller event says so. */
#include "devices/usb-controllers/xhci-private.h"

#include <string.h>

/* --- interrupts --- */
void
xhci_update_pin(XhciController *xhci)
{
    bool level = false;

    for (unsigned i = 0; i < XHCI_INTERRUPTERS; i++)
        level |= (xhci->interrupters[i].iman & (IMAN_PENDING | IMAN_ENABLE)) ==
                 (IMAN_PENDING | IMAN_ENABLE);
    level = level && (xhci->usbcmd & USBCMD_INTERRUPTS) != 0 && !pci_msix_enabled(&xhci->msix);
    pdm_pci_irq(xhci->device, xhci->pci, level);
}

void
xhci_interrupter_update(XhciController *xhci, unsigned index)
{
    XhciInterrupter *interrupter = &xhci->interrupters[index];
    const uint64_t now = pdm_now(xhci->device);

    if (interrupter->wants && (interrupter->erdp & ERDP_BUSY) == 0) {
        if (now < interrupter->next_ns) {
            xhci_timer_at(xhci, interrupter->next_ns);
        } else {
            interrupter->wants = 0;
            interrupter->erdp |= ERDP_BUSY;
            interrupter->iman |= IMAN_PENDING;
            interrupter->next_ns = now + (interrupter->imod & 0xffff) * 250ull;
            xhci->usbsts |= USBSTS_EVENT;
        }
    }
    if ((interrupter->iman & (IMAN_PENDING | IMAN_ENABLE)) == (IMAN_PENDING | IMAN_ENABLE) &&
        (xhci->usbcmd & USBCMD_INTERRUPTS) != 0 && pci_msix_enabled(&xhci->msix)) {
        interrupter->iman &= ~IMAN_PENDING;
        pci_msix_send(&xhci->msix, index);
    }
    xhci_update_pin(xhci);
}

/* --- the ring --- */
static bool
load_segment(XhciController *xhci, XhciInterrupter *interrupter)
{
    uint32_t words[4];

    pdm_phys_read(xhci->device, interrupter->erstba + 16ull * interrupter->segment, words,
                  sizeof(words));
    interrupter->segment_base = (words[0] | (uint64_t)words[1] << 32) & ~63ull;
    interrupter->segment_size = words[2] & 0xffff;
    if (interrupter->segment_size >= 16 && interrupter->segment_size <= 4096)
        return true;
    pdm_guest_error(xhci->device, "xhci-erst", "an event ring segment of %u entries",
                    interrupter->segment_size);
    interrupter->segment_size = 0;
    return false;
}

void
xhci_interrupter_start(XhciController *xhci, unsigned index)
{
    XhciInterrupter *interrupter = &xhci->interrupters[index];

    interrupter->segment = interrupter->index = 0;
    interrupter->cycle = 1;
    interrupter->held = 0;
    interrupter->segment_size = 0;
    if (interrupter->erstsz != 0)
        load_segment(xhci, interrupter);
}

static uint64_t
enqueue_at(const XhciInterrupter *interrupter)
{
    return interrupter->segment_base + 16ull * interrupter->index;
}

/* Whether one more event would make the ring look empty. */
static bool
is_full(XhciController *xhci, const XhciInterrupter *interrupter)
{
    const uint64_t dequeue = interrupter->erdp & ~15ull;
    uint32_t words[4];

    if (interrupter->index + 1 < interrupter->segment_size)
        return enqueue_at(interrupter) + 16 == dequeue;
    pdm_phys_read(xhci->device,
                  interrupter->erstba + 16ull * ((interrupter->segment + 1) % interrupter->erstsz),
                  words, sizeof(words));
    return ((words[0] | (uint64_t)words[1] << 32) & ~63ull) == dequeue;
}

static void
put(XhciController *xhci, XhciInterrupter *interrupter, const XhciEvent *event)
{
    uint32_t words[4] = {(uint32_t)event->parameter, (uint32_t)(event->parameter >> 32),
                         event->status, (event->control & ~TRB_CYCLE) | interrupter->cycle};

    /* The word with the cycle bit last: the guest may be looking. */
    pdm_phys_write(xhci->device, enqueue_at(interrupter), words, 12);
    pdm_phys_write(xhci->device, enqueue_at(interrupter) + 12, &words[3], 4);
    if (++interrupter->index < interrupter->segment_size)
        return;
    interrupter->index = 0;
    interrupter->segment = (interrupter->segment + 1) % interrupter->erstsz;
    if (interrupter->segment == 0)
        interrupter->cycle ^= 1;
    load_segment(xhci, interrupter);
}

static void
hold(XhciController *xhci, XhciInterrupter *interrupter, const XhciEvent *event)
{
    static const XhciEvent full = {.status = XHCI_EVENT_RING_FULL << 24,
                                   .control = TRB_HOST_CONTROLLER_EVENT << 10};

    if (interrupter->held == XHCI_HELD_EVENTS) {
        pdm_guest_error(xhci->device, "xhci-event-full", "an event ring is full, events are lost");
        interrupter->events[XHCI_HELD_EVENTS - 1] = full;
    } else {
        interrupter->events[interrupter->held++] = *event;
    }
}

static void
put_held(XhciController *xhci, XhciInterrupter *interrupter)
{
    unsigned done = 0;

    while (done < interrupter->held && interrupter->segment_size != 0 &&
           !is_full(xhci, interrupter))
        put(xhci, interrupter, &interrupter->events[done++]);
    if (done == 0)
        return;
    interrupter->held -= done;
    memmove(interrupter->events, interrupter->events + done,
            interrupter->held * sizeof(interrupter->events[0]));
    interrupter->wants = 1;
}

void
xhci_event(XhciController *xhci, unsigned index, const XhciEvent *event)
{
    XhciInterrupter *interrupter = &xhci->interrupters[index % XHCI_INTERRUPTERS];

    /* Without a ring there is nobody to tell. */
    if (interrupter->segment_size == 0 || interrupter->erstsz == 0)
        return;
    if (interrupter->held > 0 || is_full(xhci, interrupter)) {
        hold(xhci, interrupter, event);
        return;
    }
    put(xhci, interrupter, event);
    /* A transfer event that blocks its interrupt is seen with the next one. */
    if ((event->control & TRB_BEI) != 0 && event->control >> 10 == TRB_TRANSFER_EVENT)
        return;
    interrupter->wants = 1;
    xhci_interrupter_update(xhci, index % XHCI_INTERRUPTERS);
}

void
xhci_write_erdp(XhciController *xhci, unsigned index, uint64_t value)
{
    XhciInterrupter *interrupter = &xhci->interrupters[index];
    const uint64_t busy = interrupter->erdp & ~value & ERDP_BUSY;

    interrupter->erdp = (value & ~(uint64_t)ERDP_BUSY) | busy;
    if (interrupter->segment_size == 0 || interrupter->erstsz == 0)
        return;
    put_held(xhci, interrupter);
    /* Not empty: what came in the meantime is told of. */
    if (busy == 0 && enqueue_at(interrupter) != (interrupter->erdp & ~15ull))
        interrupter->wants = 1;
    xhci_interrupter_update(xhci, index);
}
