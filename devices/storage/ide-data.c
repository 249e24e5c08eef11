/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The data port of an IDE channel, single accesses and strings. A host that reads or writes more
 * than the drive asked for gets ones, or nothing happens. */
#include <string.h>

#include "devices/storage/ide-private.h"

static uint32_t
bytes_left(const IdeChannel *channel, IdePhase phase)
{
    const IdeTransfer *transfer = &channel->transfer;

    return transfer->phase == phase ? transfer->block_end - transfer->position : 0;
}

static void
advance(IdeChannel *channel, uint32_t bytes)
{
    IdeTransfer *transfer = &channel->transfer;

    transfer->position += bytes;
    if (transfer->position == transfer->block_end)
        ide_block_done(channel);
}

uint32_t
ide_data_read(IdeChannel *channel, unsigned size)
{
    uint32_t part = MIN(size, bytes_left(channel, IDE_PHASE_PIO_IN));
    uint32_t value = 0;

    if (part == 0)
        return 0xffffffffu >> (32 - 8 * size);
    memcpy(&value, channel->io.buffer + channel->transfer.position, part);
    advance(channel, part);
    return GUINT32_FROM_LE(value);
}

void
ide_data_write(IdeChannel *channel, uint32_t value, unsigned size)
{
    uint32_t part = MIN(size, bytes_left(channel, IDE_PHASE_PIO_OUT));

    if (part == 0)
        return;
    value = GUINT32_TO_LE(value);
    memcpy(channel->io.buffer + channel->transfer.position, &value, part);
    advance(channel, part);
}

uint32_t
ide_command_read_string(void *user, uint32_t offset, void *data, uint32_t count, unsigned size)
{
    IdeChannel *channel = user;
    uint32_t units = offset == 0 ? MIN(count, bytes_left(channel, IDE_PHASE_PIO_IN) / size) : 0;

    if (units == 0) {
        uint32_t value = GUINT32_TO_LE(ide_command_read(channel, offset, size));

        memcpy(data, &value, size);
        return 1;
    }
    memcpy(data, channel->io.buffer + channel->transfer.position, (size_t)units * size);
    advance(channel, units * size);
    return units;
}

uint32_t
ide_command_write_string(void *user, uint32_t offset, const void *data, uint32_t count,
                         unsigned size)
{
    IdeChannel *channel = user;
    uint32_t units = offset == 0 ? MIN(count, bytes_left(channel, IDE_PHASE_PIO_OUT) / size) : 0;

    if (units == 0) {
        uint32_t value = 0;

        memcpy(&value, data, size);
        ide_command_write(channel, offset, GUINT32_FROM_LE(value), size);
        return 1;
    }
    memcpy(channel->io.buffer + channel->transfer.position, data, (size_t)units * size);
    advance(channel, units * size);
    return units;
}
