/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The PRO/1000 cards: registers, EEPROM and PHY, both rings, what descriptors ask of a frame,
 * address filters, the cable. */
#include "tests/device/e1000-guest.h"

#include <string.h>

#define MS 1000000ull

static uint32_t
read_phy(DeviceBench *bench, unsigned number)
{
    e1000_guest_set(bench, MDIC, 2u << 26 | 1u << 21 | number << 16);
    g_assert_cmphex(e1000_guest_get(bench, MDIC) >> 28 & 5, ==, 1);
    return e1000_guest_get(bench, MDIC) & 0xffff;
}

static void
test_identity(void)
{
    static const struct {
        const char *model;
        uint32_t id;
    } rows[] = {{"82540EM", 0x100e8086}, {"82543GC", 0x10048086}, {"82545EM", 0x100f8086}};

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(DeviceBench) bench = e1000_guest_start(rows[i].model);

        g_assert_cmphex(device_bench_pci_read(bench, NET_GUEST_SLOT, 0, 0, 4), ==, rows[i].id);
        g_assert_cmphex(device_bench_pci_read(bench, NET_GUEST_SLOT, 0, 10, 2), ==, 0x0200);
        g_assert_cmphex(e1000_guest_get(bench, STATUS) & 0x83, ==, 0x83);
        g_assert_cmphex(e1000_guest_get(bench, 0x5400), ==, 0x56270008);
        g_assert_cmphex(e1000_guest_get(bench, 0x5404), ==, 0x80001049);
    }
}

static void
test_eeprom(void)
{
    g_autoptr(DeviceBench) bench = e1000_guest_start("82540EM");
    uint16_t sum = 0;
    uint32_t word = 0;

    for (unsigned i = 0; i < 64; i++) {
        e1000_guest_set(bench, EERD, i << 8 | 1);
        g_assert_cmphex(e1000_guest_get(bench, EERD) & 0x10, ==, 0x10);
        sum = (uint16_t)(sum + (e1000_guest_get(bench, EERD) >> 16));
    }
    g_assert_cmphex(sum, ==, 0xbaba);
    /* The same by its line: start, read, address 1, then a zero and the word. */
    e1000_guest_set(bench, EECD, 0x42);
    for (unsigned i = 0; i < 9 + 16; i++) {
        const uint32_t bit = i < 9 ? (0x181u >> (8 - i) & 1) << 2 : 0;

        if (i > 9)
            word = word << 1 | (e1000_guest_get(bench, EECD) >> 3 & 1);
        e1000_guest_set(bench, EECD, 0x42 | bit);
        e1000_guest_set(bench, EECD, 0x43 | bit);
        e1000_guest_set(bench, EECD, 0x42 | bit);
    }
    word = word << 1 | (e1000_guest_get(bench, EECD) >> 3 & 1);
    g_assert_cmphex(word & 0xffff, ==, 0x5627);
}

static void
test_link(void)
{
    g_autoptr(DeviceBench) bench = e1000_guest_start("82540EM");

    g_assert_cmphex(read_phy(bench, 2), ==, 0x0141);
    g_assert_cmphex(read_phy(bench, 1) & 0x24, ==, 0x24);
    e1000_guest_get(bench, ICR);
    bench_network_link(net_guest_wire(bench, "e1000"), false);
    g_assert_cmphex(e1000_guest_get(bench, STATUS) & 2, ==, 0);
    g_assert_cmphex(read_phy(bench, 1) & 0x24, ==, 0);
    g_assert_cmphex(e1000_guest_get(bench, ICR), ==, CAUSE_LINK);
    bench_network_link(net_guest_wire(bench, "e1000"), false);
    g_assert_cmphex(e1000_guest_get(bench, ICR), ==, 0);
    bench_network_link(net_guest_wire(bench, "e1000"), true);
    g_assert_cmphex(e1000_guest_get(bench, STATUS) & 2, ==, 2);
    /* No other PHY answers. */
    e1000_guest_set(bench, MDIC, 2u << 26 | 2u << 21);
    g_assert_cmphex(e1000_guest_get(bench, MDIC) >> 28 & 5, ==, 5);
}

