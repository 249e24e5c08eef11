/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The NVMe controller through its registers and queues: disks are namespaces 1 and 3. */
#include <errno.h>
#include <string.h>

#include "tests/device/pci-guest.h"

#define SLOT 14
#define SECTORS 8192u
#define ENTRIES 16u
#define SQ(queue) (0x100000u + (queue)*0x10000u)
#define CQ(queue) (SQ(queue) + 0x8000u)
#define LIST 0x200000u
#define DATA 0x400000u
#define PENDING_NONE 0xffffffffu

enum { CAP = 0x00, CC = 0x14, CSTS = 0x1c, AQA = 0x24, ASQ = 0x28, ACQ = 0x30 };

typedef struct {
    DeviceBench *bench;
    uint32_t tail[3], head[3];
    uint8_t phase[3];
    uint16_t identifier;
} Guest;

static DeviceBench *
nvme_bench(void)
{
    CfgmNode *config = cfgm_new();
    CfgmNode *disk;

    cfgm_set_uint(device_bench_add(config, "nvme", 0), "PortCount", 4);
    disk = pci_guest_add_drive(config, "nvme", 0, PDM_MEDIA_DISK, SECTORS * 512ull);
    cfgm_set_uint(disk, "Discard", 1);
    pci_guest_add_drive(config, "nvme", 2, PDM_MEDIA_DISK, 64 * 512ull);
    return device_bench_new(config);
}

static BenchMedia *
disk_of(DeviceBench *bench)
{
    return bench_media(bench->pdm, "nvme", 0, 0);
}

static void
doorbell(Guest *guest, unsigned queue, bool completion, uint32_t value)
{
    pci_guest_write(guest->bench, 0, 0x1000 + 4 * (2 * queue + completion), value);
}

/* Puts a command into a queue. */
static void
send_command(Guest *guest, unsigned queue, uint8_t opcode, uint32_t nsid, uint64_t prp1,
             uint64_t prp2, const uint32_t words[6])
{
    uint8_t command[64] = {opcode};
    uint16_t identifier = ++guest->identifier;

    memcpy(command + 2, &identifier, 2);
    memcpy(command + 4, &nsid, 4);
    memcpy(command + 24, &prp1, 8);
    memcpy(command + 32, &prp2, 8);
    memcpy(command + 40, words, 24);
    pci_guest_put(guest->bench, SQ(queue) + 64 * guest->tail[queue], command, 64);
    guest->tail[queue] = (guest->tail[queue] + 1) % ENTRIES;
    doorbell(guest, queue, false, guest->tail[queue]);
}

/* The status of the next completion, 15 bits without the "do not retry"; PENDING_NONE: none. */
static uint32_t
take(Guest *guest, unsigned queue, uint32_t *result)
{
    uint32_t entry[4];

    for (unsigned i = 0; i < 64; i++)
        device_bench_run_queues(guest->bench);
    pci_guest_get(guest->bench, CQ(queue) + 16 * guest->head[queue], entry, sizeof(entry));
    if ((entry[3] >> 16 & 1) != guest->phase[queue])
        return PENDING_NONE;
    guest->head[queue] = (guest->head[queue] + 1) % ENTRIES;
    if (guest->head[queue] == 0)
        guest->phase[queue] ^= 1;
    doorbell(guest, queue, true, guest->head[queue]);
    if (result != NULL)
        *result = entry[0];
    return entry[3] >> 17 & 0x7ff;
}

static uint32_t
command(Guest *guest, unsigned queue, uint8_t opcode, uint32_t nsid, uint64_t prp1, uint64_t prp2,
        uint32_t word10, uint32_t word11, uint32_t word12)
{
    const uint32_t words[6] = {word10, word11, word12};

    send_command(guest, queue, opcode, nsid, prp1, prp2, words);
    return take(guest, queue, NULL);
}

