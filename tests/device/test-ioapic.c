/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The I/O APIC: registers, edges, levels with their EOI, masks. The local APIC that takes the
 * messages is TRPM's. */
#include "tests/lib/device-bench.h"

#define IOAPIC 0xfec00000u
#define LAPIC_EOI 0xfee000b0u

static DeviceBench *
ioapic_bench(void)
{
    CfgmNode *config = cfgm_new();

    device_bench_add(config, "ioapic", 0);
    return device_bench_new(config);
}

static uint32_t
read_register(DeviceBench *bench, uint8_t index)
{
    device_bench_write(bench, IOAPIC, index, 4);
    return (uint32_t)device_bench_read(bench, IOAPIC + 0x10, 4);
}

static void
write_register(DeviceBench *bench, uint8_t index, uint32_t value)
{
    device_bench_write(bench, IOAPIC, index, 4);
    device_bench_write(bench, IOAPIC + 0x10, value, 4);
}

static void
set_pin(DeviceBench *bench, unsigned pin, bool level)
{
    pdm_gsi_irq(pdm_find_device(bench->pdm, "ioapic", 0), pin, level);
}

static void
test_registers(void)
{
    g_autoptr(DeviceBench) bench = ioapic_bench();

    g_assert_cmphex(read_register(bench, 1), ==, 0x00170020);
    write_register(bench, 0, 0xffffffff);
    g_assert_cmphex(read_register(bench, 0), ==, 0x0f000000);
    g_assert_cmphex(read_register(bench, 2), ==, 0x0f000000);
    for (unsigned pin = 0; pin < 24; pin++) {
        g_assert_cmphex(read_register(bench, (uint8_t)(0x10 + pin * 2)), ==, 0x10000);
        write_register(bench, (uint8_t)(0x11 + pin * 2), 0xffffffff);
        g_assert_cmphex(read_register(bench, (uint8_t)(0x11 + pin * 2)), ==, 0xff000000);
    }
    /* Status bits are not the guest's to write. */
    write_register(bench, 0x10, 0xffffffff);
    g_assert_cmphex(read_register(bench, 0x10), ==, 0x1afff);
    g_assert_cmphex(read_register(bench, 0x40), ==, 0);
}

static void
test_edge(void)
{
    g_autoptr(DeviceBench) bench = ioapic_bench();

    set_pin(bench, 5, true); /* lost: the pin is masked */
    write_register(bench, 0x1a, 0x45);
    g_assert_cmpint(device_bench_take_interrupt(bench), ==, -1);
    set_pin(bench, 5, false);
    set_pin(bench, 5, true);
    g_assert_cmpint(device_bench_take_interrupt(bench), ==, 0x45);
    device_bench_write(bench, LAPIC_EOI, 0, 4);
    g_assert_cmpint(device_bench_take_interrupt(bench), ==, -1);
    g_assert_cmphex(read_register(bench, 0x1a), ==, 0x45);
}

static void
test_level(void)
{
    g_autoptr(DeviceBench) bench = ioapic_bench();

    write_register(bench, 0x26, 0x8051);
    set_pin(bench, 11, true);
    g_assert_cmphex(read_register(bench, 0x26), ==, 0xc051);
    g_assert_cmpint(device_bench_take_interrupt(bench), ==, 0x51);
    /* Up and waiting: nothing more before the EOI. */
    set_pin(bench, 11, false);
    set_pin(bench, 11, true);
    g_assert_cmpint(device_bench_take_interrupt(bench), ==, -1);
    device_bench_write(bench, LAPIC_EOI, 0, 4);
    g_assert_cmpint(device_bench_take_interrupt(bench), ==, 0x51);
    set_pin(bench, 11, false);
    device_bench_write(bench, LAPIC_EOI, 0, 4);
    g_assert_cmpint(device_bench_take_interrupt(bench), ==, -1);
    g_assert_cmphex(read_register(bench, 0x26), ==, 0x8051);
}

static void
test_level_mask(void)
{
    g_autoptr(DeviceBench) bench = ioapic_bench();

    write_register(bench, 0x26, 0x18051);
    set_pin(bench, 11, true);
    g_assert_cmpint(device_bench_take_interrupt(bench), ==, -1);
    write_register(bench, 0x26, 0x8051); /* unmasked while up */
    g_assert_cmpint(device_bench_take_interrupt(bench), ==, 0x51);
    /* The EOI register of newer chips. */
    device_bench_write(bench, IOAPIC + 0x40, 0x52, 4);
    g_assert_cmphex(read_register(bench, 0x26), ==, 0xc051);
    set_pin(bench, 11, false);
    device_bench_write(bench, IOAPIC + 0x40, 0x51, 4);
    g_assert_cmphex(read_register(bench, 0x26), ==, 0x8051);
}

static void
test_state(void)
{
    g_autoptr(DeviceBench) bench = ioapic_bench(), other = ioapic_bench();
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) saved = NULL;

    write_register(bench, 0x26, 0x8051);
    set_pin(bench, 11, true);
    saved = device_bench_save(bench, &error);
    g_assert_no_error(error);
    device_bench_load(other, saved, &error);
    g_assert_no_error(error);
    g_assert_cmphex(read_register(other, 0x26), ==, 0xc051);
    g_assert_cmpint(device_bench_take_interrupt(other), ==, 0x51);
    device_bench_write(other, LAPIC_EOI, 0, 4);
    g_assert_cmpint(device_bench_take_interrupt(other), ==, 0x51);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ioapic/registers", test_registers);
    g_test_add_func("/ioapic/edge", test_edge);
    g_test_add_func("/ioapic/level", test_level);
    g_test_add_func("/ioapic/level-mask", test_level_mask);
    g_test_add_func("/ioapic/state", test_state);
    return g_test_run();
}
