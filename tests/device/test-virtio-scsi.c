/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The virtio SCSI adapter, and through it the SCSI units: a disk at target 0, a CD at target 1. */
#include <errno.h>
#include <string.h>

#include "tests/device/virtio-guest.h"

#define SLOT 15
#define SECTORS 4096u
#define CD_SECTORS 64u
#define REQUEST 0x200000u
#define RESPONSE 0x200100u
#define DATA 0x300000u
#define REQUEST_QUEUE 2
#define HEAD_OUT 51u /* 19 and the command block's 32 */
#define HEAD_IN 108u /* 12 and the sense data's 96 */

static DeviceBench *
scsi_bench(void)
{
    CfgmNode *config = cfgm_new();
    CfgmNode *disk;

    cfgm_set_uint(device_bench_add(config, "virtio-scsi", 0), "PortCount", 4);
    disk = pci_guest_add_drive(config, "virtio-scsi", 0, PDM_MEDIA_DISK, SECTORS * 512ull);
    cfgm_set_uint(disk, "Discard", 1);
    cfgm_set_uint(disk, "NonRotational", 1);
    pci_guest_add_drive(config, "virtio-scsi", 1, PDM_MEDIA_OPTICAL, CD_SECTORS * 2048ull);
    return device_bench_new(config);
}

static BenchMedia *
drive(DeviceBench *bench, unsigned target)
{
    return bench_media(bench->pdm, "virtio-scsi", 0, target);
}

typedef struct {
    uint8_t response, status;
    uint32_t residual, sense_size;
    uint8_t key, asc;
} Answer;

static void
put_request(VirtioGuest *guest, unsigned target, unsigned lun, const uint8_t cdb[16])
{
    uint8_t head[HEAD_OUT] = {1, (uint8_t)target, 0x40, (uint8_t)lun, [8] = 0x99};

    memcpy(head + 19, cdb, 16);
    pci_guest_put(guest->bench, REQUEST, head, sizeof(head));
}

static void
send_request(VirtioGuest *guest, uint32_t out, uint32_t in)
{
    uint16_t after = out != 0 ? 1 : 2;

    virtio_guest_describe(guest, REQUEST_QUEUE, 0,
                          (VirtioGuestDescriptor){REQUEST, HEAD_OUT, DESCRIPTOR_NEXT, after});
    virtio_guest_describe(guest, REQUEST_QUEUE, 1,
                          (VirtioGuestDescriptor){DATA, out, DESCRIPTOR_NEXT, 2});
    virtio_guest_describe(
        guest, REQUEST_QUEUE, 2,
        (VirtioGuestDescriptor){RESPONSE, HEAD_IN,
                                (uint16_t)(DESCRIPTOR_WRITE | (in != 0 ? DESCRIPTOR_NEXT : 0)), 3});
    virtio_guest_describe(guest, REQUEST_QUEUE, 3,
                          (VirtioGuestDescriptor){DATA, in, DESCRIPTOR_WRITE, 0});
    virtio_guest_offer(guest, REQUEST_QUEUE, 0);
    virtio_guest_kick(guest, REQUEST_QUEUE);
    virtio_guest_settle(guest);
}

static Answer
take_answer(VirtioGuest *guest)
{
    uint8_t head[HEAD_IN];
    uint32_t written;
    Answer answer;

    g_assert_cmpint(virtio_guest_used(guest, REQUEST_QUEUE, &written), ==, 0);
    pci_guest_get(guest->bench, RESPONSE, head, sizeof(head));
    memcpy(&answer.sense_size, head, 4);
    memcpy(&answer.residual, head + 4, 4);
    answer.status = head[10];
    answer.response = head[11];
    answer.key = head[12 + 2] & 0x0f;
    answer.asc = head[12 + 12];
    return answer;
}

static Answer
command(VirtioGuest *guest, unsigned target, const uint8_t cdb[16], uint32_t out, uint32_t in)
{
    put_request(guest, target, 0, cdb);
    send_request(guest, out, in);
    return take_answer(guest);
}

static void
start(VirtioGuest *guest, DeviceBench *bench)
{
    virtio_guest_start(guest, bench, SLOT, 1ull << 29, 3);
}

