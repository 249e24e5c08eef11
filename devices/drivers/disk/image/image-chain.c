/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Chains as a caller hands them over, and who has what in them. For the levels below the newest,
 * which nobody writes to while it stands on them, one byte for each piece of the disk says which of
 * them is the first to have a part of it; so a long chain is walked once for each piece. */
#include "devices/drivers/disk/image/image-chain.h"

#include "devices/drivers/disk/image/image-format.h"
#include "vmm/base/error.h"

/* Pieces are as small as the smallest usual block, unless the table would be too large. */
#define PIECE_SHIFT 16u
#define PIECES_MAX (16u << 20)
/* Walking so many levels costs less than a table. */
#define WALK_MAX 3u

#define OWNER_UNKNOWN 0u
#define OWNER_NONE 255u
_Static_assert(IMAGE_CHAIN_MAX < OWNER_NONE, "each level has its number");

struct ImageOwners {
    Image **levels; /* from the top on */
    unsigned count;
    unsigned shift;
    _Atomic uint8_t *pieces; /* a level from 1 on, or OWNER_ */
};

unsigned
image_chain_length(Image *image)
{
    unsigned length = 0;

    for (; image != NULL; image = image->parent)
        length++;
    return length;
}

Image *
image_chain_nth(Image *image, unsigned level)
{
    while (image != NULL && level-- > 0)
        image = image->parent;
    return image;
}

/* --- owners --- */

void
image_owners_free(ImageOwners *owners)
{
    if (owners == NULL)
        return;
    g_free(owners->levels);
    g_free((void *)owners->pieces);
    g_free(owners);
}

static bool
is_settled(const Image *top)
{
    for (const Image *level = top->parent; level != NULL; level = level->parent) {
        if (level->writable)
            return false;
    }
    return true;
}

static void
note_concurrency(Image *image)
{
    if (image->parent != NULL)
        note_concurrency(image->parent);
    image->chain_concurrent =
        image->concurrent && (image->parent == NULL || image->parent->chain_concurrent);
}

void
image_chain_settle(Image *top)
{
    const unsigned count = image_chain_length(top);
    ImageOwners *owners;

    note_concurrency(top);
    g_clear_pointer(&top->owners, image_owners_free);
    if (count <= WALK_MAX || !is_settled(top))
        return;
    owners = g_new0(ImageOwners, 1);
    owners->shift = PIECE_SHIFT;
    while (top->capacity >> owners->shift >= PIECES_MAX)
        owners->shift++;
    owners->pieces = g_try_malloc0((top->capacity >> owners->shift) + 1);
    owners->levels = g_new(Image *, count);
    owners->count = count;
    for (unsigned i = 0; i < count; i++)
        owners->levels[i] = image_chain_nth(top, i);
    if (owners->pieces != NULL)
        top->owners = owners;
    else
        image_owners_free(owners);
}

/* The first level below the top that is more than a hole in the piece. */
static bool
find_owner(const ImageOwners *owners, uint64_t start, uint64_t length, uint8_t *owner,
           GError **error)
{
    for (unsigned i = 1; i < owners->count; i++) {
        Image *level = owners->levels[i];
        ImageExtent extent = {IMAGE_EXTENT_ZERO, 0, 0, NULL};

        *owner = (uint8_t)i;
        if (start + length > level->capacity)
            return true;
        for (uint64_t at = 0; at < length; at += extent.length) {
            if (!level->format->locate(level, start + at, length - at, &extent, error))
                return false;
            if (extent.kind != IMAGE_EXTENT_HOLE)
                return true;
        }
    }
    *owner = OWNER_NONE;
    return true;
}

Image *
image_owners_find(Image *top, uint64_t offset, uint64_t *length, GError **error)
{
    const ImageOwners *owners = top->owners;
    const uint64_t piece = offset >> owners->shift, start = piece << owners->shift;
    const uint64_t end = MIN(start + (1ull << owners->shift), top->capacity);
    uint8_t owner = owners->pieces[piece];

    if (owner == OWNER_UNKNOWN) {
        if (!find_owner(owners, start, end - start, &owner, error))
            return NULL;
        owners->pieces[piece] = owner;
    }
    *length = MIN(*length, end - offset);
    return owner == OWNER_NONE ? NULL : owners->levels[owner];
}

