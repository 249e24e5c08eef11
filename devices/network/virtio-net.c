/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A virtio network card: VIRTIO 1.1 section 5.1, with a pair of queues for each virtual CPU up to
 * four, mergeable buffers, checksums and segmentation in both directions, the control queue. Left
 * out: the legacy interface, VLAN filters, announcements, RSS. */
#include "devices/drivers/network/frame/frame.h"
#include "devices/network/net-config.h"
#include "devices/virtio/virtio.h"

#include <string.h>

#define ROM_PATH "/usr/lib/ipxe/qemu/pxe-virtio.rom"

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
    FEATURES = F_CSUM | F_GUEST_CSUM | F_MAC | F_GUEST_TSO4 | F_GUEST_TSO6 | F_HOST_TSO4 |
               F_HOST_TSO6 | F_MERGE | F_STATUS | F_CONTROL | F_CONTROL_RX | F_MULTI_QUEUE |
               F_CONTROL_MAC,
};

enum {
    HEADER_SIZE = 12,
    NEEDS_CHECKSUM = 1,
    DATA_VALID = 2,
    GSO_NONE = 0,
    GSO_TCP4 = 1,
    GSO_TCP6 = 4,
    GSO_ECN = 0x80,
    PAIRS_MAX = 4,
    CHAINS_MAX = 64, /* of one frame that is received */
    CONFIG_SIZE = 10,
    LINK_UP = 1,
};

enum { CLASS_RX = 0, CLASS_MAC = 1, CLASS_PAIRS = 4 };
enum { MAC_TABLE = 0, MAC_ADDRESS = 1 };
enum { ACK_OK, ACK_ERROR };

/* Chains that a frame is to be put into, and one that the network had no room for. */
typedef struct {
    VirtioChain chains[CHAINS_MAX];
    unsigned count;
    uint64_t size; /* of all */
    VirtioChain held;
    bool holds;
} Pair;

typedef struct {
    VirtioDevice virtio;
    PdmDevice *device;
    PdmNetworkPort port;
    const PdmNetworkConnector *net; /* NULL: none */
    PdmQueue *restart;
    unsigned pair_count;
    Pair pairs[PAIRS_MAX];
    uint8_t mac[6]; /* as the driver set it */
    uint8_t promiscuous, all_unicast, active_pairs;
    uint8_t *frame; /* HEADER_SIZE + PDM_NETWORK_FRAME_MAX bytes */
} VirtioNet;

static unsigned
control_queue(const VirtioNet *nic)
{
    return virtio_has(&nic->virtio, F_MULTI_QUEUE) ? 2 * nic->pair_count : 2;
}

/* --- headers --- */

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
    const uint64_t size = MIN(chain->out.size, (uint64_t)HEADER_SIZE + PDM_NETWORK_FRAME_MAX + 1);
    PdmFrameOffload offload;
    PdmFramePiece piece;

    if (size <= HEADER_SIZE || size > HEADER_SIZE + PDM_NETWORK_FRAME_MAX || nic->net == NULL)
        return true;
    dma_list_read(&chain->out, nic->device, 0, nic->frame, size);
    get_header(nic->frame, &offload);
    piece = (PdmFramePiece){nic->frame + HEADER_SIZE, size - HEADER_SIZE};
    return nic->net->send(nic->net->user, &piece, 1, &offload);
}

static void
send_queue(VirtioNet *nic, unsigned index)
{
    Pair *pair = &nic->pairs[index];
    const unsigned queue = 2 * index + 1;

    while (pair->holds || virtqueue_pop(&nic->virtio, queue, &pair->held)) {
        pair->holds = !send_chain(nic, &pair->held);
        if (pair->holds)
            return;
        virtqueue_push(&nic->virtio, queue, pair->held.head, 0);
    }
}

