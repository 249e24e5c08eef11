/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Runs a command a number of times and makes a number of all that it says:
 *
 *   command COUNT PROGRAM ARGUMENTS… */
#include "bench.h"

#include <sys/wait.h>
#include <unistd.h>

static uint64_t
run(char **words, uint64_t hash)
{
    static unsigned char data[65536];
    int ends[2], status = 0;
    ssize_t size;

    bench_must(pipe(ends) == 0, "pipe");
    if (fork() == 0) {
        dup2(ends[1], STDOUT_FILENO);
        close(ends[0]);
        close(ends[1]);
        execv(words[0], words);
        _exit(127);
    }
    close(ends[1]);
    while ((size = read(ends[0], data, sizeof(data))) > 0)
        hash = bench_hash(hash, data, (size_t)size);
    close(ends[0]);
    wait(&status);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        fprintf(stderr, "%s failed: status %#x\n", words[0], (unsigned)status);
        exit(1);
    }
    return hash;
}

int
main(int argc, char **argv)
{
    const uint64_t work = bench_work(argc, argv);
    const double start = bench_now();
    uint64_t hash = BENCH_HASH_START;

    if (argc < 3)
        return 2;
    for (uint64_t unit = 0; unit < work; unit++)
        hash = run(argv + 2, hash);
    return bench_end(start, hash);
}