/* --- opening --- */

static ImageIo *
open_file(const ImageSource *source, GError **error)
{
    g_autoptr(BaseFile) file =
        base_file_open(source->path, source->writable ? BASE_FILE_WRITE : BASE_FILE_READ, error);

    if (file == NULL || !base_file_lock(file, source->writable, error))
        return NULL;
    return image_io_new_file(g_steal_pointer(&file));
}

static bool
check_registered(Image *image, const ImageUuid *registered, GError **error)
{
    char wanted[IMAGE_UUID_TEXT_SIZE], found[IMAGE_UUID_TEXT_SIZE];
    ImageInfo info;

    image_get_info(image, &info);
    if (image_uuid_is_null(registered) || image_uuid_is_null(&info.uuid) ||
        image_uuid_equal(registered, &info.uuid))
        return true;
    image_uuid_to_text(registered, wanted);
    image_uuid_to_text(&info.uuid, found);
    g_set_error(error, BASE_ERROR, BASE_ERROR_INVALID,
                "“%s” is registered with the UUID {%s}, but the file has {%s}. If it is the right "
                "file, set that UUID with “vitrine-manage internalcommands sethduuid”.",
                image->io->name, wanted, found);
    return false;
}

Image *
image_open_source(const ImageSource *source, GError **error)
{
    const ImageOpenFlags flags = source->writable ? IMAGE_OPEN_READ_WRITE : IMAGE_OPEN_READ_ONLY;
    g_auto(ImageFolder) beside = {0};
    const ImageFolder *folder = source->folder;
    ImageIo *io = source->io;
    g_autoptr(Image) image = NULL;

    if (io == NULL) {
        io = open_file(source, error);
        if (io == NULL)
            return NULL;
        beside = image_folder_beside(source->path);
        folder = &beside;
    }
    image = image_open_in_folder(io, source->format, flags, folder, error);
    if (image == NULL || !check_registered(image, &source->uuid, error))
        return NULL;
    return g_steal_pointer(&image);
}

static bool
check_base(Image *image, GError **error)
{
    ImageInfo info;

    image_get_info(image, &info);
    if (info.variant != IMAGE_DIFFERENCING)
        return true;
    g_set_error(error, BASE_ERROR, BASE_ERROR_NOT_SUPPORTED,
                "“%s” is a differencing image, which is of use only together with its parent.",
                image->io->name);
    return false;
}

/* Takes both over on success; NULL parent: nothing is below. */
static bool
put_below(Image *child, Image *parent, GError **error)
{
    return parent == NULL ? check_base(child, error) : image_attach_parent(child, parent, error);
}

Image *
image_open_chain(const ImageSource *sources, unsigned count, GError **error)
{
    g_autoptr(Image) below = NULL;

    for (unsigned i = count; i-- > 0;) {
        g_autoptr(Image) image = image_open_source(&sources[i], error);

        if (image == NULL || !put_below(image, below, error)) {
            while (i-- > 0)
                image_io_close(sources[i].io);
            return NULL;
        }
        below = g_steal_pointer(&image);
    }
    image_chain_settle(below);
    return g_steal_pointer(&below);
}

bool
image_child_options(Image *parent, ImageCreateOptions *options, GError **error)
{
    const ImageFormatInfo *format = image_format_find(options->format);
    ImageInfo info;

    image_get_info(parent, &info);
    if (format == NULL || (format->capabilities & IMAGE_CAN_DIFFER) == 0) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_NOT_SUPPORTED,
                    "Images of format %s cannot stand on a parent.", options->format);
        return false;
    }
    if (image_uuid_is_null(&info.uuid))
        info.uuid = options->parent;
    if (image_uuid_is_null(&info.uuid))
        return image_refuse(error, BASE_ERROR_NOT_SUPPORTED, parent->io->name,
                            "its format keeps no UUID and it is not registered with one, so no "
                            "other image can stand on it");
    options->variant = IMAGE_DIFFERENCING;
    options->kind = 0;
    options->capacity = info.capacity;
    options->parent = info.uuid;
    options->parent_modification = info.modification;
    options->parent_path = parent->io->name;
    return true;
}

