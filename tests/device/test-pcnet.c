/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The PCnet cards: both widths of their ports, the address PROM and EEPROM, the PHY, all software
 * styles with both rings, loopback, address filters, interrupts and their masks, the cable. */
#include "devices/network/net-crc.h"
#include "tests/device/pcnet-guest.h"

#include <string.h>

#define MS 1000000ull

static uint16_t
phy(DeviceBench *bench, unsigned number)
{
    pcnet_guest_set_bcr(bench, 33, (uint16_t)(30 << 5 | number));
    return pcnet_guest_bcr(bench, 34);
}

static uint32_t
length_of(DeviceBench *bench, unsigned style, unsigned index)
{
    const uint64_t where = pcnet_guest_place(style, RX_RING, index);

    return (uint32_t)device_bench_read(bench, where + (style == 0 ? 6 : style == 3 ? 0 : 8), 2);
}

static void
test_identity(void)
{
    static const struct {
        const char *model;
        uint8_t revision;
        uint32_t chip;
    } rows[] = {{"Am79C970A", 0x10, 0x02621003}, {"Am79C973", 0x40, 0x02625003}};

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(DeviceBench) bench = pcnet_guest_start(rows[i].model);
        uint16_t sum = 0;

        g_assert_cmphex(device_bench_pci_read(bench, NET_GUEST_SLOT, 0, 0, 4), ==, 0x20001022);
        g_assert_cmphex(device_bench_pci_read(bench, NET_GUEST_SLOT, 0, 8, 4), ==,
                        0x02000000u | rows[i].revision);
        g_assert_cmphex(pcnet_guest_csr(bench, 88) | (uint32_t)pcnet_guest_csr(bench, 89) << 16, ==,
                        rows[i].chip);
        g_assert_cmphex(pcnet_guest_csr(bench, 0), ==, STOP);
        for (unsigned j = 0; j < 16; j++)
            sum = (uint16_t)(sum + (j == 12 || j == 13
                                        ? 0
                                        : device_bench_read(bench, pcnet_guest_at(j), 1)));
        g_assert_cmphex(device_bench_read(bench, pcnet_guest_at(12), 2), ==, sum);
        g_assert_cmphex(device_bench_read(bench, pcnet_guest_at(14), 2), ==, 0x5757);
        g_assert_cmphex(device_bench_read(bench, pcnet_guest_at(0), 4), ==, 0x56270008);
        g_assert_cmphex(pcnet_guest_csr(bench, 14), ==, 0x1049);
    }
}

/* A write of 32 bits changes the ports' width until the machine is reset. */
static void
test_widths(void)
{
    g_autoptr(DeviceBench) bench = pcnet_guest_start("Am79C970A");

    g_assert_cmphex(pcnet_guest_bcr(bench, 18), ==, 0x9001);
    device_bench_write(bench, pcnet_guest_at(0x10), 0, 4);
    g_assert_cmphex(device_bench_read(bench, pcnet_guest_at(0x12), 2), ==, 0xffff);
    device_bench_write(bench, pcnet_guest_at(0x14), 18, 4);
    g_assert_cmphex(device_bench_read(bench, pcnet_guest_at(0x1c), 4), ==, 0x9081);
    device_bench_write(bench, pcnet_guest_at(0x14), 88, 4);
    g_assert_cmphex(device_bench_read(bench, pcnet_guest_at(0x10), 4), ==, 0x1003);
    /* The reset port leaves it. */
    device_bench_read(bench, pcnet_guest_at(0x18), 4);
    g_assert_cmphex(device_bench_read(bench, pcnet_guest_at(0x10), 4), ==, STOP);
    pdm_reset(bench->pdm);
    pci_guest_map(bench, NET_GUEST_SLOT, 1);
    g_assert_cmphex(pcnet_guest_csr(bench, 0), ==, STOP);
}

static void
clock_eeprom(DeviceBench *bench, bool bit)
{
    pcnet_guest_set_bcr(bench, 19, (uint16_t)(0x14 | bit));
    pcnet_guest_set_bcr(bench, 19, (uint16_t)(0x16 | bit));
    pcnet_guest_set_bcr(bench, 19, (uint16_t)(0x14 | bit));
}

