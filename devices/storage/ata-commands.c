/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The commands of ATA/ATAPI-6 chapter 8: one row each; DATA SET MANAGEMENT and READ LOG EXT of
 * ACS-2. Left out: host protected area, security, CFA, removable media and streaming sets; IDENTIFY
 * does not announce them and they end with ABRT. The queued commands of a serial link have no
 * registers of their own: their controller makes tasks of them. */
#include "devices/storage/ata.h"

#include <string.h>

enum {
    DISK = 0x01,
    PACKET_DRIVE = 0x02,
    EITHER = DISK | PACKET_DRIVE,
    EXT = 0x04, /* 48-bit address, registers written twice */
    DMA = 0x08,
    MULTIPLE = 0x10,
    FUA = 0x20,
};

/* What a command works on. */
typedef struct {
    AtaDrive *drive;
    AtaTask *task;
    uint8_t select, flags;
} Call;

typedef struct {
    uint8_t code;
    uint8_t flags;
    void (*run)(const Call *call);
} AtaCommand;

static void
fail(AtaTask *task, uint8_t error)
{
    task->op = ATA_FAIL;
    task->error = error;
}

/* --- the drive --- */

void
ata_set_signature(AtaDrive *drive)
{
    memset(drive->previous, 0, sizeof(drive->previous));
    drive->regs[ATA_REG_FEATURES] = 0;
    drive->regs[ATA_REG_COUNT] = 1;
    drive->regs[ATA_REG_LBA_LOW] = 1;
    drive->regs[ATA_REG_LBA_MID] = drive->packet ? 0x14 : 0;
    drive->regs[ATA_REG_LBA_HIGH] = drive->packet ? 0xeb : 0;
    drive->error = 1;
    /* A packet drive sets DRDY with its first command. */
    drive->status = drive->media == NULL || drive->packet ? 0 : ATA_DRDY | ATA_DSC;
}

void
ata_drive_reset(AtaDrive *drive)
{
    drive->heads = 16;
    drive->sectors_per_track = 63;
    drive->multiple = ATA_MULTIPLE_MAX;
    drive->transfer_mode = drive->serial ? 0x45 : 0x42; /* UDMA 5 or 2 */
    drive->write_cache = drive->look_ahead = drive->smart = true;
    drive->standby = false;
    memset(drive->queued_error, 0, sizeof(drive->queued_error));
    ata_set_signature(drive);
}

void
ata_drive_attach(AtaDrive *drive, PdmDevice *device, const PdmMediaConnector *media)
{
    drive->device = device;
    drive->media = media;
    if (media == NULL)
        return;
    drive->packet = media->type == PDM_MEDIA_OPTICAL;
    if (!drive->packet)
        drive->sectors = media->size(media->user) / ATA_SECTOR;
}

/* --- addresses --- */

uint64_t
ata_lba48(const AtaDrive *drive)
{
    uint64_t lba = 0;

    for (unsigned i = 0; i < 3; i++) {
        lba |= (uint64_t)drive->regs[ATA_REG_LBA_LOW + i] << (8 * i);
        lba |= (uint64_t)drive->previous[ATA_REG_LBA_LOW + i] << (8 * i + 24);
    }
    return lba;
}

void
ata_put_lba(AtaDrive *drive, uint64_t lba)
{
    for (unsigned i = 0; i < 3; i++) {
        drive->regs[ATA_REG_LBA_LOW + i] = (uint8_t)(lba >> (8 * i));
        drive->previous[ATA_REG_LBA_LOW + i] = (uint8_t)(lba >> (8 * i + 24));
    }
}

static uint64_t
address28(const AtaDrive *drive, uint8_t select)
{
    uint32_t low = drive->regs[ATA_REG_LBA_LOW];
    uint32_t cylinder = drive->regs[ATA_REG_LBA_MID] | (uint32_t)drive->regs[ATA_REG_LBA_HIGH] << 8;
    uint32_t head = select & 0x0f;

    if ((select & ATA_DEVICE_LBA) != 0)
        return (uint64_t)head << 24 | cylinder << 8 | low;
    if (low == 0 || low > drive->sectors_per_track || head >= drive->heads)
        return G_MAXUINT64;
    return ((uint64_t)cylinder * drive->heads + head) * drive->sectors_per_track + low - 1;
}

