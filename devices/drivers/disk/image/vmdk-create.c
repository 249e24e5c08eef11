/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * New VMDK files of the kind monolithicSparse: header, descriptor with spare room behind it (other
 * programs insert keys), redundant directory and tables, directory and tables, grains. The header
 * is written last, so a file that was not finished is no VMDK. */
#include <string.h>

#include "devices/drivers/disk/image/vmdk-private.h"
#include "vmm/base/error.h"

#define DESCRIPTOR_SECTORS 20
#define DESCRIPTOR_SPARE 10

static uint32_t
directory_sectors(uint32_t tables)
{
    return (tables * 4 + VMDK_SECTOR - 1) / VMDK_SECTOR;
}

/* Directory at `at` with its tables behind it; the tables are the zeros that the file has there. */
static bool
write_directory(ImageIo *io, uint64_t at, uint32_t tables, GError **error)
{
    g_autofree uint32_t *entries = g_new(uint32_t, tables);
    const uint64_t first = at + directory_sectors(tables);

    for (uint32_t table = 0; table < tables; table++)
        entries[table] = GUINT32_TO_LE((uint32_t)(first + table * VMDK_TABLE_SECTORS));
    return image_io_write(io, at * VMDK_SECTOR, entries, tables * 4ull, error);
}

static VmdkHeader
header_of(const ImageCreateOptions *options)
{
    VmdkHeader header = {
        .version = 1,
        .flags = VMDK_FLAG_NEWLINES | VMDK_FLAG_REDUNDANT,
        .capacity = options->capacity / VMDK_SECTOR,
        .grain = VMDK_DEFAULT_GRAIN,
        .descriptor = 1,
        .descriptor_size = DESCRIPTOR_SECTORS,
        .redundant = 1 + DESCRIPTOR_SECTORS,
    };
    const uint32_t tables = vmdk_table_count(&header);
    const uint64_t set = directory_sectors(tables) + (uint64_t)tables * VMDK_TABLE_SECTORS;

    header.directory = header.redundant + set;
    header.overhead = (header.directory + set + header.grain - 1) / header.grain * header.grain;
    return header;
}

/* NULL: a part of an image, which has none. */
static bool
write_descriptor(ImageIo *io, const char *text, GError **error)
{
    if (text == NULL)
        return true;
    if (strlen(text) > (DESCRIPTOR_SECTORS - DESCRIPTOR_SPARE) * VMDK_SECTOR) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_INVALID,
                    "The names are too long for the descriptor of “%s”.", io->name);
        return false;
    }
    return image_io_write(io, VMDK_SECTOR, text, strlen(text), error);
}

bool
vmdk_create_sparse(ImageIo *io, const ImageCreateOptions *options, const char *descriptor,
                   GError **error)
{
    uint8_t raw[VMDK_SECTOR] = {0};
    VmdkHeader header;
    uint32_t tables;

    if (options->capacity > (uint64_t)VMDK_MAX_GRAINS * VMDK_DEFAULT_GRAIN * VMDK_SECTOR / 2) {
        g_set_error_literal(error, BASE_ERROR, BASE_ERROR_INVALID,
                            "A VMDK image can't be larger than 2 TiB.");
        return false;
    }
    header = header_of(options);
    tables = vmdk_table_count(&header);
    if (descriptor == NULL)
        header.descriptor = header.descriptor_size = 0;
    vmdk_header_encode(&header, raw);
    return image_io_truncate(io, header.overhead * VMDK_SECTOR, error) &&
           write_descriptor(io, descriptor, error) &&
           write_directory(io, header.redundant, tables, error) &&
           write_directory(io, header.directory, tables, error) && image_io_sync(io, error) &&
           image_io_write(io, 0, raw, sizeof raw, error);
}

bool
vmdk_create(ImageIo *io, const ImageCreateOptions *options, const ImageProgressSink *sink,
            GError **error)
{
    g_autofree char *base_name = g_path_get_basename(io->name);
    g_autofree char *extents =
        g_strdup_printf("RW %" G_GUINT64_FORMAT " SPARSE \"%s\"\n", options->capacity / VMDK_SECTOR,
                        vmdk_is_plain_name(base_name) ? base_name : "disk.vmdk");
    g_autofree char *text = NULL;

    if (options->variant == IMAGE_FIXED || (options->kind & IMAGE_KIND_SPLIT) != 0)
        return vmdk_set_create(io, options, sink, error);
    text = vmdk_descriptor_text(io->name, "monolithicSparse", extents, options);
    return vmdk_create_sparse(io, options, text, error) && image_report(sink, 1.0, error);
}
