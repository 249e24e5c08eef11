/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What is done to one whole image: the checks that are the same for all formats, and what serves
 * those that have no way of their own. */
#include <string.h>

#include "devices/drivers/disk/image/image-format.h"
#include "vmm/base/error.h"

#define ZERO_STEP (1u << 20)
/* Holes are made in whole pages of the host's file system. */
#define HOLE_ALIGNMENT 4096u

bool
image_what(Image *image, uint64_t offset, uint64_t length, ImageHas *has, uint64_t *same,
           GError **error)
{
    ImageExtent extent;

    *same = length;
    *has = IMAGE_HAS_ZEROS;
    if (offset >= image->capacity)
        return true;
    length = MIN(length, image->capacity - offset);
    if (!image->format->locate(image, offset, length, &extent, error))
        return false;
    *same = extent.length;
    if (extent.kind == IMAGE_EXTENT_HOLE)
        *has = IMAGE_HAS_NOTHING;
    else if (extent.kind != IMAGE_EXTENT_ZERO)
        *has = IMAGE_HAS_DATA;
    return true;
}

static bool
refuse_operation(const Image *image, const char *what, GError **error)
{
    g_set_error(error, BASE_ERROR, BASE_ERROR_NOT_SUPPORTED,
                "“%s” cannot be %s: images of format %s cannot do that.", image->io->name, what,
                image->format->info.name);
    return false;
}

static bool
write_zeros(Image *image, uint64_t offset, uint64_t length, GError **error)
{
    g_autofree uint8_t *zeros = g_malloc0(MIN(length, ZERO_STEP));

    while (length > 0) {
        const size_t part = (size_t)MIN(length, ZERO_STEP);

        if (!image_write(image, offset, zeros, part, error))
            return false;
        offset += part;
        length -= part;
    }
    return true;
}

bool
image_zero(Image *image, uint64_t offset, uint64_t length, GError **error)
{
    bool ok;

    if (!image_may_write(image, offset, length, error))
        return false;
    if (image->format->write_zeros == NULL)
        return write_zeros(image, offset, length, error);
    g_mutex_lock(&image->lock);
    ok = image->format->write_zeros(image, offset, length, error);
    g_mutex_unlock(&image->lock);
    return ok;
}

bool
image_punch_data(Image *image, uint64_t offset, uint64_t length, GError **error)
{
    while (length > 0) {
        ImageExtent extent;

        if (!image->format->locate(image, offset, length, &extent, error))
            return false;
        if (extent.kind == IMAGE_EXTENT_DATA) {
            const uint64_t start =
                (extent.position + HOLE_ALIGNMENT - 1) / HOLE_ALIGNMENT * HOLE_ALIGNMENT;
            const uint64_t end =
                (extent.position + extent.length) / HOLE_ALIGNMENT * HOLE_ALIGNMENT;

            if (end > start &&
                !image_punch(extent.part != NULL ? extent.part : image, start, end - start, error))
                return false;
        }
        offset += extent.length;
        length -= extent.length;
    }
    return true;
}

bool
image_discard(Image *image, uint64_t offset, uint64_t length, GError **error)
{
    bool ok;

    if (!image_may_write(image, offset, length, error))
        return false;
    g_mutex_lock(&image->lock);
    ok = image->format->discard != NULL ? image->format->discard(image, offset, length, error)
                                        : image_punch_data(image, offset, length, error);
    g_mutex_unlock(&image->lock);
    return ok;
}

static bool
resize_flushed(Image *image, uint64_t capacity, const ImageFolder *folder,
               const ImageProgressSink *sink, GError **error)
{
    bool ok;

    if (!image_flush(image, error))
        return false;
    image->folder = folder;
    ok = image->format->resize(image, capacity, sink, error);
    image->folder = NULL;
    return ok && image_flush(image, error) && image_report(sink, 1.0, error);
}

bool
image_resize_in_folder(Image *image, uint64_t capacity, const ImageFolder *folder,
                       ImageProgress progress, void *user, GError **error)
{
    const ImageProgressSink sink = {progress, user};

    if (capacity > G_MAXINT64 - 511) {
        g_set_error_literal(error, BASE_ERROR, BASE_ERROR_INVALID, "No disk can be that large.");
        return false;
    }
    capacity = (capacity + 511) & ~511ull;
    if (!image_may_write(image, 0, 0, error))
        return false;
    if (capacity == image->capacity)
        return true;
    if (capacity < image->capacity) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_NOT_SUPPORTED,
                    "“%s” can only be made larger: what lies behind the new end would be lost.",
                    image->io->name);
        return false;
    }
    if (image->format->resize == NULL)
        return refuse_operation(image, "made larger", error);
    g_clear_pointer(&image->owners, image_owners_free);
    return resize_flushed(image, capacity, folder, &sink, error);
}

bool
image_resize(Image *image, uint64_t capacity, ImageProgress progress, void *user, GError **error)
{
    return image_resize_in_folder(image, capacity, NULL, progress, user, error);
}

bool
image_refuse_fixed(const Image *image, GError **error)
{
    g_set_error(
        error, BASE_ERROR, BASE_ERROR_NOT_SUPPORTED,
        "“%s” cannot be compacted: it is a fixed image, which keeps its room. Clone it to a "
        "dynamic one instead.",
        image->io->name);
    return false;
}

bool
image_compact(Image *image, ImageProgress progress, void *user, GError **error)
{
    const ImageProgressSink sink = {progress, user};

    if (!image_may_write(image, 0, 0, error))
        return false;
    if (image->format->compact == NULL)
        return refuse_operation(image, "compacted", error);
    return image_flush(image, error) && image->format->compact(image, &sink, error) &&
           image_flush(image, error) && image_report(&sink, 1.0, error);
}

bool
image_set_uuids(Image *image, const ImageUuidChange *change, GError **error)
{
    ImageInfo info;

    if (!image_may_write(image, 0, 0, error))
        return false;
    if (image->format->set_uuids == NULL)
        return refuse_operation(image, "given a UUID", error);
    image_get_info(image, &info);
    if (info.variant != IMAGE_DIFFERENCING && change->parent != NULL &&
        !image_uuid_is_null(change->parent))
        return image_refuse(error, BASE_ERROR_INVALID, image->io->name,
                            "it is no differencing image, so it has no parent");
    return image_flush(image, error) && image->format->set_uuids(image, change, error) &&
           image_flush(image, error);
}

bool
image_set_comment(Image *image, const char *comment, GError **error)
{
    if (!image_may_write(image, 0, 0, error))
        return false;
    if (image->format->set_comment == NULL)
        return refuse_operation(image, "given a comment", error);
    return image_flush(image, error) && image->format->set_comment(image, comment, error) &&
           image_flush(image, error);
}
