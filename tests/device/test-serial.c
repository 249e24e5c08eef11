/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The serial port: registers, FIFO, interrupts, line timing, loop-back, modem lines, a driver that
 * stalls. */
#include "tests/lib/device-bench.h"

#include <string.h>

#define BASE 0x3f8
#define CHARACTER_NS 86805ull        /* at 115200 baud, 10 bits */
#define SHIFT_NS (CHARACTER_NS / 16) /* to a driver */

static DeviceBench *
serial_bench(const char *type)
{
    CfgmNode *config = cfgm_new();

    device_bench_add(config, "pic", 0);
    cfgm_set_string(device_bench_add(config, "serial", 0), "UartType", type);
    device_bench_add_driver(config, "serial", 0, 0, "bench-char");
    return device_bench_new(config);
}

static uint8_t
in(DeviceBench *bench, unsigned reg)
{
    return device_bench_in8(bench, (uint16_t)(BASE + reg));
}

static void
out(DeviceBench *bench, unsigned reg, uint8_t value)
{
    device_bench_out8(bench, (uint16_t)(BASE + reg), value);
}

static void
set_up(DeviceBench *bench, uint8_t fcr, uint8_t ier)
{
    out(bench, 3, 0x83);
    out(bench, 0, 1);
    out(bench, 1, 0);
    out(bench, 3, 0x03);
    out(bench, 2, fcr);
    out(bench, 4, 0x0b);
    out(bench, 1, ier);
}

static const PdmCharPort *
port(DeviceBench *bench)
{
    return pdm_lun_port(bench->pdm, "serial", 0, 0, PDM_IF_CHAR);
}

static void
receive(DeviceBench *bench, const char *text)
{
    const PdmCharPort *p = port(bench);

    g_assert_cmpuint(p->can_receive(p->user), >=, strlen(text));
    p->receive(p->user, (const uint8_t *)text, strlen(text));
}

static void
test_registers(void)
{
    g_autoptr(DeviceBench) bench = serial_bench("16550A");
    BenchChar *line = bench_char(bench->pdm, "serial", 0, 0);

    g_assert_cmphex(in(bench, 5), ==, 0x60);
    g_assert_cmphex(in(bench, 2), ==, 0x01);
    out(bench, 7, 0xa5);
    g_assert_cmphex(in(bench, 7), ==, 0xa5);
    out(bench, 1, 0xff);
    g_assert_cmphex(in(bench, 1), ==, 0x0f);
    out(bench, 4, 0xff);
    g_assert_cmphex(in(bench, 4), ==, 0x1f);
    out(bench, 4, 0x03);
    g_assert_true(line->dtr && line->rts);
    out(bench, 3, 0x9b);
    out(bench, 0, 0x06);
    out(bench, 1, 0x00);
    g_assert_cmphex(in(bench, 0), ==, 0x06);
    g_assert_cmpuint(line->baud, ==, 19200);
    g_assert_cmpuint(line->data_bits, ==, 8);
    g_assert_cmpint(line->parity, ==, 'E');
    out(bench, 3, 0x46);
    g_assert_true(line->break_on);
    g_assert_cmpuint(line->data_bits, ==, 7);
    g_assert_cmpuint(line->stop_bits, ==, 2);
    out(bench, 2, 0x01);
    g_assert_cmphex(in(bench, 2) & 0xc0, ==, 0xc0);
}

static void
test_types(void)
{
    g_autoptr(DeviceBench) old = serial_bench("16450"), large = serial_bench("16750");

    out(old, 2, 0x01);
    g_assert_cmphex(in(old, 2), ==, 0x01);
    out(large, 2, 0x21); /* the size is behind the divisor latch */
    g_assert_cmphex(in(large, 2), ==, 0xc1);
    out(large, 3, 0x80);
    out(large, 2, 0x21);
    out(large, 3, 0x03);
    g_assert_cmphex(in(large, 2), ==, 0xe1);
}

