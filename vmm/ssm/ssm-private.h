/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the files of SSM share: the container's format and the streams in it.
 *
 * A file is a header, units, and an end mark. A unit is a header and chunks; the last chunk is
 * empty. Chunks are compressed by zstd where that makes them smaller, and each has a CRC-32C of
 * what is stored. All numbers are little-endian. So a unit of any length is written and read in one
 * pass with bounded memory, and nothing of a damaged chunk is ever looked at. */
#pragma once

#include "vmm/ssm/ssm.h"

#define SSM_MAGIC "Vitrine state\r\n\x1a"
#define SSM_MAGIC_SIZE 16
#define SSM_FORMAT 1u
#define SSM_UNIT_MAGIC 0x54494e55u /* "UNIT" */
#define SSM_END_MAGIC 0x2e444e45u  /* "END." */
#define SSM_NAME_SIZE 48
#define SSM_CHUNK_SIZE (256u * 1024)
#define SSM_CHUNK_ZSTD 1u /* flag of a chunk */

#define SSM_FILE_HEADER_SIZE 32  /* magic, format, number of units, reserved, crc */
#define SSM_UNIT_HEADER_SIZE 64  /* magic, name, instance, version, crc */
#define SSM_CHUNK_HEADER_SIZE 16 /* raw size, stored size, flags, crc of the stored bytes */

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

SsmWriter *ssm_writer_new(int fd);
void ssm_writer_free(SsmWriter *writer);
/* A fixed-size record outside units. */
void ssm_writer_header(SsmWriter *writer, const uint8_t *data, size_t size);
/* Ends a unit: flushes and writes the empty chunk. */
void ssm_writer_end_unit(SsmWriter *writer);
/* False with the first error of all writes. */
bool ssm_writer_ok(SsmWriter *writer, GError **error);

SsmReader *ssm_reader_new(int fd);
void ssm_reader_free(SsmReader *reader);
bool ssm_reader_header(SsmReader *reader, uint8_t *data, size_t size, GError **error);
void ssm_reader_begin_unit(SsmReader *reader);
/* False when the unit holds more than was read. */
bool ssm_reader_end_unit(SsmReader *reader, GError **error);

void ssm_fields_save(SsmWriter *writer, const SsmField *fields, const void *object);
bool ssm_fields_load(SsmReader *reader, const SsmField *fields, uint32_t version, void *object,
                     GError **error);

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
