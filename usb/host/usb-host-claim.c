/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Whose a device of the host is: its interfaces are taken from the kernel's drivers and claimed as
 * long as a machine has it; configurations can be chosen only while no interface is claimed. In the
 * end the host finds what it had. USB 2.0 section 9.2.3. */
#include "usb/host/usb-host-private.h"

/* Interfaces of the present configuration, a bit for each. */
static uint32_t
interfaces(UsbHostDevice *device)
{
    struct libusb_config_descriptor *config;
    uint32_t found = 0;

    if (device->configuration == 0 ||
        libusb_get_config_descriptor_by_value(libusb_get_device(device->handle),
                                              device->configuration, &config) != LIBUSB_SUCCESS)
        return 0;
    for (unsigned i = 0; i < config->bNumInterfaces; i++) {
        const struct libusb_interface *interface = &config->interface[i];

        if (interface->num_altsetting > 0 &&
            interface->altsetting[0].bInterfaceNumber < VUSB_INTERFACES_MAX)
            found |= 1u << interface->altsetting[0].bInterfaceNumber;
    }
    libusb_free_config_descriptor(config);
    return found;
}

static int
claim_one(UsbHostDevice *device, unsigned interface)
{
    int code;

    if (libusb_kernel_driver_active(device->handle, (int)interface) == 1 &&
        libusb_detach_kernel_driver(device->handle, (int)interface) == LIBUSB_SUCCESS)
        device->detached |= 1u << interface;
    code = libusb_claim_interface(device->handle, (int)interface);
    if (code == LIBUSB_SUCCESS)
        device->claimed |= 1u << interface;
    return code;
}

int
usb_host_claim(UsbHostDevice *device)
{
    const uint32_t wanted = interfaces(device);

    for (unsigned i = 0; i < VUSB_INTERFACES_MAX; i++) {
        const int code = wanted >> i & 1 ? claim_one(device, i) : LIBUSB_SUCCESS;

        if (code != LIBUSB_SUCCESS)
            return code;
    }
    return LIBUSB_SUCCESS;
}

static void
release(UsbHostDevice *device)
{
    for (unsigned i = 0; i < VUSB_INTERFACES_MAX; i++) {
        if (device->claimed >> i & 1)
            libusb_release_interface(device->handle, (int)i);
    }
    device->claimed = 0;
}

/* libusb knows "not configured" as -1. */
static int
set_configuration(UsbHostDevice *device, uint8_t configuration)
{
    const int code =
        libusb_set_configuration(device->handle, configuration != 0 ? configuration : -1);

    if (code == LIBUSB_SUCCESS)
        device->configuration = configuration;
    return code;
}

int
usb_host_configure(UsbHostDevice *device, uint8_t configuration)
{
    int code, claimed;

    release(device);
    code = set_configuration(device, configuration);
    /* After a refusal the old one is used on. */
    claimed = usb_host_claim(device);
    return code != LIBUSB_SUCCESS ? code : claimed;
}

void
usb_host_give_back(UsbHostDevice *device)
{
    release(device);
    /* A new configuration brings the kernel's drivers by itself. */
    if (device->configuration != device->original &&
        set_configuration(device, device->original) == LIBUSB_SUCCESS)
        return;
    for (unsigned i = 0; i < VUSB_INTERFACES_MAX; i++) {
        if (device->detached >> i & 1)
            libusb_attach_kernel_driver(device->handle, (int)i);
    }
}

/* libusb 1.0.26 lets go of a lock that it does not have where the device has left just now, and
 * closing the handle then ends the process: it stays until its context goes. */
int
usb_host_set_interface(UsbHostDevice *device, int interface, int alternate)
{
    int code = LIBUSB_ERROR_NO_DEVICE;

    if (g_atomic_int_get(&device->lost))
        return code;
    code = libusb_set_interface_alt_setting(device->handle, interface, alternate);
    device->spoiled = device->spoiled || code == LIBUSB_ERROR_NO_DEVICE;
    return code;
}
