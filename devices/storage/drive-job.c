/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Jobs of a host bus adapter. */
#include "devices/storage/drive-job.h"

#include "devices/storage/scsi.h"

#include <string.h>

#define SPARE_MAX 32u
#define RAW_CHUNK_SECTORS 32u
/* A request has 32 bits for its size. */
#define DISCARD_CHUNK (1u << 30)
#define PATTERN 512u
/* Smaller ones are quicker with a copy, which drivers may move at once. */
#define DIRECT_MIN (64u * 1024 + 1)
#define DIRECT_CHUNK (2u << 20)
#define DIRECT_PIECES 1024u

static void io_done(void *user, PdmIoRequest *io, int error);

void
drive_jobs_init(DriveJobs *jobs, PdmDevice *device, size_t job_size)
{
    jobs->device = device;
    jobs->job_size = job_size;
    jobs->jobs = g_ptr_array_new();
    jobs->spare = g_ptr_array_new();
}

static void
clear(DriveJob *job)
{
    if (job->jobs->clear != NULL)
        job->jobs->clear(job);
}

static void
destroy(DriveJob *job)
{
    dma_list_clear(&job->list);
    g_free(job->buffer);
    g_free(job->pieces);
    g_free(job);
}

void
drive_jobs_free(DriveJobs *jobs, const PdmMediaConnector *const *drives, unsigned count)
{
    if (jobs->jobs == NULL)
        return;
    drive_jobs_drop(jobs);
    for (unsigned i = 0; i < count; i++) {
        if (drives[i] != NULL)
            drives[i]->cancel_all(drives[i]->user);
    }
    for (guint i = 0; i < jobs->jobs->len; i++) {
        clear(jobs->jobs->pdata[i]);
        destroy(jobs->jobs->pdata[i]);
    }
    for (guint i = 0; i < jobs->spare->len; i++)
        destroy(jobs->spare->pdata[i]);
    g_clear_pointer(&jobs->jobs, g_ptr_array_unref);
    g_clear_pointer(&jobs->spare, g_ptr_array_unref);
}

DriveJob *
drive_job_new(DriveJobs *jobs)
{
    DriveJob *job;

    if (jobs->spare->len > 0) {
        job = g_ptr_array_steal_index_fast(jobs->spare, jobs->spare->len - 1);
        memset(job + 1, 0, jobs->job_size - sizeof(*job));
        job->fua = job->raw = false;
        job->list_offset = 0;
        job->pattern = NULL;
        dma_list_reset(&job->list);
    } else {
        job = g_malloc0(jobs->job_size);
        job->jobs = jobs;
        job->io.done = io_done;
        job->io.user = job;
    }
    g_ptr_array_add(jobs->jobs, job);
    return job;
}

void
drive_job_free(DriveJob *job)
{
    DriveJobs *jobs = job->jobs;

    clear(job);
    g_ptr_array_remove_fast(jobs->jobs, job);
    if (job->dropped || jobs->spare->len >= SPARE_MAX)
        destroy(job);
    else
        g_ptr_array_add(jobs->spare, job);
}

unsigned
drive_jobs_active(const DriveJobs *jobs)
{
    return jobs->jobs->len - jobs->dropped;
}

/* --- pieces --- */

static PdmIoKind
io_kind(const DriveJob *job)
{
    switch (job->kind) {
    case DRIVE_JOB_WRITE:
    case DRIVE_JOB_FILL: return PDM_IO_WRITE;
    case DRIVE_JOB_DISCARD: return PDM_IO_DISCARD;
    case DRIVE_JOB_FLUSH: return PDM_IO_FLUSH;
    case DRIVE_JOB_COMMAND: return PDM_IO_COMMAND;
    default: return PDM_IO_READ;
    }
}

static uint32_t
chunk_max(const DriveJob *job)
{
    if (job->kind == DRIVE_JOB_DISCARD)
        return DISCARD_CHUNK;
    return job->raw ? RAW_CHUNK_SECTORS * SCSI_CD_SECTOR : DRIVE_JOB_CHUNK;
}

static void
provide_buffer(DriveJob *job)
{
    uint32_t sectors = job->chunk / SCSI_CD_SECTOR;
    uint32_t needed = job->raw ? sectors * SCSI_CD_RAW_SECTOR : job->chunk;

    if (job->kind == DRIVE_JOB_DISCARD || job->kind == DRIVE_JOB_FLUSH ||
        needed <= job->buffer_size)
        return;
    g_free(job->buffer);
    job->buffer = g_malloc(needed);
    job->buffer_size = needed;
}

/* Finds the guest's memory for the next piece of work. False: it has to be copied. */
static bool
map_memory(DriveJob *job)
{
    PdmIoRequest *io = &job->io;
    const uint32_t size = (uint32_t)MIN(job->left, DIRECT_CHUNK);

    io->pieces = NULL;
    if (!job->media->takes_pieces || job->raw || size < DIRECT_MIN ||
        (job->kind != DRIVE_JOB_READ && job->kind != DRIVE_JOB_WRITE))
        return false;
    if (job->pieces == NULL)
        job->pieces = g_new(BaseFilePiece, DIRECT_PIECES);
    io->piece_count = dma_list_map(&job->list, job->jobs->device, job->list_offset, size,
                                   job->kind == DRIVE_JOB_READ, job->pieces, DIRECT_PIECES);
    if (io->piece_count == 0)
        return false;
    io->pieces = job->pieces;
    io->buffer = NULL;
    io->size = job->chunk = size;
    return true;
}

/* Whatever came of it, the guest's memory may have been written to. */
static void
unmap_memory(DriveJob *job)
{
    PdmIoRequest *io = &job->io;

    if (job->kind == DRIVE_JOB_READ)
        dma_list_written(&job->list, job->jobs->device, job->list_offset, io->pieces,
                         io->piece_count);
}

