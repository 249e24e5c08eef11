/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Jobs of a host bus adapter: each moves a range of a medium from or to a list of guest memory, in
 * pieces of a bounded buffer; many are under way at once. When the guest resets the adapter nobody
 * waits: what is under way is dropped, and jobs that come later are held back until the drivers are
 * through with what was dropped, so that a guest that resets in a loop has two generations at most.
 * Large transfers go straight between the medium and the guest's memory. Only for one of these that
 * is on its way a reset or an abort waits: nothing may come into that memory afterwards.
 *
 * A controller embeds DriveJob at the beginning of its own request. */
#pragma once

#include "devices/pci/dma-list.h"

#define DRIVE_JOB_CHUNK (256u * 1024)

typedef struct DriveJob DriveJob;

typedef struct {
    PdmDevice *device;
    size_t job_size;
    void (*clear)(DriveJob *job); /* releases what the controller's part holds; may be NULL */
    GPtrArray *jobs;              /* all that are not spare */
    GPtrArray *spare;             /* DriveJob, to be used again */
    unsigned dropped;             /* how many of jobs are only waited for */
} DriveJobs;

typedef enum {
    DRIVE_JOB_READ,
    DRIVE_JOB_WRITE,
    DRIVE_JOB_VERIFY,
    DRIVE_JOB_FILL, /* writes `pattern` over and over */
    DRIVE_JOB_DISCARD,
    DRIVE_JOB_FLUSH,
    DRIVE_JOB_COMMAND, /* io.command goes to the host's drive, with `left` bytes of data */
} DriveJobKind;

struct DriveJob {
    PdmIoRequest io;
    DriveJobs *jobs;
    DmaList list; /* guest memory; freed with the job */

    /* For drive_job_start(). */
    DriveJobKind kind;
    const PdmMediaConnector *media;
    uint64_t offset;        /* on the medium */
    uint64_t left;          /* bytes */
    uint64_t list_offset;   /* where in the list the data are */
    const uint8_t *pattern; /* of 512 bytes, NULL: zeros */
    bool fua;               /* a flush follows the write */
    bool raw;               /* CD sectors with frames go to the guest */
    /* Once for each start, on the way out of a driver: never before the start returns. error is an
     * errno value. */
    void (*done)(DriveJob *job, int error);

    uint8_t *buffer;
    uint32_t buffer_size, chunk;
    BaseFilePiece *pieces; /* of guest memory; io.pieces is this or NULL */
    bool at_driver, held, dropped, taken_back;
};

/* job_size: of the controller's request. */
void drive_jobs_init(DriveJobs *jobs, PdmDevice *device, size_t job_size);
/* Ends everything with these drives (entries may be NULL) and frees all. */
void drive_jobs_free(DriveJobs *jobs, const PdmMediaConnector *const *drives, unsigned count);
/* Forgets all jobs: done() is called for none of them. */
void drive_jobs_drop(DriveJobs *jobs);
/* Those that match have no more to do with the guest's memory when it returns: for a controller
 * that tells the guest that they are over, before it drops them. */
void drive_jobs_take_back(DriveJobs *jobs, bool (*matches)(const DriveJob *job, void *user),
                          void *user);
/* The same as drive_jobs_drop() for those that match. */
void drive_jobs_drop_matching(DriveJobs *jobs, bool (*matches)(const DriveJob *job, void *user),
                              void *user);
/* Jobs that have not been freed or dropped. */
unsigned drive_jobs_active(const DriveJobs *jobs);

/* A job with an empty list; the controller's part behind DriveJob is zero. */
DriveJob *drive_job_new(DriveJobs *jobs);
void drive_job_free(DriveJob *job);
void drive_job_start(DriveJob *job);
