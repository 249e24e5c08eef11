/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The USB mouse: relative movements, five buttons, wheel; with the boot protocol. HID 1.11,
 * appendix B.2. */
#include "usb/devices/pointer.h"

#define REPORT_SIZE 4u /* buttons, x, y, wheel: the first three are the boot report */
#define STEPS_MAX 32u  /* reports that one movement is cut into at most */

/* clang-format off */
static const uint8_t report_descriptor[] = {
    0x05, 0x01, 0x09, 0x02, 0xa1, 0x01,             /* Generic Desktop, Mouse, application */
    0x09, 0x01, 0xa1, 0x00,                         /*  Pointer, physical */
    0x05, 0x09, 0x19, 0x01, 0x29, 0x05,             /*   Buttons 1 to 5 */
    0x15, 0x00, 0x25, 0x01, 0x95, 0x05, 0x75, 0x01, 0x81, 0x02,
    0x95, 0x01, 0x75, 0x03, 0x81, 0x01,             /*   three bits of padding */
    0x05, 0x01, 0x09, 0x30, 0x09, 0x31, 0x09, 0x38, /*   X, Y, Wheel: relative */
    0x15, 0x81, 0x25, 0x7f, 0x75, 0x08, 0x95, 0x03, 0x81, 0x06,
    0xc0, 0xc0,
};

static const uint8_t device_descriptor[] = {
    18, VUSB_DESCRIPTOR_DEVICE, 0x10, 0x01, 0, 0, 0, 8,
    0xee, 0x80, 0x20, 0x00, 0x00, 0x01, /* 80EE:0020 */
    1, 2, 0, 1,
};
static const uint8_t configuration_descriptor[] = {
    9, VUSB_DESCRIPTOR_CONFIGURATION, 34, 0, 1, 1, 0, 0xa0, 50,
    9, VUSB_DESCRIPTOR_INTERFACE, 0, 0, 1, 3, 1, 2, 0,
    9, VUSB_DESCRIPTOR_HID, 0x11, 0x01, 0, 1, VUSB_DESCRIPTOR_REPORT, sizeof(report_descriptor), 0,
    7, VUSB_DESCRIPTOR_ENDPOINT, 0x81, VUSB_INTERRUPT, 4, 0, 8,
};
/* clang-format on */
static const VusbDescriptors descriptors = {.device = device_descriptor,
                                            .configuration = configuration_descriptor};

/* Adds a movement to the report that still waits; false: there is none, or it says other buttons.
 */
static bool
add_to_newest(UsbHid *hid, int dx, int dy, int dz, uint8_t buttons)
{
    int8_t *newest = (int8_t *)usb_hid_newest(hid);

    if (newest == NULL || (uint8_t)newest[0] != buttons || ABS(newest[1] + dx) > 127 ||
        ABS(newest[2] + dy) > 127 || ABS(newest[3] + dz) > 127)
        return false;
    newest[1] = (int8_t)(newest[1] + dx);
    newest[2] = (int8_t)(newest[2] + dy);
    newest[3] = (int8_t)(newest[3] + dz);
    return true;
}

static int
take(int *value)
{
    const int part = CLAMP(*value, -127, 127);

    *value -= part;
    return part;
}

static void
on_relative(void *user, int dx, int dy, int dz, int dw, unsigned buttons)
{
    UsbPointer *mouse = user;
    const uint8_t pressed = (uint8_t)(buttons & 0x1f);
    int away = -dz; /* a wheel counts away from the user */

    if (add_to_newest(&mouse->hid, dx, dy, away, pressed))
        return;
    for (unsigned i = 0; i < STEPS_MAX && (i == 0 || dx != 0 || dy != 0 || away != 0); i++) {
        const uint8_t report[REPORT_SIZE] = {pressed, (uint8_t)take(&dx), (uint8_t)take(&dy),
                                             (uint8_t)take(&away)};

        usb_hid_report(&mouse->hid, report, NULL);
    }
}

static const UsbHidKind kind = {
    .title = "USB Mouse",
    .descriptors = &descriptors,
    .report_descriptor = report_descriptor,
    .report_size = REPORT_SIZE,
    .boot = true,
    .configured = usb_pointer_configured,
};

static bool
mouse_construct(PdmDevice *pdm, const CfgmNode *config, GError **error)
{
    return usb_pointer_construct(pdm, &kind, &(PdmMousePort){.relative = on_relative}, config,
                                 error);
}

const PdmDeviceInfo usb_mouse_device = {
    .abi = PDM_ABI_VERSION,
    .name = "usb-mouse",
    .title = "USB mouse",
    .kind = PDM_KIND_USB,
    .instance_size = sizeof(UsbPointer),
    .max_instances = 1,
    .options = usb_device_options,
    .construct = mouse_construct,
    .reset = usb_hid_reset,
    .destruct = usb_hid_destruct,
    .state = &usb_pointer_state,
};
