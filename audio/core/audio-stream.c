/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * One stream between a card and the mixer: a queue at the card's rate, and a resampler that runs a
 * little fast or slow so that the queue stays as full as it ought to be. */
#include "audio/core/audio-convert.h"
#include "audio/core/audio-private.h"

#include <math.h>
#include <string.h>

#define CHUNK 512u /* frames */
#define RING_SECONDS 0.5
#define BEHIND_SECONDS 0.010
/* A card that was late has caught up by then. */
#define BEHIND_OVER 0.100
#define QUALITY 5 /* of speexdsp, 0 to 10 */
/* The resampler multiplies denominators in 32 bits when its ratio changes. */
#define DENOMINATOR_MAX 65535u

static double
seconds_held(const AudioStream *stream)
{
    return (double)stream->ring.fill / stream->format.rate;
}

/* The fraction nearest to x whose denominator is small enough: x's continued fraction, as far as it
 * fits. */
static void
nearest_ratio(double x, spx_uint32_t *num, spx_uint32_t *den)
{
    double rest = x;
    uint64_t n0 = 0, n1 = 1, d0 = 1, d1 = 0;

    for (unsigned i = 0; i < 32; i++) {
        uint64_t whole = (uint64_t)rest, n = whole * n1 + n0, d = whole * d1 + d0;

        if (d > DENOMINATOR_MAX)
            break;
        n0 = n1;
        n1 = n;
        d0 = d1;
        d1 = d;
        if (rest - (double)whole < 1e-9)
            break;
        rest = 1 / (rest - (double)whole);
    }
    *num = (spx_uint32_t)n1;
    *den = (spx_uint32_t)d1;
}

static void
set_rates(AudioStream *stream)
{
    bool out = stream->direction == AUDIO_OUTPUT;
    uint32_t from = out ? stream->format.rate : AUDIO_HOST_RATE;
    uint32_t to = out ? AUDIO_HOST_RATE : stream->format.rate;
    spx_uint32_t num, den;

    nearest_ratio((double)from / to * (1 + stream->drift.correction), &num, &den);
    speex_resampler_set_rate_frac(stream->resampler, num, den, from, to);
}

bool
audio_stream_init(AudioStream *stream, AudioMixer *mixer, AudioDirection direction,
                  const char *name)
{
    const AudioFormat usual = {.rate = AUDIO_HOST_RATE, .channels = 2, .sample = AUDIO_S16};

    *stream = (AudioStream){
        .mixer = mixer, .direction = direction, .name = name, .volume = {1, 1}, .gain = {1, 1}};
    stream->resampler = speex_resampler_init(2, AUDIO_HOST_RATE, AUDIO_HOST_RATE, QUALITY, NULL);
    if (stream->resampler == NULL)
        return false;
    if (mixer->info->queue_ms != 0)
        audio_drift_init(&stream->drift, mixer->info->queue_ms / 1000.0,
                         mixer->info->queue_ms / 1000.0);
    else if (mixer->info->has_queue && direction == AUDIO_OUTPUT)
        audio_drift_init(&stream->drift, AUDIO_TARGET_BEFORE_QUEUE, AUDIO_SPARE_BEFORE_QUEUE);
    else
        audio_drift_init(&stream->drift, AUDIO_TARGET_SECONDS, AUDIO_SPARE_SECONDS);
    audio_stream_set_format(stream, &usual);
    return true;
}

void
audio_stream_clear(AudioStream *stream)
{
    g_clear_pointer(&stream->resampler, speex_resampler_destroy);
    audio_ring_clear(&stream->ring);
}

void
audio_stream_flush(AudioStream *stream)
{
    audio_ring_drop(&stream->ring, stream->ring.fill);
    speex_resampler_reset_mem(stream->resampler);
    stream->primed = stream->behind = false;
}

void
audio_stream_set_format(AudioStream *stream, const AudioFormat *format)
{
    AudioFormat now = {.rate = CLAMP(format->rate, AUDIO_RATE_MIN, AUDIO_RATE_MAX),
                       .channels = CLAMP(format->channels, 1, AUDIO_CHANNELS_MAX),
                       .sample = MIN(format->sample, AUDIO_S32)};

    if (stream->ring.size != 0 && now.rate == stream->format.rate) {
        stream->format = now; /* the queue's frames are as before */
        return;
    }
    stream->format = now;
    audio_ring_resize(&stream->ring, (size_t)(RING_SECONDS * now.rate));
    set_rates(stream);
    audio_stream_flush(stream);
}

/* Frames that the queue ought to hold. */
static size_t
target_of(const AudioStream *stream)
{
    return (size_t)(audio_drift_target(&stream->drift) * stream->format.rate);
}

void
audio_stream_trim(AudioStream *stream)
{
    size_t target = target_of(stream);

    if (stream->ring.fill <= target)
        return;
    stream->mixer->counts.dropped += stream->ring.fill - target;
    audio_ring_drop(&stream->ring, stream->ring.fill - target);
    audio_drift_start(&stream->drift, seconds_held(stream));
}

/* A delay that no correction would cure in time, or that a gap would leave: the oldest go. */
static void
keep_within_limit(AudioStream *stream)
{
    const double limit = stream->behind ? audio_drift_target(&stream->drift) + BEHIND_SECONDS
                                        : audio_drift_limit(&stream->drift);

    if (seconds_held(stream) >= limit)
        audio_stream_trim(stream);
}

