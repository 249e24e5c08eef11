/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The virtio block device and what all virtio devices share: negotiation, queues, hostile chains.
 */
#include <errno.h>
#include <string.h>

#include "tests/device/virtio-guest.h"

#define SLOT 24
#define SECTORS 4096u
/* A transfer that is not worth a copy. */
#define LARGE (128u << 10)
#define HEADER 0x200000u
#define STATUS 0x200100u
#define DATA 0x300000u
#define INDIRECT (1ull << 28)
#define EVENT_IDX (1ull << 29)
#define DISCARD (1ull << 13)
#define FLUSH (1ull << 9)
#define ALL (INDIRECT | EVENT_IDX | DISCARD | FLUSH)

static DeviceBench *
blk_bench(void)
{
    CfgmNode *config = cfgm_new();
    CfgmNode *disk;

    device_bench_add(config, "virtio-blk", 0);
    disk = pci_guest_add_drive(config, "virtio-blk", 0, PDM_MEDIA_DISK, SECTORS * 512ull);
    cfgm_set_uint(disk, "Discard", 1);
    return device_bench_new(config);
}

static BenchMedia *
disk_of(DeviceBench *bench)
{
    return bench_media(bench->pdm, "virtio-blk", 0, 0);
}

static void
put_header(VirtioGuest *guest, uint32_t type, uint64_t sector)
{
    pci_guest_put32(guest->bench, HEADER, type);
    pci_guest_put64(guest->bench, HEADER + 8, sector);
}

/* Header, data, status from descriptor `first` on; data of no size: none. */
static void
describe(VirtioGuest *guest, unsigned first, uint32_t type, uint32_t size)
{
    uint16_t write = type == 0 || type == 8 ? DESCRIPTOR_WRITE : 0;
    uint16_t next = (uint16_t)(first + (size != 0 ? 1 : 2));

    virtio_guest_describe(guest, 0, first,
                          (VirtioGuestDescriptor){HEADER, 16, DESCRIPTOR_NEXT, next});
    virtio_guest_describe(
        guest, 0, first + 1,
        (VirtioGuestDescriptor){DATA, size, DESCRIPTOR_NEXT | write, (uint16_t)(first + 2)});
    virtio_guest_describe(guest, 0, first + 2,
                          (VirtioGuestDescriptor){STATUS, 1, DESCRIPTOR_WRITE, 0});
}

/* A request with descriptors 0 to 2: its status. */
static uint8_t
request(VirtioGuest *guest, uint32_t type, uint64_t sector, uint32_t size, uint32_t *written)
{
    device_bench_write(guest->bench, STATUS, 0xff, 1);
    put_header(guest, type, sector);
    describe(guest, 0, type, size);
    virtio_guest_offer(guest, 0, 0);
    virtio_guest_kick(guest, 0);
    virtio_guest_settle(guest);
    g_assert_cmpint(virtio_guest_used(guest, 0, written), ==, 0);
    return (uint8_t)device_bench_read(guest->bench, STATUS, 1);
}

static void
test_negotiation(void)
{
    g_autoptr(DeviceBench) bench = blk_bench();

    g_assert_cmphex(device_bench_pci_read(bench, SLOT, 0, 0, 4), ==, 0x10421af4);
    pci_guest_map(bench, SLOT, 4);
    g_assert_cmphex(virtio_guest_offered(bench) & (1ull << 32 | ALL), ==, 1ull << 32 | ALL);
    /* Without VERSION_1 or with what was not offered, FEATURES_OK does not stay. */
    virtio_guest_set_status(bench, 3);
    pci_guest_write(bench, 4, 0xc, FLUSH);
    virtio_guest_set_status(bench, 0xb);
    g_assert_cmphex(virtio_guest_status(bench), ==, 3);
    pci_guest_write(bench, 4, 8, 1);
    pci_guest_write(bench, 4, 0xc, 0x81);
    virtio_guest_set_status(bench, 0xb);
    g_assert_cmphex(virtio_guest_status(bench), ==, 3);
    virtio_guest_set_status(bench, 0xf);
    g_assert_cmphex(virtio_guest_status(bench) & 4, ==, 0);
    /* The size of the disk. */
    g_assert_cmpuint(pci_guest_read(bench, 4, 0x2000), ==, SECTORS);
    /* Queue sizes are powers of two up to the first one. */
    device_bench_write(bench, PCI_GUEST_BAR(4) + 0x18, 100, 2);
    g_assert_cmpuint(device_bench_read(bench, PCI_GUEST_BAR(4) + 0x18, 2), ==, 256);
    device_bench_write(bench, PCI_GUEST_BAR(4) + 0x18, 512, 2);
    g_assert_cmpuint(device_bench_read(bench, PCI_GUEST_BAR(4) + 0x18, 2), ==, 256);
}

