/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Compacting a dynamic or differencing VHD file: blocks of zeros leave the table of a base image,
 * then blocks from the end of the file move to where there is room for one, then the file is cut. A
 * block is copied and synced before the table follows it. The footer at the new end is there before
 * the file becomes shorter; its copy at the start serves meanwhile. */
#include "devices/drivers/disk/image/image-pack.h"
#include "devices/drivers/disk/image/vhd-private.h"
#include "vmm/base/error.h"

/* Finding zeros is that share of the work. */
#define ZEROS_SHARE 0.6

static uint64_t
stride_of(const VhdState *vhd)
{
    return vhd->bitmap_size + (uint64_t)vhd->header.block_size;
}

/* In a differencing image zeros hide what the parent has. */
static bool
drop_zero_blocks(Image *image, VhdState *vhd, uint8_t *buffer, const ImageProgressSink *sink,
                 GError **error)
{
    for (uint32_t block = 0; block < vhd->header.blocks && !image_has_parent(image); block++) {
        if (!image_report(sink, ZEROS_SHARE * block / vhd->header.blocks, error))
            return false;
        if (vhd->table.entries[block] == VHD_BLOCK_FREE)
            continue;
        if (!image_io_read(image->io, vhd_block_position(vhd, block) + vhd->bitmap_size, buffer,
                           vhd->header.block_size, error))
            return false;
        if (!image_is_zero(buffer, vhd->header.block_size))
            continue;
        image_map_set(&vhd->table, block, VHD_BLOCK_FREE);
        g_hash_table_remove(vhd->bitmaps, GUINT_TO_POINTER(block));
        vhd->used--;
        vhd->pending++;
    }
    return vhd_flush(image, error);
}

/* All blocks that are there. */
static GArray *
collect_places(const VhdState *vhd)
{
    GArray *places = g_array_new(FALSE, FALSE, sizeof(ImagePlace));

    for (uint32_t block = 0; block < vhd->header.blocks; block++) {
        const ImagePlace place = {block, vhd->table.entries[block]};

        if (place.sector != VHD_BLOCK_FREE)
            g_array_append_val(places, place);
    }
    return places;
}

static bool
moved(Image *image, const ImagePlace *places, unsigned count, GError **error)
{
    VhdState *vhd = image->state;

    for (unsigned i = 0; i < count; i++)
        image_map_set(&vhd->table, places[i].block, places[i].sector);
    vhd->pending += count;
    return vhd_flush(image, error);
}

static uint64_t
table_end(const VhdState *vhd)
{
    return (vhd->header.table_offset + vhd->header.blocks * 4ull + 511) / 512 * 512;
}

/* Behind the header and all names of the parent. */
static uint64_t
header_end(const VhdState *vhd)
{
    return MAX(vhd->footer.data_offset + VHD_HEADER_SIZE,
               (vhd->header.locators_end + 511) / 512 * 512);
}

static bool
close_gaps(Image *image, const VhdState *vhd, const ImageProgressSink *sink, GError **error)
{
    const ImageTaken table = {vhd->header.table_offset, table_end(vhd)};
    g_autoptr(GArray) places = collect_places(vhd);
    g_autoptr(GArray) taken = g_array_new(FALSE, FALSE, sizeof(ImageTaken));
    const ImagePacking packing = {
        .stride = stride_of(vhd),
        .first = header_end(vhd),
        .places = places,
        .taken = taken,
        .moved = moved,
    };

    g_array_append_val(taken, table);
    return image_pack(image, &packing, ZEROS_SHARE, sink, error);
}

/* Behind the last block or what else is last. */
static uint64_t
find_end(const VhdState *vhd)
{
    uint64_t end = MAX(header_end(vhd), table_end(vhd));

    for (uint32_t block = 0; block < vhd->header.blocks; block++) {
        if (vhd->table.entries[block] != VHD_BLOCK_FREE)
            end = MAX(end, vhd_block_position(vhd, block) + stride_of(vhd));
    }
    return end;
}

static bool
cut_file(Image *image, VhdState *vhd, GError **error)
{
    vhd->next = find_end(vhd);
    if (vhd->next + VHD_FOOTER_SIZE >= vhd->file_end)
        return true;
    if (!image_put(image, vhd->next, vhd->raw_footer, VHD_FOOTER_SIZE, error) ||
        !image_sync(image, error))
        return false;
    image->unsynced = true;
    vhd->file_end = vhd->next + VHD_FOOTER_SIZE;
    return image_io_truncate(image->io, vhd->file_end, error);
}

bool
vhd_compact(Image *image, const ImageProgressSink *sink, GError **error)
{
    VhdState *vhd = image->state;
    g_autofree uint8_t *buffer = NULL;

    if (vhd_is_fixed(vhd))
        return image_refuse_fixed(image, error);
    buffer = g_malloc(stride_of(vhd));
    return drop_zero_blocks(image, vhd, buffer, sink, error) &&
           close_gaps(image, vhd, sink, error) && cut_file(image, vhd, error);
}
