/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The PCI function of a network card: see the header. */
#include "devices/network/net-pci.h"
#include "devices/network/net-config.h"

PdmPci *
net_pci_new(PdmDevice *device, const NetPciInfo *info, const CfgmNode *config, void *user,
            GError **error)
{
    const PdmPciInfo function = {
        .vendor = info->vendor,
        .device = info->device,
        .subsystem_vendor = info->subsystem_vendor,
        .subsystem = info->subsystem,
        .revision = info->revision,
        .subclass = 0x00,
        .class_code = 0x02,
        .interrupt_pin = 1,
        .slot = -1,
        .function = -1,
    };
    PdmPci *pci = pdm_pci_new(device, &function, NULL, NULL, error);
    PgmRegion *memory;
    IomPorts *ports;

    if (pci == NULL)
        return NULL;
    memory = pdm_mmio_new(device, info->name, info->memory_size, info->memory, user);
    ports = pdm_ports_new(device, info->name, info->port_count, info->ports, user);
    if (!pdm_pci_bar_region(device, pci, info->memory_bar, memory, info->memory_size, false, false,
                            error) ||
        !pdm_pci_bar_ports(device, pci, info->ports_bar, ports, info->port_count, error) ||
        !net_config_rom(device, pci, config, info->rom, error))
        return NULL;
    return pci;
}
