/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The streaming device of usb-stream.h. */
#include "tests/device/usb-stream.h"

#include <string.h>

/* clang-format off */
static const uint8_t device_descriptor[] = {
    18, VUSB_DESCRIPTOR_DEVICE, 0x00, 0x02, 0, 0, 0, 64, 0xee, 0x80, 0xf0, 0x00, 0x00, 0x01, 0, 0, 0, 1,
};
static const uint8_t configuration_descriptor[] = {
    9, VUSB_DESCRIPTOR_CONFIGURATION, 39, 0, 1, 1, 0, 0xa0, 50,
    9, VUSB_DESCRIPTOR_INTERFACE, 0, 0, 3, 0xff, 0, 0, 0,
    7, VUSB_DESCRIPTOR_ENDPOINT, 0x80 | USB_STREAM_IN, VUSB_ISOCHRONOUS, 0x00, 0x02, 1,
    7, VUSB_DESCRIPTOR_ENDPOINT, USB_STREAM_OUT, VUSB_ISOCHRONOUS, 0x00, 0x02, 1,
    7, VUSB_DESCRIPTOR_ENDPOINT, 0x80 | USB_STREAM_REPORT, VUSB_INTERRUPT, 64, 0, 1,
};
/* clang-format on */
static const VusbDescriptors descriptors = {.device = device_descriptor,
                                            .configuration = configuration_descriptor};

static const VusbDescriptors *
stream_descriptors(VusbDevice *device, VusbSpeed speed)
{
    return &descriptors;
}

static void
refuse(VusbDevice *device, VusbUrb *urb)
{
    vusb_urb_done(urb, VUSB_STALL);
}

static void
listen(UsbStream *stream, const uint8_t *data, uint32_t size)
{
    size = MIN(size, USB_STREAM_HEARD - stream->heard);
    memcpy(stream->data + stream->heard, data, size);
    stream->heard += size;
}

static void
answer(UsbStream *stream, VusbUrb *urb)
{
    for (uint32_t i = 0; i < urb->packet_count; i++) {
        VusbPacket *packet = &urb->packets[i];
        uint8_t *data = urb->data + packet->offset;

        packet->status = stream->fails ? VUSB_IO_ERROR : VUSB_OK;
        packet->actual = stream->fails ? 0 : packet->size;
        for (uint32_t at = 0; urb->in && at < packet->actual; at++)
            data[at] = (uint8_t)(stream->packets + at);
        if (!urb->in)
            listen(stream, data, packet->actual);
        stream->packets++;
        urb->actual += packet->actual;
    }
    vusb_urb_done(urb, VUSB_OK);
}

static void
stream_submit(VusbDevice *device, VusbUrb *urb)
{
    UsbStream *stream = (UsbStream *)device;

    if (urb->type == VUSB_INTERRUPT)
        stream->report = urb;
    else if (stream->holds)
        stream->held = urb;
    else
        answer(stream, urb);
}

static void
stream_cancel(VusbDevice *device, VusbUrb *urb)
{
    UsbStream *stream = (UsbStream *)device;

    if (stream->report == urb)
        stream->report = NULL;
    if (stream->held == urb)
        stream->held = NULL;
    vusb_urb_done(urb, VUSB_CANCELLED);
}

bool
usb_stream_report(UsbStream *stream, const void *data, size_t size)
{
    VusbUrb *urb = g_steal_pointer(&stream->report);

    if (urb == NULL)
        return false;
    vusb_urb_answer(urb, data, size);
    return true;
}

static bool
stream_construct(PdmDevice *pdm, const CfgmNode *config, GError **error)
{
    static const VusbDeviceOps ops = {
        .control = refuse, .submit = stream_submit, .cancel = stream_cancel};
    UsbStream *stream = pdm->data;
    VusbDevice *device = &stream->device;

    stream->pdm = pdm;
    device->ops = &ops;
    device->title = (char *)"Stream";
    device->speeds = VUSB_SPEEDS_FULL | VUSB_SPEEDS_HIGH;
    if (pdm->api->config_uint(config, "FullSpeed", 0) != 0)
        device->speeds = VUSB_SPEEDS_FULL;
    if (pdm->api->config_uint(config, "HighSpeed", 0) != 0)
        device->speeds = VUSB_SPEEDS_HIGH;
    device->descriptors = stream_descriptors;
    device->remote_wakeup = true;
    return vusb_plug_emulated(pdm, device, config, error);
}

static void
stream_reset(PdmDevice *pdm)
{
    vusb_device_reset(&((UsbStream *)pdm->data)->device);
}

static void
stream_destruct(PdmDevice *pdm)
{
    vusb_unplug(&((UsbStream *)pdm->data)->device);
}

static bool
stream_loaded(void *object, uint32_t version, GError **error)
{
    return vusb_device_loaded(&((UsbStream *)object)->device, error);
}

/* clang-format off */
static const SsmField fields[] = {
    SSM_STRUCT(UsbStream, device, vusb_device_fields), SSM_UINT(UsbStream, packets), SSM_END };
/* clang-format on */
static const SsmState stream_state = {
    .version = 1, .min_version = 1, .fields = fields, .post_load = stream_loaded};

const PdmDeviceInfo usb_stream_device = {
    .abi = PDM_ABI_VERSION,
    .name = "usb-stream",
    .title = "Stream",
    .kind = PDM_KIND_USB,
    .instance_size = sizeof(UsbStream),
    .max_instances = 1,
    .construct = stream_construct,
    .reset = stream_reset,
    .destruct = stream_destruct,
    .state = &stream_state,
};
