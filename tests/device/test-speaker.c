/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The PC's speaker: what counter 2 of the 8254 and port 0x61 make of its line, as samples: pitch,
 * the moments of changes, a line that the guest switches itself, rest, saved state. */
#include "tests/lib/bench-audio.h"
#include "tests/lib/device-bench.h"

#define HZ 1193182u
#define RATE 192000u
#define MS 1000000ull
#define COUNT_440 2712u
#define FULL 8192 /* half a step: where a square settles */

static DeviceBench *
start(void)
{
    CfgmNode *config = cfgm_new();

    device_bench_add(config, "pic", 0);
    device_bench_add(config, "dma", 0);
    device_bench_add(config, "pit", 0);
    cfgm_set_string(device_bench_add_driver(config, "pit", 0, 0, "speaker"), "Unused", "");
    device_bench_add(config, "sb16", 0);
    cfgm_set_string(device_bench_add_driver(config, "sb16", 0, 0, "bench-audio"), "Unused", "");
    return device_bench_new(config);
}

/* The card's streams come first; NULL: the speaker was never heard. */
static AudioStream *
stream_of(DeviceBench *bench)
{
    BenchAudio *audio = bench_audio(bench->pdm, "sb16", 0, 0);

    return audio->count > 4 ? &audio->streams[4] : NULL;
}

static void
program(DeviceBench *bench, unsigned mode, unsigned count)
{
    device_bench_out8(bench, 0x43, (uint8_t)(0xb0 | mode << 1));
    device_bench_out8(bench, 0x42, (uint8_t)count);
    device_bench_out8(bench, 0x42, (uint8_t)(count >> 8));
}

typedef struct {
    unsigned periods, odd;
    double hz;
    int lowest, highest;
} Tone;

/* Of samples from `first` on: odd are periods that are two samples off the usual one. */
static Tone
tone_of(const AudioStream *stream, guint first, double hz)
{
    const int16_t *samples = (const int16_t *)stream->written->data;
    const guint count = stream->written->len / 2;
    Tone tone = {0};
    double begin = 0, last = 0;

    for (guint i = first + 1; i < count; i++) {
        tone.lowest = MIN(tone.lowest, samples[i]);
        tone.highest = MAX(tone.highest, samples[i]);
        if (samples[i - 1] >= 0 || samples[i] < 0)
            continue;
        if (last != 0) {
            tone.periods++;
            tone.odd += ABS(i - last - RATE / hz) > 2;
        } else {
            begin = i;
        }
        last = i;
    }
    tone.hz = tone.periods != 0 ? tone.periods * RATE / (last - begin) : 0;
    return tone;
}

static void
test_tone(void)
{
    g_autoptr(DeviceBench) bench = start();
    const double wanted = (double)HZ / COUNT_440;
    AudioStream *stream;
    Tone tone;

    program(bench, 3, COUNT_440);
    device_bench_advance(bench, 50 * MS);
    g_assert_null(stream_of(bench));
    device_bench_out8(bench, 0x61, 3);
    device_bench_advance(bench, 1000 * MS);
    stream = stream_of(bench);
    g_assert_nonnull(stream);
    g_assert_true(stream->running);
    g_assert_cmpuint(stream->format.rate, ==, RATE);
    g_assert_cmpuint(stream->written->len / 2, >=, RATE - RATE / 100);
    g_assert_cmpuint(stream->written->len / 2, <=, RATE);
    tone = tone_of(stream, RATE / 5, wanted);
    g_assert_cmpfloat_with_epsilon(tone.hz, wanted, wanted * 0.0002);
    g_assert_cmpuint(tone.odd, ==, 0);
    g_assert_cmpint(tone.highest, >, FULL - 1000);
    g_assert_cmpint(tone.highest, <, FULL + 1500);
    g_assert_cmpint(tone.lowest, <, -FULL + 1000);
    g_assert_cmpint(tone.lowest, >, -FULL - 1500);
}