/* The window through configuration space: firmware reads and writes the status this way. */
static void
test_configuration_access(void)
{
    g_autoptr(DeviceBench) bench = blk_bench();
    uint32_t at = device_bench_pci_read(bench, SLOT, 0, 0x34, 1);

    while (at != 0 && (device_bench_pci_read(bench, SLOT, 0, at, 1) != 0x09 ||
                       device_bench_pci_read(bench, SLOT, 0, at + 3, 1) != 5))
        at = device_bench_pci_read(bench, SLOT, 0, at + 1, 1);
    g_assert_cmphex(at, !=, 0);
    device_bench_pci_write(bench, SLOT, 0, at + 4, 4, 1);
    device_bench_pci_write(bench, SLOT, 0, at + 8, 0x14, 4);
    device_bench_pci_write(bench, SLOT, 0, at + 12, 1, 4);
    device_bench_pci_write(bench, SLOT, 0, at + 16, 3, 4);
    g_assert_cmphex(device_bench_pci_read(bench, SLOT, 0, at + 16, 4), ==, 3);
    device_bench_pci_write(bench, SLOT, 0, at + 8, 0xfffffff0, 4);
    device_bench_pci_write(bench, SLOT, 0, at + 16, 3, 4);
}

static void
test_transfer(uint64_t features)
{
    g_autoptr(DeviceBench) bench = blk_bench();
    BenchMedia *disk = disk_of(bench);
    g_autofree uint8_t *data = g_malloc(700 * 512);
    VirtioGuest guest;
    uint32_t written;

    virtio_guest_start(&guest, bench, SLOT, features, 1);
    pci_guest_pattern(data, 700 * 512, 5);
    pci_guest_put(bench, DATA, data, 700 * 512);
    g_assert_cmphex(request(&guest, 1, 100, 700 * 512, &written), ==, 0);
    g_assert_cmpuint(written, ==, 1);
    g_assert_cmpmem(disk->data->data + 100 * 512, 700 * 512, data, 700 * 512);
    g_assert_cmpuint(disk->flushes, ==, (features & FLUSH) != 0 ? 0 : 1);
    memset(data, 0, 700 * 512);
    pci_guest_put(bench, DATA, data, 700 * 512);
    g_assert_cmphex(request(&guest, 0, 100, 700 * 512, &written), ==, 0);
    g_assert_cmpuint(written, ==, 700 * 512 + 1);
    pci_guest_get(bench, DATA, data, 700 * 512);
    g_assert_cmpmem(disk->data->data + 100 * 512, 700 * 512, data, 700 * 512);
    g_assert_cmphex(request(&guest, 4, 0, 0, &written), ==, 0);
    g_assert_cmpuint(disk->flushes, ==, (features & FLUSH) != 0 ? 1 : 2);
    g_assert_cmphex(request(&guest, 8, 0, 20, &written), ==, 0);
    pci_guest_get(bench, DATA, data, 10);
    g_assert_cmpmem(data, 10, "BENCH-0001", 10);
    /* Beyond the end, no whole sectors, unknown, a fault of the disk. */
    g_assert_cmphex(request(&guest, 0, SECTORS - 1, 1024, &written), ==, 1);
    g_assert_cmphex(request(&guest, 0, UINT64_MAX, 512, &written), ==, 1);
    g_assert_cmphex(request(&guest, 0, 0, 100, &written), ==, 1);
    g_assert_cmphex(request(&guest, 99, 0, 512, &written), ==, 2);
    disk->fail = EIO;
    g_assert_cmphex(request(&guest, 0, 0, 512, &written), ==, 1);
    g_assert_cmpuint(written, ==, 1);
}

