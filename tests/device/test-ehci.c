/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The EHCI controller through its registers and schedules: a tablet that goes to the companion, a
 * drive and a streaming device of high speed. Errors, routing, suspend, saved states, and schedules
 * that lead nowhere. Isochronous transfers: test-ehci-isochronous.c. */
#include "tests/device/ehci-guest.h"

#include <string.h>

/* --- registers --- */
static void
test_registers(void)
{
    EhciGuest guest;

    ehci_guest_new(&guest);
    g_assert_cmphex(device_bench_pci_read(guest.bench, SLOT, 0, 0, 4), ==, 0x265c8086);
    g_assert_cmphex(device_bench_pci_read(guest.bench, SLOT, 0, 8, 4) >> 8, ==, 0x0c0320);
    g_assert_cmphex(device_bench_pci_read(guest.bench, SLOT, 0, 0x60, 1), ==, 0x20);
    g_assert_cmphex(ehci_guest_read(&guest, 0), ==, 0x01000020);
    g_assert_cmphex(device_bench_read(guest.bench, PCI_GUEST_BAR(0), 1), ==, 0x20);
    g_assert_cmphex(device_bench_read(guest.bench, PCI_GUEST_BAR(0) + 2, 2), ==, 0x0100);
    g_assert_cmphex(ehci_guest_read(&guest, 4) & 15, ==, 12);
    ehci_guest_write(&guest, USBCMD, RESET);
    g_assert_cmphex(ehci_guest_read(&guest, USBCMD), ==, 8u << 16);
    g_assert_cmphex(ehci_guest_read(&guest, USBSTS), ==, HALTED);
    g_assert_cmphex(ehci_guest_read(&guest, CONFIGFLAG), ==, 0);
    ehci_guest_free(&guest);
}

static void
test_rollover(void)
{
    EhciGuest guest;

    ehci_guest_new(&guest);
    ehci_guest_write(&guest, USBCMD, 1u << 16 | LIST_256);
    ehci_guest_write(&guest, FRINDEX, 0x7f8); /* a frame before the end of 256 */
    g_assert_cmphex(ehci_guest_read(&guest, FRINDEX), ==, 0x7f8);
    ehci_guest_write(&guest, USBSTS, 0x3f);
    ehci_guest_write(&guest, USBINTR, ROLLOVER);
    ehci_guest_write(&guest, USBCMD, 1u << 16 | LIST_256 | RUN);
    device_bench_advance(guest.bench, 500000);
    g_assert_cmphex(ehci_guest_read(&guest, FRINDEX), ==, 0x7fc);
    g_assert_cmphex(ehci_guest_read(&guest, USBSTS) & (ROLLOVER | HALTED), ==, 0);
    device_bench_advance(guest.bench, 500000);
    g_assert_cmphex(ehci_guest_read(&guest, FRINDEX), ==, 0x800);
    g_assert_cmphex(ehci_guest_read(&guest, USBSTS) & ROLLOVER, ==, ROLLOVER);
    ehci_guest_write(&guest, USBSTS, ROLLOVER);
    device_bench_advance(guest.bench, 255000000);
    g_assert_cmphex(ehci_guest_read(&guest, USBSTS) & ROLLOVER, ==, 0);
    device_bench_advance(guest.bench, 1000000);
    g_assert_cmphex(ehci_guest_read(&guest, USBSTS) & ROLLOVER, ==, ROLLOVER);
    ehci_guest_free(&guest);
}

