/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The back end "pulse": PulseAudio, or PipeWire in its place, through the asynchronous API of
 * libpulse (https://freedesktop.org/software/pulseaudio/doxygen). One thread of its own runs the
 * main loop; everybody else only sets what is wanted and wakes it. Streams carry the machine's
 * name, go where the person's mixer puts them, and are made anew when the server was away. The
 * record stream exists only while the guest records. */
#include "audio/audio-backend.h"
#include "vmm/base/clock.h"
#include "vmm/base/thread-turns.h"

#include <pulse/pulseaudio.h>
#include <stdatomic.h>
#include <string.h>

#define FRAME_BYTES 8u
#define BYTES_OF_MS(ms) ((uint32_t)(AUDIO_HOST_RATE / 1000 * (ms)*FRAME_BYTES))
/* The server's queue. Where all processors are taken away from the host at once, for 10 to 35 ms
 * (as from a virtual machine that has used up its share), neither the server nor we can fill it.
 * With early requests all of it is ours: else the server moves half of it to its device at once,
 * and after such a moment finds too little to go on with. */
#define PLAY_MS 40
#define ASK_MS 5     /* it asks for at least so much at a time */
#define ENOUGH_MS 8  /* so much in it lasts until it asks again */
#define RECORD_MS 10 /* it delivers so much at a time */
#define RETRY_US (2 * G_USEC_PER_SEC)

typedef struct {
    const AudioHost *host;
    GThread *thread;
    pa_mainloop *loop;
    pa_context *context;
    pa_stream *play, *record;
    pa_time_event *retry;
    BaseWaiter *begun;
    uint64_t late_thread;    /* ours, if it may not come before others */
    _Atomic unsigned starts; /* counts set_output(true) */
    _Atomic bool off, input, quit;
    unsigned played; /* the start whose sound is over */
    size_t prefill;  /* bytes that the server still takes before it plays any */
    bool corked;
    bool started;  /* the server plays */
    bool was_away; /* the server, while something was to be played */
    bool told;     /* of a server that is not there */
} AudioPulse;

static const pa_sample_spec spec = {
    .format = PA_SAMPLE_FLOAT32NE, .rate = AUDIO_HOST_RATE, .channels = 2};

static bool
wants_output(const AudioPulse *pulse)
{
    return !atomic_load(&pulse->off) && atomic_load(&pulse->starts) != pulse->played;
}

/* --- streams --- */

static void
drop_stream(pa_stream **stream)
{
    if (*stream == NULL)
        return;
    pa_stream_set_write_callback(*stream, NULL, NULL);
    pa_stream_set_read_callback(*stream, NULL, NULL);
    pa_stream_set_state_callback(*stream, NULL, NULL);
    if (PA_STREAM_IS_GOOD(pa_stream_get_state(*stream)))
        pa_stream_disconnect(*stream);
    pa_stream_unref(*stream);
    *stream = NULL;
}

/* A server first fills its queue, with whatever there is. Its device, which may have to be opened,
 * plays when it asks for more than that. */
static void
note_start(AudioPulse *pulse)
{
    if (pulse->corked || pulse->prefill != 0 || pulse->started)
        return;
    pulse->started = true;
    pulse->host->started(pulse->host->user, pulse->was_away);
    pulse->was_away = false;
}

/* How much of what the server asks for it gets now: all there is. A card that is late finds a gap
 * where its frames belong only if the server has next to nothing left either, and no longer a gap
 * than lasts until it asks again. */
static size_t
portion_of(const AudioPulse *pulse, size_t size)
{
    const size_t least = size + BYTES_OF_MS(ENOUGH_MS);
    const size_t queue = pa_stream_get_buffer_attr(pulse->play)->tlength;
    size_t ready;

    if (pulse->prefill != 0)
        return size;
    ready = pulse->host->ready(pulse->host->user, size / FRAME_BYTES) * FRAME_BYTES;
    return least > queue ? MIN(MAX(ready, least - queue), size) : ready;
}

static void
server_asks(pa_stream *stream, size_t size, void *user)
{
    AudioPulse *pulse = user;
    unsigned starts = atomic_load(&pulse->starts);

    note_start(pulse);
    size = portion_of(pulse, size);
    while (size >= FRAME_BYTES) {
        size_t room = size;
        void *data;
        bool go_on;

        if (pa_stream_begin_write(stream, &data, &room) < 0 || room < FRAME_BYTES)
            return;
        room = MIN(room, size) / FRAME_BYTES * FRAME_BYTES;
        go_on = pulse->host->pull(pulse->host->user, data, room / FRAME_BYTES);
        if (pa_stream_write(stream, data, room, NULL, 0, PA_SEEK_RELATIVE) < 0)
            return;
        size -= room;
        pulse->prefill -= MIN(pulse->prefill, room);
        if (!go_on)
            pulse->played = starts; /* what was started meanwhile is played next */
    }
}

static void
server_delivers(pa_stream *stream, size_t size, void *user)
{
    static const float silence[960] = {0};
    AudioPulse *pulse = user;
    const void *data;

    while (pa_stream_readable_size(stream) > 0 && pa_stream_peek(stream, &data, &size) >= 0 &&
           size > 0) {
        for (size_t hole = data ? 0 : size / FRAME_BYTES; hole > 0;) {
            size_t part = MIN(hole, G_N_ELEMENTS(silence) / 2);

            pulse->host->push(pulse->host->user, silence, part);
            hole -= part;
        }
        if (data)
            pulse->host->push(pulse->host->user, data, size / FRAME_BYTES);
        pa_stream_drop(stream);
    }
}

static pa_stream *
new_stream(AudioPulse *pulse, const char *what)
{
    g_autofree char *name = g_strdup_printf("%s: %s", pulse->host->machine, pulse->host->card);
    g_autofree char *title = pa_utf8_valid(name) ? g_strdup(name) : g_strdup(what);

    return pa_stream_new(pulse->context, title, &spec, NULL);
}

static void
start_playing(AudioPulse *pulse)
{
    /* A server that ran dry goes on with whatever comes, be it a single frame. */
    const pa_buffer_attr attr = {.maxlength = (uint32_t)-1,
                                 .tlength = BYTES_OF_MS(PLAY_MS),
                                 .prebuf = FRAME_BYTES,
                                 .minreq = BYTES_OF_MS(ASK_MS),
                                 .fragsize = (uint32_t)-1};

    pulse->play = new_stream(pulse, "output");
    if (pulse->play == NULL)
        return;
    pulse->corked = false;
    pulse->prefill = attr.tlength;
    pulse->started = false;
    pa_stream_set_write_callback(pulse->play, server_asks, pulse);
    if (pa_stream_connect_playback(pulse->play, NULL, &attr, PA_STREAM_EARLY_REQUESTS, NULL, NULL) <
        0)
        drop_stream(&pulse->play);
}

static void
start_recording(AudioPulse *pulse)
{
    const pa_buffer_attr attr = {.maxlength = (uint32_t)-1,
                                 .tlength = (uint32_t)-1,
                                 .prebuf = (uint32_t)-1,
                                 .minreq = (uint32_t)-1,
                                 .fragsize = BYTES_OF_MS(RECORD_MS)};

    pulse->record = new_stream(pulse, "input");
    if (pulse->record == NULL)
        return;
    pa_stream_set_read_callback(pulse->record, server_delivers, pulse);
    if (pa_stream_connect_record(pulse->record, NULL, &attr, PA_STREAM_ADJUST_LATENCY) < 0)
        drop_stream(&pulse->record);
}

static void
cork(AudioPulse *pulse, bool on)
{
    pa_operation *operation;

    if (pulse->play == NULL || pulse->corked == on ||
        pa_stream_get_state(pulse->play) != PA_STREAM_READY)
        return;
    pulse->corked = on;
    operation = pa_stream_cork(pulse->play, on, NULL, NULL);
    if (operation)
        pa_operation_unref(operation);
    /* What is queued is old when it is heard next. */
    pulse->prefill = on ? pa_stream_get_buffer_attr(pulse->play)->tlength : pulse->prefill;
    pulse->started = false;
    operation = on ? pa_stream_flush(pulse->play, NULL, NULL) : NULL;
    if (operation)
        pa_operation_unref(operation);
}

/* Brings the streams to what is wanted. */
static void
apply(AudioPulse *pulse)
{
    if (pulse->told && wants_output(pulse) && !pulse->was_away) {
        pulse->was_away = true; /* nobody to wait for */
        pulse->host->started(pulse->host->user, false);
    }
    if (pulse->context == NULL || pa_context_get_state(pulse->context) != PA_CONTEXT_READY)
        return;
    if (pulse->play && !PA_STREAM_IS_GOOD(pa_stream_get_state(pulse->play)))
        drop_stream(&pulse->play);
    if (pulse->record && !PA_STREAM_IS_GOOD(pa_stream_get_state(pulse->record)))
        drop_stream(&pulse->record);
    if (wants_output(pulse) && pulse->play == NULL)
        start_playing(pulse);
    else
        cork(pulse, !wants_output(pulse));
    if (!atomic_load(&pulse->input))
        drop_stream(&pulse->record);
    else if (pulse->record == NULL)
        start_recording(pulse);
}

/* --- the server --- */

static void connect_server(AudioPulse *pulse);

static void
try_again(pa_mainloop_api *api, pa_time_event *event, const struct timeval *time, void *user)
{
    AudioPulse *pulse = user;

    api->time_free(event);
    pulse->retry = NULL;
    connect_server(pulse);
}

static void
leave_server(AudioPulse *pulse)
{
    drop_stream(&pulse->play);
    drop_stream(&pulse->record);
    if (pulse->context == NULL)
        return;
    pa_context_set_state_callback(pulse->context, NULL, NULL);
    pa_context_disconnect(pulse->context);
    pa_context_unref(pulse->context);
    pulse->context = NULL;
}

static void
server_is_away(AudioPulse *pulse, int code)
{
    pa_mainloop_api *api = pa_mainloop_get_api(pulse->loop);
    g_autofree char *message = NULL;
    struct timeval when;

    leave_server(pulse);
    if (pulse->retry == NULL) {
        pa_timeval_add(pa_gettimeofday(&when), RETRY_US);
        pulse->retry = api->time_new(api, &when, try_again, pulse);
    }
    if (pulse->told)
        return;
    pulse->told = true;
    message =
        g_strdup_printf("The sound server cannot be reached (%s). The machine goes on without "
                        "sound until it can.",
                        pa_strerror(code));
    pulse->host->problem(pulse->host->user, message);
}

static void
context_changed(pa_context *context, void *user)
{
    AudioPulse *pulse = user;

    switch (pa_context_get_state(context)) {
    case PA_CONTEXT_READY:
        if (pulse->told)
            pulse->host->log(pulse->host->user, "the sound server is there again");
        pulse->told = false;
        apply(pulse);
        break;
    case PA_CONTEXT_FAILED:
    case PA_CONTEXT_TERMINATED: server_is_away(pulse, pa_context_errno(context)); break;
    default: break;
    }
}

static void
connect_server(AudioPulse *pulse)
{
    pa_proplist *properties = pa_proplist_new();

    pa_proplist_sets(properties, PA_PROP_APPLICATION_NAME, "Vitrine");
    pa_proplist_sets(properties, PA_PROP_APPLICATION_ICON_NAME, "vitrine");
    pa_proplist_sets(properties, PA_PROP_MEDIA_ROLE, "production");
    pulse->context =
        pa_context_new_with_proplist(pa_mainloop_get_api(pulse->loop), "Vitrine", properties);
    pa_proplist_free(properties);
    pa_context_set_state_callback(pulse->context, context_changed, pulse);
    if (pa_context_connect(pulse->context, NULL, PA_CONTEXT_NOAUTOSPAWN, NULL) < 0 &&
        pulse->context)
        server_is_away(pulse, pa_context_errno(pulse->context));
}

/* --- the thread, and what others tell it --- */

static gpointer
pulse_thread(gpointer user)
{
    AudioPulse *pulse = user;

    if (!base_thread_take_first_turns()) {
        base_thread_take_short_turns();
        pulse->late_thread = base_thread_id();
    }
    base_waiter_wake(pulse->begun);
    connect_server(pulse);
    while (!atomic_load(&pulse->quit)) {
        pa_mainloop_iterate(pulse->loop, 1, NULL);
        apply(pulse);
    }
    leave_server(pulse);
    return NULL;
}

static void
pulse_set_output(void *backend, bool on)
{
    AudioPulse *pulse = backend;

    atomic_store(&pulse->off, !on);
    if (on)
        atomic_fetch_add(&pulse->starts, 1);
    pa_mainloop_wakeup(pulse->loop);
}

static void
pulse_set_input(void *backend, bool on)
{
    AudioPulse *pulse = backend;

    atomic_store(&pulse->input, on);
    pa_mainloop_wakeup(pulse->loop);
}

static void
pulse_close(void *backend)
{
    AudioPulse *pulse = backend;

    atomic_store(&pulse->quit, true);
    pa_mainloop_wakeup(pulse->loop);
    g_thread_join(pulse->thread);
    if (pulse->retry)
        pa_mainloop_get_api(pulse->loop)->time_free(pulse->retry);
    pa_mainloop_free(pulse->loop);
    base_waiter_free(pulse->begun);
    g_free(pulse);
}

static uint64_t
pulse_late_thread(void *backend)
{
    return ((AudioPulse *)backend)->late_thread;
}

static void *
pulse_open(const AudioHost *host, GError **error)
{
    AudioPulse *pulse = g_new0(AudioPulse, 1);

    pulse->host = host;
    pulse->loop = pa_mainloop_new();
    pulse->begun = base_waiter_new();
    pulse->thread = g_thread_new("audio-pulse", pulse_thread, pulse);
    base_waiter_wait_until(pulse->begun, UINT64_MAX);
    return pulse;
}

const AudioBackendInfo audio_pulse_backend = {
    .name = "pulse",
    .title = "PulseAudio",
    .tells_start = true,
    .has_queue = true,
    .open = pulse_open,
    .set_output = pulse_set_output,
    .set_input = pulse_set_input,
    .late_thread = pulse_late_thread,
    .close = pulse_close,
};
