/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The OHCI controller through its registers and lists, with the tablet at its first port and a
 * drive at its second: what a driver does, what it sees when the device says no, saved states, and
 * lists that lead nowhere. */
#include "tests/device/pci-guest.h"
#include "usb/vusb-device.h"

#include <string.h>

#define SLOT 6
#define HCCA 0x100000u
#define CONTROL_ED 0x101000u
#define BULK_IN_ED 0x101020u
#define BULK_OUT_ED 0x101040u
#define REPORT_ED 0x101060u
#define TDS 0x102000u
#define DATA 0x110000u
#define DRIVE_SIZE (1u << 20)

enum {
    CONTROL = 0x04,
    COMMAND = 0x08,
    STATUS = 0x0c,
    ENABLE = 0x10,
    HCCA_AT = 0x18,
    CONTROL_HEAD = 0x20,
    BULK_HEAD = 0x28,
    FRAME = 0x3c,
    PORT1 = 0x54
};
enum { PERIODIC = 1 << 2, CONTROL_LIST = 1 << 4, BULK_LIST = 1 << 5, OPERATIONAL = 2 << 6 };
enum { FILLED_CONTROL = 1 << 1, FILLED_BULK = 1 << 2 };
enum { PID_SETUP, PID_OUT, PID_IN };
enum { FINE = 0, STALL = 4, NO_ANSWER = 5, UNDERRUN = 9 };
#define ROUNDING (1u << 18)

typedef struct {
    DeviceBench *bench;
    uint32_t td; /* the next free one */
} Guest;

static CfgmNode *
tree(void)
{
    CfgmNode *config = cfgm_new();

    device_bench_add(config, "ohci", 0);
    device_bench_add_driver(config, "ohci", 0, 0, "vusb-root-hub");
    device_bench_add(config, "usb-tablet", 0);
    device_bench_add(config, "usb-storage", 0);
    pci_guest_add_drive(config, "usb-storage", 0, PDM_MEDIA_DISK, DRIVE_SIZE);
    return config;
}

static void
guest_new(Guest *guest)
{
    DeviceBench *bench = device_bench_new(tree());

    *guest = (Guest){.bench = bench, .td = TDS};
    pci_guest_map(bench, SLOT, 0);
    pci_guest_write(bench, 0, HCCA_AT, HCCA);
    pci_guest_write(bench, 0, CONTROL_HEAD, CONTROL_ED);
    pci_guest_write(bench, 0, BULK_HEAD, BULK_IN_ED);
    pci_guest_put32(bench, BULK_IN_ED + 12, BULK_OUT_ED);
    pci_guest_write(bench, 0, CONTROL, OPERATIONAL | CONTROL_LIST | BULK_LIST);
}

/* Descriptors of an endpoint end with one that is not used. */
static void
open_endpoint(Guest *guest, uint32_t ed, unsigned address, unsigned endpoint, unsigned size)
{
    pci_guest_put32(guest->bench, ed, address | endpoint << 7 | size << 16);
    pci_guest_put32(guest->bench, ed + 4, guest->td);
    pci_guest_put32(guest->bench, ed + 8, guest->td);
    guest->td += 16;
}

static uint32_t
get32(Guest *guest, uint64_t gpa)
{
    return (uint32_t)device_bench_read(guest->bench, gpa, 4);
}

/* Fills the descriptor at the tail and adds a new tail. */
static uint32_t
add_td(Guest *guest, uint32_t ed, unsigned pid, uint32_t buffer, uint32_t size, uint32_t flags)
{
    const uint32_t td = get32(guest, ed + 4);

    pci_guest_put32(guest->bench, td, pid << 19 | flags);
    pci_guest_put32(guest->bench, td + 4, size != 0 ? buffer : 0);
    pci_guest_put32(guest->bench, td + 8, guest->td);
    pci_guest_put32(guest->bench, td + 12, size != 0 ? buffer + size - 1 : 0);
    pci_guest_put32(guest->bench, ed + 4, guest->td);
    guest->td += 16;
    return td;
}

