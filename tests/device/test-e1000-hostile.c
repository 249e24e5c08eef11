/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The PRO/1000 cards against hostile rings and frames, and their saved state. */
#include "tests/device/e1000-guest.h"

static void
test_hostile_frames(void)
{
    g_autoptr(DeviceBench) bench = e1000_guest_start("82540EM");

    e1000_guest_rings(bench);
    /* Longer than any, in many pieces that never end; then an end. */
    for (unsigned i = 0; i < ENTRIES; i++)
        e1000_guest_describe(bench, i, DATA, 0xfffff | DATA_TYPE | DEXT, 0);
    e1000_guest_set(bench, TDT, ENTRIES - 1);
    e1000_guest_describe(bench, ENTRIES - 1, DATA, DATA_TYPE | DEXT | EOP | RS, 0);
    e1000_guest_set(bench, TDT, 0);
    g_assert_cmpuint(net_guest_wire(bench, "e1000")->frames->len, ==, 0);
    g_assert_true(device_bench_logged(bench, "longer than any"));
    /* A context whose places are outside of the frame, headers longer than it, segments of nothing.
     */
    for (unsigned i = 0; i < 4; i++) {
        static const uint32_t sizes[] = {0, 1, 0xffff, 1460};

        e1000_guest_describe(bench, 0, ~0ull, DEXT | TSE | EOP | EOP << 1, sizes[i] << 16 | 0xff00);
        e1000_guest_describe(bench, 1, DATA, 64 | DATA_TYPE | DEXT | TSE | EOP | RS, 0x300);
        e1000_guest_describe(bench, 2, ~0ull, DEXT, 0);
        e1000_guest_describe(bench, 3, DATA, 64 | DATA_TYPE | DEXT | EOP | RS, 0x300);
        e1000_guest_set(bench, TDH, 0);
        e1000_guest_set(bench, TDT, 4);
    }
    g_assert_true(device_bench_logged(bench, "not what its context says"));
    g_assert_cmpuint(net_guest_wire(bench, "e1000")->frames->len, ==, 4);
    /* Nothing at all. */
    e1000_guest_describe(bench, 4, DATA, EOP | RS, 0);
    e1000_guest_set(bench, TDT, 5);
    g_assert_cmpuint(net_guest_wire(bench, "e1000")->frames->len, ==, 4);
}

static void
test_hostile_rings(void)
{
    const uint32_t window = PCI_GUEST_BAR(0);
    g_autoptr(DeviceBench) bench = e1000_guest_start("82540EM");
    uint8_t frame[1514];

    net_guest_frame(frame, sizeof(frame), net_guest_own);
    e1000_guest_rings(bench);
    /* A tail that is never met: one round. */
    for (unsigned i = 0; i < ENTRIES; i++)
        e1000_guest_describe(bench, i, DATA, 64 | EOP | RS, 0);
    e1000_guest_set(bench, TDT, 0xffff);
    g_assert_cmpuint(net_guest_wire(bench, "e1000")->frames->len, <=, ENTRIES);
    e1000_guest_set(bench, TDH, 0xfff0);
    e1000_guest_set(bench, TDT, 3);
    /* No ring, one over itself, one in the card's net_guest_own registers, whose frames are sent
     * from there.
     */
    e1000_guest_set(bench, TDLEN, 0);
    e1000_guest_set(bench, TDT, 5);
    for (uint32_t at = 0; at < 0x6000; at += 0x400) {
        e1000_guest_set(bench, TDLEN, 0x1000);
        e1000_guest_set(bench, TDBAL, window + at);
        e1000_guest_set(bench, TDH, 0);
        e1000_guest_set(bench, TDT, 200);
        e1000_guest_describe(bench, 0, window + at, 0x4000 | EOP | RS, 0);
        e1000_guest_set(bench, TDBAL, TX_RING);
        e1000_guest_set(bench, TDH, 0);
        e1000_guest_set(bench, TDT, 1);
    }
    /* Frames that are received onto the ring, the registers, and beyond all memory. */
    e1000_guest_set(bench, RCTL, 1 << 1 | 1 << 15);
    for (unsigned i = 0; i < ENTRIES; i++) {
        const uint64_t places[] = {RX_RING, window, window + 0x2800, window + 0x100, ~0ull - 100};

        e1000_guest_rings(bench);
        for (unsigned j = 0; j < ENTRIES; j++)
            pci_guest_put64(bench, RX_RING + 16 * j, places[(i + j) % G_N_ELEMENTS(places)]);
        for (unsigned j = 0; j < 2 * ENTRIES; j++)
            e1000_guest_receive(bench, frame, sizeof(frame));
        e1000_guest_set(bench, RDBAL, window + 0x2800);
        e1000_guest_set(bench, RDT, ENTRIES - 1);
        e1000_guest_receive(bench, frame, sizeof(frame));
    }
    e1000_guest_set(bench, RDH, 0xffff);
    e1000_guest_receive(bench, frame, sizeof(frame));
    /* And it works again. */
    e1000_guest_set(bench, CTRL, 1 << 26);
    e1000_guest_rings(bench);
    g_ptr_array_set_size(net_guest_wire(bench, "e1000")->frames, 0);
    pci_guest_put(bench, DATA, frame, sizeof(frame));
    e1000_guest_describe(bench, 0, DATA, 1514 | EOP | RS, 0);
    e1000_guest_set(bench, TDT, 1);
    g_assert_cmpmem(bench_network_sent(net_guest_wire(bench, "e1000"), 0)->frame->data, 1514, frame,
                    1514);
}

