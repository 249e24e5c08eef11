/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The ATAPI CD-ROM drive through the ports of the IDE controller. */
#include <errno.h>
#include <string.h>

#include "tests/device/ide-guest.h"

#define SECTORS 500u
#define LIMIT 0xfffe

static void
fill(BenchMedia *cd)
{
    for (guint i = 0; i < cd->data->len; i++)
        cd->data->data[i] = (uint8_t)(i / 2048 + i * 3);
}

static uint32_t
be32(const uint8_t *in)
{
    return (uint32_t)in[0] << 24 | (uint32_t)in[1] << 16 | (uint32_t)in[2] << 8 | in[3];
}

/* Expects success and that many bytes. */
static void
ask(DeviceBench *bench, const uint8_t packet[12], void *data, size_t size, size_t expected)
{
    uint8_t status;

    g_assert_cmpuint(ide_guest_packet_in(bench, packet, LIMIT, data, size, &status), ==, expected);
    g_assert_cmphex(status & (ST_ERR | ST_DRDY), ==, ST_DRDY);
}

static void
ask_and_fail(DeviceBench *bench, const uint8_t packet[12], uint32_t sense)
{
    uint8_t status;

    g_assert_cmpuint(ide_guest_packet_in(bench, packet, LIMIT, NULL, 0, &status), ==, 0);
    g_assert_cmphex(status & ST_ERR, ==, ST_ERR);
    g_assert_cmphex(device_bench_in8(bench, 0x1f1) >> 4, ==, sense >> 16);
    g_assert_cmphex(ide_guest_sense(bench), ==, sense);
}

static void
test_signature(void)
{
    g_autoptr(DeviceBench) bench = ide_bench(0, SECTORS);
    uint8_t data[512];

    ide_guest_select(bench, 1);
    g_assert_cmphex(device_bench_in8(bench, 0x1f4), ==, 0x14);
    g_assert_cmphex(device_bench_in8(bench, 0x1f5), ==, 0xeb);
    device_bench_out8(bench, 0x1f4, 0);
    device_bench_out8(bench, 0x1f7, 0xec);
    g_assert_cmphex(ide_guest_wait(bench) & ST_ERR, ==, ST_ERR);
    g_assert_cmphex(device_bench_in8(bench, 0x1f4), ==, 0x14);
    device_bench_out8(bench, 0x1f7, 0xa1);
    ide_guest_pio_in(bench, data, 512, 512);
    g_assert_cmphex(data[1], ==, 0x85);
    g_assert_cmphex(data[0], ==, 0xc0);
}

static void
test_inquiry(void)
{
    static const uint8_t packet[12] = {0x12, 0, 0, 0, 36};
    static const uint8_t shorter[12] = {0x12, 0, 0, 0, 5};
    static const uint8_t vital[12] = {0x12, 1, 0x80, 0, 36};
    g_autoptr(DeviceBench) bench = ide_bench(0, SECTORS);
    uint8_t data[36];

    ask(bench, packet, data, 36, 36);
    g_assert_cmphex(data[0], ==, 5);
    g_assert_cmphex(data[1], ==, 0x80);
    g_assert_cmpmem(data + 8, 8, "VITRINE ", 8);
    ask(bench, shorter, data, 36, 6); /* 5, in words */
    ask_and_fail(bench, vital, 0x052400);
}

static void
test_read_pio(void)
{
    static const uint8_t packet[12] = {0x28, 0, 0, 0, 0, 7, 0, 0, 100};
    static const uint8_t twelve[12] = {0xa8, 0, 0, 0, 1, 0xf3, 0, 0, 0, 1};
    static const uint8_t beyond[12] = {0x28, 0, 0, 0, 1, 0xf3, 0, 0, 2};
    g_autoptr(DeviceBench) bench = ide_bench(0, SECTORS);
    g_autofree uint8_t *data = g_malloc(100 * 2048);
    uint8_t status;

    fill(ide_cd(bench));
    /* More than the buffer, and a limit that fits no sector. */
    g_assert_cmpuint(ide_guest_packet_in(bench, packet, 3001, data, 100 * 2048, &status), ==,
                     100 * 2048);
    g_assert_cmpmem(data, 100 * 2048, ide_cd(bench)->data->data + 7 * 2048, 100 * 2048);
    ask(bench, twelve, data, 2048, 2048);
    g_assert_cmpmem(data, 2048, ide_cd(bench)->data->data + 499 * 2048, 2048);
    ask_and_fail(bench, beyond, 0x052100);
    ide_cd(bench)->fail = EIO;
    ask_and_fail(bench, packet, 0x031100);
}

