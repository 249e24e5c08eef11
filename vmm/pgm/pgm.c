/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The physical address space of one machine: creation, guest RAM, the A20 gate. */
#include "vmm/pgm/pgm-private.h"

#define FOUR_GIB (1ull << 32)
#define A20 (1ull << 20)

Pgm *
pgm_new(Cpum *cpum, Iom *iom, GError **error)
{
    Pgm *pgm = g_new0(Pgm, 1);

    pgm->cpum = cpum;
    pgm->iom = iom;
    pgm->regions = g_ptr_array_new();
    pgm->mems = g_ptr_array_new();
    pgm->retired = g_ptr_array_new();
    g_mutex_init(&pgm->code_lock);
    g_rw_lock_init(&pgm->lock);
    atomic_store(&pgm->a20_mask, UINT64_MAX);
    pgm->cpu_map = g_malloc0(cpum_count(cpum) * sizeof *pgm->cpu_map);
    pgm_map_rebuild(pgm);
    for (unsigned i = 0; i < cpum_count(cpum); i++)
        pgm_tlb_init(pgm, cpum_vcpu(cpum, i));
    return pgm;
}

void
pgm_free(Pgm *pgm)
{
    if (pgm == NULL)
        return;
    pgm_region_free(pgm->ram_low);
    pgm_region_free(pgm->ram_high);
    pgm_mem_free(pgm->ram);
    for (unsigned i = 0; i < cpum_count(pgm->cpum); i++)
        pgm_tlb_clear(cpum_vcpu(pgm->cpum, i));
    pgm_map_free_all(pgm);
    g_ptr_array_unref(pgm->regions);
    g_ptr_array_unref(pgm->mems);
    g_mutex_clear(&pgm->code_lock);
    g_rw_lock_clear(&pgm->lock);
    g_free(pgm);
}

void
pgm_set_a20(Pgm *pgm, bool enabled)
{
    const uint64_t mask = enabled ? UINT64_MAX : ~A20;

    if (atomic_exchange(&pgm->a20_mask, mask) == mask)
        return;
    atomic_fetch_add(&pgm->generation, 1);
    pgm_request_flush(pgm);
}

bool
pgm_a20(const Pgm *pgm)
{
    return atomic_load(&pgm->a20_mask) == UINT64_MAX;
}

uint32_t
pgm_generation(const Pgm *pgm)
{
    return atomic_load_explicit(&pgm->generation, memory_order_relaxed);
}

bool
pgm_ram_setup(Pgm *pgm, uint64_t below_4g, uint64_t above_4g, GError **error)
{
    PgmRegionInfo info = {.name = "ram", .kind = PGM_RAM};

    if (below_4g == 0 || below_4g > FOUR_GIB || above_4g > (1ull << PGM_PHYS_BITS) - FOUR_GIB ||
        ((below_4g | above_4g) & X86_PAGE_OFFSET_MASK)) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_INVALID,
                    "A machine cannot have that much memory.");
        return false;
    }
    pgm->ram = pgm_mem_new(pgm, "ram", below_4g + above_4g, error);
    if (pgm->ram == NULL)
        return false;
    pgm->below_4g = below_4g;
    pgm->above_4g = above_4g;
    info.mem = pgm->ram;
    info.size = below_4g;
    pgm->ram_low = pgm_region_new(pgm, &info);
    pgm_region_map(pgm->ram_low, 0);
    if (above_4g > 0) {
        info.mem_offset = below_4g;
        info.size = above_4g;
        pgm->ram_high = pgm_region_new(pgm, &info);
        pgm_region_map(pgm->ram_high, FOUR_GIB);
    }
    return true;
}

PgmMem *
pgm_ram_mem(const Pgm *pgm)
{
    return pgm->ram;
}

uint64_t
pgm_ram_below_4g(const Pgm *pgm)
{
    return pgm->below_4g;
}

uint64_t
pgm_ram_above_4g(const Pgm *pgm)
{
    return pgm->above_4g;
}
