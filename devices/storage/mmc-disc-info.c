/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What a CD/DVD drive says about its disc: READ TOC/PMA/ATIP, READ DISC INFORMATION, READ TRACK
 * INFORMATION, READ SUB-CHANNEL (MMC-3 chapter 6). A disc is one closed session with one data
 * track. */
#include <string.h>

#include "devices/storage/scsi-private.h"

#define DATA_TRACK 0x14 /* ADR 1, data, copying prohibited */
#define LEAD_OUT 0xaa

static void
put_address(uint8_t *out, uint32_t lba, bool msf)
{
    if (!msf) {
        scsi_put32(out, lba);
        return;
    }
    out[0] = 0;
    mmc_put_msf(out + 1, lba);
}

/* --- READ TOC --- */

static unsigned
put_track(uint8_t *out, uint8_t track, uint32_t lba, bool msf)
{
    out[0] = 0;
    out[1] = DATA_TRACK;
    out[2] = track;
    out[3] = 0;
    put_address(out + 4, lba, msf);
    return 8;
}

static unsigned
put_toc(uint8_t *out, uint8_t from, uint32_t sectors, bool msf)
{
    unsigned size = 0;

    if (from <= 1)
        size += put_track(out, 1, 0, msf);
    return size + put_track(out + size, LEAD_OUT, sectors, msf);
}

static unsigned
put_raw_entry(uint8_t *out, uint8_t point, const uint8_t address[3])
{
    memset(out, 0, 11);
    out[0] = 1; /* session */
    out[1] = DATA_TRACK;
    out[3] = point;
    memcpy(out + 8, address, 3);
    return 11;
}

static unsigned
put_raw_toc(uint8_t *out, uint32_t sectors)
{
    static const uint8_t first_track[3] = {1, 0, 0};
    uint8_t start[3], end[3];
    unsigned size = 0;

    mmc_put_msf(start, 0);
    mmc_put_msf(end, sectors);
    size += put_raw_entry(out + size, 0xa0, first_track);
    size += put_raw_entry(out + size, 0xa1, first_track); /* the last one, too */
    size += put_raw_entry(out + size, 0xa2, end);
    size += put_raw_entry(out + size, 0x01, start);
    return size;
}

void
mmc_read_toc(ScsiUnit *unit, ScsiTask *task)
{
    uint32_t sectors = (uint32_t)scsi_blocks(unit);
    uint8_t *out = task->data;
    bool msf = (task->cdb[1] & 0x02) != 0;
    uint8_t format = task->cdb[2] & 0x0f;
    uint8_t from = task->cdb[6];
    unsigned size = 4;

    if (format == 0)
        format = task->cdb[9] >> 6; /* where SFF-8020i has it */
    if (format > 2 || (format == 0 && from > 1 && from != LEAD_OUT)) {
        scsi_fail_field(unit, task);
        return;
    }
    out[2] = out[3] = 1; /* first and last track or session */
    switch (format) {
    case 0: size += put_toc(out + size, from, sectors, msf); break;
    case 1: size += put_track(out + size, 1, 0, msf); break;
    default: size += put_raw_toc(out + size, sectors); break;
    }
    scsi_put16(out, size - 2);
    scsi_reply(task, size, scsi_get16(task->cdb + 7));
}

/* --- disc and track --- */

void
mmc_read_disc_information(ScsiUnit *unit, ScsiTask *task)
{
    uint8_t *out = task->data;

    if ((task->cdb[1] & 7) != 0) {
        scsi_fail_field(unit, task);
        return;
    }
    memset(out, 0, 34);
    scsi_put16(out, 32);
    out[2] = 0x0e; /* complete session on a finalised disc */
    out[3] = out[4] = out[5] = out[6] = 1;
    out[7] = 0x20;             /* no restriction of use */
    memset(out + 17, 0xff, 3); /* no further session's lead-in */
    memset(out + 21, 0xff, 3); /* nor lead-out */
    scsi_reply(task, 34, scsi_get16(task->cdb + 7));
}

void
mmc_read_track_information(ScsiUnit *unit, ScsiTask *task)
{
    uint32_t sectors = (uint32_t)scsi_blocks(unit);
    uint32_t address = scsi_get32(task->cdb + 2);
    uint8_t kind = task->cdb[1] & 3;
    uint8_t *out = task->data;

    if (kind == 3 || (kind == 0 ? address >= sectors : address != 1)) {
        scsi_fail_field(unit, task);
        return;
    }
    memset(out, 0, 36);
    scsi_put16(out, 34);
    out[2] = 1;    /* track */
    out[3] = 1;    /* session */
    out[5] = 0x04; /* data track */
    out[6] = 0x01; /* mode 1 */
    scsi_put32(out + 24, sectors);
    scsi_put32(out + 28, sectors - 1);
    scsi_reply(task, 36, scsi_get16(task->cdb + 7));
}

void
mmc_read_subchannel(ScsiUnit *unit, ScsiTask *task)
{
    uint8_t *out = task->data;
    bool msf = (task->cdb[1] & 0x02) != 0;
    uint8_t format = task->cdb[3];
    unsigned size = 4;

    memset(out, 0, 24);
    out[1] = 0x15; /* no audio is playing */
    if ((task->cdb[2] & 0x40) != 0) {
        if (format < 1 || format > 3) {
            scsi_fail_field(unit, task);
            return;
        }
        /* The position; or the codes of catalogue and recording, which are not there. */
        size = format == 1 ? 16 : 24;
        out[4] = format;
        out[5] = DATA_TRACK;
        out[6] = out[7] = format == 1 ? 1 : 0;
        if (format == 1)
            put_address(out + 8, 0, msf);
    }
    scsi_put16(out + 2, size - 4);
    scsi_reply(task, size, scsi_get16(task->cdb + 7));
}
