/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Which devices and drivers machines are made of: the program's own, the console's, the modules'.
 */
#include "app/console/console-input.h"
#include "app/console/console-private.h"
#include "devices/devices.h"

PdmRegistry *
console_registry_new(void (*problem)(void *user, const char *message), void *user, size_t *built_in,
                     GError **error)
{
    const char *modules = g_getenv("VITRINE_MODULES");
    PdmRegistry *registry = pdm_registry_new();
    size_t count;

    if (!devices_register(registry, error) ||
        !pdm_registry_add_driver(registry, &console_display_driver, error) ||
        !pdm_registry_add_driver(registry, &console_keyboard_driver, error) ||
        !pdm_registry_add_driver(registry, &console_mouse_driver, error)) {
        pdm_registry_free(registry);
        return NULL;
    }
    pdm_registry_devices(registry, &count);
    if (built_in)
        *built_in = count;
    devices_load_modules(registry, modules != NULL ? modules : VITRINE_MODULE_FOLDER, problem,
                         user);
    return registry;
}