static void
test_read_dma(void)
{
    static const uint8_t packet[12] = {0x28, 0, 0, 0, 0, 7, 0, 0, 3};
    static const IdeGuestRegion regions[] = {{0x20000, 2048}, {0x30000, 4096}};
    g_autoptr(DeviceBench) bench = ide_bench(0, SECTORS);

    fill(ide_cd(bench));
    ide_guest_table(bench, regions, 2);
    ide_guest_packet(bench, packet, 0, true);
    ide_guest_start_dma(bench, true);
    g_assert_cmphex(ide_guest_wait(bench) & (ST_ERR | ST_DRQ), ==, 0);
    g_assert_cmphex(ide_guest_dma_status(bench) & 7, ==, 4);
    for (unsigned i = 0; i < 3 * 2048; i++) {
        uint64_t at = i < 2048 ? 0x20000 + i : 0x30000 + i - 2048;

        g_assert_cmphex(device_bench_read(bench, at, 1), ==,
                        ide_cd(bench)->data->data[7 * 2048 + i]);
    }
}

/* ECMA-130: every vector of the product code adds up to zero, plainly and with weights; so does the
 * whole with its check sum. */
static uint8_t
times_alpha(uint8_t value)
{
    return (uint8_t)(value << 1 ^ ((value & 0x80) != 0 ? 0x1d : 0));
}

static void
check_vector(const uint8_t *bytes, unsigned count)
{
    uint8_t sum = 0, weighted = 0;

    for (unsigned i = 0; i < count; i++) {
        sum ^= bytes[i];
        weighted = times_alpha(weighted) ^ bytes[i];
    }
    g_assert_cmphex(sum, ==, 0);
    g_assert_cmphex(weighted, ==, 0);
}

static void
check_frame(const uint8_t *sector)
{
    const uint8_t *words = sector + 12;
    uint8_t vector[45];
    uint32_t edc = 0;

    for (unsigned i = 0; i < 2068 * 8; i++)
        edc = edc >> 1 ^ (((edc ^ sector[i / 8] >> i % 8) & 1) != 0 ? 0xd8018001 : 0);
    g_assert_cmphex(edc, ==, 0);
    for (unsigned plane = 0; plane < 2; plane++) {
        for (unsigned n = 0; n < 43; n++) {
            for (unsigned m = 0; m < 26; m++)
                vector[m] = words[2 * (43 * m + n) + plane];
            check_vector(vector, 26);
        }
        for (unsigned n = 0; n < 26; n++) {
            for (unsigned m = 0; m < 43; m++)
                vector[m] = words[2 * ((44 * m + 43 * n) % 1118) + plane];
            vector[43] = words[2 * (1118 + n) + plane];
            vector[44] = words[2 * (1118 + 26 + n) + plane];
            check_vector(vector, 45);
        }
    }
}

static void
test_read_cd(void)
{
    static const uint8_t raw[12] = {0xbe, 0, 0, 0, 0, 100, 0, 0, 70, 0xf8};
    static const uint8_t user[12] = {0xbe, 0, 0, 0, 0, 100, 0, 0, 1, 0x10};
    static const uint8_t nothing[12] = {0xbe, 0, 0, 0, 0, 100, 0, 0, 1, 0};
    static const uint8_t audio[12] = {0xbe, 1 << 2, 0, 0, 0, 100, 0, 0, 1, 0x10};
    static const uint8_t msf[12] = {0xb9, 0, 0, 0, 3, 25, 0, 3, 26, 0x10};
    g_autoptr(DeviceBench) bench = ide_bench(0, SECTORS);
    g_autofree uint8_t *data = g_malloc(70 * 2352);

    fill(ide_cd(bench));
    ask(bench, raw, data, 70 * 2352, 70 * 2352);
    for (unsigned i = 0; i < 70; i++) {
        const uint8_t *sector = data + i * 2352;

        g_assert_cmpmem(sector, 12, "\0\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\0", 12);
        g_assert_cmphex(sector[15], ==, 1);
        g_assert_cmpmem(sector + 16, 2048, ide_cd(bench)->data->data + (100 + i) * 2048, 2048);
        check_frame(sector);
    }
    /* Sector 100 is second 3, frame 25. */
    g_assert_cmpmem(data + 12, 3, "\x00\x03\x25", 3);
    ask(bench, user, data, 2048, 2048);
    g_assert_cmpmem(data, 2048, ide_cd(bench)->data->data + 100 * 2048, 2048);
    ask(bench, nothing, data, 2048, 0);
    ask_and_fail(bench, audio, 0x056400);
    memset(data, 0, 2048);
    ask(bench, msf, data, 2048, 2048);
    g_assert_cmpmem(data, 2048, ide_cd(bench)->data->data + 100 * 2048, 2048);
}