static void
test_eeprom(void)
{
    g_autoptr(DeviceBench) bench = pcnet_guest_start("Am79C973");
    uint32_t word = 0;

    g_assert_cmphex(pcnet_guest_bcr(bench, 19) & 0xa000, ==, 0xa000);
    pcnet_guest_set_bcr(bench, 19, 0x10);
    for (unsigned i = 0; i < 9; i++)
        clock_eeprom(bench, (0x181u >> (8 - i) & 1) != 0);
    for (unsigned i = 0; i < 16; i++) {
        clock_eeprom(bench, false);
        word = word << 1 | (pcnet_guest_bcr(bench, 19) & 1);
    }
    g_assert_cmphex(word, ==, 0x5627);
    /* The PROM's image may be written where that is allowed, and read again from the EEPROM. */
    device_bench_write(bench, pcnet_guest_at(0), 0x42, 1);
    g_assert_cmphex(device_bench_read(bench, pcnet_guest_at(0), 1), ==, 8);
    pcnet_guest_set_bcr(bench, 2, pcnet_guest_bcr(bench, 2) | 0x100);
    device_bench_write(bench, pcnet_guest_at(0), 0x42, 1);
    g_assert_cmphex(device_bench_read(bench, pcnet_guest_at(0), 1), ==, 0x42);
    pcnet_guest_set_bcr(bench, 19, 0x4000);
    g_assert_cmphex(device_bench_read(bench, pcnet_guest_at(0), 1), ==, 8);
}

static void
test_link(void)
{
    g_autoptr(DeviceBench) bench = pcnet_guest_start("Am79C973"),
                           old = pcnet_guest_start("Am79C970A");

    g_assert_cmphex(phy(bench, 1) & 0x24, ==, 0x24);
    g_assert_cmphex(phy(bench, 3), ==, 0x6b60);
    pcnet_guest_set_bcr(bench, 33, 1 << 5);
    g_assert_cmphex(pcnet_guest_bcr(bench, 34), ==, 0xffff);
    pcnet_guest_set_csr(bench, 7, 0xffff & ~0x2000);
    bench_network_link(net_guest_wire(bench, "pcnet"), false);
    g_assert_cmphex(phy(bench, 1) & 0x24, ==, 0);
    g_assert_cmphex(pcnet_guest_csr(bench, 7) & 2, ==, 2);
    bench_network_link(net_guest_wire(bench, "pcnet"), true);
    g_assert_cmphex(phy(bench, 1) & 0x24, ==, 0x24);
    /* The older card has a light for it, and no PHY. */
    g_assert_cmphex(pcnet_guest_bcr(old, 4), ==, 0x80c0);
    bench_network_link(net_guest_wire(old, "pcnet"), false);
    g_assert_cmphex(pcnet_guest_bcr(old, 4), ==, 0x00c0);
    g_assert_cmphex(phy(old, 1), ==, 0);
}

static void
test_send(gconstpointer data)
{
    const unsigned style = GPOINTER_TO_UINT(data);
    g_autoptr(DeviceBench) bench = pcnet_guest_start("Am79C970A");
    uint8_t frame[200];
    uint32_t check;
    const BenchFrame *sent;

    pcnet_guest_rings(bench, style, 0);
    net_guest_frame(frame, sizeof(frame), net_guest_own);
    pci_guest_put(bench, DATA, frame, sizeof(frame));
    /* In two pieces; a short one, padded; one whose check sequence is the driver's. */
    pcnet_guest_describe(bench, style, TX_RING, 0, DATA, 50, OWN | STP);
    pcnet_guest_describe(bench, style, TX_RING, 1, DATA + 50, 150, OWN | ENP);
    pcnet_guest_describe(bench, style, TX_RING, 2, DATA, 20, OWN | STP | ENP);
    pcnet_guest_set_csr(bench, 4, pcnet_guest_csr(bench, 4) | 1 << 11);
    pcnet_guest_set_csr(bench, 0, TDMD | IENA);
    g_assert_cmpuint(net_guest_wire(bench, "pcnet")->frames->len, ==, 3 - 1);
    sent = bench_network_sent(net_guest_wire(bench, "pcnet"), 0);
    g_assert_cmpmem(sent->frame->data, sent->frame->len, frame, sizeof(frame));
    sent = bench_network_sent(net_guest_wire(bench, "pcnet"), 1);
    g_assert_cmpuint(sent->frame->len, ==, 60);
    g_assert_cmpuint(sent->frame->data[20], ==, 0);
    for (unsigned i = 0; i < 3; i++) {
        g_assert_cmphex(pcnet_guest_status_of(bench, style, TX_RING, i) & (OWN | ERR), ==, 0);
        g_assert_cmphex(pcnet_guest_errors_of(bench, style, i), ==, 0);
    }
    g_assert_cmphex(pcnet_guest_csr(bench, 0) & (TINT | INTR), ==, TINT | INTR);
    pcnet_guest_set_csr(bench, 0, TINT | IENA);
    g_assert_cmphex(pcnet_guest_csr(bench, 0) & (TINT | INTR), ==, 0);
    check = net_fcs(frame, sizeof(frame));
    pci_guest_put(bench, DATA + 200, &check, 4);
    pcnet_guest_set_csr(bench, 5, 1);
    pcnet_guest_set_csr(bench, 15, 8);
    pcnet_guest_set_csr(bench, 5, 0);
    pcnet_guest_describe(bench, style, TX_RING, 3, DATA, 204, OWN | STP | ENP);
    pcnet_guest_set_csr(bench, 0, TDMD | IENA);
    g_assert_cmpuint(bench_network_sent(net_guest_wire(bench, "pcnet"), 2)->frame->len, ==, 200);
    /* A wrong one: nobody has it. */
    pci_guest_put32(bench, DATA + 200, ~check);
    pcnet_guest_describe(bench, style, TX_RING, 4, DATA, 204, OWN | STP | ENP);
    pcnet_guest_set_csr(bench, 0, TDMD | IENA);
    g_assert_cmpuint(net_guest_wire(bench, "pcnet")->frames->len, ==, 3);
}

