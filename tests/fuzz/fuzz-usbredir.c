/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * libFuzzer on the bytes of a usbredir peer (usb/remote), while a guest uses the device: an input
 * is a list of steps, bytes of the peer's or a transfer of the guest's. Every transfer comes back
 * exactly once. With MAKE_SEED: prints a peer that behaves, and a guest that uses all kinds. */
#include "usb/remote/usb-remote-private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define URBS 32u
#define SIZE_MAX_OF_URB 8192u

typedef enum { STEP_FEED, STEP_SUBMIT, STEP_CANCEL, STEP_RESET, STEPS } Step;

#ifdef MAKE_SEED
static void
put(const void *data, size_t size)
{
    fwrite(data, 1, size, stdout);
}

static void
feed(uint32_t type, uint64_t id, bool wide, const void *data, uint32_t size)
{
    const uint32_t head[] = {type, size, (uint32_t)id, (uint32_t)(id >> 32)};
    const uint16_t total = (uint16_t)((wide ? 16 : 12) + size);

    putchar(STEP_FEED);
    put(&total, sizeof(total));
    put(head, wide ? 16 : 12);
    put(data, size);
}

static void
submit(uint8_t type, uint8_t endpoint, uint8_t size, const uint8_t setup[8])
{
    const uint8_t step[] = {STEP_SUBMIT, type, endpoint, size};

    put(step, sizeof(step));
    put(setup, 8);
}

int
main(void)
{
    static const uint8_t setup_in[8] = {0xc0, 1, 0, 0, 0, 0, 8, 0};
    static const uint8_t setup_configuration[8] = {0, 9, 1, 0, 0, 0, 0, 0};
    struct usb_redir_hello_header hello = {.version = "seed"};
    struct usb_redir_ep_info_header endpoints;
    struct usb_redir_device_connect_header connect = {.speed = usb_redir_speed_high};
    uint8_t packet[64] = {0}, first[68] = {0};
    const uint32_t caps = 0xff;

    memset(&endpoints, 0, sizeof(endpoints));
    memset(endpoints.type, usb_redir_type_invalid, sizeof(endpoints.type));
    for (unsigned type = 1; type <= 3; type++) {
        endpoints.type[type] = endpoints.type[16 + type] = (uint8_t)type;
        endpoints.max_packet_size[type] = endpoints.max_packet_size[16 + type] = 512;
    }
    memcpy(first, &hello, sizeof(hello));
    memcpy(first + sizeof(hello), &caps, sizeof(caps));
    feed(usb_redir_hello, 0, false, first, sizeof(first));
    feed(usb_redir_ep_info, 0, true, &endpoints, sizeof(endpoints));
    feed(usb_redir_device_connect, 0, true, &connect, sizeof(connect));
    submit(VUSB_CONTROL, 0, 8, setup_in);
    packet[0] = 0x80;
    packet[8] = 8;
    feed(usb_redir_control_packet, 1, true, packet, 10 + 8);
    submit(VUSB_CONTROL, 0, 0, setup_configuration);
    feed(usb_redir_configuration_status, 2, true, packet, 2);
    submit(VUSB_BULK, 0x82, 16, setup_in);
    packet[0] = 0x82;
    packet[2] = 16;
    feed(usb_redir_bulk_packet, 3, true, packet, 10 + 16);
    submit(VUSB_BULK, 0x02, 16, setup_in);
    submit(VUSB_INTERRUPT, 0x83, 8, setup_in);
    packet[0] = 0x83;
    packet[2] = 4;
    feed(usb_redir_interrupt_packet, 5, true, packet, 4 + 4);
    submit(VUSB_INTERRUPT, 0x03, 8, setup_in);
    submit(VUSB_ISOCHRONOUS, 0x81, 64, setup_in);
    packet[0] = 0x81;
    feed(usb_redir_iso_packet, 6, true, packet, 4 + 4);
    feed(usb_redir_iso_packet, 7, true, packet, 4 + 4);
    submit(VUSB_ISOCHRONOUS, 0x01, 64, setup_in);
    putchar(STEP_CANCEL);
    putchar(3);
    putchar(STEP_RESET);
    feed(usb_redir_device_disconnect, 0, true, packet, 0);
    return 0;
}
#else

/* An URB, and whether it is at the device. */
typedef struct {
    VusbUrb urb; /* first */
    VusbPacket packets[4];
    bool under_way, taken_back;
    uint8_t data[];
} Transfer;

