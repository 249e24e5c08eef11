/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A device's states: USB 2.0 section 9.1. Plugged in, reset (default address), addressed,
 * configured, suspended; its endpoints as its descriptors tell. */
#include "usb/core/vusb-private.h"

#include <string.h>

void
vusb_device_init(VusbDevice *device, VusbHub *hub, VusbDevice *parent, unsigned port,
                 VusbSpeed speed)
{
    device->hub = hub;
    device->parent = parent;
    device->port = port;
    device->speed = speed;
    device->gone = false;
    device->enabled = device->suspended_now = 0;
    g_queue_init(&device->urbs);
    memset(&device->control, 0, sizeof(device->control));
    memset(device->children, 0, sizeof(device->children));
    vusb_device_reset(device);
}

void
vusb_device_reset(VusbDevice *device)
{
    vusb_control_forget(device);
    vusb_take_back(device);
    device->address = device->configuration = 0;
    device->wakeup_enabled = device->suspended_now = 0;
    device->halted_in = device->halted_out = 0;
    memset(device->alternates, 0, sizeof(device->alternates));
    if (device->ops->reset != NULL)
        device->ops->reset(device);
}

void
vusb_device_enable(VusbDevice *device, bool on)
{
    device->enabled = on;
    if (on)
        return;
    vusb_control_forget(device);
    vusb_take_back(device);
    for (unsigned port = 0; port < device->hub_ports; port++)
        vusb_child_enable(device, port, false);
}

/* --- below a hub --- */
static VusbDevice *
child(VusbDevice *hub, unsigned port)
{
    return port < VUSB_HUB_PORTS_MAX ? hub->children[port] : NULL;
}

void
vusb_child_reset(VusbDevice *hub, unsigned port)
{
    if (child(hub, port) == NULL)
        return;
    vusb_device_reset(child(hub, port));
    vusb_device_enable(child(hub, port), true);
}

void
vusb_child_enable(VusbDevice *hub, unsigned port, bool on)
{
    if (child(hub, port) != NULL)
        vusb_device_enable(child(hub, port), on);
}

void
vusb_child_suspend(VusbDevice *hub, unsigned port, bool on)
{
    if (child(hub, port) != NULL)
        vusb_device_suspend(child(hub, port), on);
}

void
vusb_device_suspend(VusbDevice *device, bool on)
{
    if (device->suspended_now == on)
        return;
    device->suspended_now = on;
    if (device->ops->suspended != NULL)
        device->ops->suspended(device, on);
}

bool
vusb_device_busy(const VusbDevice *device)
{
    return device->urbs.length > 0;
}

void
vusb_device_wakeup(VusbDevice *device)
{
    if (device->hub != NULL && device->suspended_now && device->wakeup_enabled)
        vusb_port_wakeup(device);
}

const uint8_t *
vusb_find_endpoint(const VusbDevice *device, uint8_t endpoint, bool in)
{
    const VusbDescriptors *set = device->descriptors((VusbDevice *)device, device->speed);
    const uint8_t address = (uint8_t)(endpoint | (in ? 0x80 : 0));
    bool present = false;
    unsigned total;

    if (device->configuration == 0)
        return NULL;
    total = set->configuration[2] | set->configuration[3] << 8;
    for (unsigned at = 0; at + 4 <= total; at += set->configuration[at]) {
        const uint8_t *descriptor = set->configuration + at;

        if (descriptor[1] == VUSB_DESCRIPTOR_INTERFACE)
            present = device->alternates[descriptor[2] % VUSB_INTERFACES_MAX] == descriptor[3];
        else if (present && descriptor[1] == VUSB_DESCRIPTOR_ENDPOINT && descriptor[2] == address)
            return descriptor;
    }
    return NULL;
}

bool
vusb_device_loaded(VusbDevice *device, GError **error)
{
    return vusb_control_loaded(device, error);
}

/* clang-format off */
const SsmField vusb_device_fields[] = {
    SSM_UINT_BELOW(VusbDevice, address, 128), SSM_UINT(VusbDevice, configuration),
    SSM_UINT_BELOW(VusbDevice, wakeup_enabled, 2), SSM_UINT_BELOW(VusbDevice, suspended_now, 2),
    SSM_UINT_BELOW(VusbDevice, enabled, 2), SSM_BYTES(VusbDevice, alternates),
    SSM_UINT(VusbDevice, halted_in), SSM_UINT(VusbDevice, halted_out),
    SSM_STRUCT(VusbDevice, control, vusb_control_fields),
    SSM_END,
};
/* clang-format on */
