/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * An emulated hub with four to eight ports, of full or of high speed, as the port above allows:
 * Universal Serial Bus Specification 2.0, chapter 11. Power and over-current are each port's own.
 * At high speed it has one transaction translator for all ports (11.14): split transactions are one
 * step at VUSB, so its buffers are always empty. Left out: indicators and test modes. */
#include "usb/devices/options.h"
#include "usb/vusb-device.h"
#include "vmm/pdm/pdm.h"

#include <string.h>

#define HUB_PORTS_MIN 4u
#define HUB_PORTS_MAX 8u

#define POLL_NS 256000000ull /* as the endpoint's descriptors say */

enum {
    PORT_CONNECTION = 1 << 0,
    PORT_ENABLE = 1 << 1,
    PORT_SUSPEND = 1 << 2,
    PORT_OVER_CURRENT = 1 << 3,
    PORT_POWER = 1 << 8,
    PORT_LOW_SPEED = 1 << 9,
    PORT_HIGH_SPEED = 1 << 10,
    PORT_CHANGES = 0x1f, /* in wPortChange: of the first five */
    PORT_RESET_CHANGE = 1 << 4,
};
/* Feature selectors: table 11-17. */
enum {
    FEATURE_ENABLE = 1,
    FEATURE_SUSPEND = 2,
    FEATURE_RESET = 4,
    FEATURE_POWER = 8,
    FEATURE_C_CONNECTION = 16,
    FEATURE_C_RESET = 20,
    FEATURE_HUB_LAST = 1, /* of the hub itself: local power and over-current have changed */
};
/* Requests of the class: table 11-16. */
enum {
    HUB_GET_STATUS = 0,
    HUB_CLEAR_FEATURE = 1,
    HUB_SET_FEATURE = 3,
    HUB_GET_DESCRIPTOR = 6,
    HUB_CLEAR_TT_BUFFER = 8,
    HUB_RESET_TT = 9,
    HUB_GET_TT_STATE = 10,
    HUB_STOP_TT = 11,
};
#define TO_PORT 3 /* bmRequestType: other */

typedef struct {
    uint16_t status, change;
} HubPort;

typedef struct {
    VusbDevice device; /* first */
    PdmDevice *pdm;
    unsigned count;
    HubPort ports[HUB_PORTS_MAX];
    TmTimer *timer;
    GQueue waiting; /* VusbUrb: for changes */
    uint16_t told;  /* bit n: the guest has heard that port n has changed */
} UsbHub;

/* clang-format off */
static const uint8_t full_device[] = {
    18, VUSB_DESCRIPTOR_DEVICE, 0x00, 0x02, 9, 0, 0, 64, 0xee, 0x80, 0x40, 0x00, 0x00, 0x01, 1, 2, 0, 1,
};
static const uint8_t full_configuration[] = {
    9, VUSB_DESCRIPTOR_CONFIGURATION, 25, 0, 1, 1, 0, 0xe0, 0,
    9, VUSB_DESCRIPTOR_INTERFACE, 0, 0, 1, 9, 0, 0, 0,
    7, VUSB_DESCRIPTOR_ENDPOINT, 0x81, VUSB_INTERRUPT, 2, 0, 255,
};
static const uint8_t high_device[] = {
    18, VUSB_DESCRIPTOR_DEVICE, 0x00, 0x02, 9, 0, 1, 64, 0xee, 0x80, 0x40, 0x00, 0x00, 0x01, 1, 2, 0, 1,
};
static const uint8_t high_configuration[] = {
    9, VUSB_DESCRIPTOR_CONFIGURATION, 25, 0, 1, 1, 0, 0xe0, 0,
    9, VUSB_DESCRIPTOR_INTERFACE, 0, 0, 1, 9, 0, 0, 0,
    7, VUSB_DESCRIPTOR_ENDPOINT, 0x81, VUSB_INTERRUPT, 2, 0, 12,
};
/* clang-format on */

static UsbHub *
hub_of(VusbDevice *device)
{
    return (UsbHub *)device;
}

static const VusbDescriptors *
hub_descriptors(VusbDevice *device, VusbSpeed speed)
{
    static const VusbDescriptors full = {.device = full_device,
                                         .configuration = full_configuration};
    static const VusbDescriptors high = {.device = high_device,
                                         .configuration = high_configuration};

    return speed == VUSB_SPEED_HIGH ? &high : &full;
}

/* --- the status change endpoint: 11.12.4 --- */
static uint16_t
changes(const UsbHub *hub)
{
    uint16_t bits = 0;

    for (unsigned port = 0; port < hub->count; port++) {
        if (hub->ports[port].change != 0)
            bits |= (uint16_t)(1u << (port + 1));
    }
    return bits;
}

