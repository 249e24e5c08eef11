/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Mass storage: descriptors for full speed, high speed (USB 2.0 section 9.6) and SuperSpeed (USB
 * 3.2 section 9.6). */
#include "usb/devices/storage-private.h"

#define CLASS 8    /* mass storage */
#define SUBCLASS 6 /* SCSI */
#define PROTOCOL 0x50

/* clang-format off */
static const uint8_t device_usb1[] = {
    18, VUSB_DESCRIPTOR_DEVICE, 0x00, 0x02, 0, 0, 0, 64, 0xee, 0x80, 0x30, 0x00, 0x00, 0x01, 1, 2, 3, 1,
};
static const uint8_t device_usb3[] = {
    18, VUSB_DESCRIPTOR_DEVICE, 0x00, 0x03, 0, 0, 0, 9, 0xee, 0x80, 0x30, 0x00, 0x00, 0x01, 1, 2, 3, 1,
};

static const uint8_t configuration_full[] = {
    9, VUSB_DESCRIPTOR_CONFIGURATION, 32, 0, 1, 1, 0, 0xc0, 0,
    9, VUSB_DESCRIPTOR_INTERFACE, 0, 0, 2, CLASS, SUBCLASS, PROTOCOL, 0,
    7, VUSB_DESCRIPTOR_ENDPOINT, 0x80 | STORAGE_IN, VUSB_BULK, 64, 0, 0,
    7, VUSB_DESCRIPTOR_ENDPOINT, STORAGE_OUT, VUSB_BULK, 64, 0, 0,
};
static const uint8_t configuration_high[] = {
    9, VUSB_DESCRIPTOR_CONFIGURATION, 32, 0, 1, 1, 0, 0xc0, 0,
    9, VUSB_DESCRIPTOR_INTERFACE, 0, 0, 2, CLASS, SUBCLASS, PROTOCOL, 0,
    7, VUSB_DESCRIPTOR_ENDPOINT, 0x80 | STORAGE_IN, VUSB_BULK, 0, 2, 0,
    7, VUSB_DESCRIPTOR_ENDPOINT, STORAGE_OUT, VUSB_BULK, 0, 2, 0,
};
static const uint8_t configuration_super[] = {
    9, VUSB_DESCRIPTOR_CONFIGURATION, 44, 0, 1, 1, 0, 0xc0, 0,
    9, VUSB_DESCRIPTOR_INTERFACE, 0, 0, 2, CLASS, SUBCLASS, PROTOCOL, 0,
    7, VUSB_DESCRIPTOR_ENDPOINT, 0x80 | STORAGE_IN, VUSB_BULK, 0, 4, 0,
    6, VUSB_DESCRIPTOR_COMPANION, 15, 0, 0, 0,
    7, VUSB_DESCRIPTOR_ENDPOINT, STORAGE_OUT, VUSB_BULK, 0, 4, 0,
    6, VUSB_DESCRIPTOR_COMPANION, 15, 0, 0, 0,
};
/* USB 2.0 extension without link power management; SuperSpeed: full speed and up, all exit at
 * once. */
static const uint8_t bos[] = {
    5, VUSB_DESCRIPTOR_BOS, 22, 0, 2,
    7, 16, 2, 0, 0, 0, 0,
    10, 16, 3, 0, 0x0e, 0, 1, 1, 1, 0,
};
/* clang-format on */

static const VusbDescriptors full = {.device = device_usb1, .configuration = configuration_full};
static const VusbDescriptors high = {.device = device_usb1, .configuration = configuration_high};
static const VusbDescriptors super = {
    .device = device_usb3, .configuration = configuration_super, .bos = bos};

const VusbDescriptors *
usb_storage_descriptors(VusbDevice *device, VusbSpeed speed)
{
    switch (speed) {
    case VUSB_SPEED_SUPER: return &super;
    case VUSB_SPEED_HIGH: return &high;
    default: return &full;
    }
}
