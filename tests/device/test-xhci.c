/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The xHCI controller through its registers and rings, with the tablet at its first port: what a
 * driver does, what it sees when the device goes, saved states, and rings that lead nowhere. */
#include "tests/device/pci-guest.h"
#include "usb/vusb-device.h"

#include <string.h>

#define SLOT 12
#define COMMANDS 0x100000u
#define EVENTS 0x110000u
#define EVENT_COUNT 64u
#define SEGMENTS 0x120000u
#define CONTEXTS 0x130000u /* the array of device contexts */
#define OUTPUT 0x140000u
#define INPUT 0x150000u
#define CONTROL_RING 0x160000u
#define REPORT_RING 0x170000u
#define DATA 0x180000u

enum {
    USBCMD = 0x40,
    USBSTS = 0x44,
    CRCR = 0x58,
    DCBAAP = 0x70,
    CONFIG = 0x78,
    PORT1 = 0x440,
    IMAN = 0x1020,
    ERSTSZ = 0x1028,
    ERSTBA = 0x1030,
    ERDP = 0x1038,
    DOORBELL = 0x2000
};
enum { SUCCESS = 1, TRANSACTION = 4, TRB_ERROR = 5, STALL = 6, SHORT = 13, CONTEXT_STATE = 19 };
enum { TRANSFER_EVENT = 32, COMMAND_EVENT = 33, PORT_EVENT = 34 };
#define TRB(type) ((uint32_t)(type) << 10 | 1) /* in the first round of a ring */

typedef struct {
    DeviceBench *bench;
    uint32_t command, control, event; /* the next entry of each ring */
} Guest;

typedef struct {
    uint64_t parameter;
    uint32_t status, control;
} Event;

static CfgmNode *
tree(void)
{
    CfgmNode *config = cfgm_new();

    device_bench_add(config, "xhci", 0);
    device_bench_add_driver(config, "xhci", 0, 0, "vusb-root-hub");
    device_bench_add(config, "usb-tablet", 0);
    return config;
}

static void
put_trb(Guest *guest, uint64_t gpa, uint64_t parameter, uint32_t status, uint32_t control)
{
    pci_guest_put64(guest->bench, gpa, parameter);
    pci_guest_put32(guest->bench, gpa + 8, status);
    pci_guest_put32(guest->bench, gpa + 12, control);
}

static void
put_register64(Guest *guest, uint32_t offset, uint64_t value)
{
    pci_guest_write(guest->bench, 0, offset, (uint32_t)value);
    pci_guest_write(guest->bench, 0, offset + 4, (uint32_t)(value >> 32));
}

/* The next event of a type; others are passed over. False: there is none. */
static bool
next_event(Guest *guest, unsigned type, Event *event)
{
    for (;;) {
        pci_guest_get(guest->bench, EVENTS + 16 * guest->event, event, sizeof(*event));
        if ((event->control & 1) == 0)
            return false;
        g_assert_cmpuint(++guest->event, <, EVENT_COUNT);
        put_register64(guest, ERDP, (EVENTS + 16 * guest->event) | 8);
        if ((event->control >> 10 & 63) == type)
            return true;
    }
}

static void
start(Guest *guest)
{
    DeviceBench *bench = guest->bench;

    pci_guest_map(bench, SLOT, 0);
    g_assert_cmphex(pci_guest_read(bench, 0, USBSTS) & 1, ==, 1);
    pci_guest_write(bench, 0, CONFIG, 8);
    put_register64(guest, DCBAAP, CONTEXTS);
    put_register64(guest, CRCR, COMMANDS | 1);
    put_trb(guest, SEGMENTS, EVENTS, EVENT_COUNT, 0);
    pci_guest_write(bench, 0, ERSTSZ, 1);
    put_register64(guest, ERDP, EVENTS);
    put_register64(guest, ERSTBA, SEGMENTS);
    pci_guest_write(bench, 0, IMAN, 2);
    pci_guest_write(bench, 0, USBCMD, 5);
    g_assert_cmphex(pci_guest_read(bench, 0, USBSTS) & 1, ==, 0);
}

static void
guest_new(Guest *guest)
{
    *guest = (Guest){.bench = device_bench_new(tree())};
    start(guest);
}

