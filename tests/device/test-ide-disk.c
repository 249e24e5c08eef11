/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The PIIX4 IDE controller with a disk, through its ports. */
#include <errno.h>
#include <string.h>

#include "tests/device/ide-guest.h"

#define SECTORS 4096u

static uint16_t
word(const uint8_t *identify, unsigned index)
{
    return (uint16_t)(identify[2 * index] | identify[2 * index + 1] << 8);
}

static void
fill(uint8_t *data, size_t size, unsigned seed)
{
    for (size_t i = 0; i < size; i++)
        data[i] = (uint8_t)(i / 512 + i * 7 + seed);
}

static void
test_presence(void)
{
    g_autoptr(DeviceBench) bench = ide_bench(SECTORS, 0);

    g_assert_cmphex(device_bench_in8(bench, 0x1f7), ==, 0x50);
    g_assert_cmphex(device_bench_in8(bench, 0x1f2), ==, 1);
    g_assert_cmphex(device_bench_in8(bench, 0x1f3), ==, 1);
    g_assert_cmphex(device_bench_in8(bench, 0x1f4), ==, 0);
    g_assert_cmphex(device_bench_in8(bench, 0x1f5), ==, 0);
    device_bench_out8(bench, 0x1f3, 0xaa);
    g_assert_cmphex(device_bench_in8(bench, 0x1f3), ==, 0xaa);
    device_bench_out8(bench, 0x1f6, 0xb0);
    g_assert_cmphex(device_bench_in8(bench, 0x1f6), ==, 0xb0);
    g_assert_cmphex(device_bench_in8(bench, 0x1f7), ==, 0);
    g_assert_cmphex(device_bench_in8(bench, 0x177), ==, 0);
    g_assert_cmphex(device_bench_pci_read(bench, 1, 1, 0, 4), ==, 0x71118086);
    g_assert_cmphex(device_bench_pci_read(bench, 1, 1, 8, 4) >> 8, ==, 0x010180);
}

static void
test_identify(void)
{
    g_autoptr(DeviceBench) bench = ide_bench(SECTORS, 0);
    uint8_t data[512];

    ide_guest_command(bench, 0xec, 0, 0);
    g_assert_true(device_bench_irq(bench, 14));
    ide_guest_pio_in(bench, data, 512, 512);
    g_assert_false(device_bench_irq(bench, 14));
    g_assert_cmphex(device_bench_in8(bench, 0x1f7), ==, 0x50);
    g_assert_cmpuint(word(data, 60), ==, SECTORS);
    g_assert_cmpuint(word(data, 100), ==, SECTORS);
    g_assert_cmpuint(word(data, 49) & 0x300, ==, 0x300);
    g_assert_cmpmem(data + 20, 10, "EBCN-H0010", 10);
    g_assert_cmphex(word(data, 83) & 0xc400, ==, 0x4400);
    ide_guest_command(bench, 0xa1, 0, 0);
    g_assert_cmphex(ide_guest_wait(bench) & ST_ERR, ==, ST_ERR);
    g_assert_cmphex(device_bench_in8(bench, 0x1f1), ==, 0x04);
}

