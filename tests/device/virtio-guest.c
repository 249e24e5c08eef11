/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A guest's virtio driver for tests. */
#include "tests/device/virtio-guest.h"

#define BAR 4
#define NOTIFY 0x3000u

uint64_t
virtio_guest_offered(DeviceBench *bench)
{
    uint64_t low, high;

    pci_guest_write(bench, BAR, 0, 0);
    low = pci_guest_read(bench, BAR, 4);
    pci_guest_write(bench, BAR, 0, 1);
    high = pci_guest_read(bench, BAR, 4);
    return high << 32 | low;
}

uint8_t
virtio_guest_status(DeviceBench *bench)
{
    return (uint8_t)device_bench_read(bench, PCI_GUEST_BAR(BAR) + 0x14, 1);
}

void
virtio_guest_set_status(DeviceBench *bench, uint8_t status)
{
    device_bench_write(bench, PCI_GUEST_BAR(BAR) + 0x14, status, 1);
}

static void
set_up_queue(VirtioGuest *guest, unsigned queue)
{
    DeviceBench *bench = guest->bench;
    uint64_t common = PCI_GUEST_BAR(BAR);
    uint8_t zeros[0x3000] = {0};

    pci_guest_put(bench, VIRTIO_GUEST_TABLE(queue), zeros, sizeof(zeros));
    device_bench_write(bench, common + 0x16, queue, 2);
    device_bench_write(bench, common + 0x18, VIRTIO_GUEST_ENTRIES, 2);
    pci_guest_write(bench, BAR, 0x20, VIRTIO_GUEST_TABLE(queue));
    pci_guest_write(bench, BAR, 0x28, VIRTIO_GUEST_AVAILABLE(queue));
    pci_guest_write(bench, BAR, 0x30, VIRTIO_GUEST_USED(queue));
    device_bench_write(bench, common + 0x1c, 1, 2);
    g_assert_cmpuint(device_bench_read(bench, common + 0x1e, 2), ==, queue);
}

void
virtio_guest_start(VirtioGuest *guest, DeviceBench *bench, unsigned slot, uint64_t wanted,
                   unsigned queues)
{
    *guest = (VirtioGuest){.bench = bench, .entries = VIRTIO_GUEST_ENTRIES};
    pci_guest_map(bench, slot, BAR);
    virtio_guest_set_status(bench, 0);
    virtio_guest_set_status(bench, 3);
    guest->features = virtio_guest_offered(bench) & (wanted | 1ull << 32);
    pci_guest_write(bench, BAR, 8, 0);
    pci_guest_write(bench, BAR, 0xc, (uint32_t)guest->features);
    pci_guest_write(bench, BAR, 8, 1);
    pci_guest_write(bench, BAR, 0xc, (uint32_t)(guest->features >> 32));
    virtio_guest_set_status(bench, 0xb);
    g_assert_cmphex(virtio_guest_status(bench), ==, 0xb);
    for (unsigned i = 0; i < queues; i++)
        set_up_queue(guest, i);
    virtio_guest_set_status(bench, 0xf);
}

void
virtio_guest_map_legacy(DeviceBench *bench, unsigned slot)
{
    device_bench_pci_write(bench, slot, 0, 0x10, VIRTIO_GUEST_PORTS, 4);
    device_bench_pci_write(bench, slot, 0, 0x04, 7, 2);
}

void
virtio_guest_start_legacy(VirtioGuest *guest, DeviceBench *bench, unsigned slot, uint32_t wanted,
                          unsigned queues)
{
    const uint16_t ports = VIRTIO_GUEST_PORTS;
    uint8_t zeros[0x3000] = {0};

    virtio_guest_map_legacy(bench, slot);
    device_bench_out8(bench, ports + 0x12, 0);
    device_bench_out8(bench, ports + 0x12, 3);
    *guest = (VirtioGuest){.bench = bench, .legacy = true};
    guest->features = device_bench_in32(bench, ports) & wanted;
    device_bench_out32(bench, ports + 4, (uint32_t)guest->features);
    for (unsigned i = 0; i < queues; i++) {
        pci_guest_put(bench, VIRTIO_GUEST_TABLE(i), zeros, sizeof(zeros));
        device_bench_out16(bench, ports + 0x0e, (uint16_t)i);
        guest->entries = device_bench_in16(bench, ports + 0x0c);
        g_assert_cmpuint(guest->entries, ==, 256);
        g_assert_cmphex(device_bench_in32(bench, ports + 0x08), ==, 0);
        device_bench_out32(bench, ports + 0x08, VIRTIO_GUEST_TABLE(i) / 4096);
        g_assert_cmphex(device_bench_in32(bench, ports + 0x08), ==, VIRTIO_GUEST_TABLE(i) / 4096);
    }
    device_bench_out8(bench, ports + 0x12, 7);
}

void
virtio_guest_describe(VirtioGuest *guest, unsigned queue, unsigned index,
                      VirtioGuestDescriptor descriptor)
{
    uint64_t at = VIRTIO_GUEST_TABLE(queue) + 16ull * index;

    pci_guest_put64(guest->bench, at, descriptor.gpa);
    pci_guest_put32(guest->bench, at + 8, descriptor.size);
    pci_guest_put32(guest->bench, at + 12, descriptor.flags | (uint32_t)descriptor.next << 16);
}

void
virtio_guest_offer(VirtioGuest *guest, unsigned queue, uint16_t head)
{
    uint64_t ring = VIRTIO_GUEST_AVAILABLE(queue);
    uint16_t at = (uint16_t)(guest->available[queue]++ % guest->entries);

    pci_guest_put(guest->bench, ring + 4 + 2ull * at, &head, 2);
    pci_guest_put(guest->bench, ring + 2, &guest->available[queue], 2);
}

void
virtio_guest_kick(VirtioGuest *guest, unsigned queue)
{
    if (guest->legacy)
        device_bench_out16(guest->bench, VIRTIO_GUEST_PORTS + 0x10, (uint16_t)queue);
    else
        device_bench_write(guest->bench, PCI_GUEST_BAR(BAR) + NOTIFY + 4 * queue, queue, 2);
}

int
virtio_guest_used(VirtioGuest *guest, unsigned queue, uint32_t *written)
{
    uint64_t ring = VIRTIO_GUEST_USED(queue);
    uint16_t now;
    uint32_t element[2];

    pci_guest_get(guest->bench, ring + 2, &now, 2);
    if (now == guest->used[queue])
        return -1;
    pci_guest_get(guest->bench, ring + 4 + 8ull * (guest->used[queue]++ % guest->entries), element,
                  sizeof(element));
    *written = element[1];
    return (int)element[0];
}

void
virtio_guest_settle(VirtioGuest *guest)
{
    for (unsigned i = 0; i < 64; i++)
        device_bench_run_queues(guest->bench);
}