static void
test_plain(void)
{
    test_transfer(0);
}

static void
test_event_index(void)
{
    test_transfer(ALL);
}

static void
test_discard(void)
{
    g_autoptr(DeviceBench) bench = blk_bench();
    BenchMedia *disk = disk_of(bench);
    VirtioGuest guest;
    uint32_t written;

    virtio_guest_start(&guest, bench, SLOT, ALL, 1);
    memset(disk->data->data, 0xee, disk->data->len);
    pci_guest_put64(bench, DATA, 64);
    pci_guest_put64(bench, DATA + 8, 8);
    pci_guest_put64(bench, DATA + 16, 1000);
    pci_guest_put64(bench, DATA + 24, 1);
    g_assert_cmphex(request(&guest, 11, 0, 32, &written), ==, 0);
    g_assert_cmphex(request(&guest, 13, 0, 16, &written), ==, 0);
    for (unsigned i = 0; i < SECTORS; i++)
        g_assert_cmphex(disk->data->data[i * 512], ==, (i >= 64 && i < 72) || i == 1000 ? 0 : 0xee);
    /* One bad range: nothing is done. */
    pci_guest_put64(bench, DATA, 0);
    pci_guest_put64(bench, DATA + 16, SECTORS);
    g_assert_cmphex(request(&guest, 11, 0, 32, &written), ==, 1);
    g_assert_cmphex(disk->data->data[0], ==, 0xee);
}

static void
test_indirect(void)
{
    g_autoptr(DeviceBench) bench = blk_bench();
    VirtioGuest guest;
    uint32_t written;

    virtio_guest_start(&guest, bench, SLOT, ALL, 1);
    memset(disk_of(bench)->data->data, 0x77, 512);
    put_header(&guest, 0, 0);
    /* The table is another queue's, which is not set up. */
    for (unsigned i = 0; i < 3; i++)
        virtio_guest_describe(&guest, 1, i,
                              (VirtioGuestDescriptor){i == 0   ? HEADER
                                                      : i == 1 ? DATA
                                                               : STATUS,
                                                      i == 0   ? 16
                                                      : i == 1 ? 512
                                                               : 1,
                                                      (uint16_t)((i < 2 ? DESCRIPTOR_NEXT : 0) |
                                                                 (i > 0 ? DESCRIPTOR_WRITE : 0)),
                                                      (uint16_t)(i + 1)});
    virtio_guest_describe(
        &guest, 0, 5, (VirtioGuestDescriptor){VIRTIO_GUEST_TABLE(1), 48, DESCRIPTOR_INDIRECT, 0});
    virtio_guest_offer(&guest, 0, 5);
    virtio_guest_kick(&guest, 0);
    virtio_guest_settle(&guest);
    g_assert_cmpint(virtio_guest_used(&guest, 0, &written), ==, 5);
    g_assert_cmphex(device_bench_read(bench, DATA, 4), ==, 0x77777777);
}

/* The device asks for help after one bad chain, takes nothing more, and works again after a reset.
 */
static void
expect_broken(VirtioGuest *guest, uint16_t head)
{
    uint32_t written;

    virtio_guest_offer(guest, 0, head);
    virtio_guest_kick(guest, 0);
    virtio_guest_settle(guest);
    g_assert_cmphex(virtio_guest_status(guest->bench) & 0x40, ==, 0x40);
    virtio_guest_start(guest, guest->bench, SLOT, ALL, 1);
    g_assert_cmphex(virtio_guest_status(guest->bench), ==, 0xf);
    g_assert_cmphex(request(guest, 0, 0, 512, &written), ==, 0);
}

