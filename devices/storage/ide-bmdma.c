/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The bus master of an IDE channel: Programming Interface for Bus Master IDE Controller 1.0. Memory
 * is RAM only: a descriptor that names a device's registers moves nothing. A table that ends before
 * the drive's data leaves the channel inactive without an interrupt, as the specification says. */
#include <string.h>

#include "devices/storage/ide-private.h"

enum {
    COMMAND_START = 0x01,
    COMMAND_TO_MEMORY = 0x08,
    STATUS_ACTIVE = 0x01,
    STATUS_ERROR = 0x02,
    STATUS_IRQ = 0x04,
    STATUS_DRIVES = 0x60, /* drive 0 and 1 are DMA capable; for software only */
};

#define REGISTERS_EACH 8
#define LAST_DESCRIPTOR 0x80000000u

static void
start(IdeChannel *channel)
{
    IdeBusMaster *master = &channel->master;

    master->status |= STATUS_ACTIVE;
    master->next = master->table;
    master->left = 0;
    master->last = false;
    ide_pump_dma(channel);
}

static void
write_byte(IdeChannel *channel, uint32_t offset, uint8_t value)
{
    IdeBusMaster *master = &channel->master;
    unsigned shift = (offset & 3) * 8;

    switch (offset) {
    case 0: {
        bool was_started = (master->command & COMMAND_START) != 0;

        master->command = value & (COMMAND_START | COMMAND_TO_MEMORY);
        if ((value & COMMAND_START) == 0)
            master->status &= (uint8_t)~STATUS_ACTIVE;
        else if (!was_started)
            start(channel);
        break;
    }
    case 2:
        master->status = (uint8_t)((master->status & ~STATUS_DRIVES) | (value & STATUS_DRIVES));
        master->status &= (uint8_t) ~(value & (STATUS_ERROR | STATUS_IRQ));
        break;
    case 4:
    case 5:
    case 6:
    case 7:
        master->table = (master->table & ~(0xffu << shift)) | (uint32_t)value << shift;
        master->table &= ~3u;
        break;
    default: break;
    }
}

static uint8_t
read_byte(const IdeChannel *channel, uint32_t offset)
{
    const IdeBusMaster *master = &channel->master;

    switch (offset) {
    case 0: return master->command;
    case 2: return master->status;
    case 4:
    case 5:
    case 6:
    case 7: return (uint8_t)(master->table >> (offset & 3) * 8);
    default: return 0;
    }
}

uint32_t
ide_bmdma_read(void *user, uint32_t offset, unsigned size)
{
    IdeController *ide = user;
    uint32_t value = 0;

    for (unsigned i = 0; i < size; i++) {
        uint32_t at = (offset + i) % (IDE_CHANNELS * REGISTERS_EACH);
        const IdeChannel *channel = &ide->channels[at / REGISTERS_EACH];

        value |= (uint32_t)read_byte(channel, at % REGISTERS_EACH) << (8 * i);
    }
    return value;
}

void
ide_bmdma_write(void *user, uint32_t offset, uint32_t value, unsigned size)
{
    IdeController *ide = user;

    for (unsigned i = 0; i < size; i++) {
        uint32_t at = (offset + i) % (IDE_CHANNELS * REGISTERS_EACH);

        write_byte(&ide->channels[at / REGISTERS_EACH], at % REGISTERS_EACH,
                   (uint8_t)(value >> (8 * i)));
    }
}

/* False: there is no further region. */
static bool
next_region(IdeChannel *channel)
{
    IdeBusMaster *master = &channel->master;
    uint32_t descriptor[2];

    if (master->last) {
        master->status &= (uint8_t)~STATUS_ACTIVE;
        return false;
    }
    pdm_phys_read(channel->device, master->next, descriptor, sizeof(descriptor));
    /* The table does not cross a 64 KiB boundary. */
    master->next = (master->next & 0xffff0000u) | ((master->next + 8) & 0xffff);
    master->address = GUINT32_FROM_LE(descriptor[0]) & ~1u;
    master->left = GUINT32_FROM_LE(descriptor[1]) & 0xfffe;
    if (master->left == 0)
        master->left = 0x10000;
    master->last = (GUINT32_FROM_LE(descriptor[1]) & LAST_DESCRIPTOR) != 0;
    return true;
}

uint32_t
ide_bmdma_transfer(IdeChannel *channel, uint8_t *data, uint32_t size, bool to_memory)
{
    IdeBusMaster *master = &channel->master;
    uint32_t done = 0;

    while (done < size && (master->left > 0 || next_region(channel))) {
        uint32_t part = MIN(size - done, master->left);

        if (to_memory)
            pdm_phys_write(channel->device, master->address, data + done, part);
        else
            pdm_phys_read(channel->device, master->address, data + done, part);
        master->address += part;
        master->left -= part;
        done += part;
    }
    /* When the regions end together with the data, the bus master is through. */
    if (master->left == 0 && master->last)
        master->status &= (uint8_t)~STATUS_ACTIVE;
    return done;
}
