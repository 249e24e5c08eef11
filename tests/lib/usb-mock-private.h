/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the parts of the mocked device share: usb-mock.c is usbfs and what tests ask for,
 * usb-mock-urb.c transfers under way, usb-mock-device.c what the device itself does. */
#pragma once

#include "tests/lib/usb-mock.h"

#include <linux/usbdevice_fs.h>
#include <umockdev.h>

#define USB_MOCK_LOOP_MAX 65536u
#define USB_MOCK_LAST_MAX 4096u

/* What went out by endpoints of one kind. */
typedef struct {
    guint64 bytes;
    guint32 hash; /* FNV-1a */
} UsbMockSent;

/* An isochronous URB whose frames are not over. */
typedef struct {
    UMockdevIoctlData *data;
    gint64 due;
} UsbMockTimed;

/* What is different at a speed. */
typedef struct {
    const guint8 *descriptors;
    gsize size;
    int speed; /* enum usb_device_speed */
    const char *mbits;
    gint64 packet_us[2]; /* of isochronous endpoints, by direction: 0 out */
} UsbMockKind;

typedef struct {
    UMockdevIoctlBase parent;
    GMutex lock;          /* of all below */
    GQueue done, waiting; /* UMockdevIoctlData: URBs that can be reaped, and that cannot yet */
    GString *log;
    const UsbMockKind *kind;
    bool busy, closing, gone, bound;
    guint8 *loop;  /* what bulk OUT brought since the last IN; IN reads it over and over */
    void *nothing; /* memory of a program that is gone */
    guint loop_size, loop_read;
    guint8 last[USB_MOCK_LAST_MAX]; /* what isochronous or interrupt OUT brought in the end */
    guint last_size;
    UsbMockSent sent[4];
    GQueue timed; /* UsbMockTimed, in their order */
    gint64 due;   /* when the last of them is over */
    guint packets;
} MockUsb;
typedef UMockdevIoctlBaseClass MockUsbClass;

/* usb-mock-device.c; with the lock held, as everything below */
extern const UsbMockKind usb_mock_full_speed, usb_mock_high_speed;
void usb_mock_begin_sums(MockUsb *mock);
/* Moves data from the setup packet on; bytes that moved, or what is wrong. */
int usb_mock_control(MockUsb *mock, const guint8 *setup, guint8 *data);
/* What came by an OUT endpoint of a type (USBDEVFS_URB_TYPE_*). */
void usb_mock_take(MockUsb *mock, unsigned type, const guint8 *bytes, guint size);
/* What bulk IN gives; bytes that moved. */
int usb_mock_give(MockUsb *mock, guint8 *bytes, guint room);
/* An isochronous packet to the host, `second` of its transfer; bytes that moved. */
guint usb_mock_packet(MockUsb *mock, guint8 *buffer, guint length, bool second);
/* As many bytes as there is room for. */
int usb_mock_answer(guint8 *to, guint room, const guint8 *from, guint size);

/* usb-mock-urb.c */
/* What a pointer at `offset` of the program's memory leads to. A program may be killed in mid-call:
 * zeros then, that nobody gets. */
void *usb_mock_memory(MockUsb *mock, UMockdevIoctlData *data, gsize offset, gsize size);
/* What waits at the interrupt endpoint gets two bytes. */
int usb_mock_press(MockUsb *mock, const guint8 *bytes);
int usb_mock_submit(MockUsb *mock, UMockdevIoctlData *argument);
int usb_mock_discard(MockUsb *mock, gulong address);
int usb_mock_reap(MockUsb *mock, UMockdevIoctlData *argument);
/* All that is under way ends, for the device is gone. */
void usb_mock_end_all(MockUsb *mock);
