/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * xHCI: root hub ports (4.15, 4.19, 5.4.8). The first XHCI_PORTS_USB2 are for low, full and high
 * speed, the others for SuperSpeed. Port power is always on. */
#include "devices/usb-controllers/xhci-private.h"

#define PORT_CONNECTED (1u << 0)
#define PORT_ENABLED (1u << 1)
#define PORT_RESET (1u << 4)
#define PORT_LINK_SHIFT 5
#define PORT_LINK (15u << PORT_LINK_SHIFT)
#define PORT_POWER (1u << 9)
#define PORT_SPEED (15u << 10)
#define PORT_LINK_STROBE (1u << 16)
#define PORT_CONNECT_CHANGE (1u << 17)
#define PORT_ENABLE_CHANGE (1u << 18)
#define PORT_WARM_CHANGE (1u << 19)
#define PORT_RESET_CHANGE (1u << 21)
#define PORT_LINK_CHANGE (1u << 22)
#define PORT_CHANGES (0x7fu << 17)
#define PORT_WAKE (7u << 25)
#define PORT_WARM_RESET (1u << 31)

enum { LINK_U0 = 0, LINK_U3 = 3, LINK_RX_DETECT = 5, LINK_POLLING = 7, LINK_RESUME = 15 };

static bool
is_usb3(unsigned port)
{
    return port >= XHCI_PORTS_USB2;
}

static unsigned
link_state(const XhciController *xhci, unsigned port)
{
    return (xhci->portsc[port] & PORT_LINK) >> PORT_LINK_SHIFT;
}

static void
set_link(XhciController *xhci, unsigned port, unsigned state)
{
    xhci->portsc[port] = (xhci->portsc[port] & ~PORT_LINK) | state << PORT_LINK_SHIFT;
}

/* Sets change bits, and tells of the first one. */
static void
changed(XhciController *xhci, unsigned port, uint32_t bits)
{
    const uint32_t before = xhci->portsc[port] & PORT_CHANGES;

    xhci->portsc[port] |= bits;
    xhci->usbsts |= USBSTS_PORT;
    if (!xhci_running(xhci) || (before & bits) == bits)
        return;
    xhci_event(xhci, 0,
               &(XhciEvent){.parameter = (uint64_t)(port + 1) << 24,
                            .status = XHCI_SUCCESS << 24,
                            .control = TRB_PORT_STATUS_CHANGE << 10});
}

/* The numbers of the default speed ids: 7.2.2.1.1. */
static uint32_t
speed_id(VusbSpeed speed)
{
    static const uint8_t ids[] = {
        [VUSB_SPEED_LOW] = 2, [VUSB_SPEED_FULL] = 1, [VUSB_SPEED_HIGH] = 3, [VUSB_SPEED_SUPER] = 4};

    return (uint32_t)ids[speed] << 10;
}

/* What a port without a device looks like. */
static void
set_empty(XhciController *xhci, unsigned port)
{
    xhci->portsc[port] &= PORT_CHANGES | PORT_WAKE;
    xhci->portsc[port] |= PORT_POWER;
    set_link(xhci, port, LINK_RX_DETECT);
}

/* SuperSpeed links train by themselves; the others wait to be reset. */
static void
set_present(XhciController *xhci, unsigned port, VusbSpeed speed)
{
    set_empty(xhci, port);
    xhci->portsc[port] |= PORT_CONNECTED | speed_id(speed);
    set_link(xhci, port, is_usb3(port) ? LINK_U0 : LINK_POLLING);
    if (!is_usb3(port))
        return;
    xhci->portsc[port] |= PORT_ENABLED;
    xhci->hub->reset(xhci->hub->user, port);
}

static void
on_attached(void *user, unsigned port, VusbSpeed speed)
{
    XhciController *xhci = user;

    /* While the controller is made its own connector is not known yet, and a reset follows. */
    if (xhci->hub == NULL)
        return;
    set_present(xhci, port, speed);
    changed(xhci, port, PORT_CONNECT_CHANGE);
}

static void
on_detached(void *user, unsigned port)
{
    XhciController *xhci = user;

    set_empty(xhci, port);
    changed(xhci, port, PORT_CONNECT_CHANGE);
}

static void
on_wakeup(void *user, unsigned port)
{
    XhciController *xhci = user;

    if (link_state(xhci, port) != LINK_U3)
        return;
    set_link(xhci, port, LINK_RESUME);
    changed(xhci, port, PORT_LINK_CHANGE);
}

