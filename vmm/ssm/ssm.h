/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * SSM: saved state. Each unit has a name, an instance, a version and a const table of fields next
 * to its struct. A state is units, compressed, a checksum on each; a reader bounds everything it
 * reads. Manual, chapter "Technical background", and design section 5. */
#pragma once

#include "vmm/base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Ssm Ssm;
typedef struct SsmWriter SsmWriter;
typedef struct SsmReader SsmReader;

typedef enum {
    SSM_FIELD_END,
    SSM_FIELD_UINT,   /* 1, 2, 4 or 8 bytes, little-endian in the file */
    SSM_FIELD_BYTES,  /* opaque bytes */
    SSM_FIELD_STRUCT, /* embedded struct with its own table */
    SSM_FIELD_ENUM,   /* 4-byte int, refused unless 0 <= value < limit */
    SSM_FIELD_BUFFER, /* pointer to `size` bytes owned by the instance; never reallocated */
} SsmFieldType;

typedef struct SsmField {
    const char *name;
    SsmFieldType type;
    uint32_t offset, size;         /* size of one element */
    uint32_t count;                /* elements in an array, 1 otherwise */
    uint32_t since;                /* first unit version that has the field */
    uint64_t limit;                /* UINT and ENUM: refused when >= limit; 0: no limit */
    const struct SsmField *fields; /* STRUCT */
} SsmField;

/* clang-format off */
#define SSM_UINT(type, member)         { #member, SSM_FIELD_UINT, offsetof(type, member), sizeof(((type *)0)->member), 1, 0, 0, NULL }
#define SSM_UINT_BELOW(type, member, limit) { #member, SSM_FIELD_UINT, offsetof(type, member), sizeof(((type *)0)->member), 1, 0, (limit), NULL }
#define SSM_UINT_SINCE(type, member, since) { #member, SSM_FIELD_UINT, offsetof(type, member), sizeof(((type *)0)->member), 1, (since), 0, NULL }
#define SSM_UINT_ARRAY(type, member)   { #member, SSM_FIELD_UINT, offsetof(type, member), sizeof(((type *)0)->member[0]), sizeof(((type *)0)->member) / sizeof(((type *)0)->member[0]), 0, 0, NULL }
#define SSM_ENUM(type, member, limit)  { #member, SSM_FIELD_ENUM, offsetof(type, member), sizeof(((type *)0)->member), 1, 0, (limit), NULL }
#define SSM_BYTES(type, member)        { #member, SSM_FIELD_BYTES, offsetof(type, member), sizeof(((type *)0)->member), 1, 0, 0, NULL }
#define SSM_STRUCT(type, member, table) { #member, SSM_FIELD_STRUCT, offsetof(type, member), sizeof(((type *)0)->member), 1, 0, 0, (table) }
#define SSM_STRUCT_ARRAY(type, member, table) { #member, SSM_FIELD_STRUCT, offsetof(type, member), sizeof(((type *)0)->member[0]), sizeof(((type *)0)->member) / sizeof(((type *)0)->member[0]), 0, 0, (table) }
#define SSM_BUFFER(type, member, length) { #member, SSM_FIELD_BUFFER, offsetof(type, member), (length), 1, 0, 0, NULL }
#define SSM_END                        { NULL, SSM_FIELD_END, 0, 0, 0, 0, 0, NULL }
/* clang-format on */

/* How a unit is saved. fields may be NULL when save/load do everything. post_load checks every
 * index that the fields brought (a saved state is hostile) and rebuilds what is derived. */
typedef struct SsmState {
    uint32_t version, min_version;
    const SsmField *fields;
    void (*pre_save)(void *object);
    bool (*post_load)(void *object, uint32_t version, GError **error);
    /* Variable parts, after the fields. */
    bool (*save)(void *object, SsmWriter *writer, GError **error);
    bool (*load)(void *object, SsmReader *reader, uint32_t version, GError **error);
} SsmState;

Ssm *ssm_new(void);
void ssm_free(Ssm *ssm);
/* Registers a unit; name is at most 47 characters; object must outlive the registration. Units
 * are saved in registration order. */
void ssm_register(Ssm *ssm, const char *name, uint32_t instance, const SsmState *state,
                  void *object);
void ssm_unregister(Ssm *ssm, const char *name, uint32_t instance);

/* Saves all units to fd or loads them; the VM is stopped. A load that fails leaves the objects in
 * an undefined but destructible state; the message names the unit. */
bool ssm_save(Ssm *ssm, int fd, GError **error);
bool ssm_load(Ssm *ssm, int fd, GError **error);

/* For save and load callbacks. Readers fail (false, error set) at the unit's end. */
void ssm_put_uint(SsmWriter *writer, uint64_t value, unsigned size);
void ssm_put_bytes(SsmWriter *writer, const void *data, size_t size);
bool ssm_get_uint(SsmReader *reader, uint64_t *value, unsigned size, GError **error);
bool ssm_get_bytes(SsmReader *reader, void *data, size_t size, GError **error);
