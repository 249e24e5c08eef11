/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A virtio block device: VIRTIO 1.1 section 5.2. One disk, one queue for each virtual CPU up to
 * four. Left out: secure erase, zones, lifetime. */
#include "devices/storage/drive-job.h"
#include "devices/virtio/virtio.h"

#include <errno.h>
#include <string.h>

#define SECTOR 512u
#define HEADER_SIZE 16u
#define ID_SIZE 20u
#define SEGMENTS_MAX 254u
#define QUEUES_MAX 4u
#define INSTANCES_MAX 8u
#define FIRST_SLOT 24
#define JOBS_MAX 128u
#define CONFIG_SIZE 60u
/* Of one discard or write-zeroes segment: 1 GiB. */
#define RANGE_SECTORS_MAX (1u << 21)
#define RANGES_MAX 16u
#define RANGE_SIZE 16u

enum {
    F_SEG_MAX = 1u << 2,
    F_READ_ONLY = 1u << 5,
    F_BLK_SIZE = 1u << 6,
    F_FLUSH = 1u << 9,
    F_MULTI_QUEUE = 1u << 12,
    F_DISCARD = 1u << 13,
    F_WRITE_ZEROES = 1u << 14,
};

enum {
    TYPE_IN = 0,
    TYPE_OUT = 1,
    TYPE_FLUSH = 4,
    TYPE_GET_ID = 8,
    TYPE_DISCARD = 11,
    TYPE_WRITE_ZEROES = 13,
};

enum { STATUS_OK, STATUS_IO_ERROR, STATUS_UNSUPPORTED };

typedef struct {
    VirtioDevice virtio;
    PdmDevice *device;
    PdmMediaPort port;
    const PdmMediaConnector *media;
    DriveJobs jobs;
    PdmQueue *restart;
    uint32_t waiting; /* queues with chains that there was no room for: a bit each */
    uint8_t config[CONFIG_SIZE];
} VirtioBlk;

typedef struct {
    DriveJob job;
    VirtioBlk *blk;
    uint8_t queue;
    VirtioChain chain;
    uint32_t written; /* bytes for the guest, without the status */
    unsigned range, ranges;
    uint8_t list[RANGES_MAX * RANGE_SIZE];
} Request;

static void run_queue(VirtioBlk *blk, unsigned queue);

/* --- the end of a request --- */

static void
finish(Request *request, uint8_t status)
{
    VirtioBlk *blk = request->blk;
    DmaList *in = request->chain.in.size != 0 ? &request->chain.in : &request->job.list;
    unsigned queue = request->queue;
    uint16_t head = request->chain.head;
    uint32_t written = (status == STATUS_OK ? request->written : 0) + 1;

    dma_list_write(in, blk->device, in->size - 1, &status, 1);
    drive_job_free(&request->job);
    virtqueue_push(&blk->virtio, queue, head, written);
}

/* Queues whose chains had to wait go on. */
static void
run_waiting(VirtioBlk *blk)
{
    uint32_t waiting = blk->waiting;

    blk->waiting = 0;
    for (unsigned i = 0; waiting >> i != 0; i++) {
        if ((waiting >> i & 1) != 0)
            run_queue(blk, i);
    }
}

static bool
begin_next_range(Request *request)
{
    DriveJob *job = &request->job;
    const uint8_t *range = request->list + request->range * RANGE_SIZE;
    uint64_t sector;
    uint32_t count, flags;

    if (request->range == request->ranges)
        return false;
    request->range++;
    memcpy(&sector, range, 8);
    memcpy(&count, range + 8, 4);
    memcpy(&flags, range + 12, 4);
    job->offset = GUINT64_FROM_LE(sector) * SECTOR;
    job->left = (uint64_t)GUINT32_FROM_LE(count) * SECTOR;
    /* Write zeroes with leave to unmap. */
    if (job->kind != DRIVE_JOB_DISCARD)
        job->kind = flags != 0 && request->blk->media->discard ? DRIVE_JOB_DISCARD : DRIVE_JOB_FILL;
    drive_job_start(job);
    return true;
}