static void
can_send(void *user)
{
    VirtioNet *nic = user;

    for (unsigned i = 0; i < nic->pair_count && virtio_ready(&nic->virtio); i++) {
        if (nic->virtio.queues[2 * i + 1].enabled)
            send_queue(nic, i);
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
    Pair *pair = &nic->pairs[index];

    while (pair->size < needed && pair->count < CHAINS_MAX) {
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
    Pair *pair = &nic->pairs[index];
    uint8_t header[HEADER_SIZE];
    uint64_t done = 0;

    put_header(header, offload, pair->count);
    for (unsigned i = 0; i < pair->count; i++) {
        VirtioChain *chain = &pair->chains[i];
        const uint64_t skip = i == 0 ? HEADER_SIZE : 0;
        uint64_t part;

        if (i == 0)
            dma_list_write(&chain->in, nic->device, 0, header, HEADER_SIZE);
        part = dma_list_write(&chain->in, nic->device, skip, data + done, size - done);
        done += part;
        virtqueue_place(&nic->virtio, 2 * index, i, chain->head, (uint32_t)(skip + part));
    }
    /* The driver looks at any time, and takes a frame of which a part is missing for damaged. */
    virtqueue_publish(&nic->virtio, 2 * index, pair->count);
    pair->count = 0;
    pair->size = 0;
}

static bool
receive(void *user, const void *data, size_t size, const PdmFrameOffload *offload)
{
    static const PdmFrameOffload none;
    VirtioNet *nic = user;
    unsigned index;
    Pair *pair;

    if (!virtio_ready(&nic->virtio) || size < FRAME_ETHERNET || !is_wanted(nic, data))
        return true;
    index = choose_pair(nic, data, size);
    pair = &nic->pairs[index];
    if (!nic->virtio.queues[2 * index].enabled)
        return true;
    if (!collect(nic, index, size + HEADER_SIZE))
        return !virtio_ready(&nic->virtio);
    /* Buffers that are too small for it stay for another one. */
    if (pair->size < size + HEADER_SIZE || pair->chains[0].in.size < HEADER_SIZE)
        return true;
    fill(nic, index, data, size, offload != NULL ? offload : &none);
    return true;
}

/* What the driver has taken of the features. */
static void
update_offloads(VirtioNet *nic)
{
    const VirtioDevice *virtio = &nic->virtio;
    const bool ready = virtio_ready(virtio);

    nic->port.offloads = !ready ? 0
                                : (virtio_has(virtio, F_GUEST_CSUM) ? PDM_OFFLOAD_CHECKSUM : 0u) |
                                      (virtio_has(virtio, F_GUEST_TSO4) ? PDM_OFFLOAD_TCP4 : 0u) |
                                      (virtio_has(virtio, F_GUEST_TSO6) ? PDM_OFFLOAD_TCP6 : 0u);
}

/* --- the control queue --- */

static uint8_t
set_receive_mode(VirtioNet *nic, uint8_t command, const uint8_t *data, uint64_t size)
{
    if (size < 1 || command > 1)
        return ACK_ERROR;
    if (command == 0) {
        nic->promiscuous = data[0] != 0;
        if (nic->net != NULL)
            nic->net->promiscuous(nic->net->user, nic->promiscuous);
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
    case CLASS_PAIRS:
        if (data[1] != 0 || size != 4 || load16(data + 2) < 1 || load16(data + 2) > nic->pair_count)
            return ACK_ERROR;
        nic->active_pairs = data[2];
        return ACK_OK;
    default: return ACK_ERROR;
    }
}

static void
run_control(VirtioNet *nic)
{
    const unsigned queue = control_queue(nic);
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

/* --- the virtio device --- */

static uint32_t
read_config(void *user, uint32_t offset, unsigned size)
{
    const VirtioNet *nic = user;
    const bool up = nic->net != NULL && nic->net->link_up(nic->net->user);
    uint8_t config[CONFIG_SIZE] = {0};
    uint32_t value = 0;

    memcpy(config, nic->mac, 6);
    config[6] = up ? LINK_UP : 0;
    config[8] = (uint8_t)nic->pair_count;
    for (unsigned i = 0; i < size && offset + i < CONFIG_SIZE; i++)
        value |= (uint32_t)config[offset + i] << (8 * i);
    return value;
}

static void
notified(void *user, unsigned queue)
{
    VirtioNet *nic = user;

    update_offloads(nic);
    if (queue == control_queue(nic) && virtio_has(&nic->virtio, F_CONTROL)) {
        run_control(nic);
    } else if (queue / 2 >= nic->pair_count) {
        return;
    } else if (queue % 2 == 1) {
        send_queue(nic, queue / 2);
    } else if (nic->net != NULL) {
        nic->net->receive_ready(nic->net->user);
    }
}

/* The chains are no longer the device's. */
static void
driver_reset(void *user)
{
    VirtioNet *nic = user;

    for (unsigned i = 0; i < PAIRS_MAX; i++) {
        nic->pairs[i].count = 0;
        nic->pairs[i].size = 0;
        nic->pairs[i].holds = false;
    }
    memcpy(nic->mac, nic->port.mac, 6);
    nic->promiscuous = nic->all_unicast = 0;
    nic->active_pairs = 1;
    update_offloads(nic);
    if (nic->net != NULL)
        nic->net->receive_ready(nic->net->user);
}

static const VirtioOps virtio_ops = {
    .read_config = read_config,
    .notify = notified,
    .reset = driver_reset,
};

/* --- saved state --- */

/* Chains that were under way: buffers wait on, frames are sent. */
static void
restart(void *user, void *item)
{
    VirtioNet *nic = user;
    VirtioDevice *virtio = &nic->virtio;

    update_offloads(nic);
    for (unsigned i = 0; i < 2 * nic->pair_count && virtio_ready(virtio); i++) {
        Pair *pair = &nic->pairs[i / 2];

        for (int head = virtqueue_in_flight(virtio, i, 0); head >= 0 && virtio_ready(virtio);
             head = virtqueue_in_flight(virtio, i, (unsigned)head + 1)) {
            VirtioChain *chain =
                i % 2 == 1 ? &pair->held : &pair->chains[MIN(pair->count, CHAINS_MAX - 1)];

            if (!virtqueue_fetch(virtio, i, (uint16_t)head, chain))
                break;
            if (i % 2 == 1) {
                pair->holds = true;
                break;
            }
            pair->size += chain->in.size;
            pair->count += pair->count < CHAINS_MAX;
        }
    }
    can_send(nic);
}

/* clang-format off */
static const SsmField net_fields[] = {
    SSM_STRUCT(VirtioNet, virtio, virtio_fields),
    SSM_BYTES(VirtioNet, mac),
    SSM_UINT_BELOW(VirtioNet, promiscuous, 2),
    SSM_UINT_BELOW(VirtioNet, all_unicast, 2),
    SSM_UINT_BELOW(VirtioNet, active_pairs, PAIRS_MAX + 1),
    SSM_END,
};
/* clang-format on */

static bool
post_load(void *object, uint32_t version, GError **error)
{
    VirtioNet *nic = object;

    if (!virtio_holds(&nic->virtio) || nic->active_pairs > nic->pair_count) {
        g_set_error_literal(error, BASE_ERROR, BASE_ERROR_CORRUPT,
                            "The saved state of the virtio network card contradicts itself.");
        return false;
    }
    for (unsigned i = 0; i < PAIRS_MAX; i++) {
        nic->pairs[i].count = 0;
        nic->pairs[i].size = 0;
        nic->pairs[i].holds = false;
    }
    pdm_queue_push(nic->device->api, nic->restart, NULL);
    return true;
}

static const SsmState net_state = {
    .version = 1,
    .min_version = 1,
    .fields = net_fields,
    .post_load = post_load,
};

/* --- life cycle --- */

static void
link_changed(void *user, bool up)
{
    virtio_config_changed(&((VirtioNet *)user)->virtio);
}

static void
net_reset(PdmDevice *device)
{
    VirtioNet *nic = device->data;

    virtio_reset(&nic->virtio);
    pci_msix_reset(&nic->virtio.msix);
    driver_reset(nic);
}

static bool
net_construct(PdmDevice *device, const CfgmNode *config, GError **error)
{
    VirtioNet *nic = device->data;
    VirtioInfo info = {
        .name = "virtio-net",
        .type = 1,
        .class_code = 0x02,
        .slot = -1,
        .features = FEATURES,
        .config_size = CONFIG_SIZE,
    };

    nic->device = device;
    nic->frame = g_malloc(HEADER_SIZE + PDM_NETWORK_FRAME_MAX);
    nic->pair_count = CLAMP(pdm_cpu_count(device), 1, PAIRS_MAX);
    nic->restart = pdm_queue_new(device, restart, nic);
    info.queues = 2 * nic->pair_count + 1;
    nic->port = (PdmNetworkPort){
        .user = nic,
        .receive = receive,
        .link_changed = link_changed,
        .can_send = can_send,
    };
    if (!net_config_mac(device, config, nic->port.mac, error) ||
        !virtio_init(&nic->virtio, device, &info, &virtio_ops, nic, error) ||
        !net_config_rom(device, nic->virtio.pci, config, ROM_PATH, error) ||
        !pdm_attach(device, 0, PDM_IF_NETWORK, &nic->port, (const void **)&nic->net, false, error))
        return false;
    driver_reset(nic);
    return true;
}

static void
net_destruct(PdmDevice *device)
{
    VirtioNet *nic = device->data;

    for (unsigned i = 0; i < PAIRS_MAX; i++) {
        for (unsigned j = 0; j < CHAINS_MAX; j++)
            virtio_chain_clear(&nic->pairs[i].chains[j]);
        virtio_chain_clear(&nic->pairs[i].held);
    }
    g_free(nic->frame);
}

static void
net_info(PdmDevice *device, GString *out)
{
    const VirtioNet *nic = device->data;

    g_string_append_printf(out, "status %02x, features %" G_GINT64_MODIFIER "x, %u of %u pairs\n",
                           nic->virtio.status, nic->virtio.features, nic->active_pairs,
                           nic->pair_count);
}

static const PdmOption options[] = {
    NET_CONFIG_OPTIONS,
    {.type = PDM_OPTION_END},
};

const PdmDeviceInfo virtio_net_device = {
    .abi = PDM_ABI_VERSION,
    .name = "virtio-net",
    .title = "Network card (virtio)",
    .kind = PDM_KIND_NETWORK,
    .instance_size = sizeof(VirtioNet),
    .max_instances = NET_CARDS_MAX,
    .options = options,
    .construct = net_construct,
    .reset = net_reset,
    .destruct = net_destruct,
    .state = &net_state,
    .info = net_info,
};