void
xhci_port_hub(XhciController *xhci)
{
    xhci->hub_port = (VusbHubPort){
        .user = xhci,
        .name = "xhci",
        .port_count = XHCI_PORTS,
        .attached = on_attached,
        .detached = on_detached,
        .wakeup = on_wakeup,
    };
    for (unsigned port = 0; port < XHCI_PORTS; port++)
        xhci->hub_port.port_speeds[port] = is_usb3(port) ? VUSB_SPEEDS_SUPER : VUSB_SPEEDS_USB2;
}

void
xhci_port_reset_all(XhciController *xhci)
{
    for (unsigned port = 0; port < XHCI_PORTS; port++) {
        VusbSpeed speed;

        xhci->portsc[port] = 0;
        set_empty(xhci, port);
        if (xhci->hub == NULL || !xhci->hub->present(xhci->hub->user, port, &speed))
            continue;
        xhci->hub->enable(xhci->hub->user, port, false);
        set_present(xhci, port, speed);
        xhci->portsc[port] |= PORT_CONNECT_CHANGE;
    }
}

/* After a saved state: what is plugged in now may not be what was then. */
void
xhci_port_compare(XhciController *xhci)
{
    for (unsigned port = 0; port < XHCI_PORTS; port++) {
        const bool was = (xhci->portsc[port] & PORT_CONNECTED) != 0;
        VusbSpeed speed;
        const bool is = xhci->hub != NULL && xhci->hub->present(xhci->hub->user, port, &speed);

        if (is && !was)
            on_attached(xhci, port, speed);
        else if (was && !is)
            on_detached(xhci, port);
    }
}

uint32_t
xhci_port_read(const XhciController *xhci, unsigned port)
{
    return xhci->portsc[port];
}

static void
reset_port(XhciController *xhci, unsigned port, bool warm)
{
    VusbSpeed speed;

    if (xhci->hub == NULL || !xhci->hub->present(xhci->hub->user, port, &speed))
        return;
    xhci->hub->reset(xhci->hub->user, port);
    xhci->portsc[port] |= PORT_ENABLED;
    set_link(xhci, port, LINK_U0);
    changed(xhci, port, PORT_RESET_CHANGE | (warm ? PORT_WARM_CHANGE : 0));
}

static void
disable_port(XhciController *xhci, unsigned port)
{
    if ((xhci->portsc[port] & PORT_ENABLED) == 0 || is_usb3(port))
        return;
    xhci->portsc[port] &= ~PORT_ENABLED;
    set_link(xhci, port, LINK_POLLING);
    xhci->hub->enable(xhci->hub->user, port, false);
}

static void
move_link(XhciController *xhci, unsigned port, unsigned wanted)
{
    const unsigned now = link_state(xhci, port);

    if ((xhci->portsc[port] & PORT_ENABLED) == 0)
        return;
    if (wanted == LINK_U3 && now == LINK_U0) {
        set_link(xhci, port, LINK_U3);
        xhci->hub->suspend(xhci->hub->user, port, true);
    } else if (wanted == LINK_RESUME && now == LINK_U3 && !is_usb3(port)) {
        set_link(xhci, port, LINK_RESUME);
    } else if (wanted == LINK_U0 && (now == LINK_U3 || now == LINK_RESUME)) {
        set_link(xhci, port, LINK_U0);
        xhci->hub->suspend(xhci->hub->user, port, false);
        changed(xhci, port, PORT_LINK_CHANGE);
    }
}

void
xhci_port_write(XhciController *xhci, unsigned port, uint32_t value)
{
    xhci->portsc[port] &= ~(value & PORT_CHANGES);
    xhci->portsc[port] = (xhci->portsc[port] & ~PORT_WAKE) | (value & PORT_WAKE);
    if ((value & PORT_RESET) != 0 || ((value & PORT_WARM_RESET) != 0 && is_usb3(port))) {
        reset_port(xhci, port, (value & PORT_WARM_RESET) != 0);
        return;
    }
    if ((value & PORT_ENABLED) != 0)
        disable_port(xhci, port);
    if ((value & PORT_LINK_STROBE) != 0)
        move_link(xhci, port, (value & PORT_LINK) >> PORT_LINK_SHIFT);
}
