/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The header of a VDI file, version 1.1: reading with every field bounded against every other, and
 * writing. Version 0 files and undo images are refused with a reason. */
#include <string.h>

#include "devices/drivers/disk/image/image-bytes.h"
#include "devices/drivers/disk/image/vdi-private.h"
#include "vmm/base/error.h"

/* Offsets of the fields in the file. */
enum {
    AT_SIGNATURE = VDI_SIGNATURE_OFFSET,
    AT_VERSION = 0x44,
    AT_HEADER_SIZE = 0x48,
    AT_TYPE = 0x4c,
    AT_FLAGS = 0x50,
    AT_COMMENT = 0x54,
    AT_MAP_OFFSET = 0x154,
    AT_DATA_OFFSET = 0x158,
    AT_GEOMETRY = 0x15c,
    AT_CAPACITY = 0x170,
    AT_BLOCK_SIZE = 0x178,
    AT_BLOCK_EXTRA = 0x17c,
    AT_BLOCKS = 0x180,
    AT_BLOCKS_ALLOCATED = 0x184,
    AT_UUID = 0x188,
    AT_MODIFICATION = 0x198,
    AT_PARENT = 0x1a8,
    AT_PARENT_MODIFICATION = 0x1b8,
    AT_LCHS = 0x1c8,
};

#define HEADER_SIZE_OLD 384
#define HEADER_SIZE_LCHS 400

static ImageGeometry
get_geometry(const uint8_t *raw, unsigned at)
{
    return (ImageGeometry){image_get32(raw, at), image_get32(raw, at + 4),
                           image_get32(raw, at + 8)};
}

static void
put_geometry(uint8_t *raw, unsigned at, const ImageGeometry *geometry)
{
    image_put32(raw, at, geometry->cylinders);
    image_put32(raw, at + 4, geometry->heads);
    image_put32(raw, at + 8, geometry->sectors);
    image_put32(raw, at + 12, 512);
}

static bool
check_version(const uint8_t *raw, const char *name, GError **error)
{
    uint32_t version = image_get32(raw, AT_VERSION);

    if (image_get32(raw, AT_SIGNATURE) != VDI_SIGNATURE)
        return image_refuse(error, BASE_ERROR_CORRUPT, name, "it has no VDI signature");
    if (version >> 16 == 0)
        return image_refuse(error, BASE_ERROR_NOT_SUPPORTED, name,
                            "it is a VDI image of version 0, from before 2005");
    if (version >> 16 != 1 || (version & 0xffff) > 1)
        return image_refuse(error, BASE_ERROR_VERSION, name,
                            "it is a VDI image of a version newer than 1.1");
    if (version != VDI_VERSION)
        return image_refuse(error, BASE_ERROR_NOT_SUPPORTED, name, "its VDI version is not 1.1");
    return true;
}

static bool
check_type(const VdiHeader *header, const char *name, GError **error)
{
    switch (header->type) {
    case VDI_TYPE_DYNAMIC:
    case VDI_TYPE_FIXED: break;
    case VDI_TYPE_UNDO:
        return image_refuse(error, BASE_ERROR_NOT_SUPPORTED, name,
                            "it is an undo image, a kind that is no longer in use");
    case VDI_TYPE_DIFFERENCING:
        if (image_uuid_is_null(&header->parent))
            return image_refuse(error, BASE_ERROR_CORRUPT, name,
                                "it is a differencing image but names no parent");
        return true;
    default: return image_refuse(error, BASE_ERROR_CORRUPT, name, "its image type is unknown");
    }
    if (!image_uuid_is_null(&header->parent))
        return image_refuse(error, BASE_ERROR_CORRUPT, name,
                            "it names a parent but is a base image");
    return true;
}

/* Every sum below stays under 2^64, because each factor has been bounded before. */
static bool
check_layout(const VdiHeader *header, const char *name, GError **error)
{
    uint64_t map_end = header->map_offset + 4ull * header->blocks;
    uint32_t block_size = header->block_size;

    if (header->header_size < HEADER_SIZE_OLD ||
        header->header_size > header->map_offset - (uint64_t)AT_HEADER_SIZE ||
        header->map_offset < VDI_HEADER_SIZE || header->map_offset % 512 != 0)
        return image_refuse(error, BASE_ERROR_CORRUPT, name, "its header and block map overlap");
    if (block_size < 4096 || block_size > (256u << 20) || (block_size & (block_size - 1)) != 0)
        return image_refuse(error, BASE_ERROR_CORRUPT, name,
                            "its block size is not a power of two from 4 KiB to 256 MiB");
    if (header->block_extra % 512 != 0 || header->block_extra > block_size)
        return image_refuse(error, BASE_ERROR_CORRUPT, name,
                            "its blocks carry too much extra data");
    if (header->blocks == 0 || header->blocks > VDI_MAX_BLOCKS)
        return image_refuse(error, BASE_ERROR_CORRUPT, name,
                            "its number of blocks is out of range");
    if (header->data_offset % 512 != 0 || map_end > header->data_offset)
        return image_refuse(error, BASE_ERROR_CORRUPT, name, "its block map and data overlap");
    if (header->capacity == 0 || header->capacity % 512 != 0 ||
        header->capacity > (uint64_t)header->blocks * block_size)
        return image_refuse(error, BASE_ERROR_CORRUPT, name,
                            "its size and its number of blocks contradict each other");
    return true;
}

