/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A guest's driver of a PCI storage controller for tests. */
#include "tests/device/pci-guest.h"

CfgmNode *
pci_guest_add_drive(CfgmNode *config, const char *device, unsigned lun, PdmMediaType type,
                    uint64_t size)
{
    CfgmNode *node = device_bench_add_driver(config, device, 0, lun, "bench-media");

    cfgm_set_uint(node, "Size", size);
    cfgm_set_uint(node, "Type", type);
    cfgm_set_uint(node, "SectorSize", type == PDM_MEDIA_OPTICAL ? 2048 : 512);
    return node;
}

void
pci_guest_map(DeviceBench *bench, unsigned slot, unsigned bar)
{
    device_bench_pci_write(bench, slot, 0, 0x10 + 4 * bar, PCI_GUEST_BAR(bar), 4);
    device_bench_pci_write(bench, slot, 0, 0x04, 7, 2);
}

uint32_t
pci_guest_read(DeviceBench *bench, unsigned bar, uint32_t offset)
{
    return (uint32_t)device_bench_read(bench, PCI_GUEST_BAR(bar) + offset, 4);
}

void
pci_guest_write(DeviceBench *bench, unsigned bar, uint32_t offset, uint32_t value)
{
    device_bench_write(bench, PCI_GUEST_BAR(bar) + offset, value, 4);
}

void
pci_guest_put(DeviceBench *bench, uint64_t gpa, const void *data, size_t size)
{
    pgm_phys_write(bench->rooms.pgm, gpa, data, size);
}

void
pci_guest_get(DeviceBench *bench, uint64_t gpa, void *data, size_t size)
{
    pgm_phys_read(bench->rooms.pgm, gpa, data, size);
}

void
pci_guest_put32(DeviceBench *bench, uint64_t gpa, uint32_t value)
{
    pci_guest_put(bench, gpa, &value, sizeof(value));
}

void
pci_guest_put64(DeviceBench *bench, uint64_t gpa, uint64_t value)
{
    pci_guest_put(bench, gpa, &value, sizeof(value));
}

void
pci_guest_pattern(uint8_t *data, size_t size, unsigned seed)
{
    for (size_t i = 0; i < size; i++)
        data[i] = (uint8_t)(i / 512 + i * 7 + seed);
}
