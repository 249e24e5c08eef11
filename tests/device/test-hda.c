/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The HD Audio card: reset, commands by ring and by register, the codec's nodes, streams at the
 * pace of their format, hostile rings, saved state. */
#include "devices/sound/hda-private.h"
#include "tests/device/pci-guest.h"
#include "tests/lib/bench-audio.h"

#include <string.h>

#define SLOT 5
#define BAR 0
#define CORB 0x10000u
#define RIRB 0x11000u
#define LIST 0x12000u
#define DATA 0x20000u
#define POSITIONS 0x30000u
#define MS 1000000ull
#define SD(stream, reg) (HDA_SD + (stream)*HDA_SD_SIZE + (reg))

static DeviceBench *
start(void)
{
    CfgmNode *config = cfgm_new();
    DeviceBench *bench;

    device_bench_add(config, "i440fx", 0);
    device_bench_add(config, "hda", 0);
    cfgm_set_string(device_bench_add_driver(config, "hda", 0, 0, "bench-audio"), "Unused", "");
    bench = device_bench_new(config);
    pci_guest_map(bench, SLOT, BAR);
    return bench;
}

static void
put(DeviceBench *bench, uint32_t offset, uint32_t value, unsigned size)
{
    device_bench_write(bench, PCI_GUEST_BAR(BAR) + offset, value, size);
}

static uint32_t
get(DeviceBench *bench, uint32_t offset, unsigned size)
{
    return (uint32_t)device_bench_read(bench, PCI_GUEST_BAR(BAR) + offset, size);
}

static void
leave_reset(DeviceBench *bench)
{
    put(bench, HDA_GCTL, 1, 4);
    g_assert_cmpuint(get(bench, HDA_GCTL, 4), ==, 1);
    g_assert_cmpuint(get(bench, HDA_STATESTS, 2), ==, 1);
    put(bench, HDA_STATESTS, 1, 2);
    g_assert_cmpuint(get(bench, HDA_STATESTS, 2), ==, 0);
}

static uint32_t
command(DeviceBench *bench, unsigned node, uint32_t verb)
{
    put(bench, HDA_ICIS, 2, 2);
    put(bench, HDA_ICOI, node << 20 | verb, 4);
    put(bench, HDA_ICIS, 1, 2);
    g_assert_cmpuint(get(bench, HDA_ICIS, 2), ==, 2);
    return get(bench, HDA_ICII, 4);
}

static void
reset_and_registers(void)
{
    g_autoptr(DeviceBench) bench = start();

    g_assert_cmphex(get(bench, 0, 2), ==, 0x4401);
    g_assert_cmphex(get(bench, 0, 4), ==, 0x01004401);
    put(bench, HDA_CORBLBASE, CORB, 4); /* in reset nothing is taken */
    g_assert_cmphex(get(bench, HDA_CORBLBASE, 4), ==, 0);
    leave_reset(bench);
    put(bench, HDA_CORBLBASE, CORB | 0x7f, 4);
    g_assert_cmphex(get(bench, HDA_CORBLBASE, 4), ==, CORB);
    put(bench, HDA_CORBLBASE + 1, 0xab, 1); /* one byte of it */
    g_assert_cmphex(get(bench, HDA_CORBLBASE, 4), ==, 0x1ab00);
    device_bench_advance(bench, 1 * MS);
    g_assert_cmpuint(get(bench, HDA_WALCLK, 4), >=, 24000);
    put(bench, HDA_GCTL, 0, 4);
    g_assert_cmphex(get(bench, HDA_CORBLBASE, 4), ==, 0);
}

static void
codec(void)
{
    g_autoptr(DeviceBench) bench = start();

    leave_reset(bench);
    g_assert_cmphex(command(bench, 0, 0xf0000), ==, 0x83847680);
    g_assert_cmphex(command(bench, 0, 0xf0004), ==, 0x00010001);
    g_assert_cmphex(command(bench, 1, 0xf0005), ==, 1);
    g_assert_cmphex(command(bench, 0x0d, 0xf1c00), ==, 0x01014010);
    g_assert_cmphex(command(bench, 0x0d, 0xf0200), ==, 0x02);
    g_assert_cmphex(command(bench, 0x12, 0xf0200), ==, 0x0c0b0e);
    command(bench, 0x12, 0x70102);
    g_assert_cmpuint(command(bench, 0x12, 0xf0100), ==, 2);
    command(bench, 0x12, 0x70103); /* there is no such input */
    g_assert_cmpuint(command(bench, 0x12, 0xf0100), ==, 2);
    command(bench, 2, 0x3b055);
    g_assert_cmphex(command(bench, 2, 0xba000), ==, 0x55);
    g_assert_cmphex(command(bench, 2, 0xb8000), ==, 0x55);
    command(bench, 1, 0x7ff00);
    g_assert_cmphex(command(bench, 2, 0xba000), ==, 0xff);
    g_assert_cmphex(command(bench, 0xff, 0xf0000), ==, 0);
}

