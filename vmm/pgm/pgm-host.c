/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * For engines whose guest memory is mapped by the host's MMU (hardware): the physical map as spans
 * of whole pages, and the dirty pages that only they know. Design section 5 "Memory". */
#include "vmm/pgm/pgm-private.h"

#define MIB (1ull << 20)
/* With the A20 gate closed every other MiB is a copy of the one below it. Only so much of that is
 * mapped: it serves real mode, whose addresses end a little above 1 MiB. */
#define A20_CLOSED_END (16 * MIB)

static uint64_t
page_above(uint64_t address)
{
    return (address + X86_PAGE_OFFSET_MASK) & PGM_PAGE_MASK;
}

/* The part of a range that lies in [from, to), as it is seen `shift` bytes higher. */
static void
append_part(GArray *spans, const PgmRange *range, uint64_t from, uint64_t to, uint64_t shift)
{
    const uint64_t start = page_above(MAX(range->start, from));
    const uint64_t end = MIN(range->end, to) & PGM_PAGE_MASK;
    const PgmWay *read = &range->read, *write = &range->write;
    PgmSpan span;

    if (read->to != PGM_TO_MEM || end <= start)
        return;
    span = (PgmSpan){.gpa = start + shift,
                     .size = end - start,
                     .host = read->host + (start - range->start),
                     .mem = read->mem,
                     .offset = read->offset + (start - range->start),
                     .writable = write->to == PGM_TO_MEM && write->host == read->host,
                     .dirty_log = atomic_load(&read->mem->watch) != 0};
    g_array_append_val(spans, span);
}

static void
append_window(GArray *spans, const PgmMap *map, uint64_t from, uint64_t to, uint64_t shift)
{
    for (unsigned i = 0; i < map->count && map->range[i].start < to; i++) {
        if (map->range[i].end > from)
            append_part(spans, &map->range[i], from, to, shift);
    }
}

uint32_t
pgm_spans(Pgm *pgm, GArray *spans)
{
    const PgmMap *map;
    uint32_t generation;

    g_rw_lock_reader_lock(&pgm->lock);
    /* Read first: a change of the gate that comes later leaves a newer generation behind. */
    generation = atomic_load(&pgm->generation);
    map = atomic_load(&pgm->map);
    if (pgm_a20(pgm)) {
        append_window(spans, map, 0, 1ull << PGM_PHYS_BITS, 0);
    } else {
        for (uint64_t at = 0; at < A20_CLOSED_END; at += 2 * MIB) {
            append_window(spans, map, at, at + MIB, 0);
            append_window(spans, map, at, at + MIB, MIB);
        }
    }
    g_rw_lock_reader_unlock(&pgm->lock);
    return generation;
}

void
pgm_set_dirty_source(Pgm *pgm, PgmDirtySource source, void *user)
{
    g_rw_lock_writer_lock(&pgm->lock);
    pgm->dirty_source = source;
    pgm->dirty_user = user;
    g_rw_lock_writer_unlock(&pgm->lock);
}

void
pgm_ask_dirty_source(Pgm *pgm, PgmMem *mem)
{
    g_rw_lock_reader_lock(&pgm->lock);
    if (pgm->dirty_source != NULL)
        pgm->dirty_source(pgm->dirty_user, mem);
    g_rw_lock_reader_unlock(&pgm->lock);
}

void
pgm_dirty_report(PgmMem *mem, uint64_t offset, uint64_t size)
{
    const uint8_t watch = atomic_load(&mem->watch);

    if (watch == 0 || offset >= mem->size)
        return;
    size = MIN(size, mem->size - offset);
    for (uint64_t at = offset & PGM_PAGE_MASK; at < offset + size; at += X86_PAGE_SIZE)
        atomic_fetch_or(&mem->dirty[pgm_page(at)], watch);
}
