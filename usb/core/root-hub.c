/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The root hub: the driver under a controller. It knows what is plugged in where, at which speed,
 * and which of two controllers at the same sockets has a port: USB 2.0 chapter 11 and EHCI 1.0
 * section 4.2. */
#include "usb/core/vusb-private.h"

#include <string.h>

/* --- who is where --- */

/* A companion has the other one's sockets. */
static VusbHub *
sockets(VusbHub *hub)
{
    return hub->owner != NULL ? hub->owner : hub;
}

VusbDevice *
vusb_hub_device(VusbHub *hub, unsigned port)
{
    VusbHub *physical = sockets(hub);

    if (port >= hub->port->port_count || port >= physical->port->port_count ||
        physical->routed_away[port] != (physical != hub))
        return NULL;
    return physical->devices[port];
}

/* The hub whose controller hears of a root port. */
static VusbHub *
listener(VusbHub *physical, unsigned port)
{
    if (!physical->routed_away[port])
        return physical;
    return physical->companion != NULL && port < physical->companion->port->port_count
               ? physical->companion
               : NULL;
}

static bool
best_speed(unsigned speeds, VusbSpeed *speed)
{
    for (int i = VUSB_SPEED_SUPER; i >= 0; i--) {
        if (speeds >> i & 1) {
            *speed = (VusbSpeed)i;
            return true;
        }
    }
    return false;
}

/* Nothing is faster than the hub above. */
static bool
child_speed(const VusbDevice *parent, const VusbDevice *device, VusbSpeed *speed)
{
    return best_speed(device->speeds & ((2u << parent->speed) - 1), speed);
}

static void
choose_below(VusbDevice *parent)
{
    for (unsigned port = 0; port < parent->hub_ports; port++) {
        VusbDevice *device = parent->children[port];

        if (device == NULL)
            continue;
        /* One that is too fast is not there for the time being. */
        if (!child_speed(parent, device, &device->speed))
            best_speed(device->speeds, &device->speed);
        choose_below(device);
    }
}

static void
choose_speed(VusbHub *physical, unsigned port)
{
    VusbDevice *device = physical->devices[port];
    const VusbHub *hub = listener(physical, port);

    /* A port that is for none of its speeds sees it all the same. */
    if (device != NULL && hub != NULL &&
        !best_speed(device->speeds & hub->port->port_speeds[port], &device->speed))
        best_speed(device->speeds, &device->speed);
    if (device != NULL)
        choose_below(device);
}

static void
announce(VusbHub *physical, unsigned port, bool here)
{
    const VusbHub *hub = listener(physical, port);

    if (hub == NULL)
        return;
    if (here)
        hub->port->attached(hub->port->user, port, physical->devices[port]->speed);
    else
        hub->port->detached(hub->port->user, port);
}

void
vusb_port_wakeup(VusbDevice *device)
{
    const VusbHub *hub;

    if (device->parent != NULL) {
        if (device->parent->ops->port_wakeup != NULL)
            device->parent->ops->port_wakeup(device->parent, device->port);
        return;
    }
    hub = listener(device->hub, device->port);
    if (hub != NULL)
        hub->port->wakeup(hub->port->user, device->port);
}

/* --- plugged in and out --- */

/* Two hubs at the same sockets find each other when there is something to plug in. */
static void
link_hubs(VusbHub *hub)
{
    VusbHub *other;

    for (unsigned i = 0; (other = pdm_driver_find_object(hub->driver, VUSB_HUB_OBJECT, i)); i++) {
        const char *name = other->port->companion;
        VusbHub *companion;

        for (unsigned j = 0; name != NULL && other->companion == NULL &&
                             (companion = pdm_driver_find_object(hub->driver, VUSB_HUB_OBJECT, j));
             j++) {
            if (strcmp(companion->port->name, name) == 0) {
                other->companion = companion;
                companion->owner = other;
            }
        }
    }
}

