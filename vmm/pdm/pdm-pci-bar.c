/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Base address registers: sizing by writing ones, mapping by address and command register. A guest
 * may put a BAR anywhere. Where the host bridge would not send the address to PCI (guest RAM), or
 * the address is what sizing leaves behind, nothing is mapped. PCI Local Bus
 * Specification 3.0, 6.2.5. */
#include "vmm/pdm/pdm-private.h"

#include <string.h>

#define COMMAND_IO 1u
#define COMMAND_MEMORY 2u
#define BAR_IO 1u
#define BAR_64BIT 4u
#define BAR_PREFETCH 8u
#define ROM_ENABLE 1u
#define IO_SPACE_END 0x10000ull
#define FOUR_GIB 0x100000000ull

static unsigned
bar_offset(unsigned bar)
{
    return bar == PDM_PCI_ROM ? 0x30 : 0x10 + bar * 4;
}

static void
store32(uint8_t *at, uint32_t value)
{
    memcpy(at, &value, 4); /* the host is little-endian, as is PCI */
}

static uint32_t
load32(const uint8_t *at)
{
    uint32_t value;

    memcpy(&value, at, 4);
    return value;
}

static bool
claim_bar(PdmPci *pci, unsigned bar, uint64_t size, uint64_t smallest, bool is64, GError **error)
{
    const unsigned registers = is64 ? 2 : 1;
    const unsigned end = bar == PDM_PCI_ROM ? PDM_PCI_BARS : PDM_PCI_ROM;
    /* The register after a 64-bit one is its upper half. */
    const bool upper_half = bar > 0 && bar < PDM_PCI_ROM && pci->bars[bar - 1].is64;
    bool free_bar = bar + registers <= end && !upper_half;

    for (unsigned i = bar; i < bar + registers && free_bar; i++)
        free_bar = pci->bars[i].size == 0;
    if (free_bar && size >= smallest && (size & (size - 1)) == 0)
        return true;
    g_set_error(error, BASE_ERROR, BASE_ERROR_INVALID,
                "%s cannot have the PCI base address register %u with a size of %" G_GUINT64_FORMAT,
                pci->instance->owner.name, bar, size);
    return false;
}

static void
set_up_bar(PdmPci *pci, unsigned bar, uint64_t size, uint32_t low_bits, uint32_t address_bits)
{
    const unsigned at = bar_offset(bar);
    const uint64_t mask = ~(size - 1);

    store32(pci->config + at, low_bits);
    store32(pci->mask + at, (uint32_t)mask & address_bits);
    if (pci->bars[bar].is64)
        store32(pci->mask + at + 4, (uint32_t)(mask >> 32));
    pci->bars[bar].size = size;
}

bool
pdm_api_pci_bar_ports(PdmPci *pci, unsigned bar, IomPorts *ports, uint32_t size, GError **error)
{
    if (bar >= PDM_PCI_ROM || !claim_bar(pci, bar, size, 4, false, error))
        return false;
    pci->bars[bar].ports = ports;
    set_up_bar(pci, bar, size, BAR_IO, ~3u);
    return true;
}

bool
pdm_api_pci_bar_region(PdmPci *pci, unsigned bar, PgmRegion *region, uint64_t size, bool prefetch,
                       bool is64, GError **error)
{
    if (bar >= PDM_PCI_ROM || !claim_bar(pci, bar, size, 16, is64, error))
        return false;
    pci->bars[bar].region = region;
    pci->bars[bar].is64 = is64;
    set_up_bar(pci, bar, size, (is64 ? BAR_64BIT : 0) | (prefetch ? BAR_PREFETCH : 0), ~15u);
    return true;
}

bool
pdm_api_pci_rom(PdmPci *pci, PgmRegion *region, uint64_t size, GError **error)
{
    if (!claim_bar(pci, PDM_PCI_ROM, size, 2048, false, error))
        return false;
    pci->bars[PDM_PCI_ROM].region = region;
    set_up_bar(pci, PDM_PCI_ROM, size, 0, ~0x7ffu);
    pci->mask[bar_offset(PDM_PCI_ROM)] |= ROM_ENABLE;
    return true;
}

static bool
overlaps(uint64_t first, uint64_t size, uint64_t other, uint64_t other_size)
{
    return first < other + other_size && other < first + size;
}

static uint64_t
ports_address(const PdmPci *pci, const PdmBar *bar, uint32_t value)
{
    const uint64_t address = value & ~(uint32_t)(bar->size - 1) & ~3u;

    if ((pdm_pci_command(pci) & COMMAND_IO) == 0 || address == 0 ||
        address + bar->size > IO_SPACE_END)
        return PDM_NOT_MAPPED;
    return address;
}

static uint64_t
memory_address(const PdmPci *pci, const PdmBar *bar, uint64_t value)
{
    const Pgm *pgm = pci->instance->owner.pdm->rooms.pgm;
    const uint64_t address = value & ~(bar->size - 1) & ~15ull;
    const uint64_t end = address + bar->size;
    const uint64_t limit = bar->is64 ? 1ull << PGM_PHYS_BITS : FOUR_GIB;

    if ((pdm_pci_command(pci) & COMMAND_MEMORY) == 0 || address == 0 || end < address)
        return PDM_NOT_MAPPED;
    /* All ones, as sizing leaves them, end at the limit; nothing else useful does. */
    if (end > limit || (!bar->is64 && end == limit))
        return PDM_NOT_MAPPED;
    if (overlaps(address, bar->size, 0, pgm_ram_below_4g(pgm)) ||
        overlaps(address, bar->size, FOUR_GIB, pgm_ram_above_4g(pgm))) {
        pdm_api_guest_error(&pci->instance->device, "pci-bar-over-ram",
                            "a PCI window at 0x%" G_GINT64_MODIFIER "x lies over RAM: not mapped",
                            address);
        return PDM_NOT_MAPPED;
    }
    return address;
}

static uint64_t
bar_address(const PdmPci *pci, unsigned index)
{
    const PdmBar *bar = &pci->bars[index];
    const unsigned at = bar_offset(index);
    uint64_t value = load32(pci->config + at);

    if (bar->ports != NULL)
        return ports_address(pci, bar, (uint32_t)value);
    if (index == PDM_PCI_ROM && (value & ROM_ENABLE) == 0)
        return PDM_NOT_MAPPED;
    if (bar->is64)
        value |= (uint64_t)load32(pci->config + at + 4) << 32;
    return memory_address(pci, bar, value);
}

void
pdm_pci_update_bars(PdmPci *pci)
{
    for (unsigned i = 0; i < PDM_PCI_BARS; i++) {
        PdmBar *bar = &pci->bars[i];
        uint64_t address;

        if (bar->size == 0)
            continue;
        address = bar_address(pci, i);
        if (address == bar->mapped_at)
            continue;
        bar->mapped_at = address;
        if (bar->ports != NULL && address != PDM_NOT_MAPPED)
            iom_ports_map(bar->ports, (uint16_t)address);
        else if (bar->ports != NULL)
            iom_ports_unmap(bar->ports);
        else if (address != PDM_NOT_MAPPED)
            pgm_region_map(bar->region, address);
        else
            pgm_region_unmap(bar->region);
    }
}
