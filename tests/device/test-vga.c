/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The VGA: text with its font, planes, 256 colours, VBE modes, dirty lines, hostile pokes. */
#include "tests/lib/device-bench.h"

#define WINDOW 0xa0000u
#define TEXT 0xb8000u

static DeviceBench *
vga_bench(void)
{
    CfgmNode *config = cfgm_new();
    CfgmNode *options;

    device_bench_add(config, "i440fx", 0);
    options = device_bench_add(config, "vga", 0);
    cfgm_set_string(options, "RomPath", "");
    device_bench_add_driver(config, "vga", 0, 0, "bench-display");
    return device_bench_new(config);
}

static void
set(DeviceBench *bench, uint16_t port, uint8_t index, uint8_t value)
{
    device_bench_out8(bench, port, index);
    device_bench_out8(bench, port + 1, value);
}

static void
set_attribute(DeviceBench *bench, uint8_t index, uint8_t value)
{
    device_bench_in8(bench, 0x3da);
    device_bench_out8(bench, 0x3c0, index);
    device_bench_out8(bench, 0x3c0, value);
}

/* A palette in which entry i is grey i. */
static void
set_palette(DeviceBench *bench)
{
    device_bench_out8(bench, 0x3c8, 0);
    for (unsigned i = 0; i < 256; i++) {
        for (unsigned component = 0; component < 3; component++)
            device_bench_out8(bench, 0x3c9, i & 0x3f);
    }
    for (uint8_t i = 0; i < 16; i++)
        set_attribute(bench, i, i);
    set_attribute(bench, 0x12, 15); /* all planes count */
    device_bench_in8(bench, 0x3da);
    device_bench_out8(bench, 0x3c0, 0x20);
}

/* 80 columns of `lines` lines with rows of `scans` scan lines. */
static void
set_crtc(DeviceBench *bench, unsigned lines, unsigned scans)
{
    device_bench_out8(bench, 0x3c2, 0x63);
    set(bench, 0x3d4, 0x11, 0x00);
    set(bench, 0x3d4, 0x01, 79);
    set(bench, 0x3d4, 0x07, (uint8_t)(((lines - 1) >> 7 & 2) | ((lines - 1) >> 3 & 0x40) | 0x10));
    set(bench, 0x3d4, 0x09, (uint8_t)(scans - 1) | 0x40);
    set(bench, 0x3d4, 0x12, (uint8_t)(lines - 1));
    set(bench, 0x3d4, 0x13, 40);
    set(bench, 0x3d4, 0x18, 0xff);
    set_palette(bench);
}

static void
set_text_mode(DeviceBench *bench)
{
    set_crtc(bench, 400, 16);
    set(bench, 0x3d4, 0x17, 0xa3); /* word mode */
    set(bench, 0x3d4, 0x0a, 0x20); /* no cursor */
    set(bench, 0x3c4, 1, 1);       /* 8 dots */
    set(bench, 0x3c4, 4, 6);       /* planes for the font */
    set(bench, 0x3c4, 2, 4);
    set(bench, 0x3ce, 6, 4);
    set(bench, 0x3ce, 8, 0xff);
    for (unsigned row = 0; row < 16; row++)
        device_bench_write(bench, WINDOW + 'A' * 32 + row, 0xf0, 1); /* left half set */
    set(bench, 0x3c4, 4, 2);                                         /* odd/even */
    set(bench, 0x3c4, 2, 3);
    set(bench, 0x3ce, 5, 0x10);
    set(bench, 0x3ce, 6, 0x0e);
    for (unsigned cell = 0; cell < 80 * 25; cell++)
        device_bench_write(bench, TEXT + 2 * cell, 0x0720, 2);
}

static const PdmDisplayPort *
display_port(DeviceBench *bench)
{
    return pdm_lun_port(bench->pdm, "vga", 0, 0, PDM_IF_DISPLAY);
}

