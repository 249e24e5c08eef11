/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The PRO/1000 cards: registers, EEPROM and PHY, both rings, what descriptors ask of a frame,
 * address filters, the cable, hostile rings, saved state. */
#include "tests/device/pci-guest.h"
#include "tests/lib/bench-network.h"

#include <string.h>

#define SLOT 3
#define MS 1000000ull
#define RX_RING 0x10000u
#define TX_RING 0x20000u
#define BUFFERS 0x100000u
#define DATA 0x200000u
#define ENTRIES 16u

enum {
    CTRL = 0x0000,
    STATUS = 0x0008,
    EECD = 0x0010,
    EERD = 0x0014,
    MDIC = 0x0020,
    ICR = 0x00c0,
    ITR = 0x00c4,
    ICS = 0x00c8,
    IMS = 0x00d0,
    IMC = 0x00d8,
    RCTL = 0x0100,
    TCTL = 0x0400,
    RDBAL = 0x2800,
    RDLEN = 0x2808,
    RDH = 0x2810,
    RDT = 0x2818,
    RDTR = 0x2820,
    TDBAL = 0x3800,
    TDLEN = 0x3808,
    TDH = 0x3810,
    TDT = 0x3818,
    MPC = 0x4010,
    GPRC = 0x4074,
    GPTC = 0x4080,
    MTA = 0x5200,
};

enum {
    CAUSE_SENT = 1 << 0,
    CAUSE_LINK = 1 << 2,
    CAUSE_RECEIVED = 1 << 7,
    EOP = 1 << 24,
    IFCS = 1 << 25,
    TSE = 1 << 26,
    RS = 1 << 27,
    DEXT = 1 << 29,
    VLE = 1 << 30,
    DATA_TYPE = 1 << 20,
    DONE = 1,
};

static const uint8_t own[] = {0x08, 0x00, 0x27, 0x56, 0x49, 0x10};

static DeviceBench *
start(const char *model)
{
    CfgmNode *config = cfgm_new();
    CfgmNode *card = device_bench_add(config, "e1000", 0);
    DeviceBench *bench;

    cfgm_set_uint(cfgm_make(config, "Devices/e1000/0"), "PCIDeviceNo", SLOT);
    cfgm_set_string(card, "Model", model);
    cfgm_set_string(card, "BootRom", "");
    device_bench_add_driver(config, "e1000", 0, 0, "bench-network");
    bench = device_bench_new(config);
    pci_guest_map(bench, SLOT, 0);
    return bench;
}

static uint32_t
get(DeviceBench *bench, uint32_t offset)
{
    return pci_guest_read(bench, 0, offset);
}

static void
set(DeviceBench *bench, uint32_t offset, uint32_t value)
{
    pci_guest_write(bench, 0, offset, value);
}

static BenchNetwork *
wire(DeviceBench *bench)
{
    return bench_network(bench->pdm, "e1000", 0, 0);
}

/* Both rings, with buffers of 2048 bytes to receive in. */
static void
start_rings(DeviceBench *bench)
{
    for (unsigned i = 0; i < ENTRIES; i++) {
        pci_guest_put64(bench, RX_RING + 16 * i, BUFFERS + 2048 * i);
        pci_guest_put64(bench, RX_RING + 16 * i + 8, 0);
    }
    set(bench, RDBAL, RX_RING);
    set(bench, RDLEN, ENTRIES * 16);
    set(bench, RDH, 0);
    set(bench, RDT, ENTRIES - 1);
    set(bench, RCTL, 1 << 1 | 1 << 15 | 1 << 26); /* on, broadcasts, no check sequence */
    set(bench, TDBAL, TX_RING);
    set(bench, TDLEN, ENTRIES * 16);
    set(bench, TCTL, 1 << 1 | 1 << 3);
}

