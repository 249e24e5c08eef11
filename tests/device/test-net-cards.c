/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Eight network cards of all kinds in one machine: each has its own address, place and cable;
 * pulled and plugged in at run time, where its driver looks, and on none of the others; saved with
 * some cables out. */
#include "tests/device/net-guest.h"

#include <string.h>

enum { CARDS = 8 };
#define WINDOW(index) (0xe2000000u + 0x100000u * (index))

typedef bool (*LooksUp)(DeviceBench *bench, uint64_t window);

static bool
e1000_up(DeviceBench *bench, uint64_t window)
{
    return (device_bench_read(bench, window + 0x08, 4) & 2) != 0;
}

/* The light of the link, or the register of the PHY. */
static bool
pcnet_up(DeviceBench *bench, uint64_t window)
{
    device_bench_write(bench, window + 0x12, 4, 2);
    return (device_bench_read(bench, window + 0x16, 2) & 0x8000) != 0;
}

static bool
pcnet_phy_up(DeviceBench *bench, uint64_t window)
{
    device_bench_write(bench, window + 0x12, 33, 2);
    device_bench_write(bench, window + 0x16, 30 << 5 | 1, 2);
    device_bench_write(bench, window + 0x12, 34, 2);
    return (device_bench_read(bench, window + 0x16, 2) & 4) != 0;
}

static bool
virtio_up(DeviceBench *bench, uint64_t window)
{
    return (device_bench_read(bench, window + 0x2006, 2) & 1) != 0;
}

/* What it sends finds a carrier, or none. */
static bool
ne2000_up(DeviceBench *bench, uint64_t window)
{
    const uint16_t base = 0x300;

    device_bench_out8(bench, base, 0x22);
    device_bench_out8(bench, base + 5, 60);
    device_bench_out8(bench, base + 6, 0);
    device_bench_out8(bench, base, 0x26);
    return (device_bench_in8(bench, base + 4) & 0x10) == 0;
}

/* The NE2000 is the first: its usual port is of that place. */
static const struct {
    const char *device, *option, *value;
    unsigned slot, bar;
    LooksUp looks_up;
} cards[CARDS] = {
    {"ne2000", NULL, NULL, 0, 0, ne2000_up},
    {"e1000", "Model", "82540EM", 8, 0, e1000_up},
    {"pcnet", "Model", "Am79C970A", 9, 1, pcnet_up},
    {"virtio-net", "Interface", "transitional", 10, 4, virtio_up},
    {"e1000", "Model", "82543GC", 16, 0, e1000_up},
    {"pcnet", "Model", "Am79C973", 17, 1, pcnet_phy_up},
    {"virtio-net", "Interface", "modern", 18, 4, virtio_up},
    {"e1000", "Model", "82545EM", 19, 0, e1000_up},
};

static CfgmNode *
tree(void)
{
    CfgmNode *config = cfgm_new();

    for (unsigned i = 0; i < CARDS; i++) {
        CfgmNode *card = device_bench_add(config, cards[i].device, i);
        g_autofree char *place = g_strdup_printf("Devices/%s/%u", cards[i].device, i);

        if (cards[i].slot != 0)
            cfgm_set_uint(cfgm_make(config, place), "PCIDeviceNo", cards[i].slot);
        cfgm_set_string(card, "BootRom", "");
        if (cards[i].option != NULL)
            cfgm_set_string(card, cards[i].option, cards[i].value);
        device_bench_add_driver(config, cards[i].device, i, 0, "bench-network");
    }
    return config;
}

static DeviceBench *
start(void)
{
    DeviceBench *bench = device_bench_new(tree());

    for (unsigned i = 0; i < CARDS; i++) {
        if (cards[i].slot == 0)
            continue;
        device_bench_pci_write(bench, cards[i].slot, 0, 0x10 + 4 * cards[i].bar, WINDOW(i), 4);
        device_bench_pci_write(bench, cards[i].slot, 0, 0x04, 7, 2);
    }
    return bench;
}

static BenchNetwork *
wire(DeviceBench *bench, unsigned index)
{
    return bench_network(bench->pdm, cards[index].device, index, 0);
}

static void
check(DeviceBench *bench, unsigned up)
{
    for (unsigned i = 0; i < CARDS; i++)
        g_assert_cmpint(cards[i].looks_up(bench, WINDOW(i)), ==, (up >> i & 1) != 0);
}

static void
test_cables(void)
{
    g_autoptr(DeviceBench) bench = start();
    unsigned up = (1u << CARDS) - 1;

    check(bench, up);
    for (unsigned i = 0; i < 2 * CARDS; i++) {
        const unsigned card = i * 3 % CARDS;

        up ^= 1u << card;
        bench_network_link(wire(bench, card), (up >> card & 1) != 0);
        check(bench, up);
    }
    g_assert_cmphex(up, ==, (1u << CARDS) - 1);
}

static void
test_addresses(void)
{
    g_autoptr(DeviceBench) bench = start();

    for (unsigned i = 0; i < CARDS; i++) {
        const PdmNetworkPort *port = wire(bench, i)->port;

        g_assert_cmpmem(port->mac, 5, net_guest_own, 5);
        g_assert_cmphex(port->mac[5], ==, 0x10 + i);
    }
}

/* Cables that are out when the machine is saved are in where it goes on, and the cards say so. */
static void
test_state(void)
{
    g_autoptr(DeviceBench) bench = start(), other = start();

    for (unsigned i = 0; i < CARDS; i += 2)
        bench_network_link(wire(bench, i), false);
    check(bench, 0xaa);
    for (unsigned i = 0; i < CARDS; i++)
        bench_network_link(wire(other, i), (0xaa >> i & 1) != 0);
    net_guest_move(bench, other);
    check(other, 0xaa);
    for (unsigned i = 0; i < CARDS; i++)
        bench_network_link(wire(other, i), true);
    check(other, 0xff);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/net-cards/cables", test_cables);
    g_test_add_func("/net-cards/addresses", test_addresses);
    g_test_add_func("/net-cards/state", test_state);
    return g_test_run();
}
