/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Streams: once a guest asks for the first packet of an interrupt or isochronous endpoint, the peer
 * is told to send on its own (or that packets will come), and keeps so many transfers under way
 * that the network's delay does not matter. What comes before it is asked for waits, within limits.
 * USB redirection protocol, usb_redir_start_iso_stream and usb_redir_start_interrupt_receiving. */
#include "usb/remote/usb-remote-private.h"

#include <string.h>

#define STREAM_MS 32u          /* that the peer keeps under way */
#define STREAM_PACKETS_MAX 32u /* in a transfer of the peer's */
#define STREAM_URBS 8u

static uint8_t
endpoint_of(const RemoteSession *session, const RemotePipe *pipe)
{
    const unsigned index = (unsigned)(pipe - session->pipes);

    return (uint8_t)((index & 15) | (index & 16 ? 0x80 : 0));
}

static RemotePipe *
pipe_of(RemoteSession *session, uint8_t endpoint)
{
    return remote_pipe(session, endpoint & 15, (endpoint & 0x80) != 0);
}

static void
packet_free(RemoteSession *session, RemotePacket *packet)
{
    usbredirparser_free_packet_data(session->parser, packet->data);
    g_free(packet);
}

static void
drop_packets(RemoteSession *session, RemotePipe *pipe)
{
    RemotePacket *packet;

    while ((packet = g_queue_pop_head(&pipe->packets)) != NULL)
        packet_free(session, packet);
}

/* --- begun and ended --- */

/* Packets in a millisecond, at least one: USB 2.0 section 9.6.6, bInterval. */
static unsigned
packets_per_transfer(const RemoteSession *session, const RemotePipe *pipe)
{
    const unsigned interval = CLAMP(pipe->interval, 1, 16) - 1;
    const unsigned rate = session->vusb.speed >= VUSB_SPEED_HIGH ? 8000 : 1000;

    return CLAMP((rate >> interval) * STREAM_MS / STREAM_URBS / 1000, 1, STREAM_PACKETS_MAX);
}

static void
start(RemoteSession *session, RemotePipe *pipe)
{
    const uint8_t endpoint = endpoint_of(session, pipe);

    if (pipe->streams)
        return;
    pipe->streams = true;
    if (pipe->type == usb_redir_type_iso) {
        struct usb_redir_start_iso_stream_header header = {
            .endpoint = endpoint,
            .pkts_per_urb = (uint8_t)packets_per_transfer(session, pipe),
            .no_urbs = STREAM_URBS,
        };

        usbredirparser_send_start_iso_stream(session->parser, 0, &header);
    } else {
        struct usb_redir_start_interrupt_receiving_header header = {.endpoint = endpoint};

        usbredirparser_send_start_interrupt_receiving(session->parser, 0, &header);
    }
}

static void
stop(RemoteSession *session, RemotePipe *pipe)
{
    const uint8_t endpoint = endpoint_of(session, pipe);

    if (!pipe->streams)
        return;
    pipe->streams = false;
    drop_packets(session, pipe);
    if (pipe->type == usb_redir_type_iso) {
        struct usb_redir_stop_iso_stream_header header = {.endpoint = endpoint};

        usbredirparser_send_stop_iso_stream(session->parser, 0, &header);
    } else {
        struct usb_redir_stop_interrupt_receiving_header header = {.endpoint = endpoint};

        usbredirparser_send_stop_interrupt_receiving(session->parser, 0, &header);
    }
}

static void
fail_urbs(RemotePipe *pipe, VusbStatus status)
{
    VusbUrb *urb;

    while ((urb = g_queue_pop_head(&pipe->urbs)) != NULL)
        vusb_urb_done(urb, status);
}

void
remote_streams_clear(RemoteSession *session, VusbStatus status)
{
    for (unsigned i = 0; i < REMOTE_ENDPOINTS; i++) {
        RemotePipe *pipe = &session->pipes[i];

        pipe->streams = false;
        fail_urbs(pipe, status);
        drop_packets(session, pipe);
    }
}

/* --- from the device --- */
static VusbStatus
give_packet(const RemotePacket *packet, uint8_t *data, uint32_t room, uint32_t *actual)
{
    const VusbStatus status = remote_status(packet->status);

    *actual = MIN(packet->size, room);
    if (*actual > 0)
        memcpy(data, packet->data, *actual);
    return status == VUSB_OK && packet->size > room ? VUSB_BABBLE : status;
}

