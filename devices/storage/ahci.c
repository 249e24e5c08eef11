/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The AHCI controller of the ICH8M: PCI function, drives, life cycle. Serial ATA AHCI 1.3.1. Its
 * legacy IDE mode is left out: firmware and guests find class 01 06 01. Drives may come and go
 * while the machine runs. */
#include "devices/storage/ahci-private.h"

#define ABAR 5
#define ABAR_SIZE 0x1000u

static void
set_drive(AhciPort *port, const PdmMediaConnector *media)
{
    ata_drive_attach(&port->ata, port->ahci->device, media);
    port->ata.trim = media->discard && !port->ata.packet;
    port->unit.atapi = true;
}

/* A drive comes or goes while the machine runs: the port's link changes, as by a cable. */
static void
plugged(void *user, const PdmMediaConnector *media)
{
    AhciPort *port = (AhciPort *)((char *)user - offsetof(AhciPort, unit));

    if (media != NULL) {
        scsi_unit_attach(&port->unit, port->ahci->device, media);
        set_drive(port, media);
        ata_drive_reset(&port->ata);
        scsi_unit_reset(&port->unit);
        ahci_port_connect(port);
    } else {
        const PdmMediaConnector *old = port->ata.media;

        ahci_port_abandon(port);
        old->cancel_all(old->user);
        port->ata.media = port->unit.media = NULL;
        ahci_port_disconnect(port);
    }
    ahci_run(port->ahci);
}

static bool
attach_drive(AhciPort *port, GError **error)
{
    bool present;

    port->media_port.plugged = plugged;
    if (!drive_attach(port->ahci->device, port->index, &port->media_port, &port->unit,
                      "the SATA controller", &present, error))
        return false;
    if (present)
        set_drive(port, port->unit.media);
    return true;
}

static bool
construct_pci(AhciController *ahci, GError **error)
{
    static const PdmPciInfo info = {
        .vendor = 0x8086,
        .device = 0x2829,
        .revision = 2,
        .prog_if = 0x01,
        .subclass = 0x06,
        .class_code = 0x01,
        .interrupt_pin = 1,
        .slot = 13,
        .function = 0,
    };
    PdmDevice *device = ahci->device;
    PgmRegion *region;

    ahci->pci = pdm_pci_new(device, &info, NULL, NULL, error);
    if (ahci->pci == NULL)
        return false;
    pci_msi_init(&ahci->msi, device, ahci->pci);
    region = pdm_mmio_new(device, "ahci", ABAR_SIZE, &ahci_mmio_ops, ahci);
    return pdm_pci_bar_region(device, ahci->pci, ABAR, region, ABAR_SIZE, false, false, error);
}

static const PdmMediaConnector *
find_drive(PdmDevice *device, unsigned lun)
{
    AhciController *ahci = device->data;

    return lun < ahci->port_count ? ahci->ports[lun].ata.media : NULL;
}

static void
ahci_reset(PdmDevice *device)
{
    AhciController *ahci = device->data;

    for (unsigned i = 0; i < ahci->port_count; i++) {
        AhciPort *port = &ahci->ports[i];

        port->clb = port->clbu = port->fb = port->fbu = 0;
    }
    ahci_reset_controller(ahci);
}

static bool
ahci_construct(PdmDevice *device, const CfgmNode *config, GError **error)
{
    AhciController *ahci = device->data;
    uint64_t count = cfgm_uint(config, "PortCount", AHCI_PORTS_MAX);

    ahci->device = device;
    ahci->port_count = (unsigned)CLAMP(count, 1, AHCI_PORTS_MAX);
    drive_jobs_init(&ahci->jobs, device, ahci_request_size());
    ahci->restart = pdm_queue_new(device, ahci_restart, ahci);
    if (!construct_pci(ahci, error))
        return false;
    for (unsigned i = 0; i < ahci->port_count; i++) {
        AhciPort *port = &ahci->ports[i];

        port->ahci = ahci;
        port->index = i;
        port->ata.serial = true;
        if (!attach_drive(port, error))
            return false;
    }
    drive_commands_offer(&ahci->commands, device, find_drive);
    ahci_reset(device);
    return true;
}

static void
ahci_destruct(PdmDevice *device)
{
    AhciController *ahci = device->data;
    const PdmMediaConnector *drives[AHCI_PORTS_MAX];

    for (unsigned i = 0; i < AHCI_PORTS_MAX; i++)
        drives[i] = ahci->ports[i].ata.media;
    drive_jobs_free(&ahci->jobs, drives, AHCI_PORTS_MAX);
}

static void
ahci_info(PdmDevice *device, GString *out)
{
    const AhciController *ahci = device->data;

    for (unsigned i = 0; i < ahci->port_count; i++) {
        const AhciPort *port = &ahci->ports[i];

        if (!ahci_has_drive(port))
            continue;
        g_string_append_printf(out,
                               "port %u: %s, command %08x, issued %08x, active %08x, at work "
                               "%08x, interrupts %08x of %08x, task file %04x\n",
                               i, port->ata.packet ? "CD-ROM" : "disk", port->cmd, port->ci,
                               port->sact, port->running, port->is, port->ie, ahci_task_file(port));
    }
}

static const PdmOption ahci_options[] = {
    {.key = "PortCount",
     .title = "Ports",
     .type = PDM_OPTION_UINT,
     .value = AHCI_PORTS_MAX,
     .min = 1,
     .max = AHCI_PORTS_MAX},
    {.type = PDM_OPTION_END},
};

const PdmDeviceInfo ahci_device = {
    .abi = PDM_ABI_VERSION,
    .name = "ahci",
    .title = "SATA controller (AHCI)",
    .kind = PDM_KIND_STORAGE,
    .instance_size = sizeof(AhciController),
    .max_instances = 1,
    .options = ahci_options,
    .construct = ahci_construct,
    .reset = ahci_reset,
    .destruct = ahci_destruct,
    .state = &ahci_state,
    .info = ahci_info,
};
