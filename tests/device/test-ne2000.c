/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The NE2000: its PROM, memory through the data port, the ring with its headers and its end,
 * sending, filters, interrupts, hostile rings, saved state. */
#include "devices/network/net-crc.h"
#include "tests/device/net-guest.h"

#include <string.h>

#define CARD "ne2000"
#define BASE 0x300u
#define IRQ 3u
#define SEND_PAGE 0x40u
#define FIRST 0x46u
#define STOP 0x80u

enum { RECEIVED = 1, SENT = 2, DONE = 0x40, RESET = 0x80 };

static uint8_t
in(DeviceBench *bench, unsigned port)
{
    return device_bench_in8(bench, (uint16_t)(BASE + port));
}

static void
out(DeviceBench *bench, unsigned port, uint8_t value)
{
    device_bench_out8(bench, (uint16_t)(BASE + port), value);
}

static void
begin_remote(DeviceBench *bench, uint8_t command, uint16_t at, uint16_t size)
{
    out(bench, 8, (uint8_t)at);
    out(bench, 9, (uint8_t)(at >> 8));
    out(bench, 10, (uint8_t)size);
    out(bench, 11, (uint8_t)(size >> 8));
    out(bench, 0, command);
}

static void
read_memory(DeviceBench *bench, uint16_t at, uint8_t *data, uint16_t size)
{
    begin_remote(bench, 0x0a, at, size);
    for (unsigned i = 0; i < size; i += 2) {
        const uint32_t word = device_bench_in16(bench, BASE + 0x10);

        data[i] = (uint8_t)word;
        if (i + 1 < size)
            data[i + 1] = (uint8_t)(word >> 8);
    }
}

static void
write_memory(DeviceBench *bench, uint16_t at, const uint8_t *data, uint16_t size)
{
    begin_remote(bench, 0x12, at, size);
    for (unsigned i = 0; i < size; i += 2)
        device_bench_out16(bench, BASE + 0x10, (uint16_t)(data[i] | data[i + 1] << 8));
}

/* As a driver starts the card: words, a ring from FIRST to STOP, broadcasts. */
static void
start_chip(DeviceBench *bench)
{
    out(bench, 0, 0x21);
    out(bench, 14, 0x49);
    out(bench, 12, 0x04);
    out(bench, 13, 0x00);
    out(bench, 4, SEND_PAGE);
    out(bench, 1, FIRST);
    out(bench, 2, STOP);
    out(bench, 3, STOP - 1);
    out(bench, 7, 0xff);
    out(bench, 15, 0x3f);
    out(bench, 0, 0x61);
    for (unsigned i = 0; i < 6; i++)
        out(bench, 1 + i, net_guest_own[i]);
    out(bench, 7, FIRST);
    out(bench, 0, 0x22);
}

static uint8_t
current(DeviceBench *bench)
{
    uint8_t page;

    out(bench, 0, 0x62);
    page = in(bench, 7);
    out(bench, 0, 0x22);
    return page;
}

static bool
receive(DeviceBench *bench, const uint8_t *frame, size_t size)
{
    return net_guest_receive(bench, CARD, frame, size, NULL);
}

static void
test_prom(void)
{
    g_autoptr(DeviceBench) bench = net_guest_bench(CARD, NULL, NULL);

    g_assert_cmphex(in(bench, 0), ==, 0x21);
    in(bench, 0x1f);
    out(bench, 0x1f, 0);
    g_assert_cmphex(in(bench, 7), ==, RESET);
    out(bench, 0, 0x22);
    out(bench, 14, 0x48); /* bytes */
    begin_remote(bench, 0x0a, 0, 32);
    for (unsigned i = 0; i < 32; i++)
        g_assert_cmphex(in(bench, 0x10), ==, i < 12 ? net_guest_own[i / 2] : i < 28 ? 0 : 'W');
    g_assert_cmphex(in(bench, 7) & DONE, ==, DONE);
}

static void
test_memory(void)
{
    g_autoptr(DeviceBench) bench = net_guest_bench(CARD, NULL, NULL);
    uint8_t data[600], got[600];

    start_chip(bench);
    pci_guest_pattern(data, sizeof(data), 9);
    write_memory(bench, 0x4000, data, sizeof(data));
    g_assert_cmphex(in(bench, 7) & DONE, ==, DONE);
    read_memory(bench, 0x4000, got, sizeof(got));
    g_assert_cmpmem(got, sizeof(got), data, sizeof(data));
    /* Nothing is there, and nothing remembers. */
    write_memory(bench, 0x8000, data, 16);
    write_memory(bench, 0x3ff0, data, 16);
    read_memory(bench, 0x8000, got, 16);
    g_assert_cmphex(got[0] & got[15], ==, 0xff);
    read_memory(bench, 0x4000, got, 2);
    g_assert_cmpmem(got, 2, data, 2);
    /* Where the ring ends, reading goes on at its beginning. */
    write_memory(bench, FIRST << 8, data + 100, 10);
    write_memory(bench, (STOP << 8) - 10, data, 10);
    read_memory(bench, (STOP << 8) - 10, got, 20);
    g_assert_cmpmem(got, 10, data, 10);
    g_assert_cmpmem(got + 10, 10, data + 100, 10);
}

