/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Every sound card under a senseless guest: registers, lists and rings of random contents (DMA onto
 * themselves and onto device registers, zero lengths, endless lists), while time passes and the
 * host is or is not ready. Nothing stops the process; each step ends; a saved state loads into
 * another machine and is saved there with the same bytes.
 *
 *   test-device-sound-random [first seed] [seeds]   more of them */
#include "tests/device/pci-guest.h"
#include "tests/lib/bench-audio.h"

#define SEEDS 6
#define STEPS 4000
#define US 1000ull
/* Where lists and rings are, so that cards find what was written. */
#define AREA 0x10000u
#define AREA_SIZE 0x1000u

typedef struct {
    const char *name;
    uint16_t first, count; /* ports */
    unsigned slot, bars;   /* of a PCI card: BARs 0 and on are mapped */
    bool mmio;
} Card;

static const Card cards[] = {
    {.name = "ac97", .first = 0x6000, .count = 0x140, .slot = 5},
    {.name = "hda", .slot = 5, .bars = 1, .mmio = true},
    {.name = "sb16", .first = 0x220, .count = 0x10},
};

static DeviceBench *
start(const Card *card)
{
    CfgmNode *config = cfgm_new();
    DeviceBench *bench;

    device_bench_add(config, "i440fx", 0);
    device_bench_add(config, "dma", 0);
    device_bench_add(config, "pic", 0);
    device_bench_add(config, card->name, 0);
    cfgm_set_string(device_bench_add_driver(config, card->name, 0, 0, "bench-audio"), "Unused", "");
    bench = device_bench_new(config);
    for (unsigned bar = 0; bar < card->bars; bar++)
        pci_guest_map(bench, card->slot, bar);
    if (card->slot != 0 && !card->mmio) {
        device_bench_pci_write(bench, card->slot, 0, 0x10, card->first, 4);
        device_bench_pci_write(bench, card->slot, 0, 0x14, card->first + 0x100u, 4);
        device_bench_pci_write(bench, card->slot, 0, 0x04, 7, 2);
    }
    return bench;
}

/* Addresses of the area, of the card itself and of nothing; small numbers; anything. */
static uint32_t
some_value(GRand *rand)
{
    switch (g_rand_int_range(rand, 0, 5)) {
    case 0: return AREA + (uint32_t)g_rand_int_range(rand, 0, AREA_SIZE);
    case 1: return PCI_GUEST_BAR(0) + (uint32_t)g_rand_int_range(rand, 0, 0x200);
    case 2: return (uint32_t)g_rand_int_range(rand, 0, 0x40);
    case 3: return 1u << g_rand_int_range(rand, 0, 32);
    default: return g_rand_int(rand);
    }
}

static void
poke_port(DeviceBench *bench, GRand *rand, const Card *card)
{
    /* The DMA controllers' registers and pages, too. */
    static const uint16_t dma[][2] = {{0x00, 16}, {0x80, 16}, {0xc0, 32}};
    unsigned i = (unsigned)g_rand_int_range(rand, 0, 6);
    uint16_t first = i < 3 || card->count == 0 ? dma[i % 3][0] : card->first;
    uint16_t count = i < 3 || card->count == 0 ? dma[i % 3][1] : card->count;
    uint16_t port = (uint16_t)(first + g_rand_int_range(rand, 0, count));
    uint32_t value = some_value(rand);

    switch (g_rand_int_range(rand, 0, 6)) {
    case 0: device_bench_in8(bench, port); break;
    case 1: device_bench_in16(bench, port); break;
    case 2: device_bench_out16(bench, port, (uint16_t)value); break;
    case 3: device_bench_out32(bench, port, value); break;
    default: device_bench_out8(bench, port, (uint8_t)value); break;
    }
}

static void
poke_window(DeviceBench *bench, GRand *rand)
{
    uint64_t address = PCI_GUEST_BAR(0) + (uint64_t)g_rand_int_range(rand, 0, 0x200);
    unsigned size = 1u << g_rand_int_range(rand, 0, 3);

    address &= ~(uint64_t)(size - 1);
    if (g_rand_int_range(rand, 0, 4) == 0)
        device_bench_read(bench, address, size);
    else
        device_bench_write(bench, address, some_value(rand), size);
}

static void
forget_sound(BenchAudio *audio, GRand *rand)
{
    for (unsigned i = 0; i < audio->count; i++) {
        audio->streams[i].waits = g_rand_int_range(rand, 0, 4) == 0;
        g_byte_array_set_size(audio->streams[i].written, 0);
    }
}

static void
check_state(DeviceBench *bench, const Card *card)
{
    g_autoptr(DeviceBench) other = start(card);
    g_autoptr(GBytes) state = NULL, again = NULL;
    g_autoptr(GError) error = NULL;

    state = device_bench_save(bench, &error);
    g_assert_no_error(error);
    device_bench_load(other, state, &error);
    g_assert_no_error(error);
    again = device_bench_save(other, &error);
    g_assert_no_error(error);
    g_assert_true(g_bytes_equal(state, again));
}

static void
run_card(const Card *card, uint32_t seed)
{
    g_autoptr(DeviceBench) bench = start(card);
    g_autoptr(GRand) rand = g_rand_new_with_seed(seed);
    BenchAudio *audio = bench_audio(bench->pdm, card->name, 0, 0);

    g_test_message("%s, seed %u", card->name, seed);
    for (unsigned step = 0; step < STEPS; step++) {
        switch (g_rand_int_range(rand, 0, 8)) {
        case 0:
            device_bench_write(bench, AREA + (uint64_t)g_rand_int_range(rand, 0, AREA_SIZE / 4) * 4,
                               some_value(rand), 4);
            break;
        case 1:
            device_bench_advance(bench, (uint64_t)g_rand_int_range(rand, 0, 20000) * US);
            forget_sound(audio, rand);
            break;
        default:
            if (card->mmio && g_rand_int_range(rand, 0, 8) != 0)
                poke_window(bench, rand);
            else
                poke_port(bench, rand, card);
            break;
        }
    }
    check_state(bench, card);
}

int
main(int argc, char **argv)
{
    uint32_t first, count;

    g_test_init(&argc, &argv, NULL);
    first = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 1;
    count = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : SEEDS;
    for (uint32_t seed = first; seed < first + count; seed++) {
        for (unsigned i = 0; i < G_N_ELEMENTS(cards); i++)
            run_card(&cards[i], seed);
    }
    return 0;
}