/* --- ports --- */
static void
test_routing(void)
{
    UsbStream *stream;
    EhciGuest guest;

    ehci_guest_new(&guest);
    stream = device_bench_data(guest.bench, "usb-stream", 0);
    g_assert_cmphex(ehci_guest_read(&guest, USBSTS) & PORT_CHANGE, ==, PORT_CHANGE);
    for (unsigned port = 0; port < 3; port++) {
        g_assert_cmphex(ehci_guest_read(&guest, PORTSC + 4 * port) & (CONNECTED | CHANGE | OWNER),
                        ==, CONNECTED | CHANGE);
        g_assert_cmphex(pci_guest_read(guest.bench, 1, OHCI_PORT(port)) & 1, ==, 0);
    }
    /* The tablet is of full speed: its port stays off, and goes to the companion. */
    ehci_guest_reset_port(&guest, 0);
    g_assert_cmphex(ehci_guest_read(&guest, PORTSC) & ENABLED, ==, 0);
    ehci_guest_write(&guest, PORTSC, POWER | OWNER);
    g_assert_cmphex(ehci_guest_read(&guest, PORTSC) & (OWNER | CONNECTED), ==, OWNER);
    g_assert_cmphex(pci_guest_read(guest.bench, 1, OHCI_PORT(0)) & 1, ==, 1);
    /* What the companion has comes back when it is unplugged. */
    ehci_guest_write(&guest, PORTSC + 8, POWER | OWNER);
    g_assert_cmphex(pci_guest_read(guest.bench, 1, OHCI_PORT(2)) & 1, ==, 1);
    ehci_guest_write(&guest, PORTSC + 8, POWER);
    g_assert_cmphex(pci_guest_read(guest.bench, 1, OHCI_PORT(2)) & 1, ==, 0);
    g_assert_cmphex(ehci_guest_read(&guest, PORTSC + 8) & (OWNER | CONNECTED), ==, CONNECTED);
    ehci_guest_write(&guest, PORTSC + 8, POWER | OWNER);
    vusb_unplug(&stream->device);
    g_assert_cmphex(ehci_guest_read(&guest, PORTSC + 8) & (OWNER | CONNECTED), ==, 0);
    /* Everything is the companion's without the controller. */
    ehci_guest_write(&guest, CONFIGFLAG, 0);
    g_assert_cmphex(ehci_guest_read(&guest, PORTSC + 4) & (OWNER | CONNECTED), ==, OWNER);
    ehci_guest_free(&guest);
}

static void
test_suspend(void)
{
    UsbStream *stream;
    EhciGuest guest;

    ehci_guest_new(&guest);
    stream = device_bench_data(guest.bench, "usb-stream", 0);
    ehci_guest_configure(&guest, 2, 3);
    g_assert_cmphex(ehci_guest_control(&guest, 0x0300 | 1u << 16, 0), ==,
                    0); /* may wake the port up */
    ehci_guest_write(&guest, PORTSC + 8, POWER | ENABLED | SUSPEND);
    g_assert_cmphex(ehci_guest_read(&guest, PORTSC + 8) & (SUSPEND | RESUME), ==, SUSPEND);
    g_assert_cmpuint(stream->device.suspended_now, ==, 1);
    ehci_guest_write(&guest, USBSTS, PORT_CHANGE);
    vusb_device_wakeup(&stream->device);
    g_assert_cmphex(ehci_guest_read(&guest, PORTSC + 8) & (SUSPEND | RESUME), ==, SUSPEND | RESUME);
    g_assert_cmphex(ehci_guest_read(&guest, USBSTS) & PORT_CHANGE, ==, PORT_CHANGE);
    ehci_guest_write(&guest, PORTSC + 8, POWER | ENABLED);
    g_assert_cmphex(ehci_guest_read(&guest, PORTSC + 8) & (SUSPEND | RESUME | ENABLED), ==,
                    ENABLED);
    g_assert_cmpuint(stream->device.suspended_now, ==, 0);
    ehci_guest_free(&guest);
}

/* --- control --- */
static void
test_descriptor(void)
{
    static const uint8_t wanted[] = {18, 1, 0x00, 0x02, 0, 0, 0, 64, 0xee, 0x80, 0x30, 0x00};
    uint8_t descriptor[18];
    EhciGuest guest;

    ehci_guest_new(&guest);
    ehci_guest_configure(&guest, 1, 5);
    ehci_guest_write(&guest, USBSTS, 0x3f);
    g_assert_cmphex(ehci_guest_control(&guest, 0x0012000001000680, 18), ==, 0);
    pci_guest_get(guest.bench, DATA + 64, descriptor, sizeof(descriptor));
    g_assert_cmpmem(descriptor, sizeof(wanted), wanted, sizeof(wanted));
    g_assert_cmphex(ehci_guest_read(&guest, USBSTS) & (DONE | FAILED), ==, DONE);
    ehci_guest_free(&guest);
}

