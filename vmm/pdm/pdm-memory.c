/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Ports, MMIO, RAM and ROM that devices make. PDM remembers them, so that it can free them, and so
 * that an alias finds the memory behind a region. */
#include "vmm/pdm/pdm-private.h"

#include <string.h>

enum { PRIORITY_ROM = 2, PRIORITY_DEVICE = 3 };

IomPorts *
pdm_api_ports_new(PdmDevice *device, const char *name, uint32_t count, const IomPortOps *ops,
                  void *user)
{
    Pdm *pdm = pdm_of(device);
    IomPorts *ports = iom_ports_new(pdm->rooms.iom, pdm_keep_name(device, name), count, ops, user);

    g_ptr_array_add(pdm->ports, ports);
    return ports;
}

static PgmRegion *
add_region(Pdm *pdm, const PgmRegionInfo *info, bool owns_mem)
{
    PdmRegion *record = g_new0(PdmRegion, 1);

    record->info = *info;
    record->owns_mem = owns_mem;
    record->region = pgm_region_new(pdm->rooms.pgm, info);
    g_ptr_array_add(pdm->regions, record);
    return record->region;
}

PgmRegion *
pdm_api_mmio_new(PdmDevice *device, const char *name, uint64_t size, const IomMmioOps *ops,
                 void *user)
{
    Pdm *pdm = pdm_of(device);
    PgmRegionInfo info = {
        .name = pdm_keep_name(device, name),
        .kind = PGM_MMIO,
        .size = size,
        .priority = PRIORITY_DEVICE,
    };

    info.mmio = iom_mmio_new(pdm->rooms.iom, info.name, ops, user, true);
    return add_region(pdm, &info, false);
}

PgmRegion *
pdm_api_ram_new(PdmDevice *device, const char *name, uint64_t size, bool dirty_log, void **host,
                GError **error)
{
    Pdm *pdm = pdm_of(device);
    PgmRegionInfo info = {
        .name = pdm_keep_name(device, name),
        .kind = PGM_RAM,
        .size = size,
        .priority = PRIORITY_DEVICE,
        .dirty_log = dirty_log,
    };

    info.mem = pgm_mem_new(pdm->rooms.pgm, info.name, size, error);
    if (info.mem == NULL)
        return NULL;
    if (host != NULL)
        *host = pgm_mem_host(info.mem);
    return add_region(pdm, &info, true);
}

PgmRegion *
pdm_api_rom_new(PdmDevice *device, const char *name, const void *data, uint64_t size,
                GError **error)
{
    Pdm *pdm = pdm_of(device);
    PgmRegionInfo info = {
        .name = pdm_keep_name(device, name),
        .kind = PGM_ROM,
        .size = size,
        .priority = PRIORITY_ROM,
    };

    info.mem = pgm_mem_new(pdm->rooms.pgm, info.name, size, error);
    if (info.mem == NULL)
        return NULL;
    memcpy(pgm_mem_host(info.mem), data, size);
    return add_region(pdm, &info, true);
}

PgmRegion *
pdm_api_alias_new(PdmDevice *device, const char *name, PgmRegion *of, uint64_t offset,
                  uint64_t size, int priority)
{
    Pdm *pdm = pdm_of(device);
    PgmRegionInfo info = *pgm_region_info(of);

    g_return_val_if_fail(info.mem != NULL && offset <= info.size && size <= info.size - offset,
                         NULL);
    info.name = pdm_keep_name(device, name);
    info.mem_offset += offset;
    info.size = size;
    info.priority = priority;
    return add_region(pdm, &info, false);
}

PgmRegion *
pdm_api_guest_ram(PdmDevice *device, uint64_t gpa, uint64_t size, int priority)
{
    Pdm *pdm = pdm_of(device);
    const PgmRegionInfo info = {
        .name = pdm_keep_name(device, "guest-ram"),
        .kind = PGM_RAM,
        .mem = pgm_ram_mem(pdm->rooms.pgm),
        .mem_offset = gpa,
        .size = size,
        .priority = priority,
    };

    g_return_val_if_fail(gpa + size <= pgm_ram_below_4g(pdm->rooms.pgm), NULL);
    return add_region(pdm, &info, false);
}

/* Regions go before the memory and the handlers that they and their aliases share. */
void
pdm_memory_free(Pdm *pdm)
{
    for (guint i = 0; i < pdm->ports->len; i++)
        iom_ports_free(pdm->ports->pdata[i]);
    for (guint i = 0; i < pdm->regions->len; i++)
        pgm_region_free(((PdmRegion *)pdm->regions->pdata[i])->region);
    for (guint i = 0; i < pdm->regions->len; i++) {
        PdmRegion *record = pdm->regions->pdata[i];

        if (record->owns_mem)
            pgm_mem_free(record->info.mem);
        if (record->info.kind == PGM_MMIO)
            iom_mmio_free(record->info.mmio);
        g_free(record);
    }
    g_ptr_array_free(pdm->ports, TRUE);
    g_ptr_array_free(pdm->regions, TRUE);
}
