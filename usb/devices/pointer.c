/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the USB mouse and the USB tablet share. */
#include "usb/devices/pointer.h"

void
usb_pointer_configured(UsbHid *hid, bool on)
{
    const UsbPointer *pointer = (const UsbPointer *)hid;

    if (pointer->connector != NULL)
        pointer->connector->enabled(pointer->connector->user, on && pointer->port.relative != NULL,
                                    on && pointer->port.absolute != NULL);
}

bool
usb_pointer_construct(PdmDevice *pdm, const UsbHidKind *kind, const PdmMousePort *port,
                      const CfgmNode *config, GError **error)
{
    UsbPointer *pointer = pdm->data;

    pointer->port = *port;
    pointer->port.user = pointer;
    return pdm_attach(pdm, 0, PDM_IF_MOUSE, &pointer->port, (const void **)&pointer->connector,
                      false, error) &&
           usb_hid_construct(pdm, kind, config, error);
}

static bool
pointer_loaded(void *object, uint32_t version, GError **error)
{
    return usb_hid_loaded(object, error);
}

/* clang-format off */
static const SsmField fields[] = { SSM_STRUCT(UsbPointer, hid, usb_hid_fields), SSM_END };
/* clang-format on */
const SsmState usb_pointer_state = {
    .version = 1, .min_version = 1, .fields = fields, .post_load = pointer_loaded};
