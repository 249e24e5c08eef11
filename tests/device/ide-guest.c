/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A guest's IDE driver for tests. */
#include "tests/device/ide-guest.h"

#include <string.h>

static void
add_drive(CfgmNode *config, unsigned lun, PdmMediaType type, uint64_t size)
{
    CfgmNode *node = device_bench_add_driver(config, "piix4-ide", 0, lun, "bench-media");

    cfgm_set_uint(node, "Size", size);
    cfgm_set_uint(node, "Type", type);
    cfgm_set_uint(node, "SectorSize", type == PDM_MEDIA_OPTICAL ? 2048 : 512);
}

DeviceBench *
ide_bench(unsigned disk_sectors, unsigned cd_sectors)
{
    CfgmNode *config = cfgm_new();
    DeviceBench *bench;

    device_bench_add(config, "piix4-ide", 0);
    if (disk_sectors != 0)
        add_drive(config, 0, PDM_MEDIA_DISK, disk_sectors * 512ull);
    if (cd_sectors != 0)
        add_drive(config, 1, PDM_MEDIA_OPTICAL, cd_sectors == 1 ? 0 : cd_sectors * 2048ull);
    bench = device_bench_new(config);
    device_bench_pci_write(bench, 1, 1, 0x20, IDE_MASTER_PORT, 4);
    device_bench_pci_write(bench, 1, 1, 0x04, 5, 2);
    ide_guest_select(bench, 0);
    return bench;
}

BenchMedia *
ide_disk(DeviceBench *bench)
{
    return bench_media(bench->pdm, "piix4-ide", 0, 0);
}

BenchMedia *
ide_cd(DeviceBench *bench)
{
    return bench_media(bench->pdm, "piix4-ide", 0, 1);
}

void
ide_guest_select(DeviceBench *bench, unsigned drive)
{
    device_bench_out8(bench, IDE_COMMAND_PORT + 6, (uint8_t)(0xe0 | drive << 4));
}

uint8_t
ide_guest_wait(DeviceBench *bench)
{
    const gint64 end = g_get_monotonic_time() + 30 * G_TIME_SPAN_SECOND;

    for (unsigned i = 0; g_get_monotonic_time() < end; i++) {
        uint8_t status = device_bench_in8(bench, IDE_ALT_STATUS_PORT);

        if ((status & ST_BSY) == 0)
            return device_bench_in8(bench, IDE_STATUS_PORT);
        device_bench_run_queues(bench);
        if (i > 1000)
            g_usleep(100); /* drivers with threads of their own */
    }
    g_assert_not_reached();
}

void
ide_guest_command(DeviceBench *bench, uint8_t command, uint32_t lba, uint8_t count)
{
    uint8_t device = device_bench_in8(bench, IDE_COMMAND_PORT + 6) & 0xf0;

    device_bench_out8(bench, IDE_COMMAND_PORT + 2, count);
    device_bench_out8(bench, IDE_COMMAND_PORT + 3, (uint8_t)lba);
    device_bench_out8(bench, IDE_COMMAND_PORT + 4, (uint8_t)(lba >> 8));
    device_bench_out8(bench, IDE_COMMAND_PORT + 5, (uint8_t)(lba >> 16));
    device_bench_out8(bench, IDE_COMMAND_PORT + 6, (uint8_t)(device | (lba >> 24 & 15)));
    device_bench_out8(bench, IDE_STATUS_PORT, command);
}

void
ide_guest_command48(DeviceBench *bench, uint8_t command, uint64_t lba, uint16_t count)
{
    device_bench_out8(bench, IDE_COMMAND_PORT + 2, (uint8_t)(count >> 8));
    for (unsigned i = 0; i < 3; i++)
        device_bench_out8(bench, (uint16_t)(IDE_COMMAND_PORT + 3 + i),
                          (uint8_t)(lba >> (24 + 8 * i)));
    device_bench_out8(bench, IDE_COMMAND_PORT + 2, (uint8_t)count);
    for (unsigned i = 0; i < 3; i++)
        device_bench_out8(bench, (uint16_t)(IDE_COMMAND_PORT + 3 + i), (uint8_t)(lba >> (8 * i)));
    device_bench_out8(bench, IDE_STATUS_PORT, command);
}

