/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A device of the host as a device of VUSB. The device answers for itself; but configurations,
 * alternate settings and halted endpoints are known to the host's kernel too and go by its calls.
 * Those wait, so a worker does them, and what the guest asks meanwhile stays in line behind them.
 * USB 2.0 sections 9.1 and 9.4. Left out: suspending the real device with the guest's port. */
#include "usb/host/usb-host-private.h"

#include <string.h>

#define FEATURE_ENDPOINT_HALT 0

/* --- the worker --- */
static void
finish(UsbHostDevice *device, VusbUrb *urb, int code)
{
    if (code == LIBUSB_ERROR_NO_DEVICE)
        usb_host_device_lost(device);
    vusb_urb_done(urb, usb_host_status(code));
}

static void
run_job(UsbHostDevice *device, const HostJob *job)
{
    const VusbSetup *setup = job->urb != NULL ? &job->urb->setup : NULL;
    int code = LIBUSB_SUCCESS;

    switch (job->kind) {
    case HOST_JOB_CONFIGURATION: code = usb_host_configure(device, (uint8_t)setup->value); break;
    case HOST_JOB_INTERFACE:
        code = usb_host_set_interface(device, setup->index, setup->value);
        break;
    case HOST_JOB_CLEAR_HALT:
        code = libusb_clear_halt(device->handle, (unsigned char)setup->index);
        break;
    case HOST_JOB_RESET:
        /* Not found: it came back as another device. */
        if (libusb_reset_device(device->handle) == LIBUSB_ERROR_NOT_FOUND)
            usb_host_device_lost(device);
        return;
    default: return;
    }
    finish(device, job->urb, code);
}

static void
close_device(UsbHostDevice *device)
{
    UsbHost *host = device->host;

    usb_host_forget(host, device);
    usb_host_give_back(device);
    if (!device->spoiled)
        libusb_close(device->handle);
    g_mutex_clear(&device->lock);
    g_cond_clear(&device->wake);
    g_free(device->title);
    g_thread_unref(device->worker);
    g_free(device);
    usb_host_given_back(host);
}

/* Transfers are submitted under the lock: one that is taken back is either in line or on its way.
 */
static gpointer
work(gpointer data)
{
    UsbHostDevice *device = data;
    bool closing = false;

    while (!closing) {
        HostJob *job;

        g_mutex_lock(&device->lock);
        device->at_work = false;
        while (g_queue_is_empty(&device->jobs))
            g_cond_wait(&device->wake, &device->lock);
        job = g_queue_pop_head(&device->jobs);
        device->at_work = true;
        if (job->kind == HOST_JOB_SUBMIT)
            usb_host_transfer_submit(device, job->urb);
        g_mutex_unlock(&device->lock);
        if (job->kind != HOST_JOB_SUBMIT)
            run_job(device, job);
        closing = job->kind == HOST_JOB_CLOSE;
        g_free(job);
    }
    close_device(device);
    return NULL;
}

/* Under the lock. */
static void
push_job(UsbHostDevice *device, HostJobKind kind, VusbUrb *urb)
{
    HostJob *job = g_new(HostJob, 1);

    *job = (HostJob){kind, urb};
    g_queue_push_tail(&device->jobs, job);
    g_cond_signal(&device->wake);
}

static void
enqueue(UsbHostDevice *device, HostJobKind kind, VusbUrb *urb)
{
    g_mutex_lock(&device->lock);
    if (kind == HOST_JOB_SUBMIT && !device->at_work && g_queue_is_empty(&device->jobs))
        usb_host_transfer_submit(device, urb);
    else
        push_job(device, kind, urb);
    g_mutex_unlock(&device->lock);
}

/* --- what VUSB asks for --- */
static HostJobKind
control_kind(const VusbSetup *setup)
{
    if (setup->request_type == VUSB_TO_DEVICE && setup->request == VUSB_SET_CONFIGURATION)
        return HOST_JOB_CONFIGURATION;
    if (setup->request_type == VUSB_TO_INTERFACE && setup->request == VUSB_SET_INTERFACE)
        return HOST_JOB_INTERFACE;
    if (setup->request_type == VUSB_TO_ENDPOINT && setup->request == VUSB_CLEAR_FEATURE &&
        setup->value == FEATURE_ENDPOINT_HALT && (setup->index & 0x0f) != 0)
        return HOST_JOB_CLEAR_HALT;
    return HOST_JOB_SUBMIT;
}

static void
on_control(VusbDevice *vusb, VusbUrb *urb)
{
    UsbHostDevice *device = (UsbHostDevice *)vusb;

    if (urb->setup.request_type != VUSB_REQUEST_IN || urb->setup.request != VUSB_GET_DESCRIPTOR)
        device->used = true;
    enqueue(device, control_kind(&urb->setup), urb);
}

static void
on_submit(VusbDevice *vusb, VusbUrb *urb)
{
    UsbHostDevice *device = (UsbHostDevice *)vusb;

    device->used = true;
    enqueue(device, HOST_JOB_SUBMIT, urb);
}