static void
describe(DeviceBench *bench, unsigned index, uint64_t gpa, uint32_t lengths, uint32_t status)
{
    pci_guest_put64(bench, TX_RING + 16 * index, gpa);
    pci_guest_put32(bench, TX_RING + 16 * index + 8, lengths);
    pci_guest_put32(bench, TX_RING + 16 * index + 12, status);
}

static void
make_frame(uint8_t *frame, size_t size, const uint8_t *to)
{
    pci_guest_pattern(frame, size, 3);
    memcpy(frame, to, 6);
    memcpy(frame + 6, own, 6);
    frame[12] = 0x88;
    frame[13] = 0xb5; /* for experiments */
}

static bool
receive(DeviceBench *bench, const uint8_t *frame, size_t size)
{
    const PdmNetworkPort *port = wire(bench)->port;

    return port->receive(port->user, frame, size, NULL);
}

static uint32_t
read_phy(DeviceBench *bench, unsigned number)
{
    set(bench, MDIC, 2u << 26 | 1u << 21 | number << 16);
    g_assert_cmphex(get(bench, MDIC) >> 28 & 5, ==, 1);
    return get(bench, MDIC) & 0xffff;
}

static void
test_identity(void)
{
    static const struct {
        const char *model;
        uint32_t id;
    } rows[] = {{"82540EM", 0x100e8086}, {"82543GC", 0x10048086}, {"82545EM", 0x100f8086}};

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(DeviceBench) bench = start(rows[i].model);

        g_assert_cmphex(device_bench_pci_read(bench, SLOT, 0, 0, 4), ==, rows[i].id);
        g_assert_cmphex(device_bench_pci_read(bench, SLOT, 0, 10, 2), ==, 0x0200);
        g_assert_cmphex(get(bench, STATUS) & 0x83, ==, 0x83);
        g_assert_cmphex(get(bench, 0x5400), ==, 0x56270008);
        g_assert_cmphex(get(bench, 0x5404), ==, 0x80001049);
    }
}

static void
test_eeprom(void)
{
    g_autoptr(DeviceBench) bench = start("82540EM");
    uint16_t sum = 0;
    uint32_t word = 0;

    for (unsigned i = 0; i < 64; i++) {
        set(bench, EERD, i << 8 | 1);
        g_assert_cmphex(get(bench, EERD) & 0x10, ==, 0x10);
        sum = (uint16_t)(sum + (get(bench, EERD) >> 16));
    }
    g_assert_cmphex(sum, ==, 0xbaba);
    /* The same by its line: start, read, address 1, then a zero and the word. */
    set(bench, EECD, 0x42);
    for (unsigned i = 0; i < 9 + 16; i++) {
        const uint32_t bit = i < 9 ? (0x181u >> (8 - i) & 1) << 2 : 0;

        if (i > 9)
            word = word << 1 | (get(bench, EECD) >> 3 & 1);
        set(bench, EECD, 0x42 | bit);
        set(bench, EECD, 0x43 | bit);
        set(bench, EECD, 0x42 | bit);
    }
    word = word << 1 | (get(bench, EECD) >> 3 & 1);
    g_assert_cmphex(word & 0xffff, ==, 0x5627);
}

static void
test_link(void)
{
    g_autoptr(DeviceBench) bench = start("82540EM");

    g_assert_cmphex(read_phy(bench, 2), ==, 0x0141);
    g_assert_cmphex(read_phy(bench, 1) & 0x24, ==, 0x24);
    get(bench, ICR);
    bench_network_link(wire(bench), false);
    g_assert_cmphex(get(bench, STATUS) & 2, ==, 0);
    g_assert_cmphex(read_phy(bench, 1) & 0x24, ==, 0);
    g_assert_cmphex(get(bench, ICR), ==, CAUSE_LINK);
    bench_network_link(wire(bench), false);
    g_assert_cmphex(get(bench, ICR), ==, 0);
    bench_network_link(wire(bench), true);
    g_assert_cmphex(get(bench, STATUS) & 2, ==, 2);
    /* No other PHY answers. */
    set(bench, MDIC, 2u << 26 | 2u << 21);
    g_assert_cmphex(get(bench, MDIC) >> 28 & 5, ==, 5);
}

