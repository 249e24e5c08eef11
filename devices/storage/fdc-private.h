/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The inside of the floppy disk controller. Intel 82078 (290468), AT mode. A command goes through
 * the phases of its chapter 5: command, execution, result. Every byte that the guest gives has its
 * place in an array whose size is the longest command's; the number of parameters comes from the
 * command's row. */
#pragma once

#include "devices/storage/drive-commands.h"
#include "devices/storage/drive-io.h"
#include "vmm/pdm/pdm.h"

#define FDC_LUNS 2
#define FDC_DRIVES 4 /* that can be selected; no more than FDC_LUNS are there */
#define FDC_SECTOR 512u
#define FDC_SECTOR_CODE 2 /* N of 512 bytes */
#define FDC_IRQ 6
#define FDC_DMA 2
#define FDC_BYTES_MAX 17 /* the command byte and the parameters of RESTORE */

/* Main status register. */
enum {
    FDC_MSR_BUSY = 0x10,
    FDC_MSR_NON_DMA = 0x20,
    FDC_MSR_TO_HOST = 0x40,
    FDC_MSR_READY = 0x80,
};

/* Digital output register. */
enum {
    FDC_DOR_SELECT = 0x03,
    FDC_DOR_RUN = 0x04, /* not in reset */
    FDC_DOR_GATE = 0x08,
};

/* Status registers 0 to 3. */
enum {
    FDC_ST0_CHECK = 0x10,
    FDC_ST0_SEEK_END = 0x20,
    FDC_ST0_ABNORMAL = 0x40,
    FDC_ST0_INVALID = 0x80,
    FDC_ST0_POLLED = 0xc0,
    FDC_ST1_NO_ADDRESS_MARK = 0x01,
    FDC_ST1_NOT_WRITABLE = 0x02,
    FDC_ST1_NO_DATA = 0x04,
    FDC_ST1_DATA_ERROR = 0x20,
    FDC_ST1_END_OF_CYLINDER = 0x80,
    FDC_ST2_SCAN_NOT_MET = 0x04,
    FDC_ST2_SCAN_EQUAL = 0x08,
    FDC_ST2_WRONG_CYLINDER = 0x10,
    FDC_ST2_DATA_ERROR = 0x20,
    FDC_ST2_CONTROL_MARK = 0x40,
    FDC_ST3_TWO_SIDES = 0x08,
    FDC_ST3_TRACK_0 = 0x10,
    FDC_ST3_READY = 0x20,
    FDC_ST3_PROTECTED = 0x40,
};

/* CONFIGURE's second byte. */
enum {
    FDC_CONFIG_IMPLIED_SEEK = 0x40,
    FDC_CONFIG_NO_FIFO = 0x20,
    FDC_CONFIG_NO_POLL = 0x10,
};

typedef enum {
    FDC_PHASE_IDLE,
    FDC_PHASE_COMMAND, /* parameters are missing */
    FDC_PHASE_MEDIUM,  /* the driver below is at work */
    FDC_PHASE_HOST,    /* the host gives or takes the sector's bytes */
    FDC_PHASE_RESULT,
    FDC_PHASES,
} FdcPhase;

typedef enum {
    FDC_OP_NONE,
    FDC_OP_READ,
    FDC_OP_WRITE,
    FDC_OP_VERIFY,
    FDC_OP_SCAN,
    FDC_OP_FORMAT,
    FDC_OPS,
} FdcOp;

typedef struct {
    uint32_t sectors; /* on the medium */
    uint8_t tracks, heads, per_track;
    uint8_t rates; /* a bit for each data rate code at which it can be read */
} FdcGeometry;

typedef struct {
    PdmMediaPort port;
    const PdmMediaConnector *media; /* NULL: no drive */
    uint8_t track;
    bool changed;     /* the disk change line */
    uint8_t rotation; /* sector number that passed under the head last */
} FdcDrive;

