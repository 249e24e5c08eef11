/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The 8042 with its keyboard and mouse: commands, scan code sets, IntelliMouse, A20, reset, hostile
 * pokes. */
#include "tests/lib/device-bench.h"

#define DATA 0x60
#define COMMAND 0x64

static DeviceBench *
kbc_bench(void)
{
    CfgmNode *config = cfgm_new();

    device_bench_add(config, "pic", 0);
    device_bench_add(config, "i8042", 0);
    device_bench_add_driver(config, "i8042", 0, 0, "bench-keyboard");
    device_bench_add_driver(config, "i8042", 0, 1, "bench-mouse");
    return device_bench_new(config);
}

static void
command(DeviceBench *bench, uint8_t byte)
{
    device_bench_out8(bench, COMMAND, byte);
}

static void
expect(DeviceBench *bench, uint8_t byte)
{
    g_assert_true(device_bench_in8(bench, COMMAND) & 1);
    g_assert_cmphex(device_bench_in8(bench, DATA), ==, byte);
}

static void
expect_nothing(DeviceBench *bench)
{
    g_assert_false(device_bench_in8(bench, COMMAND) & 1);
}

/* Interrupts of both devices, both lines on, with or without translation. */
static void
set_mode(DeviceBench *bench, bool translate)
{
    command(bench, 0x60);
    device_bench_out8(bench, DATA, translate ? 0x47 : 0x07);
}

static void
press(DeviceBench *bench, uint8_t code)
{
    const PdmKeyboardPort *port = pdm_lun_port(bench->pdm, "i8042", 0, 0, PDM_IF_KEYBOARD);

    g_assert_true(port->scancode(port->user, code));
}

static void
to_mouse(DeviceBench *bench, uint8_t byte)
{
    command(bench, 0xd4);
    device_bench_out8(bench, DATA, byte);
    expect(bench, 0xfa);
}

static void
test_controller(void)
{
    g_autoptr(DeviceBench) bench = kbc_bench();

    command(bench, 0xaa);
    expect(bench, 0x55);
    command(bench, 0xab);
    expect(bench, 0x00);
    command(bench, 0xa9);
    expect(bench, 0x00);
    set_mode(bench, true);
    command(bench, 0x20);
    expect(bench, 0x47);
    command(bench, 0xd2);
    device_bench_out8(bench, DATA, 0x5a);
    expect(bench, 0x5a);
    command(bench, 0xd3);
    device_bench_out8(bench, DATA, 0xa5);
    g_assert_true(device_bench_in8(bench, COMMAND) & 0x20);
    expect(bench, 0xa5);
    expect_nothing(bench);
}

static void
test_lines(void)
{
    g_autoptr(DeviceBench) bench = kbc_bench();

    command(bench, 0xd1);
    device_bench_out8(bench, DATA, 0xdd); /* A20 low, reset line high */
    g_assert_false(pgm_a20(bench->rooms.pgm));
    command(bench, 0xdf);
    g_assert_true(pgm_a20(bench->rooms.pgm));
    g_assert_cmpuint(bench->resets, ==, 0);
    command(bench, 0xfe);
    g_assert_cmpuint(bench->resets, ==, 1);
}

static void
test_keys(void)
{
    g_autoptr(DeviceBench) bench = kbc_bench();
    uint64_t edges;

    set_mode(bench, true);
    edges = device_bench_irq_edges(bench, 1);
    press(bench, 0x1e); /* A down, up; then the right Ctrl */
    press(bench, 0x9e);
    press(bench, 0xe0);
    press(bench, 0x1d);
    expect(bench, 0x1e);
    expect(bench, 0x9e);
    expect(bench, 0xe0);
    expect(bench, 0x1d);
    expect_nothing(bench);
    g_assert_cmpuint(device_bench_irq_edges(bench, 1), ==, edges + 4);
    set_mode(bench, false);
    press(bench, 0x1e);
    press(bench, 0x9e);
    expect(bench, 0x1c); /* set 2 */
    expect(bench, 0xf0);
    expect(bench, 0x1c);
}

