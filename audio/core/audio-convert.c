/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Sample formats: see the header. One channel at a time, so that each loop is of one format and the
 * compiler can make vectors of it. */
#include "audio/core/audio-convert.h"

#include <math.h>
#include <string.h>

#define BEHIND 0.7071f

/* Scale and zero of each format, by AudioSample. */
static const struct {
    float scale, zero;
} ranges[] = {
    [AUDIO_U8] = {128.0f, 128.0f},       [AUDIO_S8] = {128.0f, 0.0f},
    [AUDIO_U16] = {32768.0f, 32768.0f},  [AUDIO_S16] = {32768.0f, 0.0f},
    [AUDIO_S32] = {2147483648.0f, 0.0f},
};

static float
sample_get(AudioSample sample, const uint8_t *in)
{
    int16_t s16;
    uint16_t u16;
    int32_t s32;

    switch (sample) {
    case AUDIO_U8: return *in;
    case AUDIO_S8: return (int8_t)*in;
    case AUDIO_U16: memcpy(&u16, in, sizeof u16); return GUINT16_FROM_LE(u16);
    case AUDIO_S16: memcpy(&s16, in, sizeof s16); return GINT16_FROM_LE(s16);
    case AUDIO_S32: memcpy(&s32, in, sizeof s32); return (float)GINT32_FROM_LE(s32);
    }
    return 0;
}

static void
sample_put(AudioSample sample, uint8_t *out, float value)
{
    /* Rounded and inside of the format's range. */
    double scale = ranges[sample].scale;
    int64_t number =
        llrint(CLAMP((double)value * scale, -scale, scale - 1)) + (int64_t)ranges[sample].zero;
    uint16_t u16 = GUINT16_TO_LE((uint16_t)number);
    uint32_t u32 = GUINT32_TO_LE((uint32_t)number);

    switch (sample) {
    case AUDIO_U8:
    case AUDIO_S8: *out = (uint8_t)number; return;
    case AUDIO_U16:
    case AUDIO_S16: memcpy(out, &u16, sizeof u16); return;
    case AUDIO_S32: memcpy(out, &u32, sizeof u32); return;
    }
}

/* How much of a channel is heard left (side 0) and right. */
static float
share(unsigned channels, unsigned channel, unsigned side)
{
    if (channels == 1)
        return 1.0f;
    if (channel < 2)
        return channel == side ? 1.0f : 0.0f;
    if (channel < 4 && channels > 4)
        return BEHIND;
    return (channel & 1) == side ? BEHIND : 0.0f;
}

void
audio_convert_from(const AudioFormat *format, const uint8_t *in, float *out, size_t frames)
{
    size_t step = audio_frame_size(format), width = step / format->channels;
    float scale = 1.0f / ranges[format->sample].scale, zero = ranges[format->sample].zero;

    memset(out, 0, 2 * frames * sizeof *out);
    for (unsigned c = 0; c < format->channels; c++) {
        float left = share(format->channels, c, 0) * scale;
        float right = share(format->channels, c, 1) * scale;

        for (size_t i = 0; i < frames; i++) {
            float value = sample_get(format->sample, in + i * step + c * width) - zero;

            out[2 * i] += value * left;
            out[2 * i + 1] += value * right;
        }
    }
}

void
audio_convert_to(const AudioFormat *format, const float *in, uint8_t *out, size_t frames)
{
    size_t step = audio_frame_size(format), width = step / format->channels;

    for (unsigned c = 0; c < format->channels; c++) {
        for (size_t i = 0; i < frames; i++) {
            float value = c > 1                   ? 0.0f
                          : format->channels == 1 ? (in[2 * i] + in[2 * i + 1]) / 2
                                                  : in[2 * i + c];

            sample_put(format->sample, out + i * step + c * width, value);
        }
    }
}
