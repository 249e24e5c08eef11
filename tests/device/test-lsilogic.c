/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The 53c1030 through its doorbell and queues: a disk at target 0, a CD at target 3;
 * and what is different with the SAS1068. */
#include <errno.h>
#include <string.h>

#include "tests/device/pci-guest.h"

#define SLOT 20
#define SAS_SLOT 22
#define BAR 1
#define SECTORS 4096u
#define FRAME(index) (0x100000u + 0x100u * (index))
#define REPLY(index) (0x180000u + 0x100u * (index))
#define SENSE 0x190000u
#define LIST 0x1a0000u
#define DATA 0x400000u
#define NO_REPLY 0xffffffffu

enum { DOORBELL = 0x00, STATUS = 0x30, MASK = 0x34, REQUESTS = 0x40, REPLIES = 0x44 };

static uint32_t
get(DeviceBench *bench, uint32_t reg)
{
    return pci_guest_read(bench, BAR, reg);
}

static void
set(DeviceBench *bench, uint32_t reg, uint32_t value)
{
    pci_guest_write(bench, BAR, reg, value);
}

/* A message through the doorbell and its answer, a half-word at a time. */
static void
handshake(DeviceBench *bench, const uint32_t *message, unsigned words, uint8_t *answer,
          unsigned size)
{
    set(bench, DOORBELL, 0x42u << 24 | words << 16);
    g_assert_cmphex(get(bench, STATUS) & 1, ==, 1);
    set(bench, STATUS, 0);
    for (unsigned i = 0; i < words; i++)
        set(bench, DOORBELL, message[i]);
    for (unsigned i = 0; i < size; i += 2) {
        uint32_t half;

        g_assert_cmphex(get(bench, STATUS) & 1, ==, 1);
        half = get(bench, DOORBELL);
        answer[i] = (uint8_t)half;
        answer[i + 1] = (uint8_t)(half >> 8);
        set(bench, STATUS, 0);
    }
    g_assert_cmphex(get(bench, STATUS) & 1, ==, 1);
    set(bench, STATUS, 0);
    g_assert_cmphex(get(bench, STATUS) & 1, ==, 0);
}

static DeviceBench *
new_bench(void)
{
    CfgmNode *config = cfgm_new();
    DeviceBench *bench;

    device_bench_add(config, "lsilogic", 0);
    pci_guest_add_drive(config, "lsilogic", 0, PDM_MEDIA_DISK, SECTORS * 512ull);
    pci_guest_add_drive(config, "lsilogic", 3, PDM_MEDIA_OPTICAL, 64 * 2048ull);
    bench = device_bench_new(config);
    pci_guest_map(bench, SLOT, BAR);
    return bench;
}

static void
start(DeviceBench *bench)
{
    const uint32_t message[6] = {0x02000004, 0x00010100, 0x77, 128};
    uint8_t answer[20];

    set(bench, DOORBELL, 0x40u << 24);
    handshake(bench, message, 6, answer, sizeof(answer));
    g_assert_cmphex(answer[3], ==, 2);
    g_assert_cmphex(answer[14], ==, 0);
    g_assert_cmphex(get(bench, DOORBELL) >> 28, ==, 2);
    for (unsigned i = 0; i < 32; i++)
        set(bench, REPLIES, REPLY(i));
}

/* The SAS adapter with four phys, a disk at the second of them. */
static DeviceBench *
sas_bench(void)
{
    CfgmNode *config = cfgm_new();
    DeviceBench *bench;

    device_bench_add(config, "lsilogic-sas", 0);
    cfgm_set_uint(cfgm_make(config, "Devices/lsilogic-sas/0/Config"), "PortCount", 4);
    pci_guest_add_drive(config, "lsilogic-sas", 1, PDM_MEDIA_DISK, SECTORS * 512ull);
    bench = device_bench_new(config);
    g_assert_cmphex(device_bench_pci_read(bench, SAS_SLOT, 0, 0, 4), ==, 0x00541000);
    pci_guest_map(bench, SAS_SLOT, BAR);
    start(bench);
    return bench;
}

/* Reads an extended page to DATA; the status of the adapter. */
static uint32_t
read_extended(DeviceBench *bench, uint8_t type, uint8_t number, uint32_t address)
{
    const uint32_t message[10] = {
        0x04000000 | 1, (uint32_t)type << 16, 0x77, 0, 0, 0x0f000000u | (uint32_t)number << 16,
        address,        0xd1000200u,          DATA, 0};
    uint8_t answer[24];

    device_bench_write(bench, DATA + 8, 0, 8);
    handshake(bench, message, 10, answer, sizeof(answer));
    g_assert_cmphex(answer[6], ==, type);
    return answer[0x0e] | (uint32_t)answer[0x0f] << 8;
}

