/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the files of usb/host share. */
#pragma once

#include "usb/host/usb-host-context.h"
#include "usb/host/usb-host.h"

struct UsbHost {
    UsbHostContext context;
    UsbHostEvents events;
    GMutex lock;        /* of what follows */
    GPtrArray *devices; /* that somebody has */
    unsigned taken;     /* these, and those that are being given back */
};

/* What cannot be done at once: calls that wait for the host's kernel, and what comes after them. */
typedef enum {
    HOST_JOB_SUBMIT,
    HOST_JOB_CONFIGURATION,
    HOST_JOB_INTERFACE,
    HOST_JOB_CLEAR_HALT,
    HOST_JOB_RESET,
    HOST_JOB_CLOSE,
} HostJobKind;

typedef struct {
    HostJobKind kind;
    VusbUrb *urb; /* NULL: of RESET and CLOSE */
} HostJob;

struct UsbHostDevice {
    VusbDevice vusb; /* first */
    UsbHost *host;
    libusb_device_handle *handle;
    char *title;
    GThread *worker;
    gint lost;           /* was reported */
    guint reads, writes; /* transfers with data; any thread */

    GMutex lock; /* of the jobs and of VusbUrb.device_data of what is under way */
    GCond wake;
    GQueue jobs;
    bool at_work; /* a job is being done */
    bool used;    /* since the last reset, by more than looking at descriptors */

    /* The worker's, and of whoever opens the device before it starts. */
    uint8_t configuration, original; /* 0: not configured */
    uint32_t claimed, detached;      /* a bit for each interface */
    bool spoiled;                    /* the handle must not be closed */
};

/* usb-host.c: tells the owner once. */
void usb_host_device_lost(UsbHostDevice *device);
void usb_host_set_error(GError **error, int code, const char *title);
/* A device's owner has closed it; and then the host has it again. */
void usb_host_forget(UsbHost *host, UsbHostDevice *device);
void usb_host_given_back(UsbHost *host);
VusbStatus usb_host_status(int code);

/* usb-host-device.c: takes the handle over. */
UsbHostDevice *usb_host_device_new(UsbHost *host, libusb_device_handle *handle, GError **error);

/* usb-host-claim.c; all of them wait. Results are libusb's. */
int usb_host_claim(UsbHostDevice *device);
int usb_host_configure(UsbHostDevice *device, uint8_t configuration);
int usb_host_set_interface(UsbHostDevice *device, int interface, int alternate);
void usb_host_give_back(UsbHostDevice *device);

/* usb-host-transfer.c; under device->lock. */
void usb_host_transfer_submit(UsbHostDevice *device, VusbUrb *urb);
void usb_host_transfer_cancel(VusbUrb *urb);
