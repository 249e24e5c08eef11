/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What a guest's virtio driver does, for tests: the modern PCI interface with queues of 16 entries
 * in guest memory, or the legacy interface with as many as the device has. */
#pragma once

#include "tests/device/pci-guest.h"

#define VIRTIO_GUEST_ENTRIES 16u
/* Where a queue's table and rings are; a legacy queue of 256 entries has its parts there, too. */
#define VIRTIO_GUEST_TABLE(queue) (0x100000u + 0x10000u * (queue))
#define VIRTIO_GUEST_AVAILABLE(queue) (VIRTIO_GUEST_TABLE(queue) + 0x1000u)
#define VIRTIO_GUEST_USED(queue) (VIRTIO_GUEST_TABLE(queue) + 0x2000u)

enum { DESCRIPTOR_NEXT = 1, DESCRIPTOR_WRITE = 2, DESCRIPTOR_INDIRECT = 4 };

typedef struct {
    uint64_t gpa;
    uint32_t size;
    uint16_t flags;
    uint16_t next; /* with DESCRIPTOR_NEXT */
} VirtioGuestDescriptor;

/* Where a legacy driver finds the registers. */
#define VIRTIO_GUEST_PORTS 0xc000u

typedef struct {
    DeviceBench *bench;
    uint64_t features;
    unsigned entries; /* of each queue */
    bool legacy;
    uint16_t available[4], used[4]; /* of each queue */
} VirtioGuest;

/* Maps the function, negotiates `wanted` (and VERSION_1) of what is offered, sets queues up and
 * starts the device. */
void virtio_guest_start(VirtioGuest *guest, DeviceBench *bench, unsigned slot, uint64_t wanted,
                        unsigned queues);
/* The same through the legacy interface: of `wanted` what is offered, in the guest's own order. */
void virtio_guest_start_legacy(VirtioGuest *guest, DeviceBench *bench, unsigned slot,
                               uint32_t wanted, unsigned queues);
/* Maps the legacy registers alone. */
void virtio_guest_map_legacy(DeviceBench *bench, unsigned slot);
uint64_t virtio_guest_offered(DeviceBench *bench);
uint8_t virtio_guest_status(DeviceBench *bench);
void virtio_guest_set_status(DeviceBench *bench, uint8_t status);
/* Writes a descriptor of a queue's table. */
void virtio_guest_describe(VirtioGuest *guest, unsigned queue, unsigned index,
                           VirtioGuestDescriptor descriptor);
/* Makes a chain available, and tells the device. */
void virtio_guest_offer(VirtioGuest *guest, unsigned queue, uint16_t head);
void virtio_guest_kick(VirtioGuest *guest, unsigned queue);
/* The next used chain: its head, and how much was written; -1: none. */
int virtio_guest_used(VirtioGuest *guest, unsigned queue, uint32_t *written);
/* Lets queues run until nothing happens any more. */
void virtio_guest_settle(VirtioGuest *guest);
