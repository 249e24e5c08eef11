/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The ordinary ImageIo: an open file, or a descriptor that another process passed. */
#include "devices/drivers/disk/image/image-io.h"

#include <string.h>

/* What goes past the cache from or to a buffer that is not on whole pages is copied in such parts.
 */
#define BOUNCE_BYTES ((size_t)1 << 20)

typedef struct {
    ImageIo io;
    BaseFile *file;
    BaseFile *uncached; /* NULL: everything goes through the host's cache */
} FileIo;

/* What the host takes past its cache; the rest, metadata above all, goes through it. */
static bool
goes_past_cache(const FileIo *self, uint64_t offset, size_t length)
{
    return self->uncached != NULL && (offset | length) % BASE_FILE_UNCACHED_ALIGNMENT == 0;
}

static bool
is_aligned(const void *buffer)
{
    return (uintptr_t)buffer % BASE_FILE_UNCACHED_ALIGNMENT == 0;
}

static bool
read_bounced(BaseFile *file, uint64_t offset, uint8_t *buffer, size_t length, GError **error)
{
    const size_t room = MIN(length, BOUNCE_BYTES);
    uint8_t *bounce = g_aligned_alloc(room, 1, BASE_FILE_UNCACHED_ALIGNMENT);
    bool ok = true;

    for (size_t at = 0; ok && at < length; at += room) {
        const size_t part = MIN(room, length - at);

        ok = base_file_read_at(file, offset + at, bounce, part, NULL, error);
        if (ok)
            memcpy(buffer + at, bounce, part);
    }
    g_aligned_free(bounce);
    return ok;
}

static bool
write_bounced(BaseFile *file, uint64_t offset, const uint8_t *buffer, size_t length, GError **error)
{
    const size_t room = MIN(length, BOUNCE_BYTES);
    uint8_t *bounce = g_aligned_alloc(room, 1, BASE_FILE_UNCACHED_ALIGNMENT);
    bool ok = true;

    for (size_t at = 0; ok && at < length; at += room) {
        const size_t part = MIN(room, length - at);

        memcpy(bounce, buffer + at, part);
        ok = base_file_write_at(file, offset + at, bounce, part, error);
    }
    g_aligned_free(bounce);
    return ok;
}

static bool
file_pread(ImageIo *io, uint64_t offset, void *buffer, size_t length, GError **error)
{
    const FileIo *self = (const FileIo *)io;

    if (!goes_past_cache(self, offset, length))
        return base_file_read_at(self->file, offset, buffer, length, NULL, error);
    return is_aligned(buffer)
               ? base_file_read_at(self->uncached, offset, buffer, length, NULL, error)
               : read_bounced(self->uncached, offset, buffer, length, error);
}

static bool
file_pwrite(ImageIo *io, uint64_t offset, const void *buffer, size_t length, GError **error)
{
    const FileIo *self = (const FileIo *)io;

    if (!goes_past_cache(self, offset, length))
        return base_file_write_at(self->file, offset, buffer, length, error);
    return is_aligned(buffer) ? base_file_write_at(self->uncached, offset, buffer, length, error)
                              : write_bounced(self->uncached, offset, buffer, length, error);
}

static bool
whole_pages(const FileIo *self, uint64_t offset, const BaseFilePiece *pieces, size_t count)
{
    bool aligned = offset % BASE_FILE_UNCACHED_ALIGNMENT == 0;

    for (size_t i = 0; i < count && aligned; i++)
        aligned = is_aligned(pieces[i].data) && goes_past_cache(self, 0, pieces[i].size);
    return aligned;
}

/* What is not on whole pages goes one by one where the cache is passed by. */
static bool
move_apart(ImageIo *io, uint64_t offset, const BaseFilePiece *pieces, size_t count, bool write,
           GError **error)
{
    for (size_t i = 0; i < count; offset += pieces[i++].size) {
        if (!(write ? file_pwrite(io, offset, pieces[i].data, pieces[i].size, error)
                    : file_pread(io, offset, pieces[i].data, pieces[i].size, error)))
            return false;
    }
    return true;
}

static bool
file_pread_pieces(ImageIo *io, uint64_t offset, const BaseFilePiece *pieces, size_t count,
                  GError **error)
{
    const FileIo *self = (const FileIo *)io;

    if (self->uncached == NULL)
        return base_file_read_pieces_at(self->file, offset, pieces, count, error);
    return whole_pages(self, offset, pieces, count)
               ? base_file_read_pieces_at(self->uncached, offset, pieces, count, error)
               : move_apart(io, offset, pieces, count, false, error);
}