static void
ring(Guest *guest, uint32_t bits)
{
    pci_guest_write(guest->bench, 0, COMMAND, bits);
    for (unsigned i = 0; i < 20; i++) {
        device_bench_advance(guest->bench, 1000000);
        device_bench_run_queues(guest->bench);
    }
}

static unsigned
code(Guest *guest, uint32_t td)
{
    return get32(guest, td) >> 28;
}

static void
reset_port(Guest *guest, unsigned port)
{
    const uint32_t at = PORT1 + 4 * port;

    g_assert_cmphex(pci_guest_read(guest->bench, 0, at) & 1, ==, 1);
    pci_guest_write(guest->bench, 0, at, 1u << 4);
    g_assert_cmphex(pci_guest_read(guest->bench, 0, at) & 0x100003, ==, 0x100003);
    pci_guest_write(guest->bench, 0, at, 0x1fu << 16);
    g_assert_cmphex(pci_guest_read(guest->bench, 0, at) >> 16, ==, 0);
}

/* A control transfer; returns the code of its last descriptor. */
static unsigned
control(Guest *guest, uint64_t setup, uint32_t size)
{
    const bool in = (setup & 0x80) != 0;
    uint32_t td;

    pci_guest_put64(guest->bench, DATA, setup);
    add_td(guest, CONTROL_ED, PID_SETUP, DATA, 8, 0);
    if (size != 0)
        add_td(guest, CONTROL_ED, in ? PID_IN : PID_OUT, DATA + 64, size, ROUNDING);
    td = add_td(guest, CONTROL_ED, in ? PID_OUT : PID_IN, 0, 0, 0);
    ring(guest, FILLED_CONTROL);
    return code(guest, td);
}

static void
configure(Guest *guest, unsigned port, unsigned address)
{
    reset_port(guest, port);
    open_endpoint(guest, CONTROL_ED, 0, 0, 8);
    g_assert_cmpuint(control(guest, 0x0500 | (uint64_t)address << 16, 0), ==, FINE);
    open_endpoint(guest, CONTROL_ED, address, 0, 8);
    g_assert_cmpuint(control(guest, 0x0900 | 1u << 16, 0), ==, FINE);
}

/* --- what a driver does --- */
static void
test_registers(void)
{
    Guest guest;

    guest_new(&guest);
    g_assert_cmphex(device_bench_pci_read(guest.bench, SLOT, 0, 0, 4), ==, 0x003f106b);
    g_assert_cmphex(device_bench_pci_read(guest.bench, SLOT, 0, 8, 4) >> 8, ==, 0x0c0310);
    g_assert_cmphex(pci_guest_read(guest.bench, 0, 0), ==, 0x10);
    g_assert_cmphex(pci_guest_read(guest.bench, 0, 0x48) & 0xff, ==, 12);
    g_assert_cmphex(pci_guest_read(guest.bench, 0, PORT1 + 8) & 1, ==, 0);
    device_bench_advance(guest.bench, 5000000);
    g_assert_cmpuint(pci_guest_read(guest.bench, 0, FRAME), ==, 5);
    g_assert_cmpuint(get32(&guest, HCCA + 0x80), ==, 5);
    pci_guest_write(guest.bench, 0, COMMAND, 1);
    g_assert_cmphex(pci_guest_read(guest.bench, 0, CONTROL), ==, 3 << 6);
    device_bench_free(guest.bench);
}

static void
test_descriptor(void)
{
    static const uint8_t wanted[] = {18, 1, 0x10, 0x01, 0, 0, 0, 8, 0xee, 0x80, 0x21, 0x00};
    uint8_t descriptor[18];
    Guest guest;

    guest_new(&guest);
    configure(&guest, 0, 5);
    g_assert_cmpuint(control(&guest, 0x0012000001000680, 18), ==, FINE);
    pci_guest_get(guest.bench, DATA + 64, descriptor, sizeof(descriptor));
    g_assert_cmpmem(descriptor, sizeof(wanted), wanted, sizeof(wanted));
    /* The done queue has come, its newest first, and says so once. */
    g_assert_cmphex(pci_guest_read(guest.bench, 0, STATUS) & 2, ==, 2);
    g_assert_cmphex(get32(&guest, HCCA + 0x84) & ~15u, !=, 0);
    device_bench_free(guest.bench);
}

