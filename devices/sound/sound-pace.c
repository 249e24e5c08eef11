/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The sample clock of a card: see the header. */
#include "devices/sound/sound-pace.h"

#define NS 1000000000u

void
sound_pace_start(SoundPace *pace, uint64_t now, uint32_t rate)
{
    *pace = (SoundPace){.since = now, .rate = rate};
}

uint64_t
sound_pace_due(SoundPace *pace, uint64_t now)
{
    uint64_t passed = now > pace->since ? now - pace->since : 0;
    uint64_t due = (uint64_t)((unsigned __int128)passed * pace->rate / NS);
    uint64_t most = pace->rate / 4 + 1;

    due = due > pace->moved ? due - pace->moved : 0;
    if (due > most) {
        pace->since = now - NS / 4;
        pace->moved = 0;
        due = most - 1;
    }
    return due;
}

bool
sound_pace_waits(SoundPace *pace, const AudioConnector *audio, AudioStream *stream, uint64_t now)
{
    if (audio == NULL || audio->is_ready(stream))
        return false;
    sound_pace_start(pace, now, pace->rate);
    return true;
}

uint64_t
sound_pace_when(const SoundPace *pace, uint64_t frames)
{
    unsigned __int128 ns = (unsigned __int128)(pace->moved + frames) * NS;

    return pace->since + (uint64_t)((ns + pace->rate - 1) / pace->rate);
}
