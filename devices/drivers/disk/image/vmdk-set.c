/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VMDK images in several files: monolithicFlat, twoGbMaxExtentSparse, twoGbMaxExtentFlat and the
 * like. A descriptor names the parts, flat ones and sparse ones, one after the other on the disk.
 * Only files in the folder that the caller gives are opened, whatever the names say. Virtual Disk
 * Format 5.0, "The Descriptor File", "Simple Extents". Left out: parts of raw disks, and several
 * parts in one file. */
#include <string.h>

#include "devices/drivers/disk/image/vmdk-private.h"
#include "vmm/base/error.h"

#define DESCRIPTOR_MAX (1u << 20)
static void
clear_part(gpointer data)
{
    VmdkPart *part = data;

    /* A part was flushed with the whole, or has nothing to flush. */
    image_free(part->image);
}

static void
free_set(VmdkSet *set)
{
    vmdk_descriptor_clear(&set->descriptor);
    g_clear_pointer(&set->parts, g_array_unref);
    g_free(set);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VmdkSet, free_set)

/* --- opening --- */

static bool
open_part_file(Image *image, const VmdkExtent *extent, VmdkPart *part, GError **error)
{
    const bool sparse = strcmp(extent->kind, "SPARSE") == 0;
    ImageIo *io = image_folder_open(image->folder, extent->name,
                                    image->writable ? IMAGE_FILE_WRITE : IMAGE_FILE_READ, error);

    if (io == NULL)
        return false;
    part->image = image_open_part(image, part->start, io,
                                  sparse ? &vmdk_part_format : image_format_lookup("RAW"), error);
    if (part->image == NULL)
        return false;
    /* One that is larger is being made so, which was cut short. */
    if (sparse ? part->image->capacity < part->length
               : part->image->capacity < part->offset ||
                     part->image->capacity - part->offset < part->length)
        return image_refuse(error, BASE_ERROR_CORRUPT, image->io->name,
                            "one of its parts has another size than it says");
    return true;
}

bool
vmdk_set_open_part(Image *image, VmdkSet *set, const VmdkExtent *extent, GError **error)
{
    VmdkPart part = {.start = image->capacity, .length = extent->sectors * VMDK_SECTOR};
    const bool sparse = strcmp(extent->kind, "SPARSE") == 0;
    bool ok = true;

    if (extent->sectors == 0 || extent->sectors > G_MAXINT64 / VMDK_SECTOR ||
        part.length > G_MAXINT64 - image->capacity || extent->offset > G_MAXINT32)
        return image_refuse(error, BASE_ERROR_CORRUPT, image->io->name,
                            "one of its parts has a size that is out of range");
    part.offset = sparse ? 0 : extent->offset * VMDK_SECTOR;
    if (strcmp(extent->kind, "ZERO") == 0 && !image->writable)
        ok = true;
    else if ((sparse || strcmp(extent->kind, "FLAT") == 0) && extent->name != NULL)
        ok = open_part_file(image, extent, &part, error);
    else
        ok = image_refuse(error, BASE_ERROR_NOT_SUPPORTED, image->io->name,
                          "it has a part of a kind that is not read here. Convert it to VDI or to "
                          "a VMDK in one file");
    if (!ok) {
        image_free(part.image);
        return false;
    }
    set->sparse |= sparse;
    image->capacity += part.length;
    g_array_append_val(set->parts, part);
    return true;
}

static bool
is_concurrent(const VmdkSet *set)
{
    for (guint i = 0; i < set->parts->len; i++) {
        const VmdkPart *part = &g_array_index(set->parts, VmdkPart, i);

        if (part->image != NULL && !part->image->concurrent)
            return false;
    }
    return true;
}