static void
test_causes(void)
{
    g_autoptr(DeviceBench) bench = e1000_guest_start("82540EM");

    e1000_guest_set(bench, IMS, 0x84);
    g_assert_cmphex(e1000_guest_get(bench, IMS), ==, 0x84);
    e1000_guest_set(bench, IMC, 0x80);
    g_assert_cmphex(e1000_guest_get(bench, IMS), ==, 4);
    e1000_guest_set(bench, ICS, 0x21);
    g_assert_cmphex(e1000_guest_get(bench, ICR), ==, 0x21);
    g_assert_cmphex(e1000_guest_get(bench, ICR), ==, 0);
    e1000_guest_set(bench, ICS, 0x21);
    e1000_guest_set(bench, ICR, 0x20);
    g_assert_cmphex(e1000_guest_get(bench, ICR), ==, 1);
    /* A reset leaves nothing. */
    e1000_guest_set(bench, CTRL, 1 << 26);
    g_assert_cmphex(e1000_guest_get(bench, IMS), ==, 0);
    g_assert_cmphex(e1000_guest_get(bench, RCTL), ==, 0);
}

static void
test_send(void)
{
    g_autoptr(DeviceBench) bench = e1000_guest_start("82540EM");
    uint8_t frame[200];
    const BenchFrame *sent;

    e1000_guest_rings(bench);
    net_guest_frame(frame, sizeof(frame), net_guest_own);
    pci_guest_put(bench, DATA, frame, sizeof(frame));
    e1000_guest_get(bench, ICR);
    /* In two pieces, then a short one. */
    e1000_guest_describe(bench, 0, DATA, 50 | IFCS, 0);
    e1000_guest_describe(bench, 1, DATA + 50, 150 | EOP | IFCS | RS, 0);
    e1000_guest_describe(bench, 2, DATA, 20 | EOP | IFCS | RS, 0);
    e1000_guest_set(bench, TDT, 3);
    g_assert_cmpuint(e1000_guest_get(bench, TDH), ==, 3);
    g_assert_cmpuint(net_guest_wire(bench, "e1000")->frames->len, ==, 2);
    sent = bench_network_sent(net_guest_wire(bench, "e1000"), 0);
    g_assert_cmpmem(sent->frame->data, sent->frame->len, frame, sizeof(frame));
    g_assert_false(sent->offload.needs_checksum);
    sent = bench_network_sent(net_guest_wire(bench, "e1000"), 1);
    g_assert_cmpuint(sent->frame->len, ==, 60);
    g_assert_cmpuint(sent->frame->data[20], ==, 0);
    g_assert_cmpuint(device_bench_read(bench, TX_RING + 12, 1), ==, 0);
    g_assert_cmpuint(device_bench_read(bench, TX_RING + 28, 1), ==, DONE);
    g_assert_cmphex(e1000_guest_get(bench, ICR) & CAUSE_SENT, ==, CAUSE_SENT);
    g_assert_cmpuint(e1000_guest_get(bench, GPTC), ==, 2);
    g_assert_cmpuint(e1000_guest_get(bench, GPTC), ==, 0);
}

static void
test_no_room(void)
{
    g_autoptr(DeviceBench) bench = e1000_guest_start("82540EM");
    uint8_t frame[100];

    e1000_guest_rings(bench);
    net_guest_frame(frame, sizeof(frame), net_guest_own);
    pci_guest_put(bench, DATA, frame, sizeof(frame));
    for (unsigned i = 0; i < 3; i++)
        e1000_guest_describe(bench, i, DATA, 100 | EOP | IFCS | RS, 0);
    net_guest_wire(bench, "e1000")->full = true;
    e1000_guest_set(bench, TDT, 3);
    g_assert_cmpuint(net_guest_wire(bench, "e1000")->frames->len, ==, 0);
    g_assert_cmpuint(e1000_guest_get(bench, TDH), ==, 1);
    net_guest_wire(bench, "e1000")->full = false;
    net_guest_wire(bench, "e1000")->port->can_send(net_guest_wire(bench, "e1000")->port->user);
    g_assert_cmpuint(net_guest_wire(bench, "e1000")->frames->len, ==, 3);
    g_assert_cmpuint(e1000_guest_get(bench, TDH), ==, 3);
}

