/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The reader of a screen's shared memory. The writer runs a hostile guest, so every number read
 * from the memory is copied once and checked against the mapping's own size. */
#include <fcntl.h>
#include <glib-unix.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/api/surface-layout.h"
#include "app/api/vitrine.h"

#define MODE_RETRIES 1000 /* a writer that died inside a change must not hold us */

typedef struct {
    guint32 generation, width, height, stride;
    guint64 offset;
    gboolean enabled;
} Mode;

struct _VitrineSurface {
    GObject parent;
    const SurfaceHeader *header;
    gsize size;
    GSource *updates;
    Mode mode;
    guint64 seen; /* dirty_head at the last take_damage() */
    gboolean all_dirty;
    guint32 cursor_sequence;
    guint32 *cursor_pixels; /* SURFACE_CURSOR_SIDE squared: too large for an instance */
};

G_DEFINE_FINAL_TYPE(VitrineSurface, vitrine_surface, G_TYPE_OBJECT)

static guint32
load32(const uint32_t *word)
{
    return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

static gboolean
mode_fits(const VitrineSurface *surface, const Mode *mode, guint32 format)
{
    return format == SURFACE_FORMAT_XRGB8888 && mode->width > 0 && mode->height > 0 &&
           mode->width <= SURFACE_MAX_SIDE && mode->height <= SURFACE_MAX_SIDE &&
           mode->stride >= mode->width * 4 && mode->stride % 4 == 0 &&
           mode->stride <= SURFACE_MAX_SIDE * 8 && mode->offset >= sizeof(SurfaceHeader) &&
           mode->offset % 4 == 0 && mode->offset <= surface->size &&
           (guint64)mode->stride * mode->height <= surface->size - mode->offset;
}

/* Copies the mode as one whole. FALSE while the writer changes it, or is gone in the middle. */
static gboolean
read_mode(const VitrineSurface *surface, Mode *mode)
{
    const SurfaceHeader *header = surface->header;
    for (guint i = 0; i < MODE_RETRIES; i++) {
        guint32 before = load32(&header->mode_sequence), format;
        mode->generation = load32(&header->generation);
        mode->enabled = load32(&header->enabled) != 0;
        mode->width = load32(&header->width);
        mode->height = load32(&header->height);
        mode->stride = load32(&header->stride);
        mode->offset = __atomic_load_n(&header->pixels_offset, __ATOMIC_ACQUIRE);
        format = load32(&header->format);
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
        if ((before & 1) == 0 && before == load32(&header->mode_sequence)) {
            mode->enabled = mode->enabled && mode_fits(surface, mode, format);
            return TRUE;
        }
    }
    return FALSE;
}

static void
look(VitrineSurface *surface)
{
    Mode mode;
    if (!read_mode(surface, &mode))
        return;
    if (mode.generation != surface->mode.generation || mode.enabled != surface->mode.enabled) {
        surface->mode = mode;
        surface->all_dirty = TRUE;
        g_signal_emit_by_name(surface, "resized");
    }
    guint32 cursor = load32(&surface->header->cursor.sequence);
    if (cursor != surface->cursor_sequence) {
        surface->cursor_sequence = cursor;
        g_signal_emit_by_name(surface, "cursor-changed");
    }
    if (surface->all_dirty ||
        __atomic_load_n(&surface->header->dirty_head, __ATOMIC_ACQUIRE) != surface->seen)
        g_signal_emit_by_name(surface, "updated");
}

static gboolean
on_readable(int fd, GIOCondition condition, gpointer user_data)
{
    g_autoptr(VitrineSurface) surface = g_object_ref(user_data);
    char buffer[256];
    ssize_t got;
    do
        got = read(fd, buffer, sizeof buffer);
    while (got == sizeof buffer);
    look(surface);
    if (got == 0 || (condition & (G_IO_HUP | G_IO_ERR)) != 0) {
        g_clear_pointer(&surface->updates, g_source_unref);
        return G_SOURCE_REMOVE;
    }
    return G_SOURCE_CONTINUE;
}

typedef struct {
    int fd;
    VitrineSurface *surface; /* not owned: dispose() removes the source first */
} Watch;

static gboolean
watch_dispatch(int fd, GIOCondition condition, gpointer user_data)
{
    return on_readable(fd, condition, ((Watch *)user_data)->surface);
}

static void
watch_free(gpointer data)
{
    Watch *watch = data;
    close(watch->fd);
    g_free(watch);
}

static void
watch_updates(VitrineSurface *surface, int fd)
{
    g_autoptr(GMainContext) context = g_main_context_ref_thread_default();
    Watch *watch = g_new(Watch, 1);
    watch->fd = fd;
    watch->surface = surface;
    g_unix_set_fd_nonblocking(fd, TRUE, NULL);
    surface->updates = g_unix_fd_source_new(fd, G_IO_IN | G_IO_HUP | G_IO_ERR);
    g_source_set_callback(surface->updates, G_SOURCE_FUNC(watch_dispatch), watch, watch_free);
    g_source_attach(surface->updates, context);
}

static gboolean
refuse(GError **error, const char *reason)
{
    g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_CORRUPT,
                "The screen's shared memory cannot be used: %s.", reason);
    return FALSE;
}

