/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Merging images of a chain, in both directions. Down: what the newer images hold is written into
 * an older one, below them, where it changes nothing that can be seen through them. Up: what is
 * seen through an image and held by those below is written into it. Either way a cut in between
 * leaves a chain that reads the same, and merging again does no harm. */
#include "devices/drivers/disk/image/image-merge.h"

#include "devices/drivers/disk/image/image-chain.h"
#include "devices/drivers/disk/image/image-format.h"
#include "vmm/base/error.h"

/* What the levels from `first` down to just above `stop` have together. */
static bool
what_between(Image *first, const Image *stop, uint64_t offset, uint64_t length, ImageHas *has,
             uint64_t *same, GError **error)
{
    *has = IMAGE_HAS_NOTHING;
    *same = length;
    for (Image *level = first; level != stop && *has == IMAGE_HAS_NOTHING; level = level->parent) {
        if (!image_what(level, offset, *same, has, same, error))
            return false;
    }
    return true;
}

bool
image_merge_begin(ImageMerge *merge, Image *top, unsigned from, unsigned to, GError **error)
{
    Image *upper = image_chain_nth(top, MIN(from, to)),
          *lower = image_chain_nth(top, MAX(from, to));
    const Image *target = from < to ? lower : upper;

    *merge = (ImageMerge){0};
    if (from == to || lower == NULL) {
        g_set_error_literal(error, BASE_ERROR, BASE_ERROR_INVALID,
                            "There is nothing to merge between these images.");
        return false;
    }
    if (!target->writable) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_DENIED, "“%s” is open for reading only.",
                    target->io->name);
        return false;
    }
    if (upper->capacity < lower->capacity)
        return image_refuse(error, BASE_ERROR_NOT_SUPPORTED, upper->io->name,
                            "it is smaller than an image below it, so the two cannot be merged");
    *merge = (ImageMerge){
        .upper = upper,
        .lower = lower,
        .down = from < to,
        .end = upper->capacity,
        .buffer = g_malloc(IMAGE_MERGE_STEP),
    };
    /* Who stands on the target knows its modification UUID. */
    (merge->down ? lower : upper)->keeps_modification = true;
    return true;
}

void
image_merge_clear(ImageMerge *merge)
{
    if (merge->buffer != NULL)
        (merge->down ? merge->lower : merge->upper)->keeps_modification = false;
    g_clear_pointer(&merge->buffer, g_free);
}

static bool
copy(ImageMerge *merge, Image *target, uint64_t offset, uint64_t length, GError **error)
{
    return image_read(merge->upper, offset, merge->buffer, length, error) &&
           image_write(target, offset, merge->buffer, length, error);
}

static bool
merge_down_piece(ImageMerge *merge, uint64_t offset, uint64_t length, uint64_t *done,
                 GError **error)
{
    ImageHas has;

    if (!what_between(merge->upper, merge->lower, offset, length, &has, done, error))
        return false;
    if (has == IMAGE_HAS_NOTHING)
        return true;
    return has == IMAGE_HAS_ZEROS ? image_zero(merge->lower, offset, *done, error)
                                  : copy(merge, merge->lower, offset, *done, error);
}

static bool
merge_up_piece(ImageMerge *merge, uint64_t offset, uint64_t length, uint64_t *done, GError **error)
{
    Image *rest = merge->lower->parent;
    ImageHas has;

    if (!image_what(merge->upper, offset, length, &has, done, error))
        return false;
    if (has != IMAGE_HAS_NOTHING)
        return true;
    if (!what_between(merge->upper->parent, rest, offset, *done, &has, done, error))
        return false;
    if (has == IMAGE_HAS_NOTHING || (has == IMAGE_HAS_ZEROS && rest == NULL))
        return true;
    return has == IMAGE_HAS_ZEROS ? image_zero(merge->upper, offset, *done, error)
                                  : copy(merge, merge->upper, offset, *done, error);
}

static bool
grow_target(ImageMerge *merge, GError **error)
{
    if (merge->down && merge->lower->capacity < merge->end &&
        !image_resize(merge->lower, merge->end, NULL, NULL, error))
        return false;
    merge->grew = true;
    return true;
}

bool
image_merge_range(ImageMerge *merge, uint64_t offset, uint64_t length, GError **error)
{
    if (!merge->grew && !grow_target(merge, error))
        return false;
    for (uint64_t end = MIN(offset + length, merge->end); offset < end;) {
        uint64_t done;

        if (!(merge->down ? merge_down_piece : merge_up_piece)(merge, offset, end - offset, &done,
                                                               error))
            return false;
        offset += done;
    }
    return true;
}

/* The target takes the place of all that it has been merged with. */
static bool
stand_on_rest(ImageMerge *merge, GError **error)
{
    ImageUuidChange change;
    ImageInfo info;

    image_get_info(merge->lower, &info);
    change = (ImageUuidChange){
        .parent = &info.parent,
        .parent_modification = &info.parent_modification,
    };
    if (!image_set_uuids(merge->upper, &change, error))
        return false;
    image_chain_drop(merge->upper, merge->lower);
    return true;
}

bool
image_merge_finish(ImageMerge *merge, GError **error)
{
    if (!image_flush(merge->down ? merge->lower : merge->upper, error))
        return false;
    return merge->down || stand_on_rest(merge, error);
}

static bool
merge_all(Image *top, unsigned from, unsigned to, ImageProgress progress, void *user,
          GError **error)
{
    const ImageProgressSink sink = {progress, user};
    g_auto(ImageMerge) merge = {0};

    if (!image_merge_begin(&merge, top, from, to, error))
        return false;
    for (uint64_t at = 0; at < merge.end; at += IMAGE_MERGE_STEP) {
        if (!image_report(&sink, (double)at / (double)merge.end, error) ||
            !image_merge_range(&merge, at, IMAGE_MERGE_STEP, error))
            return false;
    }
    return image_merge_finish(&merge, error);
}

static unsigned
level_of(Image *top, const Image *image)
{
    unsigned level = 0;

    while (top != NULL && top != image) {
        top = top->parent;
        level++;
    }
    return level; /* past the end if it is not there, which is no level */
}

bool
image_merge_down(Image *top, Image *target, ImageProgress progress, void *user, GError **error)
{
    return merge_all(top, 0, level_of(top, target), progress, user, error);
}

bool
image_merge_up(Image *target, Image *oldest, ImageProgress progress, void *user, GError **error)
{
    return merge_all(target, level_of(target, oldest), 0, progress, user, error);
}