static void
job_done(DriveJob *job, int error)
{
    Request *request = (Request *)job;
    VirtioBlk *blk = request->blk;

    if (error == 0 && request->ranges != 0 && begin_next_range(request))
        return;
    finish(request, error == 0 ? STATUS_OK : STATUS_IO_ERROR);
    run_waiting(blk);
}

/* --- kinds of requests --- */

static bool
is_on_disk(const VirtioBlk *blk, uint64_t sector, uint64_t bytes)
{
    uint64_t sectors = blk->media->size(blk->media->user) / SECTOR;

    return bytes % SECTOR == 0 && sector <= sectors && bytes / SECTOR <= sectors - sector;
}

static void
transfer(Request *request, bool write, uint64_t sector)
{
    VirtioBlk *blk = request->blk;
    DriveJob *job = &request->job;
    VirtioChain *chain = &request->chain;
    uint64_t bytes = write ? chain->out.size - HEADER_SIZE : chain->in.size - 1;

    if (!is_on_disk(blk, sector, bytes) || (write && blk->media->read_only(blk->media->user))) {
        finish(request, STATUS_IO_ERROR);
        return;
    }
    if (bytes == 0) {
        finish(request, STATUS_OK);
        return;
    }
    job->kind = write ? DRIVE_JOB_WRITE : DRIVE_JOB_READ;
    job->offset = sector * SECTOR;
    job->left = bytes;
    job->list_offset = write ? HEADER_SIZE : 0;
    job->fua = write && !virtio_has(&blk->virtio, F_FLUSH);
    request->written = write ? 0 : (uint32_t)MIN(bytes, UINT32_MAX - 1);
    dma_list_move(&job->list, write ? &chain->out : &chain->in);
    drive_job_start(job);
}

static void
flush(Request *request)
{
    request->job.kind = DRIVE_JOB_FLUSH;
    request->job.offset = request->job.left = 0;
    drive_job_start(&request->job);
}

static void
get_id(Request *request)
{
    const PdmMediaConnector *media = request->blk->media;
    DmaList *in = &request->chain.in;
    char id[ID_SIZE] = {0};
    size_t length = strlen(media->serial(media->user));

    memcpy(id, media->serial(media->user), MIN(length, ID_SIZE));
    request->written =
        (uint32_t)dma_list_write(in, request->blk->device, 0, id, MIN(ID_SIZE, in->size - 1));
    finish(request, STATUS_OK);
}

/* Discard and write zeroes: all ranges are looked at before the first is begun. */
static void
ranges(Request *request, bool discard)
{
    VirtioBlk *blk = request->blk;
    uint64_t size = request->chain.out.size - HEADER_SIZE;
    uint32_t allowed = discard ? 0 : 1; /* flags */

    if (blk->media->read_only(blk->media->user) || size == 0 || size > sizeof(request->list) ||
        size % RANGE_SIZE != 0) {
        finish(request, STATUS_IO_ERROR);
        return;
    }
    dma_list_read(&request->chain.out, blk->device, HEADER_SIZE, request->list, size);
    request->ranges = (unsigned)(size / RANGE_SIZE);
    for (unsigned i = 0; i < request->ranges; i++) {
        const uint8_t *range = request->list + i * RANGE_SIZE;
        uint64_t sector;
        uint32_t count, flags;

        memcpy(&sector, range, 8);
        memcpy(&count, range + 8, 4);
        memcpy(&flags, range + 12, 4);
        count = GUINT32_FROM_LE(count);
        if ((GUINT32_FROM_LE(flags) & ~allowed) != 0) {
            finish(request, STATUS_UNSUPPORTED);
            return;
        }
        if (count == 0 || count > RANGE_SECTORS_MAX ||
            !is_on_disk(blk, GUINT64_FROM_LE(sector), (uint64_t)count * SECTOR)) {
            finish(request, STATUS_IO_ERROR);
            return;
        }
    }
    request->job.kind = discard ? DRIVE_JOB_DISCARD : DRIVE_JOB_FILL;
    begin_next_range(request);
}