static void
test_pio(void)
{
    g_autoptr(DeviceBench) bench = ide_bench(SECTORS, 0);
    BenchMedia *disk = ide_disk(bench);
    g_autofree uint8_t *out = g_malloc(300 * 512);
    g_autofree uint8_t *in = g_malloc(300 * 512);
    uint64_t edges;

    fill(out, 300 * 512, 1);
    ide_guest_command(bench, 0x30, 10, 3);
    g_assert_false(device_bench_irq(bench, 14)); /* none before the first block */
    ide_guest_pio_out(bench, out, 3 * 512, 512);
    g_assert_cmphex(ide_guest_wait(bench), ==, 0x50);
    g_assert_cmpmem(disk->data->data + 10 * 512, 3 * 512, out, 3 * 512);

    edges = device_bench_irq_edges(bench, 14);
    ide_guest_command(bench, 0x20, 10, 3);
    ide_guest_pio_in(bench, in, 3 * 512, 512);
    g_assert_cmpmem(in, 3 * 512, out, 3 * 512);
    g_assert_cmpuint(device_bench_irq_edges(bench, 14) - edges, ==, 3);

    /* 48 bits, more than the buffer, in blocks of 8 sectors. */
    ide_guest_command(bench, 0xc6, 0, 8);
    g_assert_cmphex(ide_guest_wait(bench), ==, 0x50);
    ide_guest_command48(bench, 0x39, 1000, 300);
    ide_guest_pio_out(bench, out, 300 * 512, 8 * 512);
    g_assert_cmphex(ide_guest_wait(bench), ==, 0x50);
    g_assert_cmpmem(disk->data->data + 1000 * 512, 300 * 512, out, 300 * 512);
    ide_guest_command48(bench, 0x29, 1000, 300);
    ide_guest_pio_in(bench, in, 300 * 512, 8 * 512);
    g_assert_cmpmem(in, 300 * 512, out, 300 * 512);
    g_assert_cmphex(ide_guest_wait(bench), ==, 0x50);
}

static void
test_strings(void)
{
    g_autoptr(DeviceBench) bench = ide_bench(SECTORS, 0);
    uint8_t data[600];

    fill(ide_disk(bench)->data->data, 1024, 9);
    ide_guest_command(bench, 0x20, 0, 2);
    ide_guest_wait(bench);
    g_assert_cmpuint(iom_port_read_string(bench->rooms.iom, 0x1f0, data, 300, 2), ==, 256);
    g_assert_cmpmem(data, 512, ide_disk(bench)->data->data, 512);
    g_assert_cmpuint(iom_port_read_string(bench->rooms.iom, 0x1f0, data, 64, 4), ==, 64);
    g_assert_cmpmem(data, 256, ide_disk(bench)->data->data + 512, 256);
}

static void
test_dma(void)
{
    static const IdeGuestRegion regions[] = {
        {0x20000, 512}, {0x30000, 1024}, {0x40000, 0}, {0x60000, 0}, {0x80000, 0x8000}};
    g_autoptr(DeviceBench) bench = ide_bench(SECTORS, 0);
    BenchMedia *disk = ide_disk(bench);

    fill(disk->data->data, disk->data->len, 4);
    ide_guest_table(bench, regions, 2);
    ide_guest_command(bench, 0xc8, 5, 3);
    device_bench_run_queues(bench);
    g_assert_false(device_bench_irq(bench, 14)); /* waits for the bus master */
    ide_guest_start_dma(bench, true);
    device_bench_run_queues(bench);
    g_assert_true(device_bench_irq(bench, 14));
    g_assert_cmphex(ide_guest_dma_status(bench) & 7, ==, 4);
    g_assert_cmphex(ide_guest_wait(bench), ==, 0x50);
    ide_guest_stop_dma(bench);
    g_assert_cmphex(ide_guest_dma_status(bench) & 7, ==, 0);
    for (unsigned i = 0; i < 1536; i++) {
        uint64_t at = i < 512 ? 0x20000 + i : 0x30000 + i - 512;

        g_assert_cmphex(device_bench_read(bench, at, 1), ==, disk->data->data[5 * 512 + i]);
    }

    /* 321 sectors, five regions, the bus master first; regions of 64 KiB have size 0. */
    ide_guest_table(bench, regions, 5);
    ide_guest_start_dma(bench, false);
    ide_guest_command48(bench, 0x35, 2000, 3 + 256 + 62);
    g_assert_cmphex(ide_guest_wait(bench), ==, 0x50);
    g_assert_cmphex(ide_guest_dma_status(bench) & 7, ==, 5); /* the regions were larger */
    ide_guest_stop_dma(bench);
    g_assert_cmphex(disk->data->data[2000 * 512], ==, device_bench_read(bench, 0x20000, 1));
    g_assert_cmphex(disk->data->data[2320 * 512 + 511], ==,
                    device_bench_read(bench, 0x80000 + 62 * 512 - 1, 1));
}

