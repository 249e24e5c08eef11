/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The AHCI controller through its registers and command lists: a disk at port 0, a CD at port 1,
 * nothing at port 2. */
#include <errno.h>
#include <string.h>

#include "devices/storage/ahci-private.h"
#include "tests/device/pci-guest.h"

#define SLOT 13
#define BAR 5
#define SECTORS 8192u
#define CD_SECTORS 64u
/* Guest memory: a list, frames and 32 tables for each port; data from 4 MiB on. */
#define LIST(port) (0x10000u + (port)*0x20000u)
#define FRAMES(port) (LIST(port) + 0x1000u)
#define TABLE(port, slot) (LIST(port) + 0x2000u + (slot)*0x200u)
#define DATA 0x400000u

enum { IS = 0x10, IE = 0x14, CMD = 0x18, TFD = 0x20, SIG = 0x24, SSTS = 0x28, SCTL = 0x2c };
enum { SERR = 0x30, SACT = 0x34, CI = 0x38 };

static uint32_t
port_read(DeviceBench *bench, unsigned port, uint32_t reg)
{
    return pci_guest_read(bench, BAR, 0x100 + port * 0x80 + reg);
}

static void
port_write(DeviceBench *bench, unsigned port, uint32_t reg, uint32_t value)
{
    pci_guest_write(bench, BAR, 0x100 + port * 0x80 + reg, value);
}

static void
start_port(DeviceBench *bench, unsigned port)
{
    port_write(bench, port, 0x00, LIST(port));
    port_write(bench, port, 0x04, 0);
    port_write(bench, port, 0x08, FRAMES(port));
    port_write(bench, port, 0x0c, 0);
    port_write(bench, port, SERR, ~0u);
    port_write(bench, port, IS, ~0u);
    port_write(bench, port, IE, ~0u);
    port_write(bench, port, CMD, AHCI_CMD_FRE | AHCI_CMD_SUD);
    port_write(bench, port, CMD, AHCI_CMD_FRE | AHCI_CMD_SUD | AHCI_CMD_ST);
}

static DeviceBench *
ahci_bench(bool discard)
{
    CfgmNode *config = cfgm_new();
    CfgmNode *disk;
    DeviceBench *bench;

    cfgm_set_uint(device_bench_add(config, "ahci", 0), "PortCount", 3);
    disk = pci_guest_add_drive(config, "ahci", 0, PDM_MEDIA_DISK, SECTORS * 512ull);
    cfgm_set_uint(disk, "Discard", discard);
    pci_guest_add_drive(config, "ahci", 1, PDM_MEDIA_OPTICAL, CD_SECTORS * 2048ull);
    bench = device_bench_new(config);
    pci_guest_map(bench, SLOT, BAR);
    pci_guest_write(bench, BAR, 4, 0x80000002);
    for (unsigned port = 0; port < 3; port++)
        start_port(bench, port);
    return bench;
}

static BenchMedia *
drive(DeviceBench *bench, unsigned port)
{
    return bench_media(bench->pdm, "ahci", 0, port);
}

/* A command's table: registers, two regions that share the data, and its header. */
static void
put_command(DeviceBench *bench, unsigned port, unsigned slot, const uint8_t fis[20], uint64_t data,
            uint32_t size)
{
    uint32_t table = TABLE(port, slot);
    uint32_t first = size > 512 ? 512 : size;
    unsigned regions = size == 0 ? 0 : size > first ? 2 : 1;

    pci_guest_put(bench, table, fis, 20);
    pci_guest_put64(bench, table + 0x80, data);
    pci_guest_put32(bench, table + 0x8c, first - 1);
    pci_guest_put64(bench, table + 0x90, data + first);
    pci_guest_put32(bench, table + 0x9c, size - first - 1);
    pci_guest_put32(bench, LIST(port) + slot * 32, 5u | regions << 16);
    pci_guest_put32(bench, LIST(port) + slot * 32 + 4, 0);
    pci_guest_put64(bench, LIST(port) + slot * 32 + 8, table);
}

