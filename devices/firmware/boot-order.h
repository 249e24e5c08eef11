/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What firmware is told about the order in which it tries to boot. */
#pragma once

#include "vmm/pdm/pdm.h"

/* Reads BootOrder and BootRetryDelay of config: a list, separated by commas, of the classes "disk",
 * "dvd", "floppy", "network" and of device paths ("/pci@i0cf8/ide@1,1/drive@0/disk@0"). Paths
 * become the file "bootorder", classes the CMOS bytes of a PC's setup (three of them have a place;
 * one that is not named comes last). The word HALT after paths ends what is tried. Words that are
 * none of these are BASE_ERROR_INVALID. */
bool boot_order_offer(PdmDevice *device, const CfgmNode *config, GError **error);
