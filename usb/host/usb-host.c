/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Devices of the host that were opened: they are found by bus and address or come as descriptors.
 */
#include "usb/host/usb-host-private.h"

/* --- what went wrong --- */
static BaseError
error_kind(int code)
{
    switch (code) {
    case LIBUSB_ERROR_ACCESS: return BASE_ERROR_DENIED;
    case LIBUSB_ERROR_BUSY: return BASE_ERROR_BUSY;
    case LIBUSB_ERROR_NO_DEVICE:
    case LIBUSB_ERROR_NOT_FOUND: return BASE_ERROR_NOT_FOUND;
    case LIBUSB_ERROR_IO: return BASE_ERROR_IO;
    default: return BASE_ERROR_FAILED;
    }
}

void
usb_host_set_error(GError **error, int code, const char *title)
{
    const BaseError kind = error_kind(code);

    if (kind == BASE_ERROR_DENIED)
        g_set_error(
            error, BASE_ERROR, kind,
            "You may not open “%s”: its node below /dev/bus/usb is not writable for you. An "
            "administrator can change that with a udev rule.",
            title);
    else if (kind == BASE_ERROR_BUSY)
        g_set_error(error, BASE_ERROR, kind,
                    "“%s” is in use by another program of the host. Close that and try again.",
                    title);
    else if (kind == BASE_ERROR_NOT_FOUND)
        g_set_error(error, BASE_ERROR, kind, "“%s” is not plugged into the host.", title);
    else
        g_set_error(error, BASE_ERROR, kind, "“%s” cannot be used: %s.", title,
                    libusb_strerror(code));
}

VusbStatus
usb_host_status(int code)
{
    switch (code) {
    case LIBUSB_SUCCESS: return VUSB_OK;
    case LIBUSB_ERROR_NO_DEVICE: return VUSB_NO_DEVICE;
    case LIBUSB_ERROR_PIPE:
    case LIBUSB_ERROR_NOT_FOUND: /* no such endpoint, interface or configuration */
    case LIBUSB_ERROR_INVALID_PARAM: return VUSB_STALL;
    default: return VUSB_IO_ERROR;
    }
}

/* --- events --- */
void
usb_host_device_lost(UsbHostDevice *device)
{
    const UsbHostEvents *events = &device->host->events;

    if (g_atomic_int_compare_and_exchange(&device->lost, 0, 1) && events->lost != NULL)
        events->lost(events->user, device);
}

static int
on_left(libusb_context *context, libusb_device *left, libusb_hotplug_event event, void *user)
{
    UsbHost *host = user;

    g_mutex_lock(&host->lock);
    for (guint i = 0; i < host->devices->len; i++) {
        UsbHostDevice *device = host->devices->pdata[i];

        if (libusb_get_device(device->handle) == left)
            usb_host_device_lost(device);
    }
    g_mutex_unlock(&host->lock);
    return 0;
}

/* --- made and freed --- */
static void
free_rest(UsbHost *host)
{
    g_ptr_array_unref(host->devices);
    g_mutex_clear(&host->lock);
    g_free(host);
}

UsbHost *
usb_host_new(bool discover, const UsbHostEvents *events, GError **error)
{
    UsbHost *host = g_new0(UsbHost, 1);

    if (events != NULL)
        host->events = *events;
    g_mutex_init(&host->lock);
    host->devices = g_ptr_array_new();
    if (usb_host_context_init(&host->context, discover, LIBUSB_HOTPLUG_EVENT_DEVICE_LEFT, on_left,
                              host, error))
        return host;
    free_rest(host);
    return NULL;
}

void
usb_host_free(UsbHost *host)
{
    if (host == NULL)
        return;
    usb_host_context_clear(&host->context);
    free_rest(host);
}

bool
usb_host_busy(UsbHost *host)
{
    bool busy;

    g_mutex_lock(&host->lock);
    busy = host->taken > 0;
    g_mutex_unlock(&host->lock);
    return busy;
}

/* --- devices --- */
void
usb_host_given_back(UsbHost *host)
{
    g_mutex_lock(&host->lock);
    host->taken--;
    g_mutex_unlock(&host->lock);
}

void
usb_host_forget(UsbHost *host, UsbHostDevice *device)
{
    g_mutex_lock(&host->lock);
    g_ptr_array_remove_fast(host->devices, device);
    g_mutex_unlock(&host->lock);
}

static UsbHostDevice *
take(UsbHost *host, libusb_device_handle *handle, GError **error)
{
    UsbHostDevice *device = usb_host_device_new(host, handle, error);

    if (device == NULL)
        return NULL;
    g_mutex_lock(&host->lock);
    g_ptr_array_add(host->devices, device);
    host->taken++;
    g_mutex_unlock(&host->lock);
    return device;
}

static int
open_at(UsbHost *host, unsigned bus, unsigned address, libusb_device_handle **handle)
{
    libusb_device **list;
    const ssize_t count = libusb_get_device_list(host->context.libusb, &list);
    int code = LIBUSB_ERROR_NOT_FOUND;

    if (count < 0)
        return (int)count;
    for (ssize_t i = 0; i < count; i++) {
        if (libusb_get_bus_number(list[i]) == bus && libusb_get_device_address(list[i]) == address)
            code = libusb_open(list[i], handle);
    }
    libusb_free_device_list(list, 1);
    return code;
}

UsbHostDevice *
usb_host_open(UsbHost *host, unsigned bus, unsigned address, GError **error)
{
    g_autofree char *title = g_strdup_printf("USB device %u.%u", bus, address);
    libusb_device_handle *handle = NULL;
    const int code = open_at(host, bus, address, &handle);

    if (code != LIBUSB_SUCCESS) {
        usb_host_set_error(error, code, title);
        return NULL;
    }
    return take(host, handle, error);
}

UsbHostDevice *
usb_host_open_descriptor(UsbHost *host, int descriptor, GError **error)
{
    libusb_device_handle *handle = NULL;
    const int code = libusb_wrap_sys_device(host->context.libusb, (intptr_t)descriptor, &handle);

    if (code != LIBUSB_SUCCESS) {
        usb_host_set_error(error, code, "USB device");
        return NULL;
    }
    return take(host, handle, error);
}
