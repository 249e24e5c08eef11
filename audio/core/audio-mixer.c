/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The mixer: gives the back end the sum of what all output streams play, and all input streams what
 * the back end recorded; tells the back end when nobody plays or records. */
#include "audio/core/audio-private.h"

#include <inttypes.h>
#include <string.h>

#define IDLE_FRAMES AUDIO_HOST_RATE /* silence of a second: the host's stream may rest */

/* --- for back ends --- */

static bool
mixer_pull(void *user, float *frames, size_t count)
{
    AudioMixer *mixer = user;
    bool is_heard = false, go_on;

    memset(frames, 0, 2 * count * sizeof *frames);
    g_mutex_lock(&mixer->lock);
    for (unsigned i = 0; i < mixer->stream_count && count != 0; i++) {
        AudioStream *stream = &mixer->streams[i];

        if (stream->direction != AUDIO_OUTPUT || mixer->paused || !mixer->output)
            continue;
        is_heard |= stream->running || stream->ring.fill != 0;
        audio_stream_play(stream, frames, count);
    }
    mixer->idle = is_heard ? 0 : MIN(mixer->idle + count, IDLE_FRAMES);
    go_on = mixer->idle < IDLE_FRAMES;
    if (!go_on)
        mixer->output_on = false;
    g_mutex_unlock(&mixer->lock);
    for (size_t i = 0; i < 2 * count; i++)
        frames[i] = CLAMP(frames[i], -1.0f, 1.0f);
    return go_on;
}

static size_t
mixer_ready(void *user, size_t count)
{
    AudioMixer *mixer = user;

    g_mutex_lock(&mixer->lock);
    for (unsigned i = 0; i < mixer->stream_count && mixer->output && !mixer->paused; i++) {
        if (mixer->streams[i].direction == AUDIO_OUTPUT)
            count = audio_stream_ready(&mixer->streams[i], count);
    }
    g_mutex_unlock(&mixer->lock);
    return count;
}

static void
mixer_push(void *user, const float *frames, size_t count)
{
    AudioMixer *mixer = user;

    g_mutex_lock(&mixer->lock);
    for (unsigned i = 0; i < mixer->stream_count; i++) {
        AudioStream *stream = &mixer->streams[i];

        if (stream->direction == AUDIO_INPUT && stream->running && mixer->input && !mixer->paused)
            audio_stream_record(stream, frames, count);
    }
    g_mutex_unlock(&mixer->lock);
}

/* A host that comes back after it was away hears what is played now. */
static void
mixer_started(void *user, bool again)
{
    AudioMixer *mixer = user;

    g_mutex_lock(&mixer->lock);
    for (unsigned i = 0; i < mixer->stream_count && mixer->started && again; i++) {
        if (mixer->streams[i].direction == AUDIO_OUTPUT)
            audio_stream_trim(&mixer->streams[i]);
    }
    mixer->started = true;
    g_mutex_unlock(&mixer->lock);
}

static void
mixer_problem(void *user, const char *message)
{
    const AudioMixer *mixer = user;

    mixer->options.problem(mixer->options.user, message);
}

static void
mixer_log(void *user, const char *line)
{
    const AudioMixer *mixer = user;

    mixer->options.log(mixer->options.user, line);
}

/* --- what the back end has to do --- */

static bool
any_runs(const AudioMixer *mixer, AudioDirection direction)
{
    for (unsigned i = 0; i < mixer->stream_count; i++) {
        if (mixer->streams[i].direction == direction && mixer->streams[i].running)
            return true;
    }
    return false;
}

static void
tell_backend(AudioMixer *mixer)
{
    bool output = mixer->output && !mixer->paused && any_runs(mixer, AUDIO_OUTPUT);
    bool input = mixer->input && !mixer->paused && any_runs(mixer, AUDIO_INPUT);

    /* What has stopped is still heard to its end: then pull() says that it may rest. */
    if (!output && mixer->output && !mixer->paused)
        output = mixer->output_on;
    if (output)
        mixer->idle = 0;
    if (output && !mixer->output_on) {
        mixer->started = !mixer->info->tells_start;
        mixer->told_at = g_get_monotonic_time();
    }
    if (output != mixer->output_on)
        mixer->info->set_output(mixer->backend, output);
    if (input != mixer->input_on)
        mixer->info->set_input(mixer->backend, input);
    mixer->output_on = output;
    mixer->input_on = input;
}

static void
flush_all(AudioMixer *mixer, AudioDirection direction)
{
    for (unsigned i = 0; i < mixer->stream_count; i++) {
        if (mixer->streams[i].direction == direction)
            audio_stream_flush(&mixer->streams[i]);
    }
}

void
audio_mixer_pause(AudioMixer *mixer, bool paused)
{
    g_mutex_lock(&mixer->lock);
    mixer->paused = paused;
    if (paused)
        flush_all(mixer, AUDIO_INPUT);
    tell_backend(mixer);
    g_mutex_unlock(&mixer->lock);
}

/* --- for cards --- */

static AudioStream *
mixer_open(void *user, AudioDirection direction, const char *name)
{
    AudioMixer *mixer = user;
    AudioStream *stream = NULL;

    g_mutex_lock(&mixer->lock);
    if (mixer->stream_count < AUDIO_STREAMS_MAX) {
        stream = &mixer->streams[mixer->stream_count];
        if (audio_stream_init(stream, mixer, direction, name))
            mixer->stream_count++;
        else
            stream = NULL;
    }
    g_mutex_unlock(&mixer->lock);
    if (stream == NULL)
        g_error("audio: no memory for the stream %s", name);
    return stream;
}

static void
mixer_set_format(AudioStream *stream, const AudioFormat *format)
{
    g_mutex_lock(&stream->mixer->lock);
    audio_stream_set_format(stream, format);
    g_mutex_unlock(&stream->mixer->lock);
}

