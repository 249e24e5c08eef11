/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The image layer alone, as "qemu-img bench" does it: so many requests of one size, so many of them
 * under way at once, each a fixed step behind the one before, around the end of the disk. A step
 * that shares no factor with the disk visits every place of it in an order that looks random.
 *
 *   image-bench read|write SIZE STEP DEPTH COUNT FILE [PARENT ...]
 *
 * Prints seconds of wall clock and of CPU time. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "devices/drivers/disk/image/image-ops.h"
#include "devices/drivers/disk/image/image-queue.h"

#define THREADS 4u

typedef struct {
    ImageQueue *queue;
    ImageJobKind kind;
    uint64_t capacity, step, next;
    size_t size;
    GMutex mutex;
    GCond ended;
    unsigned left;   /* to be submitted */
    unsigned flying; /* under way */
    bool failed;
} Bench;

static bool
next_place(Bench *bench, ImageJob *job)
{
    bool any;

    g_mutex_lock(&bench->mutex);
    any = bench->left > 0;
    if (any) {
        bench->left--;
        job->offset = bench->next;
        bench->next = (bench->next + bench->step) % bench->capacity;
        if (bench->next > bench->capacity - bench->size)
            bench->next = 0;
    } else if (--bench->flying == 0) {
        g_cond_signal(&bench->ended);
    }
    g_mutex_unlock(&bench->mutex);
    return any;
}

static void
on_done(ImageJob *job, GError **error)
{
    Bench *bench = job->user;

    if (*error != NULL) {
        fprintf(stderr, "%s\n", (*error)->message);
        bench->failed = true;
    }
    if (next_place(bench, job))
        image_queue_submit(bench->queue, job);
}

static double
seconds(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void
run(Bench *bench, unsigned depth)
{
    g_autofree ImageJob *jobs = g_new0(ImageJob, depth);
    double wall = -seconds(CLOCK_MONOTONIC), cpu = -seconds(CLOCK_PROCESS_CPUTIME_ID);

    bench->flying = depth;
    for (unsigned i = 0; i < depth; i++) {
        jobs[i] = (ImageJob){.kind = bench->kind,
                             .size = bench->size,
                             .buffer = g_aligned_alloc0(bench->size, 1, 4096),
                             .done = on_done,
                             .user = bench};
        memset(jobs[i].buffer, 0xa5, bench->size);
    }
    for (unsigned i = 0; i < depth; i++) {
        if (next_place(bench, &jobs[i]))
            image_queue_submit(bench->queue, &jobs[i]);
    }
    g_mutex_lock(&bench->mutex);
    while (bench->flying > 0)
        g_cond_wait(&bench->ended, &bench->mutex);
    g_mutex_unlock(&bench->mutex);
    wall += seconds(CLOCK_MONOTONIC);
    cpu += seconds(CLOCK_PROCESS_CPUTIME_ID);
    printf("%.6f %.6f\n", wall, cpu);
    for (unsigned i = 0; i < depth; i++)
        g_aligned_free(jobs[i].buffer);
}

static Image *
open_files(char **paths, unsigned count, bool writable)
{
    g_autofree ImageSource *sources = g_new0(ImageSource, count);
    g_autoptr(GError) error = NULL;
    Image *image;

    for (unsigned i = 0; i < count; i++)
        sources[i].path = paths[i];
    sources[0].writable = writable;
    image = image_open_chain(sources, count, &error);
    if (image == NULL)
        fprintf(stderr, "%s\n", error->message);
    return image;
}

int
main(int argc, char **argv)
{
    Bench bench = {0};
    unsigned depth;
    Image *image;

    if (argc < 7) {
        fprintf(stderr, "usage: image-bench read|write SIZE STEP DEPTH COUNT FILE [PARENT ...]\n");
        return 2;
    }
    bench.kind = strcmp(argv[1], "write") == 0 ? IMAGE_JOB_WRITE : IMAGE_JOB_READ;
    bench.size = strtoul(argv[2], NULL, 10);
    bench.step = strtoull(argv[3], NULL, 10);
    depth = (unsigned)MAX(strtoul(argv[4], NULL, 10), 1);
    bench.left = (unsigned)strtoul(argv[5], NULL, 10);
    image = open_files(argv + 6, (unsigned)argc - 6, bench.kind == IMAGE_JOB_WRITE);
    if (image == NULL)
        return 1;
    bench.capacity = image_capacity(image);
    if (bench.size == 0 || bench.size > bench.capacity || bench.left < depth) {
        fprintf(stderr, "Nothing can be measured so.\n");
        return 2;
    }
    bench.queue = image_queue_new(image, THREADS, NULL, NULL);
    run(&bench, depth);
    image_queue_free(bench.queue, NULL);
    image_free(image);
    return bench.failed;
}
