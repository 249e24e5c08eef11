/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Isochronous transfers of high speed at EHCI: both ways, answers that come late or never, and a
 * host that is late itself: frames wait, none is left out, and the delay has an end. */
#include "tests/device/ehci-guest.h"

#include <string.h>

#define ITDS 8u
#define PATIENCE 38u /* milliseconds: by then the bus has given a frame up that is begun now */

static UsbStream *
open_stream(EhciGuest *guest)
{
    ehci_guest_new(guest);
    ehci_guest_configure(guest, 2, 3);
    ehci_guest_write(guest, USBCMD, 1u << 16 | PERIODIC | RUN);
    ehci_guest_wait(guest, 2);
    return device_bench_data(guest->bench, "usb-stream", 0);
}

static void
test_both_ways(void)
{
    uint8_t data[4000], bytes[4000];
    UsbStream *stream;
    EhciGuest guest;

    stream = open_stream(&guest);
    ehci_guest_write(&guest, USBSTS, 0x3f);
    ehci_guest_put_itd(&guest, ITD, USB_STREAM_IN, true, 500, DATA + 0xf00);
    ehci_guest_wait(&guest, 2);
    g_assert_cmphex(ehci_guest_get32(&guest, ITD + 4) >> 28, ==, 8); /* its frame is not over */
    ehci_guest_wait(&guest, 3);
    for (unsigned i = 0; i < 8; i++)
        g_assert_cmphex(ehci_guest_get32(&guest, ITD + 4 + 4 * i) >> 16, ==, 500);
    g_assert_cmphex(ehci_guest_read(&guest, USBSTS) & DONE, ==, DONE);
    pci_guest_get(guest.bench, DATA + 0xf00, bytes, sizeof(bytes));
    for (unsigned i = 0; i < sizeof(bytes); i++)
        g_assert_cmpuint(bytes[i], ==, (uint8_t)(i / 500 + i % 500));
    /* The other way. */
    pci_guest_pattern(data, sizeof(data), 7);
    pci_guest_put(guest.bench, DATA + 0xf00, data, sizeof(data));
    ehci_guest_put_itd(&guest, ITD, USB_STREAM_OUT, false, 500, DATA + 0xf00);
    ehci_guest_wait(&guest, 5);
    g_assert_cmphex(ehci_guest_get32(&guest, ITD + 4) >> 28, ==, 0);
    g_assert_cmpmem(stream->data, stream->heard, data, sizeof(data));
    ehci_guest_free(&guest);
}

/* What has not come when the bus is late enough is the next descriptor's; what is older is lost. */
static void
test_late(void)
{
    UsbStream *stream;
    EhciGuest guest;
    VusbUrb *late;

    stream = open_stream(&guest);
    stream->holds = true;
    ehci_guest_put32(&guest, DATA, 0x12345678);
    ehci_guest_put_itd(&guest, ITD, USB_STREAM_IN, true, 500, DATA);
    ehci_guest_wait(&guest, PATIENCE);
    g_assert_cmphex(ehci_guest_get32(&guest, ITD + 4) >> 16, ==, 0x1000);
    g_assert_cmphex(ehci_guest_get32(&guest, DATA), ==, 0x12345678);
    g_assert_nonnull(stream->held);
    late = g_steal_pointer(&stream->held);
    ehci_guest_put_itd(&guest, ITD, USB_STREAM_IN, true, 500, DATA);
    late->packets[0].actual = 8; /* the other ones bring nothing */
    memset(late->data, 0xa5, 8);
    vusb_urb_done(late, VUSB_OK);
    ehci_guest_wait(&guest, 5);
    g_assert_cmphex(ehci_guest_get32(&guest, ITD + 4) >> 16, ==, 8);
    g_assert_cmphex(ehci_guest_get32(&guest, ITD + 8) >> 16, ==, 0);
    g_assert_cmphex(ehci_guest_get32(&guest, DATA), ==, 0xa5a5a5a5);
    g_assert_nonnull(stream->held);
    ehci_guest_wait(&guest, 80);
    g_assert_null(stream->held);
    ehci_guest_free(&guest);
}

/* Two descriptors of an endpoint in a frame, and the device is done with the second one only: each
 * has its own end. */
