/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Frames of the virtio network card (VIRTIO 1.1 section 5.1.6): the header before each, the chains
 * that they come in and are put into. */
#include "devices/drivers/network/frame/frame.h"
#include "devices/network/virtio-net-private.h"

#include <string.h>

enum {
    HEADER_SHORT = 10, /* without the number of buffers */
    NEEDS_CHECKSUM = 1,
    DATA_VALID = 2,
    GSO_NONE = 0,
    GSO_TCP4 = 1,
    GSO_TCP6 = 4,
    GSO_ECN = 0x80,
};

/* --- headers --- */

/* Legacy drivers leave the number of buffers away where it is always one. */
static unsigned
header_size(const VirtioNet *nic)
{
    return virtio_has(&nic->virtio, VIRTIO_F_VERSION_1 | F_MERGE) ? VIRTIO_NET_HEADER
                                                                  : HEADER_SHORT;
}

static void
put_header(uint8_t *header, const PdmFrameOffload *offload, unsigned buffers)
{
    static const uint8_t types[] = {GSO_NONE, GSO_TCP4, GSO_TCP6, GSO_NONE};
    const uint16_t words[] = {offload->header_length, offload->segment_size,
                              offload->checksum_start, offload->checksum_offset, (uint16_t)buffers};

    header[0] = (uint8_t)((offload->needs_checksum ? NEEDS_CHECKSUM : 0) |
                          (offload->checksum_good ? DATA_VALID : 0));
    header[1] = types[offload->segment];
    for (unsigned i = 0; i < G_N_ELEMENTS(words); i++) {
        header[2 + 2 * i] = (uint8_t)words[i];
        header[3 + 2 * i] = (uint8_t)(words[i] >> 8);
    }
}

static uint16_t
load16(const uint8_t *at)
{
    return (uint16_t)(at[0] | at[1] << 8);
}

static void
get_header(const uint8_t *header, PdmFrameOffload *offload)
{
    *offload = (PdmFrameOffload){
        .needs_checksum = (header[0] & NEEDS_CHECKSUM) != 0,
        .header_length = load16(header + 2),
        .segment_size = load16(header + 4),
        .checksum_start = load16(header + 6),
        .checksum_offset = load16(header + 8),
    };
    switch (header[1] & ~GSO_ECN) {
    case GSO_TCP4: offload->segment = PDM_SEGMENT_TCP4; break;
    case GSO_TCP6: offload->segment = PDM_SEGMENT_TCP6; break;
    default: break;
    }
}

/* --- sending --- */

/* False: there is no room. */
static bool
send_chain(VirtioNet *nic, VirtioChain *chain)
{
    const unsigned header = header_size(nic);
    const uint64_t size = chain->out.size;
    PdmFrameOffload offload;
    PdmFramePiece piece;

    if (size <= header || size > header + PDM_NETWORK_FRAME_MAX || nic->net == NULL)
        return true;
    dma_list_read(&chain->out, nic->device, 0, nic->frame, size);
    get_header(nic->frame, &offload);
    piece = (PdmFramePiece){nic->frame + header, size - header};
    return nic->net->send(nic->net->user, &piece, 1, &offload);
}

void
virtio_net_send(VirtioNet *nic, unsigned index)
{
    VirtioNetPair *pair = &nic->pairs[index];
    const unsigned queue = 2 * index + 1;

    while (pair->holds || virtqueue_pop(&nic->virtio, queue, &pair->held)) {
        pair->holds = !send_chain(nic, &pair->held);
        if (pair->holds)
            return;
        virtqueue_push(&nic->virtio, queue, pair->held.head, 0);
    }
}

void
virtio_net_can_send(void *user)
{
    VirtioNet *nic = user;

    for (unsigned i = 0; i < nic->pair_count && virtio_ready(&nic->virtio); i++) {
        if (nic->virtio.queues[2 * i + 1].enabled)
            virtio_net_send(nic, i);
    }
}

/* --- receiving --- */

static bool
is_wanted(const VirtioNet *nic, const uint8_t *to)
{
    return (to[0] & 1) != 0 || nic->promiscuous || nic->all_unicast || memcmp(to, nic->mac, 6) == 0;
}

