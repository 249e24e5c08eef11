/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A table of 32-bit entries in an image file (block map, block allocation table): held in memory in
 * host order, its changed sectors written on a flush. */
#pragma once

#include "devices/drivers/disk/image/image-format.h"

typedef struct {
    uint32_t *entries; /* read freely, change by image_map_set() */
    uint32_t count;
    uint64_t position; /* in the file */
    bool big_endian;
    uint8_t *dirty; /* a bit for each sector of the table that is to be written */
    uint32_t dirty_sectors;
} ImageMap;

/* Reads count > 0 entries at position, which has to lie below file_end. On failure nothing is to be
 * cleared. */
bool image_map_load(ImageMap *map, Image *image, uint64_t position, uint32_t count, bool big_endian,
                    uint64_t file_end, GError **error);
/* The same for entries that lie scattered in the file: all 0, for the caller to fill in. */
bool image_map_prepare(ImageMap *map, Image *image, uint32_t count, bool big_endian,
                       GError **error);
void image_map_clear(ImageMap *map);
/* Reads an entry while another thread may be changing it. */
static inline uint32_t
image_map_get(const ImageMap *map, uint32_t index)
{
    return __atomic_load_n(&map->entries[index], __ATOMIC_ACQUIRE);
}
/* Makes the map longer; what is new is `fill` and noted to be written. The image must be used by
 * nobody else. False without enough memory. */
bool image_map_grow(ImageMap *map, Image *image, uint32_t count, uint32_t fill, GError **error);
/* Changes an entry in memory and notes that its sector has to be written. */
void image_map_set(ImageMap *map, uint32_t index, uint32_t entry);
/* Writes the sectors that changed. They stay noted until image_map_written(). */
bool image_map_write(const ImageMap *map, Image *image, GError **error);
/* The same for a scattered one: piece i, of sectors_each sectors, lies at sector pieces[i]. */
bool image_map_write_pieces(const ImageMap *map, Image *image, const uint32_t *pieces,
                            uint32_t sectors_each, GError **error);
void image_map_written(ImageMap *map);