static void
make_fis(uint8_t fis[20], uint8_t command, uint64_t lba, uint16_t count)
{
    bool queued = command == 0x60 || command == 0x61;

    memset(fis, 0, 20);
    fis[0] = 0x27;
    fis[1] = 0x80;
    fis[2] = command;
    fis[7] = 0x40;
    for (unsigned i = 0; i < 3; i++) {
        fis[4 + i] = (uint8_t)(lba >> (8 * i));
        fis[8 + i] = (uint8_t)(lba >> (8 * i + 24));
    }
    fis[queued ? 3 : 12] = (uint8_t)count;
    fis[queued ? 11 : 13] = (uint8_t)(count >> 8);
}

static void
issue(DeviceBench *bench, unsigned port, unsigned slot, uint8_t command, uint64_t lba,
      uint16_t count, uint64_t data, uint32_t size)
{
    uint8_t fis[20];

    make_fis(fis, command, lba, count);
    if (command == 0x60 || command == 0x61) {
        fis[12] = (uint8_t)(slot << 3);
        port_write(bench, port, SACT, 1u << slot);
    }
    put_command(bench, port, slot, fis, data, size);
    port_write(bench, port, CI, 1u << slot);
}

static void
settle(DeviceBench *bench)
{
    for (unsigned i = 0; i < 64; i++)
        device_bench_run_queues(bench);
}

static uint32_t
byte_count(DeviceBench *bench, unsigned port, unsigned slot)
{
    return (uint32_t)device_bench_read(bench, LIST(port) + slot * 32 + 4, 4);
}

static void
test_presence(void)
{
    g_autoptr(DeviceBench) bench = ahci_bench(false);

    g_assert_cmphex(device_bench_pci_read(bench, SLOT, 0, 0, 4), ==, 0x28298086);
    g_assert_cmphex(device_bench_pci_read(bench, SLOT, 0, 8, 4) >> 8, ==, 0x010601);
    g_assert_cmphex(pci_guest_read(bench, BAR, 0x0c), ==, 7);
    g_assert_cmphex(pci_guest_read(bench, BAR, 0x00) & 0x1f, ==, 2);
    g_assert_cmphex(pci_guest_read(bench, BAR, 0x00) & 1u << 17, ==, 0); /* no port multiplier */
    g_assert_cmphex(port_read(bench, 0, SIG), ==, 0x00000101);
    g_assert_cmphex(port_read(bench, 1, SIG), ==, 0xeb140101);
    g_assert_cmphex(port_read(bench, 2, SIG), ==, 0xffffffff);
    g_assert_cmphex(port_read(bench, 0, SSTS), ==, 0x123);
    g_assert_cmphex(port_read(bench, 2, SSTS), ==, 0);
    g_assert_cmphex(port_read(bench, 0, TFD) & 0x88, ==, 0);
    g_assert_cmphex(pci_guest_read(bench, BAR, 0x100 + 3 * 0x80 + SSTS), ==, 0);
}

static void
test_identify(void)
{
    g_autoptr(DeviceBench) bench = ahci_bench(true);
    uint8_t data[512];

    issue(bench, 0, 0, 0xec, 0, 0, DATA, 512);
    g_assert_cmphex(port_read(bench, 0, CI), ==, 0);
    g_assert_cmphex(port_read(bench, 0, IS) & 3, ==, AHCI_IS_PSS);
    g_assert_cmphex(pci_guest_read(bench, BAR, 8), ==, 1);
    g_assert_cmpuint(byte_count(bench, 0, 0), ==, 512);
    pci_guest_get(bench, DATA, data, sizeof(data));
    g_assert_cmpuint(data[120] | data[121] << 8, ==, SECTORS);
    g_assert_cmphex(data[152] | data[153] << 8, ==, 0x0106); /* queued commands */
    g_assert_cmphex(data[338], ==, 1);                       /* TRIM */
    g_assert_cmphex(device_bench_read(bench, FRAMES(0) + 0x20, 1), ==, 0x5f);
    port_write(bench, 0, IS, ~0u);
    pci_guest_write(bench, BAR, 8, ~0u);
    g_assert_cmphex(pci_guest_read(bench, BAR, 8), ==, 0);
}

