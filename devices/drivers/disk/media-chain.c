/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Changing the chain below a disk while its machine is there: a snapshot puts an image on top,
 * restoring one exchanges all; media-merge.c merges two. Requests are held for the moment of the
 * change. */
#include "devices/drivers/disk/image/image-chain.h"
#include "devices/drivers/disk/media-drive.h"
#include "vmm/base/file.h"

unsigned
media_chain_length(void *user)
{
    MediaDrive *drive = user;
    unsigned length;

    g_mutex_lock(&drive->chain);
    length = image_chain_length(image_queue_image(drive->images));
    g_mutex_unlock(&drive->chain);
    return length;
}

bool
media_chain_may_change(const MediaDrive *drive, GError **error)
{
    if (image_queue_image(drive->images) != NULL && drive->merged == NULL)
        return true;
    g_set_error_literal(error, BASE_ERROR, BASE_ERROR_STATE,
                        drive->merged != NULL ? "The disk's images are being merged."
                                              : "There is no medium in the drive.");
    return false;
}

/* --- a new image on top --- */

static bool
push_child(MediaDrive *drive, Image *child, GError **error)
{
    Image *top = image_queue_image(drive->images);
    bool ok;

    /* Most of what is to be flushed is flushed while the guest goes on. */
    if (!image_flush(top, error))
        return false;
    image_queue_pause(drive->images);
    ok = image_chain_push(child, top, error);
    if (ok)
        image_queue_set_image(drive->images, child);
    image_queue_resume(drive->images);
    return ok;
}

bool
media_push_image(void *user, const PdmMediaSource *source, GError **error)
{
    MediaDrive *drive = user;
    Image *child;
    bool ok = false;

    g_mutex_lock(&drive->chain);
    child = media_open_given(drive, source, NULL, error);
    if (child != NULL)
        ok = media_chain_may_change(drive, error) && push_child(drive, child, error);
    if (!ok)
        image_free(child);
    g_mutex_unlock(&drive->chain);
    return ok;
}

/* --- another chain --- */

static bool
open_all(const MediaDrive *drive, const PdmMediaSource *sources, unsigned count, Image **chain,
         GPtrArray *files, GError **error)
{
    Image *below = NULL;

    for (unsigned i = count; i-- > 0;) {
        Image *image = media_open_given(drive, &sources[i], files->pdata[i], error);

        if (image == NULL || (below != NULL && !image_attach_parent(image, below, error))) {
            image_free(image);
            image_free(below);
            while (i-- > 0)
                media_discard_given(&sources[i]);
            return false;
        }
        below = image;
    }
    *chain = below;
    return true;
}

static bool
exchange(MediaDrive *drive, const PdmMediaSource *sources, unsigned count, GPtrArray *files,
         GError **error)
{
    Image *old = image_queue_image(drive->images), *chain = NULL;

    if (!image_flush(old, error)) {
        for (unsigned i = 0; i < count; i++)
            media_discard_given(&sources[i]);
        return false;
    }
    if (!open_all(drive, sources, count, &chain, files, error))
        return false;
    if (chain == NULL || image_capacity(chain) != image_capacity(old) ||
        !image_chain_is_complete(chain)) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_INVALID,
                    "The images that are to take the place of “%s” are not whole, or have another "
                    "size.",
                    image_name(old));
        image_free(chain);
        return false;
    }
    image_queue_set_image(drive->images, chain);
    image_free(old);
    return true;
}

/* Files that are in both chains can only be locked once more when the old one is gone. */
static void
lock_all(MediaDrive *drive, const PdmMediaSource *sources, unsigned count, const GPtrArray *files)
{
    for (unsigned i = 0; i < count; i++) {
        g_autoptr(GError) error = NULL;

        if (!media_lock_files(files->pdata[i], sources[i].writable, &error))
            drive->driver->api->log(drive->driver->pdm, "%s", error->message);
    }
}

bool
media_replace_chain(void *user, const PdmMediaSource *sources, unsigned count, GError **error)
{
    MediaDrive *drive = user;
    g_autoptr(GPtrArray) files = g_ptr_array_new_with_free_func((GDestroyNotify)g_ptr_array_unref);
    bool ok;

    for (unsigned i = 0; i < count; i++)
        g_ptr_array_add(files, g_ptr_array_new());

    g_mutex_lock(&drive->chain);
    image_queue_pause(drive->images);
    ok = media_chain_may_change(drive, error) && exchange(drive, sources, count, files, error);
    if (ok) {
        lock_all(drive, sources, count, files);
        image_chain_settle(image_queue_image(drive->images));
    }
    image_queue_resume(drive->images);
    g_mutex_unlock(&drive->chain);
    return ok;
}
