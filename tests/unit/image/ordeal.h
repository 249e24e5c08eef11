/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What every format that is written to has to stand: work like that of a disk, a full host disk,
 * files that lie, are cut short or have been damaged. */
#pragma once

#include "tests/unit/image/builder.h"
#include "vmm/base/error.h"

/* A word of a sound file that is given another value, and what opening says of it. */
typedef struct {
    const char *what;
    unsigned at;
    uint32_t value;
    BaseError code;
} OrdealLie;

typedef struct {
    const char *format;
    /* A sound file of at least one allocated block. */
    GByteArray *(*build)(void);
    void (*poke)(GByteArray *file, unsigned at, uint32_t value);
    void (*seal)(GByteArray *file); /* makes its checksums right; NULL: it has none */
    const OrdealLie *lies;
    unsigned lie_count;
    unsigned first, end; /* what lies in [first, end) is damaged at random */
    guint spare;         /* bytes at the end that it opens without */
} Ordeal;

/* Random writes, reads and zeros agree with an array of bytes, also after opening again. */
void ordeal_random_work(const char *format, GByteArray *file, uint32_t capacity);
/* A file without allocated blocks on a disk that fills up, and has room again. */
void ordeal_disk_full(const char *format, GByteArray *file);
void ordeal_lies(const Ordeal *ordeal);
void ordeal_truncated(const Ordeal *ordeal);
/* Whatever opens can be read and written from end to end. */
void ordeal_random_damage(const Ordeal *ordeal);