static void
test_hostile_chains(void)
{
    g_autoptr(DeviceBench) bench = blk_bench();
    VirtioGuest guest;
    uint16_t far = 1000;

    virtio_guest_start(&guest, bench, SLOT, ALL, 1);
    /* A loop. */
    virtio_guest_describe(&guest, 0, 3, (VirtioGuestDescriptor){HEADER, 16, DESCRIPTOR_NEXT, 4});
    virtio_guest_describe(&guest, 0, 4, (VirtioGuestDescriptor){DATA, 512, DESCRIPTOR_NEXT, 3});
    expect_broken(&guest, 3);
    /* Out of the table, by head and by link. */
    expect_broken(&guest, VIRTIO_GUEST_ENTRIES);
    virtio_guest_describe(&guest, 0, 3, (VirtioGuestDescriptor){HEADER, 16, DESCRIPTOR_NEXT, 999});
    expect_broken(&guest, 3);
    /* Readable after writable. */
    virtio_guest_describe(
        &guest, 0, 3, (VirtioGuestDescriptor){DATA, 512, DESCRIPTOR_NEXT | DESCRIPTOR_WRITE, 4});
    virtio_guest_describe(&guest, 0, 4, (VirtioGuestDescriptor){HEADER, 16, 0, 0});
    expect_broken(&guest, 3);
    /* No header, no status. */
    virtio_guest_describe(&guest, 0, 3, (VirtioGuestDescriptor){HEADER, 15, DESCRIPTOR_NEXT, 4});
    virtio_guest_describe(&guest, 0, 4, (VirtioGuestDescriptor){STATUS, 1, DESCRIPTOR_WRITE, 0});
    expect_broken(&guest, 3);
    virtio_guest_describe(&guest, 0, 3, (VirtioGuestDescriptor){HEADER, 16, 0, 0});
    expect_broken(&guest, 3);
    /* Indirect tables: one in another, of an odd size, of an endless one. */
    virtio_guest_describe(
        &guest, 0, 3,
        (VirtioGuestDescriptor){VIRTIO_GUEST_TABLE(0) + 64, 16, DESCRIPTOR_INDIRECT, 0});
    virtio_guest_describe(
        &guest, 0, 4, (VirtioGuestDescriptor){VIRTIO_GUEST_TABLE(0), 16, DESCRIPTOR_INDIRECT, 0});
    expect_broken(&guest, 3);
    virtio_guest_describe(&guest, 0, 3, (VirtioGuestDescriptor){DATA, 40, DESCRIPTOR_INDIRECT, 0});
    expect_broken(&guest, 3);
    virtio_guest_describe(&guest, 0, 3,
                          (VirtioGuestDescriptor){DATA, 0xfffffff0, DESCRIPTOR_INDIRECT, 0});
    expect_broken(&guest, 3);
    /* More chains than the ring holds. */
    pci_guest_put(bench, VIRTIO_GUEST_AVAILABLE(0) + 2, &far, 2);
    virtio_guest_kick(&guest, 0);
    g_assert_cmphex(virtio_guest_status(bench) & 0x40, ==, 0x40);
}

static void
test_reset_in_flight(void)
{
    g_autoptr(DeviceBench) bench = blk_bench();
    BenchMedia *disk = disk_of(bench);
    VirtioGuest guest;
    uint32_t written;

    disk->hold = true;
    for (unsigned i = 0; i < 50; i++) {
        virtio_guest_start(&guest, bench, SLOT, ALL, 1);
        put_header(&guest, 0, 0);
        describe(&guest, 0, 0, 512);
        virtio_guest_offer(&guest, 0, 0);
        virtio_guest_kick(&guest, 0);
    }
    g_assert_cmpuint(g_queue_get_length(&disk->held), ==, 1);
    bench_media_complete(disk);
    virtio_guest_settle(&guest);
    g_assert_cmpint(virtio_guest_used(&guest, 0, &written), ==, -1);
    bench_media_complete(disk);
    virtio_guest_settle(&guest);
    g_assert_cmpint(virtio_guest_used(&guest, 0, &written), ==, 0);
}

