/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A guest's driver of EHCI for tests. */
#include "tests/device/ehci-guest.h"

static CfgmNode *
controllers(void)
{
    CfgmNode *config = cfgm_new();

    device_bench_add(config, "ehci", 0);
    device_bench_add_driver(config, "ehci", 0, 0, "vusb-root-hub");
    device_bench_add(config, "ohci", 0);
    device_bench_add_driver(config, "ohci", 0, 0, "vusb-root-hub");
    return config;
}

static DeviceBench *
hub_bench(PdmRegistry *registry, const char *speed)
{
    g_autoptr(GError) error = NULL;
    CfgmNode *config = controllers(), *stream;
    DeviceBench *bench;

    device_bench_add(config, "usb-hub", 0);
    cfgm_set_uint(device_bench_add(config, "usb-tablet", 0), "Hub", 1);
    stream = device_bench_add(config, "usb-stream", 0);
    cfgm_set_uint(stream, "Hub", 1);
    cfgm_set_uint(stream, speed, 1);
    bench = device_bench_try(config, registry, &error);
    g_assert_no_error(error);
    return bench;
}

DeviceBench *
ehci_guest_hub_bench(PdmRegistry *registry)
{
    return hub_bench(registry, "FullSpeed");
}

static DeviceBench *
fast_hub_bench(PdmRegistry *registry)
{
    return hub_bench(registry, "HighSpeed");
}

DeviceBench *
ehci_guest_bench(PdmRegistry *registry)
{
    g_autoptr(GError) error = NULL;
    CfgmNode *config = controllers();
    DeviceBench *bench;

    device_bench_add(config, "usb-tablet", 0);
    device_bench_add(config, "usb-storage", 0);
    pci_guest_add_drive(config, "usb-storage", 0, PDM_MEDIA_DISK, DRIVE_SIZE);
    device_bench_add(config, "usb-stream", 0);
    bench = device_bench_try(config, registry, &error);
    g_assert_no_error(error);
    return bench;
}

uint32_t
ehci_guest_read(EhciGuest *guest, uint32_t offset)
{
    return pci_guest_read(guest->bench, 0, offset);
}

void
ehci_guest_write(EhciGuest *guest, uint32_t offset, uint32_t value)
{
    pci_guest_write(guest->bench, 0, offset, value);
}

uint32_t
ehci_guest_get32(EhciGuest *guest, uint64_t gpa)
{
    return (uint32_t)device_bench_read(guest->bench, gpa, 4);
}

void
ehci_guest_put32(EhciGuest *guest, uint64_t gpa, uint32_t value)
{
    pci_guest_put32(guest->bench, gpa, value);
}

void
ehci_guest_wait(EhciGuest *guest, unsigned count)
{
    for (unsigned i = 0; i < 8 * count; i++) {
        device_bench_advance(guest->bench, 125000);
        device_bench_run_queues(guest->bench);
    }
}

/* --- queues --- */

/* Ends with an element that is not active; split: hub, port and masks, as the second word has them.
 */
void
ehci_guest_open(EhciGuest *guest, uint32_t at, unsigned address, unsigned endpoint, unsigned size,
                uint32_t split)
{
    const uint32_t toggle_control = endpoint == 0 ? 1u << 14 : 0;
    const uint32_t speed = (split & 127u << 16) != 0 ? 0 : 2u << 12;

    ehci_guest_put32(guest, at + 4, size << 16 | toggle_control | speed | endpoint << 8 | address);
    ehci_guest_put32(guest, at + 8, split);
    ehci_guest_put32(guest, at + 12, 0);
    ehci_guest_put32(guest, at + 16, guest->qtd);
    ehci_guest_put32(guest, at + 20, END);
    ehci_guest_put32(guest, at + 24, 0);
    ehci_guest_put32(guest, guest->qtd + 8, 0);
    guest->qtd += 64;
}

