/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The legacy interface of virtio devices: its registers, ids of the three device types, which
 * interface is offered when, both header sizes of network frames, a driver that does not wait until
 * it is ready, a queue that is taken away, vectors, saved state, hostile writes. */
#include "tests/device/net-guest.h"
#include "tests/device/virtio-guest.h"

#include <string.h>

#define CARD "virtio-net"
#define SLOT NET_GUEST_SLOT
#define PORTS VIRTIO_GUEST_PORTS
#define CSUM (1u << 0)
#define GUEST_CSUM (1u << 1)
#define MERGE (1u << 15)
#define CONTROL (1u << 17)
#define EVENT_IDX (1u << 29)
#define BUFFERS 0x300000u
#define DATA 0x400000u

enum { RECEIVE, SEND, COMMANDS };
enum { FEATURES = 0, TAKEN = 4, ADDRESS = 8, SIZE = 12, SELECT = 14, STATUS = 18, ISR = 19 };

static DeviceBench *
start(const char *interface)
{
    return net_guest_bench(CARD, interface != NULL ? "Interface" : NULL, interface);
}

static bool
receive(DeviceBench *bench, size_t size)
{
    static const PdmFrameOffload good = {.checksum_good = true};
    g_autofree uint8_t *frame = g_malloc(size);

    net_guest_frame(frame, size, net_guest_own);
    return net_guest_receive(bench, CARD, frame, size, &good);
}

static void
offer_buffer(VirtioGuest *guest, unsigned index, uint32_t size)
{
    virtio_guest_describe(
        guest, RECEIVE, index,
        (VirtioGuestDescriptor){BUFFERS + 0x1000 * index, size, DESCRIPTOR_WRITE, 0});
    virtio_guest_offer(guest, RECEIVE, (uint16_t)index);
}

/* A frame behind a header of so many zeros, in one descriptor. */
static void
send(VirtioGuest *guest, unsigned index, uint32_t header, uint32_t size)
{
    g_autofree uint8_t *data = g_malloc0(header + size);

    net_guest_frame(data + header, size, net_guest_own);
    pci_guest_put(guest->bench, DATA, data, header + size);
    virtio_guest_describe(guest, SEND, index, (VirtioGuestDescriptor){DATA, header + size, 0, 0});
    virtio_guest_offer(guest, SEND, (uint16_t)index);
    virtio_guest_kick(guest, SEND);
}

static bool
has_capability(DeviceBench *bench, uint8_t id)
{
    uint32_t at = device_bench_pci_read(bench, SLOT, 0, 0x34, 1);

    while (at != 0 && device_bench_pci_read(bench, SLOT, 0, at, 1) != id)
        at = device_bench_pci_read(bench, SLOT, 0, at + 1, 1);
    return at != 0;
}

static void
test_interfaces(void)
{
    static const struct {
        const char *name;
        uint32_t id, subsystem, ports, window;
        bool capability;
    } rows[] = {
        {"modern", 0x10411af4, 0x11011af4, 0, 0xffffc000, true},
        {"transitional", 0x10001af4, 0x00011af4, 0xffffffc1, 0xffffc000, true},
        {"legacy", 0x10001af4, 0x00011af4, 0xffffffc1, 0, false},
        {NULL, 0x10001af4, 0x00011af4, 0xffffffc1, 0xffffc000, true},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(DeviceBench) bench = start(rows[i].name);

        g_assert_cmphex(device_bench_pci_read(bench, SLOT, 0, 0, 4), ==, rows[i].id);
        g_assert_cmphex(device_bench_pci_read(bench, SLOT, 0, 0x2c, 4), ==, rows[i].subsystem);
        g_assert_cmpuint(device_bench_pci_read(bench, SLOT, 0, 8, 1), ==, rows[i].ports == 0);
        device_bench_pci_write(bench, SLOT, 0, 0x10, 0xffffffff, 4);
        device_bench_pci_write(bench, SLOT, 0, 0x20, 0xffffffff, 4);
        g_assert_cmphex(device_bench_pci_read(bench, SLOT, 0, 0x10, 4), ==, rows[i].ports);
        g_assert_cmphex(device_bench_pci_read(bench, SLOT, 0, 0x20, 4), ==, rows[i].window);
        g_assert_cmpint(has_capability(bench, 0x09), ==, rows[i].capability);
        g_assert_true(has_capability(bench, 0x11));
    }
}

