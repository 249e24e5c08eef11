/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What a guest's IDE driver does, for tests: the primary channel, PIO and bus-master DMA. */
#pragma once

#include "tests/lib/device-bench.h"

#define IDE_COMMAND_PORT 0x1f0
#define IDE_STATUS_PORT 0x1f7
#define IDE_ALT_STATUS_PORT 0x3f6
#define IDE_MASTER_PORT 0xc000
#define IDE_PRD_TABLE 0x10000u

enum { ST_ERR = 0x01, ST_DRQ = 0x08, ST_DRDY = 0x40, ST_BSY = 0x80 };

/* A bench with a disk of that many sectors as primary master and a CD of that many as primary
 * slave; 0: no such drive, 1 for the CD: an empty one. */
DeviceBench *ide_bench(unsigned disk_sectors, unsigned cd_sectors);
BenchMedia *ide_disk(DeviceBench *bench);
BenchMedia *ide_cd(DeviceBench *bench);

/* Drive 0 or 1, LBA addressing. */
void ide_guest_select(DeviceBench *bench, unsigned drive);
/* Waits until BSY is off, letting drivers work; returns the status. */
uint8_t ide_guest_wait(DeviceBench *bench);
/* Writes the registers (features, count, address) and the command; does not wait. */
void ide_guest_command(DeviceBench *bench, uint8_t command, uint32_t lba, uint8_t count);
void ide_guest_command48(DeviceBench *bench, uint8_t command, uint64_t lba, uint16_t count);
/* Moves whole DRQ blocks of `block` bytes until size is reached; asserts DRQ before each. */
void ide_guest_pio_in(DeviceBench *bench, void *data, size_t size, size_t block);
void ide_guest_pio_out(DeviceBench *bench, const void *data, size_t size, size_t block);

/* Puts memory regions into the descriptor table, the last one marked. */
typedef struct {
    uint32_t address, size;
} IdeGuestRegion;
void ide_guest_table(DeviceBench *bench, const IdeGuestRegion *regions, unsigned count);
void ide_guest_start_dma(DeviceBench *bench, bool to_memory);
uint8_t ide_guest_dma_status(DeviceBench *bench);
void ide_guest_stop_dma(DeviceBench *bench);

/* Sends a packet; the data phase is the caller's. limit: bytes in a DRQ block. */
void ide_guest_packet(DeviceBench *bench, const uint8_t packet[12], uint16_t limit, bool dma);
/* The same with PIO data in: returns how many bytes came (at most size are kept), and the final
 * status. */
size_t ide_guest_packet_in(DeviceBench *bench, const uint8_t packet[12], uint16_t limit, void *data,
                           size_t size, uint8_t *status);
/* Key << 16 | ASC << 8 | ASCQ by REQUEST SENSE. */
uint32_t ide_guest_sense(DeviceBench *bench);
