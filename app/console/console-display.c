/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The writer of a screen's shared memory. The device draws into it under the device lock when this
 * thread asks: 60 times a second while the picture moves and somebody looks, less often when it
 * stands still. */
#include "app/console/console-display.h"

#include "app/console/console-png.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Room for every mode of the devices we have; the file is sparse, untouched pages cost nothing. */
#define CAPACITY_WIDTH 2560u
#define CAPACITY_HEIGHT 2048u

#define INTERVAL_MOVING_US (G_USEC_PER_SEC / 60)
#define INTERVAL_STILL_US (G_USEC_PER_SEC / 15)
#define INTERVAL_UNSEEN_US (G_USEC_PER_SEC / 2)
#define MOVING_UPDATES 30 /* looks without a change before the pace slows down */

struct ConsoleDisplay {
    ConsoleDisplayEvents events;
    PdmDisplayConnector connector;
    const PdmDisplayPort *port; /* NULL while no device is attached */
    Pdm *pdm;
    PdmSurface surface;

    int descriptor;
    uint64_t size;
    SurfaceHeader *header;

    GThread *thread;
    GMutex mutex; /* for stop and wake */
    GCond wake;
    bool stop;
    gint seen; /* somebody has the shared memory; atomic */

    /* The display thread's, set by the connector under the device lock. */
    bool changed, resized;
};

static bool
make_memory(ConsoleDisplay *display, GError **error)
{
    display->size = surface_size_for(CAPACITY_WIDTH, CAPACITY_HEIGHT);
    display->descriptor = memfd_create("vitrine-screen", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (display->descriptor < 0 || ftruncate(display->descriptor, (off_t)display->size) < 0) {
        base_error_set_errno(error, errno, "The memory for the screen cannot be made");
        return false;
    }
    fcntl(display->descriptor, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW);
    display->header =
        mmap(NULL, display->size, PROT_READ | PROT_WRITE, MAP_SHARED, display->descriptor, 0);
    if (display->header == MAP_FAILED) {
        base_error_set_errno(error, errno, "The memory for the screen cannot be mapped");
        display->header = NULL;
        return false;
    }
    display->header->magic = SURFACE_MAGIC;
    display->header->version = SURFACE_VERSION;
    display->header->total_size = display->size;
    display->header->format = SURFACE_FORMAT_XRGB8888;
    display->header->pixels_offset = surface_pixels_offset();
    return true;
}

static void
add_dirty(ConsoleDisplay *display, SurfaceRect rect)
{
    SurfaceHeader *header = display->header;
    uint64_t head = header->dirty_head;

    header->ring[head % SURFACE_RING] = rect;
    __atomic_store_n(&header->dirty_head, head + 1, __ATOMIC_RELEASE);
    display->changed = true;
}

static const PdmSurface *
connector_resize(void *user, uint32_t width, uint32_t height)
{
    ConsoleDisplay *display = user;
    SurfaceHeader *header = display->header;

    if (width > CAPACITY_WIDTH || height > CAPACITY_HEIGHT) {
        display->surface.width = 0;
        return &display->surface;
    }
    display->surface = (PdmSurface){
        .width = width,
        .height = height,
        .stride = width * 4,
        .pixels = (uint8_t *)header + header->pixels_offset,
    };
    __atomic_add_fetch(&header->mode_sequence, 1, __ATOMIC_RELEASE);
    header->width = width;
    header->height = height;
    header->stride = width * 4;
    header->enabled = 1;
    header->generation++;
    __atomic_add_fetch(&header->mode_sequence, 1, __ATOMIC_RELEASE);
    add_dirty(display, (SurfaceRect){0, 0, width, height});
    display->resized = true;
    return &display->surface;
}

static const PdmSurface *
connector_surface(void *user)
{
    ConsoleDisplay *display = user;

    return display->surface.pixels ? &display->surface : NULL;
}

static void
connector_dirty(void *user, uint32_t x, uint32_t y, uint32_t width, uint32_t height)
{
    add_dirty(user, (SurfaceRect){x, y, width, height});
}

static void
connector_cursor(void *user, uint32_t width, uint32_t height, uint32_t hot_x, uint32_t hot_y,
                 const uint32_t *pixels)
{
    ConsoleDisplay *display = user;
    SurfaceCursor *cursor = &display->header->cursor;

    if (width > SURFACE_CURSOR_SIDE || height > SURFACE_CURSOR_SIDE)
        return;
    __atomic_add_fetch(&cursor->sequence, 1, __ATOMIC_RELEASE);
    cursor->visible = pixels != NULL;
    if (pixels) {
        cursor->defined = 1;
        cursor->width = width;
        cursor->height = height;
        cursor->hot_x = hot_x;
        cursor->hot_y = hot_y;
        cursor->shape++;
        memcpy(cursor->pixels, pixels, (size_t)width * height * 4);
    }
    __atomic_add_fetch(&cursor->sequence, 1, __ATOMIC_RELEASE);
    display->changed = true;
}

/* --- the thread --- */
/* Asks the device; true when something changed. */
static bool
update(ConsoleDisplay *display, bool everything)
{
    GRecMutex *lock = pdm_device_lock(display->pdm);
    bool changed, resized;
    unsigned width, height;

    g_rec_mutex_lock(lock);
    if (display->port)
        display->port->update(display->port->user, everything);
    changed = display->changed;
    resized = display->resized;
    display->changed = display->resized = false;
    width = display->surface.width;
    height = display->surface.height;
    g_rec_mutex_unlock(lock);
    if (resized)
        display->events.resized(display->events.user, width, height);
    if (changed)
        display->events.updated(display->events.user);
    return changed;
}

static gint64
interval(const ConsoleDisplay *display, unsigned still)
{
    if (!g_atomic_int_get(&display->seen))
        return INTERVAL_UNSEEN_US;
    return still < MOVING_UPDATES ? INTERVAL_MOVING_US : INTERVAL_STILL_US;
}

static void *
run(void *data)
{
    ConsoleDisplay *display = data;
    unsigned still = 0;

    g_mutex_lock(&display->mutex);
    while (!display->stop) {
        gint64 end;
        g_mutex_unlock(&display->mutex);
        still = update(display, false) ? 0 : still + 1;
        g_mutex_lock(&display->mutex);
        end = g_get_monotonic_time() + interval(display, still);
        if (!display->stop)
            g_cond_wait_until(&display->wake, &display->mutex, end);
    }
    g_mutex_unlock(&display->mutex);
    return NULL;
}

void
console_display_start(ConsoleDisplay *display, Pdm *pdm)
{
    display->pdm = pdm;
    display->stop = false;
    display->thread = g_thread_new("display", run, display);
}

void
console_display_stop(ConsoleDisplay *display)
{
    if (!display->thread)
        return;
    g_mutex_lock(&display->mutex);
    display->stop = true;
    g_cond_signal(&display->wake);
    g_mutex_unlock(&display->mutex);
    g_clear_pointer(&display->thread, g_thread_join);
    display->pdm = NULL;
}

int
console_display_descriptor(ConsoleDisplay *display)
{
    if (!g_atomic_int_exchange(&display->seen, 1)) {
        g_mutex_lock(&display->mutex);
        g_cond_signal(&display->wake);
        g_mutex_unlock(&display->mutex);
    }
    return display->descriptor;
}

/* A copy of the present picture, rows without gaps; free with g_free(). */
static uint8_t *
copy_picture(ConsoleDisplay *display, uint32_t *width, uint32_t *height, GError **error)
{
    const SurfaceHeader *header = display->header;
    g_autofree uint8_t *copy = NULL;
    GRecMutex *lock;

    if (!display->pdm) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_STATE, "The machine has no screen at present.");
        return NULL;
    }
    update(display, false);
    lock = pdm_device_lock(display->pdm);
    g_rec_mutex_lock(lock);
    *width = display->surface.width;
    *height = display->surface.height;
    copy = g_memdup2((const uint8_t *)header + header->pixels_offset, (gsize)*width * *height * 4);
    g_rec_mutex_unlock(lock);
    if (*width == 0 || *height == 0) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_STATE, "The machine's screen is off.");
        return NULL;
    }
    return g_steal_pointer(&copy);
}

