/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Split virtqueues (VIRTIO 1.1 section 2.6) from the device's side. Descriptors are copied once; a
 * chain has at most as many as the queue, so loops end; what a driver must not do breaks the
 * device until it is reset. */
#pragma once

#include "devices/pci/dma-list.h"

#define VIRTQUEUE_SIZE_MAX 256u
#define VIRTIO_NO_VECTOR 0xffffu

typedef struct {
    uint16_t size; /* a power of two; as the driver chose it */
    uint16_t enabled, vector;
    uint64_t descriptors, driver, device; /* addresses of the table and the rings */
    uint16_t next_available, next_used;
    uint16_t signalled; /* next_used at the last interrupt */
    uint16_t signalled_valid;
    uint64_t in_flight[VIRTQUEUE_SIZE_MAX / 64]; /* heads that the device has not given back */
} VirtQueue;

/* A chain: what the device may read, then what it may write. */
typedef struct {
    uint16_t head;
    DmaList out, in;
} VirtioChain;

typedef struct VirtioDevice VirtioDevice;

/* Takes the next chain; its lists are emptied first. False: there is none, or the device is
 * broken. */
bool virtqueue_pop(VirtioDevice *virtio, unsigned queue, VirtioChain *chain);
/* The chain at a head that is in flight already (after a state was loaded). */
bool virtqueue_fetch(VirtioDevice *virtio, unsigned queue, uint16_t head, VirtioChain *chain);
/* Gives a chain back, of whose writable part `written` bytes are new, and tells the driver if it
 * wants to know. */
void virtqueue_push(VirtioDevice *virtio, unsigned queue, uint16_t head, uint32_t written);
/* The same in two steps, for several chains that the driver has to see at once: places one `ahead`
 * of what was published, and publishes `count` that were placed. */
void virtqueue_place(VirtioDevice *virtio, unsigned queue, unsigned ahead, uint16_t head,
                     uint32_t written);
void virtqueue_publish(VirtioDevice *virtio, unsigned queue, unsigned count);
/* The first head in flight from `from` on; -1: none. */
int virtqueue_in_flight(const VirtioDevice *virtio, unsigned queue, unsigned from);

void virtio_chain_clear(VirtioChain *chain);
