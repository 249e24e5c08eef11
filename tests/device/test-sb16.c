/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The Sound Blaster 16: reset and replies, mixer, transfers of both widths through the DMA
 * controllers in both directions, interrupts, hostile commands, saved state. */
#include "devices/sound/sb16-private.h"
#include "tests/lib/bench-audio.h"
#include "tests/lib/device-bench.h"

#include <string.h>

#define BASE 0x220u
#define DATA 0x20000u
#define MS 1000000ull
#define SET_RATE 0x41u

static DeviceBench *
start(void)
{
    CfgmNode *config = cfgm_new();

    device_bench_add(config, "dma", 0);
    device_bench_add(config, "pic", 0);
    device_bench_add(config, "sb16", 0);
    cfgm_set_string(device_bench_add_driver(config, "sb16", 0, 0, "bench-audio"), "Unused", "");
    return device_bench_new(config);
}

static void
dsp(DeviceBench *bench, const uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        g_assert_cmphex(device_bench_in8(bench, BASE + 0xc) & 0x80, ==, 0);
        device_bench_out8(bench, BASE + 0xc, bytes[i]);
    }
}

static uint8_t
reply(DeviceBench *bench)
{
    g_assert_cmphex(device_bench_in8(bench, BASE + 0xe) & 0x80, ==, 0x80);
    return device_bench_in8(bench, BASE + 0xa);
}

static uint8_t
ask(DeviceBench *bench, uint8_t command)
{
    dsp(bench, &command, 1);
    return reply(bench);
}

static uint8_t
mixer(DeviceBench *bench, uint8_t reg)
{
    device_bench_out8(bench, BASE + 4, reg);
    return device_bench_in8(bench, BASE + 5);
}

static void
set_mixer(DeviceBench *bench, uint8_t reg, uint8_t value)
{
    device_bench_out8(bench, BASE + 4, reg);
    device_bench_out8(bench, BASE + 5, value);
}

static void
put(DeviceBench *bench, uint32_t address, const uint8_t *data, size_t size)
{
    for (size_t i = 0; i < size; i++)
        device_bench_write(bench, address + i, data[i], 1);
}

/* Channel 1 of bytes, or 5 of words, over `size` bytes of DATA. */
static void
set_dma(DeviceBench *bench, bool wide, uint8_t mode, uint32_t size)
{
    uint16_t mask = wide ? 0xd4 : 0x0a, flip = wide ? 0xd8 : 0x0c, set = wide ? 0xd6 : 0x0b;
    uint16_t address = wide ? 0xc4 : 0x02, count = wide ? 0xc6 : 0x03, page = wide ? 0x8b : 0x83;
    uint32_t start = wide ? (DATA & 0x1ffff) >> 1 : DATA & 0xffff;
    uint32_t last = (wide ? size / 2 : size) - 1;

    device_bench_out8(bench, mask, 5);
    device_bench_out8(bench, flip, 0);
    device_bench_out8(bench, set, mode | 1);
    device_bench_out8(bench, address, (uint8_t)start);
    device_bench_out8(bench, address, (uint8_t)(start >> 8));
    device_bench_out8(bench, count, (uint8_t)last);
    device_bench_out8(bench, count, (uint8_t)(last >> 8));
    device_bench_out8(bench, page, DATA >> 16);
    device_bench_out8(bench, mask, 1);
}

static void
resets_and_replies(void)
{
    static const char rights[] = "COPYRIGHT (C) CREATIVE TECHNOLOGY LTD, 1992.";
    static const uint8_t invert[] = {0xe0, 0x5a}, test[] = {0xe4, 0x77}, who = 0xe3;
    g_autoptr(DeviceBench) bench = start();

    g_assert_cmphex(device_bench_in8(bench, BASE + 0xe) & 0x80, ==, 0);
    device_bench_out8(bench, BASE + 6, 1);
    device_bench_out8(bench, BASE + 6, 0);
    g_assert_cmphex(reply(bench), ==, 0xaa);
    g_assert_cmphex(device_bench_in8(bench, BASE + 0xe) & 0x80, ==, 0);
    g_assert_cmpuint(ask(bench, 0xe1), ==, 4);
    g_assert_cmpuint(reply(bench), ==, 5);
    dsp(bench, invert, sizeof invert);
    g_assert_cmphex(reply(bench), ==, 0xa5);
    dsp(bench, test, sizeof test);
    g_assert_cmphex(ask(bench, 0xe8), ==, 0x77);
    dsp(bench, &who, 1);
    for (size_t i = 0; i < sizeof rights; i++)
        g_assert_cmpint(reply(bench), ==, rights[i]);
    g_assert_cmphex(ask(bench, 0xd8), ==, 0);
}

