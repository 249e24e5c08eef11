/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Double-precision work with dependences: bodies that attract each other (velocity Verlet, with
 * square roots and divisions), 1000 steps a unit. Every bit of the result counts. */
#include "bench.h"

#include <math.h>

#define BODIES 6
#define STEPS 1000
#define DELTA 0.001

typedef struct {
    double at[3], speed[3], mass;
} Body;

static void
place(Body bodies[BODIES])
{
    uint64_t seed = 88172645463325252u;

    for (unsigned i = 0; i < BODIES; i++) {
        for (unsigned k = 0; k < 3; k++) {
            bodies[i].at[k] = (double)(bench_random(&seed) >> 11) / 9007199254740992.0 * 20.0;
            bodies[i].speed[k] = (double)(bench_random(&seed) >> 11) / 9007199254740992.0 - 0.5;
        }
        bodies[i].mass = 1.0 + i;
    }
}

static void
attract(Body *one, Body *other)
{
    double between[3], square = 0.01;

    for (unsigned k = 0; k < 3; k++) {
        between[k] = one->at[k] - other->at[k];
        square += between[k] * between[k];
    }
    const double pull = DELTA / (square * sqrt(square));

    for (unsigned k = 0; k < 3; k++) {
        one->speed[k] -= between[k] * other->mass * pull;
        other->speed[k] += between[k] * one->mass * pull;
    }
}

static void
step(Body bodies[BODIES])
{
    for (unsigned i = 0; i < BODIES; i++) {
        for (unsigned j = i + 1; j < BODIES; j++)
            attract(&bodies[i], &bodies[j]);
    }
    for (unsigned i = 0; i < BODIES; i++) {
        for (unsigned k = 0; k < 3; k++)
            bodies[i].at[k] += DELTA * bodies[i].speed[k];
    }
}

int
main(int argc, char **argv)
{
    const uint64_t work = bench_work(argc, argv);
    const double start = bench_now();
    Body bodies[BODIES];

    place(bodies);
    for (uint64_t unit = 0; unit < work; unit++) {
        for (unsigned i = 0; i < STEPS; i++)
            step(bodies);
    }
    return bench_end(start, bench_hash(BENCH_HASH_START, bodies, sizeof(bodies)));
}
