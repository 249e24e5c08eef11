/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Records behind saved states; see state-tail.h. */
#include "app/api/state-tail.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAGIC_FORMAT "Vitrine %s\n"
#define MAGIC_SIZE 16u

static const char *const kinds[] = {STATE_TAIL_PICTURE, STATE_TAIL_EJECTED};

typedef struct {
    guint64 length;
    char magic[MAGIC_SIZE];
} Tail;

G_STATIC_ASSERT(sizeof(Tail) == 24);
G_STATIC_ASSERT(sizeof(STATE_TAIL_PICTURE) == sizeof(STATE_TAIL_EJECTED) &&
                sizeof("Vitrine \n") + sizeof(STATE_TAIL_PICTURE) - 2 == MAGIC_SIZE);

static void
make_magic(const char *kind, char magic[MAGIC_SIZE])
{
    char text[MAGIC_SIZE + 1];

    g_snprintf(text, sizeof(text), MAGIC_FORMAT, kind);
    memcpy(magic, text, MAGIC_SIZE);
}

static gboolean
is_kind(const Tail *tail, const char *kind)
{
    char magic[MAGIC_SIZE];

    make_magic(kind, magic);
    return memcmp(tail->magic, magic, MAGIC_SIZE) == 0;
}

static gboolean
write_at(int fd, gconstpointer data, gsize length, off_t offset)
{
    return pwrite(fd, data, length, offset) == (ssize_t)length;
}

gboolean
state_tail_append(int fd, const char *kind, GBytes *bytes)
{
    gsize length;
    gconstpointer data = g_bytes_get_data(bytes, &length);
    Tail tail = {.length = GUINT64_TO_LE(length)};
    struct stat status;

    if (length == 0 || length > STATE_TAIL_MAX || fstat(fd, &status) < 0)
        return FALSE;
    make_magic(kind, tail.magic);
    if (write_at(fd, data, length, status.st_size) &&
        write_at(fd, &tail, sizeof(tail), status.st_size + (off_t)length))
        return TRUE;
    /* Half of one would only take room: without the tail it is not found. */
    if (ftruncate(fd, status.st_size) < 0)
        g_debug("Half of a record stays behind a saved state.");
    return FALSE;
}

/* The record that ends at *end, where the one before it ends afterwards. */
static gboolean
step_back(int fd, off_t *end, Tail *tail)
{
    const off_t tail_size = (off_t)sizeof(Tail);
    gboolean known = FALSE;

    if (*end < tail_size ||
        pread(fd, tail, sizeof(*tail), *end - tail_size) != (ssize_t)sizeof(*tail))
        return FALSE;
    for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++)
        known = known || is_kind(tail, kinds[i]);
    tail->length = GUINT64_FROM_LE(tail->length);
    if (!known || tail->length == 0 || tail->length > STATE_TAIL_MAX ||
        (off_t)tail->length > *end - tail_size)
        return FALSE;
    *end -= tail_size + (off_t)tail->length;
    return TRUE;
}

GBytes *
state_tail_read(int fd, const char *kind)
{
    struct stat status;
    Tail tail = {0};

    if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode))
        return NULL;
    for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++) {
        if (!step_back(fd, &status.st_size, &tail))
            return NULL;
        if (!is_kind(&tail, kind))
            continue;
        g_autofree char *data = g_malloc(tail.length);
        if (pread(fd, data, tail.length, status.st_size) != (ssize_t)tail.length)
            return NULL;
        return g_bytes_new_take(g_steal_pointer(&data), tail.length);
    }
    return NULL;
}