static void
test_receive(gconstpointer data)
{
    const unsigned style = GPOINTER_TO_UINT(data);
    g_autoptr(DeviceBench) bench = pcnet_guest_start("Am79C970A");
    uint8_t frame[1514], got[1518];
    uint32_t check;

    pcnet_guest_rings(bench, style, 0);
    net_guest_frame(frame, sizeof(frame), net_guest_own);
    g_assert_true(pcnet_guest_receive(bench, frame, sizeof(frame)));
    g_assert_cmphex(pcnet_guest_csr(bench, 0) & (RINT | INTR), ==, RINT | INTR);
    pci_guest_get(bench, BUFFERS, got, sizeof(got));
    g_assert_cmpmem(got, sizeof(frame), frame, sizeof(frame));
    memcpy(&check, got + 1514, 4);
    g_assert_cmphex(check, ==, net_fcs(frame, sizeof(frame)));
    g_assert_cmpuint(length_of(bench, style, 0), ==, 1518);
    g_assert_cmphex(pcnet_guest_status_of(bench, style, RX_RING, 0), ==,
                    STP | ENP | (style == 0 ? 0 : PAM));
    /* A short one is padded. */
    g_assert_true(pcnet_guest_receive(bench, frame, 20));
    g_assert_cmpuint(length_of(bench, style, 1), ==, 64);
    /* Through three buffers. */
    for (unsigned i = 2; i < 5; i++)
        pcnet_guest_describe(bench, style, RX_RING, i, BUFFERS + 0x200 * i, 0x200, OWN);
    g_assert_true(pcnet_guest_receive(bench, frame, 1400));
    g_assert_cmphex(pcnet_guest_status_of(bench, style, RX_RING, 2) & (OWN | STP | ENP), ==, STP);
    g_assert_cmphex(pcnet_guest_status_of(bench, style, RX_RING, 3) & (OWN | STP | ENP), ==, 0);
    g_assert_cmphex(pcnet_guest_status_of(bench, style, RX_RING, 4) & (OWN | STP | ENP), ==, ENP);
    g_assert_cmpuint(length_of(bench, style, 4), ==, 1404);
    pci_guest_get(bench, BUFFERS + 0x400, got, 1400);
    g_assert_cmpmem(got, 1400, frame, 1400);
    /* Three are left; then the frame waits until the driver acknowledges what it has emptied. */
    for (unsigned i = 0; i < 3; i++)
        g_assert_true(pcnet_guest_receive(bench, frame, 100));
    net_guest_wire(bench, "pcnet")->ready_calls = 0;
    g_assert_false(pcnet_guest_receive(bench, frame, 100));
    pcnet_guest_set_csr(bench, 0, RINT | IENA);
    g_assert_cmpuint(net_guest_wire(bench, "pcnet")->ready_calls, ==, 0);
    pcnet_guest_describe(bench, style, RX_RING, 0, BUFFERS, 0x600, OWN);
    pcnet_guest_set_csr(bench, 0, RINT | IENA);
    g_assert_cmpuint(net_guest_wire(bench, "pcnet")->ready_calls, ==, 1);
    g_assert_true(pcnet_guest_receive(bench, frame, 100));
    /* Or until the card looks by itself. */
    g_assert_false(pcnet_guest_receive(bench, frame, 100));
    pcnet_guest_describe(bench, style, RX_RING, 1, BUFFERS, 0x600, OWN);
    device_bench_advance(bench, 3 * MS);
    g_assert_cmpuint(net_guest_wire(bench, "pcnet")->ready_calls, ==, 2);
}