/* Headers of IPv4 and TCP behind those of Ethernet: 54 bytes. */
static void
make_tcp(uint8_t *frame, size_t size)
{
    net_guest_frame(frame, size, net_guest_own);
    memset(frame + 14, 0, 40);
    frame[12] = 0x08;
    frame[13] = 0;
    frame[14] = 0x45;
    frame[22] = 64;
    frame[23] = 6;
    frame[46] = 0x50;
}

static void
context(DeviceBench *bench, unsigned index, uint32_t command, uint32_t payload, uint32_t segment)
{
    e1000_guest_describe(bench, index, 14 | 24 << 8 | 33 << 16 | 34ull << 32 | 50ull << 40,
                         payload | DEXT | command, segment << 16 | 54 << 8);
}

static void
test_segments(void)
{
    g_autoptr(DeviceBench) bench = e1000_guest_start("82540EM");
    g_autofree uint8_t *frame = g_malloc(5054);
    const BenchFrame *sent;

    e1000_guest_rings(bench);
    make_tcp(frame, 5054);
    pci_guest_put(bench, DATA, frame, 5054);
    context(bench, 0, TSE | EOP | EOP << 1, 5000, 1460);
    e1000_guest_describe(bench, 1, DATA, 54 | DATA_TYPE | DEXT | TSE, 0x300);
    e1000_guest_describe(bench, 2, DATA + 54, 5000 | DATA_TYPE | DEXT | TSE | EOP | RS, 0x300);
    e1000_guest_set(bench, TDT, 3);
    sent = bench_network_sent(net_guest_wire(bench, "e1000"), 0);
    g_assert_cmpuint(sent->frame->len, ==, 5054);
    g_assert_cmpint(sent->offload.segment, ==, PDM_SEGMENT_TCP4);
    g_assert_cmpuint(sent->offload.segment_size, ==, 1460);
    g_assert_cmpuint(sent->offload.header_length, ==, 54);
    g_assert_true(sent->offload.needs_checksum);
    g_assert_cmpuint(sent->offload.checksum_start, ==, 34);
    g_assert_cmpuint(sent->offload.checksum_offset, ==, 16);
    g_assert_cmpuint(sent->frame->data[16] << 8 | sent->frame->data[17], ==, 5040);
    g_assert_cmpmem(sent->frame->data + 54, 5000, frame + 54, 5000);
    /* The plain context is another one: sums of IP at once, of TCP by the network. */
    context(bench, 3, EOP | EOP << 1, 0, 0);
    e1000_guest_describe(bench, 4, DATA, 100 | DATA_TYPE | DEXT | EOP | RS, 0x300);
    e1000_guest_set(bench, TDT, 5);
    sent = bench_network_sent(net_guest_wire(bench, "e1000"), 1);
    g_assert_cmpint(sent->offload.segment, ==, PDM_SEGMENT_NONE);
    g_assert_true(sent->offload.needs_checksum);
    g_assert_cmpuint(sent->frame->data[24] << 8 | sent->frame->data[25], !=, 0);
}

static void
test_tag(void)
{
    g_autoptr(DeviceBench) bench = e1000_guest_start("82540EM");
    uint8_t frame[100];
    const BenchFrame *sent;

    e1000_guest_rings(bench);
    net_guest_frame(frame, sizeof(frame), net_guest_own);
    pci_guest_put(bench, DATA, frame, sizeof(frame));
    e1000_guest_set(bench, CTRL, e1000_guest_get(bench, CTRL) | 1 << 30);
    e1000_guest_describe(bench, 0, DATA, 100 | EOP | IFCS | RS | VLE, 0x0123u << 16);
    e1000_guest_set(bench, TDT, 1);
    sent = bench_network_sent(net_guest_wire(bench, "e1000"), 0);
    g_assert_cmpuint(sent->frame->len, ==, 104);
    g_assert_cmphex(sent->frame->data[12] << 8 | sent->frame->data[13], ==, 0x8100);
    g_assert_cmphex(sent->frame->data[14] << 8 | sent->frame->data[15], ==, 0x0123);
    g_assert_cmpmem(sent->frame->data + 16, 88, frame + 12, 88);
    /* It is taken out again. */
    g_assert_true(e1000_guest_receive(bench, sent->frame->data, 104));
    g_assert_cmphex(device_bench_read(bench, RX_RING + 8, 2), ==, 100);
    g_assert_cmphex(device_bench_read(bench, RX_RING + 12, 1) & 0x0b, ==, 0x0b);
    g_assert_cmphex(device_bench_read(bench, RX_RING + 14, 2), ==, 0x0123);
}

