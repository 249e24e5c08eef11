/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Requests to an image, several of them under way at once on worker threads. They begin in the
 * order in which they are submitted; one that touches a range that another is at waits for it, and
 * a flush waits for all that was written before. So each request finds what those before it left.
 * Callers never wait for the host's disk.
 *
 * When the host's disk is full the request goes back to the head of the line and the line stands
 * still until image_queue_retry(). */
#pragma once

#include "devices/drivers/disk/image/image.h"

typedef enum {
    IMAGE_JOB_READ,
    IMAGE_JOB_WRITE,
    IMAGE_JOB_FLUSH,
    IMAGE_JOB_DISCARD,
    IMAGE_JOB_CALL, /* a function, while nothing else is under way */
} ImageJobKind;

/* Belongs to the caller, and to the queue from submitting until done is called. */
typedef struct ImageJob {
    ImageJobKind kind;
    uint64_t offset;
    size_t size;
    void *buffer;
    const BaseFilePiece *pieces; /* in the place of buffer, size bytes together; NULL: none */
    size_t piece_count;
    void (*call)(struct ImageJob *job); /* IMAGE_JOB_CALL */
    /* On a worker thread, in no particular order; it may submit jobs. It sees what happened in
     * *error, which it may take. */
    void (*done)(struct ImageJob *job, GError **error);
    void *user;
    const void *owner; /* for image_queue_cancel(); only compared */
} ImageJob;

typedef struct ImageQueue ImageQueue;

/* All may be NULL, are called on worker threads, and must not wait for the queue. */
typedef struct {
    void (*full)(void *user, const GError *error); /* the host's disk is full */
    /* A write or discard is through and nobody has been told yet. */
    void (*changed)(void *user, const ImageJob *job);
    void (*flush_failed)(void *user, const GError *error); /* of one that nobody asked for */
} ImageQueueEvents;

/* image stays the caller's, and may be NULL: jobs then fail with BASE_ERROR_NOT_FOUND. threads: at
 * most so many are started, when there is work for them; 0: jobs are done when they are submitted.
 */
ImageQueue *image_queue_new(Image *image, unsigned threads, const ImageQueueEvents *events,
                            void *user);
/* Ends after what is under way; drop (may be NULL) is called for what has not begun. */
void image_queue_free(ImageQueue *queue, void (*drop)(ImageJob *job));

void image_queue_submit(ImageQueue *queue, ImageJob *job);
/* Does a small read or write on the caller's thread, which must not wait, if nothing is in its way
 * and what it needs is in the host's memory: two threads that wake each other cost more than the
 * request. True: it is through, and done is not called for it. False: it has to be submitted. */
bool image_queue_try(ImageQueue *queue, const ImageJob *job);
/* The host's disk may have room again. */
void image_queue_retry(ImageQueue *queue);
/* Takes out the requests of that owner (NULL: all) that have not begun, as a list for the caller to
 * free, and waits for those under way. Calls stay. */
GSList *image_queue_cancel(ImageQueue *queue, const void *owner);
/* Waits until nothing is under way that can end by itself. */
void image_queue_wait(ImageQueue *queue);
/* How many wait. */
unsigned image_queue_waiting(ImageQueue *queue);

/* Waits for what is under way and lets nothing begin until it is resumed. From any thread that is
 * not the queue's; nests. */
void image_queue_pause(ImageQueue *queue);
void image_queue_resume(ImageQueue *queue);

/* While paused, or in a call. */
void image_queue_set_image(ImageQueue *queue, Image *image);
/* What is written from now on, and what is flushed, goes to this image, too, which is not read; the
 * request is done when both have it. It stays the caller's. NULL: no more. While paused. */
void image_queue_set_mirror(ImageQueue *queue, Image *mirror);
Image *image_queue_image(ImageQueue *queue);
