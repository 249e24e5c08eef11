/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What happens when tracked pages are written: code listeners and the dirty log. Code is marked by
 * a virtual CPU, which waits until no other writes to the page unseen. A dirty log is fetched by
 * devices, which never wait: where another thread has fast entries, the page stays suspect until
 * that CPU has flushed. */
#include "vmm/pgm/pgm-private.h"

#include <string.h>

/* --- code --- */

unsigned
pgm_code_listen(Pgm *pgm, PgmCodeListener listener, void *user)
{
    unsigned id = 0;

    g_mutex_lock(&pgm->code_lock);
    while (pgm->listener[id].call != NULL)
        id++;
    g_assert(id < PGM_LISTENERS);
    pgm->listener[id] = (PgmListener){listener, user};
    g_mutex_unlock(&pgm->code_lock);
    return id;
}

void
pgm_code_unlisten(Pgm *pgm, unsigned id)
{
    g_mutex_lock(&pgm->code_lock);
    pgm->listener[id] = (PgmListener){NULL, NULL};
    g_mutex_unlock(&pgm->code_lock);
}

/* Tells those who hold something of the page; true when none of them holds what was written any
 * more. */
static bool
tell(Pgm *pgm, uint64_t holders, Vcpu *writer, uint64_t gpa, uint64_t size)
{
    bool nobody = true;

    for (; holders != 0; holders &= holders - 1) {
        const PgmListener *listener = &pgm->listener[__builtin_ctzll(holders)];

        if (listener->call != NULL)
            nobody &= listener->call(listener->user, writer, gpa, size);
    }
    return nobody;
}

/* Listeners know guest-physical addresses, and a page of memory may have more than one. */
static bool
tell_everywhere(Pgm *pgm, const PgmMap *map, Vcpu *writer, const PgmMem *mem, uint64_t offset,
                uint64_t size)
{
    const uint64_t holders = atomic_load(&mem->holders[pgm_page(offset)]);
    bool nobody = true;

    for (unsigned i = 0; i < map->count; i++) {
        const PgmRange *range = &map->range[i];
        const uint64_t inside = offset - range->read.offset;

        if (range->read.to != PGM_TO_MEM || range->read.mem != mem || offset < range->read.offset ||
            inside >= range->end - range->start)
            continue;
        nobody &= tell(pgm, holders, writer, range->start + inside, size);
        if (!mem->aliased)
            break;
    }
    return nobody;
}

/* With code_lock held. */
static void
take_marks_away(PgmMem *mem, uint64_t page, uint64_t marks)
{
    if (!(atomic_fetch_and(&mem->code[page], ~marks) & ~marks))
        atomic_store(&mem->holders[page], 0);
}

static void
code_written(Pgm *pgm, Vcpu *writer, PgmMem *mem, uint64_t offset, uint64_t size, uint64_t gpa)
{
    const uint64_t page = pgm_page(offset), written = pgm_granules(offset, size);
    bool nobody;

    if (G_LIKELY(!(atomic_load_explicit(&mem->code[page], memory_order_relaxed) & written)))
        return;
    g_mutex_lock(&pgm->code_lock);
    if (!mem->aliased && gpa != PGM_ELSEWHERE)
        nobody = tell(pgm, atomic_load(&mem->holders[page]), writer, gpa, size);
    else
        nobody =
            tell_everywhere(pgm, writer != NULL ? writer->pgm_vcpu->map : atomic_load(&pgm->map),
                            writer, mem, offset, size);
    if (nobody)
        take_marks_away(mem, page, written);
    g_mutex_unlock(&pgm->code_lock);
}

