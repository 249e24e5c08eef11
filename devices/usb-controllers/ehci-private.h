/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * EHCI: what its files share. Enhanced Host Controller Interface Specification for Universal Serial
 * Bus 1.0. Left out: 64-bit structures, the park mode, port power switching and indicators (power
 * is always on), the debug port, and bandwidth: a frame moves what the guest asks for, within
 * EHCI_FRAME_BYTES. A split transaction is one step here, so FSTNs are only passed through. */
#pragma once

#include "usb/vusb.h"
#include "vmm/pdm/pdm.h"

#define EHCI_PORTS 12u /* as many as the companion has */
#define EHCI_MICROFRAME_NS 125000ull
#define EHCI_FRAME_NS 1000000ull
#define EHCI_FRAME_BYTES (1u << 20) /* that are begun in a frame */
#define EHCI_FRAME_VISITS 1024u     /* links that are followed in a frame: they may lead anywhere */
#define EHCI_FRAMES_MAX (1ull << 44) /* whose nanoseconds 64 bits hold */
#define EHCI_TRANSFERS 128u
#define EHCI_QUEUE_TRANSFERS 32u /* of them, that isochronous ones leave to queues */
/* Frames that isochronous transfers are begun before they are due: where there were none lately,
 * and where there were some. */
#define EHCI_AHEAD_IDLE 4u
#define EHCI_AHEAD 24u
#define EHCI_PATIENCE 32u    /* frames by which the bus may be late for an isochronous answer */
#define EHCI_LATE_FRAMES 64u /* that an isochronous answer may come after its own */
#define EHCI_BUFFERS 5u

/* USBCMD */
enum {
    EHCI_RUN = 1 << 0,
    EHCI_RESET = 1 << 1,
    EHCI_LIST_SIZE = 3 << 2,
    EHCI_PERIODIC = 1 << 4,
    EHCI_ASYNC = 1 << 5,
    EHCI_DOORBELL = 1 << 6,
    EHCI_THRESHOLD = 0xff << 16,
};
/* USBSTS, and the first six in USBINTR */
enum {
    EHCI_DONE = 1 << 0,
    EHCI_FAILED = 1 << 1,
    EHCI_PORT_CHANGE = 1 << 2,
    EHCI_ROLLOVER = 1 << 3,
    EHCI_ASYNC_ADVANCE = 1 << 5,
    EHCI_INTERRUPTS = 0x3f,
    EHCI_HALTED = 1 << 12,
    EHCI_PERIODIC_RUNS = 1 << 14,
    EHCI_ASYNC_RUNS = 1 << 15,
};
/* Links of both schedules: 3.1. */
#define EHCI_END 1u
#define EHCI_LINK 0xffffffe0u
enum { EHCI_ITD, EHCI_QH, EHCI_SITD, EHCI_FSTN };

/* The words of a queue head that hardware writes, from the current transfer on, are its overlay:
 * 3.6. */
typedef struct {
    uint32_t next, endpoint, split;
    uint32_t current;
    uint32_t next_qtd, alternate, token, buffers[EHCI_BUFFERS];
} EhciQh;
/* A queue element: 3.5. */
typedef struct {
    uint32_t next, alternate, token, buffers[EHCI_BUFFERS];
} EhciQtd;

typedef struct EhciController EhciController;

typedef enum { EHCI_IN_ASYNC, EHCI_IN_PERIODIC } EhciList;

/* What is at a device: of a queue head its present element; an isochronous descriptor. */
typedef struct {
    EhciController *ehci;
    VusbUrb *urb;       /* NULL: this place is free */
    uint8_t kind;       /* EHCI_QH, EHCI_ITD or EHCI_SITD */
    EhciList list;      /* of a queue head: where it was found */
    uint32_t at;        /* of the structure in guest memory */
    uint64_t frame;     /* in the periodic schedule: where it was found */
    uint64_t number;    /* of those that have begun, they count on */
    uint32_t target;    /* of an isochronous one: which endpoint, as its descriptor has it */
    uint32_t qtd;       /* of a queue head */
    uint32_t words[16]; /* as they were at the beginning: the overlay's token and buffers, or all */
    uint8_t packets[8]; /* EHCI_ITD: the microframe of each */
    bool seen;          /* in a walk */
    bool answered;      /* the device is ready, the frame is not over */
    bool over; /* the frame is over, its descriptor is done; data come or wait for another one */
} EhciTransfer;

struct EhciController {
    PdmDevice *device;
    PdmPci *pci;
    TmTimer *timer;
    VusbHubPort hub_port;
    const VusbHubConnector *hub; /* NULL: nothing is connected */

