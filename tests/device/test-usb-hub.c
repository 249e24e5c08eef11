/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The emulated hub of high speed at EHCI, with a tablet and a stream of full speed at it: what a
 * hub driver asks for, split transactions of each kind through its transaction translator, power
 * and over-current, suspend, unplugging, saved states. */
#include "tests/device/ehci-guest.h"

#include <string.h>

#define HUB 5u
#define TABLET 6u
#define STREAM 7u
#define SPLIT(port) (1u << 30 | (port) << 23 | HUB << 16)
#define MASKS (0x1c00u | 1) /* complete splits in microframes 2 to 4, start in 0 */

enum { SET_PORT = 0x0323, CLEAR_PORT = 0x0123, FEATURE_SUSPEND = 2, FEATURE_RESET = 4 };
enum { FEATURE_ENABLE = 1, FEATURE_POWER = 8, C_CONNECTION = 16, C_SUSPEND = 18, C_RESET = 20 };
enum { PORT_CONNECTION = 1, PORT_ENABLE = 2, PORT_SUSPEND = 4, PORT_OVER_CURRENT = 8 };

static unsigned
port_feature(EhciGuest *guest, unsigned request, unsigned feature, unsigned port)
{
    return ehci_guest_control(guest, request | (uint64_t)feature << 16 | (uint64_t)port << 32, 0);
}

/* wPortStatus and wPortChange of a port. */
static uint32_t
port_status(EhciGuest *guest, unsigned port)
{
    g_assert_cmphex(ehci_guest_control(guest, 0x00a3 | (uint64_t)port << 32 | 4ull << 48, 4), ==,
                    0);
    return ehci_guest_get32(guest, DATA + 64);
}

static void
open_hub(EhciGuest *guest)
{
    ehci_guest_new_hub(guest);
    ehci_guest_configure(guest, 0, HUB);
    for (unsigned port = 1; port <= 2; port++)
        g_assert_cmphex(port_feature(guest, SET_PORT, FEATURE_POWER, port), ==, 0);
}

/* What is at a port gets an address and is configured, through the translator. */
static void
open_child(EhciGuest *guest, unsigned port, unsigned address)
{
    ehci_guest_open(guest, CONTROL, HUB, 0, 64, 1u << 30);
    g_assert_cmphex(port_feature(guest, SET_PORT, FEATURE_RESET, port), ==, 0);
    g_assert_cmphex(port_status(guest, port), ==, 0x00110103);
    g_assert_cmphex(port_feature(guest, CLEAR_PORT, C_RESET, port), ==, 0);
    g_assert_cmphex(port_feature(guest, CLEAR_PORT, C_CONNECTION, port), ==, 0);
    ehci_guest_open(guest, CONTROL, 0, 0, 8, SPLIT(port));
    g_assert_cmphex(ehci_guest_control(guest, 0x0500 | (uint64_t)address << 16, 0), ==, 0);
    ehci_guest_open(guest, CONTROL, address, 0, 8, SPLIT(port));
    g_assert_cmphex(ehci_guest_control(guest, 0x0900 | 1u << 16, 0), ==, 0);
}

static void
test_descriptor(void)
{
    static const uint8_t wanted[] = {9, 0x29, 4, 0x09, 0, 10, 0, 0, 0xff};
    uint8_t bytes[sizeof(wanted)];
    EhciGuest guest;

    ehci_guest_new_hub(&guest);
    ehci_guest_configure(&guest, 0, HUB);
    g_assert_cmphex(ehci_guest_control(&guest, 0x00090000290006a0, 9), ==, 0);
    pci_guest_get(guest.bench, DATA + 64, bytes, sizeof(bytes));
    g_assert_cmpmem(bytes, sizeof(bytes), wanted, sizeof(wanted));
    g_assert_cmphex(ehci_guest_control(&guest, 0x00040000000000a0, 4), ==, 0);
    g_assert_cmphex(ehci_guest_get32(&guest, DATA + 64), ==, 0);
    /* The translator's buffers are cleared, reset and stopped. */
    g_assert_cmphex(ehci_guest_control(&guest, 0x0000000100000823, 0), ==, 0);
    g_assert_cmphex(ehci_guest_control(&guest, 0x0000000100000923, 0), ==, 0);
    g_assert_cmphex(ehci_guest_control(&guest, 0x0000000100000b23, 0), ==, 0);
    /* There is no ninth port, and no such request. */
    g_assert_cmphex(port_feature(&guest, SET_PORT, FEATURE_POWER, 9), ==, STOPPED);
    ehci_guest_open(&guest, CONTROL, HUB, 0, 64, 1u << 30);
    g_assert_cmphex(ehci_guest_control(&guest, 0x0000000100005523, 0), ==, STOPPED);
    ehci_guest_free(&guest);
}

