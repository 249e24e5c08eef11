/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Media that come and go: the user puts another image or another drive of the host in its place,
 * and in a drive of the host somebody changes the disc. */
#include <string.h>

#include "devices/drivers/disk/media-drive.h"

/* --- on a thread of the queue or of the host drive --- */

static void
on_host_changed(void *user)
{
    MediaDrive *drive = user;

    pdm_queue_push(drive->driver->api, drive->host_changed, drive);
}

static void
on_host_message(void *user, const char *id, const char *text)
{
    const MediaDrive *drive = user;

    if (g_str_equal(id, "host-drive-unreadable") && drive->passthrough)
        return;
    pdm_driver_runtime_message(drive->driver, PDM_RUNTIME_WARNING, id, text);
}

MediaHost *
media_open_host(MediaDrive *drive, uint64_t descriptor, const char *name)
{
    const MediaHostInfo info = {
        .type = drive->connector.type,
        .name = name,
        .interval_ms = drive->look_every_ms,
        .changed = on_host_changed,
        .message = on_host_message,
        .user = drive,
    };

    return media_host_new((int)MIN(descriptor, G_MAXINT), &info);
}

static void
set_host(MediaDrive *drive, MediaHost *host)
{
    MediaHost *before;

    g_mutex_lock(&drive->mutex);
    before = drive->host;
    drive->host = host;
    g_mutex_unlock(&drive->mutex);
    media_host_free(before);
}

static void
close_image(MediaDrive *drive)
{
    Image *image = image_queue_image(drive->images);
    g_autoptr(GError) error = NULL;

    image_queue_set_image(drive->images, NULL);
    if (image != NULL && !image_close(image, &error))
        pdm_driver_runtime_message(drive->driver, PDM_RUNTIME_WARNING, "medium-close",
                                   error->message);
}

/* What is in the host drive, if it can be read; without an error when there is nothing. */
static Image *
open_host_medium(MediaDrive *drive, GError **error)
{
    return media_host_state(drive->host) == HOST_DRIVE_READY
               ? media_host_open(drive->host, !drive->open_read_only, error)
               : NULL;
}

static Image *
open_image(MediaDrive *drive, const char *source, GError **error)
{
    int descriptor;
    const char *name;

    if (g_str_equal(source, MEDIA_SOURCE_CLOSED))
        return NULL;
    if (g_str_equal(source, MEDIA_SOURCE_AGAIN))
        return open_host_medium(drive, error);
    name = media_parse_drive(source, &descriptor);
    set_host(drive, name != NULL ? media_open_host(drive, (uint64_t)descriptor, name) : NULL);
    return name != NULL ? open_host_medium(drive, error) : media_open(drive, source, NULL, error);
}

MediaProperties
media_exchange(MediaDrive *drive, const char *source)
{
    g_autoptr(GError) error = NULL;
    Image *image = NULL;

    /* The host drive told of a change before an image took its place. */
    if (drive->host == NULL && g_strcmp0(source, MEDIA_SOURCE_AGAIN) == 0)
        return media_properties(drive, image_queue_image(drive->images));
    close_image(drive);
    if (source != NULL)
        image = open_image(drive, source, &error);
    else
        set_host(drive, NULL);
    if (error != NULL)
        pdm_driver_runtime_message(drive->driver, PDM_RUNTIME_WARNING, "medium-open",
                                   error->message);
    image_queue_set_image(drive->images, image);
    return media_properties(drive, image);
}

/* --- under the device lock --- */

/* The drive's medium is no more; the worker closes it. */
static void
take_out(MediaDrive *drive)
{
    const PdmMediaPort *port = drive->driver->port;

    if (!drive->medium.present)
        return;
    drive->medium = media_properties(drive, NULL);
    if (port->medium_changed != NULL)
        port->medium_changed(port->user, false);
}

/* A drive of the host keeps its place when its disc comes out. */
void
media_eject(void *user)
{
    MediaDrive *drive = user;

    drive->medium = media_properties(drive, NULL);
    media_submit_change(drive, drive->host != NULL ? MEDIA_SOURCE_CLOSED : NULL);
    if (drive->host != NULL)
        return;
    drive->emptied = true;
    drive->ejected = true;
    if (drive->ejected_told != NULL)
        drive->ejected_told(drive->eject_watcher);
}

void
media_watch_ejects(void *user, void (*told)(void *watcher), void *watcher)
{
    MediaDrive *drive = user;

    pdm_driver_lock(drive->driver);
    drive->ejected_told = told;
    drive->eject_watcher = watcher;
    pdm_driver_unlock(drive->driver);
}

bool
media_take_ejected(void *user)
{
    return atomic_exchange(&((MediaDrive *)user)->ejected, false);
}

bool
media_is_ejected(void *user)
{
    return ((MediaDrive *)user)->emptied;
}

static bool
may_change_medium(MediaDrive *drive, bool force)
{
    const PdmMediaPort *port = drive->driver->port;

    if (drive->connector.type == PDM_MEDIA_DISK)
        return false;
    return !drive->medium.present || port->eject_request == NULL ||
           port->eject_request(port->user, force);
}

bool
media_change(void *user, const char *source, bool force)
{
    MediaDrive *drive = user;

    if (!may_change_medium(drive, force)) {
        media_discard_source(source);
        return false;
    }
    take_out(drive);
    drive->ejected = false;
    drive->emptied = false;
    media_submit_change(drive, source);
    return true;
}

void
media_run_host_changed(void *user, void *item)
{
    MediaDrive *drive = user;

    if (drive->host == NULL)
        return;
    take_out(drive);
    media_submit_change(drive, MEDIA_SOURCE_AGAIN);
}

void
media_move_tray(void *user, bool open)
{
    MediaDrive *drive = user;

    g_mutex_lock(&drive->mutex);
    if (drive->host != NULL)
        media_host_move_tray(drive->host, open);
    g_mutex_unlock(&drive->mutex);
}

void
media_lock(void *user, bool locked)
{
    MediaDrive *drive = user;

    g_mutex_lock(&drive->mutex);
    if (drive->host != NULL)
        media_host_lock(drive->host, locked);
    g_mutex_unlock(&drive->mutex);
}

bool
media_takes_commands(void *user)
{
    MediaDrive *drive = user;
    bool takes;

    g_mutex_lock(&drive->mutex);
    takes = drive->passthrough && drive->host != NULL;
    g_mutex_unlock(&drive->mutex);
    return takes;
}
