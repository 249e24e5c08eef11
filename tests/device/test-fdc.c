/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The floppy controller through its ports, with the real 8237 beside it. */
#include <errno.h>
#include <string.h>

#include "tests/lib/device-bench.h"

#define IMAGE_SIZE 1474560u
#define BUFFER 0x20000u

static DeviceBench *
new_bench(uint64_t size)
{
    CfgmNode *config = cfgm_new();
    CfgmNode *node;

    device_bench_add(config, "dma", 0);
    device_bench_add(config, "fdc", 0);
    node = device_bench_add_driver(config, "fdc", 0, 0, "bench-media");
    cfgm_set_uint(node, "Size", size);
    cfgm_set_uint(node, "Type", PDM_MEDIA_FLOPPY);
    return device_bench_new(config);
}

static BenchMedia *
floppy(DeviceBench *bench)
{
    return bench_media(bench->pdm, "fdc", 0, 0);
}

static void
put(DeviceBench *bench, uint8_t value)
{
    g_assert_cmphex(device_bench_in8(bench, 0x3f4) & 0xc0, ==, 0x80);
    device_bench_out8(bench, 0x3f5, value);
}

static void
command(DeviceBench *bench, unsigned count, const uint8_t *bytes)
{
    for (unsigned i = 0; i < count; i++)
        put(bench, bytes[i]);
}

#define COMMAND(bench, ...)                                                                        \
    command(bench, sizeof((uint8_t[]){__VA_ARGS__}), (const uint8_t[]){__VA_ARGS__})

/* Reads the whole result; returns its length. */
static unsigned
result(DeviceBench *bench, uint8_t out[20])
{
    unsigned count = 0;

    device_bench_run_queues(bench);
    while ((device_bench_in8(bench, 0x3f4) & 0x50) == 0x50 && count < 20)
        out[count++] = device_bench_in8(bench, 0x3f5);
    g_assert_cmphex(device_bench_in8(bench, 0x3f4), ==, 0x80);
    return count;
}

static void
expect(DeviceBench *bench, unsigned count, const uint8_t *bytes)
{
    uint8_t out[20];

    g_assert_cmpuint(result(bench, out), ==, count);
    g_assert_cmpmem(out, count, bytes, count);
    g_assert_false(device_bench_irq(bench, 6));
}

#define EXPECT(bench, ...)                                                                         \
    expect(bench, sizeof((uint8_t[]){__VA_ARGS__}), (const uint8_t[]){__VA_ARGS__})

/* As a BIOS does: reset, four times "sense interrupt", data rate, specify, recalibrate. */
static void
start(DeviceBench *bench)
{
    device_bench_out8(bench, 0x3f2, 0x08);
    g_assert_cmphex(device_bench_in8(bench, 0x3f4), ==, 0);
    device_bench_out8(bench, 0x3f2, 0x1c);
    g_assert_true(device_bench_irq(bench, 6));
    for (uint8_t i = 0; i < 4; i++) {
        COMMAND(bench, 0x08);
        EXPECT(bench, 0xc0 | i, 0);
    }
    COMMAND(bench, 0x08);
    EXPECT(bench, 0x80);
    device_bench_out8(bench, 0x3f7, 0);
    COMMAND(bench, 0x03, 0xaf, 0x02);
    COMMAND(bench, 0x07, 0x00);
    g_assert_true(device_bench_irq(bench, 6));
    COMMAND(bench, 0x08);
    EXPECT(bench, 0x20, 0);
}

static void
seek(DeviceBench *bench, uint8_t track)
{
    COMMAND(bench, 0x0f, 0, track);
    COMMAND(bench, 0x08);
    EXPECT(bench, 0x20, track);
}

/* Channel 2; mode 0x46: to memory, 0x4a: from it. */
static void
set_dma(DeviceBench *bench, uint8_t mode, uint32_t address, uint16_t size)
{
    device_bench_out8(bench, 0x0a, 0x06);
    device_bench_out8(bench, 0x0c, 0);
    device_bench_out8(bench, 0x0b, mode);
    device_bench_out8(bench, 0x04, (uint8_t)address);
    device_bench_out8(bench, 0x04, (uint8_t)(address >> 8));
    device_bench_out8(bench, 0x81, (uint8_t)(address >> 16));
    device_bench_out8(bench, 0x05, (uint8_t)(size - 1));
    device_bench_out8(bench, 0x05, (uint8_t)((size - 1) >> 8));
    device_bench_out8(bench, 0x0a, 0x02);
}