static void
start_rings(DeviceBench *bench)
{
    put(bench, HDA_CORBLBASE, CORB, 4);
    put(bench, HDA_RIRBLBASE, RIRB, 4);
    put(bench, HDA_RIRBWP, 0x8000, 2);
    put(bench, HDA_RINTCNT, 1, 2);
    put(bench, HDA_INTCTL, 0xc00000ff, 4);
    put(bench, HDA_RIRBCTL, 3, 1);
    put(bench, HDA_CORBCTL, 2, 1);
}

static void
rings(void)
{
    g_autoptr(DeviceBench) bench = start();
    uint32_t response[2];

    leave_reset(bench);
    put(bench, HDA_CORBRP, 0x8000, 2);
    g_assert_cmphex(get(bench, HDA_CORBRP, 2), ==, 0x8000);
    put(bench, HDA_CORBRP, 0, 2);
    start_rings(bench);
    pci_guest_put32(bench, CORB + 4, 0x000f0000);
    pci_guest_put32(bench, CORB + 8, 0x000f0002);
    put(bench, HDA_CORBWP, 2, 2);
    g_assert_cmpuint(get(bench, HDA_RIRBWP, 2), ==,
                     1); /* it waits for the interrupt to be taken care of */
    g_assert_cmphex(get(bench, HDA_INTSTS, 4), ==, 0xc0000000);
    pci_guest_get(bench, RIRB + 8, response, 8);
    g_assert_cmphex(response[0], ==, 0x83847680);
    put(bench, HDA_RIRBSTS, 1, 1);
    g_assert_cmpuint(get(bench, HDA_RIRBWP, 2), ==, 2);
    pci_guest_get(bench, RIRB + 16, response, 8);
    g_assert_cmphex(response[0], ==, 0x00103401);
    put(bench, HDA_RIRBSTS, 1, 1);
    g_assert_cmphex(get(bench, HDA_INTSTS, 4), ==, 0);
}

/* A stream of two buffers of 10 ms at 48 kHz, 16 bits, stereo. */
static void
set_up_stream(DeviceBench *bench, unsigned stream)
{
    for (unsigned i = 0; i < 2; i++) {
        pci_guest_put64(bench, LIST + 16 * i, DATA + 1920 * i);
        pci_guest_put32(bench, LIST + 16 * i + 8, 1920);
        pci_guest_put32(bench, LIST + 16 * i + 12, i);
    }
    put(bench, HDA_INTCTL, 0x800000ff, 4);
    put(bench, HDA_DPLBASE, POSITIONS | 1, 4);
    put(bench, SD(stream, HDA_SDCTL), 1, 1);
    g_assert_cmpuint(get(bench, SD(stream, HDA_SDCTL), 1), ==, 1);
    put(bench, SD(stream, HDA_SDCTL), 0, 1);
    put(bench, SD(stream, HDA_SDCBL), 3840, 4);
    put(bench, SD(stream, HDA_SDLVI), 1, 2);
    put(bench, SD(stream, HDA_SDFMT), 0x0011, 2);
    put(bench, SD(stream, HDA_SDBDPL), LIST, 4);
}

