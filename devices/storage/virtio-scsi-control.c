/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The control queue of the virtio SCSI host adapter: task management (VIRTIO 1.1 section 5.6.6.2).
 * Queries and subscriptions of asynchronous notifications are told that there are none. */
#include "devices/storage/virtio-scsi-private.h"

#define MANAGEMENT_SIZE 24u

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
    const VscsiRequest *request = (const VscsiRequest *)job;
    const Selection *selection = user;

    return !job->dropped && request->scsi.finished != NULL &&
           request->target == selection->target &&
           (selection->any_tag || request->tag == selection->tag);
}

/* Ends the selected commands. What is at a driver with a buffer of its own goes on, for nobody. */
static void
abort_selected(VirtioScsi *adapter, Selection *selection, uint8_t response)
{
    drive_jobs_take_back(&adapter->jobs, is_selected, selection);
    for (guint i = adapter->jobs.jobs->len; i > 0; i--) {
        VscsiRequest *request = adapter->jobs.jobs->pdata[i - 1];
        unsigned queue = request->queue;
        uint16_t head = request->chain.head;
        uint8_t answer[VSCSI_RESPONSE_HEADER] = {[10] = SCSI_TASK_ABORTED, [11] = response};

        if (!is_selected(&request->scsi.job, selection))
            continue;
        selection->found++;
        dma_list_write(vscsi_response_list(request), adapter->device, 0, answer, sizeof(answer));
        virtqueue_push(&adapter->virtio, queue, head, VSCSI_RESPONSE_HEADER);
    }
    drive_jobs_drop_matching(&adapter->jobs, is_selected, selection);
}

void
vscsi_end_commands(VirtioScsi *adapter, unsigned target, uint8_t response)
{
    Selection selection = {.target = (uint8_t)target, .any_tag = true};

    abort_selected(adapter, &selection, response);
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
    uint8_t response = VSCSI_OK;
    ScsiUnit *unit = vscsi_find_unit(adapter, request + 8, &response);
    Selection selection = {.target = request[9], .any_tag = true, .tag = vscsi_tag(request + 16)};

    if (unit == NULL)
        return response;
    switch (request[4]) {
    case ABORT_TASK:
        selection.any_tag = false;
        abort_selected(adapter, &selection, VSCSI_ABORTED);
        return VSCSI_OK;
    case ABORT_TASK_SET:
    case CLEAR_TASK_SET: abort_selected(adapter, &selection, VSCSI_ABORTED); return VSCSI_OK;
    case NEXUS_RESET:
    case UNIT_RESET:
        abort_selected(adapter, &selection, VSCSI_RESET);
        scsi_unit_reset(unit);
        return VSCSI_OK;
    case QUERY_TASK:
    case QUERY_TASK_SET:
        selection.any_tag = request[4] == QUERY_TASK_SET;
        count_selected(adapter, &selection);
        return selection.found != 0 ? 10 : VSCSI_OK; /* function succeeded: it is there */
    default: return VSCSI_REJECTED;
    }
}

void
vscsi_run_control(VirtioScsi *adapter)
{
    VirtioChain chain = {0};

    while (virtqueue_pop(&adapter->virtio, VSCSI_QUEUE_CONTROL, &chain)) {
        uint8_t request[MANAGEMENT_SIZE] = {0};
        uint8_t answer[5] = {0};
        uint32_t size = 5; /* of the answer to a query */

        dma_list_read(&chain.out, adapter->device, 0, request, sizeof(request));
        if (request[0] == CONTROL_MANAGEMENT) {
            answer[0] = manage(adapter, request);
            size = 1;
        } else if (request[0] != CONTROL_QUERY && request[0] != CONTROL_SUBSCRIBE) {
            answer[4] = VSCSI_FAILURE;
        }
        dma_list_write(&chain.in, adapter->device, 0, answer, size);
        virtqueue_push(&adapter->virtio, VSCSI_QUEUE_CONTROL, chain.head, size);
    }
    virtio_chain_clear(&chain);
}