static void
fill(DeviceBench *bench)
{
    GByteArray *data = floppy(bench)->data;

    for (guint i = 0; i < data->len; i++)
        data->data[i] = (uint8_t)(i / 512 + i * 5 + 1);
}

static void
expect_memory(DeviceBench *bench, uint32_t sector, uint32_t size)
{
    for (uint32_t i = 0; i < size; i++)
        g_assert_cmphex(device_bench_read(bench, BUFFER + i, 1), ==,
                        floppy(bench)->data->data[sector * 512 + i]);
}

static void
test_start(void)
{
    g_autoptr(DeviceBench) bench = new_bench(IMAGE_SIZE);

    start(bench);
    COMMAND(bench, 0x10);
    EXPECT(bench, 0x90);
    COMMAND(bench, 0x04, 0);
    EXPECT(bench, 0x38);
    COMMAND(bench, 0x1f);
    EXPECT(bench, 0x80);
    COMMAND(bench, 0x07, 0x01); /* drive 1 is not there */
    COMMAND(bench, 0x08);
    EXPECT(bench, 0x71, 0);
}

static void
test_cmos(void)
{
    g_autoptr(DeviceBench) bench = new_bench(IMAGE_SIZE);
    g_autoptr(DeviceBench) large = new_bench(2949120);

    g_assert_cmphex(pdm_cmos_get(pdm_find_device(bench->pdm, "fdc", 0), 0x10), ==, 0x40);
    g_assert_cmphex(pdm_cmos_get(pdm_find_device(bench->pdm, "fdc", 0), 0x14) & 0xc1, ==, 0x01);
    g_assert_cmphex(pdm_cmos_get(pdm_find_device(large->pdm, "fdc", 0), 0x10), ==, 0x50);
}

static void
test_read(void)
{
    g_autoptr(DeviceBench) bench = new_bench(IMAGE_SIZE);

    start(bench);
    fill(bench);
    seek(bench, 5);
    /* Head 1, sectors 4 to 6: terminal count ends it. */
    set_dma(bench, 0x46, BUFFER, 3 * 512);
    COMMAND(bench, 0xe6, 4, 5, 1, 4, 2, 18, 27, 0xff);
    device_bench_run_queues(bench);
    g_assert_true(device_bench_irq(bench, 6));
    EXPECT(bench, 0x04, 0, 0, 5, 1, 7, 2);
    expect_memory(bench, (5 * 2 + 1) * 18 + 3, 3 * 512);

    /* From head 0 over to head 1 by multi-track, up to the cylinder's end. */
    set_dma(bench, 0x46, BUFFER, 36 * 512);
    COMMAND(bench, 0xe6, 0, 5, 0, 1, 2, 18, 27, 0xff);
    EXPECT(bench, 0x04, 0, 0, 6, 0, 1, 2);
    expect_memory(bench, 5 * 2 * 18, 36 * 512);
}

static void
test_read_errors(void)
{
    g_autoptr(DeviceBench) bench = new_bench(IMAGE_SIZE);

    start(bench);
    set_dma(bench, 0x46, BUFFER, 40 * 512);
    COMMAND(bench, 0x46, 0, 0, 0, 18, 2, 18, 27, 0xff); /* the DMA wants more than there is */
    EXPECT(bench, 0x40, 0x80, 0, 1, 0, 1, 2);
    COMMAND(bench, 0x46, 0, 3, 0, 1, 2, 18, 27, 0xff); /* the head is elsewhere */
    EXPECT(bench, 0x40, 0x04, 0x10, 3, 0, 1, 2);
    COMMAND(bench, 0x46, 0, 0, 0, 19, 2, 18, 27, 0xff);
    EXPECT(bench, 0x40, 0x04, 0, 0, 0, 19, 2);
    COMMAND(bench, 0x46, 0, 0, 0, 1, 3, 18, 27, 0xff); /* 1024 bytes */
    EXPECT(bench, 0x40, 0x04, 0, 0, 0, 1, 3);
    floppy(bench)->fail = EIO;
    COMMAND(bench, 0x46, 0, 0, 0, 1, 2, 18, 27, 0xff);
    EXPECT(bench, 0x40, 0x20, 0x20, 0, 0, 1, 2);
    floppy(bench)->fail = 0;
    device_bench_out8(bench, 0x3f7, 2); /* 250 kbit/s */
    COMMAND(bench, 0x46, 0, 0, 0, 1, 2, 18, 27, 0xff);
    EXPECT(bench, 0x40, 0x01, 0, 0, 0, 1, 2);
    device_bench_out8(bench, 0x3f7, 0);
    bench_media_change(floppy(bench), NULL, 0);
    COMMAND(bench, 0x46, 0, 0, 0, 1, 2, 18, 27, 0xff);
    EXPECT(bench, 0x40, 0x01, 0, 0, 0, 1, 2);
}

