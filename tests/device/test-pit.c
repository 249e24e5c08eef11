/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The 8254: all modes, BCD, latches, read-back, port 0x61, the timer interrupt. */
#include "tests/lib/device-bench.h"

#define HZ 1193182u

static DeviceBench *
pit_bench(void)
{
    CfgmNode *config = cfgm_new();

    device_bench_add(config, "pic", 0);
    device_bench_add(config, "pit", 0);
    return device_bench_new(config);
}

/* Lets a number of input clocks pass. */
static void
run_ticks(DeviceBench *bench, uint64_t ticks)
{
    uint64_t now = device_bench_now(bench);
    uint64_t tick = (uint64_t)((unsigned __int128)now * HZ / 1000000000u) + ticks;
    uint64_t then = (uint64_t)(((unsigned __int128)tick * 1000000000u + HZ - 1) / HZ);

    device_bench_advance(bench, then - now);
}

static void
program(DeviceBench *bench, unsigned counter, uint8_t mode, uint16_t count)
{
    device_bench_out8(bench, 0x43, (uint8_t)(counter << 6 | 0x30 | mode << 1));
    device_bench_out8(bench, (uint16_t)(0x40 + counter), (uint8_t)count);
    device_bench_out8(bench, (uint16_t)(0x40 + counter), (uint8_t)(count >> 8));
}

static uint16_t
read_count(DeviceBench *bench, unsigned counter)
{
    uint16_t port = (uint16_t)(0x40 + counter), low;

    device_bench_out8(bench, 0x43, (uint8_t)(counter << 6));
    low = device_bench_in8(bench, port);
    return (uint16_t)(low | device_bench_in8(bench, port) << 8);
}

static bool
output2(DeviceBench *bench)
{
    return device_bench_in8(bench, 0x61) >> 5 & 1;
}

static void
test_mode0(void)
{
    g_autoptr(DeviceBench) bench = pit_bench();

    program(bench, 0, 0, 100);
    g_assert_false(device_bench_irq(bench, 0));
    run_ticks(bench, 99);
    g_assert_cmpuint(read_count(bench, 0), ==, 1);
    g_assert_false(device_bench_irq(bench, 0));
    run_ticks(bench, 1);
    g_assert_true(device_bench_irq(bench, 0));
    run_ticks(bench, 1);
    g_assert_cmphex(read_count(bench, 0), ==, 0xffff);
    g_assert_cmpuint(device_bench_irq_edges(bench, 0), ==, 1);
}

static void
test_mode1(void)
{
    g_autoptr(DeviceBench) bench = pit_bench();

    program(bench, 2, 1, 50);
    g_assert_true(output2(bench));
    run_ticks(bench, 10);
    g_assert_true(output2(bench));
    device_bench_out8(bench, 0x61, 1); /* the gate triggers */
    g_assert_false(output2(bench));
    run_ticks(bench, 30);
    device_bench_out8(bench, 0x61, 0);
    device_bench_out8(bench, 0x61, 1); /* and triggers again */
    run_ticks(bench, 49);
    g_assert_false(output2(bench));
    run_ticks(bench, 1);
    g_assert_true(output2(bench));
}

static void
test_mode2(void)
{
    g_autoptr(DeviceBench) bench = pit_bench();
    uint64_t edges;

    program(bench, 0, 2, 1193);
    edges = device_bench_irq_edges(bench, 0);
    run_ticks(bench, 1193 * 1000);
    g_assert_cmpuint(device_bench_irq_edges(bench, 0) - edges, ==, 1000);
    run_ticks(bench, 1192);
    g_assert_cmpuint(read_count(bench, 0), ==, 1);
    run_ticks(bench, 1);
    g_assert_cmpuint(read_count(bench, 0), ==, 1193);
    /* A new count takes effect at the end of the cycle. */
    run_ticks(bench, 193);
    device_bench_out8(bench, 0x40, 100);
    device_bench_out8(bench, 0x40, 0);
    edges = device_bench_irq_edges(bench, 0);
    run_ticks(bench, 999);
    g_assert_cmpuint(device_bench_irq_edges(bench, 0) - edges, ==, 0);
    run_ticks(bench, 1);
    g_assert_cmpuint(device_bench_irq_edges(bench, 0) - edges, ==, 1);
    run_ticks(bench, 100);
    g_assert_cmpuint(device_bench_irq_edges(bench, 0) - edges, ==, 2);
}

