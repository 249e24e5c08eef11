/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What HID devices that point have in common: they hear of the person's movements from a mouse
 * driver, and tell it which kind the guest listens to. */
#pragma once

#include "usb/devices/hid.h"

typedef struct {
    UsbHid hid; /* first */
    PdmMousePort port;
    const PdmMouseConnector *connector; /* NULL: nobody points */
} UsbPointer;

extern const SsmState usb_pointer_state;

/* The device's data are the UsbPointer; port: the movements that it is for, whose user it will be.
 * Plugs it in. */
bool usb_pointer_construct(PdmDevice *pdm, const UsbHidKind *kind, const PdmMousePort *port,
                           const CfgmNode *config, GError **error);
/* For UsbHidKind. */
void usb_pointer_configured(UsbHid *hid, bool on);
