/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Making new images: the part that is the same for all formats. */
#include <glib/gstdio.h>
#include <string.h>

#include "devices/drivers/disk/image/image-format.h"
#include "vmm/base/error.h"

/* Room is reserved in steps of this size, so that progress moves and cancelling works. */
#define RESERVE_STEP (64 * 1024 * 1024)
#define ZERO_STEP (1024 * 1024)

bool
image_report(const ImageProgressSink *sink, double fraction, GError **error)
{
    if (sink->callback == NULL || sink->callback(sink->user, fraction))
        return true;
    g_set_error_literal(error, BASE_ERROR, BASE_ERROR_CANCELLED,
                        "The work on the disk image was cancelled.");
    return false;
}

static bool
write_zeros(ImageIo *io, uint64_t offset, uint64_t length, GError **error)
{
    g_autofree uint8_t *zeros = g_malloc0(ZERO_STEP);

    while (length > 0) {
        size_t part = (size_t)MIN(length, ZERO_STEP);

        if (!image_io_write(io, offset, zeros, part, error))
            return false;
        offset += part;
        length -= part;
    }
    return true;
}

static bool
reserve_step(ImageIo *io, uint64_t offset, uint64_t length, bool *can_allocate, GError **error)
{
    g_autoptr(GError) local = NULL;

    if (*can_allocate) {
        if (io->ops->allocate(io, offset, length, &local))
            return true;
        if (!g_error_matches(local, BASE_ERROR, BASE_ERROR_NOT_SUPPORTED)) {
            g_propagate_error(error, g_steal_pointer(&local));
            return false;
        }
        *can_allocate = false;
    }
    return write_zeros(io, offset, length, error);
}

bool
image_reserve(ImageIo *io, uint64_t offset, uint64_t length, const ImageProgressSink *sink,
              GError **error)
{
    bool can_allocate = io->ops->allocate != NULL;

    for (uint64_t done = 0; done < length;) {
        uint64_t step = MIN(length - done, can_allocate ? RESERVE_STEP : ZERO_STEP);

        if (!image_report(sink, (double)done / (double)length, error) ||
            !reserve_step(io, offset + done, step, &can_allocate, error))
            return false;
        done += step;
    }
    return image_report(sink, 1.0, error);
}

bool
image_is_zero(const void *buffer, size_t length)
{
    const uint8_t *bytes = buffer;

    return length == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, length - 1) == 0);
}

ImageGeometry
image_guess_lchs(uint64_t capacity)
{
    static const uint32_t heads_steps[] = {16, 32, 64, 128};
    uint64_t sectors = capacity / 512;
    ImageGeometry lchs = {.heads = 255, .sectors = 63};

    for (unsigned i = 0; i < G_N_ELEMENTS(heads_steps); i++) {
        if (sectors <= 1024ull * heads_steps[i] * 63) {
            lchs.heads = heads_steps[i];
            break;
        }
    }
    lchs.cylinders = (uint32_t)CLAMP(sectors / (lchs.heads * lchs.sectors), 1, 1024);
    return lchs;
}

static unsigned
needed_capabilities(const ImageCreateOptions *options)
{
    unsigned needed = (options->kind & IMAGE_KIND_SPLIT) != 0 ? IMAGE_CAN_SPLIT : 0;

    if ((options->kind & IMAGE_KIND_STREAM) != 0)
        needed |= IMAGE_CAN_STREAM;
    switch (options->variant) {
    case IMAGE_FIXED: return needed | IMAGE_CAN_CREATE_FIXED;
    case IMAGE_DIFFERENCING: return needed | IMAGE_CAN_DIFFER;
    case IMAGE_DYNAMIC: break;
    }
    return needed | IMAGE_CAN_CREATE_DYNAMIC;
}

/* Kinds that stand for something of their own go with dynamic and fixed images only. */
static bool
fits_together(const ImageCreateOptions *options)
{
    if ((options->kind & IMAGE_KIND_STREAM) != 0)
        return options->variant == IMAGE_DYNAMIC && options->kind == IMAGE_KIND_STREAM;
    return options->kind == 0 || options->variant != IMAGE_DIFFERENCING;
}

const ImageFormat *
image_creatable_format(const ImageCreateOptions *options, GError **error)
{
    const ImageFormat *format = image_format_lookup(options->format);
    const unsigned needed = needed_capabilities(options);

    if (format != NULL && (format->info.capabilities & needed) == needed && fits_together(options))
        return format;
    g_set_error(error, BASE_ERROR, BASE_ERROR_NOT_SUPPORTED,
                "Images of format %s cannot be created in that variant.", options->format);
    return NULL;
}

bool
image_complete_options(const ImageCreateOptions *options, ImageCreateOptions *checked,
                       GError **error)
{
    *checked = *options;
    if (options->capacity == 0 || options->capacity > G_MAXINT64 - 511) {
        g_set_error_literal(error, BASE_ERROR, BASE_ERROR_INVALID,
                            "The size of a disk image must be between 512 bytes and 8 EB.");
        return false;
    }
    if (options->variant == IMAGE_DIFFERENCING && image_uuid_is_null(&options->parent)) {
        g_set_error_literal(error, BASE_ERROR, BASE_ERROR_INVALID,
                            "A differencing image needs a parent that has a UUID.");
        return false;
    }
    checked->capacity = (options->capacity + 511) & ~511ull;
    if (checked->comment == NULL)
        checked->comment = "";
    if (image_uuid_is_null(&checked->uuid))
        image_uuid_generate(&checked->uuid);
    return true;
}

bool
image_create_io(ImageIo *io, const ImageCreateOptions *options, ImageProgress progress, void *user,
                GError **error)
{
    const ImageFormat *format = image_creatable_format(options, error);
    ImageProgressSink sink = {progress, user};
    ImageCreateOptions complete;

    if (format == NULL || !image_complete_options(options, &complete, error))
        return false;
    if ((options->kind & IMAGE_KIND_STREAM) != 0) {
        g_set_error_literal(error, BASE_ERROR, BASE_ERROR_NOT_SUPPORTED,
                            "A stream-optimised image can only be made as a copy of another one.");
        return false;
    }
    return format->create(io, &complete, &sink, error) && image_io_sync(io, error);
}

bool
image_make_file(const char *path, ImageMaker make, void *user, GError **error)
{
    g_auto(ImageFolder) folder = image_folder_beside(path);
    g_autoptr(BaseFile) file = base_file_open(path, BASE_FILE_CREATE, error);
    g_autoptr(ImageIo) io = NULL;

    if (file == NULL)
        return false;
    if (base_file_lock(file, true, error)) {
        io = image_io_new_file(g_steal_pointer(&file));
        if (make(user, io, &folder, error) && base_file_sync_directory_of(path, error))
            return true;
    }
    g_unlink(path);
    return false;
}

typedef struct {
    const ImageCreateOptions *options;
    ImageProgress progress;
    void *user;
} CreateFile;

static bool
create_in_file(void *user, ImageIo *io, const ImageFolder *folder, GError **error)
{
    const CreateFile *job = user;
    ImageCreateOptions options = *job->options;

    options.folder = folder;
    return image_create_io(io, &options, job->progress, job->user, error);
}

bool
image_create(const char *path, const ImageCreateOptions *options, ImageProgress progress,
             void *user, GError **error)
{
    CreateFile job = {options, progress, user};

    return image_creatable_format(options, error) != NULL &&
           image_make_file(path, create_in_file, &job, error);
}
