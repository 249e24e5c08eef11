/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Compacting a dynamic or differencing VHD file: blocks of zeros leave the table of a base image,
 * then blocks from the end of the file move to where there is room for one, then the file is cut. A
 * block is copied and synced before the table follows it. The footer at the new end is there before
 * the file becomes shorter; its copy at the start serves meanwhile. */
#include <stdlib.h>

#include "devices/drivers/disk/image/vhd-private.h"
#include "vmm/base/error.h"

/* So many blocks are copied between two syncs. */
#define BATCH 16u
/* Finding zeros is that share of the work. */
#define ZEROS_SHARE 0.6

typedef struct {
    uint32_t block;
    uint32_t sector; /* where it lies */
} Place;

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

static int
compare_places(const void *a, const void *b)
{
    const Place *left = a, *right = b;

    return left->sector < right->sector ? -1 : left->sector > right->sector;
}

/* All blocks that are there, by where they lie. */
static Place *
collect_places(const VhdState *vhd)
{
    Place *places = g_new(Place, MAX(vhd->used, 1));
    uint32_t count = 0;

    for (uint32_t block = 0; block < vhd->header.blocks; block++) {
        if (vhd->table.entries[block] != VHD_BLOCK_FREE)
            places[count++] = (Place){block, vhd->table.entries[block]};
    }
    qsort(places, count, sizeof *places, compare_places);
    return places;
}

/* If a block at *position would lie over the table, *position moves behind that. */
static bool
skip_metadata(const VhdState *vhd, uint64_t *position, uint64_t length)
{
    const uint64_t table = vhd->header.table_offset;
    const uint64_t table_end = (table + vhd->header.blocks * 4ull + 511) / 512 * 512;

    if (*position >= table_end || table >= *position + length)
        return false;
    *position = table_end;
    return true;
}

/* The first place from *position on where a block has room before what lies at places[*next]. */
static bool
find_room(const VhdState *vhd, const Place *places, uint32_t count, uint32_t *next,
          uint64_t *position)
{
    const uint64_t stride = stride_of(vhd);

    while (*next < count) {
        if (skip_metadata(vhd, position, stride))
            continue;
        if (*position + stride <= places[*next].sector * 512ull)
            return true;
        *position = MAX(*position, places[*next].sector * 512ull + stride);
        (*next)++;
    }
    return false;
}

static bool
copy_block(Image *image, const VhdState *vhd, uint64_t from, uint64_t to, uint8_t *buffer,
           GError **error)
{
    return image_io_read(image->io, from, buffer, stride_of(vhd), error) &&
           image_put(image, to, buffer, stride_of(vhd), error);
}

static bool
finish_batch(Image *image, VhdState *vhd, const Place *moved, unsigned count, GError **error)
{
    if (count == 0)
        return true;
    if (!image_sync(image, error))
        return false;
    for (unsigned i = 0; i < count; i++)
        image_map_set(&vhd->table, moved[i].block, moved[i].sector);
    vhd->pending += count;
    return vhd_flush(image, error);
}

/* *last is how many of the places stay: the others were moved to before them. */
static bool
close_gaps(Image *image, VhdState *vhd, const Place *places, uint32_t *last, uint8_t *buffer,
           const ImageProgressSink *sink, GError **error)
{
    uint64_t position = MAX(vhd->footer.data_offset + VHD_HEADER_SIZE,
                            (vhd->header.locators_end + 511) / 512 * 512);
    uint32_t next = 0;
    Place moved[BATCH];
    unsigned count = 0;

    for (*last = vhd->used; find_room(vhd, places, *last, &next, &position);) {
        const Place from = places[*last - 1];

        if (!copy_block(image, vhd, from.sector * 512ull, position, buffer, error))
            return false;
        moved[count++] = (Place){from.block, (uint32_t)(position / 512)};
        position += stride_of(vhd);
        (*last)--;
        if (count < BATCH)
            continue;
        if (!finish_batch(image, vhd, moved, count, error) ||
            !image_report(sink, 1.0 - (1.0 - ZEROS_SHARE) * *last / vhd->used, error))
            return false;
        count = 0;
    }
    return finish_batch(image, vhd, moved, count, error);
}

/* Behind the last block or what else is last. */
static uint64_t
find_end(const VhdState *vhd)
{
    uint64_t end = MAX(vhd->footer.data_offset + VHD_HEADER_SIZE,
                       (vhd->header.locators_end + 511) / 512 * 512);

    end = MAX(end, (vhd->header.table_offset + vhd->header.blocks * 4ull + 511) / 512 * 512);
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
    g_autofree Place *places = NULL;
    uint32_t last;

    if (vhd_is_fixed(vhd))
        return image_refuse(error, BASE_ERROR_NOT_SUPPORTED, image->io->name,
                            "it is a fixed image, which keeps its room. Clone it to a dynamic one "
                            "instead");
    buffer = g_malloc(stride_of(vhd));
    if (!drop_zero_blocks(image, vhd, buffer, sink, error))
        return false;
    places = collect_places(vhd);
    return close_gaps(image, vhd, places, &last, buffer, sink, error) &&
           cut_file(image, vhd, error);
}