/* A driver that never rings finds its frames sent all the same. */
static void
test_polling(void)
{
    g_autoptr(DeviceBench) bench = pcnet_guest_start("Am79C973");
    uint8_t frame[100];

    pcnet_guest_rings(bench, 2, 0);
    net_guest_frame(frame, sizeof(frame), net_guest_own);
    pci_guest_put(bench, DATA, frame, sizeof(frame));
    pcnet_guest_describe(bench, 2, TX_RING, 0, DATA, 100, OWN | STP | ENP);
    device_bench_advance(bench, 60 * MS);
    g_assert_cmpuint(net_guest_wire(bench, "pcnet")->frames->len, ==, 1);
    pcnet_guest_describe(bench, 2, TX_RING, 1, DATA, 100, OWN | STP | ENP);
    device_bench_advance(bench, 2 * MS);
    g_assert_cmpuint(net_guest_wire(bench, "pcnet")->frames->len, ==, 2);
    /* Unless it forbids that. */
    pcnet_guest_set_csr(bench, 4, pcnet_guest_csr(bench, 4) | 1 << 12);
    pcnet_guest_describe(bench, 2, TX_RING, 2, DATA, 100, OWN | STP | ENP);
    device_bench_advance(bench, 200 * MS);
    g_assert_cmpuint(net_guest_wire(bench, "pcnet")->frames->len, ==, 2);
}

static void
test_loopback(void)
{
    g_autoptr(DeviceBench) bench = pcnet_guest_start("Am79C973");
    uint8_t frame[100], got[104];

    pcnet_guest_rings(bench, 2, 0x44);
    net_guest_frame(frame, sizeof(frame), net_guest_own);
    pci_guest_put(bench, DATA, frame, sizeof(frame));
    pcnet_guest_describe(bench, 2, TX_RING, 0, DATA, 100, OWN | STP | ENP);
    pcnet_guest_set_csr(bench, 0, TDMD | IENA);
    g_assert_cmpuint(net_guest_wire(bench, "pcnet")->frames->len, ==, 0);
    g_assert_cmpuint(length_of(bench, 2, 0), ==, 104);
    pci_guest_get(bench, BUFFERS, got, sizeof(got));
    g_assert_cmpmem(got, 100, frame, 100);
    /* A check sequence of the driver's that is wrong is seen. */
    pcnet_guest_rings(bench, 2, 0x4c);
    pcnet_guest_describe(bench, 2, TX_RING, 0, DATA, 100, OWN | STP | ENP);
    pcnet_guest_set_csr(bench, 0, TDMD | IENA);
    g_assert_cmphex(pcnet_guest_status_of(bench, 2, RX_RING, 0) & (OWN | ERR | 1 << 11), ==,
                    ERR | 1 << 11);
}

