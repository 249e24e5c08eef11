/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What a guest's driver of EHCI does, for tests: a ring of queues, elements, ports. A machine with
 * EHCI and its companion, with a tablet, a drive and a stream at the first three ports. */
#pragma once

#include "tests/device/pci-guest.h"
#include "tests/device/usb-stream.h"

#define SLOT 11
#define OHCI_SLOT 6
#define LIST 0x100000u
#define HEAD 0x102000u /* queue heads */
#define CONTROL 0x102040u
#define IN 0x102080u
#define OUT 0x1020c0u
#define REPORT 0x102100u
#define ITD 0x103000u
#define QTDS 0x104000u
#define DATA 0x110000u
#define DRIVE_SIZE (1u << 20)
#define END 1u
#define IS_QH 2u

enum {
    USBCMD = 0x20,
    USBSTS = 0x24,
    USBINTR = 0x28,
    FRINDEX = 0x2c,
    PERIODICLISTBASE = 0x34,
    ASYNCLISTADDR = 0x38,
    CONFIGFLAG = 0x60,
    PORTSC = 0x64,
};
enum { RUN = 1, RESET = 2, LIST_256 = 2 << 2, PERIODIC = 1 << 4, ASYNC = 1 << 5, RING = 1 << 6 };
enum { DONE = 1, FAILED = 2, PORT_CHANGE = 4, ROLLOVER = 8, ADVANCE = 1 << 5, HALTED = 1 << 12 };
enum {
    CONNECTED = 1,
    CHANGE = 2,
    ENABLED = 4,
    RESUME = 1 << 6,
    SUSPEND = 1 << 7,
    PORT_RESET = 1 << 8
};
enum { POWER = 1 << 12, OWNER = 1 << 13 };
enum { PID_OUT, PID_IN, PID_SETUP };
enum { XACT = 1 << 3, BABBLE = 1 << 4, STOPPED = 1 << 6, ACTIVE = 1 << 7, ERRORS = 3 << 10 };
#define IOC (1u << 15)
#define OHCI_PORT(port) (0x54u + 4 * (port))

typedef struct {
    PdmRegistry *registry;
    DeviceBench *bench;
    uint32_t qtd; /* the next free one */
} EhciGuest;

DeviceBench *ehci_guest_bench(PdmRegistry *registry);
/* The same with a hub at its first port: with the tablet and the stream, which is of full speed, at
 * its first two. */
DeviceBench *ehci_guest_hub_bench(PdmRegistry *registry);
/* Configured, with a ring of four queues that nobody uses yet, which runs. */
void ehci_guest_new(EhciGuest *guest);
void ehci_guest_new_hub(EhciGuest *guest);
/* Its stream is of high speed. */
void ehci_guest_new_fast_hub(EhciGuest *guest);
void ehci_guest_free(EhciGuest *guest);
/* A register of the controller; guest memory. */
uint32_t ehci_guest_read(EhciGuest *guest, uint32_t offset);
void ehci_guest_write(EhciGuest *guest, uint32_t offset, uint32_t value);
uint32_t ehci_guest_get32(EhciGuest *guest, uint64_t gpa);
void ehci_guest_put32(EhciGuest *guest, uint64_t gpa, uint32_t value);
/* Milliseconds go by, queues run. */
void ehci_guest_wait(EhciGuest *guest, unsigned count);

/* Ends with an element that is not active; split: hub, port and masks, as the third word has them;
 * the speed is high where it names no hub. */
void ehci_guest_open(EhciGuest *guest, uint32_t at, unsigned address, unsigned endpoint,
                     unsigned size, uint32_t split);
uint32_t ehci_guest_tail(EhciGuest *guest, uint32_t queue);
/* Fills the element at the tail and adds a new tail. The buffer's second page and so on follow the
 * first in memory. */
uint32_t ehci_guest_add(EhciGuest *guest, uint32_t queue, unsigned pid, uint32_t buffer,
                        uint32_t size, uint32_t flags);
uint32_t ehci_guest_token(EhciGuest *guest, uint32_t qtd);
/* What is wrong with an element that is over. */
unsigned ehci_guest_state(EhciGuest *guest, uint32_t qtd);
unsigned ehci_guest_left(EhciGuest *guest, uint32_t qtd);

void ehci_guest_reset_port(EhciGuest *guest, unsigned port);
/* A control transfer; returns the state of its last element. */
unsigned ehci_guest_control(EhciGuest *guest, uint64_t setup, uint32_t size);
/* Resets, addresses and configures what is at a port. */
void ehci_guest_configure(EhciGuest *guest, unsigned port, unsigned address);

/* An isochronous descriptor of the device at address 3 in a frame's list, which has nothing else:
 * eight transactions of so many bytes; the last one interrupts. */
void ehci_guest_put_itd_at(EhciGuest *guest, unsigned frame, uint32_t at, unsigned endpoint,
                           bool in, uint32_t size, uint32_t buffer);
/* Three frames ahead. */
void ehci_guest_put_itd(EhciGuest *guest, uint32_t at, unsigned endpoint, bool in, uint32_t size,
                        uint32_t buffer);
