/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What tests of network cards share: see the header. */
#include "tests/device/net-guest.h"

#include <string.h>

const uint8_t net_guest_own[6] = {0x08, 0x00, 0x27, 0x56, 0x49, 0x10};

CfgmNode *
net_guest_tree(const char *card, const char *option, const char *value)
{
    CfgmNode *config = cfgm_new();
    CfgmNode *node = device_bench_add(config, card, 0);
    g_autofree char *place = g_strdup_printf("Devices/%s/0", card);

    cfgm_set_uint(cfgm_make(config, place), "PCIDeviceNo", NET_GUEST_SLOT);
    cfgm_set_string(node, "BootRom", "");
    if (option != NULL)
        cfgm_set_string(node, option, value);
    device_bench_add_driver(config, card, 0, 0, "bench-network");
    return config;
}

DeviceBench *
net_guest_bench(const char *card, const char *option, const char *value)
{
    return device_bench_new(net_guest_tree(card, option, value));
}

BenchNetwork *
net_guest_wire(DeviceBench *bench, const char *card)
{
    return bench_network(bench->pdm, card, 0, 0);
}

void
net_guest_frame(uint8_t *frame, size_t size, const uint8_t *to)
{
    pci_guest_pattern(frame, size, 3);
    memcpy(frame, to, 6);
    memcpy(frame + 6, net_guest_own, 6);
    frame[12] = 0x88;
    frame[13] = 0xb5;
}

bool
net_guest_receive(DeviceBench *bench, const char *card, const uint8_t *frame, size_t size,
                  const PdmFrameOffload *offload)
{
    const PdmNetworkPort *port = net_guest_wire(bench, card)->port;

    return port->receive(port->user, frame, size, offload);
}

void
net_guest_move(DeviceBench *from, DeviceBench *to)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) state = device_bench_save(from, &error), again = NULL;

    g_assert_no_error(error);
    g_assert_true(device_bench_load(to, state, &error));
    g_assert_no_error(error);
    again = device_bench_save(to, &error);
    g_assert_true(g_bytes_equal(state, again));
}
