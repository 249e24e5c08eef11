/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Writing to a VDI file so that it survives a loss of power at any moment:
 *
 *  - before the first write of a session the header gets a new modification UUID; it is durable
 * with the first flush, like what was written. Nothing is waited for, as no promise depends on it;
 *  - data goes to its block at once; a new block is only entered in the map in memory;
 *  - a flush syncs the data, then writes the changed part of the map and the header, and syncs
 *    again;
 *  - room that was freed is only used again after a flush, when no map on the disk refers to it.
 *
 * So the map on the disk never refers to a block whose content is not there yet. What a cut can
 * leave behind is room that nothing refers to, and a header whose count of blocks lags; both are
 * found and put right when the image is next opened and written to. */
#include <string.h>

#include "devices/drivers/disk/image/vdi-private.h"
#include "vmm/base/error.h"

/* Without a flush by the guest, so many new blocks may be lost when the process is killed. */
#define PENDING_BLOCKS_MAX 64

/* A program that appends at the header's count must not hit a block in use, so gaps count too. */
static uint32_t
count_for_header(const VdiState *vdi)
{
    return vdi->gaps->len + vdi->freed->len > 0 ? vdi->next : vdi->used;
}

bool
vdi_write_header(Image *image, VdiState *vdi, GError **error)
{
    vdi->header.blocks_allocated = count_for_header(vdi);
    vdi_header_encode(&vdi->header, vdi->raw_header);
    return image_put(image, 0, vdi->raw_header, VDI_HEADER_SIZE, error);
}

static bool
start_session(Image *image, VdiState *vdi, GError **error)
{
    uint64_t end = vdi->header.data_offset + vdi->next * vdi_block_stride(&vdi->header);

    if (!image->keeps_modification)
        image_uuid_generate(&vdi->header.modification);
    if (!vdi_write_header(image, vdi, error))
        return false;
    if (vdi->file_end > end) {
        image->unsynced = true;
        if (!image_io_truncate(image->io, end, error))
            return false;
        vdi->file_end = end;
        vdi->trailing = 0;
    }
    image->started = true;
    return true;
}

/* Writes a part of a new block at index, with the rest of the block as it read until now: zeros, or
 * what the chain below has. */
static bool
fill_block(Image *image, VdiState *vdi, uint32_t index, uint32_t block, uint32_t within,
           const void *buffer, uint32_t length, GError **error)
{
    uint32_t block_size = vdi->header.block_size;
    uint64_t block_start = (uint64_t)block * block_size;
    bool shows_parent = image_has_parent(image) && vdi->map.entries[block] == VDI_BLOCK_FREE;
    g_autofree uint8_t *whole = g_malloc0(block_size);
    uint64_t below = MIN(block_size, image->capacity - block_start);

    if (shows_parent && !image_read_below(image, block_start, whole, below, error))
        return false;
    memcpy(whole + within, buffer, length);
    return image_put(image, vdi_block_position(&vdi->header, index), whole, block_size, error);
}

/* At the end of the file a base image need not write the zeros around the data: extending does. */
static bool
append_block(Image *image, VdiState *vdi, uint32_t within, const void *buffer, uint32_t length,
             GError **error)
{
    uint64_t position = vdi_block_position(&vdi->header, vdi->next);
    uint64_t end = position + vdi->header.block_size;

    image->unsynced = true;
    if (!image_io_truncate(image->io, end, error))
        return false;
    if (!image_put(image, position + within, buffer, length, error)) {
        image_io_truncate(image->io, vdi->file_end, NULL);
        return false;
    }
    vdi->file_end = end;
    return true;
}

static bool
allocate_block(Image *image, VdiState *vdi, uint32_t block, uint32_t within, const void *buffer,
               uint32_t length, GError **error)
{
    bool from_gap = vdi->gaps->len > 0;
    uint32_t index = from_gap ? g_array_index(vdi->gaps, uint32_t, vdi->gaps->len - 1) : vdi->next;

    if (index >= VDI_BLOCK_ZERO) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_NO_SPACE, "“%s” has no room for more blocks.",
                    image->io->name);
        return false;
    }
    if (from_gap || image_has_parent(image)) {
        if (!fill_block(image, vdi, index, block, within, buffer, length, error))
            return false;
        vdi->file_end =
            MAX(vdi->file_end, vdi_block_position(&vdi->header, index) + vdi->header.block_size);
    } else if (!append_block(image, vdi, within, buffer, length, error)) {
        return false;
    }
    if (from_gap)
        g_array_set_size(vdi->gaps, vdi->gaps->len - 1);
    else
        vdi->next++;
    vdi->used++;
    vdi->pending++;
    image_map_set(&vdi->map, block, index);
    return true;
}

void
vdi_free_block(Image *image, VdiState *vdi, uint32_t block)
{
    const uint32_t entry = vdi->map.entries[block];

    if (vdi_is_allocated(entry)) {
        g_array_append_val(vdi->freed, entry);
        vdi->used--;
    }
    vdi->pending++;
    image_map_set(&vdi->map, block, image_has_parent(image) ? VDI_BLOCK_ZERO : VDI_BLOCK_FREE);
}