static uint32_t
at_data(DeviceBench *bench, unsigned offset, unsigned size)
{
    return (uint32_t)device_bench_read(bench, DATA + offset, size);
}

static DeviceBench *
lsi_bench(void)
{
    DeviceBench *bench = new_bench();

    start(bench);
    return bench;
}

static BenchMedia *
disk_of(DeviceBench *bench)
{
    return bench_media(bench->pdm, "lsilogic", 0, 0);
}

static void
settle(DeviceBench *bench)
{
    for (unsigned i = 0; i < 64; i++)
        device_bench_run_queues(bench);
}

/* Puts a SCSI command into a frame; direction 1 write, 2 read; one simple element. */
static void
send_command(DeviceBench *bench, unsigned index, unsigned target, const uint8_t cdb[16],
             uint32_t direction, uint32_t size)
{
    uint8_t frame[128] = {(uint8_t)target, [4] = 16, [5] = 18};

    memcpy(frame + 0x18, cdb, 16);
    frame[0x17] = (uint8_t)direction;
    pci_guest_put(bench, FRAME(index), frame, sizeof(frame));
    pci_guest_put32(bench, FRAME(index) + 8, 0x1000 + index);
    pci_guest_put32(bench, FRAME(index) + 0x28, size);
    pci_guest_put32(bench, FRAME(index) + 0x2c, SENSE);
    pci_guest_put32(bench, FRAME(index) + 0x30, 0xd1000000u | size);
    pci_guest_put32(bench, FRAME(index) + 0x34, DATA);
    set(bench, REQUESTS, FRAME(index));
    settle(bench);
}

/* The status of the frame that the next reply has; its context has to be right. */
static uint32_t
take_frame(DeviceBench *bench, uint8_t reply[32])
{
    uint32_t value = get(bench, REPLIES);

    g_assert_cmphex(value, !=, NO_REPLY);
    g_assert_cmphex(value & 1u << 31, !=, 0);
    pci_guest_get(bench, (uint64_t)value << 1 & 0xffffffffu, reply, 32);
    set(bench, REPLIES, value << 1);
    return reply[0x0e] | (uint32_t)reply[0x0f] << 8;
}

static void
test_messages(void)
{
    static const uint32_t facts[3] = {0x03000000, 0, 0x1234};
    static const uint32_t port[3] = {0x05000000, 0, 0x1235};
    g_autoptr(DeviceBench) bench = new_bench();
    uint8_t answer[80];

    g_assert_cmphex(device_bench_pci_read(bench, SLOT, 0, 0, 4), ==, 0x00301000);
    g_assert_cmphex(get(bench, DOORBELL) >> 28, ==, 1);
    handshake(bench, facts, 3, answer, 80);
    g_assert_cmpuint(answer[2], ==, 20);
    g_assert_cmphex(answer[8] | answer[9] << 8, ==, 0x1234);
    g_assert_cmpuint(answer[0x26], ==, 1);
    handshake(bench, port, 3, answer, 40);
    g_assert_cmpuint(answer[0x15], ==, 1);
    g_assert_cmpuint(answer[0x16], ==, 16);
    start(bench);
    /* The same by a frame. */
    pci_guest_put(bench, FRAME(0), facts, sizeof(facts));
    set(bench, REQUESTS, FRAME(0));
    g_assert_cmphex(get(bench, STATUS) & 8, ==, 8);
    g_assert_cmphex(take_frame(bench, answer), ==, 0);
    g_assert_cmphex(get(bench, REPLIES), ==, NO_REPLY);
    g_assert_cmphex(get(bench, STATUS) & 8, ==, 0);
}

