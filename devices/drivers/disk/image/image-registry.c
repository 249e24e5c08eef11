/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The formats of formats.def, by name and by content. Also recognises well-known formats that have
 * no reader here, so that nobody boots a guest from the raw bytes of a compressed image. */
#include <string.h>

#include "devices/drivers/disk/image/image-format.h"
#include "vmm/base/error.h"

#define IMAGE_FORMAT(name) extern const ImageFormat image_format_##name;
#include "devices/drivers/disk/image/formats.def"
#undef IMAGE_FORMAT

static const ImageFormat *const formats[] = {
#define IMAGE_FORMAT(name) &image_format_##name,
#include "devices/drivers/disk/image/formats.def"
#undef IMAGE_FORMAT
};

typedef struct {
    const char *magic;
    uint8_t length;
    const char *title;
    bool in_tail; /* the last 512 bytes begin with it, not the file */
} ForeignFormat;

static const ForeignFormat foreign_formats[] = {
    {"koly", 4, "DMG", true},
    {"EVF\x09\x0d\x0a\xff\x00", 8, "EWF"},
};

const ImageFormat *
image_format_lookup(const char *name)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(formats); i++)
        if (g_ascii_strcasecmp(formats[i]->info.name, name) == 0)
            return formats[i];
    return NULL;
}

const ImageFormatInfo *
image_format_nth(unsigned index)
{
    return index < G_N_ELEMENTS(formats) ? &formats[index]->info : NULL;
}

const ImageFormatInfo *
image_format_find(const char *name)
{
    const ImageFormat *format = image_format_lookup(name);

    return format != NULL ? &format->info : NULL;
}

static bool
refuse_foreign(const ImageIo *io, const ImageProbeInput *input, GError **error)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(foreign_formats); i++) {
        const ForeignFormat *foreign = &foreign_formats[i];
        const uint8_t *at = foreign->in_tail ? input->tail : input->head;

        if (memcmp(at, foreign->magic, foreign->length) == 0) {
            g_set_error(error, BASE_ERROR, BASE_ERROR_NOT_SUPPORTED,
                        "“%s” is a %s image, which cannot be used directly. Convert it to VDI.",
                        io->name, foreign->title);
            return false;
        }
    }
    return true;
}

static const ImageFormat *
best_format(const ImageProbeInput *input)
{
    const ImageFormat *best = NULL;
    ImageProbe best_score = IMAGE_PROBE_NO;

    for (unsigned i = 0; i < G_N_ELEMENTS(formats); i++) {
        ImageProbe score = formats[i]->probe(input);

        if (score > best_score) {
            best = formats[i];
            best_score = score;
        }
    }
    return best;
}

static bool
read_probe_input(ImageIo *io, ImageProbeInput *input, GError **error)
{
    uint64_t size;

    if (!image_io_size(io, &size, error))
        return false;
    input->file_size = size;
    if (size >= IMAGE_PROBE_TAIL &&
        !image_io_read(io, size - IMAGE_PROBE_TAIL, input->tail, IMAGE_PROBE_TAIL, error))
        return false;
    return image_io_read(io, 0, input->head, (size_t)MIN(size, IMAGE_PROBE_SIZE), error);
}

const char *
image_probe(ImageIo *io, GError **error)
{
    g_autofree ImageProbeInput *input = g_new0(ImageProbeInput, 1);
    const ImageFormat *format;

    if (!read_probe_input(io, input, error) || !refuse_foreign(io, input, error))
        return NULL;
    format = best_format(input);
    if (format == NULL) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_INVALID,
                    "“%s” is empty, so it can't be used as a disk.", io->name);
        return NULL;
    }
    return format->info.name;
}
