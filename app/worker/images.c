/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Looking at an image and making one, through the image library. */
#include <string.h>

#include "app/api/vitrine-types.h"
#include "app/worker/worker.h"
#include "devices/drivers/disk/image/image.h"
#include "vmm/base/file.h"

#define PROGRESS_STEPS 200

static ImageIo *
open_io(const char *name, GError **error)
{
    BaseFile *file = base_file_new_from_descriptor(WORKER_FD, name, error);
    return file ? image_io_new_file(file) : NULL;
}

static void
answer_uuid(const char *key, const ImageUuid *uuid)
{
    char text[IMAGE_UUID_TEXT_SIZE];
    if (image_uuid_is_null(uuid))
        return;
    image_uuid_to_text(uuid, text);
    worker_answer(key, "%s", text);
}

bool
worker_probe(const char *name, const char *format, GError **error)
{
    ImageIo *io = open_io(name, error);
    if (io == NULL)
        return false;
    g_autoptr(Image) image =
        image_open_io(io, *format ? format : NULL, IMAGE_OPEN_READ_ONLY, error);
    ImageInfo info;
    if (image == NULL)
        return false;
    image_get_info(image, &info);
    worker_answer("format", "%s", info.format);
    worker_answer("variant", "%s", info.variant == IMAGE_FIXED ? "fixed" : "dynamic");
    worker_answer("capacity", "%" G_GUINT64_FORMAT, info.capacity);
    worker_answer("allocated", "%" G_GUINT64_FORMAT, info.allocated);
    answer_uuid("uuid", &info.uuid);
    answer_uuid("parent", &info.parent);
    return true;
}

static bool
on_progress(void *user, double fraction)
{
    int *last = user;
    int step = (int)(fraction * PROGRESS_STEPS);
    if (step != *last)
        worker_answer("progress", "%d.%03d", step / PROGRESS_STEPS,
                      step % PROGRESS_STEPS * 1000 / PROGRESS_STEPS);
    *last = step;
    return true;
}

bool
worker_create(const char *name, const char *format, const char *variant, const char *size,
              const char *uuid, GError **error)
{
    ImageCreateOptions options = {
        .format = format,
        .variant = strcmp(variant, "fixed") == 0 ? IMAGE_FIXED : IMAGE_DYNAMIC,
        .capacity = g_ascii_strtoull(size, NULL, 10),
    };
    int last = 0;
    if (!image_uuid_from_text(uuid, &options.uuid)) {
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_INVALID, "\"%s\" is no UUID.", uuid);
        return false;
    }
    g_autoptr(ImageIo) io = open_io(name, error);
    return io && image_create_io(io, &options, on_progress, &last, error);
}