static void
test_commands(void)
{
    static const uint8_t inquiry[16] = {0x12, [4] = 36};
    static const uint8_t write[16] = {0x2a, [5] = 9, [8] = 4};
    static const uint8_t read[16] = {0x28, [5] = 9, [8] = 4};
    static const uint8_t far[16] = {0x28, [2] = 9, [8] = 1};
    g_autoptr(DeviceBench) bench = lsi_bench();
    uint8_t data[2048], got[2048], reply[32];

    pci_guest_pattern(data, sizeof(data), 3);
    pci_guest_put(bench, DATA, data, sizeof(data));
    send_command(bench, 0, 0, write, 1, sizeof(data));
    g_assert_cmphex(get(bench, REPLIES), ==, 0x1000);
    g_assert_cmpmem(disk_of(bench)->data->data + 9 * 512, sizeof(data), data, sizeof(data));
    memset(got, 0, sizeof(got));
    pci_guest_put(bench, DATA, got, sizeof(got));
    send_command(bench, 1, 0, read, 2, sizeof(data));
    g_assert_cmphex(get(bench, REPLIES), ==, 0x1001);
    pci_guest_get(bench, DATA, got, sizeof(got));
    g_assert_cmpmem(got, sizeof(got), data, sizeof(data));
    /* Less than there is room for, more than that, nobody there, a bad address. */
    send_command(bench, 2, 3, inquiry, 2, 100);
    g_assert_cmphex(take_frame(bench, reply), ==, 0x45);
    g_assert_cmpuint(reply[0x14], ==, 36);
    send_command(bench, 2, 0, read, 2, 512);
    g_assert_cmphex(take_frame(bench, reply), ==, 0x44);
    send_command(bench, 3, 1, inquiry, 2, 36);
    g_assert_cmphex(take_frame(bench, reply), ==, 0x43);
    send_command(bench, 4, 0, far, 2, 512);
    take_frame(bench, reply);
    g_assert_cmphex(reply[0x0c], ==, 2);
    g_assert_cmphex(reply[0x0d], ==, 1);
    pci_guest_get(bench, SENSE, got, 18);
    g_assert_cmphex(got[2] << 8 | got[12], ==, 0x521);
    disk_of(bench)->fail = EIO;
    send_command(bench, 5, 0, read, 2, 2048);
    take_frame(bench, reply);
    g_assert_cmphex(reply[0x0c], ==, 2);
}

/* Asks for a page with the message in frame 0; the adapter's status, the page at DATA. */
static uint32_t
ask_page(DeviceBench *bench, uint8_t action, uint8_t type, uint8_t number, uint32_t address,
         uint32_t size)
{
    uint8_t frame[128] = {
        action, [3] = 4, [0x16] = number, [0x17] = type, [0x18] = (uint8_t)address};
    uint8_t reply[32];

    pci_guest_put(bench, FRAME(0), frame, sizeof(frame));
    pci_guest_put32(bench, FRAME(0) + 8, 0x2000);
    pci_guest_put32(bench, FRAME(0) + 0x1c, 0xd1000000u | size);
    pci_guest_put32(bench, FRAME(0) + 0x20, DATA);
    set(bench, REQUESTS, FRAME(0));
    return take_frame(bench, reply) << 16 | (uint32_t)reply[0x15] << 8 | reply[0x17];
}

static void
test_pages(void)
{
    g_autoptr(DeviceBench) bench = lsi_bench();

    /* Length in words, type: adapter's page 0 and what it says of PCI. */
    g_assert_cmphex(ask_page(bench, 0, 1, 0, 0, 0), ==, 0x0701);
    g_assert_cmphex(ask_page(bench, 1, 1, 0, 0, 28), ==, 0x0701);
    g_assert_cmphex(device_bench_read(bench, DATA + 12, 4), ==, 0x00301000);
    /* No more than the list has room for. */
    pci_guest_put32(bench, DATA, 0);
    pci_guest_put32(bench, DATA + 12, 0x11111111);
    ask_page(bench, 1, 1, 0, 0, 12);
    g_assert_cmphex(device_bench_read(bench, DATA, 4), ==, 0x01000701);
    g_assert_cmphex(device_bench_read(bench, DATA + 12, 4), ==, 0x11111111);
    /* Pages, types and actions that are none. */
    g_assert_cmphex(ask_page(bench, 0, 1, 99, 0, 0) >> 16, ==, 0x22);
    g_assert_cmphex(ask_page(bench, 0, 5, 0, 0, 0) >> 16, ==, 0x21);
    g_assert_cmphex(ask_page(bench, 9, 1, 0, 0, 0) >> 16, ==, 0x20);
    g_assert_cmphex(ask_page(bench, 2, 1, 0, 0, 28) >> 16, ==, 0x25);
    g_assert_cmphex(ask_page(bench, 1, 4, 0, 16, 12) >> 16, ==, 0x22);
}

/* What a driver wants of a target's transfers is agreed upon within what the port can do, and
 * outlasts a reset of the adapter. */
