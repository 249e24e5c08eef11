/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the fuzzers of USB controllers and of VUSB share: fuzz-usb.c takes the steps, one of
 * fuzz-usb-ehci.c, -ohci.c, -xhci.c and -vusb.c knows how transfers are made. */
#pragma once

#include "tests/lib/device-bench.h"

typedef struct {
    const uint8_t *data;
    size_t size;
} FuzzUsbInput;

typedef struct {
    DeviceBench *bench;
    uint32_t made; /* transfers, commands */
    uint32_t ring; /* where the next command goes */
} FuzzUsb;

/* So many bytes as a number, the lowest first; zeros at the end of the input. */
uint32_t fuzz_usb_take(FuzzUsbInput *input, unsigned bytes);
/* Brings the controller up as a driver does. */
void fuzz_usb_begin(FuzzUsb *fuzz);
/* One transfer to a device that may exist. */
void fuzz_usb_transfer(FuzzUsb *fuzz, FuzzUsbInput *input);

extern const PdmDeviceInfo fuzz_usb_controller; /* of "vusb"; others do not use it */
