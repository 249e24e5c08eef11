/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The HD Audio controller's streams (chapters 3.6 and 4.5): cyclic buffers described by a list,
 * worked through at the pace of their format. */
#include "devices/sound/hda-private.h"

#define CHUNK 4096u /* bytes */
#define INTERVAL_MIN_NS 500000u
/* So many buffers of no length in a row, and the rest of the ring is left for the next time. */
#define EMPTY_MAX 256u

typedef struct {
    uint64_t address;
    uint32_t length;
    bool interrupts;
} Buffer;

static bool
is_running(const HdaStream *stream)
{
    return stream->hda->regs[hda_sd(stream)] & HDA_SD_RUN;
}

static bool
is_input(const HdaStream *stream)
{
    return stream->index < HDA_INPUTS;
}

/* Chapter 3.7.1. */
static AudioFormat
decode_format(uint32_t value)
{
    static const AudioSample samples[8] = {AUDIO_U8,  AUDIO_S16, AUDIO_S32, AUDIO_S32,
                                           AUDIO_S32, AUDIO_S32, AUDIO_S32, AUDIO_S32};
    uint32_t base = value & 0x4000 ? 44100 : 48000;

    return (AudioFormat){.rate = CLAMP(base * ((value >> 11 & 7) + 1) / ((value >> 8 & 7) + 1),
                                       AUDIO_RATE_MIN, AUDIO_RATE_MAX),
                         .channels = MIN((value & 15) + 1, AUDIO_CHANNELS_MAX),
                         .sample = samples[value >> 4 & 7]};
}

static unsigned
tag_of(const HdaStream *stream)
{
    return stream->hda->regs[hda_sd(stream) + 2] >> 4;
}

static void
start(HdaStream *stream)
{
    Hda *hda = stream->hda;

    stream->format = decode_format(hda_get(hda, hda_sd(stream) + HDA_SDFMT, 2));
    sound_pace_start(&stream->pace, pdm_now(hda->device), stream->format.rate);
    if (hda->audio == NULL)
        return;
    hda->audio->set_format(stream->audio, &stream->format);
    hda->audio->run(stream->audio, is_running(stream));
}

void
hda_streams_volume(Hda *hda)
{
    for (unsigned i = 0; i < HDA_STREAMS && hda->audio; i++) {
        HdaStream *stream = &hda->streams[i];
        float left, right;

        hda_codec_volume(hda, is_input(stream) ? AUDIO_INPUT : AUDIO_OUTPUT, tag_of(stream), &left,
                         &right);
        hda->audio->set_volume(stream->audio, left, right);
    }
}

static Buffer
fetch(const HdaStream *stream)
{
    const Hda *hda = stream->hda;
    unsigned sd = hda_sd(stream);
    uint64_t list = hda_get(hda, sd + HDA_SDBDPL, 4) | (uint64_t)hda_get(hda, sd + HDA_SDBDPU, 4)
                                                           << 32;
    uint32_t raw[4];

    pdm_phys_read(hda->device, list + stream->entry * sizeof raw, raw, sizeof raw);
    return (Buffer){.address = GUINT32_FROM_LE(raw[0]) | (uint64_t)GUINT32_FROM_LE(raw[1]) << 32,
                    .length = GUINT32_FROM_LE(raw[2]),
                    .interrupts = GUINT32_FROM_LE(raw[3]) & 1};
}

static void
set_position(HdaStream *stream, uint32_t position)
{
    Hda *hda = stream->hda;
    uint64_t where = hda_get(hda, HDA_DPLBASE, 4) | (uint64_t)hda_get(hda, HDA_DPUBASE, 4) << 32;
    uint32_t raw = GUINT32_TO_LE(position);

    hda_set(hda, hda_sd(stream) + HDA_SDLPIB, 4, position);
    if (where & 1)
        pdm_phys_write(hda->device, (where & ~0x7full) + 8 * stream->index, &raw, sizeof raw);
}

static void
move(HdaStream *stream, uint64_t address, uint32_t size)
{
    Hda *hda = stream->hda;
    uint8_t data[CHUNK] = {0};

    if (is_input(stream)) {
        if (hda->audio)
            hda->audio->read(stream->audio, data, size);
        pdm_phys_write(hda->device, address, data, size);
    } else {
        pdm_phys_read(hda->device, address, data, size);
        if (hda->audio)
            hda->audio->write(stream->audio, data, size);
    }
}