static void
test_write(void)
{
    g_autoptr(DeviceBench) bench = new_bench(IMAGE_SIZE);

    start(bench);
    fill(bench);
    seek(bench, 2);
    for (unsigned i = 0; i < 700; i++)
        device_bench_write(bench, BUFFER + i, (uint8_t)(0x80 + i), 1);
    /* Terminal count in the middle of a sector: its rest is zeros. */
    set_dma(bench, 0x4a, BUFFER, 700);
    COMMAND(bench, 0x45, 0, 2, 0, 9, 2, 18, 27, 0xff);
    EXPECT(bench, 0x00, 0, 0, 2, 0, 11, 2);
    expect_memory(bench, 2 * 36 + 8, 700);
    g_assert_cmphex(floppy(bench)->data->data[(2 * 36 + 8) * 512 + 700], ==, 0);
    g_assert_cmphex(floppy(bench)->data->data[(2 * 36 + 8) * 512 + 1023], ==, 0);
    floppy(bench)->read_only = true;
    COMMAND(bench, 0x45, 0, 2, 0, 9, 2, 18, 27, 0xff);
    EXPECT(bench, 0x40, 0x02, 0, 2, 0, 9, 2);
    COMMAND(bench, 0x04, 0);
    EXPECT(bench, 0x68);
}

static void
test_without_dma(void)
{
    g_autoptr(DeviceBench) bench = new_bench(IMAGE_SIZE);
    uint64_t edges;

    start(bench);
    fill(bench);
    COMMAND(bench, 0x03, 0xaf, 0x03);
    COMMAND(bench, 0x46, 0, 0, 0, 17, 2, 18, 27, 0xff);
    edges = device_bench_irq_edges(bench, 6);
    for (unsigned i = 0; i < 1024; i++) {
        device_bench_run_queues(bench);
        g_assert_cmphex(device_bench_in8(bench, 0x3f4), ==, 0xf0);
        g_assert_cmphex(device_bench_in8(bench, 0x3f5), ==,
                        floppy(bench)->data->data[16 * 512 + i]);
    }
    /* One for each byte and one for the result. */
    g_assert_cmpuint(device_bench_irq_edges(bench, 6) - edges, ==, 1025);
    /* Nobody gives a terminal count: the cylinder's end ends it. */
    EXPECT(bench, 0x40, 0x80, 0, 1, 0, 1, 2);
    COMMAND(bench, 0x45, 0, 0, 0, 18, 2, 18, 27, 0xff);
    for (unsigned i = 0; i < 512; i++) {
        g_assert_cmphex(device_bench_in8(bench, 0x3f4), ==, 0xb0);
        device_bench_out8(bench, 0x3f5, (uint8_t)~i);
    }
    EXPECT(bench, 0x40, 0x80, 0, 1, 0, 1, 2);
    g_assert_cmphex(floppy(bench)->data->data[17 * 512 + 3], ==, 0xfc);
}

static void
test_verify_scan(void)
{
    g_autoptr(DeviceBench) bench = new_bench(IMAGE_SIZE);

    start(bench);
    fill(bench);
    COMMAND(bench, 0x16, 0, 0, 0, 1, 2, 18, 27, 0);
    EXPECT(bench, 0x00, 0, 0, 1, 0, 1, 2);
    COMMAND(bench, 0x16, 0x80, 0, 0, 1, 2, 18, 27, 4);
    EXPECT(bench, 0x00, 0, 0, 0, 0, 5, 2);
    /* The third sector is equal to the data. */
    for (unsigned i = 0; i < 3 * 512; i++)
        device_bench_write(bench, BUFFER + i, i < 1024 ? 0 : floppy(bench)->data->data[i], 1);
    set_dma(bench, 0x4a, BUFFER, 18 * 512);
    COMMAND(bench, 0x51, 0, 0, 0, 1, 2, 18, 27, 1);
    EXPECT(bench, 0x00, 0, 0x08, 0, 0, 3, 2);
    set_dma(bench, 0x4a, BUFFER, 512);
    COMMAND(bench, 0x51, 0, 0, 0, 2, 2, 2, 27, 1);
    EXPECT(bench, 0x00, 0, 0x04, 0, 0, 2, 2);
}