static void
enable(Guest *guest)
{
    DeviceBench *bench = guest->bench;
    uint8_t zeros[0x10000] = {0};

    pci_guest_write(bench, 0, CC, 0);
    for (unsigned i = 0; i < 3; i++) {
        pci_guest_put(bench, SQ(i), zeros, sizeof(zeros));
        guest->tail[i] = guest->head[i] = 0;
        guest->phase[i] = 1;
    }
    pci_guest_write(bench, 0, AQA, (ENTRIES - 1) << 16 | (ENTRIES - 1));
    pci_guest_write(bench, 0, ASQ, SQ(0));
    pci_guest_write(bench, 0, ASQ + 4, 0);
    pci_guest_write(bench, 0, ACQ, CQ(0));
    pci_guest_write(bench, 0, ACQ + 4, 0);
    pci_guest_write(bench, 0, CC, 0x00460001);
    g_assert_cmphex(pci_guest_read(bench, 0, CSTS), ==, 1);
}

static void
start(Guest *guest, DeviceBench *bench)
{
    *guest = (Guest){.bench = bench};
    pci_guest_map(bench, SLOT, 0);
    enable(guest);
    g_assert_cmphex(command(guest, 0, 5, 0, CQ(1), 0, (ENTRIES - 1) << 16 | 1, 3, 0), ==, 0);
    g_assert_cmphex(command(guest, 0, 1, 0, SQ(1), 0, (ENTRIES - 1) << 16 | 1, 1u << 16 | 1, 0), ==,
                    0);
}

static void
test_identify(void)
{
    g_autoptr(DeviceBench) bench = nvme_bench();
    uint8_t page[4096];
    uint32_t list[4];
    Guest guest;

    start(&guest, bench);
    g_assert_cmphex(device_bench_pci_read(bench, SLOT, 0, 0, 4), ==, 0x4e5680ee);
    g_assert_cmphex(device_bench_pci_read(bench, SLOT, 0, 8, 4) >> 8, ==, 0x010802);
    g_assert_cmpuint(pci_guest_read(bench, 0, CAP) & 0xffff, ==, 1023);
    g_assert_cmphex(command(&guest, 0, 6, 0, DATA, 0, 1, 0, 0), ==, 0);
    pci_guest_get(bench, DATA, page, sizeof(page));
    g_assert_cmpmem(page + 4, 10, "BENCH-0001", 10);
    g_assert_cmpuint(page[516], ==, 4);
    g_assert_cmphex(page[520], ==, 0x0c);
    g_assert_cmphex(command(&guest, 0, 6, 1, DATA, 0, 0, 0, 0), ==, 0);
    g_assert_cmpuint(device_bench_read(bench, DATA, 8), ==, SECTORS);
    g_assert_cmphex(device_bench_read(bench, DATA + 128, 4), ==, 9u << 16);
    g_assert_cmphex(command(&guest, 0, 6, 2, DATA, 0, 0, 0, 0), ==, 0); /* not active: zeros */
    g_assert_cmpuint(device_bench_read(bench, DATA, 8), ==, 0);
    g_assert_cmphex(command(&guest, 0, 6, 5, DATA, 0, 0, 0, 0), ==, 0x0b);
    g_assert_cmphex(command(&guest, 0, 6, 0, DATA, 0, 2, 0, 0), ==, 0);
    pci_guest_get(bench, DATA, list, sizeof(list));
    g_assert_cmpuint(list[0], ==, 1);
    g_assert_cmpuint(list[1], ==, 3);
    g_assert_cmpuint(list[2], ==, 0);
    g_assert_cmphex(command(&guest, 0, 2, 0, DATA, 0, 127u << 16 | 2, 0, 0), ==, 0);
    g_assert_cmpuint(device_bench_read(bench, DATA + 3, 1), ==, 100);
    g_assert_cmphex(command(&guest, 0, 0x7f, 0, 0, 0, 0, 0, 0), ==, 0x01);
}

