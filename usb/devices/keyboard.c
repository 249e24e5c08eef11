/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The USB keyboard: the boot keyboard's report of eight bytes, six keys at once, three lamps. HID
 * 1.11, appendix B.1 and C; HID Usage Tables 1.12, page 7. Keys come as scan codes of set 1. */
#include "usb/devices/hid.h"

#include <string.h>

#define REPORT_SIZE 8u /* modifiers, 0, six keys */
#define FIRST_MODIFIER 0xe0
#define ROLL_OVER 1

typedef struct {
    UsbHid hid; /* first */
    PdmKeyboardPort port;
    const PdmKeyboardConnector *connector; /* NULL: nobody types */
    uint8_t prefix;                        /* E0, E1 or 0 */
    uint8_t pause;                         /* bytes of Pause's code that are still to come */
    uint8_t down[REPORT_SIZE];             /* the present report */
    uint8_t more;                          /* keys that are down beyond six */
} UsbKeyboard;

/* clang-format off */
static const uint8_t report_descriptor[] = {
    0x05, 0x01, 0x09, 0x06, 0xa1, 0x01,             /* Generic Desktop, Keyboard, application */
    0x05, 0x07, 0x19, 0xe0, 0x29, 0xe7,             /*  eight modifiers */
    0x15, 0x00, 0x25, 0x01, 0x75, 0x01, 0x95, 0x08, 0x81, 0x02,
    0x95, 0x01, 0x75, 0x08, 0x81, 0x01,             /*  a byte of padding */
    0x05, 0x08, 0x19, 0x01, 0x29, 0x05,             /*  five lamps, out */
    0x95, 0x05, 0x75, 0x01, 0x91, 0x02,
    0x95, 0x01, 0x75, 0x03, 0x91, 0x01,
    0x05, 0x07, 0x19, 0x00, 0x2a, 0xff, 0x00,       /*  six keys */
    0x15, 0x00, 0x26, 0xff, 0x00, 0x75, 0x08, 0x95, 0x06, 0x81, 0x00,
    0xc0,
};

static const uint8_t device_descriptor[] = {
    18, VUSB_DESCRIPTOR_DEVICE, 0x10, 0x01, 0, 0, 0, 8,
    0xee, 0x80, 0x10, 0x00, 0x00, 0x01, /* 80EE:0010 */
    1, 2, 0, 1,
};
static const uint8_t configuration_descriptor[] = {
    9, VUSB_DESCRIPTOR_CONFIGURATION, 34, 0, 1, 1, 0, 0xa0, 50,
    9, VUSB_DESCRIPTOR_INTERFACE, 0, 0, 1, 3, 1, 1, 0,
    9, VUSB_DESCRIPTOR_HID, 0x11, 0x01, 0, 1, VUSB_DESCRIPTOR_REPORT, sizeof(report_descriptor), 0,
    7, VUSB_DESCRIPTOR_ENDPOINT, 0x81, VUSB_INTERRUPT, 8, 0, 8,
};

