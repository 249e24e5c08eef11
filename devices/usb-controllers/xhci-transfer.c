/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * xHCI: transfers from ring to device and back (4.11, 4.14). A transfer is one URB; control
 * transfers are taken from Setup to Status. Several are under way at once and end in order;
 * isochronous ones not before their interval is over. */
#include "devices/usb-controllers/xhci-private.h"

static XhciEndpoint *
endpoint_at(XhciController *xhci, unsigned slot, unsigned dci)
{
    return &xhci->slots[slot].endpoints[dci];
}

void
xhci_td_free(XhciTd *td)
{
    if (td == NULL)
        return;
    if (td->urb != NULL)
        td->xhci->hub->urb_free(td->xhci->hub->user, td->urb);
    g_array_free(td->trbs, TRUE);
    g_free(td);
}

static bool
is_isochronous(const XhciEndpoint *endpoint)
{
    return endpoint->type == EP_ISOCH_IN || endpoint->type == EP_ISOCH_OUT;
}

/* --- from the ring --- */

/* Whether this TRB ends what is one transfer here. */
static bool
ends(const XhciEndpoint *endpoint, const XhciTrb *trb)
{
    if (endpoint->type == EP_CONTROL)
        return trb_type(trb) == TRB_STATUS ? (trb->control & TRB_CHAIN) == 0
                                           : trb_type(trb) == TRB_NO_OP;
    return (trb->control & TRB_CHAIN) == 0;
}

static bool
type_fits(const XhciEndpoint *endpoint, const XhciTrb *trb, bool first)
{
    const unsigned type = trb_type(trb);

    if (type == TRB_NO_OP)
        return first;
    if (type == TRB_EVENT_DATA)
        return !first;
    if (endpoint->type == EP_CONTROL)
        return first ? type == TRB_SETUP
                     : type == TRB_DATA || type == TRB_NORMAL || type == TRB_STATUS;
    if (first && is_isochronous(endpoint))
        return type == TRB_ISOCH;
    return type == TRB_NORMAL;
}

/* An Event Data TRB after a Status TRB belongs to it. */
static void
take_status_event(XhciController *xhci, XhciTd *td, XhciRing *ring, unsigned *links)
{
    const XhciTrb *last = &g_array_index(td->trbs, XhciTrb, td->trbs->len - 1);
    XhciTrb trb;
    XhciRing next = *ring;

    if (trb_type(last) != TRB_STATUS || (last->control & TRB_CHAIN) == 0)
        return;
    if (xhci_fetch(xhci, &next, &trb, links) == FETCH_TRB && trb_type(&trb) == TRB_EVENT_DATA) {
        g_array_append_val(td->trbs, trb);
        *ring = next;
    }
}

static XhciFetch
fetch_td(XhciController *xhci, XhciEndpoint *endpoint, XhciTd *td)
{
    XhciRing ring = endpoint->fetch;
    unsigned links = XHCI_LINKS_MAX;
    XhciTrb trb;

    do {
        const XhciFetch fetched = xhci_fetch(xhci, &ring, &trb, &links);

        if (fetched != FETCH_TRB)
            return fetched;
        if (td->trbs->len >= XHCI_TRBS_MAX || !type_fits(endpoint, &trb, td->trbs->len == 0)) {
            if (td->trbs->len == 0)
                g_array_append_val(td->trbs, trb);
            return FETCH_BAD;
        }
        g_array_append_val(td->trbs, trb);
        if (trb_type(&trb) == TRB_STATUS) {
            take_status_event(xhci, td, &ring, &links);
            break;
        }
    } while (!ends(endpoint, &trb));
    td->after = ring;
    return FETCH_TRB;
}

/* --- to the device --- */
static void
transfer_done(void *user, VusbUrb *urb)
{
    XhciTd *td = user;

    td->answered = true;
    td->status = urb->status;
    xhci_retire(td->xhci, td->slot, td->dci);
}

