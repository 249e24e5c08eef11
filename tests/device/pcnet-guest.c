/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A guest's driver of a PCnet card for tests. */
#include "tests/device/pcnet-guest.h"

#include <string.h>

DeviceBench *
pcnet_guest_start(const char *model)
{
    DeviceBench *bench = net_guest_bench("pcnet", "Model", model);

    pci_guest_map(bench, NET_GUEST_SLOT, 1);
    return bench;
}

uint64_t
pcnet_guest_at(uint32_t offset)
{
    return PCI_GUEST_BAR(1) + offset;
}

/* Ports behind which the register is whose number was written. */
enum { NUMBER = 0x12, CSR_DATA = 0x10, BCR_DATA = 0x16 };

static uint16_t
read_register(DeviceBench *bench, unsigned number, uint32_t data)
{
    device_bench_write(bench, pcnet_guest_at(NUMBER), number, 2);
    return (uint16_t)device_bench_read(bench, pcnet_guest_at(data), 2);
}

static void
write_register(DeviceBench *bench, unsigned number, uint32_t data, uint16_t value)
{
    device_bench_write(bench, pcnet_guest_at(NUMBER), number, 2);
    device_bench_write(bench, pcnet_guest_at(data), value, 2);
}

uint16_t
pcnet_guest_csr(DeviceBench *bench, unsigned number)
{
    return read_register(bench, number, CSR_DATA);
}

void
pcnet_guest_set_csr(DeviceBench *bench, unsigned number, uint16_t value)
{
    write_register(bench, number, CSR_DATA, value);
}

uint16_t
pcnet_guest_bcr(DeviceBench *bench, unsigned number)
{
    return read_register(bench, number, BCR_DATA);
}

void
pcnet_guest_set_bcr(DeviceBench *bench, unsigned number, uint16_t value)
{
    write_register(bench, number, BCR_DATA, value);
}

uint64_t
pcnet_guest_place(unsigned style, uint64_t ring, unsigned index)
{
    return ring + index * (style == 0 ? 8u : 16u);
}

void
pcnet_guest_describe(DeviceBench *bench, unsigned style, uint64_t ring, unsigned index,
                     uint32_t gpa, uint32_t length, uint32_t status)
{
    const uint64_t where = pcnet_guest_place(style, ring, index);
    const uint32_t count = 0xf000 | (-length & 0xfff);

    if (style == 0) {
        pci_guest_put64(bench, where,
                        gpa | (uint64_t)(status & 0xff00) << 16 | (uint64_t)count << 32);
        return;
    }
    pci_guest_put32(bench, where + (style == 3 ? 8 : 0), gpa);
    pci_guest_put32(bench, where + (style == 3 ? 0 : 8), 0);
    pci_guest_put32(bench, where + 4, count | status << 16);
}

uint16_t
pcnet_guest_status_of(DeviceBench *bench, unsigned style, uint64_t ring, unsigned index)
{
    const uint64_t where = pcnet_guest_place(style, ring, index);

    return (uint16_t)device_bench_read(bench, where + (style == 0 ? 2 : 6), 2) &
           (style == 0 ? 0xff00 : 0xffff);
}

uint16_t
pcnet_guest_errors_of(DeviceBench *bench, unsigned style, unsigned index)
{
    const uint64_t where = pcnet_guest_place(style, TX_RING, index);

    return (uint16_t)device_bench_read(bench, where + (style == 0 ? 6 : style == 3 ? 2 : 10), 2);
}

void
pcnet_guest_rings(DeviceBench *bench, unsigned style, uint16_t mode)
{
    uint8_t block[28] = {(uint8_t)mode, (uint8_t)(mode >> 8)};
    const unsigned shift = style == 0 ? 0 : 2;
    const uint32_t rings[] = {RX_RING, TX_RING};

    memcpy(block + 2 + shift, net_guest_own, 6);
    for (unsigned i = 0; i < 2; i++) {
        uint8_t *ring = block + (style == 0 ? 16 : 20) + 4 * i;

        ring[0] = (uint8_t)rings[i];
        ring[1] = (uint8_t)(rings[i] >> 8);
        ring[2] = (uint8_t)(rings[i] >> 16);
        if (style == 0)
            ring[3] = POWER << 5;
        else
            block[2 + i] = POWER << 4;
    }
    pcnet_guest_set_csr(bench, 0, STOP);
    pcnet_guest_set_bcr(bench, 20, (uint16_t)style);
    pci_guest_put(bench, BLOCK, block, sizeof(block));
    for (unsigned i = 0; i < ENTRIES; i++) {
        pcnet_guest_describe(bench, style, RX_RING, i, BUFFERS + 0x800 * i, 0x600, OWN);
        pcnet_guest_describe(bench, style, TX_RING, i, 0, 0, 0);
    }
    pcnet_guest_set_csr(bench, 1, BLOCK);
    pcnet_guest_set_csr(bench, 2, 0);
    pcnet_guest_set_csr(bench, 0, INIT);
    g_assert_cmphex(pcnet_guest_csr(bench, 0) & IDON, ==, IDON);
    pcnet_guest_set_csr(bench, 0, IDON | STRT | IENA);
    g_assert_cmphex(pcnet_guest_csr(bench, 0) & (STRT | STOP | IDON), ==, STRT);
}

bool
pcnet_guest_receive(DeviceBench *bench, const uint8_t *frame, size_t size)
{
    return net_guest_receive(bench, "pcnet", frame, size, NULL);
}