static void
test_transmit(void)
{
    g_autoptr(DeviceBench) bench = serial_bench("16550A");
    BenchChar *line = bench_char(bench->pdm, "serial", 0, 0);

    set_up(bench, 0x07, 0x02);
    g_assert_true(device_bench_irq(bench, 4));
    g_assert_cmphex(in(bench, 2), ==, 0xc2);
    g_assert_false(device_bench_irq(bench, 4));
    /* The first byte goes to the shift register at once, the others wait their turn. */
    for (unsigned i = 0; i < 16; i++)
        out(bench, 0, (uint8_t)('a' + i));
    g_assert_cmphex(in(bench, 5) & 0x60, ==, 0);
    device_bench_advance(bench, 14 * SHIFT_NS);
    g_assert_cmphex(in(bench, 5) & 0x60, ==, 0);
    device_bench_advance(bench, SHIFT_NS + SHIFT_NS / 2);
    g_assert_cmphex(in(bench, 5) & 0x60, ==, 0x20);
    g_assert_true(device_bench_irq(bench, 4));
    g_assert_cmphex(in(bench, 2), ==, 0xc2);
    device_bench_advance(bench, SHIFT_NS);
    g_assert_cmphex(in(bench, 5) & 0x60, ==, 0x60);
    g_assert_cmpuint(line->sent->len, ==, 16);
    g_assert_cmpint(memcmp(line->sent->data, "abcdefghijklmnop", 16), ==, 0);
}

/* Polled output, as firmware and early consoles do it, waits for each byte to go. */
static void
test_polled(void)
{
    g_autoptr(DeviceBench) bench = serial_bench("16550A");
    BenchChar *line = bench_char(bench->pdm, "serial", 0, 0);
    uint64_t start;

    set_up(bench, 0x07, 0x00);
    start = device_bench_now(bench);
    for (unsigned i = 0; i < 100; i++) {
        while ((in(bench, 5) & 0x60) != 0x60)
            device_bench_advance(bench, 100);
        out(bench, 0, (uint8_t)i);
    }
    g_assert_cmpuint(line->sent->len, ==, 100);
    g_assert_cmpuint(device_bench_now(bench) - start, >=, 99 * SHIFT_NS);
    g_assert_cmpuint(device_bench_now(bench) - start, <=, 102 * SHIFT_NS);
}

static void
test_receive(void)
{
    g_autoptr(DeviceBench) bench = serial_bench("16550A");
    BenchChar *line = bench_char(bench->pdm, "serial", 0, 0);
    const PdmCharPort *p = port(bench);

    set_up(bench, 0x87, 0x01); /* trigger at 8 */
    receive(bench, "1234");
    g_assert_cmphex(in(bench, 5) & 1, ==, 1);
    g_assert_false(device_bench_irq(bench, 4));
    /* What came has to have its time on the line. */
    g_assert_cmpuint(p->can_receive(p->user), ==, 0);
    device_bench_advance(bench, 4 * CHARACTER_NS + 1000);
    g_assert_cmpuint(line->ready_calls, ==, 1);
    receive(bench, "5678");
    g_assert_true(device_bench_irq(bench, 4));
    g_assert_cmphex(in(bench, 2), ==, 0xc4);
    for (unsigned i = 1; i <= 7; i++)
        g_assert_cmphex(in(bench, 0), ==, '0' + i);
    g_assert_false(device_bench_irq(bench, 4));
    /* One byte left over times out. */
    device_bench_advance(bench, 5 * CHARACTER_NS);
    g_assert_true(device_bench_irq(bench, 4));
    g_assert_cmphex(in(bench, 2), ==, 0xcc);
    g_assert_cmphex(in(bench, 0), ==, '8');
    g_assert_false(device_bench_irq(bench, 4));
    g_assert_cmphex(in(bench, 5) & 1, ==, 0);
}

static void
test_flow(void)
{
    g_autoptr(DeviceBench) bench = serial_bench("16550A");
    BenchChar *line = bench_char(bench->pdm, "serial", 0, 0);
    const PdmCharPort *p = port(bench);

    set_up(bench, 0x07, 0x00);
    receive(bench, "0123456789abcdef");
    device_bench_advance(bench, 20 * CHARACTER_NS);
    g_assert_cmpuint(p->can_receive(p->user), ==, 0);
    in(bench, 0);
    g_assert_cmpuint(line->ready_calls, ==, 1);
    g_assert_cmpuint(p->can_receive(p->user), ==, 1);
    /* A driver that sends more than it may is cut off. */
    p->receive(p->user, (const uint8_t *)"xyz", 3);
    g_assert_cmphex(in(bench, 5) & 3, ==, 3);
}

static void
test_loop_back(void)
{
    g_autoptr(DeviceBench) bench = serial_bench("16550A");
    BenchChar *line = bench_char(bench->pdm, "serial", 0, 0);

    set_up(bench, 0x07, 0x00);
    out(bench, 4, 0x1a);
    g_assert_cmphex(in(bench, 6) & 0xf0, ==, 0x90);
    out(bench, 4, 0x15);
    g_assert_cmphex(in(bench, 6) & 0xf0, ==, 0x60);
    out(bench, 0, 0x5a);
    device_bench_advance(bench, 2 * CHARACTER_NS);
    g_assert_cmphex(in(bench, 0), ==, 0x5a);
    g_assert_cmpuint(line->sent->len, ==, 0);
    g_assert_false(line->dtr);
}