bool
vdi_header_decode(const uint8_t raw[VDI_HEADER_SIZE], const char *name, VdiHeader *header,
                  GError **error)
{
    if (!check_version(raw, name, error))
        return false;
    *header = (VdiHeader){
        .header_size = image_get32(raw, AT_HEADER_SIZE),
        .type = image_get32(raw, AT_TYPE),
        .flags = image_get32(raw, AT_FLAGS),
        .map_offset = image_get32(raw, AT_MAP_OFFSET),
        .data_offset = image_get32(raw, AT_DATA_OFFSET),
        .geometry = get_geometry(raw, AT_GEOMETRY),
        .capacity = image_get64(raw, AT_CAPACITY),
        .block_size = image_get32(raw, AT_BLOCK_SIZE),
        .block_extra = image_get32(raw, AT_BLOCK_EXTRA),
        .blocks = image_get32(raw, AT_BLOCKS),
        .blocks_allocated = image_get32(raw, AT_BLOCKS_ALLOCATED),
    };
    memcpy(header->comment, raw + AT_COMMENT, VDI_COMMENT_SIZE);
    if (!g_utf8_validate(header->comment, -1, NULL))
        header->comment[0] = '\0';
    image_uuid_from_mixed(raw + AT_UUID, &header->uuid);
    image_uuid_from_mixed(raw + AT_MODIFICATION, &header->modification);
    image_uuid_from_mixed(raw + AT_PARENT, &header->parent);
    image_uuid_from_mixed(raw + AT_PARENT_MODIFICATION, &header->parent_modification);
    if (header->header_size >= HEADER_SIZE_LCHS)
        header->lchs = get_geometry(raw, AT_LCHS);
    return check_type(header, name, error) && check_layout(header, name, error);
}

void
vdi_header_encode(const VdiHeader *header, uint8_t raw[VDI_HEADER_SIZE])
{
    image_put32(raw, AT_SIGNATURE, VDI_SIGNATURE);
    image_put32(raw, AT_VERSION, VDI_VERSION);
    image_put32(raw, AT_HEADER_SIZE, header->header_size);
    image_put32(raw, AT_TYPE, header->type);
    image_put32(raw, AT_FLAGS, header->flags);
    memcpy(raw + AT_COMMENT, header->comment, VDI_COMMENT_SIZE);
    image_put32(raw, AT_MAP_OFFSET, header->map_offset);
    image_put32(raw, AT_DATA_OFFSET, header->data_offset);
    put_geometry(raw, AT_GEOMETRY, &header->geometry);
    image_put64(raw, AT_CAPACITY, header->capacity);
    image_put32(raw, AT_BLOCK_SIZE, header->block_size);
    image_put32(raw, AT_BLOCK_EXTRA, header->block_extra);
    image_put32(raw, AT_BLOCKS, header->blocks);
    image_put32(raw, AT_BLOCKS_ALLOCATED, header->blocks_allocated);
    image_uuid_to_mixed(&header->uuid, raw + AT_UUID);
    image_uuid_to_mixed(&header->modification, raw + AT_MODIFICATION);
    image_uuid_to_mixed(&header->parent, raw + AT_PARENT);
    image_uuid_to_mixed(&header->parent_modification, raw + AT_PARENT_MODIFICATION);
    if (header->header_size >= HEADER_SIZE_LCHS)
        put_geometry(raw, AT_LCHS, &header->lchs);
}

void
vdi_header_set_comment(VdiHeader *header, const char *comment)
{
    const char *end;

    memset(header->comment, 0, sizeof header->comment);
    g_strlcpy(header->comment, comment, VDI_COMMENT_SIZE);
    if (!g_utf8_validate(header->comment, -1, &end))
        header->comment[end - header->comment] = '\0';
}
