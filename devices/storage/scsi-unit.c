/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What all SCSI units have in common: the way from a command block to its row, sense data, media
 * that come and go (SPC-3). */
#include "devices/storage/scsi-private.h"

#include <errno.h>
#include <string.h>

/* --- endings --- */

void
scsi_succeed(ScsiTask *task)
{
    task->op = SCSI_NOTHING;
}

void
scsi_fail(ScsiUnit *unit, ScsiTask *task, uint8_t key, uint8_t asc, uint8_t ascq)
{
    unit->sense = task->sense = (ScsiSense){key, asc, ascq};
    task->op = SCSI_FAIL;
}

void
scsi_fail_field(ScsiUnit *unit, ScsiTask *task)
{
    scsi_fail(unit, task, SENSE_ILLEGAL_REQUEST, 0x24, 0);
}

void
scsi_reply(ScsiTask *task, uint32_t bytes, uint32_t allocation)
{
    task->size = MIN(bytes, allocation);
    task->op = task->size != 0 ? SCSI_REPLY : SCSI_NOTHING;
}

void
scsi_begin_range(ScsiUnit *unit, ScsiTask *task, ScsiOp op, uint64_t lba, uint64_t count)
{
    uint64_t blocks = scsi_blocks(unit);

    if (lba > blocks || count > blocks - lba || (lba == blocks && unit->optical)) {
        scsi_fail(unit, task, SENSE_ILLEGAL_REQUEST, 0x21, 0);
        return;
    }
    task->lba = lba;
    task->count = count;
    task->op = count != 0 ? op : SCSI_NOTHING;
}

void
scsi_medium_failed(ScsiUnit *unit, ScsiTask *task, int error)
{
    switch (error) {
    case ENOMEDIUM: scsi_fail(unit, task, SENSE_NOT_READY, 0x3a, 0); break;
    case EROFS: scsi_fail(unit, task, SENSE_DATA_PROTECT, 0x27, 0); break;
    default:
        scsi_fail(unit, task, SENSE_MEDIUM_ERROR, task->op == SCSI_READ ? 0x11 : 0x0c, 0);
        break;
    }
}

void
scsi_put_sense(ScsiSense sense, uint8_t out[SCSI_SENSE_SIZE])
{
    memset(out, 0, SCSI_SENSE_SIZE);
    out[0] = 0x70;
    out[2] = sense.key;
    out[7] = SCSI_SENSE_SIZE - 8;
    out[12] = sense.asc;
    out[13] = sense.ascq;
}

/* --- the medium --- */

bool
scsi_has_medium(const ScsiUnit *unit)
{
    return !unit->tray_open && unit->media->present(unit->media->user);
}

uint64_t
scsi_blocks(const ScsiUnit *unit)
{
    return unit->media->size(unit->media->user) / scsi_block(unit);
}

void
scsi_medium_changed(void *user, bool present)
{
    ScsiUnit *unit = user;

    unit->event_new = present;
    unit->event_removed = !present;
    unit->unit_attention = present;
    if (present)
        unit->tray_open = false;
}

bool
scsi_eject_request(void *user, bool force)
{
    ScsiUnit *unit = user;

    if (unit->locked && !force) {
        unit->event_eject = true;
        return false;
    }
    scsi_lock(unit, false);
    return true;
}

void
scsi_unit_attach(ScsiUnit *unit, PdmDevice *device, const PdmMediaConnector *media)
{
    unit->device = device;
    unit->media = media;
    unit->optical = media->type == PDM_MEDIA_OPTICAL;
}

void
scsi_unit_reset(ScsiUnit *unit)
{
    scsi_lock(unit, false);
    unit->sense = (ScsiSense){0};
}

void
scsi_lock(ScsiUnit *unit, bool locked)
{
    if (unit->locked != locked && unit->media != NULL && unit->media->lock != NULL)
        unit->media->lock(unit->media->user, locked);
    unit->locked = locked;
}

