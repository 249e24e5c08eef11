/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Which devices machines can be made of: asked once of the program that has them. */
#pragma once

#include <gio/gio.h>

typedef struct DeviceList DeviceList;

DeviceList *device_list_new(void);
void device_list_free(DeviceList *list);
/* Answers GetDevices, now or later; takes the call. */
void device_list_answer(DeviceList *list, GDBusMethodInvocation *call);
