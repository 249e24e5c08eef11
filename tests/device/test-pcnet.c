/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The PCnet cards: both widths of their ports, the address PROM and EEPROM, the PHY, all software
 * styles with both rings, loopback, address filters, interrupts and their masks, the cable, hostile
 * rings, saved state. */
#include "devices/network/net-crc.h"
#include "tests/device/pci-guest.h"
#include "tests/lib/bench-network.h"

#include <string.h>

#define SLOT 3
#define MS 1000000ull
#define BLOCK 0x8000u
#define RX_RING 0x10000u
#define TX_RING 0x20000u
#define BUFFERS 0x100000u
#define DATA 0x200000u
#define POWER 3u /* of entries */
#define ENTRIES (1u << POWER)

enum {
    INIT = 1 << 0,
    STRT = 1 << 1,
    STOP = 1 << 2,
    TDMD = 1 << 3,
    TXON = 1 << 4,
    RXON = 1 << 5,
    IENA = 1 << 6,
    INTR = 1 << 7,
    IDON = 1 << 8,
    TINT = 1 << 9,
    RINT = 1 << 10,
    MISS = 1 << 12,
    OWN = 1 << 15,
    ERR = 1 << 14,
    ADD_FCS = 1 << 13,
    STP = 1 << 9,
    ENP = 1 << 8,
    PAM = 1 << 6,
};

static const uint8_t own[] = {0x08, 0x00, 0x27, 0x56, 0x49, 0x10};

static DeviceBench *
start(const char *model)
{
    CfgmNode *config = cfgm_new();
    CfgmNode *card = device_bench_add(config, "pcnet", 0);
    DeviceBench *bench;

    cfgm_set_uint(cfgm_make(config, "Devices/pcnet/0"), "PCIDeviceNo", SLOT);
    cfgm_set_string(card, "Model", model);
    cfgm_set_string(card, "BootRom", "");
    device_bench_add_driver(config, "pcnet", 0, 0, "bench-network");
    bench = device_bench_new(config);
    pci_guest_map(bench, SLOT, 1);
    return bench;
}

/* --- what a driver does, with 16 bits in memory's window --- */

static uint64_t
at(uint32_t offset)
{
    return PCI_GUEST_BAR(1) + offset;
}

static uint16_t
csr(DeviceBench *bench, unsigned number)
{
    device_bench_write(bench, at(0x12), number, 2);
    return (uint16_t)device_bench_read(bench, at(0x10), 2);
}

static void
set_csr(DeviceBench *bench, unsigned number, uint16_t value)
{
    device_bench_write(bench, at(0x12), number, 2);
    device_bench_write(bench, at(0x10), value, 2);
}

static uint16_t
bcr(DeviceBench *bench, unsigned number)
{
    device_bench_write(bench, at(0x12), number, 2);
    return (uint16_t)device_bench_read(bench, at(0x16), 2);
}

static void
set_bcr(DeviceBench *bench, unsigned number, uint16_t value)
{
    device_bench_write(bench, at(0x12), number, 2);
    device_bench_write(bench, at(0x16), value, 2);
}

static BenchNetwork *
wire(DeviceBench *bench)
{
    return bench_network(bench->pdm, "pcnet", 0, 0);
}

static uint16_t
phy(DeviceBench *bench, unsigned number)
{
    set_bcr(bench, 33, (uint16_t)(30 << 5 | number));
    return bcr(bench, 34);
}

/* --- descriptors in every style --- */

static uint64_t
place(unsigned style, uint64_t ring, unsigned index)
{
    return ring + index * (style == 0 ? 8u : 16u);
}

static void
describe(DeviceBench *bench, unsigned style, uint64_t ring, unsigned index, uint32_t gpa,
         uint32_t length, uint32_t status)
{
    const uint64_t where = place(style, ring, index);
    const uint32_t count = 0xf000 | (-length & 0xfff);

    if (style == 0) {
        pci_guest_put64(bench, where,
                        gpa | (uint64_t)(status & 0xff00) << 16 | (uint64_t)count << 32);
        return;
    }
    pci_guest_put32(bench, where + (style == 3 ? 8 : 0), gpa);
    pci_guest_put32(bench, where + (style == 3 ? 0 : 8), 0);
    pci_guest_put32(bench, where + 4, count | status << 16);
}

