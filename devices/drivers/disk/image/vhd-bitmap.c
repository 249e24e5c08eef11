/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The sector bitmaps of a VHD file's blocks: bit set, most significant first, means that the sector
 * is here. Blocks that we make have all bits set; those of others may not. Read when they are
 * needed, kept in memory, written on a flush. */
#include <string.h>

#include "devices/drivers/disk/image/vhd-private.h"
#include "vmm/base/error.h"

/* So many are kept before those that need not be written are dropped. */
#define KEEP_MAX 4096u

static uint32_t
sectors_of(const VhdState *vhd)
{
    return vhd->header.block_size / 512;
}

static bool
is_full(const VhdBitmap *bitmap, uint32_t sectors)
{
    for (uint32_t i = 0; i < sectors / 8; i++) {
        if (bitmap->bits[i] != 0xff)
            return false;
    }
    return true; /* blocks have at least 8 sectors */
}

static gboolean
is_clean(gpointer block, gpointer bitmap, gpointer user)
{
    return !((VhdBitmap *)bitmap)->dirty;
}

static void
keep(VhdState *vhd, uint32_t block, VhdBitmap *bitmap)
{
    if (g_hash_table_size(vhd->bitmaps) >= KEEP_MAX)
        g_hash_table_foreach_remove(vhd->bitmaps, is_clean, NULL);
    g_hash_table_insert(vhd->bitmaps, GUINT_TO_POINTER(block), bitmap);
}

VhdBitmap *
vhd_bitmap_get(Image *image, VhdState *vhd, uint32_t block, GError **error)
{
    VhdBitmap *bitmap = g_hash_table_lookup(vhd->bitmaps, GUINT_TO_POINTER(block));

    if (bitmap != NULL)
        return bitmap;
    bitmap = g_malloc0(sizeof *bitmap + vhd->bitmap_size);
    if (!image_io_read(image->io, vhd_block_position(vhd, block), bitmap->bits, vhd->bitmap_size,
                       error)) {
        g_free(bitmap);
        return NULL;
    }
    bitmap->full = is_full(bitmap, sectors_of(vhd));
    keep(vhd, block, bitmap);
    return bitmap;
}

void
vhd_bitmap_set_full(VhdState *vhd, uint32_t block)
{
    VhdBitmap *bitmap = g_malloc0(sizeof *bitmap + vhd->bitmap_size);

    memset(bitmap->bits, 0xff, vhd->bitmap_size);
    bitmap->full = true;
    keep(vhd, block, bitmap);
}

void
vhd_bitmap_mark(VhdState *vhd, VhdBitmap *bitmap, uint32_t first, uint32_t last)
{
    if (bitmap->full)
        return;
    for (uint32_t sector = first; sector <= last; sector++)
        bitmap->bits[sector / 8] |= (uint8_t)(0x80u >> sector % 8);
    bitmap->full = is_full(bitmap, sectors_of(vhd));
    vhd->dirty_count += !bitmap->dirty;
    bitmap->dirty = true;
}

static bool
has_sector(const VhdBitmap *bitmap, uint32_t sector)
{
    return (bitmap->bits[sector / 8] & (0x80u >> sector % 8)) != 0;
}

uint32_t
vhd_bitmap_run(const VhdBitmap *bitmap, uint32_t first, uint32_t most, bool *present)
{
    uint32_t count = 1;

    *present = bitmap->full || has_sector(bitmap, first);
    if (bitmap->full)
        return most;
    while (count < most && has_sector(bitmap, first + count) == *present)
        count++;
    return count;
}

bool
vhd_bitmaps_write(Image *image, VhdState *vhd, GError **error)
{
    GHashTableIter iter;
    gpointer block, value;

    if (vhd->dirty_count == 0)
        return true;
    g_hash_table_iter_init(&iter, vhd->bitmaps);
    while (g_hash_table_iter_next(&iter, &block, &value)) {
        VhdBitmap *bitmap = value;

        if (!bitmap->dirty)
            continue;
        if (!image_put(image, vhd_block_position(vhd, GPOINTER_TO_UINT(block)), bitmap->bits,
                       vhd->bitmap_size, error))
            return false;
        bitmap->dirty = false;
        vhd->dirty_count--;
    }
    return true;
}