/* Off and on, another pitch, and much looking in between: at the moments when the guest does so. */
static void
test_changes(void)
{
    g_autoptr(DeviceBench) bench = start();
    AudioStream *stream;
    Tone tone;

    program(bench, 3, COUNT_440);
    device_bench_out8(bench, 0x61, 3);
    for (unsigned i = 0; i < 500; i++) {
        device_bench_advance(bench, MS);
        device_bench_in8(bench, i & 1 ? 0x61 : 0x42);
    }
    program(bench, 3, COUNT_440 / 2);
    device_bench_advance(bench, 500 * MS);
    stream = stream_of(bench);
    tone = tone_of(stream, 0, (double)HZ / COUNT_440);
    g_assert_cmpuint(tone.periods, >=, 655);
    g_assert_cmpuint(tone.periods, <=, 661);
    g_assert_cmpuint(tone.odd, >=, 435);
    g_assert_cmpuint(tone.odd, <=, 441);
    tone = tone_of(stream, RATE / 2 + RATE / 50, 2.0 * HZ / COUNT_440);
    g_assert_cmpuint(tone.odd, ==, 0);
}

/* Bit 1 alone, while the counter's output is high. */
static void
test_direct(void)
{
    g_autoptr(DeviceBench) bench = start();
    AudioStream *stream;
    Tone tone;

    program(bench, 3, COUNT_440);
    for (unsigned i = 0; i < 1000; i++) {
        device_bench_out8(bench, 0x61, i & 1 ? 0 : 2);
        device_bench_advance(bench, MS / 2);
    }
    stream = stream_of(bench);
    g_assert_nonnull(stream);
    tone = tone_of(stream, RATE / 10, 1000);
    g_assert_cmpuint(tone.odd, ==, 0);
    g_assert_cmpfloat_with_epsilon(tone.hz, 1000, 1);
}

/* A line that stands still costs nothing and makes no sound, high or low. */
static void
test_rest(void)
{
    g_autoptr(DeviceBench) bench = start();
    AudioStream *stream;
    guint heard;

    device_bench_out8(bench, 0x61, 2);
    device_bench_advance(bench, 200 * MS);
    stream = stream_of(bench);
    g_assert_false(stream->running);
    program(bench, 3, COUNT_440);
    device_bench_out8(bench, 0x61, 3);
    device_bench_advance(bench, 100 * MS);
    g_assert_true(stream->running);
    device_bench_out8(bench, 0x61, 2); /* the gate alone: the output stays high */
    device_bench_advance(bench, 150 * MS);
    g_assert_false(stream->running);
    heard = stream->written->len;
    g_assert_cmpint(ABS(((const int16_t *)stream->written->data)[heard / 2 - 1]), <, 100);
    device_bench_advance(bench, 1000 * MS);
    g_assert_cmpuint(stream->written->len, ==, heard);
    device_bench_out8(bench, 0x61, 3);
    device_bench_reset(bench);
    device_bench_advance(bench, 1000 * MS);
    g_assert_false(stream->running);
}

/* The fastest square there is, and a machine that stood still for a minute: bounded. */
static void
test_extremes(void)
{
    g_autoptr(DeviceBench) bench = start();
    AudioStream *stream;

    program(bench, 3, 2);
    device_bench_out8(bench, 0x61, 3);
    device_bench_advance(bench, 100 * MS);
    stream = stream_of(bench);
    g_byte_array_set_size(stream->written, 0);
    tm_skip_to(bench->rooms.tm, device_bench_now(bench) + 60000 * MS);
    tm_run_timers(cpum_vcpu(bench->rooms.cpum, 0));
    g_assert_cmpuint(stream->written->len / 2, <=, RATE / 4 + 1);
    g_assert_cmpuint(stream->written->len / 2, >=, RATE / 4 - 1);
}

static void
test_state(void)
{
    g_autoptr(DeviceBench) bench = start(), other = start();
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) saved = NULL;
    Tone tone;

    program(bench, 3, COUNT_440);
    device_bench_out8(bench, 0x61, 3);
    device_bench_advance(bench, 100 * MS);
    saved = device_bench_save(bench, &error);
    g_assert_no_error(error);
    device_bench_load(other, saved, &error);
    g_assert_no_error(error);
    device_bench_advance(other, 500 * MS);
    g_assert_nonnull(stream_of(other));
    tone = tone_of(stream_of(other), RATE / 10, (double)HZ / COUNT_440);
    g_assert_cmpuint(tone.periods, >, 150);
    g_assert_cmpuint(tone.odd, ==, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/speaker/tone", test_tone);
    g_test_add_func("/speaker/changes", test_changes);
    g_test_add_func("/speaker/direct", test_direct);
    g_test_add_func("/speaker/rest", test_rest);
    g_test_add_func("/speaker/extremes", test_extremes);
    g_test_add_func("/speaker/state", test_state);
    return g_test_run();
}
