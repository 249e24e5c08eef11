/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The virtio SCSI host adapter: VIRTIO 1.1 section 5.6. One unit at each target. Left out:
 * protection information, hot-plug events, asynchronous notifications (queries say that there are
 * none), priorities. */
#include "devices/storage/drive-attach.h"
#include "devices/storage/drive-commands.h"
#include "devices/storage/scsi-request.h"
#include "devices/virtio/virtio.h"

#include <string.h>

#define TARGETS_MAX 256u
#define TARGETS_USUAL 16u
#define REQUEST_QUEUES_MAX 4u
#define JOBS_MAX 128u
#define SLOT 15
#define CONFIG_SIZE 36u
#define SEGMENTS_MAX 254u
#define SECTORS_MAX 0xffffu
#define CDB_USUAL 32u
#define SENSE_USUAL 96u
/* Lengths that a driver may choose. */
#define CDB_LIMIT 256u
#define SENSE_LIMIT 256u
#define COMMAND_HEADER 19u  /* before the command block */
#define RESPONSE_HEADER 12u /* before the sense data */
#define MANAGEMENT_SIZE 24u

enum { QUEUE_CONTROL, QUEUE_EVENT, QUEUE_REQUESTS };

enum {
    CONFIG_SENSE_SIZE = 20,
    CONFIG_CDB_SIZE = 24,
};

enum {
    RESPONSE_OK = 0,
    RESPONSE_OVERRUN = 1,
    RESPONSE_ABORTED = 2,
    RESPONSE_BAD_TARGET = 3,
    RESPONSE_RESET = 4,
    RESPONSE_FAILURE = 9,
    RESPONSE_REJECTED = 11,
    RESPONSE_BAD_LUN = 12,
};

enum { CONTROL_MANAGEMENT = 0, CONTROL_QUERY = 1, CONTROL_SUBSCRIBE = 2 };

enum {
    ABORT_TASK = 0,
    ABORT_TASK_SET = 1,
    CLEAR_TASK_SET = 3,
    NEXUS_RESET = 4,
    UNIT_RESET = 5,
    QUERY_TASK = 6,
    QUERY_TASK_SET = 7,
};

#define FEATURE_INOUT 1u

typedef struct {
    PdmMediaPort port;
    bool present;
    ScsiUnit unit;
} Target;

typedef struct {
    VirtioDevice virtio;
    PdmDevice *device;
    DriveCommands commands;
    DriveJobs jobs;
    PdmQueue *restart;
    unsigned target_count;
    uint32_t waiting; /* queues with chains that there was no room for: a bit each */
    uint32_t cdb_size, sense_size;
    Target targets[TARGETS_MAX];
} VirtioScsi;

typedef struct {
    ScsiRequest scsi;
    VirtioScsi *adapter;
    uint8_t queue;
    uint8_t target;
    uint64_t tag;
    VirtioChain chain; /* the response is in chain.in; data are in scsi.job.list */
    bool reads;        /* data go to the guest, behind the response */
} Request;

static void run_queue(VirtioScsi *adapter, unsigned queue);

static void
put32(uint8_t *at, uint32_t value)
{
    for (unsigned i = 0; i < 4; i++)
        at[i] = (uint8_t)(value >> (8 * i));
}

/* --- the end of a request --- */

/* The list that has the response at its beginning. */
static DmaList *
response_list(Request *request)
{
    return request->reads ? &request->scsi.job.list : &request->chain.in;
}

static void
respond(Request *request, uint8_t response, uint8_t status, uint64_t residual,
        const ScsiSense *sense)
{
    VirtioScsi *adapter = request->adapter;
    uint8_t head[RESPONSE_HEADER + SCSI_SENSE_SIZE] = {0};
    uint32_t sense_size = sense != NULL ? MIN(SCSI_SENSE_SIZE, adapter->sense_size) : 0;
    unsigned queue = request->queue;
    uint16_t chain = request->chain.head;
    uint64_t data = request->reads ? request->scsi.transferred - residual : 0;

    put32(head, sense_size);
    put32(head + 4, (uint32_t)residual);
    head[10] = status;
    head[11] = response;
    if (sense != NULL)
        scsi_put_sense(*sense, head + RESPONSE_HEADER);
    dma_list_write(response_list(request), adapter->device, 0, head, RESPONSE_HEADER + sense_size);
    drive_job_free(&request->scsi.job);
    virtqueue_push(
        &adapter->virtio, queue, chain,
        (uint32_t)MIN(RESPONSE_HEADER + (uint64_t)adapter->sense_size + data, UINT32_MAX));
}

