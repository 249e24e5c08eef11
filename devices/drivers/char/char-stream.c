/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The device's side of a character stream: see the header. Everything here runs under the device
 * lock, on virtual CPU 0's thread or the embedder's, and never waits for the host. */
#include "devices/drivers/char/char-stream.h"

#include <glib/gstdio.h>
#include <string.h>

/* How long the end of a machine waits for its output. */
#define DRAIN_MS 1000

static size_t
char_send(void *user, const uint8_t *data, size_t size)
{
    CharStream *stream = user;
    size_t taken;

    g_mutex_lock(&stream->mutex);
    if (!stream->connected) {
        g_mutex_unlock(&stream->mutex);
        return size; /* nobody listens */
    }
    taken = MIN(size, CHAR_OUTPUT_SIZE - stream->out_count);
    for (size_t i = 0; i < taken; i++)
        stream->out[(stream->out_head + stream->out_count + i) % CHAR_OUTPUT_SIZE] = data[i];
    stream->out_count += (uint32_t)taken;
    stream->short_send |= taken < size;
    g_mutex_unlock(&stream->mutex);
    if (taken)
        char_host_wake(stream->wake[1]);
    return taken;
}

/* Gives the device some input; false when there is none or it takes none now. */
static bool
char_deliver_some(CharStream *stream)
{
    const PdmCharPort *port = stream->driver->port;
    uint8_t data[CHAR_INPUT_SIZE];
    size_t size;
    bool empty;

    g_mutex_lock(&stream->mutex);
    size = stream->in_count;
    g_mutex_unlock(&stream->mutex);
    if (size == 0)
        return false;
    size = MIN(size, port->can_receive(port->user));
    if (size == 0)
        return false; /* receive_ready comes */
    g_mutex_lock(&stream->mutex);
    memcpy(data, stream->in + stream->in_head, size);
    stream->in_head += (uint32_t)size;
    stream->in_count -= (uint32_t)size;
    empty = stream->in_count == 0;
    g_mutex_unlock(&stream->mutex);
    port->receive(port->user, data, size);
    if (empty)
        char_host_wake(stream->wake[1]);
    return true;
}

/* Gives the device as much input as it takes: it promises receive_ready only when it was asked and
 * had no room. */
static void
char_deliver(CharStream *stream)
{
    while (char_deliver_some(stream)) {
    }
}

static void
char_receive_ready(void *user)
{
    char_deliver(user);
}

/* The worker has found something. */
static void
char_found(void *user, void *item)
{
    CharStream *stream = user;
    const PdmCharPort *port = stream->driver->port;
    bool connected, can_send;

    g_mutex_lock(&stream->mutex);
    stream->kicked = false;
    connected = stream->connected;
    can_send = stream->short_send && stream->out_count <= CHAR_OUTPUT_SIZE / 2;
    if (can_send)
        stream->short_send = false;
    g_mutex_unlock(&stream->mutex);
    if (connected != stream->told_connected) {
        stream->told_connected = connected;
        port->connected(port->user, connected);
    }
    if (can_send)
        port->can_send(port->user);
    char_deliver(stream);
}

bool
char_stream_init(CharStream *stream, PdmDriver *driver, GError **error)
{
    stream->driver = driver;
    stream->listener = stream->peer = stream->output = -1;
    stream->wake[0] = stream->wake[1] = -1;
    g_mutex_init(&stream->mutex);
    g_cond_init(&stream->drained);
    stream->queue = pdm_driver_queue_new(driver, char_found, stream);
    stream->connector.user = stream;
    stream->connector.send = char_send;
    stream->connector.receive_ready = char_receive_ready;
    driver->connector = &stream->connector;
    return char_host_wake_open(stream->wake, error);
}

void
char_stream_start(CharStream *stream)
{
    if (stream->kind == CHAR_PEER_FIXED) {
        stream->connected = true;
        stream->kicked = true;
        pdm_queue_push(stream->driver->api, stream->queue, stream);
    }
    stream->worker = g_thread_new("char", char_worker_main, stream);
}

int
char_stream_descriptor(const CfgmNode *config, GError **error)
{
    uint64_t descriptor;

    if (!cfgm_has(config, "Descriptor"))
        return -1;
    if (!cfgm_query_uint(config, "Descriptor", 0, INT_MAX, &descriptor, error))
        return -1;
    if (char_host_adopt((int)descriptor))
        return (int)descriptor;
    g_set_error(error, BASE_ERROR, BASE_ERROR_INVALID, "Descriptor %d is not open.",
                (int)descriptor);
    return -1;
}

void
char_stream_power_off(PdmDriver *driver)
{
    CharStream *stream = driver->data;
    gint64 until = g_get_monotonic_time() + DRAIN_MS * 1000;

    g_mutex_lock(&stream->mutex);
    while (stream->worker && stream->out_count &&
           g_cond_wait_until(&stream->drained, &stream->mutex, until))
        ;
    g_mutex_unlock(&stream->mutex);
}

void
char_stream_destruct(PdmDriver *driver)
{
    CharStream *stream = driver->data;

    if (!stream->driver)
        return; /* construct did not get here */
    g_mutex_lock(&stream->mutex);
    stream->stop = true;
    g_mutex_unlock(&stream->mutex);
    if (stream->worker) {
        char_host_wake(stream->wake[1]);
        g_thread_join(stream->worker);
    }
    char_host_close(stream->listener);
    char_host_close(stream->peer);
    char_host_close(stream->output);
    char_host_close(stream->wake[0]);
    if (stream->wake[1] != stream->wake[0])
        char_host_close(stream->wake[1]);
    if (stream->unlink_path)
        g_unlink(stream->unlink_path);
    g_free(stream->unlink_path);
    g_free(stream->address);
    g_cond_clear(&stream->drained);
    g_mutex_clear(&stream->mutex);
}
