/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The virtio network card: configuration, headers in both directions, merged buffers, the control
 * queue, the cable, hostile chains, saved state. */
#include "tests/device/net-guest.h"
#include "tests/device/virtio-guest.h"

#include <string.h>

#define CARD "virtio-net"
#define SLOT NET_GUEST_SLOT
#define MERGE (1ull << 15)
#define STATUS_FIELD (1ull << 16)
#define CONTROL (1ull << 17)
#define CONTROL_RX (1ull << 18)
#define CONTROL_MAC (1ull << 23)
#define OFFLOADS (1ull << 0 | 1ull << 1 | 1ull << 7 | 1ull << 8 | 1ull << 11 | 1ull << 12)
#define INDIRECT (1ull << 28)
#define ALL                                                                                        \
    (OFFLOADS | 1ull << 5 | MERGE | STATUS_FIELD | CONTROL | CONTROL_RX | CONTROL_MAC | INDIRECT)
#define BUFFERS 0x300000u
#define DATA 0x400000u
#define ANSWER 0x500000u

enum { RECEIVE, SEND, COMMANDS, QUEUES, HEADER = 12 };

static const uint8_t stranger[] = {0x02, 0, 0, 0, 0, 1};

static DeviceBench *
start(void)
{
    return net_guest_bench(CARD, NULL, NULL);
}

static bool
receive(DeviceBench *bench, const uint8_t *frame, size_t size, const PdmFrameOffload *offload)
{
    return net_guest_receive(bench, CARD, frame, size, offload);
}

/* A buffer to receive in. */
static void
offer_buffer(VirtioGuest *guest, unsigned index, uint32_t size)
{
    virtio_guest_describe(
        guest, RECEIVE, index,
        (VirtioGuestDescriptor){BUFFERS + 0x10000 * index, size, DESCRIPTOR_WRITE, 0});
    virtio_guest_offer(guest, RECEIVE, (uint16_t)index);
}

/* Sends a header and a frame of two descriptors from `first` on. */
static void
send(VirtioGuest *guest, unsigned first, const uint8_t *header, const uint8_t *frame, uint32_t size)
{
    const uint16_t next = (uint16_t)(first + 1);

    pci_guest_put(guest->bench, DATA, header, HEADER);
    pci_guest_put(guest->bench, DATA + 0x1000, frame, size);
    virtio_guest_describe(guest, SEND, first,
                          (VirtioGuestDescriptor){DATA, HEADER, DESCRIPTOR_NEXT, next});
    virtio_guest_describe(guest, SEND, next, (VirtioGuestDescriptor){DATA + 0x1000, size, 0, 0});
    virtio_guest_offer(guest, SEND, (uint16_t)first);
    virtio_guest_kick(guest, SEND);
}

static void
test_configuration(void)
{
    g_autoptr(DeviceBench) bench = start();

    g_assert_cmphex(device_bench_pci_read(bench, SLOT, 0, 0, 4), ==, 0x10001af4);
    g_assert_cmphex(device_bench_pci_read(bench, SLOT, 0, 0x2c, 4), ==, 0x00011af4);
    g_assert_cmphex(device_bench_pci_read(bench, SLOT, 0, 8, 4), ==, 0x02000000);
    pci_guest_map(bench, SLOT, 4);
    g_assert_cmphex(virtio_guest_offered(bench) & ALL, ==, ALL);
    g_assert_cmphex(pci_guest_read(bench, 4, 0x2000), ==, 0x56270008);
    g_assert_cmphex(pci_guest_read(bench, 4, 0x2004) & 0x1ffff, ==, 0x11049);
    bench_network_link(net_guest_wire(bench, CARD), false);
    g_assert_cmphex(pci_guest_read(bench, 4, 0x2004) & 0x10000, ==, 0);
}