static BenchDisplay *
update(DeviceBench *bench)
{
    const PdmDisplayPort *port = display_port(bench);

    port->update(port->user, false);
    return bench_display(bench->pdm, "vga", 0, 0);
}

static uint32_t
pixel(const BenchDisplay *display, unsigned x, unsigned y)
{
    uint32_t value;

    memcpy(&value, display->surface.pixels + (size_t)y * display->surface.stride + x * 4, 4);
    return value & 0xffffff;
}

static uint32_t
grey(unsigned index)
{
    unsigned value = (index << 2 | index >> 4) & 0xff;

    return value << 16 | value << 8 | value;
}

static void
test_text(void)
{
    g_autoptr(DeviceBench) bench = vga_bench();
    const PdmDisplayPort *port;
    g_autofree char *text = NULL;
    BenchDisplay *display;
    unsigned calls;

    set_text_mode(bench);
    device_bench_write(bench, TEXT + 2 * (80 + 2), 'A' | 0x1700, 2);
    display = update(bench);
    g_assert_cmpuint(display->surface.width, ==, 640);
    g_assert_cmpuint(display->surface.height, ==, 400);
    g_assert_cmphex(pixel(display, 16, 16), ==, grey(7));
    g_assert_cmphex(pixel(display, 20, 31), ==, grey(1));
    g_assert_cmphex(pixel(display, 0, 0), ==, grey(0));
    port = display_port(bench);
    text = port->text(port->user);
    g_assert_true(g_str_has_prefix(text, "\n  A\n"));
    calls = display->dirty_calls;
    update(bench);
    g_assert_cmpuint(display->dirty_calls, ==, calls); /* nothing changed */
    device_bench_write(bench, TEXT, 'A' | 0x0700, 2);
    update(bench);
    g_assert_cmpuint(display->dirty_calls, ==, calls + 1);
    g_assert_cmpuint(display->dirty_width, ==, 8);
    g_assert_cmpuint(display->dirty_height, ==, 16);
}

static void
test_planes(void)
{
    g_autoptr(DeviceBench) bench = vga_bench();
    BenchDisplay *display;

    set_crtc(bench, 480, 1);
    set(bench, 0x3d4, 0x17, 0xe3);
    set(bench, 0x3c4, 1, 1);
    set(bench, 0x3c4, 2, 15);
    set(bench, 0x3c4, 4, 6);
    set(bench, 0x3ce, 5, 0);
    set(bench, 0x3ce, 6, 5);
    set(bench, 0x3ce, 8, 0xff);
    set(bench, 0x3ce, 0, 0x0a); /* set/reset colour 10 in all planes */
    set(bench, 0x3ce, 1, 0x0f);
    set(bench, 0x3ce, 8, 0x80); /* one pixel */
    device_bench_read(bench, WINDOW + 80, 1);
    device_bench_write(bench, WINDOW + 80, 0xff, 1);
    display = update(bench);
    g_assert_cmpuint(display->surface.height, ==, 480);
    g_assert_cmphex(pixel(display, 0, 1), ==, grey(10));
    g_assert_cmphex(pixel(display, 1, 1), ==, grey(0));
    set(bench, 0x3ce, 5, 8); /* read mode 1: compares with colour 10 */
    set(bench, 0x3ce, 2, 10);
    set(bench, 0x3ce, 7, 15);
    g_assert_cmphex(device_bench_read(bench, WINDOW + 80, 1), ==, 0x80);
}

