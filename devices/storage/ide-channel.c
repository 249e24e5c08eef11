/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The registers of an IDE channel: command block, device control, selection, reset, interrupt.
 * ATA/ATAPI-6 chapters 7 and 9. Both drives latch what the host writes; the selected one answers. A
 * drive that is not there reads as status 0. */
#include <string.h>

#include "devices/storage/ide-private.h"

#define CONTROL_OFFSET 0 /* the control block is mapped from its one register on */
#define COMMAND_RESET 0x08

enum {
    OFFSET_DATA,
    OFFSET_ERROR, /* written: features */
    OFFSET_COUNT,
    OFFSET_LBA_LOW,
    OFFSET_LBA_MID,
    OFFSET_LBA_HIGH,
    OFFSET_DEVICE,
    OFFSET_STATUS, /* written: command */
};

void
ide_update_irq(IdeChannel *channel)
{
    bool level = channel->irq_pending && (channel->control & IDE_CONTROL_NIEN) == 0;

    pdm_isa_irq(channel->device, channel->irq, level);
}

void
ide_raise_irq(IdeChannel *channel)
{
    channel->irq_pending = true;
    channel->master.status |= 0x04;
    ide_update_irq(channel);
}

void
ide_set_signature(IdeDrive *drive)
{
    memset(drive->previous, 0, sizeof(drive->previous));
    drive->regs[IDE_REG_FEATURES] = 0;
    drive->regs[IDE_REG_COUNT] = 1;
    drive->regs[IDE_REG_LBA_LOW] = 1;
    drive->regs[IDE_REG_LBA_MID] = drive->atapi ? 0x14 : 0;
    drive->regs[IDE_REG_LBA_HIGH] = drive->atapi ? 0xeb : 0;
    drive->error = 1;
    /* A packet drive sets DRDY with its first command. */
    drive->status = drive->media == NULL || drive->atapi ? 0 : IDE_DRDY | IDE_DSC;
}

static void
reset_drives(IdeChannel *channel)
{
    channel->select &= (uint8_t)~IDE_DEVICE_SLAVE;
    for (unsigned i = 0; i < IDE_DRIVES; i++) {
        channel->drives[i].standby = false;
        ide_set_signature(&channel->drives[i]);
    }
}

void
ide_channel_reset(IdeChannel *channel)
{
    ide_abandon(channel);
    channel->select = 0xa0;
    channel->control = 0;
    channel->irq_pending = false;
    memset(&channel->master, 0, sizeof(channel->master));
    for (unsigned i = 0; i < IDE_DRIVES; i++) {
        IdeDrive *drive = &channel->drives[i];

        drive->heads = 16;
        drive->sectors_per_track = 63;
        drive->multiple = IDE_MULTIPLE_MAX;
        drive->transfer_mode = 0x42; /* UDMA 2 */
        drive->write_cache = drive->look_ahead = drive->smart = true;
        drive->locked = false;
        drive->sense = (AtapiSense){0};
    }
    reset_drives(channel);
    ide_update_irq(channel);
}

void
ide_channel_init(IdeChannel *channel, PdmDevice *device, unsigned index)
{
    channel->device = device;
    channel->index = index;
    channel->irq = 14 + index;
    drive_io_init(&channel->io, IDE_BUFFER_SIZE, ide_medium_done, channel);
    for (unsigned i = 0; i < IDE_DRIVES; i++)
        channel->drives[i].channel = channel;
}

/* --- device control --- */

static void
begin_soft_reset(IdeChannel *channel)
{
    ide_abandon(channel);
    channel->irq_pending = false;
    for (unsigned i = 0; i < IDE_DRIVES; i++)
        if (channel->drives[i].media != NULL)
            channel->drives[i].status = IDE_BSY;
}

void
ide_control_write(void *user, uint32_t offset, uint32_t value, unsigned size)
{
    IdeChannel *channel = user;
    uint8_t rising = (uint8_t)(value & ~channel->control);
    uint8_t falling = (uint8_t)(~value & channel->control);

    channel->control = (uint8_t)value;
    if ((rising & IDE_CONTROL_SRST) != 0)
        begin_soft_reset(channel);
    else if ((falling & IDE_CONTROL_SRST) != 0)
        reset_drives(channel);
    ide_update_irq(channel);
}

