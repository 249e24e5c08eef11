/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A peer's device as a device of VUSB: what the guest asks for goes out as packets of usbredir.
 * Configurations and alternate settings have packets of their own; streams are
 * usb-remote-stream.c's. Whatever the peer does, a transfer that the guest takes back is back at
 * once. */
#include "usb/remote/usb-remote-private.h"

/* --- what is under way --- */
RemotePipe *
remote_pipe(RemoteSession *session, uint8_t endpoint, bool in)
{
    return &session->pipes[(endpoint & 15) | (in ? 16 : 0)];
}

static uint64_t
put(RemoteSession *session, VusbUrb *urb)
{
    const uint32_t id = session->next_id++;

    g_hash_table_insert(session->urbs, GUINT_TO_POINTER(id), urb);
    urb->device_data = GUINT_TO_POINTER(id);
    return id;
}

VusbUrb *
remote_take(RemoteSession *session, uint64_t id)
{
    gpointer urb = NULL;

    if (id <= UINT32_MAX)
        g_hash_table_steal_extended(session->urbs, GUINT_TO_POINTER((guint)id), NULL, &urb);
    return urb;
}

VusbStatus
remote_status(uint8_t status)
{
    switch (status) {
    case usb_redir_success: return VUSB_OK;
    case usb_redir_cancelled: return VUSB_IO_ERROR; /* nobody here has asked for it */
    case usb_redir_inval:
    case usb_redir_stall: return VUSB_STALL;
    case usb_redir_babble: return VUSB_BABBLE;
    default: return VUSB_IO_ERROR;
    }
}

/* --- control --- */
static void
send_control(RemoteSession *session, uint64_t id, VusbUrb *urb)
{
    const VusbSetup *setup = &urb->setup;
    const bool in = (setup->request_type & VUSB_REQUEST_IN) != 0;
    struct usb_redir_control_packet_header header = {
        .endpoint = in ? 0x80 : 0,
        .request = setup->request,
        .requesttype = setup->request_type,
        .value = setup->value,
        .index = setup->index,
        .length = setup->length,
    };

    usbredirparser_send_control_packet(session->parser, id, &header, in ? NULL : urb->data,
                                       in ? 0 : setup->length);
}

static void
set_configuration(RemoteSession *session, uint64_t id, const VusbSetup *setup)
{
    struct usb_redir_set_configuration_header header = {.configuration = (uint8_t)setup->value};

    remote_streams_clear(session, VUSB_IO_ERROR);
    usbredirparser_send_set_configuration(session->parser, id, &header);
}

static void
set_alternate(RemoteSession *session, uint64_t id, const VusbSetup *setup)
{
    struct usb_redir_set_alt_setting_header header = {.interface = (uint8_t)setup->index,
                                                      .alt = (uint8_t)setup->value};

    remote_streams_clear(session, VUSB_IO_ERROR);
    usbredirparser_send_set_alt_setting(session->parser, id, &header);
}

static void
get_alternate(RemoteSession *session, uint64_t id, const VusbSetup *setup)
{
    struct usb_redir_get_alt_setting_header header = {.interface = (uint8_t)setup->index};

    usbredirparser_send_get_alt_setting(session->parser, id, &header);
}

static void
control(RemoteSession *session, VusbUrb *urb)
{
    const VusbSetup *setup = &urb->setup;
    const uint64_t id = put(session, urb);

    switch (setup->request_type << 8 | setup->request) {
    case VUSB_TO_DEVICE << 8 | VUSB_SET_CONFIGURATION: set_configuration(session, id, setup); break;
    case (VUSB_REQUEST_IN | VUSB_TO_DEVICE) << 8 | VUSB_GET_CONFIGURATION:
        usbredirparser_send_get_configuration(session->parser, id);
        break;
    case VUSB_TO_INTERFACE << 8 | VUSB_SET_INTERFACE: set_alternate(session, id, setup); break;
    case (VUSB_REQUEST_IN | VUSB_TO_INTERFACE) << 8 | VUSB_GET_INTERFACE:
        get_alternate(session, id, setup);
        break;
    default: send_control(session, id, urb); break;
    }
}

/* --- bulk and interrupt OUT --- */
static uint8_t
endpoint_of(const VusbUrb *urb)
{
    return (uint8_t)(urb->endpoint | (urb->in ? 0x80 : 0));
}

