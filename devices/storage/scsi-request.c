/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * SCSI commands of adapters with lists of guest memory. */
#include <string.h>

#include "devices/storage/scsi-request.h"

static void perform(ScsiRequest *request);

static void
finish(ScsiRequest *request)
{
    ScsiUnit *unit = request->unit;
    bool failed = request->task.op == SCSI_FAIL;

    request->status = failed ? SCSI_CHECK_CONDITION : SCSI_GOOD;
    /* These adapters hand the sense data over together with the status. */
    if (failed && !unit->atapi)
        unit->sense = (ScsiSense){0};
    request->finished(request);
}

static void
job_done(DriveJob *job, int error)
{
    ScsiRequest *request = (ScsiRequest *)job;

    if (error != 0) {
        scsi_medium_failed(request->unit, &request->task, error);
    } else if (request->task.op == SCSI_PASS) {
        request->transferred = request->command.transferred;
        scsi_passed(request->unit, &request->task, &request->command);
    } else if (request->task.op == SCSI_UNMAP) {
        request->range++;
        perform(request);
        return;
    }
    finish(request);
}

static void
start_job(ScsiRequest *request, DriveJobKind kind, uint64_t lba, uint64_t count)
{
    DriveJob *job = &request->job;

    job->kind = kind;
    job->media = request->unit->media;
    job->offset = lba * scsi_block(request->unit);
    job->left = count * scsi_block(request->unit);
    job->raw = request->task.raw;
    job->fua = request->task.fua;
    job->done = job_done;
    drive_job_start(job);
}

/* The guest's memory for data from the host. */
static uint64_t
room_out(const ScsiRequest *request)
{
    const DriveJob *job = &request->job;

    return request->no_out || job->list_offset > job->list.size ? 0
                                                                : job->list.size - job->list_offset;
}

static void
move_blocks(ScsiRequest *request, DriveJobKind kind)
{
    ScsiTask *task = &request->task;

    if (kind != DRIVE_JOB_VERIFY)
        request->transferred = task->count * scsi_host_block(request->unit, task);
    if (kind == DRIVE_JOB_WRITE && room_out(request) < request->transferred) {
        task->op = SCSI_FAIL; /* data phase error */
        task->sense = (ScsiSense){SENSE_ABORTED, 0x4b, 0};
        finish(request);
        return;
    }
    if (kind == DRIVE_JOB_READ && request->no_in)
        kind = DRIVE_JOB_VERIFY;
    start_job(request, kind, task->lba, task->count);
}

static void
reply(ScsiRequest *request)
{
    ScsiTask *task = &request->task;

    request->transferred = task->size;
    if (!request->no_in)
        dma_list_write(&request->job.list, request->job.jobs->device, request->job.list_offset,
                       task->data, task->size);
    finish(request);
}

/* A list that is shorter than its command says is a wrong list. */
static void
take(ScsiRequest *request)
{
    ScsiTask *task = &request->task;
    uint64_t got = 0;

    if (!request->no_out)
        got = dma_list_read(&request->job.list, request->job.jobs->device, request->job.list_offset,
                            task->data, task->size);
    request->transferred = task->size;
    if (got < task->size) {
        task->op = SCSI_FAIL;
        task->sense = (ScsiSense){SENSE_ILLEGAL_REQUEST, 0x1a, 0};
    } else {
        scsi_taken(request->unit, task);
    }
    perform(request);
}

static void
unmap(ScsiRequest *request)
{
    const ScsiTask *task = &request->task;
    uint64_t lba;
    uint32_t count;

    while (request->range < task->count) {
        if (scsi_unmap_range(request->unit, task, request->range, &lba, &count)) {
            start_job(request, DRIVE_JOB_DISCARD, lba, count);
            return;
        }
        request->range++;
    }
    finish(request);
}

/* A block that is all zeros may be discarded instead of written. */
static void
fill(ScsiRequest *request)
{
    const ScsiTask *task = &request->task;
    bool zeros = true;

    for (unsigned i = 0; i < 512 && zeros; i++)
        zeros = task->data[i] == 0;
    request->job.pattern = zeros ? NULL : task->data;
    start_job(request, zeros && task->unmap ? DRIVE_JOB_DISCARD : DRIVE_JOB_FILL, task->lba,
              task->count);
}

/* How much a drive takes depends on how it was set up, which the guest's list follows. */
static void
pass(ScsiRequest *request)
{
    ScsiTask *task = &request->task;
    DriveJob *job = &request->job;

    request->command = (PdmMediaCommand){
        .cdb_size = task->cdb[0] >= 0xa0 || request->unit->atapi ? 12
                    : task->cdb[0] >= 0x20                       ? 10
                                                                 : 6,
        .to_device = task->to_device,
    };
    memcpy(request->command.cdb, task->cdb, SCSI_CDB_SIZE);
    if (task->to_device)
        task->size = (uint32_t)MIN(task->size, room_out(request));
    job->kind = DRIVE_JOB_COMMAND;
    job->media = request->unit->media;
    job->io.command = &request->command;
    job->offset = 0;
    job->left = request->no_in && !task->to_device ? 0 : task->size;
    job->done = job_done;
    drive_job_start(job);
}

static void
perform(ScsiRequest *request)
{
    switch (request->task.op) {
    case SCSI_REPLY: reply(request); break;
    case SCSI_READ: move_blocks(request, DRIVE_JOB_READ); break;
    case SCSI_WRITE: move_blocks(request, DRIVE_JOB_WRITE); break;
    case SCSI_VERIFY: move_blocks(request, DRIVE_JOB_VERIFY); break;
    case SCSI_FLUSH: start_job(request, DRIVE_JOB_FLUSH, 0, 0); break;
    case SCSI_TAKE: take(request); break;
    case SCSI_UNMAP: unmap(request); break;
    case SCSI_SAME: fill(request); break;
    case SCSI_PASS: pass(request); break;
    case SCSI_NOTHING:
    case SCSI_FAIL: finish(request); break;
    }
}

void
scsi_request_start(ScsiRequest *request, ScsiUnit *unit, const uint8_t *cdb,
                   void (*finished)(ScsiRequest *request))
{
    request->unit = unit;
    request->finished = finished;
    scsi_begin(unit, cdb, &request->task);
    perform(request);
}
