/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The inside of the AHCI controller: Serial ATA AHCI 1.3.1, Serial ATA 2.6 for the frames. Each
 * port has a drive of its own. Left out: port multipliers, FIS-based switching, command completion
 * coalescing, enclosure management, link power states. */
#pragma once

#include "devices/pci/pci-msi.h"
#include "devices/storage/ata.h"
#include "devices/storage/drive-attach.h"
#include "devices/storage/drive-commands.h"
#include "devices/storage/scsi-request.h"

#define AHCI_PORTS_MAX 30u
#define AHCI_SLOTS 32u
/* Commands of all ports that are under way at once; more wait in their lists. */
#define AHCI_JOBS_MAX 64u

/* Of SERR.DIAG: what PRCS and PCS are about. */
#define AHCI_SERR_LINK_CHANGED (1u << 16)
#define AHCI_SERR_EXCHANGED (1u << 26)

/* Port interrupts. */
enum {
    AHCI_IS_DHRS = 1u << 0,  /* device to host register FIS */
    AHCI_IS_PSS = 1u << 1,   /* PIO setup FIS */
    AHCI_IS_SDBS = 1u << 3,  /* set device bits FIS */
    AHCI_IS_PCS = 1u << 6,   /* port connect change, as SERR.DIAG.X */
    AHCI_IS_PRCS = 1u << 22, /* the link came or went, as SERR.DIAG.N */
    AHCI_IS_TFES = 1u << 30,
};

enum {
    AHCI_CMD_ST = 1u << 0,
    AHCI_CMD_SUD = 1u << 1,
    AHCI_CMD_POD = 1u << 2,
    AHCI_CMD_CLO = 1u << 3,
    AHCI_CMD_FRE = 1u << 4,
    AHCI_CMD_FR = 1u << 14,
    AHCI_CMD_CR = 1u << 15,
    AHCI_CMD_ATAPI = 1u << 24,
};

typedef struct AhciController AhciController;

typedef struct {
    AhciController *ahci;
    unsigned index;
    PdmMediaPort media_port;
    AtaDrive ata;
    ScsiUnit unit; /* that packets talk to */

    uint32_t clb, clbu, fb, fbu;
    uint32_t is, ie, cmd, sctl, ssts, serr, sig;
    uint32_t ci, sact;
    uint32_t running;  /* slots whose command is at work */
    uint32_t accepted; /* slots of ci that the drive has taken */
    bool busy;         /* at a command that is not queued: no other one is taken */
    bool halted;       /* after an error, until the list is stopped */
    bool soft_reset;   /* SRST was set */
    uint8_t next_slot;
    uint8_t device; /* the device register of the last command */
} AhciPort;

struct AhciController {
    PdmDevice *device;
    PdmPci *pci;
    PciMsi msi;
    DriveCommands commands;
    DriveJobs jobs;
    PdmQueue *restart;
    unsigned port_count;
    uint32_t ghc, is;
    AhciPort ports[AHCI_PORTS_MAX];
};

static inline bool
ahci_has_drive(const AhciPort *port)
{
    return port->ata.media != NULL;
}

/* ahci-registers.c */
extern const IomMmioOps ahci_mmio_ops;
void ahci_reset_controller(AhciController *ahci);
/* Sets interrupt bits of a port (0: just looks again) and tells the CPU what follows from them. */
void ahci_raise(AhciPort *port, uint32_t bits);

/* ahci-port.c: the link and the frames that a drive sends */
void ahci_port_reset(AhciPort *port);
/* The drive comes back from a reset: signature, connect change, first frame. */
void ahci_port_connect(AhciPort *port);
/* It was pulled out. */
void ahci_port_disconnect(AhciPort *port);
void ahci_send_register_fis(AhciPort *port, bool interrupt);
void ahci_send_pio_setup(AhciPort *port, uint32_t bytes);
/* Queued commands have ended: a bit for each. */
void ahci_send_device_bits(AhciPort *port, uint32_t ended);
uint32_t ahci_task_file(const AhciPort *port);
/* Forgets the commands under way. */
void ahci_port_abandon(AhciPort *port);

/* ahci-command.c: the size of what it embeds DriveJob in */
size_t ahci_request_size(void);
/* Gives the drives what waits in the command lists, as far as they can take it. */
void ahci_run(AhciController *ahci);
/* Begins those again that were under way when the state was saved. */
void ahci_restart(void *user, void *item);

/* ahci-state.c */
extern const SsmState ahci_state;