static void
run_waiting(VirtioScsi *adapter)
{
    uint32_t waiting = adapter->waiting;

    adapter->waiting = 0;
    for (unsigned i = 0; waiting >> i != 0; i++) {
        if ((waiting >> i & 1) != 0)
            run_queue(adapter, i);
    }
}

/* How many of the guest's bytes for data the command had no use for. */
static uint64_t
data_room(const Request *request)
{
    uint64_t before = request->reads ? RESPONSE_HEADER + (uint64_t)request->adapter->sense_size
                                     : COMMAND_HEADER + (uint64_t)request->adapter->cdb_size;
    uint64_t size = request->scsi.job.list.size;

    return size > before ? size - before : 0;
}

static void
finished(ScsiRequest *scsi)
{
    Request *request = (Request *)scsi;
    VirtioScsi *adapter = request->adapter;
    uint64_t room = data_room(request);
    bool failed = scsi->status != SCSI_GOOD;
    uint64_t moved = failed ? 0 : MIN(scsi->transferred, room);
    bool overrun = !failed && scsi->transferred > room;

    scsi->transferred = room;
    respond(request, overrun ? RESPONSE_OVERRUN : RESPONSE_OK, scsi->status, room - moved,
            failed ? &scsi->task.sense : NULL);
    run_waiting(adapter);
}

/* --- requests --- */

/* A unit's address: 1, target, 40h or 0, number (SAM's single-level forms). */
static ScsiUnit *
find_unit(VirtioScsi *adapter, const uint8_t address[8], uint8_t *response)
{
    Target *target = address[1] < adapter->target_count ? &adapter->targets[address[1]] : NULL;

    if (address[0] != 1 || target == NULL || !target->present) {
        *response = RESPONSE_BAD_TARGET;
        return NULL;
    }
    if ((address[2] & 0x3f) != 0 || address[3] != 0) {
        *response = RESPONSE_BAD_LUN;
        return NULL;
    }
    return &target->unit;
}

static uint64_t
get_tag(const uint8_t *at)
{
    uint64_t tag;

    memcpy(&tag, at, 8);
    return GUINT64_FROM_LE(tag);
}

/* Data lie behind the heads that both sides have; a command has them in one direction. */
static void
take_data(Request *request)
{
    VirtioScsi *adapter = request->adapter;
    DriveJob *job = &request->scsi.job;
    uint32_t response = RESPONSE_HEADER + adapter->sense_size;

    request->reads = request->chain.in.size > response;
    request->scsi.no_in = !request->reads;
    request->scsi.no_out = request->reads;
    job->list_offset = request->reads ? response : COMMAND_HEADER + adapter->cdb_size;
    dma_list_move(&job->list, request->reads ? &request->chain.in : &request->chain.out);
}

static void
begin_command(Request *request)
{
    VirtioScsi *adapter = request->adapter;
    VirtioChain *chain = &request->chain;
    uint8_t head[COMMAND_HEADER + CDB_LIMIT] = {0};
    uint32_t head_size = COMMAND_HEADER + adapter->cdb_size;
    uint8_t response = RESPONSE_OK;
    ScsiUnit *unit;

    if (chain->out.size < head_size || chain->in.size < RESPONSE_HEADER + adapter->sense_size) {
        drive_job_free(&request->scsi.job);
        virtio_break(&adapter->virtio, "virtio-scsi-short", "a request has no room for its heads");
        return;
    }
    dma_list_read(&chain->out, adapter->device, 0, head, head_size);
    request->tag = get_tag(head + 8);
    request->target = head[1];
    unit = find_unit(adapter, head, &response);
    if (unit == NULL) {
        respond(request, response, SCSI_GOOD, 0, NULL);
        return;
    }
    request->scsi.job.media = unit->media;
    take_data(request);
    scsi_request_start(&request->scsi, unit, head + COMMAND_HEADER, finished);
}

static Request *
new_request(VirtioScsi *adapter, unsigned queue)
{
    Request *request = (Request *)drive_job_new(&adapter->jobs);

    request->adapter = adapter;
    request->queue = (uint8_t)queue;
    return request;
}

