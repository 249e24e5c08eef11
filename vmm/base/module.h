/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Shared objects that are loaded while the program runs (plug-in devices). */
#pragma once

#include "vmm/base/error.h"

typedef struct BaseModule BaseModule;
typedef void (*BaseModuleFunction)(void);

/* path: GLib file name encoding. All symbols are bound at once; none become visible to others.
 * NULL and *error with the loader's own words when that fails. */
BaseModule *base_module_open(const char *path, GError **error);
/* Unloads: nothing of the module may be in use. */
void base_module_close(BaseModule *module);
/* NULL and BASE_ERROR_NOT_FOUND when there is no such function. */
BaseModuleFunction base_module_function(BaseModule *module, const char *name, GError **error);
