/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The block map of a VDI file: which block of the disk lies at which index of the data area. On
 * loading every entry must point at a block of its own inside the file; the count of allocated
 * blocks is taken from the map and not from the header, which may lag behind after a crash. */
#include <string.h>

#include "devices/drivers/disk/image/vdi-private.h"
#include "vmm/base/error.h"

static bool
bad_entry(Image *image, uint32_t block, const char *what, GError **error)
{
    g_set_error(error, BASE_ERROR, BASE_ERROR_CORRUPT,
                "“%s” is damaged: the map entry of block %u %s.", image->io->name, block, what);
    return false;
}

/* How many whole blocks the file has room for; a sparse file can be far longer than any disk. */
static uint32_t
blocks_in_file(const VdiState *vdi)
{
    const VdiHeader *header = &vdi->header;
    uint64_t room = vdi->file_end - MIN(vdi->file_end, header->data_offset);

    return (uint32_t)MIN(room / vdi_block_stride(header), 2 * VDI_MAX_BLOCKS);
}

static bool
check_entries(Image *image, VdiState *vdi, uint8_t *seen, uint32_t limit, GError **error)
{
    for (uint32_t block = 0; block < vdi->header.blocks; block++) {
        uint32_t index = vdi->map[block];

        if (!vdi_is_allocated(index))
            continue;
        if (index >= limit)
            return bad_entry(image, block, "points past the end of the file", error);
        if ((seen[index / 8] & (1u << index % 8)) != 0)
            return bad_entry(image, block, "points at another block's data", error);
        seen[index / 8] |= (uint8_t)(1u << index % 8);
        vdi->used++;
        vdi->next = MAX(vdi->next, index + 1);
    }
    return true;
}

/* A crash can leave room that nothing refers to; it is used before the file grows. No more gaps are
 * kept than the disk can have blocks. */
static void
collect_gaps(VdiState *vdi, const uint8_t *seen)
{
    uint32_t unused = vdi->next - vdi->used;

    vdi->gaps = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    for (uint32_t index = vdi->next; index-- > 0 && unused > 0;) {
        if ((seen[index / 8] & (1u << index % 8)) != 0)
            continue;
        unused--;
        if (vdi->gaps->len < vdi->header.blocks)
            g_array_append_val(vdi->gaps, index);
    }
}

bool
vdi_map_load(Image *image, VdiState *vdi, GError **error)
{
    uint32_t blocks = vdi->header.blocks;
    size_t bytes = (size_t)blocks * 4;
    uint32_t limit = blocks_in_file(vdi);
    g_autofree uint8_t *seen = NULL;

    if (vdi->header.map_offset + (uint64_t)bytes > vdi->file_end) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_CORRUPT,
                    "“%s” is damaged: the file ends within its block map.", image->io->name);
        return false;
    }
    vdi->map = g_try_malloc(bytes);
    seen = g_try_malloc0((size_t)limit / 8 + 1);
    if (vdi->map == NULL || seen == NULL) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_NO_MEMORY,
                    "There is not enough memory for the block map of “%s”.", image->io->name);
        return false;
    }
    if (!image_io_read(image->io, vdi->header.map_offset, vdi->map, bytes, error))
        return false;
    for (uint32_t block = 0; block < blocks; block++)
        vdi->map[block] = GUINT32_FROM_LE(vdi->map[block]);
    if (!check_entries(image, vdi, seen, limit, error))
        return false;
    vdi->trailing = limit - vdi->next;
    collect_gaps(vdi, seen);
    vdi->dirty = g_malloc0(blocks / VDI_ENTRIES_PER_SECTOR / 8 + 1);
    return true;
}

void
vdi_map_set(VdiState *vdi, uint32_t block, uint32_t entry)
{
    uint32_t sector = block / VDI_ENTRIES_PER_SECTOR;
    uint8_t bit = (uint8_t)(1u << sector % 8);

    vdi->map[block] = entry;
    if ((vdi->dirty[sector / 8] & bit) == 0) {
        vdi->dirty[sector / 8] |= bit;
        vdi->dirty_sectors++;
    }
}

static bool
write_sector(Image *image, VdiState *vdi, uint32_t sector, GError **error)
{
    uint32_t entries[VDI_ENTRIES_PER_SECTOR];
    uint32_t first = sector * VDI_ENTRIES_PER_SECTOR;
    uint32_t count = MIN(VDI_ENTRIES_PER_SECTOR, vdi->header.blocks - first);

    for (uint32_t i = 0; i < count; i++)
        entries[i] = GUINT32_TO_LE(vdi->map[first + i]);
    return image_put(image, vdi->header.map_offset + first * 4ull, entries, count * 4ull, error);
}

bool
vdi_map_write(Image *image, VdiState *vdi, GError **error)
{
    uint32_t sectors = (vdi->header.blocks - 1) / VDI_ENTRIES_PER_SECTOR + 1;
    uint32_t left = vdi->dirty_sectors;

    for (uint32_t sector = 0; sector < sectors && left > 0; sector++) {
        if ((vdi->dirty[sector / 8] & (1u << sector % 8)) == 0)
            continue;
        if (!write_sector(image, vdi, sector, error))
            return false;
        left--;
    }
    return true;
}

void
vdi_map_written(VdiState *vdi)
{
    memset(vdi->dirty, 0, vdi->header.blocks / VDI_ENTRIES_PER_SECTOR / 8 + 1);
    vdi->dirty_sectors = 0;
    vdi->pending = 0;
}
