/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The PCnet cards against hostile rings and random accesses, and their saved state. */
#include "tests/device/pcnet-guest.h"

#include <string.h>

static void
test_hostile(void)
{
    const uint32_t window = PCI_GUEST_BAR(1);
    g_autoptr(DeviceBench) bench = pcnet_guest_start("Am79C973");
    uint8_t frame[1514];
    unsigned missed;

    net_guest_frame(frame, sizeof(frame), net_guest_own);
    /* A chain that is not finished stops the transmitter, or does not. */
    pcnet_guest_rings(bench, 2, 0);
    pcnet_guest_describe(bench, 2, TX_RING, 0, DATA, 64, OWN | STP);
    pcnet_guest_set_csr(bench, 0, TDMD | IENA);
    g_assert_cmphex(pcnet_guest_errors_of(bench, 2, 0), ==, 3 << 14);
    g_assert_cmphex(pcnet_guest_csr(bench, 0) & TXON, ==, 0);
    pcnet_guest_rings(bench, 2, 0);
    pcnet_guest_set_csr(bench, 3, 1 << 6);
    pcnet_guest_describe(bench, 2, TX_RING, 0, DATA, 64, OWN | STP);
    pcnet_guest_set_csr(bench, 0, TDMD | IENA);
    g_assert_cmphex(pcnet_guest_csr(bench, 0) & TXON, ==, TXON);
    /* A ring full of pieces without an end, of pieces without a beginning. */
    for (unsigned i = 0; i < ENTRIES; i++)
        pcnet_guest_describe(bench, 2, TX_RING, i, DATA, 0, OWN | (i % 2 != 0 ? STP : 0));
    pcnet_guest_set_csr(bench, 0, TDMD | IENA);
    g_assert_cmpuint(net_guest_wire(bench, "pcnet")->frames->len, ==, 0);
    /* What is sent comes back onto the ring, as descriptors to be sent. */
    pcnet_guest_rings(bench, 2, 0x8044);
    for (unsigned i = 0; i < ENTRIES; i++)
        pcnet_guest_describe(bench, 2, TX_RING, i, TX_RING, ENTRIES * 16, OWN | STP | ENP);
    for (unsigned i = 0; i < ENTRIES; i++)
        pcnet_guest_describe(bench, 2, RX_RING, i, i % 2 != 0 ? TX_RING : RX_RING, 0x600, OWN);
    pcnet_guest_set_csr(bench, 0, TDMD | IENA);
    /* Rings and block in the card's net_guest_own window, beyond all memory. */
    for (unsigned i = 0; i < 4; i++) {
        pcnet_guest_rings(bench, i, 0);
        pcnet_guest_set_csr(bench, 5, 1);
        pcnet_guest_set_csr(bench, 24, (uint16_t)window);
        pcnet_guest_set_csr(bench, 25, i % 2 != 0 ? 0xffff : window >> 16);
        pcnet_guest_set_csr(bench, 30, (uint16_t)window);
        pcnet_guest_set_csr(bench, 31, window >> 16);
        pcnet_guest_set_csr(bench, 76, 0);
        pcnet_guest_set_csr(bench, 78, 0);
        pcnet_guest_set_csr(bench, 72, 0x7777);
        pcnet_guest_set_csr(bench, 74, 0xffff);
        pcnet_guest_set_csr(bench, 5, 0);
        pcnet_guest_set_csr(bench, 0, TDMD | IENA);
        pcnet_guest_receive(bench, frame, sizeof(frame));
        pcnet_guest_set_csr(bench, 0, STOP);
        pcnet_guest_set_csr(bench, 2, 0xffff);
        pcnet_guest_set_csr(bench, 0, INIT | STRT);
        pcnet_guest_receive(bench, frame, sizeof(frame));
    }
    /* Buffers of a byte: a ring that never holds the frame. */
    pcnet_guest_rings(bench, 2, 0);
    for (unsigned i = 0; i < ENTRIES; i++)
        pcnet_guest_describe(bench, 2, RX_RING, i, BUFFERS, 1, OWN);
    missed = pcnet_guest_csr(bench, 112);
    g_assert_true(pcnet_guest_receive(bench, frame, sizeof(frame)));
    g_assert_cmphex(pcnet_guest_csr(bench, 0) & MISS, ==, MISS);
    g_assert_cmpuint(pcnet_guest_csr(bench, 112), ==, missed + 1);
    /* And it works again. */
    pcnet_guest_rings(bench, 2, 0);
    pci_guest_put(bench, DATA, frame, sizeof(frame));
    pcnet_guest_describe(bench, 2, TX_RING, 0, DATA, 1514, OWN | STP | ENP);
    pcnet_guest_set_csr(bench, 0, TDMD | IENA);
    g_assert_cmpmem(bench_network_sent(net_guest_wire(bench, "pcnet"), 0)->frame->data, 1514, frame,
                    1514);
}