static void
test_queues(void)
{
    g_autoptr(DeviceBench) bench = nvme_bench();
    const uint32_t none[6] = {7};
    uint32_t result = 0;
    Guest guest;

    start(&guest, bench);
    send_command(&guest, 0, 0x0a, 0, 0, 0, none);
    g_assert_cmphex(take(&guest, 0, &result), ==, 0);
    g_assert_cmphex(result, ==, 15u << 16 | 15);
    /* Twice, too large, of no size, out of place, with a vector or a partner that is not there. */
    g_assert_cmphex(command(&guest, 0, 5, 0, CQ(1), 0, 15u << 16 | 1, 1, 0), ==, 0x101);
    g_assert_cmphex(command(&guest, 0, 5, 0, CQ(2), 0, 1024u << 16 | 2, 1, 0), ==, 0x102);
    g_assert_cmphex(command(&guest, 0, 5, 0, CQ(2), 0, 2, 1, 0), ==, 0x102);
    g_assert_cmphex(command(&guest, 0, 5, 0, CQ(2) + 8, 0, 15u << 16 | 2, 1, 0), ==, 0x13);
    g_assert_cmphex(command(&guest, 0, 5, 0, CQ(2), 0, 15u << 16 | 99, 1, 0), ==, 0x101);
    g_assert_cmphex(command(&guest, 0, 5, 0, CQ(2), 0, 15u << 16 | 2, 999u << 16 | 3, 0), ==,
                    0x108);
    g_assert_cmphex(command(&guest, 0, 1, 0, SQ(2), 0, 15u << 16 | 2, 2u << 16 | 1, 0), ==, 0x100);
    g_assert_cmphex(command(&guest, 0, 4, 0, 0, 0, 1, 0, 0), ==, 0x10c);
    g_assert_cmphex(command(&guest, 0, 0, 0, 0, 0, 1, 0, 0), ==, 0);
    g_assert_cmphex(command(&guest, 0, 4, 0, 0, 0, 1, 0, 0), ==, 0);
    g_assert_cmphex(command(&guest, 0, 0, 0, 0, 0, 1, 0, 0), ==, 0x101);
    /* A configuration that cannot be. */
    pci_guest_write(bench, 0, CC, 0);
    pci_guest_write(bench, 0, CC, 0x00460081);
    g_assert_cmphex(pci_guest_read(bench, 0, CSTS), ==, 2);
}

/* The answer to a request for events, NO_EVENT when there is none. */
#define NO_EVENT 0xffffffffu

static uint32_t
take_event(Guest *guest)
{
    uint32_t result = 0;
    const uint32_t status = take(guest, 0, &result);

    g_assert_true(status == 0 || status == PENDING_NONE);
    return status == 0 ? result : NO_EVENT;
}

static void
ask_event(Guest *guest)
{
    const uint32_t none[6] = {0};

    send_command(guest, 0, 0x0c, 0, 0, 0, none);
}

/* What a guest does wrong at the doorbells is told, once until it has read the log. */
static void
test_events(void)
{
    g_autoptr(DeviceBench) bench = nvme_bench();
    uint8_t page[64];
    Guest guest;

    start(&guest, bench);
    for (unsigned i = 0; i < 4; i++) {
        ask_event(&guest);
        g_assert_cmphex(take_event(&guest), ==, NO_EVENT);
    }
    g_assert_cmphex(command(&guest, 0, 0x0c, 0, 0, 0, 0, 0, 0), ==, 0x105);
    /* The log is empty; an entry that no queue has; the same again is not told. */
    g_assert_cmphex(command(&guest, 0, 2, 0, DATA, 0, 15u << 16 | 1, 0, 0), ==, 0);
    g_assert_cmphex(device_bench_read(bench, DATA, 8), ==, 0);
    doorbell(&guest, 1, false, 5000);
    g_assert_true(device_bench_logged(bench, "has no entry"));
    g_assert_cmphex(take_event(&guest), ==, 0x010100);
    doorbell(&guest, 1, false, 5000);
    g_assert_cmphex(take_event(&guest), ==, NO_EVENT);
    g_assert_cmphex(command(&guest, 0, 2, 0, DATA, 0, 15u << 16 | 1, 0, 0), ==, 0);
    pci_guest_get(bench, DATA, page, sizeof(page));
    g_assert_cmpuint(page[0], ==, 2);
    g_assert_cmpuint(page[8] | page[9] << 8, ==, 1);
    g_assert_cmphex(page[10] | page[11] << 8, ==, 0xffff);
    /* What was kept still; then a queue that is not there, and more completions than there are. */
    g_assert_cmphex(take_event(&guest), ==, 0x010100);
    g_assert_cmphex(command(&guest, 0, 2, 0, DATA, 0, 15u << 16 | 1, 0, 0), ==, 0);
    doorbell(&guest, 9, true, 3);
    g_assert_cmphex(take_event(&guest), ==, 0x010000);
    g_assert_cmphex(command(&guest, 0, 2, 0, DATA, 0, 15u << 16 | 1, 0, 0), ==, 0);
    doorbell(&guest, 1, true, 3);
    g_assert_cmphex(take_event(&guest), ==, 0x010100);
    /* Nobody asks: it is kept until somebody does. */
    g_assert_cmphex(command(&guest, 0, 2, 0, DATA, 0, 15u << 16 | 1, 0, 0), ==, 0);
    doorbell(&guest, 30, false, 0);
    g_assert_cmphex(take_event(&guest), ==, NO_EVENT);
    ask_event(&guest);
    g_assert_cmphex(take_event(&guest), ==, 0x010000);
}

