/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The inside of the virtio SCSI host adapter: VIRTIO 1.1 section 5.6. */
#pragma once

#include "devices/storage/drive-commands.h"
#include "devices/storage/scsi-request.h"
#include "devices/virtio/virtio.h"

#define VSCSI_TARGETS_MAX 256u
#define VSCSI_JOBS_MAX 128u
/* Lengths that a driver may choose. */
#define VSCSI_CDB_LIMIT 256u
#define VSCSI_SENSE_LIMIT 256u
#define VSCSI_RESPONSE_HEADER 12u /* before the sense data */
#define VSCSI_EVENT_SIZE 16u
#define VSCSI_FEATURE_HOTPLUG 2u

enum { VSCSI_QUEUE_CONTROL, VSCSI_QUEUE_EVENT, VSCSI_QUEUE_REQUESTS };

enum {
    VSCSI_OK = 0,
    VSCSI_OVERRUN = 1,
    VSCSI_ABORTED = 2,
    VSCSI_BAD_TARGET = 3,
    VSCSI_RESET = 4,
    VSCSI_FAILURE = 9,
    VSCSI_REJECTED = 11,
    VSCSI_BAD_LUN = 12,
};

typedef struct VirtioScsi VirtioScsi;

typedef struct {
    VirtioScsi *adapter;
    PdmMediaPort port;
    bool present;
    ScsiUnit unit;
} VscsiTarget;

struct VirtioScsi {
    VirtioDevice virtio;
    PdmDevice *device;
    DriveCommands commands;
    DriveJobs jobs;
    PdmQueue *restart;
    unsigned target_count;
    uint32_t waiting; /* queues with chains that there was no room for: a bit each */
    uint32_t cdb_size, sense_size;
    bool events_missed; /* there was no buffer for one */
    VscsiTarget targets[VSCSI_TARGETS_MAX];
};

typedef struct {
    ScsiRequest scsi;
    VirtioScsi *adapter;
    uint8_t queue;
    uint8_t target;
    uint64_t tag;
    VirtioChain chain; /* the response is in chain.in; data are in scsi.job.list */
    bool reads;        /* data go to the guest, behind the response */
} VscsiRequest;

static inline void
vscsi_put32(uint8_t *at, uint32_t value)
{
    for (unsigned i = 0; i < 4; i++)
        at[i] = (uint8_t)(value >> (8 * i));
}

static inline uint64_t
vscsi_tag(const uint8_t *at)
{
    uint64_t tag = 0;

    for (unsigned i = 0; i < 8; i++)
        tag |= (uint64_t)at[i] << (8 * i);
    return tag;
}

/* virtio-scsi-command.c: takes chains from a request queue as far as there is room. */
void vscsi_run_queue(VirtioScsi *adapter, unsigned queue);
/* A PDM queue's function: begins the chains again that were under way when the state was saved. */
void vscsi_restart(void *user, void *item);
/* The unit of an address; NULL and *response when there is none. */
ScsiUnit *vscsi_find_unit(VirtioScsi *adapter, const uint8_t address[8], uint8_t *response);
/* The list that has the response at its beginning. */
DmaList *vscsi_response_list(VscsiRequest *request);

/* virtio-scsi-control.c: task management and what else the control queue has. */
void vscsi_run_control(VirtioScsi *adapter);
/* Ends all commands of a target with this response. */
void vscsi_end_commands(VirtioScsi *adapter, unsigned target, uint8_t response);

/* virtio-scsi-event.c: the driver has given buffers for events. */
void vscsi_run_events(VirtioScsi *adapter);
/* For PdmMediaPort, with the target's unit as user. */
void vscsi_plugged(void *user, const PdmMediaConnector *media);