/* A table that is too short stops the bus master without an interrupt; a reset helps. */
static void
test_short_table(void)
{
    static const IdeGuestRegion region = {0x20000, 512};
    g_autoptr(DeviceBench) bench = ide_bench(SECTORS, 0);

    ide_guest_table(bench, &region, 1);
    ide_guest_command(bench, 0xc8, 0, 2);
    ide_guest_start_dma(bench, true);
    device_bench_run_queues(bench);
    g_assert_false(device_bench_irq(bench, 14));
    g_assert_cmphex(ide_guest_dma_status(bench) & 7, ==, 0);
    device_bench_out8(bench, 0x3f6, 4);
    g_assert_cmphex(device_bench_in8(bench, 0x3f6), ==, ST_BSY);
    device_bench_out8(bench, 0x3f6, 0);
    g_assert_cmphex(ide_guest_wait(bench), ==, 0x50);
    g_assert_cmphex(device_bench_in8(bench, 0x1f1), ==, 1);
}

static void
expect_error(DeviceBench *bench, uint8_t error)
{
    g_assert_cmphex(ide_guest_wait(bench), ==, 0x51);
    g_assert_cmphex(device_bench_in8(bench, 0x1f1), ==, error);
}

static void
test_errors(void)
{
    g_autoptr(DeviceBench) bench = ide_bench(SECTORS, 0);
    BenchMedia *disk = ide_disk(bench);

    ide_guest_command(bench, 0x20, SECTORS, 1);
    expect_error(bench, 0x10);
    ide_guest_command(bench, 0x20, SECTORS - 1, 2);
    expect_error(bench, 0x10);
    ide_guest_command48(bench, 0x25, 0xffffffffffffull, 0);
    expect_error(bench, 0x10);
    ide_guest_command(bench, 0x77, 0, 1);
    expect_error(bench, 0x04);
    disk->fail = EIO;
    ide_guest_command(bench, 0x20, 0x123, 1);
    expect_error(bench, 0x40);
    g_assert_cmphex(device_bench_in8(bench, 0x1f3), ==, 0x23);
    g_assert_cmphex(device_bench_in8(bench, 0x1f4), ==, 0x01);
    ide_guest_command(bench, 0xe7, 0, 0);
    expect_error(bench, 0x04);
    disk->fail = 0;
    disk->read_only = true;
    ide_guest_command(bench, 0x30, 0, 1);
    expect_error(bench, 0x04);
    ide_guest_command(bench, 0xc6, 0, 3);
    expect_error(bench, 0x04);
}

static void
set_feature(DeviceBench *bench, uint8_t feature, uint8_t value)
{
    device_bench_out8(bench, 0x1f1, feature);
    ide_guest_command(bench, 0xef, 0, value);
    g_assert_cmphex(ide_guest_wait(bench), ==, 0x50);
}

static void
test_flush(void)
{
    g_autoptr(DeviceBench) bench = ide_bench(SECTORS, 0);
    BenchMedia *disk = ide_disk(bench);
    uint8_t data[512] = {1};

    ide_guest_command(bench, 0xe7, 0, 0);
    g_assert_cmphex(ide_guest_wait(bench), ==, 0x50);
    ide_guest_command(bench, 0xea, 0, 0);
    g_assert_cmphex(ide_guest_wait(bench), ==, 0x50);
    g_assert_cmpuint(disk->flushes, ==, 2);
    ide_guest_command(bench, 0xe0, 0, 0); /* STANDBY IMMEDIATE */
    g_assert_cmphex(ide_guest_wait(bench), ==, 0x50);
    g_assert_cmpuint(disk->flushes, ==, 3);
    ide_guest_command(bench, 0xe5, 0, 0);
    ide_guest_wait(bench);
    g_assert_cmphex(device_bench_in8(bench, 0x1f2), ==, 0);
    ide_guest_command(bench, 0x30, 0, 1);
    ide_guest_pio_out(bench, data, 512, 512);
    ide_guest_wait(bench);
    g_assert_cmpuint(disk->flushes, ==, 3);
    set_feature(bench, 0x82, 0);
    g_assert_cmpuint(disk->flushes, ==, 4);
    ide_guest_command(bench, 0x30, 0, 1);
    ide_guest_pio_out(bench, data, 512, 512);
    g_assert_cmphex(ide_guest_wait(bench), ==, 0x50);
    g_assert_cmpuint(disk->flushes, ==, 5);
}

