/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A USB device for tests of controllers, with what emulated devices of the tree do not have:
 * isochronous endpoints both ways, at full and at high speed, and an interrupt endpoint that
 * answers when the test says so. */
#pragma once

#include "usb/vusb-device.h"
#include "vmm/pdm/pdm.h"

#define USB_STREAM_IN 1u     /* isochronous: bytes count from a packet's number on */
#define USB_STREAM_OUT 2u    /* isochronous */
#define USB_STREAM_REPORT 3u /* interrupt, in */
#define USB_STREAM_HEARD 4096u

typedef struct {
    VusbDevice device; /* first */
    PdmDevice *pdm;
    VusbUrb *report;   /* waits for usb_stream_report() */
    VusbUrb *held;     /* an isochronous one that waits, while `holds` */
    bool holds, fails; /* isochronous transfers stay here; all packets are bad */
    uint32_t packets;  /* sent so far */
    uint32_t heard;    /* bytes */
    uint8_t data[USB_STREAM_HEARD];
} UsbStream;

extern const PdmDeviceInfo usb_stream_device;

/* Answers the interrupt transfer; false: there is none. */
bool usb_stream_report(UsbStream *stream, const void *data, size_t size);
