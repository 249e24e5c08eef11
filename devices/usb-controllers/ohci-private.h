/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * OHCI: what its files share. Open Host Controller Interface Specification for USB 1.0a. Left out:
 * the registers of legacy support, power switching and overcurrent of ports (power is always on),
 * frames of another length than a millisecond, and bandwidth: a frame moves what the guest asks
 * for, within OHCI_FRAME_BYTES. */
#pragma once

#include "usb/vusb.h"
#include "vmm/pdm/pdm.h"

#define OHCI_PORTS 12u
#define OHCI_FRAME_NS 1000000ull
#define OHCI_FRAME_BYTES 65536u      /* that are begun in a frame */
#define OHCI_FRAME_EDS 256u          /* that are looked at in a frame: lists may lead anywhere */
#define OHCI_FRAMES_MAX (1ull << 44) /* whose nanoseconds 64 bits hold */
#define OHCI_TRANSFERS 64u

enum { OHCI_RESETTING, OHCI_RESUMING, OHCI_OPERATIONAL, OHCI_SUSPENDED }; /* HCFS */
enum {
    OHCI_CONTROL_PERIODIC = 1 << 2,
    OHCI_CONTROL_ISOCHRONOUS = 1 << 3,
    OHCI_CONTROL_CONTROL = 1 << 4,
    OHCI_CONTROL_BULK = 1 << 5,
    OHCI_CONTROL_LISTS = 0x3c,
};
enum { OHCI_CONTROL_FILLED = 1 << 1, OHCI_BULK_FILLED = 1 << 2 };
enum {
    OHCI_WRITEBACK = 1 << 1,
    OHCI_START_OF_FRAME = 1 << 2,
    OHCI_RESUME_DETECTED = 1 << 3,
    OHCI_FRAME_OVERFLOW = 1 << 5,
    OHCI_ROOT_HUB = 1 << 6,
};
#define OHCI_INTERRUPTS 0x4000007fu
#define OHCI_MASTER_INTERRUPT (1u << 31)
#define OHCI_NO_WRITEBACK 7u /* HcDoneHead: the delay counter at rest */

typedef struct OhciController OhciController;

/* Of endpoint and transfer descriptors. */
#define POINTER 0xfffffff0u
#define PAGE 0x1000u
#define ED_SKIP (1u << 14)
#define ED_ISOCHRONOUS (1u << 15)
#define ED_HALTED 1u
#define ED_CARRY 2u
#define TD_ROUNDING (1u << 18)
#define TD_TOGGLE_VALID (1u << 25)
#define TD_TOGGLE (1u << 24)
#define PACKETS_MAX 8u /* of an isochronous descriptor */
#define PACKET_MAX 1023u

enum {
    CODE_NONE = 0,
    CODE_STALL = 4,
    CODE_NO_ANSWER = 5,
    CODE_OVERRUN = 8,
    CODE_UNDERRUN = 9,
    CODE_NOT_ACCESSED = 14,
};
enum { PID_SETUP, PID_OUT, PID_IN };

/* An endpoint descriptor as it is in guest memory: 4.2. */
typedef struct {
    uint32_t flags, tail, head, next;
    uint32_t at;
} OhciEd;

/* A descriptor in guest memory: general ones have four words, isochronous ones offsets, too. */
typedef struct {
    uint32_t flags, buffer, next, end;
    uint16_t offsets[PACKETS_MAX];
} OhciTd;

/* The list that an endpoint was found in, which says what its transfers are. */
typedef enum { OHCI_LIST_CONTROL, OHCI_LIST_BULK, OHCI_LIST_PERIODIC } OhciList;

/* A transfer descriptor that is at the device. */
typedef struct {
    OhciController *ohci;
    VusbUrb *urb; /* NULL: this place is free */
    uint32_t ed, td;
    uint32_t skipped; /* ISOCHRONOUS: packets that came too late */
    uint32_t last;    /* ISOCHRONOUS: the frame of its last packet, 16 bits */
    bool answered;    /* ISOCHRONOUS: by the device; it is retired when its frames are over */
    OhciList list;
} OhciTransfer;

struct OhciController {
    PdmDevice *device;
    PdmPci *pci;
    TmTimer *timer;
    VusbHubPort hub_port;
    const VusbHubConnector *hub; /* NULL: nothing is connected */