static uint16_t
status_of(DeviceBench *bench, unsigned style, uint64_t ring, unsigned index)
{
    const uint64_t where = place(style, ring, index);

    return (uint16_t)device_bench_read(bench, where + (style == 0 ? 2 : 6), 2) &
           (style == 0 ? 0xff00 : 0xffff);
}

static uint32_t
length_of(DeviceBench *bench, unsigned style, unsigned index)
{
    const uint64_t where = place(style, RX_RING, index);

    return (uint32_t)device_bench_read(bench, where + (style == 0 ? 6 : style == 3 ? 0 : 8), 2);
}

static uint16_t
errors_of(DeviceBench *bench, unsigned style, unsigned index)
{
    const uint64_t where = place(style, TX_RING, index);

    return (uint16_t)device_bench_read(bench, where + (style == 0 ? 6 : style == 3 ? 2 : 10), 2);
}

/* Initialises the card with both rings of ENTRIES, and starts it. */
static void
start_rings(DeviceBench *bench, unsigned style, uint16_t mode)
{
    uint8_t block[28] = {(uint8_t)mode, (uint8_t)(mode >> 8)};
    const unsigned shift = style == 0 ? 0 : 2;
    const uint32_t rings[] = {RX_RING, TX_RING};

    memcpy(block + 2 + shift, own, 6);
    for (unsigned i = 0; i < 2; i++) {
        uint8_t *ring = block + (style == 0 ? 16 : 20) + 4 * i;

        ring[0] = (uint8_t)rings[i];
        ring[1] = (uint8_t)(rings[i] >> 8);
        ring[2] = (uint8_t)(rings[i] >> 16);
        if (style == 0)
            ring[3] = POWER << 5;
        else
            block[2 + i] = POWER << 4;
    }
    set_csr(bench, 0, STOP);
    set_bcr(bench, 20, (uint16_t)style);
    pci_guest_put(bench, BLOCK, block, sizeof(block));
    for (unsigned i = 0; i < ENTRIES; i++) {
        describe(bench, style, RX_RING, i, BUFFERS + 0x800 * i, 0x600, OWN);
        describe(bench, style, TX_RING, i, 0, 0, 0);
    }
    set_csr(bench, 1, BLOCK);
    set_csr(bench, 2, 0);
    set_csr(bench, 0, INIT);
    g_assert_cmphex(csr(bench, 0) & IDON, ==, IDON);
    set_csr(bench, 0, IDON | STRT | IENA);
    g_assert_cmphex(csr(bench, 0) & (STRT | STOP | IDON), ==, STRT);
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

/* --- the tests --- */

static void
test_identity(void)
{
    static const struct {
        const char *model;
        uint8_t revision;
        uint32_t chip;
    } rows[] = {{"Am79C970A", 0x10, 0x02621003}, {"Am79C973", 0x40, 0x02625003}};

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(DeviceBench) bench = start(rows[i].model);
        uint16_t sum = 0;

        g_assert_cmphex(device_bench_pci_read(bench, SLOT, 0, 0, 4), ==, 0x20001022);
        g_assert_cmphex(device_bench_pci_read(bench, SLOT, 0, 8, 4), ==,
                        0x02000000u | rows[i].revision);
        g_assert_cmphex(csr(bench, 88) | (uint32_t)csr(bench, 89) << 16, ==, rows[i].chip);
        g_assert_cmphex(csr(bench, 0), ==, STOP);
        for (unsigned j = 0; j < 16; j++)
            sum = (uint16_t)(sum + (j == 12 || j == 13 ? 0 : device_bench_read(bench, at(j), 1)));
        g_assert_cmphex(device_bench_read(bench, at(12), 2), ==, sum);
        g_assert_cmphex(device_bench_read(bench, at(14), 2), ==, 0x5757);
        g_assert_cmphex(device_bench_read(bench, at(0), 4), ==, 0x56270008);
        g_assert_cmphex(csr(bench, 14), ==, 0x1049);
    }
}

