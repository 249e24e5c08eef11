/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * xHCI for fuzz-usb.c: commands of any kind around slots that were enabled, with an input context
 * that a driver would write, and transfer rings for the first endpoints. The streaming device has a
 * slot, in which its endpoints are configured: two isochronous ones and one for interrupts. */
#include "tests/device/pci-guest.h"
#include "tests/device/usb-stream.h"
#include "tests/fuzz/fuzz-usb.h"

#define SLOT 12
#define COMMANDS 0x100000u
#define EVENTS 0x101000u
#define SEGMENTS 0x102000u
#define CONTEXTS 0x103000u
#define OUTPUT 0x104000u
#define INPUT 0x106000u
#define RINGS 0x107000u
#define DATA 0x108000u
#define STREAM_RINGS 0x10a000u
#define STREAM_DATA 0x10b000u
#define STREAM_SLOT 4u
#define RING_COUNT 15u /* and a link back */
#define DOORBELL 0x2000u

enum {
    ENABLE_SLOT = 9,
    ADDRESS_DEVICE = 11,
    CONFIGURE = 12,
    FIRST_COMMAND = 9,
    COMMAND_COUNT = 15
};

static void
put(FuzzUsb *fuzz, uint32_t at, uint32_t value)
{
    pci_guest_put32(fuzz->bench, at, value);
}

static void
put_trb(FuzzUsb *fuzz, uint32_t at, uint64_t parameter, uint32_t status, uint32_t control)
{
    pci_guest_put64(fuzz->bench, at, parameter);
    put(fuzz, at + 8, status);
    put(fuzz, at + 12, control);
}

static void
command(FuzzUsb *fuzz, unsigned type, uint32_t slot, uint32_t bits)
{
    put_trb(fuzz, COMMANDS + 16 * (fuzz->ring++ % 250), INPUT, 0,
            type << 10 | slot << 24 | bits | 1);
    pci_guest_write(fuzz->bench, 0, DOORBELL, 0);
    device_bench_advance(fuzz->bench, 1000000);
    device_bench_run_queues(fuzz->bench);
    pci_guest_write(fuzz->bench, 0, 0x1038, EVENTS | 8);
}

/* The device at a port, with its control endpoint and three more. */
static void
put_input(FuzzUsb *fuzz, unsigned port, uint32_t types)
{
    put(fuzz, INPUT + 4, 3);
    put(fuzz, INPUT + 32, 5u << 27 | 3u << 20);
    put(fuzz, INPUT + 36, port << 16);
    for (unsigned dci = 1; dci < 6; dci++) {
        const uint32_t at = INPUT + 32 * (dci + 1);
        const unsigned type = dci == 1 ? 4 : types >> 3 * dci & 7;

        put(fuzz, at, 3u << 16);
        put(fuzz, at + 4, 64u << 16 | type << 3 | 3u << 1);
        pci_guest_put64(fuzz->bench, at + 8, (RINGS + 0x100 * dci) | 1);
        put(fuzz, at + 16, 8);
        put_trb(fuzz, RINGS + 0x100 * dci + 16 * RING_COUNT, RINGS + 0x100 * dci, 0, 6u << 10 | 3);
    }
}

/* --- the streaming device --- */
static const struct {
    unsigned dci, type, trb;
} streams[] = {
    {2 * USB_STREAM_IN + 1, 5, 5},     /* isochronous, in */
    {2 * USB_STREAM_OUT, 1, 5},        /* isochronous, out */
    {2 * USB_STREAM_REPORT + 1, 7, 1}, /* interrupt, in */
};

static uint32_t
stream_ring(unsigned which)
{
    return STREAM_RINGS + 0x100 * which;
}

static void
put_stream_input(FuzzUsb *fuzz, unsigned port)
{
    uint32_t added = 1;

    put_input(fuzz, port, 0);
    put(fuzz, INPUT + 32, 7u << 27 | 3u << 20);
    for (unsigned i = 0; i < G_N_ELEMENTS(streams); i++) {
        const uint32_t at = INPUT + 32 * (streams[i].dci + 1);

        added |= 1u << streams[i].dci;
        put(fuzz, at, 3u << 16);
        put(fuzz, at + 4, 512u << 16 | streams[i].type << 3);
        pci_guest_put64(fuzz->bench, at + 8, stream_ring(i) | 1);
        put(fuzz, at + 16, 512);
    }
    put(fuzz, INPUT + 4, added);
}

static void
begin_stream(FuzzUsb *fuzz)
{
    const UsbStream *stream = device_bench_data(fuzz->bench, "usb-stream", 0);

    put_input(fuzz, stream->device.port + 1, 0);
    command(fuzz, ENABLE_SLOT, 0, 0);
    command(fuzz, ADDRESS_DEVICE, STREAM_SLOT, 0);
    put_stream_input(fuzz, stream->device.port + 1);
    command(fuzz, CONFIGURE, STREAM_SLOT, 0);
}

