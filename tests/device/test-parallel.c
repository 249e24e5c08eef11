/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The parallel port: strobe, busy, acknowledge interrupt, direction, a printer that waits. */
#include "tests/lib/device-bench.h"

#define BASE 0x378

static DeviceBench *
parallel_bench(void)
{
    CfgmNode *config = cfgm_new();
    DeviceBench *bench;
    const PdmCharPort *port;

    device_bench_add(config, "pic", 0);
    device_bench_add(config, "parallel", 0);
    device_bench_add_driver(config, "parallel", 0, 0, "bench-char");
    bench = device_bench_new(config);
    port = pdm_lun_port(bench->pdm, "parallel", 0, 0, PDM_IF_CHAR);
    port->connected(port->user, true);
    return bench;
}

static void
strobe(DeviceBench *bench, uint8_t byte, uint8_t control)
{
    device_bench_out8(bench, BASE, byte);
    device_bench_out8(bench, BASE + 2, control | 1);
    device_bench_out8(bench, BASE + 2, control);
}

static void
test_print(void)
{
    g_autoptr(DeviceBench) bench = parallel_bench();
    BenchChar *printer = bench_char(bench->pdm, "parallel", 0, 0);

    g_assert_cmphex(device_bench_in8(bench, BASE + 1), ==, 0xdf);
    strobe(bench, 'P', 0x14);
    g_assert_cmpuint(printer->sent->len, ==, 1);
    g_assert_cmpint(printer->sent->data[0], ==, 'P');
    g_assert_cmphex(device_bench_in8(bench, BASE + 1) & 0x80, ==, 0);
    /* Busy: another strobe is not seen. */
    strobe(bench, 'Q', 0x14);
    g_assert_cmpuint(printer->sent->len, ==, 1);
    device_bench_advance(bench, 5500);
    g_assert_cmphex(device_bench_in8(bench, BASE + 1) & 0x40, ==, 0);
    g_assert_cmpuint(device_bench_irq_edges(bench, 7), ==, 0);
    device_bench_advance(bench, 1000);
    g_assert_cmphex(device_bench_in8(bench, BASE + 1), ==, 0xdf);
    g_assert_cmpuint(device_bench_irq_edges(bench, 7), ==, 1);
}

static void
test_wait(void)
{
    g_autoptr(DeviceBench) bench = parallel_bench();
    BenchChar *printer = bench_char(bench->pdm, "parallel", 0, 0);
    const PdmCharPort *port = pdm_lun_port(bench->pdm, "parallel", 0, 0, PDM_IF_CHAR);

    printer->room = 0;
    strobe(bench, 'P', 0x04);
    device_bench_advance(bench, 1000000000);
    g_assert_cmphex(device_bench_in8(bench, BASE + 1) & 0x80, ==, 0);
    printer->room = SIZE_MAX;
    port->can_send(port->user);
    device_bench_advance(bench, 10000);
    g_assert_cmphex(device_bench_in8(bench, BASE + 1) & 0x80, ==, 0x80);
    g_assert_cmpuint(printer->sent->len, ==, 1);
}

static void
test_registers(void)
{
    g_autoptr(DeviceBench) bench = parallel_bench();

    device_bench_out8(bench, BASE, 0x3c);
    g_assert_cmphex(device_bench_in8(bench, BASE), ==, 0x3c);
    device_bench_out8(bench, BASE + 2, 0xe4);
    g_assert_cmphex(device_bench_in8(bench, BASE + 2), ==, 0x24);
    g_assert_cmphex(device_bench_in8(bench, BASE), ==, 0xff);
    /* Reset ends what the printer was at. */
    device_bench_out8(bench, BASE + 2, 0x04);
    strobe(bench, 'x', 0x04);
    device_bench_out8(bench, BASE + 2, 0x00);
    g_assert_cmphex(device_bench_in8(bench, BASE + 1), ==, 0xdf);
}

static void
test_state(void)
{
    g_autoptr(DeviceBench) bench = parallel_bench(), other = parallel_bench();
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) saved = NULL;

    strobe(bench, 'P', 0x14);
    saved = device_bench_save(bench, &error);
    g_assert_no_error(error);
    device_bench_load(other, saved, &error);
    g_assert_no_error(error);
    device_bench_advance(other, 10000);
    g_assert_cmphex(device_bench_in8(other, BASE + 1), ==, 0xdf);
    g_assert_cmpuint(device_bench_irq_edges(other, 7), ==, 1);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/parallel/print", test_print);
    g_test_add_func("/parallel/wait", test_wait);
    g_test_add_func("/parallel/registers", test_registers);
    g_test_add_func("/parallel/state", test_state);
    return g_test_run();
}
