/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Commands of the virtio SCSI host adapter (VIRTIO 1.1 section 5.6.6.1): from a chain of a request
 * queue to its response. */
#include "devices/storage/virtio-scsi-private.h"

#define COMMAND_HEADER 19u /* before the command block */

/* --- the end of a request --- */

DmaList *
vscsi_response_list(VscsiRequest *request)
{
    return request->reads ? &request->scsi.job.list : &request->chain.in;
}

static void
respond(VscsiRequest *request, uint8_t response, uint8_t status, uint64_t residual,
        const ScsiSense *sense)
{
    VirtioScsi *adapter = request->adapter;
    uint8_t head[VSCSI_RESPONSE_HEADER + SCSI_SENSE_SIZE] = {0};
    uint32_t sense_size = sense != NULL ? MIN(SCSI_SENSE_SIZE, adapter->sense_size) : 0;
    unsigned queue = request->queue;
    uint16_t chain = request->chain.head;
    uint64_t data = request->reads ? request->scsi.transferred - residual : 0;

    vscsi_put32(head, sense_size);
    vscsi_put32(head + 4, (uint32_t)residual);
    head[10] = status;
    head[11] = response;
    if (sense != NULL)
        scsi_put_sense(*sense, head + VSCSI_RESPONSE_HEADER);
    dma_list_write(vscsi_response_list(request), adapter->device, 0, head,
                   VSCSI_RESPONSE_HEADER + sense_size);
    drive_job_free(&request->scsi.job);
    virtqueue_push(
        &adapter->virtio, queue, chain,
        (uint32_t)MIN(VSCSI_RESPONSE_HEADER + (uint64_t)adapter->sense_size + data, UINT32_MAX));
}

static void
run_waiting(VirtioScsi *adapter)
{
    uint32_t waiting = adapter->waiting;

    adapter->waiting = 0;
    for (unsigned i = 0; waiting >> i != 0; i++) {
        if ((waiting >> i & 1) != 0)
            vscsi_run_queue(adapter, i);
    }
}

/* How many of the guest's bytes for data the command had no use for. */
static uint64_t
data_room(const VscsiRequest *request)
{
    uint64_t before = request->reads
                          ? VSCSI_RESPONSE_HEADER + (uint64_t)request->adapter->sense_size
                          : COMMAND_HEADER + (uint64_t)request->adapter->cdb_size;
    uint64_t size = request->scsi.job.list.size;

    return size > before ? size - before : 0;
}

static void
finished(ScsiRequest *scsi)
{
    VscsiRequest *request = (VscsiRequest *)scsi;
    VirtioScsi *adapter = request->adapter;
    uint64_t room = data_room(request);
    bool failed = scsi->status != SCSI_GOOD;
    uint64_t moved = failed ? 0 : MIN(scsi->transferred, room);
    bool overrun = !failed && scsi->transferred > room;

    scsi->transferred = room;
    respond(request, overrun ? VSCSI_OVERRUN : VSCSI_OK, scsi->status, room - moved,
            failed ? &scsi->task.sense : NULL);
    run_waiting(adapter);
}

/* --- requests --- */

/* A unit's address: 1, target, 40h or 0, number (SAM's single-level forms). */
ScsiUnit *
vscsi_find_unit(VirtioScsi *adapter, const uint8_t address[8], uint8_t *response)
{
    VscsiTarget *target = address[1] < adapter->target_count ? &adapter->targets[address[1]] : NULL;

    if (address[0] != 1 || target == NULL || !target->present) {
        *response = VSCSI_BAD_TARGET;
        return NULL;
    }
    if ((address[2] & 0x3f) != 0 || address[3] != 0) {
        *response = VSCSI_BAD_LUN;
        return NULL;
    }
    return &target->unit;
}

/* Data lie behind the heads that both sides have; a command has them in one direction. */
static void
take_data(VscsiRequest *request)
{
    VirtioScsi *adapter = request->adapter;
    DriveJob *job = &request->scsi.job;
    uint32_t response = VSCSI_RESPONSE_HEADER + adapter->sense_size;

    request->reads = request->chain.in.size > response;
    request->scsi.no_in = !request->reads;
    request->scsi.no_out = request->reads;
    job->list_offset = request->reads ? response : COMMAND_HEADER + adapter->cdb_size;
    dma_list_move(&job->list, request->reads ? &request->chain.in : &request->chain.out);
}

static void
begin_command(VscsiRequest *request)
{
    VirtioScsi *adapter = request->adapter;
    VirtioChain *chain = &request->chain;
    uint8_t head[COMMAND_HEADER + VSCSI_CDB_LIMIT] = {0};
    uint32_t head_size = COMMAND_HEADER + adapter->cdb_size;
    uint8_t response;
    ScsiUnit *unit;

    if (chain->out.size < head_size ||
        chain->in.size < VSCSI_RESPONSE_HEADER + adapter->sense_size) {
        drive_job_free(&request->scsi.job);
        virtio_break(&adapter->virtio, "virtio-scsi-short", "a request has no room for its heads");
        return;
    }
    dma_list_read(&chain->out, adapter->device, 0, head, head_size);
    request->tag = vscsi_tag(head + 8);
    request->target = head[1];
    unit = vscsi_find_unit(adapter, head, &response);
    if (unit == NULL) { /* a wrong LUN is one of task management's answers only (5.6.6.2) */
        respond(request, VSCSI_BAD_TARGET, SCSI_GOOD, 0, NULL);
        return;
    }
    request->scsi.job.media = unit->media;
    take_data(request);
    scsi_request_start(&request->scsi, unit, head + COMMAND_HEADER, finished);
}

static VscsiRequest *
new_request(VirtioScsi *adapter, unsigned queue)
{
    VscsiRequest *request = (VscsiRequest *)drive_job_new(&adapter->jobs);

    request->adapter = adapter;
    request->queue = (uint8_t)queue;
    return request;
}

void
vscsi_run_queue(VirtioScsi *adapter, unsigned queue)
{
    for (;;) {
        VscsiRequest *request;

        if (drive_jobs_active(&adapter->jobs) >= VSCSI_JOBS_MAX) {
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

/* Begins the chains again that were under way when the state was saved. */
void
vscsi_restart(void *user, void *item)
{
    VirtioScsi *adapter = user;

    for (unsigned i = VSCSI_QUEUE_REQUESTS;
         i < adapter->virtio.queue_count && virtio_ready(&adapter->virtio); i++) {
        for (int head = virtqueue_in_flight(&adapter->virtio, i, 0); head >= 0;
             head = virtqueue_in_flight(&adapter->virtio, i, (unsigned)head + 1)) {
            VscsiRequest *request = new_request(adapter, i);

            if (virtqueue_fetch(&adapter->virtio, i, (uint16_t)head, &request->chain))
                begin_command(request);
            else
                drive_job_free(&request->scsi.job);
        }
        vscsi_run_queue(adapter, i);
    }
}
