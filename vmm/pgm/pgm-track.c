/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What happens when tracked pages are written: code listeners and the dirty log. A page enters the
 * tracked state only together with dropping fast entries; where another thread has some, the page
 * stays suspect until that CPU has flushed, and nobody waits for it. */
#include "vmm/pgm/pgm-private.h"

#include <string.h>

/* --- code --- */

void
pgm_code_listen(Pgm *pgm, PgmCodeListener listener, void *user)
{
    const PgmListener entry = {listener, user};

    g_rw_lock_writer_lock(&pgm->lock);
    g_array_append_val(pgm->listeners, entry);
    g_rw_lock_writer_unlock(&pgm->lock);
}

void
pgm_code_unlisten(Pgm *pgm, PgmCodeListener listener, void *user)
{
    g_rw_lock_writer_lock(&pgm->lock);
    for (guint i = pgm->listeners->len; i-- > 0;) {
        const PgmListener *entry = &g_array_index(pgm->listeners, PgmListener, i);

        if (entry->call == listener && entry->user == user)
            g_array_remove_index(pgm->listeners, i);
    }
    g_rw_lock_writer_unlock(&pgm->lock);
}

/* The bits of the 64-byte granules that [offset, offset + size) touches; within one page. */
static uint64_t
granules(uint64_t offset, uint64_t size)
{
    const unsigned first = (unsigned)(offset & X86_PAGE_OFFSET_MASK) >> PGM_GRANULE_SHIFT;
    const unsigned last =
        (unsigned)((offset & X86_PAGE_OFFSET_MASK) + size - 1) >> PGM_GRANULE_SHIFT;

    return (~0ull << first) & (~0ull >> (63 - last));
}

static bool
tell(Pgm *pgm, Vcpu *writer, uint64_t gpa, uint64_t size)
{
    bool nobody = true;

    for (guint i = 0; i < pgm->listeners->len; i++) {
        const PgmListener *listener = &g_array_index(pgm->listeners, PgmListener, i);

        nobody &= listener->call(listener->user, writer, gpa, size);
    }
    return nobody;
}

/* Listeners know guest-physical addresses, and a page of memory may have more than one. */
static bool
tell_everywhere(Pgm *pgm, const PgmMap *map, Vcpu *writer, const PgmMem *mem, uint64_t offset,
                uint64_t size)
{
    bool nobody = true;

    for (unsigned i = 0; i < map->count; i++) {
        const PgmRange *range = &map->range[i];
        const uint64_t inside = offset - range->read.offset;

        if (range->read.to != PGM_TO_MEM || range->read.mem != mem || offset < range->read.offset ||
            inside >= range->end - range->start)
            continue;
        nobody &= tell(pgm, writer, range->start + inside, size);
        if (!mem->aliased)
            break;
    }
    return nobody;
}

static void
code_written(Pgm *pgm, Vcpu *writer, PgmMem *mem, uint64_t offset, uint64_t size, uint64_t gpa)
{
    _Atomic uint64_t *word = &mem->code[pgm_page(offset)];
    const uint64_t written = granules(offset, size);
    bool nobody;

    if (G_LIKELY(!(atomic_load_explicit(word, memory_order_relaxed) & written)))
        return;
    if (!mem->aliased && gpa != PGM_ELSEWHERE)
        nobody = tell(pgm, writer, gpa, size);
    else
        nobody =
            tell_everywhere(pgm, writer != NULL ? writer->pgm_vcpu->map : atomic_load(&pgm->map),
                            writer, mem, offset, size);
    if (nobody)
        atomic_fetch_and(word, ~written);
}

void
pgm_written(Pgm *pgm, Vcpu *writer, PgmMem *mem, uint64_t offset, uint64_t size, uint64_t gpa)
{
    while (size > 0) {
        const uint64_t part = MIN(size, X86_PAGE_SIZE - (offset & X86_PAGE_OFFSET_MASK));

        if (mem->dirty != NULL)
            atomic_fetch_or(&mem->dirty[pgm_page(offset)], PGM_DIRTY);
        code_written(pgm, writer, mem, offset, part, gpa);
        offset += part;
        size -= part;
        if (gpa != PGM_ELSEWHERE)
            gpa += part;
    }
}

void
pgm_code_mark(Pgm *pgm, uint64_t gpa, uint32_t size)
{
    const PgmRange *range;
    uint64_t offset, before;
    PgmMem *mem;

    g_rw_lock_reader_lock(&pgm->lock);
    range = pgm_map_find(atomic_load(&pgm->map), gpa);
    if (range->read.to != PGM_TO_MEM || size == 0 || size > X86_PAGE_SIZE) {
        g_rw_lock_reader_unlock(&pgm->lock);
        return;
    }
    mem = range->read.mem;
    offset = range->read.offset + (gpa - range->start);
    g_rw_lock_reader_unlock(&pgm->lock);
    before = atomic_fetch_or(&mem->code[pgm_page(offset)], granules(offset, size));
    if (before == 0) {
        const uint8_t *page = mem->host + (offset & PGM_PAGE_MASK);

        pgm_tlb_track(pgm, page, page + X86_PAGE_SIZE);
    }
}

const uint8_t *
pgm_code_page(Vcpu *vcpu, uint64_t gpa)
{
    const uint64_t page = gpa & pgm_a20_mask(vcpu) & PGM_PAGE_MASK;
    const PgmRange *range = pgm_cpu_range(vcpu->pgm_vcpu, page);

    if (range->read.to != PGM_TO_MEM || range->end - page < X86_PAGE_SIZE)
        return NULL;
    return range->read.host + (page - range->start);
}

/* --- dirty log --- */

void
pgm_dirty_fetch(PgmRegion *region, uint8_t *dirty, size_t pages)
{
    Pgm *pgm = region->pgm;
    PgmMem *mem = region->info.mem;
    const uint64_t first = pgm_page(region->info.mem_offset);
    bool any = false, alone, settled;

    if (mem == NULL || mem->dirty == NULL) {
        memset(dirty, 0, pages);
        return;
    }
    settled = pgm_everyone_has_seen(pgm, mem->stale_request);
    pgm_ask_dirty_source(pgm, mem);
    pages = MIN(pages, pgm_page(region->info.size + X86_PAGE_OFFSET_MASK));
    for (size_t i = 0; i < pages; i++) {
        const uint8_t state = atomic_load_explicit(&mem->dirty[first + i], memory_order_relaxed);

        dirty[i] = state != 0;
        if (state & PGM_DIRTY) {
            atomic_store(&mem->dirty[first + i], PGM_STALE);
            any = true;
        } else if (state != 0 && settled) {
            atomic_fetch_and(&mem->dirty[first + i], (uint8_t)~PGM_STALE);
        }
    }
    if (!any)
        return;
    alone = pgm_tlb_track(pgm, mem->host + region->info.mem_offset,
                          mem->host + region->info.mem_offset + pages * X86_PAGE_SIZE);
    if (!alone) {
        mem->stale_request = atomic_load(&pgm->flush_request);
        return;
    }
    for (size_t i = 0; i < pages; i++)
        atomic_fetch_and(&mem->dirty[first + i], (uint8_t)~PGM_STALE);
}