static void
test_pair(void)
{
    const uint32_t second = ITD + 0x40;
    UsbStream *stream;
    EhciGuest guest;

    stream = open_stream(&guest);
    stream->holds = true;
    ehci_guest_put_itd(&guest, second, USB_STREAM_IN, true, 500, DATA + 0x1000);
    ehci_guest_put_itd(&guest, ITD, USB_STREAM_IN, true, 500, DATA);
    ehci_guest_put32(&guest, ITD, second);
    ehci_guest_wait(&guest, 2);
    stream->held->packets[0].actual = 8;
    memset(stream->held->data, 0xa5, 8);
    vusb_urb_done(g_steal_pointer(&stream->held), VUSB_OK);
    ehci_guest_wait(&guest, PATIENCE);
    g_assert_cmphex(ehci_guest_get32(&guest, ITD + 4) >> 16, ==, 0x1000);
    g_assert_cmphex(ehci_guest_get32(&guest, second + 4) >> 16, ==, 8);
    g_assert_cmphex(ehci_guest_get32(&guest, DATA + 0x1000), ==, 0xa5a5a5a5);
    ehci_guest_free(&guest);
}

static void
test_bad(void)
{
    UsbStream *stream;
    EhciGuest guest;

    stream = open_stream(&guest);
    stream->fails = true;
    ehci_guest_put_itd(&guest, ITD, USB_STREAM_IN, true, 500, DATA);
    ehci_guest_wait(&guest, 5);
    g_assert_cmphex(ehci_guest_get32(&guest, ITD + 4) >> 16, ==,
                    0x1000); /* a transaction error, no bytes */
    stream->fails = false;
    stream->holds = true;
    /* What goes out is sent with its frame, whenever the device is done with it. */
    ehci_guest_put_itd(&guest, ITD, USB_STREAM_OUT, false, 500, DATA);
    ehci_guest_wait(&guest, 5);
    g_assert_cmphex(ehci_guest_get32(&guest, ITD + 4) >> 16, ==, 500);
    g_assert_nonnull(stream->held);
    vusb_urb_done(g_steal_pointer(&stream->held), VUSB_OK);
    stream->holds = false;
    ehci_guest_put_itd(&guest, ITD, USB_STREAM_OUT, false, 500, DATA);
    ehci_guest_wait(&guest, 5);
    g_assert_cmphex(ehci_guest_get32(&guest, ITD + 4) >> 28, ==, 0);
    g_assert_cmpuint(stream->heard, ==, 4000);
    /* One that never is does not stand in the way of the end. */
    stream->holds = true;
    ehci_guest_put_itd(&guest, ITD, USB_STREAM_OUT, false, 500, DATA);
    ehci_guest_wait(&guest, 5);
    ehci_guest_free(&guest);
}

/* --- a late host --- */

static uint32_t
itd_at(unsigned index)
{
    return ITD + 0x40 * index;
}

/* Descriptors in as many frames that follow each other. */
static unsigned
put_stream(EhciGuest *guest)
{
    const unsigned frame = ehci_guest_read(guest, FRINDEX) / 8 + 3;

    for (unsigned i = 0; i < ITDS; i++)
        ehci_guest_put_itd_at(guest, frame + i, itd_at(i), USB_STREAM_IN, true, 100,
                              DATA + 0x1000 * i);
    return frame;
}

static void
assert_stream(EhciGuest *guest)
{
    for (unsigned i = 0; i < ITDS; i++) {
        for (unsigned j = 0; j < 8; j++)
            g_assert_cmphex(ehci_guest_get32(guest, itd_at(i) + 4 + 4 * j) >> 16, ==, 100);
        g_assert_cmphex(ehci_guest_get32(guest, DATA + 0x1000 * i) & 0xff, ==, 8 * i);
    }
}

/* The host is away for so long, the machine's timer and its queues with it. */
static void
oversleep(EhciGuest *guest, unsigned milliseconds)
{
    device_bench_oversleep(guest->bench, milliseconds * 1000000ull);
}

/* Frames go by one after the other; returns after how many milliseconds this one has begun. */
static unsigned
go_to_frame(EhciGuest *guest, unsigned frame)
{
    unsigned before = ehci_guest_read(guest, FRINDEX) / 8, quarters = 0;

    g_assert_cmpuint(before, <, frame);
    for (;;) {
        const unsigned now = ehci_guest_read(guest, FRINDEX) / 8;

        if (now >= frame)
            return quarters / 4;
        g_assert_cmpuint(now - before, <=, 1);
        before = now;
        g_assert_cmpuint(quarters++, <, 400);
        device_bench_advance(guest->bench, 250000);
        device_bench_run_queues(guest->bench);
    }
}

