/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * xHCI: endpoint contexts (6.2.3), their states (4.8.3) and the commands for them (4.6.8 to
 * 4.6.10). */
#include "devices/usb-controllers/xhci-private.h"

#define CONTEXT_SIZE 32u
#define INTERVAL_MAX 15u

static XhciEndpoint *
endpoint_at(XhciController *xhci, unsigned slot, unsigned dci)
{
    return &xhci->slots[slot].endpoints[dci];
}

static uint64_t
context_at(const XhciController *xhci, unsigned slot, unsigned dci)
{
    return xhci->slots[slot].context + (uint64_t)dci * CONTEXT_SIZE;
}

void
xhci_endpoint_set_state(XhciController *xhci, unsigned slot, unsigned dci, unsigned state)
{
    XhciEndpoint *endpoint = endpoint_at(xhci, slot, dci);
    uint32_t words[5];

    endpoint->state = (uint8_t)state;
    pdm_phys_read(xhci->device, context_at(xhci, slot, dci), words, sizeof(words));
    words[0] = (words[0] & ~7u) | state;
    words[2] = (uint32_t)endpoint->ring.at | endpoint->ring.cycle;
    words[3] = (uint32_t)(endpoint->ring.at >> 32);
    pdm_phys_write(xhci->device, context_at(xhci, slot, dci), words, sizeof(words));
}

/* Types of an odd index are IN (or both ways for 1), those of an even one OUT. */
static bool
type_fits(unsigned dci, unsigned type)
{
    if (type == 0)
        return false;
    if (dci == 1 || type == EP_CONTROL)
        return dci % 2 == 1 && type == EP_CONTROL;
    return (type > EP_CONTROL) == (dci % 2 == 1);
}

unsigned
xhci_endpoint_init(XhciController *xhci, unsigned slot, unsigned dci, const uint32_t context[8])
{
    XhciEndpoint *endpoint = endpoint_at(xhci, slot, dci);
    const unsigned type = context[1] >> 3 & 7, streams = context[0] >> 10 & 31;

    if (!type_fits(dci, type) || streams != 0)
        return XHCI_PARAMETER;
    xhci_endpoint_cancel(endpoint);
    endpoint->type = (uint8_t)type;
    endpoint->interval = (uint8_t)MIN(context[0] >> 16 & 0xff, INTERVAL_MAX);
    endpoint->ring.at = (context[2] | (uint64_t)context[3] << 32) & ~15ull;
    endpoint->ring.cycle = context[2] & 1;
    endpoint->fetch = endpoint->ring;
    endpoint->next_ns = 0;
    pdm_phys_write(xhci->device, context_at(xhci, slot, dci), context, CONTEXT_SIZE);
    xhci_endpoint_set_state(xhci, slot, dci, EP_RUNNING);
    return XHCI_SUCCESS;
}

void
xhci_endpoint_cancel(XhciEndpoint *endpoint)
{
    XhciTd *td;

    while ((td = g_queue_pop_head(&endpoint->tds)) != NULL) {
        const VusbHubConnector *hub = td->xhci->hub;

        if (td->urb != NULL)
            hub->cancel(hub->user, td->urb);
        td->urb = NULL;
        xhci_td_free(td);
    }
    endpoint->fetch = endpoint->ring;
}

void
xhci_endpoint_drop(XhciController *xhci, unsigned slot, unsigned dci)
{
    XhciEndpoint *endpoint = endpoint_at(xhci, slot, dci);

    if (endpoint->state == EP_DISABLED)
        return;
    xhci_endpoint_cancel(endpoint);
    if (xhci->slots[slot].context != 0)
        xhci_endpoint_set_state(xhci, slot, dci, EP_DISABLED);
    endpoint->state = EP_DISABLED;
}

/* --- commands --- */
static unsigned
check(XhciController *xhci, unsigned slot, unsigned dci)
{
    if (slot < 1 || slot > XHCI_SLOTS || xhci->slots[slot].state == SLOT_FREE)
        return XHCI_SLOT_NOT_ENABLED;
    if (dci < 1)
        return XHCI_TRB_ERROR;
    return endpoint_at(xhci, slot, dci)->state == EP_DISABLED ? XHCI_ENDPOINT_NOT_ENABLED
                                                              : XHCI_SUCCESS;
}

unsigned
xhci_reset_endpoint(XhciController *xhci, unsigned slot, unsigned dci)
{
    const unsigned code = check(xhci, slot, dci);
    VusbDevice *device;

    if (code != XHCI_SUCCESS)
        return code;
    if (endpoint_at(xhci, slot, dci)->state != EP_HALTED)
        return XHCI_CONTEXT_STATE;
    xhci_endpoint_cancel(endpoint_at(xhci, slot, dci));
    xhci_endpoint_set_state(xhci, slot, dci, EP_STOPPED);
    device = xhci_slot_device(xhci, slot);
    if (device != NULL && dci > 1)
        xhci->hub->reset_endpoint(xhci->hub->user, device, (uint8_t)(dci / 2), dci % 2 == 1);
    return XHCI_SUCCESS;
}

unsigned
xhci_stop_endpoint(XhciController *xhci, unsigned slot, unsigned dci)
{
    const unsigned code = check(xhci, slot, dci);
    XhciEndpoint *endpoint;
    XhciTd *first;

    if (code != XHCI_SUCCESS)
        return code;
    endpoint = endpoint_at(xhci, slot, dci);
    if (endpoint->state != EP_RUNNING)
        return XHCI_CONTEXT_STATE;
    xhci_retire(xhci, slot, dci);
    if (endpoint->state != EP_RUNNING)
        return XHCI_CONTEXT_STATE;
    first = g_queue_peek_head(&endpoint->tds);
    if (first != NULL)
        xhci_td_report(first, XHCI_STOPPED, 0);
    xhci_endpoint_cancel(endpoint);
    xhci_endpoint_set_state(xhci, slot, dci, EP_STOPPED);
    return XHCI_SUCCESS;
}

unsigned
xhci_set_dequeue(XhciController *xhci, unsigned slot, unsigned dci, uint64_t pointer)
{
    const unsigned code = check(xhci, slot, dci);
    XhciEndpoint *endpoint;

    if (code != XHCI_SUCCESS)
        return code;
    endpoint = endpoint_at(xhci, slot, dci);
    if (endpoint->state != EP_STOPPED && endpoint->state != EP_ERROR)
        return XHCI_CONTEXT_STATE;
    xhci_endpoint_cancel(endpoint);
    endpoint->ring = (XhciRing){.at = pointer & ~15ull, .cycle = pointer & 1};
    endpoint->fetch = endpoint->ring;
    xhci_endpoint_set_state(xhci, slot, dci, EP_STOPPED);
    return XHCI_SUCCESS;
}
