/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Regions: places in guest-physical space that are mapped, moved and switched while the guest
 * runs. */
#include "vmm/pgm/pgm-private.h"

PgmRegion *
pgm_region_new(Pgm *pgm, const PgmRegionInfo *info)
{
    PgmRegion *region = g_new0(PgmRegion, 1);

    region->pgm = pgm;
    region->info = *info;
    if (info->dirty_log && info->mem != NULL)
        atomic_fetch_or(&info->mem->watch, PGM_DIRTY);
    g_rw_lock_writer_lock(&pgm->lock);
    g_ptr_array_add(pgm->regions, region);
    g_rw_lock_writer_unlock(&pgm->lock);
    return region;
}

void
pgm_region_free(PgmRegion *region)
{
    Pgm *pgm;

    if (region == NULL)
        return;
    pgm = region->pgm;
    pgm_region_unmap(region);
    g_rw_lock_writer_lock(&pgm->lock);
    g_ptr_array_remove_fast(pgm->regions, region);
    g_rw_lock_writer_unlock(&pgm->lock);
    g_free(region);
}

const PgmRegionInfo *
pgm_region_info(const PgmRegion *region)
{
    return &region->info;
}

/* Changes made so far become the map of every CPU. Releases the lock. */
static void
publish_and_unlock(Pgm *pgm)
{
    pgm_map_rebuild(pgm);
    g_rw_lock_writer_unlock(&pgm->lock);
    pgm_request_flush(pgm);
}

void
pgm_region_map(PgmRegion *region, uint64_t gpa)
{
    Pgm *pgm = region->pgm;

    g_rw_lock_writer_lock(&pgm->lock);
    if (region->mapped && region->gpa == gpa) {
        g_rw_lock_writer_unlock(&pgm->lock);
        return;
    }
    region->mapped = true;
    region->gpa = gpa;
    region->order = pgm->order++;
    publish_and_unlock(pgm);
}

void
pgm_region_unmap(PgmRegion *region)
{
    Pgm *pgm = region->pgm;

    g_rw_lock_writer_lock(&pgm->lock);
    if (!region->mapped) {
        g_rw_lock_writer_unlock(&pgm->lock);
        return;
    }
    region->mapped = false;
    publish_and_unlock(pgm);
}

void
pgm_region_set_access(PgmRegion *region, PgmAccess access)
{
    Pgm *pgm = region->pgm;

    g_rw_lock_writer_lock(&pgm->lock);
    if (region->access == access) {
        g_rw_lock_writer_unlock(&pgm->lock);
        return;
    }
    region->access = access;
    if (!region->mapped)
        g_rw_lock_writer_unlock(&pgm->lock);
    else
        publish_and_unlock(pgm);
}
