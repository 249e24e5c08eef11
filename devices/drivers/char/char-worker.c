/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The worker thread of a character stream: waits for the peer, for room and for bytes. It holds at
 * most one buffer in each direction, so a peer that floods is stopped by its own socket, and one
 * that does not listen is stopped by the buffer's end. */
#include "devices/drivers/char/char-stream.h"

#include <string.h>

#define RECONNECT_MS 1000
#define PTY_POLL_MS 250

static void
kick(CharStream *stream)
{
    bool push;

    g_mutex_lock(&stream->mutex);
    push = !stream->kicked && !stream->stop;
    stream->kicked |= push;
    g_mutex_unlock(&stream->mutex);
    if (push)
        pdm_queue_push(stream->driver->api, stream->queue, stream);
}

static void
set_connected(CharStream *stream, bool connected)
{
    g_mutex_lock(&stream->mutex);
    stream->connected = connected;
    stream->end_of_input = false;
    if (!connected) {
        /* What nobody will read does not wait. */
        stream->out_count = 0;
        g_cond_broadcast(&stream->drained);
    }
    g_mutex_unlock(&stream->mutex);
    kick(stream);
}

static void
lose_peer(CharStream *stream)
{
    if (stream->kind == CHAR_PEER_ACCEPT || stream->kind == CHAR_PEER_CONNECT) {
        char_host_close(stream->peer);
        stream->peer = -1;
    }
    set_connected(stream, false);
}

static void
read_peer(CharStream *stream)
{
    uint8_t data[CHAR_INPUT_SIZE];
    size_t done;
    CharHostResult result = char_host_read(stream->peer, data, sizeof(data), &done);

    if (result == CHAR_HOST_AGAIN)
        return;
    if (result != CHAR_HOST_DONE) {
        /* The end of standard input does not end standard output. */
        if (stream->kind != CHAR_PEER_FIXED)
            lose_peer(stream);
        g_mutex_lock(&stream->mutex);
        stream->end_of_input = true;
        g_mutex_unlock(&stream->mutex);
        return;
    }
    g_mutex_lock(&stream->mutex);
    memcpy(stream->in, data, done);
    stream->in_head = 0;
    stream->in_count = (uint32_t)done;
    g_mutex_unlock(&stream->mutex);
    kick(stream);
}

static void
warn_full(CharStream *stream)
{
    if (stream->warned)
        return;
    stream->warned = true;
    pdm_driver_runtime_message(stream->driver, PDM_RUNTIME_WARNING, "char-disk-full",
                               "There is no room left on the host's disk: output of a port of the "
                               "machine is being lost.");
}

/* Takes bytes off the output buffer; they have been written or cannot be. */
static void
consume(CharStream *stream, size_t size)
{
    bool tell;

    g_mutex_lock(&stream->mutex);
    size = MIN(size, stream->out_count); /* a lost peer may have emptied it */
    stream->out_head = (uint32_t)((stream->out_head + size) % CHAR_OUTPUT_SIZE);
    stream->out_count -= (uint32_t)size;
    tell = stream->short_send && stream->out_count <= CHAR_OUTPUT_SIZE / 2;
    if (stream->out_count == 0)
        g_cond_broadcast(&stream->drained);
    g_mutex_unlock(&stream->mutex);
    if (tell)
        kick(stream);
}

static void
write_peer(CharStream *stream)
{
    int descriptor = stream->output >= 0 ? stream->output : stream->peer;
    const uint8_t *data;
    size_t size, done;

    /* Only this thread takes bytes out, so what is in stays while the mutex is not held. */
    g_mutex_lock(&stream->mutex);
    data = stream->out + stream->out_head;
    size = MIN(stream->out_count, CHAR_OUTPUT_SIZE - stream->out_head);
    g_mutex_unlock(&stream->mutex);
    if (size == 0)
        return;
    switch (char_host_write(descriptor, data, size, &done)) {
    case CHAR_HOST_DONE: consume(stream, done); break;
    case CHAR_HOST_AGAIN: break;
    case CHAR_HOST_FULL:
        warn_full(stream);
        consume(stream, size);
        break;
    case CHAR_HOST_CLOSED: lose_peer(stream); break;
    }
}

/* One peer at a time; the others are turned away at once. */
static void
accept_peer(CharStream *stream)
{
    int peer = char_host_accept(stream->listener);

    if (peer < 0)
        return;
    if (stream->peer >= 0) {
        char_host_close(peer);
        return;
    }
    stream->peer = peer;
    set_connected(stream, true);
}

static void
find_peer(CharStream *stream)
{
    if (stream->kind == CHAR_PEER_CONNECT && stream->peer < 0) {
        gint64 now = g_get_monotonic_time();

        /* A peer that takes connections and drops them does not keep this thread busy. */
        if (now < stream->next_try)
            return;
        stream->next_try = now + RECONNECT_MS * 1000;
        stream->peer = stream->connect(stream, NULL);
        if (stream->peer >= 0)
            set_connected(stream, true);
    } else if (stream->kind == CHAR_PEER_PTY) {
        bool present = !char_host_hung_up(stream->peer);

        if (present != stream->connected)
            set_connected(stream, present);
    }
}

static int
wait_ms(const CharStream *stream)
{
    if (stream->kind == CHAR_PEER_CONNECT && stream->peer < 0) {
        gint64 left = (stream->next_try - g_get_monotonic_time()) / 1000;

        return (int)CLAMP(left + 1, 1, RECONNECT_MS);
    }
    return stream->kind == CHAR_PEER_PTY ? PTY_POLL_MS : -1;
}

/* Fills fds; the first is the wake, a descriptor of -1 is ignored. */
static void
prepare_poll(CharStream *stream, GPollFD *fds)
{
    bool input, output;

    g_mutex_lock(&stream->mutex);
    input =
        stream->connected && !stream->write_only && stream->in_count == 0 && !stream->end_of_input;
    output = stream->connected && stream->out_count > 0;
    g_mutex_unlock(&stream->mutex);
    fds[0] = (GPollFD){.fd = stream->wake[0], .events = G_IO_IN};
    fds[1] = (GPollFD){.fd = stream->listener, .events = G_IO_IN};
    fds[2] = (GPollFD){.fd = input ? stream->peer : -1, .events = G_IO_IN};
    /* A hang-up is reported whether asked for or not: only who is wanted is waited for. */
    fds[3] = (GPollFD){.fd = output ? (stream->output >= 0 ? stream->output : stream->peer) : -1,
                       .events = G_IO_OUT};
}

gpointer
char_worker_main(gpointer data)
{
    CharStream *stream = data;
    GPollFD fds[4];
    bool stop = false;

    char_host_prepare_thread();
    while (!stop) {
        find_peer(stream);
        prepare_poll(stream, fds);
        g_poll(fds, G_N_ELEMENTS(fds), wait_ms(stream));
        if (fds[0].revents)
            char_host_wake_clear(stream->wake[0]);
        if (fds[3].revents)
            write_peer(stream);
        if (fds[2].revents && stream->peer >= 0)
            read_peer(stream);
        if (fds[1].revents)
            accept_peer(stream);
        g_mutex_lock(&stream->mutex);
        stop = stream->stop;
        g_mutex_unlock(&stream->mutex);
    }
    return NULL;
}
