/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * AVX2 streams: as sse.c, with 256-bit vectors and double precision. Without AVX2 it ends with the
 * exit code 2. */
#include "bench.h"

#include <immintrin.h>

#define DOUBLES 8192
#define VECTORS (DOUBLES / 4)
#define UNSUPPORTED 2

typedef struct {
    __m256d from[VECTORS], to[VECTORS];
    __m256i words[VECTORS];
} Arrays;

static Arrays arrays __attribute__((aligned(32)));

static void
fill(void)
{
    double *values = (double *)arrays.from;
    uint32_t *words = (uint32_t *)arrays.words;

    for (unsigned i = 0; i < DOUBLES; i++)
        values[i] = (double)(i % 251) / 16.0;
    for (unsigned i = 0; i < 8 * VECTORS; i++)
        words[i] = i / 8 * 2654435761u;
}

__attribute__((target("avx2"))) static void
floats(double factor)
{
    const __m256d scale = _mm256_set1_pd(factor), keep = _mm256_set1_pd(0.5);

    for (unsigned i = 0; i < VECTORS; i++)
        arrays.to[i] =
            _mm256_add_pd(_mm256_mul_pd(arrays.to[i], keep), _mm256_mul_pd(arrays.from[i], scale));
}

__attribute__((target("avx2"))) static void
integers(uint32_t sums[8])
{
    __m256i sum = _mm256_loadu_si256((const __m256i *)sums);

    for (unsigned i = 0; i < VECTORS; i++) {
        const __m256i turned = _mm256_permute4x64_epi64(arrays.words[i], 0x39);

        sum = _mm256_add_epi32(sum, _mm256_madd_epi16(arrays.words[i], turned));
        arrays.words[i] = _mm256_xor_si256(arrays.words[i], _mm256_srli_epi16(sum, 3));
    }
    _mm256_storeu_si256((__m256i *)sums, sum);
}

int
main(int argc, char **argv)
{
    const uint64_t work = bench_work(argc, argv);
    uint32_t sums[8] = {0};
    double start;
    uint64_t hash;

    if (!__builtin_cpu_supports("avx2")) {
        fputs("This CPU has no AVX2.\n", stderr);
        return UNSUPPORTED;
    }
    start = bench_now();
    fill();
    for (uint64_t unit = 0; unit < work; unit++) {
        floats(1.0 + (double)(unit & 7));
        integers(sums);
    }
    hash = bench_hash(BENCH_HASH_START, arrays.to, sizeof(arrays.to));
    return bench_end(start, bench_hash(hash, sums, sizeof(sums)));
}
