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
    bool level = channel->irq_pending && (channel->control & ATA_CONTROL_NIEN) == 0;

    pdm_isa_irq(channel->device, channel->irq, level);
}

void
ide_raise_irq(IdeChannel *channel)
{
    channel->irq_pending = true;
    channel->master.status |= 0x04;
    ide_update_irq(channel);
}

static void
reset_drives(IdeChannel *channel)
{
    channel->select &= (uint8_t)~ATA_DEVICE_SLAVE;
    for (unsigned i = 0; i < IDE_DRIVES; i++) {
        channel->drives[i].ata.standby = false;
        ata_set_signature(&channel->drives[i].ata);
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
        ata_drive_reset(&channel->drives[i].ata);
        scsi_unit_reset(&channel->drives[i].unit);
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
    channel->drives[1].ata.second = true;
}

/* --- device control --- */

static void
begin_soft_reset(IdeChannel *channel)
{
    ide_abandon(channel);
    channel->irq_pending = false;
    for (unsigned i = 0; i < IDE_DRIVES; i++)
        if (channel->drives[i].ata.media != NULL)
            channel->drives[i].ata.status = ATA_BSY;
}

void
ide_control_write(void *user, uint32_t offset, uint32_t value, unsigned size)
{
    IdeChannel *channel = user;
    uint8_t rising = (uint8_t)(value & ~channel->control);
    uint8_t falling = (uint8_t)(~value & channel->control);

    channel->control = (uint8_t)value;
    if ((rising & ATA_CONTROL_SRST) != 0)
        begin_soft_reset(channel);
    else if ((falling & ATA_CONTROL_SRST) != 0)
        reset_drives(channel);
    ide_update_irq(channel);
}

uint32_t
ide_control_read(void *user, uint32_t offset, unsigned size)
{
    IdeChannel *channel = user;
    const IdeDrive *drive = ide_selected(channel);

    return drive->ata.media != NULL ? drive->ata.status : 0;
}

/* --- command block --- */

static bool
has_drives(const IdeChannel *channel)
{
    return channel->drives[0].ata.media != NULL || channel->drives[1].ata.media != NULL;
}

/* A drive that is missing is answered for by the other one. */
static const IdeDrive *
answering(IdeChannel *channel)
{
    const IdeDrive *drive = ide_selected(channel);

    return drive->ata.media != NULL ? drive : &channel->drives[drive == &channel->drives[0]];
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
    bool previous = (channel->control & ATA_CONTROL_HOB) != 0;

    if (!has_drives(channel))
        return 0;
    switch (offset) {
    case OFFSET_ERROR: return drive->ata.error;
    case OFFSET_DEVICE: return channel->select;
    case OFFSET_STATUS: return read_status(channel);
    default: break;
    }
    offset -= OFFSET_ERROR;
    return previous ? drive->ata.previous[offset] : drive->ata.regs[offset];
}

static void
write_command(IdeChannel *channel, uint8_t command)
{
    IdeDrive *drive = ide_selected(channel);
    bool busy = (drive->ata.status & (ATA_BSY | ATA_DRQ)) != 0;

    /* Both drives carry this one out, whichever is selected. */
    if (command == 0x90 && has_drives(channel) && !busy) {
        ide_diagnostic(channel);
        return;
    }
    if (drive->ata.media == NULL || (channel->control & ATA_CONTROL_SRST) != 0 ||
        (busy && !(drive->ata.packet && command == COMMAND_RESET)))
        return;
    channel->irq_pending = false;
    ide_update_irq(channel);
    ide_execute(channel, command);
}

static void
write_register(IdeChannel *channel, uint32_t offset, uint8_t value)
{
    if (offset == OFFSET_STATUS) {
        write_command(channel, value);
        return;
    }
    if ((ide_selected(channel)->ata.status & (ATA_BSY | ATA_DRQ)) != 0)
        return;
    channel->control &= (uint8_t)~ATA_CONTROL_HOB;
    if (offset == OFFSET_DEVICE) {
        /* Bits 7 and 5 are obsolete and read as written. */
        channel->select = value;
        return;
    }
    for (unsigned i = 0; i < IDE_DRIVES; i++) {
        IdeDrive *drive = &channel->drives[i];
        unsigned reg = offset - OFFSET_ERROR;

        drive->ata.previous[reg] = drive->ata.regs[reg];
        drive->ata.regs[reg] = value;
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