static void
test_tables(void)
{
    static const uint8_t capacity[12] = {0x25};
    static const uint8_t toc[12] = {0x43, 0, 0, 0, 0, 0, 0, 0, 100};
    static const uint8_t toc_msf[12] = {0x43, 2, 0, 0, 0, 0, 0xaa, 0, 100};
    static const uint8_t toc_none[12] = {0x43, 0, 0, 0, 0, 0, 2, 0, 100};
    static const uint8_t session[12] = {0x43, 0, 1, 0, 0, 0, 0, 0, 100};
    static const uint8_t full[12] = {0x43, 2, 2, 0, 0, 0, 0, 0, 100};
    static const uint8_t disc[12] = {0x51, 0, 0, 0, 0, 0, 0, 0, 34};
    static const uint8_t track[12] = {0x52, 1, 0, 0, 0, 1, 0, 0, 36};
    static const uint8_t configuration[12] = {0x46, 0, 0, 0, 0, 0, 0, 1, 0};
    static const uint8_t capabilities[12] = {0x5a, 0, 0x2a, 0, 0, 0, 0, 0, 100};
    static const uint8_t saved[12] = {0x5a, 0, 0xea, 0, 0, 0, 0, 0, 100};
    static const uint8_t mechanism[12] = {0xbd, 0, 0, 0, 0, 0, 0, 0, 0, 8};
    static const uint8_t unknown[12] = {0xee};
    g_autoptr(DeviceBench) bench = ide_bench(0, SECTORS);
    uint8_t data[256];

    ask(bench, capacity, data, 8, 8);
    g_assert_cmpuint(be32(data), ==, SECTORS - 1);
    g_assert_cmpuint(be32(data + 4), ==, 2048);
    ask(bench, toc, data, 100, 20);
    g_assert_cmphex(data[1], ==, 18);
    g_assert_cmphex(data[5], ==, 0x14);
    g_assert_cmpuint(be32(data + 16), ==, SECTORS);
    ask(bench, toc_msf, data, 100, 12);
    g_assert_cmpmem(data + 8, 4, "\0\0\x08\x32", 4); /* 650 frames */
    ask_and_fail(bench, toc_none, 0x052400);
    ask(bench, session, data, 100, 12);
    ask(bench, full, data, 100, 48);
    g_assert_cmphex(data[7], ==, 0xa0);
    ask(bench, disc, data, 100, 34);
    g_assert_cmphex(data[2], ==, 0x0e);
    ask(bench, track, data, 100, 36);
    g_assert_cmpuint(be32(data + 24), ==, SECTORS);
    ask(bench, configuration, data, 256, 8 + 12 + 12 + 8 + 8 + 12 + 4 + 8 + 4 + 4 + 8);
    g_assert_cmpuint(be32(data), ==, 84);
    g_assert_cmphex(data[7], ==, 0x08);
    ask(bench, capabilities, data, 100, 28);
    g_assert_cmphex(data[8], ==, 0x2a);
    g_assert_cmphex(data[14] & 2, ==, 0);
    ask_and_fail(bench, saved, 0x053900);
    ask(bench, mechanism, data, 8, 8);
    ask_and_fail(bench, unknown, 0x052000);
}

static const uint8_t ready_packet[12] = {0x00};
static const uint8_t event_packet[12] = {0x4a, 1, 0, 0, 0x10, 0, 0, 0, 8};

static void
expect_event(DeviceBench *bench, uint8_t event, uint8_t state)
{
    uint8_t data[8];

    ask(bench, event_packet, data, 8, 8);
    g_assert_cmphex(data[4], ==, event);
    g_assert_cmphex(data[5], ==, state);
}