static void
test_filters(void)
{
    static const uint8_t all[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    static const uint8_t group[] = {0x01, 0x00, 0x5e, 0x00, 0x00, 0xfb};
    static const uint8_t stranger[] = {0x02, 0, 0, 0, 0, 1};
    g_autoptr(DeviceBench) bench = pcnet_guest_start("Am79C973");
    const uint8_t *const to[] = {all, group, stranger, net_guest_own};
    /* Which of them arrive: usually; with the group's bit; without broadcasts; all. */
    static const uint8_t wanted[] = {0x9, 0xb, 0xa, 0xf};
    const uint32_t hash = net_crc(group, 6) >> 26;
    uint8_t frame[64];

    g_assert_cmpuint(hash, ==, 0x21);
    for (unsigned i = 0; i < G_N_ELEMENTS(wanted); i++) {
        uint8_t got = 0;

        pcnet_guest_rings(bench, 2, i == 2 ? 1 << 14 : i == 3 ? 1 << 15 : 0);
        pcnet_guest_set_csr(bench, 5, 1);
        if (i > 0)
            pcnet_guest_set_csr(bench, 8 + hash / 16, (uint16_t)(1u << hash % 16));
        pcnet_guest_set_csr(bench, 5, 0);
        for (unsigned j = 0; j < G_N_ELEMENTS(to); j++) {
            const uint16_t before = pcnet_guest_csr(bench, 72);

            net_guest_frame(frame, sizeof(frame), to[j]);
            g_assert_true(pcnet_guest_receive(bench, frame, sizeof(frame)));
            got |= (uint8_t)((pcnet_guest_csr(bench, 72) != before) << j);
        }
        g_assert_cmphex(got, ==, wanted[i]);
    }
    /* Stopped: everything is taken and lost. */
    pcnet_guest_set_csr(bench, 0, STOP);
    g_assert_true(pcnet_guest_receive(bench, frame, sizeof(frame)));
}

static void
test_interrupts(void)
{
    g_autoptr(DeviceBench) bench = pcnet_guest_start("Am79C973");
    uint8_t frame[64];

    pcnet_guest_rings(bench, 3, 0);
    net_guest_frame(frame, sizeof(frame), net_guest_own);
    pcnet_guest_set_csr(bench, 3, RINT);
    pcnet_guest_receive(bench, frame, sizeof(frame));
    g_assert_cmphex(pcnet_guest_csr(bench, 0) & (RINT | INTR), ==, RINT);
    pcnet_guest_set_csr(bench, 3, 0);
    g_assert_cmphex(pcnet_guest_csr(bench, 0) & (RINT | INTR), ==, RINT | INTR);
    pcnet_guest_set_csr(bench, 0, RINT | IENA);
    g_assert_cmphex(pcnet_guest_csr(bench, 0) & (RINT | INTR), ==, 0);
    /* By request; the timer of software. */
    pcnet_guest_set_csr(bench, 4, pcnet_guest_csr(bench, 4) | 1 << 7);
    g_assert_cmphex(pcnet_guest_csr(bench, 0) & INTR, ==, INTR);
    pcnet_guest_set_csr(bench, 4, pcnet_guest_csr(bench, 4));
    g_assert_cmphex(pcnet_guest_csr(bench, 0) & INTR, ==, 0);
    pcnet_guest_set_csr(bench, 7, 1 << 10);
    pcnet_guest_set_bcr(bench, 31, 100);
    device_bench_advance(bench, MS);
    g_assert_cmphex(pcnet_guest_csr(bench, 0) & INTR, ==, 0);
    device_bench_advance(bench, MS);
    g_assert_cmphex(pcnet_guest_csr(bench, 0) & INTR, ==, INTR);
    pcnet_guest_set_csr(bench, 7, 1 << 10 | 1 << 11);
    g_assert_cmphex(pcnet_guest_csr(bench, 0) & INTR, ==, 0);
    /* Only the last of several frames. */
    pcnet_guest_set_csr(bench, 5, 1 << 14);
    pcnet_guest_describe(bench, 3, TX_RING, 0, DATA, 64, OWN | STP | ENP);
    pcnet_guest_set_csr(bench, 0, TDMD | IENA);
    g_assert_cmphex(pcnet_guest_csr(bench, 0) & TINT, ==, 0);
    pcnet_guest_describe(bench, 3, TX_RING, 1, DATA, 64, OWN | STP | ENP | 1 << 12);
    pcnet_guest_set_csr(bench, 0, TDMD | IENA);
    g_assert_cmphex(pcnet_guest_csr(bench, 0) & TINT, ==, TINT);
}

static void
test_no_room(void)
{
    g_autoptr(DeviceBench) bench = pcnet_guest_start("Am79C973");

    pcnet_guest_rings(bench, 2, 0);
    for (unsigned i = 0; i < 3; i++)
        pcnet_guest_describe(bench, 2, TX_RING, i, DATA, 64, OWN | STP | ENP);
    net_guest_wire(bench, "pcnet")->full = true;
    pcnet_guest_set_csr(bench, 0, TDMD | IENA);
    g_assert_cmphex(pcnet_guest_status_of(bench, 2, TX_RING, 0) & OWN, ==, OWN);
    net_guest_wire(bench, "pcnet")->full = false;
    net_guest_wire(bench, "pcnet")->port->can_send(net_guest_wire(bench, "pcnet")->port->user);
    g_assert_cmpuint(net_guest_wire(bench, "pcnet")->frames->len, ==, 3);
    /* A cable that is out. */
    bench_network_link(net_guest_wire(bench, "pcnet"), false);
    pcnet_guest_describe(bench, 2, TX_RING, 3, DATA, 64, OWN | STP | ENP);
    pcnet_guest_set_csr(bench, 0, TDMD | IENA);
    g_assert_cmphex(pcnet_guest_errors_of(bench, 2, 3), ==, 1 << 11);
    g_assert_cmphex(pcnet_guest_status_of(bench, 2, TX_RING, 3) & (OWN | ERR), ==, ERR);
}

/* --- the hostile guest --- */

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
    return g_test_run();
}
