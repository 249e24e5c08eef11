/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What is plugged into the host, from libusb. Texts come from the host, which has read them
 * already: asking the device would mean to open it. */
#include "usb/host/usb-host-list.h"
#include "usb/host/usb-host-context.h"
#include "usb/host/usb-host-names.h"

#include <errno.h>

#define ATTACH_TRIES 100
#define ATTACH_PAUSE_US 20000
#define PORTS_MAX 7 /* USB 3.2 section 8.9: tiers */

struct UsbHostList {
    UsbHostContext context;
    void (*changed)(void *user);
    void *user;
};

void
usb_host_info_free(UsbHostInfo *info)
{
    g_free(info->path);
    g_free(info->manufacturer);
    g_free(info->title);
    g_free(info->serial);
    g_free(info->drivers);
    g_free(info->group);
    g_free(info);
}

static guint
speed(libusb_device *device)
{
    switch (libusb_get_device_speed(device)) {
    case LIBUSB_SPEED_LOW: return 2;
    case LIBUSB_SPEED_FULL: return 12;
    case LIBUSB_SPEED_HIGH: return 480;
    case LIBUSB_SPEED_SUPER: return 5000;
    case LIBUSB_SPEED_SUPER_PLUS: return 10000;
    default: return 0;
    }
}

static char *
path(libusb_device *device, guint bus)
{
    uint8_t ports[PORTS_MAX];
    const int count = libusb_get_port_numbers(device, ports, PORTS_MAX);
    GString *text = g_string_new(NULL);

    g_string_printf(text, "%u", bus);
    for (int i = 0; i < count; i++)
        g_string_append_printf(text, "%c%u", i == 0 ? '-' : '.', ports[i]);
    return g_string_free(text, FALSE);
}

/* NULL: a hub, or it is gone. */
static UsbHostInfo *
describe(libusb_device *device)
{
    struct libusb_device_descriptor descriptor;
    UsbHostInfo *info;

    if (libusb_get_device_descriptor(device, &descriptor) != LIBUSB_SUCCESS ||
        descriptor.bDeviceClass == LIBUSB_CLASS_HUB)
        return NULL;
    info = g_new0(UsbHostInfo, 1);
    info->bus = libusb_get_bus_number(device);
    info->address = libusb_get_device_address(device);
    info->port = libusb_get_port_number(device);
    info->path = path(device, info->bus);
    info->vendor = descriptor.idVendor;
    info->product = descriptor.idProduct;
    info->revision = descriptor.bcdDevice;
    info->version = descriptor.bcdUSB;
    info->speed = speed(device);
    info->manufacturer = usb_host_name(info->path, "manufacturer");
    info->title = usb_host_name(info->path, "product");
    info->serial = usb_host_name(info->path, "serial");
    info->permitted = usb_host_permitted(info->bus, info->address);
    info->drivers = usb_host_drivers(info->path);
    info->group = info->permitted ? NULL : usb_host_group(info->bus, info->address);
    return info;
}

static gint
compare(gconstpointer a, gconstpointer b)
{
    const UsbHostInfo *left = *(const UsbHostInfo *const *)a;
    const UsbHostInfo *right = *(const UsbHostInfo *const *)b;

    if (left->bus != right->bus)
        return left->bus < right->bus ? -1 : 1;
    return left->address < right->address ? -1 : left->address > right->address;
}

GPtrArray *
usb_host_list_get(UsbHostList *list)
{
    GPtrArray *infos = g_ptr_array_new_with_free_func((GDestroyNotify)usb_host_info_free);
    libusb_device **devices;
    const ssize_t count = libusb_get_device_list(list->context.libusb, &devices);

    if (count < 0)
        return infos;
    for (ssize_t i = 0; i < count; i++) {
        UsbHostInfo *info = describe(devices[i]);

        if (info != NULL)
            g_ptr_array_add(infos, info);
    }
    libusb_free_device_list(devices, 1);
    g_ptr_array_sort(infos, compare);
    return infos;
}

/* --- whose it is --- */
static void
set_error(GError **error, BaseError kind, const char *what)
{
    g_set_error(error, BASE_ERROR, kind, "The USB device %s.", what);
}

int
usb_host_list_open(const UsbHostInfo *info, GError **error)
{
    const int node = usb_host_open_node(info->bus, info->address);

    if (node >= 0)
        return node;
    if (errno == EACCES || errno == EPERM)
        set_error(error, BASE_ERROR_DENIED, "may not be used by you");
    else if (errno == ENOENT || errno == ENODEV)
        set_error(error, BASE_ERROR_NOT_FOUND, "is not plugged into the host any more");
    else
        base_error_set_errno(error, errno, "The USB device cannot be opened");
    return -1;
}

