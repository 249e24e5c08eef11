/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Pictures in files of saved states; see state-picture.h. */
#include "app/api/state-picture.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAGIC "Vitrine picture\n"
#define MAGIC_SIZE (sizeof(MAGIC) - 1)

typedef struct {
    guint64 length;
    char magic[MAGIC_SIZE];
} Tail;

G_STATIC_ASSERT(sizeof(Tail) == 24);

static gboolean
write_at(int fd, gconstpointer data, gsize length, off_t offset)
{
    return pwrite(fd, data, length, offset) == (ssize_t)length;
}

gboolean
state_picture_append(int fd, GBytes *png)
{
    gsize length;
    gconstpointer data = g_bytes_get_data(png, &length);
    Tail tail = {.length = GUINT64_TO_LE(length)};
    struct stat status;

    if (length == 0 || length > STATE_PICTURE_MAX || fstat(fd, &status) < 0)
        return FALSE;
    memcpy(tail.magic, MAGIC, MAGIC_SIZE);
    if (write_at(fd, data, length, status.st_size) &&
        write_at(fd, &tail, sizeof(tail), status.st_size + (off_t)length))
        return TRUE;
    /* Half of one would only take room: without the tail it is not found. */
    if (ftruncate(fd, status.st_size) < 0)
        g_debug("Half of a picture stays behind a saved state.");
    return FALSE;
}

GBytes *
state_picture_read(int fd)
{
    const off_t tail_size = (off_t)sizeof(Tail);
    struct stat status;
    Tail tail;

    if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode) || status.st_size < tail_size ||
        pread(fd, &tail, sizeof(tail), status.st_size - tail_size) != (ssize_t)sizeof(tail) ||
        memcmp(tail.magic, MAGIC, MAGIC_SIZE) != 0)
        return NULL;
    const guint64 length = GUINT64_FROM_LE(tail.length);
    if (length == 0 || length > STATE_PICTURE_MAX || (off_t)length > status.st_size - tail_size)
        return NULL;
    g_autofree char *data = g_malloc(length);
    const off_t at = status.st_size - tail_size - (off_t)length;
    if (pread(fd, data, length, at) != (ssize_t)length)
        return NULL;
    return g_bytes_new_take(g_steal_pointer(&data), length);
}