/* A write of 32 bits changes the ports' width until the machine is reset. */
static void
test_widths(void)
{
    g_autoptr(DeviceBench) bench = start("Am79C970A");

    g_assert_cmphex(bcr(bench, 18), ==, 0x9001);
    device_bench_write(bench, at(0x10), 0, 4);
    g_assert_cmphex(device_bench_read(bench, at(0x12), 2), ==, 0xffff);
    device_bench_write(bench, at(0x14), 18, 4);
    g_assert_cmphex(device_bench_read(bench, at(0x1c), 4), ==, 0x9081);
    device_bench_write(bench, at(0x14), 88, 4);
    g_assert_cmphex(device_bench_read(bench, at(0x10), 4), ==, 0x1003);
    /* The reset port leaves it. */
    device_bench_read(bench, at(0x18), 4);
    g_assert_cmphex(device_bench_read(bench, at(0x10), 4), ==, STOP);
    pdm_reset(bench->pdm);
    pci_guest_map(bench, SLOT, 1);
    g_assert_cmphex(csr(bench, 0), ==, STOP);
}

static void
clock_eeprom(DeviceBench *bench, bool bit)
{
    set_bcr(bench, 19, (uint16_t)(0x14 | bit));
    set_bcr(bench, 19, (uint16_t)(0x16 | bit));
    set_bcr(bench, 19, (uint16_t)(0x14 | bit));
}

static void
test_eeprom(void)
{
    g_autoptr(DeviceBench) bench = start("Am79C973");
    uint32_t word = 0;

    g_assert_cmphex(bcr(bench, 19) & 0xa000, ==, 0xa000);
    set_bcr(bench, 19, 0x10);
    for (unsigned i = 0; i < 9; i++)
        clock_eeprom(bench, (0x181u >> (8 - i) & 1) != 0);
    for (unsigned i = 0; i < 16; i++) {
        clock_eeprom(bench, false);
        word = word << 1 | (bcr(bench, 19) & 1);
    }
    g_assert_cmphex(word, ==, 0x5627);
    /* The PROM's image may be written where that is allowed, and read again from the EEPROM. */
    device_bench_write(bench, at(0), 0x42, 1);
    g_assert_cmphex(device_bench_read(bench, at(0), 1), ==, 8);
    set_bcr(bench, 2, bcr(bench, 2) | 0x100);
    device_bench_write(bench, at(0), 0x42, 1);
    g_assert_cmphex(device_bench_read(bench, at(0), 1), ==, 0x42);
    set_bcr(bench, 19, 0x4000);
    g_assert_cmphex(device_bench_read(bench, at(0), 1), ==, 8);
}

static void
test_link(void)
{
    g_autoptr(DeviceBench) bench = start("Am79C973"), old = start("Am79C970A");

    g_assert_cmphex(phy(bench, 1) & 0x24, ==, 0x24);
    g_assert_cmphex(phy(bench, 3), ==, 0x6b60);
    set_bcr(bench, 33, 1 << 5);
    g_assert_cmphex(bcr(bench, 34), ==, 0xffff);
    set_csr(bench, 7, 0xffff & ~0x2000);
    bench_network_link(wire(bench), false);
    g_assert_cmphex(phy(bench, 1) & 0x24, ==, 0);
    g_assert_cmphex(csr(bench, 7) & 2, ==, 2);
    bench_network_link(wire(bench), true);
    g_assert_cmphex(phy(bench, 1) & 0x24, ==, 0x24);
    /* The older card has a light for it, and no PHY. */
    g_assert_cmphex(bcr(old, 4), ==, 0x80c0);
    bench_network_link(wire(old), false);
    g_assert_cmphex(bcr(old, 4), ==, 0x00c0);
    g_assert_cmphex(phy(old, 1), ==, 0);
}

