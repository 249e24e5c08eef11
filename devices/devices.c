/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Registers what builtin.def lists, and what plug-in modules bring. */
#include "devices/devices.h"

#include <string.h>

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

static int
compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static GPtrArray *
list_modules(const char *folder)
{
    GPtrArray *paths = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    const char *name;

    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
        if (g_str_has_suffix(name, ".so"))
            g_ptr_array_add(paths, g_build_filename(folder, name, NULL));
    }
    g_ptr_array_sort(paths, compare_names);
    return paths;
}

void
devices_load_modules(PdmRegistry *registry, const char *folder,
                     void (*problem)(void *user, const char *message), void *user)
{
    g_autoptr(GPtrArray) paths = list_modules(folder);

    for (guint i = 0; i < paths->len; i++) {
        g_autoptr(GError) error = NULL;

        if (!pdm_registry_load_module(registry, paths->pdata[i], &error) && problem != NULL)
            problem(user, error->message);
    }
}