static void
test_chs(void)
{
    g_autoptr(DeviceBench) bench = ide_bench(SECTORS, 0);
    uint8_t data[512];

    fill(ide_disk(bench)->data->data, SECTORS * 512, 0);
    device_bench_out8(bench, 0x1f6, 0xa0);
    /* Cylinder 2, head 0, sector 5 of 16 heads and 63 sectors. */
    ide_guest_command(bench, 0x20, 0x000205, 1);
    ide_guest_pio_in(bench, data, 512, 512);
    g_assert_cmpmem(data, 512, ide_disk(bench)->data->data + (2 * 16 * 63 + 4) * 512, 512);
    ide_guest_command(bench, 0x20, 0x000200, 1); /* there is no sector 0 */
    expect_error(bench, 0x10);
    device_bench_out8(bench, 0x1f6, 0xa3); /* 4 heads, 10 sectors */
    device_bench_out8(bench, 0x1f2, 10);
    device_bench_out8(bench, 0x1f7, 0x91);
    g_assert_cmphex(ide_guest_wait(bench), ==, 0x50);
    ide_guest_command(bench, 0x20, 0x03000201, 1);
    ide_guest_pio_in(bench, data, 512, 512);
    g_assert_cmpmem(data, 512, ide_disk(bench)->data->data + (2 * 40 + 30) * 512, 512);
}

static void
test_hob(void)
{
    g_autoptr(DeviceBench) bench = ide_bench(SECTORS, 0);

    device_bench_out8(bench, 0x1f2, 0x12);
    device_bench_out8(bench, 0x1f2, 0x34);
    g_assert_cmphex(device_bench_in8(bench, 0x1f2), ==, 0x34);
    device_bench_out8(bench, 0x3f6, 0x80);
    g_assert_cmphex(device_bench_in8(bench, 0x1f2), ==, 0x12);
    device_bench_out8(bench, 0x1f3, 0);
    g_assert_cmphex(device_bench_in8(bench, 0x1f2), ==, 0x34);
}

static void
test_interrupt_enable(void)
{
    g_autoptr(DeviceBench) bench = ide_bench(SECTORS, 0);

    device_bench_out8(bench, 0x3f6, 0x02);
    ide_guest_command(bench, 0xe7, 0, 0);
    device_bench_run_queues(bench);
    g_assert_false(device_bench_irq(bench, 14));
    device_bench_out8(bench, 0x3f6, 0x00);
    g_assert_true(device_bench_irq(bench, 14));
    device_bench_in8(bench, 0x3f6);
    g_assert_true(device_bench_irq(bench, 14));
    device_bench_in8(bench, 0x1f7);
    g_assert_false(device_bench_irq(bench, 14));
}