static void
finish_interrupt(RemoteSession *session, RemotePipe *pipe, VusbUrb *urb)
{
    RemotePacket *packet = g_queue_pop_head(&pipe->packets);
    const VusbStatus status = give_packet(packet, urb->data, urb->size, &urb->actual);

    packet_free(session, packet);
    vusb_urb_done(urb, status);
}

static void
finish_isochronous(RemoteSession *session, RemotePipe *pipe, VusbUrb *urb)
{
    for (uint32_t i = 0; i < urb->packet_count; i++) {
        RemotePacket *packet = g_queue_pop_head(&pipe->packets);
        VusbPacket *to = &urb->packets[i];

        to->status = give_packet(packet, urb->data + to->offset, to->size, &to->actual);
        if (to->status == VUSB_OK && to->actual < to->size)
            to->status = VUSB_SHORT;
        urb->actual += to->actual;
        packet_free(session, packet);
    }
    vusb_urb_done(urb, VUSB_OK);
}

/* As long as there are packets for the next URB. */
static void
serve(RemoteSession *session, RemotePipe *pipe)
{
    VusbUrb *urb;

    while ((urb = g_queue_peek_head(&pipe->urbs)) != NULL) {
        const bool isochronous = urb->type == VUSB_ISOCHRONOUS;

        if (pipe->packets.length < (isochronous ? urb->packet_count : 1))
            return;
        g_queue_pop_head(&pipe->urbs);
        if (isochronous)
            finish_isochronous(session, pipe, urb);
        else
            finish_interrupt(session, pipe, urb);
    }
}

void
remote_stream_packet(RemoteSession *session, uint8_t endpoint, uint8_t type, uint8_t status,
                     uint8_t *data, int size)
{
    RemotePipe *pipe = pipe_of(session, endpoint);
    RemotePacket *packet = g_new(RemotePacket, 1);

    *packet = (RemotePacket){status, (uint32_t)MAX(size, 0), data};
    if (!pipe->streams || pipe->type != type || (endpoint & 0x80) == 0) {
        packet_free(session, packet);
        return;
    }
    g_queue_push_tail(&pipe->packets, packet);
    if (pipe->packets.length > REMOTE_PACKETS_MAX)
        packet_free(session, g_queue_pop_head(&pipe->packets));
    serve(session, pipe);
}

void
remote_stream_status(RemoteSession *session, uint8_t endpoint, uint8_t type, uint8_t status)
{
    RemotePipe *pipe = pipe_of(session, endpoint);

    if (status == usb_redir_success || pipe->type != type)
        return;
    pipe->streams = false;
    fail_urbs(pipe, remote_status(status));
}

/* --- to the device --- */

/* Nobody acknowledges these; the controller keeps the pace. */
static void
send_isochronous(RemoteSession *session, VusbUrb *urb)
{
    for (uint32_t i = 0; i < urb->packet_count; i++) {
        VusbPacket *packet = &urb->packets[i];
        struct usb_redir_iso_packet_header header = {
            .endpoint = urb->endpoint, .length = (uint16_t)MIN(packet->size, UINT16_MAX)};

        usbredirparser_send_iso_packet(session->parser, session->next_id++, &header,
                                       urb->data + packet->offset, header.length);
        packet->actual = header.length;
        packet->status = VUSB_OK;
        urb->actual += header.length;
    }
    vusb_urb_done(urb, VUSB_OK);
}

void
remote_stream_submit(RemoteSession *session, RemotePipe *pipe, VusbUrb *urb)
{
    start(session, pipe);
    if (!urb->in) {
        send_isochronous(session, urb);
        return;
    }
    g_queue_push_tail(&pipe->urbs, urb);
    serve(session, pipe);
}

/* A guest that takes the last one back is not listening any more. */
bool
remote_stream_cancel(RemoteSession *session, RemotePipe *pipe, VusbUrb *urb)
{
    if (!g_queue_remove(&pipe->urbs, urb))
        return false;
    if (pipe->urbs.length == 0)
        stop(session, pipe);
    return true;
}