/* A threshold that the temperature has reached: a warning, and an event if it is wanted. */
static void
test_temperature(void)
{
    g_autoptr(DeviceBench) bench = nvme_bench();
    const uint32_t get_high[6] = {4};
    uint32_t result = 0;
    Guest guest;

    start(&guest, bench);
    send_command(&guest, 0, 0x0a, 0, 0, 0, get_high);
    g_assert_cmphex(take(&guest, 0, &result), ==, 0);
    g_assert_cmpuint(result, ==, 350);
    ask_event(&guest);
    g_assert_cmphex(command(&guest, 0, 9, 0, 0, 0, 4, 290, 0), ==, 0);
    g_assert_cmphex(command(&guest, 0, 2, 0, DATA, 0, 127u << 16 | 2, 0, 0), ==, 0);
    g_assert_cmphex(device_bench_read(bench, DATA, 1), ==, 2);
    g_assert_cmphex(take_event(&guest), ==, NO_EVENT);
    g_assert_cmphex(command(&guest, 0, 9, 0, 0, 0, 4, 350, 0), ==, 0);
    g_assert_cmphex(command(&guest, 0, 9, 0, 0, 0, 0x0b, 2, 0), ==, 0);
    /* Too cold; the event comes before the end of the command that it follows from. */
    g_assert_cmphex(command(&guest, 0, 9, 0, 0, 0, 4, 1u << 20 | 310, 0), ==, 0);
    g_assert_cmphex(take(&guest, 0, NULL), ==, 0);
    g_assert_cmphex(take(&guest, 0, NULL), ==, PENDING_NONE);
}

static void
put_list(Guest *guest, uint64_t at, unsigned first, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        pci_guest_put64(guest->bench, at + 8 * i, DATA + 4096ull * (first + i));
}

