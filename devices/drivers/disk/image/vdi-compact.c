/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Compacting a VDI file: blocks of zeros leave the map, then blocks from the end of the file fill
 * the gaps, then the file is cut. A block is copied to where nothing refers to, and synced, before
 * the map follows it; so whatever a cut leaves is an image with the same content. The gaps are
 * closed at the end of a session that made some, too: other programs count blocks by them. */
#include "devices/drivers/disk/image/vdi-private.h"
#include "vmm/base/error.h"

/* So many blocks are copied between two syncs. */
#define BATCH 32u
/* Finding zeros is that share of the work, moving blocks the rest. */
#define ZEROS_SHARE 0.6

/* What a machine that is powered off waits for; more is left to who asks for compacting, and until
 * then the gaps belong to blocks of zeros. */
#define SETTLE_BYTES_MAX ((uint64_t)2 << 30)

#define NOBODY G_MAXUINT32

typedef struct {
    uint32_t block;
    uint32_t to;
} Move;

static bool
drop_zero_blocks(Image *image, VdiState *vdi, uint8_t *buffer, const ImageProgressSink *sink,
                 GError **error)
{
    for (uint32_t block = 0; block < vdi->header.blocks; block++) {
        const uint32_t entry = vdi->map.entries[block];

        if (!image_report(sink, ZEROS_SHARE * block / vdi->header.blocks, error))
            return false;
        if (!vdi_is_allocated(entry))
            continue;
        if (!image_io_read(image->io, vdi_block_position(&vdi->header, entry), buffer,
                           vdi->header.block_size, error))
            return false;
        if (image_is_zero(buffer, vdi->header.block_size))
            vdi_free_block(image, vdi, block);
    }
    return vdi_flush(image, error);
}

static bool
copy_block(Image *image, const VdiState *vdi, uint32_t from, uint32_t to, uint8_t *buffer,
           GError **error)
{
    const VdiHeader *header = &vdi->header;

    return image_io_read(image->io, vdi_block_position(header, from), buffer, header->block_size,
                         error) &&
           image_put(image, vdi_block_position(header, to), buffer, header->block_size, error);
}

static bool
finish_batch(Image *image, VdiState *vdi, const Move *moves, unsigned count, GError **error)
{
    if (count == 0)
        return true;
    if (!image_sync(image, error))
        return false;
    for (unsigned i = 0; i < count; i++)
        image_map_set(&vdi->map, moves[i].block, moves[i].to);
    vdi->pending += count;
    return vdi_flush(image, error);
}

/* owners: by index in the file, the block that lies there. */
static bool
close_gaps(Image *image, VdiState *vdi, const uint32_t *owners, uint8_t *buffer,
           const ImageProgressSink *sink, GError **error)
{
    const uint32_t indices = vdi->next;
    uint32_t low = 0, high = indices;
    Move moves[BATCH];
    unsigned count = 0;

    for (;; low++, high--) {
        while (low < high && owners[low] != NOBODY)
            low++;
        while (high > low && owners[high - 1] == NOBODY)
            high--;
        if (low >= high)
            break;
        if (!copy_block(image, vdi, high - 1, low, buffer, error))
            return false;
        moves[count++] = (Move){owners[high - 1], low};
        if (count < BATCH)
            continue;
        if (!finish_batch(image, vdi, moves, count, error) ||
            !image_report(sink, 1.0 - (1.0 - ZEROS_SHARE) * (double)(high - low) / (double)indices,
                          error))
            return false;
        count = 0;
    }
    return finish_batch(image, vdi, moves, count, error);
}

static uint32_t *
find_owners(const Image *image, const VdiState *vdi, GError **error)
{
    uint32_t *owners = g_try_malloc_n(MAX(vdi->next, 1), sizeof *owners);

    if (owners == NULL) {
        image_refuse(error, BASE_ERROR_NO_MEMORY, image->io->name,
                     "there is not enough memory for a table of its blocks");
        return NULL;
    }
    for (uint32_t index = 0; index < vdi->next; index++)
        owners[index] = NOBODY;
    for (uint32_t block = 0; block < vdi->header.blocks; block++) {
        if (vdi_is_allocated(vdi->map.entries[block]))
            owners[vdi->map.entries[block]] = block;
    }
    return owners;
}

static bool
cut_file(Image *image, VdiState *vdi, GError **error)
{
    const uint64_t end = vdi->header.data_offset + vdi->next * vdi_block_stride(&vdi->header);

    if (vdi->file_end > end) {
        image->unsynced = true;
        if (!image_io_truncate(image->io, end, error))
            return false;
        vdi->file_end = end;
    }
    vdi->trailing = 0;
    return vdi_write_header(image, vdi, error);
}

bool
vdi_compact(Image *image, const ImageProgressSink *sink, GError **error)
{
    VdiState *vdi = image->state;
    g_autofree uint8_t *buffer = g_malloc(vdi->header.block_size);
    g_autofree uint32_t *owners = NULL;
    bool ok;

    if (vdi->header.type == VDI_TYPE_FIXED)
        return image_refuse_fixed(image, error);
    if (!drop_zero_blocks(image, vdi, buffer, sink, error))
        return false;
    owners = find_owners(image, vdi, error);
    if (owners == NULL)
        return false;
    ok = close_gaps(image, vdi, owners, buffer, sink, error);
    /* Also when it was cancelled: the gaps are others now. */
    return vdi_map_recount(image, vdi, ok ? error : NULL) && ok && cut_file(image, vdi, error);
}

/* How many blocks have to move: those in use behind as many as are used. */
static uint32_t
count_moves(const VdiState *vdi)
{
    uint32_t count = 0;

    for (uint32_t block = 0; block < vdi->header.blocks; block++) {
        const uint32_t entry = vdi->map.entries[block];

        count += vdi_is_allocated(entry) && entry >= vdi->used;
    }
    return count;
}

/* The host's disk may be full: a block that moves takes room for a moment. */
static bool
move_blocks(Image *image, VdiState *vdi, GError **error)
{
    g_autofree uint8_t *buffer = g_malloc(vdi->header.block_size);
    g_autofree uint32_t *owners = find_owners(image, vdi, error);
    const ImageProgressSink nobody = {0};

    return owners != NULL && close_gaps(image, vdi, owners, buffer, &nobody, error);
}

bool
vdi_settle(Image *image, GError **error)
{
    VdiState *vdi = image->state;
    g_autoptr(GError) local = NULL;

    if (vdi->header.type == VDI_TYPE_FIXED || vdi->gaps->len == 0)
        return true;
    if (count_moves(vdi) * vdi_block_stride(&vdi->header) > SETTLE_BYTES_MAX)
        return vdi_freeze(image, error);
    move_blocks(image, vdi, &local);
    if (!vdi_map_recount(image, vdi, error) || !cut_file(image, vdi, error) ||
        !image_sync(image, error))
        return false;
    if (local == NULL || g_error_matches(local, BASE_ERROR, BASE_ERROR_NO_SPACE))
        return true;
    g_propagate_error(error, g_steal_pointer(&local));
    return false;
}