/* Runs a command; returns its completion code and the slot that the event names. */
static unsigned
command(Guest *guest, unsigned type, uint64_t parameter, uint32_t bits, unsigned *slot)
{
    Event event;

    put_trb(guest, COMMANDS + 16 * guest->command++, parameter, 0, TRB(type) | bits);
    pci_guest_write(guest->bench, 0, DOORBELL, 0);
    /* Rings that have used up this millisecond's work hold it up for no longer than that. */
    device_bench_advance(guest->bench, 1000000);
    g_assert_true(next_event(guest, COMMAND_EVENT, &event));
    if (slot != NULL)
        *slot = event.control >> 24;
    return event.status >> 24;
}

/* An endpoint's context: type, ring, interval. */
static void
put_endpoint(Guest *guest, unsigned dci, unsigned type, uint64_t ring)
{
    const uint64_t at = INPUT + 32 * (dci + 1);

    pci_guest_put32(guest->bench, at, 6 << 16);
    pci_guest_put32(guest->bench, at + 4, 8u << 16 | type << 3 | 3u << 1);
    pci_guest_put64(guest->bench, at + 8, ring | 1);
}

static void
address_device(Guest *guest)
{
    unsigned slot;

    pci_guest_write(guest->bench, 0, PORT1, 1u << 4 | 1u << 9);
    g_assert_cmphex(pci_guest_read(guest->bench, 0, PORT1) & 0x13, ==, 3);
    pci_guest_write(guest->bench, 0, PORT1, 1u << 9 | 0x7fu << 17);
    g_assert_cmpuint(command(guest, 9, 0, 0, &slot), ==, SUCCESS);
    g_assert_cmpuint(slot, ==, 1);
    pci_guest_put64(guest->bench, CONTEXTS + 8, OUTPUT);
    pci_guest_put32(guest->bench, INPUT + 4, 3);
    pci_guest_put32(guest->bench, INPUT + 32, 1u << 27 | 1u << 20);
    pci_guest_put32(guest->bench, INPUT + 36, 1u << 16);
    put_endpoint(guest, 1, 4, CONTROL_RING);
    g_assert_cmpuint(command(guest, 11, INPUT, 1u << 24, NULL), ==, SUCCESS);
    g_assert_cmphex((uint32_t)device_bench_read(guest->bench, OUTPUT + 12, 4), ==, 2u << 27 | 1);
}

/* A control transfer with data to the guest; returns the completion code of its last event. */
static unsigned
control_in(Guest *guest, uint64_t setup, uint32_t size, uint32_t *left)
{
    Event event;
    uint64_t at = CONTROL_RING + 16 * guest->control;

    put_trb(guest, at, setup, 8, TRB(2) | 1u << 6 | 3u << 16);
    put_trb(guest, at + 16, DATA, size, TRB(3) | 1u << 2 | 1u << 16);
    put_trb(guest, at + 32, 0, 0, TRB(4) | 1u << 5);
    guest->control += 3;
    pci_guest_write(guest->bench, 0, DOORBELL + 4, 1);
    device_bench_run_queues(guest->bench);
    *left = 0;
    g_assert_true(next_event(guest, TRANSFER_EVENT, &event));
    if (event.status >> 24 == SHORT) {
        *left = event.status & 0xffffff;
        g_assert_true(next_event(guest, TRANSFER_EVENT, &event));
    }
    return event.status >> 24;
}

static unsigned
control_out(Guest *guest, uint64_t setup)
{
    Event event;
    uint64_t at = CONTROL_RING + 16 * guest->control;

    put_trb(guest, at, setup, 8, TRB(2) | 1u << 6);
    put_trb(guest, at + 16, 0, 0, TRB(4) | 1u << 5 | 1u << 16);
    guest->control += 2;
    pci_guest_write(guest->bench, 0, DOORBELL + 4, 1);
    device_bench_run_queues(guest->bench);
    g_assert_true(next_event(guest, TRANSFER_EVENT, &event));
    return event.status >> 24;
}

static void
configure(Guest *guest)
{
    address_device(guest);
    g_assert_cmpuint(control_out(guest, 0x0000000000010900), ==, SUCCESS);
    pci_guest_put32(guest->bench, INPUT + 4, 1 | 1u << 3);
    pci_guest_put32(guest->bench, INPUT + 32, 3u << 27 | 1u << 20);
    put_endpoint(guest, 3, 7, REPORT_RING);
    g_assert_cmpuint(command(guest, 12, INPUT, 1u << 24, NULL), ==, SUCCESS);
}

