/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Integer work: SHA-256 (FIPS 180-4, section 6.2) without its padding, over 64 KiB a unit, in
 * 32-bit words as compilers make it. */
#include "bench.h"

#define BLOCK 64
#define UNIT (64 * 1024)

static const uint32_t constants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static inline uint32_t
ror(uint32_t value, unsigned count)
{
    return value >> count | value << (32 - count);
}

static void
expand(uint32_t words[64], const unsigned char *block)
{
    for (unsigned i = 0; i < 16; i++) {
        uint32_t word;

        memcpy(&word, block + 4 * i, sizeof(word));
        words[i] = __builtin_bswap32(word);
    }
    for (unsigned i = 16; i < 64; i++) {
        const uint32_t a = words[i - 15], b = words[i - 2];

        words[i] = words[i - 16] + (ror(a, 7) ^ ror(a, 18) ^ a >> 3) + words[i - 7] +
                   (ror(b, 17) ^ ror(b, 19) ^ b >> 10);
    }
}

/* One step; where the eight variables of the standard stand turns by one each time. */
static inline void
mix(uint32_t v[8], unsigned step, uint32_t input)
{
    uint32_t *const a = &v[-step & 7], *const d = &v[(3 - step) & 7];
    uint32_t *const e = &v[(4 - step) & 7], *const h = &v[(7 - step) & 7];
    const uint32_t b = v[(1 - step) & 7], c = v[(2 - step) & 7];
    const uint32_t f = v[(5 - step) & 7], g = v[(6 - step) & 7];
    const uint32_t sum =
        *h + (ror(*e, 6) ^ ror(*e, 11) ^ ror(*e, 25)) + ((*e & f) ^ (~*e & g)) + input;

    *d += sum;
    *h = sum + (ror(*a, 2) ^ ror(*a, 13) ^ ror(*a, 22)) + ((*a & b) ^ (*a & c) ^ (b & c));
}

static void
compress(uint32_t state[8], const unsigned char *block)
{
    uint32_t words[64], v[8];

    expand(words, block);
    memcpy(v, state, sizeof(v));
    for (unsigned i = 0; i < 64; i += 8) {
#pragma GCC unroll 8
        for (unsigned step = 0; step < 8; step++)
            mix(v, step, constants[i + step] + words[i + step]);
    }
    for (unsigned i = 0; i < 8; i++)
        state[i] += v[i];
}

int
main(int argc, char **argv)
{
    static unsigned char data[UNIT];
    uint32_t state[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                         0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    const uint64_t work = bench_work(argc, argv);
    const double start = bench_now();

    for (size_t i = 0; i < UNIT; i++)
        data[i] = (unsigned char)(i * 7);
    for (uint64_t unit = 0; unit < work; unit++) {
        for (size_t at = 0; at < UNIT; at += BLOCK)
            compress(state, data + at);
    }
    return bench_end(start, bench_hash(BENCH_HASH_START, state, sizeof(state)));
}