/* What disks are called where their settings say so. */
static void
test_disks(void)
{
    static const struct {
        const char *device;
        unsigned slot;
        uint32_t modern, old, type;
    } rows[] = {{"virtio-blk", 24, 0x1042, 0x1001, 2}, {"virtio-scsi", 15, 0x1048, 0x1004, 8}};

    for (unsigned i = 0; i < 2 * G_N_ELEMENTS(rows); i++) {
        const unsigned row = i / 2;
        const bool old = i % 2 == 1;
        CfgmNode *config = cfgm_new();
        CfgmNode *disk = device_bench_add(config, rows[row].device, 0);
        g_autoptr(DeviceBench) bench = NULL;

        if (old)
            cfgm_set_string(disk, "Interface", "transitional");
        pci_guest_add_drive(config, rows[row].device, 0, PDM_MEDIA_DISK, 1 << 20);
        bench = device_bench_new(config);
        g_assert_cmphex(device_bench_pci_read(bench, rows[row].slot, 0, 2, 2), ==,
                        old ? rows[row].old : rows[row].modern);
        if (!old)
            continue;
        g_assert_cmphex(device_bench_pci_read(bench, rows[row].slot, 0, 0x2e, 2), ==,
                        rows[row].type);
        virtio_guest_map_legacy(bench, rows[row].slot);
        device_bench_out16(bench, PORTS + SELECT, 0);
        g_assert_cmpuint(device_bench_in16(bench, PORTS + SIZE), ==, 256);
        /* The first word of the type's configuration: sectors, request queues. */
        g_assert_cmpuint(device_bench_in32(bench, PORTS + 0x14), ==, row == 0 ? 2048 : 1);
    }
}

/* An old driver reads a block as the first thing that it does. */
static void
test_early_disk(void)
{
    CfgmNode *config = cfgm_new();
    const uint8_t request[16] = {0};
    g_autoptr(DeviceBench) bench = NULL;
    BenchMedia *media;
    VirtioGuest guest;
    uint32_t written;
    uint8_t got[512];

    cfgm_set_string(device_bench_add(config, "virtio-blk", 0), "Interface", "legacy");
    pci_guest_add_drive(config, "virtio-blk", 0, PDM_MEDIA_DISK, 1 << 20);
    bench = device_bench_new(config);
    media = bench_media(bench->pdm, "virtio-blk", 0, 0);
    pci_guest_pattern(media->data->data, 512, 1);
    virtio_guest_start_legacy(&guest, bench, 24, 0, 1);
    device_bench_out8(bench, PORTS + STATUS, 3); /* a driver, not yet ready */
    pci_guest_put(bench, DATA, request, sizeof(request));
    virtio_guest_describe(&guest, 0, 0, (VirtioGuestDescriptor){DATA, 16, DESCRIPTOR_NEXT, 1});
    virtio_guest_describe(&guest, 0, 1, (VirtioGuestDescriptor){BUFFERS, 513, DESCRIPTOR_WRITE, 0});
    virtio_guest_offer(&guest, 0, 0);
    virtio_guest_kick(&guest, 0);
    virtio_guest_settle(&guest);
    g_assert_cmpint(virtio_guest_used(&guest, 0, &written), ==, 0);
    g_assert_cmpuint(written, ==, 513);
    pci_guest_get(bench, BUFFERS, got, sizeof(got));
    g_assert_cmpmem(got, 512, media->data->data, 512);
    g_assert_cmpuint(device_bench_in8(bench, PORTS + ISR), ==, 1);
    g_assert_cmpuint(device_bench_in8(bench, PORTS + ISR), ==, 0);
}

