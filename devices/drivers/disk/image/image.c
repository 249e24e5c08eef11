/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What all image formats share: opening, bounds, the walk down the chain, flushing. */
#include "devices/drivers/disk/image/image.h"

#include <string.h>

#include "devices/drivers/disk/image/image-format.h"
#include "vmm/base/error.h"

static Image *
open_as(ImageIo *io, const ImageFormat *format, ImageOpenFlags flags, GError **error)
{
    bool writable = (flags & IMAGE_OPEN_READ_ONLY) == 0;
    Image *image;

    if (writable && (format->info.capabilities & IMAGE_CAN_WRITE) == 0) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_NOT_SUPPORTED,
                    "“%s” has the format %s, which can only be read.", io->name, format->info.name);
        return NULL;
    }
    if (writable && !io->writable) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_DENIED, "“%s” cannot be written to.", io->name);
        return NULL;
    }
    image = g_new0(Image, 1);
    image->format = format;
    image->io = io;
    image->writable = writable;
    if (!format->open(image, error))
        g_clear_pointer(&image, g_free);
    return image;
}

Image *
image_open_io(ImageIo *io, const char *format_name, ImageOpenFlags flags, GError **error)
{
    const ImageFormat *format;
    Image *image = NULL;

    if (format_name == NULL)
        format_name = image_probe(io, error);
    if (format_name != NULL) {
        format = image_format_lookup(format_name);
        if (format != NULL)
            image = open_as(io, format, flags, error);
        else
            g_set_error(error, BASE_ERROR, BASE_ERROR_NOT_SUPPORTED,
                        "“%s” has the format %s, which is not known here.", io->name, format_name);
    }
    if (image == NULL)
        image_io_close(io);
    return image;
}

Image *
image_open(const char *path, const char *format, ImageOpenFlags flags, GError **error)
{
    bool read_only = (flags & IMAGE_OPEN_READ_ONLY) != 0;
    g_autoptr(BaseFile) file =
        base_file_open(path, read_only ? BASE_FILE_READ : BASE_FILE_WRITE, error);

    if (file == NULL || !base_file_lock(file, !read_only, error))
        return NULL;
    return image_open_io(image_io_new_file(g_steal_pointer(&file)), format, flags, error);
}

bool
image_close(Image *image, GError **error)
{
    bool ok = image_flush(image, error);

    image->format->close(image);
    image_io_close(image->io);
    image_free(image->parent);
    g_free(image);
    return ok;
}

void
image_free(Image *image)
{
    g_autoptr(GError) error = NULL;

    if (image != NULL && !image_close(image, &error))
        g_warning("Closing a disk image: %s", error->message);
}

static bool
check_range(const Image *image, uint64_t offset, size_t length, GError **error)
{
    if (offset <= image->capacity && length <= image->capacity - offset)
        return true;
    g_set_error(error, BASE_ERROR, BASE_ERROR_INVALID,
                "A request for %zu bytes at %" G_GUINT64_FORMAT " is outside of “%s”.", length,
                offset, image->io->name);
    return false;
}

/* Where the chain that starts at level has its content at offset; *owner is the image that has it.
 */
static bool
locate_in_chain(Image *level, uint64_t offset, uint64_t length, Image **owner, ImageExtent *extent,
                GError **error)
{
    *extent = (ImageExtent){IMAGE_EXTENT_HOLE, length, 0};
    for (; level != NULL && extent->kind == IMAGE_EXTENT_HOLE; level = level->parent) {
        if (offset >= level->capacity) {
            extent->kind = IMAGE_EXTENT_ZERO;
            break;
        }
        *owner = level;
        length = MIN(extent->length, level->capacity - offset);
        if (!level->format->locate(level, offset, length, extent, error))
            return false;
    }
    return true;
}

static bool
read_extent(Image *owner, const ImageExtent *extent, uint64_t offset, void *buffer, size_t length,
            GError **error)
{
    switch (extent->kind) {
    case IMAGE_EXTENT_DATA:
        return image_io_read(owner->io, extent->position, buffer, length, error);
    case IMAGE_EXTENT_ENCODED: return owner->format->read(owner, offset, buffer, length, error);
    case IMAGE_EXTENT_ZERO:
    case IMAGE_EXTENT_HOLE: break;
    }
    memset(buffer, 0, length);
    return true;
}

static bool
read_chain(Image *top, uint64_t offset, uint8_t *buffer, size_t length, GError **error)
{
    while (length > 0) {
        Image *owner = top;
        ImageExtent extent;
        size_t part;

        if (!locate_in_chain(top, offset, length, &owner, &extent, error))
            return false;
        part = (size_t)MIN(extent.length, length);
        if (!read_extent(owner, &extent, offset, buffer, part, error))
            return false;
        buffer += part;
        offset += part;
        length -= part;
    }
    return true;
}

bool
image_read(Image *image, uint64_t offset, void *buffer, size_t length, GError **error)
{
    return check_range(image, offset, length, error) &&
           read_chain(image, offset, buffer, length, error);
}

bool
image_read_below(Image *image, uint64_t offset, void *buffer, size_t length, GError **error)
{
    return read_chain(image->parent, offset, buffer, length, error);
}

bool
image_write(Image *image, uint64_t offset, const void *buffer, size_t length, GError **error)
{
    if (!image->writable) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_DENIED, "“%s” is open for reading only.",
                    image->io->name);
        return false;
    }
    if (!check_range(image, offset, length, error))
        return false;
    return length == 0 || image->format->write(image, offset, buffer, length, error);
}

bool
image_put(Image *image, uint64_t position, const void *buffer, size_t length, GError **error)
{
    image->unsynced = true;
    return image_io_write(image->io, position, buffer, length, error);
}

bool
image_sync(Image *image, GError **error)
{
    if (image->lost) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_IO,
                    "An earlier flush of “%s” failed, so what was written may be lost.",
                    image->io->name);
        return false;
    }
    if (!image->unsynced)
        return true;
    if (!image_io_sync(image->io, error)) {
        image->lost = true;
        return false;
    }
    image->unsynced = false;
    return true;
}

bool
image_flush(Image *image, GError **error)
{
    if (!image->writable)
        return true;
    return image->format->flush != NULL ? image->format->flush(image, error)
                                        : image_sync(image, error);
}

bool
image_is_dirty(const Image *image)
{
    return image->unsynced;
}

uint64_t
image_capacity(const Image *image)
{
    return image->capacity;
}

bool
image_is_writable(const Image *image)
{
    return image->writable;
}

const char *
image_name(const Image *image)
{
    return image->io->name;
}

Image *
image_parent(Image *image)
{
    return image->parent;
}

void
image_get_info(Image *image, ImageInfo *info)
{
    *info = (ImageInfo){
        .format = image->format->info.name,
        .variant = IMAGE_FIXED,
        .writable = image->writable,
        .capacity = image->capacity,
        .allocated = image->capacity,
        .comment = "",
    };
    if (image->format->get_info != NULL)
        image->format->get_info(image, info);
}

bool
image_check(Image *image, ImageCheck *check, GError **error)
{
    *check = (ImageCheck){0};
    return image->format->check == NULL || image->format->check(image, check, error);
}
