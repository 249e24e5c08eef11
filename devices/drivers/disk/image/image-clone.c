/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Copies of images in any format that can be written: zeros, holes of the host's file and what no
 * image of the chain holds are passed over. */
#include <string.h>

#include "devices/drivers/disk/image/image-format.h"
#include "vmm/base/error.h"

#define STEP (1u << 20)
/* Zeros are looked for in pieces of this size. */
#define PIECE (1u << 16)

typedef struct {
    Image *source, *target;
    bool differs; /* only what source itself holds is copied */
    uint8_t *buffer;
    ImageIo *file; /* whose holes are known */
    uint64_t data_start, data_end;
} Clone;

/* A hole of the host's file needs not be read: how long it is from position on; 0: it is none. */
static bool
hole_in_file(Clone *clone, ImageIo *io, uint64_t position, uint64_t *length, GError **error)
{
    *length = 0;
    if (io->ops->next_data == NULL)
        return true;
    if (clone->file != io || position < clone->data_start || position >= clone->data_end) {
        clone->file = io;
        if (!io->ops->next_data(io, position, &clone->data_start, &clone->data_end, error))
            return false;
    }
    if (clone->data_start > position)
        *length = clone->data_start - position;
    clone->data_start = MIN(clone->data_start, position);
    return true;
}

/* The target is new: what is not written reads as zeros. */
static bool
write_pieces(Clone *clone, uint64_t offset, size_t length, GError **error)
{
    for (size_t at = 0; at < length;) {
        size_t end = at;

        while (end < length && !image_is_zero(clone->buffer + end, MIN(PIECE, length - end)))
            end = MIN(end + PIECE, length);
        if (end == at)
            at = MIN(at + PIECE, length);
        else if (!image_write(clone->target, offset + at, clone->buffer + at, end - at, error))
            return false;
        else
            at = end;
    }
    return true;
}

/* Copies some of the range and says how much. */
static bool
copy_some(Clone *clone, uint64_t offset, uint64_t length, uint64_t *done, GError **error)
{
    Image *owner = clone->source;
    uint64_t hole = 0;
    ImageExtent extent;

    if (!image_locate_in_chain(owner, offset, length, &owner, &extent, error))
        return false;
    *done = MIN(length, extent.length);
    if (extent.kind == IMAGE_EXTENT_HOLE || extent.kind == IMAGE_EXTENT_ZERO)
        return true;
    if (extent.kind == IMAGE_EXTENT_DATA &&
        !hole_in_file(clone, (extent.part != NULL ? extent.part : owner)->io, extent.position,
                      &hole, error))
        return false;
    if (hole > 0) {
        *done = MIN(*done, hole);
        return true;
    }
    return image_read(clone->source, offset, clone->buffer, (size_t)*done, error) &&
           write_pieces(clone, offset, (size_t)*done, error);
}

/* Whether the source has anything of the range in its own file. */
static bool
holds_any(Clone *clone, uint64_t offset, uint64_t length, bool *holds, GError **error)
{
    uint64_t same;
    ImageHas has = IMAGE_HAS_NOTHING;

    for (uint64_t at = 0; at < length && has == IMAGE_HAS_NOTHING; at += same) {
        if (!image_what(clone->source, offset + at, length - at, &has, &same, error))
            return false;
    }
    *holds = has != IMAGE_HAS_NOTHING;
    return true;
}

/* Blocks of the target are copied whole, with what is seen through the source: the target's parent
 * is not here to fill them up. */
static bool
copy_difference(Clone *clone, uint64_t offset, uint64_t length, uint64_t *done, GError **error)
{
    const uint64_t end = offset + length;
    bool holds;

    *done = length;
    if (!holds_any(clone, offset, length, &holds, error))
        return false;
    if (!holds)
        return true;
    for (uint64_t at = offset; at < end;) {
        const size_t part = (size_t)MIN(STEP, end - at);

        if (!image_read(clone->source, at, clone->buffer, part, error) ||
            !(image_is_zero(clone->buffer, part)
                  ? image_zero(clone->target, at, part, error)
                  : image_write(clone->target, at, clone->buffer, part, error)))
            return false;
        at += part;
    }
    return true;
}

static bool
copy_all(Clone *clone, const ImageProgressSink *sink, GError **error)
{
    const uint64_t end = clone->source->capacity;
    uint64_t step = STEP, done;
    ImageInfo info;

    image_get_info(clone->target, &info);
    if (clone->differs)
        step = MAX(step, info.block_size);
    for (uint64_t at = 0; at < end; at += done) {
        const uint64_t length = MIN(step - at % step, end - at);

        if (!(clone->differs ? copy_difference : copy_some)(clone, at, length, &done, error) ||
            ((at + done) % step == 0 &&
             !image_report(sink, (double)(at + done) / (double)end, error)))
            return false;
    }
    return image_flush(clone->target, error) && image_report(sink, 1.0, error);
}

static bool
prepare(const Image *source, const ImageCreateOptions *options, ImageCreateOptions *prepared,
        GError **error)
{
    *prepared = *options;
    if (options->capacity == 0)
        prepared->capacity = source->capacity;
    if (prepared->capacity < source->capacity) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_INVALID,
                    "A copy of “%s” cannot be smaller than the image.", source->io->name);
        return false;
    }
    if (options->variant == IMAGE_DIFFERENCING && source->parent == NULL)
        return image_refuse(error, BASE_ERROR_INVALID, source->io->name,
                            "it has no parent, so no difference to one can be copied");
    return true;
}

static bool
fill(Image *source, ImageIo *io, const ImageCreateOptions *options, const ImageProgressSink *sink,
     GError **error)
{
    g_autofree uint8_t *buffer = g_malloc(STEP);
    g_autoptr(Image) target = image_open_borrowed(io, options->format, options->folder, error);
    Clone clone = {
        .source = source,
        .target = target,
        .differs = options->variant == IMAGE_DIFFERENCING,
        .buffer = buffer,
    };

    if (target == NULL || !copy_all(&clone, sink, error))
        return false;
    return image_close(g_steal_pointer(&target), error);
}

bool
image_clone_io(Image *source, ImageIo *io, const ImageCreateOptions *options,
               ImageProgress progress, void *user, GError **error)
{
    const ImageProgressSink sink = {progress, user};
    ImageCreateOptions prepared, complete;
    const ImageFormat *format;

    if (!prepare(source, options, &prepared, error))
        return false;
    if ((options->kind & IMAGE_KIND_STREAM) == 0)
        return image_create_io(io, &prepared, NULL, NULL, error) &&
               fill(source, io, &prepared, &sink, error);
    format = image_creatable_format(&prepared, error);
    return format != NULL && image_complete_options(&prepared, &complete, error) &&
           format->stream(source, io, &complete, &sink, error) && image_io_sync(io, error);
}

typedef struct {
    Image *source;
    const ImageCreateOptions *options;
    ImageProgress progress;
    void *user;
} CloneToFile;

static bool
clone_to_file(void *user, ImageIo *io, const ImageFolder *folder, GError **error)
{
    const CloneToFile *job = user;
    ImageCreateOptions options = *job->options;

    options.folder = folder;
    return image_clone_io(job->source, io, &options, job->progress, job->user, error);
}

bool
image_clone(Image *source, const char *path, const ImageCreateOptions *options,
            ImageProgress progress, void *user, GError **error)
{
    CloneToFile job = {source, options, progress, user};

    return image_creatable_format(options, error) != NULL &&
           image_make_file(path, clone_to_file, &job, error);
}