static void
run_queue(VirtioScsi *adapter, unsigned queue)
{
    for (;;) {
        Request *request;

        if (drive_jobs_active(&adapter->jobs) >= JOBS_MAX) {
            adapter->waiting |= 1u << queue;
            return;
        }
        request = new_request(adapter, queue);
        if (!virtqueue_pop(&adapter->virtio, queue, &request->chain)) {
            drive_job_free(&request->scsi.job);
            return;
        }
        begin_command(request);
    }
}

/* --- task management --- */

/* Which commands a function is about. */
typedef struct {
    uint8_t target;
    bool any_tag;
    uint64_t tag;
    unsigned found;
} Selection;

static bool
is_selected(const DriveJob *job, void *user)
{
    const Request *request = (const Request *)job;
    const Selection *selection = user;

    return !job->dropped && request->scsi.finished != NULL &&
           request->target == selection->target &&
           (selection->any_tag || request->tag == selection->tag);
}

/* Ends the selected commands. What is at a driver goes on there, for nobody. */
static void
abort_selected(VirtioScsi *adapter, Selection *selection, uint8_t response)
{
    for (guint i = adapter->jobs.jobs->len; i > 0; i--) {
        Request *request = adapter->jobs.jobs->pdata[i - 1];
        unsigned queue = request->queue;
        uint16_t head = request->chain.head;
        uint8_t answer[RESPONSE_HEADER] = {[10] = SCSI_TASK_ABORTED, [11] = response};

        if (!is_selected(&request->scsi.job, selection))
            continue;
        selection->found++;
        dma_list_write(response_list(request), adapter->device, 0, answer, sizeof(answer));
        virtqueue_push(&adapter->virtio, queue, head, RESPONSE_HEADER);
    }
    drive_jobs_drop_matching(&adapter->jobs, is_selected, selection);
}

static void
count_selected(VirtioScsi *adapter, Selection *selection)
{
    for (guint i = 0; i < adapter->jobs.jobs->len; i++)
        selection->found += is_selected(adapter->jobs.jobs->pdata[i], selection);
}

static uint8_t
manage(VirtioScsi *adapter, const uint8_t *request)
{
    uint8_t response = RESPONSE_OK;
    ScsiUnit *unit = find_unit(adapter, request + 8, &response);
    Selection selection = {.target = request[9], .any_tag = true, .tag = get_tag(request + 16)};

    if (unit == NULL)
        return response;
    switch (request[4]) {
    case ABORT_TASK:
        selection.any_tag = false;
        abort_selected(adapter, &selection, RESPONSE_ABORTED);
        return RESPONSE_OK;
    case ABORT_TASK_SET:
    case CLEAR_TASK_SET: abort_selected(adapter, &selection, RESPONSE_ABORTED); return RESPONSE_OK;
    case NEXUS_RESET:
    case UNIT_RESET:
        abort_selected(adapter, &selection, RESPONSE_RESET);
        scsi_unit_reset(unit);
        return RESPONSE_OK;
    case QUERY_TASK:
    case QUERY_TASK_SET:
        selection.any_tag = request[4] == QUERY_TASK_SET;
        count_selected(adapter, &selection);
        return selection.found != 0 ? 10 : RESPONSE_OK; /* function succeeded: it is there */
    default: return RESPONSE_REJECTED;
    }
}

static void
run_control(VirtioScsi *adapter)
{
    VirtioChain chain = {0};

    while (virtqueue_pop(&adapter->virtio, QUEUE_CONTROL, &chain)) {
        uint8_t request[MANAGEMENT_SIZE] = {0};
        uint8_t answer[5] = {0};
        uint32_t size = 5; /* of the answer to a query */

        dma_list_read(&chain.out, adapter->device, 0, request, sizeof(request));
        if (request[0] == CONTROL_MANAGEMENT) {
            answer[0] = manage(adapter, request);
            size = 1;
        } else if (request[0] != CONTROL_QUERY && request[0] != CONTROL_SUBSCRIBE) {
            answer[4] = RESPONSE_FAILURE;
        }
        dma_list_write(&chain.in, adapter->device, 0, answer, size);
        virtqueue_push(&adapter->virtio, QUEUE_CONTROL, chain.head, size);
    }
    virtio_chain_clear(&chain);
}