/* Memory that could shrink would kill the reader with SIGBUS. */
static gboolean
cannot_shrink(int memory)
{
    int seals = fcntl(memory, F_GET_SEALS);
    return seals >= 0 && (seals & F_SEAL_SHRINK) != 0;
}

static gboolean
map(VitrineSurface *surface, int memory, GError **error)
{
    struct stat status;
    if (fstat(memory, &status) < 0 || status.st_size < (off_t)sizeof(SurfaceHeader))
        return refuse(error, "it is too small");
    if (!cannot_shrink(memory))
        return refuse(error, "it is not sealed");
    void *address = mmap(NULL, status.st_size, PROT_READ, MAP_SHARED, memory, 0);
    if (address == MAP_FAILED)
        return refuse(error, g_strerror(errno));
    const SurfaceHeader *header = address;
    if (header->magic != SURFACE_MAGIC || header->version != SURFACE_VERSION) {
        munmap(address, status.st_size);
        return refuse(error, "it has another layout");
    }
    if (surface->header)
        munmap((void *)surface->header, surface->size);
    surface->header = header;
    surface->size = status.st_size;
    return TRUE;
}

static void
unwatch(VitrineSurface *surface)
{
    if (surface->updates)
        g_source_destroy(surface->updates);
    g_clear_pointer(&surface->updates, g_source_unref);
}

gboolean
vitrine_surface_replace(VitrineSurface *surface, int memory, int updates, GError **error)
{
    gboolean mapped = map(surface, memory, error);
    close(memory);
    if (!mapped) {
        if (updates >= 0)
            close(updates);
        return FALSE;
    }
    unwatch(surface);
    if (updates >= 0)
        watch_updates(surface, updates);
    memset(&surface->mode, 0, sizeof surface->mode);
    surface->all_dirty = TRUE;
    surface->seen = 0;
    read_mode(surface, &surface->mode);
    g_signal_emit_by_name(surface, "resized");
    g_signal_emit_by_name(surface, "cursor-changed");
    g_signal_emit_by_name(surface, "updated");
    return TRUE;
}

VitrineSurface *
vitrine_surface_new(int memory, int updates, GError **error)
{
    g_autoptr(VitrineSurface) surface = g_object_new(VITRINE_TYPE_SURFACE, NULL);
    if (!vitrine_surface_replace(surface, memory, updates, error))
        return NULL;
    return g_steal_pointer(&surface);
}

static void
surface_finalize(GObject *object)
{
    VitrineSurface *surface = VITRINE_SURFACE(object);
    unwatch(surface);
    if (surface->header)
        munmap((void *)surface->header, surface->size);
    g_free(surface->cursor_pixels);
    G_OBJECT_CLASS(vitrine_surface_parent_class)->finalize(object);
}

static void
vitrine_surface_class_init(VitrineSurfaceClass *class)
{
    static const char *const names[] = {"updated", "resized", "cursor-changed"};
    G_OBJECT_CLASS(class)->finalize = surface_finalize;
    for (guint i = 0; i < G_N_ELEMENTS(names); i++)
        g_signal_new(names[i], VITRINE_TYPE_SURFACE, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                     G_TYPE_NONE, 0);
}

static void
vitrine_surface_init(VitrineSurface *surface)
{
    surface->cursor_pixels = g_new0(guint32, SURFACE_CURSOR_SIDE * SURFACE_CURSOR_SIDE);
}

gboolean
vitrine_surface_get_enabled(VitrineSurface *surface)
{
    return surface->mode.enabled;
}

