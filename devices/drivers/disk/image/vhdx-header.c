/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The two headers and the two region tables of a VHDX file, each with a CRC-32C. MS-VHDX 2.2.2 and
 * 2.2.3. */
#include "devices/drivers/disk/image/image-bytes.h"
#include "devices/drivers/disk/image/vhdx-private.h"
#include "vmm/base/crc32c.h"

#define HEADER_SIZE 4096u
#define REGION_TABLE_SIZE 65536u
#define REGION_ENTRY 32u
#define REGIONS_MAX 2047u
#define REGION_REQUIRED 1u
/* In headers and region tables. */
#define AT_CHECKSUM 4u

enum {
    AT_SEQUENCE = 8,
    AT_LOG_UUID = 48,
    AT_LOG_VERSION = 64,
    AT_VERSION = 66,
    AT_LOG_LENGTH = 68,
    AT_LOG_POSITION = 72,
};

static const uint64_t headers_at[] = {64 << 10, 128 << 10};
static const uint64_t region_tables_at[] = {192 << 10, 256 << 10};

static const char table_uuid[] = "2dc27766-f623-4200-9d64-115e9bfd4a08";
static const char metadata_uuid[] = "8b7ca206-4790-4b9a-b8fe-575f050f886e";

/* Reads a structure that counts only with its signature and checksum; *valid says whether. */
static bool
read_sealed(Image *image, const VhdxState *vhdx, uint64_t position, const char *signature,
            uint8_t *raw, uint32_t size, bool *valid, GError **error)
{
    uint32_t stored;

    *valid = false;
    if (position > vhdx->file_end || size > vhdx->file_end - position)
        return true;
    if (!image_io_read(image->io, position, raw, size, error))
        return false;
    stored = image_get32(raw, AT_CHECKSUM);
    image_put32(raw, AT_CHECKSUM, 0);
    *valid = memcmp(raw, signature, 4) == 0 && base_crc32c(0, raw, size) == stored;
    return true;
}

static bool
take_header(const Image *image, VhdxState *vhdx, const uint8_t *raw, GError **error)
{
    if (image_get16(raw, AT_VERSION) != 1)
        return image_refuse(error, BASE_ERROR_VERSION, image->io->name,
                            "it is a VHDX image of a newer version");
    memcpy(vhdx->log_uuid, raw + AT_LOG_UUID, sizeof vhdx->log_uuid);
    vhdx->log_length = image_get32(raw, AT_LOG_LENGTH);
    vhdx->log_position = image_get64(raw, AT_LOG_POSITION);
    if (image_get16(raw, AT_LOG_VERSION) != 0 && !image_is_zero(vhdx->log_uuid, 16))
        return image_refuse(error, BASE_ERROR_VERSION, image->io->name,
                            "its log is of a newer version");
    return true;
}

bool
vhdx_header_load(Image *image, VhdxState *vhdx, GError **error)
{
    uint8_t raw[HEADER_SIZE], newest[HEADER_SIZE] = {0};
    bool found = false, valid;

    for (unsigned i = 0; i < G_N_ELEMENTS(headers_at); i++) {
        if (!read_sealed(image, vhdx, headers_at[i], "head", raw, sizeof raw, &valid, error))
            return false;
        if (!valid || (found && image_get64(raw, AT_SEQUENCE) < image_get64(newest, AT_SEQUENCE)))
            continue;
        memcpy(newest, raw, sizeof newest);
        found = true;
    }
    if (!found)
        return image_refuse(error, BASE_ERROR_CORRUPT, image->io->name,
                            "both of its headers are damaged");
    return take_header(image, vhdx, newest, error);
}

static bool
take_region(const Image *image, VhdxState *vhdx, const uint8_t *entry, GError **error)
{
    const VhdxRegion region = {image_get64(entry, 16), image_get32(entry, 24)};
    char text[IMAGE_UUID_TEXT_SIZE];
    VhdxRegion *target;
    ImageUuid uuid;

    image_uuid_from_mixed(entry, &uuid);
    image_uuid_to_text(&uuid, text);
    if (strcmp(text, table_uuid) == 0)
        target = &vhdx->table;
    else if (strcmp(text, metadata_uuid) == 0)
        target = &vhdx->metadata;
    else if ((image_get32(entry, 28) & REGION_REQUIRED) == 0)
        return true;
    else
        return image_refuse(error, BASE_ERROR_VERSION, image->io->name,
                            "it has a region of an unknown kind that has to be understood");
    if (region.position < VHDX_REGIONS_AT_LEAST || region.position > vhdx->file_end ||
        region.length > vhdx->file_end - region.position)
        return image_refuse(error, BASE_ERROR_CORRUPT, image->io->name,
                            "one of its regions lies outside of the file");
    *target = region;
    return true;
}

static bool
take_regions(const Image *image, VhdxState *vhdx, const uint8_t *raw, GError **error)
{
    const uint32_t count = image_get32(raw, 8);

    if (count > REGIONS_MAX)
        return image_refuse(error, BASE_ERROR_CORRUPT, image->io->name,
                            "its region table is too long");
    for (uint32_t i = 0; i < count; i++) {
        if (!take_region(image, vhdx, raw + 16 + i * REGION_ENTRY, error))
            return false;
    }
    if (vhdx->table.length == 0 || vhdx->metadata.length == 0)
        return image_refuse(error, BASE_ERROR_CORRUPT, image->io->name,
                            "one of its regions is missing");
    return true;
}

bool
vhdx_regions_load(Image *image, VhdxState *vhdx, GError **error)
{
    g_autofree uint8_t *raw = g_malloc(REGION_TABLE_SIZE);
    bool valid;

    for (unsigned i = 0; i < G_N_ELEMENTS(region_tables_at); i++) {
        if (!read_sealed(image, vhdx, region_tables_at[i], "regi", raw, REGION_TABLE_SIZE, &valid,
                         error))
            return false;
        if (valid)
            return take_regions(image, vhdx, raw, error);
    }
    return image_refuse(error, BASE_ERROR_CORRUPT, image->io->name,
                        "both of its region tables are damaged");
}
