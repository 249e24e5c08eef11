/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A USB device of the host that exists only in a test: umockdev answers usbfs, and libusb finds and
 * uses it as it would a real one. Works in programs that were started with umockdev-wrapper.
 *
 * It is 1234:5678 "Mock Device" at bus 1, address 2, at full or high speed, with one configuration
 * and one interface whose alternate setting 1 has endpoints: 0x02 and 0x82 bulk (what goes in comes
 * out, again and again), 0x83 interrupt (waits until a vendor request 0x40/2 answers it with
 * wValue), 0x03 interrupt and 0x01 isochronous (the last bytes that came are what 0xc0/3 reads) and
 * 0x81 isochronous (packet n of all holds bytes 0xa0 + n, one less than asked for in the second one
 * of a transfer). Isochronous packets take a millisecond each, those to the host at high speed half
 * of that. Vendor request 0xc0/1 reads a byte
 * pattern from wValue on, 0xc0/0x55 stalls. */
#pragma once

#include <glib.h>
#include <stdbool.h>

typedef struct UsbMock UsbMock;

#define USB_MOCK_BUS 1u
#define USB_MOCK_ADDRESS 2u
#define USB_MOCK_NODE "/dev/bus/usb/001/002"

/* Ends the test where umockdev is not there. One at a time. */
UsbMock *usb_mock_new(bool high);
void usb_mock_free(UsbMock *mock);
/* A program of the host has claimed it. */
void usb_mock_set_busy(UsbMock *mock, bool busy);
/* Who had it has not closed its node yet: drivers of the host cannot have it. */
void usb_mock_set_closing(UsbMock *mock, bool closing);
/* Only root may open it from now on. */
void usb_mock_deny(UsbMock *mock);
/* Pulled out: what is under way ends as it does then. */
void usb_mock_unplug(UsbMock *mock);
/* Plugged in again. */
void usb_mock_plug(UsbMock *mock);
/* What the host's kernel was asked for, in words: "detach 0; claim 0; configuration 1; " … */
char *usb_mock_log(UsbMock *mock);
/* Bytes that went out so far by endpoints of a kind (USBDEVFS_URB_TYPE_*), and FNV-1a of them. */
guint64 usb_mock_out(UsbMock *mock, unsigned type, guint32 *hash);
/* How many URBs wait in the device. */
unsigned usb_mock_waiting(UsbMock *mock);
