/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What console-usb.c (devices of the host) and console-usb-remote.c (those of a usbredir peer)
 * share. */
#pragma once

#include "app/console/console-private.h"
#include "usb/vusb.h"

#define CONSOLE_USB_CONTROLLERS 3
#define CONSOLE_USB_POLL_MS 20

/* The fastest first: they take what the others take. */
size_t console_usb_hubs(Pdm *pdm, VusbHub *hubs[CONSOLE_USB_CONTROLLERS]);
/* While the guest stands nobody else delivers URBs. */
void console_usb_run_queues(Console *console);

/* Ids of remote devices are their addresses. */
bool console_usb_is_remote(const char *id);
/* Takes the socket. */
bool console_usb_remote_attach(Console *console, const char *id, int socket, GError **error);
void console_usb_remote_detach(Console *console, const char *id);
void console_usb_remote_detach_all(Console *console);
/* Whether all that were detached are gone. */
bool console_usb_remote_finish(Console *console);
/* What is not gone keeps its memory until the process ends. */
void console_usb_remote_clear(Console *console);
