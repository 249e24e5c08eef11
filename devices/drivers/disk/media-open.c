/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * From a driver's configuration to an open image. */
#include <string.h>

#include "devices/drivers/disk/media-drive.h"
#include "vmm/base/file.h"

static BaseFile *
open_source(const char *source, const char *name, bool read_only, GError **error)
{
    uint64_t descriptor;

    if (!g_str_has_prefix(source, "fd:"))
        return base_file_open(source, read_only ? BASE_FILE_READ : BASE_FILE_WRITE, error);
    if (!g_ascii_string_to_unsigned(source + 3, 10, 0, G_MAXINT, &descriptor, error))
        return NULL;
    return base_file_new_from_descriptor((int)descriptor, name, error);
}

void
media_discard_source(const char *source)
{
    if (source != NULL && g_str_has_prefix(source, "fd:"))
        base_file_close(open_source(source, source, true, NULL));
}

/* A differencing image alone would show zeros where its parent has data. */
static bool
check_complete(Image *image, GError **error)
{
    ImageInfo info;

    image_get_info(image, &info);
    if (info.variant != IMAGE_DIFFERENCING || image_parent(image) != NULL)
        return true;
    g_set_error(error, BASE_ERROR, BASE_ERROR_NOT_SUPPORTED,
                "“%s” is a differencing image, which is of use only together with its parent.",
                image_name(image));
    return false;
}

static Image *
open_once(const MediaDrive *drive, const char *source, const char *name, bool read_only,
          GError **error)
{
    g_autoptr(BaseFile) file = open_source(source, name, read_only, error);
    Image *image;

    if (file == NULL)
        return NULL;
    /* A floppy that can't be written to is write-protected; for a disk that is an error. */
    if (!base_file_is_writable(file) && drive->connector.type == PDM_MEDIA_FLOPPY)
        read_only = true;
    if (!read_only && !base_file_is_writable(file)) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_DENIED, "“%s” cannot be written to.", name);
        return NULL;
    }
    if (!base_file_lock(file, !read_only, error))
        return NULL;
    image = image_open_io(image_io_new_file(g_steal_pointer(&file)), drive->format,
                          read_only ? IMAGE_OPEN_READ_ONLY : IMAGE_OPEN_READ_WRITE, error);
    if (image != NULL && !check_complete(image, error))
        g_clear_pointer(&image, image_free);
    return image;
}

Image *
media_open(const MediaDrive *drive, const char *source, const char *name, GError **error)
{
    bool may_retry = drive->connector.type == PDM_MEDIA_FLOPPY && !drive->open_read_only &&
                     !g_str_has_prefix(source, "fd:");
    g_autoptr(GError) local = NULL;
    Image *image;

    if (name == NULL)
        name = source;
    image = open_once(drive, source, name, drive->open_read_only, &local);
    if (image == NULL && may_retry && g_error_matches(local, BASE_ERROR, BASE_ERROR_DENIED)) {
        g_clear_error(&local);
        image = open_once(drive, source, name, true, &local);
    }
    if (local != NULL)
        g_propagate_error(error, g_steal_pointer(&local));
    return image;
}

void
media_make_serial(Image *image, char serial[MEDIA_SERIAL_SIZE])
{
    g_autofree char *base = g_path_get_basename(image_name(image));
    ImageInfo info;
    const uint8_t *id;

    image_get_info(image, &info);
    id = info.uuid.bytes;
    if (image_uuid_is_null(&info.uuid))
        g_snprintf(serial, MEDIA_SERIAL_SIZE, "VT%08x", g_str_hash(base));
    else
        g_snprintf(serial, MEDIA_SERIAL_SIZE, "VT%02x%02x%02x%02x-%02x%02x%02x%02x", id[0], id[1],
                   id[2], id[3], id[12], id[13], id[14], id[15]);
}
