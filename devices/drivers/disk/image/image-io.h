/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What an image file is read and written through. The ordinary one stands on a file or a passed
 * descriptor (image_io_new_file()); tests put others in its place, to record, to fail and to cut
 * the power. Implement by embedding ImageIo as the first member. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "vmm/base/file.h"

typedef struct ImageIo ImageIo;

/* All may block; offsets and lengths in bytes. */
typedef struct {
    /* All of length, or an error; beyond the end is an error. */
    bool (*pread)(ImageIo *io, uint64_t offset, void *buffer, size_t length, GError **error);
    /* All of length, or an error; writing beyond the end extends. */
    bool (*pwrite)(ImageIo *io, uint64_t offset, const void *buffer, size_t length, GError **error);
    /* The same with memory in pieces; NULL: they are moved one by one. */
    bool (*pread_pieces)(ImageIo *io, uint64_t offset, const BaseFilePiece *pieces, size_t count,
                         GError **error);
    bool (*pwrite_pieces)(ImageIo *io, uint64_t offset, const BaseFilePiece *pieces, size_t count,
                          GError **error);
    /* pread and pwrite on a thread that must not wait for the host's disk: what is read is in the
     * host's memory, what is written goes there. False: do it in the other way. NULL: always so. */
    bool (*try_pread)(ImageIo *io, uint64_t offset, void *buffer, size_t length);
    bool (*try_pwrite)(ImageIo *io, uint64_t offset, const void *buffer, size_t length);
    /* Everything written before is durable when it returns true. */
    bool (*sync)(ImageIo *io, GError **error);
    bool (*size)(ImageIo *io, uint64_t *size, GError **error);
    /* Cuts, or extends with zeros. */
    bool (*truncate)(ImageIo *io, uint64_t size, GError **error);
    /* Reserves room, zero-filled; NULL or BASE_ERROR_NOT_SUPPORTED if it can't be done. */
    bool (*allocate)(ImageIo *io, uint64_t offset, uint64_t length, GError **error);
    /* Gives room back; the range reads as zeros then. NULL or BASE_ERROR_NOT_SUPPORTED likewise. */
    bool (*punch)(ImageIo *io, uint64_t offset, uint64_t length, GError **error);
    /* The next range from offset on that may hold something else than zeros; start == end == size
     * when there is none. NULL: all may. */
    bool (*next_data)(ImageIo *io, uint64_t offset, uint64_t *start, uint64_t *end, GError **error);
    void (*close)(ImageIo *io);
} ImageIoOps;

struct ImageIo {
    const ImageIoOps *ops;
    const char *name; /* for messages; belongs to the implementation */
    bool writable;
};

typedef enum { IMAGE_FILE_READ, IMAGE_FILE_WRITE, IMAGE_FILE_CREATE } ImageFileMode;

/* Where an image in several files has the others. name is a plain file name without a folder: the
 * library sees to that. NULL and *error when the caller does not let the image have that file. */
typedef struct {
    ImageIo *(*open)(void *user, const char *name, ImageFileMode mode, GError **error);
    /* Deletes what was made a moment ago, on failure; may be NULL. */
    void (*remove)(void *user, const char *name);
    void *user;
} ImageFolder;

/* Takes file over. */
ImageIo *image_io_new_file(BaseFile *file);

/* Of one made by image_io_new_file(): from now on what lies on whole pages goes past the host's
 * cache. False, and all is as before, where the host can't do that. */
bool image_io_bypass_cache(ImageIo *io, GError **error);

void image_io_close(ImageIo *io);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ImageIo, image_io_close)

static inline bool
image_io_read(ImageIo *io, uint64_t offset, void *buffer, size_t length, GError **error)
{
    return io->ops->pread(io, offset, buffer, length, error);
}

static inline bool
image_io_write(ImageIo *io, uint64_t offset, const void *buffer, size_t length, GError **error)
{
    return io->ops->pwrite(io, offset, buffer, length, error);
}

static inline bool
image_io_sync(ImageIo *io, GError **error)
{
    return io->ops->sync(io, error);
}

static inline bool
image_io_size(ImageIo *io, uint64_t *size, GError **error)
{
    return io->ops->size(io, size, error);
}

static inline bool
image_io_truncate(ImageIo *io, uint64_t size, GError **error)
{
    return io->ops->truncate(io, size, error);
}