static void
test_refused(void)
{
    Guest guest;
    uint32_t td;

    guest_new(&guest);
    configure(&guest, 0, 5);
    /* A descriptor that the device does not have: the endpoint halts at its data. */
    td = guest.td;
    control(&guest, 0x0012000077000680, 18);
    g_assert_cmphex(get32(&guest, CONTROL_ED + 8) & 1, ==, 1);
    g_assert_cmpuint(code(&guest, td), ==, STALL);
    /* Nobody has this address. */
    open_endpoint(&guest, CONTROL_ED, 77, 0, 8);
    td = add_td(&guest, CONTROL_ED, PID_IN, DATA, 8, 0);
    ring(&guest, FILLED_CONTROL);
    g_assert_cmpuint(code(&guest, td), ==, NO_ANSWER);
    g_assert_cmphex(get32(&guest, CONTROL_ED + 8) & 1, ==, 1);
    device_bench_free(guest.bench);
}

static void
test_report(void)
{
    static const uint8_t wanted[7] = {2, 0x00, 0x20, 0x00, 0x40};
    const PdmMousePort *mouse;
    uint8_t report[7];
    Guest guest;
    uint32_t td;

    guest_new(&guest);
    mouse = pdm_lun_port(guest.bench->pdm, "usb-tablet", 0, 0, PDM_IF_MOUSE);
    configure(&guest, 0, 5);
    open_endpoint(&guest, REPORT_ED, 5, 1, 8);
    td = add_td(&guest, REPORT_ED, PID_IN, DATA, 8, ROUNDING);
    pci_guest_put32(guest.bench, HCCA + 4 * 7, REPORT_ED);
    pci_guest_write(guest.bench, 0, CONTROL, OPERATIONAL | PERIODIC);
    for (unsigned i = 0; i < 40; i++)
        device_bench_advance(guest.bench, 1000000);
    g_assert_cmphex(get32(&guest, REPORT_ED + 8) & ~15u, ==, td);
    mouse->absolute(mouse->user, 0x4000, 0x8000, 0, 0, 2);
    ring(&guest, 0);
    g_assert_cmpuint(code(&guest, td), ==, FINE);
    g_assert_cmphex(get32(&guest, td + 4), ==, DATA + 7);
    pci_guest_get(guest.bench, DATA, report, sizeof(report));
    g_assert_cmpmem(report, sizeof(report), wanted, sizeof(wanted));
    device_bench_free(guest.bench);
}

/* --- mass storage --- */
static void
send_command(Guest *guest, uint8_t opcode, uint32_t lba, uint8_t blocks, uint32_t bytes, bool in)
{
    uint8_t wrapper[31] = {'U', 'S', 'B', 'C', 1, 2, 3, 4};
    uint32_t td;

    memcpy(wrapper + 8, &bytes, 4);
    wrapper[12] = in ? 0x80 : 0;
    wrapper[14] = 10;
    wrapper[15] = opcode;
    wrapper[20] = (uint8_t)lba;
    wrapper[23] = blocks;
    pci_guest_put(guest->bench, DATA, wrapper, sizeof(wrapper));
    td = add_td(guest, BULK_OUT_ED, PID_OUT, DATA, sizeof(wrapper), 0);
    ring(guest, FILLED_BULK);
    g_assert_cmpuint(code(guest, td), ==, FINE);
}

/* The status byte; `left` is what the wrapper says did not move. */
static unsigned
get_status(Guest *guest, uint32_t *left)
{
    uint8_t bytes[13];
    const uint32_t td = add_td(guest, BULK_IN_ED, PID_IN, DATA, sizeof(bytes), 0);

    ring(guest, FILLED_BULK);
    g_assert_cmpuint(code(guest, td), ==, FINE);
    pci_guest_get(guest->bench, DATA, bytes, sizeof(bytes));
    g_assert_cmpmem(bytes, 8, "USBS\1\2\3\4", 8);
    memcpy(left, bytes + 8, 4);
    return bytes[12];
}