/* When an isochronous transfer is due: one interval after the last, or now. */
static void
set_due(XhciController *xhci, XhciEndpoint *endpoint, XhciTd *td)
{
    const uint64_t now = pdm_now(xhci->device);
    const uint64_t interval = XHCI_MICROFRAME_NS << endpoint->interval;

    if (endpoint->next_ns < now)
        endpoint->next_ns = now;
    td->urb->frame_ns = endpoint->next_ns;
    endpoint->next_ns += interval;
    td->due_ns = endpoint->next_ns;
}

static const uint8_t transfer_kinds[8] = {
    [EP_ISOCH_OUT] = VUSB_ISOCHRONOUS,   [EP_BULK_OUT] = VUSB_BULK,
    [EP_INTERRUPT_OUT] = VUSB_INTERRUPT, [EP_CONTROL] = VUSB_CONTROL,
    [EP_ISOCH_IN] = VUSB_ISOCHRONOUS,    [EP_BULK_IN] = VUSB_BULK,
    [EP_INTERRUPT_IN] = VUSB_INTERRUPT,
};

static void
fill_urb(XhciController *xhci, XhciEndpoint *endpoint, XhciTd *td)
{
    VusbUrb *urb = td->urb;

    urb->type = (VusbTransfer)transfer_kinds[endpoint->type];
    urb->endpoint = (uint8_t)(td->dci / 2);
    urb->in = xhci_td_is_in(td, endpoint);
    urb->done = transfer_done;
    urb->user = td;
    if (endpoint->type == EP_CONTROL) {
        const uint64_t setup = g_array_index(td->trbs, XhciTrb, 0).parameter;

        urb->stage = VUSB_STAGE_ALL;
        urb->setup = vusb_setup_parse((const uint8_t *)&setup);
        /* What the TRBs have room for is what counts. */
        urb->setup.length = (uint16_t)MIN(urb->setup.length, urb->size);
    }
    if (is_isochronous(endpoint)) {
        urb->packets[0] = (VusbPacket){.size = urb->size};
        set_due(xhci, endpoint, td);
    }
    if (!urb->in)
        xhci_td_gather(td, urb->data);
}

static bool
is_no_op(const XhciTd *td)
{
    return trb_type(&g_array_index(td->trbs, XhciTrb, 0)) == TRB_NO_OP;
}

/* False: not now, for lack of memory that others hold. */
static bool
start(XhciController *xhci, XhciEndpoint *endpoint, XhciTd *td)
{
    if (is_no_op(td)) {
        td->answered = true;
    } else {
        td->urb =
            xhci->hub->urb_new(xhci->hub->user, xhci_td_size(td), is_isochronous(endpoint) ? 1 : 0);
        if (td->urb == NULL)
            return false;
        fill_urb(xhci, endpoint, td);
    }
    endpoint->fetch = td->after;
    g_queue_push_tail(&endpoint->tds, td);
    if (td->urb != NULL)
        xhci->hub->submit(xhci->hub->user, xhci_slot_device(xhci, td->slot), td->urb);
    return true;
}

/* --- and back --- */
static unsigned
completion_code(VusbStatus status)
{
    switch (status) {
    case VUSB_OK:
    case VUSB_SHORT: return XHCI_SUCCESS;
    case VUSB_STALL: return XHCI_STALL;
    case VUSB_BABBLE: return XHCI_BABBLE;
    case VUSB_NO_DEVICE:
    case VUSB_IO_ERROR:
    case VUSB_CANCELLED: break;
    }
    return XHCI_TRANSACTION;
}

static void
end_td(XhciController *xhci, XhciEndpoint *endpoint, XhciTd *td)
{
    const bool isochronous = is_isochronous(endpoint);
    unsigned code = XHCI_SUCCESS;
    uint32_t moved = 0;

    if (td->urb != NULL) {
        moved = isochronous ? MIN(td->urb->packets[0].actual, td->urb->size) : td->urb->actual;
        code = completion_code(isochronous ? td->urb->packets[0].status : td->status);
        if (xhci_td_is_in(td, endpoint))
            xhci_td_scatter(td, td->urb->data, moved);
    }
    if (code != XHCI_SUCCESS && !isochronous) {
        /* The ring stays at the transfer that failed: 4.8.3. */
        xhci_endpoint_set_state(xhci, td->slot, td->dci, EP_HALTED);
        xhci_td_report(td, code, moved);
        return;
    }
    endpoint->ring = td->after;
    xhci_td_report(td, code, moved);
}

