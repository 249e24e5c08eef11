/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The commands of a CD/DVD-ROM drive (SFF-8020i, MMC-3): one row each, and those that concern the
 * tray. What an older host may ask for and is not here ends with "invalid command operation code",
 * as on a drive without that function (audio, writing, changers). */
#include "devices/storage/scsi-private.h"

static void
open_tray(ScsiUnit *unit)
{
    if (scsi_has_medium(unit)) {
        unit->event_removed = true;
        unit->event_new = false;
        unit->media->eject(unit->media->user);
    }
    unit->tray_open = true;
}

static void
run_start_stop(ScsiUnit *unit, ScsiTask *task)
{
    bool load_or_eject = (task->cdb[4] & 0x02) != 0;
    bool start = (task->cdb[4] & 0x01) != 0;

    if ((task->cdb[4] & 0xf0) != 0 || !load_or_eject) {
        scsi_succeed(task); /* power conditions, spinning up and down */
        return;
    }
    if (!start && unit->locked) {
        scsi_fail(unit, task, SENSE_ILLEGAL_REQUEST, 0x53, 2);
        return;
    }
    if (start)
        unit->tray_open = false;
    else
        open_tray(unit);
    if (unit->media->move_tray != NULL)
        unit->media->move_tray(unit->media->user, !start);
    scsi_succeed(task);
}

static void
run_prevent(ScsiUnit *unit, ScsiTask *task)
{
    scsi_lock(unit, (task->cdb[4] & 0x01) != 0);
    scsi_succeed(task);
}

static void
run_read_capacity(ScsiUnit *unit, ScsiTask *task)
{
    scsi_put32(task->data, (uint32_t)(scsi_blocks(unit) - 1));
    scsi_put32(task->data + 4, SCSI_CD_SECTOR);
    scsi_reply(task, 8, 8);
}

static void
run_nothing(ScsiUnit *unit, ScsiTask *task)
{
    scsi_succeed(task);
}

/* clang-format off */
static const ScsiCommand commands[] = {
    {0x00, SCSI_NEEDS_MEDIUM, scsi_test_unit_ready},
    {0x03, SCSI_DESPITE_ATTENTION, scsi_request_sense},
    {0x12, SCSI_DESPITE_ATTENTION, scsi_inquiry},
    {0x1a, SCSI_NOT_ATAPI, mmc_mode_sense_6},
    {0x1b, 0, run_start_stop},
    {0x1e, 0, run_prevent},
    {0x25, SCSI_NEEDS_MEDIUM, run_read_capacity},
    {0x28, SCSI_NEEDS_MEDIUM, mmc_read_10},
    {0x2b, SCSI_NEEDS_MEDIUM, mmc_seek},
    {0x42, SCSI_NEEDS_MEDIUM, mmc_read_subchannel},
    {0x43, SCSI_NEEDS_MEDIUM, mmc_read_toc},
    {0x46, SCSI_DESPITE_ATTENTION, mmc_get_configuration},
    {0x4a, SCSI_DESPITE_ATTENTION, mmc_get_event},
    {0x51, SCSI_NEEDS_MEDIUM, mmc_read_disc_information},
    {0x52, SCSI_NEEDS_MEDIUM, mmc_read_track_information},
    {0x5a, 0, mmc_mode_sense_10},
    {0xa0, SCSI_DESPITE_ATTENTION | SCSI_NOT_ATAPI, scsi_report_luns},
    {0xa8, SCSI_NEEDS_MEDIUM, mmc_read_12},
    {0xb9, SCSI_NEEDS_MEDIUM, mmc_read_cd_msf},
    {0xbb, 0, run_nothing}, /* SET CD SPEED */
    {0xbd, 0, mmc_mechanism_status},
    {0xbe, SCSI_NEEDS_MEDIUM, mmc_read_cd},
};
/* clang-format on */

const ScsiCommand *
mmc_find_command(uint8_t code)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(commands); i++)
        if (commands[i].code == code)
            return &commands[i];
    return NULL;
}