static void
mixer_registers(void)
{
    g_autoptr(DeviceBench) bench = start();
    BenchAudio *audio = bench_audio(bench->pdm, "sb16", 0, 0);

    g_assert_cmphex(mixer(bench, 0x30), ==, 0xc0);
    g_assert_cmphex(mixer(bench, 0x80), ==, 0x02); /* IRQ 5 */
    g_assert_cmphex(mixer(bench, 0x81), ==, 0x22); /* DMA 1 and 5 */
    set_mixer(bench, 0x30, 0xff);
    g_assert_cmphex(mixer(bench, 0x30), ==, 0xf8);
    set_mixer(bench, 0x32, 0xf8);
    g_assert_cmpfloat_with_epsilon(audio->streams[0].volume[0], 1.0, 0.001);
    set_mixer(bench, 0x41, 0x40);
    g_assert_cmpfloat_with_epsilon(audio->streams[0].volume[0], 2.0, 0.001);
    /* The older card's view of the same. */
    g_assert_cmphex(mixer(bench, 0x22), ==, 0xfc);
    set_mixer(bench, 0x04, 0x5a);
    g_assert_cmphex(mixer(bench, 0x32), ==, 0x58);
    g_assert_cmphex(mixer(bench, 0x33), ==, 0xa8);
    /* What is recorded: nothing, then the microphone. */
    set_mixer(bench, 0x3d, 0);
    g_assert_cmpfloat(audio->streams[1].volume[0], ==, 0);
    set_mixer(bench, 0x3d, 1);
    set_mixer(bench, 0x3a, 0xf8);
    set_mixer(bench, 0x3f, 0x80);
    g_assert_cmpfloat_with_epsilon(audio->streams[1].volume[0], 4.0, 0.001);
    set_mixer(bench, 0x80, 0x08);
    set_mixer(bench, 0, 0);
    g_assert_cmphex(mixer(bench, 0x80), ==, 0x08);
    g_assert_cmphex(mixer(bench, 0x30), ==, 0xc0);
    g_assert_cmphex(mixer(bench, 0xff), ==, 0xff);
}

static void
plays_wide(void)
{
    static const uint8_t command[] = {SET_RATE, 0xac, 0x44, 0xb6, 0x30, 0xb8, 0x01}; /* 441 - 1 */
    g_autoptr(DeviceBench) bench = start();
    BenchAudio *audio = bench_audio(bench->pdm, "sb16", 0, 0);
    uint8_t data[2 * 441 * 2];

    for (unsigned i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 7);
    put(bench, DATA, data, sizeof data);
    set_dma(bench, true, 0x58, sizeof data);
    dsp(bench, command, sizeof command); /* stereo: blocks of 5 ms, in a buffer of 10 */
    g_assert_true(audio->streams[2].running);
    g_assert_cmpuint(audio->streams[2].format.rate, ==, 44100);
    g_assert_cmpuint(audio->streams[2].format.channels, ==, 2);
    g_assert_cmpint(audio->streams[2].format.sample, ==, AUDIO_S16);
    device_bench_advance(bench, 4 * MS);
    g_assert_false(device_bench_irq(bench, 5));
    device_bench_advance(bench, 2 * MS);
    g_assert_true(device_bench_irq(bench, 5));
    g_assert_cmphex(mixer(bench, 0x82) & 7, ==, 2);
    device_bench_in8(bench, BASE + 0xe);
    g_assert_true(device_bench_irq(bench, 5));
    device_bench_in8(bench, BASE + 0xf);
    g_assert_false(device_bench_irq(bench, 5));
    device_bench_advance(bench, 15 * MS);
    g_assert_cmpuint(audio->streams[2].written->len, >=, sizeof data);
    g_assert_cmpmem(audio->streams[2].written->data, sizeof data, data, sizeof data);
    g_assert_cmpmem(audio->streams[2].written->data + sizeof data, 100, data, 100);
    device_bench_out8(bench, BASE + 0xc, 0xd5);
    g_assert_false(audio->streams[2].running);
    device_bench_out8(bench, BASE + 0xc, 0xd6);
    g_assert_true(audio->streams[2].running);
    /* The end of automatic blocks: one more, then silence. */
    device_bench_out8(bench, BASE + 0xc, 0xd9);
    device_bench_advance(bench, 6 * MS);
    g_assert_false(audio->streams[2].running);
}