/* Usages of scan codes without a prefix, and after E0. */
static const uint8_t plain[128] = {
    [0x01] = 0x29, [0x02] = 0x1e, [0x03] = 0x1f, [0x04] = 0x20, [0x05] = 0x21, [0x06] = 0x22,
    [0x07] = 0x23, [0x08] = 0x24, [0x09] = 0x25, [0x0a] = 0x26, [0x0b] = 0x27, [0x0c] = 0x2d,
    [0x0d] = 0x2e, [0x0e] = 0x2a, [0x0f] = 0x2b, [0x10] = 0x14, [0x11] = 0x1a, [0x12] = 0x08,
    [0x13] = 0x15, [0x14] = 0x17, [0x15] = 0x1c, [0x16] = 0x18, [0x17] = 0x0c, [0x18] = 0x12,
    [0x19] = 0x13, [0x1a] = 0x2f, [0x1b] = 0x30, [0x1c] = 0x28, [0x1d] = 0xe0, [0x1e] = 0x04,
    [0x1f] = 0x16, [0x20] = 0x07, [0x21] = 0x09, [0x22] = 0x0a, [0x23] = 0x0b, [0x24] = 0x0d,
    [0x25] = 0x0e, [0x26] = 0x0f, [0x27] = 0x33, [0x28] = 0x34, [0x29] = 0x35, [0x2a] = 0xe1,
    [0x2b] = 0x31, [0x2c] = 0x1d, [0x2d] = 0x1b, [0x2e] = 0x06, [0x2f] = 0x19, [0x30] = 0x05,
    [0x31] = 0x11, [0x32] = 0x10, [0x33] = 0x36, [0x34] = 0x37, [0x35] = 0x38, [0x36] = 0xe5,
    [0x37] = 0x55, [0x38] = 0xe2, [0x39] = 0x2c, [0x3a] = 0x39, [0x3b] = 0x3a, [0x3c] = 0x3b,
    [0x3d] = 0x3c, [0x3e] = 0x3d, [0x3f] = 0x3e, [0x40] = 0x3f, [0x41] = 0x40, [0x42] = 0x41,
    [0x43] = 0x42, [0x44] = 0x43, [0x45] = 0x53, [0x46] = 0x47, [0x47] = 0x5f, [0x48] = 0x60,
    [0x49] = 0x61, [0x4a] = 0x56, [0x4b] = 0x5c, [0x4c] = 0x5d, [0x4d] = 0x5e, [0x4e] = 0x57,
    [0x4f] = 0x59, [0x50] = 0x5a, [0x51] = 0x5b, [0x52] = 0x62, [0x53] = 0x63, [0x54] = 0x46,
    [0x56] = 0x64, [0x57] = 0x44, [0x58] = 0x45, [0x70] = 0x88, [0x73] = 0x87, [0x79] = 0x8a,
    [0x7b] = 0x8b, [0x7d] = 0x89,
};
static const uint8_t extended[128] = {
    [0x10] = 0xb6, [0x19] = 0xb5, [0x1c] = 0x58, [0x1d] = 0xe4, [0x20] = 0x7f, [0x2e] = 0x81,
    [0x30] = 0x80, [0x35] = 0x54, [0x37] = 0x46, [0x38] = 0xe6, [0x46] = 0x48, [0x47] = 0x4a,
    [0x48] = 0x52, [0x49] = 0x4b, [0x4b] = 0x50, [0x4d] = 0x4f, [0x4f] = 0x4d, [0x50] = 0x51,
    [0x51] = 0x4e, [0x52] = 0x49, [0x53] = 0x4c, [0x5b] = 0xe3, [0x5c] = 0xe7, [0x5d] = 0x65,
    [0x5e] = 0x66,
};
/* clang-format on */
#define USAGE_PAUSE 0x48

static const VusbDescriptors descriptors = {.device = device_descriptor,
                                            .configuration = configuration_descriptor};

/* --- keys --- */
static void
set_key(UsbKeyboard *keyboard, uint8_t usage, bool down)
{
    uint8_t *keys = keyboard->down + 2, *place = memchr(keys, usage, 6);

    if (down && place == NULL) {
        place = memchr(keys, 0, 6);
        if (place != NULL)
            *place = usage;
        else
            keyboard->more++;
    } else if (!down && place != NULL) {
        *place = 0;
    } else if (!down && keyboard->more > 0) {
        keyboard->more--;
    }
}

static void
press(UsbKeyboard *keyboard, uint8_t usage, bool down)
{
    uint8_t report[REPORT_SIZE];

    if (usage >= FIRST_MODIFIER) {
        const uint8_t bit = (uint8_t)(1u << (usage - FIRST_MODIFIER));

        keyboard->down[0] = (uint8_t)(down ? keyboard->down[0] | bit : keyboard->down[0] & ~bit);
    } else {
        set_key(keyboard, usage, down);
    }
    memcpy(report, keyboard->down, sizeof(report));
    if (keyboard->more > 0)
        memset(report + 2, ROLL_OVER, 6);
    usb_hid_report(&keyboard->hid, report, NULL);
}

