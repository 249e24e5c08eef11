/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The AC'97 card: codec registers, rings at the pace of the codec, interrupts, what arrives at the
 * host's side, hostile rings, saved state. */
#include "tests/device/pci-guest.h"
#include "tests/lib/bench-audio.h"

#include <string.h>

#define SLOT 5
#define NAM 0xc000
#define NABM 0xc400
#define PO (NABM + 0x10)
#define LIST 0x10000u
#define DATA 0x20000u
#define MS 1000000ull

static void
map_windows(DeviceBench *bench)
{
    device_bench_pci_write(bench, SLOT, 0, 0x10, NAM, 4);
    device_bench_pci_write(bench, SLOT, 0, 0x14, NABM, 4);
    device_bench_pci_write(bench, SLOT, 0, 4, 5, 2);
}

static DeviceBench *
start(const char *codec)
{
    CfgmNode *config = cfgm_new();
    CfgmNode *card = device_bench_add(config, "ac97", 0);
    DeviceBench *bench;

    device_bench_add(config, "i440fx", 0);
    if (codec)
        cfgm_set_string(card, "Codec", codec);
    cfgm_set_string(device_bench_add_driver(config, "ac97", 0, 0, "bench-audio"), "Unused", "");
    bench = device_bench_new(config);
    map_windows(bench);
    return bench;
}

static void
codec_registers(void)
{
    g_autoptr(DeviceBench) bench = start(NULL);

    g_assert_cmphex(device_bench_in16(bench, NAM + 0x7c), ==, 0x8384);
    g_assert_cmphex(device_bench_in16(bench, NAM + 0x7e), ==, 0x7600);
    g_assert_cmphex(device_bench_in16(bench, NAM + 0x02), ==, 0x8000);
    device_bench_out16(bench, NAM + 0x02, 0x2020);
    g_assert_cmphex(device_bench_in16(bench, NAM + 0x02), ==, 0x1f1f);
    /* Without variable rate there is one rate only. */
    device_bench_out16(bench, NAM + 0x2c, 22050);
    g_assert_cmpuint(device_bench_in16(bench, NAM + 0x2c), ==, 48000);
    device_bench_out16(bench, NAM + 0x2a, 1);
    device_bench_out16(bench, NAM + 0x2c, 22050);
    g_assert_cmpuint(device_bench_in16(bench, NAM + 0x2c), ==, 22050);
    device_bench_out16(bench, NAM + 0x2c, 1);
    g_assert_cmpuint(device_bench_in16(bench, NAM + 0x2c), ==, 4000);
    device_bench_out16(bench, NAM + 0x00, 0);
    g_assert_cmphex(device_bench_in16(bench, NAM + 0x02), ==, 0x8000);
    g_assert_cmpuint(device_bench_in16(bench, NAM + 0x2c), ==, 48000);
    /* Cold reset resets the codec too; without it nothing is lost. */
    device_bench_out16(bench, NAM + 0x02, 0);
    device_bench_out32(bench, NABM + 0x2c, 2);
    g_assert_cmphex(device_bench_in32(bench, NABM + 0x2c), ==, 2);
    g_assert_cmphex(device_bench_in16(bench, NAM + 0x02), ==, 0);
    device_bench_out32(bench, NABM + 0x2c, 0);
    g_assert_cmphex(device_bench_in16(bench, NAM + 0x02), ==, 0x8000);
    /* The semaphore is taken by reading and given back by the codec's access. */
    device_bench_out16(bench, NAM + 0x02, 0);
    g_assert_cmpuint(device_bench_in8(bench, NABM + 0x34), ==, 0);
    g_assert_cmpuint(device_bench_in8(bench, NABM + 0x34), ==, 1);
    device_bench_in16(bench, NAM + 0x02);
    g_assert_cmpuint(device_bench_in8(bench, NABM + 0x34), ==, 0);
}

static void
second_codec(void)
{
    g_autoptr(DeviceBench) bench = start("AD1980");

    g_assert_cmphex(device_bench_in16(bench, NAM + 0x7c), ==, 0x4144);
    g_assert_cmphex(device_bench_in16(bench, NAM + 0x7e), ==, 0x5370);
}

/* `count` buffers of `samples`, all with an interrupt. */
static void
make_list(DeviceBench *bench, unsigned count, uint32_t samples)
{
    for (unsigned i = 0; i < count; i++) {
        pci_guest_put32(bench, LIST + 8 * i, DATA + i * samples * 2);
        pci_guest_put32(bench, LIST + 8 * i + 4, samples | 0x80000000u);
    }
}