static void
test_ports(void)
{
    EhciGuest guest;

    ehci_guest_new_hub(&guest);
    ehci_guest_configure(&guest, 0, HUB);
    g_assert_cmphex(port_status(&guest, 1), ==, 0); /* no power */
    g_assert_cmphex(port_feature(&guest, SET_PORT, FEATURE_POWER, 1), ==, 0);
    g_assert_cmphex(port_status(&guest, 1), ==, 0x00010101);
    g_assert_cmphex(port_feature(&guest, SET_PORT, FEATURE_POWER, 3), ==, 0);
    g_assert_cmphex(port_status(&guest, 3), ==, 0x00000100); /* nothing is there */
    g_assert_cmphex(port_feature(&guest, CLEAR_PORT, FEATURE_POWER, 1), ==, 0);
    g_assert_cmphex(port_status(&guest, 1) & 0xffff, ==, 0);
    ehci_guest_free(&guest);
}

/* One of high speed was plugged in while the companion had the hub: it is there now that the hub is
 * fast, and needs no translator. */
static void
test_fast(void)
{
    EhciGuest guest;

    ehci_guest_new_fast_hub(&guest);
    ehci_guest_configure(&guest, 0, HUB);
    g_assert_cmphex(port_feature(&guest, SET_PORT, FEATURE_POWER, 2), ==, 0);
    g_assert_cmphex(port_status(&guest, 2), ==, 0x00010501);
    g_assert_cmphex(port_feature(&guest, SET_PORT, FEATURE_RESET, 2), ==, 0);
    ehci_guest_open(&guest, CONTROL, 0, 0, 64, 1u << 30);
    g_assert_cmphex(ehci_guest_control(&guest, 0x0500 | (uint64_t)STREAM << 16, 0), ==, 0);
    ehci_guest_open(&guest, CONTROL, STREAM, 0, 64, 1u << 30);
    g_assert_cmphex(ehci_guest_control(&guest, 0x0900 | 1u << 16, 0), ==, 0);
    ehci_guest_free(&guest);
}

/* While the companion has the hub, it has nobody for that one. */
static void
test_too_fast(void)
{
    VusbDevice *hub;
    EhciGuest guest;

    ehci_guest_new_fast_hub(&guest);
    hub = device_bench_data(guest.bench, "usb-hub", 0);
    g_assert_true(vusb_child_present(hub, 0));
    g_assert_true(vusb_child_present(hub, 1));
    ehci_guest_write(&guest, PORTSC, POWER | OWNER);
    g_assert_true(vusb_child_present(hub, 0));
    g_assert_false(vusb_child_present(hub, 1));
    ehci_guest_free(&guest);
}

/* The status change endpoint: once for each change at once, then as it is polled. */
static void
test_changes(void)
{
    EhciGuest guest;
    uint32_t first, second;

    open_hub(&guest);
    ehci_guest_open(&guest, REPORT, HUB, 1, 2, 1u << 30 | 1);
    first = ehci_guest_add(&guest, REPORT, PID_IN, DATA + 0x1000, 1, IOC);
    second = ehci_guest_add(&guest, REPORT, PID_IN, DATA + 0x1100, 1, IOC);
    ehci_guest_put32(&guest, REPORT, END);
    for (unsigned i = 0; i < 1024; i += 8)
        ehci_guest_put32(&guest, LIST + 4 * i, REPORT | IS_QH);
    ehci_guest_write(&guest, USBCMD, 1u << 16 | ASYNC | PERIODIC | RUN);
    ehci_guest_wait(&guest, 20);
    g_assert_cmphex(ehci_guest_state(&guest, first), ==, 0);
    g_assert_cmphex(ehci_guest_get32(&guest, DATA + 0x1000) & 0xff, ==, 6);
    g_assert_cmphex(ehci_guest_state(&guest, second), ==, ACTIVE);
    ehci_guest_wait(&guest, 300);
    g_assert_cmphex(ehci_guest_state(&guest, second), ==, 0);
    ehci_guest_free(&guest);
}