/* What the driver must not send leaves it no status to read. */
static void
begin(Request *request)
{
    VirtioBlk *blk = request->blk;
    VirtioChain *chain = &request->chain;
    uint32_t header[4];
    uint64_t sector;

    if (chain->out.size < HEADER_SIZE || chain->in.size < 1) {
        drive_job_free(&request->job);
        virtio_break(&blk->virtio, "virtio-blk-short", "a request has no header or no status");
        return;
    }
    dma_list_read(&chain->out, blk->device, 0, header, sizeof(header));
    sector = GUINT32_FROM_LE(header[2]) | (uint64_t)GUINT32_FROM_LE(header[3]) << 32;
    request->job.media = blk->media;
    request->job.done = job_done;
    switch (GUINT32_FROM_LE(header[0])) {
    case TYPE_IN: transfer(request, false, sector); break;
    case TYPE_OUT: transfer(request, true, sector); break;
    case TYPE_FLUSH: flush(request); break;
    case TYPE_GET_ID: get_id(request); break;
    case TYPE_DISCARD:
        if (virtio_has(&blk->virtio, F_DISCARD))
            ranges(request, true);
        else
            finish(request, STATUS_UNSUPPORTED);
        break;
    case TYPE_WRITE_ZEROES: ranges(request, false); break;
    default: finish(request, STATUS_UNSUPPORTED); break;
    }
}

static Request *
new_request(VirtioBlk *blk, unsigned queue)
{
    Request *request = (Request *)drive_job_new(&blk->jobs);

    request->blk = blk;
    request->queue = (uint8_t)queue;
    return request;
}

static void
run_queue(VirtioBlk *blk, unsigned queue)
{
    for (;;) {
        Request *request;

        if (drive_jobs_active(&blk->jobs) >= JOBS_MAX) {
            blk->waiting |= 1u << queue;
            return;
        }
        request = new_request(blk, queue);
        if (!virtqueue_pop(&blk->virtio, queue, &request->chain)) {
            drive_job_free(&request->job);
            return;
        }
        begin(request);
    }
}

static void
clear_request(DriveJob *job)
{
    virtio_chain_clear(&((Request *)job)->chain);
}

/* Begins the chains again that were under way when the state was saved. */
static void
restart(void *user, void *item)
{
    VirtioBlk *blk = user;

    for (unsigned i = 0; i < blk->virtio.queue_count && virtio_ready(&blk->virtio); i++) {
        for (int head = virtqueue_in_flight(&blk->virtio, i, 0); head >= 0;
             head = virtqueue_in_flight(&blk->virtio, i, (unsigned)head + 1)) {
            Request *request = new_request(blk, i);

            if (virtqueue_fetch(&blk->virtio, i, (uint16_t)head, &request->chain))
                begin(request);
            else
                drive_job_free(&request->job);
        }
        run_queue(blk, i);
    }
}

/* --- the virtio device --- */

static uint32_t
read_config(void *user, uint32_t offset, unsigned size)
{
    const VirtioBlk *blk = user;
    uint32_t value = 0;

    for (unsigned i = 0; i < size && offset + i < CONFIG_SIZE; i++)
        value |= (uint32_t)blk->config[offset + i] << (8 * i);
    return value;
}

static void
notified(void *user, unsigned queue)
{
    run_queue(user, queue);
}

static void
driver_reset(void *user)
{
    VirtioBlk *blk = user;

    drive_jobs_drop(&blk->jobs);
    blk->waiting = 0;
}

static const VirtioOps virtio_ops = {
    .read_config = read_config,
    .notify = notified,
    .reset = driver_reset,
};

static void
put(VirtioBlk *blk, unsigned at, uint64_t value, unsigned size)
{
    for (unsigned i = 0; i < size; i++)
        blk->config[at + i] = (uint8_t)(value >> (8 * i));
}

static void
fill_config(VirtioBlk *blk, unsigned queues)
{
    put(blk, 0, blk->media->size(blk->media->user) / SECTOR, 8);
    put(blk, 12, SEGMENTS_MAX, 4);
    put(blk, 20, SECTOR, 4);
    put(blk, 34, queues, 2);
    put(blk, 36, RANGE_SECTORS_MAX, 4);
    put(blk, 40, RANGES_MAX, 4);
    put(blk, 44, 8, 4); /* sectors that a discard is aligned to */
    put(blk, 48, RANGE_SECTORS_MAX, 4);
    put(blk, 52, RANGES_MAX, 4);
    put(blk, 56, blk->media->discard, 1);
}