static void
test_smart(void)
{
    g_autoptr(DeviceBench) bench = ide_bench(SECTORS, 0);
    uint8_t data[512];
    uint8_t sum = 0;

    device_bench_out8(bench, 0x1f1, 0xda);
    ide_guest_command(bench, 0xb0, 0xc24f00, 0);
    g_assert_cmphex(ide_guest_wait(bench), ==, 0x50);
    g_assert_cmphex(device_bench_in8(bench, 0x1f5), ==, 0xc2);
    device_bench_out8(bench, 0x1f1, 0xd0);
    ide_guest_command(bench, 0xb0, 0xc24f00, 0);
    ide_guest_pio_in(bench, data, 512, 512);
    for (unsigned i = 0; i < 512; i++)
        sum = (uint8_t)(sum + data[i]);
    g_assert_cmphex(sum, ==, 0);
    ide_guest_command(bench, 0xb0, 0, 0);
    expect_error(bench, 0x04);
}

/* A guest that resets while a write is under way and then fills the buffer with something else: the
 * write that was under way still writes what it was given. */
static void
test_reset_under_way(void)
{
    g_autoptr(DeviceBench) bench = ide_bench(SECTORS, 0);
    BenchMedia *disk = ide_disk(bench);
    uint8_t data[512], identify[512];

    fill(data, 512, 77);
    disk->hold = true;
    ide_guest_command(bench, 0x30, 9, 1);
    ide_guest_pio_out(bench, data, 512, 512);
    g_assert_cmphex(device_bench_in8(bench, 0x3f6), ==, ST_BSY);
    device_bench_out8(bench, 0x3f6, 4);
    device_bench_out8(bench, 0x3f6, 0);
    g_assert_cmphex(ide_guest_wait(bench), ==, 0x50);
    ide_guest_command(bench, 0xec, 0, 0);
    ide_guest_pio_in(bench, identify, 512, 512);
    /* The next request waits for the first, whatever the guest does. */
    for (unsigned i = 0; i < 100; i++) {
        ide_guest_command(bench, 0x20, 9, 1);
        g_assert_cmpuint(g_queue_get_length(&disk->held), ==, 1);
        device_bench_out8(bench, 0x3f6, 4);
        device_bench_out8(bench, 0x3f6, 0);
    }
    ide_guest_command(bench, 0x20, 9, 1);
    bench_media_complete(disk);
    device_bench_run_queues(bench);
    g_assert_cmpmem(disk->data->data + 9 * 512, 512, data, 512);
    bench_media_complete(disk);
    ide_guest_pio_in(bench, identify, 512, 512);
    g_assert_cmpmem(identify, 512, data, 512);
}

static GBytes *
save(DeviceBench *bench)
{
    g_autoptr(GError) error = NULL;
    GBytes *state = device_bench_save(bench, &error);

    g_assert_no_error(error);
    return state;
}

/* In the middle of a PIO write, and with a request under way. */
static void
test_state(void)
{
    g_autoptr(DeviceBench) bench = ide_bench(SECTORS, 0);
    g_autoptr(DeviceBench) fresh = ide_bench(SECTORS, 0);
    g_autoptr(GError) error = NULL;
    uint8_t data[1024];

    fill(data, 1024, 5);
    ide_guest_command(bench, 0x30, 100, 2);
    ide_guest_pio_out(bench, data, 512, 512);
    device_bench_out32(bench, 0x1f0, 0x11223344);
    g_autoptr(GBytes) state = save(bench);
    device_bench_load(fresh, state, &error);
    g_assert_no_error(error);
    g_autoptr(GBytes) again = save(fresh);
    g_assert_true(g_bytes_equal(state, again));
    for (unsigned i = 4; i < 512; i += 4)
        device_bench_out32(fresh, 0x1f0, 0x55667788);
    g_assert_cmphex(ide_guest_wait(fresh), ==, 0x50);
    g_assert_cmpmem(ide_disk(fresh)->data->data + 100 * 512, 512, data, 512);
    g_assert_cmphex(ide_disk(fresh)->data->data[101 * 512], ==, 0x44);
    g_assert_cmphex(ide_disk(fresh)->data->data[101 * 512 + 511], ==, 0x55);
}

