/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The 8259A pair: priorities, masks, rotation, special modes, cascade, edge and level. */
#include "tests/lib/device-bench.h"

/* A PIC as a PC's firmware sets it up, with irq lines that the test drives through the timer's and
 * serial ports' place: the PIC's own device moves them. */
static DeviceBench *
pic_bench(uint8_t icw4)
{
    CfgmNode *config = cfgm_new();
    DeviceBench *bench;

    device_bench_add(config, "pic", 0);
    bench = device_bench_new(config);
    device_bench_out8(bench, 0x20, 0x11);
    device_bench_out8(bench, 0x21, 0x20);
    device_bench_out8(bench, 0x21, 0x04);
    device_bench_out8(bench, 0x21, icw4);
    device_bench_out8(bench, 0xa0, 0x11);
    device_bench_out8(bench, 0xa1, 0x70);
    device_bench_out8(bench, 0xa1, 0x02);
    device_bench_out8(bench, 0xa1, icw4);
    return bench;
}

static void
raise_irq(DeviceBench *bench, unsigned irq)
{
    pdm_isa_irq(pdm_find_device(bench->pdm, "pic", 0), irq, true);
}

static void
lower_irq(DeviceBench *bench, unsigned irq)
{
    pdm_isa_irq(pdm_find_device(bench->pdm, "pic", 0), irq, false);
}

static void
pulse_irq(DeviceBench *bench, unsigned irq)
{
    raise_irq(bench, irq);
    lower_irq(bench, irq);
}

static void
test_priority(void)
{
    g_autoptr(DeviceBench) bench = pic_bench(0x01);

    g_assert_cmpint(device_bench_take_interrupt(bench), ==, -1);
    pulse_irq(bench, 5);
    pulse_irq(bench, 3);
    g_assert_cmpint(device_bench_take_interrupt(bench), ==, 0x23);
    /* 5 waits for the end of 3, 1 does not. */
    g_assert_cmpint(device_bench_take_interrupt(bench), ==, -1);
    pulse_irq(bench, 1);
    g_assert_cmpint(device_bench_take_interrupt(bench), ==, 0x21);
    device_bench_out8(bench, 0x20, 0x0b);
    g_assert_cmphex(device_bench_in8(bench, 0x20), ==, 0x0a);
    device_bench_out8(bench, 0x20, 0x0a);
    g_assert_cmphex(device_bench_in8(bench, 0x20), ==, 0x20);
    device_bench_out8(bench, 0x20, 0x20); /* ends 1 */
    device_bench_out8(bench, 0x20, 0x63); /* ends 3 */
    g_assert_cmpint(device_bench_take_interrupt(bench), ==, 0x25);
}

static void
test_mask(void)
{
    g_autoptr(DeviceBench) bench = pic_bench(0x01);

    device_bench_out8(bench, 0x21, 0x08);
    g_assert_cmphex(device_bench_in8(bench, 0x21), ==, 0x08);
    pulse_irq(bench, 3);
    g_assert_cmpint(device_bench_take_interrupt(bench), ==, -1);
    device_bench_out8(bench, 0x21, 0x00);
    g_assert_cmpint(device_bench_take_interrupt(bench), ==, 0x23);
}

static void
test_cascade(void)
{
    g_autoptr(DeviceBench) bench = pic_bench(0x01);

    pulse_irq(bench, 12);
    pulse_irq(bench, 8);
    g_assert_cmpint(device_bench_take_interrupt(bench), ==, 0x70);
    g_assert_cmpint(device_bench_take_interrupt(bench), ==, -1);
    /* Both chips need their end. */
    device_bench_out8(bench, 0xa0, 0x20);
    g_assert_cmpint(device_bench_take_interrupt(bench), ==, -1);
    device_bench_out8(bench, 0x20, 0x20);
    g_assert_cmpint(device_bench_take_interrupt(bench), ==, 0x74);
}

static void
test_fully_nested(void)
{
    g_autoptr(DeviceBench) bench = pic_bench(0x11);

    pulse_irq(bench, 12);
    g_assert_cmpint(device_bench_take_interrupt(bench), ==, 0x74);
    /* In special fully nested mode a better line of the same slave gets through. */
    pulse_irq(bench, 9);
    g_assert_cmpint(device_bench_take_interrupt(bench), ==, 0x71);
    pulse_irq(bench, 10);
    g_assert_cmpint(device_bench_take_interrupt(bench), ==, -1);
}

static void
test_rotation(void)
{
    g_autoptr(DeviceBench) bench = pic_bench(0x01);

    pulse_irq(bench, 1);
    g_assert_cmpint(device_bench_take_interrupt(bench), ==, 0x21);
    device_bench_out8(bench, 0x20, 0xa0); /* rotate on non-specific EOI: 1 becomes the lowest */
    pulse_irq(bench, 1);
    pulse_irq(bench, 6);
    g_assert_cmpint(device_bench_take_interrupt(bench), ==, 0x26);
    device_bench_out8(bench, 0x20, 0x20);
    device_bench_out8(bench, 0x20, 0xc0 | 5); /* set priority: 6 is the highest */
    pulse_irq(bench, 6);
    g_assert_cmpint(device_bench_take_interrupt(bench), ==, 0x26);
}

