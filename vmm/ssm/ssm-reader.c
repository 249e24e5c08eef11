/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Reads chunks of a file that may have been made to do harm: every size is bounded before it is
 * used, and a chunk is decompressed only after its checksum held. */
#include "vmm/base/crc32c.h"
#include "vmm/base/stream.h"
#include "vmm/ssm/ssm-private.h"

#include <string.h>
#include <zstd.h>

struct SsmReader {
    int fd;
    size_t used, size; /* of raw */
    bool at_end;       /* the unit's empty chunk was read */
    uint8_t raw[SSM_CHUNK_SIZE];
    uint8_t stored[SSM_CHUNK_SIZE];
};

SsmReader *
ssm_reader_new(int fd)
{
    SsmReader *reader = g_new(SsmReader, 1);

    reader->fd = fd;
    reader->used = reader->size = 0;
    reader->at_end = true;
    return reader;
}

void
ssm_reader_free(SsmReader *reader)
{
    g_free(reader);
}

static bool
damaged(GError **error, const char *why)
{
    g_set_error(error, BASE_ERROR, BASE_ERROR_CORRUPT, "The saved state is damaged: %s", why);
    return false;
}

bool
ssm_reader_header(SsmReader *reader, uint8_t *data, size_t size, GError **error)
{
    size_t done = 0;
    const int failure = base_stream_read(reader->fd, data, size, &done);

    if (failure != 0) {
        base_error_set_errno(error, failure, "The saved state cannot be read");
        return false;
    }
    return done == size || damaged(error, "it ends too early");
}

static bool
unpack(SsmReader *reader, size_t raw_size, size_t stored_size, GError **error)
{
    const size_t done = ZSTD_decompress(reader->raw, SSM_CHUNK_SIZE, reader->stored, stored_size);

    if (ZSTD_isError(done) || done != raw_size)
        return damaged(error, "a part of it cannot be decompressed");
    return true;
}

static bool
next_chunk(SsmReader *reader, GError **error)
{
    uint8_t header[SSM_CHUNK_HEADER_SIZE];
    uint32_t raw_size, stored_size, flags;
    bool compressed;

    if (!ssm_reader_header(reader, header, sizeof(header), error))
        return false;
    raw_size = ssm_load32(header);
    stored_size = ssm_load32(header + 4);
    flags = ssm_load32(header + 8);
    compressed = (flags & SSM_CHUNK_ZSTD) != 0;
    if (raw_size > SSM_CHUNK_SIZE || stored_size > raw_size || (flags & ~SSM_CHUNK_ZSTD) != 0 ||
        (!compressed && stored_size != raw_size))
        return damaged(error, "a part of it has an impossible size");
    if (!ssm_reader_header(reader, compressed ? reader->stored : reader->raw, stored_size, error))
        return false;
    if (base_crc32c(base_crc32c(0, header, 12), compressed ? reader->stored : reader->raw,
                    stored_size) != ssm_load32(header + 12))
        return damaged(error, "a checksum does not hold");
    if (compressed && !unpack(reader, raw_size, stored_size, error))
        return false;
    reader->used = 0;
    reader->size = raw_size;
    reader->at_end = raw_size == 0;
    return true;
}

void
ssm_reader_begin_unit(SsmReader *reader)
{
    reader->used = reader->size = 0;
    reader->at_end = false;
}

bool
ssm_get_bytes(SsmReader *reader, void *data, size_t size, GError **error)
{
    uint8_t *to = data;

    while (size > 0) {
        size_t part;

        if (reader->used == reader->size && !reader->at_end && !next_chunk(reader, error))
            return false;
        if (reader->at_end)
            return damaged(error, "there is less in it than its version says");
        part = MIN(size, reader->size - reader->used);
        memcpy(to, reader->raw + reader->used, part);
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
ssm_reader_end_unit(SsmReader *reader, GError **error)
{
    if (reader->used == reader->size && !reader->at_end && !next_chunk(reader, error))
        return false;
    if (!reader->at_end)
        return damaged(error, "there is more in it than its version says");
    return true;
}
