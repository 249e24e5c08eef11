/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Human interface devices: class requests, report queue, idle rate. Device Class Definition for
 * Human Interface Devices 1.11, chapters 6 and 7. */
#include "usb/devices/hid.h"

#include <string.h>

enum {
    HID_GET_REPORT = 1,
    HID_GET_IDLE = 2,
    HID_GET_PROTOCOL = 3,
    HID_SET_REPORT = 9,
    HID_SET_IDLE = 10,
    HID_SET_PROTOCOL = 11,
};
#define IDLE_UNIT_NS 4000000ull

static UsbHid *
hid_of(VusbDevice *device)
{
    return (UsbHid *)device;
}

/* --- reports --- */
static void
restart_idle(UsbHid *hid)
{
    if (hid->idle != 0 && hid->pending.length > 0)
        pdm_timer_set(hid->pdm, hid->idle_timer, pdm_now(hid->pdm) + hid->idle * IDLE_UNIT_NS);
    else
        pdm_timer_cancel(hid->pdm, hid->idle_timer);
}

static void
send(UsbHid *hid)
{
    while (hid->count > 0 && hid->pending.length > 0) {
        VusbUrb *urb = g_queue_pop_head(&hid->pending);

        memcpy(hid->last, hid->queue[0], sizeof(hid->last));
        hid->count--;
        memmove(hid->queue[0], hid->queue[1], hid->count * sizeof(hid->queue[0]));
        vusb_urb_answer(urb, hid->last, hid->kind->report_size);
    }
    restart_idle(hid);
}

static void
on_idle(void *user)
{
    UsbHid *hid = user;
    VusbUrb *urb = g_queue_pop_head(&hid->pending);

    if (urb != NULL)
        vusb_urb_answer(urb, hid->last, hid->kind->report_size);
    restart_idle(hid);
}

uint8_t *
usb_hid_newest(UsbHid *hid)
{
    return hid->count > 0 ? hid->queue[hid->count - 1] : NULL;
}

void
usb_hid_report(UsbHid *hid, const uint8_t *report,
               bool (*same)(const uint8_t *older, const uint8_t *newer))
{
    uint8_t *newest = usb_hid_newest(hid);

    if (hid->device.configuration == 0)
        return;
    if (newest != NULL && (hid->count == USB_HID_QUEUE || (same != NULL && same(newest, report))))
        memcpy(newest, report, hid->kind->report_size);
    else
        memcpy(hid->queue[hid->count++], report, hid->kind->report_size);
    vusb_device_wakeup(&hid->device);
    send(hid);
}

/* --- class requests --- */
static void
get_report(UsbHid *hid, VusbUrb *urb)
{
    const uint8_t *report = usb_hid_newest(hid);

    if (urb->setup.value >> 8 != 1)
        vusb_urb_done(urb, VUSB_STALL);
    else
        vusb_urb_answer(urb, report != NULL ? report : hid->last, hid->kind->report_size);
}

static void
set_report(UsbHid *hid, VusbUrb *urb)
{
    if (urb->setup.value >> 8 != 2 || hid->kind->output == NULL) {
        vusb_urb_done(urb, VUSB_STALL);
        return;
    }
    hid->kind->output(hid, urb->data, urb->setup.length);
    urb->actual = urb->setup.length;
    vusb_urb_done(urb, VUSB_OK);
}

static void
set_protocol(UsbHid *hid, VusbUrb *urb)
{
    if (!hid->kind->boot || urb->setup.value > 1) {
        vusb_urb_done(urb, VUSB_STALL);
        return;
    }
    hid->protocol = (uint8_t)urb->setup.value;
    vusb_urb_done(urb, VUSB_OK);
}

static void
class_request(UsbHid *hid, VusbUrb *urb)
{
    const bool in = (urb->setup.request_type & VUSB_REQUEST_IN) != 0;

    switch (urb->setup.request | (in ? 0x100 : 0)) {
    case HID_GET_REPORT | 0x100: get_report(hid, urb); break;
    case HID_GET_IDLE | 0x100: vusb_urb_answer(urb, &hid->idle, 1); break;
    case HID_GET_PROTOCOL | 0x100: vusb_urb_answer(urb, &hid->protocol, 1); break;
    case HID_SET_REPORT: set_report(hid, urb); break;
    case HID_SET_IDLE:
        hid->idle = (uint8_t)(urb->setup.value >> 8);
        restart_idle(hid);
        vusb_urb_done(urb, VUSB_OK);
        break;
    case HID_SET_PROTOCOL: set_protocol(hid, urb); break;
    default: vusb_urb_done(urb, VUSB_STALL); break;
    }
}

