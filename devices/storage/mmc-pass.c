/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Commands that a guest may send to a drive of the host (MMC-6 chapter 6, SPC-3 chapter 6): those
 * that read, write, play and ask. A command that is not in the table never reaches the drive: no
 * firmware updates (WRITE BUFFER), no vendor's commands. Manual, chapter "Virtual Storage", "CD/DVD
 * Support". The table also says which way the data go and how many there can be, for the guest
 * decides neither. */
#include "devices/storage/scsi-private.h"

/* Bytes of a sector with its subchannels and error pointers: the most that there can be. */
#define SECTOR_MAX (2352u + 296 + 96)
#define KEY_FORMAT_REGION 6 /* of SEND KEY: can be changed a few times in a drive's life */

typedef enum { NO_DATA, IN, OUT } Direction;

/* Where a command block has the length of its data, and in what. */
typedef enum {
    NOTHING,
    BYTES_8,
    BYTES_16,
    BYTES_24,
    BLOCKS_16, /* of 2048 bytes */
    BLOCKS_32,
    SECTORS_16, /* to be written in the manner that the drive was set to */
    SECTORS_24,
    SECTORS_32,
    SECTORS_MSF, /* from one address up to another */
    CAPACITY,    /* 8 bytes */
    FORMAT,      /* 12 bytes, if a flag is set */
    SPEEDS,      /* 16 bits: descriptors of 16 bytes, and a header */
} Measure;

typedef struct {
    uint8_t code;
    Direction direction;
    Measure measure;
    uint8_t at;
} PassRow;

/* clang-format off */
static const PassRow rows[] = {
    {0x00, NO_DATA, NOTHING, 0},    /* TEST UNIT READY */
    {0x04, OUT, FORMAT, 0},         /* FORMAT UNIT */
    {0x12, IN, BYTES_16, 3},        /* INQUIRY */
    {0x15, OUT, BYTES_8, 4},        /* MODE SELECT (6) */
    {0x1a, IN, BYTES_8, 4},         /* MODE SENSE (6) */
    {0x1b, NO_DATA, NOTHING, 0},    /* START STOP UNIT */
    {0x1e, NO_DATA, NOTHING, 0},    /* PREVENT ALLOW MEDIUM REMOVAL */
    {0x23, IN, BYTES_16, 7},        /* READ FORMAT CAPACITIES */
    {0x25, IN, CAPACITY, 0},        /* READ CAPACITY */
    {0x28, IN, BLOCKS_16, 7},       /* READ (10) */
    {0x2a, OUT, SECTORS_16, 7},     /* WRITE (10) */
    {0x2b, NO_DATA, NOTHING, 0},    /* SEEK (10) */
    {0x2e, OUT, SECTORS_16, 7},     /* WRITE AND VERIFY (10) */
    {0x2f, NO_DATA, NOTHING, 0},    /* VERIFY (10) */
    {0x35, NO_DATA, NOTHING, 0},    /* SYNCHRONIZE CACHE */
    {0x3c, IN, BYTES_24, 6},        /* READ BUFFER */
    {0x42, IN, BYTES_16, 7},        /* READ SUB-CHANNEL */
    {0x43, IN, BYTES_16, 7},        /* READ TOC/PMA/ATIP */
    {0x44, IN, BYTES_16, 7},        /* READ HEADER */
    {0x45, NO_DATA, NOTHING, 0},    /* PLAY AUDIO (10) */
    {0x46, IN, BYTES_16, 7},        /* GET CONFIGURATION */
    {0x47, NO_DATA, NOTHING, 0},    /* PLAY AUDIO MSF */
    {0x4a, IN, BYTES_16, 7},        /* GET EVENT STATUS NOTIFICATION */
    {0x4b, NO_DATA, NOTHING, 0},    /* PAUSE/RESUME */
    {0x4e, NO_DATA, NOTHING, 0},    /* STOP PLAY/SCAN */
    {0x51, IN, BYTES_16, 7},        /* READ DISC INFORMATION */
    {0x52, IN, BYTES_16, 7},        /* READ TRACK INFORMATION */
    {0x53, NO_DATA, NOTHING, 0},    /* RESERVE TRACK */
    {0x54, OUT, BYTES_16, 7},       /* SEND OPC INFORMATION */
    {0x55, OUT, BYTES_16, 7},       /* MODE SELECT (10) */
    {0x58, NO_DATA, NOTHING, 0},    /* REPAIR TRACK */
    {0x5a, IN, BYTES_16, 7},        /* MODE SENSE (10) */
    {0x5b, NO_DATA, NOTHING, 0},    /* CLOSE TRACK/SESSION */
    {0x5c, IN, BYTES_16, 7},        /* READ BUFFER CAPACITY */
    {0x5d, OUT, BYTES_24, 6},       /* SEND CUE SHEET */
    {0xa1, NO_DATA, NOTHING, 0},    /* BLANK */
    {0xa3, OUT, BYTES_16, 8},       /* SEND KEY */
    {0xa4, IN, BYTES_16, 8},        /* REPORT KEY */
    {0xa7, NO_DATA, NOTHING, 0},    /* SET READ AHEAD */
    {0xa8, IN, BLOCKS_32, 6},       /* READ (12) */
    {0xaa, OUT, SECTORS_32, 6},     /* WRITE (12) */
    {0xac, IN, SPEEDS, 8},          /* GET PERFORMANCE */
    {0xad, IN, BYTES_16, 8},        /* READ DISC STRUCTURE */
    {0xb6, OUT, BYTES_16, 9},       /* SET STREAMING */
    {0xb9, IN, SECTORS_MSF, 3},     /* READ CD MSF */
    {0xbb, NO_DATA, NOTHING, 0},    /* SET CD SPEED */
    {0xbd, IN, BYTES_16, 8},        /* MECHANISM STATUS */
    {0xbe, IN, SECTORS_24, 6},      /* READ CD */
    {0xbf, OUT, BYTES_16, 8},       /* SEND DISC STRUCTURE */
};
/* clang-format on */

