/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the files of SSM share: the container's format and the streams in it.
 *
 * A file is a header, units, and an end mark. A unit is a header and chunks; the last chunk is
 * empty. Chunks are compressed by zstd where that makes them smaller, and each has a CRC-32C of
 * what is stored; the last one's covers the headers of all of the unit. All numbers are
 * little-endian. So a unit of any length is written and read in one pass with bounded memory, and
 * nothing of a damaged chunk is ever looked at. What follows the end mark is not SSM's, and is not
 * read.
 *
 * A large part of a unit is made of pieces: chunks that several threads make, compress and take
 * back. Pieces of one pass concern different things; a later pass says again what has changed, so
 * all before it have to be taken back first. An empty piece begins a pass. */
#pragma once

#include "vmm/ssm/ssm.h"

#include <zstd.h>

#define SSM_MAGIC "Vitrine state\r\n\x1a"
#define SSM_MAGIC_SIZE 16
/* How VirtualBox's own files begin. */
#define SSM_FOREIGN_MAGIC "\x7fVirtualBox"
#define SSM_FORMAT 2u
#define SSM_UNIT_MAGIC 0x54494e55u /* "UNIT" */
#define SSM_END_MAGIC 0x2e444e45u  /* "END." */
#define SSM_NAME_SIZE 48
#define SSM_CHUNK_SIZE (256u * 1024)

/* Flags of a chunk. */
#define SSM_CHUNK_ZSTD 1u
#define SSM_CHUNK_PIECE 2u
#define SSM_CHUNK_PASS 4u /* with PIECE, and empty: a pass begins */
#define SSM_CHUNK_FLAGS 7u

#define SSM_FILE_HEADER_SIZE 32 /* magic, format, number of units, reserved, crc */
#define SSM_UNIT_HEADER_SIZE 64 /* magic, name, instance, version, crc */
#define SSM_CHUNK_HEADER_SIZE                                                                      \
    16                 /* raw size, stored size, flags, crc of header and stored bytes             \
                        */
#define SSM_END_SIZE 8 /* magic, number of units */

#define SSM_THREADS_MAX 16u
/* Fast, and enough for what is mostly empty memory and small registers. */
#define SSM_ZSTD_LEVEL 1

typedef struct {
    char name[SSM_NAME_SIZE];
    uint32_t instance;
    const SsmState *state;
    void *object;
    bool loaded;
} SsmUnit;

struct Ssm {
    GPtrArray *units; /* SsmUnit, owned */
};

/* One chunk on its way. The buffers hold SSM_PIECE_MAX bytes. */
typedef struct {
    uint8_t header[SSM_CHUNK_HEADER_SIZE];
    uint8_t *raw, *stored;
    size_t raw_size, stored_size;
    uint32_t flags;
} SsmChunk;

struct SsmWriter {
    int fd;
    GByteArray *memory; /* instead of fd, borrowed; NULL: fd */
    const SsmProgress *progress;
    int error; /* errno of the first failure */
    bool cancelled;
    uint32_t unit_crc; /* of the headers of this unit */
    size_t used;       /* of chunk.raw */
    SsmChunk chunk;
    ZSTD_CCtx *zstd;
};

struct SsmReader {
    int fd;
    const SsmProgress *progress;
    uint64_t position, size; /* of the file; size 0: not known */
    uint32_t unit_crc;
    size_t used;     /* of chunk.raw */
    bool at_end;     /* the unit's empty chunk was read */
    bool has_header; /* of the next chunk, in chunk.header */
    SsmChunk chunk;
    ZSTD_DCtx *zstd;
};

/* ssm-chunk.c */
void ssm_chunk_init(SsmChunk *chunk);
void ssm_chunk_clear(SsmChunk *chunk);
/* From raw to header and stored bytes; returns where these are: stored, or raw as it is. */
const uint8_t *ssm_chunk_pack(SsmChunk *chunk, uint32_t flags, ZSTD_CCtx *zstd);
/* Sizes and flags from the header, bounded. */
bool ssm_chunk_parse(SsmChunk *chunk, GError **error);
/* Checks the stored bytes and unpacks them; returns where raw_size bytes are, NULL: damaged. */
const uint8_t *ssm_chunk_unpack(SsmChunk *chunk, ZSTD_DCtx *zstd, GError **error);
bool ssm_damaged(GError **error, const char *why);

/* Either to a descriptor, or (memory not NULL) to the end of an array. progress may be NULL. */
SsmWriter *ssm_writer_new(int fd, GByteArray *memory, const SsmProgress *progress);
void ssm_writer_free(SsmWriter *writer);
/* Bytes outside chunks. */
void ssm_writer_bytes(SsmWriter *writer, const uint8_t *data, size_t size);
/* The header of a unit begins it; the end flushes and writes the empty chunk. */
void ssm_writer_begin_unit(SsmWriter *writer, const SsmUnit *unit);
void ssm_writer_end_unit(SsmWriter *writer);
/* Writes out a packed chunk. */
void ssm_writer_chunk(SsmWriter *writer, const SsmChunk *chunk, const uint8_t *data);
/* What was put so far becomes a chunk. */
void ssm_writer_flush(SsmWriter *writer);
/* Tells how far it is; false: stop, because of an error or as told. */
bool ssm_writer_step(SsmWriter *writer, double fraction);

SsmReader *ssm_reader_new(int fd, const SsmProgress *progress);
void ssm_reader_free(SsmReader *reader);
bool ssm_reader_bytes(SsmReader *reader, uint8_t *data, size_t size, GError **error);
void ssm_reader_begin_unit(SsmReader *reader);
/* Reads the next chunk's header, unless it is there already. */
bool ssm_reader_header(SsmReader *reader, GError **error);
/* Takes a header that was read into the unit's checksum. */
void ssm_reader_count_header(SsmReader *reader, const SsmChunk *chunk);
bool ssm_reader_step(SsmReader *reader, GError **error);
/* False when the unit holds more than was read. */
bool ssm_reader_end_unit(SsmReader *reader, GError **error);

/* How many threads make pieces here. */
unsigned ssm_threads(void);

void ssm_fields_save(SsmWriter *writer, const SsmField *fields, const void *object);
bool ssm_fields_load(SsmReader *reader, const SsmField *fields, uint32_t version, void *object,
                     GError **error);

/* ssm.c */
bool ssm_save_unit(SsmWriter *writer, const SsmUnit *unit, GError **error);
void ssm_write_file_header(SsmWriter *writer, const Ssm *ssm);
void ssm_write_end(SsmWriter *writer, const Ssm *ssm);

static inline void
ssm_store32(uint8_t *at, uint32_t value)
{
    value = GUINT32_TO_LE(value);
    __builtin_memcpy(at, &value, 4);
}

static inline uint32_t
ssm_load32(const uint8_t *at)
{
    uint32_t value;

    __builtin_memcpy(&value, at, 4);
    return GUINT32_FROM_LE(value);
}