static void
fill(DriveJob *job)
{
    if (job->pattern == NULL) {
        memset(job->buffer, 0, job->chunk);
        return;
    }
    for (uint32_t at = 0; at < job->chunk; at += PATTERN)
        memcpy(job->buffer + at, job->pattern, PATTERN);
}

static void
submit(DriveJob *job)
{
    job->held = false;
    job->at_driver = true;
    job->media->submit(job->media->user, &job->io);
}

static void
prepare_copy(DriveJob *job)
{
    PdmIoRequest *io = &job->io;

    job->chunk = (uint32_t)MIN(job->left, chunk_max(job));
    provide_buffer(job);
    io->size = job->chunk;
    /* Framing moves sectors apart, so they are read to the end of the buffer. */
    io->buffer = job->raw ? job->buffer + job->buffer_size - job->chunk : job->buffer;
    if (job->kind == DRIVE_JOB_FILL) {
        fill(job);
    } else if (job->kind == DRIVE_JOB_WRITE ||
               (job->kind == DRIVE_JOB_COMMAND && io->command->to_device)) {
        uint64_t have =
            dma_list_read(&job->list, job->jobs->device, job->list_offset, job->buffer, job->chunk);

        /* The guest's list is shorter than its command: the rest is zeros, not old memory. */
        memset(job->buffer + have, 0, job->chunk - have);
    }
}

static void
begin_chunk(DriveJob *job)
{
    job->io.kind = io_kind(job);
    job->io.offset = job->offset;
    if (!map_memory(job))
        prepare_copy(job);
    if (job->jobs->dropped > 0)
        job->held = true;
    else
        submit(job);
}

void
drive_job_start(DriveJob *job)
{
    begin_chunk(job);
}

static void
deliver(DriveJob *job)
{
    const uint8_t *loaded = job->io.buffer;
    uint32_t bytes = job->chunk;

    if (job->raw) {
        uint32_t lba = (uint32_t)(job->offset / SCSI_CD_SECTOR);

        bytes = job->chunk / SCSI_CD_SECTOR * SCSI_CD_RAW_SECTOR;
        for (uint32_t i = 0; i < job->chunk / SCSI_CD_SECTOR; i++) {
            uint8_t *sector = job->buffer + i * SCSI_CD_RAW_SECTOR;

            memmove(sector + 16, loaded + i * SCSI_CD_SECTOR, SCSI_CD_SECTOR);
            mmc_frame_sector(sector, lba + i);
        }
        loaded = job->buffer;
    }
    dma_list_write(&job->list, job->jobs->device, job->list_offset, loaded, bytes);
    job->list_offset += bytes;
}

static void
deliver_answer(DriveJob *job)
{
    const PdmMediaCommand *command = job->io.command;

    if (!command->to_device)
        dma_list_write(&job->list, job->jobs->device, job->list_offset, job->buffer,
                       MIN(command->transferred, job->chunk));
}

/* True: there is more to do, and it has been begun. */
static bool
go_on(DriveJob *job)
{
    if (job->kind == DRIVE_JOB_COMMAND) {
        deliver_answer(job);
        return false;
    }
    if (job->kind == DRIVE_JOB_READ && job->io.pieces == NULL)
        deliver(job);
    else if (job->kind == DRIVE_JOB_READ || job->kind == DRIVE_JOB_WRITE)
        job->list_offset += job->chunk;
    job->offset += job->chunk;
    job->left -= job->chunk;
    if (job->left == 0) {
        if (!job->fua)
            return false;
        job->fua = false;
        job->kind = DRIVE_JOB_FLUSH;
        job->offset = 0;
    }
    begin_chunk(job);
    return true;
}

/* The drivers are through with what was dropped. */
static void
release_held(DriveJobs *jobs)
{
    for (guint i = 0; i < jobs->jobs->len; i++) {
        DriveJob *job = jobs->jobs->pdata[i];

        if (job->held)
            submit(job);
    }
}

static void
io_done(void *user, PdmIoRequest *io, int error)
{
    DriveJob *job = user;
    DriveJobs *jobs = job->jobs;

    job->at_driver = false;
    if (io->pieces != NULL)
        unmap_memory(job);
    if (job->taken_back)
        return;
    if (job->dropped) {
        drive_job_free(job);
        if (--jobs->dropped == 0)
            release_held(jobs);
        return;
    }
    if (error == 0 && go_on(job))
        return;
    job->done(job, error);
}

void
drive_jobs_take_back(DriveJobs *jobs, bool (*matches)(const DriveJob *job, void *user), void *user)
{
    for (guint i = 0; i < jobs->jobs->len; i++) {
        DriveJob *job = jobs->jobs->pdata[i];

        if (job->dropped || !job->at_driver || job->io.pieces == NULL || !matches(job, user))
            continue;
        job->taken_back = true;
        job->media->cancel(job->media->user, &job->io);
        job->taken_back = false;
    }
}

static bool
any(const DriveJob *job, void *user)
{
    return true;
}

void
drive_jobs_drop_matching(DriveJobs *jobs, bool (*matches)(const DriveJob *job, void *user),
                         void *user)
{
    drive_jobs_take_back(jobs, matches, user);
    for (guint i = jobs->jobs->len; i > 0; i--) {
        DriveJob *job = jobs->jobs->pdata[i - 1];

        if (job->dropped || !matches(job, user))
            continue;
        if (!job->at_driver) {
            drive_job_free(job);
            continue;
        }
        job->dropped = true;
        jobs->dropped++;
    }
}

void
drive_jobs_drop(DriveJobs *jobs)
{
    drive_jobs_drop_matching(jobs, any, NULL);
}