/* What is new is told at once, and again as often as the endpoint is polled. */
static void
tell(UsbHub *hub)
{
    const uint16_t bits = changes(hub);
    const uint8_t bytes[2] = {(uint8_t)bits, (uint8_t)(bits >> 8)};

    hub->told &= bits;
    if (bits == 0 || hub->waiting.length == 0) {
        pdm_timer_cancel(hub->pdm, hub->timer);
    } else if (bits == hub->told) {
        pdm_timer_set(hub->pdm, hub->timer, pdm_now(hub->pdm) + POLL_NS);
    } else {
        hub->told = bits;
        vusb_urb_answer(g_queue_pop_head(&hub->waiting), bytes, hub->count / 8 + 1);
    }
}

static void
on_timer(void *user)
{
    UsbHub *hub = user;

    hub->told = 0;
    tell(hub);
}

static void
changed(UsbHub *hub, unsigned port, uint16_t bits)
{
    hub->ports[port].change |= bits;
    hub->told &= (uint16_t) ~(1u << (port + 1));
    vusb_device_wakeup(&hub->device);
    tell(hub);
}

static void
hub_submit(VusbDevice *device, VusbUrb *urb)
{
    UsbHub *hub = hub_of(device);

    g_queue_push_tail(&hub->waiting, urb);
    tell(hub);
}

static void
hub_cancel(VusbDevice *device, VusbUrb *urb)
{
    UsbHub *hub = hub_of(device);

    if (g_queue_remove(&hub->waiting, urb))
        vusb_urb_done(urb, VUSB_CANCELLED);
}

/* --- ports --- */
static void
port_off(UsbHub *hub, unsigned port, uint16_t kept)
{
    hub->ports[port].status &= kept;
    vusb_child_enable(&hub->device, port, false);
}

static void
set_power(UsbHub *hub, unsigned port)
{
    HubPort *own = &hub->ports[port];

    if ((own->status & PORT_POWER) != 0)
        return;
    own->status = PORT_POWER;
    if (!vusb_child_present(&hub->device, port))
        return;
    own->status |= PORT_CONNECTION;
    changed(hub, port, PORT_CONNECTION);
}

static void
set_port_feature(UsbHub *hub, unsigned port, unsigned feature)
{
    HubPort *own = &hub->ports[port];

    if (feature == FEATURE_POWER)
        set_power(hub, port);
    if ((own->status & PORT_CONNECTION) == 0)
        return;
    if (feature == FEATURE_RESET) {
        vusb_child_reset(&hub->device, port);
        own->status = (uint16_t)((own->status & ~PORT_SUSPEND) | PORT_ENABLE);
        changed(hub, port, PORT_RESET_CHANGE);
    } else if (feature == FEATURE_SUSPEND && (own->status & PORT_ENABLE) != 0) {
        own->status |= PORT_SUSPEND;
        vusb_child_suspend(&hub->device, port, true);
    }
}

static void
resume(UsbHub *hub, unsigned port)
{
    HubPort *own = &hub->ports[port];

    if ((own->status & PORT_SUSPEND) == 0)
        return;
    own->status &= (uint16_t)~PORT_SUSPEND;
    vusb_child_suspend(&hub->device, port, false);
    changed(hub, port, PORT_SUSPEND);
}

static void
clear_port_feature(UsbHub *hub, unsigned port, unsigned feature)
{
    if (feature == FEATURE_ENABLE)
        port_off(hub, port, PORT_CONNECTION | PORT_POWER | PORT_OVER_CURRENT);
    else if (feature == FEATURE_SUSPEND)
        resume(hub, port);
    else if (feature == FEATURE_POWER)
        port_off(hub, port, 0);
    else if (feature >= FEATURE_C_CONNECTION && feature <= FEATURE_C_RESET)
        hub->ports[port].change &= (uint16_t) ~(1u << (feature - FEATURE_C_CONNECTION));
    tell(hub);
}

static void
get_port_status(UsbHub *hub, VusbUrb *urb, unsigned port)
{
    const VusbDevice *child = hub->device.children[port];
    uint16_t status = hub->ports[port].status;
    uint8_t bytes[4];

    if ((status & PORT_CONNECTION) != 0 && child != NULL)
        status |= child->speed == VUSB_SPEED_LOW    ? PORT_LOW_SPEED
                  : child->speed == VUSB_SPEED_HIGH ? PORT_HIGH_SPEED
                                                    : 0;
    bytes[0] = (uint8_t)status;
    bytes[1] = (uint8_t)(status >> 8);
    bytes[2] = (uint8_t)hub->ports[port].change;
    bytes[3] = (uint8_t)(hub->ports[port].change >> 8);
    vusb_urb_answer(urb, bytes, MIN(sizeof(bytes), urb->setup.length));
}

