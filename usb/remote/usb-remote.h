/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * USB devices of elsewhere, for those who give them to a machine: a peer (usbredirect, a remote
 * viewer) has the device and talks usbredir over a stream socket. USB redirection protocol 0.7;
 * Universal Serial Bus Specification 2.0, chapter 5. Bulk streams are left out.
 *
 * The owner makes one for each socket, asks it now and then to plug in what has come and to take
 * out what has gone, and ends it in two steps, because URBs may have to come back first. */
#pragma once

#include "usb/vusb-device.h"

typedef struct UsbRemote UsbRemote;

typedef struct {
    void *user;
    /* usb_remote_update() has something to do. From any thread; it must not call anything here. */
    void (*changed)(void *user, UsbRemote *remote);
} UsbRemoteEvents;

typedef enum {
    USB_REMOTE_WAITING, /* for a peer, or for its device */
    USB_REMOTE_PLUGGED,
    USB_REMOTE_OVER, /* the peer is gone and no other can come */
} UsbRemoteState;

/* descriptor: a stream socket that is connected to the peer; or one that listens, to which one peer
 * after the other may come. Taken over, also where this fails (BASE_ERROR_FAILED). events may be
 * NULL. */
UsbRemote *usb_remote_new(int descriptor, const UsbRemoteEvents *events, GError **error);
/* With the device lock: plugs a device that has come in at the first hub that has a free port for
 * its speed, takes one out that has gone. BASE_ERROR_INVALID: there is a device and no port is fit
 * for it, said once; the peer is sent away. */
bool usb_remote_update(UsbRemote *remote, VusbHub *const *hubs, size_t count, GError **error);
/* Whether another peer may come when one goes. */
bool usb_remote_listens(const UsbRemote *remote);
UsbRemoteState usb_remote_state(UsbRemote *remote);
/* Of the device that is plugged in, "USB device 1234:5678"; NULL: none. Until the next update. */
const char *usb_remote_title(const UsbRemote *remote);
/* The device that is plugged in; NULL: none. Until the next update. */
VusbDevice *usb_remote_device(UsbRemote *remote);

/* With the device lock: takes the device out and closes the socket. */
void usb_remote_close(UsbRemote *remote);
/* Whether all has come back after that; while it has not, the machine's queues have to run. */
bool usb_remote_closed(UsbRemote *remote);
/* After usb_remote_closed() said yes. */
void usb_remote_free(UsbRemote *remote);
