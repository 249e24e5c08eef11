/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What tests of network cards share: a bench with one card at a fake network, and frames. */
#pragma once

#include "tests/device/pci-guest.h"
#include "tests/lib/bench-network.h"

#define NET_GUEST_SLOT 3u /* of a card on PCI */

extern const uint8_t net_guest_own[6]; /* the usual address of a machine's first card */

/* The tree of such a bench; an option of the card (NULL: none) is given its value. */
CfgmNode *net_guest_tree(const char *card, const char *option, const char *value);
DeviceBench *net_guest_bench(const char *card, const char *option, const char *value);
BenchNetwork *net_guest_wire(DeviceBench *bench, const char *card);
/* An Ethernet frame for experiments from the card to `to`. */
void net_guest_frame(uint8_t *frame, size_t size, const uint8_t *to);
/* Gives the card a frame; false: it has no room. */
bool net_guest_receive(DeviceBench *bench, const char *card, const uint8_t *frame, size_t size,
                       const PdmFrameOffload *offload);
/* Saves one bench and loads it into another of the same tree, which has to be the same to the bit.
 */
void net_guest_move(DeviceBench *from, DeviceBench *to);
