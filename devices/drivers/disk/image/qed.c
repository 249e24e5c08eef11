/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * QED, the QEMU Enhanced Disk format: read only. docs/interop/qed_spec of QEMU. Left out: writing,
 * backing files. */
#include <string.h>

#include "devices/drivers/disk/image/image-bytes.h"
#include "devices/drivers/disk/image/image-tables.h"
#include "vmm/base/error.h"

#define HEADER_SIZE 64
/* Offsets in the header, little-endian. */
enum {
    AT_CLUSTER_SIZE = 4,
    AT_TABLE_SIZE = 8,
    AT_FEATURES = 16,
    AT_FIRST_POSITION = 40,
    AT_CAPACITY = 48,
};
#define FEATURE_BACKING 1u
#define FEATURE_NEED_CHECK 2u
#define FEATURE_BACKING_RAW 4u
#define ENTRY_ZERO 1u

typedef struct {
    ImageTables tables;
    uint32_t cluster_size;
    uint64_t file_end;
} QedState;

static ImageProbe
qed_probe(const ImageProbeInput *input)
{
    return memcmp(input->head, "QED\0", 4) == 0 ? IMAGE_PROBE_CONTENT : IMAGE_PROBE_NO;
}

static void
free_state(QedState *qed)
{
    image_tables_clear(&qed->tables);
    g_free(qed);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(QedState, free_state)

static bool
is_power_of_two(uint32_t value, uint32_t least, uint32_t most)
{
    return value >= least && value <= most && (value & (value - 1)) == 0;
}

static bool
decode(Image *image, QedState *qed, const uint8_t *raw, GError **error)
{
    const uint64_t features = image_get64(raw, AT_FEATURES),
                   capacity = image_get64(raw, AT_CAPACITY);
    const uint32_t table_size = image_get32(raw, AT_TABLE_SIZE);
    uint64_t reach;

    qed->cluster_size = image_get32(raw, AT_CLUSTER_SIZE);
    if (features & (FEATURE_BACKING | FEATURE_BACKING_RAW))
        return image_refuse(
            error, BASE_ERROR_NOT_SUPPORTED, image->io->name,
            "it stands on another image, its backing file, and names of other files are "
            "not followed. Merge the two with “qemu-img convert”");
    if (features & ~(uint64_t)FEATURE_NEED_CHECK)
        return image_refuse(error, BASE_ERROR_VERSION, image->io->name,
                            "it uses a feature of a newer version");
    if (!is_power_of_two(qed->cluster_size, 4096, 64u << 20) || !is_power_of_two(table_size, 1, 16))
        return image_refuse(error, BASE_ERROR_CORRUPT, image->io->name,
                            "its cluster size is out of range");
    qed->tables = (ImageTables){
        .second_count = (uint32_t)((uint64_t)table_size * qed->cluster_size / 8),
        .mask = G_MAXUINT64,
        .file_end = qed->file_end,
    };
    reach = (uint64_t)qed->tables.second_count * qed->cluster_size;
    if (capacity == 0 || capacity > (uint64_t)G_MAXINT64 >> 1 ||
        (capacity - 1) / reach >= qed->tables.second_count)
        return image_refuse(error, BASE_ERROR_CORRUPT, image->io->name, "its size is out of range");
    qed->tables.first_count = (capacity - 1) / reach + 1;
    image->capacity = (capacity + 511) & ~511ull;
    return true;
}

static bool
qed_open(Image *image, GError **error)
{
    g_autoptr(QedState) qed = g_new0(QedState, 1);
    uint8_t raw[HEADER_SIZE] = {0};

    if (!image_io_size(image->io, &qed->file_end, error) ||
        !image_io_read(image->io, 0, raw, MIN(sizeof raw, qed->file_end), error) ||
        !decode(image, qed, raw, error) ||
        !image_tables_load(&qed->tables, image, image_get64(raw, AT_FIRST_POSITION), error))
        return false;
    image->state = g_steal_pointer(&qed);
    return true;
}

static void
qed_close(Image *image)
{
    free_state(image->state);
}

static bool
qed_locate(Image *image, uint64_t offset, uint64_t length, ImageExtent *extent, GError **error)
{
    QedState *qed = image->state;
    const uint64_t within = offset & (qed->cluster_size - 1);
    uint64_t entry;

    if (!image_tables_lookup(&qed->tables, image, offset / qed->cluster_size, &entry, error))
        return false;
    *extent = (ImageExtent){entry == 0 ? IMAGE_EXTENT_HOLE : IMAGE_EXTENT_ZERO,
                            MIN(length, qed->cluster_size - within), 0};
    if (entry <= ENTRY_ZERO)
        return true;
    if (entry % qed->cluster_size != 0 || entry >= qed->file_end || within >= qed->file_end - entry)
        return image_refuse(error, BASE_ERROR_CORRUPT, image->io->name,
                            "it is damaged: a cluster lies past the end of the file");
    extent->kind = IMAGE_EXTENT_DATA;
    extent->position = entry + within;
    extent->length = MIN(extent->length, qed->file_end - extent->position);
    return true;
}

static void
qed_get_info(Image *image, ImageInfo *info)
{
    const QedState *qed = image->state;

    info->variant = IMAGE_DYNAMIC;
    info->allocated = MIN(qed->file_end, image->capacity);
    info->block_size = qed->cluster_size;
}

static const char *const qed_extensions[] = {"qed", NULL};

const ImageFormat image_format_qed = {
    .info = {.name = "QED", .title = "QEMU Enhanced Disk", .extensions = qed_extensions},
    .probe = qed_probe,
    .open = qed_open,
    .close = qed_close,
    .locate = qed_locate,
    .get_info = qed_get_info,
};
