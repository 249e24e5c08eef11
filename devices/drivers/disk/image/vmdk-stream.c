/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Writing a stream-optimised VMDK, the form in which appliances carry disks: compressed grains in
 * the order of the disk, each table behind its grains, directory and footer at the end; nothing is
 * written twice. Virtual Disk Format 5.0, "Stream-Optimized Compressed Sparse Extents". */
#include <string.h>
#include <zlib.h>

#include "devices/drivers/disk/image/image-bytes.h"
#include "devices/drivers/disk/image/vmdk-private.h"
#include "vmm/base/error.h"

#define DESCRIPTOR_SECTORS 20
#define OVERHEAD_SECTORS 128
#define GRAIN_BYTES (VMDK_DEFAULT_GRAIN * VMDK_SECTOR)
/* Before a grain's bytes: its first sector and their length. */
#define GRAIN_MARKER 12u
#define COMPRESSION_LEVEL 6

enum { MARKER_END = 0, MARKER_TABLE = 1, MARKER_DIRECTORY = 2, MARKER_FOOTER = 3 };

typedef struct {
    Image *source;
    ImageIo *io;
    VmdkHeader header;
    uint64_t next; /* sectors */
    uint32_t table[VMDK_TABLE_ENTRIES];
    GArray *directory; /* uint32_t */
    uint8_t *plain, *packed;
    size_t packed_room;
} Stream;

static bool
put(Stream *stream, const void *data, size_t bytes, GError **error)
{
    const uint8_t padding[VMDK_SECTOR] = {0};
    const size_t rest = (VMDK_SECTOR - bytes % VMDK_SECTOR) % VMDK_SECTOR;
    const uint64_t position = stream->next * VMDK_SECTOR;

    if (stream->next + bytes / VMDK_SECTOR + 1 > G_MAXUINT32)
        return image_refuse(error, BASE_ERROR_NOT_SUPPORTED, stream->io->name,
                            "a stream-optimised image cannot become that large");
    stream->next += (bytes + rest) / VMDK_SECTOR;
    return image_io_write(stream->io, position, data, bytes, error) &&
           (rest == 0 || image_io_write(stream->io, position + bytes, padding, rest, error));
}

/* A sector that says what follows and how long it is. */
static bool
put_marker(Stream *stream, uint32_t type, uint64_t sectors, GError **error)
{
    uint8_t raw[VMDK_SECTOR] = {0};

    image_put64(raw, 0, sectors);
    image_put32(raw, 12, type);
    return put(stream, raw, sizeof raw, error);
}

static bool
put_words(Stream *stream, uint32_t type, const uint32_t *words, size_t count, uint32_t *sector,
          GError **error)
{
    const size_t sectors = (count * 4 + VMDK_SECTOR - 1) / VMDK_SECTOR;
    g_autofree uint8_t *raw = g_malloc0(sectors * VMDK_SECTOR);

    for (size_t i = 0; i < count; i++)
        image_put32(raw, (unsigned)i * 4, words[i]);
    if (!put_marker(stream, type, sectors, error))
        return false;
    *sector = (uint32_t)stream->next;
    return put(stream, raw, sectors * VMDK_SECTOR, error);
}

static bool
put_grain(Stream *stream, uint32_t grain, size_t length, GError **error)
{
    uLongf packed = stream->packed_room - GRAIN_MARKER;
    const uint32_t sector = (uint32_t)stream->next;

    memset(stream->plain + length, 0, GRAIN_BYTES - length);
    if (compress2(stream->packed + GRAIN_MARKER, &packed, stream->plain, GRAIN_BYTES,
                  COMPRESSION_LEVEL) != Z_OK)
        return image_refuse(error, BASE_ERROR_NO_MEMORY, stream->io->name,
                            "there is not enough memory for compressing");
    image_put64(stream->packed, 0, (uint64_t)grain * VMDK_DEFAULT_GRAIN);
    image_put32(stream->packed, 8, (uint32_t)packed);
    if (!put(stream, stream->packed, GRAIN_MARKER + packed, error))
        return false;
    stream->table[grain % VMDK_TABLE_ENTRIES] = sector;
    return true;
}

/* Only grains that are not all zeros; what nobody holds is not even read. */
static bool
take_grain(Stream *stream, uint32_t grain, GError **error)
{
    const uint64_t offset = (uint64_t)grain * GRAIN_BYTES;
    Image *source = stream->source, *owner = source;
    ImageExtent extent;
    size_t length;

    if (offset >= source->capacity)
        return true;
    length = (size_t)MIN(GRAIN_BYTES, source->capacity - offset);
    if (!image_locate_in_chain(source, offset, length, &owner, &extent, error))
        return false;
    if ((extent.kind == IMAGE_EXTENT_HOLE || extent.kind == IMAGE_EXTENT_ZERO) &&
        extent.length >= length)
        return true;
    if (!image_read(source, offset, stream->plain, length, error))
        return false;
    return image_is_zero(stream->plain, length) || put_grain(stream, grain, length, error);
}