static void
test_split(void)
{
    static const uint8_t wanted[] = {18, 1, 0x10, 0x01, 0, 0, 0, 8, 0xee, 0x80, 0x21, 0x00};
    uint8_t descriptor[18], report[7];
    const PdmMousePort *mouse;
    EhciGuest guest;
    uint32_t qtd;

    open_hub(&guest);
    open_child(&guest, 1, TABLET);
    g_assert_cmphex(ehci_guest_control(&guest, 0x0012000001000680, 18), ==, 0);
    pci_guest_get(guest.bench, DATA + 64, descriptor, sizeof(descriptor));
    g_assert_cmpmem(descriptor, sizeof(wanted), wanted, sizeof(wanted));
    /* Not through the wrong port, nor without the translator. */
    ehci_guest_open(&guest, CONTROL, TABLET, 0, 8, SPLIT(2));
    g_assert_cmphex(ehci_guest_control(&guest, 0x0012000001000680, 18), ==, ACTIVE);
    g_assert_cmphex(ehci_guest_get32(&guest, CONTROL + 24) & (STOPPED | XACT), ==, STOPPED | XACT);
    ehci_guest_open(&guest, CONTROL, TABLET, 0, 8, 1u << 30);
    g_assert_cmphex(ehci_guest_control(&guest, 0x0012000001000680, 18), ==, ACTIVE);
    /* Its reports come by split interrupt transfers. */
    ehci_guest_open(&guest, REPORT, TABLET, 1, 8, SPLIT(1) | MASKS);
    qtd = ehci_guest_add(&guest, REPORT, PID_IN, DATA + 0x1000, 8, IOC);
    ehci_guest_put32(&guest, REPORT, END);
    for (unsigned i = 0; i < 1024; i += 8)
        ehci_guest_put32(&guest, LIST + 4 * i, REPORT | IS_QH);
    ehci_guest_write(&guest, USBCMD, 1u << 16 | PERIODIC | RUN);
    ehci_guest_wait(&guest, 20);
    mouse = pdm_lun_port(guest.bench->pdm, "usb-tablet", 0, 0, PDM_IF_MOUSE);
    mouse->absolute(mouse->user, 0x4000, 0x8000, 0, 0, 2);
    ehci_guest_wait(&guest, 20);
    g_assert_cmphex(ehci_guest_state(&guest, qtd), ==, 0);
    pci_guest_get(guest.bench, DATA + 0x1000, report, sizeof(report));
    g_assert_cmpmem(report, 5, "\2\0\x20\0\x40", 5);
    ehci_guest_free(&guest);
}

/* A split isochronous descriptor in a frame ahead. */
static void
put_sitd(EhciGuest *guest, unsigned endpoint, bool in, uint32_t size, uint32_t buffer)
{
    const unsigned frame = (ehci_guest_read(guest, FRINDEX) / 8 + 3) % 1024;

    ehci_guest_put32(guest, ITD, END);
    ehci_guest_put32(guest, ITD + 4,
                     (in ? 1u << 31 : 0) | 2u << 24 | HUB << 16 | endpoint << 8 | STREAM);
    ehci_guest_put32(guest, ITD + 8, MASKS);
    ehci_guest_put32(guest, ITD + 12, 1u << 31 | size << 16 | ACTIVE);
    ehci_guest_put32(guest, ITD + 16, buffer);
    ehci_guest_put32(guest, ITD + 20, (buffer & ~0xfffu) + 0x1000);
    ehci_guest_put32(guest, ITD + 24, END);
    ehci_guest_put32(guest, LIST + 4 * frame, ITD | 4);
}

static void
test_isochronous(void)
{
    uint8_t bytes[500];
    UsbStream *stream;
    EhciGuest guest;

    open_hub(&guest);
    stream = device_bench_data(guest.bench, "usb-stream", 0);
    open_child(&guest, 2, STREAM);
    ehci_guest_write(&guest, USBCMD, 1u << 16 | PERIODIC | RUN);
    ehci_guest_wait(&guest, 2);
    ehci_guest_write(&guest, USBSTS, 0x3f);
    put_sitd(&guest, USB_STREAM_IN, true, 500, DATA + 0xf80);
    ehci_guest_wait(&guest, 5);
    g_assert_cmphex(ehci_guest_get32(&guest, ITD + 12), ==, 1u << 31);
    g_assert_cmphex(ehci_guest_read(&guest, USBSTS) & DONE, ==, DONE);
    pci_guest_get(guest.bench, DATA + 0xf80, bytes, sizeof(bytes));
    for (unsigned i = 0; i < sizeof(bytes); i++)
        g_assert_cmpuint(bytes[i], ==, (uint8_t)i);
    put_sitd(&guest, USB_STREAM_OUT, false, 500, DATA + 0xf80);
    ehci_guest_wait(&guest, 5);
    g_assert_cmphex(ehci_guest_get32(&guest, ITD + 12), ==, 1u << 31);
    g_assert_cmpmem(stream->data, stream->heard, bytes, sizeof(bytes));
    /* What does not come is missed, when its frame has waited long enough. */
    stream->holds = true;
    put_sitd(&guest, USB_STREAM_IN, true, 500, DATA + 0xf80);
    ehci_guest_wait(&guest, 20);
    g_assert_cmphex(ehci_guest_get32(&guest, ITD + 12), ==, 1u << 31 | 500u << 16 | 1u << 7);
    ehci_guest_wait(&guest, 18);
    g_assert_cmphex(ehci_guest_get32(&guest, ITD + 12), ==, 1u << 31 | 500u << 16 | 4);
    ehci_guest_free(&guest);
}

