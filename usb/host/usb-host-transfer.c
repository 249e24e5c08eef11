/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * An URB as a transfer of libusb. No time limit of its own: the guest's driver has one and takes
 * back what takes too long. USB 2.0 sections 5.5 to 5.8. */
#include "usb/host/usb-host-private.h"

#include <string.h>

typedef struct {
    UsbHostDevice *device;
    VusbUrb *urb;
    uint8_t *buffer; /* of its own; NULL: the URB's data */
} Way;

static enum libusb_transfer_type
transfer_type(VusbTransfer type)
{
    switch (type) {
    case VUSB_CONTROL: return LIBUSB_TRANSFER_TYPE_CONTROL;
    case VUSB_ISOCHRONOUS: return LIBUSB_TRANSFER_TYPE_ISOCHRONOUS;
    case VUSB_BULK: return LIBUSB_TRANSFER_TYPE_BULK;
    default: return LIBUSB_TRANSFER_TYPE_INTERRUPT;
    }
}

static VusbStatus
transfer_status(enum libusb_transfer_status status)
{
    switch (status) {
    case LIBUSB_TRANSFER_COMPLETED: return VUSB_OK;
    case LIBUSB_TRANSFER_STALL: return VUSB_STALL;
    case LIBUSB_TRANSFER_NO_DEVICE: return VUSB_NO_DEVICE;
    case LIBUSB_TRANSFER_OVERFLOW: return VUSB_BABBLE;
    case LIBUSB_TRANSFER_CANCELLED: return VUSB_CANCELLED;
    default: return VUSB_IO_ERROR;
    }
}

/* --- back --- */
static void
copy_control(VusbUrb *urb, const struct libusb_transfer *transfer)
{
    urb->actual = (uint32_t)CLAMP(transfer->actual_length, 0, (int)urb->size);
    if (urb->in)
        memcpy(urb->data, transfer->buffer + LIBUSB_CONTROL_SETUP_SIZE, urb->actual);
}

/* Packets follow each other without gaps in the transfer. */
static void
copy_packets(VusbUrb *urb, const struct libusb_transfer *transfer)
{
    const uint8_t *from = transfer->buffer;

    for (uint32_t i = 0; i < urb->packet_count; i++) {
        const struct libusb_iso_packet_descriptor *packet = &transfer->iso_packet_desc[i];
        VusbPacket *to = &urb->packets[i];

        to->actual = MIN(packet->actual_length, to->size);
        to->status = transfer_status(packet->status);
        if (to->status == VUSB_OK && to->actual < to->size)
            to->status = VUSB_SHORT;
        if (urb->in)
            memcpy(urb->data + to->offset, from, to->actual);
        urb->actual += to->actual;
        from += packet->length;
    }
}

static void
way_free(struct libusb_transfer *transfer)
{
    Way *way = transfer->user_data;

    g_free(way->buffer);
    g_free(way);
    libusb_free_transfer(transfer);
}

static void
on_done(struct libusb_transfer *transfer)
{
    const Way *way = transfer->user_data;
    UsbHostDevice *device = way->device;
    VusbUrb *urb = way->urb;
    const VusbStatus status = transfer_status(transfer->status);

    g_mutex_lock(&device->lock);
    urb->device_data = NULL;
    g_mutex_unlock(&device->lock);
    if (urb->type == VUSB_CONTROL)
        copy_control(urb, transfer);
    else if (urb->type == VUSB_ISOCHRONOUS)
        copy_packets(urb, transfer);
    else
        urb->actual = (uint32_t)CLAMP(transfer->actual_length, 0, (int)urb->size);
    if (urb->actual > 0)
        g_atomic_int_inc(urb->in ? &device->reads : &device->writes);
    if (status == VUSB_NO_DEVICE)
        usb_host_device_lost(device);
    way_free(transfer);
    vusb_urb_done(urb, status);
}

/* --- there --- */
static uint32_t
packets_size(const VusbUrb *urb)
{
    uint32_t size = 0;

    for (uint32_t i = 0; i < urb->packet_count; i++)
        size += urb->packets[i].size;
    return size;
}

/* What the guest asked for may overlap in its URB: held to what an URB may have. */
static void
fill_packets(struct libusb_transfer *transfer, VusbUrb *urb, Way *way)
{
    const uint32_t size = packets_size(urb);
    uint8_t *to = way->buffer = g_malloc0(MAX(size, 1));

    for (uint32_t i = 0; i < urb->packet_count; i++) {
        const VusbPacket *packet = &urb->packets[i];

        transfer->iso_packet_desc[i].length = packet->size;
        if (!urb->in)
            memcpy(to, urb->data + packet->offset, packet->size);
        to += packet->size;
    }
    transfer->num_iso_packets = (int)urb->packet_count;
    transfer->buffer = way->buffer;
    transfer->length = (int)size;
}

static void
fill_control(struct libusb_transfer *transfer, const VusbUrb *urb, Way *way)
{
    const VusbSetup *setup = &urb->setup;

    way->buffer = g_malloc0(LIBUSB_CONTROL_SETUP_SIZE + (size_t)setup->length);
    libusb_fill_control_setup(way->buffer, setup->request_type, setup->request, setup->value,
                              setup->index, setup->length);
    if (!urb->in)
        memcpy(way->buffer + LIBUSB_CONTROL_SETUP_SIZE, urb->data, setup->length);
    transfer->buffer = way->buffer;
    transfer->length = (int)LIBUSB_CONTROL_SETUP_SIZE + setup->length;
}

static struct libusb_transfer *
transfer_new(UsbHostDevice *device, VusbUrb *urb)
{
    const bool packets = urb->type == VUSB_ISOCHRONOUS;
    struct libusb_transfer *transfer = libusb_alloc_transfer(packets ? (int)urb->packet_count : 0);
    Way *way = g_new0(Way, 1);

    if (transfer == NULL) {
        g_free(way);
        return NULL;
    }
    *way = (Way){.device = device, .urb = urb};
    transfer->dev_handle = device->handle;
    transfer->endpoint =
        (uint8_t)(urb->endpoint | (urb->in && urb->type != VUSB_CONTROL ? LIBUSB_ENDPOINT_IN : 0));
    transfer->type = (unsigned char)transfer_type(urb->type);
    transfer->callback = on_done;
    transfer->user_data = way;
    transfer->buffer = urb->data;
    transfer->length = (int)urb->size;
    if (packets)
        fill_packets(transfer, urb, way);
    else if (urb->type == VUSB_CONTROL)
        fill_control(transfer, urb, way);
    return transfer;
}

void
usb_host_transfer_submit(UsbHostDevice *device, VusbUrb *urb)
{
    const bool sane = urb->type != VUSB_ISOCHRONOUS || packets_size(urb) <= VUSB_URB_SIZE_MAX;
    struct libusb_transfer *transfer = sane ? transfer_new(device, urb) : NULL;
    int code = LIBUSB_ERROR_NO_MEM;

    if (transfer != NULL)
        code = libusb_submit_transfer(transfer);
    if (code == LIBUSB_SUCCESS) {
        urb->device_data = transfer;
        return;
    }
    if (transfer != NULL)
        way_free(transfer);
    if (code == LIBUSB_ERROR_NO_DEVICE)
        usb_host_device_lost(device);
    vusb_urb_done(urb, usb_host_status(code));
}

void
usb_host_transfer_cancel(VusbUrb *urb)
{
    if (urb->device_data != NULL)
        libusb_cancel_transfer(urb->device_data);
}
