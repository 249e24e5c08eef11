/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What a peer says: what its device is, and answers. Nothing of it is believed further than the
 * transfer that asked for it has room. USB redirection protocol, "Packet types". */
#include "usb/remote/usb-remote-private.h"

#include <string.h>

/* --- the device --- */
static void
on_hello(void *user, struct usb_redir_hello_header *hello)
{
}

static void
on_interface_info(void *user, struct usb_redir_interface_info_header *info)
{
}

static unsigned
speeds(uint8_t speed)
{
    switch (speed) {
    case usb_redir_speed_low: return VUSB_SPEEDS_LOW;
    case usb_redir_speed_high: return VUSB_SPEEDS_HIGH;
    case usb_redir_speed_super: return VUSB_SPEEDS_SUPER;
    default: return VUSB_SPEEDS_FULL;
    }
}

/* Once for each peer: what came first stays. */
static void
on_connect(void *user, struct usb_redir_device_connect_header *connect)
{
    RemoteSession *session = user;

    g_mutex_lock(&session->lock);
    if (!session->known) {
        session->vusb.speeds = speeds(connect->speed);
        g_snprintf(session->title, sizeof(session->title), "USB device %04x:%04x",
                   connect->vendor_id, connect->product_id);
        session->known = true;
    }
    g_mutex_unlock(&session->lock);
    remote_changed(session->remote);
}

/* The parser acknowledges it, by the last that is written. */
static void
on_disconnect(void *user)
{
    ((RemoteSession *)user)->ended = true;
}

static void
on_endpoints(void *user, struct usb_redir_ep_info_header *info)
{
    RemoteSession *session = user;

    g_mutex_lock(&session->lock);
    for (unsigned i = 0; i < REMOTE_ENDPOINTS; i++) {
        session->pipes[i].type = info->type[i];
        session->pipes[i].interval = info->interval[i];
    }
    g_mutex_unlock(&session->lock);
}

/* --- answers --- */
static void
finish(RemoteSession *session, VusbUrb *urb, uint8_t status, const void *data, size_t size)
{
    const bool too_much = urb->in && size > urb->size;

    urb->actual = (uint32_t)MIN(size, urb->size);
    if (urb->in && data != NULL)
        memcpy(urb->data, data, urb->actual);
    vusb_urb_done(urb, too_much ? VUSB_BABBLE : remote_status(status));
}

/* An URB of this kind that the peer may answer; with the lock held then. */
static VusbUrb *
answered(RemoteSession *session, uint64_t id, VusbTransfer type)
{
    VusbUrb *urb;

    g_mutex_lock(&session->lock);
    urb = remote_take(session, id);
    if (urb == NULL || urb->type == type)
        return urb;
    /* Of another kind: it is not its answer. */
    vusb_urb_done(urb, VUSB_IO_ERROR);
    return NULL;
}

static void
on_control_packet(void *user, uint64_t id, struct usb_redir_control_packet_header *header,
                  uint8_t *data, int size)
{
    RemoteSession *session = user;
    VusbUrb *urb = answered(session, id, VUSB_CONTROL);

    if (urb != NULL)
        finish(session, urb, header->status, data, urb->in ? (size_t)MAX(size, 0) : header->length);
    g_mutex_unlock(&session->lock);
    usbredirparser_free_packet_data(session->parser, data);
}

static void
on_bulk_packet(void *user, uint64_t id, struct usb_redir_bulk_packet_header *header, uint8_t *data,
               int size)
{
    RemoteSession *session = user;
    const uint32_t length = header->length | (uint32_t)header->length_high << 16;
    VusbUrb *urb = answered(session, id, VUSB_BULK);

    if (urb != NULL)
        finish(session, urb, header->status, data, urb->in ? (size_t)MAX(size, 0) : length);
    g_mutex_unlock(&session->lock);
    usbredirparser_free_packet_data(session->parser, data);
}

static void
on_interrupt_packet(void *user, uint64_t id, struct usb_redir_interrupt_packet_header *header,
                    uint8_t *data, int size)
{
    RemoteSession *session = user;
    VusbUrb *urb = NULL;

    if ((header->endpoint & 0x80) != 0) {
        g_mutex_lock(&session->lock);
        remote_stream_packet(session, header->endpoint, usb_redir_type_interrupt, header->status,
                             data, size);
    } else {
        urb = answered(session, id, VUSB_INTERRUPT);
        if (urb != NULL)
            finish(session, urb, header->status, NULL, header->length);
        usbredirparser_free_packet_data(session->parser, data);
    }
    g_mutex_unlock(&session->lock);
}

static void
on_iso_packet(void *user, uint64_t id, struct usb_redir_iso_packet_header *header, uint8_t *data,
              int size)
{
    RemoteSession *session = user;

    g_mutex_lock(&session->lock);
    remote_stream_packet(session, header->endpoint, usb_redir_type_iso, header->status, data, size);
    g_mutex_unlock(&session->lock);
}

static void
on_iso_status(void *user, uint64_t id, struct usb_redir_iso_stream_status_header *header)
{
    RemoteSession *session = user;

    g_mutex_lock(&session->lock);
    remote_stream_status(session, header->endpoint, usb_redir_type_iso, header->status);
    g_mutex_unlock(&session->lock);
}

static void
on_interrupt_status(void *user, uint64_t id,
                    struct usb_redir_interrupt_receiving_status_header *header)
{
    RemoteSession *session = user;

    g_mutex_lock(&session->lock);
    remote_stream_status(session, header->endpoint, usb_redir_type_interrupt, header->status);
    g_mutex_unlock(&session->lock);
}

/* The byte that GET_CONFIGURATION and GET_INTERFACE ask for; none for those who set. */
static void
finish_setting(RemoteSession *session, uint64_t id, uint8_t status, uint8_t value)
{
    VusbUrb *urb = answered(session, id, VUSB_CONTROL);

    if (urb != NULL)
        finish(session, urb, status, &value, urb->in ? MIN(urb->size, 1) : 0);
    g_mutex_unlock(&session->lock);
}

static void
on_configuration_status(void *user, uint64_t id,
                        struct usb_redir_configuration_status_header *header)
{
    finish_setting(user, id, header->status, header->configuration);
}

static void
on_alternate_status(void *user, uint64_t id, struct usb_redir_alt_setting_status_header *header)
{
    finish_setting(user, id, header->status, header->alt);
}

void
remote_answers_init(struct usbredirparser *parser)
{
    parser->hello_func = on_hello;
    parser->device_connect_func = on_connect;
    parser->device_disconnect_func = on_disconnect;
    parser->interface_info_func = on_interface_info;
    parser->ep_info_func = on_endpoints;
    parser->configuration_status_func = on_configuration_status;
    parser->alt_setting_status_func = on_alternate_status;
    parser->iso_stream_status_func = on_iso_status;
    parser->interrupt_receiving_status_func = on_interrupt_status;
    parser->control_packet_func = on_control_packet;
    parser->bulk_packet_func = on_bulk_packet;
    parser->iso_packet_func = on_iso_packet;
    parser->interrupt_packet_func = on_interrupt_packet;
}
