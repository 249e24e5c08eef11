/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The line of requests and the threads that work on it. A thread takes the first request as soon as
 * it may begin; there is no overtaking, so a request that has to wait holds up those behind it. */
#include "devices/drivers/disk/image/image-queue.h"

#include "devices/drivers/disk/image/image-ops.h"

#include <string.h>

#include "vmm/base/clock.h"
#include "vmm/base/error.h"

/* An image that was written to is flushed after so much quiet. */
#define QUIET_MS 2000
#define THREADS_MAX 16u
/* While requests take less than that, one thread does more than several that wake each other. The
 * host lets one writer into a file at a time, so several gain nothing until it is the disk that
 * each waits for. */
#define QUICK_READ_US 20
#define QUICK_WRITE_US 500
/* Callers do requests up to that size themselves. One that had to wait after all has cost its
 * caller that time, so for a multiple of it the threads do all: callers wait for a small part of
 * the time at the worst. */
#define DIRECT_BYTES_MAX (64u << 10)
#define DIRECT_US 200
#define DIRECT_REST 20

/* A copy of what matters of a job: the job itself may be gone as soon as it is done. */
typedef struct {
    uint64_t ticket;
    ImageJobKind kind;
    uint64_t offset, end;
    const void *owner;
} Running;

struct ImageQueue {
    Image *image;
    Image *mirror;  /* gets what is written as well; NULL: none */
    GMutex in_turn; /* held by each request while there is a mirror: it may be below the image, and
                       formats need not bear that both are at work */
    ImageQueueEvents events;
    void *user;
    unsigned threads_max;
    GPtrArray *threads;

    GMutex mutex;   /* for all that follows */
    GCond work;     /* for threads: there is something to begin, or to end for */
    GCond settled;  /* for those who wait: something has ended */
    GQueue waiting; /* ImageJob */
    Running running[THREADS_MAX + 1];
    unsigned running_count;
    uint64_t tickets;
    /* What a read and a write took of late, in sixteenths of microseconds. */
    int64_t usual_read, usual_write;
    int64_t direct_after; /* the time from which callers may try again */
    int64_t touched;      /* when a request ended */
    unsigned idle;        /* threads that wait for work */
    unsigned waiters;     /* callers that wait for what is under way */
    unsigned pauses;
    bool full;
    bool stop;
    bool keeper;       /* a thread is waiting for the time of the next flush */
    bool flush_failed; /* not again until there is a new request */
};

/* --- what may begin --- */

static bool
changes(ImageJobKind kind)
{
    return kind == IMAGE_JOB_WRITE || kind == IMAGE_JOB_DISCARD;
}

static bool
conflict(const ImageJob *job, const Running *running)
{
    if (job->kind == IMAGE_JOB_CALL || running->kind == IMAGE_JOB_CALL)
        return true;
    if (job->kind == IMAGE_JOB_FLUSH)
        return changes(running->kind);
    if (running->kind == IMAGE_JOB_FLUSH)
        return false;
    return (changes(job->kind) || changes(running->kind)) && job->offset < running->end &&
           running->offset < job->offset + job->size;
}

static bool
may_begin(const ImageQueue *queue, const ImageJob *job)
{
    for (unsigned i = 0; i < queue->running_count; i++) {
        if (conflict(job, &queue->running[i]))
            return false;
    }
    return true;
}

static bool
is_slow(const ImageQueue *queue, ImageJobKind kind)
{
    switch (kind) {
    case IMAGE_JOB_READ: return queue->usual_read > QUICK_READ_US * 16;
    case IMAGE_JOB_WRITE: return queue->usual_write > QUICK_WRITE_US * 16;
    case IMAGE_JOB_FLUSH:
    case IMAGE_JOB_DISCARD:
    case IMAGE_JOB_CALL: break;
    }
    return kind != IMAGE_JOB_CALL;
}

/* Whether requests wait longer for those that are under way than another thread takes to wake up.
 */
