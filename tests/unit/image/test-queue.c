/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Requests on several threads: each finds what those before it left, a flush covers what was
 * written before it, a full disk holds up the line and loses nothing, pauses and calls are alone.
 */
#include <string.h>

#include "devices/drivers/disk/image/image-queue.h"
#include "tests/unit/image/memory-io.h"
#include "vmm/base/error.h"

#define CAPACITY (4u << 20)
#define SECTORS (CAPACITY / 512)
#define JOBS 2000u

/* An ImageIo that takes its time, so that requests really are under way together, in front of one
 * in memory. */
typedef struct {
    ImageIo io;
    MemoryIo *memory;
    GMutex lock;
    gint inside, most_inside;
    gint full; /* writes find the disk full */
    gint delay_us;
    bool refuse; /* what is tried */
    gulong try_us;
} SlowIo;

static void
enter(SlowIo *self)
{
    const gint inside = g_atomic_int_add(&self->inside, 1) + 1;

    g_mutex_lock(&self->lock);
    self->most_inside = MAX(self->most_inside, inside);
    g_mutex_unlock(&self->lock);
    g_usleep((gulong)g_atomic_int_get(&self->delay_us));
    g_mutex_lock(&self->lock);
}

static void
leave(SlowIo *self)
{
    g_mutex_unlock(&self->lock);
    g_atomic_int_add(&self->inside, -1);
}

static bool
slow_pread(ImageIo *io, uint64_t offset, void *buffer, size_t length, GError **error)
{
    SlowIo *self = (SlowIo *)io;
    bool ok;

    enter(self);
    ok = image_io_read(&self->memory->io, offset, buffer, length, error);
    leave(self);
    return ok;
}

static bool
slow_pwrite(ImageIo *io, uint64_t offset, const void *buffer, size_t length, GError **error)
{
    SlowIo *self = (SlowIo *)io;
    bool ok;

    if (g_atomic_int_get(&self->full)) {
        g_set_error_literal(error, BASE_ERROR, BASE_ERROR_NO_SPACE, "The disk is full.");
        return false;
    }
    enter(self);
    ok = image_io_write(&self->memory->io, offset, buffer, length, error);
    leave(self);
    return ok;
}

static bool
slow_sync(ImageIo *io, GError **error)
{
    SlowIo *self = (SlowIo *)io;
    bool ok;

    enter(self);
    ok = image_io_sync(&self->memory->io, error);
    leave(self);
    return ok;
}

static bool
slow_size(ImageIo *io, uint64_t *size, GError **error)
{
    return image_io_size(&((SlowIo *)io)->memory->io, size, error);
}

static bool
slow_truncate(ImageIo *io, uint64_t size, GError **error)
{
    SlowIo *self = (SlowIo *)io;
    bool ok;

    g_mutex_lock(&self->lock);
    ok = image_io_truncate(&self->memory->io, size, error);
    g_mutex_unlock(&self->lock);
    return ok;
}

static void
slow_close(ImageIo *io)
{
    image_io_close(&((SlowIo *)io)->memory->io);
}

/* As if the host had everything in its memory, unless refused; slow_pread() is not asked then. */
static bool
slow_try_pread(ImageIo *io, uint64_t offset, void *buffer, size_t length)
{
    SlowIo *self = (SlowIo *)io;

    g_usleep(self->try_us);
    return !self->refuse && image_io_read(&self->memory->io, offset, buffer, length, NULL);
}

static bool
slow_try_pwrite(ImageIo *io, uint64_t offset, const void *buffer, size_t length)
{
    SlowIo *self = (SlowIo *)io;

    g_usleep(self->try_us);
    return !self->refuse && image_io_write(&self->memory->io, offset, buffer, length, NULL);
}

static const ImageIoOps slow_ops = {
    .pread = slow_pread,
    .pwrite = slow_pwrite,
    .try_pread = slow_try_pread,
    .try_pwrite = slow_try_pwrite,
    .sync = slow_sync,
    .size = slow_size,
    .truncate = slow_truncate,
    .close = slow_close,
};

typedef struct {
    const char *format;
    GByteArray *file;
    GArray *record;
    SlowIo slow;
    Image *image;
    ImageQueue *queue;
    gint done, full_events;
    GMutex mutex;
    GCond ended;
} Fixture;

