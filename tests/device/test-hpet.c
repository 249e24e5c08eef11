/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The HPET: the counter, one-shot and periodic timers, levels, legacy replacement. */
#include "tests/lib/device-bench.h"

#define HPET 0xfed00000u
#define MS 1000000ull

static DeviceBench *
hpet_bench(void)
{
    CfgmNode *config = cfgm_new();

    device_bench_add(config, "pic", 0);
    device_bench_add(config, "pit", 0);
    device_bench_add(config, "ioapic", 0);
    device_bench_add(config, "hpet", 0);
    return device_bench_new(config);
}

static uint64_t
get(DeviceBench *bench, uint32_t offset)
{
    return device_bench_read(bench, HPET + offset, 8);
}

static void
set(DeviceBench *bench, uint32_t offset, uint64_t value)
{
    device_bench_write(bench, HPET + offset, value, 8);
}

static void
test_counter(void)
{
    g_autoptr(DeviceBench) bench = hpet_bench();

    g_assert_cmphex(get(bench, 0), ==, 0x009896808086a201ull);
    device_bench_advance(bench, MS);
    g_assert_cmphex(get(bench, 0xf0), ==, 0);
    set(bench, 0xf0, 0xfffffff0);
    set(bench, 0x10, 1);
    device_bench_advance(bench, MS);
    g_assert_cmphex(get(bench, 0xf0), ==, 0xfffffff0ull + 100000);
    g_assert_cmphex(device_bench_read(bench, HPET + 0xf4, 4), ==, 1);
    /* A running counter is not written; a halted one keeps its value. */
    set(bench, 0xf0, 0);
    g_assert_cmphex(get(bench, 0xf0), ==, 0xfffffff0ull + 100000);
    set(bench, 0x10, 0);
    device_bench_advance(bench, MS);
    g_assert_cmphex(get(bench, 0xf0), ==, 0xfffffff0ull + 100000);
}

static void
test_one_shot(void)
{
    g_autoptr(DeviceBench) bench = hpet_bench();

    set(bench, 0x120, 1u << 2 | 20u << 9); /* timer 1, pin 20, edge */
    set(bench, 0x128, 50000);
    set(bench, 0x10, 1);
    device_bench_write(bench, 0xfec00000, 0x38, 4);
    device_bench_write(bench, 0xfec00010, 0x61, 4);
    device_bench_advance(bench, 499000);
    g_assert_cmpint(device_bench_take_interrupt(bench), ==, -1);
    device_bench_advance(bench, 1000);
    g_assert_cmpint(device_bench_take_interrupt(bench), ==, 0x61);
    g_assert_cmphex(get(bench, 0x20), ==, 0);
}

static void
test_level(void)
{
    g_autoptr(DeviceBench) bench = hpet_bench();

    set(bench, 0x140, 1u << 1 | 1u << 2 | 21u << 9);
    set(bench, 0x148, 1000);
    set(bench, 0x10, 1);
    device_bench_advance(bench, 20000);
    g_assert_cmphex(get(bench, 0x20), ==, 4);
    g_assert_true(device_bench_gsi(bench, 21));
    set(bench, 0x20, 4);
    g_assert_cmphex(get(bench, 0x20), ==, 0);
    g_assert_false(device_bench_gsi(bench, 21));
}

static void
test_periodic(void)
{
    g_autoptr(DeviceBench) bench = hpet_bench();

    set(bench, 0x10, 2); /* legacy replacement */
    set(bench, 0x100, 1u << 2 | 1u << 3 | 1u << 6);
    set(bench, 0x108, 100000);
    set(bench, 0x108, 100000);
    set(bench, 0x10, 3);
    device_bench_advance(bench, 10 * MS);
    g_assert_cmpuint(device_bench_irq_edges(bench, 0), ==, 10);
    g_assert_cmpuint(get(bench, 0x108), ==, 1100000);
}

