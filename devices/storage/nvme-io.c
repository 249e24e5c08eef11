/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The NVM command set (NVM Express 1.2 chapter 6): flush, read, write, write zeroes, dataset
 * management. */
#include "devices/storage/nvme-private.h"

#include <string.h>

enum {
    OP_FLUSH = 0x00,
    OP_WRITE = 0x01,
    OP_READ = 0x02,
    OP_WRITE_ZEROES = 0x08,
    OP_DATASET = 0x09,
    DATASET_DEALLOCATE = 0x04,
    RANGE_SIZE = 16,
};

#define FUA (1u << 30)
#define DEALLOCATE (1u << 25)

static const PdmMediaConnector *
find_namespace(const NvmeController *nvme, uint32_t identifier)
{
    return identifier >= 1 && identifier <= nvme->namespace_count ? nvme->media[identifier - 1]
                                                                  : NULL;
}

static bool
is_on_disk(const PdmMediaConnector *media, uint64_t lba, uint64_t count)
{
    uint64_t blocks = media->size(media->user) / NVME_BLOCK;

    return lba <= blocks && count <= blocks - lba;
}

/* True: another range of a dataset command has been begun. */
static bool
begin_next_range(NvmeRequest *request)
{
    while (request->range < request->range_count) {
        const uint8_t *range = request->ranges + RANGE_SIZE * request->range++;
        DriveJob *job = &request->job;
        uint32_t count;
        uint64_t lba;

        memcpy(&count, range + 4, 4);
        memcpy(&lba, range + 8, 8);
        count = GUINT32_FROM_LE(count);
        if (count == 0)
            continue;
        job->offset = GUINT64_FROM_LE(lba) * NVME_BLOCK;
        job->left = (uint64_t)count * NVME_BLOCK;
        drive_job_start(job);
        return true;
    }
    return false;
}

static void
end_shutdown_flush(NvmeController *nvme)
{
    if (nvme->flushing > 0 && --nvme->flushing == 0)
        nvme->csts |= NVME_CSTS_SHUTDOWN_DONE;
}

static void
job_done(DriveJob *job, int error)
{
    NvmeRequest *request = (NvmeRequest *)job;
    NvmeController *nvme = request->nvme;
    unsigned queue = request->origin.queue;
    uint16_t identifier = nvme_identifier(&request->origin.command);
    uint16_t fault = job->kind == DRIVE_JOB_READ ? NVME_READ_ERROR : NVME_WRITE_FAULT;
    bool shutdown = request->shutdown;

    if (error == 0 && request->ranges != NULL && begin_next_range(request))
        return;
    drive_job_free(job);
    if (shutdown)
        end_shutdown_flush(nvme);
    else
        nvme_complete(nvme, queue, identifier, error == 0 ? NVME_OK : fault, 0);
    nvme_run(nvme);
}

static NvmeRequest *
new_request(NvmeController *nvme, unsigned queue, const NvmeCommand *command,
            const PdmMediaConnector *media)
{
    NvmeRequest *request = (NvmeRequest *)drive_job_new(&nvme->jobs);

    request->nvme = nvme;
    request->origin.queue = (uint16_t)queue;
    if (command != NULL)
        request->origin.command = *command;
    request->job.media = media;
    request->job.done = job_done;
    return request;
}

static uint16_t
transfer(NvmeController *nvme, unsigned queue, const NvmeCommand *command,
         const PdmMediaConnector *media, bool write)
{
    uint64_t lba = nvme_double(command, 10);
    uint32_t count = (nvme_word(command, 12) & 0xffff) + 1;
    NvmeRequest *request;
    uint16_t status;

    if (count > NVME_TRANSFER_MAX / NVME_BLOCK)
        return NVME_INVALID_FIELD;
    if (!is_on_disk(media, lba, count))
        return NVME_LBA_RANGE;
    if (write && media->read_only(media->user))
        return NVME_READ_ONLY;
    request = new_request(nvme, queue, command, media);
    status = nvme_gather(nvme, command, count * NVME_BLOCK, &request->job.list);
    if (status != NVME_OK) {
        drive_job_free(&request->job);
        return status;
    }
    request->job.kind = write ? DRIVE_JOB_WRITE : DRIVE_JOB_READ;
    request->job.offset = lba * NVME_BLOCK;
    request->job.left = (uint64_t)count * NVME_BLOCK;
    request->job.fua = write && ((nvme_word(command, 12) & FUA) != 0 ||
                                 nvme->features[NVME_FEATURE_WRITE_CACHE] == 0);
    drive_job_start(&request->job);
    return NVME_PENDING;
}

