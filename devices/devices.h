/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The built-in devices and drivers: register them all. builtin.def has one sorted line for each. */
#pragma once

#include "vmm/pdm/pdm-vm.h"

/* Adds every device and driver of builtin.def to the registry. */
bool devices_register(PdmRegistry *registry, GError **error);

/* Loads the plug-in modules (*.so) of a folder, in the order of their names. One that cannot be
 * loaded is left out and told to `problem` (may be NULL). A folder that does not exist is an empty
 * one. */
void devices_load_modules(PdmRegistry *registry, const char *folder,
                          void (*problem)(void *user, const char *message), void *user);
