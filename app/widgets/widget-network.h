/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Words for network cards and what they are attached to, the same in every window. */
#pragma once

#include "app/api/vitrine.h"

/* "NAT", "Internal network" … static, translated. */
const char *widget_network_name(VitrineNetwork network);
/* "Intel PRO/1000 MT Desktop" … static. */
const char *widget_card_name(VitrineAdapterType type);
/* The field with the name of the network or device that a card is attached to; NULL: that kind of
 * network has no name. Belongs to adapter. */
char **widget_network_field(VitrineAdapter *adapter);
/* "NAT, Intel PRO/1000 MT Desktop", "Internal network “lab”, virtio"; the caller's. */
char *widget_adapter_text(const VitrineAdapter *adapter);
/* "NAT", "Internal network “lab”"; the caller's. */
char *widget_attachment_text(const VitrineAdapter *adapter);
/* "08:00:27:A1:B2:C3" of twelve digits; the caller's. */
char *widget_mac_text(const char *mac);
