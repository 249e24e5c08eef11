/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Fake character, display, keyboard and mouse drivers, and the list of all fakes. */
#include "tests/lib/bench-drivers.h"

#include "tests/lib/bench-audio.h"
#include "tests/lib/bench-network.h"

#include <string.h>

extern const PdmDriverInfo bench_media_driver;

static size_t
char_send(void *user, const uint8_t *data, size_t size)
{
    BenchChar *fake = user;
    const size_t taken = MIN(size, fake->room);

    g_byte_array_append(fake->sent, data, (guint)taken);
    if (fake->room != SIZE_MAX)
        fake->room -= taken;
    return taken;
}

static void
char_ready(void *user)
{
    ((BenchChar *)user)->ready_calls++;
}

static void
char_set_line(void *user, unsigned baud, unsigned data_bits, char parity, unsigned stop_bits)
{
    BenchChar *fake = user;

    fake->baud = baud;
    fake->data_bits = data_bits;
    fake->parity = parity;
    fake->stop_bits = stop_bits;
}

static void
char_set_modem(void *user, bool dtr, bool rts)
{
    BenchChar *fake = user;

    fake->dtr = dtr;
    fake->rts = rts;
}

static void
char_set_break(void *user, bool on)
{
    ((BenchChar *)user)->break_on = on;
}

static bool
char_construct(PdmDriver *driver, const CfgmNode *config, GError **error)
{
    BenchChar *fake = driver->data;

    fake->sent = g_byte_array_new();
    fake->room = SIZE_MAX;
    fake->connector = (PdmCharConnector){
        .user = fake,
        .send = char_send,
        .receive_ready = char_ready,
        .set_line = char_set_line,
        .set_modem = char_set_modem,
        .set_break = char_set_break,
    };
    driver->connector = &fake->connector;
    return true;
}

static void
char_destruct(PdmDriver *driver)
{
    g_byte_array_unref(((BenchChar *)driver->data)->sent);
}

static const PdmDriverInfo bench_char_driver = {
    .abi = PDM_ABI_VERSION,
    .name = "bench-char",
    .title = "Character stream of the bench",
    .interface = PDM_IF_CHAR,
    .instance_size = sizeof(BenchChar),
    .construct = char_construct,
    .destruct = char_destruct,
};

static const PdmSurface *
display_resize(void *user, uint32_t width, uint32_t height)
{
    BenchDisplay *fake = user;

    g_clear_pointer(&fake->surface.pixels, g_free);
    fake->resizes++;
    fake->surface = (PdmSurface){0};
    if (!fake->no_memory) {
        fake->surface = (PdmSurface){width, height, width * 4, NULL};
        fake->surface.pixels = g_malloc0((size_t)fake->surface.stride * height);
    }
    return &fake->surface;
}

static const PdmSurface *
display_surface(void *user)
{
    return &((BenchDisplay *)user)->surface;
}

static void
display_dirty(void *user, uint32_t x, uint32_t y, uint32_t width, uint32_t height)
{
    BenchDisplay *fake = user;

    g_assert_cmpuint(x + width, <=, fake->surface.width);
    g_assert_cmpuint(y + height, <=, fake->surface.height);
    fake->dirty_calls++;
    fake->dirty_width = width;
    fake->dirty_height = height;
}

static void
display_cursor(void *user, uint32_t width, uint32_t height, uint32_t hot_x, uint32_t hot_y,
               const uint32_t *pixels)
{
    BenchDisplay *fake = user;

    fake->cursor_width = pixels != NULL ? width : 0;
    fake->cursor_height = pixels != NULL ? height : 0;
}

static bool
display_construct(PdmDriver *driver, const CfgmNode *config, GError **error)
{
    BenchDisplay *fake = driver->data;

    fake->connector = (PdmDisplayConnector){
        .user = fake,
        .resize = display_resize,
        .surface = display_surface,
        .dirty = display_dirty,
        .cursor = display_cursor,
    };
    driver->connector = &fake->connector;
    return true;
}

static void
display_destruct(PdmDriver *driver)
{
    g_free(((BenchDisplay *)driver->data)->surface.pixels);
}

