/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The parts of list. */
#pragma once

#include "app/manage/manage.h"

bool list_devices(VitrineClient *client, bool full, GError **error);
bool list_usbhost(VitrineClient *client, GError **error);
bool list_usbfilters(VitrineClient *client, GError **error);
void list_systemproperties(VitrineClient *client);
/* list-networks.c */
void list_interfaces(bool host_only);
void list_intnets(VitrineClient *client);
void list_dhcpservers(VitrineClient *client);
/* natnetwork.c. pattern: of names, NULL: all. */
void list_natnets(VitrineClient *client, const char *pattern);