static void
on_full(void *user, const GError *error)
{
    Fixture *fixture = user;

    g_mutex_lock(&fixture->mutex);
    fixture->full_events++;
    g_cond_broadcast(&fixture->ended);
    g_mutex_unlock(&fixture->mutex);
}

static void
setup(Fixture *fixture, gconstpointer data)
{
    const ImageQueueEvents events = {.full = on_full};
    ImageCreateOptions options = {.format = data, .capacity = CAPACITY};

    fixture->format = data;
    fixture->file = g_byte_array_new();
    fixture->record = memory_record_new();
    fixture->slow = (SlowIo){.io = {&slow_ops, "slow", true}, .delay_us = 50};
    fixture->slow.memory = memory_io_new(fixture->file, NULL);
    g_assert_true(image_create_io(&fixture->slow.memory->io, &options, NULL, NULL, NULL));
    fixture->slow.memory->record = fixture->record;
    fixture->image = image_open_io(&fixture->slow.io, data, IMAGE_OPEN_READ_WRITE, NULL);
    g_assert_nonnull(fixture->image);
    fixture->queue = image_queue_new(fixture->image, 4, &events, fixture);
}

static void
teardown(Fixture *fixture, gconstpointer data)
{
    image_queue_free(fixture->queue, NULL);
    image_free(fixture->image);
    g_byte_array_unref(fixture->file);
    g_array_unref(fixture->record);
}

/* --- jobs --- */

typedef struct {
    ImageJob job;
    Fixture *fixture;
    uint8_t *data;
    const uint8_t *expected; /* of a read: what is there when its turn comes */
    uint8_t *kept;
    GError *error;
} Job;

static void
on_done(ImageJob *image_job, GError **error)
{
    Job *job = image_job->user;
    Fixture *fixture = job->fixture;

    job->error = g_steal_pointer(error);
    g_mutex_lock(&fixture->mutex);
    fixture->done++;
    g_cond_broadcast(&fixture->ended);
    g_mutex_unlock(&fixture->mutex);
}

static void
wait_done(Fixture *fixture, gint count)
{
    g_mutex_lock(&fixture->mutex);
    while (fixture->done < count)
        g_cond_wait(&fixture->ended, &fixture->mutex);
    g_mutex_unlock(&fixture->mutex);
}

static void
init_job(Fixture *fixture, Job *job, ImageJobKind kind, uint32_t at, uint32_t size)
{
    *job = (Job){.job = {.kind = kind, .offset = at, .size = size, .done = on_done},
                 .fixture = fixture};
    job->job.user = job;
    job->data = job->job.buffer = g_malloc(MAX(size, 1));
}

static void
clear_jobs(Job *jobs, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        g_free(jobs[i].data);
        g_free(jobs[i].kept);
        g_clear_error(&jobs[i].error);
    }
    g_free(jobs);
}

/* All are submitted at once; each read has to find what the writes before it left. */
static void
test_order(Fixture *fixture, gconstpointer data)
{
    g_autoptr(GRand) rand = g_rand_new_with_seed(4);
    g_autofree uint8_t *shown = g_malloc0(CAPACITY);
    Job *jobs = g_new0(Job, JOBS);
    unsigned reads = 0;

    for (unsigned i = 0; i < JOBS; i++) {
        const uint32_t at = (uint32_t)g_rand_int_range(rand, 0, SECTORS) * 512;
        uint32_t size = (uint32_t)g_rand_int_range(rand, 1, 40) * 512;

        size = MIN(size, CAPACITY - at);
        if (g_rand_boolean(rand)) {
            init_job(fixture, &jobs[i], IMAGE_JOB_READ, at, size);
            jobs[i].kept = g_memdup2(shown + at, size);
            reads++;
        } else {
            init_job(fixture, &jobs[i], IMAGE_JOB_WRITE, at, size);
            memset(jobs[i].data, g_rand_int_range(rand, 0, 256), size);
            memcpy(shown + at, jobs[i].data, size);
        }
    }
    for (unsigned i = 0; i < JOBS; i++)
        image_queue_submit(fixture->queue, &jobs[i].job);
    wait_done(fixture, JOBS);
    for (unsigned i = 0; i < JOBS; i++) {
        g_assert_no_error(jobs[i].error);
        if (jobs[i].kept != NULL)
            g_assert_cmpmem(jobs[i].data, jobs[i].job.size, jobs[i].kept, jobs[i].job.size);
    }
    g_assert_cmpuint(reads, >, JOBS / 3);
    g_test_message("at most %d at once", fixture->slow.most_inside);
    if (strcmp(fixture->format, "VHD") != 0)
        g_assert_cmpint(fixture->slow.most_inside, >, 1);
    clear_jobs(jobs, JOBS);
}