static void
test_refused(void)
{
    EhciGuest guest;
    uint32_t qtd;

    ehci_guest_new(&guest);
    ehci_guest_configure(&guest, 1, 5);
    /* A descriptor that the device does not have: the queue halts at its data. */
    qtd = guest.qtd;
    ehci_guest_write(&guest, USBSTS, 0x3f);
    ehci_guest_control(&guest, 0x0012000077000680, 18);
    g_assert_cmphex(ehci_guest_state(&guest, qtd), ==, STOPPED);
    g_assert_cmphex(ehci_guest_get32(&guest, CONTROL + 24) & 0xfc, ==, STOPPED);
    g_assert_cmphex(ehci_guest_read(&guest, USBSTS) & FAILED, ==, FAILED);
    /* Nobody has this address. */
    ehci_guest_open(&guest, CONTROL, 77, 0, 64, 1u << 30);
    qtd = ehci_guest_add(&guest, CONTROL, PID_IN, DATA, 8, IOC);
    ehci_guest_wait(&guest, 5);
    g_assert_cmphex(ehci_guest_token(&guest, qtd) & (ACTIVE | STOPPED | XACT | ERRORS), ==,
                    STOPPED | XACT);
    /* Without a counter it is tried for ever. */
    ehci_guest_open(&guest, CONTROL, 77, 0, 64, 1u << 30);
    qtd = ehci_guest_add(&guest, CONTROL, PID_IN, DATA, 8, IOC);
    ehci_guest_put32(&guest, qtd + 8, ehci_guest_token(&guest, qtd) & ~(uint32_t)ERRORS);
    ehci_guest_wait(&guest, 5);
    g_assert_cmphex(ehci_guest_state(&guest, qtd), ==, ACTIVE);
    g_assert_cmphex(ehci_guest_get32(&guest, CONTROL + 24) & 0xfc, ==, ACTIVE);
    ehci_guest_free(&guest);
}

/* --- bulk --- */
static void
send_command(EhciGuest *guest, uint8_t opcode, uint32_t lba, uint8_t blocks, uint32_t bytes,
             bool in)
{
    uint8_t wrapper[31] = {'U', 'S', 'B', 'C', 1, 2, 3, 4};
    uint32_t qtd;

    memcpy(wrapper + 8, &bytes, 4);
    wrapper[12] = in ? 0x80 : 0;
    wrapper[14] = 10;
    wrapper[15] = opcode;
    wrapper[20] = (uint8_t)lba;
    wrapper[23] = blocks;
    pci_guest_put(guest->bench, DATA, wrapper, sizeof(wrapper));
    qtd = ehci_guest_add(guest, OUT, PID_OUT, DATA, sizeof(wrapper), 0);
    ehci_guest_wait(guest, 5);
    g_assert_cmphex(ehci_guest_state(guest, qtd), ==, 0);
}

static unsigned
get_status(EhciGuest *guest)
{
    uint8_t bytes[13];
    const uint32_t qtd = ehci_guest_add(guest, IN, PID_IN, DATA, sizeof(bytes), 0);

    ehci_guest_wait(guest, 5);
    g_assert_cmphex(ehci_guest_state(guest, qtd), ==, 0);
    pci_guest_get(guest->bench, DATA, bytes, sizeof(bytes));
    g_assert_cmpmem(bytes, 8, "USBS\1\2\3\4", 8);
    return bytes[12];
}

static void
open_drive(EhciGuest *guest)
{
    ehci_guest_configure(guest, 1, 9);
    ehci_guest_open(guest, IN, 9, 1, 512, 1u << 30);
    ehci_guest_open(guest, OUT, 9, 2, 512, 1u << 30);
}

