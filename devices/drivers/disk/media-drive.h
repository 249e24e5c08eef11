/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the drivers for disks, optical and floppy media have in common: a chain of images with the
 * threads that work on it, and the connector that the device above sees. A driver embeds nothing
 * and adds its type: its descriptor names these functions and a construct of two lines. */
#pragma once

#include <stdatomic.h>

#include "devices/drivers/disk/image/image-queue.h"
#include "devices/drivers/disk/media-host.h"
#include "vmm/pdm/pdm.h"

#define MEDIA_SERIAL_SIZE 21

/* A medium as the guest sees it. */
typedef struct {
    bool present;
    bool read_only;
    uint64_t size; /* bytes, whole sectors */
} MediaProperties;

typedef struct MediaMerge MediaMerge;

typedef struct {
    PdmDriver *driver;
    PdmMediaConnector connector;
    PdmActivity activity;
    PdmQueue *queue; /* brings finished jobs to virtual CPU 0 */
    char serial[MEDIA_SERIAL_SIZE];

    bool open_read_only; /* by configuration or by the kind of drive */
    char *format;        /* by configuration or by the kind of drive; NULL: probe */

    MediaHost
        *_Atomic host;      /* in the place of an image; calls of the queue change it, with mutex */
    unsigned look_every_ms; /* at it */
    PdmQueue *host_changed; /* tells of its changes */
    bool passthrough;       /* the guest's commands reach it */

    MediaProperties medium; /* device lock */
    unsigned changes;       /* of the medium that are under way; device lock */

    void (*ejected_told)(void *watcher); /* of the embedder; device lock; NULL: it does not watch */
    void *eject_watcher;
    atomic_bool ejected; /* by the guest, an image, and nobody has taken note */
    atomic_bool emptied; /* by the guest, and the user has not changed the medium since */

    bool synchronous;   /* no threads: requests are carried out when they are submitted */
    bool host_cache;    /* the host keeps what passes through its files */
    ImageQueue *images; /* the medium's chain, and what is under way on it */

    GMutex chain;                         /* held by who changes the chain of a running machine */
    _Atomic(_Atomic uint8_t *) rewritten; /* while the newest image is being merged: by MiB, whether
                                             the guest has written there since */
    MediaMerge *merged; /* images that were merged and are still there; NULL: none */

    GMutex mutex;      /* for what follows; never held while taking the device lock */
    GQueue finished;   /* MediaJob */
    GQueue completing; /* what was finished, under the device lock: a completion may wait for all */
    bool kicked;       /* the queue has been told of finished jobs */
} MediaDrive;

bool media_drive_construct(PdmDriver *driver, const CfgmNode *config, PdmMediaType type,
                           GError **error);
void media_drive_destruct(PdmDriver *driver);
void media_drive_paused(PdmDriver *driver);
void media_drive_resumed(PdmDriver *driver);
void media_drive_power_off(PdmDriver *driver);

/* media-change.c: other media, and drives of the host with theirs. */
#define MEDIA_SOURCE_DRIVE "drive:"   /* a host drive: "drive:<descriptor>:<name>" */
#define MEDIA_SOURCE_AGAIN "again:"   /* what is in the host drive now */
#define MEDIA_SOURCE_CLOSED "closed:" /* the host drive stays, its medium is left alone */
/* On a worker, while nothing else is under way: closes what is there and opens source (NULL:
 * nothing; taken over). */
MediaProperties media_exchange(MediaDrive *drive, const char *source);
/* The drive that a configuration names; NULL with error. */
MediaHost *media_open_host(MediaDrive *drive, uint64_t descriptor, const char *name);
/* PDM queue: its medium came or went; device lock. */
void media_run_host_changed(void *user, void *item);
/* What PdmMediaConnector says. */
void media_eject(void *user);
bool media_change(void *user, const char *source, bool force);
void media_watch_ejects(void *user, void (*told)(void *watcher), void *watcher);
bool media_take_ejected(void *user);
bool media_is_ejected(void *user);
void media_move_tray(void *user, bool open);
void media_lock(void *user, bool locked);
bool media_takes_commands(void *user);

/* media-open.c: opens what source names ("fd:<number>" or a path; name is for messages, NULL:
 * source). A floppy that can't be written to is opened for reading. */
Image *media_open(const MediaDrive *drive, const char *source, const char *name, GError **error);
/* The chain that a configuration names. */
Image *media_open_chain(const MediaDrive *drive, const CfgmNode *config, GError **error);
/* An image that a running disk is given. files: its files (BaseFile) are added here, still belong
 * to the image, and are locked by the caller when it can; NULL: they are locked. */
Image *media_open_given(const MediaDrive *drive, const PdmMediaSource *source, GPtrArray *files,
                        GError **error);
bool media_lock_files(const GPtrArray *files, bool writable, GError **error);
/* Closes the descriptors of what nobody is going to open. */
void media_discard_given(const PdmMediaSource *source);
/* The name in a source that is a drive of the host, and its descriptor; NULL: it is none. */
const char *media_parse_drive(const char *source, int *descriptor);
/* Closes the descriptor that a source names and nobody is going to open. */
void media_discard_source(const char *source);
/* A serial number that stays the same for the same image. */
void media_make_serial(Image *image, char serial[MEDIA_SERIAL_SIZE]);

/* media-chain.c: what PdmMediaConnector says. */
bool media_push_image(void *user, const PdmMediaSource *child, GError **error);
bool media_replace_chain(void *user, const PdmMediaSource *sources, unsigned count, GError **error);
unsigned media_chain_length(void *user);
/* False, with an error, while there is no image or a merge is not settled. */
bool media_chain_may_change(const MediaDrive *drive, GError **error);

/* media-merge.c: what PdmMediaConnector says. */
bool media_merge_images(void *user, unsigned from, unsigned to, const PdmMediaSource *target,
                        PdmMediaProgress progress, void *progress_user, GError **error);
bool media_settle_merge(void *user, bool done, GError **error);
/* The drive ends: whether the images stay is decided elsewhere, both ways are right. */
void media_merge_abandon(MediaDrive *drive);
/* A queue's event: the guest has changed what a merge may have passed already. */
void media_note_change(MediaDrive *drive, const ImageJob *job);

/* media-worker.c */
/* Sets up drive->images for image, which it owns from now on; NULL: an empty drive. */
void media_worker_start(MediaDrive *drive, Image *image);
/* Ends after what is under way, drops what waits, and closes the image. */
void media_worker_stop(MediaDrive *drive);
/* All four with the device lock held. */
void media_submit(MediaDrive *drive, PdmIoRequest *request);
void media_submit_change(MediaDrive *drive, const char *source); /* NULL: close the image */
void media_cancel_all(MediaDrive *drive);
/* The request ends now, and no other. */
void media_cancel(MediaDrive *drive, PdmIoRequest *request);
/* On virtual CPU 0's thread: the PDM queue's function. */
void media_run_finished(void *user, void *item);

/* media-drive.c: what the guest sees of an image (NULL: of an empty drive). */
MediaProperties media_properties(const MediaDrive *drive, const Image *image);
/* The worker has exchanged the medium; device lock. */
void media_drive_changed(MediaDrive *drive, const MediaProperties *properties);
