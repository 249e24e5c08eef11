/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * One peer: bytes between the socket and the parser of usbredir. Every byte of the peer's is
 * counted before the parser sees it; a peer that breaks the protocol, or does not read what it is
 * sent, is gone. */
#include "usb/remote/usb-remote-private.h"

#include <string.h>

/* --- bytes in --- */
static bool
fill_input(RemoteSession *session)
{
    int count;

    session->input_size = session->input_read = 0;
    if (session->descriptor < 0 || session->drained)
        return false;
    count = remote_socket_read(session->descriptor, session->input, REMOTE_READ_SIZE);
    if (count < 0)
        session->ended = true;
    session->input_size = (size_t)MAX(count, 0);
    session->drained = session->input_size < REMOTE_READ_SIZE;
    return count > 0;
}

static bool
wide_ids(RemoteSession *session)
{
    return usbredirparser_have_peer_caps(session->parser) &&
           usbredirparser_peer_has_cap(session->parser, usb_redir_cap_64bits_ids);
}

/* Much at once goes straight to where the parser wants it. */
static int
take_input(RemoteSession *session, uint8_t *data, size_t size)
{
    size_t there = session->input_size - session->input_read;

    if (there == 0 && size >= REMOTE_READ_SIZE / 2 && session->descriptor >= 0 &&
        !session->drained) {
        const int count = remote_socket_read(session->descriptor, data, size);

        session->ended = session->ended || count < 0;
        session->drained = count < (int)size;
        return MAX(count, 0);
    }
    if (there == 0 && fill_input(session))
        there = session->input_size;
    there = MIN(there, size);
    memcpy(data, session->input + session->input_read, there);
    session->input_read += there;
    return (int)there;
}

/* The parser takes 0 for "not now". */
static int
on_read(void *user, uint8_t *data, int size)
{
    RemoteSession *session = user;
    int count;

    if (session->ended || size <= 0)
        return 0;
    count = take_input(session, data, (size_t)size);
    if (remote_guard_check(&session->guard, wide_ids(session), data, (size_t)count))
        return count;
    session->ended = true;
    return 0;
}

/* --- bytes out --- */
static int
on_write(void *user, uint8_t *data, int size)
{
    const RemoteSession *session = user;

    return session->descriptor < 0 ? size
                                   : remote_socket_write(session->descriptor, data, (size_t)size);
}

void
remote_session_flush(RemoteSession *session)
{
    if (session->gone)
        return;
    usbredirparser_do_write(session->parser);
    if (usbredirparser_get_bufferered_output_size(session->parser) > 0)
        remote_wake_up(&session->remote->wake);
}

/* --- the parser's locks --- */
static void *
on_lock_new(void)
{
    GMutex *lock = g_new0(GMutex, 1);

    g_mutex_init(lock);
    return lock;
}

static void
on_lock(void *lock)
{
    g_mutex_lock(lock);
}

static void
on_unlock(void *lock)
{
    g_mutex_unlock(lock);
}

static void
on_lock_free(void *lock)
{
    g_mutex_clear(lock);
    g_free(lock);
}

/* What the parser has to say of a peer is said by taking the device out. */
static void
on_log(void *user, int level, const char *message)
{
}

static struct usbredirparser *
parser_new(RemoteSession *session)
{
    static const int caps[] = {
        usb_redir_cap_connect_device_version,  usb_redir_cap_device_disconnect_ack,
        usb_redir_cap_ep_info_max_packet_size, usb_redir_cap_64bits_ids,
        usb_redir_cap_32bits_bulk_length,
    };
    uint32_t set[USB_REDIR_CAPS_SIZE] = {0};
    struct usbredirparser *parser = usbredirparser_create();

    if (parser == NULL)
        g_error("no memory for a parser of usbredir");
    parser->priv = session;
    parser->log_func = on_log;
    parser->read_func = on_read;
    parser->write_func = on_write;
    parser->alloc_lock_func = on_lock_new;
    parser->lock_func = on_lock;
    parser->unlock_func = on_unlock;
    parser->free_lock_func = on_lock_free;
    remote_answers_init(parser);
    for (size_t i = 0; i < G_N_ELEMENTS(caps); i++)
        usbredirparser_caps_set_cap(set, caps[i]);
    usbredirparser_init(parser, "Vitrine", set, USB_REDIR_CAPS_SIZE, 0);
    return parser;
}

/* --- made and freed --- */
RemoteSession *
remote_session_new(UsbRemote *remote, int descriptor)
{
    RemoteSession *session = g_new0(RemoteSession, 1);

    session->remote = remote;
    session->descriptor = descriptor;
    session->vusb.ops = &remote_device_ops;
    session->vusb.user = session;
    session->vusb.title = session->title;
    session->input = g_malloc(REMOTE_READ_SIZE);
    session->urbs = g_hash_table_new(NULL, NULL);
    session->next_id = 1;
    g_mutex_init(&session->lock);
    for (unsigned i = 0; i < REMOTE_ENDPOINTS; i++) {
        session->pipes[i].type = usb_redir_type_invalid;
        g_queue_init(&session->pipes[i].urbs);
        g_queue_init(&session->pipes[i].packets);
    }
    session->parser = parser_new(session);
    return session;
}

void
remote_session_free(RemoteSession *session)
{
    if (session == NULL)
        return;
    remote_session_end(session);
    usbredirparser_destroy(session->parser);
    g_hash_table_unref(session->urbs);
    g_mutex_clear(&session->lock);
    g_free(session->input);
    g_free(session);
}

/* --- run --- */
static bool
read_all(RemoteSession *session)
{
    /* 0: everything that was there has been taken, and more may come at once. */
    while (!session->ended) {
        const int result = usbredirparser_do_read(session->parser);

        if (result == usbredirparser_read_parse_error)
            session->ended = true;
        if (session->input_read == session->input_size)
            break;
    }
    return !session->ended;
}

bool
remote_session_run(RemoteSession *session)
{
    bool ok;

    session->drained = false;
    ok = read_all(session);
    g_mutex_lock(&session->lock);
    ok = usbredirparser_do_write(session->parser) == 0 && ok &&
         usbredirparser_get_bufferered_output_size(session->parser) <= REMOTE_OUTPUT_MAX;
    g_mutex_unlock(&session->lock);
    return ok;
}

bool
remote_session_feed(RemoteSession *session, const uint8_t *data, size_t size)
{
    while (size > 0 && !session->ended) {
        session->input_size = MIN(size, REMOTE_READ_SIZE);
        session->input_read = 0;
        memcpy(session->input, data, session->input_size);
        data += session->input_size;
        size -= session->input_size;
        remote_session_run(session);
    }
    return !session->ended;
}

void
remote_session_end(RemoteSession *session)
{
    GHashTableIter iter;
    gpointer urb;

    g_mutex_lock(&session->lock);
    session->gone = true;
    g_hash_table_iter_init(&iter, session->urbs);
    while (g_hash_table_iter_next(&iter, NULL, &urb))
        vusb_urb_done(urb, VUSB_NO_DEVICE);
    g_hash_table_remove_all(session->urbs);
    remote_streams_clear(session, VUSB_NO_DEVICE);
    g_mutex_unlock(&session->lock);
    remote_socket_close(session->descriptor);
    session->descriptor = -1;
}
