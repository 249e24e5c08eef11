/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A bounded queue of stereo frames between a card and the mixer, at the card's rate. Its owner has
 * a lock. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

typedef struct {
    float *frames; /* two numbers each */
    size_t size, start, fill;
} AudioRing;

void audio_ring_resize(AudioRing *ring, size_t frames); /* and empties it */
void audio_ring_clear(AudioRing *ring);                 /* frees it */
/* The longest run of free or filled frames at the end or beginning; at most *count. */
float *audio_ring_room(AudioRing *ring, size_t *count);
void audio_ring_added(AudioRing *ring, size_t count);
const float *audio_ring_peek(const AudioRing *ring, size_t *count);
void audio_ring_drop(AudioRing *ring, size_t count);
