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
/* Kelvin: of the room, and from where on a warning is usual. */
#define NVME_TEMPERATURE 300u
#define NVME_TEMPERATURE_WARNING (NVME_TEMPERATURE + 50)

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
    NVME_FEATURE_TEMPERATURE = 0x04,
    NVME_FEATURE_WRITE_CACHE = 0x06,
    NVME_FEATURE_QUEUES = 0x07,
    NVME_FEATURE_EVENTS = 0x0b,
};

enum { NVME_LOG_ERRORS = 1, NVME_LOG_HEALTH = 2, NVME_LOG_FIRMWARE = 3 };

/* What can happen that a guest may want to be told. */
typedef enum {
    NVME_EVENT_DOORBELL, /* one of a queue that does not exist was written to */
    NVME_EVENT_VALUE,    /* a doorbell was given a value that it cannot have */
    NVME_EVENT_TEMPERATURE,
    NVME_EVENT_KINDS,
} NvmeEvent;

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
    uint8_t happened; /* events that have not been told: a bit each */
    uint8_t told;     /* types of events that keep still until their log is read */
    uint64_t error_count;
    uint16_t error_queue; /* whose doorbell was the last error */
    uint32_t temperature_low;
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

/* How many entries of a ring lie from head to tail. */
static inline uint32_t
nvme_entries(uint32_t head, uint32_t tail, uint32_t size)
{
    return tail >= head ? tail - head : size - head + tail;
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
/* Whether one more command may be taken that ends in that queue. */
bool nvme_has_room(const NvmeCompletion *queue);
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

/* nvme-event.c */
/* The guest has written to a doorbell what it must not. */
void nvme_doorbell_error(NvmeController *nvme, NvmeEvent event, uint32_t queue);
/* A request to be told of events: NVME_PENDING, or a status. */
uint16_t nvme_wait_for_event(NvmeController *nvme, const NvmeCommand *command);
/* Answers requests for events, as far as there is something to tell and room to do so. */
void nvme_tell_events(NvmeController *nvme);
void nvme_log_was_read(NvmeController *nvme, unsigned log);
void nvme_put_error_log(const NvmeController *nvme, uint8_t page[64]);
/* Critical warnings of the health log, and the event for those that were not there before. */
uint8_t nvme_warnings(const NvmeController *nvme);
void nvme_check_warnings(NvmeController *nvme, uint8_t before);
/* Feature 4: value is dword 11 of the command. */
void nvme_set_temperature(NvmeController *nvme, uint32_t value);
uint32_t nvme_get_temperature(const NvmeController *nvme, uint32_t value);

/* nvme-prp.c: the guest memory of `size` bytes that a command's two entries name; a status. */
uint16_t nvme_gather(NvmeController *nvme, const NvmeCommand *command, uint32_t size,
                     DmaList *list);
/* Data of an admin command, at most a page. */
uint16_t nvme_reply(NvmeController *nvme, const NvmeCommand *command, const void *data,
                    uint32_t size);

/* nvme-state.c */
extern const SsmState nvme_state;
