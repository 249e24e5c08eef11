/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VUSB for those who implement devices: emulated ones (usb/devices), devices of the host (usb/host)
 * and remote ones (usb/remote). A device embeds a VusbDevice, fills its first part and is plugged
 * into a root hub or into a hub. Universal Serial Bus Specification 2.0, chapter 9, and 3.2,
 * chapter 9.
 *
 * All callbacks run with the device lock held. vusb_urb_done() and vusb_urb_answer() may be
 * called by any thread, with or without the lock; everything else needs it. */
#pragma once

#include "usb/vusb-urb.h"
#include "vmm/base/error.h"
#include "vmm/ssm/ssm.h"

#include <glib.h>

typedef struct CfgmNode CfgmNode;
typedef struct VusbCapture VusbCapture;
typedef struct PdmDevice PdmDevice;

#define VUSB_STRINGS_MAX 4u
#define VUSB_INTERFACES_MAX 32u
#define VUSB_HUB_PORTS_MAX 15u
#define VUSB_TIERS_MAX 5u
#define VUSB_CONTROL_BUFFER 4096u /* of data that a guest sends in stages */

/* What pdm_find_object() knows the VusbDevice of an emulated hub as. */
#define VUSB_HUB_DEVICE_OBJECT "vusb-hub-device"

/* bmRequestType */
enum {
    VUSB_REQUEST_IN = 0x80,
    VUSB_REQUEST_KIND = 0x60, /* mask */
    VUSB_REQUEST_STANDARD = 0x00,
    VUSB_REQUEST_CLASS = 0x20,
    VUSB_REQUEST_VENDOR = 0x40,
    VUSB_REQUEST_RECIPIENT = 0x1f, /* mask */
    VUSB_TO_DEVICE = 0,
    VUSB_TO_INTERFACE = 1,
    VUSB_TO_ENDPOINT = 2,
};
/* bRequest of standard requests */
enum {
    VUSB_GET_STATUS = 0,
    VUSB_CLEAR_FEATURE = 1,
    VUSB_SET_FEATURE = 3,
    VUSB_SET_ADDRESS = 5,
    VUSB_GET_DESCRIPTOR = 6,
    VUSB_GET_CONFIGURATION = 8,
    VUSB_SET_CONFIGURATION = 9,
    VUSB_GET_INTERFACE = 10,
    VUSB_SET_INTERFACE = 11,
    VUSB_SYNCH_FRAME = 12,
    VUSB_SET_SEL = 0x30,
    VUSB_SET_ISOCH_DELAY = 0x31,
};
/* bDescriptorType */
enum {
    VUSB_DESCRIPTOR_DEVICE = 1,
    VUSB_DESCRIPTOR_CONFIGURATION = 2,
    VUSB_DESCRIPTOR_STRING = 3,
    VUSB_DESCRIPTOR_INTERFACE = 4,
    VUSB_DESCRIPTOR_ENDPOINT = 5,
    VUSB_DESCRIPTOR_QUALIFIER = 6,
    VUSB_DESCRIPTOR_OTHER_SPEED = 7,
    VUSB_DESCRIPTOR_BOS = 15,
    VUSB_DESCRIPTOR_HID = 0x21,
    VUSB_DESCRIPTOR_REPORT = 0x22,
    VUSB_DESCRIPTOR_HUB = 0x29,
    VUSB_DESCRIPTOR_COMPANION = 0x30,
};

/* The descriptors of an emulated device at one speed, as they go over the bus. */
typedef struct {
    const uint8_t *device;        /* 18 bytes */
    const uint8_t *configuration; /* with all that follows it; wTotalLength tells how much */
    const uint8_t *bos;           /* from USB 2.1 on; NULL: none */
} VusbDescriptors;

typedef struct {
    /* The bus was reset: forget what is configured. URBs that were under way have been cancelled.
     * May be NULL. */
    void (*reset)(VusbDevice *device);
    /* A control transfer (VUSB_STAGE_ALL) that the core did not answer itself: for devices with
     * descriptors, class and vendor requests and what standard requests they have of their own;
     * for others, everything but SET_ADDRESS. Ends with vusb_urb_done(), now or later. */
    void (*control)(VusbDevice *device, VusbUrb *urb);
    /* Bulk, interrupt and isochronous transfers; for devices with descriptors only to endpoints
     * that are configured and not halted. Ends with vusb_urb_done(), now or later; URBs of one
     * endpoint in their order. */
    void (*submit)(VusbDevice *device, VusbUrb *urb);
    /* The submitter of an URB has lost interest: ends with vusb_urb_done(), now or later, as
     * VUSB_CANCELLED or whatever it came to. Called once for an URB at most. */
    void (*cancel)(VusbDevice *device, VusbUrb *urb);
    /* The guest chose a configuration (0: none) or an alternate setting of an interface, or halted
     * or freed an endpoint; may be NULL. For devices with descriptors. */
    void (*configured)(VusbDevice *device, uint8_t configuration);
    void (*interface_set)(VusbDevice *device, uint8_t interface, uint8_t alternate);
    void (*halted)(VusbDevice *device, uint8_t endpoint, bool in, bool halted);
    /* The controller dropped the state of an endpoint; may be NULL. */
    void (*reset_endpoint)(VusbDevice *device, uint8_t endpoint, bool in);
    /* The port was suspended or goes on; may be NULL. */
    void (*suspended)(VusbDevice *device, bool suspended);
    /* It is unplugged and all its URBs have come back: it may be freed. May be NULL. */
    void (*released)(VusbDevice *device);
    /* For hubs: something was plugged in or out at one of its ports; NULL for all others. */
    void (*port_changed)(VusbDevice *device, unsigned port);
    /* For hubs: what is plugged in at a suspended port wants to be heard (remote wake-up). */
    void (*port_wakeup)(VusbDevice *device, unsigned port);
} VusbDeviceOps;

