/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The sample clock of a card: see the header. */
#include "devices/sound/sound-pace.h"

#define NS 1000000000u

void
sound_pace_start(SoundPace *pace, uint64_t now, uint32_t rate)
{
    *pace = (SoundPace){.since = now, .asked = now, .rate = rate};
}

static uint64_t
frames_in(const SoundPace *pace, uint64_t ns)
{
    return (uint64_t)((unsigned __int128)ns * pace->rate / NS);
}

/* How many frames may be moved now, however many are due. */
static uint64_t
most_at_once(SoundPace *pace, uint64_t now)
{
    uint64_t passed = now > pace->asked ? now - pace->asked : 0;

    pace->asked = now;
    return frames_in(pace, 2 * MIN(passed, AUDIO_PERIOD_NS)) + 1;
}

uint64_t
sound_pace_due(SoundPace *pace, uint64_t now)
{
    uint64_t passed = now > pace->since ? now - pace->since : 0;
    uint64_t due = frames_in(pace, passed);
    uint64_t most = pace->rate / 4 + 1, at_once = most_at_once(pace, now);

    due = due > pace->moved ? due - pace->moved : 0;
    if (due > most) {
        pace->since = now - NS / 4;
        pace->moved = 0;
        due = most - 1;
    }
    return MIN(due, at_once);
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
