/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * One chunk: packing and unpacking, on any thread. */
#include "vmm/base/crc32c.h"
#include "vmm/ssm/ssm-private.h"

/* Below that there is nothing to gain. */
#define WORTH_PACKING 64u
#define CRC_AT 12u

void
ssm_chunk_init(SsmChunk *chunk)
{
    *chunk = (SsmChunk){.raw = g_malloc(SSM_PIECE_MAX), .stored = g_malloc(SSM_PIECE_MAX)};
}

void
ssm_chunk_clear(SsmChunk *chunk)
{
    g_free(chunk->raw);
    g_free(chunk->stored);
}

bool
ssm_damaged(GError **error, const char *why)
{
    g_set_error(error, BASE_ERROR, BASE_ERROR_CORRUPT, "The saved state is damaged: %s", why);
    return false;
}

const uint8_t *
ssm_chunk_pack(SsmChunk *chunk, uint32_t flags, ZSTD_CCtx *zstd)
{
    const size_t size = chunk->raw_size;
    /* Refused when it does not get smaller: then it is stored as it is. */
    const size_t packed =
        size > WORTH_PACKING ? ZSTD_compress2(zstd, chunk->stored, size - 1, chunk->raw, size) : 0;
    const bool compressed = packed != 0 && !ZSTD_isError(packed);
    const uint8_t *data = compressed ? chunk->stored : chunk->raw;

    chunk->flags = flags | (compressed ? SSM_CHUNK_ZSTD : 0);
    chunk->stored_size = compressed ? packed : size;
    ssm_store32(chunk->header, (uint32_t)size);
    ssm_store32(chunk->header + 4, (uint32_t)chunk->stored_size);
    ssm_store32(chunk->header + 8, chunk->flags);
    ssm_store32(chunk->header + CRC_AT,
                base_crc32c(base_crc32c(0, chunk->header, CRC_AT), data, chunk->stored_size));
    return data;
}

bool
ssm_chunk_parse(SsmChunk *chunk, GError **error)
{
    const uint32_t raw_size = ssm_load32(chunk->header);
    const uint32_t stored_size = ssm_load32(chunk->header + 4);
    const uint32_t flags = ssm_load32(chunk->header + 8);
    const bool piece = (flags & SSM_CHUNK_PIECE) != 0, pass = (flags & SSM_CHUNK_PASS) != 0;

    if ((flags & ~SSM_CHUNK_FLAGS) != 0 || (pass && !piece) || (piece && (raw_size == 0) != pass) ||
        raw_size > (piece ? SSM_PIECE_MAX : SSM_CHUNK_SIZE) || stored_size > raw_size ||
        (!(flags & SSM_CHUNK_ZSTD) && stored_size != raw_size))
        return ssm_damaged(error, "a part of it has an impossible size");
    chunk->raw_size = raw_size;
    chunk->stored_size = stored_size;
    chunk->flags = flags;
    return true;
}

const uint8_t *
ssm_chunk_unpack(SsmChunk *chunk, ZSTD_DCtx *zstd, GError **error)
{
    size_t done;

    if (base_crc32c(base_crc32c(0, chunk->header, CRC_AT), chunk->stored, chunk->stored_size) !=
        ssm_load32(chunk->header + CRC_AT)) {
        ssm_damaged(error, "a checksum does not hold");
        return NULL;
    }
    if (!(chunk->flags & SSM_CHUNK_ZSTD))
        return chunk->stored;
    done = ZSTD_decompressDCtx(zstd, chunk->raw, SSM_PIECE_MAX, chunk->stored, chunk->stored_size);
    if (!ZSTD_isError(done) && done == chunk->raw_size)
        return chunk->raw;
    ssm_damaged(error, "a part of it cannot be decompressed");
    return NULL;
}

unsigned
ssm_threads(void)
{
    return CLAMP(g_get_num_processors(), 1u, SSM_THREADS_MAX);
}
