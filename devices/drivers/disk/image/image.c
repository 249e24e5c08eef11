/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What all image formats share: opening, bounds, the walk down the chain, flushing. */
#include "devices/drivers/disk/image/image.h"

#include <string.h>

#include "devices/drivers/disk/image/image-format.h"
#include "vmm/base/error.h"

static void
free_shell(Image *image)
{
    g_mutex_clear(&image->lock);
    g_free(image);
}

static Image *
new_shell(ImageIo *io, const ImageFormat *format, bool writable)
{
    Image *image = g_new0(Image, 1);

    image->format = format;
    image->io = io;
    image->writable = writable;
    g_mutex_init(&image->lock);
    return image;
}

static Image *
open_as(ImageIo *io, const ImageFormat *format, const ImageFolder *folder, bool writable,
        GError **error)
{
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
    image = new_shell(io, format, writable);
    image->folder = folder;
    if (!format->open(image, error)) {
        free_shell(image);
        return NULL;
    }
    image->folder = NULL;
    image->chain_concurrent = image->concurrent;
    return image;
}

Image *
image_open_part(Image *outer, uint64_t start, ImageIo *io, const ImageFormat *format,
                GError **error)
{
    Image *image = new_shell(io, format, outer->writable);

    image->outer = outer;
    image->outer_start = start;
    if (format->open(image, error))
        return image;
    free_shell(image);
    image_io_close(io);
    return NULL;
}

Image *
image_open_in_folder(ImageIo *io, const char *format_name, ImageOpenFlags flags,
                     const ImageFolder *folder, GError **error)
{
    const ImageFormat *format;
    Image *image = NULL;

    if (format_name == NULL)
        format_name = image_probe(io, error);
    if (format_name != NULL) {
        format = image_format_lookup(format_name);
        if (format != NULL)
            image = open_as(io, format, folder, (flags & IMAGE_OPEN_READ_ONLY) == 0, error);
        else
            g_set_error(error, BASE_ERROR, BASE_ERROR_NOT_SUPPORTED,
                        "“%s” has the format %s, which is not known here.", io->name, format_name);
    }
    if (image == NULL)
        image_io_close(io);
    return image;
}

Image *
image_open_borrowed(ImageIo *io, const char *format, const ImageFolder *folder, GError **error)
{
    Image *image = open_as(io, image_format_lookup(format), folder, true, error);

    if (image != NULL)
        image->borrows_io = true;
    return image;
}

Image *
image_open_io(ImageIo *io, const char *format, ImageOpenFlags flags, GError **error)
{
    return image_open_in_folder(io, format, flags, NULL, error);
}

Image *
image_open(const char *path, const char *format, ImageOpenFlags flags, GError **error)
{
    bool read_only = (flags & IMAGE_OPEN_READ_ONLY) != 0;
    g_auto(ImageFolder) folder = image_folder_beside(path);
    g_autoptr(BaseFile) file =
        base_file_open(path, read_only ? BASE_FILE_READ : BASE_FILE_WRITE, error);

    if (file == NULL || !base_file_lock(file, !read_only, error))
        return NULL;
    return image_open_in_folder(image_io_new_file(g_steal_pointer(&file)), format, flags, &folder,
                                error);
}

