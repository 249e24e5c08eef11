/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Pointers that lead through memory at random: 16 KiB, 1 MiB and 32 MiB, 10000 steps in each a
 * unit. What it shows is what a lookup of an address costs, and the TLB's reach. */
#include "bench.h"

#define SIZES 3
#define STEPS 10000

typedef struct Link {
    struct Link *next;
    uint32_t number;
    char pad[64 - sizeof(struct Link *) - sizeof(uint32_t)];
} Link;

/* One cycle through all links (Sattolo's shuffle). */
static Link *
make_ring(size_t bytes)
{
    const size_t count = bytes / sizeof(Link);
    uint32_t *order = malloc(count * sizeof(*order));
    Link *ring = malloc(bytes);
    uint64_t seed = 88172645463325252u;

    bench_must(order != NULL && ring != NULL, "malloc");
    for (size_t i = 0; i < count; i++)
        order[i] = (uint32_t)i;
    for (size_t i = count - 1; i > 0; i--) {
        const size_t other = (size_t)(bench_random(&seed) % i);
        const uint32_t kept = order[i];

        order[i] = order[other];
        order[other] = kept;
    }
    for (size_t i = 0; i < count; i++) {
        ring[i].number = (uint32_t)i;
        ring[i].next = &ring[order[i]];
    }
    free(order);
    return ring;
}

int
main(int argc, char **argv)
{
    static const size_t sizes[SIZES] = {16 << 10, 1 << 20, 32 << 20};
    const uint64_t work = bench_work(argc, argv);
    uint64_t hash = BENCH_HASH_START;
    Link *at[SIZES];
    double start;

    for (unsigned i = 0; i < SIZES; i++)
        at[i] = make_ring(sizes[i]);
    start = bench_now();
    for (uint64_t unit = 0; unit < work; unit++) {
        for (unsigned i = 0; i < SIZES; i++) {
            for (unsigned step = 0; step < STEPS; step++)
                at[i] = at[i]->next;
            hash = bench_hash(hash, &at[i]->number, sizeof(at[i]->number));
        }
    }
    return bench_end(start, hash);
}