static void
plays_narrow(void)
{
    static const uint8_t command[] = {0x40, 165, 0x14, 109, 0}; /* 10989 Hz, 110 bytes */
    g_autoptr(DeviceBench) bench = start();
    BenchAudio *audio = bench_audio(bench->pdm, "sb16", 0, 0);
    uint8_t data[110];

    memset(data, 0x42, sizeof data);
    put(bench, DATA, data, sizeof data);
    set_mixer(bench, 0x80, 0x04);
    set_dma(bench, false, 0x48, sizeof data);
    dsp(bench, command, sizeof command);
    g_assert_cmpint(audio->streams[0].format.sample, ==, AUDIO_U8);
    g_assert_cmpuint(audio->streams[0].format.rate, ==, 10989);
    device_bench_advance(bench, 9 * MS);
    g_assert_true(audio->streams[0].running);
    device_bench_advance(bench, 2 * MS);
    g_assert_false(audio->streams[0].running);
    g_assert_true(device_bench_irq(bench, 7));
    g_assert_cmpmem(audio->streams[0].written->data, audio->streams[0].written->len, data,
                    sizeof data);
    device_bench_in8(bench, BASE + 0xe);
    g_assert_false(device_bench_irq(bench, 7));
    /* A length of silence interrupts, too; so does the guest itself. */
    static const uint8_t silence[] = {0x80, 54, 0};
    dsp(bench, silence, sizeof silence);
    device_bench_advance(bench, 4 * MS);
    g_assert_false(device_bench_irq(bench, 7));
    device_bench_advance(bench, 2 * MS);
    g_assert_true(device_bench_irq(bench, 7));
    device_bench_in8(bench, BASE + 0xe);
    device_bench_out8(bench, BASE + 0xc, 0xf2);
    g_assert_true(device_bench_irq(bench, 7));
}

static void
records(void)
{
    static const uint8_t command[] = {0x42, 0x1f, 0x40, 0xbe, 0x10, 79, 0}; /* 8 kHz, 80 frames */
    g_autoptr(DeviceBench) bench = start();
    BenchAudio *audio = bench_audio(bench->pdm, "sb16", 0, 0);

    set_dma(bench, true, 0x54, 320);
    dsp(bench, command, sizeof command);
    g_assert_true(audio->streams[3].running);
    device_bench_advance(bench, 11 * MS);
    g_assert_true(device_bench_irq(bench, 5));
    g_assert_cmphex(device_bench_read(bench, DATA, 4), ==, 0x5a5a5a5a);
    g_assert_cmphex(device_bench_read(bench, DATA + 200, 4), ==, 0);
}

/* A channel that is masked makes the card wait; blocks shorter than a frame, buffers that end in
 * one, and replies that nobody reads come to an end. */
static void
hostile_commands(void)
{
    static const uint8_t play[] = {0xb6, 0x30, 9, 0}, tiny[] = {0xb6, 0x30, 0, 0}, who = 0xe3;
    g_autoptr(DeviceBench) bench = start();
    BenchAudio *audio = bench_audio(bench->pdm, "sb16", 0, 0);

    dsp(bench, play, sizeof play);
    device_bench_advance(bench, 3000 * MS);
    g_assert_cmpuint(audio->streams[2].written->len, ==, 0);
    set_dma(bench, true, 0x58, 6);
    device_bench_advance(bench, 100 * MS);
    dsp(bench, tiny, sizeof tiny);
    device_bench_advance(bench, 100 * MS);
    set_mixer(bench, 0x81, 0);
    set_mixer(bench, 0x80, 0);
    device_bench_advance(bench, 100 * MS);
    for (unsigned i = 0; i < 10; i++)
        dsp(bench, &who, 1);
    for (unsigned i = 0; i < 256; i++) {
        for (unsigned k = 0; k < 4; k++)
            device_bench_out8(bench, BASE + 0xc, (uint8_t)i);
    }
    device_bench_advance(bench, 1000 * MS);
    device_bench_reset(bench);
    g_assert_cmphex(mixer(bench, 0x80), ==, 0x02);
}

static void
saved_while_playing(void)
{
    static const uint8_t command[] = {SET_RATE, 0x56, 0x22, 0xc6, 0x00, 0xdb, 0x00, 0xe0};
    g_autoptr(DeviceBench) bench = start(), other = start();
    g_autoptr(GBytes) state = NULL, again = NULL;
    g_autoptr(GError) error = NULL;

    set_dma(bench, false, 0x58, 440);
    dsp(bench, command, sizeof command); /* the last one waits for its parameter */
    device_bench_advance(bench, 12 * MS);
    state = device_bench_save(bench, &error);
    g_assert_no_error(error);
    g_assert_true(device_bench_load(other, state, &error));
    g_assert_no_error(error);
    g_assert_true(bench_audio(other->pdm, "sb16", 0, 0)->streams[0].running);
    again = device_bench_save(other, &error);
    g_assert_true(g_bytes_equal(state, again));
    device_bench_out8(other, BASE + 0xc, 1);
    g_assert_cmphex(reply(other), ==, 0xfe);
    device_bench_advance(other, 100 * MS);
    g_assert_cmphex(mixer(other, 0x82) & 7, ==, 1);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/sb16/replies", resets_and_replies);
    g_test_add_func("/sb16/mixer", mixer_registers);
    g_test_add_func("/sb16/plays-wide", plays_wide);
    g_test_add_func("/sb16/plays-narrow", plays_narrow);
    g_test_add_func("/sb16/records", records);
    g_test_add_func("/sb16/hostile", hostile_commands);
    g_test_add_func("/sb16/state", saved_while_playing);
    return g_test_run();
}
