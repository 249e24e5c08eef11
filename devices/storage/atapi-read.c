/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * READ (10), READ (12), READ CD and READ CD MSF (MMC-3 sections 6.1.15 to 6.1.20). The disc is one
 * data track in mode 1; raw sectors are made from the user data. */
#include <string.h>

#include "devices/storage/atapi.h"

/* Framing moves the sectors of a piece apart inside the buffer, from its end to its beginning. */
#define RAW_CHUNK_MAX 32u
#define CHUNK_MAX (IDE_BUFFER_SIZE / IDE_CD_SECTOR)
#define MSF_OFFSET 150u /* frames of lead-in before sector 0 */

uint32_t
atapi_chunk_max(const IdeTransfer *transfer)
{
    return transfer->packet_raw ? RAW_CHUNK_MAX : CHUNK_MAX;
}

static void
begin_read(IdeChannel *channel, uint32_t lba, uint32_t count, bool raw)
{
    IdeTransfer *transfer = &channel->transfer;
    uint64_t sectors = atapi_sectors(ide_selected(channel));

    if (lba >= sectors || count > sectors - lba) {
        atapi_fail(channel, SENSE_ILLEGAL_REQUEST, 0x21, 0);
        return;
    }
    if (count == 0) {
        atapi_succeed(channel);
        return;
    }
    transfer->op = IDE_OP_PACKET_READ;
    transfer->packet_raw = raw;
    transfer->lba = lba;
    transfer->remaining = count;
    ide_begin_medium(channel);
}

void
atapi_read_10(IdeChannel *channel, const uint8_t *packet)
{
    begin_read(channel, atapi_get32(packet + 2), atapi_get16(packet + 7), false);
}

void
atapi_read_12(IdeChannel *channel, const uint8_t *packet)
{
    begin_read(channel, atapi_get32(packet + 2), atapi_get32(packet + 6), false);
}

void
atapi_seek(IdeChannel *channel, const uint8_t *packet)
{
    if (atapi_get32(packet + 2) >= atapi_sectors(ide_selected(channel)))
        atapi_fail(channel, SENSE_ILLEGAL_REQUEST, 0x21, 0);
    else
        atapi_succeed(channel);
}

static void
read_cd(IdeChannel *channel, const uint8_t *packet, uint32_t lba, uint32_t count)
{
    uint8_t type = (packet[1] >> 2) & 7;
    uint8_t parts = packet[9] & 0xf8;

    if (type != 0 && type != 2) {
        atapi_fail(channel, SENSE_ILLEGAL_REQUEST, 0x64, 0);
    } else if ((packet[9] & 0x06) != 0 || (packet[10] & 7) != 0) {
        atapi_fail_field(channel); /* error flags, subchannels */
    } else if (parts == 0x10 || parts == 0) {
        begin_read(channel, lba, parts != 0 ? count : 0, false);
    } else if (parts == 0xf8) {
        begin_read(channel, lba, count, true);
    } else {
        atapi_fail_field(channel);
    }
}

void
atapi_read_cd(IdeChannel *channel, const uint8_t *packet)
{
    read_cd(channel, packet, atapi_get32(packet + 2),
            (uint32_t)packet[6] << 16 | atapi_get16(packet + 7));
}

static bool
from_msf(const uint8_t *msf, uint32_t *lba)
{
    uint32_t frames = (msf[0] * 60u + msf[1]) * 75u + msf[2];

    *lba = frames - MSF_OFFSET;
    return msf[1] < 60 && msf[2] < 75 && frames >= MSF_OFFSET;
}

void
atapi_read_cd_msf(IdeChannel *channel, const uint8_t *packet)
{
    uint32_t first, end;

    if (!from_msf(packet + 3, &first) || !from_msf(packet + 6, &end) || end < first)
        atapi_fail_field(channel);
    else
        read_cd(channel, packet, first, end - first);
}

void
atapi_chunk_loaded(IdeChannel *channel)
{
    IdeTransfer *transfer = &channel->transfer;
    uint32_t size = transfer->packet_raw ? IDE_CD_RAW_SECTOR : IDE_CD_SECTOR;
    const uint8_t *loaded = channel->io.buffer + IDE_BUFFER_SIZE - transfer->chunk * IDE_CD_SECTOR;

    for (uint32_t i = 0; transfer->packet_raw && i < transfer->chunk; i++) {
        uint8_t *sector = channel->io.buffer + i * IDE_CD_RAW_SECTOR;

        memmove(sector + 16, loaded + i * IDE_CD_SECTOR, IDE_CD_SECTOR);
        atapi_frame_sector(sector, (uint32_t)transfer->lba + i);
    }
    transfer->filled = transfer->chunk * size;
    transfer->block_size = transfer->limit;
    ide_send(channel);
}
