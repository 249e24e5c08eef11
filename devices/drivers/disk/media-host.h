/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A drive of the host under a media driver, in the place of an image: a thread looks regularly
 * whether there is another medium, and does what the guest wants of the drive itself. Manual,
 * chapter "Virtual Storage", "CD/DVD Support". */
#pragma once

#include "devices/drivers/disk/host-drive.h"
#include "devices/drivers/disk/image/image.h"

typedef struct MediaHost MediaHost;

typedef struct {
    PdmMediaType type;
    const char *name;     /* for messages */
    unsigned interval_ms; /* how often it looks */
    /* On the thread: there is another state or another medium. */
    void (*changed)(void *user);
    /* On the thread: something that a person should know. id: a static string. */
    void (*message)(void *user, const char *id, const char *text);
    void *user;
} MediaHostInfo;

/* Takes the descriptor over. The drive has been looked at once when it returns, which may take as
 * long as the drive does. */
MediaHost *media_host_new(int descriptor, const MediaHostInfo *info);
/* Unlocks the door, waits for the thread. NULL is nothing. */
void media_host_free(MediaHost *host);

/* Any thread. */
HostDriveState media_host_state(MediaHost *host);
/* Does not wait: the last of several that the drive has not heard of counts. */
void media_host_lock(MediaHost *host, bool locked);
void media_host_move_tray(MediaHost *host, bool open);

/* The next may block. */
/* The medium that is in the drive now, as an image; NULL with error. */
Image *media_host_open(MediaHost *host, bool writable, GError **error);
/* As host_drive_command(). */
int media_host_command(MediaHost *host, PdmMediaCommand *command, void *buffer, uint32_t size);
