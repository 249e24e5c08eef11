/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Transfers of the mocked device as usbfs has them: submitted, discarded, reaped. */
#include "tests/lib/usb-mock-private.h"

#include <errno.h>

static struct usbdevfs_urb *
urb_of(UMockdevIoctlData *data)
{
    return (struct usbdevfs_urb *)(void *)data->data;
}

static void
finish(MockUsb *mock, UMockdevIoctlData *data, int status)
{
    urb_of(data)->status = status;
    g_queue_push_tail(&mock->done, data);
}

void *
usb_mock_memory(MockUsb *mock, UMockdevIoctlData *data, gsize offset, gsize size)
{
    UMockdevIoctlData *part =
        data != NULL ? umockdev_ioctl_data_resolve(data, offset, size, NULL) : NULL;

    if (part != NULL)
        return part->data;
    g_free(mock->nothing);
    return mock->nothing = g_malloc0(MAX(size, sizeof(struct usbdevfs_urb)));
}

static guint8 *
buffer_of(MockUsb *mock, UMockdevIoctlData *data)
{
    return usb_mock_memory(mock, data, G_STRUCT_OFFSET(struct usbdevfs_urb, buffer),
                           (gsize)MAX(urb_of(data)->buffer_length, 0));
}

int
usb_mock_press(MockUsb *mock, const guint8 *bytes)
{
    UMockdevIoctlData *data = g_queue_pop_head(&mock->waiting);

    if (data == NULL)
        return -EPIPE;
    urb_of(data)->actual_length =
        usb_mock_answer(buffer_of(mock, data), (guint)urb_of(data)->buffer_length, bytes, 2);
    finish(mock, data, 0);
    return 0;
}

static void
isochronous(MockUsb *mock, UMockdevIoctlData *data, guint8 *buffer)
{
    struct usbdevfs_urb *urb = urb_of(data);
    UsbMockTimed *timed = g_new(UsbMockTimed, 1);

    urb->actual_length = 0;
    for (int i = 0; i < urb->number_of_packets; i++) {
        struct usbdevfs_iso_packet_desc *packet = &urb->iso_frame_desc[i];

        packet->actual_length = packet->length;
        packet->status = 0;
        if ((urb->endpoint & 0x80) != 0)
            packet->actual_length = usb_mock_packet(mock, buffer, packet->length, i == 1);
        else
            usb_mock_take(mock, USBDEVFS_URB_TYPE_ISO, buffer, packet->length);
        urb->actual_length += (int)packet->actual_length;
        buffer += packet->length;
    }
    mock->due = MAX(mock->due, g_get_monotonic_time()) +
                mock->kind->packet_us[urb->endpoint >> 7] * urb->number_of_packets;
    *timed = (UsbMockTimed){data, mock->due};
    g_queue_push_tail(&mock->timed, timed);
}

/* Ends what is over, or all of it. */
static void
end_timed(MockUsb *mock, gint64 now, int status)
{
    UsbMockTimed *timed;

    while ((timed = g_queue_peek_head(&mock->timed)) != NULL && timed->due <= now) {
        finish(mock, timed->data, status);
        g_free(g_queue_pop_head(&mock->timed));
    }
}

static void
transfer(MockUsb *mock, UMockdevIoctlData *data, guint8 *buffer)
{
    struct usbdevfs_urb *urb = urb_of(data);
    int moved = urb->buffer_length;

    if (urb->type == USBDEVFS_URB_TYPE_ISO) {
        isochronous(mock, data, buffer);
        return;
    }
    if (urb->endpoint == 0x83) {
        g_queue_push_tail(&mock->waiting, data);
        return;
    }
    if (urb->type == USBDEVFS_URB_TYPE_CONTROL)
        moved = usb_mock_control(mock, buffer, buffer + 8);
    else if ((urb->endpoint & 0x80) == 0)
        usb_mock_take(mock, urb->type, buffer, (guint)moved);
    else
        moved = usb_mock_give(mock, buffer, (guint)urb->buffer_length);
    urb->actual_length = MAX(moved, 0);
    finish(mock, data, MIN(moved, 0));
}

/* The size of an isochronous URB is known only after its first part was read. */
static UMockdevIoctlData *
resolve_urb(UMockdevIoctlData *argument)
{
    UMockdevIoctlData *data =
        umockdev_ioctl_data_resolve(argument, 0, sizeof(struct usbdevfs_urb), NULL);
    gsize size = sizeof(struct usbdevfs_urb);

    if (data == NULL || urb_of(data)->type != USBDEVFS_URB_TYPE_ISO)
        return data;
    size += (gsize)urb_of(data)->number_of_packets * sizeof(struct usbdevfs_iso_packet_desc);
    *(gulong *)(void *)argument->data = data->client_addr;
    umockdev_ioctl_data_reload(argument, NULL);
    return umockdev_ioctl_data_resolve(argument, 0, size, NULL);
}

int
usb_mock_submit(MockUsb *mock, UMockdevIoctlData *argument)
{
    UMockdevIoctlData *data = resolve_urb(argument);

    if (data == NULL)
        return -EFAULT;
    transfer(mock, g_object_ref(data), buffer_of(mock, data));
    return 0;
}

int
usb_mock_discard(MockUsb *mock, gulong address)
{
    for (GList *link = mock->waiting.head; link != NULL; link = link->next) {
        UMockdevIoctlData *data = link->data;

        if (data->client_addr != address)
            continue;
        g_queue_delete_link(&mock->waiting, link);
        finish(mock, data, -ENOENT);
        return 0;
    }
    for (GList *link = mock->timed.head; link != NULL; link = link->next) {
        UsbMockTimed *timed = link->data;

        if (timed->data->client_addr != address)
            continue;
        finish(mock, timed->data, -ENOENT);
        g_free(timed);
        g_queue_delete_link(&mock->timed, link);
        return 0;
    }
    return -EINVAL;
}

int
usb_mock_reap(MockUsb *mock, UMockdevIoctlData *argument)
{
    UMockdevIoctlData *to = umockdev_ioctl_data_resolve(argument, 0, sizeof(void *), NULL), *data;

    end_timed(mock, g_get_monotonic_time(), 0);
    if (to == NULL)
        return -EFAULT;
    data = g_queue_pop_head(&mock->done);
    if (data == NULL)
        return mock->gone ? -ENODEV : -EAGAIN;
    umockdev_ioctl_data_set_ptr(to, 0, data);
    return 0;
}

void
usb_mock_end_all(MockUsb *mock)
{
    UMockdevIoctlData *data;

    while ((data = g_queue_pop_head(&mock->waiting)) != NULL)
        finish(mock, data, -ESHUTDOWN);
    end_timed(mock, G_MAXINT64, -ESHUTDOWN);
}
