/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Blocks from the end of a file fill the gaps before them. */
#include "devices/drivers/disk/image/image-pack.h"

#define SECTOR 512u
/* So many blocks are copied between two syncs. */
#define BATCH 16u

/* What is being filled: everything before `position` is. */
typedef struct {
    const ImagePacking *packing;
    uint32_t next;  /* the first place behind position */
    uint32_t last;  /* so many places stay: those behind were moved */
    guint obstacle; /* the first of what is taken that ends behind position */
    uint64_t position;
} Filling;

static gint
compare_places(gconstpointer a, gconstpointer b)
{
    const ImagePlace *left = a, *right = b;

    return left->sector < right->sector ? -1 : left->sector > right->sector;
}

static gint
compare_taken(gconstpointer a, gconstpointer b)
{
    const ImageTaken *left = a, *right = b;

    return left->start < right->start ? -1 : left->start > right->start;
}

static ImagePlace
place_at(const Filling *filling, uint32_t index)
{
    return g_array_index(filling->packing->places, ImagePlace, index);
}

/* If a block at the position would lie over something else, the position moves behind that. */
static bool
skip_taken(Filling *filling)
{
    const GArray *taken = filling->packing->taken;

    while (filling->obstacle < taken->len) {
        const ImageTaken *range = &g_array_index(taken, ImageTaken, filling->obstacle);

        if (range->end > filling->position) {
            if (range->start >= filling->position + filling->packing->stride)
                return false;
            filling->position = (range->end + SECTOR - 1) / SECTOR * SECTOR;
            return true;
        }
        filling->obstacle++;
    }
    return false;
}

/* The first position where a block has room before the next one. */
static bool
find_room(Filling *filling)
{
    const uint64_t stride = filling->packing->stride;

    while (filling->next < filling->last) {
        const uint64_t next = place_at(filling, filling->next).sector * (uint64_t)SECTOR;

        if (skip_taken(filling))
            continue;
        if (filling->position + stride <= next)
            return true;
        filling->position = MAX(filling->position, next + stride);
        filling->next++;
    }
    return false;
}

static bool
copy_last(Image *image, const Filling *filling, uint8_t *buffer, GError **error)
{
    const uint64_t stride = filling->packing->stride;
    const uint64_t from = place_at(filling, filling->last - 1).sector * (uint64_t)SECTOR;

    return image_io_read(image->io, from, buffer, stride, error) &&
           image_put(image, filling->position, buffer, stride, error);
}

static bool
finish_batch(Image *image, const ImagePacking *packing, const ImagePlace *moved, unsigned *count,
             GError **error)
{
    const unsigned done = *count;

    *count = 0;
    return done == 0 || (image_sync(image, error) && packing->moved(image, moved, done, error));
}

bool
image_pack(Image *image, const ImagePacking *packing, double from, const ImageProgressSink *sink,
           GError **error)
{
    const uint32_t all = packing->places->len;
    Filling filling = {.packing = packing, .last = all, .position = packing->first};
    g_autofree uint8_t *buffer = g_malloc(packing->stride);
    ImagePlace moved[BATCH];
    unsigned count = 0;

    g_array_sort(packing->places, compare_places);
    g_array_sort(packing->taken, compare_taken);
    while (find_room(&filling)) {
        if (!copy_last(image, &filling, buffer, error))
            return false;
        moved[count++] = (ImagePlace){place_at(&filling, filling.last - 1).block,
                                      (uint32_t)(filling.position / SECTOR)};
        filling.position += packing->stride;
        filling.last--;
        if (count == BATCH && (!finish_batch(image, packing, moved, &count, error) ||
                               !image_report(sink, 1.0 - (1.0 - from) * filling.last / all, error)))
            return false;
    }
    return finish_batch(image, packing, moved, &count, error);
}
