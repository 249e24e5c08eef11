/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What commands about USB share. */
#pragma once

#include "app/manage/manage.h"

/* How VBoxManage writes where a device is; the caller's. */
char *usb_words_address(const VitrineUsbDevice *device);
/* The UUID of the device that a UUID, an address, a node or a path such as "3-1.4" names; the
 * caller's. */
char *usb_words_find(VitrineClient *client, const char *word, GError **error);
