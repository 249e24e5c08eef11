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

/* An endpoint descriptor as it is in guest memory: 4.2. */
typedef struct {
    uint32_t flags, tail, head, next;
    uint32_t at;
} OhciEd;

/* The list that an endpoint was found in, which says what its transfers are. */
typedef enum { OHCI_LIST_CONTROL, OHCI_LIST_BULK, OHCI_LIST_PERIODIC } OhciList;

/* A transfer descriptor that is at the device. */
typedef struct {
    OhciController *ohci;
    VusbUrb *urb; /* NULL: this place is free */
    uint32_t ed, td;
    uint32_t skipped; /* ISOCHRONOUS: packets that came too late */
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
void ohci_begin(OhciController *ohci, const OhciEd *ed, OhciList list);
bool ohci_is_under_way(const OhciController *ohci, uint32_t ed);
/* Takes back what the guest has taken out of its lists; all: everything. */
void ohci_cancel(OhciController *ohci, bool all);
void ohci_write_back(OhciController *ohci);

/* ohci-port.c */
void ohci_port_hub(OhciController *ohci);
void ohci_port_reset_all(OhciController *ohci);
uint32_t ohci_port_read(const OhciController *ohci, unsigned port);
void ohci_port_write(OhciController *ohci, unsigned port, uint32_t value);
void ohci_port_compare(OhciController *ohci);
uint32_t ohci_hub_read(const OhciController *ohci, uint32_t offset);
void ohci_hub_write(OhciController *ohci, uint32_t value);

extern const SsmState ohci_state;
