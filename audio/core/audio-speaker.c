/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The driver "speaker": the PC's speaker, as a stream of the sound card's driver. The line is
 * high or low from tick to tick of the timer chip (devices/chipset/i8254.c). Each sample is the
 * share of its time in which the line was high, at four times the host's rate; the mixer's
 * resampler takes away what is above hearing, so that also a line that the guest switches quickly
 * (sound by pulse width) is what it was meant to be. Like a capacitor in front of a speaker, a
 * high-pass takes away what stands still. Its volume is fixed: a card's mixer has no part in it. A
 * machine without a card has no such driver. */
#include "audio/audio.h"

#define RATE 192000u
#define CHUNK 512u      /* frames */
#define LOUDNESS 16384  /* of a step, as a sample */
#define SETTLES 0.015f  /* seconds: of the high-pass */
#define REST_AFTER 0.1  /* seconds without a change */
#define BEHIND_MAX 0.25 /* seconds: more is lost, the machine stood still */

typedef struct {
    PdmDriver *driver;
    PdmSpeakerConnector connector;
    const AudioConnector *audio;
    AudioStream *stream;
    bool awake;       /* the line is followed */
    bool running;     /* it has changed lately */
    bool level;       /* of the line before `at` */
    uint64_t at;      /* tick up to which it is known */
    uint64_t changed; /* tick of its last change */
    uint64_t room;    /* of the sample under way, in parts of a tick: RATE are one */
    uint64_t high;    /* how many parts of it the line was high */
    float mean;       /* what the high-pass takes away */
    int16_t out[CHUNK];
    unsigned count;
} Speaker;

static const PdmSpeakerPort *
line_of(const Speaker *speaker)
{
    return speaker->driver->port;
}

static void
flush(Speaker *speaker)
{
    if (speaker->count != 0)
        speaker->audio->write(speaker->stream, speaker->out,
                              speaker->count * sizeof speaker->out[0]);
    speaker->count = 0;
}

static void
end_sample(Speaker *speaker)
{
    const uint32_t hz = line_of(speaker)->hz;
    const float value = (float)speaker->high / (float)hz;

    speaker->out[speaker->count++] = (int16_t)((value - speaker->mean) * LOUDNESS);
    speaker->mean += (value - speaker->mean) / (SETTLES * RATE);
    speaker->room = hz;
    speaker->high = 0;
    if (speaker->count == CHUNK)
        flush(speaker);
}

static void
add(Speaker *speaker, uint64_t ticks)
{
    uint64_t parts = ticks * RATE;

    while (parts >= speaker->room) {
        parts -= speaker->room;
        speaker->high += speaker->level ? speaker->room : 0;
        end_sample(speaker);
    }
    speaker->room -= parts;
    speaker->high += speaker->level ? parts : 0;
}

static void
set_running(Speaker *speaker, bool on)
{
    static const AudioFormat format = {.rate = RATE, .channels = 1, .sample = AUDIO_S16};

    speaker->running = on;
    if (on) {
        speaker->audio->set_format(speaker->stream, &format);
        speaker->room = line_of(speaker)->hz;
        speaker->high = 0;
        speaker->mean = speaker->level;
    }
    speaker->audio->run(speaker->stream, on);
}

/* From `at` to a tick, over all changes. */
static void
follow(Speaker *speaker, uint64_t tick)
{
    const PdmSpeakerPort *line = line_of(speaker);

    while (speaker->at < tick) {
        uint64_t until;
        bool level = line->level(line->user, speaker->at, &until);

        if (level != speaker->level) {
            if (!speaker->running)
                set_running(speaker, true);
            speaker->changed = speaker->at;
            speaker->level = level;
        }
        until = MIN(until, tick);
        if (speaker->running)
            add(speaker, until - speaker->at);
        speaker->at = until;
    }
    flush(speaker);
}

static void
wake(Speaker *speaker, uint64_t tick)
{
    const PdmSpeakerPort *line = line_of(speaker);
    uint64_t until;

    speaker->awake = true;
    speaker->at = speaker->changed = tick;
    speaker->level = line->level(line->user, tick, &until);
}

static bool
speaker_play(void *user, uint64_t tick)
{
    Speaker *speaker = user;
    const uint32_t hz = line_of(speaker)->hz;
    const uint64_t behind_max = (uint64_t)(BEHIND_MAX * hz);

    if (speaker->audio == NULL) {
        speaker->audio = pdm_driver_find_object(speaker->driver, AUDIO_OBJECT, 0);
        if (speaker->audio == NULL)
            return false;
        speaker->stream = speaker->audio->open(speaker->audio->user, AUDIO_OUTPUT, "speaker");
    }
    if (!speaker->awake)
        wake(speaker, tick);
    if (tick > behind_max)
        speaker->at = MAX(speaker->at, tick - behind_max);
    follow(speaker, tick);
    if ((double)(tick - speaker->changed) > REST_AFTER * hz) {
        speaker->awake = false;
        if (speaker->running)
            set_running(speaker, false);
    }
    return speaker->awake;
}

static bool
speaker_construct(PdmDriver *driver, const CfgmNode *config, GError **error)
{
    Speaker *speaker = driver->data;

    speaker->driver = driver;
    speaker->connector = (PdmSpeakerConnector){.user = speaker, .play = speaker_play};
    driver->connector = &speaker->connector;
    return true;
}

const PdmDriverInfo speaker_driver = {
    .abi = PDM_ABI_VERSION,
    .name = "speaker",
    .title = "PC speaker",
    .interface = PDM_IF_SPEAKER,
    .instance_size = sizeof(Speaker),
    .construct = speaker_construct,
};
