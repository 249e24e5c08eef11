/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The worker thread of a drive. Jobs run one after the other in the order in which they were
 * submitted, so a flush covers what was written before it. A job that meets a full host disk goes
 * back to the head of the line, and the line stands still until the machine is resumed. */
#include <errno.h>

#include "devices/drivers/disk/media-drive.h"

/* An image that was written to is flushed after so much quiet. */
#define IDLE_FLUSH_MS 2000

typedef struct {
    PdmIoRequest *request; /* NULL: a change of medium */
    char *source;          /* of a change; NULL: just close */
    int error;
    MediaProperties properties; /* after a change */
} MediaJob;

static void
free_job(MediaJob *job)
{
    media_discard_source(job->source);
    g_free(job->source);
    g_free(job);
}

static void
report_full(MediaDrive *drive, const GError *error)
{
    g_autofree char *message =
        g_strdup_printf("There is no room left on the host's disk. Make some room, then resume the "
                        "machine: it goes on where it was. (%s)",
                        error->message);

    pdm_driver_runtime_message(drive->driver, PDM_RUNTIME_PAUSE, "host-disk-full", message);
}

static bool
transfer(MediaDrive *drive, const PdmIoRequest *request, GError **error)
{
    switch (request->kind) {
    case PDM_IO_READ:
        return image_read(drive->image, request->offset, request->buffer, request->size, error);
    case PDM_IO_WRITE:
        return image_write(drive->image, request->offset, request->buffer, request->size, error);
    case PDM_IO_FLUSH: return image_flush(drive->image, error);
    case PDM_IO_DISCARD: break;
    }
    g_set_error_literal(error, BASE_ERROR, BASE_ERROR_NOT_SUPPORTED, "Discard is not supported.");
    return false;
}

/* False: the host disk is full, try again later. */
static bool
run_request(MediaDrive *drive, MediaJob *job)
{
    g_autoptr(GError) error = NULL;

    if (drive->image == NULL) {
        job->error = ENOMEDIUM;
        return true;
    }
    if (transfer(drive, job->request, &error))
        return true;
    if (g_error_matches(error, BASE_ERROR, BASE_ERROR_NO_SPACE)) {
        report_full(drive, error);
        return false;
    }
    job->error = g_error_matches(error, BASE_ERROR, BASE_ERROR_DENIED) ? EROFS : EIO;
    drive->driver->api->log(drive->driver->pdm, "%s", error->message);
    return true;
}

static void
run_change(MediaDrive *drive, MediaJob *job)
{
    g_autoptr(GError) error = NULL;

    if (drive->image != NULL && !image_close(g_steal_pointer(&drive->image), &error)) {
        pdm_driver_runtime_message(drive->driver, PDM_RUNTIME_WARNING, "medium-close",
                                   error->message);
        g_clear_error(&error);
    }
    if (job->source != NULL) {
        drive->image = media_open(drive, job->source, NULL, &error);
        g_clear_pointer(&job->source, g_free);
    }
    if (error != NULL)
        pdm_driver_runtime_message(drive->driver, PDM_RUNTIME_WARNING, "medium-open",
                                   error->message);
    job->properties = media_properties(drive, drive->image);
}

/* Called and returns with the mutex held; lets go of it in between. */
static void
run_job(MediaDrive *drive, MediaJob *job)
{
    bool done = true;
    bool kick;

    drive->busy = true;
    g_mutex_unlock(&drive->mutex);
    if (job->request != NULL)
        done = run_request(drive, job);
    else
        run_change(drive, job);
    g_mutex_lock(&drive->mutex);
    drive->busy = false;
    if (done) {
        g_queue_push_tail(&drive->finished, job);
    } else {
        g_queue_push_head(&drive->waiting, job);
        drive->full = true;
    }
    kick = done && !drive->kicked;
    drive->kicked |= kick;
    g_cond_broadcast(&drive->idle);
    if (kick) {
        g_mutex_unlock(&drive->mutex);
        pdm_queue_push(drive->driver->api, drive->queue, drive);
        g_mutex_lock(&drive->mutex);
    }
}

static void
flush_when_quiet(MediaDrive *drive)
{
    g_autoptr(GError) error = NULL;
    gint64 until = g_get_monotonic_time() + IDLE_FLUSH_MS * 1000;

    if (drive->image == NULL || !image_is_dirty(drive->image)) {
        g_cond_wait(&drive->wake, &drive->mutex);
        return;
    }
    if (g_cond_wait_until(&drive->wake, &drive->mutex, until))
        return;
    drive->busy = true;
    g_mutex_unlock(&drive->mutex);
    if (!image_flush(drive->image, &error))
        drive->driver->api->log(drive->driver->pdm, "%s", error->message);
    g_mutex_lock(&drive->mutex);
    drive->busy = false;
    g_cond_broadcast(&drive->idle);
    /* A flush that failed is tried again with the guest's next request, not in a loop. */
    while (error != NULL && !drive->stop && g_queue_is_empty(&drive->waiting))
        g_cond_wait(&drive->wake, &drive->mutex);
}

