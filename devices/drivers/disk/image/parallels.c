/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Parallels HDD, one file, version 2 (both of its signatures): read only. docs/interop/parallels of
 * QEMU. Left out: writing, the bundle with its XML file and snapshots. */
#include <string.h>

#include "devices/drivers/disk/image/image-bytes.h"
#include "devices/drivers/disk/image/image-map.h"
#include "vmm/base/error.h"

#define HEADER_SIZE 64
/* Offsets in the header, little-endian. */
enum {
    AT_VERSION = 16,
    AT_BLOCK_SECTORS = 28,
    AT_BLOCKS = 32,
    AT_SECTORS = 36,
};
/* Entries count in sectors, or in whole blocks. */
#define MAGIC_SECTORS "WithoutFreeSpace"
#define MAGIC_BLOCKS "WithouFreSpacExt"
/* A table of 256 MiB. */
#define BLOCKS_MAX (64u << 20)

typedef struct {
    ImageMap map;
    uint64_t block_size;
    uint64_t unit; /* bytes that an entry counts in */
    uint64_t file_end;
    uint32_t used;
} ParallelsState;

static ImageProbe
parallels_probe(const ImageProbeInput *input)
{
    return memcmp(input->head, MAGIC_SECTORS, 16) == 0 || memcmp(input->head, MAGIC_BLOCKS, 16) == 0
               ? IMAGE_PROBE_CONTENT
               : IMAGE_PROBE_NO;
}

static void
free_state(ParallelsState *hdd)
{
    image_map_clear(&hdd->map);
    g_free(hdd);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ParallelsState, free_state)

static bool
decode(Image *image, ParallelsState *hdd, const uint8_t *raw, GError **error)
{
    const bool in_blocks = memcmp(raw, MAGIC_BLOCKS, 16) == 0;
    const uint32_t block_sectors = image_get32(raw, AT_BLOCK_SECTORS),
                   blocks = image_get32(raw, AT_BLOCKS);
    uint64_t sectors = image_get32(raw, AT_SECTORS);

    if (in_blocks)
        sectors |= (uint64_t)image_get32(raw, AT_SECTORS + 4) << 32;
    else if (memcmp(raw, MAGIC_SECTORS, 16) != 0)
        return image_refuse(error, BASE_ERROR_CORRUPT, image->io->name,
                            "it has no Parallels signature");
    if (image_get32(raw, AT_VERSION) != 2)
        return image_refuse(error, BASE_ERROR_VERSION, image->io->name,
                            "its Parallels version is not 2");
    if (block_sectors == 0 || block_sectors > 1u << 21)
        return image_refuse(error, BASE_ERROR_CORRUPT, image->io->name,
                            "its block size is out of range");
    if (sectors == 0 || sectors > G_MAXINT64 / 1024 || blocks < (sectors - 1) / block_sectors + 1 ||
        blocks > BLOCKS_MAX)
        return image_refuse(error, BASE_ERROR_CORRUPT, image->io->name,
                            "its size and its number of blocks contradict each other");
    hdd->block_size = block_sectors * 512ull;
    hdd->unit = in_blocks ? hdd->block_size : 512;
    image->capacity = sectors * 512;
    return image_map_load(&hdd->map, image, HEADER_SIZE, blocks, false, hdd->file_end, error);
}

static bool
parallels_open(Image *image, GError **error)
{
    g_autoptr(ParallelsState) hdd = g_new0(ParallelsState, 1);
    uint8_t raw[HEADER_SIZE] = {0};

    if (!image_io_size(image->io, &hdd->file_end, error) ||
        !image_io_read(image->io, 0, raw, MIN(sizeof raw, hdd->file_end), error) ||
        !decode(image, hdd, raw, error))
        return false;
    for (uint32_t block = 0; block < hdd->map.count; block++)
        hdd->used += hdd->map.entries[block] != 0;
    image->state = g_steal_pointer(&hdd);
    return true;
}

static void
parallels_close(Image *image)
{
    free_state(image->state);
}

static bool
parallels_locate(Image *image, uint64_t offset, uint64_t length, ImageExtent *extent,
                 GError **error)
{
    const ParallelsState *hdd = image->state;
    const uint64_t within = offset % hdd->block_size;
    const uint64_t start = hdd->map.entries[offset / hdd->block_size] * hdd->unit;

    *extent =
        (ImageExtent){IMAGE_EXTENT_HOLE, MIN(length, hdd->block_size - within), start + within};
    if (start == 0)
        return true;
    if (start + within >= hdd->file_end)
        return image_refuse(error, BASE_ERROR_CORRUPT, image->io->name,
                            "it is damaged: a block lies past the end of the file");
    extent->kind = IMAGE_EXTENT_DATA;
    extent->length = MIN(extent->length, hdd->file_end - extent->position);
    return true;
}

static void
parallels_get_info(Image *image, ImageInfo *info)
{
    const ParallelsState *hdd = image->state;

    info->variant = IMAGE_DYNAMIC;
    info->allocated = MIN(hdd->used * hdd->block_size, image->capacity);
    info->block_size = (uint32_t)hdd->block_size;
}

static const char *const parallels_extensions[] = {"hdd", NULL};

const ImageFormat image_format_parallels = {
    .info = {.name = "Parallels",
             .title = "Parallels hard disk",
             .extensions = parallels_extensions},
    .probe = parallels_probe,
    .open = parallels_open,
    .close = parallels_close,
    .locate = parallels_locate,
    .get_info = parallels_get_info,
};
