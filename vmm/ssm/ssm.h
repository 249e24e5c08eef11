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

/* Is asked again and again, on the thread that saves or loads: how far it is, 0 to 1. False: give
 * up (BASE_ERROR_CANCELLED). */
typedef struct {
    bool (*step)(void *user, double fraction);
    void *user;
} SsmProgress;

/* Saves all units to fd or loads them; the VM is stopped. progress may be NULL. A load that fails
 * leaves the objects in an undefined but destructible state; the message names the unit. */
bool ssm_save(Ssm *ssm, int fd, const SsmProgress *progress, GError **error);
bool ssm_load(Ssm *ssm, int fd, const SsmProgress *progress, GError **error);

/* Saving while the VM runs. The first unit that was registered is written bit by bit by its owner
 * (live_writer, in passes of pieces); once the VM stands, all others are saved to memory; when it
 * runs again the file is finished. `first` names that unit. */
typedef struct SsmLive SsmLive;
SsmLive *ssm_live_new(Ssm *ssm, const char *first, int fd, const SsmProgress *progress);
SsmWriter *ssm_live_writer(SsmLive *live);
bool ssm_live_stopped(SsmLive *live, GError **error);
bool ssm_live_finish(SsmLive *live, GError **error);
void ssm_live_free(SsmLive *live);

/* For save and load callbacks. Readers fail (false, error set) at the unit's end. */
void ssm_put_uint(SsmWriter *writer, uint64_t value, unsigned size);
void ssm_put_bytes(SsmWriter *writer, const void *data, size_t size);
bool ssm_get_uint(SsmReader *reader, uint64_t *value, unsigned size, GError **error);
bool ssm_get_bytes(SsmReader *reader, void *data, size_t size, GError **error);

/* Large parts, in pieces that several threads make and take, each on its own.
 * Fill: writes piece `index` to data and returns its size, at most SSM_PIECE_MAX; 0: nothing is to
 * be saved of it. Each call makes a new pass: a reader takes its pieces after those of the passes
 * before, so they may say again what these have said. */
#define SSM_PIECE_MAX ((1u << 20) + 4096u)
typedef size_t (*SsmFill)(void *user, uint64_t index, uint8_t *data);
void ssm_put_pieces(SsmWriter *writer, uint64_t count, SsmFill fill, void *user);
/* False with the first error of all that was put, or when saving was cancelled. */
bool ssm_put_ok(SsmWriter *writer, GError **error);
/* Takes the pieces of all passes that come next; data are hostile. */
typedef bool (*SsmTake)(void *user, const uint8_t *data, size_t size, GError **error);
bool ssm_get_pieces(SsmReader *reader, SsmTake take, void *user, GError **error);
