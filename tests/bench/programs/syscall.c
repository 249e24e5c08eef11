/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Calls of the kernel that do next to nothing, 1000 a unit. */
#include "bench.h"

#include <sys/syscall.h>
#include <unistd.h>

#define CALLS 1000

int
main(int argc, char **argv)
{
    const uint64_t work = bench_work(argc, argv);
    const double start = bench_now();
    const long parent = getppid();
    uint64_t same = 0;

    for (uint64_t unit = 0; unit < work; unit++) {
        for (unsigned i = 0; i < CALLS; i++)
            same += (uint64_t)(syscall(SYS_getppid) == parent);
    }
    return bench_end(start, same);
}