static uint32_t
sector_count(const AtaDrive *drive, bool ext)
{
    uint32_t count = drive->regs[ATA_REG_COUNT];

    if (!ext)
        return count != 0 ? count : 256;
    count |= (uint32_t)drive->previous[ATA_REG_COUNT] << 8;
    return count != 0 ? count : 65536;
}

void
ata_begin_range(AtaDrive *drive, AtaOp op, uint64_t lba, uint32_t count, AtaTask *task)
{
    if (lba >= drive->sectors || count > drive->sectors - lba) {
        fail(task, ATA_ERROR_IDNF);
        return;
    }
    task->op = op;
    task->lba = lba;
    task->count = count;
}

/* --- data --- */

static void
begin_data(const Call *call, AtaOp op)
{
    AtaDrive *drive = call->drive;
    AtaTask *task = call->task;
    bool ext = (call->flags & EXT) != 0;
    uint32_t multiple = (call->flags & MULTIPLE) != 0 ? drive->multiple : 1;

    if (multiple == 0) {
        fail(task, ATA_ERROR_ABRT);
        return;
    }
    drive->standby = false;
    task->dma = (call->flags & DMA) != 0;
    /* Without a write cache every write is on the disk before it is reported. */
    task->fua = op == ATA_WRITE && ((call->flags & FUA) != 0 || !drive->write_cache);
    task->block = multiple * ATA_SECTOR;
    ata_begin_range(drive, op, ext ? ata_lba48(drive) : address28(drive, call->select),
                    sector_count(drive, ext), task);
}

static void
run_read(const Call *call)
{
    begin_data(call, ATA_READ);
}

static void
run_write(const Call *call)
{
    const PdmMediaConnector *media = call->drive->media;

    if (media->read_only(media->user))
        fail(call->task, ATA_ERROR_ABRT);
    else
        begin_data(call, ATA_WRITE);
}

static void
run_verify(const Call *call)
{
    begin_data(call, ATA_VERIFY);
}

static void
run_flush(const Call *call)
{
    call->task->op = ATA_FLUSH;
}

/* Only TRIM, with as many blocks of ranges as IDENTIFY announces. */
static void
run_data_set_management(const Call *call)
{
    const AtaDrive *drive = call->drive;
    uint32_t count = drive->regs[ATA_REG_COUNT] | (uint32_t)drive->previous[ATA_REG_COUNT] << 8;
    bool trim = drive->trim && (drive->regs[ATA_REG_FEATURES] & 0x01) != 0;

    if (!trim || count == 0 || count > ATA_TRIM_BLOCKS_MAX ||
        drive->media->read_only(drive->media->user)) {
        fail(call->task, ATA_ERROR_ABRT);
        return;
    }
    call->task->op = ATA_TRIM;
    call->task->dma = true;
    call->task->count = count;
}

bool
ata_trim_range(const AtaDrive *drive, const uint8_t entry[8], uint64_t *lba, uint32_t *count)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < 8; i++)
        value |= (uint64_t)entry[i] << (8 * i);
    *lba = value & ((1ull << 48) - 1);
    *count = (uint32_t)(value >> 48);
    return *count > 0 && *lba < drive->sectors && *count <= drive->sectors - *lba;
}

static void
run_identify(const Call *call)
{
    ata_identify_disk(call->drive, call->task->reply);
    call->task->op = ATA_REPLY;
}

static void
run_identify_packet(const Call *call)
{
    ata_identify_packet(call->drive, call->task->reply);
    call->task->op = ATA_REPLY;
}

static void
run_packet(const Call *call)
{
    call->task->op = ATA_PACKET;
}

/* --- without data --- */

static void
run_nothing(const Call *call)
{
}

static void
run_nop(const Call *call)
{
    fail(call->task, ATA_ERROR_ABRT);
}

static void
run_seek(const Call *call)
{
    if (address28(call->drive, call->select) >= call->drive->sectors)
        fail(call->task, ATA_ERROR_IDNF);
}

