/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Works on a disk of the guest past its page cache: `disk-work DEVICE read|write seq|rand BLOCK
 * DEPTH MIB` moves that much in blocks of that many bytes, with DEPTH requests under way (a thread
 * each), and prints "disk-work: SECONDS CHECKSUM". What is written follows from where it is
 * written, so the checksum of reads is the same on every disk that the same was written to.
 * Sequential work goes through the disk from its beginning; random work draws block numbers from a
 * sequence that is the same everywhere. */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define DEPTH_MAX 64

typedef struct {
    int fd;
    bool write, random;
    size_t block;
    uint64_t blocks, count; /* on the disk; to be moved */
    _Atomic uint64_t next, sum;
    _Atomic bool failed;
} Work;

static double
now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* splitmix64 (Steele, Lea, Flood): the index-th of a sequence, without the ones before it. */
static uint64_t
draw(uint64_t index)
{
    uint64_t z = (index + 1) * UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static void
move(Work *work, uint64_t *buffer, uint64_t number)
{
    off_t at = (off_t)(number * work->block);
    ssize_t done;

    if (work->write) {
        for (size_t i = 0; i < work->block / 8; i += 64)
            buffer[i] = draw(number * work->block + i);
        done = pwrite(work->fd, buffer, work->block, at);
    } else {
        done = pread(work->fd, buffer, work->block, at);
        for (size_t i = 0; i < work->block / 8; i += 64)
            work->sum += buffer[i];
    }
    if (done != (ssize_t)work->block)
        work->failed = true;
}

static void *
run(void *user)
{
    Work *work = user;
    void *buffer = NULL;
    uint64_t index;

    if (posix_memalign(&buffer, 4096, work->block) != 0)
        return NULL;
    memset(buffer, 0x5a, work->block);
    while ((index = work->next++) < work->count && !work->failed)
        move(work, buffer, (work->random ? draw(index) : index) % work->blocks);
    free(buffer);
    return NULL;
}

static void
run_all(Work *work, unsigned depth)
{
    pthread_t threads[DEPTH_MAX];

    for (unsigned i = 0; i < depth; i++)
        pthread_create(&threads[i], NULL, run, work);
    for (unsigned i = 0; i < depth; i++)
        pthread_join(threads[i], NULL);
}

int
main(int argc, char **argv)
{
    Work work = {0};
    uint64_t size = 0;
    unsigned depth;
    double start;

    if (argc != 7)
        return 2;
    work.write = strcmp(argv[2], "write") == 0;
    work.random = strcmp(argv[3], "rand") == 0;
    work.block = strtoul(argv[4], NULL, 10);
    depth = (unsigned)strtoul(argv[5], NULL, 10);
    work.fd = open(argv[1], O_DIRECT | (work.write ? O_RDWR : O_RDONLY));
    if (work.fd < 0 || ioctl(work.fd, BLKGETSIZE64, &size) < 0 || work.block < 512 || depth < 1 ||
        depth > DEPTH_MAX || size < work.block)
        return 2;
    work.blocks = size / work.block;
    work.count = (strtoull(argv[6], NULL, 10) << 20) / work.block;
    start = now();
    run_all(&work, depth);
    if (work.write && fsync(work.fd) < 0)
        work.failed = true;
    printf("disk-work: %.6f %016llx\n", now() - start, (unsigned long long)work.sum);
    return work.failed ? 1 : 0;
}