/* Interrupts that came too late are made up for, at a bounded rate and in a bounded number. */
static void
test_late(void)
{
    g_autoptr(DeviceBench) bench = hpet_bench();
    uint64_t edges;

    set(bench, 0x10, 2);
    set(bench, 0x100, 1u << 2 | 1u << 3 | 1u << 6);
    set(bench, 0x108, 100000);
    set(bench, 0x108, 100000);
    set(bench, 0x10, 3);
    tm_skip_to(bench->rooms.tm, device_bench_now(bench) + 10 * MS + MS / 2);
    tm_run_timers(cpum_vcpu(bench->rooms.cpum, 0));
    g_assert_cmpuint(device_bench_irq_edges(bench, 0), ==, 1);
    g_assert_cmpuint(get(bench, 0x108), ==, 1100000);
    /* Nine are owed: after a period of normal ones there are all 21. */
    device_bench_advance(bench, 10 * MS);
    g_assert_cmpuint(device_bench_irq_edges(bench, 0), ==, 20);
    tm_skip_to(bench->rooms.tm, device_bench_now(bench) + 60000 * MS);
    tm_run_timers(cpum_vcpu(bench->rooms.cpum, 0));
    edges = device_bench_irq_edges(bench, 0);
    device_bench_advance(bench, 10 * MS);
    g_assert_cmpuint(device_bench_irq_edges(bench, 0) - edges, ==, 30);
}

/* While timers 0 and 1 have the old lines, the 8254 has not. */
static void
test_legacy(void)
{
    g_autoptr(DeviceBench) bench = hpet_bench();

    device_bench_out8(bench, 0x43, 0x34);
    device_bench_out8(bench, 0x40, 0xa9);
    device_bench_out8(bench, 0x40, 0x04); /* 1000 Hz */
    device_bench_advance(bench, 10 * MS);
    g_assert_cmpuint(device_bench_irq_edges(bench, 0), >=, 9);
    set(bench, 0x10, 3);
    uint64_t edges = device_bench_irq_edges(bench, 0);
    device_bench_advance(bench, 10 * MS);
    g_assert_cmpuint(device_bench_irq_edges(bench, 0), ==, edges);
    set(bench, 0x10, 0);
    device_bench_advance(bench, 10 * MS);
    g_assert_cmpuint(device_bench_irq_edges(bench, 0), >=, edges + 9);
}

static void
test_32bit(void)
{
    g_autoptr(DeviceBench) bench = hpet_bench();

    set(bench, 0xf0, 0xfffffffffull);
    set(bench, 0x140, 1u << 1 | 1u << 2 | 1u << 8 | 22u << 9);
    set(bench, 0x148, 0x1200000010ull);
    g_assert_cmphex(get(bench, 0x148), ==, 0x10);
    set(bench, 0x10, 1);
    device_bench_advance(bench, 0x11 * 10 + 10);
    g_assert_true(device_bench_gsi(bench, 22));
}

/* A period of one tick does not stop the machine. */
static void
test_storm(void)
{
    g_autoptr(DeviceBench) bench = hpet_bench();
    uint64_t edges;

    set(bench, 0x100, 1u << 2 | 1u << 3 | 1u << 6);
    set(bench, 0x108, 1);
    edges = device_bench_irq_edges(bench, 0);
    set(bench, 0x10, 3);
    device_bench_advance(bench, 10 * MS);
    g_assert_cmpuint(device_bench_irq_edges(bench, 0) - edges, <=, 510);
}

static void
test_routes(void)
{
    g_autoptr(DeviceBench) bench = hpet_bench();

    set(bench, 0x100, 3u << 9); /* pin 3 is not reached: the old route stays */
    g_assert_cmphex(get(bench, 0x100), ==, 0x00ff010400000000ull | 2u << 9 | 0x30);
    set(bench, 0x100, 23u << 9);
    g_assert_cmphex(get(bench, 0x100), ==, 0x00ff010400000000ull | 23u << 9 | 0x30);
    g_assert_cmphex(get(bench, 0x160), ==, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/hpet/counter", test_counter);
    g_test_add_func("/hpet/one-shot", test_one_shot);
    g_test_add_func("/hpet/level", test_level);
    g_test_add_func("/hpet/periodic", test_periodic);
    g_test_add_func("/hpet/late", test_late);
    g_test_add_func("/hpet/legacy", test_legacy);
    g_test_add_func("/hpet/32-bit", test_32bit);
    g_test_add_func("/hpet/storm", test_storm);
    g_test_add_func("/hpet/routes", test_routes);
    return g_test_run();
}