static void
test_state_under_way(void)
{
    g_autoptr(DeviceBench) bench = ide_bench(SECTORS, 0);
    g_autoptr(DeviceBench) fresh = ide_bench(SECTORS, 0);
    uint8_t data[512];

    ide_disk(bench)->hold = true;
    fill(ide_disk(fresh)->data->data, 1024, 3);
    ide_guest_command(bench, 0x20, 1, 1);
    g_autoptr(GBytes) state = save(bench);
    g_assert_true(device_bench_load(fresh, state, NULL));
    ide_guest_pio_in(fresh, data, 512, 512);
    g_assert_cmpmem(data, 512, ide_disk(fresh)->data->data + 512, 512);
}

static void
poke(DeviceBench *bench, GRand *rand)
{
    static const uint16_t ports[] = {0x1f0, 0x1f1, 0x1f2, 0x1f3,  0x1f4,  0x1f5,  0x1f6,
                                     0x1f7, 0x1f7, 0x3f6, 0xc000, 0xc002, 0xc004, 0x1f0};
    static const uint8_t commands[] = {0x20, 0x24, 0x25, 0x29, 0x30, 0x34, 0x35, 0x39, 0xa0,
                                       0xc4, 0xc5, 0xc6, 0xc8, 0xca, 0xec, 0x08, 0x90, 0x91};
    uint16_t port = ports[g_rand_int_range(rand, 0, G_N_ELEMENTS(ports))];
    uint32_t value = g_rand_int(rand);

    if (port == 0x1f7 && (value & 0x300) != 0)
        value = commands[value % G_N_ELEMENTS(commands)];
    if (port == 0x1f0 && (value & 0x100) != 0) {
        /* Whole blocks, or transfers would hardly ever end. */
        for (unsigned i = 0; i < 128; i++)
            device_bench_out32(bench, port, value + i);
        return;
    }
    switch (g_rand_int_range(rand, 0, 8)) {
    case 0: device_bench_in8(bench, port); break;
    case 1: device_bench_in16(bench, port); break;
    case 2: device_bench_in32(bench, port); break;
    case 3: device_bench_out16(bench, port, (uint16_t)value); break;
    case 4: device_bench_out32(bench, port, value); break;
    default: device_bench_out8(bench, port, (uint8_t)value); break;
    }
}

static void
test_random_pokes(void)
{
    g_autoptr(DeviceBench) bench = ide_bench(SECTORS, 500);
    g_autoptr(GRand) rand = g_rand_new_with_seed(4);

    for (unsigned i = 0; i < 300000; i++) {
        poke(bench, rand);
        if (g_rand_int_range(rand, 0, 4) == 0)
            device_bench_run_queues(bench);
        if (i % 20000 == 0) {
            g_autoptr(GBytes) state = save(bench);
            g_autoptr(DeviceBench) fresh = ide_bench(SECTORS, 500);

            g_assert_true(device_bench_load(fresh, state, NULL));
        }
    }
    device_bench_reset(bench);
    device_bench_run_queues(bench);
    g_assert_cmphex(device_bench_in8(bench, 0x1f7), ==, 0x50);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ide/presence", test_presence);
    g_test_add_func("/ide/identify", test_identify);
    g_test_add_func("/ide/pio", test_pio);
    g_test_add_func("/ide/strings", test_strings);
    g_test_add_func("/ide/dma", test_dma);
    g_test_add_func("/ide/short-table", test_short_table);
    g_test_add_func("/ide/errors", test_errors);
    g_test_add_func("/ide/flush", test_flush);
    g_test_add_func("/ide/chs", test_chs);
    g_test_add_func("/ide/hob", test_hob);
    g_test_add_func("/ide/interrupt-enable", test_interrupt_enable);
    g_test_add_func("/ide/smart", test_smart);
    g_test_add_func("/ide/reset-under-way", test_reset_under_way);
    g_test_add_func("/ide/state", test_state);
    g_test_add_func("/ide/state-under-way", test_state_under_way);
    g_test_add_func("/ide/random-pokes", test_random_pokes);
    return g_test_run();
}
