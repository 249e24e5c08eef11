/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A whole PC of the chipset, firmware and ports, poked at random: nothing a guest does to any port,
 * configuration register or MMIO page stops the process, and its state can be saved and loaded at
 * any moment with the same bytes again. */
#include "tests/lib/device-bench.h"

#define POKES 60000

static DeviceBench *
pc_bench(void)
{
    static const char *const names[] = {"pic",      "pit",    "rtc",     "dma",  "ioapic",
                                        "hpet",     "i440fx", "piix3",   "acpi", "fw-cfg",
                                        "debugcon", "serial", "parallel"};
    CfgmNode *config = cfgm_new();

    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++)
        device_bench_add(config, names[i], 0);
    device_bench_add_driver(config, "serial", 0, 0, "bench-char");
    device_bench_add_driver(config, "parallel", 0, 0, "bench-char");
    return device_bench_new(config);
}

static uint16_t
random_port(GRand *random)
{
    static const struct {
        uint16_t first, count;
    } ranges[] = {
        {0x00, 0x10}, {0x20, 2},    {0x40, 4},  {0x61, 1},   {0x70, 4},   {0x80, 0x14}, {0xa0, 2},
        {0xb2, 2},    {0xc0, 0x20}, {0x378, 3}, {0x3f8, 8},  {0x402, 1},  {0x4d0, 2},   {0x510, 12},
        {0x600, 64},  {0x700, 16},  {0xcf8, 8}, {0xafe0, 4}, {0, 0xffff},
    };
    unsigned i = (unsigned)g_rand_int_range(random, 0, G_N_ELEMENTS(ranges));

    return (uint16_t)(ranges[i].first + g_rand_int_range(random, 0, ranges[i].count));
}

static uint64_t
random_address(GRand *random)
{
    static const uint64_t bases[] = {0xfec00000, 0xfed00000, 0xfed00100, 0xa0000,
                                     0xc0000,    0xf0000,    0x1000,     0xfffe0000};

    return bases[g_rand_int_range(random, 0, G_N_ELEMENTS(bases))] +
           (uint64_t)g_rand_int_range(random, 0, 0x400);
}

static void
poke_port(DeviceBench *bench, GRand *random)
{
    uint16_t port = random_port(random);
    uint32_t value = g_rand_int(random);

    switch (g_rand_int_range(random, 0, 6)) {
    case 0: device_bench_in8(bench, port); break;
    case 1: device_bench_in16(bench, port); break;
    case 2: device_bench_in32(bench, port); break;
    case 3: device_bench_out8(bench, port, (uint8_t)value); break;
    case 4: device_bench_out16(bench, port, (uint16_t)value); break;
    default: device_bench_out32(bench, port, value); break;
    }
}

static void
poke(DeviceBench *bench, GRand *random)
{
    unsigned size = 1u << g_rand_int_range(random, 0, 4);
    uint64_t address = random_address(random) & ~(uint64_t)(size - 1);

    switch (g_rand_int_range(random, 0, 8)) {
    case 0: device_bench_read(bench, address, size); break;
    case 1: device_bench_write(bench, address, g_rand_int(random), size); break;
    case 2:
        device_bench_pci_write(bench, (unsigned)g_rand_int_range(random, 0, 2),
                               (unsigned)g_rand_int_range(random, 0, 4),
                               (uint32_t)g_rand_int_range(random, 0, 256), g_rand_int(random), 1);
        break;
    case 3: device_bench_advance(bench, (uint64_t)g_rand_int_range(random, 0, 300000)); break;
    case 4: device_bench_take_interrupt(bench); break;
    default: poke_port(bench, random); break;
    }
}

static void
test_pokes(void)
{
    g_autoptr(DeviceBench) bench = pc_bench();
    g_autoptr(GRand) random = g_rand_new_with_seed(20261122);

    for (unsigned i = 0; i < POKES; i++) {
        poke(bench, random);
        if (i % 20000 == 19999)
            device_bench_reset(bench);
    }
    /* It is still a PC. */
    device_bench_reset(bench);
    g_assert_cmphex(device_bench_pci_read(bench, 0, 0, 0, 4), ==, 0x12378086);
    g_assert_cmphex(device_bench_in8(bench, 0x402), ==, 0xe9);
    /* Whatever was said about bad input, it did not fill the log. */
    g_assert_cmpuint(bench->log->len, <, 1u << 20);
}

static void
test_state(void)
{
    g_autoptr(DeviceBench) bench = pc_bench();
    g_autoptr(GRand) random = g_rand_new_with_seed(4711);

    for (unsigned round = 0; round < 4; round++) {
        g_autoptr(DeviceBench) other = pc_bench();
        g_autoptr(GError) error = NULL;
        g_autoptr(GBytes) first = NULL, second = NULL;

        for (unsigned i = 0; i < 2000; i++)
            poke(bench, random);
        first = device_bench_save(bench, &error);
        g_assert_no_error(error);
        device_bench_load(other, first, &error);
        g_assert_no_error(error);
        second = device_bench_save(other, &error);
        g_assert_no_error(error);
        g_assert_true(g_bytes_equal(first, second));
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/pc-random/pokes", test_pokes);
    g_test_add_func("/pc-random/state", test_state);
    return g_test_run();
}
