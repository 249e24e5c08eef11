/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The mixer's and the streams' own structs. */
#pragma once

#include "audio/core/audio-drift.h"
#include "audio/core/audio-mixer.h"
#include "audio/core/audio-ring.h"

#include <speex/speex_resampler.h>

/* How much a queue ought to hold at first, and at least after each portion that the host took or
 * the card read: other work of the host's may keep a card's thread from running for as long. Less
 * where the host has a queue of its own, which a late card may leave less full for a while. */
#define AUDIO_TARGET_SECONDS 0.025
#define AUDIO_SPARE_SECONDS 0.010
#define AUDIO_TARGET_BEFORE_QUEUE 0.010
#define AUDIO_SPARE_BEFORE_QUEUE 0.004

struct AudioStream {
    AudioMixer *mixer;
    AudioDirection direction;
    const char *name;
    AudioFormat format;
    bool running;
    bool primed;              /* the queue has held its target since it was empty */
    bool behind;              /* it ran dry: what the gap was in the place of would come too late */
    float volume[2], gain[2]; /* wanted, and reached: it goes there within one call */
    AudioRing ring;           /* at the card's rate */
    AudioDrift drift;
    SpeexResamplerState *resampler;
};

struct AudioMixer {
    GMutex lock; /* for all below */
    const AudioBackendInfo *info;
    void *backend;
    AudioHost host;
    AudioMixerOptions options;
    AudioConnector connector;
    PdmActivity activity;
    AudioStream streams[AUDIO_STREAMS_MAX];
    unsigned stream_count;
    bool output, input; /* allowed */
    bool paused;
    bool output_on, input_on; /* what the back end was told */
    bool started;             /* the host takes frames, as it was told to */
    int64_t told_at;          /* us: when it was */
    size_t idle;              /* silent frames pulled */
    AudioMixerCounts counts;
};

bool audio_stream_init(AudioStream *stream, AudioMixer *mixer, AudioDirection direction,
                       const char *name);
void audio_stream_clear(AudioStream *stream);
/* All with the mixer's lock. */
void audio_stream_set_format(AudioStream *stream, const AudioFormat *format);
void audio_stream_write(AudioStream *stream, const uint8_t *frames, size_t size);
void audio_stream_read(AudioStream *stream, uint8_t *frames, size_t size);
/* Host frames: adds to `mix` what is to be heard; takes what was recorded. */
void audio_stream_play(AudioStream *stream, float *mix, size_t count);
void audio_stream_record(AudioStream *stream, const float *frames, size_t count);
/* How many of `count` host frames there are. Silence counts, unless it would be a gap. */
size_t audio_stream_ready(const AudioStream *stream, size_t count);
/* Forgets what is queued beyond the target. */
void audio_stream_trim(AudioStream *stream);
/* Forgets what is queued. */
void audio_stream_flush(AudioStream *stream);