static bool
put_table(Stream *stream, GError **error)
{
    uint32_t sector = 0;

    if (!image_is_zero(stream->table, sizeof stream->table) &&
        !put_words(stream, MARKER_TABLE, stream->table, VMDK_TABLE_ENTRIES, &sector, error))
        return false;
    memset(stream->table, 0, sizeof stream->table);
    g_array_append_val(stream->directory, sector);
    return true;
}

static bool
put_grains(Stream *stream, const ImageProgressSink *sink, GError **error)
{
    const uint32_t tables = vmdk_table_count(&stream->header);

    for (uint32_t table = 0; table < tables; table++) {
        if (!image_report(sink, (double)table / tables, error))
            return false;
        for (uint32_t i = 0; i < VMDK_TABLE_ENTRIES; i++) {
            if (!take_grain(stream, table * VMDK_TABLE_ENTRIES + i, error))
                return false;
        }
        if (!put_table(stream, error))
            return false;
    }
    return true;
}

static bool
put_end(Stream *stream, GError **error)
{
    uint8_t raw[VMDK_SECTOR] = {0};
    uint32_t directory;

    if (!put_words(stream, MARKER_DIRECTORY, (const uint32_t *)(void *)stream->directory->data,
                   stream->directory->len, &directory, error) ||
        !put_marker(stream, MARKER_FOOTER, 1, error))
        return false;
    stream->header.directory = directory;
    vmdk_header_encode(&stream->header, raw);
    return put(stream, raw, sizeof raw, error) && put_marker(stream, MARKER_END, 0, error);
}

static bool
put_start(Stream *stream, const ImageCreateOptions *options, GError **error)
{
    g_autofree uint8_t *raw = g_malloc0(OVERHEAD_SECTORS * VMDK_SECTOR);
    g_autofree char *base = g_path_get_basename(stream->io->name);
    g_autofree char *extents =
        g_strdup_printf("RW %" G_GUINT64_FORMAT " SPARSE \"%s\"\n", stream->header.capacity,
                        vmdk_is_plain_name(base) ? base : "disk.vmdk");
    g_autofree char *text =
        vmdk_descriptor_text(stream->io->name, "streamOptimized", extents, options);

    if (strlen(text) > DESCRIPTOR_SECTORS * VMDK_SECTOR)
        return image_refuse(error, BASE_ERROR_INVALID, stream->io->name,
                            "its name is too long for its descriptor");
    vmdk_header_encode(&stream->header, raw);
    memcpy(raw + VMDK_SECTOR, text, strlen(text));
    return put(stream, raw, OVERHEAD_SECTORS * VMDK_SECTOR, error);
}

bool
vmdk_stream(Image *source, ImageIo *io, const ImageCreateOptions *options,
            const ImageProgressSink *sink, GError **error)
{
    g_autoptr(GArray) directory = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    g_autofree uint8_t *plain = g_malloc(GRAIN_BYTES);
    const size_t room = GRAIN_MARKER + compressBound(GRAIN_BYTES);
    g_autofree uint8_t *packed = g_malloc(room);
    Stream stream = {
        .source = source,
        .io = io,
        .header =
            {
                .version = 3,
                .flags = VMDK_FLAG_NEWLINES | VMDK_FLAG_COMPRESSED | VMDK_FLAG_MARKERS,
                .capacity = options->capacity / VMDK_SECTOR,
                .grain = VMDK_DEFAULT_GRAIN,
                .descriptor = 1,
                .descriptor_size = DESCRIPTOR_SECTORS,
                .directory = VMDK_POSITION_AT_END,
                .overhead = OVERHEAD_SECTORS,
                .compression = 1,
            },
        .directory = directory,
        .plain = plain,
        .packed = packed,
        .packed_room = room,
    };

    if (options->capacity > (uint64_t)VMDK_MAX_GRAINS * GRAIN_BYTES / 2) {
        g_set_error_literal(error, BASE_ERROR, BASE_ERROR_INVALID,
                            "A VMDK image can't be larger than 2 TiB.");
        return false;
    }
    return put_start(&stream, options, error) && put_grains(&stream, sink, error) &&
           put_end(&stream, error) && image_report(sink, 1.0, error);
}