static void
test_transfer(void)
{
    g_autoptr(DeviceBench) bench = nvme_bench();
    BenchMedia *disk = disk_of(bench);
    g_autofree uint8_t *data = g_malloc(1 << 20);
    Guest guest;

    start(&guest, bench);
    pci_guest_pattern(data, 1 << 20, 9);
    pci_guest_put(bench, DATA + 512, data, 1 << 20);
    /* 1 MiB from the middle of a page: a list whose page ends before it does. */
    put_list(&guest, LIST + 4096 - 80, 1, 9);
    pci_guest_put64(bench, LIST + 4096 - 8, LIST + 4096);
    put_list(&guest, LIST + 4096, 10, 247);
    g_assert_cmphex(command(&guest, 1, 1, 1, DATA + 512, LIST + 4096 - 80, 100, 0, 2047), ==, 0);
    g_assert_cmpmem(disk->data->data + 51200, 1 << 20, data, 1 << 20);
    /* Two pages, one page. */
    g_assert_cmphex(command(&guest, 1, 2, 1, DATA + 0x200000, DATA + 0x300000, 100, 0, 15), ==, 0);
    pci_guest_get(bench, DATA + 0x200000, data, 4096);
    g_assert_cmpmem(data, 4096, disk->data->data + 51200, 4096);
    pci_guest_get(bench, DATA + 0x300000, data, 4096);
    g_assert_cmpmem(data, 4096, disk->data->data + 51200 + 4096, 4096);
    g_assert_cmphex(command(&guest, 1, 0, 1, 0, 0, 0, 0, 0), ==, 0);
    g_assert_cmpuint(disk->flushes, ==, 1);
    g_assert_cmphex(command(&guest, 1, 1, 1, DATA, 0, 0, 0, 1u << 30), ==, 0); /* FUA */
    g_assert_cmpuint(disk->flushes, ==, 2);
    /* What cannot be. */
    g_assert_cmphex(command(&guest, 1, 2, 1, DATA, 0, SECTORS, 0, 0), ==, 0x80);
    g_assert_cmphex(command(&guest, 1, 2, 1, DATA, 0, UINT32_MAX, UINT32_MAX, 1), ==, 0x80);
    g_assert_cmphex(command(&guest, 1, 2, 1, DATA, LIST, 0, 0, 2048), ==, 0x02);
    g_assert_cmphex(command(&guest, 1, 2, 1, DATA + 1, LIST, 0, 0, 0), ==, 0x13);
    g_assert_cmphex(command(&guest, 1, 2, 1, DATA, DATA + 8, 0, 0, 15), ==, 0x13);
    pci_guest_put64(bench, LIST, DATA + 12);
    g_assert_cmphex(command(&guest, 1, 2, 1, DATA, LIST, 0, 0, 31), ==, 0x13);
    g_assert_cmphex(command(&guest, 1, 2, 2, DATA, 0, 0, 0, 0), ==, 0x0b);
    g_assert_cmphex(command(&guest, 1, 0x55, 1, DATA, 0, 0, 0, 0), ==, 0x01);
    disk->fail = EIO;
    g_assert_cmphex(command(&guest, 1, 2, 1, DATA, 0, 0, 0, 0), ==, 0x281);
    g_assert_cmphex(command(&guest, 1, 1, 1, DATA, 0, 0, 0, 0), ==, 0x280);
}

static void
test_ranges(void)
{
    g_autoptr(DeviceBench) bench = nvme_bench();
    BenchMedia *disk = disk_of(bench);
    Guest guest;

    start(&guest, bench);
    memset(disk->data->data, 0xee, disk->data->len);
    pci_guest_put32(bench, DATA + 4, 8);
    pci_guest_put64(bench, DATA + 8, 64);
    pci_guest_put32(bench, DATA + 20, 1);
    pci_guest_put64(bench, DATA + 24, 1000);
    g_assert_cmphex(command(&guest, 1, 9, 1, DATA, 0, 1, 4, 0), ==, 0);
    g_assert_cmphex(command(&guest, 1, 8, 1, 0, 0, 2000, 0, 9), ==, 0);
    g_assert_cmphex(command(&guest, 1, 8, 1, 0, 0, 3000, 0, 1u << 25 | 9), ==, 0);
    for (unsigned i = 0; i < SECTORS; i++) {
        bool gone =
            (i >= 64 && i < 72) || i == 1000 || (i >= 2000 && i < 2010) || (i >= 3000 && i < 3010);

        g_assert_cmphex(disk->data->data[i * 512], ==, gone ? 0 : 0xee);
    }
    pci_guest_put64(bench, DATA + 8, 0);
    pci_guest_put64(bench, DATA + 24, SECTORS);
    g_assert_cmphex(command(&guest, 1, 9, 1, DATA, 0, 1, 4, 0), ==, 0x80);
    g_assert_cmphex(disk->data->data[0], ==, 0xee);
}

/* A guest that does not take completions gets no more than its queue holds. */
static void
test_full_queue(void)
{
    g_autoptr(DeviceBench) bench = nvme_bench();
    const uint32_t words[6] = {0};
    unsigned ended = 0;
    Guest guest;

    start(&guest, bench);
    disk_of(bench)->hold = true;
    for (unsigned i = 0; i < 15; i++)
        send_command(&guest, 1, 2, 1, DATA, 0, words);
    g_assert_cmpuint(g_queue_get_length(&disk_of(bench)->held), ==, 15);
    disk_of(bench)->hold = false;
    bench_media_complete(disk_of(bench));
    for (unsigned i = 0; i < 64; i++)
        device_bench_run_queues(bench);
    for (unsigned i = 0; i < 10; i++)
        send_command(&guest, 1, 2, 1, DATA, 0, words);
    g_assert_cmpuint(disk_of(bench)->requests, ==, 15);
    while (take(&guest, 1, NULL) == 0)
        ended++;
    g_assert_cmpuint(ended, ==, 25);
}