VusbHub *
vusb_find_hub(PdmDevice *device, const char *controller, unsigned speeds)
{
    VusbHub *best = NULL, *hub;
    unsigned best_has = 0;

    for (unsigned i = 0; (hub = pdm_find_object(device, VUSB_HUB_OBJECT, i)) != NULL; i++) {
        unsigned has = 0;

        link_hubs(hub);
        for (unsigned port = 0; port < hub->port->port_count; port++)
            has |= hub->port->port_speeds[port] & speeds;
        if (controller != NULL ? strcmp(hub->port->name, controller) == 0 : has > best_has) {
            best = hub;
            best_has = has;
        }
    }
    return best;
}

/* All speeds that something at this socket can be used at, by either controller. */
static unsigned
socket_speeds(VusbHub *physical, unsigned port)
{
    unsigned speeds = physical->port->port_speeds[port];

    if (physical->companion != NULL && port < physical->companion->port->port_count)
        speeds |= physical->companion->port->port_speeds[port];
    return speeds;
}

static int
free_port(VusbHub *physical, unsigned speeds)
{
    VusbSpeed best = VUSB_SPEED_LOW, speed;
    int found = -1;

    for (unsigned port = 0; port < physical->port->port_count; port++) {
        if (physical->devices[port] == NULL &&
            best_speed(speeds & socket_speeds(physical, port), &speed) &&
            (found < 0 || speed > best)) {
            found = (int)port;
            best = speed;
        }
    }
    return found;
}

bool
vusb_hub_plug(VusbHub *hub, int port, VusbDevice *device, GError **error)
{
    VusbHub *physical;

    link_hubs(hub);
    physical = sockets(hub);
    if (port < 0)
        port = free_port(physical, device->speeds);
    if (port < 0 || (unsigned)port >= physical->port->port_count ||
        physical->devices[port] != NULL ||
        (socket_speeds(physical, (unsigned)port) & device->speeds) == 0) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_INVALID,
                    "There is no free port for %s at the USB controller \"%s\".", device->title,
                    hub->port->name);
        return false;
    }
    vusb_device_init(device, physical, NULL, (unsigned)port, VUSB_SPEED_FULL);
    physical->devices[port] = device;
    choose_speed(physical, (unsigned)port);
    announce(physical, (unsigned)port, true);
    return true;
}

static bool
plug_below_emulated(PdmDevice *owner, VusbDevice *device, uint64_t number, int port, GError **error)
{
    VusbDevice *parent = pdm_find_object(owner, VUSB_HUB_DEVICE_OBJECT, (unsigned)number - 1);

    if (number > UINT16_MAX || parent == NULL) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_INVALID,
                    "There is no USB hub that %s can be plugged into.", device->title);
        return false;
    }
    return vusb_device_plug_below(parent, port, device, error);
}

bool
vusb_plug_emulated(PdmDevice *owner, VusbDevice *device, const CfgmNode *config, GError **error)
{
    const char *controller = owner->api->config_string(config, "Controller", "");
    const uint64_t port = owner->api->config_uint(config, "Port", 0);
    const uint64_t above = owner->api->config_uint(config, "Hub", 0);
    const int place = (int)MIN(port, VUSB_PORTS_MAX + 1) - 1;
    VusbHub *hub;

    if (above != 0)
        return plug_below_emulated(owner, device, above, place, error);
    hub = vusb_find_hub(owner, *controller != '\0' ? controller : NULL, device->speeds);
    if (hub == NULL) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_INVALID,
                    "There is no USB controller that %s can be plugged into.", device->title);
        return false;
    }
    return vusb_hub_plug(hub, place, device, error);
}

static unsigned
tiers(const VusbDevice *device)
{
    unsigned count = 0;

    for (; device != NULL; device = device->parent)
        count++;
    return count;
}

static int
free_port_below(const VusbDevice *parent)
{
    for (unsigned port = 0; port < parent->hub_ports; port++) {
        if (parent->children[port] == NULL)
            return (int)port;
    }
    return -1;
}

/* The best speed that a device can have where it is plugged in, whichever of two controllers has
 * the port. */
static VusbSpeed
reach(const VusbDevice *device)
{
    const unsigned above = device->parent != NULL ? (2u << reach(device->parent)) - 1
                                                  : socket_speeds(device->hub, device->port);
    VusbSpeed speed = VUSB_SPEED_LOW;

    best_speed(device->speeds & above, &speed);
    return speed;
}