/* Whatever of the writes after the last sync is lost, those before a flush are there. */
static void
test_flush(Fixture *fixture, gconstpointer data)
{
    g_autoptr(GRand) rand = g_rand_new_with_seed(9);
    g_autoptr(GByteArray) before = g_byte_array_new();
    const unsigned count = 60;
    Job *jobs = g_new0(Job, count + 1);

    g_byte_array_append(before, fixture->file->data, fixture->file->len);
    for (unsigned i = 0; i < count; i++) {
        init_job(fixture, &jobs[i], IMAGE_JOB_WRITE, i * 65536, 512);
        memset(jobs[i].data, (int)i + 1, 512);
        image_queue_submit(fixture->queue, &jobs[i].job);
    }
    init_job(fixture, &jobs[count], IMAGE_JOB_FLUSH, 0, 0);
    image_queue_submit(fixture->queue, &jobs[count].job);
    wait_done(fixture, (gint)count + 1);
    for (unsigned round = 0; round < 20; round++) {
        g_autoptr(GByteArray) left =
            memory_after_power_loss(before, fixture->record, fixture->record->len, rand);
        g_autoptr(Image) image = image_open_io(&memory_io_new(left, NULL)->io, fixture->format,
                                               IMAGE_OPEN_READ_ONLY, NULL);
        uint8_t byte;

        g_assert_nonnull(image);
        for (unsigned i = 0; i < count; i++) {
            g_assert_true(image_read(image, i * 65536, &byte, 1, NULL));
            g_assert_cmpuint(byte, ==, i + 1);
        }
    }
    clear_jobs(jobs, count + 1);
}

static void
test_full(Fixture *fixture, gconstpointer data)
{
    Job *jobs = g_new0(Job, 3);
    uint8_t byte = 0;

    g_atomic_int_set(&fixture->slow.full, 1);
    for (unsigned i = 0; i < 3; i++) {
        init_job(fixture, &jobs[i], i < 2 ? IMAGE_JOB_WRITE : IMAGE_JOB_FLUSH, i * 1024, 512);
        memset(jobs[i].data, 0x31 + (int)i, 512);
        image_queue_submit(fixture->queue, &jobs[i].job);
    }
    g_mutex_lock(&fixture->mutex);
    while (fixture->full_events == 0)
        g_cond_wait(&fixture->ended, &fixture->mutex);
    g_mutex_unlock(&fixture->mutex);
    image_queue_wait(fixture->queue); /* what can end by itself has ended */
    g_assert_cmpint(fixture->done, ==, 0);
    g_assert_cmpuint(image_queue_waiting(fixture->queue), ==, 3);
    g_atomic_int_set(&fixture->slow.full, 0);
    image_queue_retry(fixture->queue);
    wait_done(fixture, 3);
    for (unsigned i = 0; i < 3; i++)
        g_assert_no_error(jobs[i].error);
    g_assert_true(image_read(fixture->image, 1024, &byte, 1, NULL));
    g_assert_cmphex(byte, ==, 0x32);
    clear_jobs(jobs, 3);
}

/* --- on the caller's thread --- */

/* Until a moment of the host's other work is over. */
static bool
try_patiently(ImageQueue *queue, const ImageJob *job)
{
    for (unsigned i = 0; i < 500; i++) {
        if (image_queue_try(queue, job))
            return true;
        g_usleep(10000);
    }
    return false;
}

/* A block that is there is written and read without a thread, and done is not called. */
static void
test_direct(Fixture *fixture, gconstpointer data)
{
    Job *jobs = g_new0(Job, 3);

    for (unsigned i = 0; i < 3; i++) {
        init_job(fixture, &jobs[i], i < 2 ? IMAGE_JOB_WRITE : IMAGE_JOB_READ, 65536, 4096);
        memset(jobs[i].data, 0x40 + (int)i, 4096);
    }
    /* Not where the format's tables have to change first; a raw file has none. */
    g_assert_true(strcmp(fixture->format, "RAW") == 0 ||
                  !image_queue_try(fixture->queue, &jobs[0].job));
    image_queue_submit(fixture->queue, &jobs[0].job);
    wait_done(fixture, 1);
    image_queue_wait(fixture->queue);
    if (strcmp(fixture->format, "VHD") == 0) {
        g_assert_false(image_queue_try(fixture->queue, &jobs[1].job));
    } else {
        g_assert_true(try_patiently(fixture->queue, &jobs[1].job));
        g_assert_true(try_patiently(fixture->queue, &jobs[2].job));
        g_assert_cmpmem(jobs[2].data, 4096, jobs[1].data, 4096);
        g_assert_true(image_is_dirty(fixture->image));
    }
    g_assert_cmpint(fixture->done, ==, 1);
    clear_jobs(jobs, 3);
}

