/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Footer and dynamic header of a VHD file: big-endian, each with a checksum, every field bounded
 * before it is used. Virtual Hard Disk Image Format Specification 1.0, "Hard Disk Footer Format",
 * "Dynamic Disk Header Format". UUIDs are stored as in VDI. */
#include <string.h>

#include "devices/drivers/disk/image/image-bytes.h"
#include "devices/drivers/disk/image/vhd-private.h"
#include "vmm/base/error.h"

#define FOOTER_COOKIE "conectix"
#define HEADER_COOKIE "cxsparse"
#define VERSION 0x00010000u

/* Offsets in the footer. */
enum {
    AT_FEATURES = 8,
    AT_VERSION = 12,
    AT_DATA_OFFSET = 16,
    AT_TIME = 24,
    AT_CREATOR = 28,
    AT_CREATOR_VERSION = 32,
    AT_CREATOR_HOST = 36,
    AT_ORIGINAL_SIZE = 40,
    AT_SIZE = 48,
    AT_GEOMETRY = 56,
    AT_TYPE = 60,
    AT_CHECKSUM = 64,
    AT_UUID = 68,
};

/* Offsets in the dynamic header. */
enum {
    HEADER_DATA_OFFSET = 8,
    HEADER_TABLE = 16,
    HEADER_VERSION = 24,
    HEADER_BLOCKS = 28,
    HEADER_BLOCK_SIZE = 32,
    HEADER_CHECKSUM = 36,
    HEADER_PARENT = 40,
    HEADER_LOCATORS = 576,
};

#define LOCATORS 8
#define LOCATOR_SIZE 24

/* The sum of all bytes but its own, inverted. */
static uint32_t
checksum(const uint8_t *raw, size_t size, unsigned at)
{
    uint32_t sum = 0;

    for (size_t i = 0; i < size; i++) {
        if (i < at || i >= at + 4)
            sum += raw[i];
    }
    return ~sum;
}

bool
vhd_footer_is_valid(const uint8_t raw[VHD_FOOTER_SIZE])
{
    return memcmp(raw, FOOTER_COOKIE, 8) == 0 &&
           image_get32be(raw, AT_CHECKSUM) == checksum(raw, VHD_FOOTER_SIZE, AT_CHECKSUM);
}

bool
vhd_footer_decode(const uint8_t raw[VHD_FOOTER_SIZE], const char *name, VhdFooter *footer,
                  GError **error)
{
    if (!vhd_footer_is_valid(raw))
        return image_refuse(error, BASE_ERROR_CORRUPT, name, "its VHD footer is damaged");
    if (image_get32be(raw, AT_VERSION) >> 16 != VERSION >> 16)
        return image_refuse(error, BASE_ERROR_VERSION, name,
                            "it is a VHD image of a newer version");
    *footer = (VhdFooter){
        .data_offset = image_get64be(raw, AT_DATA_OFFSET),
        .time = image_get32be(raw, AT_TIME),
        .capacity = image_get64be(raw, AT_SIZE),
        .geometry = {(uint32_t)(raw[AT_GEOMETRY] << 8 | raw[AT_GEOMETRY + 1]), raw[AT_GEOMETRY + 2],
                     raw[AT_GEOMETRY + 3]},
        .type = image_get32be(raw, AT_TYPE),
    };
    image_uuid_from_mixed(raw + AT_UUID, &footer->uuid);
    if (footer->type < VHD_TYPE_FIXED || footer->type > VHD_TYPE_DIFFERENCING)
        return image_refuse(error, BASE_ERROR_NOT_SUPPORTED, name,
                            "its kind of VHD image is unknown");
    if (footer->capacity == 0 || footer->capacity % 512 != 0 || footer->capacity > VHD_MAX_CAPACITY)
        return image_refuse(error, BASE_ERROR_CORRUPT, name, "its size is out of range");
    return true;
}

void
vhd_footer_encode(const VhdFooter *footer, uint8_t raw[VHD_FOOTER_SIZE])
{
    memcpy(raw, FOOTER_COOKIE, 8);
    image_put32be(raw, AT_FEATURES, 2); /* the bit that is always set */
    image_put32be(raw, AT_VERSION, VERSION);
    image_put64be(raw, AT_DATA_OFFSET, footer->data_offset);
    image_put32be(raw, AT_TIME, footer->time);
    memcpy(raw + AT_CREATOR, "vbox", 4);
    image_put32be(raw, AT_CREATOR_VERSION, 0x00070000);
    memcpy(raw + AT_CREATOR_HOST, "Wi2k", 4);
    image_put64be(raw, AT_ORIGINAL_SIZE, footer->capacity);
    vhd_footer_change(footer, raw);
}

