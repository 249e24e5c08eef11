/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Tables of 32-bit entries that formats keep in their files. */
#include "devices/drivers/disk/image/image-map.h"

#include <string.h>

#include "vmm/base/error.h"

#define ENTRIES_PER_SECTOR (512 / 4)

static uint32_t
swap(const ImageMap *map, uint32_t entry)
{
    return map->big_endian ? GUINT32_TO_BE(entry) : GUINT32_TO_LE(entry);
}

static size_t
dirty_bytes(const ImageMap *map)
{
    return map->count / ENTRIES_PER_SECTOR / 8 + 1;
}

bool
image_map_prepare(ImageMap *map, Image *image, uint32_t count, bool big_endian, GError **error)
{
    *map = (ImageMap){.count = count, .big_endian = big_endian};
    map->entries = g_try_malloc0_n(count, 4);
    if (map->entries == NULL) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_NO_MEMORY,
                    "There is not enough memory for the block map of “%s”.", image->io->name);
        return false;
    }
    map->dirty = g_malloc0(dirty_bytes(map));
    return true;
}

bool
image_map_load(ImageMap *map, Image *image, uint64_t position, uint32_t count, bool big_endian,
               uint64_t file_end, GError **error)
{
    size_t bytes = (size_t)count * 4;

    if (position > file_end || bytes > file_end - position) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_CORRUPT,
                    "“%s” is damaged: the file ends within its block map.", image->io->name);
        return false;
    }
    if (!image_map_prepare(map, image, count, big_endian, error))
        return false;
    map->position = position;
    if (!image_io_read(image->io, position, map->entries, bytes, error)) {
        image_map_clear(map);
        return false;
    }
    for (uint32_t i = 0; i < count; i++)
        map->entries[i] = swap(map, map->entries[i]);
    return true;
}

void
image_map_clear(ImageMap *map)
{
    g_clear_pointer(&map->entries, g_free);
    g_clear_pointer(&map->dirty, g_free);
}

bool
image_map_grow(ImageMap *map, Image *image, uint32_t count, uint32_t fill, GError **error)
{
    ImageMap longer;

    if (!image_map_prepare(&longer, image, count, map->big_endian, error))
        return false;
    longer.position = map->position;
    memcpy(longer.entries, map->entries, map->count * 4ull);
    for (uint32_t i = map->count; i < count; i++)
        image_map_set(&longer, i, fill);
    image_map_clear(map);
    *map = longer;
    return true;
}

void
image_map_set(ImageMap *map, uint32_t index, uint32_t entry)
{
    uint32_t sector = index / ENTRIES_PER_SECTOR;
    uint8_t bit = (uint8_t)(1u << sector % 8);

    __atomic_store_n(&map->entries[index], entry, __ATOMIC_RELEASE);
    if ((map->dirty[sector / 8] & bit) == 0) {
        map->dirty[sector / 8] |= bit;
        map->dirty_sectors++;
    }
}

static bool
write_sector(const ImageMap *map, Image *image, uint32_t sector, uint64_t position, GError **error)
{
    uint32_t entries[ENTRIES_PER_SECTOR];
    uint32_t first = sector * ENTRIES_PER_SECTOR;
    uint32_t count = MIN(ENTRIES_PER_SECTOR, map->count - first);

    for (uint32_t i = 0; i < count; i++)
        entries[i] = swap(map, map->entries[first + i]);
    return image_put(image, position, entries, count * 4ull, error);
}

/* pieces is NULL when the map lies in one. */
static bool
write_dirty(const ImageMap *map, Image *image, const uint32_t *pieces, uint32_t sectors_each,
            GError **error)
{
    uint32_t sectors = (map->count - 1) / ENTRIES_PER_SECTOR + 1;
    uint32_t left = map->dirty_sectors;

    for (uint32_t sector = 0; sector < sectors && left > 0; sector++) {
        uint64_t position = map->position + sector * 512ull;

        if ((map->dirty[sector / 8] & (1u << sector % 8)) == 0)
            continue;
        if (pieces != NULL)
            position = ((uint64_t)pieces[sector / sectors_each] + sector % sectors_each) * 512;
        if (!write_sector(map, image, sector, position, error))
            return false;
        left--;
    }
    return true;
}

bool
image_map_write(const ImageMap *map, Image *image, GError **error)
{
    return write_dirty(map, image, NULL, 0, error);
}

bool
image_map_write_pieces(const ImageMap *map, Image *image, const uint32_t *pieces,
                       uint32_t sectors_each, GError **error)
{
    return write_dirty(map, image, pieces, sectors_each, error);
}

void
image_map_written(ImageMap *map)
{
    memset(map->dirty, 0, dirty_bytes(map));
    map->dirty_sectors = 0;
}