static bool
load_set(Image *image, VmdkSet *set, GError **error)
{
    g_autoptr(GPtrArray) extents = NULL;
    uint64_t size;

    if (!image_io_size(image->io, &size, error))
        return false;
    if (size > DESCRIPTOR_MAX)
        return image_refuse(error, BASE_ERROR_CORRUPT, image->io->name,
                            "its VMDK descriptor is too long");
    if (!vmdk_descriptor_load(image, &set->descriptor, 0, (size_t)size, (size_t)size + VMDK_SPARE,
                              error))
        return false;
    extents = vmdk_descriptor_extents(image, &set->descriptor, VMDK_PARTS_MAX, error);
    if (extents == NULL)
        return false;
    for (guint i = 0; i < extents->len; i++) {
        if (!vmdk_set_open_part(image, set, extents->pdata[i], error))
            return false;
    }
    if (extents->len == 0)
        return image_refuse(error, BASE_ERROR_CORRUPT, image->io->name,
                            "its VMDK descriptor names no part");
    return true;
}

/* --- access --- */

static const VmdkPart *
find_part(const VmdkSet *set, uint64_t offset)
{
    guint low = 0, high = set->parts->len;

    while (high - low > 1) {
        const guint middle = (low + high) / 2;

        if (g_array_index(set->parts, VmdkPart, middle).start <= offset)
            low = middle;
        else
            high = middle;
    }
    return &g_array_index(set->parts, VmdkPart, low);
}

static bool
set_locate(Image *image, uint64_t offset, uint64_t length, ImageExtent *extent, GError **error)
{
    const VmdkPart *part = find_part(image->state, offset);
    const uint64_t within = offset - part->start;

    length = MIN(length, part->length - within);
    if (part->image == NULL) {
        *extent = (ImageExtent){IMAGE_EXTENT_ZERO, length, 0, NULL};
        return true;
    }
    if (!part->image->format->locate(part->image, part->offset + within, length, extent, error))
        return false;
    extent->part = part->image;
    return true;
}

static bool
start_session(Image *image, VmdkSet *set, GError **error)
{
    if (!image->keeps_modification) {
        vmdk_descriptor_renew(&set->descriptor);
        if (!image_put(image, 0, set->descriptor.text, strlen(set->descriptor.text), error) ||
            !image_sync(image, error))
            return false;
    }
    image->started = true;
    return true;
}

static bool
set_write(Image *image, uint64_t offset, const void *buffer, size_t length, GError **error)
{
    VmdkSet *set = image->state;
    const uint8_t *bytes = buffer;

    if (!image->started && !start_session(image, set, error))
        return false;
    while (length > 0) {
        const VmdkPart *part = find_part(set, offset);
        const uint64_t within = offset - part->start;
        const size_t some = (size_t)MIN(length, part->length - within);

        if (!part->image->format->write(part->image, part->offset + within, bytes, some, error))
            return false;
        bytes += some;
        offset += some;
        length -= some;
    }
    return true;
}

static bool
set_flush(Image *image, GError **error)
{
    const VmdkSet *set = image->state;

    for (guint i = 0; i < set->parts->len; i++) {
        Image *part = g_array_index(set->parts, VmdkPart, i).image;

        if (part != NULL && !(part->format->flush != NULL ? part->format->flush(part, error)
                                                          : image_sync(part, error)))
            return false;
    }
    return image_sync(image, error);
}

static void
set_close(Image *image)
{
    free_set(image->state);
}

static void
set_get_info(Image *image, ImageInfo *info)
{
    const VmdkSet *set = image->state;

    info->allocated = 0;
    for (guint i = 0; i < set->parts->len; i++) {
        Image *part = g_array_index(set->parts, VmdkPart, i).image;
        ImageInfo inner;

        if (part == NULL)
            continue;
        image_get_info(part, &inner);
        info->allocated += inner.allocated;
        info->block_size = MAX(info->block_size, inner.block_size);
    }
    info->variant = set->sparse ? IMAGE_DYNAMIC : IMAGE_FIXED;
    if (!image_uuid_is_null(&set->descriptor.parent))
        info->variant = IMAGE_DIFFERENCING;
    info->kind = set->parts->len > 1 || set->sparse ? IMAGE_KIND_SPLIT : 0;
    vmdk_descriptor_get_info(&set->descriptor, info);
}

