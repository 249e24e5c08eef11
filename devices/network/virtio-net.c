/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A virtio network card: VIRTIO 1.1 section 5.1, with a pair of queues for each virtual CPU up to
 * four, mergeable buffers, checksums and segmentation in both directions, the control queue; for
 * modern and legacy drivers. Left out: VLAN filters, announcements, RSS. */
#include "devices/network/net-config.h"
#include "devices/network/virtio-net-private.h"

#include <string.h>

#define ROM_PATH "/usr/lib/ipxe/qemu/pxe-virtio.rom"

enum {
    FEATURES = F_CSUM | F_GUEST_CSUM | F_MAC | F_GUEST_TSO4 | F_GUEST_TSO6 | F_HOST_TSO4 |
               F_HOST_TSO6 | F_MERGE | F_STATUS | F_CONTROL | F_CONTROL_RX | F_MULTI_QUEUE |
               F_CONTROL_MAC,
    CONFIG_SIZE = 10,
    LINK_UP = 1,
};

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

    virtio_net_update_offloads(nic);
    if (queue == virtio_net_control_queue(nic) && virtio_has(&nic->virtio, F_CONTROL)) {
        virtio_net_control(nic);
    } else if (queue / 2 >= nic->pair_count) {
        return;
    } else if (queue % 2 == 1) {
        virtio_net_send(nic, queue / 2);
    } else if (nic->net != NULL) {
        nic->net->receive_ready(nic->net->user);
    }
}

/* Before there was a command for it, drivers wrote the address here. */
static void
write_config(void *user, uint32_t offset, uint32_t value, unsigned size)
{
    VirtioNet *nic = user;

    if (virtio_has(&nic->virtio, VIRTIO_F_VERSION_1))
        return;
    for (unsigned i = 0; i < size && offset + i < sizeof(nic->mac); i++)
        nic->mac[offset + i] = (uint8_t)(value >> (8 * i));
}

/* The chains of a queue are no longer the device's. */
static void
forget(void *user, unsigned queue)
{
    VirtioNet *nic = user;
    VirtioNetPair *pair = &nic->pairs[queue / 2];

    if (queue / 2 >= nic->pair_count)
        return;
    if (queue % 2 == 1) {
        pair->holds = false;
    } else {
        pair->count = 0;
        pair->size = 0;
    }
}

static void
forget_all(VirtioNet *nic)
{
    for (unsigned i = 0; i < 2 * nic->pair_count; i++)
        forget(nic, i);
}

static void
driver_reset(void *user)
{
    VirtioNet *nic = user;

    forget_all(nic);
    memcpy(nic->mac, nic->port.mac, 6);
    nic->promiscuous = nic->all_unicast = 0;
    nic->active_pairs = 1;
    virtio_net_update_offloads(nic);
    virtio_net_update_filter(nic);
    if (nic->net != NULL)
        nic->net->receive_ready(nic->net->user);
}

static const VirtioOps virtio_ops = {
    .read_config = read_config,
    .write_config = write_config,
    .notify = notified,
    .reset = driver_reset,
    .stop = forget,
};

/* --- saved state --- */

/* Chains that were under way: buffers wait on, frames are sent. */
static void
restart(void *user, void *item)
{
    VirtioNet *nic = user;
    VirtioDevice *virtio = &nic->virtio;

    virtio_net_update_offloads(nic);
    virtio_net_update_filter(nic);
    for (unsigned i = 0; i < 2 * nic->pair_count && virtio_ready(virtio); i++) {
        VirtioNetPair *pair = &nic->pairs[i / 2];

        for (int head = virtqueue_in_flight(virtio, i, 0); head >= 0 && virtio_ready(virtio);
             head = virtqueue_in_flight(virtio, i, (unsigned)head + 1)) {
            VirtioChain *chain =
                i % 2 == 1 ? &pair->held : &pair->chains[MIN(pair->count, VIRTIO_NET_CHAINS - 1)];

            if (!virtqueue_fetch(virtio, i, (uint16_t)head, chain))
                break;
            if (i % 2 == 1) {
                pair->holds = true;
                break;
            }
            pair->size += chain->in.size;
            pair->count += pair->count < VIRTIO_NET_CHAINS;
        }
    }
    virtio_net_can_send(nic);
}

/* clang-format off */
static const SsmField net_fields[] = {
    SSM_STRUCT(VirtioNet, virtio, virtio_fields),
    SSM_BYTES(VirtioNet, mac),
    SSM_UINT_BELOW(VirtioNet, promiscuous, 2),
    SSM_UINT_BELOW(VirtioNet, all_unicast, 2),
    SSM_UINT_BELOW(VirtioNet, active_pairs, VIRTIO_NET_PAIRS + 1),
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
    forget_all(nic);
    pdm_queue_push(nic->device->api, nic->restart, NULL);
    return true;
}

static const SsmState net_state = {
    .version = VIRTIO_STATE_LEGACY,
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
        .interface = virtio_interface(config, VIRTIO_TRANSITIONAL),
    };

    nic->device = device;
    nic->frame = g_malloc(VIRTIO_NET_HEADER + PDM_NETWORK_FRAME_MAX);
    nic->pair_count = CLAMP(pdm_cpu_count(device), 1, VIRTIO_NET_PAIRS);
    nic->restart = pdm_queue_new(device, restart, nic);
    info.queues = 2 * nic->pair_count + 1;
    nic->port = (PdmNetworkPort){
        .user = nic,
        .receive = virtio_net_receive,
        .link_changed = link_changed,
        .can_send = virtio_net_can_send,
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

    for (unsigned i = 0; i < VIRTIO_NET_PAIRS; i++) {
        for (unsigned j = 0; j < VIRTIO_NET_CHAINS; j++)
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
    VIRTIO_OPTION("transitional"),
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