static void
test_send(void)
{
    /* Needs a sum from 34 on at 16, is to be cut into TCP segments of 1460 bytes. */
    static const uint8_t header[HEADER] = {1, 1, 54, 0, 0xb4, 5, 34, 0, 16, 0, 0, 0};
    static const uint8_t none[HEADER] = {0};
    g_autoptr(DeviceBench) bench = start();
    uint8_t frame[3000];
    const BenchFrame *sent;
    VirtioGuest guest;
    uint32_t written;

    virtio_guest_start(&guest, bench, SLOT, ALL, QUEUES);
    net_guest_frame(frame, sizeof(frame), stranger);
    send(&guest, 0, header, frame, 3000);
    g_assert_cmpint(virtio_guest_used(&guest, SEND, &written), ==, 0);
    sent = bench_network_sent(net_guest_wire(bench, CARD), 0);
    g_assert_cmpmem(sent->frame->data, sent->frame->len, frame, 3000);
    g_assert_true(sent->offload.needs_checksum);
    g_assert_cmpint(sent->offload.segment, ==, PDM_SEGMENT_TCP4);
    g_assert_cmpuint(sent->offload.segment_size, ==, 1460);
    g_assert_cmpuint(sent->offload.header_length, ==, 54);
    g_assert_cmpuint(sent->offload.checksum_start, ==, 34);
    g_assert_cmpuint(sent->offload.checksum_offset, ==, 16);
    /* No room: the chain waits, and what is behind it. */
    net_guest_wire(bench, CARD)->full = true;
    send(&guest, 2, none, frame, 60);
    send(&guest, 4, none, frame, 60);
    g_assert_cmpint(virtio_guest_used(&guest, SEND, &written), ==, -1);
    net_guest_wire(bench, CARD)->full = false;
    net_guest_wire(bench, CARD)->port->can_send(net_guest_wire(bench, CARD)->port->user);
    g_assert_cmpint(virtio_guest_used(&guest, SEND, &written), ==, 2);
    g_assert_cmpint(virtio_guest_used(&guest, SEND, &written), ==, 4);
    sent = bench_network_sent(net_guest_wire(bench, CARD), 2);
    g_assert_cmpuint(sent->frame->len, ==, 60);
    g_assert_false(sent->offload.needs_checksum);
}

static void
test_receive(void)
{
    static const PdmFrameOffload offload = {.checksum_good = true};
    g_autoptr(DeviceBench) bench = start();
    uint8_t frame[1514], got[1514 + HEADER];
    VirtioGuest guest;
    uint32_t written;

    virtio_guest_start(&guest, bench, SLOT, ALL & ~MERGE, QUEUES);
    net_guest_frame(frame, sizeof(frame), net_guest_own);
    /* No buffer: it has to wait, and the device is told when there is one. */
    g_assert_false(receive(bench, frame, sizeof(frame), NULL));
    net_guest_wire(bench, CARD)->ready_calls = 0;
    offer_buffer(&guest, 3, 2048);
    virtio_guest_kick(&guest, RECEIVE);
    g_assert_cmpuint(net_guest_wire(bench, CARD)->ready_calls, ==, 1);
    g_assert_true(receive(bench, frame, sizeof(frame), &offload));
    g_assert_cmpint(virtio_guest_used(&guest, RECEIVE, &written), ==, 3);
    g_assert_cmpuint(written, ==, 1514 + HEADER);
    pci_guest_get(bench, BUFFERS + 0x30000, got, sizeof(got));
    g_assert_cmpmem(got + HEADER, 1514, frame, 1514);
    g_assert_cmphex(got[0], ==, 2);
    g_assert_cmpuint(got[10], ==, 1);
    /* The driver says what it can take. */
    g_assert_cmpuint(net_guest_wire(bench, CARD)->port->offloads, ==,
                     PDM_OFFLOAD_CHECKSUM | PDM_OFFLOAD_TCP4 | PDM_OFFLOAD_TCP6);
    /* Not for this card: lost, and the buffer is kept. */
    net_guest_frame(frame, sizeof(frame), stranger);
    offer_buffer(&guest, 0, 2048);
    g_assert_true(receive(bench, frame, sizeof(frame), NULL));
    g_assert_cmpint(virtio_guest_used(&guest, RECEIVE, &written), ==, -1);
}

static void
test_merge(void)
{
    g_autoptr(DeviceBench) bench = start();
    uint8_t frame[1514], got[512];
    VirtioGuest guest;
    uint32_t written;

    virtio_guest_start(&guest, bench, SLOT, ALL, QUEUES);
    net_guest_frame(frame, sizeof(frame), net_guest_own);
    for (unsigned i = 0; i < 2; i++)
        offer_buffer(&guest, i, 512);
    g_assert_false(receive(bench, frame, sizeof(frame), NULL));
    g_assert_cmpint(virtio_guest_used(&guest, RECEIVE, &written), ==, -1);
    offer_buffer(&guest, 2, 512);
    g_assert_true(receive(bench, frame, sizeof(frame), NULL));
    for (int i = 0; i < 3; i++) {
        g_assert_cmpint(virtio_guest_used(&guest, RECEIVE, &written), ==, i);
        g_assert_cmpuint(written, ==, i < 2 ? 512 : 1514 + HEADER - 1024);
    }
    pci_guest_get(bench, BUFFERS, got, 512);
    g_assert_cmpuint(got[10], ==, 3);
    g_assert_cmpmem(got + HEADER, 500, frame, 500);
    pci_guest_get(bench, BUFFERS + 0x20000, got, 502);
    g_assert_cmpmem(got, 502, frame + 1012, 502);
}

