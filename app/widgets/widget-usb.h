/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Words for USB devices and filters, the same in every window. Results with "char *" are the
 * caller's. */
#pragma once

#include "app/api/vitrine.h"

/* "1234:5678, serial number 7" of a filter; "Any device". */
char *widget_usb_filter_text(const VitrineUsbFilter *filter);
/* What becomes of a device that fits; static, translated. */
const char *widget_usb_action_name(VitrineUsbAction action);
/* What is known of a device, in lines. */
char *widget_usb_device_details(const VitrineUsbDevice *device);
/* "xHCI, 2 filters", "None". */
char *widget_usb_settings_text(VitrineSettings *settings);
/* Whether the machine has a USB controller, also one that a pointer, a keyboard or a drive brings.
 */
gboolean widget_usb_has_controller(VitrineSettings *settings);
