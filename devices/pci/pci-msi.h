/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Message-signalled interrupts: PCI Local Bus Specification 3.0, section 6.8. The capability lives
 * in configuration space, where PDM saves it. */
#pragma once

#include "vmm/pdm/pdm.h"

/* --- MSI with one message --- */

typedef struct {
    PdmDevice *device;
    PdmPci *pci;
    uint8_t at; /* of the capability */
} PciMsi;

void pci_msi_init(PciMsi *msi, PdmDevice *device, PdmPci *pci);
bool pci_msi_enabled(const PciMsi *msi);
/* Sends the message; only while it is enabled. */
void pci_msi_send(const PciMsi *msi);

/* --- MSI-X --- */

#define PCI_MSIX_VECTORS_MAX 64u
#define PCI_MSIX_BAR_SIZE 0x1000u

typedef struct {
    uint32_t word[4]; /* address, upper address, data, control (bit 0: masked) */
} PciMsixEntry;

typedef struct {
    PdmDevice *device;
    PdmPci *pci;
    uint8_t at;
    unsigned vectors;
    PciMsixEntry table[PCI_MSIX_VECTORS_MAX];
    uint64_t pending; /* a bit for each vector */
} PciMsix;

/* A table of 1..64 vectors in a memory window of its own at `bar`, PCI_MSIX_BAR_SIZE bytes. */
bool pci_msix_init(PciMsix *msix, PdmDevice *device, PdmPci *pci, unsigned bar, unsigned vectors,
                   GError **error);
void pci_msix_reset(PciMsix *msix);
bool pci_msix_enabled(const PciMsix *msix);
/* Sends the message of a vector, or keeps it in mind while it is masked. */
void pci_msix_send(PciMsix *msix, unsigned vector);
/* For the device's PdmPciHooks.write: the function's mask may have gone. */
void pci_msix_config_written(PciMsix *msix, uint32_t offset, unsigned size);

extern const SsmField pci_msix_fields[];