void
ide_guest_pio_in(DeviceBench *bench, void *data, size_t size, size_t block)
{
    uint8_t *bytes = data;

    for (size_t at = 0; at < size; at += 2) {
        uint16_t word;

        if (at % block == 0)
            g_assert_cmphex(ide_guest_wait(bench) & (ST_DRQ | ST_ERR), ==, ST_DRQ);
        word = device_bench_in16(bench, IDE_COMMAND_PORT);
        bytes[at] = (uint8_t)word;
        bytes[at + 1] = (uint8_t)(word >> 8);
    }
}

void
ide_guest_pio_out(DeviceBench *bench, const void *data, size_t size, size_t block)
{
    const uint8_t *bytes = data;

    for (size_t at = 0; at < size; at += 4) {
        uint32_t word;

        if (at % block == 0)
            g_assert_cmphex(ide_guest_wait(bench) & (ST_DRQ | ST_ERR), ==, ST_DRQ);
        memcpy(&word, bytes + at, 4);
        device_bench_out32(bench, IDE_COMMAND_PORT, word);
    }
}

void
ide_guest_table(DeviceBench *bench, const IdeGuestRegion *regions, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        uint32_t last = i + 1 == count ? 0x80000000u : 0;

        device_bench_write(bench, IDE_PRD_TABLE + 8 * i, regions[i].address, 4);
        device_bench_write(bench, IDE_PRD_TABLE + 8 * i + 4, (regions[i].size & 0xffff) | last, 4);
    }
    device_bench_out32(bench, IDE_MASTER_PORT + 4, IDE_PRD_TABLE);
    device_bench_out8(bench, IDE_MASTER_PORT + 2, 0x06);
}

void
ide_guest_start_dma(DeviceBench *bench, bool to_memory)
{
    device_bench_out8(bench, IDE_MASTER_PORT, to_memory ? 0x09 : 0x01);
}

uint8_t
ide_guest_dma_status(DeviceBench *bench)
{
    return device_bench_in8(bench, IDE_MASTER_PORT + 2);
}

void
ide_guest_stop_dma(DeviceBench *bench)
{
    device_bench_out8(bench, IDE_MASTER_PORT, 0);
    device_bench_out8(bench, IDE_MASTER_PORT + 2, 0x06);
}

void
ide_guest_packet(DeviceBench *bench, const uint8_t packet[12], uint16_t limit, bool dma)
{
    ide_guest_select(bench, 1);
    device_bench_out8(bench, IDE_COMMAND_PORT + 1, dma);
    device_bench_out8(bench, IDE_COMMAND_PORT + 4, (uint8_t)limit);
    device_bench_out8(bench, IDE_COMMAND_PORT + 5, (uint8_t)(limit >> 8));
    device_bench_out8(bench, IDE_STATUS_PORT, 0xa0);
    g_assert_cmphex(device_bench_in8(bench, IDE_COMMAND_PORT + 2) & 3, ==, 1);
    ide_guest_pio_out(bench, packet, 12, 12);
}

size_t
ide_guest_packet_in(DeviceBench *bench, const uint8_t packet[12], uint16_t limit, void *data,
                    size_t size, uint8_t *status)
{
    uint8_t *bytes = data;
    size_t total = 0;

    ide_guest_packet(bench, packet, limit, false);
    while (((*status = ide_guest_wait(bench)) & ST_DRQ) != 0) {
        uint32_t block = device_bench_in8(bench, IDE_COMMAND_PORT + 4) |
                         (uint32_t)device_bench_in8(bench, IDE_COMMAND_PORT + 5) << 8;

        g_assert_cmphex(device_bench_in8(bench, IDE_COMMAND_PORT + 2) & 3, ==, 2);
        g_assert_cmpuint(block, >, 0);
        g_assert_cmpuint(block, <=, limit);
        for (uint32_t i = 0; i < block; i += 2, total += 2) {
            uint16_t word = device_bench_in16(bench, IDE_COMMAND_PORT);

            if (total + 1 < size) {
                bytes[total] = (uint8_t)word;
                bytes[total + 1] = (uint8_t)(word >> 8);
            }
        }
    }
    g_assert_cmphex(device_bench_in8(bench, IDE_COMMAND_PORT + 2) & 3, ==, 3);
    return total;
}

uint32_t
ide_guest_sense(DeviceBench *bench)
{
    static const uint8_t packet[12] = {0x03, 0, 0, 0, 18};
    uint8_t sense[18] = {0};
    uint8_t status;

    g_assert_cmpuint(ide_guest_packet_in(bench, packet, 0xfffe, sense, 18, &status), ==, 18);
    g_assert_cmphex(status & ST_ERR, ==, 0);
    return (uint32_t)sense[2] << 16 | (uint32_t)sense[12] << 8 | sense[13];
}
