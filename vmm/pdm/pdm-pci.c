/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * PCI functions on bus 0 and their configuration space: bytes with masks of what the guest may
 * write, status bits that are cleared by writing ones, capabilities. PCI Local Bus
 * Specification 3.0, chapter 6. There are no bridges yet: other buses answer as an empty bus. */
#include "vmm/pdm/pdm-private.h"

#include <string.h>

enum {
    REG_COMMAND = 0x04,
    REG_STATUS = 0x06,
    REG_CACHE_LINE = 0x0c,
    REG_LATENCY = 0x0d,
    REG_BARS = 0x10,
    REG_BARS_END = 0x28,
    REG_ROM = 0x30,
    REG_ROM_END = 0x34,
    REG_CAPABILITIES = 0x34,
    REG_INTERRUPT_LINE = 0x3c,
    REG_DEVICE_SPECIFIC = 0x40,
};

/* The high byte of the status register: errors, cleared by writing ones. */
#define STATUS_HIGH_CLEARABLE 0xf9u
#define STATUS_CAPABILITIES 0x10u
/* I/O, memory, bus master, parity, SERR, INTx disable. */
#define COMMAND_WRITABLE 0x0547u
/* Where slots for devices without a place of their own begin: after host bridge, ISA bridge, VGA.
 */
#define FIRST_FREE_SLOT 3u
#define SLOTS 32u

static void
store16(uint8_t *at, uint16_t value)
{
    at[0] = (uint8_t)value;
    at[1] = (uint8_t)(value >> 8);
}

static bool
slot_is_free(const Pdm *pdm, unsigned slot)
{
    for (unsigned function = 0; function < 8; function++) {
        if (pdm->pci[slot << 3 | function] != NULL)
            return false;
    }
    return true;
}

/* The device's wish, or what the configuration says instead. */
static int
choose_place(const Pdm *pdm, const CfgmNode *node, const PdmPciInfo *info)
{
    const uint64_t slot = cfgm_uint(node, "PCIDeviceNo", (uint64_t)info->slot);
    const uint64_t function =
        cfgm_uint(node, "PCIFunctionNo", info->function >= 0 ? (uint64_t)info->function : 0);

    if (slot < SLOTS)
        return function < 8 ? (int)(slot << 3 | function) : -1;
    for (unsigned i = FIRST_FREE_SLOT; i < SLOTS; i++) {
        if (slot_is_free(pdm, i))
            return (int)(i << 3);
    }
    return -1;
}

static void
fill_config(PdmPci *pci, const PdmPciInfo *info)
{
    uint8_t *config = pci->config, *mask = pci->mask;

    store16(config, info->vendor);
    store16(config + 0x02, info->device);
    config[0x08] = info->revision;
    config[0x09] = info->prog_if;
    config[0x0a] = info->subclass;
    config[0x0b] = info->class_code;
    config[0x0e] = (uint8_t)(info->header_type | (info->multifunction ? 0x80 : 0));
    store16(config + 0x2c, info->subsystem_vendor);
    store16(config + 0x2e, info->subsystem);
    config[0x3d] = info->interrupt_pin;
    store16(mask + REG_COMMAND, COMMAND_WRITABLE);
    mask[REG_CACHE_LINE] = 0xff;
    mask[REG_LATENCY] = 0xff;
    if (info->interrupt_pin != 0)
        mask[REG_INTERRUPT_LINE] = 0xff;
}

PdmPci *
pdm_api_pci_new(PdmDevice *device, const PdmPciInfo *info, const PdmPciHooks *hooks, void *user,
                GError **error)
{
    PdmInstance *instance = pdm_instance(device);
    Pdm *pdm = instance->owner.pdm;
    const int place = choose_place(pdm, instance->node, info);
    PdmPci *pci;

    if (place < 0 || pdm->pci[place] != NULL) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_EXISTS,
                    place < 0 ? "There is no free PCI slot for %s"
                              : "The PCI slot for %s (%02x.%x) is taken",
                    instance->owner.name, (unsigned)place >> 3, (unsigned)place & 7);
        return NULL;
    }
    pci = g_new0(PdmPci, 1);
    pci->instance = instance;
    pci->devfn = (unsigned)place;
    pci->pin = info->interrupt_pin <= 4 ? info->interrupt_pin : 0;
    pci->capability_end = REG_DEVICE_SPECIFIC;
    if (hooks != NULL)
        pci->hooks = *hooks;
    pci->user = user;
    for (unsigned i = 0; i < PDM_PCI_BARS; i++)
        pci->bars[i].mapped_at = PDM_NOT_MAPPED;
    fill_config(pci, info);
    pdm->pci[place] = pci;
    return pci;
}