static void
test_random(void)
{
    static const char *const names[] = {"Am79C970A", "Am79C973"};
    uint8_t frame[1514];

    net_guest_frame(frame, sizeof(frame), net_guest_own);
    for (unsigned model = 0; model < 2; model++) {
        g_autoptr(DeviceBench) bench = pcnet_guest_start(names[model]);
        g_autoptr(GRand) random = g_rand_new_with_seed(7 + model);

        for (unsigned i = 0; i < 20000; i++) {
            const unsigned number = g_rand_int(random) % 128;
            const uint16_t value = (uint16_t)(g_rand_int(random) >> g_rand_int(random) % 32);

            if (g_rand_int(random) % 64 == 0)
                pcnet_guest_rings(bench, g_rand_int(random) % 4, value);
            if (g_rand_int(random) % 4 == 0)
                pci_guest_put32(
                    bench, (g_rand_boolean(random) ? TX_RING : RX_RING) + g_rand_int(random) % 128,
                    g_rand_int(random));
            if (g_rand_int(random) % 4 == 0)
                pcnet_guest_set_bcr(bench, number, number == 18 ? 0 : value);
            else
                pcnet_guest_set_csr(bench, g_rand_boolean(random) ? 0 : number, value);
            pcnet_guest_csr(bench, number);
            pcnet_guest_bcr(bench, number);
            pcnet_guest_receive(bench, frame, 60 + g_rand_int(random) % 1454);
            if (g_rand_int(random) % 16 == 0)
                device_bench_advance(bench, 100000);
            if (net_guest_wire(bench, "pcnet")->frames->len > 100)
                g_ptr_array_set_size(net_guest_wire(bench, "pcnet")->frames, 0);
        }
    }
}

static void
test_state(void)
{
    g_autoptr(DeviceBench) bench = pcnet_guest_start("Am79C973"),
                           other = pcnet_guest_start("Am79C973");
    uint8_t frame[200];
    const BenchFrame *sent;

    pcnet_guest_rings(bench, 2, 0);
    net_guest_frame(frame, sizeof(frame), net_guest_own);
    pci_guest_put(bench, DATA, frame, sizeof(frame));
    g_assert_true(pcnet_guest_receive(bench, frame, sizeof(frame)));
    pcnet_guest_describe(bench, 2, TX_RING, 0, DATA, 200, OWN | STP | ENP);
    net_guest_move(bench, other);
    g_assert_cmphex(pcnet_guest_csr(other, 0) & (RINT | RXON), ==, RINT | RXON);
    pcnet_guest_set_csr(other, 0, TDMD | IENA);
    sent = bench_network_sent(net_guest_wire(other, "pcnet"), 0);
    g_assert_cmpmem(sent->frame->data, sent->frame->len, frame, sizeof(frame));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/pcnet/hostile", test_hostile);
    g_test_add_func("/pcnet/random", test_random);
    g_test_add_func("/pcnet/state", test_state);
    return g_test_run();
}