/* The HID descriptor follows the interface's: bytes 18 to 26 of the configuration. */
static const uint8_t *
hid_descriptor(const UsbHid *hid)
{
    return hid->kind->descriptors->configuration + 18;
}

static void
hid_control(VusbDevice *device, VusbUrb *urb)
{
    UsbHid *hid = hid_of(device);
    const uint8_t *descriptor = hid_descriptor(hid);
    const VusbSetup *setup = &urb->setup;

    if ((setup->request_type & VUSB_REQUEST_KIND) == VUSB_REQUEST_CLASS)
        class_request(hid, urb);
    else if (setup->request_type == (VUSB_REQUEST_IN | VUSB_TO_INTERFACE) &&
             setup->request == VUSB_GET_DESCRIPTOR && setup->value >> 8 == VUSB_DESCRIPTOR_HID)
        vusb_urb_answer(urb, descriptor, descriptor[0]);
    else if (setup->request_type == (VUSB_REQUEST_IN | VUSB_TO_INTERFACE) &&
             setup->request == VUSB_GET_DESCRIPTOR && setup->value >> 8 == VUSB_DESCRIPTOR_REPORT)
        vusb_urb_answer(urb, hid->kind->report_descriptor,
                        (size_t)(descriptor[7] | descriptor[8] << 8));
    else
        vusb_urb_done(urb, VUSB_STALL);
}

/* --- the device --- */
static void
hid_submit(VusbDevice *device, VusbUrb *urb)
{
    UsbHid *hid = hid_of(device);

    g_queue_push_tail(&hid->pending, urb);
    send(hid);
}

static void
hid_cancel(VusbDevice *device, VusbUrb *urb)
{
    UsbHid *hid = hid_of(device);

    if (g_queue_remove(&hid->pending, urb))
        vusb_urb_done(urb, VUSB_CANCELLED);
}

static void
hid_configured(VusbDevice *device, uint8_t configuration)
{
    UsbHid *hid = hid_of(device);

    if (hid->kind->configured != NULL)
        hid->kind->configured(hid, configuration != 0);
}

static void
hid_bus_reset(VusbDevice *device)
{
    UsbHid *hid = hid_of(device);

    hid->idle = hid->count = 0;
    hid->protocol = 1;
    memset(hid->last, 0, sizeof(hid->last));
    pdm_timer_cancel(hid->pdm, hid->idle_timer);
    hid_configured(device, 0);
}

static const VusbDeviceOps hid_ops = {
    .reset = hid_bus_reset,
    .control = hid_control,
    .submit = hid_submit,
    .cancel = hid_cancel,
    .configured = hid_configured,
};

static const VusbDescriptors *
hid_descriptors(VusbDevice *device, VusbSpeed speed)
{
    return hid_of(device)->kind->descriptors;
}

/* --- life --- */
bool
usb_hid_construct(PdmDevice *pdm, const UsbHidKind *kind, const CfgmNode *config, GError **error)
{
    UsbHid *hid = pdm->data;

    hid->pdm = pdm;
    hid->kind = kind;
    hid->protocol = 1;
    g_queue_init(&hid->pending);
    hid->idle_timer = pdm_timer_new(pdm, "hid-idle", on_idle, hid);
    hid->device.ops = &hid_ops;
    hid->device.title = (char *)kind->title;
    hid->device.speeds = VUSB_SPEEDS_FULL;
    hid->device.descriptors = hid_descriptors;
    hid->device.strings[0] = "Vitrine";
    hid->device.strings[1] = kind->title;
    hid->device.remote_wakeup = true;
    return vusb_plug_emulated(pdm, &hid->device, config, error);
}

void
usb_hid_reset(PdmDevice *pdm)
{
    vusb_device_reset(&((UsbHid *)pdm->data)->device);
}

void
usb_hid_destruct(PdmDevice *pdm)
{
    vusb_unplug(&((UsbHid *)pdm->data)->device);
}

bool
usb_hid_loaded(UsbHid *hid, GError **error)
{
    if (hid->count > USB_HID_QUEUE) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_CORRUPT,
                    "%s has more reports in the saved state than it can hold.", hid->kind->title);
        return false;
    }
    if (!vusb_device_loaded(&hid->device, error))
        return false;
    hid_configured(&hid->device, hid->device.configuration);
    return true;
}

/* clang-format off */
const SsmField usb_hid_fields[] = {
    SSM_STRUCT(UsbHid, device, vusb_device_fields),
    SSM_UINT(UsbHid, idle), SSM_UINT_BELOW(UsbHid, protocol, 2), SSM_UINT(UsbHid, count),
    SSM_BYTES(UsbHid, last), SSM_BYTES(UsbHid, queue),
    SSM_END,
};
/* clang-format on */
