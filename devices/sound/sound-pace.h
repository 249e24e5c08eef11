/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The sample clock of a card: how many frames are due by the guest's clock, and when more will be.
 */
#pragma once

#include "audio/audio.h"

typedef struct {
    uint64_t since; /* virtual ns */
    uint64_t moved; /* frames since then */
    uint64_t asked; /* virtual ns: when it was last asked what is due */
    uint32_t rate;  /* frames a second, not 0 */
} SoundPace;

/* From now on at this rate; nothing is due yet. */
void sound_pace_start(SoundPace *pace, uint64_t now, uint32_t rate);
/* Frames that are due and not moved. A card that was late, because the host did something else,
 * makes up for that at twice its pace: a guest whose queue is short finds time to fill it
 * meanwhile. A clock that has jumped by more than a quarter of a second (the machine stood still)
 * makes up for that much only. */
uint64_t sound_pace_due(SoundPace *pace, uint64_t now);
static inline void
sound_pace_moved(SoundPace *pace, uint64_t frames)
{
    pace->moved += frames;
}
/* Output for which the host is not ready: true, and the clock begins anew. */
bool sound_pace_waits(SoundPace *pace, const AudioConnector *audio, AudioStream *stream,
                      uint64_t now);
/* The first nanosecond at which so many frames will be due. */
uint64_t sound_pace_when(const SoundPace *pace, uint64_t frames);