static void
test_keyboard_commands(void)
{
    g_autoptr(DeviceBench) bench = kbc_bench();
    BenchKeyboard *keyboard = bench_keyboard(bench->pdm, "i8042", 0, 0);

    set_mode(bench, false);
    device_bench_out8(bench, DATA, 0xff);
    expect(bench, 0xfa);
    expect(bench, 0xaa);
    device_bench_out8(bench, DATA, 0xf2);
    expect(bench, 0xfa);
    expect(bench, 0xab);
    expect(bench, 0x83);
    device_bench_out8(bench, DATA, 0xed);
    expect(bench, 0xfa);
    device_bench_out8(bench, DATA, 0x06);
    expect(bench, 0xfa);
    g_assert_true(keyboard->num && keyboard->caps && !keyboard->scroll);
    device_bench_out8(bench, DATA, 0xf0);
    expect(bench, 0xfa);
    device_bench_out8(bench, DATA, 0x00);
    expect(bench, 0xfa);
    expect(bench, 0x02);
    device_bench_out8(bench, DATA, 0x01);
    expect(bench, 0xfe); /* no such command */
    device_bench_out8(bench, DATA, 0xf5);
    expect(bench, 0xfa);
    press(bench, 0x1e);
    expect_nothing(bench);
}

static void
expect_packet(DeviceBench *bench, const uint8_t *bytes, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        expect(bench, bytes[i]);
    expect_nothing(bench);
}

static void
test_mouse(void)
{
    g_autoptr(DeviceBench) bench = kbc_bench();
    BenchMouse *mouse = bench_mouse(bench->pdm, "i8042", 0, 1);
    const PdmMousePort *port = pdm_lun_port(bench->pdm, "i8042", 0, 1, PDM_IF_MOUSE);
    static const uint8_t rates[] = {200, 100, 80};

    set_mode(bench, true);
    port->relative(port->user, 5, 5, 0, 0, 1);
    expect_nothing(bench); /* not enabled */
    to_mouse(bench, 0xf4);
    g_assert_true(mouse->relative);
    port->relative(port->user, 5, -3, 0, 0, 1);
    expect_packet(bench, (const uint8_t[]){0x09, 5, 3}, 3);
    port->relative(port->user, -300, 0, 0, 0, 0); /* more than a packet can say */
    expect_packet(bench, (const uint8_t[]){0x18, 0x01, 0, 0x18, 0xd3, 0}, 6);
    for (unsigned i = 0; i < G_N_ELEMENTS(rates); i++) {
        to_mouse(bench, 0xf3);
        to_mouse(bench, rates[i]);
    }
    to_mouse(bench, 0xf2);
    expect(bench, 0x03);
    port->relative(port->user, 0, 0, -1, 0, 4);
    expect_packet(bench, (const uint8_t[]){0x0c, 0, 0, 0xff}, 4);
    to_mouse(bench, 0xff);
    expect(bench, 0xaa);
    expect(bench, 0x00);
    g_assert_false(mouse->relative);
}

static void
test_state(void)
{
    g_autoptr(DeviceBench) bench = kbc_bench();
    g_autoptr(GBytes) state = NULL;
    g_autoptr(GError) error = NULL;
    g_autoptr(DeviceBench) other = kbc_bench();

    set_mode(bench, true);
    press(bench, 0x1e);
    press(bench, 0x30);
    state = device_bench_save(bench, &error);
    g_assert_no_error(error);
    g_assert_true(device_bench_load(other, state, &error));
    expect(other, 0x1e);
    expect(other, 0x30);
}

static void
test_random(void)
{
    g_autoptr(DeviceBench) bench = kbc_bench();
    const PdmMousePort *port = pdm_lun_port(bench->pdm, "i8042", 0, 1, PDM_IF_MOUSE);
    const PdmKeyboardPort *keys = pdm_lun_port(bench->pdm, "i8042", 0, 0, PDM_IF_KEYBOARD);
    GRand *rand = g_rand_new_with_seed(8042);

    for (unsigned i = 0; i < 200000; i++) {
        uint8_t byte = (uint8_t)g_rand_int(rand);
        uint16_t place = g_rand_boolean(rand) ? DATA : COMMAND;
        switch (g_rand_int_range(rand, 0, 5)) {
        case 0: device_bench_in8(bench, place); break;
        case 1: keys->scancode(keys->user, byte); break;
        case 2:
            port->relative(port->user, g_rand_int_range(rand, G_MININT, G_MAXINT),
                           g_rand_int_range(rand, G_MININT, G_MAXINT), byte, 0, byte);
            break;
        default: device_bench_out8(bench, place, byte); break;
        }
    }
    g_rand_free(rand);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/i8042/controller", test_controller);
    g_test_add_func("/i8042/lines", test_lines);
    g_test_add_func("/i8042/keys", test_keys);
    g_test_add_func("/i8042/keyboard-commands", test_keyboard_commands);
    g_test_add_func("/i8042/mouse", test_mouse);
    g_test_add_func("/i8042/state", test_state);
    g_test_add_func("/i8042/random", test_random);
    return g_test_run();
}
