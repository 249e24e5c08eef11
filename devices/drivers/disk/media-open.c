/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * From a driver's configuration, or what a running drive is given, to open images. */
#include <string.h>

#include "devices/drivers/disk/image/image-chain.h"
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

const char *
media_parse_drive(const char *source, int *descriptor)
{
    char *end;
    guint64 number;

    if (source == NULL || !g_str_has_prefix(source, MEDIA_SOURCE_DRIVE))
        return NULL;
    source += strlen(MEDIA_SOURCE_DRIVE);
    number = g_ascii_isdigit(*source) ? g_ascii_strtoull(source, &end, 10) : G_MAXUINT64;
    if (number > G_MAXINT || *end != ':')
        return NULL;
    *descriptor = (int)number;
    return end + 1;
}

void
media_discard_source(const char *source)
{
    int descriptor;

    if (source != NULL && g_str_has_prefix(source, "fd:"))
        base_file_close(open_source(source, source, true, NULL));
    else if (media_parse_drive(source, &descriptor) != NULL)
        host_drive_close(descriptor);
}

/* The host's cache is passed by where that can be done: it is no condition for running. */
static ImageIo *
new_io(const MediaDrive *drive, BaseFile *file)
{
    ImageIo *io = image_io_new_file(file);
    g_autoptr(GError) error = NULL;

    if (!drive->host_cache && !image_io_bypass_cache(io, &error))
        drive->driver->api->log(drive->driver->pdm, "%s", error->message);
    return io;
}

/* --- files beside an image, by descriptor --- */

typedef struct {
    const MediaDrive *drive;
    const CfgmNode *extents;
} Beside;

static ImageIo *
open_extent(void *user, const char *name, ImageFileMode mode, GError **error)
{
    const Beside *beside = user;
    g_autoptr(BaseFile) file = NULL;
    uint64_t descriptor = cfgm_uint(beside->extents, name, G_MAXUINT64);

    if (descriptor > G_MAXINT) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_NOT_FOUND,
                    "The image needs the file “%s”, which is not in its configuration.", name);
        return NULL;
    }
    file = base_file_new_from_descriptor((int)descriptor, name, error);
    if (file == NULL || !base_file_lock(file, mode != IMAGE_FILE_READ, error))
        return NULL;
    return new_io(beside->drive, g_steal_pointer(&file));
}

/* --- from the configuration --- */

typedef struct {
    ImageSource source;
    ImageFolder folder;
    Beside beside;
} Level;

static bool
take_uuid(const CfgmNode *config, ImageUuid *uuid, GError **error)
{
    const char *text = cfgm_string(config, "Uuid", "");

    if (*text == '\0' || image_uuid_from_text(text, uuid))
        return true;
    g_set_error(error, BASE_ERROR, BASE_ERROR_INVALID, "“%s” is no UUID.", text);
    return false;
}

static ImageIo *
open_descriptor(const MediaDrive *drive, uint64_t descriptor, const char *name, bool writable,
                GError **error)
{
    g_autoptr(BaseFile) file =
        base_file_new_from_descriptor((int)MIN(descriptor, G_MAXINT), name, error);

    if (file == NULL)
        return NULL;
    if (writable && !base_file_is_writable(file)) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_DENIED, "“%s” cannot be written to.", name);
        return NULL;
    }
    if (!base_file_lock(file, writable, error))
        return NULL;
    return new_io(drive, g_steal_pointer(&file));
}

static bool
take_level(const MediaDrive *drive, const CfgmNode *config, bool writable, Level *level,
           GError **error)
{
    const char *path = cfgm_string(config, "Path", "");

    *level = (Level){.beside = {drive, cfgm_child(config, "Extents")}};
    level->source = (ImageSource){
        .path = path,
        .format = cfgm_string(config, "Format", NULL),
        .writable = writable,
    };
    level->folder = (ImageFolder){.open = open_extent, .user = &level->beside};
    if (!take_uuid(config, &level->source.uuid, error))
        return false;
    if (!cfgm_has(config, "Descriptor"))
        return true;
    level->source.folder = level->beside.extents != NULL ? &level->folder : NULL;
    level->source.io = open_descriptor(drive, cfgm_uint(config, "Descriptor", 0),
                                       *path != '\0' ? path : "disk", writable, error);
    return level->source.io != NULL;
}

static Image *
open_levels(const MediaDrive *drive, const CfgmNode *config, GError **error)
{
    g_autofree Level *levels = g_new0(Level, IMAGE_CHAIN_MAX);
    g_autofree ImageSource *sources = g_new0(ImageSource, IMAGE_CHAIN_MAX);
    unsigned count = 0;

    for (; config != NULL && count < IMAGE_CHAIN_MAX; config = cfgm_child(config, "Parent")) {
        Level *level = &levels[count];
        const bool writable = count == 0 && !drive->open_read_only;

        if (!take_level(drive, config, writable, level, error)) {
            while (count-- > 0)
                image_io_close(sources[count].io);
            return NULL;
        }
        sources[count++] = level->source;
    }
    return image_open_chain(sources, count, error);
}

