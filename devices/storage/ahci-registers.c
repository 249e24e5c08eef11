/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The registers of the AHCI controller and its ports: AHCI 1.3.1 chapter 3. */
#include "devices/storage/ahci-private.h"

enum {
    HBA_CAP = 0x00,
    HBA_GHC = 0x04,
    HBA_IS = 0x08,
    HBA_PI = 0x0c,
    HBA_VS = 0x10,
    PORTS_AT = 0x100,
    PORT_SIZE = 0x80,
};

enum {
    PORT_CLB = 0x00,
    PORT_CLBU = 0x04,
    PORT_FB = 0x08,
    PORT_FBU = 0x0c,
    PORT_IS = 0x10,
    PORT_IE = 0x14,
    PORT_CMD = 0x18,
    PORT_TFD = 0x20,
    PORT_SIG = 0x24,
    PORT_SSTS = 0x28,
    PORT_SCTL = 0x2c,
    PORT_SERR = 0x30,
    PORT_SACT = 0x34,
    PORT_CI = 0x38,
};

/* 64-bit addresses, queued commands, command list override, generation 2, AHCI only, 32 slots. */
#define CAPABILITIES (1u << 31 | 1u << 30 | 1u << 24 | 2u << 20 | 1u << 18 | 31u << 8)
#define VERSION 0x00010300u
#define GHC_RESET 1u
#define GHC_IE 2u
#define GHC_AE (1u << 31)
#define IE_WRITABLE 0xfdc000ffu
#define CMD_WRITABLE (AHCI_CMD_ST | AHCI_CMD_SUD | AHCI_CMD_POD | AHCI_CMD_FRE | AHCI_CMD_ATAPI)
#define SCTL_DET 0x0fu
#define SCTL_WRITABLE 0xfffu

/* --- interrupts --- */

/* A message goes out for each event while there is something to see, the pin follows the state. */
static void
update_irq(AhciController *ahci, bool event)
{
    bool level = ahci->is != 0 && (ahci->ghc & GHC_IE) != 0;

    if (!pci_msi_enabled(&ahci->msi)) {
        pdm_pci_irq(ahci->device, ahci->pci, level);
        return;
    }
    pdm_pci_irq(ahci->device, ahci->pci, false);
    if (level && event)
        pci_msi_send(&ahci->msi);
}

void
ahci_raise(AhciPort *port, uint32_t bits)
{
    AhciController *ahci = port->ahci;
    bool event = (bits & port->ie) != 0;

    port->is |= bits;
    if ((port->is & port->ie) != 0)
        ahci->is |= 1u << port->index;
    update_irq(ahci, event);
}

/* --- a port --- */

static uint32_t
read_port(const AhciPort *port, uint32_t offset)
{
    switch (offset) {
    case PORT_CLB: return port->clb;
    case PORT_CLBU: return port->clbu;
    case PORT_FB: return port->fb;
    case PORT_FBU: return port->fbu;
    case PORT_IS: return port->is;
    case PORT_IE: return port->ie;
    case PORT_CMD: return port->cmd | (uint32_t)port->next_slot << 8;
    case PORT_TFD: return ahci_task_file(port);
    case PORT_SIG: return port->sig;
    case PORT_SSTS: return port->ssts;
    case PORT_SCTL: return port->sctl;
    case PORT_SERR: return port->serr;
    case PORT_SACT: return port->sact;
    case PORT_CI: return port->ci;
    default: return 0;
    }
}

static void
write_command(AhciPort *port, uint32_t value)
{
    uint32_t old = port->cmd;

    /* The override counts while the list stands still. */
    if ((value & AHCI_CMD_CLO) != 0 && (old & AHCI_CMD_ST) == 0)
        port->ata.status &= (uint8_t) ~(ATA_BSY | ATA_DRQ);
    port->cmd = value & CMD_WRITABLE;
    if ((value & AHCI_CMD_FRE) != 0)
        port->cmd |= AHCI_CMD_FR;
    if ((value & AHCI_CMD_ST) != 0)
        port->cmd |= AHCI_CMD_CR;
    if ((old & ~value & AHCI_CMD_ST) != 0) {
        bool was_busy = port->busy;

        ahci_port_abandon(port);
        port->next_slot = 0;
        /* The drive has not answered: only a reset or the override makes it ready. */
        if (was_busy)
            port->ata.status |= ATA_BSY;
    }
    /* The frame after a reset had nowhere to go until now. */
    if ((~old & value & AHCI_CMD_FRE) != 0 && ahci_has_drive(port))
        ahci_send_register_fis(port, false);
    ahci_run(port->ahci);
}

