/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Drivers below devices: what a LUN's configuration names is made and tied to the device's port. */
#include "vmm/pdm/pdm-private.h"

#include <string.h>

static void
driver_free(PdmDriverInstance *instance)
{
    const PdmDriverInfo *info = instance->driver.info;

    if (info->destruct != NULL)
        info->destruct(&instance->driver);
    pdm_owner_clear(&instance->owner);
    g_free(instance->driver.data);
    g_free(instance);
}

void
pdm_lun_free(void *data)
{
    PdmLun *lun = data;

    g_clear_pointer(&lun->driver, driver_free);
    g_free(lun);
}

static PdmDriverInstance *
driver_new(PdmInstance *device, const PdmDriverInfo *info, unsigned lun, const void *port)
{
    Pdm *pdm = device->owner.pdm;
    PdmDriverInstance *instance = g_new0(PdmDriverInstance, 1);
    g_autofree char *key = g_strdup_printf("%s/%u", device->owner.name, lun);

    pdm_owner_init(&instance->owner, pdm, g_strdup_printf("%s/%s", key, info->name));
    instance->driver.api = &pdm_api;
    instance->driver.info = info;
    instance->driver.data = g_malloc0(MAX(info->instance_size, 1));
    instance->driver.port = port;
    instance->driver.host = g_hash_table_lookup(pdm->driver_hosts, key);
    instance->driver.pdm = &instance->owner;
    return instance;
}

static const PdmDriverInfo *
find_driver(PdmInstance *device, const char *name, unsigned lun, PdmInterface interface,
            GError **error)
{
    const PdmDriverInfo *info = pdm_registry_find_driver(device->owner.pdm->registry, name);

    if (info == NULL) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_NOT_FOUND,
                    "There is no driver \"%s\" for %s, unit %u", name, device->owner.name, lun);
        return NULL;
    }
    if (info->interface != interface) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_INVALID,
                    "The driver \"%s\" does not fit %s, unit %u", name, device->owner.name, lun);
        return NULL;
    }
    return info;
}

static bool
construct_driver(PdmDriverInstance *instance, const CfgmNode *node, GError **error)
{
    PdmDriver *driver = &instance->driver;

    if (!driver->info->construct(driver, node != NULL ? cfgm_child(node, "Config") : NULL, error))
        return false;
    if (driver->connector == NULL) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_FAILED, "The driver \"%s\" offers no connector",
                    driver->info->name);
        return false;
    }
    instance->constructed = true;
    return true;
}

bool
pdm_api_attach(PdmDevice *device, unsigned lun, PdmInterface interface, const void *port,
               const void **connector, bool required, GError **error)
{
    PdmInstance *instance = pdm_instance(device);
    g_autofree char *path = g_strdup_printf("LUN%u", lun);
    const CfgmNode *node = cfgm_child(instance->node, path);
    const char *name = node != NULL ? cfgm_string(node, "Driver", NULL) : NULL;
    const PdmDriverInfo *info = NULL;
    PdmLun *entry;

    *connector = NULL;
    if (name == NULL && required) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_INVALID, "%s needs a driver at unit %u",
                    instance->owner.name, lun);
        return false;
    }
    if (name != NULL) {
        info = find_driver(instance, name, lun, interface, error);
        if (info == NULL)
            return false;
    }
    entry = g_new0(PdmLun, 1);
    entry->number = lun;
    entry->interface = interface;
    entry->port = port;
    g_ptr_array_add(instance->luns, entry);
    if (info == NULL)
        return true;
    entry->driver = driver_new(instance, info, lun, port);
    if (!construct_driver(entry->driver, node, error))
        return false;
    *connector = entry->driver->driver.connector;
    return true;
}

void
pdm_set_driver_host(Pdm *pdm, const char *device, unsigned instance, unsigned lun, void *host)
{
    g_hash_table_insert(pdm->driver_hosts, g_strdup_printf("%s/%u/%u", device, instance, lun),
                        host);
}

static PdmLun *
find_lun(Pdm *pdm, const char *name, unsigned instance, unsigned number, PdmInterface interface)
{
    PdmInstance *device = (PdmInstance *)pdm_find_device(pdm, name, instance);

    for (guint i = 0; device != NULL && i < device->luns->len; i++) {
        PdmLun *lun = device->luns->pdata[i];

        if (lun->number == number && lun->interface == interface)
            return lun;
    }
    return NULL;
}

const void *
pdm_lun_port(Pdm *pdm, const char *name, unsigned instance, unsigned lun, PdmInterface interface)
{
    const PdmLun *entry = find_lun(pdm, name, instance, lun, interface);

    return entry != NULL ? entry->port : NULL;
}

const void *
pdm_lun_connector(Pdm *pdm, const char *name, unsigned instance, unsigned lun,
                  PdmInterface interface)
{
    const PdmLun *entry = find_lun(pdm, name, instance, lun, interface);

    return entry != NULL && entry->driver != NULL ? entry->driver->driver.connector : NULL;
}

/* --- while the machine runs --- */

/* A place for drives that come and go; taken: there has to be one, or must not be one. */
static PdmLun *
find_place(Pdm *pdm, const char *name, unsigned instance, unsigned number, bool taken,
           GError **error)
{
    PdmLun *lun = find_lun(pdm, name, instance, number, PDM_IF_MEDIA);
    const char *reason = NULL;

    if (lun == NULL)
        reason = "there is no such place";
    else if (((const PdmMediaPort *)lun->port)->plugged == NULL)
        reason = "drives of this controller come and go only with the machine";
    else if ((lun->driver != NULL) != taken)
        reason = taken ? "there is no drive" : "there is a drive already";
    if (reason == NULL)
        return lun;
    g_set_error(error, BASE_ERROR, BASE_ERROR_INVALID, "%s/%u, unit %u: %s.", name, instance,
                number, reason);
    return NULL;
}

bool
pdm_plug(Pdm *pdm, const char *name, unsigned instance, unsigned number, const CfgmNode *node,
         GError **error)
{
    PdmInstance *device = (PdmInstance *)pdm_find_device(pdm, name, instance);
    PdmLun *lun = find_place(pdm, name, instance, number, false, error);
    const PdmDriverInfo *info;
    PdmDriverInstance *driver;
    const PdmMediaPort *port;

    if (lun == NULL)
        return false;
    port = lun->port;
    info = find_driver(device, cfgm_string(node, "Driver", ""), number, PDM_IF_MEDIA, error);
    if (info == NULL)
        return false;
    driver = driver_new(device, info, number, port);
    if (!construct_driver(driver, node, error)) {
        driver_free(driver);
        return false;
    }
    pdm_enter(pdm);
    lun->driver = driver;
    port->plugged(port->user, driver->driver.connector);
    pdm_leave(pdm);
    return true;
}

bool
pdm_unplug(Pdm *pdm, const char *name, unsigned instance, unsigned number, GError **error)
{
    PdmLun *lun = find_place(pdm, name, instance, number, true, error);
    PdmDriverInstance *driver;
    const PdmMediaPort *port;

    if (lun == NULL)
        return false;
    port = lun->port;
    pdm_enter(pdm);
    driver = lun->driver;
    port->plugged(port->user, NULL);
    lun->driver = NULL;
    pdm_queues_silence(pdm, driver);
    pdm_leave(pdm);
    if (driver->driver.info->power_off != NULL)
        driver->driver.info->power_off(&driver->driver);
    driver_free(driver);
    return true;
}
