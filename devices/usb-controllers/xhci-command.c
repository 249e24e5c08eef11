/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * xHCI: the command ring (4.6). */
#include "devices/usb-controllers/xhci-private.h"

static unsigned
slot_of(const XhciTrb *trb)
{
    return trb->control >> 24;
}

static unsigned
endpoint_of(const XhciTrb *trb)
{
    return trb->control >> 16 & 31;
}

/* 4.6.15: all that a port has is for whoever asks. */
static unsigned
port_bandwidth(XhciController *xhci, const XhciTrb *trb)
{
    uint8_t context[(1 + XHCI_PORTS + 7) / 8 * 8] = {0};

    for (unsigned port = 0; port < XHCI_PORTS; port++)
        context[1 + port] = port < XHCI_PORTS_USB2 ? 80 : 90;
    pdm_phys_write(xhci->device, trb->parameter & ~15ull, context, sizeof(context));
    return XHCI_SUCCESS;
}

static unsigned
run(XhciController *xhci, const XhciTrb *trb, unsigned *slot)
{
    const unsigned dci = endpoint_of(trb);
    const uint64_t pointer = trb->parameter;

    switch (trb_type(trb)) {
    case TRB_NO_OP_COMMAND: return XHCI_SUCCESS;
    case TRB_ENABLE_SLOT: return xhci_enable_slot(xhci, slot);
    case TRB_DISABLE_SLOT: return xhci_disable_slot(xhci, *slot);
    case TRB_ADDRESS_DEVICE:
        return xhci_address_device(xhci, *slot, pointer & ~15ull, (trb->control & TRB_BSR) != 0);
    case TRB_CONFIGURE_ENDPOINT:
        return xhci_configure(xhci, *slot, pointer & ~15ull, (trb->control & TRB_DECONFIGURE) != 0);
    case TRB_EVALUATE_CONTEXT: return xhci_evaluate(xhci, *slot, pointer & ~15ull);
    case TRB_RESET_ENDPOINT: return xhci_reset_endpoint(xhci, *slot, dci);
    case TRB_STOP_ENDPOINT: return xhci_stop_endpoint(xhci, *slot, dci);
    case TRB_SET_DEQUEUE: return xhci_set_dequeue(xhci, *slot, dci, pointer);
    case TRB_RESET_DEVICE: return xhci_reset_device(xhci, *slot);
    case TRB_PORT_BANDWIDTH: return port_bandwidth(xhci, trb);
    default:
        pdm_guest_error(xhci->device, "xhci-command", "unknown command %u", trb_type(trb));
        return XHCI_TRB_ERROR;
    }
}

static void
run_one(XhciController *xhci, const XhciTrb *trb)
{
    unsigned slot = slot_of(trb);
    const unsigned code = run(xhci, trb, &slot);

    xhci_event(xhci, 0,
               &(XhciEvent){.parameter = trb->at,
                            .status = code << 24,
                            .control = TRB_COMMAND_COMPLETION << 10 | slot << 24});
}

void
xhci_run_commands(XhciController *xhci)
{
    XhciTrb trb;
    unsigned links = XHCI_LINKS_MAX;
    XhciFetch fetched = FETCH_NOTHING;

    xhci->command_waits = false;
    while (xhci_running(xhci) && xhci->command_running) {
        if (!xhci_spend(xhci)) {
            xhci->command_waits = true;
            return;
        }
        fetched = xhci_fetch(xhci, &xhci->command, &trb, &links);
        if (fetched != FETCH_TRB)
            break;
        run_one(xhci, &trb);
        links = XHCI_LINKS_MAX;
    }
    if (fetched == FETCH_BAD) {
        pdm_guest_error(xhci->device, "xhci-command-ring", "the command ring has only links");
        xhci->command_running = 0;
    }
}