/* Twenty blocks through pages that do not begin at a page, in two elements. */
static void
write_blocks(EhciGuest *guest, const uint8_t *data)
{
    uint32_t qtd;

    send_command(guest, 0x2a, 6, 20, 10240, false);
    pci_guest_put(guest->bench, DATA + 0x2e00, data, 10240);
    ehci_guest_add(guest, OUT, PID_OUT, DATA + 0x2e00, 9216, 0);
    qtd = ehci_guest_add(guest, OUT, PID_OUT, DATA + 0x2e00 + 9216, 1024, IOC);
    ehci_guest_wait(guest, 5);
    g_assert_cmphex(ehci_guest_state(guest, qtd), ==, 0);
    g_assert_cmpuint(get_status(guest), ==, 0);
}

static void
test_drive(void)
{
    uint8_t data[10240], read[10240];
    EhciGuest guest;
    uint32_t qtd;

    ehci_guest_new(&guest);
    open_drive(&guest);
    pci_guest_pattern(data, sizeof(data), 4);
    write_blocks(&guest, data);
    send_command(&guest, 0x28, 6, 20, 10240, true);
    qtd = ehci_guest_add(&guest, IN, PID_IN, DATA + 0x5f00, 10240, IOC);
    ehci_guest_wait(&guest, 5);
    g_assert_cmphex(ehci_guest_state(&guest, qtd), ==, 0);
    g_assert_cmpuint(ehci_guest_left(&guest, qtd), ==, 0);
    /* The status of the write, and twenty packets: the next is data 1. */
    g_assert_cmphex(ehci_guest_token(&guest, qtd) >> 31, ==, 1);
    pci_guest_get(guest.bench, DATA + 0x5f00, read, sizeof(read));
    g_assert_cmpmem(read, sizeof(read), data, sizeof(data));
    g_assert_cmpuint(get_status(&guest), ==, 0);
    ehci_guest_free(&guest);
}

/* Fewer bytes than there is room for: the queue takes the other way. */
static void
test_short(void)
{
    EhciGuest guest;
    uint32_t first, second, other;

    ehci_guest_new(&guest);
    open_drive(&guest);
    send_command(&guest, 0x28, 0, 1, 512, true);
    ehci_guest_write(&guest, USBSTS, 0x3f);
    other = guest.qtd;
    guest.qtd += 64;
    for (unsigned i = 0; i < 5; i++)
        ehci_guest_put32(&guest, other + 12 + 4 * i, DATA + 0x1000 + 0x1000 * i);
    ehci_guest_put32(&guest, other, END);
    ehci_guest_put32(&guest, other + 4, END);
    ehci_guest_put32(&guest, other + 8, 13u << 16 | ERRORS | PID_IN << 8 | ACTIVE | IOC);
    ehci_guest_put32(&guest, DATA + 0x1000, 0);
    first = ehci_guest_tail(&guest, IN);
    ehci_guest_add(&guest, IN, PID_IN, DATA + 0x2000, 1024, 0);
    ehci_guest_put32(&guest, first + 4, other);
    second = ehci_guest_add(&guest, IN, PID_IN, DATA + 0x3000, 1024, 0);
    ehci_guest_wait(&guest, 5);
    g_assert_cmphex(ehci_guest_state(&guest, first), ==, 0);
    g_assert_cmpuint(ehci_guest_left(&guest, first), ==, 512);
    g_assert_cmphex(ehci_guest_state(&guest, second), ==, ACTIVE);
    g_assert_cmphex(ehci_guest_state(&guest, other), ==, 0);
    g_assert_cmphex(ehci_guest_get32(&guest, DATA + 0x1000), ==, 0x53425355);
    g_assert_cmphex(ehci_guest_read(&guest, USBSTS) & DONE, ==, DONE);
    ehci_guest_free(&guest);
}