void
xhci_retire(XhciController *xhci, unsigned slot, unsigned dci)
{
    XhciEndpoint *endpoint = endpoint_at(xhci, slot, dci);
    const uint64_t now = pdm_now(xhci->device);
    XhciTd *td;

    while (endpoint->state == EP_RUNNING && (td = g_queue_peek_head(&endpoint->tds)) != NULL &&
           td->answered) {
        if (td->due_ns > now) {
            endpoint->wants_kick = xhci->kicks_wait = true;
            xhci_timer_at(xhci, td->due_ns);
            return;
        }
        g_queue_pop_head(&endpoint->tds);
        end_td(xhci, endpoint, td);
        xhci_td_free(td);
    }
    if (endpoint->state == EP_RUNNING)
        xhci_kick(xhci, slot, dci);
    else
        xhci_endpoint_cancel(endpoint);
}

/* --- the doorbell --- */
static void
bad_ring(XhciController *xhci, unsigned slot, unsigned dci, XhciTd *td)
{
    pdm_guest_error(xhci->device, "xhci-ring", "a transfer ring of type %u has a TRB %u",
                    endpoint_at(xhci, slot, dci)->type,
                    td->trbs->len > 0 ? trb_type(&g_array_index(td->trbs, XhciTrb, 0)) : 0);
    xhci_endpoint_cancel(endpoint_at(xhci, slot, dci));
    xhci_endpoint_set_state(xhci, slot, dci, EP_ERROR);
    if (td->trbs->len > 0)
        xhci_td_report(td, XHCI_TRB_ERROR, 0);
    xhci_td_free(td);
}

static void
kick_later(XhciController *xhci, XhciEndpoint *endpoint)
{
    endpoint->wants_kick = xhci->kicks_wait = true;
    xhci_timer_at(xhci, (pdm_now(xhci->device) / XHCI_FRAME_NS + 1) * XHCI_FRAME_NS);
}

void
xhci_kick(XhciController *xhci, unsigned slot, unsigned dci)
{
    XhciEndpoint *endpoint = endpoint_at(xhci, slot, dci);
    bool ended = false;

    endpoint->wants_kick = false;
    while (xhci_running(xhci) && !xhci->saving && xhci->hub != NULL &&
           endpoint->state == EP_RUNNING && endpoint->tds.length < XHCI_TDS_MAX) {
        XhciTd *td;
        XhciFetch fetched;

        if (!xhci_spend(xhci)) {
            kick_later(xhci, endpoint);
            return;
        }
        td = g_new0(XhciTd, 1);
        *td = (XhciTd){.xhci = xhci, .slot = slot, .dci = dci};
        td->trbs = g_array_new(FALSE, FALSE, sizeof(XhciTrb));
        fetched = fetch_td(xhci, endpoint, td);
        if (fetched == FETCH_TRB && xhci_td_size(td) > VUSB_URB_SIZE_MAX)
            fetched = FETCH_BAD;
        if (fetched == FETCH_BAD) {
            bad_ring(xhci, slot, dci, td);
            return;
        }
        if (fetched == FETCH_NOTHING || !start(xhci, endpoint, td)) {
            if (fetched == FETCH_TRB)
                kick_later(xhci, endpoint);
            xhci_td_free(td);
            break;
        }
        ended |= td->answered;
    }
    /* Those that need no device have nobody who ends them. */
    if (ended && ((XhciTd *)g_queue_peek_head(&endpoint->tds))->answered)
        xhci_retire(xhci, slot, dci);
}

void
xhci_kick_all(XhciController *xhci)
{
    xhci->kicks_wait = false;
    for (unsigned slot = 1; slot <= XHCI_SLOTS; slot++) {
        if (xhci->slots[slot].state == SLOT_FREE)
            continue;
        for (unsigned dci = 1; dci < XHCI_ENDPOINTS; dci++) {
            if (endpoint_at(xhci, slot, dci)->wants_kick) {
                endpoint_at(xhci, slot, dci)->wants_kick = false;
                xhci_retire(xhci, slot, dci);
            }
        }
    }
}
