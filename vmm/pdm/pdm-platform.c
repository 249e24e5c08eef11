/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What devices tell the platform as a whole: files for the firmware (fw_cfg), CMOS bytes, commands
 * for the embedder. */
#include "vmm/pdm/pdm-private.h"

#include <string.h>

void
pdm_fwcfg_file_free(void *data)
{
    PdmFwcfgFile *file = data;

    if (file->owned)
        g_free(file->data);
    g_free(file->name);
    g_free(file);
}

static PdmFwcfgFile *
add_file(Pdm *pdm, const char *name)
{
    PdmFwcfgFile *file;

    /* A later file of the same name takes the place of the earlier one. */
    for (guint i = 0; i < pdm->fwcfg->len; i++) {
        if (strcmp(((PdmFwcfgFile *)pdm->fwcfg->pdata[i])->name, name) == 0) {
            g_ptr_array_remove_index(pdm->fwcfg, i);
            break;
        }
    }
    file = g_new0(PdmFwcfgFile, 1);
    file->name = g_strdup(name);
    g_ptr_array_add(pdm->fwcfg, file);
    return file;
}

void
pdm_api_fwcfg_add(PdmDevice *device, const char *name, const void *data, size_t size)
{
    PdmFwcfgFile *file = add_file(pdm_of(device), name);

    file->data = g_memdup2(data, size);
    file->size = size;
    file->owned = true;
}

void
pdm_api_fwcfg_add_hook(PdmDevice *device, const char *name, void *data, size_t size,
                       PdmFwcfgSelect select, void *user)
{
    PdmFwcfgFile *file = add_file(pdm_of(device), name);

    file->data = data;
    file->size = size;
    file->select = select;
    file->user = user;
}

const void *
pdm_api_fwcfg_find(PdmDevice *device, unsigned index, const char **name, size_t *size,
                   PdmFwcfgSelect *select, void **user)
{
    const GPtrArray *files = pdm_of(device)->fwcfg;
    const PdmFwcfgFile *file;

    if (index >= files->len)
        return NULL;
    file = files->pdata[index];
    *name = file->name;
    *size = file->size;
    *select = file->select;
    *user = file->user;
    /* An empty file is still a file. */
    return file->data != NULL ? file->data : file->name;
}

void
pdm_api_cmos_set(PdmDevice *device, uint8_t index, uint8_t value)
{
    pdm_of(device)->cmos[index] = value;
}

int
pdm_api_cmos_get(PdmDevice *device, uint8_t index)
{
    return pdm_of(device)->cmos[index];
}

void
pdm_api_offer_command(PdmDevice *device, const char *command,
                      bool (*run)(void *user, const char *argument), void *user)
{
    PdmCommand *entry = g_new0(PdmCommand, 1);

    entry->instance = pdm_instance(device);
    entry->command = command;
    entry->run = run;
    entry->user = user;
    g_ptr_array_add(pdm_of(device)->commands, entry);
}

bool
pdm_command(Pdm *pdm, const char *device, unsigned instance, const char *command,
            const char *argument)
{
    bool handled = false;

    pdm_enter(pdm);
    for (guint i = 0; i < pdm->commands->len && !handled; i++) {
        const PdmCommand *entry = pdm->commands->pdata[i];
        const PdmDevice *owner = &entry->instance->device;

        if (owner->instance == instance && strcmp(owner->info->name, device) == 0 &&
            strcmp(entry->command, command) == 0)
            handled = entry->run(entry->user, argument);
    }
    pdm_leave(pdm);
    return handled;
}

void
pdm_api_offer_object(void *device_or_driver_pdm, const char *kind, void *object)
{
    Pdm *pdm = ((PdmOwner *)device_or_driver_pdm)->pdm;
    PdmObject *entry = g_new0(PdmObject, 1);

    entry->kind = kind;
    entry->object = object;
    g_ptr_array_add(pdm->objects, entry);
}

void *
pdm_api_find_object(void *device_or_driver_pdm, const char *kind, unsigned index)
{
    const GPtrArray *objects = ((PdmOwner *)device_or_driver_pdm)->pdm->objects;

    for (guint i = 0; i < objects->len; i++) {
        const PdmObject *entry = objects->pdata[i];

        if (strcmp(entry->kind, kind) == 0 && index-- == 0)
            return entry->object;
    }
    return NULL;
}
