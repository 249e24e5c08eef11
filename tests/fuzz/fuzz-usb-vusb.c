/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VUSB's core and the emulated devices for fuzz-usb.c: a controller without hardware, whose guest
 * resets, routes and suspends ports, and submits and takes back URBs as it likes. */
#include "tests/fuzz/fuzz-usb.h"
#include "usb/vusb.h"

#include <string.h>

#define PORTS 4u
#define URBS 16u
#define SIZE_MAX_HERE 4096u

typedef struct {
    PdmDevice *device;
    VusbHubPort port;
    const VusbHubConnector *hub;
    VusbUrb *urbs[URBS]; /* under way */
    uint8_t nothing;
} FuzzController;

static void
on_change(void *user, unsigned port, VusbSpeed speed)
{
}

static void
on_port(void *user, unsigned port)
{
}

static void
on_done(void *user, VusbUrb *urb)
{
    FuzzController *own = user;

    for (unsigned i = 0; i < URBS; i++) {
        if (own->urbs[i] == urb)
            own->urbs[i] = NULL;
    }
    if (urb->actual > urb->size)
        g_error("more bytes than there is room for");
    own->hub->urb_free(own->hub->user, urb);
}

void
fuzz_usb_begin(FuzzUsb *fuzz)
{
    FuzzController *own = device_bench_data(fuzz->bench, "fuzz-controller", 0);

    for (unsigned port = 0; port < PORTS; port++)
        own->hub->reset(own->hub->user, port);
}

static void
change_port(FuzzController *own, FuzzInput *input)
{
    const VusbHubConnector *hub = own->hub;
    const unsigned port = fuzz_take(input, 1) % (PORTS + 1), what = fuzz_take(input, 1);

    switch (what % 5) {
    case 0: hub->reset(hub->user, port); break;
    case 1: hub->enable(hub->user, port, (what & 0x80) != 0); break;
    case 2: hub->suspend(hub->user, port, (what & 0x80) != 0); break;
    case 3: hub->route(hub->user, port, (what & 0x80) != 0, (what & 0x40) != 0); break;
    default: hub->flush(hub->user); break;
    }
}

static VusbDevice *
choose(FuzzController *own, FuzzInput *input)
{
    const VusbHubConnector *hub = own->hub;
    const uint8_t how = (uint8_t)fuzz_take(input, 1);

    if ((how & 0x80) != 0)
        return hub->by_address(hub->user, how & 7);
    return hub->by_route(hub->user, how & 7, how >> 3 & 7);
}

static void
fill(VusbUrb *urb, FuzzInput *input)
{
    const uint32_t kind = fuzz_take(input, 1);

    urb->type = (VusbTransfer)(kind & 3);
    urb->stage = (VusbStage)(kind >> 2 & 3);
    urb->in = (kind & 0x10) != 0;
    urb->endpoint = kind >> 5 & (urb->type == VUSB_CONTROL ? 0 : 3);
    urb->setup = (VusbSetup){
        .request_type = (uint8_t)fuzz_take(input, 1),
        .request = (uint8_t)fuzz_take(input, 1),
        .value = (uint16_t)fuzz_take(input, 2),
        .index = (uint16_t)fuzz_take(input, 2),
        .length = (uint16_t)fuzz_take(input, 2),
    };
    for (uint32_t i = 0; i < MIN(urb->size, 40); i++)
        urb->data[i] = (uint8_t)fuzz_take(input, 1);
    for (uint32_t i = 0; i < urb->packet_count; i++)
        urb->packets[i] = (VusbPacket){.offset = fuzz_take(input, 1), .size = fuzz_take(input, 1)};
}

/* Also the command of a drive, which chance would not find. */
static void
fill_command(VusbUrb *urb, FuzzInput *input)
{
    static const char signature[] = {'U', 'S', 'B', 'C'};

    urb->type = VUSB_BULK;
    urb->endpoint = 2;
    urb->in = false;
    memcpy(urb->data, signature, sizeof(signature));
    for (uint32_t i = sizeof(signature); i < urb->size; i++)
        urb->data[i] = (uint8_t)(i < 8 ? 0 : fuzz_take(input, 1));
}

static void
submit(FuzzController *own, FuzzInput *input)
{
    const VusbHubConnector *hub = own->hub;
    const unsigned place = fuzz_take(input, 1), index = place % URBS;
    const bool drive = (place & 0x80) != 0;
    const uint32_t size = drive ? 31 : fuzz_take(input, 2) % SIZE_MAX_HERE;
    VusbUrb *urb;

    if (own->urbs[index] != NULL) {
        hub->cancel(hub->user, g_steal_pointer(&own->urbs[index]));
        return;
    }
    urb = hub->urb_new(hub->user, size, (place & 0x60) == 0x60 ? 8 : 0);
    if (urb == NULL)
        return;
    urb->done = on_done;
    urb->user = own;
    if (drive)
        fill_command(urb, input);
    else
        fill(urb, input);
    own->urbs[index] = urb;
    hub->submit(hub->user, choose(own, input), urb);
}

void
fuzz_usb_transfer(FuzzUsb *fuzz, FuzzInput *input)
{
    FuzzController *own = device_bench_data(fuzz->bench, "fuzz-controller", 0);

    if ((fuzz_take(input, 1) & 7) == 0)
        change_port(own, input);
    else
        submit(own, input);
}

/* --- the device --- */
static void
take_back_all(FuzzController *own)
{
    for (unsigned i = 0; i < URBS && own->hub != NULL; i++) {
        if (own->urbs[i] != NULL)
            own->hub->cancel(own->hub->user, g_steal_pointer(&own->urbs[i]));
    }
}

static bool
construct(PdmDevice *device, const CfgmNode *config, GError **error)
{
    FuzzController *own = device->data;

    own->device = device;
    own->port = (VusbHubPort){.user = own,
                              .name = "fuzz",
                              .port_count = PORTS,
                              .attached = on_change,
                              .detached = on_port,
                              .wakeup = on_port};
    for (unsigned port = 0; port < PORTS; port++)
        own->port.port_speeds[port] = port == 3 ? VUSB_SPEEDS_SUPER : VUSB_SPEEDS_USB2;
    return pdm_attach(device, 0, PDM_IF_USB, &own->port, (const void **)&own->hub, true, error);
}

static void
reset(PdmDevice *device)
{
    take_back_all(device->data);
}

static void
destruct(PdmDevice *device)
{
    take_back_all(device->data);
}

static void
pre_save(void *object)
{
    take_back_all(object);
}

static const SsmField fields[] = {SSM_UINT(FuzzController, nothing), SSM_END};
static const SsmState state = {
    .version = 1, .min_version = 1, .fields = fields, .pre_save = pre_save};

const PdmDeviceInfo fuzz_usb_controller = {
    .abi = PDM_ABI_VERSION,
    .name = "fuzz-controller",
    .title = "Controller without hardware",
    .kind = PDM_KIND_USB,
    .instance_size = sizeof(FuzzController),
    .max_instances = 1,
    .construct = construct,
    .reset = reset,
    .destruct = destruct,
    .state = &state,
};
