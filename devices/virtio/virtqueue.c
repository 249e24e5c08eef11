/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Split virtqueues. All fields are little-endian (VIRTIO 1.1 section 2.6). */
#include "devices/virtio/virtio.h"

#include <stdatomic.h>

enum {
    DESCRIPTOR_SIZE = 16,
    FLAG_NEXT = 1,
    FLAG_WRITE = 2,
    FLAG_INDIRECT = 4,
    RING_HEADER = 4, /* flags and index */
    USED_SIZE = 8,
    NO_INTERRUPT = 1,
};

/* Descriptors of one chain, those of an indirect table included. */
#define CHAIN_MAX 1024u

typedef struct {
    uint64_t gpa;
    uint32_t size;
    uint16_t flags, next;
} Descriptor;

static uint16_t
get16(const VirtioDevice *virtio, uint64_t gpa)
{
    uint16_t value;

    pdm_phys_read(virtio->device, gpa, &value, sizeof(value));
    return GUINT16_FROM_LE(value);
}

static void
put16(const VirtioDevice *virtio, uint64_t gpa, uint16_t value)
{
    value = GUINT16_TO_LE(value);
    pdm_phys_write(virtio->device, gpa, &value, sizeof(value));
}

static Descriptor
read_descriptor(const VirtioDevice *virtio, uint64_t table, uint32_t index)
{
    struct {
        uint64_t gpa;
        uint32_t size;
        uint16_t flags, next;
    } raw;

    pdm_phys_read(virtio->device, table + (uint64_t)index * DESCRIPTOR_SIZE, &raw, sizeof(raw));
    return (Descriptor){
        .gpa = GUINT64_FROM_LE(raw.gpa),
        .size = GUINT32_FROM_LE(raw.size),
        .flags = GUINT16_FROM_LE(raw.flags),
        .next = GUINT16_FROM_LE(raw.next),
    };
}

void
virtio_chain_clear(VirtioChain *chain)
{
    dma_list_clear(&chain->out);
    dma_list_clear(&chain->in);
}

/* --- chains --- */

static bool
add_piece(VirtioDevice *virtio, const Descriptor *descriptor, VirtioChain *chain)
{
    if ((descriptor->flags & FLAG_WRITE) != 0) {
        dma_list_add(&chain->in, descriptor->gpa, descriptor->size);
        return true;
    }
    if (chain->in.count != 0) {
        virtio_break(virtio, "virtio-order", "a readable descriptor follows a writable one");
        return false;
    }
    dma_list_add(&chain->out, descriptor->gpa, descriptor->size);
    return true;
}

/* Follows a table of `size` descriptors from `index` on. */
static bool
walk(VirtioDevice *virtio, uint64_t table, uint32_t size, uint32_t index, VirtioChain *chain)
{
    for (uint32_t steps = 0; steps < size; steps++) {
        Descriptor descriptor = read_descriptor(virtio, table, index);

        if ((descriptor.flags & FLAG_INDIRECT) != 0) {
            virtio_break(virtio, "virtio-indirect", "an indirect descriptor is out of place");
            return false;
        }
        if (!add_piece(virtio, &descriptor, chain))
            return false;
        if ((descriptor.flags & FLAG_NEXT) == 0)
            return true;
        index = descriptor.next;
        if (index >= size)
            break;
    }
    virtio_break(virtio, "virtio-chain", "a chain of descriptors does not end or leaves its table");
    return false;
}

bool
virtqueue_fetch(VirtioDevice *virtio, unsigned index, uint16_t head, VirtioChain *chain)
{
    VirtQueue *queue = &virtio->queues[index];
    Descriptor first;

    dma_list_reset(&chain->out);
    dma_list_reset(&chain->in);
    chain->head = head;
    if (head >= queue->size) {
        virtio_break(virtio, "virtio-head", "a chain begins outside the table");
        return false;
    }
    queue->in_flight[head / 64] |= 1ull << head % 64;
    first = read_descriptor(virtio, queue->descriptors, head);
    if ((first.flags & FLAG_INDIRECT) == 0)
        return walk(virtio, queue->descriptors, queue->size, head, chain);
    if (!virtio_has(virtio, VIRTIO_F_INDIRECT) || (first.flags & FLAG_NEXT) != 0 ||
        first.size == 0 || first.size % DESCRIPTOR_SIZE != 0 ||
        first.size / DESCRIPTOR_SIZE > CHAIN_MAX) {
        virtio_break(virtio, "virtio-table", "an indirect table is not as it has to be");
        return false;
    }
    return walk(virtio, first.gpa, first.size / DESCRIPTOR_SIZE, 0, chain);
}

