/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What a guest's driver of a PCI storage controller does, for tests: windows, memory, drives. */
#pragma once

#include "tests/lib/device-bench.h"

#define PCI_GUEST_BAR(bar) (0xe1000000u + 0x10000u * (bar))

/* Adds a bench medium of size bytes at a LUN (type optical: sectors of 2048 bytes, size 0: empty);
 * returns its Config node. */
CfgmNode *pci_guest_add_drive(CfgmNode *config, const char *device, unsigned lun, PdmMediaType type,
                              uint64_t size);
/* Puts BAR number `bar` at PCI_GUEST_BAR(bar) and switches the function's decoding on. */
void pci_guest_map(DeviceBench *bench, unsigned slot, unsigned bar);
/* A register of a window. */
uint32_t pci_guest_read(DeviceBench *bench, unsigned bar, uint32_t offset);
void pci_guest_write(DeviceBench *bench, unsigned bar, uint32_t offset, uint32_t value);
/* Guest RAM. */
void pci_guest_put(DeviceBench *bench, uint64_t gpa, const void *data, size_t size);
void pci_guest_get(DeviceBench *bench, uint64_t gpa, void *data, size_t size);
void pci_guest_put32(DeviceBench *bench, uint64_t gpa, uint32_t value);
void pci_guest_put64(DeviceBench *bench, uint64_t gpa, uint64_t value);
/* Bytes that differ from place to place and from seed to seed. */
void pci_guest_pattern(uint8_t *data, size_t size, unsigned seed);
