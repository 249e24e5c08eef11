/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * OHCI: the root hub (7.4). Ports have power all the time. */
#include "devices/usb-controllers/ohci-private.h"

#define PORT_CONNECTED (1u << 0)
#define PORT_ENABLED (1u << 1)
#define PORT_SUSPENDED (1u << 2)
#define PORT_RESUME (1u << 3) /* written: clear suspend */
#define PORT_RESET (1u << 4)
#define PORT_POWER (1u << 8)
#define PORT_LOW_SPEED (1u << 9)
#define PORT_CONNECT_CHANGE (1u << 16)
#define PORT_ENABLE_CHANGE (1u << 17)
#define PORT_SUSPEND_CHANGE (1u << 18)
#define PORT_RESET_CHANGE (1u << 20)
#define PORT_CHANGES (0x1fu << 16)

#define HUB_NO_POWER_SWITCH (1u << 9)
#define HUB_NO_OVERCURRENT (1u << 12)
#define HUB_REMOTE_WAKEUP (1u << 15)
#define HUB_CLEAR_WAKEUP (1u << 31)

static void
changed(OhciController *ohci, unsigned port, uint32_t bits)
{
    ohci->ports[port] |= bits;
    if (ohci_state_of(ohci) == OHCI_SUSPENDED && (ohci->rh_status & HUB_REMOTE_WAKEUP) != 0)
        ohci_interrupt(ohci, OHCI_RESUME_DETECTED);
    ohci_interrupt(ohci, OHCI_ROOT_HUB);
}

static uint32_t
connected(VusbSpeed speed)
{
    return PORT_POWER | PORT_CONNECTED | (speed == VUSB_SPEED_LOW ? PORT_LOW_SPEED : 0);
}

static void
on_attached(void *user, unsigned port, VusbSpeed speed)
{
    OhciController *ohci = user;

    /* While the controller is made its own connector is not known yet, and a reset follows. */
    if (ohci->hub == NULL)
        return;
    ohci->ports[port] = (ohci->ports[port] & PORT_CHANGES) | connected(speed);
    changed(ohci, port, PORT_CONNECT_CHANGE);
}

static void
on_detached(void *user, unsigned port)
{
    OhciController *ohci = user;
    const bool enabled = (ohci->ports[port] & PORT_ENABLED) != 0;

    ohci->ports[port] = (ohci->ports[port] & PORT_CHANGES) | PORT_POWER;
    changed(ohci, port, PORT_CONNECT_CHANGE | (enabled ? PORT_ENABLE_CHANGE : 0));
}

static void
resume(OhciController *ohci, unsigned port)
{
    ohci->ports[port] &= ~PORT_SUSPENDED;
    ohci->hub->suspend(ohci->hub->user, port, false);
    changed(ohci, port, PORT_SUSPEND_CHANGE);
}

static void
on_wakeup(void *user, unsigned port)
{
    OhciController *ohci = user;

    if ((ohci->ports[port] & PORT_SUSPENDED) != 0)
        resume(ohci, port);
    if (ohci_state_of(ohci) == OHCI_SUSPENDED) {
        ohci->control = (ohci->control & ~0xc0u) | OHCI_RESUMING << 6;
        ohci_interrupt(ohci, OHCI_RESUME_DETECTED);
    }
}

void
ohci_port_hub(OhciController *ohci)
{
    ohci->hub_port = (VusbHubPort){
        .user = ohci,
        .name = "ohci",
        .port_count = OHCI_PORTS,
        .attached = on_attached,
        .detached = on_detached,
        .wakeup = on_wakeup,
    };
    for (unsigned port = 0; port < OHCI_PORTS; port++)
        ohci->hub_port.port_speeds[port] = VUSB_SPEEDS_USB1;
}

void
ohci_port_reset_all(OhciController *ohci)
{
    ohci->rh_status = 0;
    for (unsigned port = 0; port < OHCI_PORTS; port++) {
        VusbSpeed speed;

        ohci->ports[port] = PORT_POWER;
        if (ohci->hub == NULL || !ohci->hub->present(ohci->hub->user, port, &speed))
            continue;
        ohci->hub->enable(ohci->hub->user, port, false);
        ohci->ports[port] = connected(speed) | PORT_CONNECT_CHANGE;
    }
}

/* After a saved state: what is plugged in now may not be what was then. */
void
ohci_port_compare(OhciController *ohci)
{
    for (unsigned port = 0; port < OHCI_PORTS; port++) {
        const bool was = (ohci->ports[port] & PORT_CONNECTED) != 0;
        VusbSpeed speed;
        const bool is = ohci->hub != NULL && ohci->hub->present(ohci->hub->user, port, &speed);

        if (is && !was)
            on_attached(ohci, port, speed);
        else if (was && !is)
            on_detached(ohci, port);
    }
}

uint32_t
ohci_port_read(const OhciController *ohci, unsigned port)
{
    return ohci->ports[port];
}

static void
reset_port(OhciController *ohci, unsigned port)
{
    ohci->hub->reset(ohci->hub->user, port);
    ohci->ports[port] = (ohci->ports[port] & ~PORT_SUSPENDED) | PORT_ENABLED;
    changed(ohci, port, PORT_RESET_CHANGE);
}

static void
set_bits(OhciController *ohci, unsigned port, uint32_t value)
{
    const uint32_t now = ohci->ports[port];

    if ((now & PORT_CONNECTED) == 0) {
        changed(ohci, port, PORT_CONNECT_CHANGE);
        return;
    }
    if ((value & PORT_ENABLED) != 0 && (now & PORT_ENABLED) == 0) {
        ohci->ports[port] |= PORT_ENABLED;
        ohci->hub->enable(ohci->hub->user, port, true);
    }
    if ((value & PORT_SUSPENDED) != 0 && (now & PORT_ENABLED) != 0) {
        ohci->ports[port] |= PORT_SUSPENDED;
        ohci->hub->suspend(ohci->hub->user, port, true);
    }
    if ((value & PORT_RESET) != 0)
        reset_port(ohci, port);
}

void
ohci_port_write(OhciController *ohci, unsigned port, uint32_t value)
{
    ohci->ports[port] &= ~(value & PORT_CHANGES);
    if (ohci->hub == NULL)
        return;
    if ((value & PORT_CONNECTED) != 0 && (ohci->ports[port] & PORT_ENABLED) != 0) {
        ohci->ports[port] &= ~(PORT_ENABLED | PORT_SUSPENDED);
        ohci->hub->enable(ohci->hub->user, port, false);
    }
    if ((value & PORT_RESUME) != 0 && (ohci->ports[port] & PORT_SUSPENDED) != 0)
        resume(ohci, port);
    if ((value & (PORT_ENABLED | PORT_SUSPENDED | PORT_RESET)) != 0)
        set_bits(ohci, port, value);
}

uint32_t
ohci_hub_read(const OhciController *ohci, uint32_t offset)
{
    switch (offset) {
    case 0x48: return OHCI_PORTS | HUB_NO_POWER_SWITCH | HUB_NO_OVERCURRENT | 1u << 24;
    case 0x50: return ohci->rh_status;
    default: return 0;
    }
}

void
ohci_hub_write(OhciController *ohci, uint32_t value)
{
    if ((value & HUB_REMOTE_WAKEUP) != 0)
        ohci->rh_status |= HUB_REMOTE_WAKEUP;
    if ((value & HUB_CLEAR_WAKEUP) != 0)
        ohci->rh_status &= ~HUB_REMOTE_WAKEUP;
}
