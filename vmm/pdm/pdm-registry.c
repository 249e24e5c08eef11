/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Which device and driver types exist, from the program itself and from plug-in modules. */
#include "vmm/base/module.h"
#include "vmm/pdm/pdm-private.h"

#include <string.h>

#define NAME_MAX_LENGTH 31
#define INSTANCE_SIZE_MAX (64u << 20)

struct PdmRegistry {
    GPtrArray *devices; /* const PdmDeviceInfo, sorted as they came */
    GPtrArray *drivers; /* const PdmDriverInfo */
    GPtrArray *modules; /* BaseModule, owned */
};

const SsmState PDM_STATE_NONE = {.version = 1, .min_version = 1};

PdmRegistry *
pdm_registry_new(void)
{
    PdmRegistry *registry = g_new0(PdmRegistry, 1);

    registry->devices = g_ptr_array_new();
    registry->drivers = g_ptr_array_new();
    registry->modules = g_ptr_array_new_with_free_func((GDestroyNotify)base_module_close);
    return registry;
}

void
pdm_registry_free(PdmRegistry *registry)
{
    if (registry == NULL)
        return;
    g_ptr_array_free(registry->devices, TRUE);
    g_ptr_array_free(registry->drivers, TRUE);
    g_ptr_array_free(registry->modules, TRUE);
    g_free(registry);
}

/* [a-z0-9-], so that a name is safe in a path of the configuration and of a file. */
static bool
check_name(const char *name, uint32_t abi, uint32_t instance_size, GError **error)
{
    if (abi != PDM_ABI_VERSION) {
        g_set_error(
            error, BASE_ERROR, BASE_ERROR_VERSION,
            "A module was built for version %u of the device interface; this program has %u", abi,
            PDM_ABI_VERSION);
        return false;
    }
    if (name == NULL || *name == '\0' || strlen(name) > NAME_MAX_LENGTH ||
        name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-")] != '\0') {
        g_set_error(error, BASE_ERROR, BASE_ERROR_INVALID, "\"%s\" cannot be the name of a device",
                    name != NULL ? name : "");
        return false;
    }
    if (instance_size > INSTANCE_SIZE_MAX) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_INVALID, "An instance of %s is too large", name);
        return false;
    }
    return true;
}

static bool
set_exists(GError **error, const char *name)
{
    g_set_error(error, BASE_ERROR, BASE_ERROR_EXISTS, "There is already a device or driver %s",
                name);
    return false;
}

bool
pdm_registry_add_device(PdmRegistry *registry, const PdmDeviceInfo *info, GError **error)
{
    if (!check_name(info->name, info->abi, info->instance_size, error))
        return false;
    if (info->construct == NULL || info->state == NULL || info->max_instances == 0) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_INVALID,
                    "The device %s lacks a constructor, its state or a number of instances",
                    info->name);
        return false;
    }
    if (pdm_registry_find_device(registry, info->name) != NULL)
        return set_exists(error, info->name);
    g_ptr_array_add(registry->devices, (void *)info);
    return true;
}

bool
pdm_registry_add_driver(PdmRegistry *registry, const PdmDriverInfo *info, GError **error)
{
    if (!check_name(info->name, info->abi, info->instance_size, error))
        return false;
    if (info->construct == NULL) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_INVALID, "The driver %s lacks a constructor",
                    info->name);
        return false;
    }
    if (pdm_registry_find_driver(registry, info->name) != NULL)
        return set_exists(error, info->name);
    g_ptr_array_add(registry->drivers, (void *)info);
    return true;
}

static bool
add_contents(PdmRegistry *registry, const PdmModule *contents, GError **error)
{
    if (contents == NULL || contents->abi != PDM_ABI_VERSION) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_VERSION,
                    "The module was built for version %u of the device interface; this program "
                    "has %u",
                    contents != NULL ? contents->abi : 0, PDM_ABI_VERSION);
        return false;
    }
    for (guint i = 0; contents->devices != NULL && contents->devices[i] != NULL; i++) {
        if (!pdm_registry_add_device(registry, contents->devices[i], error))
            return false;
    }
    for (guint i = 0; contents->drivers != NULL && contents->drivers[i] != NULL; i++) {
        if (!pdm_registry_add_driver(registry, contents->drivers[i], error))
            return false;
    }
    return true;
}

bool
pdm_registry_load_module(PdmRegistry *registry, const char *path, GError **error)
{
    const guint devices = registry->devices->len, drivers = registry->drivers->len;
    BaseModule *module = base_module_open(path, error);
    const PdmModule *(*entry)(void);

    if (module == NULL)
        return false;
    entry = (const PdmModule *(*)(void))base_module_function(module, PDM_MODULE_ENTRY, error);
    if (entry == NULL || !add_contents(registry, entry(), error)) {
        /* Nothing of a refused module stays. */
        g_ptr_array_set_size(registry->devices, (int)devices);
        g_ptr_array_set_size(registry->drivers, (int)drivers);
        g_prefix_error(error, "%s: ", path);
        base_module_close(module);
        return false;
    }
    g_ptr_array_add(registry->modules, module);
    return true;
}

const PdmDeviceInfo *
pdm_registry_find_device(const PdmRegistry *registry, const char *name)
{
    for (guint i = 0; i < registry->devices->len; i++) {
        const PdmDeviceInfo *info = registry->devices->pdata[i];

        if (strcmp(info->name, name) == 0)
            return info;
    }
    return NULL;
}

const PdmDriverInfo *
pdm_registry_find_driver(const PdmRegistry *registry, const char *name)
{
    for (guint i = 0; i < registry->drivers->len; i++) {
        const PdmDriverInfo *info = registry->drivers->pdata[i];

        if (strcmp(info->name, name) == 0)
            return info;
    }
    return NULL;
}

const PdmDeviceInfo *const *
pdm_registry_devices(const PdmRegistry *registry, size_t *count)
{
    *count = registry->devices->len;
    return (const PdmDeviceInfo *const *)registry->devices->pdata;
}
