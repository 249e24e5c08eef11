/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VHDX, the newer format of Hyper-V: fixed and dynamic images, read only. Microsoft's open
 * specification MS-VHDX. A log that was left behind is replayed in memory. Left out: writing, and
 * differencing images. */
#include "devices/drivers/disk/image/image-bytes.h"
#include "devices/drivers/disk/image/image-overlay.h"
#include "devices/drivers/disk/image/vhdx-private.h"
#include "vmm/base/error.h"

#define SIGNATURE "vhdxfile"
/* A block's entry: its state, and its position in MiB from bit 20 on. */
#define STATE_MASK 7u
#define POSITION_MASK (~(uint64_t)0xfffff)

typedef enum {
    BLOCK_NOT_PRESENT = 0,
    BLOCK_UNDEFINED = 1,
    BLOCK_ZERO = 2,
    BLOCK_UNMAPPED = 3,
    BLOCK_PRESENT = 6,
} BlockState;

static ImageProbe
vhdx_probe(const ImageProbeInput *input)
{
    return memcmp(input->head, SIGNATURE, 8) == 0 ? IMAGE_PROBE_CONTENT : IMAGE_PROBE_NO;
}

/* image->io is the file itself again by then. */
static void
free_state(VhdxState *vhdx)
{
    g_clear_pointer(&vhdx->overlay, image_overlay_peel);
    g_free(vhdx->blocks);
    g_free(vhdx);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VhdxState, free_state)

static bool
check_block(Image *image, VhdxState *vhdx, uint32_t block, uint64_t entry, GError **error)
{
    const uint64_t position = entry & POSITION_MASK, start = (uint64_t)block * vhdx->block_size;
    const uint64_t needed = MIN(vhdx->block_size, image->capacity - start);

    switch (entry & STATE_MASK) {
    case BLOCK_NOT_PRESENT:
    case BLOCK_UNDEFINED:
    case BLOCK_ZERO:
    case BLOCK_UNMAPPED: return true;
    case BLOCK_PRESENT: break;
    default:
        return image_refuse(error, BASE_ERROR_CORRUPT, image->io->name,
                            "a block has a state that none has");
    }
    if (position < VHDX_REGIONS_AT_LEAST)
        return image_refuse(error, BASE_ERROR_CORRUPT, image->io->name,
                            "a block lies in its metadata");
    if (position > vhdx->file_end || needed > vhdx->file_end - position)
        return image_refuse(error, BASE_ERROR_CORRUPT, image->io->name,
                            "a block lies past the end of the file");
    vhdx->blocks[block] = position;
    vhdx->used++;
    return true;
}

/* Behind the entries of so many blocks as a sector bitmap covers comes the entry of that bitmap.
 * Images without a parent have room for it and no bitmap. */
static bool
take_entries(Image *image, VhdxState *vhdx, const uint64_t *entries, GError **error)
{
    for (uint32_t block = 0; block < vhdx->block_count; block++) {
        const uint64_t entry = entries[block + block / vhdx->chunk];

        if (!check_block(image, vhdx, block, GUINT64_FROM_LE(entry), error))
            return false;
    }
    return true;
}

static bool
load_blocks(Image *image, VhdxState *vhdx, GError **error)
{
    const uint64_t count = vhdx->block_count + (vhdx->block_count - 1ull) / vhdx->chunk;
    g_autofree uint64_t *entries = NULL;

    if (count > vhdx->table.length / 8)
        return image_refuse(error, BASE_ERROR_CORRUPT, image->io->name,
                            "its block allocation table is too short for its size");
    entries = g_try_malloc_n(count, 8);
    vhdx->blocks = g_try_malloc0_n(vhdx->block_count, 8);
    if (entries == NULL || vhdx->blocks == NULL)
        return image_refuse(error, BASE_ERROR_NO_MEMORY, image->io->name,
                            "there is not enough memory for its block table");
    return image_io_read(image->io, vhdx->table.position, entries, count * 8, error) &&
           take_entries(image, vhdx, entries, error);
}

/* All that is behind the header is read as the log leaves it. */
static bool
load_rest(Image *image, VhdxState *vhdx, GError **error)
{
    ImageIo *file = image->io;
    bool ok;

    if (vhdx->overlay != NULL)
        image->io = vhdx->overlay;
    ok = vhdx_regions_load(image, vhdx, error) && vhdx_metadata_load(image, vhdx, error) &&
         load_blocks(image, vhdx, error);
    if (!ok)
        image->io = file;
    return ok;
}

static bool
vhdx_open(Image *image, GError **error)
{
    g_autoptr(VhdxState) vhdx = g_new0(VhdxState, 1);
    uint8_t raw[8] = {0};

    if (!image_io_size(image->io, &vhdx->file_end, error) ||
        !image_io_read(image->io, 0, raw, MIN(sizeof raw, vhdx->file_end), error))
        return false;
    if (memcmp(raw, SIGNATURE, 8) != 0)
        return image_refuse(error, BASE_ERROR_CORRUPT, image->io->name,
                            "its VHDX signature is damaged");
    if (!vhdx_header_load(image, vhdx, error) ||
        (!image_is_zero(vhdx->log_uuid, 16) && !vhdx_log_replay(image, vhdx, error)) ||
        !load_rest(image, vhdx, error))
        return false;
    image->state = g_steal_pointer(&vhdx);
    return true;
}

static void
vhdx_close(Image *image)
{
    VhdxState *vhdx = image->state;

    /* It goes with the image's file, below which it stands. */
    if (vhdx->overlay != NULL)
        vhdx->overlay = NULL;
    free_state(vhdx);
}

static bool
vhdx_locate(Image *image, uint64_t offset, uint64_t length, ImageExtent *extent, GError **error)
{
    const VhdxState *vhdx = image->state;
    const uint64_t position = vhdx->blocks[offset / vhdx->block_size];
    const uint64_t within = offset & (vhdx->block_size - 1);

    *extent = (ImageExtent){IMAGE_EXTENT_ZERO, MIN(length, vhdx->block_size - within), 0};
    if (position != 0) {
        extent->kind = IMAGE_EXTENT_DATA;
        extent->position = position + within;
    }
    return true;
}

static void
vhdx_get_info(Image *image, ImageInfo *info)
{
    const VhdxState *vhdx = image->state;

    info->variant = vhdx->fixed ? IMAGE_FIXED : IMAGE_DYNAMIC;
    info->allocated = MIN((uint64_t)vhdx->used * vhdx->block_size, image->capacity);
    info->block_size = vhdx->block_size;
}

static const char *const vhdx_extensions[] = {"vhdx", NULL};

const ImageFormat image_format_vhdx = {
    .info = {.name = "VHDX", .title = "Virtual Hard Disk v2", .extensions = vhdx_extensions},
    .probe = vhdx_probe,
    .open = vhdx_open,
    .close = vhdx_close,
    .locate = vhdx_locate,
    .get_info = vhdx_get_info,
};