static void
ask_for_report(Guest *guest)
{
    put_trb(guest, REPORT_RING, DATA, 8, TRB(1) | 1u << 5 | 1u << 2);
    pci_guest_write(guest->bench, 0, DOORBELL + 4, 3);
    device_bench_run_queues(guest->bench);
}

static void
point(DeviceBench *bench, unsigned x, unsigned y)
{
    const PdmMousePort *port = pdm_lun_port(bench->pdm, "usb-tablet", 0, 0, PDM_IF_MOUSE);

    port->absolute(port->user, x, y, 0, 0, 2);
    device_bench_run_queues(bench);
}

static void
check_report(Guest *guest)
{
    static const uint8_t wanted[7] = {2, 0x00, 0x20, 0x00, 0x40};
    uint8_t report[7];
    Event event;

    g_assert_true(next_event(guest, TRANSFER_EVENT, &event));
    g_assert_cmpuint(event.status >> 24, ==, SHORT);
    g_assert_cmpuint(event.status & 0xffffff, ==, 1);
    g_assert_cmphex(event.parameter, ==, REPORT_RING);
    pci_guest_get(guest->bench, DATA, report, sizeof(report));
    g_assert_cmpmem(report, sizeof(report), wanted, sizeof(wanted));
}

/* --- what a driver does --- */
static void
test_registers(void)
{
    g_autoptr(DeviceBench) bench = device_bench_new(tree());

    pci_guest_map(bench, SLOT, 0);
    g_assert_cmphex(device_bench_pci_read(bench, SLOT, 0, 0, 4), ==, 0x1e318086);
    g_assert_cmphex(device_bench_pci_read(bench, SLOT, 0, 8, 4) >> 8, ==, 0x0c0330);
    g_assert_cmphex(pci_guest_read(bench, 0, 0), ==, 0x01000040);
    g_assert_cmphex(pci_guest_read(bench, 0, 4), ==, 14u << 24 | 8u << 8 | 32);
    g_assert_cmphex(pci_guest_read(bench, 0, PORT1) & 1, ==, 1);
    g_assert_cmphex(pci_guest_read(bench, 0, PORT1 + 16) & 1, ==, 0);
}

static void
test_descriptor(void)
{
    Guest guest;
    uint8_t bytes[18];
    uint32_t left;
    g_autoptr(DeviceBench) bench = NULL;

    guest_new(&guest);
    bench = guest.bench;
    address_device(&guest);
    g_assert_cmpuint(control_in(&guest, 0x0040000001000680, 64, &left), ==, SUCCESS);
    g_assert_cmpuint(left, ==, 64 - 18);
    pci_guest_get(bench, DATA, bytes, sizeof(bytes));
    g_assert_cmphex(bytes[0], ==, 18);
    g_assert_cmphex(bytes[8] | bytes[9] << 8, ==, 0x80ee);
    /* There is no such descriptor: the endpoint halts until it is reset. */
    g_assert_cmpuint(control_in(&guest, 0x0040000009000680, 64, &left), ==, STALL);
    g_assert_cmphex((uint32_t)device_bench_read(bench, OUTPUT + 32, 4) & 7, ==, 2);
    g_assert_cmpuint(command(&guest, 14, 0, 1u << 24 | 1u << 16, NULL), ==, SUCCESS);
    g_assert_cmpuint(command(&guest, 14, 0, 1u << 24 | 1u << 16, NULL), ==, CONTEXT_STATE);
    g_assert_cmpuint(
        command(&guest, 16, (CONTROL_RING + 16 * guest.control) | 1, 1u << 24 | 1u << 16, NULL), ==,
        SUCCESS);
    g_assert_cmpuint(control_in(&guest, 0x0040000001000680, 64, &left), ==, SUCCESS);
}

static void
test_report(void)
{
    Guest guest;
    Event event;
    g_autoptr(DeviceBench) bench = NULL;

    guest_new(&guest);
    bench = guest.bench;
    configure(&guest);
    ask_for_report(&guest);
    g_assert_false(next_event(&guest, TRANSFER_EVENT, &event));
    point(bench, 0x4000, 0x8000);
    check_report(&guest);
}

static void
test_unplugged(void)
{
    Guest guest;
    Event event;
    g_autoptr(DeviceBench) bench = NULL;

    guest_new(&guest);
    bench = guest.bench;
    configure(&guest);
    ask_for_report(&guest);
    vusb_unplug(device_bench_data(bench, "usb-tablet", 0));
    device_bench_run_queues(bench);
    g_assert_true(next_event(&guest, PORT_EVENT, &event));
    g_assert_cmphex(event.parameter, ==, 1u << 24);
    g_assert_true(next_event(&guest, TRANSFER_EVENT, &event));
    g_assert_cmpuint(event.status >> 24, ==, TRANSACTION);
    g_assert_cmphex(pci_guest_read(bench, 0, PORT1) & 0x20003, ==, 0x20000);
}

