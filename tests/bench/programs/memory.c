/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The C library's memcpy, memset and memmove over sizes from 64 bytes to 1 MiB, about 4 MiB moved a
 * unit. */
#include "bench.h"

#define BUFFER (1 << 20)

static unsigned char from[BUFFER + 64], to[BUFFER + 64];

/* Out of line and unknown to the compiler, so that nothing is left out or merged. */
__attribute__((noinline)) static void
move(size_t size, size_t count, unsigned value)
{
    for (size_t i = 0; i < count; i++) {
        memcpy(to + (i & 15), from + (i & 31), size);
        __asm__ volatile("" ::: "memory");
        memset(from + (i & 31), (int)(value + i), size / 2);
        __asm__ volatile("" ::: "memory");
        memmove(to + 8, to, size / 2);
        __asm__ volatile("" ::: "memory");
    }
}

int
main(int argc, char **argv)
{
    static const size_t sizes[] = {64, 200, 1500, 4096, 65536, BUFFER};
    const uint64_t work = bench_work(argc, argv);
    const double start = bench_now();
    uint64_t hash;

    for (size_t i = 0; i < sizeof(from); i++)
        from[i] = (unsigned char)(i * 13);
    for (uint64_t unit = 0; unit < work; unit++) {
        for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++)
            move(sizes[i], (size_t)(BUFFER / 3) / sizes[i] + 1, (unsigned)unit);
    }
    hash = bench_hash(BENCH_HASH_START, from, 4096);
    return bench_end(start, bench_hash(hash, to, 4096));
}