uint32_t
ide_control_read(void *user, uint32_t offset, unsigned size)
{
    IdeChannel *channel = user;
    const IdeDrive *drive = ide_selected(channel);

    return drive->media != NULL ? drive->status : 0;
}

/* --- command block --- */

static bool
has_drives(const IdeChannel *channel)
{
    return channel->drives[0].media != NULL || channel->drives[1].media != NULL;
}

/* A drive that is missing is answered for by the other one. */
static const IdeDrive *
answering(IdeChannel *channel)
{
    const IdeDrive *drive = ide_selected(channel);

    return drive->media != NULL ? drive : &channel->drives[drive == &channel->drives[0]];
}

static uint8_t
read_status(IdeChannel *channel)
{
    channel->irq_pending = false;
    ide_update_irq(channel);
    return (uint8_t)ide_control_read(channel, CONTROL_OFFSET, 1);
}

static uint8_t
read_register(IdeChannel *channel, uint32_t offset)
{
    const IdeDrive *drive = answering(channel);
    bool previous = (channel->control & IDE_CONTROL_HOB) != 0;

    if (!has_drives(channel))
        return 0;
    switch (offset) {
    case OFFSET_ERROR: return drive->error;
    case OFFSET_DEVICE: return channel->select;
    case OFFSET_STATUS: return read_status(channel);
    default: break;
    }
    offset -= OFFSET_ERROR;
    return previous ? drive->previous[offset] : drive->regs[offset];
}

static void
write_command(IdeChannel *channel, uint8_t command)
{
    IdeDrive *drive = ide_selected(channel);
    bool busy = (drive->status & (IDE_BSY | IDE_DRQ)) != 0;

    /* Both drives carry this one out, whichever is selected. */
    if (command == 0x90 && has_drives(channel) && !busy) {
        ata_diagnostic(channel);
        return;
    }
    if (drive->media == NULL || (channel->control & IDE_CONTROL_SRST) != 0 ||
        (busy && !(drive->atapi && command == COMMAND_RESET)))
        return;
    channel->irq_pending = false;
    ide_update_irq(channel);
    ata_execute(channel, command);
}

static void
write_register(IdeChannel *channel, uint32_t offset, uint8_t value)
{
    if (offset == OFFSET_STATUS) {
        write_command(channel, value);
        return;
    }
    if ((ide_selected(channel)->status & (IDE_BSY | IDE_DRQ)) != 0)
        return;
    channel->control &= (uint8_t)~IDE_CONTROL_HOB;
    if (offset == OFFSET_DEVICE) {
        /* Bits 7 and 5 are obsolete and read as written. */
        channel->select = value;
        return;
    }
    for (unsigned i = 0; i < IDE_DRIVES; i++) {
        IdeDrive *drive = &channel->drives[i];
        unsigned reg = offset - OFFSET_ERROR;

        drive->previous[reg] = drive->regs[reg];
        drive->regs[reg] = value;
    }
}

uint32_t
ide_command_read(void *user, uint32_t offset, unsigned size)
{
    IdeChannel *channel = user;
    uint32_t value = 0;

    if (offset == OFFSET_DATA)
        return ide_data_read(channel, size);
    for (unsigned i = 0; i < size; i++) {
        uint8_t byte = offset + i <= OFFSET_STATUS ? read_register(channel, offset + i) : 0xff;

        value |= (uint32_t)byte << (8 * i);
    }
    return value;
}

void
ide_command_write(void *user, uint32_t offset, uint32_t value, unsigned size)
{
    IdeChannel *channel = user;

    if (offset == OFFSET_DATA) {
        ide_data_write(channel, value, size);
        return;
    }
    for (unsigned i = 0; i < size && offset + i <= OFFSET_STATUS; i++)
        write_register(channel, offset + i, (uint8_t)(value >> (8 * i)));
}