/* E1 1D 45 E1 9D C5 is the whole of Pause. */
static void
pause_byte(UsbKeyboard *keyboard)
{
    if (--keyboard->pause != 0)
        return;
    press(keyboard, USAGE_PAUSE, true);
    press(keyboard, USAGE_PAUSE, false);
}

static bool
on_scancode(void *user, uint8_t code)
{
    UsbKeyboard *keyboard = user;
    const uint8_t *table = keyboard->prefix == 0xe0 ? extended : plain;
    const uint8_t usage = table[code & 0x7f];

    /* Room for both reports of Pause. */
    if (keyboard->hid.device.configuration != 0 && keyboard->hid.count + 2u > USB_HID_QUEUE)
        return false;
    if (keyboard->pause != 0) {
        pause_byte(keyboard);
        return true;
    }
    if (code == 0xe0 || code == 0xe1) {
        keyboard->prefix = code == 0xe0 ? code : 0;
        keyboard->pause = code == 0xe1 ? 5 : 0;
        return true;
    }
    /* E0 2A and E0 36 are shifts that PS/2 keyboards invent around some keys. */
    if (usage != 0)
        press(keyboard, usage, (code & 0x80) == 0);
    keyboard->prefix = 0;
    return true;
}

static void
output(UsbHid *hid, const uint8_t *data, size_t size)
{
    const UsbKeyboard *keyboard = (UsbKeyboard *)hid;

    if (size > 0 && keyboard->connector != NULL)
        keyboard->connector->leds(keyboard->connector->user, (data[0] & 1) != 0, (data[0] & 2) != 0,
                                  (data[0] & 4) != 0);
}

static const UsbHidKind kind = {
    .title = "USB Keyboard",
    .descriptors = &descriptors,
    .report_descriptor = report_descriptor,
    .report_size = REPORT_SIZE,
    .boot = true,
    .output = output,
};

/* --- the device --- */
static bool
keyboard_construct(PdmDevice *pdm, const CfgmNode *config, GError **error)
{
    UsbKeyboard *keyboard = pdm->data;

    keyboard->port = (PdmKeyboardPort){.user = keyboard, .scancode = on_scancode};
    return pdm_attach(pdm, 0, PDM_IF_KEYBOARD, &keyboard->port, (const void **)&keyboard->connector,
                      false, error) &&
           usb_hid_construct(pdm, &kind, config, error);
}

static void
keyboard_reset(PdmDevice *pdm)
{
    UsbKeyboard *keyboard = pdm->data;

    keyboard->prefix = keyboard->pause = keyboard->more = 0;
    memset(keyboard->down, 0, sizeof(keyboard->down));
    usb_hid_reset(pdm);
}

static bool
keyboard_loaded(void *object, uint32_t version, GError **error)
{
    return usb_hid_loaded(object, error);
}

/* clang-format off */
static const SsmField fields[] = {
    SSM_STRUCT(UsbKeyboard, hid, usb_hid_fields), SSM_UINT(UsbKeyboard, prefix),
    SSM_UINT_BELOW(UsbKeyboard, pause, 6), SSM_BYTES(UsbKeyboard, down), SSM_UINT(UsbKeyboard, more),
    SSM_END,
};
/* clang-format on */
static const SsmState keyboard_state = {
    .version = 1, .min_version = 1, .fields = fields, .post_load = keyboard_loaded};

const PdmDeviceInfo usb_keyboard_device = {
    .abi = PDM_ABI_VERSION,
    .name = "usb-keyboard",
    .title = "USB keyboard",
    .kind = PDM_KIND_USB,
    .instance_size = sizeof(UsbKeyboard),
    .max_instances = 1,
    .options = usb_device_options,
    .construct = keyboard_construct,
    .reset = keyboard_reset,
    .destruct = usb_hid_destruct,
    .state = &keyboard_state,
};