static void
test_registers(void)
{
    g_autoptr(DeviceBench) bench = start(NULL);

    virtio_guest_map_legacy(bench, SLOT);
    /* Any layout is allowed; the standard's own features are behind the 32. */
    g_assert_cmphex(device_bench_in32(bench, PORTS + FEATURES), ==, 0x38c799a3);
    device_bench_out32(bench, PORTS + TAKEN, 0xffffffff);
    g_assert_cmphex(device_bench_in32(bench, PORTS + TAKEN), ==, 0x30c799a3);
    device_bench_out16(bench, PORTS + SELECT, 3);
    g_assert_cmpuint(device_bench_in16(bench, PORTS + SELECT), ==, 3);
    g_assert_cmpuint(device_bench_in16(bench, PORTS + SIZE), ==, 0);
    device_bench_out32(bench, PORTS + ADDRESS, 0x123);
    g_assert_cmphex(device_bench_in32(bench, PORTS + ADDRESS), ==, 0);
    /* What a driver of the standard has more of is not there. */
    device_bench_out8(bench, PORTS + STATUS, 0xff);
    g_assert_cmphex(device_bench_in8(bench, PORTS + STATUS), ==, 0x87);
    device_bench_out8(bench, PORTS + STATUS, 0);
    g_assert_cmphex(device_bench_in8(bench, PORTS + STATUS), ==, 0);
    g_assert_cmphex(device_bench_in32(bench, PORTS + TAKEN), ==, 0);
    /* The address can be read in any width, and written. */
    for (unsigned i = 0; i < sizeof(net_guest_own); i++)
        g_assert_cmphex(device_bench_in8(bench, (uint16_t)(PORTS + 0x14 + i)), ==,
                        net_guest_own[i]);
    g_assert_cmphex(device_bench_in32(bench, PORTS + 0x14), ==, 0x56270008);
    g_assert_cmpuint(device_bench_in16(bench, PORTS + 0x1a), ==, 1);
    device_bench_out8(bench, PORTS + 0x19, 0x77);
    g_assert_cmphex(device_bench_in16(bench, PORTS + 0x18), ==, 0x7749);
}

/* With MSI-X the type's configuration makes room for two vectors. */
static void
test_vectors(void)
{
    g_autoptr(DeviceBench) bench = start(NULL);
    uint32_t at = device_bench_pci_read(bench, SLOT, 0, 0x34, 1);

    virtio_guest_map_legacy(bench, SLOT);
    while (device_bench_pci_read(bench, SLOT, 0, at, 1) != 0x11)
        at = device_bench_pci_read(bench, SLOT, 0, at + 1, 1);
    device_bench_pci_write(bench, SLOT, 0, at + 2, 0x8000, 2);
    g_assert_cmphex(device_bench_in32(bench, PORTS + 0x18), ==, 0x56270008);
    g_assert_cmphex(device_bench_in16(bench, PORTS + 0x14), ==, 0xffff);
    device_bench_out16(bench, PORTS + 0x14, 3);
    g_assert_cmphex(device_bench_in16(bench, PORTS + 0x14), ==, 3);
    device_bench_out16(bench, PORTS + SELECT, 1);
    device_bench_out16(bench, PORTS + 0x16, 2);
    g_assert_cmphex(device_bench_in16(bench, PORTS + 0x16), ==, 2);
    device_bench_out16(bench, PORTS + 0x16, 4);
    g_assert_cmphex(device_bench_in16(bench, PORTS + 0x16), ==, 0xffff);
}

static void
test_frames(gconstpointer data)
{
    const uint32_t merge = GPOINTER_TO_UINT(data);
    const uint32_t header = merge != 0 ? 12 : 10;
    g_autoptr(DeviceBench) bench = start("legacy");
    const BenchFrame *sent;
    uint8_t frame[600], got[612];
    VirtioGuest guest;
    uint32_t written;

    net_guest_frame(frame, sizeof(frame), net_guest_own);
    virtio_guest_start_legacy(&guest, bench, SLOT, CSUM | GUEST_CSUM | merge, 2);
    send(&guest, 0, header, 600);
    g_assert_cmpint(virtio_guest_used(&guest, SEND, &written), ==, 0);
    sent = bench_network_sent(net_guest_wire(bench, CARD), 0);
    g_assert_cmpmem(sent->frame->data, sent->frame->len, frame, 600);
    offer_buffer(&guest, 7, 2048);
    g_assert_true(receive(bench, 600));
    g_assert_cmpint(virtio_guest_used(&guest, RECEIVE, &written), ==, 7);
    g_assert_cmpuint(written, ==, 600 + header);
    pci_guest_get(bench, BUFFERS + 0x7000, got, sizeof(got));
    g_assert_cmphex(got[0], ==, 2); /* the sum is good */
    g_assert_cmpmem(got + header, 600, frame, 600);
    if (merge != 0)
        g_assert_cmpuint(got[10], ==, 1);
}

