/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * SET FEATURES (ATA/ATAPI-6 section 8.46) and the part of SMART (8.48) that says that the disk is
 * well: no attributes, no logs, no self-tests. READ LOG EXT with the log of queued commands (ACS-2
 * section A.14). */
#include <string.h>

#include "devices/storage/ata.h"

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

enum { LOG_DIRECTORY = 0x00, LOG_QUEUED_ERROR = 0x10 };

/* PIO default, PIO 0-4, multiword DMA 0-2, Ultra DMA 0-2 (0-5 on a serial link). */
static bool
mode_is_known(const AtaDrive *drive, uint8_t mode)
{
    switch (mode >> 3) {
    case 0: return mode <= 1;
    case 1: return (mode & 7) <= 4;
    case 4: return (mode & 7) <= 2;
    case 8: return (mode & 7) <= (drive->serial ? 5 : 2);
    default: return false;
    }
}

static bool
set_feature(AtaDrive *drive, uint8_t feature, uint8_t value)
{
    switch (feature) {
    case FEATURE_TRANSFER_MODE:
        if (!mode_is_known(drive, value))
            return false;
        if (value >= 0x20)
            drive->transfer_mode = value;
        return true;
    case FEATURE_KEEP_ON_RESET:
    case FEATURE_DEFAULT_ON_RESET: return true;
    default: break;
    }
    if (drive->packet)
        return false;
    switch (feature) {
    case FEATURE_WRITE_CACHE_ON: drive->write_cache = true; return true;
    case FEATURE_WRITE_CACHE_OFF: drive->write_cache = false; return true;
    case FEATURE_LOOK_AHEAD_ON: drive->look_ahead = true; return true;
    case FEATURE_LOOK_AHEAD_OFF: drive->look_ahead = false; return true;
    default: return false;
    }
}

static void
fail(AtaTask *task)
{
    task->op = ATA_FAIL;
    task->error = ATA_ERROR_ABRT;
}

void
ata_set_features(AtaDrive *drive, AtaTask *task)
{
    uint8_t feature = drive->regs[ATA_REG_FEATURES];

    if (!set_feature(drive, feature, drive->regs[ATA_REG_COUNT]))
        fail(task);
    else if (feature == FEATURE_WRITE_CACHE_OFF)
        task->op = ATA_FLUSH;
}

static void
end_with_sum(uint8_t page[ATA_SECTOR])
{
    uint8_t sum = 0;

    for (unsigned i = 0; i < ATA_SECTOR - 1; i++)
        sum = (uint8_t)(sum + page[i]);
    page[ATA_SECTOR - 1] = (uint8_t)-sum;
}

/* A data structure without attributes; the last byte makes the sum of all 512 zero. */
static void
reply_smart_page(AtaTask *task)
{
    memset(task->reply, 0, ATA_SECTOR);
    task->reply[0] = 1; /* revision */
    end_with_sum(task->reply);
    task->op = ATA_REPLY;
}

void
ata_smart(AtaDrive *drive, AtaTask *task)
{
    uint8_t command = drive->regs[ATA_REG_FEATURES];
    bool key = drive->regs[ATA_REG_LBA_MID] == 0x4f && drive->regs[ATA_REG_LBA_HIGH] == 0xc2;

    if (!key || (!drive->smart && command != SMART_ENABLE)) {
        fail(task);
        return;
    }
    switch (command) {
    case SMART_READ_DATA:
    case SMART_READ_THRESHOLDS: reply_smart_page(task); break;
    case SMART_ENABLE:
    case SMART_DISABLE: drive->smart = command == SMART_ENABLE; break;
    case SMART_AUTOSAVE:
    case SMART_STATUS: /* the key stays in the registers: no threshold is exceeded */ break;
    default: fail(task); break;
    }
}

void
ata_read_log(AtaDrive *drive, AtaTask *task)
{
    uint8_t log = drive->regs[ATA_REG_LBA_LOW];
    uint32_t pages = drive->regs[ATA_REG_COUNT] | (uint32_t)drive->previous[ATA_REG_COUNT] << 8;
    uint8_t *page = task->reply;

    if (!drive->serial || pages != 1 || drive->regs[ATA_REG_LBA_MID] != 0 ||
        (log != LOG_DIRECTORY && log != LOG_QUEUED_ERROR)) {
        fail(task);
        return;
    }
    memset(page, 0, ATA_SECTOR);
    if (log == LOG_DIRECTORY) {
        page[0] = 1; /* version */
        page[2 * LOG_QUEUED_ERROR] = 1;
    } else {
        memcpy(page, drive->queued_error, sizeof(drive->queued_error));
        end_with_sum(page);
    }
    task->op = ATA_REPLY;
}
