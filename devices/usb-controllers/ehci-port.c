/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * EHCI: ports and who has them (2.3.8, 2.3.9, 4.2, 4.3). Ports have power all the time. */
#include "devices/usb-controllers/ehci-private.h"

#define PORT_CONNECTED (1u << 0)
#define PORT_CONNECT_CHANGE (1u << 1)
#define PORT_ENABLED (1u << 2)
#define PORT_ENABLE_CHANGE (1u << 3)
#define PORT_RESUME (1u << 6)
#define PORT_SUSPENDED (1u << 7)
#define PORT_RESET (1u << 8)
#define PORT_LINE_K (1u << 10) /* low speed */
#define PORT_LINE_J (2u << 10) /* full speed */
#define PORT_POWER (1u << 12)
#define PORT_OWNER (1u << 13)
#define PORT_CHANGES (PORT_CONNECT_CHANGE | PORT_ENABLE_CHANGE)
#define PORT_WAKE (7u << 20)
#define PORT_TEST (15u << 16)
#define PORT_KEPT (PORT_WAKE | PORT_TEST)

static void
changed(EhciController *ehci, unsigned port, uint32_t bits)
{
    ehci->ports[port] |= bits;
    ehci_interrupt(ehci, EHCI_PORT_CHANGE);
}

static void
on_attached(void *user, unsigned port, VusbSpeed speed)
{
    EhciController *ehci = user;

    /* While the controller is made its own connector is not known yet, and a reset follows. */
    if (ehci->hub == NULL || (ehci->ports[port] & PORT_OWNER) != 0)
        return;
    ehci->ports[port] =
        (ehci->ports[port] & (PORT_KEPT | PORT_CHANGES)) | PORT_POWER | PORT_CONNECTED;
    changed(ehci, port, PORT_CONNECT_CHANGE);
}

static void
on_detached(void *user, unsigned port)
{
    EhciController *ehci = user;
    const bool enabled = (ehci->ports[port] & PORT_ENABLED) != 0;

    if (ehci->hub == NULL)
        return;
    if ((ehci->ports[port] & PORT_OWNER) != 0) {
        /* What comes next is looked at here first: 4.2.2. */
        if (ehci->config == 0)
            return;
        ehci->ports[port] &= ~PORT_OWNER;
        ehci->hub->route(ehci->hub->user, port, false, false);
        return;
    }
    ehci->ports[port] = (ehci->ports[port] & (PORT_KEPT | PORT_CHANGES)) | PORT_POWER;
    changed(ehci, port, PORT_CONNECT_CHANGE | (enabled ? PORT_ENABLE_CHANGE : 0));
}

static void
on_wakeup(void *user, unsigned port)
{
    EhciController *ehci = user;

    if ((ehci->ports[port] & PORT_SUSPENDED) == 0)
        return;
    ehci->ports[port] |= PORT_RESUME;
    changed(ehci, port, 0);
}

void
ehci_port_hub(EhciController *ehci)
{
    ehci->hub_port = (VusbHubPort){
        .user = ehci,
        .name = "ehci",
        .port_count = EHCI_PORTS,
        .companion = "ohci",
        .attached = on_attached,
        .detached = on_detached,
        .wakeup = on_wakeup,
    };
    for (unsigned port = 0; port < EHCI_PORTS; port++)
        ehci->hub_port.port_speeds[port] = VUSB_SPEEDS_HIGH;
}

/* --- ownership --- */

/* The other controller sees something come or go, and so does this one. */
static void
give_port(EhciController *ehci, unsigned port, bool companion)
{
    if (((ehci->ports[port] & PORT_OWNER) != 0) == companion)
        return;
    if (!companion)
        ehci->ports[port] &= ~PORT_OWNER;
    if (ehci->hub != NULL)
        ehci->hub->route(ehci->hub->user, port, companion, true);
    if (companion)
        ehci->ports[port] =
            (ehci->ports[port] & (PORT_KEPT | PORT_CHANGES)) | PORT_POWER | PORT_OWNER;
}

void
ehci_port_configure(EhciController *ehci, uint32_t value)
{
    ehci->config = value & 1;
    for (unsigned port = 0; port < EHCI_PORTS; port++)
        give_port(ehci, port, ehci->config == 0);
}