/* --- the virtio device --- */

static void
notified(void *user, unsigned queue)
{
    VirtioScsi *adapter = user;

    if (queue == QUEUE_CONTROL)
        run_control(adapter);
    else if (queue >= QUEUE_REQUESTS)
        run_queue(adapter, queue);
}

static uint32_t
read_config(void *user, uint32_t offset, unsigned size)
{
    const VirtioScsi *adapter = user;
    uint8_t config[CONFIG_SIZE] = {0};
    uint32_t value = 0;

    put32(config, adapter->virtio.queue_count - QUEUE_REQUESTS);
    put32(config + 4, SEGMENTS_MAX);
    put32(config + 8, SECTORS_MAX);
    put32(config + 12, JOBS_MAX);
    put32(config + 16, 16); /* bytes in an event */
    put32(config + CONFIG_SENSE_SIZE, adapter->sense_size);
    put32(config + CONFIG_CDB_SIZE, adapter->cdb_size);
    config[30] = (uint8_t)(adapter->target_count - 1); /* after the last channel, 0 */
    for (unsigned i = 0; i < size && offset + i < CONFIG_SIZE; i++)
        value |= (uint32_t)config[offset + i] << (8 * i);
    return value;
}

static void
write_config(void *user, uint32_t offset, uint32_t value, unsigned size)
{
    VirtioScsi *adapter = user;

    if (drive_jobs_active(&adapter->jobs) != 0)
        return;
    if (offset == CONFIG_SENSE_SIZE && value <= SENSE_LIMIT)
        adapter->sense_size = value;
    else if (offset == CONFIG_CDB_SIZE && value >= SCSI_CDB_SIZE && value <= CDB_LIMIT)
        adapter->cdb_size = value;
}

static void
driver_reset(void *user)
{
    VirtioScsi *adapter = user;

    drive_jobs_drop(&adapter->jobs);
    adapter->waiting = 0;
    adapter->cdb_size = CDB_USUAL;
    adapter->sense_size = SENSE_USUAL;
    for (unsigned i = 0; i < adapter->target_count; i++)
        scsi_unit_reset(&adapter->targets[i].unit);
}

static const VirtioOps virtio_ops = {
    .read_config = read_config,
    .write_config = write_config,
    .notify = notified,
    .reset = driver_reset,
};

/* Begins the chains again that were under way when the state was saved. */
static void
restart(void *user, void *item)
{
    VirtioScsi *adapter = user;

    for (unsigned i = QUEUE_REQUESTS;
         i < adapter->virtio.queue_count && virtio_ready(&adapter->virtio); i++) {
        for (int head = virtqueue_in_flight(&adapter->virtio, i, 0); head >= 0;
             head = virtqueue_in_flight(&adapter->virtio, i, (unsigned)head + 1)) {
            Request *request = new_request(adapter, i);

            if (virtqueue_fetch(&adapter->virtio, i, (uint16_t)head, &request->chain))
                begin_command(request);
            else
                drive_job_free(&request->scsi.job);
        }
        run_queue(adapter, i);
    }
}

/* --- life cycle --- */

static const PdmMediaConnector *
find_drive(PdmDevice *device, unsigned lun)
{
    VirtioScsi *adapter = device->data;

    return lun < adapter->target_count ? adapter->targets[lun].unit.media : NULL;
}

static bool
attach_target(VirtioScsi *adapter, unsigned index, GError **error)
{
    Target *target = &adapter->targets[index];
    const PdmMediaConnector *media;

    if (!drive_attach(adapter->device, index, &target->port, &target->unit,
                      "the virtio SCSI adapter", &media, error))
        return false;
    if (media == NULL)
        return true;
    scsi_unit_attach(&target->unit, adapter->device, media);
    target->present = true;
    return true;
}

static void
adapter_reset(PdmDevice *device)
{
    VirtioScsi *adapter = device->data;

    virtio_reset(&adapter->virtio);
    pci_msix_reset(&adapter->virtio.msix);
    driver_reset(adapter);
}

static void
clear_request(DriveJob *job)
{
    virtio_chain_clear(&((Request *)job)->chain);
}