static void
test_read_write(void)
{
    g_autoptr(DeviceBench) bench = ahci_bench(false);
    g_autofree uint8_t *out = g_malloc(1000 * 512);
    g_autofree uint8_t *in = g_malloc(1000 * 512);

    pci_guest_pattern(out, 1000 * 512, 3);
    pci_guest_put(bench, DATA, out, 1000 * 512);
    issue(bench, 0, 5, 0x35, 100, 1000, DATA, 1000 * 512);
    g_assert_cmphex(port_read(bench, 0, TFD) & 0x80, ==, 0x80);
    settle(bench);
    g_assert_cmphex(port_read(bench, 0, CI), ==, 0);
    g_assert_cmphex(port_read(bench, 0, TFD), ==, 0x50);
    g_assert_cmpmem(drive(bench, 0)->data->data + 100 * 512, 1000 * 512, out, 1000 * 512);
    g_assert_cmpuint(byte_count(bench, 0, 5), ==, 1000 * 512);
    issue(bench, 0, 6, 0x25, 100, 1000, DATA + 0x200000, 1000 * 512);
    settle(bench);
    pci_guest_get(bench, DATA + 0x200000, in, 1000 * 512);
    g_assert_cmpmem(in, 1000 * 512, out, 1000 * 512);
    issue(bench, 0, 7, 0xea, 0, 0, 0, 0);
    settle(bench);
    g_assert_cmpuint(drive(bench, 0)->flushes, ==, 1);
    /* Beyond the end: the command stays in its slot and the list stands still. */
    issue(bench, 0, 8, 0x25, SECTORS - 1, 2, DATA, 1024);
    settle(bench);
    g_assert_cmphex(port_read(bench, 0, TFD), ==, 0x1051);
    g_assert_cmphex(port_read(bench, 0, IS) & AHCI_IS_TFES, ==, AHCI_IS_TFES);
    g_assert_cmphex(port_read(bench, 0, CI), ==, 1u << 8);
    port_write(bench, 0, CMD, AHCI_CMD_FRE);
    g_assert_cmphex(port_read(bench, 0, CI), ==, 0);
}

static void
test_queue(void)
{
    g_autoptr(DeviceBench) bench = ahci_bench(false);
    BenchMedia *disk = drive(bench, 0);
    uint8_t sector[512], got[512];

    disk->hold = true;
    for (unsigned slot = 0; slot < 32; slot++) {
        pci_guest_pattern(sector, 512, slot);
        memcpy(disk->data->data + slot * 16 * 512, sector, 512);
        issue(bench, 0, slot, 0x60, slot * 16, 1, DATA + slot * 4096, 512);
    }
    g_assert_cmphex(port_read(bench, 0, CI), ==, 0);
    g_assert_cmphex(port_read(bench, 0, SACT), ==, 0xffffffff);
    g_assert_cmpuint(g_queue_get_length(&disk->held), ==, 32);
    /* The last ones first. */
    g_queue_reverse(&disk->held);
    bench_media_complete(disk);
    settle(bench);
    g_assert_cmphex(port_read(bench, 0, SACT), ==, 0);
    g_assert_cmphex(port_read(bench, 0, IS) & AHCI_IS_SDBS, ==, AHCI_IS_SDBS);
    for (unsigned slot = 0; slot < 32; slot++) {
        pci_guest_pattern(sector, 512, slot);
        pci_guest_get(bench, DATA + slot * 4096, got, 512);
        g_assert_cmpmem(got, 512, sector, 512);
    }
}

