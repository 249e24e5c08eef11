/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Commands of an AHCI port: from the command list to the drive and back (AHCI 1.3.1 chapters 4 and
 * 5; Serial ATA 2.6 chapter 13 for queued commands). A command that is not queued is alone at the
 * drive; queued ones leave the list when the drive has taken them and end with their bit in SACT.
 */
#include "devices/storage/ahci-private.h"

#include <string.h>

#define HEADER_SIZE 32u
#define HEADER_PRDBC 4u
#define TABLE_PACKET 0x40u
#define TABLE_PRDT 0x80u
#define PRD_SIZE 16u
#define PRD_BATCH 32u
#define PRD_BYTES_MAX 0x3fffffu

enum {
    FIS_COMMAND = 0x27,
    FIS_IS_COMMAND = 0x80, /* byte 1: the command register, not the control register */
    FIS_SIZE = 20,
    READ_FPDMA = 0x60,
    WRITE_FPDMA = 0x61,
    DEVICE_FUA = 0x80,
};

/* A command header with what its table begins with. */
typedef struct {
    uint64_t table;
    uint32_t prdt_length;
    uint8_t fis[FIS_SIZE];
} Command;

typedef struct {
    ScsiRequest scsi;
    AhciPort *port;
    uint8_t slot;
    bool queued;
    uint8_t range; /* of TRIM */
    uint8_t ranges[ATA_TRIM_BLOCKS_MAX * ATA_SECTOR];
    uint64_t lba;
} AhciRequest;

size_t
ahci_request_size(void)
{
    return sizeof(AhciRequest);
}