/* A driver that has not asked about sums gets a header of zeros. */
static void
test_no_sums(void)
{
    g_autoptr(DeviceBench) bench = start(NULL);
    VirtioGuest guest;
    uint32_t written;

    virtio_guest_start_legacy(&guest, bench, SLOT, 0, 2);
    offer_buffer(&guest, 0, 2048);
    g_assert_true(receive(bench, 60));
    g_assert_cmpint(virtio_guest_used(&guest, RECEIVE, &written), ==, 0);
    g_assert_cmphex(device_bench_read(bench, BUFFERS, 1), ==, 0);
    g_assert_cmpuint(net_guest_wire(bench, CARD)->port->offloads, ==, 0);
}

/* More chains than a modern test's queue has, once around the ring. */
static void
test_around(void)
{
    g_autoptr(DeviceBench) bench = start("legacy");
    VirtioGuest guest;
    uint32_t written;

    virtio_guest_start_legacy(&guest, bench, SLOT, EVENT_IDX, 2);
    for (unsigned i = 0; i < 600; i++) {
        send(&guest, i % 256, 10, 60);
        g_assert_cmpint(virtio_guest_used(&guest, SEND, &written), ==, (int)(i % 256));
    }
    g_assert_cmpuint(net_guest_wire(bench, CARD)->frames->len, ==, 600);
}

/* A queue that is taken away and given back begins anew, without what it held. */
static void
test_stop(void)
{
    g_autoptr(DeviceBench) bench = start("legacy");
    uint8_t zeros[0x3000] = {0};
    VirtioGuest guest;
    uint32_t written;

    virtio_guest_start_legacy(&guest, bench, SLOT, MERGE, 2);
    offer_buffer(&guest, 0, 64);
    g_assert_false(receive(bench, 600)); /* the buffer is taken, and not enough */
    net_guest_wire(bench, CARD)->full = true;
    send(&guest, 1, 12, 60);
    for (unsigned i = 0; i < 2; i++) {
        device_bench_out16(bench, PORTS + SELECT, (uint16_t)i);
        device_bench_out32(bench, PORTS + ADDRESS, 0);
        pci_guest_put(bench, VIRTIO_GUEST_TABLE(i), zeros, sizeof(zeros));
        device_bench_out32(bench, PORTS + ADDRESS, VIRTIO_GUEST_TABLE(i) / 4096);
        guest.available[i] = guest.used[i] = 0;
    }
    net_guest_wire(bench, CARD)->full = false;
    net_guest_wire(bench, CARD)->port->can_send(net_guest_wire(bench, CARD)->port->user);
    g_assert_cmpuint(net_guest_wire(bench, CARD)->frames->len, ==, 0);
    offer_buffer(&guest, 3, 2048);
    g_assert_true(receive(bench, 600));
    g_assert_cmpint(virtio_guest_used(&guest, RECEIVE, &written), ==, 3);
    send(&guest, 2, 12, 60);
    g_assert_cmpint(virtio_guest_used(&guest, SEND, &written), ==, 2);
}

/* One device, one driver after the other of each kind. */
static void
test_both(void)
{
    g_autoptr(DeviceBench) bench = start("transitional");
    VirtioGuest guest;
    uint32_t written;

    for (unsigned i = 0; i < 2; i++) {
        virtio_guest_start_legacy(&guest, bench, SLOT, 0, 2);
        send(&guest, 0, 10, 60);
        g_assert_cmpint(virtio_guest_used(&guest, SEND, &written), ==, 0);
        virtio_guest_start(&guest, bench, SLOT, 0, 2);
        send(&guest, 0, 12, 60);
        g_assert_cmpint(virtio_guest_used(&guest, SEND, &written), ==, 0);
    }
    for (unsigned i = 0; i < 4; i++)
        g_assert_cmpuint(bench_network_sent(net_guest_wire(bench, CARD), i)->frame->len, ==, 60);
}

