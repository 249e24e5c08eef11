/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The packet commands of a CD/DVD-ROM drive (SFF-8020i, MMC-3): one row each, and those that
 * concern readiness, the tray and sense data. What an older host may ask for and is not here ends
 * with "invalid command operation code", as on a drive without that function (audio, writing,
 * changers). */
#include <string.h>

#include "devices/storage/atapi.h"

enum {
    NEEDS_MEDIUM = 0x01,
    DESPITE_ATTENTION = 0x02, /* carried out although the host has not heard of a new medium */
};

typedef struct {
    uint8_t code;
    uint8_t flags;
    void (*run)(IdeChannel *channel, const uint8_t *packet);
} AtapiCommand;

void
atapi_begin_packet(IdeChannel *channel)
{
    IdeDrive *drive = ide_selected(channel);
    IdeTransfer *transfer = &channel->transfer;
    uint8_t features = drive->regs[IDE_REG_FEATURES];
    uint32_t limit = drive->regs[IDE_REG_LBA_MID] | (uint32_t)drive->regs[IDE_REG_LBA_HIGH] << 8;

    if ((features & 0x02) != 0) { /* overlapped */
        ide_fail(channel, IDE_ERROR_ABRT);
        return;
    }
    transfer->op = IDE_OP_PACKET;
    transfer->dma = (features & 0x01) != 0;
    transfer->limit = limit == 0 || limit == 0xffff ? 0xfffe : MAX(limit & ~1u, 2);
    ide_begin_pio_out(channel, IDE_PACKET_SIZE, IDE_PACKET_SIZE, false);
}

/* --- endings --- */

void
atapi_succeed(IdeChannel *channel)
{
    IdeDrive *drive = ide_selected(channel);

    drive->error = 0;
    drive->regs[IDE_REG_COUNT] = IDE_REASON_COMMAND | IDE_REASON_TO_HOST;
    ide_finish(channel, true);
}

void
atapi_fail(IdeChannel *channel, uint8_t key, uint8_t asc, uint8_t ascq)
{
    IdeDrive *drive = ide_selected(channel);

    drive->sense = (AtapiSense){key, asc, ascq};
    drive->regs[IDE_REG_COUNT] = IDE_REASON_COMMAND | IDE_REASON_TO_HOST;
    ide_fail(channel, (uint8_t)(key << 4 | IDE_ERROR_ABRT));
}

void
atapi_reply(IdeChannel *channel, uint32_t bytes, uint32_t allocation)
{
    IdeTransfer *transfer = &channel->transfer;

    bytes = MIN(bytes, allocation);
    if (bytes == 0) {
        atapi_succeed(channel);
        return;
    }
    transfer->op = IDE_OP_PACKET_REPLY;
    transfer->filled = bytes;
    transfer->block_size = transfer->limit;
    ide_send(channel);
}

/* --- the medium --- */

bool
atapi_has_medium(const IdeDrive *drive)
{
    return !drive->tray_open && drive->media->present(drive->media->user);
}

uint64_t
atapi_sectors(const IdeDrive *drive)
{
    return drive->media->size(drive->media->user) / IDE_CD_SECTOR;
}

static void
fail_no_medium(IdeChannel *channel)
{
    atapi_fail(channel, SENSE_NOT_READY, 0x3a, ide_selected(channel)->tray_open ? 2 : 1);
}

void
atapi_medium_changed(void *user, bool present)
{
    IdeDrive *drive = user;

    drive->event_new = present;
    drive->event_removed = !present;
    drive->unit_attention = present;
    if (present)
        drive->tray_open = false;
}

bool
atapi_eject_request(void *user, bool force)
{
    IdeDrive *drive = user;

    if (drive->locked && !force) {
        drive->event_eject = true;
        return false;
    }
    drive->locked = false;
    return true;
}

static void
run_test_unit_ready(IdeChannel *channel, const uint8_t *packet)
{
    atapi_succeed(channel);
}

static void
run_request_sense(IdeChannel *channel, const uint8_t *packet)
{
    IdeDrive *drive = ide_selected(channel);
    uint8_t *out = channel->io.buffer;

    if (drive->sense.key == SENSE_NONE && drive->unit_attention) {
        drive->sense = (AtapiSense){SENSE_UNIT_ATTENTION, 0x28, 0};
        drive->unit_attention = false;
    }
    memset(out, 0, 18);
    out[0] = 0x70;
    out[2] = drive->sense.key;
    out[7] = 10;
    out[12] = drive->sense.asc;
    out[13] = drive->sense.ascq;
    drive->sense = (AtapiSense){SENSE_NONE, 0, 0};
    atapi_reply(channel, 18, packet[4]);
}