static void
test_format(void)
{
    g_autoptr(DeviceBench) bench = new_bench(IMAGE_SIZE);

    start(bench);
    fill(bench);
    seek(bench, 7);
    for (unsigned i = 0; i < 18; i++)
        device_bench_write(bench, BUFFER + 4 * i, 7 | 0x100 | (i + 1) << 16 | 2u << 24, 4);
    set_dma(bench, 0x4a, BUFFER, 18 * 4);
    COMMAND(bench, 0x4d, 4, 2, 18, 0x54, 0xf6);
    EXPECT(bench, 0x04, 0, 0, 7, 1, 18, 2);
    for (unsigned i = 0; i < 18 * 512; i++)
        g_assert_cmphex(floppy(bench)->data->data[(7 * 2 + 1) * 18 * 512 + i], ==, 0xf6);
    g_assert_cmphex(floppy(bench)->data->data[16 * 18 * 512], !=, 0xf6);
}

static void
test_read_id(void)
{
    g_autoptr(DeviceBench) bench = new_bench(737280);

    start(bench);
    device_bench_out8(bench, 0x3f7, 2);
    seek(bench, 79);
    for (unsigned i = 1; i <= 10; i++) {
        COMMAND(bench, 0x4a, 4);
        EXPECT(bench, 0x04, 0, 0, 79, 1, (uint8_t)((i - 1) % 9 + 1), 2);
    }
    device_bench_out8(bench, 0x3f7, 0); /* this is how drivers tell disks apart */
    COMMAND(bench, 0x4a, 4);
    EXPECT(bench, 0x44, 0x01, 0, 0, 0, 0, 0);
}

static void
test_change_line(void)
{
    g_autoptr(DeviceBench) bench = new_bench(IMAGE_SIZE);
    g_autofree uint8_t *disk = g_malloc0(IMAGE_SIZE);

    start(bench);
    g_assert_cmphex(device_bench_in8(bench, 0x3f7) & 0x80, ==, 0x80);
    seek(bench, 1);
    g_assert_cmphex(device_bench_in8(bench, 0x3f7) & 0x80, ==, 0);
    bench_media_change(floppy(bench), NULL, 0);
    seek(bench, 0);
    g_assert_cmphex(device_bench_in8(bench, 0x3f7) & 0x80, ==, 0x80);
    bench_media_change(floppy(bench), disk, IMAGE_SIZE);
    seek(bench, 0);
    g_assert_cmphex(device_bench_in8(bench, 0x3f7) & 0x80, ==, 0x80);
    seek(bench, 1);
    g_assert_cmphex(device_bench_in8(bench, 0x3f7) & 0x80, ==, 0);
}

static void
test_settings(void)
{
    g_autoptr(DeviceBench) bench = new_bench(IMAGE_SIZE);

    start(bench);
    COMMAND(bench, 0x13, 0, 0x57, 0x10); /* implied seek, no polling */
    COMMAND(bench, 0x94);
    EXPECT(bench, 0x10);
    COMMAND(bench, 0x12, 0x84);
    COMMAND(bench, 0x0e);
    EXPECT(bench, 0, 0, 0, 0, 0xaf, 0x02, 0, 0x84, 0x57, 0x10);
    /* Locked settings survive a reset by the guest; and without polling there is no interrupt. */
    device_bench_out8(bench, 0x3f4, 0x80);
    g_assert_false(device_bench_irq(bench, 6));
    device_bench_out8(bench, 0x3f7, 0);
    set_dma(bench, 0x46, BUFFER, 512);
    COMMAND(bench, 0x46, 0, 33, 0, 1, 2, 18, 27, 0xff);
    EXPECT(bench, 0x00, 0, 0, 33, 0, 2, 2);
    COMMAND(bench, 0x14);
    EXPECT(bench, 0);
    device_bench_out8(bench, 0x3f4, 0x80);
    for (uint8_t i = 0; i < 4; i++) {
        COMMAND(bench, 0x08);
        EXPECT(bench, 0xc0 | i, i == 0 ? 33 : 0);
    }
    COMMAND(bench, 0x0e);
    EXPECT(bench, 33, 0, 0, 0, 0xaf, 0x02, 18, 0x04, 0x20, 0);
    COMMAND(bench, 0x8e, 0x0a, 0x2b, 0x80);
    EXPECT(bench, 0x0a, 0x2b, 0, 0);
    COMMAND(bench, 0x8e, 0x0a, 0xc0);
    g_assert_cmphex(device_bench_in8(bench, 0x3f4), ==, 0x80);
}

