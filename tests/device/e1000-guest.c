/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A guest's driver of a PRO/1000 card for tests. */
#include "tests/device/e1000-guest.h"

DeviceBench *
e1000_guest_start(const char *model)
{
    DeviceBench *bench = net_guest_bench("e1000", "Model", model);

    pci_guest_map(bench, NET_GUEST_SLOT, 0);
    return bench;
}

uint32_t
e1000_guest_get(DeviceBench *bench, uint32_t offset)
{
    return pci_guest_read(bench, 0, offset);
}

void
e1000_guest_set(DeviceBench *bench, uint32_t offset, uint32_t value)
{
    pci_guest_write(bench, 0, offset, value);
}

void
e1000_guest_rings(DeviceBench *bench)
{
    for (unsigned i = 0; i < ENTRIES; i++) {
        pci_guest_put64(bench, RX_RING + 16 * i, BUFFERS + 2048 * i);
        pci_guest_put64(bench, RX_RING + 16 * i + 8, 0);
    }
    e1000_guest_set(bench, RDBAL, RX_RING);
    e1000_guest_set(bench, RDLEN, ENTRIES * 16);
    e1000_guest_set(bench, RDH, 0);
    e1000_guest_set(bench, RDT, ENTRIES - 1);
    e1000_guest_set(bench, RCTL,
                    1 << 1 | 1 << 15 | 1 << 26); /* on, broadcasts, no check sequence */
    e1000_guest_set(bench, TDBAL, TX_RING);
    e1000_guest_set(bench, TDLEN, ENTRIES * 16);
    e1000_guest_set(bench, TCTL, 1 << 1 | 1 << 3);
}

void
e1000_guest_describe(DeviceBench *bench, unsigned index, uint64_t gpa, uint32_t lengths,
                     uint32_t status)
{
    pci_guest_put64(bench, TX_RING + 16 * index, gpa);
    pci_guest_put32(bench, TX_RING + 16 * index + 8, lengths);
    pci_guest_put32(bench, TX_RING + 16 * index + 12, status);
}

bool
e1000_guest_receive(DeviceBench *bench, const uint8_t *frame, size_t size)
{
    return net_guest_receive(bench, "e1000", frame, size, NULL);
}
