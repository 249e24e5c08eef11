/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The xHCI controller's state and what its files share. eXtensible Host Controller Interface 1.0;
 * section numbers in these files are that document's. Left out: streams, virtualization, debug
 * capability, MFINDEX wrap events, bandwidth negotiation (there is always enough). */
#pragma once

#include "devices/pci/pci-msi.h"
#include "usb/vusb.h"

#include <glib.h>

#define XHCI_SLOTS 32u
#define XHCI_ENDPOINTS 32u /* by device context index; 0 is not used */
#define XHCI_PORTS_USB2 8u
#define XHCI_PORTS_USB3 6u
#define XHCI_PORTS (XHCI_PORTS_USB2 + XHCI_PORTS_USB3)
#define XHCI_INTERRUPTERS 8u
#define XHCI_ERST_MAX 16u     /* segments of an event ring */
#define XHCI_HELD_EVENTS 128u /* that wait for room in an event ring */
#define XHCI_TRBS_MAX 2048u   /* of one transfer */
#define XHCI_LINKS_MAX 64u    /* that are followed for one transfer */
#define XHCI_TDS_MAX 32u      /* of one endpoint that are under way */
#define XHCI_FRAME_NS 1000000ull
#define XHCI_MICROFRAME_NS 125000ull
#define XHCI_FRAME_BUDGET 4096u /* transfers and commands a millisecond */

/* --- 6.4: transfer request blocks --- */
typedef struct {
    uint64_t parameter;
    uint32_t status, control;
    uint64_t at; /* guest address */
} XhciTrb;

enum {
    TRB_NORMAL = 1,
    TRB_SETUP = 2,
    TRB_DATA = 3,
    TRB_STATUS = 4,
    TRB_ISOCH = 5,
    TRB_LINK = 6,
    TRB_EVENT_DATA = 7,
    TRB_NO_OP = 8,
    TRB_ENABLE_SLOT = 9,
    TRB_DISABLE_SLOT = 10,
    TRB_ADDRESS_DEVICE = 11,
    TRB_CONFIGURE_ENDPOINT = 12,
    TRB_EVALUATE_CONTEXT = 13,
    TRB_RESET_ENDPOINT = 14,
    TRB_STOP_ENDPOINT = 15,
    TRB_SET_DEQUEUE = 16,
    TRB_RESET_DEVICE = 17,
    TRB_PORT_BANDWIDTH = 21,
    TRB_NO_OP_COMMAND = 23,
    TRB_TRANSFER_EVENT = 32,
    TRB_COMMAND_COMPLETION = 33,
    TRB_PORT_STATUS_CHANGE = 34,
    TRB_HOST_CONTROLLER_EVENT = 37,
};
#define TRB_CYCLE (1u << 0)
#define TRB_TOGGLE (1u << 1)
#define TRB_ISP (1u << 2)
#define TRB_CHAIN (1u << 4)
#define TRB_IOC (1u << 5)
#define TRB_IDT (1u << 6)
#define TRB_BEI (1u << 9)
#define TRB_BSR (1u << 9)         /* Address Device */
#define TRB_DECONFIGURE (1u << 9) /* Configure Endpoint */
#define TRB_DIRECTION_IN (1u << 16)
#define TRB_EVENT_IS_DATA (1u << 2)

/* 6.4.5: completion codes */
enum {
    XHCI_SUCCESS = 1,
    XHCI_BABBLE = 3,
    XHCI_TRANSACTION = 4,
    XHCI_TRB_ERROR = 5,
    XHCI_STALL = 6,
    XHCI_NO_SLOTS = 9,
    XHCI_SLOT_NOT_ENABLED = 11,
    XHCI_ENDPOINT_NOT_ENABLED = 12,
    XHCI_SHORT_PACKET = 13,
    XHCI_RING_UNDERRUN = 14,
    XHCI_RING_OVERRUN = 15,
    XHCI_PARAMETER = 17,
    XHCI_CONTEXT_STATE = 19,
    XHCI_EVENT_RING_FULL = 21,
    XHCI_COMMAND_RING_STOPPED = 24,
    XHCI_STOPPED = 26,
};

static inline unsigned
trb_type(const XhciTrb *trb)
{
    return trb->control >> 10 & 63;
}

