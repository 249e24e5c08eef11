/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The mocked device itself: its descriptors, what it answers and what it keeps. */
#include "tests/lib/usb-mock-private.h"

#include <errno.h>
#include <string.h>

#define FRAME_US 1000
#define FNV_BASIS 0x811c9dc5u
#define FNV_PRIME 0x01000193u

/* clang-format off */
static const guint8 full_descriptors[] = {
    18, 1, 0x00, 2, 0, 0, 0, 64, 0x34, 0x12, 0x78, 0x56, 0, 1, 0, 2, 0, 1,
    9, 2, 69, 0, 1, 1, 0, 0x80, 50,
    9, 4, 0, 0, 0, 0xff, 0, 0, 0,
    9, 4, 0, 1, 6, 0xff, 0, 0, 0,
    7, 5, 0x81, 1, 192, 0, 1,
    7, 5, 0x02, 2, 64, 0, 0,
    7, 5, 0x82, 2, 64, 0, 0,
    7, 5, 0x83, 3, 8, 0, 10,
    7, 5, 0x01, 1, 192, 0, 1,
    7, 5, 0x03, 3, 8, 0, 10,
};
static const guint8 high_descriptors[] = {
    18, 1, 0x00, 2, 0, 0, 0, 64, 0x34, 0x12, 0x78, 0x56, 0, 1, 0, 2, 0, 1,
    9, 2, 69, 0, 1, 1, 0, 0x80, 50,
    9, 4, 0, 0, 0, 0xff, 0, 0, 0,
    9, 4, 0, 1, 6, 0xff, 0, 0, 0,
    7, 5, 0x81, 1, 192, 0, 3,
    7, 5, 0x02, 2, 0, 2, 0,
    7, 5, 0x82, 2, 0, 2, 0,
    7, 5, 0x83, 3, 8, 0, 7,
    7, 5, 0x01, 1, 192, 0, 4,
    7, 5, 0x03, 3, 8, 0, 7,
};
static const guint8 languages[] = {4, 3, 0x09, 0x04};
static const guint8 product[] = {24, 3, 'M', 0, 'o', 0, 'c', 0, 'k', 0, ' ', 0, 'D', 0,
                                 'e', 0, 'v', 0, 'i', 0, 'c', 0, 'e', 0};
/* clang-format on */
const UsbMockKind usb_mock_full_speed = {
    full_descriptors, sizeof(full_descriptors), 2, "12", {FRAME_US, FRAME_US}};
const UsbMockKind usb_mock_high_speed = {
    high_descriptors, sizeof(high_descriptors), 3, "480", {FRAME_US, FRAME_US / 2}};

void
usb_mock_begin_sums(MockUsb *mock)
{
    for (guint i = 0; i < G_N_ELEMENTS(mock->sent); i++)
        mock->sent[i].hash = FNV_BASIS;
}

/* --- control transfers --- */
int
usb_mock_answer(guint8 *to, guint room, const guint8 *from, guint size)
{
    size = MIN(room, size);
    memcpy(to, from, size);
    return (int)size;
}

static int
get_descriptor(const UsbMockKind *kind, guint8 type, guint8 index, guint8 *to, guint room)
{
    switch (type) {
    case 1: return usb_mock_answer(to, room, kind->descriptors, 18);
    case 2: return usb_mock_answer(to, room, kind->descriptors + 18, (guint)kind->size - 18);
    case 3:
        if (index == 0)
            return usb_mock_answer(to, room, languages, sizeof(languages));
        return index == 2 ? usb_mock_answer(to, room, product, sizeof(product)) : -EPIPE;
    default: return -EPIPE;
    }
}

int
usb_mock_control(MockUsb *mock, const guint8 *setup, guint8 *data)
{
    const guint length = setup[6] | (guint)setup[7] << 8;

    if (setup[0] == 0x80 && setup[1] == 6)
        return get_descriptor(mock->kind, setup[3], setup[2], data, length);
    if (setup[0] == 0x80 && setup[1] == 8)
        return usb_mock_answer(data, length, (const guint8[]){1}, 1);
    if (setup[0] == 0x80 && setup[1] == 0)
        return usb_mock_answer(data, length, (const guint8[]){0, 0}, 2);
    if (setup[0] == 0xc0 && setup[1] == 1) {
        for (guint i = 0; i < length; i++)
            data[i] = (guint8)(setup[2] + i);
        return (int)length;
    }
    if (setup[0] == 0xc0 && setup[1] == 3)
        return usb_mock_answer(data, length, mock->last, mock->last_size);
    if (setup[0] == 0x40 && setup[1] == 2)
        return usb_mock_press(mock, setup + 2);
    return -EPIPE;
}

/* --- the other ones --- */
static void
loop_out(MockUsb *mock, const guint8 *bytes, guint size)
{
    if (mock->loop_read > 0)
        mock->loop_size = mock->loop_read = 0;
    mock->loop_size += (guint)usb_mock_answer(mock->loop + mock->loop_size,
                                              USB_MOCK_LOOP_MAX - mock->loop_size, bytes, size);
}

int
usb_mock_give(MockUsb *mock, guint8 *bytes, guint room)
{
    int moved;

    if (mock->loop_read >= mock->loop_size)
        mock->loop_read = 0;
    moved = usb_mock_answer(bytes, room, mock->loop + mock->loop_read,
                            mock->loop_size - mock->loop_read);
    mock->loop_read += (guint)moved;
    return moved;
}

void
usb_mock_take(MockUsb *mock, unsigned type, const guint8 *bytes, guint size)
{
    UsbMockSent *sent = &mock->sent[type];

    sent->bytes += size;
    for (guint i = 0; i < size; i++)
        sent->hash = (sent->hash ^ bytes[i]) * FNV_PRIME;
    if (type == USBDEVFS_URB_TYPE_BULK)
        loop_out(mock, bytes, size);
    else
        mock->last_size = (guint)usb_mock_answer(mock->last, USB_MOCK_LAST_MAX, bytes, size);
}

guint
usb_mock_packet(MockUsb *mock, guint8 *buffer, guint length, bool second)
{
    memset(buffer, (int)(0xa0 + mock->packets++), length - second);
    return length - second;
}