/* Nothing overtakes: neither what waits, nor a pause, nor what is larger than a moment's work. */
static void
test_direct_waits(Fixture *fixture, gconstpointer data)
{
    Job *jobs = g_new0(Job, 3);

    init_job(fixture, &jobs[0], IMAGE_JOB_WRITE, 0, 4096);
    init_job(fixture, &jobs[1], IMAGE_JOB_READ, 0, 512);
    init_job(fixture, &jobs[2], IMAGE_JOB_READ, 0, 1 << 20);
    memset(jobs[0].data, 7, 4096);
    image_queue_pause(fixture->queue);
    g_assert_false(image_queue_try(fixture->queue, &jobs[1].job));
    image_queue_submit(fixture->queue, &jobs[0].job);
    g_assert_false(image_queue_try(fixture->queue, &jobs[1].job));
    image_queue_resume(fixture->queue);
    wait_done(fixture, 1);
    image_queue_wait(fixture->queue);
    g_assert_false(image_queue_try(fixture->queue, &jobs[2].job));
    fixture->slow.refuse = true;
    g_assert_false(image_queue_try(fixture->queue, &jobs[1].job));
    image_queue_submit(fixture->queue, &jobs[1].job);
    wait_done(fixture, 2);
    g_assert_cmphex(jobs[1].data[0], ==, 7);
    clear_jobs(jobs, 3);
}

/* Whoever had to wait is not made to wait again soon. */
static void
test_direct_rests(Fixture *fixture, gconstpointer data)
{
    Job *job = g_new0(Job, 1);

    init_job(fixture, job, IMAGE_JOB_READ, 0, 512);
    if (strcmp(fixture->format, "RAW") == 0) {
        fixture->slow.try_us = 50000;
        g_assert_true(image_queue_try(fixture->queue, &job->job));
        g_assert_false(image_queue_try(fixture->queue, &job->job));
        fixture->slow.try_us = 0;
        g_assert_true(try_patiently(fixture->queue, &job->job));
    }
    clear_jobs(job, 1);
}

static void
test_cancel(Fixture *fixture, gconstpointer data)
{
    const unsigned count = 100;
    Job *jobs = g_new0(Job, count);
    GSList *cancelled;

    g_atomic_int_set(&fixture->slow.delay_us, 2000);
    for (unsigned i = 0; i < count; i++) {
        init_job(fixture, &jobs[i], IMAGE_JOB_WRITE, i * 512, 512);
        memset(jobs[i].data, 0x11, 512);
        image_queue_submit(fixture->queue, &jobs[i].job);
    }
    cancelled = image_queue_cancel(fixture->queue, NULL);
    g_assert_cmpuint((guint)fixture->done + g_slist_length(cancelled), ==, count);
    g_assert_nonnull(cancelled);
    g_assert_cmpuint(image_queue_waiting(fixture->queue), ==, 0);
    /* In their order, and none of them was begun. */
    for (GSList *link = cancelled; link->next != NULL; link = link->next)
        g_assert_true(((ImageJob *)link->data)->offset < ((ImageJob *)link->next->data)->offset);
    g_slist_free(cancelled);
    clear_jobs(jobs, count);
}

