/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The parts of list. */
#pragma once

#include "app/manage/manage.h"

bool list_devices(VitrineClient *client, bool full, GError **error);
bool list_usbhost(VitrineClient *client, GError **error);
bool list_usbfilters(VitrineClient *client, GError **error);
void list_systemproperties(VitrineClient *client);
