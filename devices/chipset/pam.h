/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Programmable attribute map: which parts of 0xC0000 to 0xFFFFF are memory and which are the bus,
 * the same in all of Intel's host bridges that a PC firmware knows, and compatible SMRAM at
 * 0xA0000. 82441FX data sheet, chapters 3.2.18 and 3.2.19. */
#pragma once

#include "vmm/pdm/pdm.h"

#define PAM_REGISTERS 7
#define PAM_SEGMENTS 13
/* The bus has a device's priority (3), the firmware's ROM lies over it (4), shadow RAM over both.
 */
#define PAM_PRIORITY_RAM 5

typedef struct {
    PdmDevice *device;
    PgmRegion *bus; /* what nobody answers for reads as ones */
    PgmRegion *segment[PAM_SEGMENTS];
    PgmRegion *smram;
} Pam;

/* Needs at least 1 MiB of guest memory. */
bool pam_construct(Pam *pam, PdmDevice *device, GError **error);
/* registers: PAM0 to PAM6; smram: the SMRAM control register. */
void pam_apply(Pam *pam, const uint8_t *registers, uint8_t smram);