/* --- what stands in for VUSB --- */
void
vusb_urb_done(VusbUrb *urb, VusbStatus status)
{
    Transfer *transfer = (Transfer *)urb;

    if (!transfer->under_way)
        abort();
    transfer->under_way = false;
    urb->status = status;
    if (urb->actual > urb->size)
        abort();
}

void
remote_changed(UsbRemote *remote)
{
}

/* --- the guest --- */
typedef struct {
    RemoteSession *session;
    Transfer *transfers[URBS];
} Guest;

static uint8_t
next(const uint8_t **data, size_t *size)
{
    if (*size == 0)
        return 0;
    (*size)--;
    return *(*data)++;
}

static Transfer *
transfer_new(uint8_t type, uint8_t endpoint, uint8_t size, const uint8_t setup[8])
{
    const uint32_t bytes = size * (SIZE_MAX_OF_URB / 256);
    Transfer *transfer = g_malloc0(sizeof(Transfer) + bytes);
    VusbUrb *urb = &transfer->urb;

    urb->type = (VusbTransfer)(type & 3);
    urb->endpoint = endpoint & 15;
    urb->in = (endpoint & 0x80) != 0;
    urb->data = transfer->data;
    urb->size = bytes;
    urb->packets = transfer->packets;
    urb->packet_count = 1 + (endpoint >> 4 & 3);
    for (uint32_t i = 0; i < urb->packet_count; i++)
        urb->packets[i] = (VusbPacket){.offset = bytes / 4 * i, .size = bytes / 4};
    memcpy(&urb->setup, setup, sizeof(urb->setup));
    if (urb->type == VUSB_CONTROL) {
        urb->setup.length = (uint16_t)MIN(urb->setup.length, bytes);
        urb->in = (urb->setup.request_type & 0x80) != 0;
    }
    return transfer;
}

static void
submit(Guest *guest, const uint8_t **data, size_t *size)
{
    const uint8_t type = next(data, size), endpoint = next(data, size), bytes = next(data, size);
    VusbDevice *device = &guest->session->vusb;
    uint8_t setup[8];
    unsigned place = 0;

    for (unsigned i = 0; i < 8; i++)
        setup[i] = next(data, size);
    while (place < URBS && guest->transfers[place] != NULL && guest->transfers[place]->under_way)
        place++;
    if (place == URBS)
        return;
    g_free(guest->transfers[place]);
    guest->transfers[place] = transfer_new(type, endpoint, bytes, setup);
    guest->transfers[place]->under_way = true;
    if (guest->transfers[place]->urb.type == VUSB_CONTROL)
        device->ops->control(device, &guest->transfers[place]->urb);
    else
        device->ops->submit(device, &guest->transfers[place]->urb);
}

static void
cancel(Guest *guest, unsigned place)
{
    Transfer *transfer = guest->transfers[place % URBS];
    VusbDevice *device = &guest->session->vusb;

    if (transfer == NULL || !transfer->under_way || transfer->taken_back)
        return;
    transfer->taken_back = true;
    device->ops->cancel(device, &transfer->urb);
    if (transfer->under_way)
        abort(); /* whatever the peer does, it is back at once */
}

static void
feed(Guest *guest, const uint8_t **data, size_t *size)
{
    size_t count = next(data, size);

    count |= (size_t)next(data, size) << 8;
    count = MIN(count, *size);
    remote_session_feed(guest->session, *data, count);
    *data += count;
    *size -= count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    UsbRemote remote = {.descriptor = -1};
    Guest guest = {.session = remote_session_new(&remote, -1)};

    if (!remote_wake_init(&remote.wake))
        abort();
    while (size > 0) {
        switch (next(&data, &size) % STEPS) {
        case STEP_FEED: feed(&guest, &data, &size); break;
        case STEP_SUBMIT: submit(&guest, &data, &size); break;
        case STEP_CANCEL: cancel(&guest, next(&data, &size)); break;
        default: guest.session->vusb.ops->reset(&guest.session->vusb); break;
        }
    }
    remote_session_free(guest.session);
    for (unsigned i = 0; i < URBS; i++) {
        if (guest.transfers[i] != NULL && guest.transfers[i]->under_way)
            abort();
        g_free(guest.transfers[i]);
    }
    remote_wake_clear(&remote.wake);
    return 0;
}
#endif