static void
test_addresses(void)
{
    static const uint8_t inquiry[16] = {0x12, [4] = 36};
    g_autoptr(DeviceBench) bench = scsi_bench();
    uint8_t data[36];
    VirtioGuest guest;
    Answer answer;

    g_assert_cmphex(device_bench_pci_read(bench, SLOT, 0, 0, 4), ==, 0x10481af4);
    start(&guest, bench);
    answer = command(&guest, 0, inquiry, 0, 36);
    g_assert_cmphex(answer.response | answer.status | answer.residual, ==, 0);
    pci_guest_get(bench, DATA, data, 36);
    g_assert_cmphex(data[0], ==, 0);
    g_assert_cmpmem(data + 8, 8, "VITRINE ", 8);
    answer = command(&guest, 1, inquiry, 0, 100);
    g_assert_cmpuint(answer.residual, ==, 64);
    g_assert_cmphex(device_bench_read(bench, DATA, 1), ==, 5);
    g_assert_cmphex(command(&guest, 2, inquiry, 0, 36).response, ==, 3);
    g_assert_cmphex(command(&guest, 200, inquiry, 0, 36).response, ==, 3);
    put_request(&guest, 0, 1, inquiry);
    send_request(&guest, 0, 36);
    g_assert_cmphex(take_answer(&guest).response, ==, 3);
}

static void
test_disk(void)
{
    static const uint8_t write[16] = {0x2a, [5] = 7, [8] = 16};
    static const uint8_t read[16] = {0x88, [9] = 7, [13] = 16};
    static const uint8_t far[16] = {0x28, [2] = 1, [8] = 1};
    static const uint8_t sync[16] = {0x35};
    static const uint8_t capacity[16] = {0x9e, 0x10, [13] = 32};
    g_autoptr(DeviceBench) bench = scsi_bench();
    BenchMedia *disk = drive(bench, 0);
    uint8_t data[16 * 512], got[16 * 512];
    VirtioGuest guest;
    Answer answer;

    start(&guest, bench);
    pci_guest_pattern(data, sizeof(data), 1);
    pci_guest_put(bench, DATA, data, sizeof(data));
    answer = command(&guest, 0, write, sizeof(data), 0);
    g_assert_cmphex(answer.response | answer.status | answer.residual, ==, 0);
    g_assert_cmpmem(disk->data->data + 7 * 512, sizeof(data), data, sizeof(data));
    memset(got, 0, sizeof(got));
    pci_guest_put(bench, DATA, got, sizeof(got));
    answer = command(&guest, 0, read, 0, sizeof(got));
    g_assert_cmphex(answer.response | answer.status | answer.residual, ==, 0);
    pci_guest_get(bench, DATA, got, sizeof(got));
    g_assert_cmpmem(got, sizeof(got), data, sizeof(data));
    g_assert_cmphex(command(&guest, 0, sync, 0, 0).status, ==, 0);
    g_assert_cmpuint(disk->flushes, ==, 1);
    answer = command(&guest, 0, far, 0, 512);
    g_assert_cmphex(answer.status, ==, 2);
    g_assert_cmphex(answer.key << 8 | answer.asc, ==, 0x521);
    g_assert_cmpuint(answer.residual, ==, 512);
    g_assert_cmphex(command(&guest, 0, capacity, 0, 32).status, ==, 0);
    pci_guest_get(bench, DATA, got, 32);
    g_assert_cmpuint(got[6] << 8 | got[7], ==, SECTORS - 1);
    g_assert_cmphex(got[14], ==, 0xc0);
    /* Less memory than data: an overrun, or a command that fails before anything is written. */
    answer = command(&guest, 0, read, 0, 512);
    g_assert_cmphex(answer.response, ==, 1);
    memset(disk->data->data, 0xcc, disk->data->len);
    answer = command(&guest, 0, write, 512, 0);
    g_assert_cmphex(answer.status, ==, 2);
    g_assert_cmphex(disk->data->data[7 * 512], ==, 0xcc);
    /* Data in the wrong direction do not reach the guest's memory. */
    pci_guest_put32(bench, DATA, 0x11111111);
    command(&guest, 0, read, sizeof(data), 0);
    g_assert_cmphex(device_bench_read(bench, DATA, 4), ==, 0x11111111);
    disk->fail = EIO;
    answer = command(&guest, 0, read, 0, sizeof(got));
    g_assert_cmphex(answer.key << 8 | answer.asc, ==, 0x311);
}