/* --- interrupts and their threshold --- */
static void
test_threshold(void)
{
    unsigned count = 0;
    EhciGuest guest;

    ehci_guest_new(&guest);
    open_drive(&guest);
    ehci_guest_write(&guest, USBCMD, 64u << 16 | ASYNC | RUN);
    ehci_guest_wait(&guest, 20);
    ehci_guest_write(&guest, USBSTS, 0x3f);
    /* Status wrappers that nobody has asked for stall, one after the other. */
    for (unsigned i = 0; i < 240; i++) {
        if (i % 8 == 0) {
            ehci_guest_open(&guest, CONTROL, 99, 0, 64, 1u << 30);
            ehci_guest_add(&guest, CONTROL, PID_IN, DATA, 8, IOC);
        }
        device_bench_advance(guest.bench, 125000);
        device_bench_run_queues(guest.bench);
        if ((ehci_guest_read(&guest, USBSTS) & DONE) != 0)
            count++;
        ehci_guest_write(&guest, USBSTS, DONE | FAILED);
    }
    /* Thirty transfers in 30 ms, and an interrupt each 8 ms at most. */
    g_assert_cmpuint(count, >=, 3);
    g_assert_cmpuint(count, <=, 5);
    ehci_guest_free(&guest);
}

static void
test_doorbell(void)
{
    UsbStream *stream;
    EhciGuest guest;
    uint32_t qtd;

    ehci_guest_new(&guest);
    stream = device_bench_data(guest.bench, "usb-stream", 0);
    open_drive(&guest);
    ehci_guest_put32(&guest, DATA + 0x1000, 0x12345678);
    ehci_guest_configure(&guest, 2, 3);
    ehci_guest_open(&guest, REPORT, 3, USB_STREAM_REPORT, 64, 1u << 30 | 1);
    qtd = ehci_guest_add(&guest, REPORT, PID_IN, DATA + 0x1000, 64, IOC);
    ehci_guest_put32(&guest, REPORT, END);
    ehci_guest_put32(&guest, LIST, REPORT | IS_QH);
    ehci_guest_write(&guest, USBCMD, 1u << 16 | ASYNC | PERIODIC | RUN);
    ehci_guest_wait(&guest, 1100);
    g_assert_nonnull(stream->report);
    /* Taken out of the frame's list: what comes now is not for it. */
    ehci_guest_put32(&guest, LIST, END);
    g_assert_true(usb_stream_report(stream, "news", 4));
    ehci_guest_wait(&guest, 5);
    g_assert_cmphex(ehci_guest_state(&guest, qtd), ==, ACTIVE);
    g_assert_cmphex(ehci_guest_get32(&guest, DATA + 0x1000), ==, 0x12345678);
    /* The same for the other list, with the doorbell: a status that does not come before the
     * command is not written where it was to go. */
    ehci_guest_write(&guest, USBSTS, 0x3f);
    send_command(&guest, 0x28, 0, 1, 512, true);
    ehci_guest_put32(&guest, CONTROL, OUT | IS_QH); /* the ring goes past IN */
    ehci_guest_write(&guest, USBCMD, 1u << 16 | ASYNC | RUN | RING);
    ehci_guest_wait(&guest, 2);
    g_assert_cmphex(ehci_guest_read(&guest, USBSTS) & ADVANCE, ==, ADVANCE);
    g_assert_cmphex(ehci_guest_read(&guest, USBCMD) & RING, ==, 0);
    qtd = ehci_guest_add(&guest, IN, PID_IN, DATA + 0x2000, 512, IOC);
    ehci_guest_wait(&guest, 5);
    g_assert_cmphex(ehci_guest_state(&guest, qtd), ==, ACTIVE);
    ehci_guest_put32(&guest, CONTROL, IN | IS_QH);
    ehci_guest_wait(&guest, 5);
    g_assert_cmphex(ehci_guest_state(&guest, qtd), ==, 0);
    ehci_guest_free(&guest);
}