/* --- changing a chain --- */

/* Flushes it and lets nobody write to it any more. A full host disk may keep it from being in the
 * order that other programs expect; it is whole all the same. */
static bool
freeze(Image *image, GError **error)
{
    g_autoptr(GError) local = NULL;
    bool ok = image_flush(image, error);

    if (ok && image->writable && image->started && image->format->freeze != NULL) {
        g_mutex_lock(&image->lock);
        ok = image->format->freeze(image, &local) ||
             g_error_matches(local, BASE_ERROR, BASE_ERROR_NO_SPACE);
        g_mutex_unlock(&image->lock);
        if (!ok)
            g_propagate_error(error, g_steal_pointer(&local));
    }
    image->writable = image->writable && !ok;
    return ok;
}

bool
image_chain_push(Image *child, Image *top, GError **error)
{
    ImageInfo above, below;

    image_get_info(child, &above);
    image_get_info(top, &below);
    if (child->capacity != top->capacity)
        return image_refuse(error, BASE_ERROR_INVALID, child->io->name,
                            "it has another size than the image that it is to stand on");
    if (!image_uuid_is_null(&below.modification) &&
        !image_uuid_equal(&above.parent_modification, &below.modification)) {
        const ImageUuidChange change = {.parent_modification = &below.modification};

        if (!image_set_uuids(child, &change, error))
            return false;
    }
    if (!freeze(top, error))
        return false;
    if (!image_attach_parent(child, top, error)) {
        top->writable = true;
        return false;
    }
    g_clear_pointer(&top->owners, image_owners_free);
    image_chain_settle(child);
    return true;
}

void
image_chain_drop(Image *upper, Image *last)
{
    Image *dropped = upper->parent, *rest = last->parent;

    last->parent = NULL;
    upper->parent = rest;
    upper->chain_concurrent = upper->concurrent && (rest == NULL || rest->chain_concurrent);
    image_free(dropped);
    g_clear_pointer(&upper->owners, image_owners_free);
}

bool
image_chain_replace(Image *above, Image *image, GError **error)
{
    Image *old = above->parent;

    if (old == NULL || image->capacity != old->capacity)
        return image_refuse(error, BASE_ERROR_INVALID, image->io->name,
                            "it is not the image that it is to take the place of");
    if (!image_check_parent(above, image, error))
        return false;
    image->parent = g_steal_pointer(&old->parent);
    image->chain_concurrent =
        image->concurrent && (image->parent == NULL || image->parent->chain_concurrent);
    above->parent = image;
    image_free(old);
    return true;
}

static Image *
level_above(Image *top, const Image *lower)
{
    while (top->parent != lower)
        top = top->parent;
    return top;
}

void
image_chain_detach(Image *top, Image *lower)
{
    level_above(top, lower)->parent = NULL;
    top->writable = false;
    /* Another session, with a modification UUID of its own. */
    lower->started = lower->started && lower->format->flush == NULL;
    g_clear_pointer(&top->owners, image_owners_free);
}

bool
image_chain_adopt(Image *above, Image *lower, GError **error)
{
    ImageInfo info;

    if (!freeze(lower, error))
        return false;
    image_get_info(lower, &info);
    if (above->writable) {
        const ImageUuidChange change = {
            .parent = &info.uuid,
            .parent_modification =
                image_uuid_is_null(&info.modification) ? NULL : &info.modification,
        };

        if (!image_set_uuids(above, &change, error))
            return false;
    }
    if (above->parent != lower)
        image_chain_drop(above, level_above(above->parent, lower));
    return true;
}

void
image_chain_freeze(Image *top)
{
    for (Image *level = top->parent; level != NULL; level = level->parent) {
        g_autoptr(GError) error = NULL;

        if (!freeze(level, &error))
            g_warning("A disk image: %s", error->message);
        level->writable = false;
    }
    image_chain_settle(top);
}

bool
image_chain_is_complete(Image *top)
{
    const Image *base = image_chain_nth(top, image_chain_length(top) - 1);

    return !base->differs;
}
