/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * run-guest's USB devices of elsewhere: each of --usb-host BUS.ADDRESS is plugged in when the
 * machine starts (with "@hub" behind it at the emulated hub), each of --usb-remote ADDRESS when a
 * peer says that it has one. An address is HOST:PORT or the path of a socket; with "listen:" before
 * it the peer connects, else we do.
 * --usb-trace FILE records the traffic of the first device that is plugged in. */
#pragma once

#include "usb/host/usb-host.h"
#include "usb/remote/usb-remote.h"
#include "vmm/pdm/pdm-vm.h"

typedef struct {
    UsbHost *host; /* NULL: no device is asked for */
    GPtrArray *devices;
    GAsyncQueue *lost;  /* UsbHostDevice: that left the host and were not closed yet */
    GPtrArray *remotes; /* UsbRemote */
    int trace;          /* the file of --usb-trace; -1: none (any more) */
} RunUsb;

/* The machine stands still. Devices that cannot be had are told of; it runs without them. */
bool run_usb_init(RunUsb *usb, char **words, char **addresses, const char *trace, Pdm *pdm,
                  GError **error);
/* Takes out what has gone, plugs in what has come. Under the device lock, now and then. */
void run_usb_poll(RunUsb *usb, Pdm *pdm);
void run_usb_clear(RunUsb *usb, Pdm *pdm);