static uint32_t
get32(const uint8_t *at)
{
    return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static uint64_t
header_at(const AhciPort *port, unsigned slot)
{
    return ((uint64_t)port->clbu << 32 | port->clb) + slot * HEADER_SIZE;
}

static void
fetch(const AhciPort *port, unsigned slot, Command *command)
{
    uint8_t header[16];

    pdm_phys_read(port->ahci->device, header_at(port, slot), header, sizeof(header));
    command->prdt_length = get32(header) >> 16;
    command->table = (uint64_t)get32(header + 12) << 32 | (get32(header + 8) & ~0x7fu);
    pdm_phys_read(port->ahci->device, command->table, command->fis, FIS_SIZE);
}

/* Reads regions until there are as many bytes as the command needs. */
static void
gather(const AhciPort *port, const Command *command, uint64_t needed, DmaList *list)
{
    uint8_t batch[PRD_BATCH * PRD_SIZE];

    for (uint32_t at = 0; at < command->prdt_length && list->size < needed; at++) {
        const uint8_t *prd = batch + at % PRD_BATCH * PRD_SIZE;
        uint32_t left = command->prdt_length - at;

        if (at % PRD_BATCH == 0)
            pdm_phys_read(port->ahci->device, command->table + TABLE_PRDT + (uint64_t)at * PRD_SIZE,
                          batch, (size_t)MIN(left, PRD_BATCH) * PRD_SIZE);
        dma_list_add(list, ((uint64_t)get32(prd + 4) << 32 | get32(prd)) & ~1ull,
                     (get32(prd + 12) & PRD_BYTES_MAX) + 1);
    }
}

static void
set_byte_count(const AhciPort *port, unsigned slot, uint64_t bytes)
{
    uint32_t value = GUINT32_TO_LE((uint32_t)bytes);

    pdm_phys_write(port->ahci->device, header_at(port, slot) + HEADER_PRDBC, &value, 4);
}

/* --- endings --- */

static void
end_command(AhciPort *port, unsigned slot, uint8_t error)
{
    uint32_t bit = 1u << slot;

    port->ata.error = error;
    port->ata.status = ATA_DRDY | ATA_DSC | (error != 0 ? ATA_ERR : 0);
    port->busy = false;
    port->running &= ~bit;
    port->next_slot = (uint8_t)((slot + 1) % AHCI_SLOTS);
    if (error != 0) {
        port->halted = true;
        return;
    }
    port->ci &= ~bit;
    port->accepted &= ~bit;
}

static void
finish(AhciPort *port, unsigned slot, uint8_t error)
{
    end_command(port, slot, error);
    ahci_send_register_fis(port, true);
}

static void
finish_reply(AhciPort *port, unsigned slot, uint32_t bytes)
{
    set_byte_count(port, slot, bytes);
    end_command(port, slot, 0);
    ahci_send_pio_setup(port, bytes);
}

/* The log of queued commands tells which one has failed; the others are forgotten. */
static void
fail_queued(AhciPort *port, unsigned slot, uint8_t error, uint64_t lba)
{
    uint8_t *log = port->ata.queued_error;
    uint32_t ci = port->ci, sact = port->sact;

    ahci_port_abandon(port);
    port->ci = ci;
    port->sact = sact;
    port->halted = true;
    port->ata.error = error;
    port->ata.status = ATA_DRDY | ATA_DSC | ATA_ERR;
    memset(log, 0, sizeof(port->ata.queued_error));
    log[0] = (uint8_t)slot;
    log[2] = port->ata.status;
    log[3] = error;
    for (unsigned i = 0; i < 3; i++) {
        log[4 + i] = (uint8_t)(lba >> (8 * i));
        log[8 + i] = (uint8_t)(lba >> (8 * i + 24));
    }
    ahci_send_device_bits(port, 0);
}

static void
finish_queued(AhciPort *port, unsigned slot)
{
    port->running &= ~(1u << slot);
    port->ata.error = 0;
    port->ata.status = ATA_DRDY | ATA_DSC;
    ahci_send_device_bits(port, 1u << slot);
}

/* --- jobs --- */

static bool
begin_next_range(AhciRequest *request)
{
    AtaDrive *drive = &request->port->ata;
    DriveJob *job = &request->scsi.job;

    while (request->range < sizeof(request->ranges) / 8) {
        uint64_t lba;
        uint32_t count;

        if (!ata_trim_range(drive, request->ranges + 8 * request->range++, &lba, &count))
            continue;
        job->offset = lba * ATA_SECTOR;
        job->left = (uint64_t)count * ATA_SECTOR;
        drive_job_start(job);
        return true;
    }
    return false;
}

static void
job_done(DriveJob *job, int error)
{
    AhciRequest *request = (AhciRequest *)job;
    AhciPort *port = request->port;
    AhciController *ahci = port->ahci;
    unsigned slot = request->slot;
    bool queued = request->queued;
    uint64_t bytes = job->list_offset, lba = job->offset / ATA_SECTOR;
    uint8_t code = job->kind == DRIVE_JOB_READ || job->kind == DRIVE_JOB_VERIFY ? ATA_ERROR_UNC
                                                                                : ATA_ERROR_ABRT;

    if (error == 0 && job->kind == DRIVE_JOB_DISCARD && begin_next_range(request))
        return;
    drive_job_free(job);
    set_byte_count(port, slot, bytes);
    if (error != 0 && queued) {
        fail_queued(port, slot, code, lba);
    } else if (queued) {
        finish_queued(port, slot);
    } else {
        if (error != 0)
            ata_put_lba(&port->ata, lba);
        finish(port, slot, error != 0 ? code : 0);
    }
    ahci_run(ahci);
}

static AhciRequest *
new_request(AhciPort *port, unsigned slot)
{
    AhciRequest *request = (AhciRequest *)drive_job_new(&port->ahci->jobs);

    request->port = port;
    request->slot = (uint8_t)slot;
    request->scsi.job.media = port->ata.media;
    request->scsi.job.done = job_done;
    port->running |= 1u << slot;
    return request;
}

static void
start_transfer(AhciPort *port, unsigned slot, const Command *command, const AtaTask *task,
               bool queued)
{
    static const DriveJobKind kinds[] = {
        [ATA_READ] = DRIVE_JOB_READ,
        [ATA_WRITE] = DRIVE_JOB_WRITE,
        [ATA_VERIFY] = DRIVE_JOB_VERIFY,
        [ATA_FLUSH] = DRIVE_JOB_FLUSH,
    };
    AhciRequest *request = new_request(port, slot);
    DriveJob *job = &request->scsi.job;
    bool moves = task->op == ATA_READ || task->op == ATA_WRITE;

    request->queued = queued;
    job->kind = kinds[task->op];
    job->offset = task->op == ATA_FLUSH ? 0 : task->lba * ATA_SECTOR;
    job->left = task->op == ATA_FLUSH ? 0 : (uint64_t)task->count * ATA_SECTOR;
    job->fua = task->fua;
    if (moves)
        gather(port, command, job->left, &job->list);
    if (moves && job->list.size < job->left) {
        pdm_guest_error(port->ahci->device, "ahci-short-table",
                        "a command's regions are shorter than its data");
        drive_job_free(job);
        port->running &= ~(1u << slot);
        if (queued)
            fail_queued(port, slot, ATA_ERROR_ABRT, task->lba);
        else
            finish(port, slot, ATA_ERROR_ABRT);
        return;
    }
    drive_job_start(job);
}

static void
start_trim(AhciPort *port, unsigned slot, const Command *command, const AtaTask *task)
{
    AhciRequest *request = new_request(port, slot);
    DriveJob *job = &request->scsi.job;
    uint64_t size = task->count * ATA_SECTOR;

    job->kind = DRIVE_JOB_DISCARD;
    gather(port, command, size, &job->list);
    job->list_offset =
        dma_list_read(&job->list, port->ahci->device, 0, request->ranges, sizeof(request->ranges));
    if (begin_next_range(request))
        return;
    drive_job_free(job);
    finish(port, slot, 0);
}

static void
packet_finished(ScsiRequest *scsi)
{
    AhciRequest *request = (AhciRequest *)scsi;
    AhciPort *port = request->port;
    AhciController *ahci = port->ahci;
    unsigned slot = request->slot;
    uint8_t error =
        scsi->status == SCSI_GOOD ? 0 : (uint8_t)(scsi->task.sense.key << 4 | ATA_ERROR_ABRT);

    set_byte_count(port, slot, MIN(scsi->transferred, scsi->job.list.size));
    port->ata.regs[ATA_REG_COUNT] = ATA_REASON_COMMAND | ATA_REASON_TO_HOST;
    drive_job_free(&scsi->job);
    finish(port, slot, error);
    ahci_run(ahci);
}

/* The packet's data are as long as the guest's regions at most. */
static void
start_packet(AhciPort *port, unsigned slot, const Command *command)
{
    AhciRequest *request = new_request(port, slot);
    uint8_t cdb[SCSI_CDB_SIZE];

    pdm_phys_read(port->ahci->device, command->table + TABLE_PACKET, cdb, sizeof(cdb));
    gather(port, command, UINT32_MAX, &request->scsi.job.list);
    scsi_request_start(&request->scsi, &port->unit, cdb, packet_finished);
}

/* --- commands --- */

static void
take_registers(AhciPort *port, const uint8_t *fis)
{
    AtaDrive *drive = &port->ata;

    drive->regs[ATA_REG_FEATURES] = fis[3];
    drive->previous[ATA_REG_FEATURES] = fis[11];
    drive->regs[ATA_REG_COUNT] = fis[12];
    drive->previous[ATA_REG_COUNT] = fis[13];
    for (unsigned i = 0; i < 3; i++) {
        drive->regs[ATA_REG_LBA_LOW + i] = fis[4 + i];
        drive->previous[ATA_REG_LBA_LOW + i] = fis[8 + i];
    }
    port->device = fis[7];
}

static bool
is_queued(const AhciPort *port, const Command *command)
{
    uint8_t code = command->fis[2];

    return (command->fis[1] & FIS_IS_COMMAND) != 0 && !port->ata.packet &&
           (code == READ_FPDMA || code == WRITE_FPDMA);
}

static void
execute_queued(AhciPort *port, unsigned slot, const Command *command)
{
    AtaDrive *drive = &port->ata;
    bool write = command->fis[2] == WRITE_FPDMA;
    uint32_t count = drive->regs[ATA_REG_FEATURES] | (uint32_t)drive->previous[ATA_REG_FEATURES]
                                                         << 8;
    unsigned tag = drive->regs[ATA_REG_COUNT] >> 3;
    uint32_t bit = 1u << slot;
    AtaTask task = {.fua = write && ((port->device & DEVICE_FUA) != 0 || !drive->write_cache)};

    ata_begin_range(drive, write ? ATA_WRITE : ATA_READ, ata_lba48(drive),
                    count != 0 ? count : 65536, &task);
    if (write && drive->media->read_only(drive->media->user))
        task = (AtaTask){.op = ATA_FAIL, .error = ATA_ERROR_ABRT};
    port->ci &= ~bit;
    if (tag != slot) {
        pdm_guest_error(port->ahci->device, "ahci-tag", "a queued command's tag is not its slot");
        task = (AtaTask){.op = ATA_FAIL, .error = ATA_ERROR_ABRT};
    }
    if (task.op == ATA_FAIL) {
        fail_queued(port, slot, task.error, ata_lba48(drive));
        return;
    }
    ahci_send_register_fis(port, false);
    start_transfer(port, slot, command, &task, true);
}

static void
execute_plain(AhciPort *port, unsigned slot, const Command *command)
{
    AtaTask task;

    port->busy = true;
    port->accepted |= 1u << slot;
    ata_begin(&port->ata, port->device, command->fis[2], &task);
    port->ata.status = ATA_BSY;
    switch (task.op) {
    case ATA_NOTHING: finish(port, slot, 0); break;
    case ATA_FAIL: finish(port, slot, task.error); break;
    case ATA_REPLY: {
        DmaList list = {0};

        gather(port, command, ATA_SECTOR, &list);
        finish_reply(
            port, slot,
            (uint32_t)dma_list_write(&list, port->ahci->device, 0, task.reply, ATA_SECTOR));
        dma_list_clear(&list);
        break;
    }
    case ATA_TRIM: start_trim(port, slot, command, &task); break;
    case ATA_PACKET: start_packet(port, slot, command); break;
    case ATA_RESET:
        ata_set_signature(&port->ata);
        finish(port, slot, 0);
        break;
    default: start_transfer(port, slot, command, &task, false); break;
    }
}

/* The control register: a soft reset begins with SRST set and ends with it clear. */
static void
execute_control(AhciPort *port, unsigned slot, const Command *command)
{
    bool reset = (command->fis[15] & ATA_CONTROL_SRST) != 0;

    port->ci &= ~(1u << slot);
    port->next_slot = (uint8_t)((slot + 1) % AHCI_SLOTS);
    if (reset) {
        uint32_t ci = port->ci;

        ahci_port_abandon(port);
        port->ci = ci;
        port->ata.status = ATA_BSY;
    } else if (port->soft_reset) {
        ata_set_signature(&port->ata);
        ahci_send_register_fis(port, false);
    }
    port->soft_reset = reset;
}

/* False: it has to wait for the commands that are under way. */
static bool
execute(AhciPort *port, unsigned slot)
{
    Command command;

    fetch(port, slot, &command);
    if (command.fis[0] != FIS_COMMAND) {
        pdm_guest_error(port->ahci->device, "ahci-fis", "a command table has a frame of type %02x",
                        command.fis[0]);
        port->accepted |= 1u << slot;
        finish(port, slot, ATA_ERROR_ABRT);
        return true;
    }
    if ((command.fis[1] & FIS_IS_COMMAND) == 0) {
        execute_control(port, slot, &command);
        return true;
    }
    if (!is_queued(port, &command)) {
        if (port->running != 0)
            return false;
        take_registers(port, command.fis);
        execute_plain(port, slot, &command);
        return true;
    }
    take_registers(port, command.fis);
    execute_queued(port, slot, &command);
    return true;
}

static void
run_port(AhciPort *port)
{
    for (unsigned i = 0; i < AHCI_SLOTS; i++) {
        uint32_t waiting = port->ci & ~port->accepted;
        unsigned slot = port->next_slot;

        if (waiting == 0 || (port->cmd & AHCI_CMD_ST) == 0 || port->halted || port->busy ||
            !ahci_has_drive(port) || drive_jobs_active(&port->ahci->jobs) >= AHCI_JOBS_MAX)
            return;
        while ((waiting >> slot & 1) == 0)
            slot = (slot + 1) % AHCI_SLOTS;
        if (!execute(port, slot))
            return;
    }
}

void
ahci_run(AhciController *ahci)
{
    for (unsigned i = 0; i < ahci->port_count; i++) {
        if (ahci->ports[i].ci != 0)
            run_port(&ahci->ports[i]);
    }
}

void
ahci_restart(void *user, void *item)
{
    AhciPort *port = item;
    uint32_t slots = port->running;

    port->running = 0;
    port->busy = false;
    for (unsigned slot = 0; slot < AHCI_SLOTS && !port->halted; slot++) {
        if ((slots >> slot & 1) != 0 && ahci_has_drive(port))
            execute(port, slot);
    }
    ahci_run(port->ahci);
}