static void
test_discard(void)
{
    static const uint8_t unmap[16] = {0x42, [8] = 40};
    static const uint8_t same[16] = {0x93, 0x08, [9] = 200, [13] = 4};
    static const uint8_t fill[16] = {0x41, 0, [5] = 250, [8] = 2};
    g_autoptr(DeviceBench) bench = scsi_bench();
    BenchMedia *disk = drive(bench, 0);
    uint8_t list[40] = {0, 38, 0, 32, [15] = 64, [19] = 8, [30] = 3, [31] = 0xe8, [35] = 1};
    uint8_t block[512] = {0};
    VirtioGuest guest;

    start(&guest, bench);
    memset(disk->data->data, 0xee, disk->data->len);
    pci_guest_put(bench, DATA, list, sizeof(list));
    g_assert_cmphex(command(&guest, 0, unmap, sizeof(list), 0).status, ==, 0);
    pci_guest_put(bench, DATA, block, sizeof(block));
    g_assert_cmphex(command(&guest, 0, same, sizeof(block), 0).status, ==, 0);
    memset(block, 0x33, sizeof(block));
    pci_guest_put(bench, DATA, block, sizeof(block));
    g_assert_cmphex(command(&guest, 0, fill, sizeof(block), 0).status, ==, 0);
    for (unsigned i = 0; i < SECTORS; i++) {
        bool gone = (i >= 64 && i < 72) || i == 1000 || (i >= 200 && i < 204);

        g_assert_cmphex(disk->data->data[i * 512], ==,
                        gone                   ? 0
                        : i == 250 || i == 251 ? 0x33
                                               : 0xee);
    }
    /* A range beyond the end: none is discarded. */
    list[30] = 0xff;
    list[15] = 0;
    pci_guest_put(bench, DATA, list, sizeof(list));
    g_assert_cmphex(command(&guest, 0, unmap, sizeof(list), 0).status, ==, 2);
    g_assert_cmphex(disk->data->data[0], ==, 0xee);
}

static void
test_cd(void)
{
    static const uint8_t ready[16] = {0x00};
    static const uint8_t read[16] = {0x28, [5] = 3, [8] = 2};
    g_autoptr(DeviceBench) bench = scsi_bench();
    BenchMedia *cd = drive(bench, 1);
    uint8_t disc[4096], got[4096];
    VirtioGuest guest;
    Answer answer;

    start(&guest, bench);
    pci_guest_pattern(cd->data->data, cd->data->len, 8);
    g_assert_cmphex(command(&guest, 1, read, 0, 4096).status, ==, 0);
    pci_guest_get(bench, DATA, got, 4096);
    g_assert_cmpmem(got, 4096, cd->data->data + 3 * 2048, 4096);
    bench_media_change(cd, NULL, 0);
    answer = command(&guest, 1, ready, 0, 0);
    g_assert_cmphex(answer.key << 8 | answer.asc, ==, 0x23a);
    memset(disc, 1, sizeof(disc));
    bench_media_change(cd, disc, sizeof(disc));
    answer = command(&guest, 1, ready, 0, 0);
    g_assert_cmphex(answer.key << 8 | answer.asc, ==, 0x628);
    g_assert_cmphex(command(&guest, 1, ready, 0, 0).status, ==, 0);
}