static void
test_send(gconstpointer data)
{
    const unsigned style = GPOINTER_TO_UINT(data);
    g_autoptr(DeviceBench) bench = start("Am79C970A");
    uint8_t frame[200];
    uint32_t check;
    const BenchFrame *sent;

    start_rings(bench, style, 0);
    make_frame(frame, sizeof(frame), own);
    pci_guest_put(bench, DATA, frame, sizeof(frame));
    /* In two pieces; a short one, padded; one whose check sequence is the driver's. */
    describe(bench, style, TX_RING, 0, DATA, 50, OWN | STP);
    describe(bench, style, TX_RING, 1, DATA + 50, 150, OWN | ENP);
    describe(bench, style, TX_RING, 2, DATA, 20, OWN | STP | ENP);
    set_csr(bench, 4, csr(bench, 4) | 1 << 11);
    set_csr(bench, 0, TDMD | IENA);
    g_assert_cmpuint(wire(bench)->frames->len, ==, 3 - 1);
    sent = bench_network_sent(wire(bench), 0);
    g_assert_cmpmem(sent->frame->data, sent->frame->len, frame, sizeof(frame));
    sent = bench_network_sent(wire(bench), 1);
    g_assert_cmpuint(sent->frame->len, ==, 60);
    g_assert_cmpuint(sent->frame->data[20], ==, 0);
    for (unsigned i = 0; i < 3; i++) {
        g_assert_cmphex(status_of(bench, style, TX_RING, i) & (OWN | ERR), ==, 0);
        g_assert_cmphex(errors_of(bench, style, i), ==, 0);
    }
    g_assert_cmphex(csr(bench, 0) & (TINT | INTR), ==, TINT | INTR);
    set_csr(bench, 0, TINT | IENA);
    g_assert_cmphex(csr(bench, 0) & (TINT | INTR), ==, 0);
    check = net_fcs(frame, sizeof(frame));
    pci_guest_put(bench, DATA + 200, &check, 4);
    set_csr(bench, 5, 1);
    set_csr(bench, 15, 8);
    set_csr(bench, 5, 0);
    describe(bench, style, TX_RING, 3, DATA, 204, OWN | STP | ENP);
    set_csr(bench, 0, TDMD | IENA);
    g_assert_cmpuint(bench_network_sent(wire(bench), 2)->frame->len, ==, 200);
    /* A wrong one: nobody has it. */
    pci_guest_put32(bench, DATA + 200, ~check);
    describe(bench, style, TX_RING, 4, DATA, 204, OWN | STP | ENP);
    set_csr(bench, 0, TDMD | IENA);
    g_assert_cmpuint(wire(bench)->frames->len, ==, 3);
}

static void
test_receive(gconstpointer data)
{
    const unsigned style = GPOINTER_TO_UINT(data);
    g_autoptr(DeviceBench) bench = start("Am79C970A");
    uint8_t frame[1514], got[1518];
    uint32_t check;

    start_rings(bench, style, 0);
    make_frame(frame, sizeof(frame), own);
    g_assert_true(receive(bench, frame, sizeof(frame)));
    g_assert_cmphex(csr(bench, 0) & (RINT | INTR), ==, RINT | INTR);
    pci_guest_get(bench, BUFFERS, got, sizeof(got));
    g_assert_cmpmem(got, sizeof(frame), frame, sizeof(frame));
    memcpy(&check, got + 1514, 4);
    g_assert_cmphex(check, ==, net_fcs(frame, sizeof(frame)));
    g_assert_cmpuint(length_of(bench, style, 0), ==, 1518);
    g_assert_cmphex(status_of(bench, style, RX_RING, 0), ==, STP | ENP | (style == 0 ? 0 : PAM));
    /* A short one is padded. */
    g_assert_true(receive(bench, frame, 20));
    g_assert_cmpuint(length_of(bench, style, 1), ==, 64);
    /* Through three buffers. */
    for (unsigned i = 2; i < 5; i++)
        describe(bench, style, RX_RING, i, BUFFERS + 0x200 * i, 0x200, OWN);
    g_assert_true(receive(bench, frame, 1400));
    g_assert_cmphex(status_of(bench, style, RX_RING, 2) & (OWN | STP | ENP), ==, STP);
    g_assert_cmphex(status_of(bench, style, RX_RING, 3) & (OWN | STP | ENP), ==, 0);
    g_assert_cmphex(status_of(bench, style, RX_RING, 4) & (OWN | STP | ENP), ==, ENP);
    g_assert_cmpuint(length_of(bench, style, 4), ==, 1404);
    pci_guest_get(bench, BUFFERS + 0x400, got, 1400);
    g_assert_cmpmem(got, 1400, frame, 1400);
    /* Three are left; then the frame waits until the driver acknowledges what it has emptied. */
    for (unsigned i = 0; i < 3; i++)
        g_assert_true(receive(bench, frame, 100));
    wire(bench)->ready_calls = 0;
    g_assert_false(receive(bench, frame, 100));
    set_csr(bench, 0, RINT | IENA);
    g_assert_cmpuint(wire(bench)->ready_calls, ==, 0);
    describe(bench, style, RX_RING, 0, BUFFERS, 0x600, OWN);
    set_csr(bench, 0, RINT | IENA);
    g_assert_cmpuint(wire(bench)->ready_calls, ==, 1);
    g_assert_true(receive(bench, frame, 100));
    /* Or until the card looks by itself. */
    g_assert_false(receive(bench, frame, 100));
    describe(bench, style, RX_RING, 1, BUFFERS, 0x600, OWN);
    device_bench_advance(bench, 3 * MS);
    g_assert_cmpuint(wire(bench)->ready_calls, ==, 2);
}