uint32_t
ehci_guest_tail(EhciGuest *guest, uint32_t queue)
{
    const uint32_t current = ehci_guest_get32(guest, queue + 12);
    uint32_t at = current != 0 ? current : ehci_guest_get32(guest, queue + 16);

    while ((ehci_guest_get32(guest, at + 8) & 0xff) != 0 || ehci_guest_get32(guest, at + 16) != 0)
        at = ehci_guest_get32(guest, at);
    return at;
}

/* Fills the element at the tail and adds a new tail. The buffer's second page and so on follow the
 * first in memory. */
uint32_t
ehci_guest_add(EhciGuest *guest, uint32_t queue, unsigned pid, uint32_t buffer, uint32_t size,
               uint32_t flags)
{
    const uint32_t at = ehci_guest_tail(guest, queue);

    for (unsigned i = 0; i < 5; i++)
        ehci_guest_put32(guest, at + 12 + 4 * i, (buffer & (i != 0 ? ~0xfffu : ~0u)) + 0x1000 * i);
    ehci_guest_put32(guest, at, guest->qtd);
    ehci_guest_put32(guest, at + 4, END);
    ehci_guest_put32(guest, guest->qtd + 8, 0);
    ehci_guest_put32(guest, guest->qtd + 16, 0);
    ehci_guest_put32(guest, at + 8, size << 16 | ERRORS | pid << 8 | ACTIVE | flags);
    guest->qtd += 64;
    return at;
}

uint32_t
ehci_guest_token(EhciGuest *guest, uint32_t qtd)
{
    return ehci_guest_get32(guest, qtd + 8);
}

/* What is wrong with an element that is over. */
unsigned
ehci_guest_state(EhciGuest *guest, uint32_t qtd)
{
    return ehci_guest_token(guest, qtd) & 0xfc;
}

unsigned
ehci_guest_left(EhciGuest *guest, uint32_t qtd)
{
    return ehci_guest_token(guest, qtd) >> 16 & 0x7fff;
}

static void
begin(EhciGuest *guest, DeviceBench *(*make)(PdmRegistry *registry))
{
    static const uint32_t queues[] = {HEAD, CONTROL, IN, OUT};
    PdmRegistry *registry = device_bench_registry();

    pdm_registry_add_device(registry, &usb_stream_device, NULL);
    *guest = (EhciGuest){.registry = registry, .bench = make(registry), .qtd = QTDS};
    pci_guest_map(guest->bench, SLOT, 0);
    device_bench_pci_write(guest->bench, OHCI_SLOT, 0, 0x10, PCI_GUEST_BAR(1), 4);
    device_bench_pci_write(guest->bench, OHCI_SLOT, 0, 0x04, 7, 2);
    for (unsigned i = 0; i < 4; i++) {
        ehci_guest_put32(guest, queues[i], queues[(i + 1) % 4] | IS_QH);
        ehci_guest_open(guest, queues[i], 0, 0, 64, 1u << 30);
    }
    ehci_guest_put32(guest, HEAD + 4, 1u << 15);
    ehci_guest_put32(guest, HEAD + 24, STOPPED);
    for (unsigned i = 0; i < 1024; i++)
        ehci_guest_put32(guest, LIST + 4 * i, END);
    ehci_guest_write(guest, PERIODICLISTBASE, LIST);
    ehci_guest_write(guest, ASYNCLISTADDR, HEAD);
    ehci_guest_write(guest, USBCMD, 1u << 16 | RUN);
    ehci_guest_write(guest, CONFIGFLAG, 1);
    ehci_guest_write(guest, USBCMD, 1u << 16 | ASYNC | RUN);
}

void
ehci_guest_new(EhciGuest *guest)
{
    begin(guest, ehci_guest_bench);
}

void
ehci_guest_new_hub(EhciGuest *guest)
{
    begin(guest, ehci_guest_hub_bench);
}

void
ehci_guest_new_fast_hub(EhciGuest *guest)
{
    begin(guest, fast_hub_bench);
}