/* --- the periodic list --- */
static void
test_report(void)
{
    UsbStream *stream;
    char report[4];
    EhciGuest guest;
    uint32_t qtd;

    ehci_guest_new(&guest);
    stream = device_bench_data(guest.bench, "usb-stream", 0);
    ehci_guest_configure(&guest, 2, 3);
    ehci_guest_open(&guest, REPORT, 3, USB_STREAM_REPORT, 64, 1u << 30 | 1);
    qtd = ehci_guest_add(&guest, REPORT, PID_IN, DATA + 0x1000, 64, IOC);
    ehci_guest_put32(&guest, REPORT, END);
    for (unsigned i = 3; i < 1024; i += 8)
        ehci_guest_put32(&guest, LIST + 4 * i, REPORT | IS_QH);
    ehci_guest_write(&guest, USBCMD, 1u << 16 | PERIODIC | RUN);
    ehci_guest_wait(&guest, 10);
    ehci_guest_write(&guest, USBSTS, 0x3f);
    g_assert_cmphex(ehci_guest_state(&guest, qtd), ==, ACTIVE);
    g_assert_true(usb_stream_report(stream, "news", 4));
    ehci_guest_wait(&guest, 2);
    g_assert_cmphex(ehci_guest_state(&guest, qtd), ==, 0);
    g_assert_cmpuint(ehci_guest_left(&guest, qtd), ==, 60);
    pci_guest_get(guest.bench, DATA + 0x1000, report, sizeof(report));
    g_assert_cmpmem(report, 4, "news", 4);
    g_assert_cmphex(ehci_guest_read(&guest, USBSTS) & DONE, ==, DONE);
    ehci_guest_free(&guest);
}

/* --- saved states --- */

/* Saved in the middle of a command's data, with a report under way, and gone on with elsewhere. */
static void
test_saved(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) first = NULL, second = NULL;
    uint8_t data[2048], read[2048];
    DeviceBench *fresh;
    uint32_t report, qtd;
    EhciGuest guest;

    ehci_guest_new(&guest);
    fresh = ehci_guest_bench(guest.registry);
    ehci_guest_configure(&guest, 2, 3);
    ehci_guest_open(&guest, REPORT, 3, USB_STREAM_REPORT, 64, 1u << 30 | 1);
    report = ehci_guest_add(&guest, REPORT, PID_IN, DATA + 0x1000, 64, IOC);
    ehci_guest_put32(&guest, REPORT, END);
    for (unsigned i = 0; i < 1024; i++)
        ehci_guest_put32(&guest, LIST + 4 * i, REPORT | IS_QH);
    ehci_guest_write(&guest, USBCMD, 1u << 16 | ASYNC | PERIODIC | RUN);
    open_drive(&guest);
    ehci_guest_write(&guest, PORTSC, POWER | OWNER);
    pci_guest_pattern(data, sizeof(data), 5);
    pci_guest_put(guest.bench, DATA + 0x2e00, data, 2048);
    send_command(&guest, 0x2a, 6, 4, 2048, false);
    ehci_guest_add(&guest, OUT, PID_OUT, DATA + 0x2e00, 1024, 0);
    ehci_guest_wait(&guest, 5);
    first = device_bench_save(guest.bench, &error);
    g_assert_no_error(error);
    device_bench_free(guest.bench);
    g_assert_true(device_bench_load(fresh, first, &error));
    g_assert_no_error(error);
    second = device_bench_save(fresh, &error);
    g_assert_true(g_bytes_equal(first, second));
    guest.bench = fresh;
    g_assert_cmphex(ehci_guest_read(&guest, PORTSC) & (OWNER | CONNECTED | CHANGE), ==,
                    OWNER | CHANGE);
    g_assert_cmphex(ehci_guest_read(&guest, PORTSC + 4) & (OWNER | CONNECTED), ==, CONNECTED);
    g_assert_cmphex(pci_guest_read(fresh, 1, OHCI_PORT(0)) & 1, ==, 1);
    g_assert_cmphex(pci_guest_read(fresh, 1, OHCI_PORT(1)) & 1, ==, 0);
    ehci_guest_wait(&guest, 5);
    g_assert_true(usb_stream_report(device_bench_data(fresh, "usb-stream", 0), "news", 4));
    ehci_guest_add(&guest, OUT, PID_OUT, DATA + 0x2e00 + 1024, 1024, 0);
    ehci_guest_wait(&guest, 5);
    g_assert_cmphex(ehci_guest_state(&guest, report), ==, 0);
    g_assert_cmpuint(get_status(&guest), ==, 0);
    send_command(&guest, 0x28, 6, 4, 2048, true);
    qtd = ehci_guest_add(&guest, IN, PID_IN, DATA + 0x5f00, 2048, 0);
    ehci_guest_wait(&guest, 5);
    g_assert_cmphex(ehci_guest_state(&guest, qtd), ==, 0);
    pci_guest_get(fresh, DATA + 0x5f00, read, sizeof(read));
    g_assert_cmpmem(read, sizeof(read), data, sizeof(data));
    ehci_guest_free(&guest);
}

