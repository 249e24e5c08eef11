/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * USB devices of the host, for those who give them to a machine: libusb, its event thread, and the
 * devices that were opened. Universal Serial Bus Specification 2.0, chapters 5 and 9.
 *
 * The owner opens a device (outside the device lock, it takes a while), plugs it in and closes it
 * with the device lock held. A device that leaves the host is reported; its owner closes it. */
#pragma once

#include "usb/vusb-device.h"

typedef struct UsbHost UsbHost;
typedef struct UsbHostDevice UsbHostDevice;

typedef struct {
    void *user;
    /* A device has left the host, once for each. From any thread, with locks of this room: it must
     * not call anything here. The pointer is for comparing only: the device may be on its way out.
     */
    void (*lost)(void *user, UsbHostDevice *device);
} UsbHostEvents;

/* discover: find the devices of the host, for usb_host_open(). Without, libusb opens no path, which
 * holds for all that the process makes afterwards. NULL and BASE_ERROR_FAILED: no libusb here. */
UsbHost *usb_host_new(bool discover, const UsbHostEvents *events, GError **error);
/* All devices have been closed and usb_host_busy() says no. */
void usb_host_free(UsbHost *host);
/* Whether devices that were closed are still being given back. While it is so, URBs may have to be
 * delivered: the machine's queues have to run. Any thread. */
bool usb_host_busy(UsbHost *host);

/* Takes a device from the host: its kernel drivers are detached, its interfaces claimed. By bus and
 * address, as lsusb prints them; BASE_ERROR_NOT_FOUND, BASE_ERROR_DENIED (the user may not open
 * it), BASE_ERROR_BUSY (another program has it), BASE_ERROR_IO. */
UsbHostDevice *usb_host_open(UsbHost *host, unsigned bus, unsigned address, GError **error);
/* The same with an open descriptor of its node. It stays the caller's until the device is closed
 * and must not be closed before usb_host_busy() says no. */
UsbHostDevice *usb_host_open_descriptor(UsbHost *host, int descriptor, GError **error);
const char *usb_host_device_title(const UsbHostDevice *device);
/* Plugs it in at the first hub that has a free port for its speed. BASE_ERROR_INVALID: none has. */
bool usb_host_plug(UsbHostDevice *device, VusbHub *const *hubs, size_t count, GError **error);
/* As VUSB knows it. */
VusbDevice *usb_host_device_vusb(UsbHostDevice *device);
/* How often it has sent (reads) and got (writes) data; added to what is there. */
void usb_host_device_activity(const UsbHostDevice *device, uint64_t *reads, uint64_t *writes);
/* Unplugs it, where it is plugged in, and gives it back to the host when the last of its URBs has
 * come back: its configuration and kernel drivers are what they were. The device is not the
 * caller's any more. */
void usb_host_close(UsbHostDevice *device);