static void
test_causes(void)
{
    g_autoptr(DeviceBench) bench = start("82540EM");

    set(bench, IMS, 0x84);
    g_assert_cmphex(get(bench, IMS), ==, 0x84);
    set(bench, IMC, 0x80);
    g_assert_cmphex(get(bench, IMS), ==, 4);
    set(bench, ICS, 0x21);
    g_assert_cmphex(get(bench, ICR), ==, 0x21);
    g_assert_cmphex(get(bench, ICR), ==, 0);
    set(bench, ICS, 0x21);
    set(bench, ICR, 0x20);
    g_assert_cmphex(get(bench, ICR), ==, 1);
    /* A reset leaves nothing. */
    set(bench, CTRL, 1 << 26);
    g_assert_cmphex(get(bench, IMS), ==, 0);
    g_assert_cmphex(get(bench, RCTL), ==, 0);
}

static void
test_send(void)
{
    g_autoptr(DeviceBench) bench = start("82540EM");
    uint8_t frame[200];
    const BenchFrame *sent;

    start_rings(bench);
    make_frame(frame, sizeof(frame), own);
    pci_guest_put(bench, DATA, frame, sizeof(frame));
    get(bench, ICR);
    /* In two pieces, then a short one. */
    describe(bench, 0, DATA, 50 | IFCS, 0);
    describe(bench, 1, DATA + 50, 150 | EOP | IFCS | RS, 0);
    describe(bench, 2, DATA, 20 | EOP | IFCS | RS, 0);
    set(bench, TDT, 3);
    g_assert_cmpuint(get(bench, TDH), ==, 3);
    g_assert_cmpuint(wire(bench)->frames->len, ==, 2);
    sent = bench_network_sent(wire(bench), 0);
    g_assert_cmpmem(sent->frame->data, sent->frame->len, frame, sizeof(frame));
    g_assert_false(sent->offload.needs_checksum);
    sent = bench_network_sent(wire(bench), 1);
    g_assert_cmpuint(sent->frame->len, ==, 60);
    g_assert_cmpuint(sent->frame->data[20], ==, 0);
    g_assert_cmpuint(device_bench_read(bench, TX_RING + 12, 1), ==, 0);
    g_assert_cmpuint(device_bench_read(bench, TX_RING + 28, 1), ==, DONE);
    g_assert_cmphex(get(bench, ICR) & CAUSE_SENT, ==, CAUSE_SENT);
    g_assert_cmpuint(get(bench, GPTC), ==, 2);
    g_assert_cmpuint(get(bench, GPTC), ==, 0);
}

static void
test_no_room(void)
{
    g_autoptr(DeviceBench) bench = start("82540EM");
    uint8_t frame[100];

    start_rings(bench);
    make_frame(frame, sizeof(frame), own);
    pci_guest_put(bench, DATA, frame, sizeof(frame));
    for (unsigned i = 0; i < 3; i++)
        describe(bench, i, DATA, 100 | EOP | IFCS | RS, 0);
    wire(bench)->full = true;
    set(bench, TDT, 3);
    g_assert_cmpuint(wire(bench)->frames->len, ==, 0);
    g_assert_cmpuint(get(bench, TDH), ==, 1);
    wire(bench)->full = false;
    wire(bench)->port->can_send(wire(bench)->port->user);
    g_assert_cmpuint(wire(bench)->frames->len, ==, 3);
    g_assert_cmpuint(get(bench, TDH), ==, 3);
}

/* Headers of IPv4 and TCP behind those of Ethernet: 54 bytes. */
static void
make_tcp(uint8_t *frame, size_t size)
{
    make_frame(frame, size, own);
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
    describe(bench, index, 14 | 24 << 8 | 33 << 16 | 34ull << 32 | 50ull << 40,
             payload | DEXT | command, segment << 16 | 54 << 8);
}