void
pgm_written(Pgm *pgm, Vcpu *writer, PgmMem *mem, uint64_t offset, uint64_t size, uint64_t gpa)
{
    /* First the write, then the look at the marks: who marks code does it the other way round. */
    atomic_thread_fence(memory_order_seq_cst);
    while (size > 0) {
        const uint64_t part = MIN(size, X86_PAGE_SIZE - (offset & X86_PAGE_OFFSET_MASK));

        const uint8_t watch = atomic_load_explicit(&mem->watch, memory_order_relaxed);

        if (watch != 0)
            atomic_fetch_or(&mem->dirty[pgm_page(offset)], watch);
        code_written(pgm, writer, mem, offset, part, gpa);
        offset += part;
        size -= part;
        if (gpa != PGM_ELSEWHERE)
            gpa += part;
    }
}

/* The memory that is read at gpa; NULL: none. */
static PgmMem *
mem_at(Vcpu *vcpu, uint64_t gpa, uint64_t *offset)
{
    const PgmRange *range = pgm_cpu_range(vcpu->pgm_vcpu, gpa & pgm_a20_mask(vcpu));

    if (range->read.to != PGM_TO_MEM)
        return NULL;
    *offset = range->read.offset + ((gpa & pgm_a20_mask(vcpu)) - range->start);
    return range->read.mem;
}

void
pgm_code_mark(Vcpu *vcpu, unsigned listener, uint64_t gpa, uint32_t size)
{
    Pgm *pgm = vcpu->pgm;
    uint64_t offset;
    PgmMem *mem = mem_at(vcpu, gpa, &offset);

    if (mem == NULL || size == 0 || size > X86_PAGE_SIZE)
        return;
    g_mutex_lock(&pgm->code_lock);
    atomic_fetch_or(&mem->holders[pgm_page(offset)], 1ull << listener);
    atomic_fetch_or(&mem->code[pgm_page(offset)], pgm_granules(offset, size));
    g_mutex_unlock(&pgm->code_lock);
    pgm_track_page(vcpu, mem, pgm_page(offset));
}

void
pgm_code_release(Vcpu *vcpu, unsigned listener, uint64_t gpa, uint64_t held)
{
    Pgm *pgm = vcpu->pgm;
    uint64_t offset, page, others;
    PgmMem *mem = mem_at(vcpu, gpa, &offset);

    if (mem == NULL)
        return;
    page = pgm_page(offset);
    g_mutex_lock(&pgm->code_lock);
    others = atomic_load(&mem->holders[page]) & ~(1ull << listener);
    if (held == 0)
        atomic_store(&mem->holders[page], others);
    /* The marks are everybody's: only the last one who holds something knows them all. */
    if (others == 0)
        take_marks_away(mem, page, ~held);
    g_mutex_unlock(&pgm->code_lock);
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

    if (mem == NULL || !(atomic_load(&mem->watch) & PGM_DIRTY)) {
        memset(dirty, 0, pages);
        return;
    }
    settled = pgm_everyone_has_seen(pgm, mem->stale_request);
    pgm_ask_dirty_source(pgm, mem);
    pages = MIN(pages, pgm_page(region->info.size + X86_PAGE_OFFSET_MASK));
    for (size_t i = 0; i < pages; i++) {
        const uint8_t state = atomic_load_explicit(&mem->dirty[first + i], memory_order_relaxed) &
                              (PGM_DIRTY | PGM_STALE);

        dirty[i] = state != 0;
        if (state & PGM_DIRTY) {
            atomic_fetch_or(&mem->dirty[first + i], PGM_STALE);
            atomic_fetch_and(&mem->dirty[first + i], (uint8_t)~PGM_DIRTY);
            any = true;
        } else if (state != 0 && settled) {
            atomic_fetch_and(&mem->dirty[first + i], (uint8_t)~PGM_STALE);
        }
    }
    if (!any)
        return;
    alone = pgm_request_track(pgm, mem->host + region->info.mem_offset,
                              mem->host + region->info.mem_offset + pages * X86_PAGE_SIZE);
    if (!alone) {
        mem->stale_request = atomic_load(&pgm->flush_request);
        return;
    }
    for (size_t i = 0; i < pages; i++)
        atomic_fetch_and(&mem->dirty[first + i], (uint8_t)~PGM_STALE);
}
