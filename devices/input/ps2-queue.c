/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The bounded byte queue between a PS/2 device and its controller. */
#include "devices/input/ps2.h"

bool
ps2_queue_push(Ps2Queue *queue, uint8_t byte)
{
    if (queue->count >= PS2_QUEUE_SIZE)
        return false;
    queue->data[(queue->head + queue->count) % PS2_QUEUE_SIZE] = byte;
    queue->count++;
    return true;
}

uint8_t
ps2_queue_pop(Ps2Queue *queue)
{
    uint8_t byte;

    if (queue->count == 0)
        return 0;
    byte = queue->data[queue->head];
    queue->head = (queue->head + 1) % PS2_QUEUE_SIZE;
    queue->count--;
    return byte;
}

void
ps2_queue_clear(Ps2Queue *queue)
{
    queue->head = queue->count = 0;
}

/* clang-format off */
const SsmField ps2_queue_fields[] = {
    SSM_BYTES(Ps2Queue, data),
    SSM_UINT_BELOW(Ps2Queue, head, PS2_QUEUE_SIZE),
    SSM_UINT_BELOW(Ps2Queue, count, PS2_QUEUE_SIZE + 1),
    SSM_END,
};
/* clang-format on */
