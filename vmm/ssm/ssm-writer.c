/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Writes chunks. Errors are sticky: callers write on and ask once at the end. */
#include "vmm/base/crc32c.h"
#include "vmm/base/stream.h"
#include "vmm/ssm/ssm-private.h"

#include <string.h>
#include <zstd.h>

/* Fast, and enough for what is mostly empty memory and small registers. */
#define ZSTD_LEVEL 1

struct SsmWriter {
    int fd;
    int error; /* errno of the first failure */
    size_t used;
    uint8_t raw[SSM_CHUNK_SIZE];
    uint8_t stored[SSM_CHUNK_SIZE];
};

SsmWriter *
ssm_writer_new(int fd)
{
    SsmWriter *writer = g_new(SsmWriter, 1);

    writer->fd = fd;
    writer->error = 0;
    writer->used = 0;
    return writer;
}

void
ssm_writer_free(SsmWriter *writer)
{
    g_free(writer);
}

void
ssm_writer_header(SsmWriter *writer, const uint8_t *data, size_t size)
{
    if (writer->error == 0) {
        writer->error = base_stream_write(writer->fd, data, size);
    }
}

static void
flush_chunk(SsmWriter *writer)
{
    uint8_t header[SSM_CHUNK_HEADER_SIZE];
    const size_t raw_size = writer->used;
    /* Refused when it does not get smaller: then it is stored as it is. */
    const size_t packed = raw_size > 64 ? ZSTD_compress(writer->stored, raw_size - 1, writer->raw,
                                                        raw_size, ZSTD_LEVEL)
                                        : 0;
    const bool compressed = packed != 0 && !ZSTD_isError(packed);
    const uint8_t *data = compressed ? writer->stored : writer->raw;
    const size_t size = compressed ? packed : raw_size;

    ssm_store32(header, (uint32_t)raw_size);
    ssm_store32(header + 4, (uint32_t)size);
    ssm_store32(header + 8, compressed ? SSM_CHUNK_ZSTD : 0);
    ssm_store32(header + 12, base_crc32c(base_crc32c(0, header, 12), data, size));
    ssm_writer_header(writer, header, sizeof(header));
    ssm_writer_header(writer, data, size);
    writer->used = 0;
}

void
ssm_put_bytes(SsmWriter *writer, const void *data, size_t size)
{
    const uint8_t *from = data;

    while (size > 0) {
        const size_t part = MIN(size, SSM_CHUNK_SIZE - writer->used);

        memcpy(writer->raw + writer->used, from, part);
        writer->used += part;
        from += part;
        size -= part;
        if (writer->used == SSM_CHUNK_SIZE)
            flush_chunk(writer);
    }
}

void
ssm_put_uint(SsmWriter *writer, uint64_t value, unsigned size)
{
    value = GUINT64_TO_LE(value);
    ssm_put_bytes(writer, &value, MIN(size, 8));
}

void
ssm_writer_end_unit(SsmWriter *writer)
{
    if (writer->used > 0)
        flush_chunk(writer);
    flush_chunk(writer);
}

bool
ssm_writer_ok(SsmWriter *writer, GError **error)
{
    if (writer->error == 0)
        return true;
    base_error_set_errno(error, writer->error, "The saved state cannot be written");
    return false;
}
