/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Changing the chain below a disk while its machine is there: a snapshot puts an image on top,
 * deleting one merges two, restoring one exchanges all. Requests are held for the moment of the
 * change, and for one piece at a time of a merge. */
#include "devices/drivers/disk/image/image-chain.h"
#include "devices/drivers/disk/image/image-merge.h"
#include "devices/drivers/disk/media-drive.h"
#include "vmm/base/file.h"

/* What the guest wrote meanwhile is merged again as long as it is more than that, so many times. */
#define PIECES_LEFT 4u
#define PASSES_MAX 8u

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

static bool
has_medium(MediaDrive *drive, GError **error)
{
    if (image_queue_image(drive->images) != NULL)
        return true;
    g_set_error_literal(error, BASE_ERROR, BASE_ERROR_STATE, "There is no medium in the drive.");
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
    BaseFile *file;
    Image *child;
    bool ok = false;

    g_mutex_lock(&drive->chain);
    child = media_open_file(drive, source, true, &file, error);
    if (child != NULL)
        ok = has_medium(drive, error) && push_child(drive, child, error);
    if (!ok)
        image_free(child);
    g_mutex_unlock(&drive->chain);
    return ok;
}

/* --- merging --- */

typedef struct {
    MediaDrive *drive;
    ImageMerge merge;
    unsigned from, to;
    uint64_t pieces;
    _Atomic uint8_t *rewritten; /* by piece; NULL: the guest does not write to what is merged */
} LiveMerge;

void
media_note_change(MediaDrive *drive, const ImageJob *job)
{
    _Atomic uint8_t *rewritten = drive->rewritten;

    if (rewritten == NULL || job->size == 0)
        return;
    for (uint64_t piece = job->offset / IMAGE_MERGE_STEP;
         piece <= (job->offset + job->size - 1) / IMAGE_MERGE_STEP; piece++)
        rewritten[piece] = true;
}

static bool
merge_piece(LiveMerge *live, uint64_t piece, GError **error)
{
    bool ok;

    image_queue_pause(live->drive->images);
    if (live->rewritten != NULL)
        live->rewritten[piece] = false;
    ok = image_merge_range(&live->merge, piece * IMAGE_MERGE_STEP, IMAGE_MERGE_STEP, error);
    image_queue_resume(live->drive->images);
    return ok;
}

static bool
merge_all_pieces(LiveMerge *live, PdmMediaProgress progress, void *user, GError **error)
{
    for (uint64_t piece = 0; piece < live->pieces; piece++) {
        if (progress != NULL && !progress(user, (double)piece / (double)live->pieces)) {
            g_set_error_literal(error, BASE_ERROR, BASE_ERROR_CANCELLED,
                                "Merging the disk images was cancelled.");
            return false;
        }
        if (!merge_piece(live, piece, error))
            return false;
    }
    return true;
}

/* Of the pieces that the guest has written to since; *left is how many there were. */
static bool
merge_rewritten(LiveMerge *live, uint64_t *left, GError **error)
{
    *left = 0;
    for (uint64_t piece = 0; live->rewritten != NULL && piece < live->pieces; piece++) {
        if (!live->rewritten[piece])
            continue;
        (*left)++;
        if (!merge_piece(live, piece, error))
            return false;
    }
    return true;
}

/* What is now needed no more is between the one above and the target; requests are held. */
static bool
settle_down(LiveMerge *live, GError **error)
{
    Image *top = image_queue_image(live->drive->images), *target = live->merge.lower;

    if (live->from == 0) {
        image_chain_detach(top, target);
        image_queue_set_image(live->drive->images, target);
        image_free(top);
        return true;
    }
    return image_chain_adopt(image_chain_nth(top, live->from - 1), target, error);
}

static bool
finish_merge(LiveMerge *live, GError **error)
{
    uint64_t left;
    bool ok;

    image_queue_pause(live->drive->images);
    ok = merge_rewritten(live, &left, error) && image_merge_finish(&live->merge, error) &&
         (!live->merge.down || settle_down(live, error));
    image_merge_clear(&live->merge);
    image_chain_settle(image_queue_image(live->drive->images));
    image_queue_resume(live->drive->images);
    return ok;
}

static bool
run_merge(LiveMerge *live, PdmMediaProgress progress, void *user, GError **error)
{
    uint64_t left = G_MAXUINT64;

    if (!merge_all_pieces(live, progress, user, error))
        return false;
    for (unsigned pass = 0; pass < PASSES_MAX && left > PIECES_LEFT; pass++) {
        if (!merge_rewritten(live, &left, error))
            return false;
    }
    return finish_merge(live, error);
}