/* At the end of what a driver has put there; the ring goes round, as often as there are transfers.
 */
static void
put_stream_trb(FuzzUsb *fuzz, unsigned which, uint32_t size, uint32_t control)
{
    const uint32_t number = fuzz->streamed[which]++, place = number % RING_COUNT;
    const uint32_t cycle = (number / RING_COUNT & 1) ^ 1, at = stream_ring(which);

    put_trb(fuzz, at + 16 * place, STREAM_DATA + 0x1000 * which, size,
            streams[which].trb << 10 | control | cycle);
    if (place == RING_COUNT - 1)
        put_trb(fuzz, at + 16 * RING_COUNT, at, 0, 6u << 10 | 2 | cycle);
}

/* A few transfers at once, most of them as a driver asks for them. */
static void
stream(FuzzUsb *fuzz, FuzzInput *input, unsigned kind)
{
    const unsigned which = (kind >> 4) % G_N_ELEMENTS(streams), count = 1 + (kind >> 2 & 3);

    for (unsigned i = 0; i < count; i++) {
        const uint32_t size = fuzz_take(input, 2), flags = fuzz_take(input, 1);
        const uint32_t odd = flags >> 4 == 15 ? fuzz_take(input, 3) << 4 : 0;

        put_stream_trb(fuzz, which, size & 0x7ff,
                       1u << 31 | 1u << 5 | (flags & 15) << 1 | (odd & ~(uint32_t)0xfc01));
    }
    pci_guest_write(fuzz->bench, 0, DOORBELL + 4 * STREAM_SLOT, streams[which].dci);
}

void
fuzz_usb_begin(FuzzUsb *fuzz)
{
    DeviceBench *bench = fuzz->bench;

    pci_guest_map(bench, SLOT, 0);
    for (unsigned slot = 1; slot < 5; slot++)
        pci_guest_put64(bench, CONTEXTS + 8 * slot, OUTPUT + 0x400 * slot);
    put_trb(fuzz, SEGMENTS, EVENTS, 64, 0);
    pci_guest_write(bench, 0, 0x78, 4);
    pci_guest_write(bench, 0, 0x70, CONTEXTS);
    pci_guest_write(bench, 0, 0x58, COMMANDS | 1);
    pci_guest_write(bench, 0, 0x1028, 1);
    pci_guest_write(bench, 0, 0x1038, EVENTS);
    pci_guest_write(bench, 0, 0x1030, SEGMENTS);
    pci_guest_write(bench, 0, 0x1020, 2);
    pci_guest_write(bench, 0, 0x40, 5);
    for (unsigned port = 0; port < 14; port++)
        pci_guest_write(bench, 0, 0x440 + 16 * port, 1u << 4 | 1u << 9);
    for (unsigned slot = 1; slot < 4; slot++) {
        put_input(fuzz, slot, 0);
        command(fuzz, ENABLE_SLOT, 0, 0);
        command(fuzz, ADDRESS_DEVICE, slot, 0);
    }
    begin_stream(fuzz);
}

void
fuzz_usb_transfer(FuzzUsb *fuzz, FuzzInput *input)
{
    const uint32_t kind = fuzz_take(input, 1), slot = 1 + (fuzz_take(input, 1) & 3);
    const uint32_t dci = 1 + (kind >> 4) % 5,
                   at = RINGS + 0x100 * dci + 16 * (fuzz->made % RING_COUNT);

    if ((kind & 3) == 3) {
        stream(fuzz, input, kind);
        return;
    }
    if ((kind & 3) == 0) {
        put_input(fuzz, 1 + fuzz_take(input, 1) % 14, fuzz_take(input, 3));
        put(fuzz, INPUT + 4, 1 | fuzz_take(input, 1));
        command(fuzz, FIRST_COMMAND + fuzz_take(input, 1) % COMMAND_COUNT, slot,
                (kind >> 4) << 16 | (kind & 4 ? 1u << 9 : 0));
        return;
    }
    if (dci == 1 && (kind & 3) == 1) {
        const uint32_t low = fuzz_take(input, 4), high = fuzz_take(input, 4);

        put_trb(fuzz, at, low | (uint64_t)high << 32, 8, 2u << 10 | 1u << 6 | 3u << 16 | 1);
    } else {
        const uint32_t size = fuzz_take(input, 3), flags = fuzz_take(input, 3);

        for (unsigned i = 0; i < 8; i++)
            put(fuzz, DATA + 4 * i, fuzz_take(input, 4));
        put_trb(fuzz, at, DATA, size, flags << 4 | 1);
    }
    fuzz->made++;
    pci_guest_write(fuzz->bench, 0, DOORBELL + 4 * slot, dci);
}