static void
write_control(AhciPort *port, uint32_t value)
{
    uint32_t old = port->sctl & SCTL_DET;

    port->sctl = value & SCTL_WRITABLE;
    value &= SCTL_DET;
    if (value == 1 && old != 1) {
        ahci_port_abandon(port);
        port->ssts = 0;
        port->ata.status = ATA_BSY;
    } else if (value == 0 && old == 1) {
        ata_drive_reset(&port->ata);
        scsi_unit_reset(&port->unit);
        ahci_port_connect(port);
    } else if (value == 4) {
        port->ssts = ahci_has_drive(port) ? 4 : 0;
    }
}

static void
clear_errors(AhciPort *port, uint32_t value)
{
    port->serr &= ~value;
    if ((port->serr & AHCI_SERR_EXCHANGED) == 0)
        port->is &= ~AHCI_IS_PCS;
    if ((port->serr & AHCI_SERR_LINK_CHANGED) == 0)
        port->is &= ~AHCI_IS_PRCS;
    ahci_raise(port, 0);
}

static void
write_port(AhciPort *port, uint32_t offset, uint32_t value)
{
    switch (offset) {
    case PORT_CLB: port->clb = value & ~0x3ffu; break;
    case PORT_CLBU: port->clbu = value; break;
    case PORT_FB: port->fb = value & ~0xffu; break;
    case PORT_FBU: port->fbu = value; break;
    case PORT_IS: port->is &= ~(value & ~(AHCI_IS_PCS | AHCI_IS_PRCS)); break;
    case PORT_IE:
        port->ie = value & IE_WRITABLE;
        ahci_raise(port, port->is);
        break;
    case PORT_CMD: write_command(port, value); break;
    case PORT_SCTL: write_control(port, value); break;
    case PORT_SERR: clear_errors(port, value); break;
    case PORT_SACT:
        if ((port->cmd & AHCI_CMD_ST) != 0)
            port->sact |= value;
        break;
    case PORT_CI:
        if ((port->cmd & AHCI_CMD_ST) != 0) {
            port->ci |= value;
            ahci_run(port->ahci);
        }
        break;
    default: break;
    }
}

/* --- the controller --- */

void
ahci_reset_controller(AhciController *ahci)
{
    ahci->ghc = GHC_AE;
    ahci->is = 0;
    for (unsigned i = 0; i < ahci->port_count; i++)
        ahci_port_reset(&ahci->ports[i]);
    ahci->is = 0;
    update_irq(ahci, false);
}

static uint32_t
read_controller(const AhciController *ahci, uint32_t offset)
{
    switch (offset) {
    case HBA_CAP: return CAPABILITIES | (ahci->port_count - 1);
    case HBA_GHC: return ahci->ghc;
    case HBA_IS: return ahci->is;
    case HBA_PI: return (1u << ahci->port_count) - 1;
    case HBA_VS: return VERSION;
    default: return 0;
    }
}

/* What a port still has to say comes up again at once. */
static void
clear_interrupts(AhciController *ahci, uint32_t value)
{
    ahci->is &= ~value;
    for (unsigned i = 0; i < ahci->port_count; i++) {
        const AhciPort *port = &ahci->ports[i];

        if ((port->is & port->ie) != 0)
            ahci->is |= 1u << i;
    }
    update_irq(ahci, true);
}

static void
write_controller(AhciController *ahci, uint32_t offset, uint32_t value)
{
    switch (offset) {
    case HBA_GHC:
        if ((value & GHC_RESET) != 0) {
            ahci_reset_controller(ahci);
            break;
        }
        ahci->ghc = GHC_AE | (value & GHC_IE);
        update_irq(ahci, true);
        break;
    case HBA_IS: clear_interrupts(ahci, value); break;
    default: break;
    }
}

static uint64_t
ahci_read(void *user, uint64_t offset, unsigned size)
{
    AhciController *ahci = user;
    uint32_t port = (uint32_t)(offset - PORTS_AT) / PORT_SIZE;

    offset &= ~3ull;
    if (offset < PORTS_AT)
        return read_controller(ahci, (uint32_t)offset);
    return port < ahci->port_count ? read_port(&ahci->ports[port], offset % PORT_SIZE) : 0;
}

static void
ahci_write(void *user, uint64_t offset, uint64_t value, unsigned size)
{
    AhciController *ahci = user;
    uint32_t port = (uint32_t)(offset - PORTS_AT) / PORT_SIZE;

    if (offset < PORTS_AT)
        write_controller(ahci, (uint32_t)offset, (uint32_t)value);
    else if (port < ahci->port_count)
        write_port(&ahci->ports[port], offset % PORT_SIZE, (uint32_t)value);
}

const IomMmioOps ahci_mmio_ops = {
    .read = ahci_read,
    .write = ahci_write,
    .min_size = 4,
    .max_size = 4,
};