static void
test_queue_error(void)
{
    g_autoptr(DeviceBench) bench = ahci_bench(false);
    uint8_t log[512], sum = 0;

    drive(bench, 0)->hold = true;
    issue(bench, 0, 1, 0x60, 8, 1, DATA, 512);
    issue(bench, 0, 2, 0x60, 0x1234, 1, DATA, 512);
    issue(bench, 0, 3, 0x60, SECTORS, 1, DATA, 512); /* fails at once */
    g_assert_cmphex(port_read(bench, 0, IS) & AHCI_IS_TFES, ==, AHCI_IS_TFES);
    g_assert_cmphex(port_read(bench, 0, TFD), ==, 0x1051);
    g_assert_cmphex(port_read(bench, 0, SACT) & 8, ==, 8);
    drive(bench, 0)->hold = false;
    start_port(bench, 0);
    bench_media_complete(drive(bench, 0));
    settle(bench);
    g_assert_cmphex(port_read(bench, 0, SACT), ==, 0);
    issue(bench, 0, 0, 0x2f, 0x10, 1, DATA, 512);
    settle(bench);
    pci_guest_get(bench, DATA, log, 512);
    g_assert_cmphex(log[0], ==, 3);
    g_assert_cmphex(log[3], ==, 0x10);
    g_assert_cmphex(log[5], ==, SECTORS >> 8);
    for (unsigned i = 0; i < 512; i++)
        sum = (uint8_t)(sum + log[i]);
    g_assert_cmphex(sum, ==, 0);
}

static void
test_trim(void)
{
    g_autoptr(DeviceBench) bench = ahci_bench(true);
    BenchMedia *disk = drive(bench, 0);
    uint8_t fis[20];

    memset(disk->data->data, 0xee, disk->data->len);
    pci_guest_put64(bench, DATA, 64 | 8ull << 48);
    pci_guest_put64(bench, DATA + 8, (SECTORS - 1) | 2ull << 48); /* not on the disk */
    pci_guest_put64(bench, DATA + 16, 1000 | 1ull << 48);
    make_fis(fis, 0x06, 0, 1);
    fis[3] = 1;
    put_command(bench, 0, 0, fis, DATA, 512);
    port_write(bench, 0, CI, 1);
    settle(bench);
    g_assert_cmphex(port_read(bench, 0, TFD), ==, 0x50);
    for (unsigned i = 0; i < SECTORS; i++)
        g_assert_cmphex(disk->data->data[i * 512], ==, (i >= 64 && i < 72) || i == 1000 ? 0 : 0xee);
}

static void
send_packet(DeviceBench *bench, const uint8_t packet[16], uint32_t size)
{
    uint8_t fis[20];

    make_fis(fis, 0xa0, 0, 0);
    fis[3] = 1; /* DMA */
    put_command(bench, 1, 0, fis, DATA, size);
    pci_guest_put(bench, TABLE(1, 0) + 0x40, packet, 16);
    port_write(bench, 1, CI, 1);
    settle(bench);
}

static void
restart_after_error(DeviceBench *bench, unsigned port)
{
    port_write(bench, port, CMD, AHCI_CMD_FRE);
    start_port(bench, port);
}

static void
test_packets(void)
{
    static const uint8_t read[16] = {0x28, [5] = 10, [8] = 3};
    static const uint8_t raw[16] = {0xbe, [5] = 10, [8] = 2, [9] = 0xf8};
    static const uint8_t unknown[16] = {0xff};
    static const uint8_t sense[16] = {0x03, [4] = 18};
    g_autoptr(DeviceBench) bench = ahci_bench(false);
    BenchMedia *cd = drive(bench, 1);
    uint8_t got[3 * 2048];

    pci_guest_pattern(cd->data->data, cd->data->len, 77);
    send_packet(bench, read, sizeof(got));
    g_assert_cmphex(port_read(bench, 1, TFD), ==, 0x50);
    g_assert_cmpuint(byte_count(bench, 1, 0), ==, sizeof(got));
    pci_guest_get(bench, DATA, got, sizeof(got));
    g_assert_cmpmem(got, sizeof(got), cd->data->data + 10 * 2048, sizeof(got));
    send_packet(bench, raw, 2 * 2352);
    g_assert_cmpuint(byte_count(bench, 1, 0), ==, 2 * 2352);
    pci_guest_get(bench, DATA + 2352 + 16, got, 2048);
    g_assert_cmpmem(got, 2048, cd->data->data + 11 * 2048, 2048);
    send_packet(bench, unknown, 0);
    g_assert_cmphex(port_read(bench, 1, TFD), ==, 0x5451);
    restart_after_error(bench, 1);
    send_packet(bench, sense, 18);
    pci_guest_get(bench, DATA, got, 18);
    g_assert_cmphex(got[2], ==, 5);
    g_assert_cmphex(got[12], ==, 0x20);
    /* A disc's IDENTIFY answers with the signature. */
    issue(bench, 1, 0, 0xec, 0, 0, DATA, 512);
    g_assert_cmphex(port_read(bench, 1, TFD), ==, 0x0451);
}