GBytes *
console_display_png(ConsoleDisplay *display, GError **error)
{
    uint32_t width, height;
    g_autofree uint8_t *copy = copy_picture(display, &width, &height, error);

    return copy ? console_png_encode(copy, width, height, width * 4, error) : NULL;
}

GBytes *
console_display_small_png(ConsoleDisplay *display, unsigned max_width, unsigned max_height,
                          GError **error)
{
    uint32_t width, height;
    g_autofree uint8_t *copy = copy_picture(display, &width, &height, error);

    return copy ? console_png_encode_small(copy, width, height, width * 4, max_width, max_height,
                                           error)
                : NULL;
}

char *
console_display_text(ConsoleDisplay *display)
{
    GRecMutex *lock;
    char *text;

    if (!display->pdm || !display->port || !display->port->text)
        return NULL;
    lock = pdm_device_lock(display->pdm);
    g_rec_mutex_lock(lock);
    text = display->port->text(display->port->user);
    g_rec_mutex_unlock(lock);
    return text;
}

uint64_t
console_display_updates(const ConsoleDisplay *display)
{
    return __atomic_load_n(&display->header->dirty_head, __ATOMIC_RELAXED);
}

void
console_display_size(ConsoleDisplay *display, unsigned *width, unsigned *height)
{
    *width = display->header->width;
    *height = display->header->height;
}

ConsoleDisplay *
console_display_new(const ConsoleDisplayEvents *events, GError **error)
{
    ConsoleDisplay *display = g_new0(ConsoleDisplay, 1);

    display->events = *events;
    display->descriptor = -1;
    g_mutex_init(&display->mutex);
    g_cond_init(&display->wake);
    display->connector = (PdmDisplayConnector){
        .user = display,
        .resize = connector_resize,
        .surface = connector_surface,
        .dirty = connector_dirty,
        .cursor = connector_cursor,
    };
    if (!make_memory(display, error)) {
        console_display_free(display);
        return NULL;
    }
    return display;
}

void
console_display_free(ConsoleDisplay *display)
{
    if (!display)
        return;
    if (display->header)
        munmap(display->header, display->size);
    if (display->descriptor >= 0)
        close(display->descriptor);
    g_mutex_clear(&display->mutex);
    g_cond_clear(&display->wake);
    g_free(display);
}

static bool
driver_construct(PdmDriver *driver, const CfgmNode *config, GError **error)
{
    ConsoleDisplay *display = driver->host;

    if (!display) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_INVALID,
                    "The display driver has no screen to draw on.");
        return false;
    }
    display->port = driver->port;
    driver->connector = &display->connector;
    return true;
}

static void
driver_destruct(PdmDriver *driver)
{
    ConsoleDisplay *display = driver->host;

    if (display)
        display->port = NULL;
}

const PdmDriverInfo console_display_driver = {
    .abi = PDM_ABI_VERSION,
    .name = "console-display",
    .title = "Shared-memory screen",
    .interface = PDM_IF_DISPLAY,
    .construct = driver_construct,
    .destruct = driver_destruct,
};