bool
vusb_child_present(const VusbDevice *hub, unsigned port)
{
    return hub->children[port] != NULL && hub->children[port]->speed <= hub->speed;
}

bool
vusb_device_plug_below(VusbDevice *parent, int place, VusbDevice *device, GError **error)
{
    const unsigned port = (unsigned)(place < 0 ? free_port_below(parent) : place);
    VusbSpeed speed = VUSB_SPEED_LOW;

    if (parent->hub == NULL || port >= parent->hub_ports || port >= VUSB_HUB_PORTS_MAX ||
        parent->children[port] != NULL || tiers(parent) > VUSB_TIERS_MAX ||
        (device->speeds & ((2u << reach(parent)) - 1)) == 0) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_INVALID, "There is no free port for %s at %s.",
                    device->title, parent->title);
        return false;
    }
    if (!child_speed(parent, device, &speed))
        best_speed(device->speeds, &speed);
    vusb_device_init(device, parent->hub, parent, port, speed);
    parent->children[port] = device;
    parent->ops->port_changed(parent, port);
    return true;
}

void
vusb_unplug(VusbDevice *device)
{
    VusbHub *hub = device->hub;
    VusbDevice *parent = device->parent;

    if (hub == NULL)
        return;
    for (unsigned i = 0; i < VUSB_HUB_PORTS_MAX; i++) {
        if (device->children[i] != NULL)
            vusb_unplug(device->children[i]);
    }
    vusb_device_enable(device, false);
    device->hub = NULL;
    device->parent = NULL;
    device->gone = true;
    if (parent != NULL) {
        parent->children[device->port] = NULL;
        parent->ops->port_changed(parent, device->port);
    } else {
        announce(hub, device->port, false);
        hub->devices[device->port] = NULL;
        if (hub->routed_away[device->port])
            hub->port->detached(hub->port->user, device->port);
    }
    if (device->urbs.length == 0) {
        device->gone = false;
        vusb_capture_stop(device);
        if (device->ops->released != NULL)
            device->ops->released(device);
    }
}

/* --- what the controller asks for --- */
static bool
hub_present(void *user, unsigned port, VusbSpeed *speed)
{
    const VusbDevice *device = vusb_hub_device(user, port);

    if (device != NULL)
        *speed = device->speed;
    return device != NULL;
}

static void
hub_reset(void *user, unsigned port)
{
    VusbDevice *device = vusb_hub_device(user, port);

    if (device == NULL)
        return;
    vusb_device_reset(device);
    vusb_device_enable(device, true);
}

static void
hub_enable(void *user, unsigned port, bool on)
{
    VusbDevice *device = vusb_hub_device(user, port);

    if (device != NULL)
        vusb_device_enable(device, on);
}

static void
hub_suspend(void *user, unsigned port, bool on)
{
    VusbDevice *device = vusb_hub_device(user, port);

    if (device != NULL)
        vusb_device_suspend(device, on);
}

static void
hub_route(void *user, unsigned port, bool companion, bool tell)
{
    VusbHub *hub = user;
    VusbDevice *device;

    if (port >= hub->port->port_count || hub->routed_away[port] == companion)
        return;
    device = hub->devices[port];
    if (device != NULL && tell) {
        vusb_device_enable(device, false);
        announce(hub, port, false);
    }
    hub->routed_away[port] = companion;
    choose_speed(hub, port);
    if (device != NULL && tell)
        announce(hub, port, true);
}

static VusbDevice *
search_address(VusbDevice *device, uint8_t address, unsigned tier)
{
    VusbDevice *found = NULL;

    if (device == NULL || !device->enabled || tier > VUSB_TIERS_MAX)
        return NULL;
    if (device->address == address)
        return device;
    for (unsigned i = 0; i < device->hub_ports && found == NULL; i++)
        found = search_address(device->children[i], address, tier + 1);
    return found;
}

static VusbDevice *
hub_by_address(void *user, uint8_t address)
{
    VusbHub *hub = user;
    VusbDevice *found = NULL;

    for (unsigned port = 0; port < hub->port->port_count && found == NULL; port++)
        found = search_address(vusb_hub_device(hub, port), address, 0);
    return found;
}

