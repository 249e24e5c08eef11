/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * QCOW, versions 1 to 3 (the later ones are called qcow2), of QEMU: read only, also compressed
 * clusters. Left out: writing, backing files, encryption, internal snapshots. */
#include <string.h>

#include "devices/drivers/disk/image/qcow-private.h"
#include "vmm/base/error.h"

#define FIRST_MASK 0x00fffffffffffe00ull
#define V2_COMPRESSED (1ull << 62)
#define V2_ZERO 1ull
#define V1_COMPRESSED (1ull << 63)

static ImageProbe
qcow_probe(const ImageProbeInput *input)
{
    return memcmp(input->head, "QFI\xfb", 4) == 0 ? IMAGE_PROBE_CONTENT : IMAGE_PROBE_NO;
}

static void
free_state(QcowState *qcow)
{
    image_tables_clear(&qcow->tables);
    image_coded_clear(&qcow->coded);
    g_free(qcow);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(QcowState, free_state)

static bool
qcow_open(Image *image, GError **error)
{
    g_autoptr(QcowState) qcow = g_new0(QcowState, 1);
    uint8_t raw[QCOW_HEADER_SIZE] = {0};
    QcowHeader *header = &qcow->header;

    if (!image_io_size(image->io, &qcow->file_end, error) ||
        !image_io_read(image->io, 0, raw, MIN(sizeof raw, qcow->file_end), error) ||
        !qcow_header_decode(raw, image->io->name, header, error))
        return false;
    qcow->tables = (ImageTables){
        .first_count = header->first_count,
        .second_count = 1u << header->second_bits,
        .mask = header->version == 1 ? G_MAXUINT64 : FIRST_MASK,
        .big_endian = true,
        .file_end = qcow->file_end,
    };
    qcow->coded.codec = header->codec;
    qcow->coded.cluster_size = 1u << header->cluster_bits;
    if (!image_tables_load(&qcow->tables, image, header->first_position, error))
        return false;
    image->capacity = (header->capacity + 511) & ~511ull;
    image->state = g_steal_pointer(&qcow);
    return true;
}

static void
qcow_close(Image *image)
{
    free_state(image->state);
}

static bool
is_compressed(const QcowState *qcow, uint64_t entry)
{
    return (entry & (qcow->header.version == 1 ? V1_COMPRESSED : V2_COMPRESSED)) != 0;
}

/* Where a compressed cluster lies, and how many bytes it can take. */
static bool
compressed_range(const QcowState *qcow, uint64_t entry, uint64_t *position, uint32_t *length)
{
    const unsigned bits = qcow->header.cluster_bits;

    if (qcow->header.version == 1) {
        *position = entry & ((1ull << (63 - bits)) - 1);
        *length = (uint32_t)(entry >> (63 - bits) & ((1u << bits) - 1));
    } else {
        const unsigned split = 62 - (bits - 8);

        *position = entry & ((1ull << split) - 1);
        *length = (uint32_t)(entry >> split & ((1u << (bits - 8)) - 1)) * 512 + 512 -
                  (uint32_t)(*position & 511);
    }
    if (*position >= qcow->file_end)
        return false;
    *length = (uint32_t)MIN(*length, qcow->file_end - *position);
    return true;
}

static bool
damaged(const Image *image, GError **error)
{
    g_set_error(error, BASE_ERROR, BASE_ERROR_CORRUPT,
                "“%s” is damaged: a cluster lies past the end of the file.", image->io->name);
    return false;
}

/* A plain cluster. The last one may end with the file; what is missing there reads as zeros. */
static bool
locate_plain(Image *image, QcowState *qcow, uint64_t cluster, uint64_t within, uint64_t length,
             ImageExtent *extent, GError **error)
{
    if (cluster >= qcow->file_end)
        return damaged(image, error);
    *extent = (ImageExtent){IMAGE_EXTENT_ZERO, length, 0};
    if (within < qcow->file_end - cluster)
        *extent = (ImageExtent){IMAGE_EXTENT_DATA, MIN(length, qcow->file_end - cluster - within),
                                cluster + within};
    return true;
}

static bool
qcow_locate(Image *image, uint64_t offset, uint64_t length, ImageExtent *extent, GError **error)
{
    QcowState *qcow = image->state;
    const uint64_t size = 1ull << qcow->header.cluster_bits, within = offset & (size - 1);
    uint64_t entry;

    length = MIN(length, size - within);
    if (!image_tables_lookup(&qcow->tables, image, offset / size, &entry, error))
        return false;
    *extent = (ImageExtent){IMAGE_EXTENT_ENCODED, length, 0};
    if (is_compressed(qcow, entry))
        return true;
    if (qcow->header.version > 1) {
        extent->kind = IMAGE_EXTENT_ZERO;
        if (entry & V2_ZERO)
            return true;
        entry &= FIRST_MASK;
    }
    if (entry != 0)
        return locate_plain(image, qcow, entry, within, length, extent, error);
    extent->kind = IMAGE_EXTENT_HOLE;
    return true;
}

static bool
qcow_read(Image *image, uint64_t offset, void *buffer, size_t length, GError **error)
{
    QcowState *qcow = image->state;
    const uint64_t cluster = offset >> qcow->header.cluster_bits;
    const uint64_t within = offset & (qcow->coded.cluster_size - 1);
    uint64_t entry, position;
    uint32_t packed;
    const uint8_t *plain;

    if (!image_tables_lookup(&qcow->tables, image, cluster, &entry, error))
        return false;
    if (!compressed_range(qcow, entry, &position, &packed))
        return damaged(image, error);
    plain = image_coded_get(&qcow->coded, image, cluster, position, packed, error);
    if (plain == NULL)
        return false;
    memcpy(buffer, plain + within, length);
    return true;
}

static void
qcow_get_info(Image *image, ImageInfo *info)
{
    const QcowState *qcow = image->state;

    info->variant = IMAGE_DYNAMIC;
    info->allocated = MIN(qcow->file_end, image->capacity);
    info->block_size = 1u << qcow->header.cluster_bits;
}

static const char *const qcow_extensions[] = {"qcow2", "qcow", NULL};

const ImageFormat image_format_qcow = {
    .info = {.name = "QCOW", .title = "QEMU Copy-On-Write", .extensions = qcow_extensions},
    .probe = qcow_probe,
    .open = qcow_open,
    .close = qcow_close,
    .locate = qcow_locate,
    .read = qcow_read,
    .get_info = qcow_get_info,
};
