/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The metadata region of a VHDX file: a table of items by UUID. MS-VHDX 2.6. */
#include "devices/drivers/disk/image/image-bytes.h"
#include "devices/drivers/disk/image/vhdx-private.h"

#define TABLE_SIZE 65536u
#define ENTRY_SIZE 32u
#define ENTRIES_MAX 1023u
#define FLAG_REQUIRED 4u
#define PARAMETER_LEAVE_ALLOCATED 1u
#define PARAMETER_HAS_PARENT 2u
/* A sector bitmap has so many bits. */
#define BITMAP_SECTORS (1ull << 23)

typedef enum {
    ITEM_PARAMETERS,
    ITEM_CAPACITY,
    ITEM_SECTOR,
    ITEM_PHYSICAL,
    ITEM_ID,
    ITEM_PARENT
} Item;
#define ITEMS 6u
#define ITEM_BYTES 8u

typedef struct {
    const char *uuid;
    uint32_t used; /* bytes that are read; 0: only known */
} KnownItem;

/* By Item. */
static const KnownItem known_items[ITEMS] = {
    {"caa16737-fa36-4d43-b3b6-33f0aa44e76b", 8}, {"2fa54224-cd1b-4876-b211-5dbed83bf4b8", 8},
    {"8141bf1d-a96f-4709-ba47-f233a8faab5f", 4}, {"cda348c7-445d-4471-9cc9-e9885251c556", 0},
    {"beca12ab-b2e6-4523-93ef-c309e000c746", 0}, {"a8d35f2d-b30b-454d-abf7-d3d84834ab0c", 0},
};

typedef struct {
    bool present[ITEMS];
    uint8_t bytes[ITEMS][ITEM_BYTES];
} Items;

static unsigned
which_item(const uint8_t *entry)
{
    char text[IMAGE_UUID_TEXT_SIZE];
    ImageUuid uuid;
    unsigned item = 0;

    image_uuid_from_mixed(entry, &uuid);
    image_uuid_to_text(&uuid, text);
    while (item < ITEMS && strcmp(text, known_items[item].uuid) != 0)
        item++;
    return item;
}

static bool
take_item(Image *image, const VhdxState *vhdx, const uint8_t *entry, Items *items, GError **error)
{
    const uint32_t offset = image_get32(entry, 16), length = image_get32(entry, 20);
    const unsigned item = which_item(entry);

    if (item == ITEMS) {
        if ((image_get32(entry, 24) & FLAG_REQUIRED) == 0)
            return true;
        return image_refuse(error, BASE_ERROR_VERSION, image->io->name,
                            "it has metadata of an unknown kind that has to be understood");
    }
    if (known_items[item].used > length || offset < TABLE_SIZE || offset > vhdx->metadata.length ||
        length > vhdx->metadata.length - offset)
        return image_refuse(error, BASE_ERROR_CORRUPT, image->io->name,
                            "its metadata is out of range");
    items->present[item] = true;
    return image_io_read(image->io, vhdx->metadata.position + offset, items->bytes[item],
                         known_items[item].used, error);
}

static bool
take_sizes(Image *image, VhdxState *vhdx, const Items *items, GError **error)
{
    const uint32_t flags = image_get32(items->bytes[ITEM_PARAMETERS], 4);
    const uint32_t size = image_get32(items->bytes[ITEM_PARAMETERS], 0);
    const uint64_t capacity = image_get64(items->bytes[ITEM_CAPACITY], 0);
    const uint32_t sector = image_get32(items->bytes[ITEM_SECTOR], 0);

    if ((flags & PARAMETER_HAS_PARENT) != 0 || items->present[ITEM_PARENT])
        return image_refuse(
            error, BASE_ERROR_NOT_SUPPORTED, image->io->name,
            "it is a differencing VHDX image, which is not read here. Merge it with "
            "its parent first");
    if (size < VHDX_BLOCK_MIN || size > VHDX_BLOCK_MAX || (size & (size - 1)) != 0)
        return image_refuse(error, BASE_ERROR_CORRUPT, image->io->name,
                            "its block size is not a power of two from 1 to 256 MiB");
    if (sector != 512 && sector != 4096)
        return image_refuse(error, BASE_ERROR_CORRUPT, image->io->name,
                            "its sector size is out of range");
    if (capacity == 0 || capacity % sector != 0 || capacity > VHDX_MAX_CAPACITY ||
        (capacity - 1) / size >= VHDX_MAX_BLOCKS)
        return image_refuse(error, BASE_ERROR_CORRUPT, image->io->name, "its size is out of range");
    image->capacity = capacity;
    vhdx->fixed = (flags & PARAMETER_LEAVE_ALLOCATED) != 0;
    vhdx->block_size = size;
    vhdx->block_count = (uint32_t)((capacity - 1) / size + 1);
    vhdx->chunk = (uint32_t)(BITMAP_SECTORS * sector / size);
    return true;
}

bool
vhdx_metadata_load(Image *image, VhdxState *vhdx, GError **error)
{
    g_autofree uint8_t *raw = g_malloc(TABLE_SIZE);
    Items items = {0};
    unsigned count;

    if (vhdx->metadata.length < TABLE_SIZE)
        return image_refuse(error, BASE_ERROR_CORRUPT, image->io->name,
                            "its metadata is too short");
    if (!image_io_read(image->io, vhdx->metadata.position, raw, TABLE_SIZE, error))
        return false;
    count = image_get16(raw, 10);
    if (memcmp(raw, "metadata", 8) != 0 || count > ENTRIES_MAX)
        return image_refuse(error, BASE_ERROR_CORRUPT, image->io->name, "its metadata is damaged");
    for (unsigned i = 0; i < count; i++) {
        if (!take_item(image, vhdx, raw + 32 + i * ENTRY_SIZE, &items, error))
            return false;
    }
    if (!items.present[ITEM_PARAMETERS] || !items.present[ITEM_CAPACITY] ||
        !items.present[ITEM_SECTOR])
        return image_refuse(error, BASE_ERROR_CORRUPT, image->io->name,
                            "a part of its metadata is missing");
    return take_sizes(image, vhdx, &items, error);
}