static void
test_negotiation(void)
{
    g_autoptr(DeviceBench) bench = lsi_bench();

    g_assert_cmphex(ask_page(bench, 1, 4, 0, 3, 12), ==, 0x0304);
    g_assert_cmphex(device_bench_read(bench, DATA + 4, 4), ==, 0x0000ff00);
    pci_guest_put32(bench, DATA + 4, 0xa0ff0507);
    pci_guest_put32(bench, DATA + 12, 8);
    g_assert_cmphex(ask_page(bench, 2, 4, 1, 3, 16), ==, 0x0414);
    g_assert_cmphex(ask_page(bench, 2, 4, 1, 3, 8) >> 16, ==, 0x23);
    start(bench);
    ask_page(bench, 1, 4, 0, 3, 12);
    g_assert_cmphex(device_bench_read(bench, DATA + 4, 4), ==, 0x207f0807);
    g_assert_cmphex(device_bench_read(bench, DATA + 8, 4), ==, 1);
    ask_page(bench, 1, 4, 1, 3, 16);
    g_assert_cmphex(device_bench_read(bench, DATA + 4, 4), ==, 0xa0ff0507);
    g_assert_cmphex(device_bench_read(bench, DATA + 12, 4), ==, 8);
    ask_page(bench, 1, 4, 0, 4, 12);
    g_assert_cmphex(device_bench_read(bench, DATA + 4, 4), ==, 0x0000ff00);
}

/* A list over chains, and one that leads to itself. */
static void
test_chains(void)
{
    static const uint8_t read[16] = {0x28, [8] = 4};
    g_autoptr(DeviceBench) bench = lsi_bench();

    memset(disk_of(bench)->data->data, 0x3c, 2048);
    send_command(bench, 0, 0, read, 0, 2048); /* makes the frame; no data go anywhere */
    g_assert_cmphex(get(bench, REPLIES), ==, 0x1000);
    device_bench_write(bench, FRAME(0) + 0x17, 2, 1);
    device_bench_write(bench, FRAME(0) + 2, (0x38) / 4, 1);
    pci_guest_put32(bench, FRAME(0) + 0x30, 0x10000000u | 1024);
    pci_guest_put32(bench, FRAME(0) + 0x34, DATA);
    pci_guest_put32(bench, FRAME(0) + 0x38, 0x30000000u | 8);
    pci_guest_put32(bench, FRAME(0) + 0x3c, LIST);
    pci_guest_put32(bench, LIST, 0xd1000000u | 1024);
    pci_guest_put32(bench, LIST + 4, DATA + 0x10000);
    set(bench, REQUESTS, FRAME(0));
    settle(bench);
    g_assert_cmphex(get(bench, REPLIES), ==, 0x1000);
    g_assert_cmphex(device_bench_read(bench, DATA + 0x103ff, 1), ==, 0x3c);
    pci_guest_put32(bench, LIST, 0x30000000u | 8);
    pci_guest_put32(bench, LIST + 4, LIST);
    set(bench, REQUESTS, FRAME(0));
    settle(bench);
    g_assert_cmphex(get(bench, REPLIES), ==, 0x1000);
}

static void
test_tasks(void)
{
    static const uint8_t read[16] = {0x28, [8] = 1};
    g_autoptr(DeviceBench) bench = lsi_bench();
    static const uint32_t bus_reset[13] = {0x01000000, 0x00000400, 0x77};
    uint8_t frame[128] = {[3] = 1, [5] = 3};
    uint8_t reply[32];

    disk_of(bench)->hold = true;
    send_command(bench, 0, 0, read, 2, 512);
    g_assert_cmphex(get(bench, REPLIES), ==, NO_REPLY);
    pci_guest_put(bench, FRAME(1), frame, sizeof(frame));
    set(bench, REQUESTS, FRAME(1));
    g_assert_cmphex(take_frame(bench, reply), ==, 0x48);
    g_assert_cmphex(take_frame(bench, reply), ==, 0);
    g_assert_cmpuint(reply[0x14], ==, 1);
    disk_of(bench)->hold = false;
    bench_media_complete(disk_of(bench));
    send_command(bench, 0, 0, read, 2, 512);
    g_assert_cmphex(get(bench, REPLIES), ==, 0x1000);
    /* By the doorbell: an interrupt when it has been taken, the answer comes with a frame. */
    set(bench, DOORBELL, 0x42u << 24 | 13u << 16);
    set(bench, STATUS, 0);
    for (unsigned i = 0; i < 13; i++)
        set(bench, DOORBELL, bus_reset[i]);
    g_assert_cmphex(get(bench, STATUS), ==, 9);
    set(bench, STATUS, 0);
    g_assert_cmphex(get(bench, STATUS), ==, 8);
    g_assert_cmphex(get(bench, DOORBELL) & 1u << 27, ==, 0);
    g_assert_cmphex(take_frame(bench, reply), ==, 0);
    g_assert_cmpuint(reply[0x14], ==, 0);
}

