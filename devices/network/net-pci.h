/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The PCI function of a network card whose registers are in memory and at ports. */
#pragma once

#include "vmm/pdm/pdm.h"

typedef struct {
    const char *name; /* of its windows, static */
    uint16_t vendor, device, subsystem_vendor, subsystem;
    uint8_t revision;
    /* Registers in memory and at ports: which base address register, how many bytes, who answers.
     */
    unsigned memory_bar;
    uint32_t memory_size;
    const IomMmioOps *memory;
    unsigned ports_bar;
    uint32_t port_count;
    const IomPortOps *ports;
    const char *rom; /* the usual boot ROM's path */
} NetPciInfo;

/* In construct: the function with its windows and its boot ROM. NULL with an error. */
PdmPci *net_pci_new(PdmDevice *device, const NetPciInfo *info, const CfgmNode *config, void *user,
                    GError **error);
