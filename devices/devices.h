/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The built-in devices and drivers: register them all. builtin.def has one sorted line for each. */
#pragma once

#include "vmm/pdm/pdm-vm.h"

/* Adds every device and driver of builtin.def to the registry. */
bool devices_register(PdmRegistry *registry, GError **error);