static void
test_special_mask(void)
{
    g_autoptr(DeviceBench) bench = pic_bench(0x01);

    pulse_irq(bench, 1);
    g_assert_cmpint(device_bench_take_interrupt(bench), ==, 0x21);
    device_bench_out8(bench, 0x21, 0x02);
    device_bench_out8(bench, 0x20, 0x68);
    pulse_irq(bench, 7);
    g_assert_cmpint(device_bench_take_interrupt(bench), ==, 0x27);
    device_bench_out8(bench, 0x20, 0x20); /* ends 7, not the masked 1 */
    device_bench_out8(bench, 0x20, 0x0b);
    g_assert_cmphex(device_bench_in8(bench, 0x20), ==, 0x02);
}

static void
test_auto_eoi(void)
{
    g_autoptr(DeviceBench) bench = pic_bench(0x03);

    pulse_irq(bench, 4);
    g_assert_cmpint(device_bench_take_interrupt(bench), ==, 0x24);
    pulse_irq(bench, 6);
    g_assert_cmpint(device_bench_take_interrupt(bench), ==, 0x26);
    device_bench_out8(bench, 0x20, 0x0b);
    g_assert_cmphex(device_bench_in8(bench, 0x20), ==, 0);
    device_bench_out8(bench, 0x20, 0x80); /* rotate in automatic EOI mode */
    pulse_irq(bench, 2 + 1);
    g_assert_cmpint(device_bench_take_interrupt(bench), ==, 0x23);
    pulse_irq(bench, 3);
    pulse_irq(bench, 4);
    g_assert_cmpint(device_bench_take_interrupt(bench), ==, 0x24);
}

static void
test_poll(void)
{
    g_autoptr(DeviceBench) bench = pic_bench(0x01);

    device_bench_out8(bench, 0x20, 0x0c);
    g_assert_cmphex(device_bench_in8(bench, 0x20), ==, 0);
    pulse_irq(bench, 6);
    device_bench_out8(bench, 0x20, 0x0c);
    g_assert_cmphex(device_bench_in8(bench, 0x20), ==, 0x86);
    g_assert_cmpint(device_bench_take_interrupt(bench), ==, -1);
}

static void
test_level(void)
{
    g_autoptr(DeviceBench) bench = pic_bench(0x01);

    device_bench_out8(bench, 0x4d0, 0xff);
    device_bench_out8(bench, 0x4d1, 0xff);
    g_assert_cmphex(device_bench_in8(bench, 0x4d0), ==, 0xf8);
    g_assert_cmphex(device_bench_in8(bench, 0x4d1), ==, 0xde);
    /* A level that goes away before the acknowledge leaves nothing. */
    pulse_irq(bench, 11);
    g_assert_cmpint(device_bench_take_interrupt(bench), ==, -1);
    raise_irq(bench, 11);
    g_assert_cmpint(device_bench_take_interrupt(bench), ==, 0x73);
    device_bench_out8(bench, 0xa0, 0x20);
    device_bench_out8(bench, 0x20, 0x20);
    /* It stays up: again. */
    g_assert_cmpint(device_bench_take_interrupt(bench), ==, 0x73);
    lower_irq(bench, 11);
    device_bench_out8(bench, 0xa0, 0x20);
    device_bench_out8(bench, 0x20, 0x20);
    g_assert_cmpint(device_bench_take_interrupt(bench), ==, -1);
}

static void
test_edge(void)
{
    g_autoptr(DeviceBench) bench = pic_bench(0x01);

    raise_irq(bench, 4);
    g_assert_cmpint(device_bench_take_interrupt(bench), ==, 0x24);
    device_bench_out8(bench, 0x20, 0x20);
    g_assert_cmpint(device_bench_take_interrupt(bench), ==, -1);
    lower_irq(bench, 4);
    raise_irq(bench, 4);
    g_assert_cmpint(device_bench_take_interrupt(bench), ==, 0x24);
}

static void
test_state(void)
{
    g_autoptr(DeviceBench) bench = pic_bench(0x01), other = pic_bench(0x03);
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) saved = NULL;

    pulse_irq(bench, 9);
    pulse_irq(bench, 5);
    g_assert_cmpint(device_bench_take_interrupt(bench), ==, 0x71);
    saved = device_bench_save(bench, &error);
    g_assert_no_error(error);
    device_bench_load(other, saved, &error);
    g_assert_no_error(error);
    g_assert_cmpint(device_bench_take_interrupt(other), ==, -1);
    device_bench_out8(other, 0xa0, 0x20);
    device_bench_out8(other, 0x20, 0x20);
    g_assert_cmpint(device_bench_take_interrupt(other), ==, 0x25);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/pic/priority", test_priority);
    g_test_add_func("/pic/mask", test_mask);
    g_test_add_func("/pic/cascade", test_cascade);
    g_test_add_func("/pic/fully-nested", test_fully_nested);
    g_test_add_func("/pic/rotation", test_rotation);
    g_test_add_func("/pic/special-mask", test_special_mask);
    g_test_add_func("/pic/auto-eoi", test_auto_eoi);
    g_test_add_func("/pic/poll", test_poll);
    g_test_add_func("/pic/level", test_level);
    g_test_add_func("/pic/edge", test_edge);
    g_test_add_func("/pic/state", test_state);
    return g_test_run();
}
