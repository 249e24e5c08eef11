/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Two processes hand one byte to and fro through pipes: 100 round trips a unit. */
#include "bench.h"

#include <sys/wait.h>
#include <unistd.h>

#define TRIPS 100

static void
answer(int in, int out)
{
    unsigned char byte;

    while (read(in, &byte, 1) == 1) {
        byte++;
        bench_must(write(out, &byte, 1) == 1, "write");
    }
    _exit(0);
}

int
main(int argc, char **argv)
{
    const uint64_t work = bench_work(argc, argv);
    const double start = bench_now();
    int there[2], back[2];
    unsigned char byte = 0;
    uint64_t sum = 0;

    bench_must(pipe(there) == 0 && pipe(back) == 0, "pipe");
    if (fork() == 0) {
        close(there[1]);
        answer(there[0], back[1]);
    }
    for (uint64_t i = 0; i < work * TRIPS; i++) {
        bench_must(write(there[1], &byte, 1) == 1 && read(back[0], &byte, 1) == 1, "pipe");
        sum += byte;
    }
    close(there[1]);
    wait(NULL);
    return bench_end(start, sum);
}