static void
test_mode2_gate(void)
{
    g_autoptr(DeviceBench) bench = pit_bench();

    device_bench_out8(bench, 0x61, 1);
    program(bench, 2, 2, 100);
    run_ticks(bench, 99);
    g_assert_false(output2(bench));
    device_bench_out8(bench, 0x61, 0);
    g_assert_true(output2(bench));
    run_ticks(bench, 500);
    g_assert_cmpuint(read_count(bench, 2), ==, 1);
    device_bench_out8(bench, 0x61, 1);
    g_assert_cmpuint(read_count(bench, 2), ==, 100);
}

static void
test_mode3(void)
{
    g_autoptr(DeviceBench) bench = pit_bench();
    uint16_t first;

    device_bench_out8(bench, 0x61, 1);
    program(bench, 2, 3, 100);
    first = read_count(bench, 2);
    run_ticks(bench, 10);
    g_assert_cmpuint(first - read_count(bench, 2), ==, 20);
    g_assert_true(output2(bench));
    run_ticks(bench, 40);
    g_assert_false(output2(bench));
    run_ticks(bench, 50);
    g_assert_true(output2(bench));
    /* Odd: high for one clock more than low. */
    program(bench, 2, 3, 5);
    for (unsigned i = 0; i < 10; i++) {
        g_assert_cmpint(output2(bench), ==, i % 5 < 3);
        run_ticks(bench, 1);
    }
}

static void
test_mode4_and_5(void)
{
    g_autoptr(DeviceBench) bench = pit_bench();

    device_bench_out8(bench, 0x61, 1);
    program(bench, 2, 4, 20);
    run_ticks(bench, 5);
    device_bench_out8(bench, 0x61, 0); /* the gate holds the count */
    run_ticks(bench, 100);
    g_assert_cmpuint(read_count(bench, 2), ==, 15);
    device_bench_out8(bench, 0x61, 1);
    run_ticks(bench, 15);
    g_assert_false(output2(bench));
    run_ticks(bench, 1);
    g_assert_true(output2(bench));

    device_bench_out8(bench, 0x61, 0);
    program(bench, 2, 5, 20);
    run_ticks(bench, 40);
    g_assert_true(output2(bench));
    device_bench_out8(bench, 0x61, 1);
    run_ticks(bench, 20);
    g_assert_false(output2(bench));
    run_ticks(bench, 1);
    g_assert_true(output2(bench));
}

static void
test_bcd(void)
{
    g_autoptr(DeviceBench) bench = pit_bench();

    device_bench_out8(bench, 0x61, 1);
    device_bench_out8(bench, 0x43, 0xb5); /* counter 2, both bytes, mode 2, BCD */
    device_bench_out8(bench, 0x42, 0x00);
    device_bench_out8(bench, 0x42, 0x10);
    g_assert_cmphex(read_count(bench, 2), ==, 0x1000);
    run_ticks(bench, 1);
    g_assert_cmphex(read_count(bench, 2), ==, 0x0999);
}

static void
test_access(void)
{
    g_autoptr(DeviceBench) bench = pit_bench();

    device_bench_out8(bench, 0x61, 1);
    device_bench_out8(bench, 0x43, 0x94); /* counter 2, low byte, mode 2 */
    device_bench_out8(bench, 0x42, 0x40);
    g_assert_cmphex(device_bench_in8(bench, 0x42), ==, 0x40);
    device_bench_out8(bench, 0x43, 0xa4); /* high byte */
    device_bench_out8(bench, 0x42, 0x40);
    run_ticks(bench, 0x100);
    g_assert_cmphex(device_bench_in8(bench, 0x42), ==, 0x3f);
}

static void
test_read_back(void)
{
    g_autoptr(DeviceBench) bench = pit_bench();

    device_bench_out8(bench, 0x61, 1);
    device_bench_out8(bench, 0x43, 0xb0);
    device_bench_out8(bench, 0x43, 0xe8); /* status of counter 2: no count yet */
    g_assert_cmphex(device_bench_in8(bench, 0x42), ==, 0x70);
    program(bench, 2, 0, 0x1234);
    device_bench_out8(bench, 0x43, 0xc8); /* status and count */
    run_ticks(bench, 0x34);
    g_assert_cmphex(device_bench_in8(bench, 0x42), ==, 0x30);
    g_assert_cmphex(device_bench_in8(bench, 0x42), ==, 0x34);
    g_assert_cmphex(device_bench_in8(bench, 0x42), ==, 0x12);
    g_assert_cmphex(read_count(bench, 2), ==, 0x1200);
}