void
vhd_footer_change(const VhdFooter *footer, uint8_t raw[VHD_FOOTER_SIZE])
{
    image_put64be(raw, AT_SIZE, footer->capacity);
    raw[AT_GEOMETRY] = (uint8_t)(footer->geometry.cylinders >> 8);
    raw[AT_GEOMETRY + 1] = (uint8_t)footer->geometry.cylinders;
    raw[AT_GEOMETRY + 2] = (uint8_t)footer->geometry.heads;
    raw[AT_GEOMETRY + 3] = (uint8_t)footer->geometry.sectors;
    image_put32be(raw, AT_TYPE, footer->type);
    image_uuid_to_mixed(&footer->uuid, raw + AT_UUID);
    image_put32be(raw, AT_CHECKSUM, checksum(raw, VHD_FOOTER_SIZE, AT_CHECKSUM));
}

void
vhd_header_change(const VhdHeader *header, uint8_t raw[VHD_HEADER_SIZE])
{
    image_put64be(raw, HEADER_TABLE, header->table_offset);
    image_put32be(raw, HEADER_BLOCKS, header->blocks);
    image_uuid_to_mixed(&header->parent, raw + HEADER_PARENT);
    image_put32be(raw, HEADER_CHECKSUM, checksum(raw, VHD_HEADER_SIZE, HEADER_CHECKSUM));
}

/* Where the last of the parent's names ends. Some writers count their room in sectors, so the
 * longer of room and length is taken. */
static uint64_t
locators_end(const uint8_t raw[VHD_HEADER_SIZE])
{
    uint64_t end = 0;

    for (unsigned i = 0; i < LOCATORS; i++) {
        const uint8_t *locator = raw + HEADER_LOCATORS + i * LOCATOR_SIZE;
        uint64_t offset = image_get64be(locator, 16);

        if (image_get32be(locator, 0) != 0 && offset < VHD_MAX_CAPACITY)
            end = MAX(end, offset + MAX(image_get32be(locator, 4), image_get32be(locator, 8)));
    }
    return end;
}

bool
vhd_header_decode(const uint8_t raw[VHD_HEADER_SIZE], const VhdFooter *footer, const char *name,
                  VhdHeader *header, GError **error)
{
    uint32_t size;

    if (memcmp(raw, HEADER_COOKIE, 8) != 0 ||
        image_get32be(raw, HEADER_CHECKSUM) != checksum(raw, VHD_HEADER_SIZE, HEADER_CHECKSUM))
        return image_refuse(error, BASE_ERROR_CORRUPT, name, "its VHD header is damaged");
    if (image_get32be(raw, HEADER_VERSION) >> 16 != VERSION >> 16)
        return image_refuse(error, BASE_ERROR_VERSION, name,
                            "it is a VHD image of a newer version");
    *header = (VhdHeader){
        .table_offset = image_get64be(raw, HEADER_TABLE),
        .blocks = image_get32be(raw, HEADER_BLOCKS),
        .block_size = size = image_get32be(raw, HEADER_BLOCK_SIZE),
        .locators_end = locators_end(raw),
    };
    image_uuid_from_mixed(raw + HEADER_PARENT, &header->parent);
    if (size < 4096 || size > (256u << 20) || (size & (size - 1)) != 0)
        return image_refuse(error, BASE_ERROR_CORRUPT, name,
                            "its block size is not a power of two from 4 KiB to 256 MiB");
    if (header->blocks < (footer->capacity - 1) / size + 1 || header->blocks > VHD_MAX_BLOCKS)
        return image_refuse(error, BASE_ERROR_CORRUPT, name,
                            "its size and its number of blocks contradict each other");
    if (header->table_offset % 512 != 0 || header->table_offset > VHD_MAX_CAPACITY ||
        header->table_offset < footer->data_offset + VHD_HEADER_SIZE)
        return image_refuse(error, BASE_ERROR_CORRUPT, name, "its header and block table overlap");
    return true;
}

void
vhd_header_encode(const VhdHeader *header, uint8_t raw[VHD_HEADER_SIZE])
{
    memcpy(raw, HEADER_COOKIE, 8);
    image_put64be(raw, HEADER_DATA_OFFSET, G_MAXUINT64);
    image_put64be(raw, HEADER_TABLE, header->table_offset);
    image_put32be(raw, HEADER_VERSION, VERSION);
    image_put32be(raw, HEADER_BLOCKS, header->blocks);
    image_put32be(raw, HEADER_BLOCK_SIZE, header->block_size);
    image_uuid_to_mixed(&header->parent, raw + HEADER_PARENT);
    image_put32be(raw, HEADER_CHECKSUM, checksum(raw, VHD_HEADER_SIZE, HEADER_CHECKSUM));
}