static void
plays(void)
{
    g_autoptr(DeviceBench) bench = start();
    BenchAudio *audio = bench_audio(bench->pdm, "hda", 0, 0);
    AudioStream *stream = &audio->streams[4];
    uint8_t data[3840];
    uint32_t position;

    leave_reset(bench);
    pci_guest_pattern(data, sizeof data, 3);
    pci_guest_put(bench, DATA, data, sizeof data);
    set_up_stream(bench, 4);
    command(bench, 1, 0x70500);
    command(bench, 2, 0x70500);
    command(bench, 2, 0x70610);
    command(bench, 2, 0x3b07f);
    put(bench, SD(4, HDA_SDCTL), 0x100006, 4);
    g_assert_true(stream->running);
    g_assert_cmpfloat(stream->volume[0], ==, 1.0f);
    device_bench_advance(bench, 15 * MS);
    g_assert_cmpuint(get(bench, SD(4, HDA_SDLPIB), 4), ==, 720 * 4);
    g_assert_cmphex(get(bench, HDA_INTSTS, 4), ==, 0);
    device_bench_advance(bench, 5 * MS);
    g_assert_cmphex(get(bench, HDA_INTSTS, 4), ==, 0x80000010);
    g_assert_cmpuint(get(bench, SD(4, HDA_SDLPIB), 4), ==, 0);
    put(bench, SD(4, HDA_SDSTS), 4, 1);
    g_assert_cmphex(get(bench, HDA_INTSTS, 4), ==, 0);
    g_assert_cmpmem(stream->written->data, stream->written->len, data, sizeof data);
    device_bench_advance(bench, 5 * MS);
    pci_guest_get(bench, POSITIONS + 8 * 4, &position, 4);
    g_assert_cmpuint(position, ==, 240 * 4);
    command(bench, 2, 0x3b080);
    g_assert_cmpfloat(stream->volume[0], ==, 0.0f);
    put(bench, SD(4, HDA_SDCTL), 0, 1);
    g_assert_false(stream->running);
    g_assert_cmpuint(stream->format.rate, ==, 48000);
}

static void
records(void)
{
    g_autoptr(DeviceBench) bench = start();
    uint32_t value;

    leave_reset(bench);
    set_up_stream(bench, 0);
    put(bench, SD(0, HDA_SDCTL), 0x200002, 4);
    device_bench_advance(bench, 10 * MS);
    pci_guest_get(bench, DATA + 1916, &value, 4);
    g_assert_cmphex(value, ==, 0x5a5a5a5a);
    pci_guest_get(bench, DATA + 1920, &value, 4);
    g_assert_cmphex(value, ==, 0);
}

/* Buffers without length, lists and rings in the card itself, formats that nobody has. */
static void
hostile(void)
{
    g_autoptr(DeviceBench) bench = start();

    leave_reset(bench);
    set_up_stream(bench, 4);
    pci_guest_put32(bench, LIST + 8, 0);
    pci_guest_put32(bench, LIST + 24, 3); /* less than a frame */
    put(bench, SD(4, HDA_SDCTL), 0x100006, 4);
    device_bench_advance(bench, 50 * MS);
    put(bench, SD(4, HDA_SDBDPL), PCI_GUEST_BAR(BAR), 4);
    device_bench_advance(bench, 50 * MS);
    put(bench, SD(4, HDA_SDFMT), 0xffff, 2);
    put(bench, SD(4, HDA_SDLVI), 0xff, 2);
    device_bench_advance(bench, 50 * MS);
    start_rings(bench);
    put(bench, HDA_CORBLBASE, PCI_GUEST_BAR(BAR), 4);
    put(bench, HDA_RIRBLBASE, PCI_GUEST_BAR(BAR), 4);
    put(bench, HDA_CORBWP, 0xff, 2);
    device_bench_advance(bench, 50 * MS);
    put(bench, HDA_GCTL, 0, 4);
    g_assert_cmphex(get(bench, SD(4, HDA_SDCTL), 4), ==, 0x040000);
}

static void
saved_while_playing(void)
{
    g_autoptr(DeviceBench) bench = start(), other = start();
    g_autoptr(GBytes) state = NULL, again = NULL;
    g_autoptr(GError) error = NULL;

    leave_reset(bench);
    set_up_stream(bench, 5);
    put(bench, SD(5, HDA_SDCTL), 0x100006, 4);
    device_bench_advance(bench, 13 * MS);
    state = device_bench_save(bench, &error);
    g_assert_no_error(error);
    g_assert_true(device_bench_load(other, state, &error));
    g_assert_no_error(error);
    g_assert_true(bench_audio(other->pdm, "hda", 0, 0)->streams[5].running);
    again = device_bench_save(other, &error);
    g_assert_true(g_bytes_equal(state, again));
    device_bench_advance(other, 10 * MS);
    g_assert_cmphex(get(other, HDA_INTSTS, 4), ==, 0x80000020);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/hda/reset", reset_and_registers);
    g_test_add_func("/hda/codec", codec);
    g_test_add_func("/hda/rings", rings);
    g_test_add_func("/hda/plays", plays);
    g_test_add_func("/hda/records", records);
    g_test_add_func("/hda/hostile", hostile);
    g_test_add_func("/hda/state", saved_while_playing);
    return g_test_run();
}
