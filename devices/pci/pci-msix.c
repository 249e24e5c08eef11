/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * MSI-X: the table at offset 0 of its window, the pending bits at 0x800. */
#include "devices/pci/pci-msi.h"

#include <string.h>

enum {
    CAPABILITY_MSIX = 0x11,
    CAPABILITY_SIZE = 12,
    CONTROL = 2,
    CONTROL_MASK = 0x40, /* of the high byte */
    CONTROL_ENABLE = 0x80,
    ENTRY_MASKED = 0x01,
    ENTRY_SIZE = 16,
    PENDING_AT = 0x800,
};

static uint8_t
control(const PciMsix *msix)
{
    return pdm_pci_config(msix->device, msix->pci)[msix->at + CONTROL + 1];
}

bool
pci_msix_enabled(const PciMsix *msix)
{
    return (control(msix) & CONTROL_ENABLE) != 0;
}

void
pci_msix_send(PciMsix *msix, unsigned vector)
{
    const PciMsixEntry *entry;

    if (vector >= msix->vectors || !pci_msix_enabled(msix))
        return;
    entry = &msix->table[vector];
    if ((control(msix) & CONTROL_MASK) != 0 || (entry->word[3] & ENTRY_MASKED) != 0) {
        msix->pending |= 1ull << vector;
        return;
    }
    msix->pending &= ~(1ull << vector);
    pdm_msi(msix->device, (uint64_t)entry->word[1] << 32 | (entry->word[0] & ~3u), entry->word[2]);
}

/* What waited behind a mask that may be gone. */
static void
send_pending(PciMsix *msix)
{
    uint64_t pending = msix->pending;

    for (unsigned i = 0; i < msix->vectors && pending >> i != 0; i++) {
        if ((pending >> i & 1) != 0)
            pci_msix_send(msix, i);
    }
}

void
pci_msix_config_written(PciMsix *msix, uint32_t offset, unsigned size)
{
    uint32_t at = msix->at + CONTROL + 1u;

    if (msix->vectors > 0 && offset <= at && offset + size > at)
        send_pending(msix);
}

void
pci_msix_reset(PciMsix *msix)
{
    memset(msix->table, 0, sizeof(msix->table));
    for (unsigned i = 0; i < PCI_MSIX_VECTORS_MAX; i++)
        msix->table[i].word[3] = ENTRY_MASKED;
    msix->pending = 0;
}

static uint64_t
table_read(void *user, uint64_t offset, unsigned size)
{
    const PciMsix *msix = user;
    unsigned entry = (unsigned)(offset / ENTRY_SIZE);

    if (offset >= PENDING_AT)
        return offset < PENDING_AT + 8 ? (uint32_t)(msix->pending >> 8 * (offset & 4)) : 0;
    return entry < msix->vectors ? msix->table[entry].word[offset / 4 % 4] : 0;
}

static void
table_write(void *user, uint64_t offset, uint64_t value, unsigned size)
{
    PciMsix *msix = user;
    unsigned entry = (unsigned)(offset / ENTRY_SIZE);

    if (entry >= msix->vectors)
        return;
    msix->table[entry].word[offset / 4 % 4] = (uint32_t)value;
    send_pending(msix);
}

static const IomMmioOps table_ops = {
    .read = table_read,
    .write = table_write,
    .min_size = 4,
    .max_size = 4,
};

bool
pci_msix_init(PciMsix *msix, PdmDevice *device, PdmPci *pci, unsigned bar, unsigned vectors,
              GError **error)
{
    uint8_t *config;
    PgmRegion *region = pdm_mmio_new(device, "msi-x", PCI_MSIX_BAR_SIZE, &table_ops, msix);

    if (!pdm_pci_bar_region(device, pci, bar, region, PCI_MSIX_BAR_SIZE, false, false, error))
        return false;
    msix->device = device;
    msix->pci = pci;
    msix->vectors = CLAMP(vectors, 1, PCI_MSIX_VECTORS_MAX);
    msix->at = pdm_pci_add_capability(device, pci, CAPABILITY_MSIX, CAPABILITY_SIZE);
    config = pdm_pci_config(device, pci) + msix->at;
    config[CONTROL] = (uint8_t)(msix->vectors - 1);
    pdm_pci_write_mask(device, pci)[msix->at + CONTROL + 1] = CONTROL_MASK | CONTROL_ENABLE;
    config[4] = (uint8_t)bar;
    config[8] = (uint8_t)bar;
    config[9] = PENDING_AT >> 8;
    pci_msix_reset(msix);
    return true;
}

/* clang-format off */
static const SsmField entry_fields[] = {
    SSM_UINT_ARRAY(PciMsixEntry, word),
    SSM_END,
};

const SsmField pci_msix_fields[] = {
    SSM_STRUCT_ARRAY(PciMsix, table, entry_fields),
    SSM_UINT(PciMsix, pending),
    SSM_END,
};
/* clang-format on */