/* --- life cycle --- */

static bool
attach(VirtioBlk *blk, GError **error)
{
    blk->port = (PdmMediaPort){.user = blk, .type = PDM_MEDIA_DISK};
    if (!pdm_attach(blk->device, 0, PDM_IF_MEDIA, &blk->port, (const void **)&blk->media, true,
                    error))
        return false;
    if (blk->media->type == PDM_MEDIA_DISK)
        return true;
    g_set_error_literal(error, BASE_ERROR, BASE_ERROR_INVALID,
                        "Only hard disks can be attached to a virtio block device.");
    return false;
}

static void
blk_reset(PdmDevice *device)
{
    VirtioBlk *blk = device->data;

    virtio_reset(&blk->virtio);
    pci_msix_reset(&blk->virtio.msix);
    driver_reset(blk);
}

static bool
blk_construct(PdmDevice *device, const CfgmNode *config, GError **error)
{
    VirtioBlk *blk = device->data;
    unsigned queues = CLAMP(pdm_cpu_count(device), 1, QUEUES_MAX);
    VirtioInfo info = {
        .name = "virtio-blk",
        .type = 2,
        .class_code = 0x01,
        .slot = FIRST_SLOT + (int)device->instance,
        .features = F_SEG_MAX | F_BLK_SIZE | F_FLUSH | F_MULTI_QUEUE | F_WRITE_ZEROES,
        .queues = queues,
        .config_size = CONFIG_SIZE,
        .interface = virtio_interface(config, VIRTIO_MODERN),
    };

    blk->device = device;
    drive_jobs_init(&blk->jobs, device, sizeof(Request));
    blk->jobs.clear = clear_request;
    blk->restart = pdm_queue_new(device, restart, blk);
    if (!attach(blk, error))
        return false;
    if (blk->media->read_only(blk->media->user))
        info.features |= F_READ_ONLY;
    if (blk->media->discard)
        info.features |= F_DISCARD;
    fill_config(blk, queues);
    return virtio_init(&blk->virtio, device, &info, &virtio_ops, blk, error);
}

static void
blk_destruct(PdmDevice *device)
{
    VirtioBlk *blk = device->data;

    drive_jobs_free(&blk->jobs, &blk->media, 1);
}

static void
blk_info(PdmDevice *device, GString *out)
{
    const VirtioBlk *blk = device->data;

    g_string_append_printf(out, "status %02x, features %" G_GINT64_MODIFIER "x, %u at work\n",
                           blk->virtio.status, blk->virtio.features, drive_jobs_active(&blk->jobs));
}

/* clang-format off */
static const SsmField blk_fields[] = {
    SSM_STRUCT(VirtioBlk, virtio, virtio_fields),
    SSM_UINT_BELOW(VirtioBlk, waiting, 1u << QUEUES_MAX),
    SSM_END,
};
/* clang-format on */

static bool
blk_post_load(void *object, uint32_t version, GError **error)
{
    VirtioBlk *blk = object;

    if (!virtio_holds(&blk->virtio)) {
        g_set_error_literal(error, BASE_ERROR, BASE_ERROR_CORRUPT,
                            "The saved state of the virtio disk contradicts itself.");
        return false;
    }
    pdm_queue_push(blk->device->api, blk->restart, NULL);
    return true;
}

static const SsmState blk_state = {
    .version = VIRTIO_STATE_LEGACY,
    .min_version = 1,
    .fields = blk_fields,
    .post_load = blk_post_load,
};

static const PdmOption blk_options[] = {
    VIRTIO_OPTION("modern"),
    {.type = PDM_OPTION_END},
};

const PdmDeviceInfo virtio_blk_device = {
    .abi = PDM_ABI_VERSION,
    .name = "virtio-blk",
    .title = "Disk (virtio-blk)",
    .kind = PDM_KIND_STORAGE,
    .instance_size = sizeof(VirtioBlk),
    .max_instances = INSTANCES_MAX,
    .options = blk_options,
    .construct = blk_construct,
    .reset = blk_reset,
    .destruct = blk_destruct,
    .state = &blk_state,
    .info = blk_info,
};
