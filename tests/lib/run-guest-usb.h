/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * run-guest's USB devices of the host: each of --usb-host BUS.ADDRESS is plugged in when the
 * machine starts. */
#pragma once

#include "usb/host/usb-host.h"
#include "vmm/pdm/pdm-vm.h"

typedef struct {
    UsbHost *host; /* NULL: no device is asked for */
    GPtrArray *devices;
    GAsyncQueue *lost; /* UsbHostDevice: that left the host and were not closed yet */
} RunUsb;

/* The machine stands still. Devices that cannot be had are told of; it runs without them. */
bool run_usb_init(RunUsb *usb, char **words, Pdm *pdm, GError **error);
/* Takes out what has left the host. Under the device lock, now and then. */
void run_usb_poll(RunUsb *usb);
void run_usb_clear(RunUsb *usb, Pdm *pdm);