static libusb_device_handle *
open_device(UsbHostList *list, guint bus, guint address, int *code)
{
    libusb_device_handle *handle = NULL;
    libusb_device **devices;
    const ssize_t count = libusb_get_device_list(list->context.libusb, &devices);

    *code = LIBUSB_ERROR_NOT_FOUND;
    for (ssize_t i = 0; i < count; i++) {
        if (libusb_get_bus_number(devices[i]) == bus &&
            libusb_get_device_address(devices[i]) == address)
            *code = libusb_open(devices[i], &handle);
    }
    if (count >= 0)
        libusb_free_device_list(devices, 1);
    return handle;
}

/* Who had the device until now may be ending: it is claimed until the kernel has closed its node,
 * which waits for the device's transfers. */
static int
attach_driver(libusb_device_handle *handle, int interface)
{
    int code = libusb_attach_kernel_driver(handle, interface);

    for (unsigned i = 1; i < ATTACH_TRIES && code == LIBUSB_ERROR_BUSY; i++) {
        g_usleep(ATTACH_PAUSE_US);
        if (libusb_kernel_driver_active(handle, interface) == 1)
            return LIBUSB_SUCCESS;
        code = libusb_attach_kernel_driver(handle, interface);
    }
    /* The host may have no driver for it. */
    return code == LIBUSB_ERROR_NOT_FOUND ? LIBUSB_SUCCESS : code;
}

/* Of one interface: what is as it should be is no error. */
static int
bind(libusb_device_handle *handle, int interface, bool bound)
{
    const bool is_bound = libusb_kernel_driver_active(handle, interface) == 1;
    int code;

    if (is_bound == bound)
        return LIBUSB_SUCCESS;
    if (bound)
        return attach_driver(handle, interface);
    code = libusb_detach_kernel_driver(handle, interface);
    return code == LIBUSB_ERROR_NOT_FOUND ? LIBUSB_SUCCESS : code;
}

static int
bind_all(libusb_device_handle *handle, bool bound)
{
    struct libusb_config_descriptor *config;
    int code = libusb_get_active_config_descriptor(libusb_get_device(handle), &config);

    if (code != LIBUSB_SUCCESS)
        return code == LIBUSB_ERROR_NOT_FOUND ? LIBUSB_SUCCESS : code; /* not configured */
    for (unsigned i = 0; i < config->bNumInterfaces && code == LIBUSB_SUCCESS; i++) {
        if (config->interface[i].num_altsetting > 0)
            code = bind(handle, config->interface[i].altsetting[0].bInterfaceNumber, bound);
    }
    libusb_free_config_descriptor(config);
    return code;
}

bool
usb_host_list_bind(UsbHostList *list, guint bus, guint address, bool bound, GError **error)
{
    int code;
    libusb_device_handle *handle = open_device(list, bus, address, &code);

    if (handle != NULL) {
        code = bind_all(handle, bound);
        libusb_close(handle);
    }
    if (code == LIBUSB_SUCCESS)
        return true;
    if (code == LIBUSB_ERROR_ACCESS)
        set_error(error, BASE_ERROR_DENIED, "may not be used by you");
    else if (code == LIBUSB_ERROR_NOT_FOUND || code == LIBUSB_ERROR_NO_DEVICE)
        set_error(error, BASE_ERROR_NOT_FOUND, "is not plugged into the host any more");
    else if (code == LIBUSB_ERROR_BUSY)
        set_error(error, BASE_ERROR_BUSY, "is in use by a program of the host");
    else
        set_error(error, BASE_ERROR_IO, "did not answer");
    return false;
}

/* --- the list --- */
static int
on_hotplug(libusb_context *context, libusb_device *device, libusb_hotplug_event event, void *user)
{
    UsbHostList *list = user;

    if (list->changed != NULL)
        list->changed(list->user);
    return 0;
}

UsbHostList *
usb_host_list_new(void (*changed)(void *user), void *user, GError **error)
{
    UsbHostList *list = g_new0(UsbHostList, 1);

    list->changed = changed;
    list->user = user;
    if (usb_host_context_init(&list->context, true,
                              LIBUSB_HOTPLUG_EVENT_DEVICE_ARRIVED |
                                  LIBUSB_HOTPLUG_EVENT_DEVICE_LEFT,
                              on_hotplug, list, error))
        return list;
    g_free(list);
    return NULL;
}

void
usb_host_list_free(UsbHostList *list)
{
    if (list == NULL)
        return;
    usb_host_context_clear(&list->context);
    g_free(list);
}