/* A large read goes straight into the guest's memory, and one that is aborted does so no more. */
static void
test_direct(void)
{
    static const uint8_t read[16] = {0x28, [8] = 200};
    const uint32_t size = 200 * 512;
    g_autoptr(DeviceBench) bench = lsi_bench();
    BenchMedia *disk = disk_of(bench);
    uint8_t frame[128] = {[3] = 1, [5] = 3};
    uint8_t reply[32];

    memset(disk->data->data, 0x55, size);
    send_command(bench, 0, 0, read, 2, size);
    g_assert_cmphex(get(bench, REPLIES), ==, 0x1000);
    g_assert_cmpuint(disk->in_pieces, ==, 1);
    g_assert_cmphex(device_bench_read(bench, DATA + size - 1, 1), ==, 0x55);
    memset(disk->data->data, 0x66, size);
    disk->hold = true;
    send_command(bench, 0, 0, read, 2, size);
    pci_guest_put(bench, FRAME(1), frame, sizeof(frame));
    set(bench, REQUESTS, FRAME(1));
    g_assert_cmphex(take_frame(bench, reply), ==, 0x48);
    g_assert_cmpuint(g_queue_get_length(&disk->held), ==, 0);
    g_assert_cmphex(device_bench_read(bench, DATA + size - 1, 1), ==, 0x55);
}

static void
test_hostile(void)
{
    g_autoptr(DeviceBench) bench = lsi_bench();
    GRand *random = g_rand_new_with_seed(10);
    static const uint8_t read[16] = {0x28, [8] = 1};

    /* Without frames for replies the adapter stops, and a reset helps. */
    for (unsigned i = 0; i < 40; i++)
        send_command(bench, 0, 5, read, 2, 512);
    g_assert_cmphex(get(bench, DOORBELL) >> 28, ==, 4);
    start(bench);
    for (unsigned i = 0; i < 20000; i++) {
        uint8_t frame[128];

        for (unsigned j = 0; j < sizeof(frame); j++)
            frame[j] = (uint8_t)(g_rand_boolean(random) ? 0 : g_rand_int(random));
        frame[3] = g_rand_int(random) % 10;
        frame[0] %= 4;
        pci_guest_put(bench, FRAME(i % 8), frame, sizeof(frame));
        set(bench, REQUESTS, FRAME(i % 8));
        device_bench_run_queues(bench);
        if (g_rand_boolean(random))
            set(bench, REPLIES, get(bench, REPLIES) << 1);
        if (g_rand_int(random) % 16 == 0)
            set(bench, 4 * (g_rand_int(random) % 20), g_rand_int(random));
        if (get(bench, DOORBELL) >> 28 != 2) {
            set(bench, DOORBELL, 0x40u << 24);
            for (unsigned j = 0; j < 300; j++)
                set(bench, STATUS, 0);
            set(bench, DOORBELL, 0x40u << 24);
            start(bench);
        }
    }
    g_rand_free(random);
}

static void
test_state_in_flight(void)
{
    static const uint8_t read[16] = {0x28, [5] = 2, [8] = 1};
    g_autoptr(DeviceBench) bench = lsi_bench();
    g_autoptr(DeviceBench) other = new_bench();
    g_autoptr(GBytes) state = NULL, again = NULL;
    g_autoptr(GError) error = NULL;

    disk_of(bench)->hold = true;
    send_command(bench, 0, 0, read, 2, 512);
    state = device_bench_save(bench, &error);
    g_assert_no_error(error);
    memset(disk_of(other)->data->data + 1024, 0x42, 512);
    g_assert_true(device_bench_load(other, state, &error));
    again = device_bench_save(other, &error);
    g_assert_true(g_bytes_equal(state, again));
    settle(other);
    g_assert_cmphex(get(other, REPLIES), ==, 0x1000);
    g_assert_cmphex(device_bench_read(other, DATA, 1), ==, 0x42);
}

