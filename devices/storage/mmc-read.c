/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * READ (10), READ (12), READ CD and READ CD MSF (MMC-3 sections 6.1.15 to 6.1.20). The disc is one
 * data track in mode 1; raw sectors are made from the user data. */
#include "devices/storage/scsi-private.h"

#define MSF_OFFSET 150u /* frames of lead-in before sector 0 */

static void
begin_read(ScsiUnit *unit, ScsiTask *task, uint32_t lba, uint32_t count, bool raw)
{
    task->raw = raw;
    scsi_begin_range(unit, task, SCSI_READ, lba, count);
}

void
mmc_read_10(ScsiUnit *unit, ScsiTask *task)
{
    begin_read(unit, task, scsi_get32(task->cdb + 2), scsi_get16(task->cdb + 7), false);
}

void
mmc_read_12(ScsiUnit *unit, ScsiTask *task)
{
    begin_read(unit, task, scsi_get32(task->cdb + 2), scsi_get32(task->cdb + 6), false);
}

void
mmc_seek(ScsiUnit *unit, ScsiTask *task)
{
    if (scsi_get32(task->cdb + 2) >= scsi_blocks(unit))
        scsi_fail(unit, task, SENSE_ILLEGAL_REQUEST, 0x21, 0);
    else
        scsi_succeed(task);
}

static void
read_cd(ScsiUnit *unit, ScsiTask *task, uint32_t lba, uint32_t count)
{
    uint8_t type = (task->cdb[1] >> 2) & 7;
    uint8_t parts = task->cdb[9] & 0xf8;

    if (type != 0 && type != 2) {
        scsi_fail(unit, task, SENSE_ILLEGAL_REQUEST, 0x64, 0);
    } else if ((task->cdb[9] & 0x06) != 0 || (task->cdb[10] & 7) != 0) {
        scsi_fail_field(unit, task); /* error flags, subchannels */
    } else if (parts == 0x10 || parts == 0) {
        begin_read(unit, task, lba, parts != 0 ? count : 0, false);
    } else if (parts == 0xf8) {
        begin_read(unit, task, lba, count, true);
    } else {
        scsi_fail_field(unit, task);
    }
}

void
mmc_read_cd(ScsiUnit *unit, ScsiTask *task)
{
    read_cd(unit, task, scsi_get32(task->cdb + 2),
            (uint32_t)task->cdb[6] << 16 | scsi_get16(task->cdb + 7));
}

static bool
from_msf(const uint8_t *msf, uint32_t *lba)
{
    uint32_t frames = (msf[0] * 60u + msf[1]) * 75u + msf[2];

    *lba = frames - MSF_OFFSET;
    return msf[1] < 60 && msf[2] < 75 && frames >= MSF_OFFSET;
}

void
mmc_read_cd_msf(ScsiUnit *unit, ScsiTask *task)
{
    uint32_t first, end;

    if (!from_msf(task->cdb + 3, &first) || !from_msf(task->cdb + 6, &end) || end < first)
        scsi_fail_field(unit, task);
    else
        read_cd(unit, task, first, end - first);
}