static uint32_t
get24(const uint8_t *in)
{
    return (uint32_t)in[0] << 16 | scsi_get16(in + 1);
}

static uint64_t
msf_sectors(const uint8_t *msf)
{
    const int64_t first = (msf[0] * 60 + msf[1]) * 75 + msf[2];
    const int64_t end = (msf[3] * 60 + msf[4]) * 75 + msf[5];

    return (uint64_t)MAX(end - first, 0);
}

static uint64_t
measure(const PassRow *row, const uint8_t *cdb)
{
    const uint8_t *at = cdb + row->at;

    switch (row->measure) {
    case NOTHING: return 0;
    case BYTES_8: return at[0];
    case BYTES_16: return scsi_get16(at);
    case BYTES_24: return get24(at);
    case BLOCKS_16: return (uint64_t)scsi_get16(at) * SCSI_CD_SECTOR;
    case BLOCKS_32: return (uint64_t)scsi_get32(at) * SCSI_CD_SECTOR;
    case SECTORS_16: return (uint64_t)scsi_get16(at) * SECTOR_MAX;
    case SECTORS_24: return (uint64_t)get24(at) * SECTOR_MAX;
    case SECTORS_32: return (uint64_t)scsi_get32(at) * SECTOR_MAX;
    case SECTORS_MSF: return msf_sectors(at) * SECTOR_MAX;
    case CAPACITY: return 8;
    case FORMAT: return (cdb[1] & 0x10) != 0 ? 12 : 0;
    case SPEEDS: return 8 + 16 * (uint64_t)scsi_get16(at);
    }
    return 0;
}

static const PassRow *
find_row(uint8_t code)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++)
        if (rows[i].code == code)
            return &rows[i];
    return NULL;
}

/* The device itself knows better: it has the sense of the last command, and the host reads ahead
 * and keeps what it has read. */
static bool
is_done_here(const ScsiUnit *unit, uint8_t code)
{
    switch (code) {
    case 0x03: /* REQUEST SENSE */
    case 0xa0: /* REPORT LUNS */ return true;
    case 0x28:
    case 0xa8: return scsi_has_medium(unit);
    default: return false;
    }
}

bool
mmc_pass(ScsiUnit *unit, ScsiTask *task)
{
    const PassRow *row = find_row(task->cdb[0]);

    /* The drive's own tray and attention count, not what is kept of an image's. */
    unit->unit_attention = unit->tray_open = false;
    if (is_done_here(unit, task->cdb[0]))
        return false;
    unit->sense = (ScsiSense){SENSE_NONE, 0, 0};
    if (row == NULL) {
        pdm_log(unit->device, "SCSI command %02x does not go to the host's drive.", task->cdb[0]);
        scsi_fail(unit, task, SENSE_ILLEGAL_REQUEST, 0x20, 0);
    } else if (row->code == 0xa3 && (task->cdb[10] & 0x3f) == KEY_FORMAT_REGION) {
        scsi_fail_field(unit, task);
    } else {
        task->op = SCSI_PASS;
        task->to_device = row->direction == OUT;
        task->size = (uint32_t)MIN(measure(row, task->cdb), SCSI_PASS_MAX);
    }
    return true;
}