/* Task management through the control queue; returns the response. */
static uint8_t
manage(VirtioGuest *guest, uint8_t function, unsigned target)
{
    uint8_t request[24] = {[4] = function, [8] = 1, (uint8_t)target, 0x40, [16] = 0x99};
    uint32_t written;

    pci_guest_put(guest->bench, REQUEST + 0x1000, request, sizeof(request));
    virtio_guest_describe(guest, 0, 0,
                          (VirtioGuestDescriptor){REQUEST + 0x1000, 24, DESCRIPTOR_NEXT, 1});
    virtio_guest_describe(guest, 0, 1,
                          (VirtioGuestDescriptor){RESPONSE + 0x1000, 1, DESCRIPTOR_WRITE, 0});
    virtio_guest_offer(guest, 0, 0);
    virtio_guest_kick(guest, 0);
    g_assert_cmpint(virtio_guest_used(guest, 0, &written), ==, 0);
    return (uint8_t)device_bench_read(guest->bench, RESPONSE + 0x1000, 1);
}

static void
test_management(void)
{
    static const uint8_t read[16] = {0x28, [8] = 1};
    g_autoptr(DeviceBench) bench = scsi_bench();
    BenchMedia *disk = drive(bench, 0);
    VirtioGuest guest;

    start(&guest, bench);
    disk->hold = true;
    put_request(&guest, 0, 0, read);
    send_request(&guest, 0, 512);
    g_assert_cmphex(manage(&guest, 6, 0), ==, 10);
    g_assert_cmphex(manage(&guest, 6, 1), ==, 0);
    g_assert_cmphex(manage(&guest, 0, 0), ==, 0);
    g_assert_cmphex(take_answer(&guest).response, ==, 2);
    g_assert_cmphex(manage(&guest, 6, 0), ==, 0);
    g_assert_cmphex(manage(&guest, 5, 3), ==, 3);
    g_assert_cmphex(manage(&guest, 77, 0), ==, 11);
    bench_media_complete(disk);
    disk->hold = false;
    virtio_guest_settle(&guest);
    g_assert_cmphex(command(&guest, 0, read, 0, 512).status, ==, 0);
}

/* A large read goes straight into the guest's memory, and one that is aborted does so no more. */
static void
test_direct(void)
{
    static const uint8_t read[16] = {0x28, [8] = 200};
    const uint32_t size = 200 * 512;
    g_autoptr(DeviceBench) bench = scsi_bench();
    BenchMedia *disk = drive(bench, 0);
    VirtioGuest guest;

    start(&guest, bench);
    memset(disk->data->data, 0x55, size);
    g_assert_cmphex(command(&guest, 0, read, 0, size).status, ==, 0);
    g_assert_cmpuint(disk->in_pieces, ==, 1);
    g_assert_cmphex(device_bench_read(bench, DATA + size - 1, 1), ==, 0x55);
    memset(disk->data->data, 0x66, size);
    disk->hold = true;
    put_request(&guest, 0, 0, read);
    send_request(&guest, 0, size);
    g_assert_cmphex(manage(&guest, 0, 0), ==, 0);
    g_assert_cmphex(take_answer(&guest).response, ==, 2);
    g_assert_cmpuint(g_queue_get_length(&disk->held), ==, 0);
    g_assert_cmphex(device_bench_read(bench, DATA + size - 1, 1), ==, 0x55);
}

static void
test_random(void)
{
    g_autoptr(DeviceBench) bench = scsi_bench();
    GRand *random = g_rand_new_with_seed(1234);
    static const uint8_t ready[16] = {0x00};
    VirtioGuest guest;
    uint32_t written;

    start(&guest, bench);
    for (unsigned i = 0; i < 20000; i++) {
        uint8_t cdb[16];

        for (unsigned j = 0; j < sizeof(cdb); j++)
            cdb[j] = (uint8_t)(g_rand_boolean(random) ? 0 : g_rand_int(random));
        cdb[0] = (uint8_t)g_rand_int(random);
        put_request(&guest, g_rand_int(random) % 3, 0, cdb);
        send_request(&guest, g_rand_boolean(random) ? 0 : g_rand_int(random) % 70000,
                     g_rand_boolean(random) ? 0 : g_rand_int(random) % 70000);
        while (virtio_guest_used(&guest, REQUEST_QUEUE, &written) >= 0)
            ;
        g_assert_cmphex(virtio_guest_status(bench), ==, 0xf);
        drive(bench, 1)->present = true;
    }
    g_rand_free(random);
    command(&guest, 0, ready, 0, 0);
    g_assert_cmphex(command(&guest, 0, ready, 0, 0).status, ==, 0);
}