static const PdmDriverInfo bench_display_driver = {
    .abi = PDM_ABI_VERSION,
    .name = "bench-display",
    .title = "Display of the bench",
    .interface = PDM_IF_DISPLAY,
    .instance_size = sizeof(BenchDisplay),
    .construct = display_construct,
    .destruct = display_destruct,
};

static void
keyboard_leds(void *user, bool num, bool caps, bool scroll)
{
    BenchKeyboard *fake = user;

    fake->num = num;
    fake->caps = caps;
    fake->scroll = scroll;
}

static bool
keyboard_construct(PdmDriver *driver, const CfgmNode *config, GError **error)
{
    BenchKeyboard *fake = driver->data;

    fake->connector = (PdmKeyboardConnector){.user = fake, .leds = keyboard_leds};
    driver->connector = &fake->connector;
    return true;
}

static const PdmDriverInfo bench_keyboard_driver = {
    .abi = PDM_ABI_VERSION,
    .name = "bench-keyboard",
    .title = "Keyboard of the bench",
    .interface = PDM_IF_KEYBOARD,
    .instance_size = sizeof(BenchKeyboard),
    .construct = keyboard_construct,
};

static void
mouse_enabled(void *user, bool relative, bool absolute)
{
    BenchMouse *fake = user;

    fake->relative = relative;
    fake->absolute = absolute;
}

static bool
mouse_construct(PdmDriver *driver, const CfgmNode *config, GError **error)
{
    BenchMouse *fake = driver->data;

    fake->connector = (PdmMouseConnector){.user = fake, .enabled = mouse_enabled};
    driver->connector = &fake->connector;
    return true;
}

static const PdmDriverInfo bench_mouse_driver = {
    .abi = PDM_ABI_VERSION,
    .name = "bench-mouse",
    .title = "Mouse of the bench",
    .interface = PDM_IF_MOUSE,
    .instance_size = sizeof(BenchMouse),
    .construct = mouse_construct,
};

bool
bench_drivers_register(PdmRegistry *registry, GError **error)
{
    return pdm_registry_add_driver(registry, &bench_audio_driver, error) &&
           pdm_registry_add_driver(registry, &bench_media_driver, error) &&
           pdm_registry_add_driver(registry, &bench_network_driver, error) &&
           pdm_registry_add_driver(registry, &bench_char_driver, error) &&
           pdm_registry_add_driver(registry, &bench_display_driver, error) &&
           pdm_registry_add_driver(registry, &bench_keyboard_driver, error) &&
           pdm_registry_add_driver(registry, &bench_mouse_driver, error);
}

BenchChar *
bench_char(Pdm *pdm, const char *device, unsigned instance, unsigned lun)
{
    const PdmCharConnector *connector = pdm_lun_connector(pdm, device, instance, lun, PDM_IF_CHAR);

    g_assert_nonnull(connector);
    return connector->user;
}

BenchDisplay *
bench_display(Pdm *pdm, const char *device, unsigned instance, unsigned lun)
{
    const PdmDisplayConnector *connector =
        pdm_lun_connector(pdm, device, instance, lun, PDM_IF_DISPLAY);

    g_assert_nonnull(connector);
    return connector->user;
}

BenchKeyboard *
bench_keyboard(Pdm *pdm, const char *device, unsigned instance, unsigned lun)
{
    const PdmKeyboardConnector *connector =
        pdm_lun_connector(pdm, device, instance, lun, PDM_IF_KEYBOARD);

    g_assert_nonnull(connector);
    return connector->user;
}

BenchMouse *
bench_mouse(Pdm *pdm, const char *device, unsigned instance, unsigned lun)
{
    const PdmMouseConnector *connector =
        pdm_lun_connector(pdm, device, instance, lun, PDM_IF_MOUSE);

    g_assert_nonnull(connector);
    return connector->user;
}

size_t
bench_char_receive(Pdm *pdm, const char *device, unsigned instance, unsigned lun, const void *data,
                   size_t size)
{
    const PdmCharPort *port = pdm_lun_port(pdm, device, instance, lun, PDM_IF_CHAR);
    GRecMutex *lock = pdm_device_lock(pdm);
    size_t taken;

    g_rec_mutex_lock(lock);
    taken = MIN(size, port->can_receive(port->user));
    if (taken > 0)
        port->receive(port->user, data, taken);
    g_rec_mutex_unlock(lock);
    return taken;
}
