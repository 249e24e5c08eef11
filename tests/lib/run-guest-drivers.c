/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A screen in memory and a character stream on descriptors. */
#include "tests/lib/run-guest-drivers.h"

#include <cairo.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

typedef struct {
    RunDisplay *display;
    PdmDisplayConnector connector;
} DisplayInstance;

static const PdmSurface *
display_resize(void *user, uint32_t width, uint32_t height)
{
    RunDisplay *display = ((DisplayInstance *)user)->display;
    PdmSurface surface = {width, height, width * 4, NULL};

    g_free(display->surface.pixels);
    surface.pixels = g_try_malloc0((size_t)surface.stride * height);
    display->surface = surface.pixels != NULL ? surface : (PdmSurface){0};
    return &display->surface;
}

static const PdmSurface *
display_surface(void *user)
{
    return &((DisplayInstance *)user)->display->surface;
}

static void
display_dirty(void *user, uint32_t x, uint32_t y, uint32_t width, uint32_t height)
{
    ((DisplayInstance *)user)->display->frames++;
}

static void
display_cursor(void *user, uint32_t width, uint32_t height, uint32_t hot_x, uint32_t hot_y,
               const uint32_t *pixels)
{
    /* A screenshot has no pointer. */
}

static bool
display_construct(PdmDriver *driver, const CfgmNode *config, GError **error)
{
    DisplayInstance *instance = driver->data;

    instance->display = driver->host;
    instance->display->driver = driver;
    instance->connector = (PdmDisplayConnector){
        .user = instance,
        .resize = display_resize,
        .surface = display_surface,
        .dirty = display_dirty,
        .cursor = display_cursor,
    };
    driver->connector = &instance->connector;
    return true;
}

static void
display_destruct(PdmDriver *driver)
{
    RunDisplay *display = driver->host;

    g_clear_pointer(&display->surface.pixels, g_free);
    display->surface = (PdmSurface){0};
    display->driver = NULL;
}

static const PdmDriverInfo run_display_driver = {
    .abi = PDM_ABI_VERSION,
    .name = RUN_DISPLAY_DRIVER,
    .title = "Screen of run-guest",
    .interface = PDM_IF_DISPLAY,
    .instance_size = sizeof(DisplayInstance),
    .construct = display_construct,
    .destruct = display_destruct,
};

void
run_display_update(RunDisplay *display)
{
    const PdmDisplayPort *port = display->driver->port;

    pdm_driver_lock(display->driver);
    port->update(port->user, false);
    pdm_driver_unlock(display->driver);
}

char *
run_display_text(RunDisplay *display)
{
    const PdmDisplayPort *port = display->driver->port;
    char *text;

    pdm_driver_lock(display->driver);
    text = port->text != NULL ? port->text(port->user) : NULL;
    pdm_driver_unlock(display->driver);
    return text;
}

static bool
write_ppm(const PdmSurface *surface, const char *path)
{
    FILE *file = fopen(path, "wb");
    bool ok = file != NULL;

    if (!ok)
        return false;
    fprintf(file, "P6\n%u %u\n255\n", surface->width, surface->height);
    for (uint32_t y = 0; y < surface->height; y++) {
        const uint8_t *pixel = surface->pixels + (size_t)y * surface->stride;

        for (uint32_t x = 0; x < surface->width; x++, pixel += 4) {
            const uint8_t rgb[3] = {pixel[2], pixel[1], pixel[0]};

            ok = fwrite(rgb, 1, 3, file) == 3 && ok;
        }
    }
    return fclose(file) == 0 && ok;
}

static bool
write_png(const PdmSurface *surface, const char *path)
{
    cairo_surface_t *image = cairo_image_surface_create_for_data(
        surface->pixels, CAIRO_FORMAT_RGB24, (int)surface->width, (int)surface->height,
        (int)surface->stride);
    const cairo_status_t status = cairo_surface_write_to_png(image, path);

    cairo_surface_destroy(image);
    return status == CAIRO_STATUS_SUCCESS;
}

bool
run_display_write(RunDisplay *display, const char *path, GError **error)
{
    bool ok;

    run_display_update(display);
    pdm_driver_lock(display->driver);
    if (display->surface.pixels == NULL)
        ok = false;
    else if (g_str_has_suffix(path, ".png"))
        ok = write_png(&display->surface, path);
    else
        ok = write_ppm(&display->surface, path);
    pdm_driver_unlock(display->driver);
    if (!ok)
        g_set_error(error, BASE_ERROR, BASE_ERROR_IO, "%s: the picture cannot be written", path);
    return ok;
}

typedef struct {
    RunChar *stream;
    PdmCharConnector connector;
} CharInstance;

static size_t
char_send(void *user, const uint8_t *data, size_t size)
{
    RunChar *stream = ((CharInstance *)user)->stream;
    size_t done = 0;

    g_string_append_len(stream->text, (const char *)data, (gssize)size);
    while (stream->out >= 0 && done < size) {
        const ssize_t part = write(stream->out, data + done, size - done);

        if (part <= 0 && errno != EINTR)
            break;
        done += part > 0 ? (size_t)part : 0;
    }
    return size;
}

static void
char_receive_ready(void *user)
{
    /* run_char_poll() asks again. */
}

static bool
char_construct(PdmDriver *driver, const CfgmNode *config, GError **error)
{
    CharInstance *instance = driver->data;

    instance->stream = driver->host;
    instance->stream->driver = driver;
    instance->connector = (PdmCharConnector){
        .user = instance,
        .send = char_send,
        .receive_ready = char_receive_ready,
    };
    driver->connector = &instance->connector;
    return true;
}

static void
char_destruct(PdmDriver *driver)
{
    ((CharInstance *)driver->data)->stream->driver = NULL;
}

static const PdmDriverInfo run_char_driver = {
    .abi = PDM_ABI_VERSION,
    .name = RUN_CHAR_DRIVER,
    .title = "Character stream of run-guest",
    .interface = PDM_IF_CHAR,
    .instance_size = sizeof(CharInstance),
    .construct = char_construct,
    .destruct = char_destruct,
};

void
run_char_poll(RunChar *stream)
{
    struct pollfd waiting = {.fd = stream->in, .events = POLLIN};
    const PdmCharPort *port;
    uint8_t data[64];

    if (stream->in < 0 || stream->driver == NULL || poll(&waiting, 1, 0) <= 0)
        return;
    port = stream->driver->port;
    pdm_driver_lock(stream->driver);
    const size_t room = MIN(port->can_receive(port->user), sizeof(data));
    const ssize_t got = room > 0 ? read(stream->in, data, room) : -1;

    if (got > 0)
        port->receive(port->user, data, (size_t)got);
    else if (got == 0)
        stream->in = -1;
    pdm_driver_unlock(stream->driver);
}

bool
run_drivers_register(PdmRegistry *registry, GError **error)
{
    return pdm_registry_add_driver(registry, &run_display_driver, error) &&
           pdm_registry_add_driver(registry, &run_char_driver, error);
}
