/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The data transfer commands of the 82078 (chapters 5.1 and 6.1): sector by sector between the
 * medium and the host, by DMA or by the data register. Images have sectors of 512 bytes without
 * marks, so other sizes are not found, nothing is ever deleted, and formatting cannot move sectors
 * to other places. */
#include <errno.h>
#include <string.h>

#include "devices/storage/fdc-private.h"

#define FORMAT_ID_SIZE 4u

/* --- the end of a command --- */

static void
finish(Fdc *fdc, uint8_t st0, uint8_t st1, uint8_t st2)
{
    FdcTransfer *transfer = &fdc->transfer;
    uint8_t *out = fdc->bytes;

    pdm_dma_dreq(fdc->device, FDC_DMA, false);
    out[0] = (uint8_t)(st0 | transfer->head << 2 | transfer->drive);
    out[1] = st1;
    out[2] = st2;
    out[3] = transfer->cylinder;
    out[4] = transfer->side;
    out[5] = transfer->sector;
    out[6] = transfer->size_code;
    transfer->op = FDC_OP_NONE;
    fdc_result(fdc, 7, true);
}

static void
fail(Fdc *fdc, uint8_t st1, uint8_t st2)
{
    finish(fdc, FDC_ST0_ABNORMAL, st1, st2);
}

/* --- addresses --- */

/* False: the command has failed. */
static bool
find_track(Fdc *fdc, FdcGeometry *geometry)
{
    const FdcTransfer *transfer = &fdc->transfer;

    if (fdc_geometry(fdc, transfer->drive, geometry) &&
        fdc->drives[transfer->drive].track < geometry->tracks && transfer->head < geometry->heads)
        return true;
    fail(fdc, FDC_ST1_NO_ADDRESS_MARK, 0);
    return false;
}

static bool
find_sector(Fdc *fdc)
{
    FdcTransfer *transfer = &fdc->transfer;
    uint8_t track = fdc->drives[transfer->drive].track;
    FdcGeometry geometry;

    if (!find_track(fdc, &geometry))
        return false;
    if (transfer->cylinder != track) {
        fail(fdc, FDC_ST1_NO_DATA, FDC_ST2_WRONG_CYLINDER);
        return false;
    }
    transfer->lba = ((uint32_t)track * geometry.heads + transfer->head) * geometry.per_track +
                    transfer->sector - 1;
    if (transfer->side == transfer->head && transfer->size_code == FDC_SECTOR_CODE &&
        transfer->sector > 0 && transfer->sector <= geometry.per_track &&
        transfer->lba < geometry.sectors)
        return true;
    fail(fdc, FDC_ST1_NO_DATA, 0);
    return false;
}

/* Moves the ID on to the next sector (table 5-5); false when that was the last of the cylinder. */
static bool
next_sector(FdcTransfer *transfer)
{
    unsigned next = transfer->sector + transfer->step;

    if (next <= transfer->last) {
        transfer->sector = (uint8_t)next;
        return true;
    }
    transfer->sector = 1;
    if (transfer->multi_track && transfer->head == 0) {
        transfer->head = transfer->side = 1;
        return true;
    }
    if (transfer->multi_track)
        transfer->side = 0;
    transfer->cylinder++;
    return false;
}

/* --- between host and buffer --- */

static void
begin_host(Fdc *fdc, uint32_t wanted)
{
    fdc->transfer.position = 0;
    fdc->transfer.wanted = wanted;
    fdc->phase = FDC_PHASE_HOST;
    if (fdc_uses_dma(fdc))
        pdm_dma_dreq(fdc->device, FDC_DMA, true);
    else
        fdc_raise_irq(fdc);
}

void
fdc_submit(Fdc *fdc)
{
    const FdcTransfer *transfer = &fdc->transfer;
    bool write = transfer->op == FDC_OP_WRITE || transfer->op == FDC_OP_FORMAT;

    fdc->phase = FDC_PHASE_MEDIUM;
    drive_io_submit(&fdc->io, fdc->drives[transfer->drive].media,
                    write ? PDM_IO_WRITE : PDM_IO_READ, (uint64_t)transfer->lba * FDC_SECTOR,
                    FDC_SECTOR, 0);
}

/* The sector that the ID names: from the medium first, or from the host. */
static void
begin_sector(Fdc *fdc)
{
    if (!find_sector(fdc))
        return;
    if (fdc->transfer.op == FDC_OP_WRITE)
        begin_host(fdc, FDC_SECTOR);
    else
        fdc_submit(fdc);
}

/* A sector is through. */
static void
advance(Fdc *fdc)
{
    FdcTransfer *transfer = &fdc->transfer;
    bool more = next_sector(transfer);
    bool enough = transfer->terminal || (transfer->counted && --transfer->left == 0);

    if (transfer->deleted)
        finish(fdc, 0, 0, FDC_ST2_CONTROL_MARK);
    else if (enough || (!more && transfer->op == FDC_OP_VERIFY && !transfer->counted))
        finish(fdc, 0, 0, 0);
    else if (!more && transfer->op == FDC_OP_SCAN)
        finish(fdc, 0, 0, FDC_ST2_SCAN_NOT_MET);
    else if (!more)
        fail(fdc, FDC_ST1_END_OF_CYLINDER, 0);
    else
        begin_sector(fdc);
}