/* A driver that never rings finds its frames sent all the same. */
static void
test_polling(void)
{
    g_autoptr(DeviceBench) bench = start("Am79C973");
    uint8_t frame[100];

    start_rings(bench, 2, 0);
    make_frame(frame, sizeof(frame), own);
    pci_guest_put(bench, DATA, frame, sizeof(frame));
    describe(bench, 2, TX_RING, 0, DATA, 100, OWN | STP | ENP);
    device_bench_advance(bench, 60 * MS);
    g_assert_cmpuint(wire(bench)->frames->len, ==, 1);
    describe(bench, 2, TX_RING, 1, DATA, 100, OWN | STP | ENP);
    device_bench_advance(bench, 2 * MS);
    g_assert_cmpuint(wire(bench)->frames->len, ==, 2);
    /* Unless it forbids that. */
    set_csr(bench, 4, csr(bench, 4) | 1 << 12);
    describe(bench, 2, TX_RING, 2, DATA, 100, OWN | STP | ENP);
    device_bench_advance(bench, 200 * MS);
    g_assert_cmpuint(wire(bench)->frames->len, ==, 2);
}

static void
test_loopback(void)
{
    g_autoptr(DeviceBench) bench = start("Am79C973");
    uint8_t frame[100], got[104];

    start_rings(bench, 2, 0x44);
    make_frame(frame, sizeof(frame), own);
    pci_guest_put(bench, DATA, frame, sizeof(frame));
    describe(bench, 2, TX_RING, 0, DATA, 100, OWN | STP | ENP);
    set_csr(bench, 0, TDMD | IENA);
    g_assert_cmpuint(wire(bench)->frames->len, ==, 0);
    g_assert_cmpuint(length_of(bench, 2, 0), ==, 104);
    pci_guest_get(bench, BUFFERS, got, sizeof(got));
    g_assert_cmpmem(got, 100, frame, 100);
    /* A check sequence of the driver's that is wrong is seen. */
    start_rings(bench, 2, 0x4c);
    describe(bench, 2, TX_RING, 0, DATA, 100, OWN | STP | ENP);
    set_csr(bench, 0, TDMD | IENA);
    g_assert_cmphex(status_of(bench, 2, RX_RING, 0) & (OWN | ERR | 1 << 11), ==, ERR | 1 << 11);
}