    uint32_t control, command_status, status, enable;
    uint32_t hcca, control_head, control_current, bulk_head, bulk_current;
    uint32_t done_head, done_delay;
    uint32_t interval, periodic_start, ls_threshold, fm_toggle;
    uint32_t rh_status;
    uint32_t ports[OHCI_PORTS];
    uint64_t start_ns;     /* when frame 0 began */
    uint64_t served_frame; /* the last one that was worked on, counted from then */
    uint64_t active_ns;    /* when the guest or a device last did something */
    uint64_t cleared_sof;  /* the frame in which the guest last heard of a frame */

    OhciTransfer transfers[OHCI_TRANSFERS];
    uint32_t bytes, eds; /* left in this frame */
    bool isochronous;    /* some were seen: every frame matters */
    bool saving;
};

/* ohci.c */
extern const IomMmioOps ohci_mmio_ops;
static inline unsigned
ohci_state_of(const OhciController *ohci)
{
    return ohci->control >> 6 & 3;
}
uint64_t ohci_frame(const OhciController *ohci);
void ohci_interrupt(OhciController *ohci, uint32_t bits);
void ohci_update_irq(OhciController *ohci);
/* Something has happened: the timer is set for what comes next. */
void ohci_wake(OhciController *ohci);
void ohci_arm(OhciController *ohci);
void ohci_soft_reset(OhciController *ohci);

/* ohci-list.c */
/* Begins what the lists hold; frames: the periodic lists of the last so many. */
void ohci_run_lists(OhciController *ohci, uint64_t first_frame, uint64_t last_frame);
void ohci_read_ed(OhciController *ohci, uint32_t at, OhciEd *ed);
/* Begins the first transfer of an endpoint once more, after one has ended. */
void ohci_run_ed(OhciController *ohci, uint32_t at, OhciList list);

/* ohci-transfer.c */
void ohci_read_td(OhciController *ohci, uint32_t at, bool isochronous, OhciTd *td);
/* The buffer: bytes up to `end`, in at most two pages. */
uint32_t ohci_buffer_size(const OhciTd *td);
uint32_t ohci_buffer_at(const OhciTd *td, uint32_t offset);
void ohci_move(OhciController *ohci, const OhciTd *td, uint8_t *data, uint32_t size, bool to_guest);
OhciTransfer *ohci_free_place(OhciController *ohci);
/* NULL: not now. The caller sets what an endpoint's descriptor does not say. */
VusbUrb *ohci_new_urb(OhciController *ohci, const OhciEd *ed, uint32_t td, OhciTransfer *transfer,
                      uint32_t size, uint32_t packets);
void ohci_submit(OhciController *ohci, const OhciEd *ed, VusbUrb *urb);
unsigned ohci_code_of(VusbStatus status);
/* The first descriptor of an endpoint goes to the done queue. */
void ohci_retire(OhciController *ohci, OhciEd *ed, uint32_t at, OhciTd *td, unsigned code);
void ohci_begin(OhciController *ohci, const OhciEd *ed, OhciList list);
bool ohci_is_under_way(const OhciController *ohci, uint32_t ed);
/* Takes back what the guest has taken out of its lists; all: everything. */
void ohci_cancel(OhciController *ohci, bool all);
void ohci_write_back(OhciController *ohci);

/* ohci-isochronous.c */
/* Begins what is due soon, retires what is over. */
void ohci_run_isochronous(OhciController *ohci, const OhciEd *ed);
/* Whether a descriptor is among the first of an endpoint's queue. */
bool ohci_is_queued(OhciController *ohci, const OhciEd *ed, uint32_t td);

/* ohci-port.c */
void ohci_port_hub(OhciController *ohci);
void ohci_port_reset_all(OhciController *ohci);
uint32_t ohci_port_read(const OhciController *ohci, unsigned port);
void ohci_port_write(OhciController *ohci, unsigned port, uint32_t value);
void ohci_port_compare(OhciController *ohci);
uint32_t ohci_hub_read(const OhciController *ohci, uint32_t offset);
void ohci_hub_write(OhciController *ohci, uint32_t value);

extern const SsmState ohci_state;