static gpointer
worker_main(gpointer data)
{
    MediaDrive *drive = data;

    g_mutex_lock(&drive->mutex);
    while (!drive->stop) {
        if (drive->full)
            g_cond_wait(&drive->wake, &drive->mutex);
        else if (g_queue_is_empty(&drive->waiting))
            flush_when_quiet(drive);
        else
            run_job(drive, g_queue_pop_head(&drive->waiting));
    }
    g_mutex_unlock(&drive->mutex);
    return NULL;
}

void
media_worker_start(MediaDrive *drive)
{
    drive->worker = g_thread_new("disk", worker_main, drive);
}

void
media_worker_stop(MediaDrive *drive)
{
    g_mutex_lock(&drive->mutex);
    drive->stop = true;
    g_cond_broadcast(&drive->wake);
    g_mutex_unlock(&drive->mutex);
    if (drive->worker != NULL)
        g_thread_join(g_steal_pointer(&drive->worker));
    g_queue_clear_full(&drive->waiting, (GDestroyNotify)free_job);
    g_queue_clear_full(&drive->finished, (GDestroyNotify)free_job);
}

/* Without a worker; with the mutex held. */
static void
run_waiting(MediaDrive *drive)
{
    while (!drive->full && !drive->busy && !g_queue_is_empty(&drive->waiting))
        run_job(drive, g_queue_pop_head(&drive->waiting));
}

static void
push_job(MediaDrive *drive, MediaJob *job)
{
    g_mutex_lock(&drive->mutex);
    g_queue_push_tail(&drive->waiting, job);
    if (drive->synchronous)
        run_waiting(drive);
    else
        g_cond_signal(&drive->wake);
    g_mutex_unlock(&drive->mutex);
}

void
media_worker_retry(MediaDrive *drive)
{
    g_mutex_lock(&drive->mutex);
    drive->full = false;
    if (drive->synchronous)
        run_waiting(drive);
    else
        g_cond_signal(&drive->wake);
    g_mutex_unlock(&drive->mutex);
}

void
media_submit(MediaDrive *drive, PdmIoRequest *request)
{
    MediaJob *job = g_new0(MediaJob, 1);

    job->request = request;
    push_job(drive, job);
}

void
media_submit_change(MediaDrive *drive, const char *source)
{
    MediaJob *job = g_new0(MediaJob, 1);

    job->source = g_strdup(source);
    drive->changes++;
    push_job(drive, job);
}

static void
complete_job(MediaDrive *drive, MediaJob *job)
{
    PdmIoRequest *request = job->request;
    MediaProperties properties = job->properties;
    int error = job->error;

    free_job(job);
    if (request == NULL) {
        /* Only the last of several changes tells what is in the drive now. */
        if (--drive->changes == 0)
            media_drive_changed(drive, &properties);
        return;
    }
    if (error == 0 && request->kind == PDM_IO_READ) {
        drive->activity.reads++;
        drive->activity.bytes_read += request->size;
    } else if (error == 0 && request->kind == PDM_IO_WRITE) {
        drive->activity.writes++;
        drive->activity.bytes_written += request->size;
    }
    request->done(request->user, request, error);
}

/* Moves the requests that nobody has begun to the list of those that are through. */
static void
cancel_waiting(MediaDrive *drive)
{
    GQueue kept = G_QUEUE_INIT;
    MediaJob *job;

    while ((job = g_queue_pop_head(&drive->waiting)) != NULL) {
        job->error = ECANCELED;
        g_queue_push_tail(job->request != NULL ? &drive->finished : &kept, job);
    }
    drive->waiting = kept;
    drive->full = false;
}

void
media_run_finished(void *user, void *item)
{
    MediaDrive *drive = user;
    GQueue jobs;
    MediaJob *job;

    g_mutex_lock(&drive->mutex);
    jobs = drive->finished;
    g_queue_init(&drive->finished);
    drive->kicked = false;
    g_mutex_unlock(&drive->mutex);
    while ((job = g_queue_pop_head(&jobs)) != NULL)
        complete_job(drive, job);
}

void
media_cancel_all(MediaDrive *drive)
{
    g_mutex_lock(&drive->mutex);
    cancel_waiting(drive);
    while (drive->busy)
        g_cond_wait(&drive->idle, &drive->mutex);
    /* The one that was under way may have gone back to the line because the host disk is full. */
    cancel_waiting(drive);
    g_cond_signal(&drive->wake);
    g_mutex_unlock(&drive->mutex);
    media_run_finished(drive, NULL);
}

void
media_wait_idle(MediaDrive *drive)
{
    g_mutex_lock(&drive->mutex);
    while (drive->busy || (!g_queue_is_empty(&drive->waiting) && !drive->full))
        g_cond_wait(&drive->idle, &drive->mutex);
    g_mutex_unlock(&drive->mutex);
}
