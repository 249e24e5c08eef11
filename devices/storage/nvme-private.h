/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The inside of the NVMe controller: NVM Express 1.2. Each attached disk is a namespace. Left out:
 * scatter-gather lists, memory page sizes but 4 KiB, metadata, several namespaces on one disk,
 * reservations, firmware commands, compare. */
#pragma once

#include "devices/pci/pci-msi.h"
#include "devices/storage/drive-job.h"

#define NVME_NAMESPACES_MAX 255u
#define NVME_QUEUES 17u /* the admin queue and 16 for input and output */
#define NVME_ENTRIES_MAX 1024u
#define NVME_COMMAND_SIZE 64u
#define NVME_COMPLETION_SIZE 16u
#define NVME_PAGE 4096u
#define NVME_BLOCK 512u
/* A transfer's pages as a power of two: 1 MiB. */
#define NVME_TRANSFER_SHIFT 8u
#define NVME_TRANSFER_MAX (NVME_PAGE << NVME_TRANSFER_SHIFT)
#define NVME_JOBS_MAX 128u
#define NVME_EVENTS_MAX 4u
#define NVME_FEATURES 12u /* identifiers below this one */

/* Status: code, and type << 8. */
enum {
    NVME_OK = 0x000,
    NVME_INVALID_OPCODE = 0x001,
    NVME_INVALID_FIELD = 0x002,
    NVME_INTERNAL = 0x006,
    NVME_ABORTED = 0x007, /* as requested */
    NVME_ABORTED_BY_DELETION = 0x008,
    NVME_INVALID_NAMESPACE = 0x00b,
    NVME_PRP_OFFSET = 0x013,
    NVME_LBA_RANGE = 0x080,
    NVME_CQ_INVALID = 0x100,
    NVME_QUEUE_INVALID = 0x101,
    NVME_QUEUE_SIZE = 0x102,
    NVME_EVENT_LIMIT = 0x105,
    NVME_VECTOR_INVALID = 0x108,
    NVME_LOG_INVALID = 0x109,
    NVME_QUEUE_DELETION = 0x10c,
    NVME_FEATURE_FIXED = 0x10e,
    NVME_READ_ONLY = 0x182,
    NVME_WRITE_FAULT = 0x280,
    NVME_READ_ERROR = 0x281,
    NVME_PENDING = 0xffff, /* not a status: the completion follows */
};

enum {
    NVME_CC_ENABLE = 0x01,
    NVME_CSTS_READY = 0x01,
    NVME_CSTS_FATAL = 0x02,
    NVME_CSTS_SHUTDOWN_DONE = 0x08,
};

enum {
    NVME_FEATURE_WRITE_CACHE = 0x06,
    NVME_FEATURE_QUEUES = 0x07,
};

typedef struct {
    uint64_t base;
    uint32_t size; /* entries; 0: there is no such queue */
    uint32_t head, tail;
    uint16_t completion; /* its completion queue */
} NvmeSubmission;

typedef struct {
    uint64_t base;
    uint32_t size;
    uint32_t head, tail;
    uint32_t expected; /* commands under way that will end here */
    uint16_t vector;
    uint8_t phase, interrupts;
} NvmeCompletion;

typedef struct {
    uint8_t bytes[NVME_COMMAND_SIZE];
} NvmeCommand;

typedef struct {
    PdmDevice *device;
    PdmPci *pci;
    PciMsix msix;
    DriveJobs jobs;
    PdmQueue *restart;
    unsigned namespace_count; /* of places, with or without a disk */
    PdmMediaPort ports[NVME_NAMESPACES_MAX];
    const PdmMediaConnector *media[NVME_NAMESPACES_MAX];

    uint32_t cc, csts, aqa, interrupt_mask;
    uint64_t asq, acq;
    uint32_t features[NVME_FEATURES];
    uint16_t events[NVME_EVENTS_MAX]; /* identifiers of waiting event requests */
    uint32_t event_count;
    uint32_t flushing; /* namespaces whose flush a shutdown waits for */
    NvmeSubmission submissions[NVME_QUEUES];
    NvmeCompletion completions[NVME_QUEUES];
    GArray *pending; /* NvmePending: loaded from a state, not begun yet */
} NvmeController;

/* A command under way, as a saved state keeps it. */
typedef struct {
    uint16_t queue;
    NvmeCommand command;
} NvmePending;

typedef struct {
    DriveJob job;
    NvmeController *nvme;
    NvmePending origin;
    uint8_t *ranges; /* of dataset management; NULL: none */
    uint32_t range, range_count;
    bool shutdown; /* a flush for the controller itself */
} NvmeRequest;

static inline uint32_t
nvme_word(const NvmeCommand *command, unsigned index)
{
    const uint8_t *at = command->bytes + 4 * index;

    return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static inline uint64_t
nvme_double(const NvmeCommand *command, unsigned index)
{
    return (uint64_t)nvme_word(command, index + 1) << 32 | nvme_word(command, index);
}

static inline uint16_t
nvme_identifier(const NvmeCommand *command)
{
    return (uint16_t)(nvme_word(command, 0) >> 16);
}

/* nvme-registers.c */
extern const IomMmioOps nvme_mmio_ops;
/* Everything to its state before it is enabled. */
void nvme_disable(NvmeController *nvme);
void nvme_update_pin(NvmeController *nvme);

/* nvme-queue.c */
/* Takes commands from the queues as far as there is room. */
void nvme_run(NvmeController *nvme);
/* Ends a command that nvme_run() has taken. */
void nvme_complete(NvmeController *nvme, unsigned queue, uint16_t identifier, uint16_t status,
                   uint32_t result);
/* Carries out a command of a queue: a status, or NVME_PENDING. */
uint16_t nvme_execute(NvmeController *nvme, unsigned queue, const NvmeCommand *command,
                      uint32_t *result);
void nvme_restart(void *user, void *item);

/* nvme-admin.c, nvme-identify.c, nvme-io.c: a status, or NVME_PENDING */
uint16_t nvme_admin(NvmeController *nvme, const NvmeCommand *command, uint32_t *result);
uint16_t nvme_identify(NvmeController *nvme, const NvmeCommand *command);
uint16_t nvme_log_page(NvmeController *nvme, const NvmeCommand *command);
uint16_t nvme_io(NvmeController *nvme, unsigned queue, const NvmeCommand *command);
/* Writes all disks' caches out; CSTS says when that is done. */
void nvme_shut_down(NvmeController *nvme);

/* nvme-prp.c: the guest memory of `size` bytes that a command's two entries name; a status. */
uint16_t nvme_gather(NvmeController *nvme, const NvmeCommand *command, uint32_t size,
                     DmaList *list);
/* Data of an admin command, at most a page. */
uint16_t nvme_reply(NvmeController *nvme, const NvmeCommand *command, const void *data,
                    uint32_t size);

/* nvme-state.c */
extern const SsmState nvme_state;
