/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A fake host side for sound cards: see the header. */
#include "tests/lib/bench-audio.h"

#include <string.h>

static AudioStream *
fake_open(void *user, AudioDirection direction, const char *name)
{
    BenchAudio *fake = user;
    AudioStream *stream = &fake->streams[fake->count++];

    g_assert_cmpuint(fake->count, <=, AUDIO_STREAMS_MAX);
    g_assert_nonnull(name);
    stream->direction = direction;
    stream->written = g_byte_array_new();
    return stream;
}

static void
fake_set_format(AudioStream *stream, const AudioFormat *format)
{
    stream->format = *format;
}

static void
fake_set_volume(AudioStream *stream, float left, float right)
{
    stream->volume[0] = left;
    stream->volume[1] = right;
}

static void
fake_run(AudioStream *stream, bool on)
{
    stream->running = on;
}

static void
fake_write(AudioStream *stream, const void *frames, size_t size)
{
    g_assert_true(stream->running && stream->direction == AUDIO_OUTPUT);
    g_assert_cmpuint(size % audio_frame_size(&stream->format), ==, 0);
    g_byte_array_append(stream->written, frames, (guint)size);
}

static bool
fake_is_ready(AudioStream *stream)
{
    g_assert_true(stream->direction == AUDIO_OUTPUT);
    return !stream->waits;
}

static void
fake_read(AudioStream *stream, void *frames, size_t size)
{
    g_assert_true(stream->running && stream->direction == AUDIO_INPUT);
    memset(frames, 0x5a, size);
}

static void
fake_enable(void *user, bool output, bool input)
{
}

static uint64_t
fake_late_thread(void *user)
{
    return 0;
}

static bool
fake_construct(PdmDriver *driver, const CfgmNode *config, GError **error)
{
    BenchAudio *fake = driver->data;

    fake->connector = (AudioConnector){.user = fake,
                                       .open = fake_open,
                                       .set_format = fake_set_format,
                                       .set_volume = fake_set_volume,
                                       .run = fake_run,
                                       .write = fake_write,
                                       .is_ready = fake_is_ready,
                                       .read = fake_read,
                                       .enable = fake_enable,
                                       .late_thread = fake_late_thread,
                                       .activity = &fake->activity};
    driver->connector = &fake->connector;
    pdm_driver_offer_object(driver, AUDIO_OBJECT, &fake->connector);
    return true;
}

static void
fake_destruct(PdmDriver *driver)
{
    BenchAudio *fake = driver->data;

    for (unsigned i = 0; i < fake->count; i++)
        g_byte_array_unref(fake->streams[i].written);
}

BenchAudio *
bench_audio(Pdm *pdm, const char *device, unsigned instance, unsigned lun)
{
    const AudioConnector *connector = pdm_lun_connector(pdm, device, instance, lun, PDM_IF_AUDIO);

    g_assert_nonnull(connector);
    return connector->user;
}

const PdmDriverInfo bench_audio_driver = {
    .abi = PDM_ABI_VERSION,
    .name = "bench-audio",
    .title = "Sound of the bench",
    .interface = PDM_IF_AUDIO,
    .instance_size = sizeof(BenchAudio),
    .construct = fake_construct,
    .destruct = fake_destruct,
};