static void
hub_port_changed(VusbDevice *device, unsigned port)
{
    UsbHub *hub = hub_of(device);
    HubPort *own = &hub->ports[port];

    if (port >= hub->count || (own->status & PORT_POWER) == 0)
        return;
    own->status &= PORT_POWER | PORT_OVER_CURRENT;
    if (vusb_child_present(device, port))
        own->status |= PORT_CONNECTION;
    changed(hub, port, PORT_CONNECTION);
}

static void
hub_port_wakeup(VusbDevice *device, unsigned port)
{
    if (port < hub_of(device)->count)
        resume(hub_of(device), port);
}

/* --- requests --- */
static void
get_hub_descriptor(UsbHub *hub, VusbUrb *urb)
{
    /* Power and over-current port by port; power is good after 20 ms; a translator takes eight bit
     * times: 11.23.2. */
    uint8_t bytes[11] = {9, VUSB_DESCRIPTOR_HUB, 0, 0x09, 0, 10, 0};
    const size_t map = hub->count / 8 + 1;

    bytes[0] = (uint8_t)(7 + 2 * map);
    bytes[2] = (uint8_t)hub->count;
    memset(bytes + 7 + map, 0xff, map);
    vusb_urb_answer(urb, bytes, MIN((size_t)bytes[0], urb->setup.length));
}

static bool
port_request(UsbHub *hub, VusbUrb *urb, bool in)
{
    const unsigned number = urb->setup.index & 0xff, port = number - 1;

    if (number == 0 || number > hub->count)
        return false;
    if (in && urb->setup.request == HUB_GET_STATUS) {
        get_port_status(hub, urb, port);
        return true;
    }
    if (in || (urb->setup.request != HUB_SET_FEATURE && urb->setup.request != HUB_CLEAR_FEATURE))
        return false;
    if (urb->setup.request == HUB_SET_FEATURE)
        set_port_feature(hub, port, urb->setup.value);
    else
        clear_port_feature(hub, port, urb->setup.value);
    vusb_urb_done(urb, VUSB_OK);
    return true;
}

/* The translator has nothing in its buffers: 11.24.2.3. */
static bool
translator_request(UsbHub *hub, VusbUrb *urb, bool in)
{
    static const uint8_t state[4];

    if (hub->device.speed != VUSB_SPEED_HIGH)
        return false;
    if (in && urb->setup.request == HUB_GET_TT_STATE) {
        vusb_urb_answer(urb, state, MIN(sizeof(state), urb->setup.length));
        return true;
    }
    if (in || (urb->setup.request != HUB_CLEAR_TT_BUFFER && urb->setup.request != HUB_RESET_TT &&
               urb->setup.request != HUB_STOP_TT))
        return false;
    vusb_urb_done(urb, VUSB_OK);
    return true;
}

/* The hub's own power is good and does not change. */
static bool
hub_request(UsbHub *hub, VusbUrb *urb, bool in)
{
    static const uint8_t status[4];
    const VusbSetup *setup = &urb->setup;

    if (in && setup->request == HUB_GET_STATUS) {
        vusb_urb_answer(urb, status, MIN(sizeof(status), setup->length));
        return true;
    }
    if (in && setup->request == HUB_GET_DESCRIPTOR) {
        get_hub_descriptor(hub, urb);
        return true;
    }
    if (in || setup->value > FEATURE_HUB_LAST ||
        (setup->request != HUB_SET_FEATURE && setup->request != HUB_CLEAR_FEATURE))
        return false;
    vusb_urb_done(urb, VUSB_OK);
    return true;
}

static void
hub_control(VusbDevice *device, VusbUrb *urb)
{
    UsbHub *hub = hub_of(device);
    const uint8_t type = urb->setup.request_type;
    const unsigned recipient = type & VUSB_REQUEST_RECIPIENT;
    const bool in = (type & VUSB_REQUEST_IN) != 0;
    bool known = false;

    if ((type & VUSB_REQUEST_KIND) == VUSB_REQUEST_CLASS && recipient == VUSB_TO_DEVICE)
        known = hub_request(hub, urb, in);
    else if ((type & VUSB_REQUEST_KIND) == VUSB_REQUEST_CLASS && recipient == TO_PORT)
        known = port_request(hub, urb, in) || translator_request(hub, urb, in);
    if (!known)
        vusb_urb_done(urb, VUSB_STALL);
}

/* --- the device --- */
static void
all_off(UsbHub *hub)
{
    for (unsigned port = 0; port < hub->count; port++) {
        port_off(hub, port, 0);
        hub->ports[port].change = 0;
    }
    tell(hub);
}

static void
hub_bus_reset(VusbDevice *device)
{
    all_off(hub_of(device));
}

static void
hub_configured(VusbDevice *device, uint8_t configuration)
{
    if (configuration == 0)
        all_off(hub_of(device));
}