static void
test_receive(void)
{
    g_autoptr(DeviceBench) bench = e1000_guest_start("82540EM");
    uint8_t frame[1514], got[1514];

    e1000_guest_rings(bench);
    net_guest_frame(frame, sizeof(frame), net_guest_own);
    e1000_guest_get(bench, ICR);
    g_assert_true(e1000_guest_receive(bench, frame, sizeof(frame)));
    g_assert_cmpuint(e1000_guest_get(bench, RDH), ==, 1);
    g_assert_cmphex(e1000_guest_get(bench, ICR) & CAUSE_RECEIVED, ==, CAUSE_RECEIVED);
    pci_guest_get(bench, BUFFERS, got, sizeof(got));
    g_assert_cmpmem(got, sizeof(got), frame, sizeof(frame));
    g_assert_cmpuint(device_bench_read(bench, RX_RING + 8, 2), ==, 1514);
    g_assert_cmphex(device_bench_read(bench, RX_RING + 12, 1) & 3, ==, 3);
    g_assert_cmpuint(e1000_guest_get(bench, GPRC), ==, 1);
    /* Buffers of 256 bytes: six of them for one frame. */
    e1000_guest_set(bench, RCTL, e1000_guest_get(bench, RCTL) | 3 << 16);
    g_assert_true(e1000_guest_receive(bench, frame, sizeof(frame)));
    g_assert_cmpuint(e1000_guest_get(bench, RDH), ==, 7);
    g_assert_cmphex(device_bench_read(bench, RX_RING + 16 + 12, 1) & 3, ==, 1);
    g_assert_cmphex(device_bench_read(bench, RX_RING + 6 * 16 + 12, 1) & 3, ==, 3);
    g_assert_cmpuint(device_bench_read(bench, RX_RING + 6 * 16 + 8, 2), ==, 1514 - 5 * 256);
    /* Eight are left, then two. */
    g_assert_true(e1000_guest_receive(bench, frame, sizeof(frame)));
    g_assert_false(e1000_guest_receive(bench, frame, sizeof(frame)));
    g_assert_cmpuint(e1000_guest_get(bench, MPC), ==, 1);
    net_guest_wire(bench, "e1000")->ready_calls = 0;
    e1000_guest_set(bench, RDT, 10);
    g_assert_cmpuint(net_guest_wire(bench, "e1000")->ready_calls, ==, 1);
    g_assert_true(e1000_guest_receive(bench, frame, sizeof(frame)));
}