static void
open_tray(IdeDrive *drive)
{
    if (atapi_has_medium(drive)) {
        drive->event_removed = true;
        drive->event_new = false;
        drive->media->eject(drive->media->user);
    }
    drive->tray_open = true;
}

static void
run_start_stop(IdeChannel *channel, const uint8_t *packet)
{
    IdeDrive *drive = ide_selected(channel);
    bool load_or_eject = (packet[4] & 0x02) != 0;
    bool start = (packet[4] & 0x01) != 0;

    if ((packet[4] & 0xf0) != 0 || !load_or_eject) {
        atapi_succeed(channel); /* power conditions, spinning up and down */
        return;
    }
    if (!start && drive->locked) {
        atapi_fail(channel, SENSE_ILLEGAL_REQUEST, 0x53, 2);
        return;
    }
    if (start)
        drive->tray_open = false;
    else
        open_tray(drive);
    atapi_succeed(channel);
}

static void
run_prevent(IdeChannel *channel, const uint8_t *packet)
{
    ide_selected(channel)->locked = (packet[4] & 0x01) != 0;
    atapi_succeed(channel);
}

static void
run_read_capacity(IdeChannel *channel, const uint8_t *packet)
{
    atapi_put32(channel->io.buffer, (uint32_t)(atapi_sectors(ide_selected(channel)) - 1));
    atapi_put32(channel->io.buffer + 4, IDE_CD_SECTOR);
    atapi_reply(channel, 8, 8);
}

static void
run_nothing(IdeChannel *channel, const uint8_t *packet)
{
    atapi_succeed(channel);
}

/* clang-format off */
static const AtapiCommand commands[] = {
    {0x00, NEEDS_MEDIUM, run_test_unit_ready},
    {0x03, DESPITE_ATTENTION, run_request_sense},
    {0x12, DESPITE_ATTENTION, atapi_inquiry},
    {0x1b, 0, run_start_stop},
    {0x1e, 0, run_prevent},
    {0x25, NEEDS_MEDIUM, run_read_capacity},
    {0x28, NEEDS_MEDIUM, atapi_read_10},
    {0x2b, NEEDS_MEDIUM, atapi_seek},
    {0x42, NEEDS_MEDIUM, atapi_read_subchannel},
    {0x43, NEEDS_MEDIUM, atapi_read_toc},
    {0x46, DESPITE_ATTENTION, atapi_get_configuration},
    {0x4a, DESPITE_ATTENTION, atapi_get_event},
    {0x51, NEEDS_MEDIUM, atapi_read_disc_information},
    {0x52, NEEDS_MEDIUM, atapi_read_track_information},
    {0x5a, 0, atapi_mode_sense},
    {0xa8, NEEDS_MEDIUM, atapi_read_12},
    {0xb9, NEEDS_MEDIUM, atapi_read_cd_msf},
    {0xbb, 0, run_nothing}, /* SET CD SPEED */
    {0xbd, 0, atapi_mechanism_status},
    {0xbe, NEEDS_MEDIUM, atapi_read_cd},
};
/* clang-format on */

static const AtapiCommand *
find_command(uint8_t code)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(commands); i++)
        if (commands[i].code == code)
            return &commands[i];
    return NULL;
}

void
atapi_execute(IdeChannel *channel)
{
    IdeDrive *drive = ide_selected(channel);
    uint8_t *packet = channel->transfer.packet;
    const AtapiCommand *command;

    memcpy(packet, channel->io.buffer, IDE_PACKET_SIZE);
    command = find_command(packet[0]);
    drive->status = IDE_BSY;
    if (command == NULL) {
        pdm_log(channel->device, "Packet command %02x is not known.", packet[0]);
        atapi_fail(channel, SENSE_ILLEGAL_REQUEST, 0x20, 0);
        return;
    }
    if (drive->unit_attention && (command->flags & DESPITE_ATTENTION) == 0) {
        drive->unit_attention = false;
        atapi_fail(channel, SENSE_UNIT_ATTENTION, 0x28, 0);
        return;
    }
    if ((command->flags & NEEDS_MEDIUM) != 0 && !atapi_has_medium(drive)) {
        fail_no_medium(channel);
        return;
    }
    if ((command->flags & DESPITE_ATTENTION) == 0)
        drive->sense = (AtapiSense){SENSE_NONE, 0, 0};
    command->run(channel, packet);
}