/* The data of control transfers that a guest does in stages. */
typedef struct {
    uint8_t phase;  /* of the core */
    uint8_t status; /* VusbStatus of the transfer, once it is over */
    uint8_t setup[8];
    uint32_t length; /* bytes in data */
    uint32_t offset; /* bytes that were handed over */
    uint8_t data[VUSB_CONTROL_BUFFER];
    VusbUrb *whole;   /* under way at the device */
    VusbUrb *waiting; /* the stage that waits for it */
} VusbControlPipe;

struct VusbDevice {
    /* Set by the implementer before it is plugged in. */
    const VusbDeviceOps *ops;
    void *user;
    char *title;     /* for people and messages; owned by the implementer */
    unsigned speeds; /* VUSB_SPEEDS_* that it can run at */
    /* Its descriptors at a speed, for devices whose standard requests the core answers; NULL: the
     * device answers them itself. */
    const VusbDescriptors *(*descriptors)(VusbDevice *device, VusbSpeed speed);
    /* Strings by their index less one, in English; NULL: none. They live as long as the device. */
    const char *strings[VUSB_STRINGS_MAX];
    bool self_powered, remote_wakeup;
    unsigned hub_ports; /* of a hub: how many */

    /* The core's; implementers read them. */
    VusbHub *hub;       /* NULL: not plugged in */
    VusbDevice *parent; /* the hub above; NULL: the root hub */
    unsigned port;      /* from 0 on, at the root hub or at the hub above */
    VusbSpeed speed;    /* at this port */
    uint8_t address;
    uint8_t configuration; /* 0: not configured */
    uint8_t wakeup_enabled, suspended_now, enabled;
    uint8_t alternates[VUSB_INTERFACES_MAX];
    uint16_t halted_in, halted_out; /* a bit for each endpoint */
    VusbControlPipe control;
    VusbDevice *children[VUSB_HUB_PORTS_MAX]; /* of a hub */
    GQueue urbs;                              /* under way */
    bool gone;                                /* unplugged, URBs are still to come back */
    VusbCapture *capture;                     /* NULL: nothing is recorded */
};

/* The fields of VusbDevice that a saved state holds, for the table of the device that embeds it,
 * and what to call after they were loaded. */
extern const SsmField vusb_device_fields[];
bool vusb_device_loaded(VusbDevice *device, GError **error);

/* The transfer is over: `actual` (and packets) say how much moved. Any thread. The URB must not be
 * touched afterwards. */
void vusb_urb_done(VusbUrb *urb, VusbStatus status);
/* A control or IN transfer that ends with these data, as many as there is room for. */
void vusb_urb_answer(VusbUrb *urb, const void *data, size_t size);

/* Remote wake-up: does nothing unless the port is suspended and the guest allowed it. */
void vusb_device_wakeup(VusbDevice *device);

/* The root hub of a controller ("xhci"), or, for NULL, of the best one there is for a device of
 * these speeds; NULL: there is none. From construct on, when controllers come first in the tree. */
VusbHub *vusb_find_hub(PdmDevice *device, const char *controller, unsigned speeds);
/* Plugs an emulated device in where its configuration says: option "Controller" (as
 * vusb_find_hub()) and "Port" (from 1 on; 0: any), or at a port of the emulated hub that option
 * "Hub" names, counted from 1 on in the order they were made. */
bool vusb_plug_emulated(PdmDevice *owner, VusbDevice *device, const CfgmNode *config,
                        GError **error);
/* A device's state after a reset of the machine. */
void vusb_device_reset(VusbDevice *device);
/* Plugs a device in at a free port that is fit for one of its speeds, the fastest first.
 * BASE_ERROR_INVALID when there is none. port -1: any. */
bool vusb_hub_plug(VusbHub *hub, int port, VusbDevice *device, GError **error);
/* At a port of a hub that is plugged in; port -1: any. At most VUSB_TIERS_MAX hubs in a row. */
bool vusb_device_plug_below(VusbDevice *parent, int port, VusbDevice *device, GError **error);
/* Whether a hub finds something at its port: what is faster than the hub is at present is not there
 * until the hub is as fast. */
bool vusb_child_present(const VusbDevice *hub, unsigned port);
/* What a hub does to what is plugged in at its port, if anything is: reset signalling, which ends
 * at once and enables it; on and off without; suspended. */
void vusb_child_reset(VusbDevice *hub, unsigned port);
void vusb_child_enable(VusbDevice *hub, unsigned port, bool on);
void vusb_child_suspend(VusbDevice *hub, unsigned port, bool on);
/* Takes a device out, and what is plugged into it; released() follows, perhaps at once. Does
 * nothing where it is out already. */
void vusb_unplug(VusbDevice *device);
/* Whether the guest may have anything under way with it. */
bool vusb_device_busy(const VusbDevice *device);
