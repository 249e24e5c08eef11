/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The link of an AHCI port and the frames that its drive sends (AHCI 1.3.1 chapters 4 and 5). */
#include "devices/storage/ahci-private.h"

#include <string.h>

enum {
    FIS_REGISTER = 0x34,
    FIS_PIO_SETUP = 0x5f,
    FIS_DEVICE_BITS = 0xa1,
    FIS_INTERRUPT = 0x40,
    /* Where each kind is received. */
    AT_PIO_SETUP = 0x20,
    AT_REGISTER = 0x40,
    AT_DEVICE_BITS = 0x58,
};

#define SSTS_CONNECTED 0x123u /* device and link, generation 2, active */
#define SIGNATURE_NONE 0xffffffffu
#define TASK_FILE_NONE 0x7fu

static void
receive(AhciPort *port, uint32_t at, const uint8_t *fis, size_t size)
{
    uint64_t base = (uint64_t)port->fbu << 32 | port->fb;

    if ((port->cmd & AHCI_CMD_FRE) != 0)
        pdm_phys_write(port->ahci->device, base + at, fis, size);
}

/* The registers as every frame has them, bytes 2 to 13. */
static void
put_registers(const AhciPort *port, uint8_t *fis)
{
    const AtaDrive *drive = &port->ata;

    fis[2] = drive->status;
    fis[3] = drive->error;
    for (unsigned i = 0; i < 3; i++) {
        fis[4 + i] = drive->regs[ATA_REG_LBA_LOW + i];
        fis[8 + i] = drive->previous[ATA_REG_LBA_LOW + i];
    }
    fis[7] = port->device;
    fis[12] = drive->regs[ATA_REG_COUNT];
    fis[13] = drive->previous[ATA_REG_COUNT];
}

void
ahci_send_register_fis(AhciPort *port, bool interrupt)
{
    uint8_t fis[20] = {FIS_REGISTER, interrupt ? FIS_INTERRUPT : 0};
    uint32_t bits = interrupt ? AHCI_IS_DHRS : 0;

    put_registers(port, fis);
    receive(port, AT_REGISTER, fis, sizeof(fis));
    if ((port->ata.status & ATA_ERR) != 0)
        bits |= AHCI_IS_TFES;
    ahci_raise(port, bits);
}

void
ahci_send_pio_setup(AhciPort *port, uint32_t bytes)
{
    uint8_t fis[20] = {FIS_PIO_SETUP, FIS_INTERRUPT | 0x20};

    put_registers(port, fis);
    fis[2] = port->ata.status | ATA_DRQ;
    fis[15] = port->ata.status;
    fis[16] = (uint8_t)bytes;
    fis[17] = (uint8_t)(bytes >> 8);
    receive(port, AT_PIO_SETUP, fis, sizeof(fis));
    ahci_raise(port, AHCI_IS_PSS);
}

void
ahci_send_device_bits(AhciPort *port, uint32_t ended)
{
    uint8_t fis[8] = {FIS_DEVICE_BITS, FIS_INTERRUPT};
    uint32_t bits = AHCI_IS_SDBS;

    fis[2] = port->ata.status & 0x77;
    fis[3] = port->ata.error;
    for (unsigned i = 0; i < 4; i++)
        fis[4 + i] = (uint8_t)(ended >> (8 * i));
    receive(port, AT_DEVICE_BITS, fis, sizeof(fis));
    port->sact &= ~ended;
    if ((port->ata.status & ATA_ERR) != 0)
        bits |= AHCI_IS_TFES;
    ahci_raise(port, bits);
}

uint32_t
ahci_task_file(const AhciPort *port)
{
    if (!ahci_has_drive(port))
        return TASK_FILE_NONE;
    return port->ata.status | (uint32_t)port->ata.error << 8;
}

static bool
is_of_port(const DriveJob *job, void *user)
{
    const AhciPort *port = user;

    return job->media == port->ata.media;
}

void
ahci_port_abandon(AhciPort *port)
{
    drive_jobs_drop_matching(&port->ahci->jobs, is_of_port, port);
    port->ci = port->sact = port->running = port->accepted = 0;
    port->busy = port->halted = false;
}

void
ahci_port_connect(AhciPort *port)
{
    if (!ahci_has_drive(port)) {
        port->ssts = 0;
        port->sig = SIGNATURE_NONE;
        return;
    }
    ata_set_signature(&port->ata);
    port->ssts = SSTS_CONNECTED;
    port->sig = port->ata.packet ? 0xeb140101u : 0x00000101u;
    port->serr |= AHCI_SERR_EXCHANGED;
    port->device = 0;
    ahci_send_register_fis(port, false);
    ahci_raise(port, AHCI_IS_PCS);
}

void
ahci_port_disconnect(AhciPort *port)
{
    port->ssts = 0;
    port->sig = SIGNATURE_NONE;
    port->serr |= AHCI_SERR_LINK_CHANGED | AHCI_SERR_EXCHANGED;
    ahci_raise(port, AHCI_IS_PRCS | AHCI_IS_PCS);
}

void
ahci_port_reset(AhciPort *port)
{
    ahci_port_abandon(port);
    port->is = port->ie = port->sctl = port->serr = 0;
    port->cmd = AHCI_CMD_SUD | AHCI_CMD_POD;
    port->soft_reset = false;
    port->next_slot = 0;
    ata_drive_reset(&port->ata);
    scsi_unit_reset(&port->unit);
    ahci_port_connect(port);
}
