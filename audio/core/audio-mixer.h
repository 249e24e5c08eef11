/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The mixer: the streams of one card on one back end. */
#pragma once

#include "audio/audio-backend.h"
#include "audio/audio.h"

typedef struct AudioMixer AudioMixer;

typedef struct {
    const char *machine, *card, *file; /* copied; as in AudioHost */
    bool output, input;                /* allowed at first */
    void (*problem)(void *user, const char *message);
    void (*log)(void *user, const char *line);
    void *user;
} AudioMixerOptions;

/* Opens the back end. */
AudioMixer *audio_mixer_new(const AudioBackendInfo *backend, const AudioMixerOptions *options,
                            GError **error);
void audio_mixer_free(AudioMixer *mixer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AudioMixer, audio_mixer_free)
const AudioConnector *audio_mixer_connector(AudioMixer *mixer);
/* The machine stands still: silence, and the host's streams rest. Any thread. */
void audio_mixer_pause(AudioMixer *mixer, bool paused);
/* What the back end's open() returned. */
void *audio_mixer_backend(AudioMixer *mixer);
/* How often a stream ran dry while it played, and frames that came too late or too early. */
typedef struct {
    uint64_t starved, dropped;
} AudioMixerCounts;
AudioMixerCounts audio_mixer_counts(AudioMixer *mixer);
