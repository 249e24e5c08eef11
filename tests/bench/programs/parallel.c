/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The same amount of computation shared by two threads: with two CPUs it takes half the time. One
 * unit is a million turns in all. */
#include "bench.h"

#include <pthread.h>

#define THREADS 2
#define TURNS 1000000

typedef struct {
    pthread_t thread;
    uint64_t turns, result;
} Share;

static void *
compute(void *data)
{
    Share *share = data;
    uint64_t state = 88172645463325252u, sum = 0;

    for (uint64_t i = 0; i < share->turns; i++)
        sum += bench_random(&state) >> 7;
    share->result = sum;
    return NULL;
}

int
main(int argc, char **argv)
{
    const uint64_t work = bench_work(argc, argv);
    const double start = bench_now();
    uint64_t hash = BENCH_HASH_START;
    Share shares[THREADS];

    for (unsigned i = 0; i < THREADS; i++) {
        shares[i].turns = work * TURNS / THREADS;
        bench_must(pthread_create(&shares[i].thread, NULL, compute, &shares[i]) == 0, "thread");
    }
    for (unsigned i = 0; i < THREADS; i++) {
        pthread_join(shares[i].thread, NULL);
        hash = bench_hash(hash, &shares[i].result, sizeof(shares[i].result));
    }
    return bench_end(start, hash);
}
