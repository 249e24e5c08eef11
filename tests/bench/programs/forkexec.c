/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A process forks, its child executes this program anew, which ends at once; one a unit. */
#include "bench.h"

#include <sys/wait.h>
#include <unistd.h>

#define CHILD "child"
#define CHILD_STATUS 7

int
main(int argc, char **argv)
{
    const uint64_t work = bench_work(argc, argv);
    const double start = bench_now();
    uint64_t right = 0;

    if (argc > 1 && strcmp(argv[1], CHILD) == 0)
        return CHILD_STATUS;
    for (uint64_t unit = 0; unit < work; unit++) {
        const pid_t child = fork();
        int status = 0;

        bench_must(child >= 0, "fork");
        if (child == 0) {
            execl(argv[0], argv[0], CHILD, (char *)NULL);
            _exit(127);
        }
        waitpid(child, &status, 0);
        right += (uint64_t)(WIFEXITED(status) && WEXITSTATUS(status) == CHILD_STATUS);
    }
    return bench_end(start, right);
}
