/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * xHCI: what the TRBs of one transfer say: direction, sizes, data in guest memory, and the events
 * when it is over (4.10, 4.11). */
#include "devices/usb-controllers/xhci-private.h"

#include <string.h>

static XhciTrb *
trb_at(const XhciTd *td, unsigned index)
{
    return &g_array_index(td->trbs, XhciTrb, index);
}

static bool
has_data(const XhciTrb *trb)
{
    const unsigned type = trb_type(trb);

    return type == TRB_NORMAL || type == TRB_DATA || type == TRB_ISOCH;
}

static uint32_t
length_of(const XhciTrb *trb)
{
    const uint32_t length = trb->status & 0x1ffff;

    return (trb->control & TRB_IDT) != 0 ? MIN(length, 8) : length;
}

bool
xhci_td_is_in(const XhciTd *td, const XhciEndpoint *endpoint)
{
    if (endpoint->type != EP_CONTROL)
        return endpoint->type > EP_CONTROL;
    return (trb_at(td, 0)->parameter & 0x80) != 0;
}

uint32_t
xhci_td_size(const XhciTd *td)
{
    uint64_t size = 0;

    for (unsigned i = 0; i < td->trbs->len; i++) {
        if (has_data(trb_at(td, i)))
            size += length_of(trb_at(td, i));
    }
    return (uint32_t)MIN(size, UINT32_MAX);
}

void
xhci_td_gather(XhciTd *td, uint8_t *data)
{
    for (unsigned i = 0; i < td->trbs->len; i++) {
        const XhciTrb *trb = trb_at(td, i);
        const uint32_t length = length_of(trb);

        if (!has_data(trb))
            continue;
        if ((trb->control & TRB_IDT) != 0)
            memcpy(data, &trb->parameter, length);
        else
            pdm_phys_read(td->xhci->device, trb->parameter, data, length);
        data += length;
    }
}

void
xhci_td_scatter(XhciTd *td, const uint8_t *data, uint32_t size)
{
    for (unsigned i = 0; i < td->trbs->len && size > 0; i++) {
        const XhciTrb *trb = trb_at(td, i);
        const uint32_t length = has_data(trb) ? MIN(length_of(trb), size) : 0;

        if (length > 0 && (trb->control & TRB_IDT) == 0)
            pdm_phys_write(td->xhci->device, trb->parameter, data, length);
        data += length;
        size -= length;
    }
}

/* --- events --- */
static void
send(XhciTd *td, const XhciTrb *trb, unsigned code, uint64_t parameter, uint32_t length, bool data)
{
    const XhciEvent event = {
        .parameter = parameter,
        .status = code << 24 | (length & 0xffffff),
        .control = TRB_TRANSFER_EVENT << 10 | (data ? TRB_EVENT_IS_DATA : 0) |
                   (trb->control & TRB_BEI) | td->dci << 16 | td->slot << 24,
    };

    xhci_event(td->xhci, trb->status >> 22, &event);
}

typedef struct {
    unsigned code;
    uint32_t left;        /* bytes that moved and are not told of */
    uint32_t accumulated; /* since the last Event Data TRB (EDTLA) */
    bool over;            /* the transfer ended before this TRB */
} Report;

/* Whether the transfer ended within this TRB, which is told of then. */
static void
report_data(XhciTd *td, const XhciTrb *trb, Report *report)
{
    const uint32_t length = length_of(trb), moved = MIN(report->left, length);
    const bool is_short = moved < length;

    report->left -= moved;
    report->accumulated += moved;
    if (is_short && report->code == XHCI_SUCCESS) {
        if ((trb->control & (TRB_ISP | TRB_IOC)) != 0)
            send(td, trb, XHCI_SHORT_PACKET, trb->at, length - moved, false);
        report->code = XHCI_SHORT_PACKET;
        report->over = true;
    } else if ((trb->control & TRB_IOC) != 0) {
        send(td, trb, XHCI_SUCCESS, trb->at, length - moved, false);
    }
}

static void
report_trb(XhciTd *td, const XhciTrb *trb, Report *report)
{
    switch (trb_type(trb)) {
    case TRB_NORMAL:
    case TRB_DATA:
    case TRB_ISOCH:
        if (!report->over)
            report_data(td, trb, report);
        break;
    case TRB_EVENT_DATA:
        if ((trb->control & TRB_IOC) != 0)
            send(td, trb, report->code, trb->parameter, report->accumulated, true);
        report->accumulated = 0;
        break;
    case TRB_STATUS: /* is a transfer of its own: short data are no news to it */
        report->code = XHCI_SUCCESS;
        if ((trb->control & TRB_IOC) != 0)
            send(td, trb, XHCI_SUCCESS, trb->at, 0, false);
        break;
    default:
        if ((trb->control & TRB_IOC) != 0)
            send(td, trb, XHCI_SUCCESS, trb->at, 0, false);
        break;
    }
}

/* Where a transfer that failed did so: the TRB after `moved` bytes; it is always told of. */
static void
report_failure(XhciTd *td, unsigned code, uint32_t moved)
{
    const XhciTrb *at = trb_at(td, td->trbs->len - 1);
    uint32_t residue = 0;

    for (unsigned i = 0; i < td->trbs->len; i++) {
        const XhciTrb *trb = trb_at(td, i);

        if (!has_data(trb))
            continue;
        at = trb;
        residue = length_of(trb) - MIN(moved, length_of(trb));
        if (residue > 0 || length_of(trb) == 0)
            break;
        moved -= length_of(trb);
    }
    send(td, at, code, at->at, residue, false);
}

void
xhci_td_report(XhciTd *td, unsigned code, uint32_t moved)
{
    Report report = {.code = XHCI_SUCCESS, .left = moved};

    if (code != XHCI_SUCCESS) {
        report_failure(td, code, moved);
        return;
    }
    for (unsigned i = 0; i < td->trbs->len; i++)
        report_trb(td, trb_at(td, i), &report);
}
