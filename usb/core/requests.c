/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Standard requests of devices that have descriptor tables: USB 2.0 section 9.4, USB 3.2 section
 * 9.4 for SET_SEL and SET_ISOCH_DELAY. SET_ADDRESS is answered here for all devices, because
 * addresses are the bus's. */
#include "usb/core/vusb-private.h"

#include <string.h>

#define FEATURE_ENDPOINT_HALT 0
#define FEATURE_REMOTE_WAKEUP 1
#define LANGUAGE_US 0x0409
#define STRING_MAX 126u /* characters of 16 bits in a descriptor */

static bool
stall(VusbUrb *urb)
{
    vusb_urb_done(urb, VUSB_STALL);
    return true;
}

static bool
agree(VusbUrb *urb)
{
    vusb_urb_done(urb, VUSB_OK);
    return true;
}

static bool
answer(VusbUrb *urb, const void *data, size_t size)
{
    vusb_urb_answer(urb, data, MIN(size, urb->setup.length));
    return true;
}

/* --- descriptors --- */
static bool
string_descriptor(VusbDevice *device, VusbUrb *urb, unsigned index)
{
    uint8_t bytes[2 + STRING_MAX * 2] = {4, VUSB_DESCRIPTOR_STRING, LANGUAGE_US & 0xff,
                                         LANGUAGE_US >> 8};
    g_autofree gunichar2 *text = NULL;
    glong length = 0;

    if (index == 0)
        return answer(urb, bytes, 4);
    if (index > VUSB_STRINGS_MAX || device->strings[index - 1] == NULL)
        return stall(urb);
    text = g_utf8_to_utf16(device->strings[index - 1], -1, NULL, &length, NULL);
    length = text != NULL ? MIN(length, (glong)STRING_MAX) : 0;
    bytes[0] = (uint8_t)(2 + 2 * length);
    for (glong i = 0; i < length; i++) {
        bytes[2 + 2 * i] = (uint8_t)text[i];
        bytes[3 + 2 * i] = (uint8_t)(text[i] >> 8);
    }
    return answer(urb, bytes, bytes[0]);
}

static const VusbDescriptors *
other_speed(VusbDevice *device)
{
    const VusbSpeed other = device->speed == VUSB_SPEED_HIGH ? VUSB_SPEED_FULL : VUSB_SPEED_HIGH;

    if (device->speed > VUSB_SPEED_HIGH || (device->speeds >> other & 1) == 0 ||
        (device->speeds & VUSB_SPEEDS_HIGH) == 0)
        return NULL;
    return device->descriptors(device, other);
}

/* What the device would be at the other one of full and high speed. */
static bool
qualifier(VusbDevice *device, VusbUrb *urb)
{
    const VusbDescriptors *set = other_speed(device);
    uint8_t bytes[10] = {10, VUSB_DESCRIPTOR_QUALIFIER};

    if (set == NULL)
        return stall(urb);
    memcpy(bytes + 2, set->device + 2, 6);
    bytes[8] = set->device[17];
    return answer(urb, bytes, sizeof(bytes));
}

static bool
configuration_descriptor(const VusbDescriptors *set, VusbUrb *urb, unsigned index, uint8_t type)
{
    g_autofree uint8_t *copy = NULL;
    size_t size;

    if (set == NULL || index != 0)
        return stall(urb);
    size = (size_t)(set->configuration[2] | set->configuration[3] << 8);
    copy = g_memdup2(set->configuration, size);
    copy[1] = type;
    return answer(urb, copy, size);
}

static bool
get_descriptor(VusbDevice *device, VusbUrb *urb)
{
    const VusbDescriptors *set = device->descriptors(device, device->speed);
    const unsigned index = urb->setup.value & 0xff;

    switch (urb->setup.value >> 8) {
    case VUSB_DESCRIPTOR_DEVICE: return answer(urb, set->device, set->device[0]);
    case VUSB_DESCRIPTOR_CONFIGURATION:
        return configuration_descriptor(set, urb, index, VUSB_DESCRIPTOR_CONFIGURATION);
    case VUSB_DESCRIPTOR_OTHER_SPEED:
        return configuration_descriptor(other_speed(device), urb, index,
                                        VUSB_DESCRIPTOR_OTHER_SPEED);
    case VUSB_DESCRIPTOR_STRING: return string_descriptor(device, urb, index);
    case VUSB_DESCRIPTOR_QUALIFIER: return qualifier(device, urb);
    case VUSB_DESCRIPTOR_BOS:
        return set->bos != NULL ? answer(urb, set->bos, (size_t)(set->bos[2] | set->bos[3] << 8))
                                : stall(urb);
    default: return false;
    }
}

/* --- configurations and interfaces --- */
static bool
set_configuration(VusbDevice *device, VusbUrb *urb)
{
    const uint8_t value = (uint8_t)urb->setup.value;

    if (value != 0 && value != device->descriptors(device, device->speed)->configuration[5])
        return stall(urb);
    device->configuration = value;
    device->halted_in = device->halted_out = 0;
    memset(device->alternates, 0, sizeof(device->alternates));
    if (device->ops->configured != NULL)
        device->ops->configured(device, value);
    return agree(urb);
}

