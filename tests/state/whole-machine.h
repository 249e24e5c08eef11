/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A bench with every device of the standard PC and fake drivers below them all, and a guest that
 * uses it without sense. */
#pragma once

#include "tests/lib/device-bench.h"

DeviceBench *whole_machine_new(void);
/* Pokes ports, MMIO, PCI configuration, input and time, the same for the same seed. */
void whole_machine_use(DeviceBench *bench, uint32_t seed, unsigned rounds);