/* Where a consumer stands in a ring. */
typedef struct {
    uint64_t at;
    uint8_t cycle;
} XhciRing;

/* --- endpoints --- */
enum { EP_DISABLED, EP_RUNNING, EP_HALTED, EP_STOPPED, EP_ERROR, EP_STATES };
enum {
    EP_ISOCH_OUT = 1,
    EP_BULK_OUT,
    EP_INTERRUPT_OUT,
    EP_CONTROL,
    EP_ISOCH_IN,
    EP_BULK_IN,
    EP_INTERRUPT_IN
};

typedef struct XhciController XhciController;

typedef struct {
    uint8_t state, type;
    uint8_t interval; /* 2^interval microframes */
    XhciRing ring;    /* the first TRB that is not done */
    uint64_t next_ns; /* isochronous: when the next transfer is due; 0: not known */
    /* Not saved: begins again from ring. */
    XhciRing fetch;
    GQueue tds; /* XhciTd, in order */
    bool wants_kick;
} XhciEndpoint;

/* A transfer that is under way: its TRBs, and where the ring goes on after it. */
typedef struct {
    XhciController *xhci;
    unsigned slot, dci;
    GArray *trbs; /* XhciTrb */
    XhciRing after;
    VusbUrb *urb; /* NULL: it needs none, or it is gone */
    bool answered;
    VusbStatus status;
    uint64_t due_ns; /* not retired earlier */
} XhciTd;

typedef struct {
    uint8_t state; /* SlotState */
    uint8_t port;  /* root port from 0 on */
    uint32_t route;
    uint16_t interrupter;
    uint64_t context; /* of the device, as the base array said */
    XhciEndpoint endpoints[XHCI_ENDPOINTS];
} XhciSlot;
enum { SLOT_FREE, SLOT_ENABLED, SLOT_DEFAULT, SLOT_ADDRESSED, SLOT_CONFIGURED, SLOT_STATES };

/* --- interrupters: 4.9.4, 4.17, 5.5.2 --- */
typedef struct {
    uint64_t parameter;
    uint32_t status, control;
} XhciEvent;

typedef struct {
    uint32_t iman, imod, erstsz;
    uint64_t erstba, erdp;
    uint32_t segment, index; /* where the next event goes */
    uint8_t cycle;
    uint8_t wants;    /* an event waits to be told of (IPE) */
    uint64_t next_ns; /* no interrupt before */
    uint64_t segment_base;
    uint32_t segment_size; /* of the segment it writes to; 0: the table is not known yet */
    uint32_t held;
    XhciEvent events[XHCI_HELD_EVENTS];
} XhciInterrupter;

#define IMAN_PENDING 1u
#define IMAN_ENABLE 2u
#define ERDP_BUSY 8u

struct XhciController {
    PdmDevice *device;
    PdmPci *pci;
    PciMsix msix;
    VusbHubPort hub_port;
    const VusbHubConnector *hub; /* NULL: nothing is plugged in anywhere */
    TmTimer *timer;

    uint32_t usbcmd, usbsts, dnctrl, config;
    uint64_t crcr, dcbaap;
    XhciRing command;
    uint8_t command_running;
    uint32_t portsc[XHCI_PORTS];
    XhciInterrupter interrupters[XHCI_INTERRUPTERS];
    XhciSlot slots[XHCI_SLOTS + 1];

    uint64_t frame; /* that the budget is for */
    uint32_t spent;
    uint64_t timer_ns; /* what the timer is set to; 0: off */
    bool saving;
    bool command_waits, kicks_wait; /* for the next frame's budget */
};

#define USBCMD_RUN 1u
#define USBCMD_RESET 2u
#define USBCMD_INTERRUPTS 4u
#define USBCMD_SAVE 0x100u
#define USBCMD_RESTORE 0x200u
#define USBSTS_HALTED 1u
#define USBSTS_ERROR 4u /* host system error */
#define USBSTS_EVENT 8u
#define USBSTS_PORT 16u
#define USBSTS_RESTORE_ERROR 0x400u
#define CRCR_RUNNING 8u

static inline bool
xhci_running(const XhciController *xhci)
{
    return (xhci->usbcmd & USBCMD_RUN) != 0 && (xhci->usbsts & USBSTS_ERROR) == 0;
}

