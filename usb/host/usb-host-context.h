/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * libusb with a thread for its events: what those who open devices and those who list them share.
 */
#pragma once

#include "vmm/base/error.h"

#include <glib.h>
#include <libusb.h>
#include <stdbool.h>

typedef struct {
    libusb_context *libusb;
    GThread *thread;
    gint stop;
} UsbHostContext;

/* discover: see usb_host_new(). hotplug (may be NULL) is called for these events where the host
 * tells of them. BASE_ERROR_FAILED. */
bool usb_host_context_init(UsbHostContext *context, bool discover, libusb_hotplug_event events,
                           libusb_hotplug_callback_fn hotplug, void *user, GError **error);
/* Nothing is open any more. */
void usb_host_context_clear(UsbHostContext *context);
