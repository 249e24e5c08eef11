/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The commands of ATA/ATAPI-6 chapter 8: one row each. Left out: host protected area, security,
 * CFA, removable media and streaming sets, queued commands; IDENTIFY does not announce them and
 * they end with ABRT. */
#include "devices/storage/ide-private.h"

enum {
    DISK = 0x01,
    PACKET_DRIVE = 0x02,
    EITHER = DISK | PACKET_DRIVE,
    EXT = 0x04, /* 48-bit address, registers written twice */
    DMA = 0x08,
    MULTIPLE = 0x10,
    FUA = 0x20,
};

typedef struct {
    uint8_t code;
    uint8_t flags;
    void (*run)(IdeChannel *channel, uint8_t flags);
} AtaCommand;

static void
abort_command(IdeChannel *channel)
{
    ide_fail(channel, IDE_ERROR_ABRT);
}

/* --- addresses --- */

static uint64_t
address48(const IdeDrive *drive)
{
    uint64_t lba = 0;

    for (unsigned i = 0; i < 3; i++) {
        lba |= (uint64_t)drive->regs[IDE_REG_LBA_LOW + i] << (8 * i);
        lba |= (uint64_t)drive->previous[IDE_REG_LBA_LOW + i] << (8 * i + 24);
    }
    return lba;
}

static uint64_t
address28(const IdeDrive *drive, uint8_t select)
{
    uint32_t low = drive->regs[IDE_REG_LBA_LOW];
    uint32_t cylinder = drive->regs[IDE_REG_LBA_MID] | (uint32_t)drive->regs[IDE_REG_LBA_HIGH] << 8;
    uint32_t head = select & 0x0f;

    if ((select & IDE_DEVICE_LBA) != 0)
        return (uint64_t)head << 24 | cylinder << 8 | low;
    if (low == 0 || low > drive->sectors_per_track || head >= drive->heads)
        return G_MAXUINT64;
    return ((uint64_t)cylinder * drive->heads + head) * drive->sectors_per_track + low - 1;
}

static uint32_t
sector_count(const IdeDrive *drive, bool ext)
{
    uint32_t count = drive->regs[IDE_REG_COUNT];

    if (!ext)
        return count != 0 ? count : 256;
    count |= (uint32_t)drive->previous[IDE_REG_COUNT] << 8;
    return count != 0 ? count : 65536;
}

/* Sets up the transfer's range; false when the command has ended with IDNF. */
static bool
take_range(IdeChannel *channel, uint8_t flags)
{
    const IdeDrive *drive = ide_selected(channel);
    bool ext = (flags & EXT) != 0;
    uint64_t lba = ext ? address48(drive) : address28(drive, channel->select);
    uint32_t count = sector_count(drive, ext);

    if (lba >= drive->sectors || count > drive->sectors - lba) {
        ide_fail(channel, IDE_ERROR_IDNF);
        return false;
    }
    channel->transfer.lba = lba;
    channel->transfer.remaining = count;
    return true;
}

/* --- data --- */

static void
begin_data(IdeChannel *channel, IdeOp op, uint8_t flags)
{
    IdeTransfer *transfer = &channel->transfer;
    IdeDrive *drive = ide_selected(channel);
    uint32_t multiple = (flags & MULTIPLE) != 0 ? drive->multiple : 1;

    if (multiple == 0) {
        abort_command(channel);
        return;
    }
    if (!take_range(channel, flags))
        return;
    drive->standby = false;
    transfer->op = op;
    transfer->dma = (flags & DMA) != 0;
    /* Without a write cache every write is on the disk before it is reported. */
    transfer->fua = op == IDE_OP_WRITE && ((flags & FUA) != 0 || !drive->write_cache);
    transfer->block_size = multiple * IDE_SECTOR;
    ide_begin_medium(channel);
}

static void
run_read(IdeChannel *channel, uint8_t flags)
{
    begin_data(channel, IDE_OP_READ, flags);
}

static void
run_write(IdeChannel *channel, uint8_t flags)
{
    const PdmMediaConnector *media = ide_selected(channel)->media;

    if (media->read_only(media->user))
        abort_command(channel);
    else
        begin_data(channel, IDE_OP_WRITE, flags);
}

static void
run_verify(IdeChannel *channel, uint8_t flags)
{
    begin_data(channel, IDE_OP_VERIFY, flags);
}

static void
run_flush(IdeChannel *channel, uint8_t flags)
{
    ide_begin_flush(channel);
}

static void
reply_sector(IdeChannel *channel)
{
    channel->transfer.op = IDE_OP_REPLY;
    ide_begin_pio_in(channel, IDE_SECTOR, IDE_SECTOR);
}

static void
run_identify(IdeChannel *channel, uint8_t flags)
{
    ata_identify_disk(ide_selected(channel), channel->io.buffer);
    reply_sector(channel);
}

static void
run_identify_packet(IdeChannel *channel, uint8_t flags)
{
    ata_identify_packet(ide_selected(channel), channel->io.buffer);
    reply_sector(channel);
}

static void
run_packet(IdeChannel *channel, uint8_t flags)
{
    atapi_begin_packet(channel);
}

/* --- without data --- */

static void
run_nothing(IdeChannel *channel, uint8_t flags)
{
    ide_finish(channel, true);
}

static void
run_nop(IdeChannel *channel, uint8_t flags)
{
    abort_command(channel);
}

static void
run_seek(IdeChannel *channel, uint8_t flags)
{
    IdeDrive *drive = ide_selected(channel);

    if (address28(drive, channel->select) >= drive->sectors)
        ide_fail(channel, IDE_ERROR_IDNF);
    else
        ide_finish(channel, true);
}

