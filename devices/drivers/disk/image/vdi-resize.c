/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Making a VDI image larger. The sector with the header says how long the map is, where it is and
 * where the data begins, so everything is prepared where the old header does not look, synced, and
 * the header comes last. When the map has no room before the data, the first blocks move to the end
 * of the file and a new map takes their place. */
#include "devices/drivers/disk/image/vdi-private.h"
#include "vmm/base/error.h"

static uint32_t
blocks_for(const VdiState *vdi, uint64_t capacity)
{
    return (uint32_t)((capacity - 1) / vdi->header.block_size + 1);
}

static bool
check_size(const Image *image, const VdiState *vdi, uint64_t capacity, GError **error)
{
    if ((capacity - 1) / vdi->header.block_size < VDI_MAX_BLOCKS)
        return true;
    g_set_error(error, BASE_ERROR, BASE_ERROR_INVALID, "“%s” can't become larger than %u TiB.",
                image->io->name,
                (unsigned)((uint64_t)VDI_MAX_BLOCKS * vdi->header.block_size >> 40));
    return false;
}

/* What lies behind the old end in its block was never shown, and may be anything. */
static bool
clear_tail(Image *image, const VdiState *vdi, GError **error)
{
    const VdiHeader *header = &vdi->header;
    const uint32_t within = (uint32_t)(image->capacity & (header->block_size - 1));
    const uint32_t block = (uint32_t)((image->capacity - 1) / header->block_size);
    g_autofree uint8_t *zeros = NULL;

    if (within == 0 || !vdi_is_allocated(vdi->map.entries[block]))
        return true;
    zeros = g_malloc0(header->block_size - within);
    return image_put(image, vdi_block_position(header, vdi->map.entries[block]) + within, zeros,
                     header->block_size - within, error);
}

/* Room for the new blocks of a fixed image, behind all others. */
static bool
reserve_blocks(Image *image, VdiState *vdi, uint32_t count, const ImageProgressSink *sink,
               GError **error)
{
    const uint64_t stride = vdi_block_stride(&vdi->header);
    const uint64_t start = vdi->header.data_offset + vdi->next * stride;

    image->unsynced = true;
    if (!image_reserve(image->io, start, count * stride, sink, error))
        return false;
    vdi->file_end = MAX(vdi->file_end, start + count * stride);
    return true;
}

/* Leaves no block in the first `count` places of the data area. */
static bool
move_first_blocks(Image *image, VdiState *vdi, uint32_t count, GError **error)
{
    g_autofree uint8_t *buffer = g_malloc(vdi->header.block_size);
    const VdiHeader *header = &vdi->header;

    vdi->next = MAX(vdi->next, count);
    for (uint32_t block = 0; block < header->blocks; block++) {
        const uint32_t from = vdi->map.entries[block];

        if (!vdi_is_allocated(from) || from >= count)
            continue;
        if (!image_io_read(image->io, vdi_block_position(header, from), buffer, header->block_size,
                           error) ||
            !image_put(image, vdi_block_position(header, vdi->next), buffer, header->block_size,
                       error))
            return false;
        image_map_set(&vdi->map, block, vdi->next++);
        vdi->pending++;
    }
    vdi->file_end = MAX(vdi->file_end, vdi_block_position(header, vdi->next));
    return vdi_flush(image, error);
}

/* Puts the map where the first `count` blocks were; they count from behind it then. */
static bool
move_map(Image *image, VdiState *vdi, uint32_t count, GError **error)
{
    VdiHeader *header = &vdi->header;

    header->map_offset = header->data_offset;
    header->data_offset += (uint32_t)(count * vdi_block_stride(header));
    vdi->map.position = header->map_offset;
    for (uint32_t block = 0; block < vdi->map.count; block++) {
        const uint32_t entry = vdi->map.entries[block];

        image_map_set(&vdi->map, block, vdi_is_allocated(entry) ? entry - count : entry);
    }
    vdi->next -= count;
    if (vdi->file_end >= header->data_offset)
        return true;
    image->unsynced = true;
    vdi->file_end = header->data_offset;
    return image_io_truncate(image->io, vdi->file_end, error);
}

/* So many blocks have to give way to a map of that length; 0: it has room. */
static uint32_t
blocks_in_the_way(const VdiState *vdi, uint32_t blocks)
{
    const uint64_t stride = vdi_block_stride(&vdi->header);

    if (vdi->header.map_offset + 4ull * blocks <= vdi->header.data_offset)
        return 0;
    return (uint32_t)((4ull * blocks + stride - 1) / stride);
}

static bool
lengthen_map(Image *image, VdiState *vdi, uint32_t blocks, const ImageProgressSink *sink,
             GError **error)
{
    const uint32_t old = vdi->header.blocks, in_the_way = blocks_in_the_way(vdi, blocks);
    const bool fixed = vdi->header.type == VDI_TYPE_FIXED;

    if (in_the_way > 0 && (!move_first_blocks(image, vdi, in_the_way, error)))
        return false;
    if (fixed && !reserve_blocks(image, vdi, blocks - old, sink, error))
        return false;
    if (!image_map_grow(&vdi->map, image, blocks, VDI_BLOCK_FREE, error) ||
        (in_the_way > 0 && !move_map(image, vdi, in_the_way, error)))
        return false;
    for (uint32_t block = old; fixed && block < blocks; block++)
        image_map_set(&vdi->map, block, vdi->next++);
    if (!image_map_write(&vdi->map, image, error))
        return false;
    image_map_written(&vdi->map);
    vdi->header.blocks = blocks;
    return true;
}

static bool
resize(Image *image, VdiState *vdi, uint64_t capacity, const ImageProgressSink *sink,
       GError **error)
{
    const uint32_t blocks = blocks_for(vdi, capacity);

    if (!clear_tail(image, vdi, error) ||
        (blocks > vdi->header.blocks && !lengthen_map(image, vdi, blocks, sink, error)))
        return false;
    vdi->header.capacity = capacity;
    vdi->header.lchs = image_guess_lchs(capacity);
    if (!vdi_map_recount(image, vdi, error) || !image_sync(image, error) ||
        !vdi_write_header(image, vdi, error) || !image_sync(image, error))
        return false;
    image->capacity = capacity;
    return true;
}

bool
vdi_resize(Image *image, uint64_t capacity, const ImageProgressSink *sink, GError **error)
{
    VdiState *vdi = image->state;

    if (!check_size(image, vdi, capacity, error))
        return false;
    if (resize(image, vdi, capacity, sink, error))
        return true;
    /* Memory has gone ahead of the file, which is as it was: nothing more may be written. */
    image->writable = false;
    return false;
}