static void
play_to_the_end(void)
{
    g_autoptr(DeviceBench) bench = start(NULL);
    BenchAudio *audio = bench_audio(bench->pdm, "ac97", 0, 0);
    int16_t data[2 * 960];

    for (unsigned i = 0; i < G_N_ELEMENTS(data); i++)
        data[i] = (int16_t)(i * 7);
    pci_guest_put(bench, DATA, data, sizeof data);
    make_list(bench, 2, 960); /* 480 frames each: 10 ms */
    device_bench_out32(bench, PO, LIST);
    device_bench_out8(bench, PO + 5, 1);
    device_bench_out8(bench, PO + 0xb, 0x11);
    device_bench_advance(bench, 9 * MS);
    g_assert_cmphex(device_bench_in16(bench, PO + 6), ==, 0);
    g_assert_cmpuint(device_bench_in16(bench, PO + 8), ==, 960 - 2 * 432);
    g_assert_true(audio->streams[1].running);
    device_bench_advance(bench, 1 * MS);
    g_assert_cmphex(device_bench_in16(bench, PO + 6), ==, 0x08);
    g_assert_cmpuint(device_bench_in8(bench, PO + 4), ==, 1);
    g_assert_cmphex(device_bench_in32(bench, NABM + 0x30) & 0xe0, ==, 0x40);
    device_bench_out16(bench, PO + 6, 0x08);
    g_assert_cmphex(device_bench_in32(bench, NABM + 0x30) & 0xe0, ==, 0);
    device_bench_advance(bench, 20 * MS);
    g_assert_cmphex(device_bench_in16(bench, PO + 6), ==, 0x0f);
    g_assert_false(audio->streams[1].running);
    g_assert_cmpmem(audio->streams[1].written->data, audio->streams[1].written->len, data,
                    sizeof data);
    g_assert_cmpuint(audio->streams[1].format.rate, ==, 48000);
    /* Another buffer: it goes on by itself. */
    pci_guest_put32(bench, LIST + 16, DATA);
    pci_guest_put32(bench, LIST + 20, 960);
    device_bench_out8(bench, PO + 5, 2);
    g_assert_cmphex(device_bench_in16(bench, PO + 6) & 1, ==, 0);
    g_assert_true(audio->streams[1].running);
    device_bench_advance(bench, 11 * MS);
    g_assert_cmpuint(audio->streams[1].written->len, ==, sizeof data / 2 * 3);
}

/* A sound server that opens its device: the card's clock waits for it, and nothing is lost. */
static void
waits_for_the_host(void)
{
    g_autoptr(DeviceBench) bench = start(NULL);
    BenchAudio *audio = bench_audio(bench->pdm, "ac97", 0, 0);

    audio->streams[1].waits = true;
    make_list(bench, 1, 960);
    device_bench_out32(bench, PO, LIST);
    device_bench_out8(bench, PO + 0xb, 0x11);
    device_bench_advance(bench, 300 * MS);
    g_assert_cmpuint(device_bench_in16(bench, PO + 8), ==, 960);
    g_assert_cmpuint(audio->streams[1].written->len, ==, 0);
    audio->streams[1].waits = false;
    device_bench_advance(bench, 5 * MS);
    g_assert_cmpuint(audio->streams[1].written->len, <=, 5 * 192);
    device_bench_advance(bench, 20 * MS);
    g_assert_cmpuint(audio->streams[1].written->len, ==, 960 * 2);
}

static void
record(void)
{
    g_autoptr(DeviceBench) bench = start(NULL);
    BenchAudio *audio = bench_audio(bench->pdm, "ac97", 0, 0);
    uint32_t value;

    make_list(bench, 1, 64);
    device_bench_out32(bench, NABM, LIST);
    device_bench_out8(bench, NABM + 0xb, 0x01);
    g_assert_true(audio->streams[0].running);
    device_bench_advance(bench, 5 * MS);
    pci_guest_get(bench, DATA, &value, 4);
    g_assert_cmphex(value, ==, 0x5a5a5a5a); /* what the bench's microphone says */
    pci_guest_get(bench, DATA + 128, &value, 4);
    g_assert_cmphex(value, ==, 0);
}

/* Empty buffers, a list on itself, lists in device memory: the card comes to an end each time. */
static void
hostile_lists(void)
{
    g_autoptr(DeviceBench) bench = start(NULL);

    for (unsigned i = 0; i < 32; i++) {
        pci_guest_put32(bench, LIST + 8 * i, LIST);
        pci_guest_put32(bench, LIST + 8 * i + 4, i % 3 == 0 ? 0 : 1);
    }
    device_bench_out32(bench, PO, LIST);
    device_bench_out8(bench, PO + 5, 31);
    device_bench_out8(bench, PO + 0xb, 0x1d);
    device_bench_advance(bench, 10 * MS);
    g_assert_cmphex(device_bench_in16(bench, PO + 6) & 7, ==, 7);
    device_bench_out8(bench, PO + 0xb, 0);
    device_bench_out8(bench, PO + 0xb, 2);
    device_bench_out32(bench, PO, 0xfffffff8u);
    device_bench_out8(bench, PO + 0xb, 1);
    device_bench_advance(bench, 3000 * MS);
    device_bench_reset(bench);
    map_windows(bench);
    g_assert_cmphex(device_bench_in16(bench, PO + 6), ==, 1);
}

static void
saved_while_playing(void)
{
    g_autoptr(DeviceBench) bench = start(NULL), other = start(NULL);
    g_autoptr(GBytes) state = NULL, again = NULL;
    g_autoptr(GError) error = NULL;

    make_list(bench, 3, 960);
    device_bench_out32(bench, PO, LIST);
    device_bench_out8(bench, PO + 5, 2);
    device_bench_out8(bench, PO + 0xb, 0x11);
    device_bench_advance(bench, 12 * MS);
    state = device_bench_save(bench, &error);
    g_assert_no_error(error);
    g_assert_true(device_bench_load(other, state, &error));
    g_assert_no_error(error);
    g_assert_true(bench_audio(other->pdm, "ac97", 0, 0)->streams[1].running);
    again = device_bench_save(other, &error);
    g_assert_true(g_bytes_equal(state, again));
    device_bench_advance(other, 30 * MS);
    g_assert_cmphex(device_bench_in16(other, PO + 6) & 7, ==, 7);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ac97/codec", codec_registers);
    g_test_add_func("/ac97/ad1980", second_codec);
    g_test_add_func("/ac97/play", play_to_the_end);
    g_test_add_func("/ac97/waits", waits_for_the_host);
    g_test_add_func("/ac97/record", record);
    g_test_add_func("/ac97/hostile", hostile_lists);
    g_test_add_func("/ac97/state", saved_while_playing);
    return g_test_run();
}