/* Whether a range within a block is all that the disk has of it. */
static bool
is_whole_block(const Image *image, const VdiState *vdi, uint32_t block, uint32_t within,
               uint64_t length)
{
    const uint64_t start = (uint64_t)block * vdi->header.block_size;

    return within == 0 && (length == vdi->header.block_size || start + length == image->capacity);
}

static bool
write_in_block(Image *image, VdiState *vdi, uint32_t block, uint32_t within, const void *buffer,
               uint32_t length, GError **error)
{
    uint32_t entry = vdi->map.entries[block];

    if (vdi_is_allocated(entry))
        return image_put(image, vdi_block_position(&vdi->header, entry) + within, buffer, length,
                         error);
    if ((entry == VDI_BLOCK_ZERO || !image_has_parent(image)) && image_is_zero(buffer, length))
        return true;
    if (is_whole_block(image, vdi, block, within, length) && image_is_zero(buffer, length)) {
        vdi_free_block(image, vdi, block);
        return true;
    }
    return allocate_block(image, vdi, block, within, buffer, length, error);
}

bool
vdi_write(Image *image, uint64_t offset, const void *buffer, size_t length, GError **error)
{
    VdiState *vdi = image->state;
    uint32_t block_size = vdi->header.block_size;
    const uint8_t *bytes = buffer;

    if (!image->started && !start_session(image, vdi, error))
        return false;
    while (length > 0) {
        uint32_t within = (uint32_t)(offset & (block_size - 1));
        uint32_t part = (uint32_t)MIN(length, block_size - within);

        if (!write_in_block(image, vdi, (uint32_t)(offset / block_size), within, bytes, part,
                            error))
            return false;
        bytes += part;
        offset += part;
        length -= part;
    }
    return vdi->pending < PENDING_BLOCKS_MAX || vdi_flush(image, error);
}

/* Nothing on the disk refers to what was freed: it can be used again, and until then the host has
 * it. */
static bool
reclaim(Image *image, VdiState *vdi, GError **error)
{
    for (guint i = 0; i < vdi->freed->len; i++) {
        const uint32_t index = g_array_index(vdi->freed, uint32_t, i);

        if (!image_punch(image, vdi_block_position(&vdi->header, index), vdi->header.block_size,
                         error))
            return false;
    }
    if (vdi->freed->len > 0)
        g_array_append_vals(vdi->gaps, vdi->freed->data, vdi->freed->len);
    g_array_set_size(vdi->freed, 0);
    return true;
}

bool
vdi_flush(Image *image, GError **error)
{
    VdiState *vdi = image->state;

    if (!image_sync(image, error))
        return false;
    if (vdi->pending == 0)
        return true;
    if (!image_map_write(&vdi->map, image, error) || !vdi_write_header(image, vdi, error) ||
        !image_sync(image, error))
        return false;
    image_map_written(&vdi->map);
    vdi->pending = 0;
    return reclaim(image, vdi, error);
}

/* --- discarding --- */

typedef bool (*BlockRange)(Image *image, VdiState *vdi, uint32_t block, uint32_t within,
                           uint32_t length, GError **error);

static bool
for_each_block(Image *image, uint64_t offset, uint64_t length, BlockRange function, GError **error)
{
    VdiState *vdi = image->state;
    const uint32_t block_size = vdi->header.block_size;

    if (!image->started && !start_session(image, vdi, error))
        return false;
    while (length > 0) {
        const uint32_t within = (uint32_t)(offset & (block_size - 1));
        const uint32_t part = (uint32_t)MIN(length, block_size - within);

        if (!function(image, vdi, (uint32_t)(offset / block_size), within, part, error))
            return false;
        offset += part;
        length -= part;
    }
    return vdi->pending < PENDING_BLOCKS_MAX || vdi_flush(image, error);
}

/* A fixed image keeps its room. */
static bool
discard_in_block(Image *image, VdiState *vdi, uint32_t block, uint32_t within, uint32_t length,
                 GError **error)
{
    if (vdi->header.type == VDI_TYPE_FIXED || !vdi_is_allocated(vdi->map.entries[block]))
        return true;
    if (!is_whole_block(image, vdi, block, within, length))
        return image_punch_data(image, (uint64_t)block * vdi->header.block_size + within, length,
                                error);
    vdi_free_block(image, vdi, block);
    return true;
}

bool
vdi_discard(Image *image, uint64_t offset, uint64_t length, GError **error)
{
    return for_each_block(image, offset, length, discard_in_block, error);
}

static bool
zero_in_block(Image *image, VdiState *vdi, uint32_t block, uint32_t within, uint32_t length,
              GError **error)
{
    g_autofree uint8_t *zeros = NULL;

    if (vdi->header.type != VDI_TYPE_FIXED && is_whole_block(image, vdi, block, within, length)) {
        if (vdi->map.entries[block] != VDI_BLOCK_ZERO)
            vdi_free_block(image, vdi, block);
        return true;
    }
    zeros = g_malloc0(length);
    return write_in_block(image, vdi, block, within, zeros, length, error);
}

bool
vdi_write_zeros(Image *image, uint64_t offset, uint64_t length, GError **error)
{
    return for_each_block(image, offset, length, zero_in_block, error);
}