static void
test_state(void)
{
    g_autoptr(DeviceBench) bench = start(NULL), other = start(NULL);
    VirtioGuest guest;
    uint32_t written;

    virtio_guest_start_legacy(&guest, bench, SLOT, MERGE, 2);
    device_bench_out8(bench, PORTS + STATUS, 3); /* used all the same */
    offer_buffer(&guest, 0, 64);
    g_assert_false(receive(bench, 600));
    net_guest_wire(bench, CARD)->full = true;
    send(&guest, 0, 12, 100);
    net_guest_move(bench, other);
    device_bench_run_queues(other);
    guest.bench = other;
    g_assert_cmpint(virtio_guest_used(&guest, SEND, &written), ==, 0);
    g_assert_cmpuint(bench_network_sent(net_guest_wire(other, CARD), 0)->frame->len, ==, 100);
    offer_buffer(&guest, 1, 2048);
    g_assert_true(receive(other, 600));
    g_assert_cmpint(virtio_guest_used(&guest, RECEIVE, &written), ==, 0);
    g_assert_cmpint(virtio_guest_used(&guest, RECEIVE, &written), ==, 1);
}

/* Features that were never offered, chosen through one interface for the other; queues at the end
 * of memory and in the registers. */
static void
test_hostile(void)
{
    g_autoptr(DeviceBench) bench = start(NULL);
    GRand *random = g_rand_new_with_seed(3);
    VirtioGuest guest;

    pci_guest_map(bench, SLOT, 4);
    virtio_guest_map_legacy(bench, SLOT);
    pci_guest_write(bench, 4, 0x08, 1);
    pci_guest_write(bench, 4, 0x0c, 0xffffffff);
    device_bench_out16(bench, PORTS + SELECT, 0);
    pci_guest_write(bench, 4, 0x0c, 0xffffffff);
    pci_guest_write(bench, 4, 0x08, 0);
    pci_guest_write(bench, 4, 0x0c, 0xffffffff);
    g_assert_cmphex(pci_guest_read(bench, 4, 0x0c), ==, 0);
    for (unsigned i = 0; i < 4000; i++) {
        const uint16_t port = (uint16_t)(PORTS + g_rand_int(random) % 40);
        const uint32_t value = g_rand_int(random) >> g_rand_int(random) % 32;

        switch (g_rand_int(random) % 6) {
        case 0: device_bench_out8(bench, port, (uint8_t)value); break;
        case 1: device_bench_out16(bench, port, (uint16_t)value); break;
        case 2: device_bench_out32(bench, port, value); break;
        case 3: device_bench_in32(bench, port); break;
        case 4: receive(bench, 60 + value % 1400); break;
        default: device_bench_write(bench, PCI_GUEST_BAR(4) + value % 0x4000, value, 1); break;
        }
    }
    g_rand_free(random);
    virtio_guest_start_legacy(&guest, bench, SLOT, CONTROL, 3);
    g_ptr_array_set_size(net_guest_wire(bench, CARD)->frames, 0);
    send(&guest, 0, 10, 60);
    g_assert_cmpuint(net_guest_wire(bench, CARD)->frames->len, ==, 1);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/virtio-legacy/interfaces", test_interfaces);
    g_test_add_func("/virtio-legacy/disks", test_disks);
    g_test_add_func("/virtio-legacy/early-disk", test_early_disk);
    g_test_add_func("/virtio-legacy/registers", test_registers);
    g_test_add_func("/virtio-legacy/vectors", test_vectors);
    g_test_add_data_func("/virtio-legacy/frames", GUINT_TO_POINTER(0), test_frames);
    g_test_add_data_func("/virtio-legacy/frames-merged", GUINT_TO_POINTER(MERGE), test_frames);
    g_test_add_func("/virtio-legacy/no-sums", test_no_sums);
    g_test_add_func("/virtio-legacy/around", test_around);
    g_test_add_func("/virtio-legacy/stop", test_stop);
    g_test_add_func("/virtio-legacy/both", test_both);
    g_test_add_func("/virtio-legacy/state", test_state);
    g_test_add_func("/virtio-legacy/hostile", test_hostile);
    return g_test_run();
}