void
scsi_passed(ScsiUnit *unit, ScsiTask *task, const PdmMediaCommand *command)
{
    if (command->failed)
        scsi_fail(unit, task, command->sense_key, command->asc, command->ascq);
    else if (task->cdb[0] == 0x1e)
        unit->locked = (task->cdb[4] & 0x01) != 0;
}

/* --- commands of every unit --- */

void
scsi_test_unit_ready(ScsiUnit *unit, ScsiTask *task)
{
    scsi_succeed(task);
}

void
scsi_request_sense(ScsiUnit *unit, ScsiTask *task)
{
    if (unit->sense.key == SENSE_NONE && unit->unit_attention) {
        unit->sense = (ScsiSense){SENSE_UNIT_ATTENTION, 0x28, 0};
        unit->unit_attention = false;
    }
    scsi_put_sense(unit->sense, task->data);
    unit->sense = (ScsiSense){SENSE_NONE, 0, 0};
    scsi_reply(task, SCSI_SENSE_SIZE, task->cdb[4]);
}

/* A target has just the one unit, number 0. */
void
scsi_report_luns(ScsiUnit *unit, ScsiTask *task)
{
    memset(task->data, 0, 16);
    scsi_put32(task->data, 8);
    scsi_reply(task, 16, scsi_get32(task->cdb + 6));
}

/* --- the way to a row --- */

/* Where the host has to hear something else first. */
static bool
is_held_up(ScsiUnit *unit, ScsiTask *task, uint8_t flags)
{
    if (unit->unit_attention && (flags & SCSI_DESPITE_ATTENTION) == 0) {
        unit->unit_attention = false;
        scsi_fail(unit, task, SENSE_UNIT_ATTENTION, 0x28, 0);
        return true;
    }
    if ((flags & SCSI_NEEDS_MEDIUM) != 0 && !scsi_has_medium(unit)) {
        scsi_fail(unit, task, SENSE_NOT_READY, 0x3a, unit->tray_open ? 2 : 1);
        return true;
    }
    return false;
}

void
scsi_begin(ScsiUnit *unit, const uint8_t *cdb, ScsiTask *task)
{
    const ScsiCommand *command =
        unit->optical ? mmc_find_command(cdb[0]) : scsi_disk_find_command(cdb[0]);

    task->op = SCSI_NOTHING;
    memcpy(task->cdb, cdb, SCSI_CDB_SIZE);
    task->raw = task->fua = task->unmap = false;
    task->to_device = false;
    task->size = 0;
    task->count = 0;
    if (unit->optical && unit->passes && unit->media->takes_commands != NULL &&
        unit->media->takes_commands(unit->media->user) && mmc_pass(unit, task))
        return;
    if (command == NULL || (unit->atapi && (command->flags & SCSI_NOT_ATAPI) != 0)) {
        pdm_log(unit->device, "SCSI command %02x is not known.", cdb[0]);
        scsi_fail(unit, task, SENSE_ILLEGAL_REQUEST, 0x20, 0);
        return;
    }
    if (is_held_up(unit, task, command->flags))
        return;
    if ((command->flags & SCSI_DESPITE_ATTENTION) == 0)
        unit->sense = (ScsiSense){SENSE_NONE, 0, 0};
    command->run(unit, task);
}

void
scsi_taken(ScsiUnit *unit, ScsiTask *task)
{
    if (unit->optical)
        scsi_succeed(task);
    else
        scsi_disk_taken(unit, task);
}

/* clang-format off */
#define FLAG(type, member) SSM_UINT_BELOW(type, member, 2)

static const SsmField sense_fields[] = {
    SSM_UINT(ScsiSense, key),
    SSM_UINT(ScsiSense, asc),
    SSM_UINT(ScsiSense, ascq),
    SSM_END,
};

const SsmField scsi_unit_fields[] = {
    SSM_STRUCT(ScsiUnit, sense, sense_fields),
    FLAG(ScsiUnit, tray_open),
    FLAG(ScsiUnit, locked),
    FLAG(ScsiUnit, unit_attention),
    FLAG(ScsiUnit, event_new),
    FLAG(ScsiUnit, event_removed),
    FLAG(ScsiUnit, event_eject),
    SSM_END,
};
/* clang-format on */