/* A single file that need not be writable is what media_open() knows. */
Image *
media_open_chain(const MediaDrive *drive, const CfgmNode *config, GError **error)
{
    const char *path = cfgm_string(config, "Path", "");
    g_autofree char *source = NULL;

    if (drive->connector.type == PDM_MEDIA_DISK)
        return open_levels(drive, config, error);
    source = cfgm_has(config, "Descriptor")
                 ? g_strdup_printf("fd:%" G_GUINT64_FORMAT, cfgm_uint(config, "Descriptor", 0))
                 : g_strdup(path);
    return media_open(drive, source, *path != '\0' ? path : NULL, error);
}

/* --- one file --- */

static Image *
open_once(const MediaDrive *drive, const char *source, const char *name, bool read_only,
          GError **error)
{
    g_autoptr(BaseFile) file = open_source(source, name, read_only, error);

    if (file == NULL)
        return NULL;
    /* A floppy that can't be written to is write-protected. */
    if (!base_file_is_writable(file) && drive->connector.type == PDM_MEDIA_FLOPPY)
        read_only = true;
    if (!read_only && !base_file_is_writable(file)) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_DENIED, "“%s” cannot be written to.", name);
        return NULL;
    }
    if (!base_file_lock(file, !read_only, error))
        return NULL;
    return image_open_io(new_io(drive, g_steal_pointer(&file)), drive->format,
                         read_only ? IMAGE_OPEN_READ_ONLY : IMAGE_OPEN_READ_WRITE, error);
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

/* --- an image that a running disk is given --- */

typedef struct {
    const MediaDrive *drive;
    const PdmMediaSource *source;
    bool *taken;      /* by part */
    GPtrArray *files; /* NULL: they are locked */
} Given;

/* Takes file; NULL is passed on. */
static ImageIo *
take_file(const MediaDrive *drive, BaseFile *file, bool writable, GPtrArray *files, GError **error)
{
    if (file == NULL)
        return NULL;
    if (files != NULL) {
        g_ptr_array_add(files, file);
    } else if (!base_file_lock(file, writable, error)) {
        base_file_close(file);
        return NULL;
    }
    return new_io(drive, file);
}

static ImageIo *
open_given_part(void *user, const char *name, ImageFileMode mode, GError **error)
{
    Given *given = user;

    for (unsigned i = 0; i < given->source->part_count; i++) {
        const PdmMediaPart *part = &given->source->parts[i];

        if (given->taken[i] || !g_str_equal(part->name, name))
            continue;
        given->taken[i] = true;
        return take_file(given->drive, base_file_new_from_descriptor(part->descriptor, name, error),
                         mode != IMAGE_FILE_READ, given->files, error);
    }
    g_set_error(error, BASE_ERROR, BASE_ERROR_NOT_FOUND,
                "The image needs the file “%s”, which the disk was not given.", name);
    return NULL;
}

static void
discard_parts(const PdmMediaSource *source, const bool *taken)
{
    for (unsigned i = 0; i < source->part_count; i++) {
        if (taken == NULL || !taken[i])
            base_file_close(
                base_file_new_from_descriptor(source->parts[i].descriptor, "part", NULL));
    }
}

void
media_discard_given(const PdmMediaSource *source)
{
    media_discard_source(source->source);
    discard_parts(source, NULL);
}

bool
media_lock_files(const GPtrArray *files, bool writable, GError **error)
{
    for (unsigned i = 0; i < files->len; i++) {
        if (!base_file_lock(files->pdata[i], writable, error))
            return false;
    }
    return true;
}

Image *
media_open_given(const MediaDrive *drive, const PdmMediaSource *source, GPtrArray *files,
                 GError **error)
{
    const char *name = source->name != NULL ? source->name : source->source;
    ImageSource wanted = {.format = source->format, .writable = source->writable};
    g_autofree bool *taken = g_new0(bool, source->part_count + 1);
    Given given = {drive, source, taken, files};
    const ImageFolder folder = {.open = open_given_part, .user = &given};
    Image *image;

    if (source->uuid != NULL && !image_uuid_from_text(source->uuid, &wanted.uuid)) {
        media_discard_given(source);
        g_set_error(error, BASE_ERROR, BASE_ERROR_INVALID, "“%s” is no UUID.", source->uuid);
        return NULL;
    }
    wanted.folder = source->part_count > 0 ? &folder : NULL;
    wanted.io = take_file(drive, open_source(source->source, name, !source->writable, error),
                          source->writable, files, error);
    image = wanted.io != NULL ? image_open_source(&wanted, error) : NULL;
    discard_parts(source, taken);
    return image;
}

void
media_make_serial(Image *image, char serial[MEDIA_SERIAL_SIZE])
{
    g_autofree char *base = NULL;
    ImageInfo info;
    const uint8_t *id;

    /* What is on top of the base comes and goes with snapshots; the disk stays the same. */
    while (image_parent(image) != NULL)
        image = image_parent(image);
    base = g_path_get_basename(image_name(image));
    image_get_info(image, &info);
    id = info.uuid.bytes;
    if (image_uuid_is_null(&info.uuid))
        g_snprintf(serial, MEDIA_SERIAL_SIZE, "VT%08x", g_str_hash(base));
    else
        g_snprintf(serial, MEDIA_SERIAL_SIZE, "VT%02x%02x%02x%02x-%02x%02x%02x%02x", id[0], id[1],
                   id[2], id[3], id[12], id[13], id[14], id[15]);
}
