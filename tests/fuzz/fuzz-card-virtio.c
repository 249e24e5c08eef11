/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The virtio card for fuzz-card.c, through its modern or its legacy interface: chains of any shape,
 * commands, queues that are set up anew. */
#include "tests/fuzz/fuzz-card.h"

#include "tests/device/virtio-guest.h"

#define QUEUES 3u
#define HEADER 12u
#define DATA (FUZZ_MEMORY + 0x40000u)
#define FEATURES 0x30c799a3u

/* FUZZ_LEGACY is 0 or 1. */
static const char *const interfaces[] = {FUZZ_LEGACY ? "transitional" : "modern",
                                         FUZZ_LEGACY ? "legacy" : NULL, NULL};

const FuzzCardInfo fuzz_card = {
    .device = "virtio-net",
    .option = "Interface",
    .values = interfaces,
    .ports = VIRTIO_GUEST_PORTS,
    .port_count = FUZZ_LEGACY ? 64 : 0,
    .windows = 1u << 1 | 1u << 4,
};

static VirtioGuest
begin(FuzzCard *card, uint32_t features)
{
    VirtioGuest guest;

    if (FUZZ_LEGACY)
        virtio_guest_start_legacy(&guest, card->bench, NET_GUEST_SLOT, features, QUEUES);
    else
        virtio_guest_start(&guest, card->bench, NET_GUEST_SLOT, features, QUEUES);
    for (unsigned i = 0; i < G_N_ELEMENTS(card->made); i++)
        card->made[i] = 0;
    return guest;
}

void
fuzz_card_begin(FuzzCard *card)
{
    begin(card, FEATURES & ~(card->choice & 1 ? 1u << 15 : 0) & ~(card->choice & 2 ? 1u << 29 : 0) &
                    ~(card->choice & 4 ? 1u << 1 : 0));
}

/* The driver as it stands; the indices are its own. */
static VirtioGuest
driver(const FuzzCard *card)
{
    VirtioGuest guest = {.bench = card->bench,
                         .entries = FUZZ_LEGACY ? 256 : VIRTIO_GUEST_ENTRIES,
                         .legacy = FUZZ_LEGACY};

    for (unsigned i = 0; i < QUEUES; i++)
        guest.available[i] = (uint16_t)card->made[i];
    return guest;
}

static void
offer(FuzzCard *card, VirtioGuest *guest, unsigned queue, uint32_t head)
{
    virtio_guest_offer(guest, queue, (uint16_t)head);
    card->made[queue]++;
}

/* Descriptors one after the other, as the input says; the last one may point anywhere. */
static void
chain(FuzzCard *card, FuzzInput *input, unsigned queue, uint32_t count, uint32_t how)
{
    VirtioGuest guest = driver(card);
    const uint32_t first = fuzz_take(input, 1) % VIRTIO_GUEST_ENTRIES;

    for (uint32_t i = 0; i < count; i++) {
        const uint32_t flags = fuzz_take(input, 1);
        const uint32_t next = i + 1 < count ? first + i + 1 : flags >> 3;

        virtio_guest_describe(
            &guest, queue, (first + i) % VIRTIO_GUEST_ENTRIES,
            (VirtioGuestDescriptor){fuzz_take_address(input), fuzz_take(input, 1 + (flags & 1) * 2),
                                    (uint16_t)((flags & 6) | (i + 1 < count ? 1 : flags >> 7)),
                                    (uint16_t)(next % (VIRTIO_GUEST_ENTRIES + 1))});
    }
    offer(card, &guest, queue, (how & 0x40) != 0 ? fuzz_take(input, 2) : first);
    if ((how & 0x80) == 0)
        virtio_guest_kick(&guest, queue);
}

/* What is no mistake: a frame to send, a buffer, a command. */
static void
good(FuzzCard *card, FuzzInput *input, unsigned queue)
{
    VirtioGuest guest = driver(card);
    const uint32_t size = queue == 2 ? 16 : 1 + fuzz_take(input, 2) % 0x3000;
    const uint16_t flags = queue == 0 ? DESCRIPTOR_WRITE : DESCRIPTOR_NEXT;

    for (unsigned i = 0; i < HEADER && queue != 0; i += 4)
        pci_guest_put32(card->bench, DATA + 0x4000 * queue + i, fuzz_take(input, 4));
    virtio_guest_describe(&guest, queue, 0,
                          (VirtioGuestDescriptor){DATA + 0x4000 * queue, size, flags, 1});
    virtio_guest_describe(&guest, queue, 1,
                          (VirtioGuestDescriptor){DATA + 0x4000 * queue + 0x2000,
                                                  queue == 2 ? 1 : 64,
                                                  queue == 2 ? DESCRIPTOR_WRITE : 0, 0});
    offer(card, &guest, queue, 0);
    virtio_guest_kick(&guest, queue);
}

/* A queue elsewhere: on another one, in the device's window, at the end of memory. */
static void
move(FuzzCard *card, FuzzInput *input, unsigned queue)
{
    DeviceBench *bench = card->bench;
    const uint64_t at = fuzz_take_address(input);

    if (FUZZ_LEGACY) {
        device_bench_out16(bench, VIRTIO_GUEST_PORTS + 0x0e, (uint16_t)queue);
        device_bench_out32(bench, VIRTIO_GUEST_PORTS + 0x08, (uint32_t)(at / 4096));
        return;
    }
    virtio_guest_set_status(bench, 0);
    pci_guest_write(bench, 4, 8, 1);
    pci_guest_write(bench, 4, 0xc, 1);
    virtio_guest_set_status(bench, 0xb);
    device_bench_write(bench, PCI_GUEST_BAR(4) + 0x16, queue, 2);
    device_bench_write(bench, PCI_GUEST_BAR(4) + 0x18, 1u << fuzz_take(input, 1) % 9, 2);
    for (unsigned i = 0; i < 3; i++) {
        const uint64_t part = fuzz_take_address(input);

        pci_guest_write(bench, 4, 0x20 + 8 * i, (uint32_t)part);
        pci_guest_write(bench, 4, 0x24 + 8 * i, (uint32_t)(part >> 32));
    }
    device_bench_write(bench, PCI_GUEST_BAR(4) + 0x1c, 1, 2);
    virtio_guest_set_status(bench, 0xf);
}

void
fuzz_card_work(FuzzCard *card, FuzzInput *input)
{
    const uint32_t what = fuzz_take(input, 1);
    const unsigned queue = (what >> 3 & 3) % QUEUES;

    switch (what & 7) {
    case 0: fuzz_card_begin(card); break;
    case 1: move(card, input, queue); break;
    case 2:
    case 3:
    case 4: good(card, input, queue); break;
    default: chain(card, input, queue, what & 3, what); break;
    }
}
