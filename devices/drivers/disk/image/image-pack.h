/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Compacting formats whose blocks lie at any sector of the file, beside tables that stay where they
 * are: blocks from the end move to where there is room for one. A block is copied and synced before
 * the table follows it, so whatever a cut leaves is an image with the same content. */
#pragma once

#include "devices/drivers/disk/image/image-format.h"

typedef struct {
    uint32_t block;
    uint32_t sector; /* of the file, where it lies */
} ImagePlace;

/* Bytes of the file that something else than blocks takes. */
typedef struct {
    uint64_t start, end;
} ImageTaken;

typedef struct {
    uint64_t stride; /* bytes of a block */
    uint64_t first;  /* nothing is moved to before that */
    GArray *places;  /* ImagePlace, of all blocks that are there */
    GArray *taken;   /* ImageTaken */
    /* Enters in the tables where blocks are now, and flushes. */
    bool (*moved)(Image *image, const ImagePlace *places, unsigned count, GError **error);
} ImagePacking;

/* Both lists are sorted by it. Progress is reported from `from` to 1. */
bool image_pack(Image *image, const ImagePacking *packing, double from,
                const ImageProgressSink *sink, GError **error);