/* --- schedules that lead nowhere --- */
static void
test_hostile(void)
{
    EhciGuest guest;
    uint32_t qtd;

    ehci_guest_new(&guest);
    ehci_guest_configure(&guest, 2, 3);
    /* Elements onto themselves, also in the controller's own registers; a queue whose ring never
     * comes back to its head; nothing to move, more than there are pages, a page that is not one,
     * a token that is none. */
    ehci_guest_open(&guest, IN, 3, USB_STREAM_IN, 0, 0);
    qtd = ehci_guest_add(&guest, IN, PID_IN, DATA, 0, 0);
    ehci_guest_put32(&guest, qtd, qtd);
    ehci_guest_put32(&guest, qtd + 4, qtd);
    ehci_guest_open(&guest, OUT, 3, 2, 512, 0);
    qtd = ehci_guest_add(&guest, OUT, PID_OUT, PCI_GUEST_BAR(0), 0x7fff, IOC);
    ehci_guest_put32(&guest, OUT, IN | IS_QH);
    ehci_guest_open(&guest, CONTROL, 3, 0, 0, 0);
    ehci_guest_put32(&guest, CONTROL + 16, PCI_GUEST_BAR(0) + 0x20);
    ehci_guest_open(&guest, REPORT, 3, USB_STREAM_REPORT, 64, 1);
    ehci_guest_add(&guest, REPORT, 3, DATA, 100, 7u << 12);
    ehci_guest_put32(&guest, REPORT, REPORT | IS_QH);
    ehci_guest_put_itd(&guest, ITD, 15, true, 0xfff, PCI_GUEST_BAR(0));
    ehci_guest_put32(&guest, ITD + 4, 0xffffffff);
    ehci_guest_put32(&guest, ITD, ITD);
    for (unsigned i = 0; i < 1024; i++)
        ehci_guest_put32(&guest, LIST + 4 * i,
                         i % 4 == 0   ? PCI_GUEST_BAR(0)
                         : i % 4 == 1 ? REPORT | IS_QH
                         : i % 4 == 2 ? ITD
                                      : (ITD | 4));
    ehci_guest_put32(&guest, ITD + 8, 1);
    ehci_guest_write(&guest, USBCMD, ASYNC | PERIODIC | RUN);
    ehci_guest_wait(&guest, 40);
    ehci_guest_write(&guest, USBCMD, ASYNC | PERIODIC | RUN | RING);
    ehci_guest_wait(&guest, 5);
    ehci_guest_free(&guest);
    /* And again what is asked for. */
    ehci_guest_new(&guest);
    ehci_guest_configure(&guest, 2, 3);
    ehci_guest_free(&guest);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/device/ehci/registers", test_registers);
    g_test_add_func("/device/ehci/rollover", test_rollover);
    g_test_add_func("/device/ehci/routing", test_routing);
    g_test_add_func("/device/ehci/suspend", test_suspend);
    g_test_add_func("/device/ehci/descriptor", test_descriptor);
    g_test_add_func("/device/ehci/refused", test_refused);
    g_test_add_func("/device/ehci/drive", test_drive);
    g_test_add_func("/device/ehci/short", test_short);
    g_test_add_func("/device/ehci/threshold", test_threshold);
    g_test_add_func("/device/ehci/doorbell", test_doorbell);
    g_test_add_func("/device/ehci/report", test_report);
    g_test_add_func("/device/ehci/saved", test_saved);
    g_test_add_func("/device/ehci/hostile", test_hostile);
    return g_test_run();
}
