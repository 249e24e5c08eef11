/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Reads and writes of memory in pieces, which a guest's requests are made of. What lies in a file
 * as it is goes between the file and the pieces without a copy; formats see the rest in one run. */
#include <string.h>

#include "devices/drivers/disk/image/image-format.h"
#include "devices/drivers/disk/image/image.h"

#define PIECES_AT_ONCE 256u

/* What is left of a request's pieces. */
typedef struct {
    const BaseFilePiece *pieces;
    size_t count;
    size_t skip; /* bytes of the first that are done */
} Cursor;

static uint64_t
bytes_of(const BaseFilePiece *pieces, size_t count)
{
    uint64_t bytes = 0;

    for (size_t i = 0; i < count; i++)
        bytes += pieces[i].size;
    return bytes;
}

/* Takes the next pieces, at most `limit` bytes of them; returns how many. */
static size_t
take(Cursor *cursor, uint64_t limit, BaseFilePiece *taken)
{
    size_t count = 0;

    while (limit > 0 && cursor->count > 0 && count < PIECES_AT_ONCE) {
        const BaseFilePiece *piece = cursor->pieces;
        const size_t part = (size_t)MIN(piece->size - cursor->skip, limit);

        if (part > 0)
            taken[count++] = (BaseFilePiece){(uint8_t *)piece->data + cursor->skip, part};
        limit -= part;
        cursor->skip += part;
        if (cursor->skip == piece->size) {
            cursor->pieces++;
            cursor->count--;
            cursor->skip = 0;
        }
    }
    return count;
}

static bool
read_stored(ImageIo *io, uint64_t position, const BaseFilePiece *pieces, size_t count,
            GError **error)
{
    if (io->ops->pread_pieces != NULL)
        return io->ops->pread_pieces(io, position, pieces, count, error);
    for (size_t i = 0; i < count; position += pieces[i++].size) {
        if (!image_io_read(io, position, pieces[i].data, pieces[i].size, error))
            return false;
    }
    return true;
}

static bool
read_one_by_one(Image *image, uint64_t offset, const BaseFilePiece *pieces, size_t count,
                GError **error)
{
    for (size_t i = 0; i < count; offset += pieces[i++].size) {
        if (!image_read(image, offset, pieces[i].data, pieces[i].size, error))
            return false;
    }
    return true;
}

bool
image_read_pieces(Image *image, uint64_t offset, const BaseFilePiece *pieces, size_t count,
                  GError **error)
{
    const uint64_t end = offset + bytes_of(pieces, count);
    Cursor cursor = {pieces, count, 0};

    if (!image->chain_concurrent || end > image->capacity)
        return read_one_by_one(image, offset, pieces, count, error);
    while (offset < end) {
        BaseFilePiece taken[PIECES_AT_ONCE];
        Image *owner = image;
        ImageExtent extent;

        if (!image_locate_in_chain(image, offset, end - offset, &owner, &extent, error))
            return false;
        count = take(&cursor, MIN(extent.length, end - offset), taken);
        if (extent.part != NULL)
            owner = extent.part;
        if (!(extent.kind == IMAGE_EXTENT_DATA
                  ? read_stored(owner->io, extent.position, taken, count, error)
                  : read_one_by_one(image, offset, taken, count, error)))
            return false;
        offset += bytes_of(taken, count);
    }
    return true;
}

static bool
write_stored(Image *image, uint64_t position, const BaseFilePiece *pieces, size_t count,
             GError **error)
{
    bool ok = true;

    if (image->io->ops->pwrite_pieces != NULL) {
        image_note_unsynced(image);
        ok = image->io->ops->pwrite_pieces(image->io, position, pieces, count, error);
        image_note_unsynced(image);
        return ok;
    }
    for (size_t i = 0; i < count && ok; position += pieces[i++].size)
        ok = image_put(image, position, pieces[i].data, pieces[i].size, error);
    return ok;
}

/* As far as blocks are there already; offset and cursor are moved on. */
static bool
write_mapped(Image *image, uint64_t *offset, uint64_t end, Cursor *cursor, GError **error)
{
    while (*offset < end) {
        BaseFilePiece taken[PIECES_AT_ONCE];
        ImageExtent extent;
        size_t count;

        if (!image->format->locate(image, *offset, end - *offset, &extent, error))
            return false;
        if (extent.kind != IMAGE_EXTENT_DATA)
            return true;
        count = take(cursor, MIN(extent.length, end - *offset), taken);
        if (!write_stored(extent.part != NULL ? extent.part : image, extent.position, taken, count,
                          error))
            return false;
        *offset += bytes_of(taken, count);
    }
    return true;
}

/* Formats get a copy: what they decide by the data must not change under them. */
static bool
write_copied(Image *image, uint64_t offset, uint64_t end, Cursor *cursor, GError **error)
{
    const size_t length = (size_t)(end - offset);
    g_autofree uint8_t *copy = g_malloc(length);

    for (size_t at = 0; at < length;) {
        BaseFilePiece taken[PIECES_AT_ONCE];
        const size_t count = take(cursor, length - at, taken);

        for (size_t i = 0; i < count; at += taken[i++].size)
            memcpy(copy + at, taken[i].data, taken[i].size);
    }
    return image_write(image, offset, copy, length, error);
}

bool
image_write_pieces(Image *image, uint64_t offset, const BaseFilePiece *pieces, size_t count,
                   GError **error)
{
    const uint64_t length = bytes_of(pieces, count);
    const uint64_t end = offset + length;
    Cursor cursor = {pieces, count, 0};

    if (!image_may_write(image, offset, length, error))
        return false;
    if (image->concurrent && image->started && !write_mapped(image, &offset, end, &cursor, error))
        return false;
    return offset == end || write_copied(image, offset, end, &cursor, error);
}