/* The buffer's end: the next one, or the first again. */
static void
complete(HdaStream *stream, const Buffer *buffer)
{
    Hda *hda = stream->hda;
    unsigned sd = hda_sd(stream);

    if (buffer->interrupts)
        hda->regs[sd + HDA_SDSTS] |= HDA_SD_BCIS;
    stream->done = 0;
    stream->entry = stream->entry >= hda->regs[sd + HDA_SDLVI] ? 0 : stream->entry + 1;
    if (stream->entry == 0)
        set_position(stream, 0);
}

static void
run_stream(HdaStream *stream)
{
    Hda *hda = stream->hda;
    uint32_t frame = (uint32_t)audio_frame_size(&stream->format), empty = 0;
    uint32_t cycle = hda_get(hda, hda_sd(stream) + HDA_SDCBL, 4);
    uint64_t now = pdm_now(hda->device), due;
    Buffer buffer;

    if (!is_input(stream) && sound_pace_waits(&stream->pace, hda->audio, stream->audio, now))
        return;
    due = sound_pace_due(&stream->pace, now);
    buffer = fetch(stream);

    while (due != 0 && empty < EMPTY_MAX) {
        uint32_t left = buffer.length > stream->done ? buffer.length - stream->done : 0;
        uint32_t frames = (uint32_t)MIN(MIN(due, left / frame), CHUNK / frame);
        uint32_t position = hda_get(hda, hda_sd(stream) + HDA_SDLPIB, 4);

        if (frames != 0) {
            move(stream, buffer.address + stream->done, frames * frame);
            sound_pace_moved(&stream->pace, frames);
            stream->done += frames * frame;
            due -= frames;
            position += frames * frame;
            set_position(stream, cycle && position >= cycle ? position % cycle : position);
            empty = 0;
        }
        if (left - frames * frame < frame) {
            complete(stream, &buffer);
            buffer = fetch(stream);
            empty++;
        }
    }
    hda_update_irq(hda);
}

void
hda_streams_run(Hda *hda)
{
    uint64_t now = pdm_now(hda->device), next = UINT64_MAX;

    for (unsigned i = 0; i < HDA_STREAMS; i++) {
        HdaStream *stream = &hda->streams[i];
        Buffer buffer;

        if (!is_running(stream))
            continue;
        run_stream(stream);
        buffer = fetch(stream);
        next = MIN(next, now + AUDIO_PERIOD_NS);
        if (buffer.length > stream->done)
            next = MIN(next, sound_pace_when(&stream->pace, (buffer.length - stream->done) /
                                                                audio_frame_size(&stream->format)));
    }
    if (next != UINT64_MAX)
        pdm_timer_set(hda->device, hda->timer, MAX(next, now + INTERVAL_MIN_NS));
    else
        pdm_timer_cancel(hda->device, hda->timer);
}

/* Chapter 3.3.35: the reset bit reads back as written; the guest waits for both. */
void
hda_stream_reset(HdaStream *stream)
{
    Hda *hda = stream->hda;
    unsigned sd = hda_sd(stream);

    hda_set(hda, sd + HDA_SDCTL, 3, 0x040000 | HDA_SD_SRST);
    hda->regs[sd + HDA_SDSTS] = 0;
    hda_set(hda, sd + HDA_SDLPIB, 4, 0);
    hda_set(hda, sd + HDA_SDCBL, 4, 0);
    hda_set(hda, sd + HDA_SDLVI, 2, 0);
    hda_set(hda, sd + HDA_SDFMT, 2, 0);
    hda_set(hda, sd + HDA_SDBDPL, 4, 0);
    hda_set(hda, sd + HDA_SDBDPU, 4, 0);
    stream->entry = stream->done = 0;
}

void
hda_stream_control(HdaStream *stream, uint32_t before)
{
    Hda *hda = stream->hda;
    uint8_t *control = &hda->regs[hda_sd(stream)];

    if (*control & HDA_SD_SRST && !(before & HDA_SD_SRST))
        hda_stream_reset(stream);
    if (*control & HDA_SD_SRST)
        *control &= (uint8_t)~HDA_SD_RUN;
    start(stream);
    hda_streams_volume(hda);
}

void
hda_streams_reset(Hda *hda)
{
    for (unsigned i = 0; i < HDA_STREAMS; i++) {
        hda->streams[i].entry = hda->streams[i].done = 0;
        start(&hda->streams[i]);
    }
    hda_streams_run(hda);
}

void
hda_streams_loaded(Hda *hda)
{
    for (unsigned i = 0; i < HDA_STREAMS; i++)
        start(&hda->streams[i]);
    hda_streams_volume(hda);
    hda_streams_run(hda);
}
