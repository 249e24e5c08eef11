/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Writing to a VHD file so that it survives a loss of power at any moment:
 *
 *  - a new block goes behind the last one, over the footer, and with a new footer behind it; the
 *    copy of the footer at the start of the file serves when the cut loses that one;
 *  - the table and the sector bitmaps change in memory only;
 *  - a flush syncs the data, then writes bitmaps and table, and syncs again.
 *
 * So nothing on the disk refers to data that is not there yet. */
#include <string.h>

#include "devices/drivers/disk/image/vhd-private.h"
#include "vmm/base/error.h"

/* Without a flush by the guest, so many new blocks may be lost when the process is killed. */
#define PENDING_BLOCKS_MAX 32

/* Extends the file first: the footer's place is then never seen with a guest's data in it. */
static bool
make_room(Image *image, VhdState *vhd, uint64_t end, GError **error)
{
    image->unsynced = true;
    if (end + VHD_FOOTER_SIZE > vhd->file_end) {
        if (!image_io_truncate(image->io, end + VHD_FOOTER_SIZE, error))
            return false;
        vhd->file_end = end + VHD_FOOTER_SIZE;
    }
    return image_put(image, end, vhd->raw_footer, VHD_FOOTER_SIZE, error);
}

/* The whole block with its bitmap in one write: what the chain below has, and the new part. */
static bool
append_block(Image *image, VhdState *vhd, uint32_t block, uint32_t within, const void *buffer,
             uint32_t length, GError **error)
{
    uint32_t block_size = vhd->header.block_size;
    uint64_t block_start = (uint64_t)block * block_size;
    uint64_t below = MIN(block_size, image->capacity - block_start);
    g_autofree uint8_t *whole = g_malloc0((size_t)vhd->bitmap_size + block_size);
    uint8_t *data = whole + vhd->bitmap_size;

    memset(whole, 0xff, vhd->bitmap_size);
    if (image_has_parent(image) && !image_read_below(image, block_start, data, below, error))
        return false;
    memcpy(data + within, buffer, length);
    return make_room(image, vhd, vhd->next + vhd->bitmap_size + block_size, error) &&
           image_put(image, vhd->next, whole, (size_t)vhd->bitmap_size + block_size, error);
}

static bool
allocate_block(Image *image, VhdState *vhd, uint32_t block, uint32_t within, const void *buffer,
               uint32_t length, GError **error)
{
    if (vhd->next / 512 >= VHD_BLOCK_FREE) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_NO_SPACE, "“%s” has no room for more blocks.",
                    image->io->name);
        return false;
    }
    if (!append_block(image, vhd, block, within, buffer, length, error))
        return false;
    image_map_set(&vhd->table, block, (uint32_t)(vhd->next / 512));
    vhd_bitmap_set_full(vhd, block);
    vhd->next += vhd->bitmap_size + (uint64_t)vhd->header.block_size;
    vhd->used++;
    vhd->pending++;
    return true;
}

/* The sectors at both ends of a write that are not here yet and are written in part are filled up
 * from below first. */
static bool
fill_sector(Image *image, VhdState *vhd, VhdBitmap *bitmap, uint32_t block, uint32_t within,
            GError **error)
{
    uint64_t start = (uint64_t)block * vhd->header.block_size + within / 512 * 512;
    uint8_t sector[512] = {0};
    bool present;

    /* A write that ends with the block has no sector behind it. */
    if (within % 512 == 0)
        return true;
    vhd_bitmap_run(bitmap, within / 512, 1, &present);
    if (present)
        return true;
    if (image_has_parent(image) && !image_read_below(image, start, sector, 512, error))
        return false;
    return image_put(image, vhd_block_position(vhd, block) + vhd->bitmap_size + within / 512 * 512,
                     sector, 512, error);
}

static bool
write_in_block(Image *image, VhdState *vhd, uint32_t block, uint32_t within, const void *buffer,
               uint32_t length, GError **error)
{
    VhdBitmap *bitmap;

    if (vhd->table.entries[block] == VHD_BLOCK_FREE) {
        if (!image_has_parent(image) && image_is_zero(buffer, length))
            return true;
        return allocate_block(image, vhd, block, within, buffer, length, error);
    }
    bitmap = vhd_bitmap_get(image, vhd, block, error);
    if (bitmap == NULL || !fill_sector(image, vhd, bitmap, block, within, error) ||
        !fill_sector(image, vhd, bitmap, block, within + length, error) ||
        !image_put(image, vhd_block_position(vhd, block) + vhd->bitmap_size + within, buffer,
                   length, error))
        return false;
    vhd_bitmap_mark(vhd, bitmap, within / 512, (within + length - 1) / 512);
    return true;
}

bool
vhd_write(Image *image, uint64_t offset, const void *buffer, size_t length, GError **error)
{
    VhdState *vhd = image->state;
    const uint8_t *bytes = buffer;

    if (vhd_is_fixed(vhd))
        return image_put(image, offset, buffer, length, error);
    while (length > 0) {
        uint32_t within = (uint32_t)(offset & (vhd->header.block_size - 1));
        uint32_t part = (uint32_t)MIN(length, vhd->header.block_size - within);

        if (!write_in_block(image, vhd, (uint32_t)(offset / vhd->header.block_size), within, bytes,
                            part, error))
            return false;
        bytes += part;
        offset += part;
        length -= part;
    }
    return vhd->pending < PENDING_BLOCKS_MAX || vhd_flush(image, error);
}

bool
vhd_flush(Image *image, GError **error)
{
    VhdState *vhd = image->state;

    if (!image_sync(image, error))
        return false;
    if (vhd_is_fixed(vhd) || (vhd->pending == 0 && vhd->dirty_count == 0))
        return true;
    if (!vhd_bitmaps_write(image, vhd, error) || !image_map_write(&vhd->table, image, error) ||
        !image_sync(image, error))
        return false;
    image_map_written(&vhd->table);
    vhd->pending = 0;
    return true;
}
