/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The header of a sparse VMDK extent: little-endian, every field bounded before it is used. Virtual
 * Disk Format 5.0, "Hosted Sparse Extents". */
#include "devices/drivers/disk/image/image-bytes.h"
#include "devices/drivers/disk/image/vmdk-private.h"
#include "vmm/base/error.h"

enum {
    AT_VERSION = 4,
    AT_FLAGS = 8,
    AT_CAPACITY = 12,
    AT_GRAIN = 20,
    AT_DESCRIPTOR = 28,
    AT_DESCRIPTOR_SIZE = 36,
    AT_TABLE_ENTRIES = 44,
    AT_REDUNDANT = 48,
    AT_DIRECTORY = 56,
    AT_OVERHEAD = 64,
    AT_UNCLEAN = 72,
    AT_NEWLINES = 73,
    AT_COMPRESSION = 77,
};

#define MAGIC "KDMV"
#define NEWLINES "\n \r\n"
#define COMPRESSION_DEFLATE 1
#define FLAGS_KNOWN                                                                                \
    (VMDK_FLAG_NEWLINES | VMDK_FLAG_REDUNDANT | VMDK_FLAG_ZERO_GRAINS | VMDK_FLAG_COMPRESSED |     \
     VMDK_FLAG_MARKERS)
#define GRAIN_MIN 8
#define GRAIN_MAX 4096
#define DESCRIPTOR_MAX 2048
/* Positions of tables and grains are 32 bits of sectors. */
#define SECTOR_MAX G_MAXUINT32

bool
vmdk_header_is_valid(const uint8_t *raw)
{
    return memcmp(raw, MAGIC, 4) == 0;
}

/* What kind of image it is; all that is known and not read here is said by its name. */
static bool
check_kind(const uint8_t *raw, const char *name, const VmdkHeader *header, bool part,
           GError **error)
{
    if (header->version < 1 || header->version > 3 || (header->flags & ~(uint32_t)FLAGS_KNOWN) != 0)
        return image_refuse(error, BASE_ERROR_VERSION, name,
                            "it is a VMDK image of a newer version");
    if ((header->flags & VMDK_FLAG_NEWLINES) != 0 && memcmp(raw + AT_NEWLINES, NEWLINES, 4) != 0)
        return image_refuse(error, BASE_ERROR_CORRUPT, name,
                            "it was damaged by a transfer that took it for a text");
    if ((header->flags & VMDK_FLAG_COMPRESSED) != 0 && header->compression != COMPRESSION_DEFLATE)
        return image_refuse(error, BASE_ERROR_NOT_SUPPORTED, name, "its compression is unknown");
    if (header->descriptor == 0 && !part)
        return image_refuse(
            error, BASE_ERROR_NOT_SUPPORTED, name,
            "it is a part of a VMDK image in several files. Use the file that names the parts");
    return true;
}

static bool
check_sizes(const uint8_t *raw, const char *name, const VmdkHeader *header, bool part,
            GError **error)
{
    const uint64_t grain = image_get64(raw, AT_GRAIN);

    if (grain < GRAIN_MIN || grain > GRAIN_MAX || (grain & (grain - 1)) != 0)
        return image_refuse(error, BASE_ERROR_CORRUPT, name,
                            "its grain size is not a power of two from 4 KiB to 2 MiB");
    if (image_get32(raw, AT_TABLE_ENTRIES) != VMDK_TABLE_ENTRIES)
        return image_refuse(error, BASE_ERROR_CORRUPT, name, "its grain tables have an odd size");
    if (header->capacity == 0 || (header->capacity - 1) / grain >= VMDK_MAX_GRAINS)
        return image_refuse(error, BASE_ERROR_CORRUPT, name, "its size is out of range");
    if ((!part || header->descriptor != 0) &&
        (header->descriptor > SECTOR_MAX || header->descriptor_size == 0 ||
         header->descriptor_size > DESCRIPTOR_MAX))
        return image_refuse(error, BASE_ERROR_CORRUPT, name, "its descriptor is out of range");
    if (header->directory == 0 ||
        (header->directory > SECTOR_MAX && header->directory != VMDK_POSITION_AT_END))
        return image_refuse(error, BASE_ERROR_CORRUPT, name, "its grain directory is out of range");
    if ((header->flags & VMDK_FLAG_REDUNDANT) != 0 &&
        (header->redundant == 0 || header->redundant > SECTOR_MAX))
        return image_refuse(error, BASE_ERROR_CORRUPT, name,
                            "its redundant grain directory is out of range");
    return true;
}

bool
vmdk_header_decode(const uint8_t raw[VMDK_SECTOR], const char *name, bool part, VmdkHeader *header,
                   GError **error)
{
    if (!vmdk_header_is_valid(raw))
        return image_refuse(error, BASE_ERROR_CORRUPT, name, "its VMDK header is damaged");
    *header = (VmdkHeader){
        .version = image_get32(raw, AT_VERSION),
        .flags = image_get32(raw, AT_FLAGS),
        .capacity = image_get64(raw, AT_CAPACITY),
        .grain = image_get32(raw, AT_GRAIN),
        .descriptor = image_get64(raw, AT_DESCRIPTOR),
        .descriptor_size = image_get64(raw, AT_DESCRIPTOR_SIZE),
        .redundant = image_get64(raw, AT_REDUNDANT),
        .directory = image_get64(raw, AT_DIRECTORY),
        .overhead = image_get64(raw, AT_OVERHEAD),
        .compression = image_get16(raw, AT_COMPRESSION),
    };
    return check_kind(raw, name, header, part, error) &&
           check_sizes(raw, name, header, part, error);
}

void
vmdk_header_encode(const VmdkHeader *header, uint8_t raw[VMDK_SECTOR])
{
    memcpy(raw, MAGIC, 4);
    image_put32(raw, AT_VERSION, header->version);
    image_put32(raw, AT_FLAGS, header->flags);
    image_put64(raw, AT_CAPACITY, header->capacity);
    image_put64(raw, AT_GRAIN, header->grain);
    image_put64(raw, AT_DESCRIPTOR, header->descriptor);
    image_put64(raw, AT_DESCRIPTOR_SIZE, header->descriptor_size);
    image_put32(raw, AT_TABLE_ENTRIES, VMDK_TABLE_ENTRIES);
    image_put64(raw, AT_REDUNDANT, header->redundant);
    image_put64(raw, AT_DIRECTORY, header->directory);
    image_put64(raw, AT_OVERHEAD, header->overhead);
    memcpy(raw + AT_NEWLINES, NEWLINES, 4);
    raw[AT_COMPRESSION] = (uint8_t)header->compression;
}

void
vmdk_header_set_unclean(uint8_t raw[VMDK_SECTOR], bool unclean)
{
    raw[AT_UNCLEAN] = unclean;
}
