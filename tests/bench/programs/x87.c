/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * x87 with 64-bit precision: a polynomial, two divisions, a square root and a rounding a turn, 1000
 * turns a unit. No transcendental functions: emulators do not agree about their last bits. */
#include "bench.h"

#include <math.h>

#define TURNS 1000

static long double
turn(long double x)
{
    const long double y = ((0.25L * x - 0.5L) * x + 0.75L) * x + 1.125L;
    const long double root = sqrtl(y * y + 1.0L);
    const long double part = y * 64.0L - rintl(y * 64.0L);

    return 1.5L + part / (1.0L + root) + 1.0L / y;
}

int
main(int argc, char **argv)
{
    const uint64_t work = bench_work(argc, argv);
    const double start = bench_now();
    long double x = 0.3L;
    uint64_t hash = BENCH_HASH_START;

    for (uint64_t unit = 0; unit < work; unit++) {
        for (unsigned i = 0; i < TURNS; i++)
            x = turn(x);
        hash = bench_hash(hash, &x, 10);
    }
    return bench_end(start, hash);
}
