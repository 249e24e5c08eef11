/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * SET FEATURES (ATA/ATAPI-6 section 8.46) and the part of SMART (8.48) that says that the disk is
 * well: no attributes, no logs, no self-tests. */
#include <string.h>

#include "devices/storage/ide-private.h"

enum {
    FEATURE_WRITE_CACHE_ON = 0x02,
    FEATURE_TRANSFER_MODE = 0x03,
    FEATURE_LOOK_AHEAD_OFF = 0x55,
    FEATURE_KEEP_ON_RESET = 0x66,
    FEATURE_WRITE_CACHE_OFF = 0x82,
    FEATURE_LOOK_AHEAD_ON = 0xaa,
    FEATURE_DEFAULT_ON_RESET = 0xcc,
};

enum {
    SMART_READ_DATA = 0xd0,
    SMART_READ_THRESHOLDS = 0xd1,
    SMART_AUTOSAVE = 0xd2,
    SMART_ENABLE = 0xd8,
    SMART_DISABLE = 0xd9,
    SMART_STATUS = 0xda,
};

/* PIO default, PIO 0-4, multiword DMA 0-2, Ultra DMA 0-2. */
static bool
mode_is_known(uint8_t mode)
{
    switch (mode >> 3) {
    case 0: return mode <= 1;
    case 1: return (mode & 7) <= 4;
    case 4:
    case 8: return (mode & 7) <= 2;
    default: return false;
    }
}

static bool
set_feature(IdeDrive *drive, uint8_t feature, uint8_t value)
{
    switch (feature) {
    case FEATURE_TRANSFER_MODE:
        if (!mode_is_known(value))
            return false;
        if (value >= 0x20)
            drive->transfer_mode = value;
        return true;
    case FEATURE_KEEP_ON_RESET:
    case FEATURE_DEFAULT_ON_RESET: return true;
    default: break;
    }
    if (drive->atapi)
        return false;
    switch (feature) {
    case FEATURE_WRITE_CACHE_ON: drive->write_cache = true; return true;
    case FEATURE_WRITE_CACHE_OFF: drive->write_cache = false; return true;
    case FEATURE_LOOK_AHEAD_ON: drive->look_ahead = true; return true;
    case FEATURE_LOOK_AHEAD_OFF: drive->look_ahead = false; return true;
    default: return false;
    }
}

void
ata_set_features(IdeChannel *channel)
{
    IdeDrive *drive = ide_selected(channel);
    uint8_t feature = drive->regs[IDE_REG_FEATURES];

    if (!set_feature(drive, feature, drive->regs[IDE_REG_COUNT]))
        ide_fail(channel, IDE_ERROR_ABRT);
    else if (feature == FEATURE_WRITE_CACHE_OFF)
        ide_begin_flush(channel);
    else
        ide_finish(channel, true);
}

/* A data structure without attributes; the last byte makes the sum of all 512 zero. */
static void
reply_smart_page(IdeChannel *channel)
{
    uint8_t *page = channel->io.buffer;
    uint8_t sum = 0;

    memset(page, 0, IDE_SECTOR);
    page[0] = 1; /* revision */
    for (unsigned i = 0; i < IDE_SECTOR - 1; i++)
        sum = (uint8_t)(sum + page[i]);
    page[IDE_SECTOR - 1] = (uint8_t)-sum;
    channel->transfer.op = IDE_OP_REPLY;
    ide_begin_pio_in(channel, IDE_SECTOR, IDE_SECTOR);
}

void
ata_smart(IdeChannel *channel)
{
    IdeDrive *drive = ide_selected(channel);
    uint8_t command = drive->regs[IDE_REG_FEATURES];
    bool key = drive->regs[IDE_REG_LBA_MID] == 0x4f && drive->regs[IDE_REG_LBA_HIGH] == 0xc2;

    if (!key || (!drive->smart && command != SMART_ENABLE)) {
        ide_fail(channel, IDE_ERROR_ABRT);
        return;
    }
    switch (command) {
    case SMART_READ_DATA:
    case SMART_READ_THRESHOLDS: reply_smart_page(channel); break;
    case SMART_ENABLE:
    case SMART_DISABLE:
        drive->smart = command == SMART_ENABLE;
        ide_finish(channel, true);
        break;
    case SMART_AUTOSAVE:
    case SMART_STATUS: /* the key stays in the registers: no threshold is exceeded */
        ide_finish(channel, true);
        break;
    default: ide_fail(channel, IDE_ERROR_ABRT); break;
    }
}
