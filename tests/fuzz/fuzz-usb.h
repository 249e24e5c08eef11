/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the fuzzers of USB controllers and of VUSB share: fuzz-usb.c takes the steps, one of
 * fuzz-usb-ehci.c, -ohci.c, -xhci.c and -vusb.c knows how transfers are made. */
#pragma once

#include "tests/fuzz/fuzz-bench.h"

#define FUZZ_USB_STREAM 3u /* address of the streaming device, which is configured */

typedef struct {
    DeviceBench *bench;
    uint32_t made;        /* transfers, commands */
    uint32_t ring;        /* where the next command goes */
    uint32_t streamed[3]; /* of "xhci": transfers of each endpoint of the streaming device */
} FuzzUsb;

/* Brings the controller up as a driver does. */
void fuzz_usb_begin(FuzzUsb *fuzz);
/* One transfer to a device that may exist. */
void fuzz_usb_transfer(FuzzUsb *fuzz, FuzzInput *input);

extern const PdmDeviceInfo fuzz_usb_controller; /* of "vusb"; others do not use it */
