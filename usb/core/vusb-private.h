/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the files of VUSB's core share. */
#pragma once

#include "usb/vusb-device.h"
#include "usb/vusb.h"
#include "vmm/base/pcapng.h"
#include "vmm/pdm/pdm.h"

struct VusbHub {
    PdmDriver *driver;
    const VusbHubPort *port;
    VusbHubConnector connector;
    /* Two controllers at the same sockets: `companion` of the one that has them, `owner` of the one
     * that gets those which are routed to it. */
    VusbHub *companion, *owner;
    VusbDevice *devices[VUSB_PORTS_MAX]; /* at its own sockets */
    bool routed_away[VUSB_PORTS_MAX];

    unsigned urbs;  /* that exist */
    uint64_t bytes; /* in them */
    PdmQueue *queue;
    GMutex lock;     /* of the two below */
    GQueue finished; /* UrbState, answered and not delivered */
    bool posted;     /* the queue has been told */
};

/* A device's record. */
struct VusbCapture {
    Pcapng file;
    uint64_t count; /* of URBs */
};

/* An URB and what the core knows of it. */
typedef struct {
    VusbUrb urb; /* first */
    VusbHub *hub;
    VusbDevice *device; /* that has it; NULL: nobody */
    uint32_t room, packet_room;
    bool under_way;
    bool abandoned;   /* by its submitter */
    bool taken_back;  /* the device was told to give it back */
    bool device_gone; /* the submitter is told so, whatever the device says */
    bool finished;    /* under hub->lock */
    uint64_t number;  /* in its device's record; 0: in none */
    GList link;       /* in device->urbs */
    GList finished_link;
} UrbState;

static inline UrbState *
urb_state(VusbUrb *urb)
{
    return (UrbState *)urb;
}

/* urb.c */
void vusb_hub_init_urbs(VusbHub *hub);
void vusb_hub_clear_urbs(VusbHub *hub);
VusbUrb *vusb_urb_new(VusbHub *hub, uint32_t size, uint32_t packets);
void vusb_urb_free(VusbUrb *urb);
void vusb_urb_submit(VusbHub *hub, VusbDevice *device, VusbUrb *urb);
void vusb_urb_cancel(VusbUrb *urb);
void vusb_hub_flush(VusbHub *hub);
/* Asks the device for all its URBs back. gone: their submitters hear VUSB_NO_DEVICE. */
void vusb_take_back(VusbDevice *device);

/* root-hub.c */
VusbDevice *vusb_hub_device(VusbHub *hub, unsigned port);
void vusb_port_lost(VusbDevice *device);
void vusb_port_wakeup(VusbDevice *device);

/* device.c */
void vusb_device_init(VusbDevice *device, VusbHub *hub, VusbDevice *parent, unsigned port,
                      VusbSpeed speed);
void vusb_device_enable(VusbDevice *device, bool on);
void vusb_device_suspend(VusbDevice *device, bool on);
/* The endpoint's descriptor in the present configuration; NULL: there is none. */
const uint8_t *vusb_find_endpoint(const VusbDevice *device, uint8_t endpoint, bool in);

/* capture.c */
void vusb_capture_submit(VusbDevice *device, UrbState *state);
void vusb_capture_done(VusbDevice *device, UrbState *state);

/* requests.c: true when it was answered (or is refused). */
bool vusb_standard_request(VusbDevice *device, VusbUrb *urb);

/* control.c */
void vusb_control_stage(VusbDevice *device, VusbUrb *urb);
void vusb_control_whole(VusbDevice *device, VusbUrb *urb);
void vusb_control_forget(VusbDevice *device);
/* A stage that waits is taken back; false: the URB is none of these. */
bool vusb_control_cancel(VusbDevice *device, VusbUrb *urb);
bool vusb_control_loaded(VusbDevice *device, GError **error);
extern const SsmField vusb_control_fields[];