static void
run_device_reset(const Call *call)
{
    call->task->op = ATA_RESET;
}

static void
run_initialize_parameters(const Call *call)
{
    AtaDrive *drive = call->drive;

    if (drive->regs[ATA_REG_COUNT] == 0) {
        fail(call->task, ATA_ERROR_ABRT);
        return;
    }
    drive->heads = (call->select & 0x0fu) + 1;
    drive->sectors_per_track = drive->regs[ATA_REG_COUNT];
}

static void
run_set_multiple(const Call *call)
{
    uint8_t count = call->drive->regs[ATA_REG_COUNT];

    if (count > ATA_MULTIPLE_MAX || (count & (count - 1)) != 0)
        fail(call->task, ATA_ERROR_ABRT);
    else
        call->drive->multiple = count;
}

static void
run_set_features(const Call *call)
{
    ata_set_features(call->drive, call->task);
}

static void
run_smart(const Call *call)
{
    ata_smart(call->drive, call->task);
}

static void
run_read_log(const Call *call)
{
    ata_read_log(call->drive, call->task);
}

static void
run_idle(const Call *call)
{
    call->drive->standby = false;
}

/* What the drive caches is on the disk before it stops. */
static void
run_standby(const Call *call)
{
    call->drive->standby = true;
    if (!call->drive->packet)
        call->task->op = ATA_FLUSH;
}

static void
run_check_power(const Call *call)
{
    call->drive->regs[ATA_REG_COUNT] = call->drive->standby ? 0x00 : 0xff;
}

/* clang-format off */
static const AtaCommand commands[] = {
    {0x00, EITHER, run_nop},
    {0x06, DISK | EXT, run_data_set_management},
    {0x08, PACKET_DRIVE, run_device_reset},
    {0x10, DISK, run_nothing}, /* RECALIBRATE */
    {0x20, DISK, run_read},
    {0x21, DISK, run_read},
    {0x24, DISK | EXT, run_read},
    {0x25, DISK | EXT | DMA, run_read},
    {0x29, DISK | EXT | MULTIPLE, run_read},
    {0x2f, DISK | EXT, run_read_log},
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
ata_begin(AtaDrive *drive, uint8_t select, uint8_t code, AtaTask *task)
{
    const AtaCommand *command = find_command(code, drive->packet ? PACKET_DRIVE : DISK);

    drive->error = 0;
    task->op = ATA_NOTHING;
    task->error = 0;
    task->dma = task->fua = false;
    task->block = ATA_SECTOR;
    if (command != NULL) {
        command->run(&(Call){drive, task, select, command->flags});
        return;
    }
    /* A packet drive answers a disk's IDENTIFY and READ with its signature. */
    if (drive->packet && (code == 0xec || code == 0x20))
        ata_set_signature(drive);
    else if (code != 0xa1) /* how a host finds out that it is a disk */
        pdm_log(drive->device, "ATA command %02x is not known.", code);
    fail(task, ATA_ERROR_ABRT);
}

/* clang-format off */
#define FLAG(type, member) SSM_UINT_BELOW(type, member, 2)

const SsmField ata_drive_fields[] = {
    SSM_BYTES(AtaDrive, regs),
    SSM_BYTES(AtaDrive, previous),
    SSM_UINT(AtaDrive, status),
    SSM_UINT(AtaDrive, error),
    SSM_UINT_BELOW(AtaDrive, heads, 17),
    SSM_UINT_BELOW(AtaDrive, sectors_per_track, 256),
    SSM_UINT_BELOW(AtaDrive, multiple, ATA_MULTIPLE_MAX + 1),
    SSM_UINT(AtaDrive, transfer_mode),
    FLAG(AtaDrive, write_cache),
    FLAG(AtaDrive, look_ahead),
    FLAG(AtaDrive, smart),
    FLAG(AtaDrive, standby),
    SSM_END,
};
/* clang-format on */

bool
ata_drive_holds(const AtaDrive *drive)
{
    return drive->heads > 0 && drive->sectors_per_track > 0;
}