static void
test_refresh(void)
{
    g_autoptr(DeviceBench) bench = pit_bench();
    unsigned changes = 0;
    uint8_t last = device_bench_in8(bench, 0x61) & 0x10;

    for (unsigned i = 0; i < 1000; i++) {
        uint8_t now;

        device_bench_advance(bench, 1000);
        now = device_bench_in8(bench, 0x61) & 0x10;
        changes += now != last;
        last = now;
    }
    g_assert_cmpuint(changes, >=, 65);
    g_assert_cmpuint(changes, <=, 67);
}

/* A rate that no CPU could serve does not stop the machine. */
static void
test_storm(void)
{
    g_autoptr(DeviceBench) bench = pit_bench();
    uint64_t edges;

    program(bench, 0, 2, 1);
    edges = device_bench_irq_edges(bench, 0);
    device_bench_advance(bench, 10000000);
    g_assert_cmpuint(device_bench_irq_edges(bench, 0) - edges, <=, 501);
    g_assert_cmpuint(device_bench_irq_edges(bench, 0) - edges, >=, 400);
}

/* Ticks that came too late are made up for, at a bounded rate and in a bounded number. */
static void
test_catch_up(void)
{
    g_autoptr(DeviceBench) bench = pit_bench();
    uint64_t edges;

    program(bench, 0, 2, 1193);
    edges = device_bench_irq_edges(bench, 0);
    tm_skip_to(bench->rooms.tm, device_bench_now(bench) + 10500000);
    tm_run_timers(cpum_vcpu(bench->rooms.cpum, 0));
    g_assert_cmpuint(device_bench_irq_edges(bench, 0) - edges, ==, 1);
    device_bench_advance(bench, 2000000);
    g_assert_cmpuint(device_bench_irq_edges(bench, 0) - edges, ==, 12);
    device_bench_advance(bench, 10000000);
    g_assert_cmpuint(device_bench_irq_edges(bench, 0) - edges, ==, 22);
    /* A host that slept for a minute does not bring a minute of ticks. */
    edges = device_bench_irq_edges(bench, 0);
    tm_skip_to(bench->rooms.tm, device_bench_now(bench) + 60000000000);
    tm_run_timers(cpum_vcpu(bench->rooms.cpum, 0));
    device_bench_advance(bench, 10000000);
    g_assert_cmpuint(device_bench_irq_edges(bench, 0) - edges, >=, 30);
    g_assert_cmpuint(device_bench_irq_edges(bench, 0) - edges, <=, 32);
}

static void
test_state(void)
{
    g_autoptr(DeviceBench) bench = pit_bench(), other = pit_bench();
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) saved = NULL;
    uint64_t edges;

    program(bench, 0, 2, 1000);
    run_ticks(bench, 2400);
    saved = device_bench_save(bench, &error);
    g_assert_no_error(error);
    device_bench_load(other, saved, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(read_count(other, 0), ==, 600);
    edges = device_bench_irq_edges(other, 0);
    run_ticks(other, 600);
    g_assert_cmpuint(device_bench_irq_edges(other, 0) - edges, ==, 1);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/pit/mode-0", test_mode0);
    g_test_add_func("/pit/mode-1", test_mode1);
    g_test_add_func("/pit/mode-2", test_mode2);
    g_test_add_func("/pit/mode-2-gate", test_mode2_gate);
    g_test_add_func("/pit/mode-3", test_mode3);
    g_test_add_func("/pit/mode-4-and-5", test_mode4_and_5);
    g_test_add_func("/pit/bcd", test_bcd);
    g_test_add_func("/pit/access", test_access);
    g_test_add_func("/pit/read-back", test_read_back);
    g_test_add_func("/pit/refresh", test_refresh);
    g_test_add_func("/pit/storm", test_storm);
    g_test_add_func("/pit/catch-up", test_catch_up);
    g_test_add_func("/pit/state", test_state);
    return g_test_run();
}
