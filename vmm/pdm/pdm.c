/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The life of a VM's devices: construction in the order of their kinds, reset, pause, destruction.
 */
#include "vmm/pdm/pdm-private.h"

#include <string.h>

static void
forward_line(void *user, const char *line)
{
    const PdmHost *host = user;

    if (host->log != NULL)
        host->log(host->user, line);
}

Pdm *
pdm_new(const PdmRooms *rooms, PdmRegistry *registry, const PdmHost *host, GError **error)
{
    Pdm *pdm = g_new0(Pdm, 1);

    pdm->rooms = *rooms;
    pdm->registry = registry;
    pdm->host = *host;
    pdm->log = base_log_new(forward_line, &pdm->host);
    g_rec_mutex_init(&pdm->lock);
    pdm->names = g_string_chunk_new(1024);
    pdm->instances = g_ptr_array_new();
    pdm->driver_hosts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    pdm->ports = g_ptr_array_new();
    pdm->regions = g_ptr_array_new();
    pdm->timers = g_ptr_array_new_with_free_func((GDestroyNotify)tm_timer_free);
    pdm->queues = g_ptr_array_new_with_free_func(g_free);
    pdm->commands = g_ptr_array_new_with_free_func(g_free);
    pdm->objects = g_ptr_array_new_with_free_func(g_free);
    pdm->fwcfg = g_ptr_array_new_with_free_func(pdm_fwcfg_file_free);
    memset(pdm->cmos, 0xff, sizeof(pdm->cmos));
    iom_set_lock(rooms->iom, &pdm->lock);
    tm_set_lock(rooms->tm, &pdm->lock);
    return pdm;
}

const char *
pdm_keep_name(PdmDevice *device, const char *name)
{
    PdmInstance *instance = pdm_instance(device);
    g_autofree char *full = g_strdup_printf("%s/%s", instance->owner.name, name);

    return g_string_chunk_insert_const(instance->owner.pdm->names, full);
}

static void
destruct_device(PdmInstance *instance)
{
    const PdmDeviceInfo *info = instance->device.info;

    if (instance->construct_called && info->destruct != NULL)
        info->destruct(&instance->device);
}

static void
instance_free(PdmInstance *instance)
{
    pdm_owner_clear(&instance->owner);
    g_free(instance->device.data);
    g_free(instance);
}

/* Drivers stop their work first, then devices go (they may still talk to their drivers), then
 * drivers: without the lock, because their threads may want it before they end. */
void
pdm_free(Pdm *pdm)
{
    if (pdm == NULL)
        return;
    pdm_power_off(pdm);
    pdm_state_unregister(pdm);
    pdm_enter(pdm);
    for (guint i = pdm->instances->len; i > 0; i--)
        destruct_device(pdm->instances->pdata[i - 1]);
    pdm_leave(pdm);
    for (guint i = 0; i < pdm->instances->len; i++)
        g_ptr_array_free(((PdmInstance *)pdm->instances->pdata[i])->luns, TRUE);
    pdm_queues_drop(pdm);
    pdm_pci_free(pdm);
    pdm_memory_free(pdm);
    g_ptr_array_free(pdm->timers, TRUE);
    g_ptr_array_free(pdm->queues, TRUE);
    g_ptr_array_free(pdm->commands, TRUE);
    g_ptr_array_free(pdm->objects, TRUE);
    g_ptr_array_free(pdm->fwcfg, TRUE);
    for (guint i = 0; i < pdm->instances->len; i++)
        instance_free(pdm->instances->pdata[i]);
    g_ptr_array_free(pdm->instances, TRUE);
    g_hash_table_destroy(pdm->driver_hosts);
    iom_set_lock(pdm->rooms.iom, NULL);
    tm_set_lock(pdm->rooms.tm, NULL);
    g_string_chunk_free(pdm->names);
    g_rec_mutex_clear(&pdm->lock);
    base_log_free(pdm->log);
    g_free(pdm);
}

static PdmInstance *
instance_new(Pdm *pdm, const PdmDeviceInfo *info, unsigned number, const CfgmNode *node)
{
    PdmInstance *instance = g_new0(PdmInstance, 1);

    pdm_owner_init(&instance->owner, pdm, g_strdup_printf("%s/%u", info->name, number));
    instance->device.api = &pdm_api;
    instance->device.info = info;
    instance->device.data = g_malloc0(MAX(info->instance_size, 1));
    instance->device.instance = number;
    instance->device.pdm = &instance->owner;
    instance->node = node;
    instance->luns = g_ptr_array_new_with_free_func(pdm_lun_free);
    return instance;
}

static bool
construct_device(Pdm *pdm, const PdmDeviceInfo *info, const CfgmNode *node, GError **error)
{
    PdmInstance *instance;
    guint64 number;

    if (!g_ascii_string_to_unsigned(cfgm_name(node), 10, 0, info->max_instances - 1, &number,
                                    NULL)) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_INVALID,
                    "The device %s cannot have an instance \"%s\": there may be %u", info->name,
                    cfgm_name(node), info->max_instances);
        return false;
    }
    instance = instance_new(pdm, info, (unsigned)number, node);
    g_ptr_array_add(pdm->instances, instance);
    instance->construct_called = true;
    if (info->construct(&instance->device, cfgm_child(node, "Config"), error))
        return true;
    if (error != NULL && *error == NULL)
        g_set_error(error, BASE_ERROR, BASE_ERROR_FAILED, "it does not say why");
    g_prefix_error(error, "The device %s cannot be made: ", instance->owner.name);
    return false;
}

