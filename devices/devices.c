/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Registers what builtin.def lists. */
#include "devices/devices.h"

#define DEVICE(symbol) extern const PdmDeviceInfo symbol;
#define DRIVER(symbol) extern const PdmDriverInfo symbol;
#include "devices/builtin.def"
#undef DEVICE
#undef DRIVER

bool
devices_register(PdmRegistry *registry, GError **error)
{
    bool ok = registry != NULL;

#define DEVICE(symbol) ok = ok && pdm_registry_add_device(registry, &symbol, error);
#define DRIVER(symbol) ok = ok && pdm_registry_add_driver(registry, &symbol, error);
#include "devices/builtin.def"
#undef DEVICE
#undef DRIVER
    return ok;
}
