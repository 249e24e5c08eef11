/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A merge in pieces, for a drive whose guest goes on between them; image_merge_down() and
 * image_merge_up() are the same in one go. Nothing else may use the chain during a call. */
#pragma once

#include "devices/drivers/disk/image/image-ops.h"

typedef struct {
    Image *upper;    /* down: the newest of those that are merged; up: the target */
    Image *lower;    /* down: the target; up: the oldest of those that are merged */
    bool down;       /* into lower */
    bool grew;       /* the target has the size that it needs */
    uint64_t end;    /* of what is to be merged, bytes */
    uint8_t *buffer; /* IMAGE_MERGE_STEP bytes */
} ImageMerge;

#define IMAGE_MERGE_STEP (1u << 20)

/* from < to: levels from .. to - 1 of top's chain into level to; from > to: levels to + 1 .. from
 * into level to. Free with image_merge_clear(). */
bool image_merge_begin(ImageMerge *merge, Image *top, unsigned from, unsigned to, GError **error);
/* Merges a range; length at most IMAGE_MERGE_STEP. In any order, and again what has changed. */
bool image_merge_range(ImageMerge *merge, uint64_t offset, uint64_t length, GError **error);
/* When all ranges were merged: makes the target durable. up: it stands on what lower stood on, and
 * those between are closed. down: the chain is unchanged; see image_chain_drop(). */
bool image_merge_finish(ImageMerge *merge, GError **error);
void image_merge_clear(ImageMerge *merge);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ImageMerge, image_merge_clear)
