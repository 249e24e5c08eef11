/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * From regions to the physical map: the space is cut at every region's start and end, and for each
 * piece the highest region that answers reads and the highest that answers writes are chosen. A CPU
 * that sees something of its own has a map in which that is laid over everybody's. */
#include "vmm/pgm/pgm-private.h"

#include <string.h>

static gint
compare_addresses(gconstpointer a, gconstpointer b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

/* The highest first. */
static gint
compare_regions(gconstpointer a, gconstpointer b)
{
    const PgmRegion *x = *(PgmRegion *const *)a, *y = *(PgmRegion *const *)b;

    if (x->info.priority != y->info.priority)
        return x->info.priority > y->info.priority ? -1 : 1;
    return x->order > y->order ? -1 : x->order < y->order;
}

static uint64_t
end_of(const PgmRegion *region)
{
    const uint64_t room = UINT64_MAX - region->gpa;

    return region->gpa + MIN(region->info.size, room);
}

static GPtrArray *
sorted_regions(const Pgm *pgm)
{
    GPtrArray *sorted = g_ptr_array_new();

    for (guint i = 0; i < pgm->regions->len; i++) {
        PgmRegion *region = g_ptr_array_index(pgm->regions, i);

        if (region->mapped && region->access != PGM_ACCESS_NONE && region->info.vcpu == NULL)
            g_ptr_array_add(sorted, region);
    }
    g_ptr_array_sort(sorted, compare_regions);
    return sorted;
}

static GArray *
boundaries(const GPtrArray *regions)
{
    GArray *cuts = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    const uint64_t first = 0, last = UINT64_MAX;
    guint kept = 0;

    g_array_append_val(cuts, first);
    g_array_append_val(cuts, last);
    for (guint i = 0; i < regions->len; i++) {
        const PgmRegion *region = g_ptr_array_index(regions, i);
        const uint64_t end = end_of(region);

        g_array_append_val(cuts, region->gpa);
        g_array_append_val(cuts, end);
    }
    g_array_sort(cuts, compare_addresses);
    for (guint i = 1; i < cuts->len; i++) {
        if (g_array_index(cuts, uint64_t, i) != g_array_index(cuts, uint64_t, kept))
            g_array_index(cuts, uint64_t, ++kept) = g_array_index(cuts, uint64_t, i);
    }
    g_array_set_size(cuts, kept + 1);
    return cuts;
}

static PgmWay
to_memory(const PgmRegion *region, uint64_t at)
{
    const uint64_t offset = region->info.mem_offset + (at - region->gpa);

    return (PgmWay){.to = PGM_TO_MEM,
                    .mem = region->info.mem,
                    .host = region->info.mem->host + offset,
                    .offset = offset};
}

static PgmWay
to_mmio(const PgmRegion *region, uint64_t at)
{
    const uint64_t base = region->info.kind == PGM_ROMD ? region->info.mem_offset : 0;

    return (PgmWay){
        .to = PGM_TO_MMIO, .mmio = region->info.mmio, .offset = base + (at - region->gpa)};
}

static PgmWay
read_way(const PgmRegion *region, uint64_t at)
{
    return region->info.kind == PGM_MMIO ? to_mmio(region, at) : to_memory(region, at);
}

static PgmWay
write_way(const PgmRegion *region, uint64_t at)
{
    if (region->access == PGM_ACCESS_READ_ONLY || region->info.kind == PGM_ROM)
        return (PgmWay){.to = PGM_TO_NOWHERE};
    return region->info.kind == PGM_RAM ? to_memory(region, at) : to_mmio(region, at);
}

/* What answers at the piece that starts there: no region begins or ends inside a piece. */
static PgmRange
resolve(const GPtrArray *regions, uint64_t start, uint64_t end)
{
    PgmRange range = {.start = start, .end = end};
    bool reads = false, writes = false;

    for (guint i = 0; i < regions->len && !(reads && writes); i++) {
        const PgmRegion *region = g_ptr_array_index(regions, i);

        if (start < region->gpa || start >= end_of(region))
            continue;
        if (!reads && region->access != PGM_ACCESS_WRITE_ONLY) {
            range.read = read_way(region, start);
            reads = true;
        }
        if (!writes) {
            range.write = write_way(region, start);
            writes = true;
        }
    }
    return range;
}

static bool
goes_on(const PgmWay *a, const PgmWay *b, uint64_t distance)
{
    return a->to == b->to && a->mem == b->mem && a->mmio == b->mmio &&
           (a->to == PGM_TO_NOWHERE || a->offset + distance == b->offset);
}

static void
append(PgmMap *map, const PgmRange *range)
{
    PgmRange *previous = map->count > 0 ? &map->range[map->count - 1] : NULL;
    const uint64_t distance = previous != NULL ? range->start - previous->start : 0;

    if (previous != NULL && goes_on(&previous->read, &range->read, distance) &&
        goes_on(&previous->write, &range->write, distance))
        previous->end = range->end;
    else
        map->range[map->count++] = *range;
}

static bool
shows_same(const PgmRange *a, const PgmRange *b)
{
    const uint64_t a_size = a->end - a->start, b_size = b->end - b->start;

    return a->read.to == PGM_TO_MEM && b->read.to == PGM_TO_MEM && a->read.mem == b->read.mem &&
           a->read.offset < b->read.offset + b_size && b->read.offset < a->read.offset + a_size;
}

static void
find_aliases(const Pgm *pgm, const PgmMap *map)
{
    for (guint i = 0; i < pgm->mems->len; i++)
        ((PgmMem *)g_ptr_array_index(pgm->mems, i))->aliased = false;
    for (unsigned i = 0; i < map->count; i++) {
        for (unsigned j = i + 1; j < map->count; j++) {
            if (shows_same(&map->range[i], &map->range[j]))
                map->range[i].read.mem->aliased = true;
        }
    }
}

static void
free_retired(Pgm *pgm)
{
    for (guint i = pgm->retired->len; i-- > 0;) {
        PgmMap *map = g_ptr_array_index(pgm->retired, i);

        if (pgm_everyone_has_seen(pgm, map->retired_at))
            g_free(g_ptr_array_remove_index_fast(pgm->retired, i));
    }
}

static PgmMap *
build_shared(Pgm *pgm)
{
    g_autoptr(GPtrArray) regions = sorted_regions(pgm);
    g_autoptr(GArray) cuts = boundaries(regions);
    PgmMap *map = g_malloc0(sizeof *map + cuts->len * sizeof(PgmRange));

    for (guint i = 0; i + 1 < cuts->len; i++) {
        const PgmRange range = resolve(regions, g_array_index(cuts, uint64_t, i),
                                       g_array_index(cuts, uint64_t, i + 1));

        append(map, &range);
    }
    return map;
}

/* --- what only one CPU sees --- */

static PgmWay
way_after(PgmWay way, uint64_t distance)
{
    way.offset += distance;
    if (way.to == PGM_TO_MEM)
        way.host += distance;
    return way;
}

/* What of the range lies in [start, end). */
static void
append_part(PgmMap *map, const PgmRange *range, uint64_t start, uint64_t end)
{
    PgmRange part = {.start = MAX(range->start, start), .end = MIN(range->end, end)};

    if (part.start >= part.end)
        return;
    part.read = way_after(range->read, part.start - range->start);
    part.write = way_after(range->write, part.start - range->start);
    append(map, &part);
}

static PgmMap *
lay_over(const PgmMap *below, const PgmRegion *region)
{
    PgmMap *map = g_malloc0(sizeof *map + (below->count + 2) * sizeof(PgmRange));
    const PgmRange own = {.start = region->gpa,
                          .end = end_of(region),
                          .read = read_way(region, region->gpa),
                          .write = write_way(region, region->gpa)};

    for (unsigned i = 0; i < below->count; i++) {
        const PgmRange *range = &below->range[i];

        append_part(map, range, 0, own.start);
        if (range->start <= own.start && own.start < range->end)
            append(map, &own);
        append_part(map, range, own.end, UINT64_MAX);
    }
    return map;
}

static PgmMap *
build_own(const Pgm *pgm, PgmMap *shared, unsigned cpu)
{
    PgmMap *map = shared;

    for (guint i = 0; i < pgm->regions->len; i++) {
        const PgmRegion *region = g_ptr_array_index(pgm->regions, i);
        PgmMap *below = map;

        if (region->info.vcpu == NULL || region->info.vcpu->id != cpu || !region->mapped)
            continue;
        map = lay_over(below, region);
        if (below != shared)
            g_free(below);
    }
    return map;
}

/* --- publishing --- */

static void
retire(Pgm *pgm, PgmMap *map)
{
    map->retired_at = atomic_load(&pgm->flush_request) + 1;
    g_ptr_array_add(pgm->retired, map);
}

void
pgm_map_rebuild(Pgm *pgm)
{
    PgmMap *map = build_shared(pgm);
    PgmMap *old;

    find_aliases(pgm, map);
    free_retired(pgm);
    old = atomic_exchange(&pgm->map, map);
    for (unsigned i = 0; i < cpum_count(pgm->cpum); i++) {
        PgmMap *old_own = atomic_exchange(&pgm->cpu_map[i], build_own(pgm, map, i));

        if (old_own != old)
            retire(pgm, old_own);
    }
    if (old != NULL)
        retire(pgm, old);
    atomic_fetch_add(&pgm->generation, 1);
}

const PgmRange *
pgm_map_find(const PgmMap *map, uint64_t gpa)
{
    unsigned low = 0, high = map->count - 1;

    while (low < high) {
        const unsigned middle = (low + high + 1) / 2;

        if (map->range[middle].start <= gpa)
            low = middle;
        else
            high = middle - 1;
    }
    return &map->range[low];
}

void
pgm_map_free_all(Pgm *pgm)
{
    for (guint i = 0; i < pgm->retired->len; i++)
        g_free(g_ptr_array_index(pgm->retired, i));
    g_ptr_array_unref(pgm->retired);
    for (unsigned i = 0; i < cpum_count(pgm->cpum); i++) {
        if (pgm->cpu_map[i] != pgm->map)
            g_free(pgm->cpu_map[i]);
    }
    g_free(pgm->cpu_map);
    g_free(pgm->map);
}
