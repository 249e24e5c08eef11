/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A fake network for cards: see the header. */
#include "tests/lib/bench-network.h"

static bool
fake_send(void *user, const PdmFramePiece *pieces, unsigned count, const PdmFrameOffload *offload)
{
    BenchNetwork *network = user;
    BenchFrame *sent;

    if (network->full)
        return false;
    sent = g_new0(BenchFrame, 1);
    sent->frame = g_byte_array_new();
    sent->offload = *offload;
    for (unsigned i = 0; i < count; i++)
        g_byte_array_append(sent->frame, pieces[i].data, (guint)pieces[i].size);
    g_assert_cmpuint(sent->frame->len, <=, PDM_NETWORK_FRAME_MAX);
    g_ptr_array_add(network->frames, sent);
    return true;
}

static void
fake_receive_ready(void *user)
{
    ((BenchNetwork *)user)->ready_calls++;
}

static void
fake_promiscuous(void *user, bool on)
{
    ((BenchNetwork *)user)->promiscuous = on;
}

static bool
fake_link_up(void *user)
{
    return ((BenchNetwork *)user)->link;
}

static void
free_frame(void *data)
{
    BenchFrame *sent = data;

    g_byte_array_unref(sent->frame);
    g_free(sent);
}

static bool
fake_construct(PdmDriver *driver, const CfgmNode *config, GError **error)
{
    BenchNetwork *network = driver->data;

    network->frames = g_ptr_array_new_with_free_func(free_frame);
    network->link = true;
    network->port = driver->port;
    network->connector = (PdmNetworkConnector){.user = network,
                                               .send = fake_send,
                                               .receive_ready = fake_receive_ready,
                                               .promiscuous = fake_promiscuous,
                                               .link_up = fake_link_up,
                                               .offloads = PDM_OFFLOAD_CHECKSUM | PDM_OFFLOAD_TCP4 |
                                                           PDM_OFFLOAD_TCP6 | PDM_OFFLOAD_UDP,
                                               .activity = &network->activity};
    driver->connector = &network->connector;
    return true;
}

static void
fake_destruct(PdmDriver *driver)
{
    g_ptr_array_unref(((BenchNetwork *)driver->data)->frames);
}

BenchNetwork *
bench_network(Pdm *pdm, const char *device, unsigned instance, unsigned lun)
{
    const PdmNetworkConnector *connector =
        pdm_lun_connector(pdm, device, instance, lun, PDM_IF_NETWORK);

    g_assert_nonnull(connector);
    return connector->user;
}

const BenchFrame *
bench_network_sent(const BenchNetwork *network, unsigned index)
{
    g_assert_cmpuint(index, <, network->frames->len);
    return g_ptr_array_index(network->frames, index);
}

void
bench_network_link(BenchNetwork *network, bool up)
{
    network->link = up;
    network->port->link_changed(network->port->user, up);
}

const PdmDriverInfo bench_network_driver = {
    .abi = PDM_ABI_VERSION,
    .name = "bench-network",
    .title = "Network of the bench",
    .interface = PDM_IF_NETWORK,
    .instance_size = sizeof(BenchNetwork),
    .construct = fake_construct,
    .destruct = fake_destruct,
};
