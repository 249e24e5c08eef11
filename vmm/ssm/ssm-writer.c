/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Writes units. Errors are sticky: callers write on and ask once at the end. */
#include "vmm/base/crc32c.h"
#include "vmm/base/stream.h"
#include "vmm/ssm/ssm-private.h"

#include <string.h>

SsmWriter *
ssm_writer_new(int fd, GByteArray *memory, const SsmProgress *progress)
{
    SsmWriter *writer = g_new0(SsmWriter, 1);

    writer->fd = fd;
    writer->memory = memory;
    writer->progress = progress;
    ssm_chunk_init(&writer->chunk);
    writer->zstd = ZSTD_createCCtx();
    ZSTD_CCtx_setParameter(writer->zstd, ZSTD_c_compressionLevel, SSM_ZSTD_LEVEL);
    return writer;
}

void
ssm_writer_free(SsmWriter *writer)
{
    if (writer == NULL)
        return;
    ssm_chunk_clear(&writer->chunk);
    ZSTD_freeCCtx(writer->zstd);
    g_free(writer);
}

void
ssm_writer_bytes(SsmWriter *writer, const uint8_t *data, size_t size)
{
    if (writer->memory != NULL)
        g_byte_array_append(writer->memory, data, (guint)size);
    else if (writer->error == 0)
        writer->error = base_stream_write(writer->fd, data, size);
}

void
ssm_writer_chunk(SsmWriter *writer, const SsmChunk *chunk, const uint8_t *data)
{
    writer->unit_crc = base_crc32c(writer->unit_crc, chunk->header, SSM_CHUNK_HEADER_SIZE);
    ssm_writer_bytes(writer, chunk->header, SSM_CHUNK_HEADER_SIZE);
    ssm_writer_bytes(writer, data, chunk->stored_size);
}

void
ssm_writer_flush(SsmWriter *writer)
{
    const uint8_t *data;

    if (writer->used == 0)
        return;
    writer->chunk.raw_size = writer->used;
    data = ssm_chunk_pack(&writer->chunk, 0, writer->zstd);
    ssm_writer_chunk(writer, &writer->chunk, data);
    writer->used = 0;
}

void
ssm_put_bytes(SsmWriter *writer, const void *data, size_t size)
{
    const uint8_t *from = data;

    while (size > 0) {
        const size_t part = MIN(size, SSM_CHUNK_SIZE - writer->used);

        memcpy(writer->chunk.raw + writer->used, from, part);
        writer->used += part;
        from += part;
        size -= part;
        if (writer->used == SSM_CHUNK_SIZE)
            ssm_writer_flush(writer);
    }
}

void
ssm_put_uint(SsmWriter *writer, uint64_t value, unsigned size)
{
    value = GUINT64_TO_LE(value);
    ssm_put_bytes(writer, &value, MIN(size, 8));
}

void
ssm_writer_begin_unit(SsmWriter *writer, const SsmUnit *unit)
{
    uint8_t header[SSM_UNIT_HEADER_SIZE] = {0};

    ssm_store32(header, SSM_UNIT_MAGIC);
    memcpy(header + 4, unit->name, SSM_NAME_SIZE);
    ssm_store32(header + 52, unit->instance);
    ssm_store32(header + 56, unit->state->version);
    ssm_store32(header + 60, base_crc32c(0, header, 60));
    ssm_writer_bytes(writer, header, sizeof(header));
    writer->unit_crc = 0;
}

void
ssm_writer_end_unit(SsmWriter *writer)
{
    uint8_t header[SSM_CHUNK_HEADER_SIZE] = {0};

    ssm_writer_flush(writer);
    ssm_store32(header + 12, base_crc32c(writer->unit_crc, header, 12));
    ssm_writer_bytes(writer, header, sizeof(header));
}

bool
ssm_writer_step(SsmWriter *writer, double fraction)
{
    const SsmProgress *progress = writer->progress;

    if (progress != NULL && !writer->cancelled && !progress->step(progress->user, fraction))
        writer->cancelled = true;
    return writer->error == 0 && !writer->cancelled;
}

bool
ssm_put_ok(SsmWriter *writer, GError **error)
{
    if (writer->error != 0) {
        base_error_set_errno(error, writer->error, "The saved state cannot be written");
        return false;
    }
    if (writer->cancelled) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_CANCELLED, "Saving the state was cancelled");
        return false;
    }
    return true;
}