/* Drivers go from the unit to its phys, from those to devices, and over all handles. */
static void
test_sas_topology(void)
{
    g_autoptr(DeviceBench) bench = sas_bench();
    uint32_t handle, controller;

    g_assert_cmphex(read_extended(bench, 0x10, 0, 0), ==, 0);
    g_assert_cmphex(at_data(bench, 3, 1), ==, 0x0f);
    g_assert_cmphex(at_data(bench, 6, 1), ==, 0x10);
    g_assert_cmpuint(at_data(bench, 4, 2), ==, (0x10 + 4 * 16) / 4);
    g_assert_cmpuint(at_data(bench, 0x0c, 1), ==, 4);
    g_assert_cmpuint(at_data(bench, 0x10 + 3, 1), ==, 0);
    g_assert_cmpuint(at_data(bench, 0x10 + 8, 2), ==, 0);
    g_assert_cmpuint(at_data(bench, 0x20 + 3, 1), ==, 9);
    handle = at_data(bench, 0x20 + 8, 2);
    controller = at_data(bench, 0x20 + 10, 2);
    g_assert_cmphex(read_extended(bench, 0x13, 0, 1), ==, 0);
    g_assert_cmphex(at_data(bench, 0x08, 2), ==, controller);
    g_assert_cmphex(at_data(bench, 0x14, 2), ==, handle);
    g_assert_cmphex(read_extended(bench, 0x13, 0, 4), ==, 0x22);
    /* The device by its handle, by its place, as the last of all handles. */
    for (unsigned form = 0; form < 3; form++) {
        const uint32_t by[] = {4, 1, handle};

        g_assert_cmphex(read_extended(bench, 0x12, 0, form << 28 | by[form]), ==, 0);
        g_assert_cmphex(at_data(bench, 0x18, 2), ==, handle);
        g_assert_cmpuint(at_data(bench, 0x1a, 1), ==, 1);
        g_assert_cmphex(at_data(bench, 0x1c, 4), ==, 0x401);
    }
    g_assert_cmphex(read_extended(bench, 0x12, 0, 0xffff), ==, 0);
    g_assert_cmphex(at_data(bench, 0x18, 2), ==, 1);
    g_assert_cmphex(read_extended(bench, 0x12, 0, handle), ==, 0x22);
    g_assert_cmphex(read_extended(bench, 0x12, 0, 2u << 28 | 5), ==, 0x22);
    g_assert_cmphex(read_extended(bench, 0x12, 0, 3u << 28 | 1), ==, 0x22);
    g_assert_cmphex(read_extended(bench, 0x11, 0, 0xffff), ==, 0x22);
    g_assert_cmphex(read_extended(bench, 0x15, 0, 0), ==, 0x21);
    g_assert_cmphex(read_extended(bench, 0x13, 9, 0), ==, 0x22);
}

/* Nothing of a parallel bus is there, and commands reach the target of a phy. */
static void
test_sas_commands(void)
{
    static const uint8_t inquiry[16] = {0x12, 0, 0, 0, 36};
    const uint32_t message[10] = {0x04000000, 0, 0x77, 0, 0, 0x03000000, 0, 0, 0, 0};
    g_autoptr(DeviceBench) bench = sas_bench();
    uint8_t answer[24], reply[32];

    handshake(bench, message, 10, answer, sizeof(answer));
    g_assert_cmphex(answer[0x0e], ==, 0x21);
    send_command(bench, 0, 1, inquiry, 2, 36);
    g_assert_cmphex(get(bench, REPLIES), ==, 0x1000);
    g_assert_cmpuint(at_data(bench, 4, 1), >, 0);
    send_command(bench, 0, 0, inquiry, 2, 36);
    g_assert_cmphex(take_frame(bench, reply), ==, 0x43);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/lsilogic/messages", test_messages);
    g_test_add_func("/lsilogic/commands", test_commands);
    g_test_add_func("/lsilogic/pages", test_pages);
    g_test_add_func("/lsilogic/negotiation", test_negotiation);
    g_test_add_func("/lsilogic/chains", test_chains);
    g_test_add_func("/lsilogic/tasks", test_tasks);
    g_test_add_func("/lsilogic/direct", test_direct);
    g_test_add_func("/lsilogic/hostile", test_hostile);
    g_test_add_func("/lsilogic/state-in-flight", test_state_in_flight);
    g_test_add_func("/lsilogic/sas-topology", test_sas_topology);
    g_test_add_func("/lsilogic/sas-commands", test_sas_commands);
    return g_test_run();
}
