/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A SCSI command on its way through an adapter that has lists of guest memory: carries out what
 * scsi_begin() asks for, with a DriveJob where the medium is concerned. */
#pragma once

#include "devices/storage/drive-job.h"
#include "devices/storage/scsi.h"

typedef struct ScsiRequest ScsiRequest;

/* An adapter embeds it at the beginning of its own request. */
struct ScsiRequest {
    DriveJob job;       /* job.list from job.list_offset on: the guest's memory for data */
    bool no_in, no_out; /* the memory is not for data to the guest, or from it */
    ScsiUnit *unit;
    ScsiTask task;
    PdmMediaCommand command; /* of PASS */
    uint32_t range;          /* of UNMAP */
    uint64_t transferred;    /* bytes of data that the command has moved, or wanted to */
    uint8_t status;          /* SCSI_GOOD or SCSI_CHECK_CONDITION, with task.sense */
    /* At the end; may be called before scsi_request_start() returns. */
    void (*finished)(ScsiRequest *request);
};

/* cdb has SCSI_CDB_SIZE bytes. */
void scsi_request_start(ScsiRequest *request, ScsiUnit *unit, const uint8_t *cdb,
                        void (*finished)(ScsiRequest *request));
