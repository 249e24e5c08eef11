/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The USB tablet: a pointer with absolute places, so that a guest's pointer follows the person's
 * without any software in the guest. HID 1.11; HID Usage Tables 1.12, pages 1, 9 and 12. */
#include "usb/devices/pointer.h"

#include <string.h>

#define TABLET_RANGE_SHIFT 1 /* 0..0xffff to 0..0x7fff */
#define REPORT_SIZE 7u       /* buttons, x, y, wheel, tilt */

/* clang-format off */
static const uint8_t report_descriptor[] = {
    0x05, 0x01, 0x09, 0x02, 0xa1, 0x01,             /* Generic Desktop, Mouse, application */
    0x09, 0x01, 0xa1, 0x00,                         /*  Pointer, physical */
    0x05, 0x09, 0x19, 0x01, 0x29, 0x05,             /*   Buttons 1 to 5 */
    0x15, 0x00, 0x25, 0x01, 0x95, 0x05, 0x75, 0x01, 0x81, 0x02,
    0x95, 0x01, 0x75, 0x03, 0x81, 0x01,             /*   three bits of padding */
    0x05, 0x01, 0x09, 0x30, 0x09, 0x31,             /*   X, Y: absolute */
    0x15, 0x00, 0x26, 0xff, 0x7f, 0x35, 0x00, 0x46, 0xff, 0x7f,
    0x75, 0x10, 0x95, 0x02, 0x81, 0x02,
    0x09, 0x38, 0x15, 0x81, 0x25, 0x7f, 0x35, 0x00, 0x45, 0x00, /* Wheel: relative */
    0x75, 0x08, 0x95, 0x01, 0x81, 0x06,
    0x05, 0x0c, 0x0a, 0x38, 0x02, 0x95, 0x01, 0x81, 0x06,       /* AC Pan: relative */
    0xc0, 0xc0,
};

static const uint8_t device_descriptor[] = {
    18, VUSB_DESCRIPTOR_DEVICE, 0x10, 0x01, 0, 0, 0, 8,
    0xee, 0x80, 0x21, 0x00, 0x00, 0x01, /* 80EE:0021 */
    1, 2, 0, 1,
};
static const uint8_t configuration_descriptor[] = {
    9, VUSB_DESCRIPTOR_CONFIGURATION, 34, 0, 1, 1, 0, 0xa0, 50,
    9, VUSB_DESCRIPTOR_INTERFACE, 0, 0, 1, 3, 0, 0, 0,
    9, VUSB_DESCRIPTOR_HID, 0x11, 0x01, 0, 1, VUSB_DESCRIPTOR_REPORT, sizeof(report_descriptor), 0,
    7, VUSB_DESCRIPTOR_ENDPOINT, 0x81, VUSB_INTERRUPT, 8, 0, 8,
};
/* clang-format on */
static const VusbDescriptors descriptors = {.device = device_descriptor,
                                            .configuration = configuration_descriptor};

/* Only places differ: the older one is of no interest any more. */
static bool
only_moved(const uint8_t *older, const uint8_t *newer)
{
    return older[0] == newer[0] && older[5] == 0 && older[6] == 0 && newer[5] == 0 && newer[6] == 0;
}

static void
on_absolute(void *user, unsigned x, unsigned y, int dz, int dw, unsigned buttons)
{
    UsbPointer *tablet = user;
    const unsigned at_x = MIN(x, 0xffff) >> TABLET_RANGE_SHIFT;
    const unsigned at_y = MIN(y, 0xffff) >> TABLET_RANGE_SHIFT;
    const uint8_t report[REPORT_SIZE] = {
        (uint8_t)(buttons & 0x1f),
        (uint8_t)at_x,
        (uint8_t)(at_x >> 8),
        (uint8_t)at_y,
        (uint8_t)(at_y >> 8),
        (uint8_t)-CLAMP(dz, -127, 127), /* a wheel counts away from the user */
        (uint8_t)CLAMP(dw, -127, 127),
    };

    usb_hid_report(&tablet->hid, report, only_moved);
}

static const UsbHidKind kind = {
    .title = "USB Tablet",
    .descriptors = &descriptors,
    .report_descriptor = report_descriptor,
    .report_size = REPORT_SIZE,
    .configured = usb_pointer_configured,
};

static bool
tablet_construct(PdmDevice *pdm, const CfgmNode *config, GError **error)
{
    return usb_pointer_construct(pdm, &kind, &(PdmMousePort){.absolute = on_absolute}, config,
                                 error);
}

const PdmDeviceInfo usb_tablet_device = {
    .abi = PDM_ABI_VERSION,
    .name = "usb-tablet",
    .title = "USB tablet",
    .kind = PDM_KIND_USB,
    .instance_size = sizeof(UsbPointer),
    .max_instances = 1,
    .options = usb_device_options,
    .construct = tablet_construct,
    .reset = usb_hid_reset,
    .destruct = usb_hid_destruct,
    .state = &usb_pointer_state,
};