/* Of many that wait in their line one goes, and comes back to its owner or is over. */
static void
test_cancel_one(Fixture *fixture, gconstpointer data)
{
    const unsigned count = 60;
    Job *jobs = g_new0(Job, count);
    GSList *cancelled;
    unsigned taken;

    g_atomic_int_set(&fixture->slow.delay_us, 2000);
    image_queue_pause(fixture->queue);
    for (unsigned i = 0; i < count; i++) {
        init_job(fixture, &jobs[i], IMAGE_JOB_WRITE, i * 512, 512);
        jobs[i].job.owner = &jobs[i];
        memset(jobs[i].data, 0x11, 512);
        image_queue_submit(fixture->queue, &jobs[i].job);
    }
    cancelled = image_queue_cancel(fixture->queue, &jobs[count - 1]);
    g_assert_cmpuint(g_slist_length(cancelled), ==, 1);
    g_assert_true(cancelled->data == &jobs[count - 1].job);
    g_slist_free(cancelled);
    image_queue_resume(fixture->queue);
    /* It is through, or has not begun: on a busy host the threads may not be there yet. */
    cancelled = image_queue_cancel(fixture->queue, &jobs[0]);
    taken = g_slist_length(cancelled);
    g_assert_cmpint(g_atomic_int_get(&fixture->done), >=, 1 - (int)taken);
    g_slist_free(cancelled);
    g_assert_null(image_queue_cancel(fixture->queue, &jobs[count - 1]));
    wait_done(fixture, count - 1 - taken);
    clear_jobs(jobs, count);
}

static void
call_alone(ImageJob *job)
{
    Fixture *fixture = ((Job *)job->user)->fixture;

    g_assert_cmpint(g_atomic_int_get(&fixture->slow.inside), ==, 0);
    g_usleep(3000);
    g_assert_cmpint(g_atomic_int_get(&fixture->slow.inside), ==, 0);
}

static void
test_calls_and_pauses(Fixture *fixture, gconstpointer data)
{
    const unsigned count = 200;
    Job *jobs = g_new0(Job, count);
    gint done;

    for (unsigned i = 0; i < count; i++) {
        const bool call = i % 40 == 20;

        init_job(fixture, &jobs[i], call ? IMAGE_JOB_CALL : IMAGE_JOB_WRITE, i * 4096, 512);
        jobs[i].job.call = call_alone;
        memset(jobs[i].data, 0x44, 512);
        image_queue_submit(fixture->queue, &jobs[i].job);
    }
    for (unsigned i = 0; i < 10; i++) {
        image_queue_pause(fixture->queue);
        g_assert_cmpint(g_atomic_int_get(&fixture->slow.inside), ==, 0);
        done = fixture->done;
        g_usleep(1000);
        g_assert_cmpint(fixture->done, ==, done);
        image_queue_resume(fixture->queue);
        g_usleep(500);
    }
    wait_done(fixture, (gint)count);
    clear_jobs(jobs, count);
}

/* Without threads everything is done when submit returns. */
static void
test_synchronous(Fixture *fixture, gconstpointer data)
{
    ImageQueue *queue = image_queue_new(fixture->image, 0, NULL, NULL);
    Job *jobs = g_new0(Job, 2);

    init_job(fixture, &jobs[0], IMAGE_JOB_WRITE, 0, 512);
    memset(jobs[0].data, 0x66, 512);
    image_queue_submit(queue, &jobs[0].job);
    g_assert_cmpint(fixture->done, ==, 1);
    init_job(fixture, &jobs[1], IMAGE_JOB_READ, 0, 512);
    image_queue_submit(queue, &jobs[1].job);
    g_assert_cmpint(fixture->done, ==, 2);
    g_assert_cmphex(jobs[1].data[511], ==, 0x66);
    clear_jobs(jobs, 2);
    image_queue_free(queue, NULL);
}

int
main(int argc, char **argv)
{
    static const char *const formats[] = {"RAW", "VDI", "VHD", "VMDK"};
    static const struct {
        const char *name;
        void (*run)(Fixture *fixture, gconstpointer data);
    } tests[] = {
        {"calls-and-pauses", test_calls_and_pauses},
        {"cancel", test_cancel},
        {"cancel-one", test_cancel_one},
        {"direct", test_direct},
        {"direct-rests", test_direct_rests},
        {"direct-waits", test_direct_waits},
        {"flush", test_flush},
        {"full", test_full},
        {"order", test_order},
        {"synchronous", test_synchronous},
    };

    g_test_init(&argc, &argv, NULL);
    for (unsigned i = 0; i < G_N_ELEMENTS(formats); i++) {
        for (unsigned j = 0; j < G_N_ELEMENTS(tests); j++) {
            g_autofree char *path =
                g_strdup_printf("/image/queue/%s/%s", formats[i], tests[j].name);

            g_test_add(path, Fixture, formats[i], setup, tests[j].run, teardown);
        }
    }
    return g_test_run();
}
