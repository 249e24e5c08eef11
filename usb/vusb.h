/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VUSB for authors of controllers: the root hub. A controller attaches a driver of PDM_IF_USB at
 * its LUN 0 (pdm_attach() with a VusbHubPort) and gets a VusbHubConnector; what is plugged in below
 * it, emulated, of the host or remote, looks the same. Universal Serial Bus Specification 2.0,
 * chapters 5, 8 to 11; Manual, chapter "Technical background" (VUSB).
 *
 * All calls in both directions are made with the device lock held. A VusbDevice that a call returns
 * is good until the lock is let go: look it up again each time. */
#pragma once

#include "usb/vusb-urb.h"
#include "vmm/base/error.h"

#define VUSB_ROOT_HUB_DRIVER "vusb-root-hub"
/* What pdm_find_object() knows a VusbHub as. */
#define VUSB_HUB_OBJECT "vusb-hub"

/* What the controller offers. Ports count from 0. */
typedef struct {
    void *user;
    const char *name;    /* of the controller, as settings call it: "ohci", "ehci", "xhci" */
    unsigned port_count; /* 1..VUSB_PORTS_MAX */
    /* The speeds that a port is for (VUSB_SPEEDS_*): of an xHCI's ports, some are for SuperSpeed
     * only and some for all the others. */
    unsigned port_speeds[VUSB_PORTS_MAX];
    /* Name of the controller that gets devices of its speeds from ports that are routed to it, by
     * the same port number; NULL: none. */
    const char *companion;
    /* Something was plugged in or out at a port that is routed here; out also at one that is
     * routed to the companion, after that has heard of it. */
    void (*attached)(void *user, unsigned port, VusbSpeed speed);
    void (*detached)(void *user, unsigned port);
    /* A device behind a suspended port wants to be heard (remote wake-up). */
    void (*wakeup)(void *user, unsigned port);
} VusbHubPort;

/* What the root hub offers to the controller. */
typedef struct {
    void *user;

    /* --- ports --- */
    /* Whether something is plugged in at a port that is routed here, and how fast it is. */
    bool (*present)(void *user, unsigned port, VusbSpeed *speed);
    /* Reset signalling, which ends at once: the device is at the default address, not configured,
     * and hears what is sent. Nothing happens at an empty port. */
    void (*reset)(void *user, unsigned port);
    /* Off: the device hears nothing until the next reset (port disabled, without power). */
    void (*enable)(void *user, unsigned port, bool on);
    /* A suspended device keeps its state and may wake the port up. */
    void (*suspend)(void *user, unsigned port, bool on);
    /* Gives a port to the companion or takes it back; detached() and attached() follow on both
     * sides before it returns. announce false: without these, for a state that was loaded. Ports
     * begin at the companion where there is one. */
    void (*route)(void *user, unsigned port, bool companion, bool announce);

    /* --- devices --- */
    /* By address on this bus (OHCI, EHCI), also behind hubs; NULL: nobody answers. Only devices
     * that were reset and are enabled have one; 0 is the default address. */
    VusbDevice *(*by_address)(void *user, uint8_t address);
    /* By address behind a transaction translator (EHCI): a device of full or low speed below that
     * port, from 1 on, of the hub of high speed at that address. */
    VusbDevice *(*by_split)(void *user, uint8_t hub, unsigned port, uint8_t address);
    /* By place (xHCI): root port and route string, four bits for each tier, 0 for none. */
    VusbDevice *(*by_route)(void *user, unsigned port, uint32_t route);
    VusbSpeed (*speed)(void *user, const VusbDevice *device);
    /* SET_ADDRESS by the controller instead of a request (xHCI, Address Device). 0..127. */
    void (*set_address)(void *user, VusbDevice *device, uint8_t address);
    /* The controller forgets that an endpoint was halted on its side: for devices of the host,
     * whose toggles are kept elsewhere. */
    void (*reset_endpoint)(void *user, VusbDevice *device, uint8_t endpoint, bool in);

    /* --- transfers --- */
    /* An URB with room for size bytes and packets isochronous packets. NULL when more than
     * VUSB_URB_SIZE_MAX or VUSB_PACKETS_MAX are asked for, or VUSB_URBS_MAX or VUSB_BYTES_MAX are
     * reached: try again when one has come back. */
    VusbUrb *(*urb_new)(void *user, uint32_t size, uint32_t packets);
    /* Not while it is under way. */
    void (*urb_free)(void *user, VusbUrb *urb);
    /* URBs of one endpoint go to the device, and come back, in order; several may be under way.
     * device NULL: nobody is there, it comes back with VUSB_NO_DEVICE. */
    void (*submit)(void *user, VusbDevice *device, VusbUrb *urb);
    /* The submitter has no interest in it any more: done() is not called, the URB is not its own
     * any more. Data of an IN transfer that the device had on the way are lost. */
    void (*cancel)(void *user, VusbUrb *urb);
    /* Delivers what devices have answered already: for pre_save, so that nothing that was done is
     * done again when URBs that are under way are submitted once more after loading. */
    void (*flush)(void *user);
} VusbHubConnector;

/* Records what passes between the guest and a device that is plugged in, from now until it is
 * stopped, unplugged, or the file has `limit` bytes: pcapng, as Linux's usbmon. Takes the
 * descriptor of an empty file over. BASE_ERROR_IO. */
bool vusb_capture_start(VusbDevice *device, int descriptor, uint64_t limit, GError **error);
void vusb_capture_stop(VusbDevice *device);

static inline VusbSetup
vusb_setup_parse(const uint8_t bytes[8])
{
    return (VusbSetup){
        .request_type = bytes[0],
        .request = bytes[1],
        .value = (uint16_t)(bytes[2] | bytes[3] << 8),
        .index = (uint16_t)(bytes[4] | bytes[5] << 8),
        .length = (uint16_t)(bytes[6] | bytes[7] << 8),
    };
}
