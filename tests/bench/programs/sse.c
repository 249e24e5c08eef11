/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * SSE2 streams: single-precision multiply and add, 16-bit multiplication and shuffles over arrays
 * of 64 KiB, once over all a unit. */
#include "bench.h"

#include <emmintrin.h>

#define FLOATS 16384
#define VECTORS (FLOATS / 4)

static __m128 from[VECTORS], to[VECTORS];
static __m128i words[VECTORS];

static void
fill(void)
{
    float *values = (float *)from;

    for (unsigned i = 0; i < FLOATS; i++)
        values[i] = (float)(i % 251) / 16.0f;
    memset(to, 0, sizeof(to));
    for (unsigned i = 0; i < VECTORS; i++)
        words[i] = _mm_set1_epi32((int)(i * 2654435761u));
}

static void
floats(float factor)
{
    const __m128 scale = _mm_set1_ps(factor), keep = _mm_set1_ps(0.5f);

    for (unsigned i = 0; i < VECTORS; i++)
        to[i] = _mm_add_ps(_mm_mul_ps(to[i], keep), _mm_mul_ps(from[i], scale));
}

static __m128i
integers(__m128i sum)
{
    for (unsigned i = 0; i < VECTORS; i++) {
        const __m128i turned = _mm_shuffle_epi32(words[i], 0x39);

        sum = _mm_add_epi32(sum, _mm_madd_epi16(words[i], turned));
        words[i] = _mm_xor_si128(words[i], _mm_srli_epi16(sum, 3));
    }
    return sum;
}

int
main(int argc, char **argv)
{
    const uint64_t work = bench_work(argc, argv);
    const double start = bench_now();
    __m128i sum = _mm_setzero_si128();
    uint64_t hash;

    fill();
    for (uint64_t unit = 0; unit < work; unit++) {
        floats(1.0f + (float)(unit & 7));
        sum = integers(sum);
    }
    hash = bench_hash(BENCH_HASH_START, to, sizeof(to));
    return bench_end(start, bench_hash(hash, &sum, sizeof(sum)));
}