static void
test_saved(void)
{
    Guest guest, other;
    g_autoptr(GError) error = NULL;
    g_autoptr(DeviceBench) bench = NULL, fresh = device_bench_new(tree());
    g_autoptr(GBytes) first = NULL, second = NULL;

    guest_new(&guest);
    bench = guest.bench;
    configure(&guest);
    ask_for_report(&guest);
    first = device_bench_save(bench, &error);
    g_assert_no_error(error);
    g_assert_true(device_bench_load(fresh, first, &error));
    second = device_bench_save(fresh, &error);
    g_assert_no_error(error);
    g_assert_true(g_bytes_equal(first, second));
    device_bench_advance(fresh, 1000000);
    device_bench_run_queues(fresh);
    other = guest;
    other.bench = fresh;
    point(fresh, 0x4000, 0x8000);
    check_report(&other);
}

/* --- rings that lead nowhere --- */
static void
test_endless_commands(void)
{
    Guest guest;
    Event event;
    g_autoptr(DeviceBench) bench = NULL;

    guest_new(&guest);
    bench = guest.bench;
    put_trb(&guest, COMMANDS, COMMANDS, 0, TRB(6));
    pci_guest_write(bench, 0, DOORBELL, 0);
    g_assert_true(device_bench_logged(bench, "command ring"));
    g_assert_false(next_event(&guest, COMMAND_EVENT, &event));
    /* Commands without an end: so many a millisecond, and events that nobody fetches. */
    put_register64(&guest, CRCR, COMMANDS | 1);
    put_trb(&guest, COMMANDS, 0, 0, TRB(23));
    put_trb(&guest, COMMANDS + 16, COMMANDS, 0, TRB(6));
    pci_guest_write(bench, 0, DOORBELL, 0);
    device_bench_advance(bench, 5000000);
    g_assert_true(device_bench_logged(bench, "events are lost"));
}

static void
test_endless_transfers(void)
{
    Guest guest;
    Event event;
    g_autoptr(DeviceBench) bench = NULL;

    guest_new(&guest);
    bench = guest.bench;
    configure(&guest);
    /* No-ops without an end. */
    put_trb(&guest, REPORT_RING, 0, 0, TRB(8));
    put_trb(&guest, REPORT_RING + 16, REPORT_RING, 0, TRB(6));
    pci_guest_write(bench, 0, DOORBELL + 4, 3);
    device_bench_advance(bench, 5000000);
    g_assert_cmpuint(command(&guest, 15, 0, 1u << 24 | 3u << 16, NULL), ==, SUCCESS);
    /* A transfer that is chained without an end. */
    put_trb(&guest, REPORT_RING, DATA, 0x10000, TRB(1) | 1u << 4);
    g_assert_cmpuint(command(&guest, 16, REPORT_RING | 1, 1u << 24 | 3u << 16, NULL), ==, SUCCESS);
    pci_guest_write(bench, 0, DOORBELL + 4, 3);
    g_assert_true(next_event(&guest, TRANSFER_EVENT, &event));
    g_assert_cmpuint(event.status >> 24, ==, TRB_ERROR);
    g_assert_cmphex((uint32_t)device_bench_read(bench, OUTPUT + 3 * 32, 4) & 7, ==, 4);
}

/* Data and events onto the controller's own registers go nowhere. */
static void
test_own_registers(void)
{
    Guest guest;
    g_autoptr(DeviceBench) bench = NULL;

    guest_new(&guest);
    bench = guest.bench;
    configure(&guest);
    put_trb(&guest, REPORT_RING, PCI_GUEST_BAR(0) + DOORBELL, 8, TRB(1) | 1u << 5);
    pci_guest_write(bench, 0, DOORBELL + 4, 3);
    put_register64(&guest, ERDP, PCI_GUEST_BAR(0) + DOORBELL);
    put_trb(&guest, SEGMENTS, PCI_GUEST_BAR(0) + DOORBELL, EVENT_COUNT, 0);
    put_register64(&guest, ERSTBA, SEGMENTS);
    point(bench, 1, 1);
    g_assert_cmphex(pci_guest_read(bench, 0, USBSTS) & 1, ==, 0);
    pci_guest_write(bench, 0, USBCMD, 2);
    g_assert_cmphex(pci_guest_read(bench, 0, USBSTS) & 1, ==, 1);
}

