/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VHD, the format of Virtual PC and Hyper-V: fixed, dynamic and differencing images. Virtual Hard
 * Disk Image Format Specification 1.0. The disk's size is the footer's, not its geometry's. Left
 * out: the parent's locators are written but not followed (a parent is found by its UUID). */
#include <string.h>

#include "devices/drivers/disk/image/vhd-private.h"
#include "vmm/base/error.h"

static ImageProbe
vhd_probe(const ImageProbeInput *input)
{
    return vhd_footer_is_valid(input->tail) || vhd_footer_is_valid(input->head)
               ? IMAGE_PROBE_CONTENT
               : IMAGE_PROBE_NO;
}

static void
free_state(VhdState *vhd)
{
    image_map_clear(&vhd->table);
    g_clear_pointer(&vhd->bitmaps, g_hash_table_unref);
    g_free(vhd);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VhdState, free_state)

/* The footer at the end, or its copy at the start where a crash lost that. */
static bool
read_footer(Image *image, VhdState *vhd, GError **error)
{
    uint8_t *raw = vhd->raw_footer;

    if (!image_io_size(image->io, &vhd->file_end, error))
        return false;
    if (vhd->file_end < VHD_FOOTER_SIZE) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_CORRUPT,
                    "“%s” is damaged: the file is shorter than a VHD footer.", image->io->name);
        return false;
    }
    if (!image_io_read(image->io, vhd->file_end - VHD_FOOTER_SIZE, raw, VHD_FOOTER_SIZE, error))
        return false;
    if (!vhd_footer_is_valid(raw) && !image_io_read(image->io, 0, raw, VHD_FOOTER_SIZE, error))
        return false;
    return vhd_footer_decode(raw, image->io->name, &vhd->footer, error);
}

static bool
read_header(Image *image, VhdState *vhd, GError **error)
{
    uint8_t raw[VHD_HEADER_SIZE];

    if (vhd->footer.data_offset < VHD_FOOTER_SIZE ||
        vhd->footer.data_offset > vhd->file_end - MIN(vhd->file_end, VHD_HEADER_SIZE)) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_CORRUPT,
                    "“%s” is damaged: its VHD header lies outside of the file.", image->io->name);
        return false;
    }
    if (!image_io_read(image->io, vhd->footer.data_offset, raw, sizeof raw, error) ||
        !vhd_header_decode(raw, &vhd->footer, image->io->name, &vhd->header, error))
        return false;
    vhd->bitmap_size = vhd_bitmap_bytes(vhd->header.block_size);
    vhd->bitmaps = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    return vhd_table_load(image, vhd, error);
}

static bool
check_fixed(Image *image, const VhdState *vhd, GError **error)
{
    if (vhd->footer.capacity <= vhd->file_end - VHD_FOOTER_SIZE)
        return true;
    g_set_error(error, BASE_ERROR, BASE_ERROR_CORRUPT,
                "“%s” is damaged: the file is shorter than its disk.", image->io->name);
    return false;
}

static bool
vhd_open(Image *image, GError **error)
{
    g_autoptr(VhdState) vhd = g_new0(VhdState, 1);

    if (!read_footer(image, vhd, error) ||
        !(vhd_is_fixed(vhd) ? check_fixed(image, vhd, error) : read_header(image, vhd, error)))
        return false;
    image->capacity = vhd->footer.capacity;
    image->concurrent = vhd_is_fixed(vhd);
    image->started = image->concurrent;
    image->differs = vhd->footer.type == VHD_TYPE_DIFFERENCING;
    image->state = g_steal_pointer(&vhd);
    return true;
}

static void
vhd_close(Image *image)
{
    free_state(image->state);
}

static bool
locate_in_block(Image *image, VhdState *vhd, uint32_t block, uint32_t within, uint64_t length,
                ImageExtent *extent, GError **error)
{
    VhdBitmap *bitmap = vhd_bitmap_get(image, vhd, block, error);
    uint32_t first = within / 512;
    uint32_t most = (uint32_t)((within + length - 1) / 512) - first + 1;
    uint64_t run;
    bool present;

    if (bitmap == NULL)
        return false;
    run = vhd_bitmap_run(bitmap, first, most, &present) * 512ull - within % 512;
    *extent = (ImageExtent){present ? IMAGE_EXTENT_DATA : IMAGE_EXTENT_HOLE, MIN(run, length),
                            vhd_block_position(vhd, block) + vhd->bitmap_size + within, NULL};
    return true;
}

static bool
vhd_locate(Image *image, uint64_t offset, uint64_t length, ImageExtent *extent, GError **error)
{
    VhdState *vhd = image->state;
    uint32_t within, block;

    if (vhd_is_fixed(vhd)) {
        image_locate_flat(image->capacity, offset, length, extent);
        return true;
    }
    within = (uint32_t)(offset & (vhd->header.block_size - 1));
    block = (uint32_t)(offset / vhd->header.block_size);
    length = MIN(length, vhd->header.block_size - within);
    if (vhd->table.entries[block] != VHD_BLOCK_FREE)
        return locate_in_block(image, vhd, block, within, length, extent, error);
    *extent = (ImageExtent){IMAGE_EXTENT_HOLE, length, 0, NULL};
    return true;
}

static void
vhd_get_info(Image *image, ImageInfo *info)
{
    const VhdState *vhd = image->state;

    info->uuid = vhd->footer.uuid;
    info->lchs = image_guess_lchs(image->capacity);
    if (vhd_is_fixed(vhd))
        return;
    info->variant = vhd->footer.type == VHD_TYPE_DIFFERENCING ? IMAGE_DIFFERENCING : IMAGE_DYNAMIC;
    info->allocated = MIN((uint64_t)vhd->used * vhd->header.block_size, image->capacity);
    info->block_size = vhd->header.block_size;
    if (vhd->footer.type == VHD_TYPE_DIFFERENCING)
        info->parent = vhd->header.parent;
}

static bool
vhd_check(Image *image, ImageCheck *check, GError **error)
{
    const VhdState *vhd = image->state;
    uint64_t stride;

    if (vhd_is_fixed(vhd))
        return true;
    stride = vhd->bitmap_size + (uint64_t)vhd->header.block_size;
    if (vhd->file_end > vhd->next + VHD_FOOTER_SIZE)
        check->leaked_blocks = (vhd->file_end - vhd->next - VHD_FOOTER_SIZE) / stride;
    return true;
}

static const char *const vhd_extensions[] = {"vhd", NULL};

const ImageFormat image_format_vhd = {
    .info =
        {
            .name = "VHD",
            .title = "Virtual Hard Disk",
            .extensions = vhd_extensions,
            .capabilities = IMAGE_CAN_WRITE | IMAGE_CAN_CREATE_DYNAMIC | IMAGE_CAN_CREATE_FIXED |
                            IMAGE_CAN_DIFFER | IMAGE_HAS_UUIDS | IMAGE_CAN_RESIZE |
                            IMAGE_CAN_COMPACT,
        },
    .probe = vhd_probe,
    .open = vhd_open,
    .close = vhd_close,
    .locate = vhd_locate,
    .write = vhd_write,
    .flush = vhd_flush,
    .get_info = vhd_get_info,
    .check = vhd_check,
    .create = vhd_create,
    .resize = vhd_resize,
    .compact = vhd_compact,
    .set_uuids = vhd_set_uuids,
};