static bool
wants_help(const ImageQueue *queue)
{
    for (unsigned i = 0; i < queue->running_count; i++) {
        if (is_slow(queue, queue->running[i].kind))
            return true;
    }
    return false;
}

/* NULL: nothing can begin now, or whoever works will come to it sooner than another thread. */
static ImageJob *
next_job(ImageQueue *queue)
{
    ImageJob *job = g_queue_peek_head(&queue->waiting);

    if (job == NULL || queue->full || queue->pauses > 0 ||
        (queue->running_count > 0 && !wants_help(queue)) || !may_begin(queue, job))
        return NULL;
    return g_queue_pop_head(&queue->waiting);
}

/* --- doing it --- */

static bool
perform_on(Image *image, const ImageJob *job, GError **error)
{
    switch (job->kind) {
    case IMAGE_JOB_READ:
        return job->pieces != NULL
                   ? image_read_pieces(image, job->offset, job->pieces, job->piece_count, error)
                   : image_read(image, job->offset, job->buffer, job->size, error);
    case IMAGE_JOB_WRITE:
        return job->pieces != NULL
                   ? image_write_pieces(image, job->offset, job->pieces, job->piece_count, error)
                   : image_write(image, job->offset, job->buffer, job->size, error);
    case IMAGE_JOB_DISCARD: return image_discard(image, job->offset, job->size, error);
    case IMAGE_JOB_FLUSH:
    case IMAGE_JOB_CALL: break;
    }
    return image_flush(image, error);
}

/* Pieces may change while they are read, and the two have to get the same. */
static uint8_t *
copy_pieces(ImageJob *job)
{
    uint8_t *copy = g_malloc(job->size);
    size_t at = 0;

    for (size_t i = 0; i < job->piece_count; at += job->pieces[i++].size)
        memcpy(copy + at, job->pieces[i].data, job->pieces[i].size);
    job->buffer = copy;
    job->pieces = NULL;
    return copy;
}

static bool
perform_on_both(ImageQueue *queue, const ImageJob *asked, GError **error)
{
    ImageJob one = *asked;
    const ImageJob *job = &one;
    g_autofree uint8_t *copy =
        one.kind == IMAGE_JOB_WRITE && one.pieces != NULL ? copy_pieces(&one) : NULL;
    bool ok = true;

    g_mutex_lock(&queue->in_turn);
    if (job->kind != IMAGE_JOB_READ)
        ok = perform_on(queue->mirror, job, error);
    ok = ok && perform_on(queue->image, job, error);
    g_mutex_unlock(&queue->in_turn);
    return ok;
}

static bool
perform(ImageQueue *queue, ImageJob *job, GError **error)
{
    if (job->kind == IMAGE_JOB_CALL) {
        job->call(job);
        return true;
    }
    if (queue->image == NULL) {
        g_set_error_literal(error, BASE_ERROR, BASE_ERROR_NOT_FOUND, "There is no medium.");
        return false;
    }
    return queue->mirror != NULL ? perform_on_both(queue, job, error)
                                 : perform_on(queue->image, job, error);
}

static uint64_t
note_running(ImageQueue *queue, const ImageJob *job)
{
    queue->running[queue->running_count++] =
        (Running){queue->tickets, job->kind, job->offset, job->offset + job->size, job->owner};
    return queue->tickets++;
}

static void
forget_running(ImageQueue *queue, uint64_t ticket)
{
    unsigned i = 0;

    while (queue->running[i].ticket != ticket)
        i++;
    queue->running[i] = queue->running[--queue->running_count];
    if (queue->pauses > 0 || queue->waiters > 0 || queue->running_count == 0)
        g_cond_broadcast(&queue->settled);
}

static void
note_time(ImageQueue *queue, ImageJobKind kind, int64_t taken_us)
{
    int64_t *usual = kind == IMAGE_JOB_READ    ? &queue->usual_read
                     : kind == IMAGE_JOB_WRITE ? &queue->usual_write
                                               : NULL;

    if (usual != NULL)
        *usual += (taken_us * 16 - *usual) / 8;
}

