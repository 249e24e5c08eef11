/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the files of the SCSI units share: rows of commands, answers, big-endian fields. */
#pragma once

#include "devices/storage/scsi.h"

/* All data tracks on a CD of 90 minutes; a larger medium is a DVD. */
#define MMC_CD_SECTORS_MAX 405000u

enum {
    SCSI_NEEDS_MEDIUM = 0x01,
    SCSI_DESPITE_ATTENTION = 0x02, /* carried out although the host has not heard of a new medium */
    SCSI_NOT_ATAPI = 0x04,
};

typedef struct {
    uint8_t code;
    uint8_t flags;
    void (*run)(ScsiUnit *unit, ScsiTask *task);
} ScsiCommand;

static inline void
scsi_put16(uint8_t *out, uint32_t value)
{
    out[0] = (uint8_t)(value >> 8);
    out[1] = (uint8_t)value;
}

static inline void
scsi_put32(uint8_t *out, uint32_t value)
{
    scsi_put16(out, value >> 16);
    scsi_put16(out + 2, value);
}

static inline void
scsi_put64(uint8_t *out, uint64_t value)
{
    scsi_put32(out, (uint32_t)(value >> 32));
    scsi_put32(out + 4, (uint32_t)value);
}

static inline uint32_t
scsi_get16(const uint8_t *in)
{
    return (uint32_t)in[0] << 8 | in[1];
}

static inline uint32_t
scsi_get32(const uint8_t *in)
{
    return scsi_get16(in) << 16 | scsi_get16(in + 2);
}

static inline uint64_t
scsi_get64(const uint8_t *in)
{
    return (uint64_t)scsi_get32(in) << 32 | scsi_get32(in + 4);
}

/* scsi-unit.c: the ends of commands */
void scsi_succeed(ScsiTask *task);
void scsi_fail(ScsiUnit *unit, ScsiTask *task, uint8_t key, uint8_t asc, uint8_t ascq);
/* "Invalid field in command packet". */
void scsi_fail_field(ScsiUnit *unit, ScsiTask *task);
/* Sends bytes of task->data, at most as many as the command has room for, and then succeeds. */
void scsi_reply(ScsiTask *task, uint32_t bytes, uint32_t allocation);
/* There is a medium and the tray is closed. */
bool scsi_has_medium(const ScsiUnit *unit);
uint64_t scsi_blocks(const ScsiUnit *unit);
/* Starts a transfer of blocks, or fails where they are not all on the medium. */
void scsi_begin_range(ScsiUnit *unit, ScsiTask *task, ScsiOp op, uint64_t lba, uint64_t count);
/* Of a drive of the host its door, too. */
void scsi_lock(ScsiUnit *unit, bool locked);
void scsi_test_unit_ready(ScsiUnit *unit, ScsiTask *task);
void scsi_request_sense(ScsiUnit *unit, ScsiTask *task);
void scsi_report_luns(ScsiUnit *unit, ScsiTask *task);

/* scsi-inquiry.c: INQUIRY with the pages of vital product data */
void scsi_inquiry(ScsiUnit *unit, ScsiTask *task);

/* The rows of each kind of unit: mmc-commands.c, scsi-disk.c. */
const ScsiCommand *mmc_find_command(uint8_t code);
const ScsiCommand *scsi_disk_find_command(uint8_t code);
void scsi_disk_taken(ScsiUnit *unit, ScsiTask *task);

/* mmc-read.c */
void mmc_read_10(ScsiUnit *unit, ScsiTask *task);
void mmc_read_12(ScsiUnit *unit, ScsiTask *task);
void mmc_read_cd(ScsiUnit *unit, ScsiTask *task);
void mmc_read_cd_msf(ScsiUnit *unit, ScsiTask *task);
void mmc_seek(ScsiUnit *unit, ScsiTask *task);

/* mmc-frame.c: minute, second and frame of an address, with the two seconds of lead-in counted. */
void mmc_put_msf(uint8_t out[3], uint32_t lba);

/* mmc-pass.c: whether the command is for the host's drive (or is one that must not reach it, and
 * has failed); false: it is carried out here. */
bool mmc_pass(ScsiUnit *unit, ScsiTask *task);

/* mmc-drive-info.c */
void mmc_mode_sense_6(ScsiUnit *unit, ScsiTask *task);
void mmc_mode_sense_10(ScsiUnit *unit, ScsiTask *task);
void mmc_get_configuration(ScsiUnit *unit, ScsiTask *task);
void mmc_get_event(ScsiUnit *unit, ScsiTask *task);
void mmc_mechanism_status(ScsiUnit *unit, ScsiTask *task);

/* mmc-disc-info.c */
void mmc_read_toc(ScsiUnit *unit, ScsiTask *task);
void mmc_read_disc_information(ScsiUnit *unit, ScsiTask *task);
void mmc_read_track_information(ScsiUnit *unit, ScsiTask *task);
void mmc_read_subchannel(ScsiUnit *unit, ScsiTask *task);