static bool
scan_is_met(const FdcTransfer *transfer)
{
    switch (transfer->scan) {
    case 0x11: return transfer->compared == 0;
    case 0x19: return transfer->compared <= 0;
    default: return transfer->compared >= 0;
    }
}

/* FORMAT: the host has given a sector's ID. */
static void
format_sector(Fdc *fdc)
{
    FdcTransfer *transfer = &fdc->transfer;
    const uint8_t *id = fdc->io.buffer;

    transfer->cylinder = id[0];
    transfer->side = id[1];
    transfer->sector = id[2];
    transfer->size_code = id[3];
    if (!find_sector(fdc))
        return;
    memset(fdc->io.buffer, transfer->fill, FDC_SECTOR);
    fdc_submit(fdc);
}

/* The host has moved what was wanted, or the DMA controller has nothing more. */
static void
host_done(Fdc *fdc)
{
    FdcTransfer *transfer = &fdc->transfer;

    pdm_dma_dreq(fdc->device, FDC_DMA, false);
    switch (transfer->op) {
    case FDC_OP_WRITE:
        memset(fdc->io.buffer + transfer->position, 0, FDC_SECTOR - transfer->position);
        fdc_submit(fdc);
        break;
    case FDC_OP_FORMAT:
        if (transfer->position == FORMAT_ID_SIZE)
            format_sector(fdc);
        else
            finish(fdc, 0, 0, 0);
        break;
    case FDC_OP_SCAN:
        if (scan_is_met(transfer))
            finish(fdc, 0, 0, transfer->compared == 0 ? FDC_ST2_SCAN_EQUAL : 0);
        else if (transfer->terminal)
            finish(fdc, 0, 0, FDC_ST2_SCAN_NOT_MET);
        else
            advance(fdc);
        break;
    default: advance(fdc); break;
    }
}

/* The host's next bytes for a SCAN; 0xff on either side matches everything. */
static void
compare(Fdc *fdc, const uint8_t *data, uint32_t size)
{
    FdcTransfer *transfer = &fdc->transfer;
    const uint8_t *disk = fdc->io.buffer + transfer->position;

    for (uint32_t i = 0; i < size && transfer->compared == 0; i++)
        if (data[i] != 0xff && disk[i] != 0xff && data[i] != disk[i])
            transfer->compared = disk[i] < data[i] ? -1 : 1;
}

uint32_t
fdc_dma(void *user, unsigned channel, uint32_t position, uint32_t size)
{
    Fdc *fdc = user;
    FdcTransfer *transfer = &fdc->transfer;
    uint8_t data[FDC_SECTOR];
    uint32_t part;

    if (fdc->phase != FDC_PHASE_HOST || !fdc_uses_dma(fdc) || position > size)
        return position;
    part = MIN(transfer->wanted - transfer->position, size - position);
    if (fdc_to_host(fdc)) {
        part = pdm_dma_write(fdc->device, channel, fdc->io.buffer + transfer->position, position,
                             part);
    } else {
        part = pdm_dma_read(fdc->device, channel, data, position, part);
        if (transfer->op == FDC_OP_SCAN)
            compare(fdc, data, part);
        else
            memcpy(fdc->io.buffer + transfer->position, data, part);
    }
    transfer->position += part;
    position += part;
    transfer->terminal = position >= size;
    if (transfer->terminal || transfer->position == transfer->wanted)
        host_done(fdc);
    return position;
}

/* In non-DMA mode each byte has an interrupt of its own. */
static void
byte_done(Fdc *fdc)
{
    fdc_lower_irq(fdc);
    if (++fdc->transfer.position == fdc->transfer.wanted)
        host_done(fdc);
    else
        fdc_raise_irq(fdc);
}

uint8_t
fdc_host_read(Fdc *fdc)
{
    uint8_t value = fdc->io.buffer[fdc->transfer.position];

    byte_done(fdc);
    return value;
}

void
fdc_host_write(Fdc *fdc, uint8_t value)
{
    if (fdc->transfer.op == FDC_OP_SCAN)
        compare(fdc, &value, 1);
    else
        fdc->io.buffer[fdc->transfer.position] = value;
    byte_done(fdc);
}

/* --- the medium has answered --- */

static void
medium_failed(Fdc *fdc, int error)
{
    if (error == ENOMEDIUM)
        fail(fdc, FDC_ST1_NO_ADDRESS_MARK, 0);
    else if (error == EROFS)
        fail(fdc, FDC_ST1_NOT_WRITABLE, 0);
    else
        fail(fdc, FDC_ST1_DATA_ERROR, FDC_ST2_DATA_ERROR);
}

