/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What HID devices have in common: Device Class Definition for Human Interface Devices 1.11. One
 * interface with one interrupt endpoint; reports wait in a queue until the guest asks for them. */
#pragma once

#include "usb/devices/options.h"
#include "usb/vusb-device.h"
#include "vmm/pdm/pdm.h"

#define USB_HID_REPORT_MAX 8u
#define USB_HID_QUEUE 32u

typedef struct UsbHid UsbHid;

/* What makes one kind of HID device. */
typedef struct {
    const char *title;
    const VusbDescriptors *descriptors;
    const uint8_t *report_descriptor;
    uint8_t report_size; /* bytes; of the boot protocol too where there is one */
    bool boot;           /* has the boot protocol */
    /* The guest sent an output report (lamps); may be NULL. */
    void (*output)(UsbHid *hid, const uint8_t *data, size_t size);
    /* The guest configured the device, or dropped it; may be NULL. */
    void (*configured)(UsbHid *hid, bool on);
} UsbHidKind;

struct UsbHid {
    VusbDevice device; /* first */
    PdmDevice *pdm;
    const UsbHidKind *kind;
    TmTimer *idle_timer;
    GQueue pending; /* VusbUrb: interrupt transfers that wait for a report */

    uint8_t idle;     /* in 4 ms; 0: reports only when something changes */
    uint8_t protocol; /* 0 boot, 1 report */
    uint8_t count;    /* reports in the queue */
    uint8_t last[USB_HID_REPORT_MAX];
    uint8_t queue[USB_HID_QUEUE][USB_HID_REPORT_MAX];
};

extern const SsmField usb_hid_fields[];

/* The first member of the device's data is the UsbHid. Plugs it in. */
bool usb_hid_construct(PdmDevice *pdm, const UsbHidKind *kind, const CfgmNode *config,
                       GError **error);
void usb_hid_reset(PdmDevice *pdm);
void usb_hid_destruct(PdmDevice *pdm);
bool usb_hid_loaded(UsbHid *hid, GError **error);
/* A new report. merge: takes the place of one that the guest has not fetched yet, if `same` says
 * that nothing is lost by it. */
void usb_hid_report(UsbHid *hid, const uint8_t *report,
                    bool (*same)(const uint8_t *older, const uint8_t *newer));
/* The newest report that waits and that may be changed; NULL: none. */
uint8_t *usb_hid_newest(UsbHid *hid);