uint8_t *
pdm_api_pci_config(PdmPci *pci)
{
    return pci->config;
}

uint8_t *
pdm_api_pci_write_mask(PdmPci *pci)
{
    return pci->mask;
}

uint8_t
pdm_api_pci_add_capability(PdmPci *pci, uint8_t id, uint8_t size)
{
    const uint8_t at = pci->capability_end;
    const unsigned end = (at + MAX(size, 2u) + 3u) & ~3u;

    g_return_val_if_fail(end <= PDM_PCI_CONFIG_SIZE - 4, 0);
    pci->config[at] = id;
    pci->config[at + 1] = pci->config[REG_CAPABILITIES];
    pci->config[REG_CAPABILITIES] = at;
    pci->config[REG_STATUS] |= STATUS_CAPABILITIES;
    pci->capability_end = (uint8_t)end;
    return at;
}

static PdmPci *
find_function(Pdm *pdm, unsigned devfn, uint32_t offset, unsigned size)
{
    if (devfn >= G_N_ELEMENTS(pdm->pci) || offset >= PDM_PCI_CONFIG_SIZE ||
        offset + size > PDM_PCI_CONFIG_SIZE)
        return NULL;
    return pdm->pci[devfn];
}

uint32_t
pdm_pci_config_read(Pdm *pdm, unsigned devfn, uint32_t offset, unsigned size)
{
    const PdmPci *pci = find_function(pdm, devfn, offset, size);
    uint32_t value = 0;

    if (pci == NULL)
        return size >= 4 ? UINT32_MAX : (1u << (size * 8)) - 1;
    memcpy(&value, pci->config + offset, size);
    return pci->hooks.read != NULL ? pci->hooks.read(pci->user, offset, size, value) : value;
}

static void
write_byte(PdmPci *pci, uint32_t offset, uint8_t value)
{
    const uint8_t mask = pci->mask[offset];

    if (offset == REG_STATUS + 1)
        pci->config[offset] &= (uint8_t) ~(value & STATUS_HIGH_CLEARABLE);
    else
        pci->config[offset] = (uint8_t)((pci->config[offset] & ~mask) | (value & mask));
}

static bool
touches(uint32_t offset, unsigned size, uint32_t first, uint32_t end)
{
    return offset < end && offset + size > first;
}

void
pdm_pci_config_write(Pdm *pdm, unsigned devfn, uint32_t offset, uint32_t value, unsigned size)
{
    PdmPci *pci = find_function(pdm, devfn, offset, size);

    if (pci == NULL)
        return;
    for (unsigned i = 0; i < size; i++)
        write_byte(pci, offset + i, (uint8_t)(value >> (i * 8)));
    if (touches(offset, size, REG_COMMAND, REG_COMMAND + 2) ||
        touches(offset, size, REG_BARS, REG_BARS_END) ||
        touches(offset, size, REG_ROM, REG_ROM_END)) {
        pdm_pci_update_bars(pci);
        pdm_irq_update_function(pci);
    }
    if (pci->hooks.write != NULL)
        pci->hooks.write(pci->user, offset, value, size);
}

uint32_t
pdm_api_pci_bus_read(PdmDevice *device, unsigned bus, unsigned devfn, uint32_t offset,
                     unsigned size)
{
    /* An empty bus answers as an empty slot does. */
    return pdm_pci_config_read(pdm_of(device), bus == 0 ? devfn : UINT32_MAX, offset, size);
}

void
pdm_api_pci_bus_write(PdmDevice *device, unsigned bus, unsigned devfn, uint32_t offset,
                      uint32_t value, unsigned size)
{
    if (bus == 0)
        pdm_pci_config_write(pdm_of(device), devfn, offset, value, size);
}

void
pdm_pci_keep_initial(Pdm *pdm)
{
    for (unsigned devfn = 0; devfn < G_N_ELEMENTS(pdm->pci); devfn++) {
        PdmPci *pci = pdm->pci[devfn];

        if (pci != NULL)
            memcpy(pci->initial, pci->config, sizeof(pci->initial));
    }
}

void
pdm_pci_reset(Pdm *pdm)
{
    for (unsigned devfn = 0; devfn < G_N_ELEMENTS(pdm->pci); devfn++) {
        PdmPci *pci = pdm->pci[devfn];

        if (pci != NULL) {
            memcpy(pci->config, pci->initial, sizeof(pci->config));
            pdm_pci_update_bars(pci);
        }
    }
}

void
pdm_pci_free(Pdm *pdm)
{
    for (unsigned devfn = 0; devfn < G_N_ELEMENTS(pdm->pci); devfn++)
        g_clear_pointer(&pdm->pci[devfn], g_free);
}