static void
open_drive(Guest *guest)
{
    configure(guest, 1, 9);
    open_endpoint(guest, BULK_IN_ED, 9, 1, 64);
    open_endpoint(guest, BULK_OUT_ED, 9, 2, 64);
}

static void
write_blocks(Guest *guest, const uint8_t *data)
{
    uint32_t left, td;

    send_command(guest, 0x2a, 6, 4, 2048, false);
    /* Across two pages, in two pieces that are no blocks. */
    pci_guest_put(guest->bench, DATA + 0x2e00, data, 2048);
    add_td(guest, BULK_OUT_ED, PID_OUT, DATA + 0x2e00, 1100, 0);
    td = add_td(guest, BULK_OUT_ED, PID_OUT, DATA + 0x2e00 + 1100, 948, 0);
    ring(guest, FILLED_BULK);
    g_assert_cmpuint(code(guest, td), ==, FINE);
    g_assert_cmpuint(get_status(guest, &left), ==, 0);
    g_assert_cmpuint(left, ==, 0);
}

static void
test_drive(void)
{
    uint8_t data[2048], read[2048];
    Guest guest;
    uint32_t left, td;

    guest_new(&guest);
    open_drive(&guest);
    pci_guest_pattern(data, sizeof(data), 4);
    write_blocks(&guest, data);
    send_command(&guest, 0x28, 6, 4, 2048, true);
    td = add_td(&guest, BULK_IN_ED, PID_IN, DATA + 0x5f00, 2048, 0);
    ring(&guest, FILLED_BULK);
    g_assert_cmpuint(code(&guest, td), ==, FINE);
    pci_guest_get(guest.bench, DATA + 0x5f00, read, sizeof(read));
    g_assert_cmpmem(read, sizeof(read), data, sizeof(data));
    g_assert_cmpuint(get_status(&guest, &left), ==, 0);
    device_bench_free(guest.bench);
}

/* The host and the command do not agree: section 6.7 of the transport. */
static void
test_disagree(void)
{
    Guest guest;
    uint32_t left, td;

    guest_new(&guest);
    open_drive(&guest);
    /* No such command, and the host waits for data: none come. */
    send_command(&guest, 0xee, 0, 0, 512, true);
    td = add_td(&guest, BULK_IN_ED, PID_IN, DATA, 512, ROUNDING);
    ring(&guest, FILLED_BULK);
    g_assert_cmpuint(code(&guest, td), ==, FINE);
    g_assert_cmpuint(get_status(&guest, &left), ==, 1);
    g_assert_cmpuint(left, ==, 512);
    /* Two blocks do not fit where one is waited for. */
    send_command(&guest, 0x28, 0, 2, 512, true);
    add_td(&guest, BULK_IN_ED, PID_IN, DATA, 512, ROUNDING);
    ring(&guest, FILLED_BULK);
    g_assert_cmpuint(get_status(&guest, &left), ==, 2);
    /* Not a command at all: everything stalls until the transport is reset. */
    td = add_td(&guest, BULK_OUT_ED, PID_OUT, DATA, 30, 0);
    ring(&guest, FILLED_BULK);
    g_assert_cmpuint(code(&guest, td), ==, STALL);
    td = add_td(&guest, BULK_IN_ED, PID_IN, DATA, 13, 0);
    ring(&guest, FILLED_BULK);
    g_assert_cmpuint(code(&guest, td), ==, STALL);
    g_assert_cmpuint(control(&guest, 0xff21, 0), ==, FINE);
    open_endpoint(&guest, BULK_IN_ED, 9, 1, 64);
    open_endpoint(&guest, BULK_OUT_ED, 9, 2, 64);
    send_command(&guest, 0x00, 0, 0, 0, false);
    g_assert_cmpuint(get_status(&guest, &left), ==, 0);
    device_bench_free(guest.bench);
}