guint
vitrine_surface_get_width(VitrineSurface *surface)
{
    return surface->mode.enabled ? surface->mode.width : 0;
}

guint
vitrine_surface_get_height(VitrineSurface *surface)
{
    return surface->mode.enabled ? surface->mode.height : 0;
}

guint
vitrine_surface_get_stride(VitrineSurface *surface)
{
    return surface->mode.enabled ? surface->mode.stride : 0;
}

const guint32 *
vitrine_surface_get_pixels(VitrineSurface *surface)
{
    if (!surface->mode.enabled)
        return NULL;
    return (const guint32 *)((const char *)surface->header + surface->mode.offset);
}

void
vitrine_surface_damage_all(VitrineSurface *surface)
{
    surface->all_dirty = TRUE;
}

/* FALSE when nothing of it is on the screen. */
static gboolean
clip(const Mode *mode, const SurfaceRect *in, VitrineRect *out)
{
    if (in->x >= mode->width || in->y >= mode->height || in->width == 0 || in->height == 0)
        return FALSE;
    out->x = in->x;
    out->y = in->y;
    out->width = MIN(in->width, mode->width - in->x);
    out->height = MIN(in->height, mode->height - in->y);
    return TRUE;
}

static void
join(VitrineRect *into, const VitrineRect *rect)
{
    guint right = MAX(into->x + into->width, rect->x + rect->width);
    guint bottom = MAX(into->y + into->height, rect->y + rect->height);
    into->x = MIN(into->x, rect->x);
    into->y = MIN(into->y, rect->y);
    into->width = right - into->x;
    into->height = bottom - into->y;
}

static guint
take_all(VitrineSurface *surface, VitrineRect *rects)
{
    surface->all_dirty = FALSE;
    if (!surface->mode.enabled)
        return 0;
    rects[0] = (VitrineRect){0, 0, surface->mode.width, surface->mode.height};
    return 1;
}

guint
vitrine_surface_take_damage(VitrineSurface *surface, VitrineRect *rects, guint max)
{
    const SurfaceHeader *header = surface->header;
    guint count = 0;
    g_return_val_if_fail(max > 0, 0);
    guint64 head = __atomic_load_n(&header->dirty_head, __ATOMIC_ACQUIRE);
    guint64 from = surface->seen;
    surface->seen = head;
    if (surface->all_dirty || head - from > SURFACE_RING / 2)
        return take_all(surface, rects);
    for (; from != head; from++) {
        SurfaceRect raw = header->ring[from % SURFACE_RING];
        VitrineRect rect;
        if (!clip(&surface->mode, &raw, &rect))
            continue;
        if (count < max)
            rects[count++] = rect;
        else
            join(&rects[max - 1], &rect);
    }
    /* A writer that went round while we read has overwritten what we took. */
    if (__atomic_load_n(&header->dirty_head, __ATOMIC_ACQUIRE) - head > SURFACE_RING / 2)
        return take_all(surface, rects);
    return surface->mode.enabled ? count : 0;
}

void
vitrine_surface_get_cursor(VitrineSurface *surface, VitrineCursor *cursor)
{
    const SurfaceCursor *shared = &surface->header->cursor;
    memset(cursor, 0, sizeof *cursor);
    for (guint i = 0; i < MODE_RETRIES; i++) {
        guint32 before = load32(&shared->sequence);
        cursor->visible = load32(&shared->visible) != 0;
        cursor->defined = load32(&shared->defined) != 0;
        cursor->x = __atomic_load_n(&shared->x, __ATOMIC_ACQUIRE);
        cursor->y = __atomic_load_n(&shared->y, __ATOMIC_ACQUIRE);
        cursor->width = MIN(load32(&shared->width), SURFACE_CURSOR_SIDE);
        cursor->height = MIN(load32(&shared->height), SURFACE_CURSOR_SIDE);
        cursor->hot_x = MIN(load32(&shared->hot_x), SURFACE_CURSOR_SIDE);
        cursor->hot_y = MIN(load32(&shared->hot_y), SURFACE_CURSOR_SIDE);
        cursor->shape = load32(&shared->shape);
        memcpy(surface->cursor_pixels, shared->pixels,
               (gsize)cursor->width * cursor->height * sizeof(guint32));
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
        if ((before & 1) == 0 && before == load32(&shared->sequence))
            break;
    }
    cursor->pixels = surface->cursor_pixels;
}
