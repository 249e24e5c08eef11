/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * See the header. The drive is open once, and an image of its medium has a copy of that descriptor:
 * the host moves a tray and unlocks a door only for somebody who has the drive alone. */
#include "devices/drivers/disk/media-host.h"

#include <errno.h>

typedef enum { WISH_NONE, WISH_NO, WISH_YES } Wish;

struct MediaHost {
    MediaHostInfo info;
    char *name;
    int descriptor;
    GThread *thread;

    GMutex mutex; /* for what follows; never held while the drive is at work */
    GCond cond;
    bool stop;
    Wish tray_open, locked;
    HostDriveState state;
    unsigned commands; /* under way: looking would come between them */
};

/* --- on the thread --- */

static void
tell(const MediaHost *host, const char *id, const char *what)
{
    g_autofree char *text = g_strdup_printf("The host's drive “%s” %s", host->name, what);

    host->info.message(host->info.user, id, text);
}

static void
tell_state(const MediaHost *host, HostDriveState state)
{
    if (state == HOST_DRIVE_GONE)
        tell(host, "host-drive-gone",
             "has been unplugged. The guest sees an empty drive. Plug it in again, then choose it "
             "in the Devices menu.");
    else if (state == HOST_DRIVE_UNREADABLE)
        tell(host, "host-drive-unreadable",
             "has a disc without data: it is blank, or holds only audio. The guest sees an empty "
             "drive unless commands are passed through to it (Settings, Storage).");
}

/* moved: its tray has been, so that what was in it has to be opened again in any case. */
static void
look(MediaHost *host, bool moved)
{
    bool changed;
    HostDriveState state = host_drive_look(host->descriptor, host->info.type, &changed);
    HostDriveState before;

    g_mutex_lock(&host->mutex);
    before = host->state;
    host->state = state;
    g_mutex_unlock(&host->mutex);
    if (state != before)
        tell_state(host, state);
    if (state != before || moved || (changed && state == HOST_DRIVE_READY))
        host->info.changed(host->info.user);
}

static void
move_tray(const MediaHost *host, bool open)
{
    if (host_drive_move_tray(host->descriptor, open))
        return;
    if (errno == EBUSY)
        tell(host, "host-drive-busy",
             "keeps its tray as it is, because another program uses it. Unmount the disc on the "
             "host, then try again.");
    else if (open && errno != ENODEV && errno != ENOSYS && errno != EOPNOTSUPP)
        tell(host, "host-drive-tray", "did not open its tray. Press the button on the drive.");
}

/* True: the tray was moved. The mutex is held before and afterwards. */
static bool
fulfil(MediaHost *host)
{
    const Wish locked = host->locked, tray_open = host->tray_open;

    host->locked = host->tray_open = WISH_NONE;
    g_mutex_unlock(&host->mutex);
    /* A drive without a lock on its door is used all the same. */
    if (locked != WISH_NONE)
        host_drive_lock(host->descriptor, locked == WISH_YES);
    if (tray_open != WISH_NONE)
        move_tray(host, tray_open == WISH_YES);
    g_mutex_lock(&host->mutex);
    return tray_open != WISH_NONE;
}

static gpointer
watch(gpointer data)
{
    MediaHost *host = data;

    g_mutex_lock(&host->mutex);
    while (!host->stop) {
        const gint64 end =
            g_get_monotonic_time() + host->info.interval_ms * G_TIME_SPAN_MILLISECOND;
        bool moved;

        while (!host->stop && host->locked == WISH_NONE && host->tray_open == WISH_NONE &&
               g_cond_wait_until(&host->cond, &host->mutex, end))
            ;
        if (host->stop)
            break;
        moved = fulfil(host);
        if (host->state == HOST_DRIVE_GONE || host->commands > 0)
            continue;
        g_mutex_unlock(&host->mutex);
        look(host, moved);
        g_mutex_lock(&host->mutex);
    }
    g_mutex_unlock(&host->mutex);
    return NULL;
}

/* --- from outside --- */

MediaHost *
media_host_new(int descriptor, const MediaHostInfo *info)
{
    MediaHost *host = g_new0(MediaHost, 1);
    bool changed;

    host->info = *info;
    host->name = g_strdup(info->name);
    host->descriptor = descriptor;
    g_mutex_init(&host->mutex);
    g_cond_init(&host->cond);
    host->state = host_drive_look(descriptor, info->type, &changed);
    tell_state(host, host->state);
    host->thread = g_thread_new("host-drive", watch, host);
    return host;
}

void
media_host_free(MediaHost *host)
{
    if (host == NULL)
        return;
    g_mutex_lock(&host->mutex);
    host->stop = true;
    g_cond_signal(&host->cond);
    g_mutex_unlock(&host->mutex);
    g_thread_join(host->thread);
    host_drive_lock(host->descriptor, false);
    host_drive_close(host->descriptor);
    g_mutex_clear(&host->mutex);
    g_cond_clear(&host->cond);
    g_free(host->name);
    g_free(host);
}

HostDriveState
media_host_state(MediaHost *host)
{
    HostDriveState state;

    g_mutex_lock(&host->mutex);
    state = host->state;
    g_mutex_unlock(&host->mutex);
    return state;
}

static void
wish(MediaHost *host, Wish *which, bool value)
{
    g_mutex_lock(&host->mutex);
    *which = value ? WISH_YES : WISH_NO;
    g_cond_signal(&host->cond);
    g_mutex_unlock(&host->mutex);
}

void
media_host_lock(MediaHost *host, bool locked)
{
    wish(host, &host->locked, locked);
}

void
media_host_move_tray(MediaHost *host, bool open)
{
    wish(host, &host->tray_open, open);
}

Image *
media_host_open(MediaHost *host, bool writable, GError **error)
{
    g_autoptr(BaseFile) file = NULL;
    int copy;

    host_drive_reopen(host->descriptor, host->info.type);
    copy = host_drive_copy(host->descriptor);
    if (copy < 0) {
        base_error_set_errno(error, errno, "Could not use the host's drive “%s”", host->name);
        return NULL;
    }
    file = base_file_new_from_descriptor(copy, host->name, error);
    if (file == NULL)
        return NULL;
    writable = writable && base_file_is_writable(file) && host->info.type == PDM_MEDIA_FLOPPY;
    if (!base_file_lock(file, base_file_is_writable(file), error))
        return NULL;
    return image_open_io(image_io_new_file(g_steal_pointer(&file)),
                         host->info.type == PDM_MEDIA_OPTICAL ? "ISO" : "RAW",
                         writable ? IMAGE_OPEN_READ_WRITE : IMAGE_OPEN_READ_ONLY, error);
}

int
media_host_command(MediaHost *host, PdmMediaCommand *command, void *buffer, uint32_t size)
{
    int error;

    g_mutex_lock(&host->mutex);
    host->commands++;
    g_mutex_unlock(&host->mutex);
    error = host_drive_command(host->descriptor, command, buffer, size);
    g_mutex_lock(&host->mutex);
    host->commands--;
    g_mutex_unlock(&host->mutex);
    return error;
}
