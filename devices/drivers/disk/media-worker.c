/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Between the device above and the line of requests to the images: requests become jobs, and what
 * is finished comes back to virtual CPU 0. A full host disk stops the line until the machine is
 * resumed. */
#include <errno.h>

#include "devices/drivers/disk/media-drive.h"

/* So many requests can wait for the host's disk at the same time. */
#define THREADS 4u

typedef struct {
    ImageJob job;
    MediaDrive *drive;
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
drop_job(ImageJob *job)
{
    free_job(job->user);
}

/* --- on the threads --- */

static void
report_full(void *user, const GError *error)
{
    const MediaDrive *drive = user;
    g_autofree char *message =
        g_strdup_printf("There is no room left on the host's disk. Make some room, then resume the "
                        "machine: it goes on where it was. (%s)",
                        error->message);

    pdm_driver_runtime_message(drive->driver, PDM_RUNTIME_PAUSE, "host-disk-full", message);
}

static void
note_change(void *user, const ImageJob *job)
{
    media_note_change(user, job);
}

static void
log_failed_flush(void *user, const GError *error)
{
    const MediaDrive *drive = user;

    drive->driver->api->log(drive->driver->pdm, "%s", error->message);
}

static int
errno_of(const MediaDrive *drive, const GError *error)
{
    if (error == NULL)
        return 0;
    if (g_error_matches(error, BASE_ERROR, BASE_ERROR_NOT_FOUND))
        return ENOMEDIUM;
    drive->driver->api->log(drive->driver->pdm, "%s", error->message);
    return g_error_matches(error, BASE_ERROR, BASE_ERROR_DENIED) ? EROFS : EIO;
}

static void
put_finished(MediaDrive *drive, MediaJob *job)
{
    bool kick;

    g_mutex_lock(&drive->mutex);
    g_queue_push_tail(&drive->finished, job);
    kick = !drive->kicked;
    drive->kicked = true;
    g_mutex_unlock(&drive->mutex);
    if (kick)
        pdm_queue_push(drive->driver->api, drive->queue, drive);
}

static void
on_done(ImageJob *image_job, GError **error)
{
    MediaJob *job = image_job->user;

    if (job->job.kind != IMAGE_JOB_CALL)
        job->error = errno_of(job->drive, *error);
    put_finished(job->drive, job);
}

static void
change_medium(ImageJob *image_job)
{
    MediaJob *job = image_job->user;

    job->properties = media_exchange(job->drive, job->source);
    g_clear_pointer(&job->source, g_free);
}

static void
run_command(ImageJob *image_job)
{
    MediaJob *job = image_job->user;
    const PdmIoRequest *request = job->request;

    job->error = job->drive->host == NULL ? ENOMEDIUM
                                          : media_host_command(job->drive->host, request->command,
                                                               request->buffer, request->size);
}

/* --- under the device lock --- */

void
media_worker_start(MediaDrive *drive, Image *image)
{
    const ImageQueueEvents events = {
        .full = report_full,
        .changed = note_change,
        .flush_failed = log_failed_flush,
    };

    drive->images = image_queue_new(image, drive->synchronous ? 0 : THREADS, &events, drive);
}

void
media_worker_stop(MediaDrive *drive)
{
    Image *image;
    MediaJob *job;

    if (drive->images == NULL)
        return;
    image = image_queue_image(drive->images);
    image_queue_free(drive->images, drop_job);
    image_free(image);
    while ((job = g_queue_pop_head(&drive->finished)) != NULL)
        free_job(job);
    while ((job = g_queue_pop_head(&drive->completing)) != NULL)
        free_job(job);
}

static MediaJob *
new_job(MediaDrive *drive)
{
    MediaJob *job = g_new0(MediaJob, 1);

    job->drive = drive;
    job->job.user = job;
    job->job.done = on_done;
    return job;
}

void
media_submit(MediaDrive *drive, PdmIoRequest *request)
{
    static const ImageJobKind kinds[] = {
        [PDM_IO_READ] = IMAGE_JOB_READ,    [PDM_IO_WRITE] = IMAGE_JOB_WRITE,
        [PDM_IO_FLUSH] = IMAGE_JOB_FLUSH,  [PDM_IO_DISCARD] = IMAGE_JOB_DISCARD,
        [PDM_IO_COMMAND] = IMAGE_JOB_CALL,
    };
    MediaJob *job = new_job(drive);

    job->request = request;
    job->job.kind = kinds[request->kind];
    job->job.offset = request->offset;
    job->job.size = request->size;
    job->job.owner = request;
    job->job.buffer = request->buffer;
    job->job.pieces = request->pieces;
    job->job.piece_count = request->piece_count;
    job->job.call = request->kind == PDM_IO_COMMAND ? run_command : NULL;
    if (image_queue_try(drive->images, &job->job))
        put_finished(drive, job);
    else
        image_queue_submit(drive->images, &job->job);
}

void
media_submit_change(MediaDrive *drive, const char *source)
{
    MediaJob *job = new_job(drive);

    job->job.kind = IMAGE_JOB_CALL;
    job->job.call = change_medium;
    job->source = g_strdup(source);
    drive->changes++;
    image_queue_submit(drive->images, &job->job);
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

void
media_run_finished(void *user, void *item)
{
    MediaDrive *drive = user;
    MediaJob *job;

    g_mutex_lock(&drive->mutex);
    while ((job = g_queue_pop_head(&drive->finished)) != NULL)
        g_queue_push_tail(&drive->completing, job);
    drive->kicked = false;
    g_mutex_unlock(&drive->mutex);
    while ((job = g_queue_pop_head(&drive->completing)) != NULL)
        complete_job(drive, job);
}

void
media_cancel_all(MediaDrive *drive)
{
    GSList *cancelled = image_queue_cancel(drive->images, NULL);

    /* Commands are calls, which stay in line. */
    if (drive->passthrough)
        image_queue_wait(drive->images);

    for (GSList *link = cancelled; link != NULL; link = link->next) {
        MediaJob *job = ((ImageJob *)link->data)->user;

        job->error = ECANCELED;
        put_finished(drive, job);
    }
    g_slist_free(cancelled);
    media_run_finished(drive, NULL);
}

/* The job of a request that is through, out of its line. */
static MediaJob *
take_from(GQueue *line, const PdmIoRequest *request)
{
    for (GList *link = line->head; link != NULL; link = link->next) {
        MediaJob *job = link->data;

        if (job->request == request) {
            g_queue_delete_link(line, link);
            return job;
        }
    }
    return NULL;
}

void
media_cancel(MediaDrive *drive, PdmIoRequest *request)
{
    GSList *cancelled = image_queue_cancel(drive->images, request);
    MediaJob *job = NULL;

    if (cancelled != NULL) {
        job = ((ImageJob *)cancelled->data)->user;
        job->error = ECANCELED;
        g_slist_free(cancelled);
    } else {
        g_mutex_lock(&drive->mutex);
        job = take_from(&drive->finished, request);
        if (job == NULL)
            job = take_from(&drive->completing, request);
        g_mutex_unlock(&drive->mutex);
    }
    if (job != NULL)
        complete_job(drive, job);
}