static bool
has_alternate(VusbDevice *device, uint8_t interface, uint8_t alternate)
{
    const uint8_t *bytes = device->descriptors(device, device->speed)->configuration;
    const unsigned total = bytes[2] | bytes[3] << 8;

    for (unsigned at = 0; at + 4 <= total; at += bytes[at]) {
        if (bytes[at + 1] == VUSB_DESCRIPTOR_INTERFACE && bytes[at + 2] == interface &&
            bytes[at + 3] == alternate)
            return true;
    }
    return false;
}

static bool
set_interface(VusbDevice *device, VusbUrb *urb)
{
    const uint8_t interface = (uint8_t)urb->setup.index, alternate = (uint8_t)urb->setup.value;

    if (device->configuration == 0 || interface >= VUSB_INTERFACES_MAX ||
        !has_alternate(device, interface, alternate))
        return stall(urb);
    device->alternates[interface] = alternate;
    if (device->ops->interface_set != NULL)
        device->ops->interface_set(device, interface, alternate);
    return agree(urb);
}

static bool
get_interface(VusbDevice *device, VusbUrb *urb)
{
    const uint8_t interface = (uint8_t)urb->setup.index;

    if (device->configuration == 0 || interface >= VUSB_INTERFACES_MAX ||
        !has_alternate(device, interface, 0))
        return stall(urb);
    return answer(urb, &device->alternates[interface], 1);
}

/* --- status and features --- */
static bool
get_status(VusbDevice *device, VusbUrb *urb)
{
    const unsigned endpoint = urb->setup.index & 15;
    uint8_t bytes[2] = {0};

    switch (urb->setup.request_type & VUSB_REQUEST_RECIPIENT) {
    case VUSB_TO_DEVICE:
        bytes[0] = (uint8_t)(device->self_powered | device->wakeup_enabled << 1);
        break;
    case VUSB_TO_INTERFACE: break;
    case VUSB_TO_ENDPOINT:
        bytes[0] =
            (urb->setup.index & 0x80 ? device->halted_in : device->halted_out) >> endpoint & 1;
        break;
    default: return stall(urb);
    }
    return answer(urb, bytes, sizeof(bytes));
}

static bool
set_halt(VusbDevice *device, VusbUrb *urb, bool on)
{
    const bool in = (urb->setup.index & 0x80) != 0;
    const uint8_t endpoint = urb->setup.index & 15;
    uint16_t *halted = in ? &device->halted_in : &device->halted_out;

    if (urb->setup.value != FEATURE_ENDPOINT_HALT)
        return stall(urb);
    if (endpoint == 0)
        return agree(urb);
    if (vusb_find_endpoint(device, endpoint, in) == NULL)
        return stall(urb);
    *halted = (uint16_t)((*halted & ~(1u << endpoint)) | (unsigned)on << endpoint);
    if (device->ops->halted != NULL)
        device->ops->halted(device, endpoint, in, on);
    return agree(urb);
}

static bool
set_feature(VusbDevice *device, VusbUrb *urb, bool on)
{
    switch (urb->setup.request_type & VUSB_REQUEST_RECIPIENT) {
    case VUSB_TO_DEVICE:
        if (urb->setup.value != FEATURE_REMOTE_WAKEUP || !device->remote_wakeup)
            /* What a device of SuperSpeed may be told about power states is no news to it. */
            return device->speed == VUSB_SPEED_SUPER && urb->setup.value >= 48 ? agree(urb)
                                                                               : stall(urb);
        device->wakeup_enabled = on;
        return agree(urb);
    case VUSB_TO_INTERFACE: /* function suspend of SuperSpeed */
        return device->speed == VUSB_SPEED_SUPER && urb->setup.value == 0 ? agree(urb) : stall(urb);
    case VUSB_TO_ENDPOINT: return set_halt(device, urb, on);
    default: return stall(urb);
    }
}

/* --- all --- */
static bool
out_request(VusbDevice *device, VusbUrb *urb)
{
    switch (urb->setup.request) {
    case VUSB_CLEAR_FEATURE: return set_feature(device, urb, false);
    case VUSB_SET_FEATURE: return set_feature(device, urb, true);
    case VUSB_SET_CONFIGURATION: return set_configuration(device, urb);
    case VUSB_SET_INTERFACE: return set_interface(device, urb);
    case VUSB_SET_SEL:
    case VUSB_SET_ISOCH_DELAY:
        urb->actual = urb->setup.length;
        return device->speed == VUSB_SPEED_SUPER ? agree(urb) : stall(urb);
    default: return false;
    }
}

static bool
in_request(VusbDevice *device, VusbUrb *urb)
{
    switch (urb->setup.request) {
    case VUSB_GET_STATUS: return get_status(device, urb);
    case VUSB_GET_DESCRIPTOR: return get_descriptor(device, urb);
    case VUSB_GET_CONFIGURATION: return answer(urb, &device->configuration, 1);
    case VUSB_GET_INTERFACE: return get_interface(device, urb);
    default: return false;
    }
}

bool
vusb_standard_request(VusbDevice *device, VusbUrb *urb)
{
    const uint8_t type = urb->setup.request_type;

    if ((type & VUSB_REQUEST_KIND) != VUSB_REQUEST_STANDARD)
        return false;
    if (type == 0 && urb->setup.request == VUSB_SET_ADDRESS) {
        if (urb->setup.value > 127)
            return stall(urb);
        device->address = (uint8_t)urb->setup.value;
        return agree(urb);
    }
    if (device->descriptors == NULL)
        return false;
    return type & VUSB_REQUEST_IN ? in_request(device, urb) : out_request(device, urb);
}
