/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the host knows of a USB device without opening it, and libusb does not tell. */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* "manufacturer", "product" or "serial" of the device at a path such as "3-1.4"; NULL: none. */
char *usb_host_name(const char *path, const char *what);
/* Whether this user may open the device. */
bool usb_host_permitted(guint bus, guint address);
/* The group that may; NULL: none but the administrator's. */
char *usb_host_group(guint bus, guint address);
/* See UsbHostInfo.drivers. */
char *usb_host_drivers(const char *path);
/* An open descriptor of its node, or -1 and errno. */
int usb_host_open_node(guint bus, guint address);