/* Frames of one connection go to one queue. */
static unsigned
choose_pair(const VirtioNet *nic, const uint8_t *data, size_t size)
{
    FrameParts parts;
    uint32_t hash = 0;

    if (nic->active_pairs < 2 || !frame_parse(data, size, &parts) || parts.network == 0)
        return 0;
    hash = frame_sum(data + parts.network + (parts.type == FRAME_IPV4 ? 12 : 8),
                     parts.type == FRAME_IPV4 ? 8 : 32, 0);
    if (parts.payload != 0)
        hash += frame_sum(data + parts.transport, 4, 0);
    return (hash ^ hash >> 8) % nic->active_pairs;
}

/* Chains enough for so many bytes. False: there are not. */
static bool
collect(VirtioNet *nic, unsigned index, uint64_t needed)
{
    VirtioNetPair *pair = &nic->pairs[index];

    while (pair->size < needed && pair->count < VIRTIO_NET_CHAINS) {
        VirtioChain *chain = &pair->chains[pair->count];

        if (!virtqueue_pop(&nic->virtio, 2 * index, chain))
            return false;
        pair->size += chain->in.size;
        pair->count++;
        if (!virtio_has(&nic->virtio, F_MERGE))
            break;
    }
    return true;
}

static void
fill(VirtioNet *nic, unsigned index, const uint8_t *data, size_t size,
     const PdmFrameOffload *offload)
{
    VirtioNetPair *pair = &nic->pairs[index];
    const unsigned header_bytes = header_size(nic);
    uint8_t header[VIRTIO_NET_HEADER];
    uint64_t done = 0;

    put_header(header, offload, pair->count);
    for (unsigned i = 0; i < pair->count; i++) {
        VirtioChain *chain = &pair->chains[i];
        const uint64_t skip = i == 0 ? header_bytes : 0;
        uint64_t part;

        if (i == 0)
            dma_list_write(&chain->in, nic->device, 0, header, header_bytes);
        part = dma_list_write(&chain->in, nic->device, skip, data + done, size - done);
        done += part;
        virtqueue_place(&nic->virtio, 2 * index, i, chain->head, (uint32_t)(skip + part));
    }
    /* The driver looks at any time, and takes a frame of which a part is missing for damaged. */
    virtqueue_publish(&nic->virtio, 2 * index, pair->count);
    pair->count = 0;
    pair->size = 0;
}

bool
virtio_net_receive(void *user, const void *data, size_t size, const PdmFrameOffload *offload)
{
    static const PdmFrameOffload none;
    VirtioNet *nic = user;
    const unsigned header = header_size(nic);
    unsigned index;
    VirtioNetPair *pair;

    if (!virtio_ready(&nic->virtio) || size < FRAME_ETHERNET || !is_wanted(nic, data))
        return true;
    index = choose_pair(nic, data, size);
    pair = &nic->pairs[index];
    if (!nic->virtio.queues[2 * index].enabled)
        return true;
    if (!collect(nic, index, size + header))
        return !virtio_ready(&nic->virtio);
    /* Buffers that are too small for it stay for another one. */
    if (pair->size < size + header || pair->chains[0].in.size < header)
        return true;
    /* A driver that has not asked for it is told nothing of sums. */
    if (offload == NULL || !virtio_has(&nic->virtio, F_GUEST_CSUM))
        offload = &none;
    fill(nic, index, data, size, offload);
    return true;
}

/* --- offloads --- */

void
virtio_net_update_offloads(VirtioNet *nic)
{
    const VirtioDevice *virtio = &nic->virtio;

    nic->port.offloads = 0;
    if (!virtio_ready(virtio) || !virtio_has(virtio, F_GUEST_CSUM))
        return;
    nic->port.offloads = PDM_OFFLOAD_CHECKSUM |
                         (virtio_has(virtio, F_GUEST_TSO4) ? PDM_OFFLOAD_TCP4 : 0u) |
                         (virtio_has(virtio, F_GUEST_TSO6) ? PDM_OFFLOAD_TCP6 : 0u);
}