static bool
set_check(Image *image, ImageCheck *check, GError **error)
{
    const VmdkSet *set = image->state;

    for (guint i = 0; i < set->parts->len; i++) {
        Image *part = g_array_index(set->parts, VmdkPart, i).image;
        ImageCheck inner;

        if (part == NULL)
            continue;
        if (!image_check(part, &inner, error))
            return false;
        check->leaked_blocks += inner.leaked_blocks;
        check->stale_header |= inner.stale_header;
    }
    return true;
}

/* The text and nothing behind it: the file is as long as that. */
static bool
end_text(Image *image, const VmdkSet *set, GError **error)
{
    return image_io_truncate(image->io, strlen(set->descriptor.text), error);
}

static bool
set_set_uuids(Image *image, const ImageUuidChange *change, GError **error)
{
    VmdkSet *set = image->state;

    if (!vmdk_descriptor_set_uuids(image, &set->descriptor, 0, change, error))
        return false;
    image->differs = !image_uuid_is_null(&set->descriptor.parent);
    return end_text(image, set, error);
}

static bool
set_set_comment(Image *image, const char *comment, GError **error)
{
    VmdkSet *set = image->state;

    return vmdk_descriptor_set_comment(image, &set->descriptor, 0, comment, error) &&
           end_text(image, set, error);
}

/* Flat parts keep their room. Compacting a part is whole wherever it ends, so all are one by one.
 */
static bool
set_compact(Image *image, const ImageProgressSink *sink, GError **error)
{
    const VmdkSet *set = image->state;
    const ImageProgressSink nobody = {0};

    if (!set->sparse)
        return image_refuse_fixed(image, error);
    for (guint i = 0; i < set->parts->len; i++) {
        const VmdkPart *part = &g_array_index(set->parts, VmdkPart, i);

        if (!image_report(sink, (double)i / set->parts->len, error) ||
            (part->image != NULL && part->image->format == &vmdk_part_format &&
             !vmdk_compact(part->image, &nobody, error)))
            return false;
    }
    return true;
}

/* Takes the place of the format by which the image was found. */
static const ImageFormat vmdk_set_format = {
    .info = {.name = "VMDK", .title = "Virtual Machine Disk", .capabilities = IMAGE_CAN_WRITE},
    .close = set_close,
    .locate = set_locate,
    .write = set_write,
    .flush = set_flush,
    .get_info = set_get_info,
    .check = set_check,
    .set_uuids = set_set_uuids,
    .set_comment = set_set_comment,
    .resize = vmdk_set_resize,
    .compact = set_compact,
};

bool
vmdk_set_open(Image *image, GError **error)
{
    g_autoptr(VmdkSet) set = g_new0(VmdkSet, 1);

    set->parts = g_array_new(FALSE, FALSE, sizeof(VmdkPart));
    g_array_set_clear_func(set->parts, clear_part);
    if (!load_set(image, set, error))
        return false;
    image->concurrent = is_concurrent(set);
    image->differs = !image_uuid_is_null(&set->descriptor.parent);
    image->format = &vmdk_set_format;
    image->state = g_steal_pointer(&set);
    return true;
}

char **
image_list_parts(ImageIo *io, GError **error)
{
    const Image image = {.io = io};
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) extents = NULL;
    g_autofree char *text = NULL;
    uint64_t size;

    if (!image_io_size(io, &size, error))
        return NULL;
    text = g_malloc0((gsize)MIN(size, DESCRIPTOR_MAX) + VMDK_SECTOR);
    if (!image_io_read(io, 0, text, (size_t)MIN(size, DESCRIPTOR_MAX), error))
        return NULL;
    if (vmdk_is_descriptor((const uint8_t *)text)) {
        const VmdkDescriptor descriptor = {.text = text};

        extents = vmdk_descriptor_extents(&image, &descriptor, VMDK_PARTS_MAX, error);
        if (extents == NULL)
            return NULL;
    }
    for (guint i = 0; extents != NULL && i < extents->len; i++) {
        const VmdkExtent *extent = extents->pdata[i];

        if (extent->name != NULL && image_is_plain_file_name(extent->name))
            g_ptr_array_add(names, g_strdup(extent->name));
    }
    g_ptr_array_add(names, NULL);
    return (char **)g_ptr_array_free(g_steal_pointer(&names), FALSE);
}