/* A read that the medium keeps waiting is taken back; what comes after it waits until the medium is
 * through with it, and an abort of nothing is no error. */
static void
test_abort(void)
{
    g_autoptr(DeviceBench) bench = nvme_bench();
    const uint32_t read[6] = {0};
    uint32_t abort[6] = {0}, result = 0;
    Guest guest;

    start(&guest, bench);
    disk_of(bench)->hold = true;
    memset(disk_of(bench)->data->data, 0x66, 512);
    device_bench_write(bench, DATA, 0x11, 1);
    send_command(&guest, 1, 2, 1, DATA, 0, read);
    abort[0] = (uint32_t)guest.identifier << 16 | 2;
    send_command(&guest, 0, 8, 0, 0, 0, abort);
    g_assert_cmphex(take(&guest, 0, &result), ==, 0);
    g_assert_cmphex(result, ==, 1);
    abort[0] = (abort[0] & 0xffff0000) | 1;
    send_command(&guest, 0, 8, 0, 0, 0, abort);
    g_assert_cmphex(take(&guest, 0, &result), ==, 0);
    g_assert_cmphex(result, ==, 0);
    g_assert_cmphex(take(&guest, 1, NULL), ==, 7);
    send_command(&guest, 1, 2, 1, DATA + 4096, 0, read);
    disk_of(bench)->hold = false;
    bench_media_complete(disk_of(bench));
    g_assert_cmphex(take(&guest, 1, NULL), ==, 0);
    g_assert_cmphex(take(&guest, 1, NULL), ==, PENDING_NONE);
    g_assert_cmphex(device_bench_read(bench, DATA, 1), ==, 0x11);
    g_assert_cmphex(device_bench_read(bench, DATA + 4096, 1), ==, 0x66);
    send_command(&guest, 0, 8, 0, 0, 0, abort);
    g_assert_cmphex(take(&guest, 0, &result), ==, 0);
    g_assert_cmphex(result, ==, 1);
}

/* A large read is on its way straight into the guest's memory: when it is said to be over nothing
 * comes there any more, and its neighbour goes on. */
static void
test_abort_direct(void)
{
    g_autoptr(DeviceBench) bench = nvme_bench();
    const uint32_t read[6] = {0, 0, 2047};
    uint32_t abort[6] = {0}, result = 1;
    Guest guest;

    start(&guest, bench);
    disk_of(bench)->hold = true;
    memset(disk_of(bench)->data->data, 0x66, 1 << 20);
    device_bench_write(bench, DATA, 0x11, 1);
    put_list(&guest, LIST, 1, 255);
    put_list(&guest, LIST + 4096, 257, 255);
    send_command(&guest, 1, 2, 1, DATA, LIST, read);
    abort[0] = (uint32_t)guest.identifier << 16 | 1;
    send_command(&guest, 1, 2, 1, DATA + (1 << 20), LIST + 4096, read);
    g_assert_cmpuint(disk_of(bench)->in_pieces, ==, 2);
    send_command(&guest, 0, 8, 0, 0, 0, abort);
    g_assert_cmphex(take(&guest, 0, &result), ==, 0);
    g_assert_cmphex(result, ==, 0);
    g_assert_cmphex(take(&guest, 1, NULL), ==, 7);
    g_assert_cmpuint(g_queue_get_length(&disk_of(bench)->held), ==, 1);
    disk_of(bench)->hold = false;
    bench_media_complete(disk_of(bench));
    g_assert_cmphex(take(&guest, 1, NULL), ==, 0);
    g_assert_cmphex(take(&guest, 1, NULL), ==, PENDING_NONE);
    g_assert_cmphex(device_bench_read(bench, DATA, 1), ==, 0x11);
    g_assert_cmphex(device_bench_read(bench, DATA + (2 << 20) - 1, 1), ==, 0x66);
}

