/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * EHCI: what is under way at devices, whatever kind of descriptor it belongs to. */
#include "devices/usb-controllers/ehci-private.h"

#define PAGE 0x1000u
#define SPEED_HIGH 2u

EhciTransfer *
ehci_find_transfer(EhciController *ehci, uint8_t kind, uint32_t at)
{
    for (unsigned i = 0; i < EHCI_TRANSFERS; i++) {
        EhciTransfer *transfer = &ehci->transfers[i];

        if (transfer->urb != NULL && !transfer->over && transfer->kind == kind &&
            transfer->at == at)
            return transfer;
    }
    return NULL;
}

static void
on_done(void *user, VusbUrb *urb)
{
    EhciTransfer *transfer = user;

    if (transfer->kind == EHCI_QH)
        ehci_queue_done(transfer, urb);
    else
        ehci_isochronous_done(transfer, urb);
}

static EhciTransfer *
free_place(EhciController *ehci, uint8_t kind)
{
    for (unsigned i = kind == EHCI_QH ? 0 : EHCI_QUEUE_TRANSFERS; i < EHCI_TRANSFERS; i++) {
        if (ehci->transfers[i].urb == NULL)
            return &ehci->transfers[i];
    }
    return NULL;
}

EhciTransfer *
ehci_new_transfer(EhciController *ehci, uint8_t kind, uint32_t at, uint32_t size, uint32_t packets)
{
    EhciTransfer *transfer = free_place(ehci, kind);
    VusbUrb *urb;

    if (transfer == NULL || ehci->bytes == 0)
        return NULL;
    urb = ehci->hub->urb_new(ehci->hub->user, size, packets);
    if (urb == NULL)
        return NULL;
    *transfer = (EhciTransfer){
        .ehci = ehci,
        .urb = urb,
        .kind = kind,
        .list = EHCI_IN_PERIODIC,
        .at = at,
        .number = ++ehci->begun,
        .seen = true,
    };
    urb->size = size;
    urb->packet_count = packets;
    urb->done = on_done;
    urb->user = transfer;
    ehci->bytes -= MIN(ehci->bytes, size + 64);
    return transfer;
}

void
ehci_submit(EhciController *ehci, EhciTransfer *transfer, unsigned speed, unsigned address,
            unsigned hub, unsigned port)
{
    const VusbHubConnector *bus = ehci->hub;
    VusbDevice *device;

    if (speed == SPEED_HIGH) {
        device = bus->by_address(bus->user, (uint8_t)address);
        if (device != NULL && bus->speed(bus->user, device) != VUSB_SPEED_HIGH)
            device = NULL;
    } else {
        device = bus->by_split(bus->user, (uint8_t)hub, port, (uint8_t)address);
    }
    bus->submit(bus->user, device, transfer->urb);
}

void
ehci_drop_transfer(EhciTransfer *transfer)
{
    const VusbHubConnector *hub = transfer->ehci->hub;

    hub->cancel(hub->user, g_steal_pointer(&transfer->urb));
}

void
ehci_drop_all(EhciController *ehci)
{
    ehci_drop_list(ehci, EHCI_IN_ASYNC);
    ehci_drop_list(ehci, EHCI_IN_PERIODIC);
}

void
ehci_drop_list(EhciController *ehci, EhciList list)
{
    for (unsigned i = 0; i < EHCI_TRANSFERS; i++) {
        if (ehci->transfers[i].urb != NULL && ehci->transfers[i].list == list)
            ehci_drop_transfer(&ehci->transfers[i]);
    }
}

void
ehci_move(EhciController *ehci, const uint32_t *pages, unsigned count, uint32_t offset,
          uint8_t *data, uint32_t size, bool to_guest)
{
    while (size > 0 && offset / PAGE < count) {
        const uint32_t gpa = (pages[offset / PAGE] & ~(PAGE - 1)) + offset % PAGE;
        const uint32_t piece = MIN(size, PAGE - offset % PAGE);

        if (to_guest)
            pdm_phys_write(ehci->device, gpa, data, piece);
        else
            pdm_phys_read(ehci->device, gpa, data, piece);
        offset += piece;
        data += piece;
        size -= piece;
    }
}
