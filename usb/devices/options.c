/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Where an emulated USB device is plugged in. */
#include "usb/devices/options.h"

#include "usb/vusb-device.h"

const PdmOption usb_device_options[] = {
    {.key = "Controller", .title = "Controller", .type = PDM_OPTION_STRING, .text = ""},
    {.key = "Port", .title = "Port (0: any)", .type = PDM_OPTION_UINT, .max = VUSB_PORTS_MAX},
    {.key = "Hub", .title = "Hub (0: none)", .type = PDM_OPTION_UINT, .max = 255},
    {.type = PDM_OPTION_END},
};
