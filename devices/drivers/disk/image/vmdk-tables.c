/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Grain directory and grain tables of a VMDK file, all held in memory. Grains and tables may lie
 * anywhere at any sector, so that nothing overlaps is checked in the order of the positions. The
 * redundant tables are only kept up, never read for data: where a cut left them different, the
 * next flush writes them anew. */
#include <stdlib.h>

#include "devices/drivers/disk/image/vmdk-private.h"
#include "vmm/base/error.h"

/* A range of sectors that something takes. */
typedef struct {
    uint64_t start;
    uint64_t length;
} Range;

static int
compare_ranges(const void *a, const void *b)
{
    const Range *left = a, *right = b;

    return left->start < right->start ? -1 : left->start > right->start;
}

static bool
damaged(const Image *image, const char *what, GError **error)
{
    g_set_error(error, BASE_ERROR, BASE_ERROR_CORRUPT, "“%s” is damaged: %s.", image->io->name,
                what);
    return false;
}

static void
add_range(GArray *ranges, uint64_t start, uint64_t length)
{
    const Range range = {start, length};

    g_array_append_val(ranges, range);
}

static uint64_t
directory_sectors(const VmdkState *vmdk)
{
    return (vmdk->directory.count * 4ull + VMDK_SECTOR - 1) / VMDK_SECTOR;
}

static bool
load_table(Image *image, const VmdkState *vmdk, uint32_t sector, uint32_t *entries, GError **error)
{
    const uint64_t position = (uint64_t)sector * VMDK_SECTOR;
    const uint64_t size = VMDK_TABLE_SECTORS * VMDK_SECTOR;

    if (position > vmdk->file_end || size > vmdk->file_end - position)
        return damaged(image, "a grain table lies past the end of the file", error);
    if (!image_io_read(image->io, position, entries, size, error))
        return false;
    for (unsigned i = 0; i < VMDK_TABLE_ENTRIES; i++)
        entries[i] = GUINT32_FROM_LE(entries[i]);
    return true;
}

static bool
load_grains(Image *image, VmdkState *vmdk, GArray *ranges, GError **error)
{
    const ImageMap *directory = &vmdk->directory;

    for (uint32_t table = 0; table < directory->count; table++) {
        const uint32_t sector = directory->entries[table];

        if (sector == 0)
            continue;
        if (!load_table(image, vmdk, sector, vmdk->grains.entries + table * VMDK_TABLE_ENTRIES,
                        error))
            return false;
        add_range(ranges, sector, VMDK_TABLE_SECTORS);
    }
    return true;
}

/* Notes the sectors of a table whose copy is not the same. */
static void
compare_copy(VmdkState *vmdk, uint32_t table, const uint32_t *copy)
{
    const uint32_t first = table * VMDK_TABLE_ENTRIES;

    for (unsigned i = 0; i < VMDK_TABLE_ENTRIES; i++) {
        if (copy[i] != vmdk->grains.entries[first + i])
            image_map_set(&vmdk->grains, first + i, vmdk->grains.entries[first + i]);
    }
}

static bool
load_copies(Image *image, VmdkState *vmdk, GArray *ranges, GError **error)
{
    uint32_t copy[VMDK_TABLE_ENTRIES];

    if (!image_map_load(&vmdk->redundant, image, vmdk->header.redundant * VMDK_SECTOR,
                        vmdk->directory.count, false, vmdk->file_end, error))
        return false;
    add_range(ranges, vmdk->header.redundant, directory_sectors(vmdk));
    for (uint32_t table = 0; table < vmdk->redundant.count; table++) {
        const uint32_t sector = vmdk->redundant.entries[table];

        if (sector == 0)
            continue;
        if (!load_table(image, vmdk, sector, copy, error))
            return false;
        add_range(ranges, sector, VMDK_TABLE_SECTORS);
        if (vmdk->directory.entries[table] != 0)
            compare_copy(vmdk, table, copy);
    }
    return true;
}

/* Every grain that is here; those behind the end of the disk must not be. */
static bool
add_grains(Image *image, VmdkState *vmdk, GArray *ranges, GError **error)
{
    const uint64_t grains = (vmdk->header.capacity - 1) / vmdk->header.grain + 1;

    for (uint32_t grain = 0; grain < vmdk->grains.count; grain++) {
        const uint32_t entry = vmdk->grains.entries[grain];

        if (!vmdk_is_allocated(vmdk, entry))
            continue;
        if (grain >= grains)
            return damaged(image, "a grain belongs behind the end of the disk", error);
        vmdk->used++;
        add_range(ranges, entry, vmdk->header.grain);
    }
    return true;
}

/* *next ends behind all of them. */
static bool
check_order(Image *image, VmdkState *vmdk, GArray *ranges, GError **error)
{
    uint64_t next = 0;

    qsort(ranges->data, ranges->len, sizeof(Range), compare_ranges);
    for (guint i = 0; i < ranges->len; i++) {
        const Range *range = &g_array_index(ranges, Range, i);

        if (range->start < next)
            return damaged(image, "two grains, or a grain and a table, overlap", error);
        vmdk->leaked += (range->start - next) / vmdk->header.grain;
        next = range->start + range->length;
        if (next > vmdk->file_end / VMDK_SECTOR)
            return damaged(image, "a grain lies past the end of the file", error);
    }
    /* What the header keeps for metadata ends where grains lie well for the host. */
    vmdk->next = MAX(next, MIN(vmdk->header.overhead, vmdk->file_end / VMDK_SECTOR)) * VMDK_SECTOR;
    return true;
}

/* Compressed grains have any length, and nothing is ever written between them. */
static bool
check_compressed(Image *image, VmdkState *vmdk, GError **error)
{
    for (uint32_t grain = 0; grain < vmdk->grains.count; grain++) {
        const uint32_t entry = vmdk->grains.entries[grain];

        if (!vmdk_is_allocated(vmdk, entry))
            continue;
        if ((uint64_t)entry * VMDK_SECTOR >= vmdk->file_end)
            return damaged(image, "a grain lies past the end of the file", error);
        vmdk->used++;
    }
    return true;
}

static void
add_start(const VmdkState *vmdk, GArray *ranges)
{
    add_range(ranges, 0, 1);
    if (vmdk->header.descriptor != 0)
        add_range(ranges, vmdk->header.descriptor, vmdk->header.descriptor_size);
    add_range(ranges, vmdk->header.directory, directory_sectors(vmdk));
}

bool
vmdk_tables_load(Image *image, VmdkState *vmdk, GError **error)
{
    g_autoptr(GArray) ranges = g_array_new(FALSE, FALSE, sizeof(Range));
    const uint32_t count = vmdk_table_count(&vmdk->header);

    if (!image_map_load(&vmdk->directory, image, vmdk->header.directory * VMDK_SECTOR, count, false,
                        vmdk->file_end, error) ||
        !image_map_prepare(&vmdk->grains, image, count * VMDK_TABLE_ENTRIES, false, error) ||
        !load_grains(image, vmdk, ranges, error))
        return false;
    if (vmdk_is_compressed(vmdk))
        return check_compressed(image, vmdk, error);
    add_start(vmdk, ranges);
    if (image->writable && (vmdk->header.flags & VMDK_FLAG_REDUNDANT) != 0 &&
        !load_copies(image, vmdk, ranges, error))
        return false;
    return add_grains(image, vmdk, ranges, error) && check_order(image, vmdk, ranges, error);
}
