/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Page faults: maps 1 MiB of fresh memory, touches each page, unmaps it; one such round a unit. */
#include "bench.h"

#include <sys/mman.h>

#define SIZE (1 << 20)
#define PAGE 4096

int
main(int argc, char **argv)
{
    const uint64_t work = bench_work(argc, argv);
    const double start = bench_now();
    uint64_t sum = 0;

    for (uint64_t unit = 0; unit < work; unit++) {
        unsigned char *memory =
            mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        bench_must(memory != MAP_FAILED, "mmap");
        for (size_t at = 0; at < SIZE; at += PAGE)
            sum += ++memory[at];
        munmap(memory, SIZE);
    }
    return bench_end(start, sum);
}
