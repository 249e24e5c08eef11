/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * EHCI for fuzz-usb.c: three queues in the ring, which are in the frames' lists as well, and
 * isochronous descriptors; the drive is at address 0 of the second port. */
#include "tests/device/pci-guest.h"
#include "tests/fuzz/fuzz-usb.h"

#define SLOT 11
#define LIST 0x100000u
#define QUEUES 0x101000u
#define QTDS 0x102000u
#define ITDS 0x104000u
#define DATA 0x108000u
#define PORTSC 0x64u

static void
put(FuzzUsb *fuzz, uint32_t at, uint32_t value)
{
    pci_guest_put32(fuzz->bench, at, value);
}

static uint32_t
queue(unsigned index)
{
    return QUEUES + 0x40 * index;
}

void
fuzz_usb_begin(FuzzUsb *fuzz)
{
    DeviceBench *bench = fuzz->bench;

    pci_guest_map(bench, SLOT, 0);
    for (unsigned i = 0; i < 1024; i++)
        put(fuzz, LIST + 4 * i, i % 4 == 3 ? ITDS : queue(i % 4) | 2);
    for (unsigned i = 0; i < 3; i++) {
        put(fuzz, queue(i), queue((i + 1) % 3) | 2);
        put(fuzz, queue(i) + 4, 64u << 16 | (i == 0 ? 1u << 15 : 0) | 2u << 12);
        put(fuzz, queue(i) + 8, 1u << 30 | (i == 2 ? 1 : 0));
        put(fuzz, queue(i) + 16, 1);
        put(fuzz, queue(i) + 20, 1);
    }
    pci_guest_write(bench, 0, 0x34, LIST);
    pci_guest_write(bench, 0, 0x38, QUEUES);
    pci_guest_write(bench, 0, 0x20, 1u << 16 | 1);
    pci_guest_write(bench, 0, 0x60, 1);
    for (unsigned port = 0; port < 4; port++) {
        pci_guest_write(bench, 0, PORTSC + 4 * port, 0x1100);
        pci_guest_write(bench, 0, PORTSC + 4 * port, 0x1000);
    }
    pci_guest_write(bench, 0, 0x28, 0x3f);
    pci_guest_write(bench, 0, 0x20, 1u << 16 | 0x31);
}

/* An element for a queue; its data come from the input. */
static void
put_element(FuzzUsb *fuzz, FuzzInput *input, uint32_t at)
{
    const uint32_t token = fuzz_take(input, 2), size = fuzz_take(input, 1);
    const uint32_t data = DATA + 0x100 * (fuzz->made % 64);

    for (unsigned i = 0; i < 5; i++)
        put(fuzz, at + 12 + 4 * i, i == 0 ? data : (data & ~0xfffu) + 0x1000 * i);
    put(fuzz, at, QTDS + 0x40 * ((fuzz->made + 1) % 64));
    put(fuzz, at + 4, (token & 8) != 0 ? 1 : at);
    if ((token & 3) != 1) {
        for (unsigned i = 0; i < 8; i++)
            put(fuzz, data + 4 * i, fuzz_take(input, 4));
    }
    put(fuzz, QTDS + 0x40 * ((fuzz->made + 1) % 64) + 8, 0);
    put(fuzz, at + 8,
        (token & 0x80 ? size << 20 : size) << 16 | (token & 0x10 ? 0 : 3u << 10) |
            (token & 3) << 8 | (token & 0x8000) | 0x80);
}

/* For the streaming device, mostly. */
static void
put_isochronous(FuzzUsb *fuzz, FuzzInput *input)
{
    const uint32_t kind = fuzz_take(input, 1), any = fuzz_take(input, 4);
    const uint32_t target =
        kind & 0x80 ? any : (any & ~0xf7fu) | FUZZ_USB_STREAM | (kind & 8 ? 1u : 2u) << 8;

    put(fuzz, ITDS, kind & 1 ? ITDS + 0x40 : 1);
    put(fuzz, ITDS + 0x40, kind & 2 ? queue(2) | 2 : (ITDS + 0x80) | 4);
    put(fuzz, ITDS + 0x80, kind & 4 ? 1 : ITDS);
    for (unsigned i = 0; i < 8; i++) {
        put(fuzz, ITDS + 4 + 4 * i, 0x80000000 | fuzz_take(input, 4));
        put(fuzz, ITDS + 0x44 + 4 * i, fuzz_take(input, 2) << 16 | 0xf000);
    }
    put(fuzz, ITDS + 36, target);
    put(fuzz, ITDS + 40, (kind & 8 ? 1u << 11 : 0) | 512);
    put(fuzz, ITDS + 0x64, target);
    put(fuzz, ITDS + 0x68, (kind & 8 ? 1u << 11 : 0) | 512);
    put(fuzz, ITDS + 0x84, target);
    put(fuzz, ITDS + 0x88, 0xff);
    put(fuzz, ITDS + 0x8c, 0x80 | fuzz_take(input, 2) << 16);
}

void
fuzz_usb_transfer(FuzzUsb *fuzz, FuzzInput *input)
{
    const uint32_t target = fuzz_take(input, 1), index = fuzz_take(input, 1) % 4;
    const uint32_t at = QTDS + 0x40 * (fuzz->made % 64);

    if (index == 3) {
        put_isochronous(fuzz, input);
        return;
    }
    /* The addresses and endpoints that there are, mostly. */
    put(fuzz, queue(index) + 4,
        64u << 16 | (index == 0 ? 1u << 15 : 0) | (target & 0x80 ? 0u : 2u << 12) |
            (target & 3) << 8 | (target >> 2 & 3));
    if ((target & 0x40) != 0) { /* from a halt */
        put(fuzz, queue(index) + 24, 0);
        put(fuzz, queue(index) + 16, at);
    }
    put_element(fuzz, input, at);
    fuzz->made++;
}
