/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * How data moves through an IDE channel. A command goes through its sectors in pieces of the
 * buffer: a piece is read from the medium and then given to the host, in DRQ blocks with an
 * interrupt each (ATA/ATAPI-6 chapter 9, PIO data-in and data-out) or by the bus master in one go
 * (DMA), or the other way round for writing. */
#include "devices/storage/ide-private.h"

static bool
is_packet(const IdeTransfer *transfer)
{
    return transfer->op >= IDE_OP_PACKET;
}

static void
set_status(IdeChannel *channel, uint8_t status)
{
    ide_selected(channel)->ata.status = status;
}

void
ide_finish(IdeChannel *channel, bool irq)
{
    channel->transfer = (IdeTransfer){0};
    set_status(channel, ATA_DRDY | ATA_DSC);
    if (irq)
        ide_raise_irq(channel);
}

void
ide_fail(IdeChannel *channel, uint8_t error)
{
    channel->transfer = (IdeTransfer){0};
    ide_selected(channel)->ata.error = error;
    set_status(channel, ATA_DRDY | ATA_DSC | ATA_ERR);
    ide_raise_irq(channel);
}

void
ide_abandon(IdeChannel *channel)
{
    channel->transfer = (IdeTransfer){0};
    drive_io_drop(&channel->io);
}

void
ide_submit(IdeChannel *channel, PdmIoKind kind)
{
    IdeTransfer *transfer = &channel->transfer;
    const IdeDrive *drive = ide_selected(channel);
    uint32_t sector = drive->ata.packet ? SCSI_CD_SECTOR : ATA_SECTOR;
    uint32_t size = kind == PDM_IO_FLUSH ? 0 : transfer->chunk * sector;
    /* Framing moves sectors apart, so they are read to the end of the buffer. */
    uint32_t within = transfer->packet_raw ? IDE_BUFFER_SIZE - size : 0;

    transfer->io_kind = kind;
    transfer->phase = IDE_PHASE_MEDIUM;
    drive_io_submit(&channel->io, drive->ata.media, kind, transfer->lba * sector, size, within);
}

/* --- PIO --- */

static void
begin_block(IdeChannel *channel, bool irq)
{
    IdeTransfer *transfer = &channel->transfer;
    uint32_t bytes = MIN(transfer->filled - transfer->position, transfer->block_size);
    IdeDrive *drive = ide_selected(channel);

    transfer->block_end = transfer->position + bytes;
    if (transfer->op == IDE_OP_PACKET) {
        drive->ata.regs[ATA_REG_COUNT] = ATA_REASON_COMMAND;
    } else if (is_packet(transfer)) {
        drive->ata.regs[ATA_REG_COUNT] = ATA_REASON_TO_HOST;
        drive->ata.regs[ATA_REG_LBA_MID] = (uint8_t)bytes;
        drive->ata.regs[ATA_REG_LBA_HIGH] = (uint8_t)(bytes >> 8);
    }
    set_status(channel, ATA_DRDY | ATA_DSC | ATA_DRQ);
    if (irq)
        ide_raise_irq(channel);
}

static void
begin_pio(IdeChannel *channel, IdePhase phase, uint32_t bytes, uint32_t block_size, bool irq)
{
    IdeTransfer *transfer = &channel->transfer;

    transfer->phase = phase;
    transfer->position = 0;
    transfer->filled = bytes;
    transfer->block_size = block_size;
    begin_block(channel, irq);
}

void
ide_begin_pio_in(IdeChannel *channel, uint32_t bytes, uint32_t block_size)
{
    begin_pio(channel, IDE_PHASE_PIO_IN, bytes, block_size, true);
}

void
ide_begin_pio_out(IdeChannel *channel, uint32_t bytes, uint32_t block_size, bool irq)
{
    begin_pio(channel, IDE_PHASE_PIO_OUT, bytes, block_size, irq);
}

/* --- between buffer and medium --- */

static uint32_t
next_chunk(const IdeTransfer *transfer)
{
    uint32_t most =
        is_packet(transfer) ? ide_packet_chunk_max(transfer) : IDE_BUFFER_SIZE / ATA_SECTOR;

    return MIN(transfer->remaining, most);
}

static void
take_chunk(IdeTransfer *transfer)
{
    transfer->chunk = next_chunk(transfer);
    transfer->remaining -= transfer->chunk;
}

static void
load(IdeChannel *channel)
{
    take_chunk(&channel->transfer);
    set_status(channel, ATA_BSY);
    ide_submit(channel, PDM_IO_READ);
}

static void
begin_dma(IdeChannel *channel, IdePhase phase, uint32_t bytes)
{
    IdeTransfer *transfer = &channel->transfer;

    transfer->phase = phase;
    transfer->position = 0;
    transfer->filled = bytes;
    set_status(channel, ATA_DRDY | ATA_DSC | ATA_DRQ);
    ide_pump_dma(channel);
}

