/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * An image file in memory for tests: it can fill up, fail to sync, and record what is done to it,
 * so that the file can be rebuilt as a loss of power could have left it. */
#pragma once

#include "devices/drivers/disk/image/image.h"

typedef enum { MEMORY_WRITE, MEMORY_TRUNCATE, MEMORY_SYNC } MemoryOpKind;

typedef struct {
    MemoryOpKind kind;
    unsigned file;   /* MemoryIo.file */
    uint64_t offset; /* WRITE; the new size for TRUNCATE */
    GBytes *data;    /* WRITE */
} MemoryOp;

typedef struct {
    ImageIo io;
    GByteArray *content; /* owned by the test: survives the close */
    GArray *record;      /* MemoryOp; NULL: nothing is recorded. The test's */
    unsigned file;       /* which one it is, where several share a record */
    uint64_t size_limit; /* writes beyond it find the disk full; 0: none */
    bool fail_sync;
    unsigned syncs;
} MemoryIo;

/* Closing it frees the MemoryIo, not what it points at. */
MemoryIo *memory_io_new(GByteArray *content, GArray *record);
/* The image in content; NULL with error. */
Image *memory_open(GByteArray *content, const char *format, ImageOpenFlags flags, GError **error);
GArray *memory_record_new(void);

/* What the file is after the first `count` operations of the record, started from before, when
 * power fails: what came before the last sync is there, and of everything after it each sector of
 * 512 bytes may be there or not. */
GByteArray *memory_after_power_loss(const GByteArray *before, const GArray *record, unsigned count,
                                    GRand *rand);
/* The same of one of several files with that record. */
GByteArray *memory_file_after_power_loss(const GByteArray *before, const GArray *record,
                                         unsigned count, unsigned file, GRand *rand);