static void
test_filters(void)
{
    static const uint8_t all[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    static const uint8_t group[] = {0x01, 0x00, 0x5e, 0x00, 0x00, 0xfb};
    static const uint8_t stranger[] = {0x02, 0, 0, 0, 0, 1};
    g_autoptr(DeviceBench) bench = start("Am79C973");
    const uint8_t *const to[] = {all, group, stranger, own};
    /* Which of them arrive: usually; with the group's bit; without broadcasts; all. */
    static const uint8_t wanted[] = {0x9, 0xb, 0xa, 0xf};
    const uint32_t hash = net_crc(group, 6) >> 26;
    uint8_t frame[64];

    g_assert_cmpuint(hash, ==, 0x21);
    for (unsigned i = 0; i < G_N_ELEMENTS(wanted); i++) {
        uint8_t got = 0;

        start_rings(bench, 2, i == 2 ? 1 << 14 : i == 3 ? 1 << 15 : 0);
        set_csr(bench, 5, 1);
        if (i > 0)
            set_csr(bench, 8 + hash / 16, (uint16_t)(1u << hash % 16));
        set_csr(bench, 5, 0);
        for (unsigned j = 0; j < G_N_ELEMENTS(to); j++) {
            const uint16_t before = csr(bench, 72);

            make_frame(frame, sizeof(frame), to[j]);
            g_assert_true(receive(bench, frame, sizeof(frame)));
            got |= (uint8_t)((csr(bench, 72) != before) << j);
        }
        g_assert_cmphex(got, ==, wanted[i]);
    }
    /* Stopped: everything is taken and lost. */
    set_csr(bench, 0, STOP);
    g_assert_true(receive(bench, frame, sizeof(frame)));
}

static void
test_interrupts(void)
{
    g_autoptr(DeviceBench) bench = start("Am79C973");
    uint8_t frame[64];

    start_rings(bench, 3, 0);
    make_frame(frame, sizeof(frame), own);
    set_csr(bench, 3, RINT);
    receive(bench, frame, sizeof(frame));
    g_assert_cmphex(csr(bench, 0) & (RINT | INTR), ==, RINT);
    set_csr(bench, 3, 0);
    g_assert_cmphex(csr(bench, 0) & (RINT | INTR), ==, RINT | INTR);
    set_csr(bench, 0, RINT | IENA);
    g_assert_cmphex(csr(bench, 0) & (RINT | INTR), ==, 0);
    /* By request; the timer of software. */
    set_csr(bench, 4, csr(bench, 4) | 1 << 7);
    g_assert_cmphex(csr(bench, 0) & INTR, ==, INTR);
    set_csr(bench, 4, csr(bench, 4));
    g_assert_cmphex(csr(bench, 0) & INTR, ==, 0);
    set_csr(bench, 7, 1 << 10);
    set_bcr(bench, 31, 100);
    device_bench_advance(bench, MS);
    g_assert_cmphex(csr(bench, 0) & INTR, ==, 0);
    device_bench_advance(bench, MS);
    g_assert_cmphex(csr(bench, 0) & INTR, ==, INTR);
    set_csr(bench, 7, 1 << 10 | 1 << 11);
    g_assert_cmphex(csr(bench, 0) & INTR, ==, 0);
    /* Only the last of several frames. */
    set_csr(bench, 5, 1 << 14);
    describe(bench, 3, TX_RING, 0, DATA, 64, OWN | STP | ENP);
    set_csr(bench, 0, TDMD | IENA);
    g_assert_cmphex(csr(bench, 0) & TINT, ==, 0);
    describe(bench, 3, TX_RING, 1, DATA, 64, OWN | STP | ENP | 1 << 12);
    set_csr(bench, 0, TDMD | IENA);
    g_assert_cmphex(csr(bench, 0) & TINT, ==, TINT);
}

static void
test_no_room(void)
{
    g_autoptr(DeviceBench) bench = start("Am79C973");

    start_rings(bench, 2, 0);
    for (unsigned i = 0; i < 3; i++)
        describe(bench, 2, TX_RING, i, DATA, 64, OWN | STP | ENP);
    wire(bench)->full = true;
    set_csr(bench, 0, TDMD | IENA);
    g_assert_cmphex(status_of(bench, 2, TX_RING, 0) & OWN, ==, OWN);
    wire(bench)->full = false;
    wire(bench)->port->can_send(wire(bench)->port->user);
    g_assert_cmpuint(wire(bench)->frames->len, ==, 3);
    /* A cable that is out. */
    bench_network_link(wire(bench), false);
    describe(bench, 2, TX_RING, 3, DATA, 64, OWN | STP | ENP);
    set_csr(bench, 0, TDMD | IENA);
    g_assert_cmphex(errors_of(bench, 2, 3), ==, 1 << 11);
    g_assert_cmphex(status_of(bench, 2, TX_RING, 3) & (OWN | ERR), ==, ERR);
}

/* --- the hostile guest --- */

static void
test_hostile(void)
{
    const uint32_t window = PCI_GUEST_BAR(1);
    g_autoptr(DeviceBench) bench = start("Am79C973");
    uint8_t frame[1514];
    unsigned missed;

    make_frame(frame, sizeof(frame), own);
    /* A chain that is not finished stops the transmitter, or does not. */
    start_rings(bench, 2, 0);
    describe(bench, 2, TX_RING, 0, DATA, 64, OWN | STP);
    set_csr(bench, 0, TDMD | IENA);
    g_assert_cmphex(errors_of(bench, 2, 0), ==, 3 << 14);
    g_assert_cmphex(csr(bench, 0) & TXON, ==, 0);
    start_rings(bench, 2, 0);
    set_csr(bench, 3, 1 << 6);
    describe(bench, 2, TX_RING, 0, DATA, 64, OWN | STP);
    set_csr(bench, 0, TDMD | IENA);
    g_assert_cmphex(csr(bench, 0) & TXON, ==, TXON);
    /* A ring full of pieces without an end, of pieces without a beginning. */
    for (unsigned i = 0; i < ENTRIES; i++)
        describe(bench, 2, TX_RING, i, DATA, 0, OWN | (i % 2 != 0 ? STP : 0));
    set_csr(bench, 0, TDMD | IENA);
    g_assert_cmpuint(wire(bench)->frames->len, ==, 0);
    /* What is sent comes back onto the ring, as descriptors to be sent. */
    start_rings(bench, 2, 0x8044);
    for (unsigned i = 0; i < ENTRIES; i++)
        describe(bench, 2, TX_RING, i, TX_RING, ENTRIES * 16, OWN | STP | ENP);
    for (unsigned i = 0; i < ENTRIES; i++)
        describe(bench, 2, RX_RING, i, i % 2 != 0 ? TX_RING : RX_RING, 0x600, OWN);
    set_csr(bench, 0, TDMD | IENA);
    /* Rings and block in the card's own window, beyond all memory. */
    for (unsigned i = 0; i < 4; i++) {
        start_rings(bench, i, 0);
        set_csr(bench, 5, 1);
        set_csr(bench, 24, (uint16_t)window);
        set_csr(bench, 25, i % 2 != 0 ? 0xffff : window >> 16);
        set_csr(bench, 30, (uint16_t)window);
        set_csr(bench, 31, window >> 16);
        set_csr(bench, 76, 0);
        set_csr(bench, 78, 0);
        set_csr(bench, 72, 0x7777);
        set_csr(bench, 74, 0xffff);
        set_csr(bench, 5, 0);
        set_csr(bench, 0, TDMD | IENA);
        receive(bench, frame, sizeof(frame));
        set_csr(bench, 0, STOP);
        set_csr(bench, 2, 0xffff);
        set_csr(bench, 0, INIT | STRT);
        receive(bench, frame, sizeof(frame));
    }
    /* Buffers of a byte: a ring that never holds the frame. */
    start_rings(bench, 2, 0);
    for (unsigned i = 0; i < ENTRIES; i++)
        describe(bench, 2, RX_RING, i, BUFFERS, 1, OWN);
    missed = csr(bench, 112);
    g_assert_true(receive(bench, frame, sizeof(frame)));
    g_assert_cmphex(csr(bench, 0) & MISS, ==, MISS);
    g_assert_cmpuint(csr(bench, 112), ==, missed + 1);
    /* And it works again. */
    start_rings(bench, 2, 0);
    pci_guest_put(bench, DATA, frame, sizeof(frame));
    describe(bench, 2, TX_RING, 0, DATA, 1514, OWN | STP | ENP);
    set_csr(bench, 0, TDMD | IENA);
    g_assert_cmpmem(bench_network_sent(wire(bench), 0)->frame->data, 1514, frame, 1514);
}

static void
test_random(void)
{
    static const char *const names[] = {"Am79C970A", "Am79C973"};
    uint8_t frame[1514];

    make_frame(frame, sizeof(frame), own);
    for (unsigned model = 0; model < 2; model++) {
        g_autoptr(DeviceBench) bench = start(names[model]);
        g_autoptr(GRand) random = g_rand_new_with_seed(7 + model);

        for (unsigned i = 0; i < 20000; i++) {
            const unsigned number = g_rand_int(random) % 128;
            const uint16_t value = (uint16_t)(g_rand_int(random) >> g_rand_int(random) % 32);

            if (g_rand_int(random) % 64 == 0)
                start_rings(bench, g_rand_int(random) % 4, value);
            if (g_rand_int(random) % 4 == 0)
                pci_guest_put32(
                    bench, (g_rand_boolean(random) ? TX_RING : RX_RING) + g_rand_int(random) % 128,
                    g_rand_int(random));
            if (g_rand_int(random) % 4 == 0)
                set_bcr(bench, number, number == 18 ? 0 : value);
            else
                set_csr(bench, g_rand_boolean(random) ? 0 : number, value);
            csr(bench, number);
            bcr(bench, number);
            receive(bench, frame, 60 + g_rand_int(random) % 1454);
            if (g_rand_int(random) % 16 == 0)
                device_bench_advance(bench, 100000);
            if (wire(bench)->frames->len > 100)
                g_ptr_array_set_size(wire(bench)->frames, 0);
        }
    }
}

static void
test_state(void)
{
    g_autoptr(DeviceBench) bench = start("Am79C973"), other = start("Am79C973");
    g_autoptr(GBytes) state = NULL, again = NULL;
    g_autoptr(GError) error = NULL;
    uint8_t frame[200];
    const BenchFrame *sent;

    start_rings(bench, 2, 0);
    make_frame(frame, sizeof(frame), own);
    pci_guest_put(bench, DATA, frame, sizeof(frame));
    g_assert_true(receive(bench, frame, sizeof(frame)));
    describe(bench, 2, TX_RING, 0, DATA, 200, OWN | STP | ENP);
    state = device_bench_save(bench, &error);
    g_assert_no_error(error);
    g_assert_true(device_bench_load(other, state, &error));
    g_assert_no_error(error);
    again = device_bench_save(other, &error);
    g_assert_true(g_bytes_equal(state, again));
    g_assert_cmphex(csr(other, 0) & (RINT | RXON), ==, RINT | RXON);
    set_csr(other, 0, TDMD | IENA);
    sent = bench_network_sent(wire(other), 0);
    g_assert_cmpmem(sent->frame->data, sent->frame->len, frame, sizeof(frame));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/pcnet/identity", test_identity);
    g_test_add_func("/pcnet/widths", test_widths);
    g_test_add_func("/pcnet/eeprom", test_eeprom);
    g_test_add_func("/pcnet/link", test_link);
    for (unsigned style = 0; style < 4; style++) {
        g_autofree char *send = g_strdup_printf("/pcnet/send/%u", style);
        g_autofree char *receives = g_strdup_printf("/pcnet/receive/%u", style);

        g_test_add_data_func(send, GUINT_TO_POINTER(style), test_send);
        g_test_add_data_func(receives, GUINT_TO_POINTER(style), test_receive);
    }
    g_test_add_func("/pcnet/polling", test_polling);
    g_test_add_func("/pcnet/loopback", test_loopback);
    g_test_add_func("/pcnet/filters", test_filters);
    g_test_add_func("/pcnet/interrupts", test_interrupts);
    g_test_add_func("/pcnet/no-room", test_no_room);
    g_test_add_func("/pcnet/hostile", test_hostile);
    g_test_add_func("/pcnet/random", test_random);
    g_test_add_func("/pcnet/state", test_state);
    return g_test_run();
}