static void
test_modem(void)
{
    g_autoptr(DeviceBench) bench = serial_bench("16550A");
    const PdmCharPort *p = port(bench);

    set_up(bench, 0x07, 0x08);
    in(bench, 6);
    p->connected(p->user, true);
    g_assert_true(device_bench_irq(bench, 4));
    g_assert_cmphex(in(bench, 2), ==, 0xc0);
    g_assert_cmphex(in(bench, 6), ==, 0xbb);
    g_assert_false(device_bench_irq(bench, 4));
    g_assert_cmphex(in(bench, 6), ==, 0xb0);
    p->connected(p->user, false);
    g_assert_cmphex(in(bench, 6), ==, 0x0b);
}

static void
test_gate(void)
{
    g_autoptr(DeviceBench) bench = serial_bench("16550A");

    set_up(bench, 0x07, 0x02);
    g_assert_true(device_bench_irq(bench, 4));
    out(bench, 4, 0x03);
    g_assert_false(device_bench_irq(bench, 4));
}

/* A driver that takes nothing holds the guest up for a moment only. */
static void
test_stall(void)
{
    g_autoptr(DeviceBench) bench = serial_bench("16550A");
    BenchChar *line = bench_char(bench->pdm, "serial", 0, 0);
    const PdmCharPort *p = port(bench);

    set_up(bench, 0x07, 0x00);
    line->room = 0;
    out(bench, 0, 'x');
    device_bench_advance(bench, 50000000);
    g_assert_cmphex(in(bench, 5) & 0x20, ==, 0);
    line->room = SIZE_MAX;
    p->can_send(p->user);
    g_assert_cmpuint(line->sent->len, ==, 1);
    g_assert_cmphex(in(bench, 5) & 0x20, ==, 0x20);
    line->room = 0;
    device_bench_advance(bench, CHARACTER_NS * 2);
    out(bench, 0, 'y');
    device_bench_advance(bench, 300000000);
    g_assert_cmphex(in(bench, 5) & 0x20, ==, 0x20);
    /* From then on bytes are lost at the speed of the line, until the driver goes on. */
    for (unsigned i = 0; i < 16; i++)
        out(bench, 0, 'z');
    device_bench_advance(bench, 17 * CHARACTER_NS);
    g_assert_cmphex(in(bench, 5) & 0x60, ==, 0x60);
    line->room = SIZE_MAX;
    out(bench, 0, 'w');
    device_bench_advance(bench, 2 * CHARACTER_NS);
    g_assert_cmpuint(line->sent->len, ==, 2);
    g_assert_cmpint(line->sent->data[1], ==, 'w');
}

static void
test_state(void)
{
    g_autoptr(DeviceBench) bench = serial_bench("16550A"), other = serial_bench("16550A");
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) saved = NULL;
    BenchChar *line = bench_char(other->pdm, "serial", 0, 0);

    set_up(bench, 0x07, 0x03);
    receive(bench, "in");
    for (unsigned i = 0; i < 5; i++)
        out(bench, 0, (uint8_t)('0' + i));
    saved = device_bench_save(bench, &error);
    g_assert_no_error(error);
    device_bench_load(other, saved, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(line->baud, ==, 115200);
    device_bench_advance(other, 6 * CHARACTER_NS);
    /* The first byte had left already. */
    g_assert_cmpuint(line->sent->len, ==, 4);
    g_assert_cmphex(in(other, 0), ==, 'i');
    g_assert_cmphex(in(other, 0), ==, 'n');
}

static void
test_bad_config(void)
{
    g_autoptr(GError) error = NULL;
    CfgmNode *config = cfgm_new();

    cfgm_set_string(device_bench_add(config, "serial", 0), "UartType", "8250");
    g_assert_null(device_bench_try(config, NULL, &error));
    g_assert_error(error, BASE_ERROR, BASE_ERROR_INVALID);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/serial/registers", test_registers);
    g_test_add_func("/serial/types", test_types);
    g_test_add_func("/serial/transmit", test_transmit);
    g_test_add_func("/serial/polled", test_polled);
    g_test_add_func("/serial/receive", test_receive);
    g_test_add_func("/serial/flow", test_flow);
    g_test_add_func("/serial/loop-back", test_loop_back);
    g_test_add_func("/serial/modem", test_modem);
    g_test_add_func("/serial/gate", test_gate);
    g_test_add_func("/serial/stall", test_stall);
    g_test_add_func("/serial/state", test_state);
    g_test_add_func("/serial/bad-config", test_bad_config);
    return g_test_run();
}