static void
test_soft_reset(void)
{
    g_autoptr(DeviceBench) bench = ahci_bench(false);
    uint8_t fis[20] = {0x27, [15] = 0x04};

    put_command(bench, 0, 0, fis, 0, 0);
    port_write(bench, 0, CI, 1);
    g_assert_cmphex(port_read(bench, 0, TFD) & 0x80, ==, 0x80);
    fis[15] = 0;
    put_command(bench, 0, 1, fis, 0, 0);
    port_write(bench, 0, CI, 2);
    g_assert_cmphex(port_read(bench, 0, TFD), ==, 0x0150);
    g_assert_cmphex(device_bench_read(bench, FRAMES(0) + 0x40, 1), ==, 0x34);
    g_assert_cmphex(device_bench_read(bench, FRAMES(0) + 0x4c, 1), ==, 1);
    /* The link: nobody there while it is reset, then the drive and a change. */
    port_write(bench, 0, CMD, AHCI_CMD_FRE);
    port_write(bench, 0, SERR, ~0u);
    port_write(bench, 0, SCTL, 1);
    g_assert_cmphex(port_read(bench, 0, SSTS), ==, 0);
    port_write(bench, 0, SCTL, 0);
    g_assert_cmphex(port_read(bench, 0, SSTS), ==, 0x123);
    g_assert_cmphex(port_read(bench, 0, IS) & AHCI_IS_PCS, ==, AHCI_IS_PCS);
}

/* A guest that resets again and again while the disk hangs holds two commands at most. */
static void
test_reset_in_flight(void)
{
    g_autoptr(DeviceBench) bench = ahci_bench(false);
    BenchMedia *disk = drive(bench, 0);

    memset(disk->data->data, 0x5a, 512);
    disk->hold = true;
    for (unsigned i = 0; i < 100; i++) {
        issue(bench, 0, 0, 0x25, 0, 1, DATA, 512);
        pci_guest_write(bench, BAR, 4, 0x80000001);
        start_port(bench, 0);
        pci_guest_write(bench, BAR, 4, 0x80000002);
    }
    issue(bench, 0, 0, 0x25, 0, 1, DATA, 512);
    g_assert_cmpuint(g_queue_get_length(&disk->held), ==, 1);
    g_assert_cmphex(device_bench_read(bench, DATA, 1), ==, 0);
    bench_media_complete(disk);
    settle(bench);
    bench_media_complete(disk);
    settle(bench);
    g_assert_cmphex(port_read(bench, 0, CI), ==, 0);
    g_assert_cmphex(device_bench_read(bench, DATA, 1), ==, 0x5a);
}

