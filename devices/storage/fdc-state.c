/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The saved state of the floppy controller, and the checks on one that is loaded. */
#include "devices/storage/fdc-private.h"

/* clang-format off */
#define FLAG(type, member) SSM_UINT_BELOW(type, member, 2)

static const SsmField drive_fields[] = {
    SSM_UINT(FdcDrive, track),
    FLAG(FdcDrive, changed),
    SSM_UINT(FdcDrive, rotation),
    SSM_END,
};

static const SsmField transfer_fields[] = {
    SSM_UINT_BELOW(FdcTransfer, op, FDC_OPS),
    SSM_UINT_BELOW(FdcTransfer, drive, FDC_DRIVES),
    SSM_UINT_BELOW(FdcTransfer, head, 2),
    SSM_UINT(FdcTransfer, cylinder),
    SSM_UINT(FdcTransfer, side),
    SSM_UINT(FdcTransfer, sector),
    SSM_UINT(FdcTransfer, size_code),
    SSM_UINT(FdcTransfer, last),
    SSM_UINT_BELOW(FdcTransfer, step, 3),
    SSM_UINT(FdcTransfer, left),
    SSM_UINT(FdcTransfer, fill),
    FLAG(FdcTransfer, multi_track),
    FLAG(FdcTransfer, counted),
    FLAG(FdcTransfer, deleted),
    FLAG(FdcTransfer, terminal),
    SSM_UINT(FdcTransfer, scan),
    SSM_UINT(FdcTransfer, compared),
    SSM_UINT_BELOW(FdcTransfer, lba, 0x10000),
    SSM_UINT_BELOW(FdcTransfer, position, FDC_SECTOR + 1),
    SSM_UINT_BELOW(FdcTransfer, wanted, FDC_SECTOR + 1),
    SSM_END,
};

static const SsmField fdc_fields[] = {
    SSM_STRUCT_ARRAY(Fdc, drives, drive_fields),
    SSM_BUFFER(Fdc, io.buffer, FDC_SECTOR),
    SSM_UINT(Fdc, dor),
    SSM_UINT(Fdc, tdr),
    SSM_UINT_BELOW(Fdc, rate, 4),
    SSM_UINT(Fdc, step_rate),
    SSM_UINT(Fdc, head_load),
    SSM_UINT(Fdc, config),
    SSM_UINT(Fdc, precompensation),
    SSM_UINT(Fdc, perpendicular),
    SSM_UINT(Fdc, option),
    SSM_BYTES(Fdc, specification),
    FLAG(Fdc, locked),
    SSM_UINT(Fdc, eot),
    SSM_UINT_BELOW(Fdc, phase, FDC_PHASES),
    SSM_BYTES(Fdc, bytes),
    SSM_UINT_BELOW(Fdc, length, FDC_BYTES_MAX + 1),
    SSM_UINT_BELOW(Fdc, at, FDC_BYTES_MAX + 1),
    FLAG(Fdc, irq),
    SSM_UINT_BELOW(Fdc, reset_left, FDC_DRIVES + 1),
    SSM_UINT_BELOW(Fdc, seeks, 1u << FDC_DRIVES),
    SSM_BYTES(Fdc, seek_status),
    SSM_STRUCT(Fdc, transfer, transfer_fields),
    SSM_END,
};
/* clang-format on */

static bool
phase_holds(const Fdc *fdc)
{
    const FdcTransfer *transfer = &fdc->transfer;

    if (transfer->op != FDC_OP_NONE && transfer->step == 0)
        return false;
    switch (fdc->phase) {
    case FDC_PHASE_COMMAND:
    case FDC_PHASE_RESULT: return fdc->at < fdc->length;
    case FDC_PHASE_MEDIUM:
        return transfer->op != FDC_OP_NONE && fdc->drives[transfer->drive].media != NULL;
    case FDC_PHASE_HOST:
        return transfer->op != FDC_OP_NONE && fdc->drives[transfer->drive].media != NULL &&
               transfer->position < transfer->wanted;
    default: return true;
    }
}

static bool
fdc_post_load(void *object, uint32_t version, GError **error)
{
    Fdc *fdc = object;

    if (!phase_holds(fdc)) {
        g_set_error_literal(error, BASE_ERROR, BASE_ERROR_CORRUPT,
                            "The saved state of the floppy controller contradicts itself or the "
                            "drives that are attached.");
        return false;
    }
    /* A request that had not come back is made again. */
    if (fdc->phase == FDC_PHASE_MEDIUM)
        fdc_submit(fdc);
    return true;
}

const SsmState fdc_state = {
    .version = 1,
    .min_version = 1,
    .fields = fdc_fields,
    .post_load = fdc_post_load,
};
