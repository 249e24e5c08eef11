/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Configuration from a machine's extra data: keys below VBoxInternal/Devices/ go into the tree as
 * they are, over what the settings say. Manual, chapter on VBoxManage setextradata. */
#pragma once

#include "devices/devices.h"

/* Puts "VBoxInternal/Devices/<name>/<instance>/…/<key>" of keys (text to text) into the tree. A
 * value is a number (decimal or 0x), "string:…" or "bytes:…" (base64), else text. Keys of devices
 * that this program does not have, and other VBoxInternal keys, are left out and told to `ignored`
 * (may be NULL). */
void console_extra_data_apply(GHashTable *keys, const PdmRegistry *registry, CfgmNode *root,
                              void (*ignored)(void *user, const char *key), void *user);