static void
test_256(void)
{
    g_autoptr(DeviceBench) bench = vga_bench();
    BenchDisplay *display;

    set_crtc(bench, 400, 2);
    set(bench, 0x3d4, 0x14, 0x40);
    set(bench, 0x3d4, 0x17, 0xa3);
    set(bench, 0x3c4, 1, 1);
    set(bench, 0x3c4, 2, 15);
    set(bench, 0x3c4, 4, 0x0e);
    set(bench, 0x3ce, 5, 0x40);
    set(bench, 0x3ce, 6, 5);
    set(bench, 0x3ce, 8, 0xff);
    set_attribute(bench, 0x10, 0x41);
    device_bench_in8(bench, 0x3da);
    device_bench_out8(bench, 0x3c0, 0x20);
    device_bench_write(bench, WINDOW + 320 + 5, 33, 1);
    g_assert_cmphex(device_bench_read(bench, WINDOW + 320 + 5, 1), ==, 33);
    display = update(bench);
    g_assert_cmpuint(display->surface.width, ==, 640);
    g_assert_cmphex(pixel(display, 10, 2), ==, grey(33));
    g_assert_cmphex(pixel(display, 11, 3), ==, grey(33));
    g_assert_cmphex(pixel(display, 12, 2), ==, grey(0));
}

static void
vbe(DeviceBench *bench, uint16_t index, uint16_t value)
{
    device_bench_out16(bench, 0x1ce, index);
    device_bench_out16(bench, 0x1cf, value);
}

static uint16_t
vbe_get(DeviceBench *bench, uint16_t index)
{
    device_bench_out16(bench, 0x1ce, index);
    return device_bench_in16(bench, 0x1cf);
}

static void
test_vbe(void)
{
    g_autoptr(DeviceBench) bench = vga_bench();
    BenchDisplay *display;
    uint32_t base = 0xe0000000;
    unsigned calls;

    g_assert_cmphex(vbe_get(bench, 0) & 0xfff0, ==, 0xb0c0);
    vbe(bench, 1, 2560);
    vbe(bench, 2, 1600);
    vbe(bench, 3, 32);
    vbe(bench, 4, 0x41);
    display = update(bench);
    g_assert_cmpuint(display->surface.width, ==, 2560);
    g_assert_cmpuint(display->surface.height, ==, 1600);
    device_bench_pci_write(bench, 2, 0, 0x10, base, 4);
    device_bench_pci_write(bench, 2, 0, 0x04, 2, 2);
    device_bench_write(bench, base + 4 * (2560 * 100 + 7), 0x123456, 4);
    calls = display->dirty_calls;
    update(bench);
    g_assert_cmphex(pixel(display, 7, 100), ==, 0x123456);
    g_assert_cmpuint(display->dirty_calls, ==, calls + 1);
    g_assert_cmpuint(display->dirty_height, <=, 2); /* a page is less than two lines */
    vbe(bench, 4, 0);
    vbe(bench, 1, 2568);
    g_assert_cmpuint(vbe_get(bench, 1), ==, 2560); /* too wide */
}

static void
test_random(void)
{
    g_autoptr(DeviceBench) bench = vga_bench();
    GRand *rand =
        g_rand_new_with_seed(3710); /* VENOM's cousins: CVE-2016-3710 was here in others */
    const PdmDisplayPort *port = display_port(bench);

    for (unsigned i = 0; i < 60000; i++) {
        uint32_t value = g_rand_int(rand);
        uint16_t where = (uint16_t)(0x3b4 + g_rand_int_range(rand, 0, 0x28));
        switch (g_rand_int_range(rand, 0, 8)) {
        case 0:
        case 1:
        case 2: device_bench_out8(bench, where, (uint8_t)value); break;
        case 3: device_bench_in8(bench, where); break;
        case 4: vbe(bench, value % 12, g_rand_boolean(rand) ? value % 2600 : value); break;
        case 5: device_bench_write(bench, WINDOW + value % 0x20000, value, 1u << value % 4); break;
        case 6: device_bench_read(bench, WINDOW + value % 0x20000, 1u << value % 4); break;
        default:
            if (i % 16 == 0)
                port->update(port->user, value & 1);
            break;
        }
    }
    g_rand_free(rand);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/vga/text", test_text);
    g_test_add_func("/vga/planes", test_planes);
    g_test_add_func("/vga/256", test_256);
    g_test_add_func("/vga/vbe", test_vbe);
    g_test_add_func("/vga/random", test_random);
    return g_test_run();
}