    uint32_t command, status, enable, config;
    uint32_t periodic_base, async_base;
    uint32_t ports[EHCI_PORTS];
    uint32_t held;         /* status bits that wait for the interrupt threshold */
    uint64_t stood;        /* the microframe it stands at, or stood at when it began to run */
    uint64_t start_ns;     /* when that was */
    uint64_t served_frame; /* the last one that was worked on */
    uint64_t rolled;       /* times that the list had been gone through when last looked */
    uint64_t interrupt_ns; /* when the last one was given */
    uint64_t active_ns;    /* when the guest or a device last did something */

    EhciTransfer transfers[EHCI_TRANSFERS];
    uint64_t begun;         /* transfers so far */
    uint32_t bytes, visits; /* left in this frame */
    bool isochronous;       /* some were seen: every frame matters */
    bool saving;
};

/* ehci-frame.c: time, interrupts, the timer */
static inline bool
ehci_runs(const EhciController *ehci)
{
    return (ehci->command & EHCI_RUN) != 0;
}
/* Microframes since FRINDEX 0: time by the clock, or, with isochronous transfers, what has gone by
 * on the bus. */
uint64_t ehci_microframe(const EhciController *ehci);
/* When a frame begins or began, while the controller runs. */
uint64_t ehci_frame_ns(const EhciController *ehci, uint64_t frame);
void ehci_set_microframe(EhciController *ehci, uint64_t microframe);
/* Entries of the frame list: 256, 512 or 1024. */
uint32_t ehci_list_size(const EhciController *ehci);
/* Sets bits of USBSTS, those of transfers not more often than the threshold says. */
void ehci_interrupt(EhciController *ehci, uint32_t bits);
void ehci_update_irq(EhciController *ehci);
/* Notes that the frame list has been gone through. */
void ehci_check_rollover(EhciController *ehci);
/* Something has happened: the timer is set for what comes next. */
void ehci_wake(EhciController *ehci);
void ehci_arm(EhciController *ehci);
void ehci_on_timer(void *user);

/* ehci-schedule.c */
void ehci_run_async(EhciController *ehci);
void ehci_run_periodic(EhciController *ehci, uint64_t first, uint64_t last);
/* The guest rang the doorbell: nothing that it has taken out is known any more. */
void ehci_forget_unlinked(EhciController *ehci);
/* Whether the guest still has the structure where it was found. */
bool ehci_is_linked(EhciController *ehci, const EhciTransfer *transfer);

/* ehci-transfer.c: what is under way */
EhciTransfer *ehci_find_transfer(EhciController *ehci, uint8_t kind, uint32_t at);
/* A place and an URB with room for so much; NULL: not now. */
EhciTransfer *ehci_new_transfer(EhciController *ehci, uint8_t kind, uint32_t at, uint32_t size,
                                uint32_t packets);
/* To the device that these fields of its structure name: 4.12. speed as in a queue head. */
void ehci_submit(EhciController *ehci, EhciTransfer *transfer, unsigned speed, unsigned address,
                 unsigned hub, unsigned port);
void ehci_drop_transfer(EhciTransfer *transfer);
/* Moves data between an URB and pages of guest memory from offset on; pages: addresses, of which
 * the low twelve bits do not count. */
void ehci_move(EhciController *ehci, const uint32_t *pages, unsigned count, uint32_t offset,
               uint8_t *data, uint32_t size, bool to_guest);
/* All, or those of one list. */
void ehci_drop_all(EhciController *ehci);
void ehci_drop_list(EhciController *ehci, EhciList list);

/* ehci-queue.c */
void ehci_visit_queue(EhciController *ehci, uint32_t at, EhciList list, uint64_t frame);
/* The guest has not changed the queue head since the transfer began. */
bool ehci_queue_waits(EhciController *ehci, const EhciTransfer *transfer);
void ehci_queue_done(EhciTransfer *transfer, VusbUrb *urb);

/* ehci-isochronous.c */
void ehci_visit_itd(EhciController *ehci, uint32_t at, uint64_t frame);
void ehci_visit_sitd(EhciController *ehci, uint32_t at, uint64_t frame);
void ehci_isochronous_done(EhciTransfer *transfer, VusbUrb *urb);
/* Whether something is still to come for a frame before this one. */
bool ehci_awaits(EhciController *ehci, uint64_t frame);
/* Ends those whose frame is over, with what has come. */
void ehci_finish_frame(EhciController *ehci, uint64_t frame);

/* ehci-port.c */
void ehci_port_hub(EhciController *ehci);
/* All ports belong to the companion, until the guest configures the controller. */
void ehci_port_reset_all(EhciController *ehci);
uint32_t ehci_port_read(const EhciController *ehci, unsigned port);
void ehci_port_write(EhciController *ehci, unsigned port, uint32_t value);
void ehci_port_configure(EhciController *ehci, uint32_t value);
void ehci_port_loaded(EhciController *ehci);

/* ehci.c */
extern const IomMmioOps ehci_mmio_ops;
void ehci_soft_reset(EhciController *ehci);
extern const SsmState ehci_state;
