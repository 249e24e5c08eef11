/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What all programs here share: the amount of work is the first argument; at the end a line
 * "bench: CHECKSUM SECONDS" with the result and the time by the guest's own clock. */
#pragma once

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BENCH_HASH_START UINT64_C(0xcbf29ce484222325)

static inline uint64_t
bench_work(int argc, char **argv)
{
    return argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
}

static inline double
bench_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* FNV-1a (Fowler, Noll, Vo), to make one number of a result. */
static inline uint64_t
bench_hash(uint64_t hash, const void *data, size_t size)
{
    const unsigned char *bytes = data;

    for (size_t i = 0; i < size; i++)
        hash = (hash ^ bytes[i]) * UINT64_C(0x100000001b3);
    return hash;
}

/* xorshift64 (Marsaglia): data that is the same everywhere. */
static inline uint64_t
bench_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static inline int
bench_end(double start, uint64_t checksum)
{
    printf("bench: %016" PRIx64 " %.6f\n", checksum, bench_now() - start);
    return 0;
}

/* For what a guest of a benchmark never lacks. */
static inline void
bench_must(int right, const char *what)
{
    if (!right) {
        perror(what);
        exit(1);
    }
}
