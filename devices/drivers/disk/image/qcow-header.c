/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The header of a QCOW file, big-endian. What would need another file (a backing file, external
 * data) or a password is refused with its reason. */
#include <string.h>

#include "devices/drivers/disk/image/image-bytes.h"
#include "devices/drivers/disk/image/qcow-private.h"
#include "vmm/base/error.h"

/* Offsets that all versions share, those of version 1, and those of 2 and 3. */
enum {
    AT_VERSION = 4,
    AT_BACKING_OFFSET = 8,
    V1_CAPACITY = 24,
    V1_CLUSTER_BITS = 32,
    V1_SECOND_BITS = 33,
    V1_CRYPT = 36,
    V1_FIRST_POSITION = 40,
    V2_CLUSTER_BITS = 20,
    V2_CAPACITY = 24,
    V2_CRYPT = 32,
    V2_FIRST_COUNT = 36,
    V2_FIRST_POSITION = 40,
    V3_INCOMPATIBLE = 72,
    V3_HEADER_LENGTH = 100,
    V3_CODEC = 104,
};

/* Incompatible features of version 3. A dirty or corrupt mark is about counts that only writers
 * need. */
enum {
    FEATURE_DIRTY = 1,
    FEATURE_CORRUPT = 2,
    FEATURE_EXTERNAL_DATA = 4,
    FEATURE_CODEC = 8,
    FEATURE_EXTENDED_TABLES = 16,
};

static bool
check_features(const uint8_t *raw, const char *name, QcowHeader *header, GError **error)
{
    const uint64_t features = image_get64be(raw, V3_INCOMPATIBLE);

    if (features & FEATURE_EXTERNAL_DATA)
        return image_refuse(error, BASE_ERROR_NOT_SUPPORTED, name, "its data lies in another file");
    if (features & FEATURE_EXTENDED_TABLES)
        return image_refuse(error, BASE_ERROR_NOT_SUPPORTED, name,
                            "it has clusters with parts of their own");
    if (features & ~(uint64_t)(FEATURE_DIRTY | FEATURE_CORRUPT | FEATURE_CODEC))
        return image_refuse(error, BASE_ERROR_VERSION, name,
                            "it uses a feature of a newer version");
    if ((features & FEATURE_CODEC) && image_get32be(raw, V3_HEADER_LENGTH) > V3_CODEC) {
        if (raw[V3_CODEC] > 1)
            return image_refuse(error, BASE_ERROR_VERSION, name, "its compression is unknown");
        header->codec = raw[V3_CODEC] == 1 ? IMAGE_CODEC_ZSTD : IMAGE_CODEC_DEFLATE;
    }
    return true;
}

static void
decode_v1(const uint8_t *raw, QcowHeader *header)
{
    header->capacity = image_get64be(raw, V1_CAPACITY);
    header->cluster_bits = raw[V1_CLUSTER_BITS];
    header->second_bits = raw[V1_SECOND_BITS];
    header->first_position = image_get64be(raw, V1_FIRST_POSITION);
}

static void
decode_v2(const uint8_t *raw, QcowHeader *header)
{
    header->capacity = image_get64be(raw, V2_CAPACITY);
    header->cluster_bits = image_get32be(raw, V2_CLUSTER_BITS);
    header->second_bits = header->cluster_bits - 3;
    header->first_position = image_get64be(raw, V2_FIRST_POSITION);
    header->first_count = image_get32be(raw, V2_FIRST_COUNT);
}

static bool
check_sizes(QcowHeader *header, const char *name, GError **error)
{
    uint64_t needed;

    if (header->cluster_bits < 9 || header->cluster_bits > 21 || header->second_bits < 6 ||
        header->second_bits > 18)
        return image_refuse(error, BASE_ERROR_CORRUPT, name, "its cluster size is out of range");
    if (header->capacity == 0 || header->capacity > (uint64_t)G_MAXINT64 >> 1)
        return image_refuse(error, BASE_ERROR_CORRUPT, name, "its size is out of range");
    needed = ((header->capacity - 1) >> (header->cluster_bits + header->second_bits)) + 1;
    if (header->version == 1)
        header->first_count = needed;
    if (header->first_count < needed)
        return image_refuse(error, BASE_ERROR_CORRUPT, name,
                            "its size and its first table contradict each other");
    header->first_count = needed;
    return true;
}

bool
qcow_header_decode(const uint8_t raw[QCOW_HEADER_SIZE], const char *name, QcowHeader *header,
                   GError **error)
{
    *header = (QcowHeader){.version = image_get32be(raw, AT_VERSION), .codec = IMAGE_CODEC_DEFLATE};
    if (header->version < 1 || header->version > 3)
        return image_refuse(error, BASE_ERROR_VERSION, name,
                            "it is a QCOW image of a newer version");
    if (image_get64be(raw, AT_BACKING_OFFSET) != 0)
        return image_refuse(
            error, BASE_ERROR_NOT_SUPPORTED, name,
            "it stands on another image, its backing file, and names of other files are "
            "not followed. Merge the two with “qemu-img convert”");
    if (image_get32be(raw, header->version == 1 ? V1_CRYPT : V2_CRYPT) != 0)
        return image_refuse(error, BASE_ERROR_NOT_SUPPORTED, name, "it is encrypted");
    if (header->version == 1)
        decode_v1(raw, header);
    else
        decode_v2(raw, header);
    if (header->version == 3 && !check_features(raw, name, header, error))
        return false;
    return check_sizes(header, name, error);
}