static void *thread_main(void *data);

/* With the mutex held: somebody shall look at the line, if nobody does so anyway. */
static void
call_for_work(ImageQueue *queue)
{
    if (queue->running_count > 0 && !wants_help(queue))
        return;
    if (queue->idle > 0)
        g_cond_signal(&queue->work);
    else if (queue->threads->len < queue->threads_max)
        g_ptr_array_add(queue->threads, g_thread_new("disk", thread_main, queue));
}

/* Without the mutex. False: the host's disk is full, and the job has to wait. */
static bool
finish_job(ImageQueue *queue, ImageJob *job, GError **error)
{
    if (changes(job->kind) && queue->events.changed != NULL)
        queue->events.changed(queue->user, job);
    if (!g_error_matches(*error, BASE_ERROR, BASE_ERROR_NO_SPACE)) {
        job->done(job, error);
        return true;
    }
    if (queue->events.full != NULL)
        queue->events.full(queue->user, *error);
    return false;
}

/* Called and returns with the mutex held; lets go of it in between. */
static void
run_job(ImageQueue *queue, ImageJob *job)
{
    const uint64_t ticket = note_running(queue, job);
    const ImageJobKind kind = job->kind;
    g_autoptr(GError) error = NULL;
    int64_t began;
    bool done;

    queue->flush_failed = false;
    if (!g_queue_is_empty(&queue->waiting) && queue->threads_max > 1 && wants_help(queue))
        call_for_work(queue);
    g_mutex_unlock(&queue->mutex);
    began = g_get_monotonic_time();
    perform(queue, job, &error);
    const int64_t taken = g_get_monotonic_time() - began;
    done = finish_job(queue, job, &error);
    g_mutex_lock(&queue->mutex);
    note_time(queue, kind, taken);
    queue->touched = began + taken;
    if (!done) {
        g_queue_push_head(&queue->waiting, job);
        queue->full = true;
    }
    forget_running(queue, ticket);
}

/* --- threads --- */

static bool
wants_flush(const ImageQueue *queue)
{
    return !queue->keeper && !queue->flush_failed && !queue->full && queue->pauses == 0 &&
           queue->image != NULL && image_is_dirty(queue->image);
}

static void
flush_unasked(ImageQueue *queue)
{
    ImageJob job = {.kind = IMAGE_JOB_FLUSH};
    g_autoptr(GError) error = NULL;
    uint64_t ticket;

    ticket = note_running(queue, &job);
    g_mutex_unlock(&queue->mutex);
    if (!perform(queue, &job, &error) && queue->events.flush_failed != NULL)
        queue->events.flush_failed(queue->user, error);
    g_mutex_lock(&queue->mutex);
    forget_running(queue, ticket);
    queue->flush_failed = error != NULL;
}

/* One thread watches the time when there is something to flush; the others just wait. */
static void
wait_for_work(ImageQueue *queue)
{
    queue->idle++;
    if (!wants_flush(queue)) {
        g_cond_wait(&queue->work, &queue->mutex);
        queue->idle--;
        return;
    }
    const int64_t touched = queue->touched;
    const int64_t since = queue->running_count > 0 ? g_get_monotonic_time() : touched;
    queue->keeper = true;
    const bool woken = g_cond_wait_until(&queue->work, &queue->mutex, since + QUIET_MS * 1000);
    queue->keeper = false;
    queue->idle--;
    if (!woken && !queue->stop && queue->touched == touched && queue->running_count == 0 &&
        wants_flush(queue) && g_queue_is_empty(&queue->waiting))
        flush_unasked(queue);
}

static void *
thread_main(void *data)
{
    ImageQueue *queue = data;

    g_mutex_lock(&queue->mutex);
    while (!queue->stop) {
        ImageJob *job = next_job(queue);

        if (job != NULL)
            run_job(queue, job);
        else
            wait_for_work(queue);
    }
    g_mutex_unlock(&queue->mutex);
    return NULL;
}