static void
test_send(void)
{
    g_autoptr(DeviceBench) bench = net_guest_bench(CARD, NULL, NULL);
    uint8_t frame[600];
    const BenchFrame *sent;

    start_chip(bench);
    net_guest_frame(frame, sizeof(frame), net_guest_own);
    write_memory(bench, SEND_PAGE << 8, frame, sizeof(frame));
    out(bench, 7, 0xff);
    out(bench, 5, (uint8_t)sizeof(frame));
    out(bench, 6, sizeof(frame) >> 8);
    net_guest_wire(bench, CARD)->full = true;
    out(bench, 0, 0x26);
    g_assert_cmphex(in(bench, 0), ==, 0x26);
    g_assert_false(device_bench_irq(bench, IRQ));
    net_guest_wire(bench, CARD)->full = false;
    net_guest_wire(bench, CARD)->port->can_send(net_guest_wire(bench, CARD)->port->user);
    g_assert_cmphex(in(bench, 0), ==, 0x22);
    g_assert_cmphex(in(bench, 7), ==, SENT);
    g_assert_true(device_bench_irq(bench, IRQ));
    g_assert_cmphex(in(bench, 4), ==, 1);
    sent = bench_network_sent(net_guest_wire(bench, CARD), 0);
    g_assert_cmpmem(sent->frame->data, sent->frame->len, frame, sizeof(frame));
    out(bench, 7, SENT);
    g_assert_false(device_bench_irq(bench, IRQ));
    /* Longer than any, looped back, without a carrier: nobody has them, and the card is done. */
    out(bench, 6, 0xff);
    out(bench, 0, 0x26);
    out(bench, 6, 1);
    out(bench, 13, 2);
    out(bench, 0, 0x26);
    out(bench, 13, 0);
    bench_network_link(net_guest_wire(bench, CARD), false);
    out(bench, 0, 0x26);
    g_assert_cmphex(in(bench, 4), ==, 0x11);
    g_assert_cmpuint(net_guest_wire(bench, CARD)->frames->len, ==, 1);
}

static void
test_receive(void)
{
    g_autoptr(DeviceBench) bench = net_guest_bench(CARD, NULL, NULL);
    uint8_t frame[1514], got[1522];
    uint32_t check;
    unsigned frames = 2;

    start_chip(bench);
    net_guest_frame(frame, sizeof(frame), net_guest_own);
    g_assert_true(receive(bench, frame, sizeof(frame)));
    g_assert_cmphex(in(bench, 7), ==, RECEIVED);
    g_assert_true(device_bench_irq(bench, IRQ));
    g_assert_cmphex(current(bench), ==, FIRST + 6);
    read_memory(bench, FIRST << 8, got, sizeof(got));
    g_assert_cmphex(got[0], ==, 1);
    g_assert_cmphex(got[1], ==, FIRST + 6);
    g_assert_cmpuint(got[2] | got[3] << 8, ==, 1518);
    g_assert_cmpmem(got + 4, 1514, frame, 1514);
    memcpy(&check, got + 1518, 4);
    g_assert_cmphex(check, ==, net_fcs(frame, sizeof(frame)));
    g_assert_true(receive(bench, frame, 20));
    read_memory(bench, (FIRST + 6) << 8, got, 4);
    g_assert_cmpuint(got[2] | got[3] << 8, ==, 64);
    /* Until the ring is full; then they wait for the boundary. */
    while (receive(bench, frame, sizeof(frame)))
        frames++;
    g_assert_cmpuint(frames, ==, 2 + 8);
    net_guest_wire(bench, CARD)->ready_calls = 0;
    out(bench, 3, FIRST + 12);
    g_assert_cmpuint(net_guest_wire(bench, CARD)->ready_calls, ==, 1);
    /* The next one goes through the ring's end. */
    g_assert_cmphex(current(bench), ==, FIRST + 7 + 8 * 6);
    g_assert_true(receive(bench, frame, sizeof(frame)));
    g_assert_cmphex(current(bench), ==, FIRST + 3);
    read_memory(bench, (FIRST + 7 + 8 * 6) << 8, got, sizeof(got));
    g_assert_cmphex(got[1], ==, FIRST + 3);
    g_assert_cmpmem(got + 4, 1514, frame, 1514);
    /* "Send packet" reads the one at the boundary without being told where. */
    out(bench, 3, FIRST + 7 + 8 * 6);
    out(bench, 0, 0x1a);
    g_assert_cmphex(device_bench_in16(bench, BASE + 0x10), ==, 0x0001 | (FIRST + 3) << 8);
    g_assert_cmphex(in(bench, 3), ==, FIRST + 3);
}

