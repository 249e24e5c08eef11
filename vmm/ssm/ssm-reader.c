/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Reads units of a file that may have been made to do harm: every size is bounded before it is
 * used, and a chunk is decompressed only after its checksum held. */
#include "vmm/base/crc32c.h"
#include "vmm/base/stream.h"
#include "vmm/ssm/ssm-private.h"

#include <string.h>

SsmReader *
ssm_reader_new(int fd, const SsmProgress *progress)
{
    SsmReader *reader = g_new0(SsmReader, 1);

    reader->fd = fd;
    reader->progress = progress;
    reader->at_end = true;
    ssm_chunk_init(&reader->chunk);
    reader->zstd = ZSTD_createDCtx();
    reader->size = base_stream_left(fd);
    return reader;
}

void
ssm_reader_free(SsmReader *reader)
{
    if (reader == NULL)
        return;
    ssm_chunk_clear(&reader->chunk);
    ZSTD_freeDCtx(reader->zstd);
    g_free(reader);
}

bool
ssm_reader_bytes(SsmReader *reader, uint8_t *data, size_t size, GError **error)
{
    size_t done = 0;
    const int failure = base_stream_read(reader->fd, data, size, &done);

    reader->position += done;
    if (failure != 0) {
        base_error_set_errno(error, failure, "The saved state cannot be read");
        return false;
    }
    return done == size || ssm_damaged(error, "it ends too early");
}

bool
ssm_reader_header(SsmReader *reader, GError **error)
{
    if (reader->has_header)
        return true;
    reader->has_header =
        ssm_reader_bytes(reader, reader->chunk.header, SSM_CHUNK_HEADER_SIZE, error) &&
        ssm_chunk_parse(&reader->chunk, error);
    return reader->has_header;
}

void
ssm_reader_count_header(SsmReader *reader, const SsmChunk *chunk)
{
    reader->unit_crc = base_crc32c(reader->unit_crc, chunk->header, SSM_CHUNK_HEADER_SIZE);
}

static bool
next_chunk(SsmReader *reader, GError **error)
{
    SsmChunk *chunk = &reader->chunk;
    const uint8_t *data;

    if (!ssm_reader_header(reader, error))
        return false;
    reader->has_header = false;
    reader->used = 0;
    if (chunk->flags & SSM_CHUNK_PIECE)
        return ssm_damaged(error, "there is more in it than its version says");
    if (chunk->raw_size == 0) {
        reader->at_end = true;
        return base_crc32c(reader->unit_crc, chunk->header, 12) == ssm_load32(chunk->header + 12) ||
               ssm_damaged(error, "parts of it are missing or exchanged");
    }
    ssm_reader_count_header(reader, chunk);
    if (!ssm_reader_bytes(reader, chunk->stored, chunk->stored_size, error))
        return false;
    data = ssm_chunk_unpack(chunk, reader->zstd, error);
    if (data == chunk->stored)
        memcpy(chunk->raw, data, chunk->raw_size);
    return data != NULL;
}

void
ssm_reader_begin_unit(SsmReader *reader)
{
    reader->unit_crc = 0;
    reader->used = reader->chunk.raw_size = 0;
    reader->at_end = reader->has_header = false;
}

/* Nothing is left of the chunk that was unpacked last. */
static bool
is_used_up(const SsmReader *reader)
{
    return reader->has_header || reader->used == reader->chunk.raw_size;
}

bool
ssm_get_bytes(SsmReader *reader, void *data, size_t size, GError **error)
{
    uint8_t *to = data;

    while (size > 0) {
        size_t part;

        if (is_used_up(reader) && !reader->at_end && !next_chunk(reader, error))
            return false;
        if (reader->at_end)
            return ssm_damaged(error, "there is less in it than its version says");
        part = MIN(size, reader->chunk.raw_size - reader->used);
        memcpy(to, reader->chunk.raw + reader->used, part);
        reader->used += part;
        to += part;
        size -= part;
    }
    return true;
}

bool
ssm_get_uint(SsmReader *reader, uint64_t *value, unsigned size, GError **error)
{
    uint64_t raw = 0;

    if (!ssm_get_bytes(reader, &raw, MIN(size, 8), error))
        return false;
    *value = GUINT64_FROM_LE(raw);
    return true;
}

bool
ssm_reader_step(SsmReader *reader, GError **error)
{
    const SsmProgress *progress = reader->progress;
    const double done = reader->size > 0 ? (double)reader->position / (double)reader->size : 0;

    if (progress == NULL || progress->step(progress->user, MIN(done, 1.0)))
        return true;
    g_set_error(error, BASE_ERROR, BASE_ERROR_CANCELLED, "Restoring the state was cancelled");
    return false;
}

bool
ssm_reader_end_unit(SsmReader *reader, GError **error)
{
    if (is_used_up(reader) && !reader->at_end && !next_chunk(reader, error))
        return false;
    if (!reader->at_end)
        return ssm_damaged(error, "there is more in it than its version says");
    return true;
}
