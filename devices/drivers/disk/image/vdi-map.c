/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The block map of a VDI file: which block of the disk lies at which index of the data area. On
 * loading every entry must point at a block of its own inside the file; the count of allocated
 * blocks is taken from the map and not from the header, which may lag behind after a crash. */
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
        uint32_t index = vdi->map.entries[block];

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
    vdi->freed = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    for (uint32_t index = vdi->next; index-- > 0 && unused > 0;) {
        if ((seen[index / 8] & (1u << index % 8)) != 0)
            continue;
        unused--;
        if (vdi->gaps->len < vdi->header.blocks)
            g_array_append_val(vdi->gaps, index);
    }
}

bool
vdi_map_recount(Image *image, VdiState *vdi, GError **error)
{
    uint32_t limit = blocks_in_file(vdi);
    g_autofree uint8_t *seen = g_try_malloc0((size_t)limit / 8 + 1);

    if (seen == NULL) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_NO_MEMORY,
                    "There is not enough memory for the block map of “%s”.", image->io->name);
        return false;
    }
    vdi->used = vdi->next = 0;
    if (!check_entries(image, vdi, seen, limit, error))
        return false;
    vdi->trailing = limit - vdi->next;
    g_clear_pointer(&vdi->gaps, g_array_unref);
    g_clear_pointer(&vdi->freed, g_array_unref);
    collect_gaps(vdi, seen);
    return true;
}

bool
vdi_map_load(Image *image, VdiState *vdi, GError **error)
{
    return image_map_load(&vdi->map, image, vdi->header.map_offset, vdi->header.blocks, false,
                          vdi->file_end, error) &&
           vdi_map_recount(image, vdi, error);
}