static uint16_t
flush(NvmeController *nvme, unsigned queue, const NvmeCommand *command,
      const PdmMediaConnector *media)
{
    NvmeRequest *request = new_request(nvme, queue, command, media);

    request->job.kind = DRIVE_JOB_FLUSH;
    request->job.offset = request->job.left = 0;
    drive_job_start(&request->job);
    return NVME_PENDING;
}

static uint16_t
write_zeroes(NvmeController *nvme, unsigned queue, const NvmeCommand *command,
             const PdmMediaConnector *media)
{
    uint64_t lba = nvme_double(command, 10);
    uint32_t count = (nvme_word(command, 12) & 0xffff) + 1;
    bool discard = (nvme_word(command, 12) & DEALLOCATE) != 0 && media->discard;
    NvmeRequest *request;

    if (!is_on_disk(media, lba, count))
        return NVME_LBA_RANGE;
    if (media->read_only(media->user))
        return NVME_READ_ONLY;
    request = new_request(nvme, queue, command, media);
    request->job.kind = discard ? DRIVE_JOB_DISCARD : DRIVE_JOB_FILL;
    request->job.offset = lba * NVME_BLOCK;
    request->job.left = (uint64_t)count * NVME_BLOCK;
    request->job.fua = (nvme_word(command, 12) & FUA) != 0;
    drive_job_start(&request->job);
    return NVME_PENDING;
}

static bool
ranges_are_on_disk(const PdmMediaConnector *media, const uint8_t *ranges, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        uint32_t blocks;
        uint64_t lba;

        memcpy(&blocks, ranges + RANGE_SIZE * i + 4, 4);
        memcpy(&lba, ranges + RANGE_SIZE * i + 8, 8);
        if (!is_on_disk(media, GUINT64_FROM_LE(lba), GUINT32_FROM_LE(blocks)))
            return false;
    }
    return true;
}

/* Hints are taken and change nothing; what is to be deallocated goes to a disk that can do it. */
static uint16_t
manage_dataset(NvmeController *nvme, unsigned queue, const NvmeCommand *command,
               const PdmMediaConnector *media)
{
    unsigned count = (nvme_word(command, 10) & 0xff) + 1;
    NvmeRequest *request;
    DmaList list = {0};
    uint16_t status;

    if ((nvme_word(command, 11) & DATASET_DEALLOCATE) == 0 || !media->discard)
        return NVME_OK;
    if (media->read_only(media->user))
        return NVME_READ_ONLY;
    status = nvme_gather(nvme, command, count * RANGE_SIZE, &list);
    if (status != NVME_OK) {
        dma_list_clear(&list);
        return status;
    }
    request = new_request(nvme, queue, command, media);
    request->ranges = g_malloc0((gsize)count * RANGE_SIZE);
    request->range_count = count;
    dma_list_read(&list, nvme->device, 0, request->ranges, (uint64_t)count * RANGE_SIZE);
    dma_list_clear(&list);
    request->job.kind = DRIVE_JOB_DISCARD;
    if (ranges_are_on_disk(media, request->ranges, count)) {
        if (begin_next_range(request))
            return NVME_PENDING;
    } else {
        status = NVME_LBA_RANGE;
    }
    drive_job_free(&request->job);
    return status;
}

uint16_t
nvme_io(NvmeController *nvme, unsigned queue, const NvmeCommand *command)
{
    const PdmMediaConnector *media = find_namespace(nvme, nvme_word(command, 1));

    if (media == NULL)
        return NVME_INVALID_NAMESPACE;
    switch (command->bytes[0]) {
    case OP_FLUSH: return flush(nvme, queue, command, media);
    case OP_WRITE: return transfer(nvme, queue, command, media, true);
    case OP_READ: return transfer(nvme, queue, command, media, false);
    case OP_WRITE_ZEROES: return write_zeroes(nvme, queue, command, media);
    case OP_DATASET: return manage_dataset(nvme, queue, command, media);
    default: return NVME_INVALID_OPCODE;
    }
}

void
nvme_shut_down(NvmeController *nvme)
{
    nvme->flushing = 0;
    for (unsigned i = 0; i < nvme->namespace_count; i++) {
        NvmeRequest *request;

        if (nvme->media[i] == NULL)
            continue;
        request = new_request(nvme, 0, NULL, nvme->media[i]);
        request->shutdown = true;
        request->job.kind = DRIVE_JOB_FLUSH;
        request->job.offset = request->job.left = 0;
        nvme->flushing++;
        drive_job_start(&request->job);
    }
    if (nvme->flushing == 0)
        nvme->csts |= NVME_CSTS_SHUTDOWN_DONE;
}
