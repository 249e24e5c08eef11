/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Writing to a VDI file so that it survives a loss of power at any moment:
 *
 *  - before the first write of a session the header gets a new modification UUID, and is synced;
 *  - data goes to its block at once; a new block is only entered in the map in memory;
 *  - a flush syncs the data, then writes the changed part of the map and the header, and syncs
 * again.
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
    return vdi->gaps->len > 0 ? vdi->next : vdi->used;
}

static bool
write_header(Image *image, VdiState *vdi, GError **error)
{
    vdi->header.blocks_allocated = count_for_header(vdi);
    vdi_header_encode(&vdi->header, vdi->raw_header);
    return image_put(image, 0, vdi->raw_header, VDI_HEADER_SIZE, error);
}

static bool
start_session(Image *image, VdiState *vdi, GError **error)
{
    uint64_t end = vdi->header.data_offset + vdi->next * vdi_block_stride(&vdi->header);

    image_uuid_generate(&vdi->header.modification);
    if (!write_header(image, vdi, error) || !image_sync(image, error))
        return false;
    if (vdi->file_end > end) {
        image->unsynced = true;
        if (!image_io_truncate(image->io, end, error))
            return false;
        vdi->file_end = end;
        vdi->trailing = 0;
    }
    vdi->started = true;
    return true;
}

/* Writes a part of a new block at index, with the rest of the block as the chain below has it. */
static bool
fill_block(Image *image, VdiState *vdi, uint32_t index, uint64_t block_start, uint32_t within,
           const void *buffer, uint32_t length, GError **error)
{
    uint32_t block_size = vdi->header.block_size;
    g_autofree uint8_t *whole = g_malloc0(block_size);
    uint64_t below = MIN(block_size, image->capacity - block_start);

    if (image->parent != NULL && !image_read_below(image, block_start, whole, below, error))
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
    uint64_t block_start = (uint64_t)block * vdi->header.block_size;
    bool from_gap = vdi->gaps->len > 0;
    uint32_t index = from_gap ? g_array_index(vdi->gaps, uint32_t, vdi->gaps->len - 1) : vdi->next;

    if (index >= VDI_BLOCK_ZERO) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_NO_SPACE, "“%s” has no room for more blocks.",
                    image->io->name);
        return false;
    }
    if (from_gap || image->parent != NULL) {
        if (!fill_block(image, vdi, index, block_start, within, buffer, length, error))
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

static bool
write_in_block(Image *image, VdiState *vdi, uint32_t block, uint32_t within, const void *buffer,
               uint32_t length, GError **error)
{
    uint32_t entry = vdi->map.entries[block];

    if (vdi_is_allocated(entry))
        return image_put(image, vdi_block_position(&vdi->header, entry) + within, buffer, length,
                         error);
    if ((entry == VDI_BLOCK_ZERO || image->parent == NULL) && image_is_zero(buffer, length))
        return true;
    return allocate_block(image, vdi, block, within, buffer, length, error);
}

bool
vdi_write(Image *image, uint64_t offset, const void *buffer, size_t length, GError **error)
{
    VdiState *vdi = image->state;
    uint32_t block_size = vdi->header.block_size;
    const uint8_t *bytes = buffer;

    if (!vdi->started && !start_session(image, vdi, error))
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

bool
vdi_flush(Image *image, GError **error)
{
    VdiState *vdi = image->state;

    if (!image_sync(image, error))
        return false;
    if (vdi->pending == 0)
        return true;
    if (!image_map_write(&vdi->map, image, error) || !write_header(image, vdi, error) ||
        !image_sync(image, error))
        return false;
    image_map_written(&vdi->map);
    vdi->pending = 0;
    return true;
}
