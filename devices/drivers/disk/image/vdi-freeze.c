/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A VDI image that is not written to any more, though its machine has it open. Other programs take
 * the number of its blocks for where the next one goes, so there must be no gaps between them; and
 * nothing can move, for it is being read. So each gap is made zeros, which takes no room where the
 * host has holes, and becomes the place of a block that reads as zeros already. Compacting gives
 * the blocks back. */
#include "devices/drivers/disk/image/vdi-private.h"
#include "vmm/base/error.h"

static bool
clear_gap(Image *image, const VdiState *vdi, uint32_t index, GError **error)
{
    const uint64_t position = vdi_block_position(&vdi->header, index);
    const uint32_t size = vdi->header.block_size;
    g_autofree uint8_t *zeros = NULL;
    g_autoptr(GError) local = NULL;

    image_note_unsynced(image);
    if (image->io->ops->punch != NULL && image->io->ops->punch(image->io, position, size, &local)) {
        image_note_unsynced(image);
        return true;
    }
    zeros = g_malloc0(size);
    return image_put(image, position, zeros, size, error);
}

/* The first block from *block on that reads as zeros and has no place. */
static bool
find_zeros(const Image *image, const VdiState *vdi, uint32_t *block)
{
    const bool shows_parent = image_has_parent(image);

    while (*block < vdi->header.blocks && vdi->map.entries[*block] != VDI_BLOCK_ZERO &&
           (shows_parent || vdi->map.entries[*block] != VDI_BLOCK_FREE))
        (*block)++;
    return *block < vdi->header.blocks;
}

/* The zeros are on the disk before the map refers to them. */
bool
vdi_freeze(Image *image, GError **error)
{
    VdiState *vdi = image->state;
    guint count = 0;

    for (uint32_t block = 0; count < vdi->gaps->len && find_zeros(image, vdi, &block); block++) {
        if (!clear_gap(image, vdi, g_array_index(vdi->gaps, uint32_t, count), error))
            return false;
        count++;
    }
    if (count == 0)
        return true;
    if (!image_sync(image, error))
        return false;
    for (uint32_t block = 0, i = 0; i < count && find_zeros(image, vdi, &block); i++)
        image_map_set(&vdi->map, block, g_array_index(vdi->gaps, uint32_t, i));
    g_array_remove_range(vdi->gaps, 0, count);
    vdi->used += count;
    vdi->pending += count;
    return vdi_flush(image, error);
}