void
ehci_port_reset_all(EhciController *ehci)
{
    ehci_port_configure(ehci, 0);
    for (unsigned port = 0; port < EHCI_PORTS; port++)
        ehci->ports[port] = PORT_POWER | PORT_OWNER;
}

/* After a saved state: what is plugged in now may not be what was then. The companion comes later
 * and finds its ports routed. */
void
ehci_port_loaded(EhciController *ehci)
{
    for (unsigned port = 0; port < EHCI_PORTS && ehci->hub != NULL; port++) {
        const bool owner = (ehci->ports[port] & PORT_OWNER) != 0;
        const bool was = (ehci->ports[port] & PORT_CONNECTED) != 0;
        VusbSpeed speed;
        bool is;

        ehci->hub->route(ehci->hub->user, port, owner, false);
        is = ehci->hub->present(ehci->hub->user, port, &speed);
        if (!owner && is && !was)
            on_attached(ehci, port, speed);
        else if (!owner && was && !is)
            on_detached(ehci, port);
    }
}

/* --- the register --- */
uint32_t
ehci_port_read(const EhciController *ehci, unsigned port)
{
    const uint32_t value = ehci->ports[port];
    VusbSpeed speed;

    /* The lines tell the speed until the port is enabled: table 2-16. */
    if ((value & PORT_CONNECTED) == 0 || (value & (PORT_ENABLED | PORT_RESET)) != 0 ||
        !ehci->hub->present(ehci->hub->user, port, &speed))
        return value;
    return value | (speed == VUSB_SPEED_LOW ? PORT_LINE_K : PORT_LINE_J);
}

/* The end of a reset enables the port of a device that runs at high speed: 4.2.2. */
static void
write_reset(EhciController *ehci, unsigned port, bool on)
{
    const bool was = (ehci->ports[port] & PORT_RESET) != 0;
    VusbSpeed speed;

    if (on == was)
        return;
    if (on) {
        ehci->ports[port] &= ~(PORT_ENABLED | PORT_SUSPENDED | PORT_RESUME);
        ehci->ports[port] |= PORT_RESET;
        ehci->hub->enable(ehci->hub->user, port, false);
        return;
    }
    ehci->ports[port] &= ~PORT_RESET;
    if (!ehci->hub->present(ehci->hub->user, port, &speed) || speed != VUSB_SPEED_HIGH)
        return;
    ehci->hub->reset(ehci->hub->user, port);
    ehci->ports[port] |= PORT_ENABLED;
}

static void
write_suspend(EhciController *ehci, unsigned port, uint32_t value)
{
    const uint32_t now = ehci->ports[port];

    if ((value & PORT_SUSPENDED) != 0 && (now & (PORT_ENABLED | PORT_SUSPENDED)) == PORT_ENABLED) {
        ehci->ports[port] |= PORT_SUSPENDED;
        ehci->hub->suspend(ehci->hub->user, port, true);
    }
    if ((now & PORT_SUSPENDED) == 0)
        return;
    if ((value & PORT_RESUME) != 0) {
        ehci->ports[port] |= PORT_RESUME;
    } else if ((now & PORT_RESUME) != 0) {
        ehci->ports[port] &= ~(PORT_RESUME | PORT_SUSPENDED);
        ehci->hub->suspend(ehci->hub->user, port, false);
    }
}

void
ehci_port_write(EhciController *ehci, unsigned port, uint32_t value)
{
    ehci->ports[port] &= ~(value & PORT_CHANGES);
    ehci->ports[port] = (ehci->ports[port] & ~PORT_KEPT) | (value & PORT_KEPT);
    if (ehci->hub == NULL)
        return;
    if (ehci->config != 0)
        give_port(ehci, port, (value & PORT_OWNER) != 0);
    if ((ehci->ports[port] & (PORT_OWNER | PORT_CONNECTED)) != PORT_CONNECTED)
        return;
    if ((value & PORT_ENABLED) == 0 && (ehci->ports[port] & PORT_ENABLED) != 0 &&
        (value & PORT_RESET) == 0) {
        ehci->ports[port] &= ~(PORT_ENABLED | PORT_SUSPENDED | PORT_RESUME);
        ehci->hub->enable(ehci->hub->user, port, false);
    }
    write_reset(ehci, port, (value & PORT_RESET) != 0);
    write_suspend(ehci, port, value);
}
