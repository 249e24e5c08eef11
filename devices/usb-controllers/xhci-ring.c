/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * xHCI: reading rings (4.9), and the budget that keeps rings which never end from holding the
 * guest up. */
#include "devices/usb-controllers/xhci-private.h"

XhciFetch
xhci_fetch(XhciController *xhci, XhciRing *ring, XhciTrb *trb, unsigned *links)
{
    for (;;) {
        uint32_t words[4];

        pdm_phys_read(xhci->device, ring->at, words, sizeof(words));
        if ((words[3] & TRB_CYCLE) != ring->cycle)
            return FETCH_NOTHING;
        *trb = (XhciTrb){
            .parameter = words[0] | (uint64_t)words[1] << 32,
            .status = words[2],
            .control = words[3],
            .at = ring->at,
        };
        if (trb_type(trb) != TRB_LINK) {
            ring->at += 16;
            return FETCH_TRB;
        }
        if ((*links)-- == 0)
            return FETCH_BAD;
        ring->at = trb->parameter & ~15ull;
        if ((trb->control & TRB_TOGGLE) != 0)
            ring->cycle ^= 1;
    }
}

void
xhci_timer_at(XhciController *xhci, uint64_t deadline_ns)
{
    if (xhci->timer_ns != 0 && xhci->timer_ns <= deadline_ns)
        return;
    xhci->timer_ns = deadline_ns;
    pdm_timer_set(xhci->device, xhci->timer, deadline_ns);
}

bool
xhci_spend(XhciController *xhci)
{
    const uint64_t frame = pdm_now(xhci->device) / XHCI_FRAME_NS;

    if (frame != xhci->frame) {
        xhci->frame = frame;
        xhci->spent = 0;
    }
    if (xhci->spent++ < XHCI_FRAME_BUDGET)
        return true;
    xhci_timer_at(xhci, (frame + 1) * XHCI_FRAME_NS);
    return false;
}