/* Large transfers go straight from and to the guest's memory, in the pieces that it names. */
static void
test_direct(void)
{
    g_autoptr(DeviceBench) bench = blk_bench();
    BenchMedia *disk = disk_of(bench);
    g_autofree uint8_t *data = g_malloc(LARGE);
    g_autofree uint8_t *back = g_malloc0(LARGE);
    VirtioGuest guest;
    uint32_t written;

    virtio_guest_start(&guest, bench, SLOT, ALL, 1);
    pci_guest_pattern(data, LARGE, 7);
    memcpy(disk->data->data, data, LARGE);
    put_header(&guest, 0, 0);
    virtio_guest_describe(&guest, 0, 0, (VirtioGuestDescriptor){HEADER, 16, DESCRIPTOR_NEXT, 1});
    virtio_guest_describe(
        &guest, 0, 1,
        (VirtioGuestDescriptor){DATA + LARGE, LARGE - 1000, DESCRIPTOR_NEXT | DESCRIPTOR_WRITE, 2});
    virtio_guest_describe(
        &guest, 0, 2,
        (VirtioGuestDescriptor){DATA + 10, 1000, DESCRIPTOR_NEXT | DESCRIPTOR_WRITE, 3});
    virtio_guest_describe(&guest, 0, 3, (VirtioGuestDescriptor){STATUS, 1, DESCRIPTOR_WRITE, 0});
    virtio_guest_offer(&guest, 0, 0);
    virtio_guest_kick(&guest, 0);
    virtio_guest_settle(&guest);
    g_assert_cmpint(virtio_guest_used(&guest, 0, &written), ==, 0);
    g_assert_cmpuint(written, ==, LARGE + 1);
    g_assert_cmpuint(disk->in_pieces, ==, 1);
    pci_guest_get(bench, DATA + LARGE, back, LARGE - 1000);
    pci_guest_get(bench, DATA + 10, back + LARGE - 1000, 1000);
    g_assert_cmpmem(back, LARGE, data, LARGE);
    /* Where there is no memory it goes nowhere. */
    virtio_guest_describe(
        &guest, 0, 1,
        (VirtioGuestDescriptor){0xfff00000, LARGE - 1000, DESCRIPTOR_NEXT | DESCRIPTOR_WRITE, 2});
    virtio_guest_offer(&guest, 0, 0);
    virtio_guest_kick(&guest, 0);
    virtio_guest_settle(&guest);
    g_assert_cmpint(virtio_guest_used(&guest, 0, &written), ==, 0);
    g_assert_cmpuint(disk->in_pieces, ==, 1);
}

/* After a reset nothing comes into the guest's memory any more. */
static void
test_reset_direct(void)
{
    g_autoptr(DeviceBench) bench = blk_bench();
    BenchMedia *disk = disk_of(bench);
    VirtioGuest guest;
    uint32_t written;

    virtio_guest_start(&guest, bench, SLOT, ALL, 1);
    memset(disk->data->data, 0x77, LARGE);
    device_bench_write(bench, DATA, 0x11, 1);
    disk->hold = true;
    put_header(&guest, 0, 0);
    describe(&guest, 0, 0, LARGE);
    virtio_guest_offer(&guest, 0, 0);
    virtio_guest_kick(&guest, 0);
    g_assert_cmpuint(g_queue_get_length(&disk->held), ==, 1);
    virtio_guest_set_status(bench, 0);
    g_assert_cmpuint(g_queue_get_length(&disk->held), ==, 0);
    bench_media_complete(disk);
    g_assert_cmphex(device_bench_read(bench, DATA, 1), ==, 0x11);
    disk->hold = false;
    virtio_guest_start(&guest, bench, SLOT, ALL, 1);
    g_assert_cmphex(request(&guest, 0, 0, LARGE, &written), ==, 0);
    g_assert_cmphex(device_bench_read(bench, DATA, 1), ==, 0x77);
}