void
fdc_medium_done(void *user, int error)
{
    Fdc *fdc = user;
    FdcTransfer *transfer = &fdc->transfer;

    if (error != 0) {
        medium_failed(fdc, error);
        return;
    }
    switch (transfer->op) {
    case FDC_OP_SCAN:
        transfer->compared = 0;
        begin_host(fdc, FDC_SECTOR);
        break;
    case FDC_OP_READ: begin_host(fdc, FDC_SECTOR); break;
    case FDC_OP_FORMAT:
        if (transfer->terminal || --transfer->left == 0)
            finish(fdc, 0, 0, 0);
        else
            begin_host(fdc, FORMAT_ID_SIZE);
        break;
    default: advance(fdc); break;
    }
}

/* --- the commands --- */

static void
take_drive(Fdc *fdc, FdcOp op)
{
    fdc->transfer = (FdcTransfer){
        .op = op,
        .drive = fdc->bytes[1] & 3,
        .head = fdc->bytes[1] >> 2 & 1,
        .step = 1,
    };
}

static void
take_parameters(Fdc *fdc, FdcOp op)
{
    FdcTransfer *transfer = &fdc->transfer;
    const uint8_t *bytes = fdc->bytes;

    take_drive(fdc, op);
    transfer->multi_track = (bytes[0] & 0x80) != 0;
    transfer->cylinder = bytes[2];
    transfer->side = bytes[3];
    transfer->sector = bytes[4];
    transfer->size_code = bytes[5];
    transfer->last = bytes[6];
    fdc->eot = bytes[6];
    if ((fdc->config & FDC_CONFIG_IMPLIED_SEEK) != 0)
        fdc_seek(fdc, transfer->drive, transfer->cylinder);
}

void
fdc_begin_read(Fdc *fdc)
{
    FdcTransfer *transfer = &fdc->transfer;
    uint8_t code = fdc->bytes[0] & 0x1f;

    take_parameters(fdc, FDC_OP_READ);
    if (code == 0x02) { /* READ TRACK */
        transfer->sector = 1;
        transfer->multi_track = false;
    }
    transfer->deleted = code == 0x0c;
    if (transfer->deleted && (fdc->bytes[0] & 0x20) != 0)
        fail(fdc, FDC_ST1_NO_DATA, 0); /* all sectors are skipped */
    else
        begin_sector(fdc);
}

void
fdc_begin_write(Fdc *fdc)
{
    take_parameters(fdc, FDC_OP_WRITE);
    if (fdc_has_medium(&fdc->drives[fdc->transfer.drive]) &&
        fdc_is_protected(&fdc->drives[fdc->transfer.drive]))
        fail(fdc, FDC_ST1_NOT_WRITABLE, 0);
    else
        begin_sector(fdc);
}

void
fdc_begin_verify(Fdc *fdc)
{
    FdcTransfer *transfer = &fdc->transfer;

    take_parameters(fdc, FDC_OP_VERIFY);
    transfer->counted = (fdc->bytes[1] & 0x80) != 0;
    transfer->left = fdc->bytes[8];
    if (transfer->counted && transfer->left == 0)
        finish(fdc, 0, 0, 0);
    else
        begin_sector(fdc);
}

void
fdc_begin_scan(Fdc *fdc)
{
    take_parameters(fdc, FDC_OP_SCAN);
    fdc->transfer.scan = fdc->bytes[0] & 0x1f;
    fdc->transfer.step = fdc->bytes[8] == 2 ? 2 : 1;
    begin_sector(fdc);
}

void
fdc_begin_format(Fdc *fdc)
{
    FdcTransfer *transfer = &fdc->transfer;
    FdcGeometry geometry;

    take_drive(fdc, FDC_OP_FORMAT);
    transfer->cylinder = fdc->drives[transfer->drive].track;
    transfer->side = transfer->head;
    transfer->size_code = fdc->bytes[2];
    transfer->left = fdc->bytes[3];
    transfer->fill = fdc->bytes[5];
    if (!find_track(fdc, &geometry))
        return;
    if (fdc_is_protected(&fdc->drives[transfer->drive]))
        fail(fdc, FDC_ST1_NOT_WRITABLE, 0);
    else if (transfer->size_code != FDC_SECTOR_CODE || transfer->left == 0)
        fail(fdc, FDC_ST1_NO_DATA, 0);
    else
        begin_host(fdc, FORMAT_ID_SIZE);
}

void
fdc_read_id(Fdc *fdc)
{
    FdcTransfer *transfer = &fdc->transfer;
    FdcGeometry geometry;
    FdcDrive *drive;

    take_drive(fdc, FDC_OP_NONE);
    drive = &fdc->drives[transfer->drive];
    if ((fdc->bytes[0] & 0x40) == 0) { /* FM */
        fail(fdc, FDC_ST1_NO_ADDRESS_MARK, 0);
        return;
    }
    if (!find_track(fdc, &geometry))
        return;
    drive->rotation = (uint8_t)(drive->rotation % geometry.per_track + 1);
    transfer->cylinder = drive->track;
    transfer->side = transfer->head;
    transfer->sector = drive->rotation;
    transfer->size_code = FDC_SECTOR_CODE;
    finish(fdc, 0, 0, 0);
}
