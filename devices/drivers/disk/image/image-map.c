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
image_map_load(ImageMap *map, Image *image, uint64_t position, uint32_t count, bool big_endian,
               uint64_t file_end, GError **error)
{
    size_t bytes = (size_t)count * 4;

    *map = (ImageMap){.count = count, .position = position, .big_endian = big_endian};
    if (position > file_end || bytes > file_end - position) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_CORRUPT,
                    "“%s” is damaged: the file ends within its block map.", image->io->name);
        return false;
    }
    map->entries = g_try_malloc(bytes);
    if (map->entries == NULL) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_NO_MEMORY,
                    "There is not enough memory for the block map of “%s”.", image->io->name);
        return false;
    }
    if (!image_io_read(image->io, position, map->entries, bytes, error)) {
        image_map_clear(map);
        return false;
    }
    for (uint32_t i = 0; i < count; i++)
        map->entries[i] = swap(map, map->entries[i]);
    map->dirty = g_malloc0(dirty_bytes(map));
    return true;
}

void
image_map_clear(ImageMap *map)
{
    g_clear_pointer(&map->entries, g_free);
    g_clear_pointer(&map->dirty, g_free);
}

void
image_map_set(ImageMap *map, uint32_t index, uint32_t entry)
{
    uint32_t sector = index / ENTRIES_PER_SECTOR;
    uint8_t bit = (uint8_t)(1u << sector % 8);

    map->entries[index] = entry;
    if ((map->dirty[sector / 8] & bit) == 0) {
        map->dirty[sector / 8] |= bit;
        map->dirty_sectors++;
    }
}

static bool
write_sector(const ImageMap *map, Image *image, uint32_t sector, GError **error)
{
    uint32_t entries[ENTRIES_PER_SECTOR];
    uint32_t first = sector * ENTRIES_PER_SECTOR;
    uint32_t count = MIN(ENTRIES_PER_SECTOR, map->count - first);

    for (uint32_t i = 0; i < count; i++)
        entries[i] = swap(map, map->entries[first + i]);
    return image_put(image, map->position + first * 4ull, entries, count * 4ull, error);
}

bool
image_map_write(const ImageMap *map, Image *image, GError **error)
{
    uint32_t sectors = (map->count - 1) / ENTRIES_PER_SECTOR + 1;
    uint32_t left = map->dirty_sectors;

    for (uint32_t sector = 0; sector < sectors && left > 0; sector++) {
        if ((map->dirty[sector / 8] & (1u << sector % 8)) == 0)
            continue;
        if (!write_sector(map, image, sector, error))
            return false;
        left--;
    }
    return true;
}

void
image_map_written(ImageMap *map)
{
    memset(map->dirty, 0, dirty_bytes(map));
    map->dirty_sectors = 0;
}
