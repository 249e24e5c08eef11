/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * USB devices from outside in a running machine: what console-usb-host.c (devices of the host) and
 * console-usb-remote.c (those of usbredir peers) share, and what is different. */
#pragma once

#include "app/console/console-private.h"
#include "usb/vusb.h"

#define CONSOLE_USB_CONTROLLERS 3

typedef struct ConsoleUsb ConsoleUsb;

typedef struct {
    const char *gone; /* what the log says in the end */
    /* Plugs it in, now or when it comes; it is in the list. */
    bool (*start)(ConsoleUsb *usb, GError **error);
    /* Under the device lock: out of the guest, and on its way back. Once. */
    void (*close)(ConsoleUsb *usb);
    /* Whether it is back. */
    bool (*closed)(const ConsoleUsb *usb);
    /* What is beyond a ConsoleUsb, and the memory. */
    void (*free)(ConsoleUsb *usb);
    /* Adds to what has been moved; NULL: not known. */
    void (*activity)(const ConsoleUsb *usb, uint64_t *reads, uint64_t *writes);
} ConsoleUsbKind;

/* The first member of what a kind has. */
struct ConsoleUsb {
    const ConsoleUsbKind *kind;
    Console *console;
    char *id, *title;
    int capture;   /* a file for its traffic; -1: none (any more) */
    GSource *poll; /* after close(), until it is back */
};

/* The fastest first: they take what the others take. */
size_t console_usb_hubs(Pdm *pdm, VusbHub *hubs[CONSOLE_USB_CONTROLLERS]);
/* Takes it out of the guest; it goes when it is back. */
void console_usb_take_out(ConsoleUsb *usb);
/* Under the device lock: the record of its traffic begins, where one is asked for. */
void console_usb_record(ConsoleUsb *usb, VusbDevice *device);

/* Ids of remote devices are their addresses: "usbredir:…". */
static inline bool
console_usb_is_remote(const char *id)
{
    return g_str_has_prefix(id, "usbredir:");
}
/* Takes the node or the socket. NULL with error. */
ConsoleUsb *console_usb_host_new(Console *console, int node, GError **error);
ConsoleUsb *console_usb_remote_new(Console *console, int socket, GError **error);