static bool
file_pwrite_pieces(ImageIo *io, uint64_t offset, const BaseFilePiece *pieces, size_t count,
                   GError **error)
{
    const FileIo *self = (const FileIo *)io;

    if (self->uncached == NULL)
        return base_file_write_pieces_at(self->file, offset, pieces, count, error);
    return whole_pages(self, offset, pieces, count)
               ? base_file_write_pieces_at(self->uncached, offset, pieces, count, error)
               : move_apart(io, offset, pieces, count, true, error);
}

static bool
file_try_pread(ImageIo *io, uint64_t offset, void *buffer, size_t length)
{
    const FileIo *self = (const FileIo *)io;

    return self->uncached == NULL && base_file_try_read_at(self->file, offset, buffer, length);
}

/* Few file systems can tell before whether a write to their cache will have to wait; whoever calls
 * this has an eye on the time. */
static bool
file_try_pwrite(ImageIo *io, uint64_t offset, const void *buffer, size_t length)
{
    const FileIo *self = (const FileIo *)io;

    return self->uncached == NULL && base_file_write_at(self->file, offset, buffer, length, NULL);
}

static bool
file_sync(ImageIo *io, GError **error)
{
    return base_file_sync(((FileIo *)io)->file, error);
}

static bool
file_size(ImageIo *io, uint64_t *size, GError **error)
{
    return base_file_size(((FileIo *)io)->file, size, error);
}

static bool
file_truncate(ImageIo *io, uint64_t size, GError **error)
{
    return base_file_truncate(((FileIo *)io)->file, size, error);
}

static bool
file_allocate(ImageIo *io, uint64_t offset, uint64_t length, GError **error)
{
    return base_file_allocate(((FileIo *)io)->file, offset, length, error);
}

static bool
file_punch(ImageIo *io, uint64_t offset, uint64_t length, GError **error)
{
    return base_file_punch_hole(((FileIo *)io)->file, offset, length, error);
}

static bool
file_next_data(ImageIo *io, uint64_t offset, uint64_t *start, uint64_t *end, GError **error)
{
    return base_file_next_data(((FileIo *)io)->file, offset, start, end, error);
}

static void
file_close(ImageIo *io)
{
    base_file_close(((FileIo *)io)->uncached);
    base_file_close(((FileIo *)io)->file);
    g_free(io);
}

static const ImageIoOps file_ops = {
    .pread = file_pread,
    .pwrite = file_pwrite,
    .pread_pieces = file_pread_pieces,
    .pwrite_pieces = file_pwrite_pieces,
    .try_pread = file_try_pread,
    .try_pwrite = file_try_pwrite,
    .sync = file_sync,
    .size = file_size,
    .truncate = file_truncate,
    .allocate = file_allocate,
    .punch = file_punch,
    .next_data = file_next_data,
    .close = file_close,
};

ImageIo *
image_io_new_file(BaseFile *file)
{
    FileIo *self = g_new0(FileIo, 1);

    self->io.ops = &file_ops;
    self->io.name = base_file_name(file);
    self->io.writable = base_file_is_writable(file);
    self->file = file;
    return &self->io;
}

/* A file system may let a file be opened so and then refuse each transfer, so one is tried. */
bool
image_io_bypass_cache(ImageIo *io, GError **error)
{
    FileIo *self = (FileIo *)io;
    g_autofree uint8_t *room = g_malloc(2 * BASE_FILE_UNCACHED_ALIGNMENT);
    const uintptr_t rest = (uintptr_t)room % BASE_FILE_UNCACHED_ALIGNMENT;
    size_t done;

    self->uncached = base_file_open_uncached(self->file, error);
    if (self->uncached == NULL)
        return false;
    if (base_file_read_at(self->uncached, 0, room + BASE_FILE_UNCACHED_ALIGNMENT - rest,
                          BASE_FILE_UNCACHED_ALIGNMENT, &done, error))
        return true;
    g_clear_pointer(&self->uncached, base_file_close);
    return false;
}

void
image_io_close(ImageIo *io)
{
    if (io != NULL)
        io->ops->close(io);
}