/* The host sleeps over all descriptors of a stream: none is lost. */
static void
test_oversleep(void)
{
    EhciGuest guest;
    unsigned frame;

    open_stream(&guest);
    frame = put_stream(&guest);
    ehci_guest_wait(&guest, 2); /* it has seen that there is a stream */
    oversleep(&guest, 20);
    g_assert_cmpuint(go_to_frame(&guest, frame + ITDS), <=, 4);
    assert_stream(&guest);
    /* Without a stream the bus is where the clock is. */
    frame = ehci_guest_read(&guest, FRINDEX) / 8;
    ehci_guest_wait(&guest, 30);
    g_assert_cmpuint(ehci_guest_read(&guest, FRINDEX) / 8 - frame, >=, 30);
    ehci_guest_free(&guest);
}

/* For so long that the bus has to have stood still. */
static void
test_long_sleep(void)
{
    EhciGuest guest;
    unsigned frame;

    open_stream(&guest);
    frame = put_stream(&guest);
    ehci_guest_wait(&guest, 2);
    oversleep(&guest, 5000);
    g_assert_cmpuint(go_to_frame(&guest, frame + ITDS), <=, 4);
    assert_stream(&guest);
    ehci_guest_free(&guest);
}

/* A frame waits for the device's answer, and its next ones with it. */
static void
test_slow_device(void)
{
    UsbStream *stream;
    EhciGuest guest;
    unsigned frame;
    VusbUrb *urb;

    stream = open_stream(&guest);
    stream->holds = true;
    ehci_guest_put_itd(&guest, ITD, USB_STREAM_IN, true, 100, DATA);
    frame = ehci_guest_read(&guest, FRINDEX) / 8 + 3;
    ehci_guest_wait(&guest, 20);
    g_assert_cmpuint(ehci_guest_read(&guest, FRINDEX) / 8, ==, frame);
    g_assert_cmphex(ehci_guest_get32(&guest, ITD + 4) >> 28, ==, 8);
    urb = g_steal_pointer(&stream->held);
    for (unsigned i = 0; i < 8; i++)
        urb->packets[i].actual = 100;
    memset(urb->data, 0x5a, 800);
    vusb_urb_done(urb, VUSB_OK);
    ehci_guest_wait(&guest, 2);
    for (unsigned i = 0; i < 8; i++)
        g_assert_cmphex(ehci_guest_get32(&guest, ITD + 4 + 4 * i) >> 16, ==, 100);
    g_assert_cmphex(ehci_guest_get32(&guest, DATA + 796), ==, 0x5a5a5a5a);
    g_assert_cmpuint(ehci_guest_read(&guest, FRINDEX) / 8, >=, frame + 16);
    ehci_guest_free(&guest);
}

/* What the guest takes back, or a schedule that is switched off, is not waited for. */
static void
test_not_waited_for(void)
{
    UsbStream *stream;
    EhciGuest guest;
    unsigned frame;

    stream = open_stream(&guest);
    stream->holds = true;
    ehci_guest_put_itd(&guest, ITD, USB_STREAM_IN, true, 100, DATA);
    frame = ehci_guest_read(&guest, FRINDEX) / 8 + 3;
    ehci_guest_wait(&guest, 10);
    g_assert_cmpuint(ehci_guest_read(&guest, FRINDEX) / 8, ==, frame);
    ehci_guest_put32(&guest, LIST + 4 * frame, END);
    ehci_guest_wait(&guest, 2);
    g_assert_cmpuint(ehci_guest_read(&guest, FRINDEX) / 8, >=, frame + 7);
    ehci_guest_put_itd(&guest, ITD, USB_STREAM_IN, true, 100, DATA);
    frame = ehci_guest_read(&guest, FRINDEX) / 8 + 3;
    ehci_guest_wait(&guest, 10);
    g_assert_cmpuint(ehci_guest_read(&guest, FRINDEX) / 8, ==, frame);
    ehci_guest_write(&guest, USBCMD, 1u << 16 | RUN);
    ehci_guest_wait(&guest, 2);
    g_assert_cmpuint(ehci_guest_read(&guest, FRINDEX) / 8, >=, frame + 7);
    ehci_guest_free(&guest);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/device/ehci/isochronous", test_both_ways);
    g_test_add_func("/device/ehci/isochronous-late", test_late);
    g_test_add_func("/device/ehci/isochronous-pair", test_pair);
    g_test_add_func("/device/ehci/isochronous-bad", test_bad);
    g_test_add_func("/device/ehci/isochronous-oversleep", test_oversleep);
    g_test_add_func("/device/ehci/isochronous-long-sleep", test_long_sleep);
    g_test_add_func("/device/ehci/isochronous-slow-device", test_slow_device);
    g_test_add_func("/device/ehci/isochronous-not-waited-for", test_not_waited_for);
    return g_test_run();
}