bool
image_close(Image *image, GError **error)
{
    bool ok = image_flush(image, error);

    if (ok && image->writable && image->started && image->format->settle != NULL)
        ok = image->format->settle(image, error);
    image->format->close(image);
    if (!image->borrows_io)
        image_io_close(image->io);
    image_free(image->parent);
    image_owners_free(image->owners);
    free_shell(image);
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
check_range(const Image *image, uint64_t offset, uint64_t length, GError **error)
{
    if (offset <= image->capacity && length <= image->capacity - offset)
        return true;
    g_set_error(error, BASE_ERROR, BASE_ERROR_INVALID,
                "A request for %" G_GUINT64_FORMAT " bytes at %" G_GUINT64_FORMAT
                " is outside of “%s”.",
                length, offset, image->io->name);
    return false;
}

bool
image_locate_in_chain(Image *level, uint64_t offset, uint64_t length, Image **owner,
                      ImageExtent *extent, GError **error)
{
    *extent = (ImageExtent){IMAGE_EXTENT_HOLE, length, 0, NULL};
    while (level != NULL) {
        if (offset >= level->capacity) {
            extent->kind = IMAGE_EXTENT_ZERO;
            break;
        }
        *owner = level;
        length = MIN(extent->length, level->capacity - offset);
        if (!level->format->locate(level, offset, length, extent, error))
            return false;
        if (extent->kind != IMAGE_EXTENT_HOLE || level->parent == NULL)
            break;
        if (level->owners == NULL) {
            level = level->parent;
            continue;
        }
        g_autoptr(GError) local = NULL;
        level = image_owners_find(level, offset, &extent->length, &local);
        if (local != NULL) {
            g_propagate_error(error, g_steal_pointer(&local));
            return false;
        }
    }
    return true;
}

static bool
read_extent(Image *owner, const ImageExtent *extent, uint64_t offset, void *buffer, size_t length,
            GError **error)
{
    const Image *holder = extent->part != NULL ? extent->part : owner;

    switch (extent->kind) {
    case IMAGE_EXTENT_DATA:
        return image_io_read(holder->io, extent->position, buffer, length, error);
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

        if (!image_locate_in_chain(top, offset, length, &owner, &extent, error))
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
    bool ok;

    if (!check_range(image, offset, length, error))
        return false;
    if (image->chain_concurrent)
        return read_chain(image, offset, buffer, length, error);
    g_mutex_lock(&image->lock);
    ok = read_chain(image, offset, buffer, length, error);
    g_mutex_unlock(&image->lock);
    return ok;
}

static bool
try_read_extent(Image *owner, const ImageExtent *extent, void *buffer, size_t length)
{
    const Image *holder = extent->part != NULL ? extent->part : owner;

    switch (extent->kind) {
    case IMAGE_EXTENT_DATA:
        return holder->io->ops->try_pread != NULL &&
               holder->io->ops->try_pread(holder->io, extent->position, buffer, length);
    case IMAGE_EXTENT_ENCODED: return false;
    case IMAGE_EXTENT_ZERO:
    case IMAGE_EXTENT_HOLE: break;
    }
    memset(buffer, 0, length);
    return true;
}

bool
image_try_read(Image *image, uint64_t offset, void *buffer, size_t length)
{
    uint8_t *bytes = buffer;

    if (!image->chain_concurrent || !check_range(image, offset, length, NULL))
        return false;
    while (length > 0) {
        Image *owner = image;
        ImageExtent extent;
        size_t part;

        if (!image_locate_in_chain(image, offset, length, &owner, &extent, NULL))
            return false;
        part = (size_t)MIN(extent.length, length);
        if (!try_read_extent(owner, &extent, bytes, part))
            return false;
        bytes += part;
        offset += part;
        length -= part;
    }
    return true;
}

bool
image_read_below(Image *image, uint64_t offset, void *buffer, size_t length, GError **error)
{
    if (image->outer != NULL)
        return read_chain(image->outer->parent, image->outer_start + offset, buffer, length, error);
    return read_chain(image->parent, offset, buffer, length, error);
}

/* Writes from the start of the range as far as blocks are there already; *done is how far. */
static bool
write_mapped(Image *image, uint64_t offset, const uint8_t *bytes, size_t length, size_t *done,
             GError **error)
{
    *done = 0;
    while (*done < length) {
        ImageExtent extent;
        size_t part;

        if (!image->format->locate(image, offset + *done, length - *done, &extent, error))
            return false;
        if (extent.kind != IMAGE_EXTENT_DATA)
            break;
        part = (size_t)MIN(extent.length, length - *done);
        if (!image_put(extent.part != NULL ? extent.part : image, extent.position, bytes + *done,
                       part, error))
            return false;
        *done += part;
    }
    return true;
}

bool
image_may_write(const Image *image, uint64_t offset, uint64_t length, GError **error)
{
    if (image->writable)
        return check_range(image, offset, length, error);
    g_set_error(error, BASE_ERROR, BASE_ERROR_DENIED, "“%s” is open for reading only.",
                image->io->name);
    return false;
}

bool
image_write(Image *image, uint64_t offset, const void *buffer, size_t length, GError **error)
{
    const uint8_t *bytes = buffer;
    size_t done = 0;
    bool ok = true;

    if (!image_may_write(image, offset, length, error))
        return false;
    if (image->concurrent && image->started &&
        !write_mapped(image, offset, bytes, length, &done, error))
        return false;
    if (done == length)
        return true;
    g_mutex_lock(&image->lock);
    ok = image->format->write(image, offset + done, bytes + done, length - done, error);
    g_mutex_unlock(&image->lock);
    return ok;
}

void
image_note_unsynced(Image *image)
{
    for (; image != NULL; image = image->outer)
        image->unsynced = true;
}

/* Noted before, for one that looks meanwhile, and after, because a sync that began between need not
 * have covered it. */
bool
image_put(Image *image, uint64_t position, const void *buffer, size_t length, GError **error)
{
    bool ok;

    image_note_unsynced(image);
    ok = image_io_write(image->io, position, buffer, length, error);
    image_note_unsynced(image);
    return ok;
}

static bool
try_put(Image *image, uint64_t position, const void *buffer, size_t length)
{
    bool ok;

    if (image->io->ops->try_pwrite == NULL)
        return false;
    image_note_unsynced(image);
    ok = image->io->ops->try_pwrite(image->io, position, buffer, length);
    image_note_unsynced(image);
    return ok;
}

bool
image_try_write(Image *image, uint64_t offset, const void *buffer, size_t length)
{
    const uint8_t *bytes = buffer;

    if (!image->concurrent || !image->started || !image_may_write(image, offset, length, NULL))
        return false;
    while (length > 0) {
        ImageExtent extent;
        size_t part;

        if (!image->format->locate(image, offset, length, &extent, NULL) ||
            extent.kind != IMAGE_EXTENT_DATA)
            return false;
        part = (size_t)MIN(extent.length, length);
        if (!try_put(extent.part != NULL ? extent.part : image, extent.position, bytes, part))
            return false;
        bytes += part;
        offset += part;
        length -= part;
    }
    return true;
}

bool
image_punch(Image *image, uint64_t position, uint64_t length, GError **error)
{
    g_autoptr(GError) local = NULL;

    if (image->io->ops->punch == NULL || length == 0)
        return true;
    image_note_unsynced(image);
    if (image->io->ops->punch(image->io, position, length, &local) ||
        g_error_matches(local, BASE_ERROR, BASE_ERROR_NOT_SUPPORTED)) {
        image_note_unsynced(image);
        return true;
    }
    g_propagate_error(error, g_steal_pointer(&local));
    return false;
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
    if (!atomic_exchange(&image->unsynced, false))
        return true;
    if (!image_io_sync(image->io, error)) {
        image->unsynced = true;
        image->lost = true;
        return false;
    }
    return true;
}

bool
image_flush(Image *image, GError **error)
{
    bool ok;

    if (!image->writable)
        return true;
    g_mutex_lock(&image->lock);
    ok = image->format->flush != NULL ? image->format->flush(image, error)
                                      : image_sync(image, error);
    g_mutex_unlock(&image->lock);
    return ok;
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