/* The port of the nearest hub of high speed above is where splits end: 11.14.1. */
static VusbDevice *
hub_by_split(void *user, uint8_t address, unsigned port, uint8_t device_address)
{
    VusbDevice *found = hub_by_address(user, device_address), *device = found;

    if (found == NULL || found->speed > VUSB_SPEED_FULL)
        return NULL;
    while (device->parent != NULL && device->parent->speed != VUSB_SPEED_HIGH)
        device = device->parent;
    return device->parent != NULL && device->parent->address == address && device->port + 1 == port
               ? found
               : NULL;
}

static VusbDevice *
hub_by_route(void *user, unsigned port, uint32_t route)
{
    VusbDevice *device = vusb_hub_device(user, port);

    for (unsigned tier = 0; tier < VUSB_TIERS_MAX && device != NULL; tier++, route >>= 4) {
        const unsigned below = route & 15;

        if (below == 0)
            return device;
        device = below <= device->hub_ports ? device->children[below - 1] : NULL;
    }
    return device;
}

static VusbSpeed
hub_speed(void *user, const VusbDevice *device)
{
    return device->speed;
}

static void
hub_set_address(void *user, VusbDevice *device, uint8_t address)
{
    device->address = address & 127;
}

static void
hub_reset_endpoint(void *user, VusbDevice *device, uint8_t endpoint, bool in)
{
    if (device->ops->reset_endpoint != NULL)
        device->ops->reset_endpoint(device, endpoint, in);
}

static VusbUrb *
hub_urb_new(void *user, uint32_t size, uint32_t packets)
{
    return vusb_urb_new(user, size, packets);
}

static void
hub_urb_free(void *user, VusbUrb *urb)
{
    vusb_urb_free(urb);
}

static void
hub_submit(void *user, VusbDevice *device, VusbUrb *urb)
{
    vusb_urb_submit(user, device, urb);
}

static void
hub_cancel(void *user, VusbUrb *urb)
{
    vusb_urb_cancel(urb);
}

static void
hub_flush(void *user)
{
    vusb_hub_flush(user);
}

/* --- the driver --- */
static const VusbHubConnector hub_connector = {
    .present = hub_present,
    .reset = hub_reset,
    .enable = hub_enable,
    .suspend = hub_suspend,
    .route = hub_route,
    .by_address = hub_by_address,
    .by_split = hub_by_split,
    .by_route = hub_by_route,
    .speed = hub_speed,
    .set_address = hub_set_address,
    .reset_endpoint = hub_reset_endpoint,
    .urb_new = hub_urb_new,
    .urb_free = hub_urb_free,
    .submit = hub_submit,
    .cancel = hub_cancel,
    .flush = hub_flush,
};

static bool
hub_construct(PdmDriver *driver, const CfgmNode *config, GError **error)
{
    VusbHub *hub = driver->data;

    hub->driver = driver;
    hub->port = driver->port;
    hub->connector = hub_connector;
    hub->connector.user = hub;
    for (unsigned i = 0; i < VUSB_PORTS_MAX; i++)
        hub->routed_away[i] = hub->port->companion != NULL;
    vusb_hub_init_urbs(hub);
    driver->connector = &hub->connector;
    pdm_driver_offer_object(driver, VUSB_HUB_OBJECT, hub);
    return true;
}

/* The bus is gone before what is plugged in. */
static void
leave(VusbDevice *device)
{
    if (device == NULL)
        return;
    vusb_capture_stop(device);
    device->hub = NULL;
    for (unsigned port = 0; port < device->hub_ports; port++)
        leave(device->children[port]);
}

static void
hub_destruct(PdmDriver *driver)
{
    VusbHub *hub = driver->data;

    if (hub->driver == NULL)
        return;
    for (unsigned i = 0; i < VUSB_PORTS_MAX; i++)
        leave(hub->devices[i]);
    vusb_hub_clear_urbs(hub);
}

const PdmDriverInfo vusb_root_hub_driver = {
    .abi = PDM_ABI_VERSION,
    .name = VUSB_ROOT_HUB_DRIVER,
    .title = "USB root hub",
    .interface = PDM_IF_USB,
    .instance_size = sizeof(VusbHub),
    .construct = hub_construct,
    .destruct = hub_destruct,
};