static void
test_over_current(void)
{
    EhciGuest guest;

    open_hub(&guest);
    g_assert_true(pdm_command(guest.bench->pdm, "usb-hub", 0, "over-current", "1"));
    g_assert_false(pdm_command(guest.bench->pdm, "usb-hub", 0, "over-current", "9"));
    g_assert_cmphex(port_status(&guest, 1), ==, PORT_OVER_CURRENT | 0x90000);
    ehci_guest_free(&guest);
}

static void
test_suspend(void)
{
    UsbStream *stream;
    EhciGuest guest;

    open_hub(&guest);
    stream = device_bench_data(guest.bench, "usb-stream", 0);
    open_child(&guest, 2, STREAM);
    g_assert_cmphex(ehci_guest_control(&guest, 0x0300 | 1u << 16, 0), ==, 0);
    ehci_guest_open(&guest, CONTROL, HUB, 0, 64, 1u << 30);
    g_assert_cmphex(port_feature(&guest, SET_PORT, FEATURE_SUSPEND, 2), ==, 0);
    g_assert_cmphex(port_status(&guest, 2), ==, 0x107);
    vusb_device_wakeup(&stream->device);
    g_assert_cmphex(port_status(&guest, 2), ==, 0x40103);
    g_assert_cmphex(port_feature(&guest, CLEAR_PORT, C_SUSPEND, 2), ==, 0);
    /* A disabled port is deaf, an empty one says so. */
    g_assert_cmphex(port_feature(&guest, CLEAR_PORT, FEATURE_ENABLE, 2), ==, 0);
    g_assert_cmphex(port_status(&guest, 2), ==, 0x101);
    vusb_unplug(&stream->device);
    g_assert_cmphex(port_status(&guest, 2), ==, 0x10100);
    ehci_guest_free(&guest);
}

static void
test_saved(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) first = NULL, second = NULL;
    DeviceBench *fresh;
    EhciGuest guest;

    open_hub(&guest);
    open_child(&guest, 1, TABLET);
    fresh = ehci_guest_hub_bench(guest.registry);
    first = device_bench_save(guest.bench, &error);
    g_assert_no_error(error);
    device_bench_free(guest.bench);
    g_assert_true(device_bench_load(fresh, first, &error));
    g_assert_no_error(error);
    second = device_bench_save(fresh, &error);
    g_assert_true(g_bytes_equal(first, second));
    guest.bench = fresh;
    g_assert_cmphex(ehci_guest_control(&guest, 0x0012000001000680, 18), ==, 0);
    ehci_guest_open(&guest, CONTROL, HUB, 0, 64, 1u << 30);
    g_assert_cmphex(port_status(&guest, 1), ==, 0x103);
    g_assert_cmphex(port_status(&guest, 2), ==, 0x10101);
    ehci_guest_free(&guest);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/device/usb-hub/descriptor", test_descriptor);
    g_test_add_func("/device/usb-hub/ports", test_ports);
    g_test_add_func("/device/usb-hub/fast", test_fast);
    g_test_add_func("/device/usb-hub/too-fast", test_too_fast);
    g_test_add_func("/device/usb-hub/changes", test_changes);
    g_test_add_func("/device/usb-hub/split", test_split);
    g_test_add_func("/device/usb-hub/isochronous", test_isochronous);
    g_test_add_func("/device/usb-hub/over-current", test_over_current);
    g_test_add_func("/device/usb-hub/suspend", test_suspend);
    g_test_add_func("/device/usb-hub/saved", test_saved);
    return g_test_run();
}