static void
test_filters(void)
{
    static const uint8_t all[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    static const uint8_t group[] = {0x01, 0x00, 0x5e, 0x00, 0x00, 0xfb};
    static const uint8_t stranger[] = {0x02, 0, 0, 0, 0, 1};
    g_autoptr(DeviceBench) bench = e1000_guest_start("82540EM");
    uint8_t frame[64];
    const unsigned hash = (0xfb00u >> 4) & 0xfff;

    e1000_guest_rings(bench);
    net_guest_frame(frame, sizeof(frame), all);
    e1000_guest_receive(bench, frame, sizeof(frame));
    g_assert_cmpuint(e1000_guest_get(bench, RDH), ==, 1);
    net_guest_frame(frame, sizeof(frame), group);
    e1000_guest_receive(bench, frame, sizeof(frame));
    net_guest_frame(frame, sizeof(frame), stranger);
    e1000_guest_receive(bench, frame, sizeof(frame));
    g_assert_cmpuint(e1000_guest_get(bench, RDH), ==, 1);
    net_guest_frame(frame, sizeof(frame), group);
    e1000_guest_set(bench, MTA + hash / 32 * 4, 1u << hash % 32);
    e1000_guest_receive(bench, frame, sizeof(frame));
    g_assert_cmpuint(e1000_guest_get(bench, RDH), ==, 2);
    e1000_guest_set(bench, RCTL, e1000_guest_get(bench, RCTL) | 1 << 3);
    g_assert_true(net_guest_wire(bench, "e1000")->promiscuous);
    net_guest_frame(frame, sizeof(frame), stranger);
    e1000_guest_receive(bench, frame, sizeof(frame));
    g_assert_cmpuint(e1000_guest_get(bench, RDH), ==, 3);
    /* Off: everything is taken and lost. */
    e1000_guest_set(bench, RCTL, 0);
    g_assert_false(net_guest_wire(bench, "e1000")->promiscuous);
    g_assert_true(e1000_guest_receive(bench, frame, sizeof(frame)));
    g_assert_cmpuint(e1000_guest_get(bench, RDH), ==, 3);
}

/* Delays keep a cause back; the throttle keeps the pin down, not the cause. */
static void
test_delays(void)
{
    g_autoptr(DeviceBench) bench = e1000_guest_start("82540EM");
    uint8_t frame[64];

    e1000_guest_rings(bench);
    net_guest_frame(frame, sizeof(frame), net_guest_own);
    e1000_guest_set(bench, RDTR, 1000); /* 1.024 ms */
    e1000_guest_get(bench, ICR);
    e1000_guest_receive(bench, frame, sizeof(frame));
    g_assert_cmphex(e1000_guest_get(bench, ICR) & CAUSE_RECEIVED, ==, 0);
    device_bench_advance(bench, 2 * MS);
    g_assert_cmphex(e1000_guest_get(bench, ICR) & CAUSE_RECEIVED, ==, CAUSE_RECEIVED);
}

/* The line of the card's slot at the interrupt controller: whether it asks for the CPU. */
static bool
is_interrupting(DeviceBench *bench)
{
    return (device_bench_pci_read(bench, NET_GUEST_SLOT, 0, 6, 2) & 8) != 0;
}

/* Between two interrupts is some time, or many frames. */
static void
test_throttle(void)
{
    g_autoptr(DeviceBench) bench = e1000_guest_start("82540EM");
    uint8_t frame[64];

    e1000_guest_rings(bench);
    net_guest_frame(frame, sizeof(frame), net_guest_own);
    e1000_guest_set(bench, ITR, 4000); /* 1.024 ms */
    e1000_guest_set(bench, IMS, CAUSE_RECEIVED);
    device_bench_advance(bench, 2 * MS);
    e1000_guest_receive(bench, frame, sizeof(frame));
    g_assert_true(is_interrupting(bench));
    e1000_guest_get(bench, ICR);
    g_assert_false(is_interrupting(bench));
    e1000_guest_receive(bench, frame, sizeof(frame));
    g_assert_false(is_interrupting(bench));
    device_bench_advance(bench, 2 * MS);
    g_assert_true(is_interrupting(bench));
    e1000_guest_get(bench, ICR);
    for (unsigned i = 0; i < 16; i++) {
        g_assert_false(is_interrupting(bench));
        e1000_guest_set(bench, RDT, (e1000_guest_get(bench, RDH) + ENTRIES - 1) % ENTRIES);
        e1000_guest_receive(bench, frame, sizeof(frame));
    }
    g_assert_true(is_interrupting(bench));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/e1000/identity", test_identity);
    g_test_add_func("/e1000/eeprom", test_eeprom);
    g_test_add_func("/e1000/link", test_link);
    g_test_add_func("/e1000/causes", test_causes);
    g_test_add_func("/e1000/send", test_send);
    g_test_add_func("/e1000/no-room", test_no_room);
    g_test_add_func("/e1000/segments", test_segments);
    g_test_add_func("/e1000/tag", test_tag);
    g_test_add_func("/e1000/receive", test_receive);
    g_test_add_func("/e1000/filters", test_filters);
    g_test_add_func("/e1000/delays", test_delays);
    g_test_add_func("/e1000/throttle", test_throttle);
    return g_test_run();
}