/* Without threads; with the mutex held. */
static void
run_waiting(ImageQueue *queue)
{
    ImageJob *job;

    while (queue->running_count == 0 && (job = next_job(queue)) != NULL)
        run_job(queue, job);
}

ImageQueue *
image_queue_new(Image *image, unsigned threads, const ImageQueueEvents *events, void *user)
{
    ImageQueue *queue = g_new0(ImageQueue, 1);

    queue->image = image;
    queue->threads_max = MIN(threads, THREADS_MAX);
    if (events != NULL)
        queue->events = *events;
    queue->user = user;
    queue->threads = g_ptr_array_new();
    g_mutex_init(&queue->mutex);
    g_mutex_init(&queue->in_turn);
    g_cond_init(&queue->work);
    g_cond_init(&queue->settled);
    g_queue_init(&queue->waiting);
    return queue;
}

void
image_queue_free(ImageQueue *queue, void (*drop)(ImageJob *job))
{
    ImageJob *job;

    g_mutex_lock(&queue->mutex);
    queue->stop = true;
    g_cond_broadcast(&queue->work);
    g_mutex_unlock(&queue->mutex);
    for (guint i = 0; i < queue->threads->len; i++)
        g_thread_join(queue->threads->pdata[i]);
    while ((job = g_queue_pop_head(&queue->waiting)) != NULL) {
        if (drop != NULL)
            drop(job);
    }
    g_ptr_array_unref(queue->threads);
    g_mutex_clear(&queue->mutex);
    g_mutex_clear(&queue->in_turn);
    g_cond_clear(&queue->work);
    g_cond_clear(&queue->settled);
    g_free(queue);
}

/* --- for callers --- */

static void
look_at_line(ImageQueue *queue)
{
    if (queue->threads_max == 0)
        run_waiting(queue);
    else
        call_for_work(queue);
}

void
image_queue_submit(ImageQueue *queue, ImageJob *job)
{
    g_mutex_lock(&queue->mutex);
    g_queue_push_tail(&queue->waiting, job);
    look_at_line(queue);
    g_mutex_unlock(&queue->mutex);
}

static bool
may_try(const ImageQueue *queue, const ImageJob *job)
{
    if ((job->kind != IMAGE_JOB_READ && job->kind != IMAGE_JOB_WRITE) || job->pieces != NULL ||
        job->size > DIRECT_BYTES_MAX || queue->threads_max == 0 || queue->image == NULL ||
        queue->mirror != NULL || queue->full || queue->pauses > 0 || queue->waiting.length > 0)
        return false;
    /* The host's file system may let a write wait for a flush. */
    if (queue->running_count > (job->kind == IMAGE_JOB_WRITE ? 0 : THREADS_MAX - 1))
        return false;
    return may_begin(queue, job) && g_get_monotonic_time() >= queue->direct_after;
}

/* Without the mutex. */
static bool
perform_direct(ImageQueue *queue, const ImageJob *job, int64_t *waited_us)
{
    const uint64_t waits = base_clock_thread_waits();
    const int64_t began = g_get_monotonic_time();
    const bool done = job->kind == IMAGE_JOB_READ
                          ? image_try_read(queue->image, job->offset, job->buffer, job->size)
                          : image_try_write(queue->image, job->offset, job->buffer, job->size);
    const int64_t taken = g_get_monotonic_time() - began;

    *waited_us = taken > DIRECT_US && base_clock_thread_waits() != waits ? taken : 0;
    if (done && changes(job->kind) && queue->events.changed != NULL)
        queue->events.changed(queue->user, job);
    return done;
}

