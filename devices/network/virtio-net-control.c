/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The control queue of the virtio network card (VIRTIO 1.1 section 5.1.6.5): receive modes, the
 * address, how many pairs of queues are in use. */
#include "devices/network/virtio-net-private.h"

#include <string.h>

enum { CLASS_RX = 0, CLASS_MAC = 1, CLASS_PAIRS = 4 };
enum { MAC_TABLE = 0, MAC_ADDRESS = 1 };
enum { ACK_OK, ACK_ERROR };

unsigned
virtio_net_control_queue(const VirtioNet *nic)
{
    return virtio_has(&nic->virtio, F_MULTI_QUEUE) ? 2 * nic->pair_count : 2;
}

void
virtio_net_update_filter(const VirtioNet *nic)
{
    if (nic->net != NULL)
        nic->net->promiscuous(nic->net->user, nic->promiscuous || nic->all_unicast);
}

static uint8_t
set_receive_mode(VirtioNet *nic, uint8_t command, const uint8_t *data, uint64_t size)
{
    if (size < 1 || command > 1)
        return ACK_ERROR;
    if (command == 0) {
        nic->promiscuous = data[0] != 0;
        virtio_net_update_filter(nic);
    }
    return ACK_OK; /* groups are all received */
}

static uint8_t
set_addresses(VirtioNet *nic, uint8_t command, const uint8_t *data, uint64_t size)
{
    if (command == MAC_ADDRESS && size == 6) {
        memcpy(nic->mac, data, 6);
        return ACK_OK;
    }
    if (command != MAC_TABLE || size < 4)
        return ACK_ERROR;
    /* More than one address of its own: all are let through, which a driver allows. */
    nic->all_unicast = (data[0] | data[1] | data[2] | data[3]) != 0;
    virtio_net_update_filter(nic);
    return ACK_OK;
}

static uint8_t
set_pairs(VirtioNet *nic, uint8_t command, const uint8_t *data, uint64_t size)
{
    const unsigned count = size == 2 ? data[0] | (unsigned)data[1] << 8 : 0;

    if (command != 0 || count < 1 || count > nic->pair_count ||
        !virtio_has(&nic->virtio, F_MULTI_QUEUE))
        return ACK_ERROR;
    nic->active_pairs = (uint8_t)count;
    return ACK_OK;
}

static uint8_t
run_command(VirtioNet *nic, const uint8_t *data, uint64_t size)
{
    if (size < 2)
        return ACK_ERROR;
    switch (data[0]) {
    case CLASS_RX: return set_receive_mode(nic, data[1], data + 2, size - 2);
    case CLASS_MAC: return set_addresses(nic, data[1], data + 2, size - 2);
    case CLASS_PAIRS: return set_pairs(nic, data[1], data + 2, size - 2);
    default: return ACK_ERROR;
    }
}

void
virtio_net_control(VirtioNet *nic)
{
    const unsigned queue = virtio_net_control_queue(nic);
    VirtioChain chain = {0};

    while (virtqueue_pop(&nic->virtio, queue, &chain)) {
        uint8_t data[512], answer;
        const uint64_t size = dma_list_read(&chain.out, nic->device, 0, data, sizeof(data));

        answer = run_command(nic, data, size);
        if (chain.in.size > 0)
            dma_list_write(&chain.in, nic->device, 0, &answer, 1);
        virtqueue_push(&nic->virtio, queue, chain.head, chain.in.size > 0);
    }
    virtio_chain_clear(&chain);
}