static void
test_random(void)
{
    g_autoptr(DeviceBench) bench = e1000_guest_start("82543GC");
    GRand *random = g_rand_new_with_seed(7);
    uint8_t frame[1514];

    net_guest_frame(frame, sizeof(frame), net_guest_own);
    for (unsigned i = 0; i < 20000; i++) {
        const uint32_t offset = g_rand_int(random) % 0x6000 & ~3u;

        if (g_rand_int(random) % 64 == 0)
            e1000_guest_rings(bench);
        if (g_rand_int(random) % 4 == 0)
            pci_guest_put32(bench,
                            (g_rand_boolean(random) ? TX_RING : RX_RING) + g_rand_int(random) % 256,
                            g_rand_int(random));
        if (g_rand_boolean(random))
            e1000_guest_set(bench, offset, g_rand_int(random) >> g_rand_int(random) % 32);
        else
            e1000_guest_get(bench, offset);
        e1000_guest_receive(bench, frame, 60 + g_rand_int(random) % 1454);
        if (g_rand_int(random) % 16 == 0)
            device_bench_advance(bench, 100000);
        if (net_guest_wire(bench, "e1000")->frames->len > 100)
            g_ptr_array_set_size(net_guest_wire(bench, "e1000")->frames, 0);
    }
    g_rand_free(random);
}

static void
test_state(void)
{
    g_autoptr(DeviceBench) bench = e1000_guest_start("82540EM"),
                           other = e1000_guest_start("82540EM");
    uint8_t frame[200];
    const BenchFrame *sent;

    e1000_guest_rings(bench);
    net_guest_frame(frame, sizeof(frame), net_guest_own);
    pci_guest_put(bench, DATA, frame, sizeof(frame));
    g_assert_true(e1000_guest_receive(bench, frame, sizeof(frame)));
    /* In the middle of a frame. */
    e1000_guest_describe(bench, 0, DATA, 50 | IFCS, 0);
    e1000_guest_describe(bench, 1, DATA + 50, 150 | EOP | IFCS | RS, 0);
    e1000_guest_set(bench, TDT, 1);
    net_guest_move(bench, other);
    g_assert_cmpuint(e1000_guest_get(other, RDH), ==, 1);
    e1000_guest_set(other, TDT, 2);
    sent = bench_network_sent(net_guest_wire(other, "e1000"), 0);
    g_assert_cmpmem(sent->frame->data, sent->frame->len, frame, sizeof(frame));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/e1000/hostile-frames", test_hostile_frames);
    g_test_add_func("/e1000/hostile-rings", test_hostile_rings);
    g_test_add_func("/e1000/random", test_random);
    g_test_add_func("/e1000/state", test_state);
    return g_test_run();
}
