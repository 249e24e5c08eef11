/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the drivers for disks, optical and floppy media have in common: an image, the worker thread
 * that owns it, and the connector that the device above sees. A driver embeds nothing and adds its
 * type: its descriptor names these functions and a construct of two lines. */
#pragma once

#include "devices/drivers/disk/image/image.h"
#include "vmm/pdm/pdm.h"

#define MEDIA_SERIAL_SIZE 21

/* A medium as the guest sees it. */
typedef struct {
    bool present;
    bool read_only;
    uint64_t size; /* bytes, whole sectors */
} MediaProperties;

typedef struct {
    PdmDriver *driver;
    PdmMediaConnector connector;
    PdmActivity activity;
    PdmQueue *queue; /* brings finished jobs to virtual CPU 0 */
    char serial[MEDIA_SERIAL_SIZE];

    bool open_read_only; /* by configuration or by the kind of drive */
    char *format;        /* by configuration or by the kind of drive; NULL: probe */

    MediaProperties medium; /* device lock */
    unsigned changes;       /* of the medium that are under way; device lock */

    bool synchronous; /* there is no worker: requests are carried out when they are submitted */
    GThread *worker;
    Image *image; /* the worker's, while it runs; NULL: no medium */

    GMutex mutex;    /* for what follows; never held while taking the device lock */
    GCond wake;      /* for the worker: something to do */
    GCond idle;      /* for those who wait for the worker */
    GQueue waiting;  /* MediaJob */
    GQueue finished; /* MediaJob */
    bool busy;       /* the worker is at a job */
    bool kicked;     /* the queue has been told of finished jobs */
    bool full;       /* the host disk is full: nothing is tried until the VM is resumed */
    bool stop;
} MediaDrive;

bool media_drive_construct(PdmDriver *driver, const CfgmNode *config, PdmMediaType type,
                           GError **error);
void media_drive_destruct(PdmDriver *driver);
void media_drive_paused(PdmDriver *driver);
void media_drive_resumed(PdmDriver *driver);
void media_drive_power_off(PdmDriver *driver);

/* media-open.c: opens what source names ("fd:<number>" or a path; name is for messages, NULL:
 * source). A floppy that can't be written to is opened for reading. */
Image *media_open(const MediaDrive *drive, const char *source, const char *name, GError **error);
/* Closes the descriptor that a source names and nobody is going to open. */
void media_discard_source(const char *source);
/* A serial number that stays the same for the same image. */
void media_make_serial(Image *image, char serial[MEDIA_SERIAL_SIZE]);

/* media-worker.c */
void media_worker_start(MediaDrive *drive);
/* Ends the worker after what it is at; what waits is dropped. */
void media_worker_stop(MediaDrive *drive);
/* All three with the device lock held. */
void media_submit(MediaDrive *drive, PdmIoRequest *request);
void media_submit_change(MediaDrive *drive, const char *source); /* NULL: close the image */
void media_cancel_all(MediaDrive *drive);
/* Without the device lock: waits until nothing is under way that can end by itself. */
void media_wait_idle(MediaDrive *drive);
/* The host disk may have room again. */
void media_worker_retry(MediaDrive *drive);
/* On virtual CPU 0's thread: the PDM queue's function. */
void media_run_finished(void *user, void *item);

/* media-drive.c: what the guest sees of an image (NULL: of an empty drive). */
MediaProperties media_properties(const MediaDrive *drive, const Image *image);
/* The worker has exchanged the medium; device lock. */
void media_drive_changed(MediaDrive *drive, const MediaProperties *properties);
