/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VDI, the native image format, version 1.1: dynamic, fixed and differencing images. */
#include <string.h>

#include "devices/drivers/disk/image/vdi-private.h"
#include "vmm/base/error.h"

static ImageProbe
vdi_probe(const ImageProbeInput *input)
{
    uint32_t signature;

    memcpy(&signature, input->head + VDI_SIGNATURE_OFFSET, sizeof(signature));
    return GUINT32_FROM_LE(signature) == VDI_SIGNATURE ? IMAGE_PROBE_CONTENT : IMAGE_PROBE_NO;
}

static void
free_state(VdiState *vdi)
{
    image_map_clear(&vdi->map);
    g_clear_pointer(&vdi->gaps, g_array_unref);
    g_clear_pointer(&vdi->freed, g_array_unref);
    g_free(vdi);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VdiState, free_state)

static bool
vdi_open(Image *image, GError **error)
{
    g_autoptr(VdiState) vdi = g_new0(VdiState, 1);

    if (!image_io_size(image->io, &vdi->file_end, error))
        return false;
    if (vdi->file_end < VDI_HEADER_SIZE) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_CORRUPT,
                    "“%s” is damaged: the file ends within its header.", image->io->name);
        return false;
    }
    if (!image_io_read(image->io, 0, vdi->raw_header, VDI_HEADER_SIZE, error) ||
        !vdi_header_decode(vdi->raw_header, image->io->name, &vdi->header, error) ||
        !vdi_map_load(image, vdi, error))
        return false;
    image->capacity = vdi->header.capacity;
    image->concurrent = true;
    image->differs = vdi->header.type == VDI_TYPE_DIFFERENCING;
    image->state = g_steal_pointer(&vdi);
    return true;
}

static void
vdi_close(Image *image)
{
    free_state(image->state);
}

static bool
vdi_locate(Image *image, uint64_t offset, uint64_t length, ImageExtent *extent, GError **error)
{
    const VdiState *vdi = image->state;
    uint32_t within = (uint32_t)(offset & (vdi->header.block_size - 1));
    uint32_t entry = image_map_get(&vdi->map, (uint32_t)(offset / vdi->header.block_size));
    uint64_t part = MIN(length, vdi->header.block_size - within);

    if (entry == VDI_BLOCK_FREE)
        *extent = (ImageExtent){IMAGE_EXTENT_HOLE, part, 0, NULL};
    else if (entry == VDI_BLOCK_ZERO)
        *extent = (ImageExtent){IMAGE_EXTENT_ZERO, part, 0, NULL};
    else
        *extent = (ImageExtent){IMAGE_EXTENT_DATA, part,
                                vdi_block_position(&vdi->header, entry) + within, NULL};
    return true;
}

static ImageVariant
variant_of(uint32_t type)
{
    switch (type) {
    case VDI_TYPE_FIXED: return IMAGE_FIXED;
    case VDI_TYPE_DIFFERENCING: return IMAGE_DIFFERENCING;
    default: return IMAGE_DYNAMIC;
    }
}

static void
vdi_get_info(Image *image, ImageInfo *info)
{
    const VdiState *vdi = image->state;
    const VdiHeader *header = &vdi->header;

    info->variant = variant_of(header->type);
    info->allocated = MIN((uint64_t)vdi->used * header->block_size, image->capacity);
    info->block_size = header->block_size;
    info->lchs = header->lchs;
    info->uuid = header->uuid;
    info->modification = header->modification;
    info->parent = header->parent;
    info->parent_modification = header->parent_modification;
    info->comment = header->comment;
}

static bool
vdi_check(Image *image, ImageCheck *check, GError **error)
{
    const VdiState *vdi = image->state;

    check->leaked_blocks = (uint64_t)(vdi->next - vdi->used) + vdi->trailing;
    check->stale_header = vdi->header.blocks_allocated != vdi->used;
    return true;
}

static bool
vdi_set_uuids(Image *image, const ImageUuidChange *change, GError **error)
{
    VdiState *vdi = image->state;
    VdiHeader *header = &vdi->header;

    if (change->uuid != NULL)
        header->uuid = *change->uuid;
    if (change->modification != NULL)
        header->modification = *change->modification;
    if (change->parent != NULL)
        header->parent = *change->parent;
    if (change->parent_modification != NULL)
        header->parent_modification = *change->parent_modification;
    if (header->type == VDI_TYPE_DIFFERENCING && image_uuid_is_null(&header->parent)) {
        header->type = VDI_TYPE_DYNAMIC;
        header->parent_modification = (ImageUuid){0};
        image->differs = false;
    }
    return vdi_write_header(image, vdi, error);
}

static bool
vdi_set_comment(Image *image, const char *comment, GError **error)
{
    VdiState *vdi = image->state;

    vdi_header_set_comment(&vdi->header, comment);
    return vdi_write_header(image, vdi, error);
}

static const char *const vdi_extensions[] = {"vdi", NULL};

const ImageFormat image_format_vdi = {
    .info =
        {
            .name = "VDI",
            .title = "VirtualBox Disk Image",
            .extensions = vdi_extensions,
            .capabilities = IMAGE_CAN_WRITE | IMAGE_CAN_CREATE_DYNAMIC | IMAGE_CAN_CREATE_FIXED |
                            IMAGE_CAN_DIFFER | IMAGE_HAS_UUIDS | IMAGE_CAN_RESIZE |
                            IMAGE_CAN_COMPACT,
        },
    .probe = vdi_probe,
    .open = vdi_open,
    .settle = vdi_settle,
    .freeze = vdi_freeze,
    .close = vdi_close,
    .locate = vdi_locate,
    .write = vdi_write,
    .flush = vdi_flush,
    .get_info = vdi_get_info,
    .check = vdi_check,
    .create = vdi_create,
    .discard = vdi_discard,
    .write_zeros = vdi_write_zeros,
    .resize = vdi_resize,
    .compact = vdi_compact,
    .set_uuids = vdi_set_uuids,
    .set_comment = vdi_set_comment,
};
