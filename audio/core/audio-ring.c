/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A queue of frames: see the header. */
#include "audio/core/audio-ring.h"

#include <glib.h>

void
audio_ring_resize(AudioRing *ring, size_t frames)
{
    if (ring->size != frames) {
        g_free(ring->frames);
        ring->frames = g_new(float, 2 * frames);
    }
    ring->size = frames;
    ring->start = ring->fill = 0;
}

void
audio_ring_clear(AudioRing *ring)
{
    g_free(ring->frames);
    *ring = (AudioRing){0};
}

float *
audio_ring_room(AudioRing *ring, size_t *count)
{
    size_t end = ring->size ? (ring->start + ring->fill) % ring->size : 0;
    size_t run = end >= ring->start ? ring->size - end : ring->start - end;

    *count = MIN(*count, MIN(run, ring->size - ring->fill));
    return ring->frames + 2 * end;
}

void
audio_ring_added(AudioRing *ring, size_t count)
{
    ring->fill += count;
}

const float *
audio_ring_peek(const AudioRing *ring, size_t *count)
{
    *count = MIN(*count, MIN(ring->fill, ring->size - ring->start));
    return ring->frames + 2 * ring->start;
}

void
audio_ring_drop(AudioRing *ring, size_t count)
{
    count = MIN(count, ring->fill);
    ring->fill -= count;
    ring->start = ring->size ? (ring->start + count) % ring->size : 0;
}