static void
test_hostile(void)
{
    g_autoptr(DeviceBench) bench = ahci_bench(true);
    uint8_t fis[20];

    /* Regions that are too short, and lie nowhere. */
    issue(bench, 0, 0, 0x35, 0, 8, DATA, 512);
    g_assert_cmphex(port_read(bench, 0, TFD), ==, 0x0451);
    g_assert_true(device_bench_logged(bench, "shorter than its data"));
    restart_after_error(bench, 0);
    issue(bench, 0, 0, 0x25, 0, 8, 0xfff0000000000000ull, 4096);
    settle(bench);
    g_assert_cmphex(port_read(bench, 0, TFD), ==, 0x50);
    /* A tag that is not the slot, a frame that is none. */
    make_fis(fis, 0x60, 0, 1);
    put_command(bench, 0, 4, fis, DATA, 512);
    port_write(bench, 0, CI, 1u << 4);
    g_assert_cmphex(port_read(bench, 0, TFD), ==, 0x0451);
    restart_after_error(bench, 0);
    memset(fis, 0xff, sizeof(fis));
    put_command(bench, 0, 0, fis, DATA, 512);
    port_write(bench, 0, CI, 1);
    g_assert_cmphex(port_read(bench, 0, TFD), ==, 0x0451);
    /* Nobody at the port, lists that are not in memory. */
    issue(bench, 2, 0, 0x25, 0, 1, DATA, 512);
    g_assert_cmphex(port_read(bench, 2, CI), ==, 1);
    port_write(bench, 1, CMD, 0);
    port_write(bench, 1, 0x04, 0xffffffff);
    port_write(bench, 1, 0x0c, 0xffffffff);
    port_write(bench, 1, CMD, AHCI_CMD_FRE | AHCI_CMD_ST);
    port_write(bench, 1, CI, 0xffffffff);
    settle(bench);
}

static void
test_random(void)
{
    g_autoptr(DeviceBench) bench = ahci_bench(true);
    GRand *random = g_rand_new_with_seed(4711);
    uint8_t fis[20];

    for (unsigned i = 0; i < 20000; i++) {
        unsigned port = g_rand_int(random) % 2, slot = g_rand_int(random) % 32;

        for (unsigned j = 0; j < sizeof(fis); j++)
            fis[j] = (uint8_t)(g_rand_boolean(random) ? 0 : g_rand_int(random));
        fis[0] = 0x27;
        fis[1] |= 0x80;
        put_command(bench, port, slot, fis, DATA, g_rand_int(random) % 0x20000);
        if (g_rand_boolean(random))
            port_write(bench, port, SACT, 1u << slot);
        port_write(bench, port, CI, 1u << slot);
        if (g_rand_int(random) % 4 == 0)
            pci_guest_write(bench, BAR, 4 * (g_rand_int(random) % 0x100), g_rand_int(random));
        if (g_rand_int(random) % 8 == 0)
            restart_after_error(bench, port);
        device_bench_run_queues(bench);
    }
    g_rand_free(random);
    /* It still works. */
    pci_guest_write(bench, BAR, 4, 0x80000001);
    start_port(bench, 0);
    settle(bench);
    issue(bench, 0, 0, 0xec, 0, 0, DATA, 512);
    settle(bench);
    g_assert_cmphex(port_read(bench, 0, TFD), ==, 0x50);
}

/* Commands that were under way are begun again after a load. */
static void
test_state_in_flight(void)
{
    g_autoptr(DeviceBench) bench = ahci_bench(false);
    g_autoptr(DeviceBench) other = ahci_bench(false);
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) state = NULL, again = NULL;

    drive(bench, 0)->hold = true;
    issue(bench, 0, 3, 0x60, 7, 1, DATA, 512);
    issue(bench, 0, 9, 0x61, 8, 1, DATA + 512, 512);
    pci_guest_put32(bench, DATA + 512, 0x12345678);
    state = device_bench_save(bench, &error);
    g_assert_no_error(error);
    memset(drive(other, 0)->data->data + 7 * 512, 0xab, 512);
    g_assert_true(device_bench_load(other, state, &error));
    again = device_bench_save(other, &error);
    g_assert_true(g_bytes_equal(state, again));
    settle(other);
    g_assert_cmphex(port_read(other, 0, SACT), ==, 0);
    g_assert_cmphex(device_bench_read(other, DATA, 1), ==, 0xab);
    g_assert_cmphex(drive(other, 0)->data->data[8 * 512], ==, 0x78);
}