static bool
adapter_construct(PdmDevice *device, const CfgmNode *config, GError **error)
{
    VirtioScsi *adapter = device->data;
    const VirtioInfo info = {
        .name = "virtio-scsi",
        .type = 8,
        .class_code = 0x01,
        .slot = SLOT,
        .features = FEATURE_INOUT,
        .queues = QUEUE_REQUESTS + CLAMP(pdm_cpu_count(device), 1, REQUEST_QUEUES_MAX),
        .config_size = CONFIG_SIZE,
        .interface = virtio_interface(config, VIRTIO_MODERN),
    };
    uint64_t targets = cfgm_uint(config, "PortCount", TARGETS_USUAL);

    adapter->device = device;
    adapter->target_count = (unsigned)CLAMP(targets, 1, TARGETS_MAX);
    drive_jobs_init(&adapter->jobs, device, sizeof(Request));
    adapter->jobs.clear = clear_request;
    adapter->restart = pdm_queue_new(device, restart, adapter);
    if (!virtio_init(&adapter->virtio, device, &info, &virtio_ops, adapter, error))
        return false;
    for (unsigned i = 0; i < adapter->target_count; i++) {
        if (!attach_target(adapter, i, error))
            return false;
    }
    drive_commands_offer(&adapter->commands, device, find_drive);
    adapter_reset(device);
    return true;
}

static void
adapter_destruct(PdmDevice *device)
{
    VirtioScsi *adapter = device->data;
    const PdmMediaConnector *drives[TARGETS_MAX];

    for (unsigned i = 0; i < TARGETS_MAX; i++)
        drives[i] = adapter->targets[i].unit.media;
    drive_jobs_free(&adapter->jobs, drives, TARGETS_MAX);
}

static void
adapter_info(PdmDevice *device, GString *out)
{
    const VirtioScsi *adapter = device->data;

    g_string_append_printf(out, "status %02x, features %" G_GINT64_MODIFIER "x, %u at work\n",
                           adapter->virtio.status, adapter->virtio.features,
                           drive_jobs_active(&adapter->jobs));
}

/* clang-format off */
static const SsmField target_fields[] = {
    SSM_STRUCT(Target, unit, scsi_unit_fields),
    SSM_END,
};

static const SsmField adapter_fields[] = {
    SSM_STRUCT(VirtioScsi, virtio, virtio_fields),
    SSM_UINT_BELOW(VirtioScsi, waiting, 1u << (QUEUE_REQUESTS + REQUEST_QUEUES_MAX)),
    SSM_UINT_BELOW(VirtioScsi, cdb_size, CDB_LIMIT + 1),
    SSM_UINT_BELOW(VirtioScsi, sense_size, SENSE_LIMIT + 1),
    SSM_STRUCT_ARRAY(VirtioScsi, targets, target_fields),
    SSM_END,
};
/* clang-format on */

static bool
adapter_post_load(void *object, uint32_t version, GError **error)
{
    VirtioScsi *adapter = object;

    if (!virtio_holds(&adapter->virtio) || adapter->cdb_size < SCSI_CDB_SIZE) {
        g_set_error_literal(error, BASE_ERROR, BASE_ERROR_CORRUPT,
                            "The saved state of the virtio SCSI adapter contradicts itself.");
        return false;
    }
    pdm_queue_push(adapter->device->api, adapter->restart, NULL);
    return true;
}

static const SsmState adapter_state = {
    .version = VIRTIO_STATE_LEGACY,
    .min_version = 1,
    .fields = adapter_fields,
    .post_load = adapter_post_load,
};

static const PdmOption adapter_options[] = {
    {.key = "PortCount",
     .title = "Ports",
     .type = PDM_OPTION_UINT,
     .value = TARGETS_USUAL,
     .min = 1,
     .max = TARGETS_MAX},
    VIRTIO_OPTION("modern"),
    {.type = PDM_OPTION_END},
};

const PdmDeviceInfo virtio_scsi_device = {
    .abi = PDM_ABI_VERSION,
    .name = "virtio-scsi",
    .title = "SCSI adapter (virtio-scsi)",
    .kind = PDM_KIND_STORAGE,
    .instance_size = sizeof(VirtioScsi),
    .max_instances = 1,
    .options = adapter_options,
    .construct = adapter_construct,
    .reset = adapter_reset,
    .destruct = adapter_destruct,
    .state = &adapter_state,
    .info = adapter_info,
};
