/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * From a command or packet that an IDE drive has been given to the transfer that the channel makes
 * for it (ATA/ATAPI-6 chapter 9). */
#include <string.h>

#include "devices/storage/ide-private.h"

/* Framing moves the sectors of a piece apart inside the buffer, from its end to its beginning. */
#define RAW_CHUNK_MAX 32u

static void
begin_data(IdeChannel *channel, IdeOp op, const AtaTask *task)
{
    IdeTransfer *transfer = &channel->transfer;

    transfer->op = op;
    transfer->lba = task->lba;
    transfer->remaining = task->count;
    transfer->dma = task->dma;
    transfer->fua = task->fua;
    transfer->block_size = task->block;
    ide_begin_medium(channel);
}

static void
begin_packet(IdeChannel *channel)
{
    const AtaDrive *drive = &ide_selected(channel)->ata;
    IdeTransfer *transfer = &channel->transfer;
    uint8_t features = drive->regs[ATA_REG_FEATURES];
    uint32_t limit = drive->regs[ATA_REG_LBA_MID] | (uint32_t)drive->regs[ATA_REG_LBA_HIGH] << 8;

    if ((features & 0x02) != 0) { /* overlapped */
        ide_fail(channel, ATA_ERROR_ABRT);
        return;
    }
    transfer->op = IDE_OP_PACKET;
    transfer->dma = (features & 0x01) != 0;
    transfer->limit = limit == 0 || limit == 0xffff ? 0xfffe : MAX(limit & ~1u, 2);
    ide_begin_pio_out(channel, ATA_PACKET_SIZE, ATA_PACKET_SIZE, false);
}

static void
begin_reply(IdeChannel *channel, const AtaTask *task)
{
    memcpy(channel->io.buffer, task->reply, ATA_SECTOR);
    channel->transfer.op = IDE_OP_REPLY;
    ide_begin_pio_in(channel, ATA_SECTOR, ATA_SECTOR);
}

void
ide_execute(IdeChannel *channel, uint8_t command)
{
    AtaDrive *drive = &ide_selected(channel)->ata;
    AtaTask task;

    ata_begin(drive, channel->select, command, &task);
    switch (task.op) {
    case ATA_FAIL:
    case ATA_TRIM: ide_fail(channel, task.error); break; /* TRIM is not offered */
    case ATA_REPLY: begin_reply(channel, &task); break;
    case ATA_READ: begin_data(channel, IDE_OP_READ, &task); break;
    case ATA_WRITE: begin_data(channel, IDE_OP_WRITE, &task); break;
    case ATA_VERIFY: begin_data(channel, IDE_OP_VERIFY, &task); break;
    case ATA_FLUSH: ide_begin_flush(channel); break;
    case ATA_PACKET: begin_packet(channel); break;
    case ATA_RESET:
        ide_abandon(channel);
        ata_set_signature(drive);
        break;
    case ATA_NOTHING: ide_finish(channel, true); break;
    }
}

void
ide_diagnostic(IdeChannel *channel)
{
    channel->select &= (uint8_t)~ATA_DEVICE_SLAVE;
    channel->transfer = (IdeTransfer){0};
    for (unsigned i = 0; i < IDE_DRIVES; i++)
        ata_set_signature(&channel->drives[i].ata);
    ide_raise_irq(channel);
}

/* --- packets --- */

uint32_t
ide_packet_chunk_max(const IdeTransfer *transfer)
{
    return transfer->packet_raw ? RAW_CHUNK_MAX : IDE_BUFFER_SIZE / SCSI_CD_SECTOR;
}

static void
end_packet(IdeChannel *channel)
{
    ide_selected(channel)->ata.regs[ATA_REG_COUNT] = ATA_REASON_COMMAND | ATA_REASON_TO_HOST;
}

void
ide_packet_succeed(IdeChannel *channel)
{
    ide_selected(channel)->ata.error = 0;
    end_packet(channel);
    ide_finish(channel, true);
}

void
ide_packet_fail(IdeChannel *channel)
{
    end_packet(channel);
    ide_fail(channel, (uint8_t)(ide_selected(channel)->unit.sense.key << 4 | ATA_ERROR_ABRT));
}

static void
reply_to_packet(IdeChannel *channel, const ScsiTask *task)
{
    IdeTransfer *transfer = &channel->transfer;

    memcpy(channel->io.buffer, task->data, task->size);
    transfer->op = IDE_OP_PACKET_REPLY;
    transfer->filled = task->size;
    transfer->block_size = transfer->limit;
    ide_send(channel);
}

static void
read_for_packet(IdeChannel *channel, const ScsiTask *task)
{
    IdeTransfer *transfer = &channel->transfer;

    transfer->op = IDE_OP_PACKET_READ;
    transfer->packet_raw = task->raw;
    transfer->lba = task->lba;
    transfer->remaining = (uint32_t)task->count;
    ide_begin_medium(channel);
}

void
ide_execute_packet(IdeChannel *channel)
{
    IdeDrive *drive = ide_selected(channel);
    uint8_t *packet = channel->transfer.packet;
    uint8_t cdb[SCSI_CDB_SIZE] = {0};
    ScsiTask task;

    memcpy(packet, channel->io.buffer, ATA_PACKET_SIZE);
    memcpy(cdb, packet, ATA_PACKET_SIZE);
    drive->ata.status = ATA_BSY;
    scsi_begin(&drive->unit, cdb, &task);
    switch (task.op) {
    case SCSI_REPLY: reply_to_packet(channel, &task); break;
    case SCSI_READ: read_for_packet(channel, &task); break;
    case SCSI_FAIL: ide_packet_fail(channel); break;
    default: ide_packet_succeed(channel); break;
    }
}

void
ide_packet_loaded(IdeChannel *channel)
{
    IdeTransfer *transfer = &channel->transfer;
    uint32_t size = transfer->packet_raw ? SCSI_CD_RAW_SECTOR : SCSI_CD_SECTOR;
    const uint8_t *loaded = channel->io.buffer + IDE_BUFFER_SIZE - transfer->chunk * SCSI_CD_SECTOR;

    for (uint32_t i = 0; transfer->packet_raw && i < transfer->chunk; i++) {
        uint8_t *sector = channel->io.buffer + i * SCSI_CD_RAW_SECTOR;

        memmove(sector + 16, loaded + i * SCSI_CD_SECTOR, SCSI_CD_SECTOR);
        mmc_frame_sector(sector, (uint32_t)transfer->lba + i);
    }
    transfer->filled = transfer->chunk * size;
    transfer->block_size = transfer->limit;
    ide_send(channel);
}