static void
test_filters(void)
{
    static const uint8_t all[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    static const uint8_t group[] = {0x01, 0x00, 0x5e, 0x00, 0x00, 0xfb};
    static const uint8_t stranger[] = {0x02, 0, 0, 0, 0, 1};
    g_autoptr(DeviceBench) bench = net_guest_bench(CARD, NULL, NULL);
    const uint8_t *const to[] = {all, group, stranger, net_guest_own};
    static const uint8_t modes[] = {0x04, 0x0c, 0x00, 0x1c, 0x3c};
    static const uint8_t wanted[] = {0x9, 0xb, 0x8, 0xf, 0x0};
    uint8_t frame[64];

    for (unsigned i = 0; i < G_N_ELEMENTS(modes); i++) {
        uint8_t got = 0;

        start_chip(bench);
        out(bench, 12, modes[i]);
        g_assert_true(net_guest_wire(bench, CARD)->promiscuous == ((modes[i] & 0x10) != 0));
        /* Linux's own value for this group: the CRC's six highest bits are 0x21 from the other end.
         */
        out(bench, 0, 0x62);
        out(bench, 8 + 0x0f / 8, 1 << 0x0f % 8);
        out(bench, 0, 0x22);
        for (unsigned j = 0; j < G_N_ELEMENTS(to); j++) {
            const uint8_t before = current(bench);

            net_guest_frame(frame, sizeof(frame), to[j]);
            g_assert_true(receive(bench, frame, sizeof(frame)));
            got |= (uint8_t)((current(bench) != before) << j);
        }
        g_assert_cmphex(got, ==, wanted[i]);
    }
    /* The last ones were only counted. */
    g_assert_cmpuint(in(bench, 15), ==, 4);
    g_assert_cmpuint(in(bench, 15), ==, 0);
    out(bench, 0, 0x21);
    g_assert_true(receive(bench, frame, sizeof(frame)));
    g_assert_cmphex(in(bench, 7) & RESET, ==, RESET);
}

static void
touch(DeviceBench *bench, GRand *random, uint16_t port, unsigned kind)
{
    const uint32_t value = g_rand_int(random);

    switch (kind + 3 * (unsigned)g_rand_boolean(random)) {
    case 0: device_bench_in8(bench, port); break;
    case 1: device_bench_in16(bench, port); break;
    case 2: device_bench_in32(bench, port); break;
    case 3: device_bench_out8(bench, port, (uint8_t)value); break;
    case 4: device_bench_out16(bench, port, (uint16_t)value); break;
    default: device_bench_out32(bench, port, value); break;
    }
}

static void
test_random(void)
{
    g_autoptr(DeviceBench) bench = net_guest_bench(CARD, NULL, NULL);
    g_autoptr(GRand) random = g_rand_new_with_seed(5);
    uint8_t frame[1514];

    net_guest_frame(frame, sizeof(frame), net_guest_own);
    for (unsigned i = 0; i < 60000; i++) {
        const uint16_t port = (uint16_t)(BASE + g_rand_int(random) % 0x20);
        const unsigned kind = g_rand_int(random) % 3;

        if (g_rand_int(random) % 128 == 0)
            start_chip(bench);
        if (port < BASE + 0x18 || g_rand_int(random) % 64 == 0) {
            touch(bench, random, port, kind);
        }
        receive(bench, frame, 14 + g_rand_int(random) % 1500);
        if (net_guest_wire(bench, CARD)->frames->len > 100)
            g_ptr_array_set_size(net_guest_wire(bench, CARD)->frames, 0);
    }
    /* And it works again. */
    start_chip(bench);
    g_assert_true(receive(bench, frame, sizeof(frame)));
    g_assert_cmphex(current(bench), ==, FIRST + 6);
}

static void
test_state(void)
{
    g_autoptr(DeviceBench) bench = net_guest_bench(CARD, NULL, NULL),
                           other = net_guest_bench(CARD, NULL, NULL);
    uint8_t frame[200], got[204];

    start_chip(bench);
    net_guest_frame(frame, sizeof(frame), net_guest_own);
    g_assert_true(receive(bench, frame, sizeof(frame)));
    begin_remote(bench, 0x0a, FIRST << 8, 204);
    device_bench_in16(bench, BASE + 0x10);
    net_guest_move(bench, other);
    g_assert_cmphex(device_bench_in16(other, BASE + 0x10), ==, 204);
    g_assert_cmphex(current(other), ==, FIRST + 1);
    read_memory(other, FIRST << 8, got, sizeof(got));
    g_assert_cmpmem(got + 4, 200, frame, 200);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ne2000/prom", test_prom);
    g_test_add_func("/ne2000/memory", test_memory);
    g_test_add_func("/ne2000/send", test_send);
    g_test_add_func("/ne2000/receive", test_receive);
    g_test_add_func("/ne2000/filters", test_filters);
    g_test_add_func("/ne2000/random", test_random);
    g_test_add_func("/ne2000/state", test_state);
    return g_test_run();
}