static uint8_t
command(VirtioGuest *guest, const uint8_t *data, uint32_t size)
{
    uint32_t written;

    pci_guest_put(guest->bench, DATA, data, size);
    device_bench_write(guest->bench, ANSWER, 0xff, 1);
    virtio_guest_describe(guest, COMMANDS, 0,
                          (VirtioGuestDescriptor){DATA, size, DESCRIPTOR_NEXT, 1});
    virtio_guest_describe(guest, COMMANDS, 1,
                          (VirtioGuestDescriptor){ANSWER, 1, DESCRIPTOR_WRITE, 0});
    virtio_guest_offer(guest, COMMANDS, 0);
    virtio_guest_kick(guest, COMMANDS);
    g_assert_cmpint(virtio_guest_used(guest, COMMANDS, &written), ==, 0);
    return (uint8_t)device_bench_read(guest->bench, ANSWER, 1);
}

static void
test_commands(void)
{
    static const uint8_t promiscuous[] = {0, 0, 1}, address[] = {1, 1, 2, 0, 0, 0, 0, 1};
    static const uint8_t unknown[] = {9, 0, 1}, pairs[] = {4, 0, 9, 0};
    g_autoptr(DeviceBench) bench = start();
    uint8_t frame[64];
    VirtioGuest guest;
    uint32_t written;

    virtio_guest_start(&guest, bench, SLOT, ALL, QUEUES);
    g_assert_cmpuint(command(&guest, address, sizeof(address)), ==, 0);
    g_assert_cmphex(pci_guest_read(bench, 4, 0x2000), ==, 2);
    net_guest_frame(frame, sizeof(frame), stranger);
    offer_buffer(&guest, 0, 2048);
    receive(bench, frame, sizeof(frame), NULL);
    g_assert_cmpint(virtio_guest_used(&guest, RECEIVE, &written), ==, 0);
    g_assert_cmpuint(command(&guest, promiscuous, 3), ==, 0);
    g_assert_true(net_guest_wire(bench, CARD)->promiscuous);
    /* What is no command: an error, not more. */
    g_assert_cmpuint(command(&guest, unknown, 3), ==, 1);
    g_assert_cmpuint(command(&guest, pairs, 4), ==, 1);
    g_assert_cmpuint(command(&guest, promiscuous, 1), ==, 1);
    g_assert_cmpuint(command(&guest, promiscuous, 2), ==, 1);
    g_assert_cmpuint(command(&guest, address, 5), ==, 1);
    /* A reset takes it all back. */
    virtio_guest_start(&guest, bench, SLOT, ALL, QUEUES);
    g_assert_cmphex(pci_guest_read(bench, 4, 0x2000), ==, 0x56270008);
}

static void
test_hostile(void)
{
    static const uint8_t none[HEADER] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                         0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    const uint64_t window = PCI_GUEST_BAR(4);
    g_autoptr(DeviceBench) bench = start();
    uint8_t frame[1514];
    VirtioGuest guest;
    uint32_t written;

    net_guest_frame(frame, sizeof(frame), net_guest_own);
    virtio_guest_start(&guest, bench, SLOT, ALL, QUEUES);
    /* A header that says the impossible goes on to the network, which checks it. */
    send(&guest, 0, none, frame, 60);
    g_assert_cmpuint(net_guest_wire(bench, CARD)->frames->len, ==, 1);
    /* Less than a header, nothing behind it, more than any frame. */
    for (unsigned i = 0; i < 3; i++) {
        static const uint32_t sizes[] = {HEADER - 1, HEADER, 0x20000};

        virtio_guest_describe(&guest, SEND, 4, (VirtioGuestDescriptor){DATA, sizes[i], 0, 0});
        virtio_guest_offer(&guest, SEND, 4);
        virtio_guest_kick(&guest, SEND);
    }
    g_assert_cmpuint(net_guest_wire(bench, CARD)->frames->len, ==, 1);
    /* Buffers of no size, in the device's registers, too small a first one. */
    for (unsigned i = 0; i < VIRTIO_GUEST_ENTRIES; i++) {
        const VirtioGuestDescriptor descriptor = {i % 2 == 0 ? window + 0x2f00 : ~0ull - 8, i % 4,
                                                  DESCRIPTOR_WRITE, 0};

        virtio_guest_describe(&guest, RECEIVE, i, descriptor);
        virtio_guest_offer(&guest, RECEIVE, (uint16_t)i);
    }
    for (unsigned i = 0; i < 40; i++)
        receive(bench, frame, sizeof(frame), NULL);
    virtio_guest_start(&guest, bench, SLOT, ALL, QUEUES);
    virtio_guest_describe(&guest, RECEIVE, 0,
                          (VirtioGuestDescriptor){window, 0x4000, DESCRIPTOR_WRITE, 0});
    virtio_guest_offer(&guest, RECEIVE, 0);
    receive(bench, frame, sizeof(frame), NULL);
    /* A chain that runs in a circle: the device asks for a reset. */
    virtio_guest_start(&guest, bench, SLOT, ALL, QUEUES);
    virtio_guest_describe(&guest, SEND, 0, (VirtioGuestDescriptor){DATA, 64, DESCRIPTOR_NEXT, 0});
    virtio_guest_offer(&guest, SEND, 0);
    virtio_guest_kick(&guest, SEND);
    g_assert_cmphex(virtio_guest_status(bench) & 0x40, ==, 0x40);
    g_assert_true(receive(bench, frame, sizeof(frame), NULL));
    /* And it works again. */
    virtio_guest_start(&guest, bench, SLOT, ALL, QUEUES);
    offer_buffer(&guest, 0, 2048);
    g_assert_true(receive(bench, frame, sizeof(frame), NULL));
    g_assert_cmpint(virtio_guest_used(&guest, RECEIVE, &written), ==, 0);
}