static void
test_segments(void)
{
    g_autoptr(DeviceBench) bench = start("82540EM");
    g_autofree uint8_t *frame = g_malloc(5054);
    const BenchFrame *sent;

    start_rings(bench);
    make_tcp(frame, 5054);
    pci_guest_put(bench, DATA, frame, 5054);
    context(bench, 0, TSE | EOP | EOP << 1, 5000, 1460);
    describe(bench, 1, DATA, 54 | DATA_TYPE | DEXT | TSE, 0x300);
    describe(bench, 2, DATA + 54, 5000 | DATA_TYPE | DEXT | TSE | EOP | RS, 0x300);
    set(bench, TDT, 3);
    sent = bench_network_sent(wire(bench), 0);
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
    describe(bench, 4, DATA, 100 | DATA_TYPE | DEXT | EOP | RS, 0x300);
    set(bench, TDT, 5);
    sent = bench_network_sent(wire(bench), 1);
    g_assert_cmpint(sent->offload.segment, ==, PDM_SEGMENT_NONE);
    g_assert_true(sent->offload.needs_checksum);
    g_assert_cmpuint(sent->frame->data[24] << 8 | sent->frame->data[25], !=, 0);
}

static void
test_tag(void)
{
    g_autoptr(DeviceBench) bench = start("82540EM");
    uint8_t frame[100];
    const BenchFrame *sent;

    start_rings(bench);
    make_frame(frame, sizeof(frame), own);
    pci_guest_put(bench, DATA, frame, sizeof(frame));
    set(bench, CTRL, get(bench, CTRL) | 1 << 30);
    describe(bench, 0, DATA, 100 | EOP | IFCS | RS | VLE, 0x0123u << 16);
    set(bench, TDT, 1);
    sent = bench_network_sent(wire(bench), 0);
    g_assert_cmpuint(sent->frame->len, ==, 104);
    g_assert_cmphex(sent->frame->data[12] << 8 | sent->frame->data[13], ==, 0x8100);
    g_assert_cmphex(sent->frame->data[14] << 8 | sent->frame->data[15], ==, 0x0123);
    g_assert_cmpmem(sent->frame->data + 16, 88, frame + 12, 88);
    /* It is taken out again. */
    g_assert_true(receive(bench, sent->frame->data, 104));
    g_assert_cmphex(device_bench_read(bench, RX_RING + 8, 2), ==, 100);
    g_assert_cmphex(device_bench_read(bench, RX_RING + 12, 1) & 0x0b, ==, 0x0b);
    g_assert_cmphex(device_bench_read(bench, RX_RING + 14, 2), ==, 0x0123);
}

static void
test_receive(void)
{
    g_autoptr(DeviceBench) bench = start("82540EM");
    uint8_t frame[1514], got[1514];

    start_rings(bench);
    make_frame(frame, sizeof(frame), own);
    get(bench, ICR);
    g_assert_true(receive(bench, frame, sizeof(frame)));
    g_assert_cmpuint(get(bench, RDH), ==, 1);
    g_assert_cmphex(get(bench, ICR) & CAUSE_RECEIVED, ==, CAUSE_RECEIVED);
    pci_guest_get(bench, BUFFERS, got, sizeof(got));
    g_assert_cmpmem(got, sizeof(got), frame, sizeof(frame));
    g_assert_cmpuint(device_bench_read(bench, RX_RING + 8, 2), ==, 1514);
    g_assert_cmphex(device_bench_read(bench, RX_RING + 12, 1) & 3, ==, 3);
    g_assert_cmpuint(get(bench, GPRC), ==, 1);
    /* Buffers of 256 bytes: six of them for one frame. */
    set(bench, RCTL, get(bench, RCTL) | 3 << 16);
    g_assert_true(receive(bench, frame, sizeof(frame)));
    g_assert_cmpuint(get(bench, RDH), ==, 7);
    g_assert_cmphex(device_bench_read(bench, RX_RING + 16 + 12, 1) & 3, ==, 1);
    g_assert_cmphex(device_bench_read(bench, RX_RING + 6 * 16 + 12, 1) & 3, ==, 3);
    g_assert_cmpuint(device_bench_read(bench, RX_RING + 6 * 16 + 8, 2), ==, 1514 - 5 * 256);
    /* Eight are left, then two. */
    g_assert_true(receive(bench, frame, sizeof(frame)));
    g_assert_false(receive(bench, frame, sizeof(frame)));
    g_assert_cmpuint(get(bench, MPC), ==, 1);
    wire(bench)->ready_calls = 0;
    set(bench, RDT, 10);
    g_assert_cmpuint(wire(bench)->ready_calls, ==, 1);
    g_assert_true(receive(bench, frame, sizeof(frame)));
}