/* What the kernel is at already comes back when it is done. */
static void
on_cancel(VusbDevice *vusb, VusbUrb *urb)
{
    UsbHostDevice *device = (UsbHostDevice *)vusb;
    bool in_line = false;

    g_mutex_lock(&device->lock);
    for (GList *link = device->jobs.head; link != NULL && !in_line; link = link->next) {
        HostJob *job = link->data;

        if (job->urb != urb)
            continue;
        in_line = true;
        g_queue_delete_link(&device->jobs, link);
        g_free(job);
        break;
    }
    if (!in_line)
        usb_host_transfer_cancel(urb);
    g_mutex_unlock(&device->lock);
    if (in_line)
        vusb_urb_done(urb, VUSB_CANCELLED);
}

/* A guest resets a device several times before it uses it; the real one needs that only when it was
 * used since, and some take a second for it or come back as another device. */
static void
on_reset(VusbDevice *vusb)
{
    UsbHostDevice *device = (UsbHostDevice *)vusb;

    if (!device->used)
        return;
    device->used = false;
    enqueue(device, HOST_JOB_RESET, NULL);
}

static void
on_released(VusbDevice *vusb)
{
    enqueue((UsbHostDevice *)vusb, HOST_JOB_CLOSE, NULL);
}

static const VusbDeviceOps device_ops = {
    .reset = on_reset,
    .control = on_control,
    .submit = on_submit,
    .cancel = on_cancel,
    .released = on_released,
};

/* --- opened and closed --- */
static unsigned
speeds(libusb_device *device)
{
    switch (libusb_get_device_speed(device)) {
    case LIBUSB_SPEED_LOW: return VUSB_SPEEDS_LOW;
    case LIBUSB_SPEED_HIGH: return VUSB_SPEEDS_HIGH;
    case LIBUSB_SPEED_SUPER:
    case LIBUSB_SPEED_SUPER_PLUS: return VUSB_SPEEDS_SUPER;
    default: return VUSB_SPEEDS_FULL;
    }
}

static char *
device_title(libusb_device_handle *handle, const struct libusb_device_descriptor *descriptor)
{
    unsigned char product[128];
    int size = 0;

    if (descriptor->iProduct != 0)
        size = libusb_get_string_descriptor_ascii(handle, descriptor->iProduct, product,
                                                  sizeof(product));
    if (size <= 0)
        return g_strdup_printf("USB device %04x:%04x", descriptor->idVendor, descriptor->idProduct);
    return g_strndup((const char *)product, (gsize)size);
}

UsbHostDevice *
usb_host_device_new(UsbHost *host, libusb_device_handle *handle, GError **error)
{
    struct libusb_device_descriptor descriptor = {0};
    UsbHostDevice *device = g_new0(UsbHostDevice, 1);
    int configuration = 0, code;

    libusb_get_device_descriptor(libusb_get_device(handle), &descriptor);
    device->title = device_title(handle, &descriptor);
    device->host = host;
    device->handle = handle;
    device->vusb.ops = &device_ops;
    device->vusb.user = device;
    device->vusb.title = device->title;
    device->vusb.speeds = speeds(libusb_get_device(handle));
    code = libusb_get_configuration(handle, &configuration);
    device->configuration = device->original = (uint8_t)configuration;
    if (code == LIBUSB_SUCCESS)
        code = usb_host_claim(device);
    if (code != LIBUSB_SUCCESS) {
        usb_host_set_error(error, code, device->title);
        usb_host_give_back(device);
        libusb_close(handle);
        g_free(device->title);
        g_free(device);
        return NULL;
    }
    g_mutex_init(&device->lock);
    g_cond_init(&device->wake);
    g_queue_init(&device->jobs);
    device->worker = g_thread_new("usb-host-device", work, device);
    return device;
}

const char *
usb_host_device_title(const UsbHostDevice *device)
{
    return device->title;
}

void
usb_host_device_activity(const UsbHostDevice *device, uint64_t *reads, uint64_t *writes)
{
    *reads += (guint)g_atomic_int_get(&device->reads);
    *writes += (guint)g_atomic_int_get(&device->writes);
}

VusbDevice *
usb_host_device_vusb(UsbHostDevice *device)
{
    return &device->vusb;
}

bool
usb_host_plug(UsbHostDevice *device, VusbHub *const *hubs, size_t count, GError **error)
{
    for (size_t i = 0; i < count; i++) {
        if (vusb_hub_plug(hubs[i], -1, &device->vusb, NULL))
            return true;
    }
    g_set_error(error, BASE_ERROR, BASE_ERROR_INVALID,
                "The machine has no free USB port that is fast enough for “%s”%s.", device->title,
                device->vusb.speeds & VUSB_SPEEDS_SUPER ? ", which needs an xHCI controller"
                : device->vusb.speeds & VUSB_SPEEDS_HIGH
                    ? ", which needs an EHCI or xHCI controller"
                    : "");
    return false;
}

void
usb_host_close(UsbHostDevice *device)
{
    if (device->vusb.hub != NULL)
        vusb_unplug(&device->vusb);
    else
        on_released(&device->vusb);
}