static void
bulk(RemoteSession *session, VusbUrb *urb)
{
    struct usb_redir_bulk_packet_header header = {
        .endpoint = endpoint_of(urb),
        .length = (uint16_t)urb->size,
        .length_high = (uint16_t)(urb->size >> 16),
    };
    const bool fits =
        urb->size <= UINT16_MAX ||
        usbredirparser_peer_has_cap(session->parser, usb_redir_cap_32bits_bulk_length);

    if (!fits) {
        vusb_urb_done(urb, VUSB_IO_ERROR);
        return;
    }
    usbredirparser_send_bulk_packet(session->parser, put(session, urb), &header,
                                    urb->in ? NULL : urb->data, urb->in ? 0 : (int)urb->size);
}

static void
interrupt_out(RemoteSession *session, VusbUrb *urb)
{
    struct usb_redir_interrupt_packet_header header = {
        .endpoint = urb->endpoint, .length = (uint16_t)MIN(urb->size, UINT16_MAX)};

    usbredirparser_send_interrupt_packet(session->parser, put(session, urb), &header, urb->data,
                                         header.length);
}

static void
transfer(RemoteSession *session, VusbUrb *urb)
{
    RemotePipe *pipe = remote_pipe(session, urb->endpoint, urb->in);

    /* usbredir's kinds are those of descriptors, and ours, too. */
    if (pipe->type != (uint8_t)urb->type)
        vusb_urb_done(urb, VUSB_STALL);
    else if (urb->type == VUSB_BULK)
        bulk(session, urb);
    else if (urb->type == VUSB_INTERRUPT && !urb->in)
        interrupt_out(session, urb);
    else
        remote_stream_submit(session, pipe, urb);
}

/* --- what VUSB asks for --- */
static void
submit(RemoteSession *session, VusbUrb *urb)
{
    const uint64_t waits = usbredirparser_get_bufferered_output_size(session->parser);

    if (session->gone)
        vusb_urb_done(urb, VUSB_NO_DEVICE);
    else if (waits > REMOTE_OUTPUT_MAX)
        vusb_urb_done(urb, VUSB_IO_ERROR);
    else if (urb->type == VUSB_CONTROL)
        control(session, urb);
    else
        transfer(session, urb);
    remote_session_flush(session);
}

static void
on_control(VusbDevice *vusb, VusbUrb *urb)
{
    RemoteSession *session = (RemoteSession *)vusb;

    g_mutex_lock(&session->lock);
    session->used |=
        urb->setup.request_type != VUSB_REQUEST_IN || urb->setup.request != VUSB_GET_DESCRIPTOR;
    submit(session, urb);
    g_mutex_unlock(&session->lock);
}

static void
on_submit(VusbDevice *vusb, VusbUrb *urb)
{
    RemoteSession *session = (RemoteSession *)vusb;

    g_mutex_lock(&session->lock);
    session->used = true;
    submit(session, urb);
    g_mutex_unlock(&session->lock);
}

static void
on_cancel(VusbDevice *vusb, VusbUrb *urb)
{
    RemoteSession *session = (RemoteSession *)vusb;
    const guint id = GPOINTER_TO_UINT(urb->device_data);
    bool mine;

    g_mutex_lock(&session->lock);
    mine = remote_stream_cancel(session, remote_pipe(session, urb->endpoint, urb->in), urb);
    if (!mine && id != 0 && remote_take(session, id) == urb) {
        mine = true;
        usbredirparser_send_cancel_data_packet(session->parser, id);
    }
    remote_session_flush(session);
    g_mutex_unlock(&session->lock);
    if (mine)
        vusb_urb_done(urb, VUSB_CANCELLED);
}

static void
on_reset(VusbDevice *vusb)
{
    RemoteSession *session = (RemoteSession *)vusb;

    g_mutex_lock(&session->lock);
    if (session->used && !session->gone) {
        session->used = false;
        remote_streams_clear(session, VUSB_IO_ERROR);
        usbredirparser_send_reset(session->parser);
        remote_session_flush(session);
    }
    g_mutex_unlock(&session->lock);
}

static void
on_released(VusbDevice *vusb)
{
    RemoteSession *session = (RemoteSession *)vusb;
    UsbRemote *remote = session->remote;

    g_mutex_lock(&remote->lock);
    g_atomic_int_set(&session->released, 1);
    g_cond_signal(&remote->cond);
    g_mutex_unlock(&remote->lock);
    remote_wake_up(&remote->wake);
}

const VusbDeviceOps remote_device_ops = {
    .reset = on_reset,
    .control = on_control,
    .submit = on_submit,
    .cancel = on_cancel,
    .released = on_released,
};