/* --- the available ring --- */

static bool
is_empty(const VirtioDevice *virtio, const VirtQueue *queue, uint16_t *waiting)
{
    *waiting = (uint16_t)(get16(virtio, queue->driver + 2) - queue->next_available);
    return *waiting == 0;
}

/* When the driver has to say that there is more. */
static void
ask_for_notification(const VirtioDevice *virtio, const VirtQueue *queue)
{
    if (virtio_has(virtio, VIRTIO_F_EVENT_IDX))
        put16(virtio, queue->device + RING_HEADER + (uint64_t)USED_SIZE * queue->size,
              queue->next_available);
    /* Before the index is looked at again. */
    atomic_thread_fence(memory_order_seq_cst);
}

bool
virtqueue_pop(VirtioDevice *virtio, unsigned index, VirtioChain *chain)
{
    VirtQueue *queue = &virtio->queues[index];
    uint16_t waiting;
    uint16_t head;

    if (!virtio_ready(virtio) || !queue->enabled)
        return false;
    if (is_empty(virtio, queue, &waiting)) {
        ask_for_notification(virtio, queue);
        if (is_empty(virtio, queue, &waiting))
            return false;
    }
    if (waiting > queue->size) {
        virtio_break(virtio, "virtio-available", "the ring holds more chains than it has room for");
        return false;
    }
    atomic_thread_fence(memory_order_acquire);
    head = get16(virtio,
                 queue->driver + RING_HEADER + 2ull * (queue->next_available & (queue->size - 1u)));
    queue->next_available++;
    return virtqueue_fetch(virtio, index, head, chain);
}

/* --- the used ring --- */

static bool
wants_interrupt(const VirtioDevice *virtio, VirtQueue *queue)
{
    uint16_t now = queue->next_used, before = queue->signalled;
    bool valid = queue->signalled_valid != 0;
    uint16_t event;

    /* After the index has been written. */
    atomic_thread_fence(memory_order_seq_cst);
    if (!virtio_has(virtio, VIRTIO_F_EVENT_IDX))
        return (get16(virtio, queue->driver) & NO_INTERRUPT) == 0;
    queue->signalled = now;
    queue->signalled_valid = 1;
    event = get16(virtio, queue->driver + RING_HEADER + 2ull * queue->size);
    return !valid || (uint16_t)(now - event - 1) < (uint16_t)(now - before);
}

void
virtqueue_place(VirtioDevice *virtio, unsigned index, unsigned ahead, uint16_t head,
                uint32_t written)
{
    VirtQueue *queue = &virtio->queues[index];
    const uint32_t element[2] = {GUINT32_TO_LE(head), GUINT32_TO_LE(written)};
    const unsigned at = (queue->next_used + ahead) & (queue->size - 1u);

    queue->in_flight[head / 64 % G_N_ELEMENTS(queue->in_flight)] &= ~(1ull << head % 64);
    if (virtio_ready(virtio) && queue->enabled)
        pdm_phys_write(virtio->device, queue->device + RING_HEADER + (uint64_t)USED_SIZE * at,
                       element, sizeof(element));
}

void
virtqueue_publish(VirtioDevice *virtio, unsigned index, unsigned count)
{
    VirtQueue *queue = &virtio->queues[index];

    if (!virtio_ready(virtio) || !queue->enabled)
        return;
    atomic_thread_fence(memory_order_release);
    queue->next_used = (uint16_t)(queue->next_used + count);
    put16(virtio, queue->device + 2, queue->next_used);
    if (wants_interrupt(virtio, queue))
        virtio_interrupt(virtio, queue->vector, 1);
}

void
virtqueue_push(VirtioDevice *virtio, unsigned index, uint16_t head, uint32_t written)
{
    const VirtQueue *queue = &virtio->queues[index];

    /* The queue was taken away meanwhile, and is perhaps another one now. */
    if ((queue->in_flight[head / 64 % G_N_ELEMENTS(queue->in_flight)] >> head % 64 & 1) == 0)
        return;
    virtqueue_place(virtio, index, 0, head, written);
    virtqueue_publish(virtio, index, 1);
}

int
virtqueue_in_flight(const VirtioDevice *virtio, unsigned index, unsigned from)
{
    const VirtQueue *queue = &virtio->queues[index];

    for (unsigned head = from; head < VIRTQUEUE_SIZE_MAX; head++) {
        if ((queue->in_flight[head / 64] >> head % 64 & 1) != 0)
            return (int)head;
    }
    return -1;
}