/* TRBs of every type with pointers to everywhere, doorbells and registers at random; a device that
 * comes and goes. Nothing may hang or break, and the controller can be reset at the end. */
static uint64_t
random_pointer(GRand *random)
{
    static const uint64_t places[] = {COMMANDS, EVENTS, SEGMENTS,         CONTEXTS,
                                      OUTPUT,   INPUT,  CONTROL_RING,     REPORT_RING,
                                      DATA,     0,      PCI_GUEST_BAR(0), 0xfffffffffffff000ull};

    return places[g_rand_int_range(random, 0, G_N_ELEMENTS(places))] +
           16 * (uint64_t)g_rand_int_range(random, 0, 16);
}

static void
random_ring(Guest *guest, GRand *random)
{
    static const uint32_t rings[] = {COMMANDS, CONTROL_RING, REPORT_RING};
    const uint32_t ring = rings[g_rand_int_range(random, 0, G_N_ELEMENTS(rings))];

    for (unsigned i = 0; i < 8; i++)
        put_trb(guest, ring + 16 * (uint32_t)g_rand_int_range(random, 0, 16),
                g_rand_boolean(random) ? random_pointer(random) : 0x0040000001000680,
                g_rand_int(random) >> g_rand_int_range(random, 0, 32),
                (uint32_t)g_rand_int_range(random, 0, 26) << 10 |
                    (g_rand_int(random) & 0x0107ff) >> g_rand_int_range(random, 0, 2) |
                    (uint32_t)g_rand_int_range(random, 0, 3) << 24 |
                    (uint32_t)g_rand_int_range(random, 0, 5) << 16);
}

static void
random_step(Guest *guest, GRand *random)
{
    static const uint32_t registers[] = {USBCMD, USBSTS, CRCR,   DCBAAP, CONFIG, PORT1,
                                         IMAN,   ERSTSZ, ERSTBA, ERDP,   0x450,  0x4c0};
    const uint32_t chosen = registers[g_rand_int_range(random, 0, G_N_ELEMENTS(registers))];

    switch (g_rand_int_range(random, 0, 8)) {
    case 0:
    case 1: random_ring(guest, random); break;
    case 2: pci_guest_write(guest->bench, 0, DOORBELL, 0); break;
    case 3:
    case 4:
        pci_guest_write(guest->bench, 0, DOORBELL + 4 * (uint32_t)g_rand_int_range(random, 1, 3),
                        (uint32_t)g_rand_int_range(random, 0, 6));
        break;
    case 5:
        pci_guest_write(guest->bench, 0, chosen,
                        chosen >= ERSTBA || chosen == CRCR ? (uint32_t)random_pointer(random) | 1
                                                           : g_rand_int(random) & ~2u);
        break;
    case 6: device_bench_advance(guest->bench, 200000); break;
    default: device_bench_run_queues(guest->bench); break;
    }
}

static void
test_random(void)
{
    for (unsigned seed = 0; seed < 40; seed++) {
        GRand *random = g_rand_new_with_seed(seed);
        Guest guest;

        guest_new(&guest);
        if (seed % 2 == 0)
            configure(&guest);
        for (unsigned i = 0; i < 400; i++) {
            random_step(&guest, random);
            if (i == 300)
                vusb_unplug(device_bench_data(guest.bench, "usb-tablet", 0));
        }
        pci_guest_write(guest.bench, 0, USBCMD, 2);
        g_assert_cmphex(pci_guest_read(guest.bench, 0, USBSTS) & 1, ==, 1);
        g_rand_free(random);
        device_bench_free(guest.bench);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/xhci/registers", test_registers);
    g_test_add_func("/xhci/descriptor", test_descriptor);
    g_test_add_func("/xhci/report", test_report);
    g_test_add_func("/xhci/unplugged", test_unplugged);
    g_test_add_func("/xhci/saved", test_saved);
    g_test_add_func("/xhci/endless-commands", test_endless_commands);
    g_test_add_func("/xhci/endless-transfers", test_endless_transfers);
    g_test_add_func("/xhci/own-registers", test_own_registers);
    g_test_add_func("/xhci/random", test_random);
    return g_test_run();
}