static void
collect(IdeChannel *channel, bool irq)
{
    IdeTransfer *transfer = &channel->transfer;

    take_chunk(transfer);
    if (transfer->dma)
        begin_dma(channel, IDE_PHASE_DMA_OUT, transfer->chunk * ATA_SECTOR);
    else
        ide_begin_pio_out(channel, transfer->chunk * ATA_SECTOR, transfer->block_size, irq);
}

static void
store(IdeChannel *channel)
{
    set_status(channel, ATA_BSY);
    ide_submit(channel, PDM_IO_WRITE);
}

/* The host has all of the buffer. */
static void
drained(IdeChannel *channel)
{
    IdeTransfer *transfer = &channel->transfer;

    transfer->lba += transfer->chunk;
    if (transfer->remaining > 0)
        load(channel);
    else if (is_packet(transfer))
        ide_packet_succeed(channel);
    else
        ide_finish(channel, transfer->dma);
}

static void
filled(IdeChannel *channel)
{
    if (channel->transfer.op == IDE_OP_PACKET)
        ide_execute_packet(channel);
    else
        store(channel);
}

void
ide_block_done(IdeChannel *channel)
{
    IdeTransfer *transfer = &channel->transfer;

    if (transfer->position < transfer->filled)
        begin_block(channel, true);
    else if (transfer->phase == IDE_PHASE_PIO_IN)
        drained(channel);
    else
        filled(channel);
}

void
ide_pump_dma(IdeChannel *channel)
{
    IdeTransfer *transfer = &channel->transfer;
    bool in = transfer->phase == IDE_PHASE_DMA_IN;

    if (!ide_bmdma_active(channel) || (!in && transfer->phase != IDE_PHASE_DMA_OUT))
        return;
    transfer->position += ide_bmdma_transfer(channel, channel->io.buffer + transfer->position,
                                             transfer->filled - transfer->position, in);
    if (transfer->position < transfer->filled)
        return;
    if (in)
        drained(channel);
    else
        filled(channel);
}

void
ide_begin_medium(IdeChannel *channel)
{
    if (channel->transfer.op == IDE_OP_WRITE)
        collect(channel, false);
    else
        load(channel);
}

void
ide_begin_flush(IdeChannel *channel)
{
    channel->transfer.op = IDE_OP_FLUSH;
    channel->transfer.lba = 0;
    set_status(channel, ATA_BSY);
    ide_submit(channel, PDM_IO_FLUSH);
}

/* --- the medium has answered --- */

static void
stored(IdeChannel *channel)
{
    IdeTransfer *transfer = &channel->transfer;

    transfer->lba += transfer->chunk;
    if (transfer->remaining > 0)
        collect(channel, true);
    else if (transfer->fua)
        ide_begin_flush(channel);
    else
        ide_finish(channel, true);
}

static void
verified(IdeChannel *channel)
{
    IdeTransfer *transfer = &channel->transfer;

    transfer->lba += transfer->chunk;
    if (transfer->remaining > 0)
        load(channel);
    else
        ide_finish(channel, true);
}

static void
loaded(IdeChannel *channel)
{
    IdeTransfer *transfer = &channel->transfer;
    uint32_t bytes = transfer->chunk * ATA_SECTOR;

    if (transfer->dma)
        begin_dma(channel, IDE_PHASE_DMA_IN, bytes);
    else
        ide_begin_pio_in(channel, bytes, transfer->block_size);
}

/* The registers say where it happened; the host knows by its command which of them count. */
static void
medium_failed(IdeChannel *channel, int error)
{
    IdeTransfer *transfer = &channel->transfer;
    IdeDrive *drive = ide_selected(channel);

    if (is_packet(transfer)) {
        ScsiTask task = {.op = SCSI_READ};

        scsi_medium_failed(&drive->unit, &task, error);
        ide_packet_fail(channel);
        return;
    }
    ata_put_lba(&drive->ata, transfer->lba);
    ide_fail(channel, transfer->io_kind == PDM_IO_READ ? ATA_ERROR_UNC : ATA_ERROR_ABRT);
}

void
ide_medium_done(void *user, int error)
{
    IdeChannel *channel = user;

    if (error != 0) {
        medium_failed(channel, error);
        return;
    }
    switch (channel->transfer.op) {
    case IDE_OP_READ: loaded(channel); break;
    case IDE_OP_WRITE: stored(channel); break;
    case IDE_OP_VERIFY: verified(channel); break;
    case IDE_OP_PACKET_READ: ide_packet_loaded(channel); break;
    default: ide_finish(channel, true); break;
    }
}

void
ide_send(IdeChannel *channel)
{
    IdeTransfer *transfer = &channel->transfer;

    if (transfer->dma)
        begin_dma(channel, IDE_PHASE_DMA_IN, transfer->filled);
    else
        ide_begin_pio_in(channel, transfer->filled, transfer->block_size);
}