/* The target is open for reading, in this process; it is opened once more and takes its own place.
 */
static bool
open_target(LiveMerge *live, const PdmMediaSource *source, GError **error)
{
    MediaDrive *drive = live->drive;
    Image *above = image_chain_nth(image_queue_image(drive->images), live->to - 1);
    PdmMediaSource writable = *source;
    BaseFile *file;
    Image *image;
    bool ok;

    writable.writable = true;
    image = media_open_file(drive, &writable, false, &file, error);
    if (image == NULL)
        return false;
    image_queue_pause(drive->images);
    ok = above != NULL && image_chain_replace(above, image, error) &&
         base_file_lock(file, true, error);
    image_chain_settle(image_queue_image(drive->images));
    image_queue_resume(drive->images);
    if (!ok && (above == NULL || image_parent(above) != image))
        image_free(image);
    return ok;
}

static bool
begin_merge(LiveMerge *live, GError **error)
{
    MediaDrive *drive = live->drive;
    bool ok;

    image_queue_pause(drive->images);
    ok = image_merge_begin(&live->merge, image_queue_image(drive->images), live->from, live->to,
                           error);
    if (ok) {
        live->pieces = (live->merge.end + IMAGE_MERGE_STEP - 1) / IMAGE_MERGE_STEP;
        if (live->from == 0)
            live->rewritten = g_malloc0(live->pieces);
        drive->rewritten = live->rewritten;
    }
    image_queue_resume(drive->images);
    return ok;
}

bool
media_merge_images(void *user, unsigned from, unsigned to, const PdmMediaSource *target,
                   PdmMediaProgress progress, void *progress_user, GError **error)
{
    MediaDrive *drive = user;
    LiveMerge live = {.drive = drive, .from = from, .to = to};
    bool ok;

    g_mutex_lock(&drive->chain);
    ok = has_medium(drive, error);
    if (!ok && target != NULL)
        media_discard_source(target->source);
    if (ok && target != NULL)
        ok = open_target(&live, target, error);
    ok = ok && begin_merge(&live, error) && run_merge(&live, progress, progress_user, error);
    /* An event that has begun may still look at it. */
    image_queue_pause(drive->images);
    drive->rewritten = NULL;
    image_merge_clear(&live.merge);
    if (image_queue_image(drive->images) != NULL)
        image_chain_freeze(image_queue_image(drive->images));
    image_queue_resume(drive->images);
    g_free((void *)live.rewritten);
    g_mutex_unlock(&drive->chain);
    return ok;
}

/* --- another chain --- */

static bool
open_all(const MediaDrive *drive, const PdmMediaSource *sources, unsigned count, Image **chain,
         BaseFile **files, GError **error)
{
    Image *below = NULL;

    for (unsigned i = count; i-- > 0;) {
        Image *image = media_open_file(drive, &sources[i], false, &files[i], error);

        if (image == NULL || (below != NULL && !image_attach_parent(image, below, error))) {
            image_free(image);
            image_free(below);
            while (i-- > 0)
                media_discard_source(sources[i].source);
            return false;
        }
        below = image;
    }
    *chain = below;
    return true;
}

static bool
exchange(MediaDrive *drive, const PdmMediaSource *sources, unsigned count, BaseFile **files,
         GError **error)
{
    Image *old = image_queue_image(drive->images), *chain = NULL;

    if (!image_flush(old, error)) {
        for (unsigned i = 0; i < count; i++)
            media_discard_source(sources[i].source);
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
lock_all(MediaDrive *drive, const PdmMediaSource *sources, unsigned count, BaseFile **files)
{
    for (unsigned i = 0; i < count; i++) {
        g_autoptr(GError) error = NULL;

        if (!base_file_lock(files[i], sources[i].writable, &error))
            drive->driver->api->log(drive->driver->pdm, "%s", error->message);
    }
}

bool
media_replace_chain(void *user, const PdmMediaSource *sources, unsigned count, GError **error)
{
    MediaDrive *drive = user;
    g_autofree BaseFile **files = g_new0(BaseFile *, count + 1);
    bool ok;

    g_mutex_lock(&drive->chain);
    image_queue_pause(drive->images);
    ok = has_medium(drive, error) && exchange(drive, sources, count, files, error);
    if (ok) {
        lock_all(drive, sources, count, files);
        image_chain_settle(image_queue_image(drive->images));
    }
    image_queue_resume(drive->images);
    g_mutex_unlock(&drive->chain);
    return ok;
}
