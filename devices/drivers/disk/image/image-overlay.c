/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Pages in a table by position; ranges of zeros in the order in which they came. A page that came
 * later than a range of zeros counts, and a range takes the pages away that came before. */
#include "devices/drivers/disk/image/image-overlay.h"

#include <string.h>

#include "vmm/base/error.h"

#define ZEROS_MAX 8192u

typedef struct {
    uint64_t start, end;
} Zeros;

typedef struct {
    ImageIo io;
    ImageIo *below;
    uint64_t size, below_size;
    GHashTable *pages; /* position to IMAGE_OVERLAY_PAGE bytes */
    GArray *zeros;
} Overlay;

static bool
is_zero(const Overlay *self, uint64_t position)
{
    for (guint i = 0; i < self->zeros->len; i++) {
        const Zeros *range = &g_array_index(self->zeros, Zeros, i);

        if (position >= range->start && position < range->end)
            return true;
    }
    return position >= self->below_size;
}

/* Part of one page. */
static bool
read_part(Overlay *self, uint64_t offset, void *buffer, size_t length, GError **error)
{
    const uint64_t position = offset / IMAGE_OVERLAY_PAGE * IMAGE_OVERLAY_PAGE;
    const uint8_t *page = g_hash_table_lookup(self->pages, &position);
    size_t there = length;

    if (page != NULL) {
        memcpy(buffer, page + (offset - position), length);
        return true;
    }
    memset(buffer, 0, length);
    if (is_zero(self, position) || offset >= self->below_size)
        return true;
    there = (size_t)MIN(length, self->below_size - offset);
    return image_io_read(self->below, offset, buffer, there, error);
}

static bool
overlay_pread(ImageIo *io, uint64_t offset, void *buffer, size_t length, GError **error)
{
    Overlay *self = (Overlay *)io;
    uint8_t *bytes = buffer;

    if (offset > self->size || length > self->size - offset) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_IO, "“%s” ends too early.", io->name);
        return false;
    }
    while (length > 0) {
        const size_t part = MIN(length, IMAGE_OVERLAY_PAGE - offset % IMAGE_OVERLAY_PAGE);

        if (!read_part(self, offset, bytes, part, error))
            return false;
        bytes += part;
        offset += part;
        length -= part;
    }
    return true;
}

static bool
overlay_size(ImageIo *io, uint64_t *size, GError **error)
{
    *size = ((Overlay *)io)->size;
    return true;
}

void
image_overlay_peel(ImageIo *io)
{
    Overlay *self = (Overlay *)io;

    g_hash_table_unref(self->pages);
    g_array_unref(self->zeros);
    g_free(self);
}

static void
overlay_close(ImageIo *io)
{
    image_io_close(((Overlay *)io)->below);
    image_overlay_peel(io);
}

/* It is never written to. */
static const ImageIoOps overlay_ops = {
    .pread = overlay_pread,
    .size = overlay_size,
    .close = overlay_close,
};

ImageIo *
image_overlay_new(ImageIo *below, uint64_t size)
{
    Overlay *self = g_new0(Overlay, 1);

    self->io = (ImageIo){&overlay_ops, below->name, false};
    self->below = below;
    self->size = self->below_size = size;
    self->pages = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free);
    self->zeros = g_array_new(FALSE, FALSE, sizeof(Zeros));
    return &self->io;
}

void
image_overlay_put(ImageIo *io, uint64_t position, const uint8_t *page)
{
    Overlay *self = (Overlay *)io;

    g_hash_table_replace(self->pages, g_memdup2(&position, sizeof position),
                         g_memdup2(page, IMAGE_OVERLAY_PAGE));
    self->size = MAX(self->size, position + IMAGE_OVERLAY_PAGE);
}

static gboolean
lies_in(gpointer key, gpointer page, gpointer user)
{
    const uint64_t position = *(const uint64_t *)key;
    const Zeros *range = user;

    return position >= range->start && position < range->end;
}

bool
image_overlay_zero(ImageIo *io, uint64_t position, uint64_t length)
{
    Overlay *self = (Overlay *)io;
    Zeros range = {position, position + length};

    if (self->zeros->len == ZEROS_MAX)
        return false;
    g_hash_table_foreach_remove(self->pages, lies_in, &range);
    g_array_append_val(self->zeros, range);
    self->size = MAX(self->size, range.end);
    return true;
}

void
image_overlay_extend(ImageIo *io, uint64_t size)
{
    Overlay *self = (Overlay *)io;

    self->size = MAX(self->size, size);
}
