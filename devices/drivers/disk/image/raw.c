/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Raw images: the file is the disk. A file whose length is no multiple of 512 is a disk that ends
 * with zeros, and grows to the full sector when that sector is written. */
#include "devices/drivers/disk/image/image-format.h"
#include "vmm/base/error.h"

#define COMPACT_STEP (64u << 10)

typedef struct {
    _Atomic uint64_t file_size;
} RawState;

static ImageProbe
raw_probe(const ImageProbeInput *input)
{
    return input->file_size > 0 ? IMAGE_PROBE_FALLBACK : IMAGE_PROBE_NO;
}

static bool
raw_open(Image *image, GError **error)
{
    RawState *raw;
    uint64_t size;

    if (!image_io_size(image->io, &size, error))
        return false;
    if (size == 0 || size > G_MAXINT64 - 511) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_INVALID,
                    "“%s” is empty, so it can't be used as a disk.", image->io->name);
        return false;
    }
    raw = g_new0(RawState, 1);
    raw->file_size = size;
    image->state = raw;
    image->concurrent = true;
    image->started = true;
    image->capacity = (size + 511) & ~511ull;
    return true;
}

static void
raw_close(Image *image)
{
    g_free(image->state);
}

static bool
raw_locate(Image *image, uint64_t offset, uint64_t length, ImageExtent *extent, GError **error)
{
    const RawState *raw = image->state;

    image_locate_flat(raw->file_size, offset, length, extent);
    return true;
}

static bool
raw_write(Image *image, uint64_t offset, const void *buffer, size_t length, GError **error)
{
    RawState *raw = image->state;

    if (!image_put(image, offset, buffer, length, error))
        return false;
    if (offset + length > raw->file_size)
        raw->file_size = offset + length;
    return true;
}

static bool
raw_create(ImageIo *io, const ImageCreateOptions *options, const ImageProgressSink *sink,
           GError **error)
{
    if (options->variant == IMAGE_FIXED)
        return image_reserve(io, 0, options->capacity, sink, error);
    return image_io_truncate(io, options->capacity, error) && image_report(sink, 1.0, error);
}

static bool
raw_resize(Image *image, uint64_t capacity, const ImageProgressSink *sink, GError **error)
{
    RawState *raw = image->state;

    image->unsynced = true;
    if (!image_io_truncate(image->io, capacity, error))
        return false;
    raw->file_size = capacity;
    image->capacity = capacity;
    return true;
}

/* Holes in the place of zeros. */
static bool
raw_compact(Image *image, const ImageProgressSink *sink, GError **error)
{
    g_autofree uint8_t *buffer = g_malloc(COMPACT_STEP);
    const RawState *raw = image->state;

    for (uint64_t at = 0; at + COMPACT_STEP <= raw->file_size; at += COMPACT_STEP) {
        if (!image_report(sink, (double)at / (double)raw->file_size, error) ||
            !image_io_read(image->io, at, buffer, COMPACT_STEP, error) ||
            (image_is_zero(buffer, COMPACT_STEP) && !image_punch(image, at, COMPACT_STEP, error)))
            return false;
    }
    return true;
}

static const char *const raw_extensions[] = {"img", "raw", "dd", "ima", "flp", "vfd", NULL};

const ImageFormat image_format_raw = {
    .info =
        {
            .name = "RAW",
            .title = "Raw disk image",
            .extensions = raw_extensions,
            .capabilities = IMAGE_CAN_WRITE | IMAGE_CAN_CREATE_DYNAMIC | IMAGE_CAN_CREATE_FIXED |
                            IMAGE_CAN_RESIZE | IMAGE_CAN_COMPACT,
        },
    .probe = raw_probe,
    .open = raw_open,
    .close = raw_close,
    .locate = raw_locate,
    .write = raw_write,
    .create = raw_create,
    .resize = raw_resize,
    .compact = raw_compact,
};