static void
mixer_set_volume(AudioStream *stream, float left, float right)
{
    g_mutex_lock(&stream->mixer->lock);
    stream->volume[0] = CLAMP(left, 0.0f, 8.0f);
    stream->volume[1] = CLAMP(right, 0.0f, 8.0f);
    g_mutex_unlock(&stream->mixer->lock);
}

static void
mixer_run(AudioStream *stream, bool on)
{
    AudioMixer *mixer = stream->mixer;

    g_mutex_lock(&mixer->lock);
    if (stream->running != on) {
        stream->running = on;
        if (stream->direction == AUDIO_INPUT)
            audio_stream_flush(stream);
        tell_backend(mixer);
    }
    g_mutex_unlock(&mixer->lock);
}

static void
mixer_write(AudioStream *stream, const void *frames, size_t size)
{
    AudioMixer *mixer = stream->mixer;

    g_mutex_lock(&mixer->lock);
    if (mixer->output_on)
        audio_stream_write(stream, frames, size);
    g_mutex_unlock(&mixer->lock);
    atomic_fetch_add_explicit(&mixer->activity.bytes_written, size, memory_order_relaxed);
    atomic_fetch_add_explicit(&mixer->activity.writes, 1, memory_order_relaxed);
}

static bool
mixer_is_ready(AudioStream *stream)
{
    AudioMixer *mixer = stream->mixer;
    bool ready;

    g_mutex_lock(&mixer->lock);
    ready = mixer->started || !mixer->output_on ||
            g_get_monotonic_time() - mixer->told_at > AUDIO_START_MAX_NS / 1000;
    g_mutex_unlock(&mixer->lock);
    return ready;
}

static void
mixer_read(AudioStream *stream, void *frames, size_t size)
{
    AudioMixer *mixer = stream->mixer;

    g_mutex_lock(&mixer->lock);
    audio_stream_read(stream, frames, size);
    g_mutex_unlock(&mixer->lock);
    atomic_fetch_add_explicit(&mixer->activity.bytes_read, size, memory_order_relaxed);
    atomic_fetch_add_explicit(&mixer->activity.reads, 1, memory_order_relaxed);
}

static void
mixer_enable(void *user, bool output, bool input)
{
    AudioMixer *mixer = user;

    g_mutex_lock(&mixer->lock);
    mixer->output = output;
    mixer->input = input;
    if (!output)
        flush_all(mixer, AUDIO_OUTPUT);
    if (!input)
        flush_all(mixer, AUDIO_INPUT);
    tell_backend(mixer);
    g_mutex_unlock(&mixer->lock);
}

static uint64_t
mixer_late_thread(void *user)
{
    const AudioMixer *mixer = user;

    return mixer->info->late_thread ? mixer->info->late_thread(mixer->backend) : 0;
}

const AudioConnector *
audio_mixer_connector(AudioMixer *mixer)
{
    return &mixer->connector;
}

void *
audio_mixer_backend(AudioMixer *mixer)
{
    return mixer->backend;
}

AudioMixerCounts
audio_mixer_counts(AudioMixer *mixer)
{
    AudioMixerCounts counts;

    g_mutex_lock(&mixer->lock);
    counts = mixer->counts;
    g_mutex_unlock(&mixer->lock);
    return counts;
}

/* --- life --- */

AudioMixer *
audio_mixer_new(const AudioBackendInfo *backend, const AudioMixerOptions *options, GError **error)
{
    g_autoptr(AudioMixer) mixer = g_new0(AudioMixer, 1);

    g_mutex_init(&mixer->lock);
    mixer->info = backend;
    mixer->options = *options;
    mixer->output = options->output;
    mixer->input = options->input;
    mixer->host = (AudioHost){.user = mixer,
                              .machine = g_strdup(options->machine ? options->machine : ""),
                              .card = g_strdup(options->card ? options->card : ""),
                              .file = g_strdup(options->file),
                              .pull = mixer_pull,
                              .ready = mixer_ready,
                              .push = mixer_push,
                              .started = mixer_started,
                              .problem = mixer_problem,
                              .log = mixer_log};
    mixer->connector = (AudioConnector){.user = mixer,
                                        .open = mixer_open,
                                        .set_format = mixer_set_format,
                                        .set_volume = mixer_set_volume,
                                        .run = mixer_run,
                                        .write = mixer_write,
                                        .is_ready = mixer_is_ready,
                                        .read = mixer_read,
                                        .enable = mixer_enable,
                                        .late_thread = mixer_late_thread,
                                        .activity = &mixer->activity};
    mixer->backend = backend->open(&mixer->host, error);
    return mixer->backend ? g_steal_pointer(&mixer) : NULL;
}

static void
log_counts(const AudioMixer *mixer)
{
    g_autofree char *line = NULL;

    if (mixer->counts.starved == 0 && mixer->counts.dropped == 0)
        return;
    line = g_strdup_printf("%s: the queue ran dry %" PRIu64 " times, and %" PRIu64
                           " frames came at a wrong time",
                           mixer->host.card, mixer->counts.starved, mixer->counts.dropped);
    mixer->options.log(mixer->options.user, line);
}

void
audio_mixer_free(AudioMixer *mixer)
{
    if (mixer == NULL)
        return;
    if (mixer->backend)
        mixer->info->close(mixer->backend);
    log_counts(mixer);
    for (unsigned i = 0; i < mixer->stream_count; i++)
        audio_stream_clear(&mixer->streams[i]);
    g_free((char *)mixer->host.machine);
    g_free((char *)mixer->host.card);
    g_free((char *)mixer->host.file);
    g_mutex_clear(&mixer->lock);
    g_free(mixer);
}