static void
test_medium_change(void)
{
    g_autoptr(DeviceBench) bench = ide_bench(0, SECTORS);
    g_autofree uint8_t *disc = g_malloc0(100 * 2048);

    ask(bench, ready_packet, NULL, 0, 0);
    bench_media_change(ide_cd(bench), NULL, 0);
    ask_and_fail(bench, ready_packet, 0x023a01);
    expect_event(bench, 3, 0);
    bench_media_change(ide_cd(bench), disc, 100 * 2048);
    expect_event(bench, 2, 2);
    expect_event(bench, 0, 2);
    ask_and_fail(bench, ready_packet, 0x062800);
    ask(bench, ready_packet, NULL, 0, 0);
}

static void
test_tray(void)
{
    static const uint8_t lock[12] = {0x1e, 0, 0, 0, 1};
    static const uint8_t unlock[12] = {0x1e, 0, 0, 0, 0};
    static const uint8_t eject[12] = {0x1b, 0, 0, 0, 2};
    static const uint8_t load[12] = {0x1b, 0, 0, 0, 3};
    g_autoptr(DeviceBench) bench = ide_bench(0, SECTORS);
    const PdmMediaPort *port = pdm_lun_port(bench->pdm, "piix4-ide", 0, 1, PDM_IF_MEDIA);

    ask(bench, lock, NULL, 0, 0);
    ask_and_fail(bench, eject, 0x055302);
    g_assert_false(port->eject_request(port->user, false));
    expect_event(bench, 1, 2); /* the guest hears of the wish */
    ask(bench, unlock, NULL, 0, 0);
    g_assert_true(port->eject_request(port->user, false));
    ask(bench, eject, NULL, 0, 0);
    g_assert_cmpuint(ide_cd(bench)->ejects, ==, 1);
    ask_and_fail(bench, ready_packet, 0x023a02);
    expect_event(bench, 3, 1);
    ask(bench, load, NULL, 0, 0);
    ask_and_fail(bench, ready_packet, 0x023a01);
    ask(bench, lock, NULL, 0, 0);
    g_assert_true(port->eject_request(port->user, true));
}

static void
test_empty(void)
{
    static const uint8_t capacity[12] = {0x25};
    static const uint8_t inquiry[12] = {0x12, 0, 0, 0, 36};
    g_autoptr(DeviceBench) bench = ide_bench(0, 1);
    uint8_t data[36];

    ask_and_fail(bench, ready_packet, 0x023a01);
    ask_and_fail(bench, capacity, 0x023a01);
    ask(bench, inquiry, data, 36, 36);
}

/* Every first byte, random rest: each command ends, with good or bad status. */
static void
test_random_packets(void)
{
    g_autoptr(DeviceBench) bench = ide_bench(0, SECTORS);
    g_autoptr(GRand) rand = g_rand_new_with_seed(9);

    for (unsigned i = 0; i < 3000; i++) {
        uint8_t packet[12];
        uint8_t status;

        for (unsigned j = 0; j < 12; j++)
            packet[j] = g_rand_boolean(rand) ? 0 : (uint8_t)g_rand_int_range(rand, 0, 256);
        packet[0] = (uint8_t)i;
        if (packet[0] == 0xa8)
            packet[6] = packet[7] = packet[8] = 0;
        ide_guest_packet_in(bench, packet, (uint16_t)g_rand_int_range(rand, 2, 0xffff), NULL, 0,
                            &status);
        g_assert_cmphex(status & ST_DRQ, ==, 0);
    }
    g_assert_true(device_bench_logged(bench, "SCSI command"));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ide/cd/signature", test_signature);
    g_test_add_func("/ide/cd/inquiry", test_inquiry);
    g_test_add_func("/ide/cd/read-pio", test_read_pio);
    g_test_add_func("/ide/cd/read-dma", test_read_dma);
    g_test_add_func("/ide/cd/read-cd", test_read_cd);
    g_test_add_func("/ide/cd/tables", test_tables);
    g_test_add_func("/ide/cd/medium-change", test_medium_change);
    g_test_add_func("/ide/cd/tray", test_tray);
    g_test_add_func("/ide/cd/empty", test_empty);
    g_test_add_func("/ide/cd/random-packets", test_random_packets);
    return g_test_run();
}