bool
image_queue_try(ImageQueue *queue, const ImageJob *job)
{
    uint64_t ticket;
    int64_t waited_us;
    bool done;

    g_mutex_lock(&queue->mutex);
    if (!may_try(queue, job)) {
        g_mutex_unlock(&queue->mutex);
        return false;
    }
    ticket = note_running(queue, job);
    queue->flush_failed = false;
    g_mutex_unlock(&queue->mutex);
    done = perform_direct(queue, job, &waited_us);
    g_mutex_lock(&queue->mutex);
    queue->touched = g_get_monotonic_time();
    if (waited_us > 0)
        queue->direct_after = queue->touched + waited_us * DIRECT_REST;
    forget_running(queue, ticket);
    if (!g_queue_is_empty(&queue->waiting))
        look_at_line(queue);
    else if (job->kind == IMAGE_JOB_WRITE && !queue->keeper)
        call_for_work(queue); /* somebody has to flush what was written */
    g_mutex_unlock(&queue->mutex);
    return done;
}

void
image_queue_retry(ImageQueue *queue)
{
    g_mutex_lock(&queue->mutex);
    queue->full = false;
    queue->flush_failed = false;
    look_at_line(queue);
    g_mutex_unlock(&queue->mutex);
}

static bool
is_of_owner(const void *owner, const void *wanted)
{
    return wanted == NULL || owner == wanted;
}

static void
take_requests(ImageQueue *queue, const void *owner, GSList **taken)
{
    GQueue kept = G_QUEUE_INIT;
    ImageJob *job;

    while ((job = g_queue_pop_head(&queue->waiting)) != NULL) {
        if (job->kind == IMAGE_JOB_CALL || !is_of_owner(job->owner, owner))
            g_queue_push_tail(&kept, job);
        else
            *taken = g_slist_prepend(*taken, job);
    }
    queue->waiting = kept;
    queue->full = queue->full && !g_queue_is_empty(&kept);
}

static bool
is_running(const ImageQueue *queue, const void *owner)
{
    for (unsigned i = 0; i < queue->running_count; i++) {
        if (is_of_owner(queue->running[i].owner, owner))
            return true;
    }
    return false;
}

GSList *
image_queue_cancel(ImageQueue *queue, const void *owner)
{
    GSList *taken = NULL;

    g_mutex_lock(&queue->mutex);
    take_requests(queue, owner, &taken);
    queue->waiters++;
    while (is_running(queue, owner))
        g_cond_wait(&queue->settled, &queue->mutex);
    queue->waiters--;
    /* What was under way may have come back because the host's disk is full. */
    take_requests(queue, owner, &taken);
    look_at_line(queue);
    g_mutex_unlock(&queue->mutex);
    return g_slist_reverse(taken);
}

void
image_queue_wait(ImageQueue *queue)
{
    g_mutex_lock(&queue->mutex);
    while (queue->running_count > 0 ||
           (!g_queue_is_empty(&queue->waiting) && !queue->full && queue->pauses == 0))
        g_cond_wait(&queue->settled, &queue->mutex);
    g_mutex_unlock(&queue->mutex);
}

unsigned
image_queue_waiting(ImageQueue *queue)
{
    unsigned count;

    g_mutex_lock(&queue->mutex);
    count = g_queue_get_length(&queue->waiting);
    g_mutex_unlock(&queue->mutex);
    return count;
}

void
image_queue_pause(ImageQueue *queue)
{
    g_mutex_lock(&queue->mutex);
    queue->pauses++;
    while (queue->running_count > 0)
        g_cond_wait(&queue->settled, &queue->mutex);
    g_mutex_unlock(&queue->mutex);
}

void
image_queue_resume(ImageQueue *queue)
{
    g_mutex_lock(&queue->mutex);
    queue->pauses--;
    if (queue->pauses == 0)
        look_at_line(queue);
    g_mutex_unlock(&queue->mutex);
}

void
image_queue_set_image(ImageQueue *queue, Image *image)
{
    queue->image = image;
}

void
image_queue_set_mirror(ImageQueue *queue, Image *mirror)
{
    queue->mirror = mirror;
}

Image *
image_queue_image(ImageQueue *queue)
{
    return queue->image;
}
