/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The PIIX4's SMBus host controller with an empty bus: every transaction ends with "no
 * acknowledge". Intel 82371AB data sheet (290562-001), chapter 7.3. */
#pragma once

#include "vmm/pdm/pdm.h"

#define SMBUS_PORTS 16

typedef struct {
    uint8_t status, control, command, address, data0, data1;
} Smbus;

extern const SsmField smbus_fields[];

uint8_t smbus_read(const Smbus *bus, uint32_t offset);
void smbus_write(Smbus *bus, uint32_t offset, uint8_t value);
