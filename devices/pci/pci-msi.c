/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * MSI with one message and a 64-bit address, without masking. */
#include "devices/pci/pci-msi.h"

enum {
    CAPABILITY_MSI = 0x05,
    CAPABILITY_SIZE = 14,
    CONTROL = 2,
    CONTROL_ENABLE = 0x01,
    CONTROL_64BIT = 0x80,
    ADDRESS = 4,
    DATA = 12,
};

static uint32_t
load(const uint8_t *at, unsigned bytes)
{
    uint32_t value = 0;

    for (unsigned i = 0; i < bytes; i++)
        value |= (uint32_t)at[i] << (8 * i);
    return value;
}

void
pci_msi_init(PciMsi *msi, PdmDevice *device, PdmPci *pci)
{
    uint8_t *config = pdm_pci_config(device, pci);
    uint8_t *mask = pdm_pci_write_mask(device, pci);

    msi->device = device;
    msi->pci = pci;
    msi->at = pdm_pci_add_capability(device, pci, CAPABILITY_MSI, CAPABILITY_SIZE);
    config[msi->at + CONTROL] = CONTROL_64BIT;
    mask[msi->at + CONTROL] = CONTROL_ENABLE;
    for (unsigned i = ADDRESS; i < CAPABILITY_SIZE; i++)
        mask[msi->at + i] = 0xff;
    mask[msi->at + ADDRESS] = 0xfc;
}

bool
pci_msi_enabled(const PciMsi *msi)
{
    const uint8_t *config = pdm_pci_config(msi->device, msi->pci);

    return (config[msi->at + CONTROL] & CONTROL_ENABLE) != 0;
}

void
pci_msi_send(const PciMsi *msi)
{
    const uint8_t *at = pdm_pci_config(msi->device, msi->pci) + msi->at;
    uint64_t address = load(at + ADDRESS, 4) | (uint64_t)load(at + ADDRESS + 4, 4) << 32;

    pdm_msi(msi->device, address, load(at + DATA, 2));
}