/* Every command, with every number of parameters and whatever follows: VENOM and its kin. */
static void
test_every_command(void)
{
    g_autoptr(DeviceBench) bench = new_bench(IMAGE_SIZE);
    g_autoptr(GRand) rand = g_rand_new_with_seed(6);

    for (unsigned i = 0; i < 256 * 20; i++) {
        unsigned count = (unsigned)g_rand_int_range(rand, 0, 600);

        device_bench_out8(bench, 0x3f2, 0x00);
        device_bench_out8(bench, 0x3f2, 0x04);
        device_bench_out8(bench, 0x3f5, (uint8_t)i);
        for (unsigned j = 0; j < count; j++) {
            if (g_rand_int_range(rand, 0, 3) == 0)
                device_bench_in8(bench, 0x3f5);
            else
                device_bench_out8(bench, 0x3f5, (uint8_t)g_rand_int_range(rand, 0, 256));
            if (j % 16 == 0)
                device_bench_run_queues(bench);
        }
    }
    device_bench_reset(bench);
    start(bench);
}

static void
test_random_pokes(void)
{
    static const uint16_t ports[] = {0x3f2, 0x3f3, 0x3f4, 0x3f5, 0x3f5, 0x3f5, 0x3f7, 0x0a, 0x05};
    g_autoptr(DeviceBench) bench = new_bench(IMAGE_SIZE);
    g_autoptr(GRand) rand = g_rand_new_with_seed(5);

    for (unsigned i = 0; i < 300000; i++) {
        uint16_t port = ports[g_rand_int_range(rand, 0, G_N_ELEMENTS(ports))];

        if (g_rand_int_range(rand, 0, 4) == 0)
            device_bench_in8(bench, port);
        else if (port != 0x3f2 || g_rand_int_range(rand, 0, 50) == 0)
            device_bench_out8(bench, port, (uint8_t)g_rand_int_range(rand, 0, 256));
        if (i % 8 == 0)
            device_bench_run_queues(bench);
        if (i % 30000 == 0) {
            g_autoptr(GBytes) state = device_bench_save(bench, NULL);
            g_autoptr(DeviceBench) fresh = new_bench(IMAGE_SIZE);
            g_autoptr(GError) error = NULL;

            device_bench_load(fresh, state, &error);
            g_assert_no_error(error);
        }
    }
    device_bench_run_queues(bench);
    device_bench_reset(bench);
    start(bench);
}

static void
test_state(void)
{
    g_autoptr(DeviceBench) bench = new_bench(IMAGE_SIZE);
    g_autoptr(DeviceBench) fresh = new_bench(IMAGE_SIZE);
    g_autoptr(GError) error = NULL;

    start(bench);
    fill(fresh);
    floppy(bench)->hold = true;
    set_dma(bench, 0x46, BUFFER, 1024);
    COMMAND(bench, 0x46, 0, 0, 0, 3, 2, 18, 27, 0xff);
    g_autoptr(GBytes) state = device_bench_save(bench, &error);
    g_assert_no_error(error);
    device_bench_load(fresh, state, &error);
    g_assert_no_error(error);
    EXPECT(fresh, 0x00, 0, 0, 0, 0, 5, 2);
    expect_memory(fresh, 2, 1024);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/fdc/start", test_start);
    g_test_add_func("/fdc/cmos", test_cmos);
    g_test_add_func("/fdc/read", test_read);
    g_test_add_func("/fdc/read-errors", test_read_errors);
    g_test_add_func("/fdc/write", test_write);
    g_test_add_func("/fdc/without-dma", test_without_dma);
    g_test_add_func("/fdc/verify-scan", test_verify_scan);
    g_test_add_func("/fdc/format", test_format);
    g_test_add_func("/fdc/read-id", test_read_id);
    g_test_add_func("/fdc/change-line", test_change_line);
    g_test_add_func("/fdc/settings", test_settings);
    g_test_add_func("/fdc/every-command", test_every_command);
    g_test_add_func("/fdc/random-pokes", test_random_pokes);
    g_test_add_func("/fdc/state", test_state);
    return g_test_run();
}