static void
test_reset_in_flight(void)
{
    g_autoptr(DeviceBench) bench = nvme_bench();
    const uint32_t words[6] = {0};
    Guest guest;

    disk_of(bench)->hold = true;
    start(&guest, bench);
    for (unsigned i = 0; i < 50; i++) {
        send_command(&guest, 1, 2, 1, DATA, 0, words);
        pci_guest_write(bench, 0, CC, 0x00464001); /* shut down */
        start(&guest, bench);
    }
    g_assert_cmpuint(g_queue_get_length(&disk_of(bench)->held), <=, 2);
    disk_of(bench)->hold = false;
    bench_media_complete(disk_of(bench));
    g_assert_cmphex(command(&guest, 1, 2, 1, DATA, 0, 0, 0, 0), ==, 0);
    pci_guest_write(bench, 0, CC, 0x00464001);
    for (unsigned i = 0; i < 64; i++)
        device_bench_run_queues(bench);
    g_assert_cmphex(pci_guest_read(bench, 0, CSTS), ==, 9);
}

static void
test_state_in_flight(void)
{
    g_autoptr(DeviceBench) bench = nvme_bench();
    g_autoptr(DeviceBench) other = nvme_bench();
    g_autoptr(GBytes) state = NULL, again = NULL;
    g_autoptr(GError) error = NULL;
    const uint32_t words[6] = {5};
    Guest guest;

    disk_of(bench)->hold = true;
    start(&guest, bench);
    send_command(&guest, 1, 2, 1, DATA, 0, words);
    state = device_bench_save(bench, &error);
    g_assert_no_error(error);
    memset(disk_of(other)->data->data + 5 * 512, 0x42, 512);
    g_assert_true(device_bench_load(other, state, &error));
    again = device_bench_save(other, &error);
    g_assert_true(g_bytes_equal(state, again));
    guest.bench = other;
    g_assert_cmphex(take(&guest, 1, NULL), ==, 0);
    g_assert_cmphex(device_bench_read(other, DATA, 1), ==, 0x42);
}

static void
test_random(void)
{
    g_autoptr(DeviceBench) bench = nvme_bench();
    GRand *random = g_rand_new_with_seed(55);
    Guest guest;

    start(&guest, bench);
    for (unsigned i = 0; i < 20000; i++) {
        unsigned queue = g_rand_int(random) % 2;
        uint32_t words[6];

        for (unsigned j = 0; j < 6; j++)
            words[j] = g_rand_boolean(random) ? 0 : g_rand_int(random);
        send_command(&guest, queue, (uint8_t)(g_rand_int(random) % 16), g_rand_int(random) % 5,
                     DATA + (g_rand_int(random) & 0xfffff), LIST + (g_rand_int(random) & 0xfff8),
                     words);
        take(&guest, queue, NULL);
        if (g_rand_int(random) % 16 == 0)
            pci_guest_write(bench, 0, 4 * (g_rand_int(random) % 0x420), g_rand_int(random));
        if (g_rand_int(random) % 32 == 0)
            enable(&guest);
    }
    g_rand_free(random);
    start(&guest, bench);
    g_assert_cmphex(command(&guest, 1, 2, 1, DATA, 0, 0, 0, 0), ==, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/nvme/identify", test_identify);
    g_test_add_func("/nvme/queues", test_queues);
    g_test_add_func("/nvme/events", test_events);
    g_test_add_func("/nvme/temperature", test_temperature);
    g_test_add_func("/nvme/transfer", test_transfer);
    g_test_add_func("/nvme/ranges", test_ranges);
    g_test_add_func("/nvme/full-queue", test_full_queue);
    g_test_add_func("/nvme/abort", test_abort);
    g_test_add_func("/nvme/abort-direct", test_abort_direct);
    g_test_add_func("/nvme/reset-in-flight", test_reset_in_flight);
    g_test_add_func("/nvme/state-in-flight", test_state_in_flight);
    g_test_add_func("/nvme/random", test_random);
    return g_test_run();
}
