/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * An ATA drive without the wires: its registers, its settings, and what a command asks of it. A
 * controller (IDE, AHCI) fills the registers, calls ata_begin() and carries out the task that comes
 * back: moves data between host and medium in the manner of its bus, and reports the end with the
 * registers. ATA/ATAPI-6 (T13/1410D); DATA SET MANAGEMENT and queued commands from ACS-2. */
#pragma once

#include "vmm/pdm/pdm.h"

#define ATA_SECTOR 512u
#define ATA_MULTIPLE_MAX 16u
#define ATA_PACKET_SIZE 12u
#define ATA_QUEUE_DEPTH 32u
/* One block of ranges for DATA SET MANAGEMENT, as IDENTIFY says. */
#define ATA_TRIM_BLOCKS_MAX 1u

/* Status register. */
enum {
    ATA_ERR = 0x01,
    ATA_DRQ = 0x08,
    ATA_DSC = 0x10,
    ATA_DF = 0x20,
    ATA_DRDY = 0x40,
    ATA_BSY = 0x80,
};

/* Error register. */
enum {
    ATA_ERROR_ABRT = 0x04,
    ATA_ERROR_IDNF = 0x10,
    ATA_ERROR_UNC = 0x40,
};

/* Device control and device registers. */
enum {
    ATA_CONTROL_NIEN = 0x02,
    ATA_CONTROL_SRST = 0x04,
    ATA_CONTROL_HOB = 0x80,
    ATA_DEVICE_SLAVE = 0x10,
    ATA_DEVICE_LBA = 0x40,
};

/* Interrupt reason (the sector count register of PACKET commands). */
enum {
    ATA_REASON_COMMAND = 0x01,
    ATA_REASON_TO_HOST = 0x02,
};

/* Registers of the command block that have a previous content (HOB). */
typedef enum {
    ATA_REG_FEATURES,
    ATA_REG_COUNT,
    ATA_REG_LBA_LOW,
    ATA_REG_LBA_MID,
    ATA_REG_LBA_HIGH,
    ATA_REGS,
} AtaReg;

typedef struct {
    PdmDevice *device;              /* for the log */
    const PdmMediaConnector *media; /* NULL: no drive */
    uint64_t sectors;               /* of a disk, in 512 bytes */
    bool packet;                    /* a packet (CD-ROM) drive */
    bool second;                    /* the slave of a pair */
    bool serial;                    /* on a SATA link: queued commands, no translation of cables */
    bool trim;                      /* DATA SET MANAGEMENT is offered */

    uint8_t regs[ATA_REGS], previous[ATA_REGS];
    uint8_t status, error;
    uint32_t heads, sectors_per_track; /* present translation */
    uint32_t multiple;     /* sectors in a DRQ block of READ and WRITE MULTIPLE; 0: off */
    uint8_t transfer_mode; /* as in SET FEATURES 03h */
    bool write_cache, look_ahead, smart;
    bool standby;
    uint8_t
        queued_error[14]; /* of the log of queued commands: tag, status, error, address, count */
} AtaDrive;

typedef enum {
    ATA_NOTHING, /* the command has ended well */
    ATA_FAIL,    /* the command has ended with `error` */
    ATA_REPLY,   /* `reply` goes to the host */
    ATA_READ,
    ATA_WRITE,
    ATA_VERIFY,
    ATA_FLUSH,
    ATA_TRIM,   /* `count` sectors of ranges come from the host: ata_trim_range() */
    ATA_PACKET, /* a packet comes from the host */
    ATA_RESET,  /* DEVICE RESET: what is under way is forgotten, signature */
} AtaOp;

typedef struct {
    AtaOp op;
    uint8_t error;
    uint64_t lba;
    uint32_t count; /* sectors */
    uint32_t block; /* bytes in a DRQ block of PIO */
    bool dma, fua;
    uint8_t reply[ATA_SECTOR];
} AtaTask;

/* Puts a drive of this medium (NULL: none) into the state after power-on. */
void ata_drive_attach(AtaDrive *drive, PdmDevice *device, const PdmMediaConnector *media);
/* Settings as after power-on; registers as ata_set_signature(). */
void ata_drive_reset(AtaDrive *drive);
/* Registers, status and error as after a reset. */
void ata_set_signature(AtaDrive *drive);

/* ata-commands.c: what `command` asks for, with the registers and `select`, the device register.
 * Changes of settings have been made when it returns. The range of a task lies on the medium. */
void ata_begin(AtaDrive *drive, uint8_t select, uint8_t command, AtaTask *task);
/* Fills task with the read or write of a range; with the error IDNF when it is not on the disk. */
void ata_begin_range(AtaDrive *drive, AtaOp op, uint64_t lba, uint32_t count, AtaTask *task);
uint64_t ata_lba48(const AtaDrive *drive);
/* The registers say where a transfer has failed. */
void ata_put_lba(AtaDrive *drive, uint64_t lba);
/* The range of an entry of DATA SET MANAGEMENT's list; false: the entry is empty or not on the
 * disk. */
bool ata_trim_range(const AtaDrive *drive, const uint8_t entry[8], uint64_t *lba, uint32_t *count);

/* ata-identify.c */
void ata_identify_disk(const AtaDrive *drive, uint8_t out[ATA_SECTOR]);
void ata_identify_packet(const AtaDrive *drive, uint8_t out[ATA_SECTOR]);

/* ata-features.c */
void ata_set_features(AtaDrive *drive, AtaTask *task);
void ata_smart(AtaDrive *drive, AtaTask *task);
/* READ LOG EXT of the directory and of the queued error log. */
void ata_read_log(AtaDrive *drive, AtaTask *task);

/* The part of a drive that a saved state holds, and whether it holds together. */
extern const SsmField ata_drive_fields[];
bool ata_drive_holds(const AtaDrive *drive);
