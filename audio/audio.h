/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Sound as devices see it: PDM_IF_AUDIO, offered by the driver "audio" at the LUN of a sound card.
 * A card opens its streams when it is constructed, tells their format when the guest does, and
 * moves samples at the pace of the guest's clock; what the host's sound system makes of them, and
 * that its clock is another one, is the driver's affair. Manual, chapter "Configuring virtual
 * machines", section "Audio settings". */
#pragma once

#include "vmm/pdm/pdm.h"

typedef enum { AUDIO_OUTPUT, AUDIO_INPUT } AudioDirection;

/* Little-endian, a frame's channels one after the other. */
typedef enum { AUDIO_U8, AUDIO_S8, AUDIO_U16, AUDIO_S16, AUDIO_S32 } AudioSample;

#define AUDIO_RATE_MIN 2000u /* frames a second */
#define AUDIO_RATE_MAX 192000u
#define AUDIO_CHANNELS_MAX 8u

/* Channels: 1 mono, 2 left and right, then centre, low frequencies, and pairs behind. */
typedef struct {
    uint32_t rate;
    unsigned channels;
    AudioSample sample;
} AudioFormat;

/* Bytes of one frame. */
static inline size_t
audio_frame_size(const AudioFormat *format)
{
    static const uint8_t bytes[] = {1, 1, 2, 2, 4};

    return format->channels * bytes[format->sample];
}

typedef struct AudioStream AudioStream;

/* What a card offers its driver. */
typedef struct {
    const char *name; /* of the card, for people who look into their sound system's mixer */
} AudioPort;

/* All calls with the device lock held, none blocks. */
typedef struct {
    void *user;
    /* In construct, or later by those that found the driver as AUDIO_OBJECT; at most
     * AUDIO_STREAMS_MAX of them; they go with the driver. name: static. */
    AudioStream *(*open)(void *user, AudioDirection direction, const char *name);
    /* Takes hold at once; what was not yet heard in the old format is. Values out of range become
     * the nearest possible. */
    void (*set_format)(AudioStream *stream, const AudioFormat *format);
    /* 0.0 silent to 1.0 as it comes; more is allowed (amplifiers of a codec), up to 8. */
    void (*set_volume)(AudioStream *stream, float left, float right);
    /* Whether the guest's card moves samples at present. */
    void (*run)(AudioStream *stream, bool on);
    /* Output: whole frames at the pace of the guest's clock. What there is no room for is lost. */
    void (*write)(AudioStream *stream, const void *frames, size_t size);
    /* Output that runs: whether the host takes frames yet. Until then a card's clock stands still:
     * what a guest plays first is neither lost nor late. True after AUDIO_START_MAX_NS at the
     * latest. */
    bool (*is_ready)(AudioStream *stream);
    /* Input: fills the whole of it, with silence where nothing has been recorded. */
    void (*read)(AudioStream *stream, void *frames, size_t size);
    /* For the embedder, any thread, device lock or not: what the person allows. */
    void (*enable)(void *user, bool output, bool input);
    /* The same: a thread (base_thread_id()) that must not be late and has no right to come before
     * others; 0: there is none. */
    uint64_t (*late_thread)(void *user);
    PdmActivity *activity; /* bytes of both directions */
} AudioConnector;

#define AUDIO_STREAMS_MAX 16u

/* What pdm_find_object() knows the AudioConnector of a card as: for sources of sound that are on no
 * card. */
#define AUDIO_OBJECT "audio"

/* How long a card waits between two looks at its rings, in ns: the pace at which it writes and
 * reads. Delays add up from it, interrupts are not later than it. */
#define AUDIO_PERIOD_NS 5000000u

/* How long, in ns, a card that stands still is no matter to any driver: Linux gives up a write
 * after 100 ms without an interrupt, at the earliest. */
#define AUDIO_START_MAX_NS 90000000u