/* The queue was empty and holds enough now, or as much as will come. */
static bool
is_primed(AudioStream *stream, bool more_will_come)
{
    if (!stream->primed && stream->ring.fill != 0 &&
        (!more_will_come || stream->ring.fill >= target_of(stream))) {
        stream->primed = true;
        audio_drift_start(&stream->drift, seconds_held(stream));
    }
    return stream->primed;
}

/* So many seconds are going to be taken. */
static void
follow(AudioStream *stream, double taken)
{
    if (audio_drift_step(&stream->drift, seconds_held(stream), taken))
        set_rates(stream);
    stream->behind = stream->behind && stream->drift.looked < BEHIND_OVER;
}

static void
ran_dry(AudioStream *stream)
{
    stream->primed = false;
    if (!stream->running)
        return;
    stream->behind = true;
    stream->mixer->counts.starved++;
    audio_drift_starved(&stream->drift);
}

size_t
audio_stream_ready(const AudioStream *stream, size_t count)
{
    /* The resampler may want one frame more than the rates say. */
    const double held = fmax((double)stream->ring.fill - 1, 0);

    if (!stream->running || !stream->primed)
        return count;
    return (size_t)fmin((double)count, held * AUDIO_HOST_RATE / stream->format.rate);
}

void
audio_stream_write(AudioStream *stream, const uint8_t *frames, size_t size)
{
    size_t step = audio_frame_size(&stream->format), left = size / step, count;

    while ((count = left) != 0) {
        float *room = audio_ring_room(&stream->ring, &count);

        if (count == 0)
            break;
        audio_convert_from(&stream->format, frames, room, count);
        audio_ring_added(&stream->ring, count);
        frames += count * step;
        left -= count;
    }
    stream->mixer->counts.dropped += left;
    keep_within_limit(stream);
}

/* Adds frames with the stream's volume, which goes from where it was to where it shall be. */
static void
add(const float gain[2], const float step[2], const float *in, float *mix, size_t from,
    size_t count)
{
    for (size_t i = 0; i < count; i++) {
        mix[2 * i] += in[2 * i] * (gain[0] + step[0] * (float)(from + i));
        mix[2 * i + 1] += in[2 * i + 1] * (gain[1] + step[1] * (float)(from + i));
    }
}

void
audio_stream_play(AudioStream *stream, float *mix, size_t count)
{
    float work[2 * CHUNK];
    float step[2] = {(stream->volume[0] - stream->gain[0]) / (float)count,
                     (stream->volume[1] - stream->gain[1]) / (float)count};
    size_t done = 0;

    if (!is_primed(stream, stream->running))
        return;
    follow(stream, (double)count / AUDIO_HOST_RATE);
    while (done < count && stream->ring.fill != 0) {
        size_t run = stream->ring.fill;
        const float *in = audio_ring_peek(&stream->ring, &run);
        spx_uint32_t taken = (spx_uint32_t)run, made = (spx_uint32_t)MIN(count - done, CHUNK);

        speex_resampler_process_interleaved_float(stream->resampler, in, &taken, work, &made);
        audio_ring_drop(&stream->ring, taken);
        add(stream->gain, step, work, mix + 2 * done, done, made);
        done += made;
        if (taken == 0 && made == 0)
            break;
    }
    memcpy(stream->gain, stream->volume, sizeof stream->gain);
    if (done < count)
        ran_dry(stream);
}

void
audio_stream_record(AudioStream *stream, const float *frames, size_t count)
{
    while (count != 0) {
        size_t run = stream->ring.size;
        float *room = audio_ring_room(&stream->ring, &run);
        spx_uint32_t taken = (spx_uint32_t)count, made = (spx_uint32_t)run;

        if (run == 0)
            break;
        speex_resampler_process_interleaved_float(stream->resampler, frames, &taken, room, &made);
        audio_ring_added(&stream->ring, made);
        frames += 2 * taken;
        count -= taken;
        if (taken == 0 && made == 0)
            break;
    }
    keep_within_limit(stream);
}

void
audio_stream_read(AudioStream *stream, uint8_t *frames, size_t size)
{
    static const float silence[1024] = {0};
    float work[2 * CHUNK];
    size_t step = audio_frame_size(&stream->format), left = size / step;

    if (is_primed(stream, true))
        follow(stream, (double)left / stream->format.rate);
    while (left != 0) {
        size_t count = left;
        const float *in = audio_ring_peek(&stream->ring, &count);
        bool is_silence = !stream->primed || count == 0;

        if (is_silence) {
            if (stream->primed)
                ran_dry(stream);
            in = silence;
            count = MIN(left, G_N_ELEMENTS(silence) / 2);
        }
        count = MIN(count, CHUNK);
        for (size_t i = 0; i < count; i++) {
            work[2 * i] = in[2 * i] * stream->volume[0];
            work[2 * i + 1] = in[2 * i + 1] * stream->volume[1];
        }
        audio_convert_to(&stream->format, work, frames, count);
        if (!is_silence)
            audio_ring_drop(&stream->ring, count);
        frames += count * step;
        left -= count;
    }
}