static bool
construct_kind(Pdm *pdm, const CfgmNode *devices, PdmKind kind, GError **error)
{
    for (const CfgmNode *type = cfgm_first_child(devices); type != NULL; type = cfgm_next(type)) {
        const PdmDeviceInfo *info = pdm_registry_find_device(pdm->registry, cfgm_name(type));

        if (info->kind != kind)
            continue;
        for (const CfgmNode *node = cfgm_first_child(type); node != NULL; node = cfgm_next(node)) {
            if (!construct_device(pdm, info, node, error))
                return false;
        }
    }
    return true;
}

static bool
check_known(Pdm *pdm, const CfgmNode *devices, GError **error)
{
    for (const CfgmNode *type = cfgm_first_child(devices); type != NULL; type = cfgm_next(type)) {
        if (pdm_registry_find_device(pdm->registry, cfgm_name(type)) != NULL)
            continue;
        g_set_error(error, BASE_ERROR, BASE_ERROR_NOT_FOUND, "There is no device \"%s\"",
                    cfgm_name(type));
        return false;
    }
    return true;
}

bool
pdm_construct(Pdm *pdm, const CfgmNode *root, GError **error)
{
    const CfgmNode *devices = cfgm_child(root, "Devices");
    bool ok = check_known(pdm, devices, error);

    pdm_enter(pdm);
    for (unsigned kind = PDM_KIND_CHIPSET; kind <= PDM_KIND_OTHER && ok; kind++)
        ok = construct_kind(pdm, devices, kind, error);
    if (ok) {
        pdm_pci_keep_initial(pdm);
        pdm_state_register(pdm);
    }
    pdm_leave(pdm);
    return ok;
}

void
pdm_power_on(Pdm *pdm)
{
    pdm_enter(pdm);
    for (guint i = 0; i < pdm->instances->len; i++) {
        PdmDevice *device = &((PdmInstance *)pdm->instances->pdata[i])->device;

        if (device->info->power_on != NULL)
            device->info->power_on(device);
    }
    pdm_pci_keep_initial(pdm);
    pdm_leave(pdm);
}

void
pdm_reset(Pdm *pdm)
{
    pdm_enter(pdm);
    pdm_irq_reset(pdm);
    pdm_pci_reset(pdm);
    for (guint i = 0; i < pdm->instances->len; i++) {
        PdmDevice *device = &((PdmInstance *)pdm->instances->pdata[i])->device;

        if (device->info->reset != NULL)
            device->info->reset(device);
    }
    pdm_leave(pdm);
}

typedef enum { DRIVERS_PAUSED, DRIVERS_RESUMED, DRIVERS_POWER_OFF } DriverEvent;

static void
tell_drivers(Pdm *pdm, DriverEvent event)
{
    for (guint i = 0; i < pdm->instances->len; i++) {
        const PdmInstance *instance = pdm->instances->pdata[i];

        for (guint j = 0; j < instance->luns->len; j++) {
            PdmDriverInstance *driver = ((PdmLun *)instance->luns->pdata[j])->driver;
            const PdmDriverInfo *info = driver != NULL ? driver->driver.info : NULL;
            void (*call)(PdmDriver *) = NULL;

            if (info == NULL || !driver->constructed)
                continue;
            call = event == DRIVERS_PAUSED    ? info->paused
                   : event == DRIVERS_RESUMED ? info->resumed
                                              : info->power_off;
            if (call != NULL)
                call(&driver->driver);
        }
    }
}

void
pdm_paused(Pdm *pdm)
{
    tell_drivers(pdm, DRIVERS_PAUSED);
}

void
pdm_resumed(Pdm *pdm)
{
    tell_drivers(pdm, DRIVERS_RESUMED);
}

void
pdm_power_off(Pdm *pdm)
{
    if (pdm->powered_off)
        return;
    pdm->powered_off = true;
    tell_drivers(pdm, DRIVERS_POWER_OFF);
}

GRecMutex *
pdm_device_lock(Pdm *pdm)
{
    return &pdm->lock;
}

PdmDevice *
pdm_find_device(Pdm *pdm, const char *name, unsigned instance)
{
    for (guint i = 0; i < pdm->instances->len; i++) {
        PdmDevice *device = &((PdmInstance *)pdm->instances->pdata[i])->device;

        if (device->instance == instance && strcmp(device->info->name, name) == 0)
            return device;
    }
    return NULL;
}

void
pdm_info(Pdm *pdm, GString *out)
{
    pdm_enter(pdm);
    for (guint i = 0; i < pdm->instances->len; i++) {
        PdmInstance *instance = pdm->instances->pdata[i];

        if (instance->device.info->info == NULL)
            continue;
        g_string_append_printf(out, "%s:\n", instance->owner.name);
        instance->device.info->info(&instance->device, out);
    }
    pdm_leave(pdm);
}