static void
test_state_in_flight(void)
{
    g_autoptr(DeviceBench) bench = blk_bench();
    g_autoptr(DeviceBench) other = blk_bench();
    g_autoptr(GBytes) state = NULL;
    g_autoptr(GError) error = NULL;
    VirtioGuest guest;
    uint32_t written;

    disk_of(bench)->hold = true;
    virtio_guest_start(&guest, bench, SLOT, ALL, 1);
    put_header(&guest, 0, 3);
    describe(&guest, 4, 0, 512);
    virtio_guest_offer(&guest, 0, 4);
    virtio_guest_kick(&guest, 0);
    state = device_bench_save(bench, &error);
    g_assert_no_error(error);
    memset(disk_of(other)->data->data + 3 * 512, 0x42, 512);
    g_assert_true(device_bench_load(other, state, &error));
    guest.bench = other;
    virtio_guest_settle(&guest);
    g_assert_cmpint(virtio_guest_used(&guest, 0, &written), ==, 4);
    g_assert_cmphex(device_bench_read(other, DATA, 1), ==, 0x42);
    g_assert_cmphex(device_bench_read(other, STATUS, 1), ==, 0);
}

static void
test_random(void)
{
    g_autoptr(DeviceBench) bench = blk_bench();
    GRand *random = g_rand_new_with_seed(99);
    VirtioGuest guest;
    uint32_t written;

    virtio_guest_start(&guest, bench, SLOT, ALL, 1);
    for (unsigned i = 0; i < 20000; i++) {
        VirtioGuestDescriptor descriptor = {
            .gpa = g_rand_int(random) % 4 == 0 ? g_rand_int(random) : HEADER + 0x1000 * (i % 16),
            .size = g_rand_int(random) % 4 == 0 ? g_rand_int(random) : g_rand_int(random) % 1025,
            .flags = (uint16_t)(g_rand_int(random) % 8),
            .next = (uint16_t)(g_rand_int(random) % (VIRTIO_GUEST_ENTRIES + 1)),
        };

        virtio_guest_describe(&guest, 0, i % VIRTIO_GUEST_ENTRIES, descriptor);
        put_header(&guest, g_rand_int(random) % 15, g_rand_int(random) % (SECTORS + 8));
        virtio_guest_offer(&guest, 0, (uint16_t)(g_rand_int(random) % VIRTIO_GUEST_ENTRIES));
        virtio_guest_kick(&guest, 0);
        device_bench_run_queues(bench);
        if ((virtio_guest_status(bench) & 0x40) != 0)
            virtio_guest_start(&guest, bench, SLOT, ALL, 1);
    }
    g_rand_free(random);
    virtio_guest_start(&guest, bench, SLOT, ALL, 1);
    g_assert_cmphex(request(&guest, 0, 0, 512, &written), ==, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/virtio-blk/negotiation", test_negotiation);
    g_test_add_func("/virtio-blk/configuration-access", test_configuration_access);
    g_test_add_func("/virtio-blk/plain", test_plain);
    g_test_add_func("/virtio-blk/event-index", test_event_index);
    g_test_add_func("/virtio-blk/discard", test_discard);
    g_test_add_func("/virtio-blk/indirect", test_indirect);
    g_test_add_func("/virtio-blk/hostile-chains", test_hostile_chains);
    g_test_add_func("/virtio-blk/reset-in-flight", test_reset_in_flight);
    g_test_add_func("/virtio-blk/direct", test_direct);
    g_test_add_func("/virtio-blk/reset-direct", test_reset_direct);
    g_test_add_func("/virtio-blk/state-in-flight", test_state_in_flight);
    g_test_add_func("/virtio-blk/random", test_random);
    return g_test_run();
}
