/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A record of what passes between a guest and one device, in the form of Linux's usbmon (link type
 * USB_LINUX_MMAPPED: Documentation/usb/usbmon.rst, struct mon_bin_hdr): two events for each URB,
 * when it is submitted and when it comes back. Transfers that a controller does in stages are
 * recorded whole. */
#include "usb/core/vusb-private.h"

#include <string.h>

#define KEPT_MAX 65536u /* bytes of an URB */
#define BUS 1u

/* struct mon_bin_hdr */
typedef struct {
    uint64_t id;
    uint8_t event, transfer, endpoint, address;
    uint16_t bus;
    uint8_t no_setup, no_data; /* 0: there is; else a character that says why not */
    int64_t seconds;
    int32_t microseconds, status;
    uint32_t length, kept;
    union {
        uint8_t setup[8];
        struct {
            int32_t errors, packets;
        } isochronous;
    };
    int32_t interval, start_frame;
    uint32_t flags, descriptors;
} CaptureHeader;

typedef struct {
    int32_t status;
    uint32_t offset, length, padding;
} CapturePacket;

G_STATIC_ASSERT(sizeof(CaptureHeader) == 64);
G_STATIC_ASSERT(sizeof(CapturePacket) == 16);

/* As Linux numbers errors. */
enum {
    IN_PROGRESS = -115,
    NOT_YET = -18,
    STALL = -32,
    SHUT_DOWN = -108,
    OVERFLOW = -75,
    PROTOCOL = -71,
    REMOVED = -2,
};

static int32_t
status_of(VusbStatus status)
{
    switch (status) {
    case VUSB_OK:
    case VUSB_SHORT: return 0;
    case VUSB_STALL: return STALL;
    case VUSB_NO_DEVICE: return SHUT_DOWN;
    case VUSB_BABBLE: return OVERFLOW;
    case VUSB_CANCELLED: return REMOVED;
    default: return PROTOCOL;
    }
}

static uint8_t
transfer_of(VusbTransfer type)
{
    static const uint8_t transfers[] = {
        [VUSB_ISOCHRONOUS] = 0, [VUSB_INTERRUPT] = 1, [VUSB_CONTROL] = 2, [VUSB_BULK] = 3};

    return transfers[type & 3];
}

static bool
is_in(const VusbUrb *urb)
{
    return urb->type == VUSB_CONTROL ? (urb->setup.request_type & VUSB_REQUEST_IN) != 0 : urb->in;
}

static void
put_setup(CaptureHeader *header, const VusbSetup *setup)
{
    const uint8_t bytes[8] = {
        setup->request_type,    setup->request,
        (uint8_t)setup->value,  (uint8_t)(setup->value >> 8),
        (uint8_t)setup->index,  (uint8_t)(setup->index >> 8),
        (uint8_t)setup->length, (uint8_t)(setup->length >> 8),
    };

    memcpy(header->setup, bytes, sizeof(bytes));
    header->no_setup = 0;
}

/* Packets may stand anywhere in the URB: here one follows the other. */
static GByteArray *
put_packets(CaptureHeader *header, const VusbUrb *urb, bool back, bool data, CapturePacket *packets)
{
    GByteArray *bytes = g_byte_array_new();

    header->isochronous.packets = (int32_t)urb->packet_count;
    header->descriptors = urb->packet_count;
    for (uint32_t i = 0; i < urb->packet_count; i++) {
        const VusbPacket *packet = &urb->packets[i];
        const uint32_t length = back ? MIN(packet->actual, packet->size) : packet->size;

        packets[i] = (CapturePacket){
            .status = back ? status_of(packet->status) : NOT_YET,
            .offset = bytes->len,
            .length = length,
        };
        header->isochronous.errors += back && packets[i].status != 0;
        if (data && bytes->len + length <= KEPT_MAX)
            g_byte_array_append(bytes, urb->data + packet->offset, length);
    }
    return bytes;
}

static CaptureHeader
describe(const VusbDevice *device, const UrbState *state, bool back)
{
    const VusbUrb *urb = &state->urb;
    const int64_t now = g_get_real_time();

    return (CaptureHeader){
        .id = state->number,
        .event = back ? 'C' : 'S',
        .transfer = transfer_of(urb->type),
        .endpoint = (uint8_t)(urb->endpoint | (is_in(urb) ? 0x80 : 0)),
        .address = device->address,
        .bus = BUS,
        .no_setup = '-',
        .seconds = now / G_USEC_PER_SEC,
        .microseconds = (int32_t)(now % G_USEC_PER_SEC),
        .status = back ? status_of(urb->status) : IN_PROGRESS,
        .length = back                        ? urb->actual
                  : urb->type == VUSB_CONTROL ? urb->setup.length
                                              : urb->size,
    };
}

static void
record(const VusbDevice *device, const UrbState *state, bool back)
{
    const VusbUrb *urb = &state->urb;
    const bool data = is_in(urb) == back;
    CapturePacket packets[VUSB_PACKETS_MAX];
    CaptureHeader header = describe(device, state, back);
    const uint8_t *bytes = urb->data;
    uint32_t kept = data ? MIN(MIN(header.length, urb->size), KEPT_MAX) : 0;
    g_autoptr(GByteArray) gathered = NULL;

    if (urb->type == VUSB_CONTROL && !back)
        put_setup(&header, &urb->setup);
    if (urb->type == VUSB_ISOCHRONOUS) {
        gathered = put_packets(&header, urb, back, data, packets);
        bytes = gathered->data;
        kept = gathered->len;
    }
    if (!data)
        header.no_data = back ? '>' : '<';
    header.kept = kept + header.descriptors * (uint32_t)sizeof(CapturePacket);
    const PcapngPiece pieces[] = {
        {&header, sizeof(header)},
        {packets, header.descriptors * sizeof(CapturePacket)},
        {bytes, kept},
    };

    pcapng_packet(&device->capture->file, PCAPNG_NONE, pieces, G_N_ELEMENTS(pieces),
                  sizeof(header) + header.kept);
}

/* Stages are parts of a transfer that is recorded itself. */
static bool
is_recorded(const VusbDevice *device, const VusbUrb *urb)
{
    return device->capture != NULL && (urb->type != VUSB_CONTROL || urb->stage == VUSB_STAGE_ALL);
}

void
vusb_capture_submit(VusbDevice *device, UrbState *state)
{
    if (!is_recorded(device, &state->urb))
        return;
    state->number = ++device->capture->count;
    record(device, state, false);
}

/* One that was submitted before the record began is none of its. */
void
vusb_capture_done(VusbDevice *device, UrbState *state)
{
    if (state->number != 0 && is_recorded(device, &state->urb))
        record(device, state, true);
}

bool
vusb_capture_start(VusbDevice *device, int descriptor, uint64_t limit, GError **error)
{
    VusbCapture *capture = g_new0(VusbCapture, 1);

    vusb_capture_stop(device);
    if (!pcapng_start(&capture->file, descriptor, PCAPNG_USB_LINUX_MMAPPED, limit)) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_IO,
                    "The traffic of “%s” cannot be recorded: the file cannot be written.",
                    device->title);
        g_free(capture);
        return false;
    }
    device->capture = capture;
    return true;
}

void
vusb_capture_stop(VusbDevice *device)
{
    if (device->capture == NULL)
        return;
    pcapng_stop(&device->capture->file);
    g_clear_pointer(&device->capture, g_free);
}