/* Saved in the middle of a command's data, and gone on with elsewhere. */
static void
test_saved(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) first = NULL, second = NULL;
    DeviceBench *fresh = device_bench_new(tree());
    uint8_t data[2048], read[2048];
    uint32_t left, td;
    Guest guest;

    guest_new(&guest);
    open_drive(&guest);
    pci_guest_pattern(data, sizeof(data), 5);
    pci_guest_put(guest.bench, DATA + 0x2e00, data, 2048);
    send_command(&guest, 0x2a, 6, 4, 2048, false);
    add_td(&guest, BULK_OUT_ED, PID_OUT, DATA + 0x2e00, 1100, 0);
    ring(&guest, FILLED_BULK);
    first = device_bench_save(guest.bench, &error);
    g_assert_no_error(error);
    device_bench_free(guest.bench);
    g_assert_true(device_bench_load(fresh, first, &error));
    g_assert_no_error(error);
    second = device_bench_save(fresh, &error);
    g_assert_true(g_bytes_equal(first, second));
    guest.bench = fresh;
    add_td(&guest, BULK_OUT_ED, PID_OUT, DATA + 0x2e00 + 1100, 948, 0);
    ring(&guest, FILLED_BULK);
    g_assert_cmpuint(get_status(&guest, &left), ==, 0);
    send_command(&guest, 0x28, 6, 4, 2048, true);
    td = add_td(&guest, BULK_IN_ED, PID_IN, DATA + 0x5f00, 2048, 0);
    ring(&guest, FILLED_BULK);
    g_assert_cmpuint(code(&guest, td), ==, FINE);
    pci_guest_get(fresh, DATA + 0x5f00, read, sizeof(read));
    g_assert_cmpmem(read, sizeof(read), data, sizeof(data));
    device_bench_free(fresh);
}

/* --- lists that lead nowhere --- */
static void
test_hostile(void)
{
    Guest guest;
    uint32_t td;

    guest_new(&guest);
    configure(&guest, 0, 5);
    /* Endpoints and descriptors in a ring, a buffer that ends before it begins, a list that lies in
     * the controller's own registers. */
    pci_guest_put32(guest.bench, BULK_OUT_ED + 12, BULK_IN_ED);
    open_endpoint(&guest, BULK_IN_ED, 5, 1, 0);
    td = add_td(&guest, BULK_IN_ED, PID_IN, DATA, 8, 0);
    pci_guest_put32(guest.bench, td + 8, td);
    pci_guest_put32(guest.bench, td + 12, DATA - 4);
    for (unsigned i = 0; i < 32; i++)
        pci_guest_put32(guest.bench, HCCA + 4 * i, i % 2 ? PCI_GUEST_BAR(0) : REPORT_ED);
    pci_guest_put32(guest.bench, REPORT_ED, 5 | 1u << 15);
    pci_guest_put32(guest.bench, REPORT_ED + 8, PCI_GUEST_BAR(0) + 0x40);
    pci_guest_put32(guest.bench, REPORT_ED + 12, REPORT_ED);
    pci_guest_write(guest.bench, 0, CONTROL, OPERATIONAL | 0x3c);
    ring(&guest, FILLED_BULK | FILLED_CONTROL);
    /* It still does what it is asked for. */
    pci_guest_write(guest.bench, 0, COMMAND, 1);
    pci_guest_write(guest.bench, 0, HCCA_AT, HCCA);
    pci_guest_write(guest.bench, 0, CONTROL_HEAD, CONTROL_ED);
    pci_guest_write(guest.bench, 0, CONTROL, OPERATIONAL | CONTROL_LIST);
    configure(&guest, 0, 6);
    device_bench_free(guest.bench);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/device/ohci/registers", test_registers);
    g_test_add_func("/device/ohci/descriptor", test_descriptor);
    g_test_add_func("/device/ohci/refused", test_refused);
    g_test_add_func("/device/ohci/report", test_report);
    g_test_add_func("/device/ohci/drive", test_drive);
    g_test_add_func("/device/ohci/disagree", test_disagree);
    g_test_add_func("/device/ohci/saved", test_saved);
    g_test_add_func("/device/ohci/hostile", test_hostile);
    return g_test_run();
}
