/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Frames as cards have them, to and from stereo frames of floating point (-1 to 1). */
#pragma once

#include "audio/audio.h"

/* More than two channels are mixed down: centre and low frequencies to both sides, those behind to
 * their side, at 0.7; the sum may exceed 1. */
void audio_convert_from(const AudioFormat *format, const uint8_t *in, float *out, size_t frames);
/* Clips; mono is the mean of both sides; channels beyond two are silent. */
void audio_convert_to(const AudioFormat *format, const float *in, uint8_t *out, size_t frames);
