/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A SCSI logical unit without the wires: a hard disk (SPC-3, SBC-3) or a CD/DVD-ROM drive (MMC-3,
 * SFF-8020i; also what ATAPI's packets talk to). A controller gives it a command block and carries
 * out the task that comes back: moves data in the manner of its bus and reports status and sense.
 */
#pragma once

#include "vmm/pdm/pdm.h"

#define SCSI_CDB_SIZE 16u
#define SCSI_SENSE_SIZE 18u
#define SCSI_CD_SECTOR 2048u
#define SCSI_CD_RAW_SECTOR 2352u
/* Answers and parameter lists are no longer. */
#define SCSI_DATA_MAX 4096u
/* Nor are data of a command that goes to the host's drive. */
#define SCSI_PASS_MAX (256u * 1024)
/* Ranges in one UNMAP. */
#define SCSI_UNMAP_MAX ((SCSI_DATA_MAX - 8) / 16)

enum {
    SENSE_NONE = 0,
    SENSE_NOT_READY = 2,
    SENSE_MEDIUM_ERROR = 3,
    SENSE_ILLEGAL_REQUEST = 5,
    SENSE_UNIT_ATTENTION = 6,
    SENSE_DATA_PROTECT = 7,
    SENSE_ABORTED = 11,
};

enum { SCSI_GOOD = 0x00, SCSI_CHECK_CONDITION = 0x02, SCSI_BUSY = 0x08, SCSI_TASK_ABORTED = 0x40 };

typedef struct {
    uint8_t key, asc, ascq;
} ScsiSense;

typedef struct {
    PdmDevice *device; /* for the log */
    const PdmMediaConnector *media;
    bool optical;
    bool atapi;      /* INQUIRY answers as a packet drive's */
    bool passes;     /* the adapter carries SCSI_PASS out */
    uint64_t wwn;    /* SCSI: a name that is unique in the machine */
    ScsiSense sense; /* of the last command, for REQUEST SENSE */
    bool tray_open, locked;
    bool unit_attention; /* the medium has changed and the guest has not been told */
    bool event_new, event_removed, event_eject;
} ScsiUnit;

typedef enum {
    SCSI_NOTHING, /* the command has ended well */
    SCSI_FAIL,    /* the command has ended with `sense` */
    SCSI_REPLY,   /* `size` bytes of `data` go to the host */
    SCSI_READ,
    SCSI_WRITE,
    SCSI_VERIFY,
    SCSI_FLUSH,
    SCSI_TAKE,  /* `size` bytes come from the host into `data`; then scsi_taken() */
    SCSI_UNMAP, /* `count` ranges of `data`: scsi_unmap_range() */
    SCSI_PASS,  /* goes to the host's drive, with up to `size` bytes of data one way: to_device */
    SCSI_SAME,  /* WRITE SAME: `data` holds a block that fills the range; `unmap`: is discarded */
} ScsiOp;

typedef struct {
    ScsiOp op;
    uint8_t cdb[SCSI_CDB_SIZE];
    ScsiSense sense;
    uint64_t lba;
    uint64_t count; /* blocks; of UNMAP: ranges */
    bool raw;       /* READ: CD sectors with their frames */
    bool fua, unmap;
    bool to_device; /* PASS: which way its data go */
    uint32_t size;
    uint8_t data[SCSI_DATA_MAX];
} ScsiTask;

/* Puts a unit on this medium (not NULL) into the state after power-on. */
void scsi_unit_attach(ScsiUnit *unit, PdmDevice *device, const PdmMediaConnector *media);
void scsi_unit_reset(ScsiUnit *unit);
/* For PdmMediaPort, with the unit as user. */
void scsi_medium_changed(void *user, bool present);
bool scsi_eject_request(void *user, bool force);

/* scsi-unit.c: what the command block asks for; ranges lie on the medium, sizes within bounds. */
void scsi_begin(ScsiUnit *unit, const uint8_t *cdb, ScsiTask *task);
/* The task's parameter list has come: goes on to another op. */
void scsi_taken(ScsiUnit *unit, ScsiTask *task);
/* The medium has answered with an errno value. */
void scsi_medium_failed(ScsiUnit *unit, ScsiTask *task, int error);
/* The host's drive has answered. */
void scsi_passed(ScsiUnit *unit, ScsiTask *task, const PdmMediaCommand *command);
void scsi_put_sense(ScsiSense sense, uint8_t out[SCSI_SENSE_SIZE]);
/* A range of an UNMAP task; false: it is empty. */
bool scsi_unmap_range(const ScsiUnit *unit, const ScsiTask *task, unsigned index, uint64_t *lba,
                      uint32_t *count);
/* Bytes in a block. */
static inline uint32_t
scsi_block(const ScsiUnit *unit)
{
    return unit->optical ? SCSI_CD_SECTOR : 512;
}
/* Bytes in a block as it goes to the host. */
static inline uint32_t
scsi_host_block(const ScsiUnit *unit, const ScsiTask *task)
{
    return task->raw ? SCSI_CD_RAW_SECTOR : scsi_block(unit);
}

/* mmc-frame.c: builds the 2352 bytes of a mode 1 sector around its 2048 at out + 16. */
void mmc_frame_sector(uint8_t out[SCSI_CD_RAW_SECTOR], uint32_t lba);

/* The part of a unit that a saved state holds. */
extern const SsmField scsi_unit_fields[];