static void
test_filters(void)
{
    static const uint8_t all[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    static const uint8_t group[] = {0x01, 0x00, 0x5e, 0x00, 0x00, 0xfb};
    static const uint8_t stranger[] = {0x02, 0, 0, 0, 0, 1};
    g_autoptr(DeviceBench) bench = start("82540EM");
    uint8_t frame[64];
    const unsigned hash = (0xfb00u >> 4) & 0xfff;

    start_rings(bench);
    make_frame(frame, sizeof(frame), all);
    receive(bench, frame, sizeof(frame));
    g_assert_cmpuint(get(bench, RDH), ==, 1);
    make_frame(frame, sizeof(frame), group);
    receive(bench, frame, sizeof(frame));
    make_frame(frame, sizeof(frame), stranger);
    receive(bench, frame, sizeof(frame));
    g_assert_cmpuint(get(bench, RDH), ==, 1);
    make_frame(frame, sizeof(frame), group);
    set(bench, MTA + hash / 32 * 4, 1u << hash % 32);
    receive(bench, frame, sizeof(frame));
    g_assert_cmpuint(get(bench, RDH), ==, 2);
    set(bench, RCTL, get(bench, RCTL) | 1 << 3);
    g_assert_true(wire(bench)->promiscuous);
    make_frame(frame, sizeof(frame), stranger);
    receive(bench, frame, sizeof(frame));
    g_assert_cmpuint(get(bench, RDH), ==, 3);
    /* Off: everything is taken and lost. */
    set(bench, RCTL, 0);
    g_assert_false(wire(bench)->promiscuous);
    g_assert_true(receive(bench, frame, sizeof(frame)));
    g_assert_cmpuint(get(bench, RDH), ==, 3);
}

/* Delays keep a cause back; the throttle keeps the pin down, not the cause. */
static void
test_delays(void)
{
    g_autoptr(DeviceBench) bench = start("82540EM");
    uint8_t frame[64];

    start_rings(bench);
    make_frame(frame, sizeof(frame), own);
    set(bench, RDTR, 1000); /* 1.024 ms */
    get(bench, ICR);
    receive(bench, frame, sizeof(frame));
    g_assert_cmphex(get(bench, ICR) & CAUSE_RECEIVED, ==, 0);
    device_bench_advance(bench, 2 * MS);
    g_assert_cmphex(get(bench, ICR) & CAUSE_RECEIVED, ==, CAUSE_RECEIVED);
}

/* The line of the card's slot at the interrupt controller: whether it asks for the CPU. */
static bool
is_interrupting(DeviceBench *bench)
{
    return (device_bench_pci_read(bench, SLOT, 0, 6, 2) & 8) != 0;
}

/* Between two interrupts is some time, or many frames. */
static void
test_throttle(void)
{
    g_autoptr(DeviceBench) bench = start("82540EM");
    uint8_t frame[64];

    start_rings(bench);
    make_frame(frame, sizeof(frame), own);
    set(bench, ITR, 4000); /* 1.024 ms */
    set(bench, IMS, CAUSE_RECEIVED);
    device_bench_advance(bench, 2 * MS);
    receive(bench, frame, sizeof(frame));
    g_assert_true(is_interrupting(bench));
    get(bench, ICR);
    g_assert_false(is_interrupting(bench));
    receive(bench, frame, sizeof(frame));
    g_assert_false(is_interrupting(bench));
    device_bench_advance(bench, 2 * MS);
    g_assert_true(is_interrupting(bench));
    get(bench, ICR);
    for (unsigned i = 0; i < 16; i++) {
        g_assert_false(is_interrupting(bench));
        set(bench, RDT, (get(bench, RDH) + ENTRIES - 1) % ENTRIES);
        receive(bench, frame, sizeof(frame));
    }
    g_assert_true(is_interrupting(bench));
}

/* --- the hostile guest --- */

static void
test_hostile_frames(void)
{
    g_autoptr(DeviceBench) bench = start("82540EM");

    start_rings(bench);
    /* Longer than any, in many pieces that never end; then an end. */
    for (unsigned i = 0; i < ENTRIES; i++)
        describe(bench, i, DATA, 0xfffff | DATA_TYPE | DEXT, 0);
    set(bench, TDT, ENTRIES - 1);
    describe(bench, ENTRIES - 1, DATA, DATA_TYPE | DEXT | EOP | RS, 0);
    set(bench, TDT, 0);
    g_assert_cmpuint(wire(bench)->frames->len, ==, 0);
    g_assert_true(device_bench_logged(bench, "longer than any"));
    /* A context whose places are outside of the frame, headers longer than it, segments of nothing.
     */
    for (unsigned i = 0; i < 4; i++) {
        static const uint32_t sizes[] = {0, 1, 0xffff, 1460};

        describe(bench, 0, ~0ull, DEXT | TSE | EOP | EOP << 1, sizes[i] << 16 | 0xff00);
        describe(bench, 1, DATA, 64 | DATA_TYPE | DEXT | TSE | EOP | RS, 0x300);
        describe(bench, 2, ~0ull, DEXT, 0);
        describe(bench, 3, DATA, 64 | DATA_TYPE | DEXT | EOP | RS, 0x300);
        set(bench, TDH, 0);
        set(bench, TDT, 4);
    }
    g_assert_true(device_bench_logged(bench, "not what its context says"));
    g_assert_cmpuint(wire(bench)->frames->len, ==, 4);
    /* Nothing at all. */
    describe(bench, 4, DATA, EOP | RS, 0);
    set(bench, TDT, 5);
    g_assert_cmpuint(wire(bench)->frames->len, ==, 4);
}

static void
test_hostile_rings(void)
{
    const uint32_t window = PCI_GUEST_BAR(0);
    g_autoptr(DeviceBench) bench = start("82540EM");
    uint8_t frame[1514];

    make_frame(frame, sizeof(frame), own);
    start_rings(bench);
    /* A tail that is never met: one round. */
    for (unsigned i = 0; i < ENTRIES; i++)
        describe(bench, i, DATA, 64 | EOP | RS, 0);
    set(bench, TDT, 0xffff);
    g_assert_cmpuint(wire(bench)->frames->len, <=, ENTRIES);
    set(bench, TDH, 0xfff0);
    set(bench, TDT, 3);
    /* No ring, one over itself, one in the card's own registers, whose frames are sent from there.
     */
    set(bench, TDLEN, 0);
    set(bench, TDT, 5);
    for (uint32_t at = 0; at < 0x6000; at += 0x400) {
        set(bench, TDLEN, 0x1000);
        set(bench, TDBAL, window + at);
        set(bench, TDH, 0);
        set(bench, TDT, 200);
        describe(bench, 0, window + at, 0x4000 | EOP | RS, 0);
        set(bench, TDBAL, TX_RING);
        set(bench, TDH, 0);
        set(bench, TDT, 1);
    }
    /* Frames that are received onto the ring, the registers, and beyond all memory. */
    set(bench, RCTL, 1 << 1 | 1 << 15);
    for (unsigned i = 0; i < ENTRIES; i++) {
        const uint64_t places[] = {RX_RING, window, window + 0x2800, window + 0x100, ~0ull - 100};

        start_rings(bench);
        for (unsigned j = 0; j < ENTRIES; j++)
            pci_guest_put64(bench, RX_RING + 16 * j, places[(i + j) % G_N_ELEMENTS(places)]);
        for (unsigned j = 0; j < 2 * ENTRIES; j++)
            receive(bench, frame, sizeof(frame));
        set(bench, RDBAL, window + 0x2800);
        set(bench, RDT, ENTRIES - 1);
        receive(bench, frame, sizeof(frame));
    }
    set(bench, RDH, 0xffff);
    receive(bench, frame, sizeof(frame));
    /* And it works again. */
    set(bench, CTRL, 1 << 26);
    start_rings(bench);
    g_ptr_array_set_size(wire(bench)->frames, 0);
    pci_guest_put(bench, DATA, frame, sizeof(frame));
    describe(bench, 0, DATA, 1514 | EOP | RS, 0);
    set(bench, TDT, 1);
    g_assert_cmpmem(bench_network_sent(wire(bench), 0)->frame->data, 1514, frame, 1514);
}

static void
test_random(void)
{
    g_autoptr(DeviceBench) bench = start("82543GC");
    GRand *random = g_rand_new_with_seed(7);
    uint8_t frame[1514];

    make_frame(frame, sizeof(frame), own);
    for (unsigned i = 0; i < 20000; i++) {
        const uint32_t offset = g_rand_int(random) % 0x6000 & ~3u;

        if (g_rand_int(random) % 64 == 0)
            start_rings(bench);
        if (g_rand_int(random) % 4 == 0)
            pci_guest_put32(bench,
                            (g_rand_boolean(random) ? TX_RING : RX_RING) + g_rand_int(random) % 256,
                            g_rand_int(random));
        if (g_rand_boolean(random))
            set(bench, offset, g_rand_int(random) >> g_rand_int(random) % 32);
        else
            get(bench, offset);
        receive(bench, frame, 60 + g_rand_int(random) % 1454);
        if (g_rand_int(random) % 16 == 0)
            device_bench_advance(bench, 100000);
        if (wire(bench)->frames->len > 100)
            g_ptr_array_set_size(wire(bench)->frames, 0);
    }
    g_rand_free(random);
}

static void
test_state(void)
{
    g_autoptr(DeviceBench) bench = start("82540EM"), other = start("82540EM");
    g_autoptr(GBytes) state = NULL, again = NULL;
    g_autoptr(GError) error = NULL;
    uint8_t frame[200];
    const BenchFrame *sent;

    start_rings(bench);
    make_frame(frame, sizeof(frame), own);
    pci_guest_put(bench, DATA, frame, sizeof(frame));
    g_assert_true(receive(bench, frame, sizeof(frame)));
    /* In the middle of a frame. */
    describe(bench, 0, DATA, 50 | IFCS, 0);
    describe(bench, 1, DATA + 50, 150 | EOP | IFCS | RS, 0);
    set(bench, TDT, 1);
    state = device_bench_save(bench, &error);
    g_assert_no_error(error);
    g_assert_true(device_bench_load(other, state, &error));
    g_assert_no_error(error);
    again = device_bench_save(other, &error);
    g_assert_true(g_bytes_equal(state, again));
    g_assert_cmpuint(get(other, RDH), ==, 1);
    set(other, TDT, 2);
    sent = bench_network_sent(wire(other), 0);
    g_assert_cmpmem(sent->frame->data, sent->frame->len, frame, sizeof(frame));
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
    g_test_add_func("/e1000/hostile-frames", test_hostile_frames);
    g_test_add_func("/e1000/hostile-rings", test_hostile_rings);
    g_test_add_func("/e1000/random", test_random);
    g_test_add_func("/e1000/state", test_state);
    return g_test_run();
}
