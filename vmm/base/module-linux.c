/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Shared objects by dlopen(3). */
#include "vmm/base/module.h"

#include <dlfcn.h>
#include <string.h>

struct BaseModule {
    void *handle;
    char *path;
};

BaseModule *
base_module_open(const char *path, GError **error)
{
    BaseModule *module;
    /* Without a slash dlopen would search the library path. */
    g_autofree char *absolute = g_canonicalize_filename(path, NULL);
    void *handle = dlopen(absolute, RTLD_NOW | RTLD_LOCAL);

    if (handle == NULL) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_INVALID, "The module cannot be loaded: %s",
                    dlerror());
        return NULL;
    }
    module = g_new0(BaseModule, 1);
    module->handle = handle;
    module->path = g_steal_pointer(&absolute);
    return module;
}

void
base_module_close(BaseModule *module)
{
    if (module == NULL)
        return;
    dlclose(module->handle);
    g_free(module->path);
    g_free(module);
}

BaseModuleFunction
base_module_function(BaseModule *module, const char *name, GError **error)
{
    void *symbol = dlsym(module->handle, name);
    BaseModuleFunction function;

    if (symbol == NULL) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_NOT_FOUND, "The module %s has no function %s",
                    module->path, name);
        return NULL;
    }
    /* ISO C has no cast from an object pointer to a function pointer; POSIX says they look alike.
     */
    memcpy(&function, &symbol, sizeof(function));
    return function;
}