static const VusbDeviceOps hub_ops = {
    .reset = hub_bus_reset,
    .control = hub_control,
    .submit = hub_submit,
    .cancel = hub_cancel,
    .configured = hub_configured,
    .port_changed = hub_port_changed,
    .port_wakeup = hub_port_wakeup,
};

/* For tests and the curious: what draws too much at a port switches it off. */
static bool
on_over_current(void *user, const char *argument)
{
    UsbHub *hub = user;
    const guint64 number = argument != NULL ? g_ascii_strtoull(argument, NULL, 10) : 0;

    if (number == 0 || number > hub->count)
        return false;
    port_off(hub, (unsigned)number - 1, 0);
    hub->ports[number - 1].status = PORT_OVER_CURRENT;
    changed(hub, (unsigned)number - 1, PORT_OVER_CURRENT);
    return true;
}

static bool
hub_construct(PdmDevice *pdm, const CfgmNode *config, GError **error)
{
    UsbHub *hub = pdm->data;
    VusbDevice *device = &hub->device;

    hub->pdm = pdm;
    g_queue_init(&hub->waiting);
    hub->timer = pdm_timer_new(pdm, "hub", on_timer, hub);
    hub->count = (unsigned)pdm->api->config_uint(config, "Ports", HUB_PORTS_MIN);
    hub->count = CLAMP(hub->count, HUB_PORTS_MIN, HUB_PORTS_MAX);
    device->ops = &hub_ops;
    device->title = (char *)"USB Hub";
    device->speeds = pdm->api->config_uint(config, "FullSpeed", 0) != 0
                         ? VUSB_SPEEDS_FULL
                         : VUSB_SPEEDS_FULL | VUSB_SPEEDS_HIGH;
    device->descriptors = hub_descriptors;
    device->strings[0] = "Vitrine";
    device->strings[1] = device->title;
    device->self_powered = device->remote_wakeup = true;
    device->hub_ports = hub->count;
    pdm_offer_command(pdm, "over-current", on_over_current, hub);
    if (!vusb_plug_emulated(pdm, device, config, error))
        return false;
    pdm_offer_object(pdm, VUSB_HUB_DEVICE_OBJECT, device);
    return true;
}

static void
hub_reset(PdmDevice *pdm)
{
    vusb_device_reset(&((UsbHub *)pdm->data)->device);
}

static void
hub_destruct(PdmDevice *pdm)
{
    vusb_unplug(&((UsbHub *)pdm->data)->device);
}

/* What is plugged in now may not be what was then. */
static bool
hub_loaded(void *object, uint32_t version, GError **error)
{
    UsbHub *hub = object;

    for (unsigned port = 0; port < hub->count; port++) {
        const bool was = (hub->ports[port].status & PORT_CONNECTION) != 0;

        if (was != vusb_child_present(&hub->device, port))
            hub_port_changed(&hub->device, port);
    }
    return vusb_device_loaded(&hub->device, error);
}

/* clang-format off */
static const SsmField port_fields[] = {
    SSM_UINT(HubPort, status), SSM_UINT_BELOW(HubPort, change, PORT_CHANGES + 1), SSM_END,
};
static const SsmField fields[] = {
    SSM_STRUCT(UsbHub, device, vusb_device_fields), SSM_STRUCT_ARRAY(UsbHub, ports, port_fields),
    SSM_UINT(UsbHub, told), SSM_END,
};
/* clang-format on */
static const SsmState hub_state = {
    .version = 1, .min_version = 1, .fields = fields, .post_load = hub_loaded};

static const PdmOption hub_options[] = {
    {.key = "Controller", .title = "Controller", .type = PDM_OPTION_STRING, .text = ""},
    {.key = "Port", .title = "Port (0: any)", .type = PDM_OPTION_UINT, .max = VUSB_PORTS_MAX},
    {.key = "Hub", .title = "Hub above (0: none)", .type = PDM_OPTION_UINT, .max = 255},
    {.key = "Ports",
     .title = "Number of ports",
     .type = PDM_OPTION_UINT,
     .value = HUB_PORTS_MIN,
     .min = HUB_PORTS_MIN,
     .max = HUB_PORTS_MAX},
    {.key = "FullSpeed", .title = "Not faster than full speed", .type = PDM_OPTION_BOOL},
    {.type = PDM_OPTION_END},
};

const PdmDeviceInfo usb_hub_device = {
    .abi = PDM_ABI_VERSION,
    .name = "usb-hub",
    .title = "USB hub",
    .kind = PDM_KIND_USB,
    .instance_size = sizeof(UsbHub),
    .max_instances = 4,
    .options = hub_options,
    .construct = hub_construct,
    .reset = hub_reset,
    .destruct = hub_destruct,
    .state = &hub_state,
};
