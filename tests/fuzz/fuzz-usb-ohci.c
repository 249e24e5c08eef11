/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * OHCI for fuzz-usb.c: endpoints for control, bulk and the periodic lists, one of them for
 * isochronous descriptors. */
#include "tests/device/pci-guest.h"
#include "tests/fuzz/fuzz-usb.h"

#define SLOT 6
#define HCCA 0x100000u
#define EDS 0x101000u
#define TDS 0x102000u
#define DATA 0x108000u

static void
put(FuzzUsb *fuzz, uint32_t at, uint32_t value)
{
    pci_guest_put32(fuzz->bench, at, value);
}

static uint32_t
endpoint(unsigned index)
{
    return EDS + 0x20 * index;
}

static uint32_t
descriptor(uint32_t number)
{
    return TDS + 0x20 * (number % 64);
}

void
fuzz_usb_begin(FuzzUsb *fuzz)
{
    DeviceBench *bench = fuzz->bench;

    pci_guest_map(bench, SLOT, 0);
    for (unsigned i = 0; i < 32; i++)
        put(fuzz, HCCA + 4 * i, endpoint(2 + (i & 1)));
    for (unsigned i = 0; i < 4; i++)
        put(fuzz, endpoint(i), 8u << 16 | (i == 3 ? 1u << 15 : 0));
    pci_guest_write(bench, 0, 0x18, HCCA);
    pci_guest_write(bench, 0, 0x20, endpoint(0));
    pci_guest_write(bench, 0, 0x28, endpoint(1));
    pci_guest_write(bench, 0, 0x10, 0x8000007f);
    for (unsigned port = 0; port < 4; port++)
        pci_guest_write(bench, 0, 0x54 + 4 * port, 1u << 4);
    pci_guest_write(bench, 0, 0x04, 2u << 6 | 0x3c);
}

/* The list is one descriptor and its end. */
void
fuzz_usb_transfer(FuzzUsb *fuzz, FuzzInput *input)
{
    const uint32_t target = fuzz_take(input, 1), kind = fuzz_take(input, 1);
    const uint32_t index = kind & 3, size = fuzz_take(input, 1 + (kind >> 7));
    const uint32_t at = descriptor(fuzz->made), data = DATA + 0x100 * (fuzz->made % 64);

    if ((kind >> 2 & 3) != 2) {
        for (unsigned i = 0; i < 8; i++)
            put(fuzz, data + 4 * i, fuzz_take(input, 4));
    }
    put(fuzz, at,
        (kind >> 2 & 3) << 19 | (kind & 0x10 ? 1u << 18 : 0) |
            (index == 3 ? 7u << 24 | (uint32_t)(device_bench_now(fuzz->bench) / 1000000 & 0xffff)
                        : 0));
    put(fuzz, at + 4, size != 0 ? data : 0);
    put(fuzz, at + 8, kind & 0x20 ? at : descriptor(fuzz->made + 1));
    put(fuzz, at + 12, size != 0 ? data + size - 1 : 0);
    for (unsigned i = 0; i < 4 && index == 3; i++)
        put(fuzz, at + 16 + 4 * i, fuzz_take(input, 4));
    put(fuzz, endpoint(index),
        8u << 16 | (index == 3 ? 1u << 15 | (kind & 0x40 ? 2u : 1u) << 11 : 0) | (target & 3) << 7 |
            (target >> 2 & 3));
    put(fuzz, endpoint(index) + 4, descriptor(fuzz->made + 1));
    put(fuzz, endpoint(index) + 8, at);
    pci_guest_write(fuzz->bench, 0, 0x08, 6);
    fuzz->made++;
}