/* xhci-registers.c */
extern const IomMmioOps xhci_mmio_ops;
void xhci_reset_all(XhciController *xhci);

/* xhci-event.c */
void xhci_event(XhciController *xhci, unsigned interrupter, const XhciEvent *event);
/* The timer, and what the guest wrote to an interrupter's registers. */
void xhci_interrupter_update(XhciController *xhci, unsigned index);
void xhci_interrupter_start(XhciController *xhci, unsigned index);
void xhci_write_erdp(XhciController *xhci, unsigned index, uint64_t value);
void xhci_update_pin(XhciController *xhci);

/* xhci-ring.c */
typedef enum { FETCH_NOTHING, FETCH_TRB, FETCH_BAD } XhciFetch;
/* The next TRB that is no link; *links counts down. */
XhciFetch xhci_fetch(XhciController *xhci, XhciRing *ring, XhciTrb *trb, unsigned *links);
/* False when this millisecond's budget is used up; the timer is set then. */
bool xhci_spend(XhciController *xhci);
/* The timer goes off at the deadline or earlier. */
void xhci_timer_at(XhciController *xhci, uint64_t deadline_ns);

/* xhci-command.c */
void xhci_run_commands(XhciController *xhci);

/* xhci-slot.c: 4.6, the commands that work on slots; each returns a completion code */
unsigned xhci_enable_slot(XhciController *xhci, unsigned *slot);
unsigned xhci_disable_slot(XhciController *xhci, unsigned slot);
unsigned xhci_address_device(XhciController *xhci, unsigned slot, uint64_t input, bool keep);
unsigned xhci_configure(XhciController *xhci, unsigned slot, uint64_t input, bool remove_all);
unsigned xhci_evaluate(XhciController *xhci, unsigned slot, uint64_t input);
unsigned xhci_reset_device(XhciController *xhci, unsigned slot);
VusbDevice *xhci_slot_device(XhciController *xhci, unsigned slot);
void xhci_drop_slot(XhciController *xhci, unsigned slot);

/* xhci-endpoint.c */
unsigned xhci_reset_endpoint(XhciController *xhci, unsigned slot, unsigned dci);
unsigned xhci_stop_endpoint(XhciController *xhci, unsigned slot, unsigned dci);
unsigned xhci_set_dequeue(XhciController *xhci, unsigned slot, unsigned dci, uint64_t pointer);
/* Begins with what an endpoint context says, in guest memory. */
unsigned xhci_endpoint_init(XhciController *xhci, unsigned slot, unsigned dci,
                            const uint32_t context[8]);
void xhci_endpoint_drop(XhciController *xhci, unsigned slot, unsigned dci);
void xhci_endpoint_set_state(XhciController *xhci, unsigned slot, unsigned dci, unsigned state);
/* Takes back what is under way; the ring stands where it is. */
void xhci_endpoint_cancel(XhciEndpoint *endpoint);

/* xhci-transfer.c */
void xhci_kick(XhciController *xhci, unsigned slot, unsigned dci);
void xhci_kick_all(XhciController *xhci);
/* Ends transfers that are answered and due. */
void xhci_retire(XhciController *xhci, unsigned slot, unsigned dci);
void xhci_td_free(XhciTd *td);

/* xhci-td.c: what a transfer's TRBs say */
bool xhci_td_is_in(const XhciTd *td, const XhciEndpoint *endpoint);
uint32_t xhci_td_size(const XhciTd *td);
void xhci_td_gather(XhciTd *td, uint8_t *data);
void xhci_td_scatter(XhciTd *td, const uint8_t *data, uint32_t size);
/* The events of a transfer that ended with a completion code after `moved` bytes. */
void xhci_td_report(XhciTd *td, unsigned code, uint32_t moved);

/* xhci-port.c */
void xhci_port_reset_all(XhciController *xhci);
uint32_t xhci_port_read(const XhciController *xhci, unsigned port);
void xhci_port_write(XhciController *xhci, unsigned port, uint32_t value);
void xhci_port_hub(XhciController *xhci);
void xhci_port_compare(XhciController *xhci);

extern const SsmState xhci_state;
