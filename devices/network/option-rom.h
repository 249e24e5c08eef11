/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The boot ROM of a network card: iPXE, from its package. */
#pragma once

#include "vmm/pdm/pdm.h"

/* Puts a file into the function's expansion ROM. The ids in its header become the function's, since
 * firmware takes no ROM of another one. A file that is not there: the card has no ROM, and the log
 * says so. */
bool option_rom_add(PdmDevice *device, PdmPci *pci, const char *path, GError **error);