/* The disk is pulled out while it is at a command, and another one is plugged in somewhere else. */
static void
test_hot_plug(void)
{
    const uint32_t changed = AHCI_IS_PRCS | AHCI_IS_PCS;
    g_autoptr(DeviceBench) bench = ahci_bench(false);
    g_autoptr(GError) error = NULL;
    CfgmNode *config = cfgm_new();

    drive(bench, 0)->hold = true;
    issue(bench, 0, 3, 0x60, 7, 1, DATA, 512);
    g_assert_false(pdm_plug(bench->pdm, "ahci", 0, 0, config, &error));
    g_assert_error(error, BASE_ERROR, BASE_ERROR_INVALID);
    g_clear_error(&error);
    g_assert_true(pdm_unplug(bench->pdm, "ahci", 0, 0, &error));
    settle(bench);
    g_assert_null(pdm_lun_connector(bench->pdm, "ahci", 0, 0, PDM_IF_MEDIA));
    g_assert_cmphex(port_read(bench, 0, SSTS), ==, 0);
    g_assert_cmphex(port_read(bench, 0, TFD), ==, 0x7f);
    g_assert_cmphex(port_read(bench, 0, SACT) | port_read(bench, 0, CI), ==, 0);
    g_assert_cmphex(port_read(bench, 0, IS) & changed, ==, changed);
    g_assert_cmphex(pci_guest_read(bench, BAR, 8) & 1, ==, 1);
    port_write(bench, 0, SERR, ~0u);
    g_assert_cmphex(port_read(bench, 0, IS) & changed, ==, 0);
    /* Commands find nobody. */
    issue(bench, 0, 4, 0x60, 7, 1, DATA, 512);
    settle(bench);
    g_assert_cmphex(port_read(bench, 0, CI), !=, 0);
    g_assert_false(pdm_unplug(bench->pdm, "ahci", 0, 0, &error));
    g_assert_error(error, BASE_ERROR, BASE_ERROR_INVALID);
    g_clear_error(&error);

    cfgm_set_string(config, "Driver", "bench-media");
    cfgm_set_uint(cfgm_make(config, "Config"), "Size", 4096 * 512);
    g_assert_true(pdm_plug(bench->pdm, "ahci", 0, 2, config, &error));
    g_assert_no_error(error);
    g_assert_cmphex(port_read(bench, 2, SSTS), ==, 0x123);
    g_assert_cmphex(port_read(bench, 2, SIG), ==, 0x101);
    g_assert_cmphex(port_read(bench, 2, IS) & AHCI_IS_PCS, ==, AHCI_IS_PCS);
    start_port(bench, 2);
    memset(drive(bench, 2)->data->data + 7 * 512, 0xcd, 512);
    issue(bench, 2, 0, 0x60, 7, 1, DATA, 512);
    settle(bench);
    g_assert_cmphex(port_read(bench, 2, SACT), ==, 0);
    g_assert_cmphex(device_bench_read(bench, DATA, 1), ==, 0xcd);
    /* A place that is none. */
    g_assert_false(pdm_unplug(bench->pdm, "ahci", 0, 9, &error));
    g_assert_error(error, BASE_ERROR, BASE_ERROR_INVALID);
    g_assert_true(pdm_unplug(bench->pdm, "ahci", 0, 2, NULL));
    cfgm_free(config);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ahci/presence", test_presence);
    g_test_add_func("/ahci/identify", test_identify);
    g_test_add_func("/ahci/read-write", test_read_write);
    g_test_add_func("/ahci/queue", test_queue);
    g_test_add_func("/ahci/queue-error", test_queue_error);
    g_test_add_func("/ahci/trim", test_trim);
    g_test_add_func("/ahci/packets", test_packets);
    g_test_add_func("/ahci/soft-reset", test_soft_reset);
    g_test_add_func("/ahci/reset-in-flight", test_reset_in_flight);
    g_test_add_func("/ahci/hostile", test_hostile);
    g_test_add_func("/ahci/random", test_random);
    g_test_add_func("/ahci/hot-plug", test_hot_plug);
    g_test_add_func("/ahci/state-in-flight", test_state_in_flight);
    return g_test_run();
}
