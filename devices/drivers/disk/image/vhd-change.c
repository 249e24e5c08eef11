/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Changing what the footer and the dynamic header of a VHD file say. The footer stands at both ends
 * of the file: the last one counts while it is whole, so it is written and synced before its copy.
 * All that changes in the dynamic header lies in its first sector. Fixed images, which have one
 * footer, grow in vhd-fixed.c. */
#include <string.h>

#include "devices/drivers/disk/image/vhd-private.h"
#include "vmm/base/error.h"

bool
vhd_write_footers(Image *image, VhdState *vhd, GError **error)
{
    vhd_footer_change(&vhd->footer, vhd->raw_footer);
    if (!image_put(image, vhd->file_end - VHD_FOOTER_SIZE, vhd->raw_footer, VHD_FOOTER_SIZE,
                   error) ||
        !image_sync(image, error))
        return false;
    return vhd_is_fixed(vhd) || image_put(image, 0, vhd->raw_footer, VHD_FOOTER_SIZE, error);
}

static bool
write_header(Image *image, const VhdState *vhd, GError **error)
{
    uint8_t raw[VHD_HEADER_SIZE];

    if (!image_io_read(image->io, vhd->footer.data_offset, raw, sizeof raw, error))
        return false;
    vhd_header_change(&vhd->header, raw);
    return image_put(image, vhd->footer.data_offset, raw, sizeof raw, error);
}

/* An image that becomes a base is called that first: what it then says of a parent does not count.
 */
bool
vhd_set_uuids(Image *image, const ImageUuidChange *change, GError **error)
{
    VhdState *vhd = image->state;
    const bool becomes_base = vhd->footer.type == VHD_TYPE_DIFFERENCING && change->parent != NULL &&
                              image_uuid_is_null(change->parent);

    if (change->uuid != NULL)
        vhd->footer.uuid = *change->uuid;
    if (becomes_base)
        vhd->footer.type = VHD_TYPE_DYNAMIC;
    image->differs &= !becomes_base;
    if ((change->uuid != NULL || becomes_base) && !vhd_write_footers(image, vhd, error))
        return false;
    if (change->parent == NULL || vhd_is_fixed(vhd))
        return true;
    vhd->header.parent = *change->parent;
    return image_sync(image, error) && write_header(image, vhd, error);
}

/* --- growing --- */

/* A longer table goes behind the last block; nothing refers to it until the header does. */
static bool
move_table(Image *image, VhdState *vhd, uint32_t blocks, GError **error)
{
    const uint64_t position = vhd->next, size = (blocks * 4ull + 511) / 512 * 512;
    g_autofree uint8_t *last = g_malloc(VHD_FOOTER_SIZE);

    if (position + size + VHD_FOOTER_SIZE > vhd->file_end) {
        image->unsynced = true;
        if (!image_io_truncate(image->io, position + size + VHD_FOOTER_SIZE, error))
            return false;
        vhd->file_end = position + size + VHD_FOOTER_SIZE;
    }
    if (!image_map_grow(&vhd->table, image, blocks, VHD_BLOCK_FREE, error))
        return false;
    vhd->table.position = position;
    for (uint32_t block = 0; block < blocks; block++)
        image_map_set(&vhd->table, block, vhd->table.entries[block]);
    memset(last, 0xff, VHD_FOOTER_SIZE); /* the sector that the table's end lies in */
    if (!image_put(image, position + size - 512, last, 512, error) ||
        !image_map_write(&vhd->table, image, error) ||
        !image_put(image, vhd->file_end - VHD_FOOTER_SIZE, vhd->raw_footer, VHD_FOOTER_SIZE,
                   error) ||
        !image_sync(image, error))
        return false;
    image_map_written(&vhd->table);
    vhd->header.table_offset = position;
    vhd->header.blocks = blocks;
    vhd->next = position + size;
    return write_header(image, vhd, error) && image_sync(image, error);
}

/* What lies behind the old end in its block was never shown, and may be anything. */
static bool
clear_tail(Image *image, VhdState *vhd, GError **error)
{
    const uint32_t within = (uint32_t)(image->capacity & (vhd->header.block_size - 1));
    const uint32_t block = (uint32_t)((image->capacity - 1) / vhd->header.block_size);
    g_autofree uint8_t *zeros = NULL;

    if (within == 0 || vhd->table.entries[block] == VHD_BLOCK_FREE)
        return true;
    zeros = g_malloc0(vhd->header.block_size - within);
    return image_put(image, vhd_block_position(vhd, block) + vhd->bitmap_size + within, zeros,
                     vhd->header.block_size - within, error);
}

static bool
grow(Image *image, VhdState *vhd, uint64_t capacity, GError **error)
{
    const uint32_t blocks = (uint32_t)((capacity - 1) / vhd->header.block_size + 1);

    if (!clear_tail(image, vhd, error) ||
        (blocks > vhd->header.blocks && !move_table(image, vhd, blocks, error)))
        return false;
    vhd->footer.capacity = capacity;
    vhd->footer.geometry = vhd_geometry_of(capacity);
    if (!image_sync(image, error) || !vhd_write_footers(image, vhd, error))
        return false;
    image->capacity = capacity;
    return true;
}

bool
vhd_resize(Image *image, uint64_t capacity, const ImageProgressSink *sink, GError **error)
{
    VhdState *vhd = image->state;

    if (capacity > VHD_MAX_CAPACITY) {
        g_set_error_literal(error, BASE_ERROR, BASE_ERROR_INVALID,
                            "A VHD image can't be larger than 2040 GB.");
        return false;
    }
    if (vhd_is_fixed(vhd) ? vhd_resize_fixed(image, capacity, sink, error)
                          : grow(image, vhd, capacity, error))
        return true;
    /* Memory has gone ahead of the file, which is as it was: nothing more may be written. */
    image->writable = false;
    return false;
}
