/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Merging images of a chain while the guest writes to its newest. First, one piece at a time, the
 * target takes what the others hold, and the chain reads the same all the while; the end of that is
 * a state in which the chain can be used with and without the images that are merged: whatever the
 * guest writes goes to both if the newest image is one of them. Then the caller, who has meanwhile
 * written down what the chain is, says which of the two it shall be. Requests are held for one
 * piece at a time, and for the moment of each change. */
#include "devices/drivers/disk/image/image-chain.h"
#include "devices/drivers/disk/image/image-merge.h"
#include "devices/drivers/disk/media-drive.h"
#include "vmm/base/file.h"

/* What the guest wrote meanwhile is merged again as long as it is more than that, so many times. */
#define PIECES_LEFT 4u
#define PASSES_MAX 8u

struct MediaMerge {
    MediaDrive *drive;
    ImageMerge merge;
    unsigned from, to;
    uint64_t pieces;
    _Atomic uint8_t *rewritten; /* by piece; NULL: the guest does not write to what is merged */
};

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
merge_piece(MediaMerge *live, uint64_t piece, GError **error)
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
merge_all_pieces(MediaMerge *live, PdmMediaProgress progress, void *user, GError **error)
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
merge_rewritten(MediaMerge *live, uint64_t *left, GError **error)
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

/* The image above those that are merged, if they are not the newest and it can be written to. */
static Image *
writable_above(const MediaMerge *live)
{
    Image *top = image_queue_image(live->drive->images);
    Image *above = live->merge.down && live->from > 0 ? image_chain_nth(top, live->from - 1) : NULL;

    return above != NULL && image_is_writable(above) ? above : NULL;
}

static bool
set_parent(Image *image, const ImageUuid *uuid, const ImageUuid *modification, GError **error)
{
    const ImageUuidChange change = {
        .parent = uuid,
        .parent_modification = image_uuid_is_null(modification) ? NULL : modification,
    };

    return image_set_uuids(image, &change, error) && image_flush(image, error);
}

static bool
set_parent_image(Image *image, Image *parent, GError **error)
{
    ImageInfo info;

    image_get_info(parent, &info);
    return set_parent(image, &info.uuid, &info.modification, error);
}

/* Writes down in the files what the chain is without the images that are merged. */
static bool
name_parents(MediaMerge *live, GError **error)
{
    Image *above = writable_above(live);
    ImageInfo info;

    if (live->merge.down)
        return above == NULL || set_parent_image(above, live->merge.lower, error);
    image_get_info(live->merge.lower, &info);
    return set_parent(live->merge.upper, &info.parent, &info.parent_modification, error);
}

/* And what it is with them. */
static bool
name_parents_again(MediaMerge *live, GError **error)
{
    Image *above = writable_above(live);

    if (live->merge.down)
        return above == NULL || set_parent_image(above, live->merge.upper, error);
    return set_parent_image(live->merge.upper, image_parent(live->merge.upper), error);
}

/* Requests are held. From now on the newest image and the target hold the same. */
static bool
finish_merge(MediaMerge *live, GError **error)
{
    uint64_t left;
    bool ok;

    image_queue_pause(live->drive->images);
    ok = merge_rewritten(live, &left, error) &&
         image_flush(live->merge.down ? live->merge.lower : live->merge.upper, error) &&
         name_parents(live, error);
    live->drive->rewritten = NULL;
    if (ok && live->rewritten != NULL && live->merge.down)
        image_queue_set_mirror(live->drive->images, live->merge.lower);
    image_queue_resume(live->drive->images);
    return ok;
}

static bool
run_merge(MediaMerge *live, PdmMediaProgress progress, void *user, GError **error)
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
open_target(MediaMerge *live, const PdmMediaSource *source, GError **error)
{
    MediaDrive *drive = live->drive;
    Image *above = image_chain_nth(image_queue_image(drive->images), live->to - 1);
    PdmMediaSource writable = *source;
    g_autoptr(GPtrArray) files = g_ptr_array_new();
    Image *image;
    bool ok;

    writable.writable = true;
    image = media_open_given(drive, &writable, files, error);
    if (image == NULL)
        return false;
    image_queue_pause(drive->images);
    ok = above != NULL && image_chain_replace(above, image, error) &&
         media_lock_files(files, true, error);
    image_chain_settle(image_queue_image(drive->images));
    image_queue_resume(drive->images);
    if (!ok && (above == NULL || image_parent(above) != image))
        image_free(image);
    return ok;
}

static bool
begin_merge(MediaMerge *live, GError **error)
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

static void
merge_free(MediaMerge *live)
{
    image_merge_clear(&live->merge);
    g_free((void *)live->rewritten);
    g_free(live);
}

/* Requests are held. The chain is what it was. */
static void
take_back(MediaMerge *live)
{
    MediaDrive *drive = live->drive;

    /* An event that has begun may have looked at it; none has while requests are held. */
    drive->rewritten = NULL;
    image_queue_set_mirror(drive->images, NULL);
    if (image_queue_image(drive->images) != NULL)
        image_chain_freeze(image_queue_image(drive->images));
}

bool
media_merge_images(void *user, unsigned from, unsigned to, const PdmMediaSource *target,
                   PdmMediaProgress progress, void *progress_user, GError **error)
{
    MediaDrive *drive = user;
    MediaMerge *live = g_new0(MediaMerge, 1);
    bool ok;

    *live = (MediaMerge){.drive = drive, .from = from, .to = to};
    g_mutex_lock(&drive->chain);
    ok = media_chain_may_change(drive, error);
    if (!ok && target != NULL)
        media_discard_given(target);
    if (ok && target != NULL)
        ok = open_target(live, target, error);
    ok = ok && begin_merge(live, error) && run_merge(live, progress, progress_user, error);
    if (ok) {
        drive->merged = live;
    } else if (drive->merged == NULL) {
        image_queue_pause(drive->images);
        take_back(live);
        image_queue_resume(drive->images);
        merge_free(live);
    } else {
        merge_free(live);
    }
    g_mutex_unlock(&drive->chain);
    return ok;
}

/* What is now needed no more is above the target, or between it and the one above. */
static bool
settle_down(MediaMerge *live, GError **error)
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
settle(MediaMerge *live, bool done, GError **error)
{
    bool ok = true;

    image_queue_set_mirror(live->drive->images, NULL);
    if (!done)
        ok = name_parents_again(live, error);
    else if (live->merge.down)
        ok = settle_down(live, error);
    else
        image_chain_drop(live->merge.upper, live->merge.lower);
    return ok;
}

bool
media_settle_merge(void *user, bool done, GError **error)
{
    MediaDrive *drive = user;
    bool ok = false;

    g_mutex_lock(&drive->chain);
    if (drive->merged == NULL) {
        g_set_error_literal(error, BASE_ERROR, BASE_ERROR_STATE,
                            "No images of this disk are being merged.");
        g_mutex_unlock(&drive->chain);
        return false;
    }
    image_queue_pause(drive->images);
    ok = settle(drive->merged, done, error);
    image_merge_clear(&drive->merged->merge);
    image_chain_freeze(image_queue_image(drive->images));
    image_queue_resume(drive->images);
    merge_free(drive->merged);
    drive->merged = NULL;
    g_mutex_unlock(&drive->chain);
    return ok;
}

void
media_merge_abandon(MediaDrive *drive)
{
    if (drive->merged != NULL)
        merge_free(drive->merged);
    drive->merged = NULL;
}
