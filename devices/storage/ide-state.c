/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The saved state of the IDE controller, and the checks on one that is loaded. Which drives there
 * are comes from the configuration and not from the state. */
#include "devices/storage/ide-private.h"

/* clang-format off */
#define FLAG(type, member) SSM_UINT_BELOW(type, member, 2)

static const SsmField drive_fields[] = {
    SSM_STRUCT(IdeDrive, ata, ata_drive_fields),
    SSM_STRUCT(IdeDrive, unit, scsi_unit_fields),
    SSM_END,
};

static const SsmField transfer_fields[] = {
    SSM_UINT_BELOW(IdeTransfer, op, IDE_OPS),
    SSM_UINT_BELOW(IdeTransfer, phase, IDE_PHASES),
    FLAG(IdeTransfer, dma),
    FLAG(IdeTransfer, fua),
    FLAG(IdeTransfer, packet_raw),
    SSM_UINT_BELOW(IdeTransfer, position, IDE_BUFFER_SIZE + 1),
    SSM_UINT_BELOW(IdeTransfer, block_end, IDE_BUFFER_SIZE + 1),
    SSM_UINT_BELOW(IdeTransfer, block_size, IDE_BUFFER_SIZE + 1),
    SSM_UINT_BELOW(IdeTransfer, limit, 0x10000),
    SSM_UINT_BELOW(IdeTransfer, filled, IDE_BUFFER_SIZE + 1),
    SSM_UINT_BELOW(IdeTransfer, lba, 1ull << 48),
    SSM_UINT_BELOW(IdeTransfer, chunk, IDE_BUFFER_SIZE / ATA_SECTOR + 1),
    SSM_UINT(IdeTransfer, remaining),
    SSM_UINT_BELOW(IdeTransfer, io_kind, PDM_IO_DISCARD),
    SSM_BYTES(IdeTransfer, packet),
    SSM_END,
};

static const SsmField master_fields[] = {
    SSM_UINT(IdeBusMaster, command),
    SSM_UINT(IdeBusMaster, status),
    SSM_UINT(IdeBusMaster, table),
    SSM_UINT(IdeBusMaster, next),
    SSM_UINT(IdeBusMaster, address),
    SSM_UINT_BELOW(IdeBusMaster, left, 0x10001),
    FLAG(IdeBusMaster, last),
    SSM_END,
};

static const SsmField channel_fields[] = {
    SSM_STRUCT_ARRAY(IdeChannel, drives, drive_fields),
    SSM_UINT(IdeChannel, select),
    SSM_UINT(IdeChannel, control),
    FLAG(IdeChannel, irq_pending),
    SSM_STRUCT(IdeChannel, transfer, transfer_fields),
    SSM_STRUCT(IdeChannel, master, master_fields),
    SSM_BUFFER(IdeChannel, io.buffer, IDE_BUFFER_SIZE),
    SSM_END,
};

static const SsmField ide_fields[] = {
    SSM_STRUCT_ARRAY(IdeController, channels, channel_fields),
    SSM_END,
};
/* clang-format on */

static bool
positions_hold(const IdeTransfer *transfer)
{
    switch (transfer->phase) {
    case IDE_PHASE_PIO_IN:
    case IDE_PHASE_PIO_OUT:
        return transfer->position < transfer->block_end &&
               transfer->block_end <= transfer->filled && transfer->block_size > 0;
    case IDE_PHASE_DMA_IN:
    case IDE_PHASE_DMA_OUT: return transfer->position < transfer->filled;
    default: return true;
    }
}

static bool
transfer_holds(IdeChannel *channel)
{
    const IdeTransfer *transfer = &channel->transfer;
    const IdeDrive *drive = ide_selected(channel);
    bool packet = transfer->op >= IDE_OP_PACKET;

    if (transfer->phase == IDE_PHASE_IDLE)
        return transfer->op == IDE_OP_NONE;
    if (drive->ata.media == NULL || (drive->ata.status & (ATA_BSY | ATA_DRQ)) == 0)
        return false;
    if (packet && (!drive->ata.packet || transfer->limit < 2 ||
                   transfer->chunk > ide_packet_chunk_max(transfer)))
        return false;
    if (drive->ata.packet && transfer->phase == IDE_PHASE_MEDIUM && !packet)
        return false;
    return transfer->op != IDE_OP_NONE && positions_hold(transfer);
}

static bool
ide_post_load(void *object, uint32_t version, GError **error)
{
    IdeController *ide = object;
    bool ok = true;

    for (unsigned i = 0; i < IDE_CHANNELS; i++) {
        IdeChannel *channel = &ide->channels[i];

        ok = ok && transfer_holds(channel);
        for (unsigned j = 0; j < IDE_DRIVES; j++)
            ok = ok && ata_drive_holds(&channel->drives[j].ata);
    }
    /* A request that had not come back is made again. */
    for (unsigned i = 0; i < IDE_CHANNELS && ok; i++) {
        IdeChannel *channel = &ide->channels[i];

        if (channel->transfer.phase == IDE_PHASE_MEDIUM)
            ide_submit(channel, (PdmIoKind)channel->transfer.io_kind);
    }
    if (!ok)
        g_set_error_literal(error, BASE_ERROR, BASE_ERROR_CORRUPT,
                            "The saved state of the IDE controller contradicts itself or the "
                            "drives that are attached.");
    return ok;
}

const SsmState ide_state = {
    .version = 1,
    .min_version = 1,
    .fields = ide_fields,
    .post_load = ide_post_load,
};