static void
test_random(void)
{
    g_autoptr(DeviceBench) bench = start();
    GRand *random = g_rand_new_with_seed(11);
    uint8_t frame[1514];
    VirtioGuest guest;

    net_guest_frame(frame, sizeof(frame), net_guest_own);
    virtio_guest_start(&guest, bench, SLOT, ALL, QUEUES);
    for (unsigned i = 0; i < 5000; i++) {
        const unsigned queue = g_rand_int(random) % QUEUES;
        const VirtioGuestDescriptor descriptor = {
            g_rand_int(random) % 8 == 0 ? PCI_GUEST_BAR(4) + g_rand_int(random) % 0x4000
                                        : DATA + g_rand_int(random) % 0x10000,
            g_rand_int(random) >> g_rand_int(random) % 32, (uint16_t)(g_rand_int(random) & 7),
            (uint16_t)(g_rand_int(random) % (VIRTIO_GUEST_ENTRIES + 1))};

        virtio_guest_describe(&guest, queue, g_rand_int(random) % VIRTIO_GUEST_ENTRIES, descriptor);
        virtio_guest_offer(&guest, queue, (uint16_t)(g_rand_int(random) % VIRTIO_GUEST_ENTRIES));
        virtio_guest_kick(&guest, queue);
        receive(bench, frame, 60 + g_rand_int(random) % 1454, NULL);
        net_guest_wire(bench, CARD)->full = g_rand_int(random) % 8 == 0;
        if (g_rand_int(random) % 8 == 0)
            net_guest_wire(bench, CARD)->port->can_send(net_guest_wire(bench, CARD)->port->user);
        g_ptr_array_set_size(net_guest_wire(bench, CARD)->frames, 0);
        if ((virtio_guest_status(bench) & 0x40) != 0)
            virtio_guest_start(&guest, bench, SLOT, ALL, QUEUES);
    }
    g_rand_free(random);
}

/* Buffers that the device holds, and a frame that waits for the network, go on. */
static void
test_state(void)
{
    static const uint8_t none[HEADER] = {0};
    g_autoptr(DeviceBench) bench = start(), other = start();
    uint8_t frame[1514];
    VirtioGuest guest;
    uint32_t written;

    net_guest_frame(frame, sizeof(frame), net_guest_own);
    virtio_guest_start(&guest, bench, SLOT, ALL, QUEUES);
    offer_buffer(&guest, 0, 512);
    g_assert_false(receive(bench, frame, sizeof(frame), NULL));
    net_guest_wire(bench, CARD)->full = true;
    send(&guest, 0, none, frame, 100);
    net_guest_move(bench, other);
    device_bench_run_queues(other);
    guest.bench = other;
    g_assert_cmpint(virtio_guest_used(&guest, SEND, &written), ==, 0);
    g_assert_cmpuint(bench_network_sent(net_guest_wire(other, CARD), 0)->frame->len, ==, 100);
    for (unsigned i = 1; i < 4; i++)
        offer_buffer(&guest, i, 512);
    g_assert_true(receive(other, frame, sizeof(frame), NULL));
    for (int i = 0; i < 3; i++)
        g_assert_cmpint(virtio_guest_used(&guest, RECEIVE, &written), ==, i);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/virtio-net/configuration", test_configuration);
    g_test_add_func("/virtio-net/send", test_send);
    g_test_add_func("/virtio-net/receive", test_receive);
    g_test_add_func("/virtio-net/merge", test_merge);
    g_test_add_func("/virtio-net/commands", test_commands);
    g_test_add_func("/virtio-net/hostile", test_hostile);
    g_test_add_func("/virtio-net/random", test_random);
    g_test_add_func("/virtio-net/state", test_state);
    return g_test_run();
}