static void
run_device_reset(IdeChannel *channel, uint8_t flags)
{
    ide_abandon(channel);
    ide_set_signature(ide_selected(channel));
}

static void
run_initialize_parameters(IdeChannel *channel, uint8_t flags)
{
    IdeDrive *drive = ide_selected(channel);

    if (drive->regs[IDE_REG_COUNT] == 0) {
        abort_command(channel);
        return;
    }
    drive->heads = (channel->select & 0x0fu) + 1;
    drive->sectors_per_track = drive->regs[IDE_REG_COUNT];
    ide_finish(channel, true);
}

static void
run_set_multiple(IdeChannel *channel, uint8_t flags)
{
    IdeDrive *drive = ide_selected(channel);
    uint8_t count = drive->regs[IDE_REG_COUNT];

    if (count > IDE_MULTIPLE_MAX || (count & (count - 1)) != 0) {
        abort_command(channel);
        return;
    }
    drive->multiple = count;
    ide_finish(channel, true);
}

static void
run_set_features(IdeChannel *channel, uint8_t flags)
{
    ata_set_features(channel);
}

static void
run_smart(IdeChannel *channel, uint8_t flags)
{
    ata_smart(channel);
}

static void
run_idle(IdeChannel *channel, uint8_t flags)
{
    ide_selected(channel)->standby = false;
    ide_finish(channel, true);
}

/* What the drive caches is on the disk before it stops. */
static void
run_standby(IdeChannel *channel, uint8_t flags)
{
    IdeDrive *drive = ide_selected(channel);

    drive->standby = true;
    if (drive->atapi)
        ide_finish(channel, true);
    else
        ide_begin_flush(channel);
}

static void
run_check_power(IdeChannel *channel, uint8_t flags)
{
    IdeDrive *drive = ide_selected(channel);

    drive->regs[IDE_REG_COUNT] = drive->standby ? 0x00 : 0xff;
    ide_finish(channel, true);
}

void
ata_diagnostic(IdeChannel *channel)
{
    channel->select &= (uint8_t)~IDE_DEVICE_SLAVE;
    channel->transfer = (IdeTransfer){0};
    for (unsigned i = 0; i < IDE_DRIVES; i++)
        ide_set_signature(&channel->drives[i]);
    ide_raise_irq(channel);
}

/* clang-format off */
static const AtaCommand commands[] = {
    {0x00, EITHER, run_nop},
    {0x08, PACKET_DRIVE, run_device_reset},
    {0x10, DISK, run_nothing}, /* RECALIBRATE */
    {0x20, DISK, run_read},
    {0x21, DISK, run_read},
    {0x24, DISK | EXT, run_read},
    {0x25, DISK | EXT | DMA, run_read},
    {0x29, DISK | EXT | MULTIPLE, run_read},
    {0x30, DISK, run_write},
    {0x31, DISK, run_write},
    {0x34, DISK | EXT, run_write},
    {0x35, DISK | EXT | DMA, run_write},
    {0x39, DISK | EXT | MULTIPLE, run_write},
    {0x3d, DISK | EXT | DMA | FUA, run_write},
    {0x40, DISK, run_verify},
    {0x41, DISK, run_verify},
    {0x42, DISK | EXT, run_verify},
    {0x70, DISK, run_seek},
    {0x91, DISK, run_initialize_parameters},
    {0x94, EITHER, run_standby}, /* the 9xh forms are ATA-1's */
    {0x95, EITHER, run_idle},
    {0x96, EITHER, run_standby},
    {0x97, EITHER, run_idle},
    {0x98, EITHER, run_check_power},
    {0x99, EITHER, run_standby}, /* SLEEP */
    {0xa0, PACKET_DRIVE, run_packet},
    {0xa1, PACKET_DRIVE, run_identify_packet},
    {0xb0, DISK, run_smart},
    {0xc4, DISK | MULTIPLE, run_read},
    {0xc5, DISK | MULTIPLE, run_write},
    {0xc6, DISK, run_set_multiple},
    {0xc8, DISK | DMA, run_read},
    {0xc9, DISK | DMA, run_read},
    {0xca, DISK | DMA, run_write},
    {0xcb, DISK | DMA, run_write},
    {0xce, DISK | EXT | MULTIPLE | FUA, run_write},
    {0xe0, EITHER, run_standby},
    {0xe1, EITHER, run_idle},
    {0xe2, EITHER, run_standby},
    {0xe3, EITHER, run_idle},
    {0xe5, EITHER, run_check_power},
    {0xe6, EITHER, run_standby}, /* SLEEP */
    {0xe7, DISK, run_flush},
    {0xea, DISK, run_flush},
    {0xec, DISK, run_identify},
    {0xef, EITHER, run_set_features},
};
/* clang-format on */

static const AtaCommand *
find_command(uint8_t code, uint8_t who)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(commands); i++)
        if (commands[i].code == code && (commands[i].flags & who) != 0)
            return &commands[i];
    return NULL;
}

void
ata_execute(IdeChannel *channel, uint8_t code)
{
    IdeDrive *drive = ide_selected(channel);
    const AtaCommand *command = find_command(code, drive->atapi ? PACKET_DRIVE : DISK);

    drive->error = 0;
    if (command == NULL) {
        /* A packet drive answers a disk's IDENTIFY and READ with its signature. */
        if (drive->atapi && (code == 0xec || code == 0x20))
            ide_set_signature(drive);
        else if (code != 0xa1) /* how a host finds out that it is a disk */
            pdm_log(channel->device, "ATA command %02x is not known to drive %u.", code,
                    (unsigned)(drive - channel->drives));
        abort_command(channel);
        return;
    }
    command->run(channel, command->flags);
}