#define EVENT_QUEUE 1
#define EVENTS 0x280000u

static void
offer_event(VirtioGuest *guest, unsigned index)
{
    virtio_guest_describe(guest, EVENT_QUEUE, index,
                          (VirtioGuestDescriptor){EVENTS + 16 * index, 16, DESCRIPTOR_WRITE, 0});
    virtio_guest_offer(guest, EVENT_QUEUE, (uint16_t)index);
    virtio_guest_kick(guest, EVENT_QUEUE);
    virtio_guest_settle(guest);
}

/* Event, target and reason in one number: EEEEEEEE TT RR. */
static uint64_t
take_event(VirtioGuest *guest)
{
    uint8_t event[16];
    uint32_t written;
    int head;

    virtio_guest_settle(guest);
    head = virtio_guest_used(guest, EVENT_QUEUE, &written);
    if (head < 0)
        return 0;
    g_assert_cmpuint(written, ==, 16);
    pci_guest_get(guest->bench, EVENTS + 16 * (uint32_t)head, event, sizeof(event));
    return (uint64_t)event[3] << 40 | (uint64_t)event[0] << 16 | (uint64_t)event[5] << 8 |
           event[12];
}

/* The disk is pulled out while it is at a command, and another one comes where none was. */
static void
test_hot_plug(void)
{
    static const uint8_t ready[16] = {0}, read[16] = {0x28, [8] = 1};
    g_autoptr(DeviceBench) bench = scsi_bench();
    CfgmNode *config = cfgm_new();
    VirtioGuest guest;

    virtio_guest_start(&guest, bench, SLOT, 2, 3);
    g_assert_cmphex(virtio_guest_offered(bench) & 2, ==, 2);
    offer_event(&guest, 0);
    drive(bench, 0)->hold = true;
    put_request(&guest, 0, 0, read);
    send_request(&guest, 0, 512);
    g_assert_true(pdm_unplug(bench->pdm, "virtio-scsi", 0, 0, NULL));
    g_assert_cmphex(take_answer(&guest).response, ==, 3);
    g_assert_cmphex(take_event(&guest), ==, 0x10002);
    g_assert_cmphex(command(&guest, 0, ready, 0, 0).response, ==, 3);

    /* There is no buffer: the next one says that something was missed. */
    cfgm_set_string(config, "Driver", "bench-media");
    cfgm_set_uint(cfgm_make(config, "Config"), "Size", SECTORS * 512);
    g_assert_true(pdm_plug(bench->pdm, "virtio-scsi", 0, 3, config, NULL));
    g_assert_cmphex(take_event(&guest), ==, 0);
    offer_event(&guest, 1);
    g_assert_cmphex(take_event(&guest), ==, (uint64_t)0x80 << 40);
    g_assert_cmphex(command(&guest, 3, ready, 0, 0).status, ==, 0);
    offer_event(&guest, 2);
    offer_event(&guest, 3);
    g_assert_true(pdm_unplug(bench->pdm, "virtio-scsi", 0, 3, NULL));
    g_assert_cmphex(take_event(&guest), ==, 0x10302);
    g_assert_true(pdm_plug(bench->pdm, "virtio-scsi", 0, 3, config, NULL));
    g_assert_cmphex(take_event(&guest), ==, 0x10301);
    g_assert_cmphex(command(&guest, 3, ready, 0, 0).status, ==, 0);
    cfgm_free(config);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/virtio-scsi/addresses", test_addresses);
    g_test_add_func("/virtio-scsi/disk", test_disk);
    g_test_add_func("/virtio-scsi/discard", test_discard);
    g_test_add_func("/virtio-scsi/cd", test_cd);
    g_test_add_func("/virtio-scsi/management", test_management);
    g_test_add_func("/virtio-scsi/direct", test_direct);
    g_test_add_func("/virtio-scsi/hot-plug", test_hot_plug);
    g_test_add_func("/virtio-scsi/random", test_random);
    return g_test_run();
}
