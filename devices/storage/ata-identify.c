/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * IDENTIFY DEVICE and IDENTIFY PACKET DEVICE: ATA/ATAPI-6 sections 8.15 and 8.16. */
#include <string.h>

#include "devices/storage/ata.h"

#define FIRMWARE "1.0"
#define MAJOR_VERSIONS 0x0070        /* ATA/ATAPI-4 to -6 */
#define MAJOR_VERSIONS_SERIAL 0x0180 /* ATA/ATAPI-7, ATA8-ACS */
#define LBA28_MAX 0x0fffffffull

static void
put(uint8_t *out, unsigned word, uint32_t value)
{
    out[2 * word] = (uint8_t)value;
    out[2 * word + 1] = (uint8_t)(value >> 8);
}

static void
put_double(uint8_t *out, unsigned word, uint32_t value)
{
    put(out, word, value & 0xffff);
    put(out, word + 1, value >> 16);
}

/* Strings are padded with blanks, and each word holds its first character in the high byte. */
static void
put_text(uint8_t *out, unsigned word, unsigned words, const char *text)
{
    size_t length = strlen(text);

    for (unsigned i = 0; i < 2 * words; i++)
        out[(2 * word + i) ^ 1] = i < length ? (uint8_t)text[i] : ' ';
}

/* What the physical geometry is said to be: 16 heads, 63 sectors. */
static uint32_t
default_cylinders(const AtaDrive *drive)
{
    return (uint32_t)CLAMP(drive->sectors / (16 * 63), 1, 16383);
}

/* The DMA modes 0 to 2 are there of each kind, Ultra DMA up to 5 on a serial link; the mode that is
 * set has its bit in the high byte. */
static void
put_dma_modes(const AtaDrive *drive, uint8_t *out)
{
    uint8_t kind = drive->transfer_mode >> 3;
    uint32_t selected = 0x100u << (drive->transfer_mode & 7);

    put(out, 63, 0x07 | (kind == 4 ? selected : 0));
    put(out, 64, 0x03); /* PIO 3 and 4 */
    for (unsigned word = 65; word <= 68; word++)
        put(out, word, 120); /* ns a cycle */
    put(out, 88, (drive->serial ? 0x3f : 0x07) | (kind == 8 ? selected : 0));
}

static void
put_geometry(const AtaDrive *drive, uint8_t *out)
{
    uint32_t track = drive->heads * drive->sectors_per_track;
    uint32_t cylinders = (uint32_t)CLAMP(drive->sectors / track, 1, 65535);

    put(out, 1, default_cylinders(drive));
    put(out, 3, 16);
    put(out, 6, 63);
    put(out, 54, cylinders);
    put(out, 55, drive->heads);
    put(out, 56, drive->sectors_per_track);
    put_double(out, 57, cylinders * track);
    put_double(out, 60, (uint32_t)MIN(drive->sectors, LBA28_MAX));
    put_double(out, 100, (uint32_t)drive->sectors);
    put_double(out, 102, (uint32_t)(drive->sectors >> 32));
}

static void
put_features(const AtaDrive *drive, uint8_t *out)
{
    /* NOP, look-ahead, write cache, power management, SMART */
    put(out, 82, 0x4069);
    /* FLUSH CACHE EXT, FLUSH CACHE, 48-bit addresses */
    put(out, 83, 0x7400);
    /* WRITE … FUA EXT; on a SATA link, where queued commands fail with a log, the general log */
    put(out, 84, drive->serial ? 0x4060 : 0x4040);
    put(out, 85,
        0x4008u | drive->smart | (drive->write_cache ? 0x20u : 0) |
            (drive->look_ahead ? 0x40u : 0));
    put(out, 86, 0x3400);
    put(out, 87, drive->serial ? 0x4060 : 0x4040);
}

/* Words 75 to 79: SATA 1.5 and 3 Gb/s, queued commands of a disk. */
static void
put_serial_link(const AtaDrive *drive, uint8_t *out)
{
    put(out, 75, drive->packet ? 0 : ATA_QUEUE_DEPTH - 1);
    put(out, 76, drive->packet ? 0x0006 : 0x0106);
    put(out, 80, MAJOR_VERSIONS | MAJOR_VERSIONS_SERIAL);
}

static void
put_common(const AtaDrive *drive, uint8_t *out, const char *model)
{
    put_text(out, 10, 10, drive->media->serial(drive->media->user));
    put_text(out, 23, 4, FIRMWARE);
    put_text(out, 27, 20, model);
    put(out, 48, drive->serial ? 0 : 0x0001); /* 32-bit PIO */
    put(out, 49, 0x0f00);                     /* IORDY, LBA, DMA */
    put(out, 53, 0x0006);                     /* words 64-70 and 88 are valid */
    put(out, 80, MAJOR_VERSIONS);
    if (drive->serial)
        put_serial_link(drive, out);
    else /* found by its own jumper, passed its diagnostics, an 80-conductor cable */
        put(out, 93, drive->second ? 0x6b00 : 0x600b);
    put_dma_modes(drive, out);
}

void
ata_identify_disk(const AtaDrive *drive, uint8_t out[ATA_SECTOR])
{
    memset(out, 0, ATA_SECTOR);
    put(out, 0, 0x0040);
    put_common(drive, out, "Vitrine Hard Disk");
    put(out, 47, 0x8000 | ATA_MULTIPLE_MAX);
    put(out, 50, 0x4000);
    put(out, 51, 0x0200);
    put(out, 53, 0x0007);
    put(out, 59, drive->multiple != 0 ? 0x0100 | drive->multiple : 0);
    put_geometry(drive, out);
    put_features(drive, out);
    if (drive->media->non_rotational)
        put(out, 217, 1);
    if (drive->trim) {
        put(out, 69, 0x4020); /* what is discarded reads as zeros */
        put(out, 105, ATA_TRIM_BLOCKS_MAX);
        put(out, 169, 0x0001);
    }
}

void
ata_identify_packet(const AtaDrive *drive, uint8_t out[ATA_SECTOR])
{
    memset(out, 0, ATA_SECTOR);
    /* Packet drive, CD-ROM, removable, DRQ within 50 us, packets of 12 bytes. */
    put(out, 0, 0x85c0);
    put_common(drive, out, "Vitrine CD-ROM");
    put(out, 48, 0);
    put(out, 82, 0x4218); /* NOP, DEVICE RESET, packets, power management */
    put(out, 83, 0x4000);
    put(out, 84, 0x4000);
    put(out, 85, 0x4218);
    put(out, 87, 0x4000);
}