void
ehci_guest_free(EhciGuest *guest)
{
    device_bench_free(guest->bench);
    pdm_registry_free(guest->registry);
}

void
ehci_guest_reset_port(EhciGuest *guest, unsigned port)
{
    const uint32_t at = PORTSC + 4 * port;

    g_assert_cmphex(ehci_guest_read(guest, at) & (CONNECTED | POWER), ==, CONNECTED | POWER);
    ehci_guest_write(guest, at, POWER | PORT_RESET | CHANGE);
    g_assert_cmphex(ehci_guest_read(guest, at) & (PORT_RESET | ENABLED), ==, PORT_RESET);
    ehci_guest_write(guest, at, POWER);
    g_assert_cmphex(ehci_guest_read(guest, at) & (PORT_RESET | CHANGE), ==, 0);
}

/* A control transfer; returns the state of its last element. */
unsigned
ehci_guest_control(EhciGuest *guest, uint64_t setup, uint32_t size)
{
    const bool in = (setup & 0x80) != 0;
    uint32_t qtd;

    pci_guest_put64(guest->bench, DATA, setup);
    ehci_guest_add(guest, CONTROL, PID_SETUP, DATA, 8, 0);
    if (size != 0)
        ehci_guest_add(guest, CONTROL, in ? PID_IN : PID_OUT, DATA + 64, size, 1u << 31);
    qtd = ehci_guest_add(guest, CONTROL, in ? PID_OUT : PID_IN, 0, 0, IOC | 1u << 31);
    ehci_guest_wait(guest, 10);
    return ehci_guest_state(guest, qtd);
}

void
ehci_guest_configure(EhciGuest *guest, unsigned port, unsigned address)
{
    ehci_guest_reset_port(guest, port);
    g_assert_cmphex(ehci_guest_read(guest, PORTSC + 4 * port) & ENABLED, ==, ENABLED);
    ehci_guest_open(guest, CONTROL, 0, 0, 64, 1u << 30);
    g_assert_cmphex(ehci_guest_control(guest, 0x0500 | (uint64_t)address << 16, 0), ==, 0);
    ehci_guest_open(guest, CONTROL, address, 0, 64, 1u << 30);
    g_assert_cmphex(ehci_guest_control(guest, 0x0900 | 1u << 16, 0), ==, 0);
}

/* --- isochronous --- */
void
ehci_guest_put_itd_at(EhciGuest *guest, unsigned frame, uint32_t at, unsigned endpoint, bool in,
                      uint32_t size, uint32_t buffer)
{
    ehci_guest_put32(guest, at, END);
    for (unsigned i = 0; i < 8; i++) {
        const uint32_t place = (buffer & 0xfff) + i * size;

        ehci_guest_put32(guest, at + 4 + 4 * i,
                         1u << 31 | size << 16 | (i == 7 ? IOC : 0) | place / 4096 << 12 |
                             place % 4096);
    }
    for (unsigned i = 0; i < 7; i++)
        ehci_guest_put32(guest, at + 36 + 4 * i, (buffer & ~0xfffu) + 4096 * i);
    ehci_guest_put32(guest, at + 36, ehci_guest_get32(guest, at + 36) | endpoint << 8 | 3);
    ehci_guest_put32(guest, at + 40, ehci_guest_get32(guest, at + 40) | (in ? 1u << 11 : 0) | 512);
    ehci_guest_put32(guest, at + 44, ehci_guest_get32(guest, at + 44) | 1);
    ehci_guest_put32(guest, LIST + 4 * (frame % 1024), at);
}

void
ehci_guest_put_itd(EhciGuest *guest, uint32_t at, unsigned endpoint, bool in, uint32_t size,
                   uint32_t buffer)
{
    ehci_guest_put_itd_at(guest, ehci_guest_read(guest, FRINDEX) / 8 + 3, at, endpoint, in, size,
                          buffer);
}