/* A data transfer command at work. */
typedef struct {
    uint32_t op; /* FdcOp */
    uint8_t drive, head;
    uint8_t cylinder, side, sector, size_code; /* the ID looked for */
    uint8_t last;                              /* EOT */
    uint8_t step;                              /* SCAN: 1 or 2 */
    uint8_t left;                              /* VERIFY with a count, FORMAT: sectors to go */
    uint8_t fill;                              /* FORMAT */
    bool multi_track, counted, deleted;
    bool terminal;   /* the DMA controller has said that it was all */
    uint8_t scan;    /* the command's code */
    int8_t compared; /* SCAN: the sector against the host's data: -1 less, 0 equal, 1 more */
    uint32_t lba;    /* of the sector in the buffer */
    uint32_t position;
    uint32_t wanted; /* bytes to move with the host for this sector */
} FdcTransfer;

typedef struct {
    PdmDevice *device;
    DriveCommands commands;
    FdcDrive drives[FDC_DRIVES];
    DriveIo io;

    uint8_t dor, tdr, rate;
    uint8_t step_rate, head_load;    /* SPECIFY */
    uint8_t config, precompensation; /* CONFIGURE */
    uint8_t perpendicular, option;
    uint8_t specification[FDC_DRIVES];
    bool locked;
    uint8_t eot; /* of the last command, for DUMPREG */

    uint32_t phase; /* FdcPhase */
    uint8_t bytes[FDC_BYTES_MAX];
    uint8_t length; /* bytes of the command or the result */
    uint8_t at;     /* how many of them have passed */

    bool irq;
    uint8_t reset_left; /* interrupts of the reset that have not been asked about */
    uint8_t seeks;      /* a bit for each drive whose seek has ended and was not asked about */
    uint8_t seek_status[FDC_DRIVES];
    FdcTransfer transfer;
} Fdc;

/* fdc.c */
void fdc_update_irq(Fdc *fdc);
void fdc_raise_irq(Fdc *fdc);
void fdc_lower_irq(Fdc *fdc);
void fdc_reset_controller(Fdc *fdc);

/* fdc-command.c: the data register */
uint8_t fdc_data_read(Fdc *fdc);
void fdc_data_write(Fdc *fdc, uint8_t value);
/* The command has ended: `length` bytes of fdc->bytes are its result (0: none). */
void fdc_result(Fdc *fdc, uint8_t length, bool irq);

/* fdc-drive.c */
bool fdc_geometry(const Fdc *fdc, unsigned drive, FdcGeometry *geometry);
/* As the CMOS has it: 0 none, 2 1.2 MB, 4 1.44 MB, 5 2.88 MB. */
uint8_t fdc_drive_type(const FdcDrive *drive);
void fdc_seek(Fdc *fdc, unsigned drive, int track);
bool fdc_has_medium(const FdcDrive *drive);
bool fdc_is_protected(const FdcDrive *drive);
void fdc_medium_changed(void *user, bool present);

/* fdc-transfer.c */
void fdc_begin_read(Fdc *fdc);
void fdc_begin_write(Fdc *fdc);
void fdc_begin_verify(Fdc *fdc);
void fdc_begin_scan(Fdc *fdc);
void fdc_begin_format(Fdc *fdc);
void fdc_read_id(Fdc *fdc);
/* Asks the driver for the sector of the transfer. */
void fdc_submit(Fdc *fdc);
void fdc_medium_done(void *user, int error);
/* A byte by the data register, in non-DMA mode. */
uint8_t fdc_host_read(Fdc *fdc);
void fdc_host_write(Fdc *fdc, uint8_t value);
uint32_t fdc_dma(void *user, unsigned channel, uint32_t position, uint32_t size);
static inline bool
fdc_uses_dma(const Fdc *fdc)
{
    return (fdc->head_load & 0x01) == 0;
}
static inline bool
fdc_to_host(const Fdc *fdc)
{
    return fdc->transfer.op == FDC_OP_READ;
}

/* fdc-state.c */
extern const SsmState fdc_state;
