/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the files of the virtio network card share. Names and numbers are those of VIRTIO 1.1,
 * section 5.1. */
#pragma once

#include "devices/virtio/virtio.h"

/* Features that are the card's own. */
enum {
    F_CSUM = 1u << 0,
    F_GUEST_CSUM = 1u << 1,
    F_MAC = 1u << 5,
    F_GUEST_TSO4 = 1u << 7,
    F_GUEST_TSO6 = 1u << 8,
    F_HOST_TSO4 = 1u << 11,
    F_HOST_TSO6 = 1u << 12,
    F_MERGE = 1u << 15,
    F_STATUS = 1u << 16,
    F_CONTROL = 1u << 17,
    F_CONTROL_RX = 1u << 18,
    F_MULTI_QUEUE = 1u << 22,
    F_CONTROL_MAC = 1u << 23,
};

enum {
    VIRTIO_NET_HEADER = 12,
    VIRTIO_NET_PAIRS = 4,
    VIRTIO_NET_CHAINS = 64, /* of one frame that is received */
};

/* Chains that a frame is to be put into, and one that the network had no room for. */
typedef struct {
    VirtioChain chains[VIRTIO_NET_CHAINS];
    unsigned count;
    uint64_t size; /* of all */
    VirtioChain held;
    bool holds;
} VirtioNetPair;

typedef struct {
    VirtioDevice virtio;
    PdmDevice *device;
    PdmNetworkPort port;
    const PdmNetworkConnector *net; /* NULL: none */
    PdmQueue *restart;
    unsigned pair_count;
    VirtioNetPair pairs[VIRTIO_NET_PAIRS];
    uint8_t mac[6]; /* as the driver set it */
    uint8_t promiscuous, all_unicast, active_pairs;
    uint8_t *frame; /* VIRTIO_NET_HEADER + PDM_NETWORK_FRAME_MAX bytes */
} VirtioNet;

/* virtio-net-frames.c: of PdmNetworkPort, for a VirtioNet. */
bool virtio_net_receive(void *user, const void *data, size_t size, const PdmFrameOffload *offload);
void virtio_net_can_send(void *user);
/* Sends what waits in a pair's queue. */
void virtio_net_send(VirtioNet *nic, unsigned pair);
/* The network is told what the driver has taken of the features. */
void virtio_net_update_offloads(VirtioNet *nic);

/* virtio-net-control.c */
unsigned virtio_net_control_queue(const VirtioNet *nic);
void virtio_net_control(VirtioNet *nic);
/* The network is told whether the card wants frames of all addresses. */
void virtio_net_update_filter(const VirtioNet *nic);
