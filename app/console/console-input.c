/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The queue between people (or scripts) and the guest's keyboard, and the mouse. */
#include "app/console/console-input.h"

#include "app/console/console-us-layout.h"

#include <string.h>

#define QUEUE_LIMIT (64u * 1024)
#define RETRY_MS 4
/* Typed text goes at the pace of a very fast typist: firmware and boot loaders lose keys otherwise.
 */
#define TYPE_INTERVAL_MS 12
#define LEFT_SHIFT 0x2a

typedef struct {
    GQueue keys; /* GBytes: the codes of one character */
    ConsoleTyped typed;
    void *user;
} Typing;

struct ConsoleInput {
    ConsoleInputEvents events;
    PdmKeyboardConnector keyboard;
    /* A machine may have two pointing devices: one that is told of movements and one of places. */
    PdmMouseConnector mouse, tablet;
    const PdmKeyboardPort *keyboard_port;
    const PdmMousePort *mouse_port, *tablet_port;
    bool mouse_on, tablet_on; /* the guest listens */
    Pdm *pdm;
    GMainContext *context;

    GByteArray *queue;
    GSource *retry; /* runs while the queue waits for room in the guest */
    GQueue typings; /* Typing, the first one is under way */
    GSource *typing;
    uint8_t prefix;           /* of the byte before: E0, E1 or 0 */
    uint8_t down[2][128 / 8]; /* keys that the guest believes to be down: plain, E0 */
};

static void pump(ConsoleInput *input);

static void
later(ConsoleInput *input, GSource **source, unsigned interval_ms, GSourceFunc callback)
{
    if (*source)
        return;
    *source = g_timeout_source_new(interval_ms);
    g_source_set_callback(*source, callback, input, NULL);
    g_source_attach(*source, input->context);
}

static void
stop(GSource **source)
{
    if (*source)
        g_source_destroy(*source);
    g_clear_pointer(source, g_source_unref);
}

static gboolean
on_retry(gpointer data)
{
    ConsoleInput *input = data;

    stop(&input->retry);
    pump(input);
    return G_SOURCE_REMOVE;
}

/* Gives the guest as much as it takes. */
static void
pump(ConsoleInput *input)
{
    GRecMutex *lock;
    unsigned sent = 0;

    if (!input->pdm || !input->keyboard_port) {
        g_byte_array_set_size(input->queue, 0);
        return;
    }
    lock = pdm_device_lock(input->pdm);
    g_rec_mutex_lock(lock);
    while (sent < input->queue->len &&
           input->keyboard_port->scancode(input->keyboard_port->user, input->queue->data[sent]))
        sent++;
    g_rec_mutex_unlock(lock);
    if (sent > 0)
        g_byte_array_remove_range(input->queue, 0, sent);
    if (input->queue->len > 0)
        later(input, &input->retry, RETRY_MS, on_retry);
}

static void
track(ConsoleInput *input, uint8_t byte)
{
    uint8_t *down = input->down[input->prefix == 0xe0];
    unsigned key = byte & 0x7f;

    if (byte == 0xe0 || byte == 0xe1) {
        input->prefix = byte;
        return;
    }
    if (input->prefix != 0xe1) {
        if (byte & 0x80)
            down[key / 8] &= (uint8_t) ~(1u << key % 8);
        else
            down[key / 8] |= (uint8_t)(1u << key % 8);
    }
    input->prefix = 0;
}

void
console_input_scancodes(ConsoleInput *input, const uint8_t *codes, size_t length)
{
    if (input->queue->len + length > QUEUE_LIMIT)
        return;
    for (size_t i = 0; i < length; i++)
        track(input, codes[i]);
    g_byte_array_append(input->queue, codes, (guint)length);
    pump(input);
}

void
console_input_release_keys(ConsoleInput *input)
{
    for (unsigned key = 1; key < 256; key++) {
        bool extended = key & 0x80;
        uint8_t code = key & 0x7f, bytes[2] = {0xe0, (uint8_t)(code | 0x80)};
        if (input->down[extended][code / 8] >> (code % 8) & 1)
            console_input_scancodes(input, extended ? bytes : bytes + 1, extended ? 2 : 1);
    }
}

/* --- typed text --- */
static void
typing_free(Typing *typing)
{
    g_queue_clear_full(&typing->keys, (GDestroyNotify)g_bytes_unref);
    g_free(typing);
}

static void
typing_done(ConsoleInput *input, bool ok)
{
    Typing *typing = g_queue_pop_head(&input->typings);

    typing->typed(typing->user, ok);
    typing_free(typing);
}

static gboolean
on_type(gpointer data)
{
    ConsoleInput *input = data;
    Typing *typing = g_queue_peek_head(&input->typings);
    GBytes *key = typing ? g_queue_pop_head(&typing->keys) : NULL;

    if (input->queue->len > 0 && key) { /* the guest is behind */
        g_queue_push_head(&typing->keys, key);
        return G_SOURCE_CONTINUE;
    }
    if (key) {
        gsize length;
        const uint8_t *codes = g_bytes_get_data(key, &length);
        console_input_scancodes(input, codes, length);
        g_bytes_unref(key);
        return G_SOURCE_CONTINUE;
    }
    if (typing)
        typing_done(input, true);
    if (!g_queue_is_empty(&input->typings))
        return G_SOURCE_CONTINUE;
    stop(&input->typing);
    return G_SOURCE_REMOVE;
}

/* Press and release are apart, so that each is one step of the pace. */
static void
add_key(Typing *typing, uint8_t code, bool shift)
{
    uint8_t press[2] = {LEFT_SHIFT, code};
    uint8_t release[2] = {(uint8_t)(code | 0x80), LEFT_SHIFT | 0x80};

    g_queue_push_tail(&typing->keys, g_bytes_new(shift ? press : press + 1, shift ? 2 : 1));
    g_queue_push_tail(&typing->keys, g_bytes_new(release, shift ? 2 : 1));
}

bool
console_input_type(ConsoleInput *input, const char *text, ConsoleTyped typed, void *user,
                   GError **error)
{
    Typing *typing = g_new0(Typing, 1);

    for (const char *at = text; *at; at = g_utf8_next_char(at)) {
        gunichar character = g_utf8_get_char_validated(at, -1);
        uint8_t code;
        bool shift;
        if (!console_us_key(character, &code, &shift)) {
            g_set_error(error, BASE_ERROR, BASE_ERROR_INVALID,
                        "The character at byte %zu cannot be typed on a US keyboard.",
                        (size_t)(at - text));
            typing_free(typing);
            return false;
        }
        add_key(typing, code, shift);
    }
    typing->typed = typed;
    typing->user = user;
    g_queue_push_tail(&input->typings, typing);
    later(input, &input->typing, TYPE_INTERVAL_MS, on_type);
    return true;
}

/* --- mouse --- */
void
console_input_mouse(ConsoleInput *input, int dx, int dy, int dz, int dw, unsigned buttons)
{
    GRecMutex *lock;

    if (!input->pdm || !input->mouse_port)
        return;
    lock = pdm_device_lock(input->pdm);
    g_rec_mutex_lock(lock);
    input->mouse_port->relative(input->mouse_port->user, dx, dy, dz, dw, buttons);
    g_rec_mutex_unlock(lock);
}

bool
console_input_mouse_absolute(ConsoleInput *input, unsigned x, unsigned y, int dz, int dw,
                             unsigned buttons)
{
    GRecMutex *lock;

    if (!input->pdm || !input->tablet_port)
        return false;
    lock = pdm_device_lock(input->pdm);
    g_rec_mutex_lock(lock);
    input->tablet_port->absolute(input->tablet_port->user, x, y, dz, dw, buttons);
    g_rec_mutex_unlock(lock);
    return true;
}

/* --- life --- */
static void
keyboard_leds(void *user, bool num, bool caps, bool scroll)
{
    ConsoleInput *input = user;

    input->events.leds(input->events.user, num, caps, scroll);
}

static void
mouse_enabled(void *user, bool relative, bool absolute)
{
    ConsoleInput *input = user;

    input->mouse_on = relative;
    input->events.mouse(input->events.user, input->mouse_on, input->tablet_on);
}

static void
tablet_enabled(void *user, bool relative, bool absolute)
{
    ConsoleInput *input = user;

    input->tablet_on = absolute;
    input->events.mouse(input->events.user, input->mouse_on, input->tablet_on);
}

ConsoleInput *
console_input_new(const ConsoleInputEvents *events)
{
    ConsoleInput *input = g_new0(ConsoleInput, 1);

    input->events = *events;
    input->keyboard = (PdmKeyboardConnector){.user = input, .leds = keyboard_leds};
    input->mouse = (PdmMouseConnector){.user = input, .enabled = mouse_enabled};
    input->tablet = (PdmMouseConnector){.user = input, .enabled = tablet_enabled};
    input->context = g_main_context_ref_thread_default();
    input->queue = g_byte_array_new();
    g_queue_init(&input->typings);
    return input;
}

void
console_input_attach(ConsoleInput *input, Pdm *pdm)
{
    input->pdm = pdm;
    if (pdm)
        return;
    stop(&input->retry);
    stop(&input->typing);
    while (!g_queue_is_empty(&input->typings))
        typing_done(input, false);
}

void
console_input_free(ConsoleInput *input)
{
    if (!input)
        return;
    console_input_attach(input, NULL);
    g_byte_array_unref(input->queue);
    g_main_context_unref(input->context);
    g_free(input);
}

static bool
keyboard_construct(PdmDriver *driver, const CfgmNode *config, GError **error)
{
    ConsoleInput *input = driver->host;

    if (!input) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_INVALID,
                    "The keyboard driver has nobody who types.");
        return false;
    }
    input->keyboard_port = driver->port;
    driver->connector = &input->keyboard;
    return true;
}

static void
keyboard_destruct(PdmDriver *driver)
{
    ConsoleInput *input = driver->host;

    if (input && input->keyboard_port == driver->port)
        input->keyboard_port = NULL;
}

static bool
mouse_construct(PdmDriver *driver, const CfgmNode *config, GError **error)
{
    ConsoleInput *input = driver->host;

    if (!input) {
        g_set_error(error, BASE_ERROR, BASE_ERROR_INVALID,
                    "The mouse driver has nobody who points.");
        return false;
    }
    if (((const PdmMousePort *)driver->port)->absolute) {
        input->tablet_port = driver->port;
        driver->connector = &input->tablet;
    } else {
        /* A USB mouse comes after the PS/2 mouse and takes its place. */
        input->mouse_port = driver->port;
        driver->connector = &input->mouse;
    }
    return true;
}

static void
mouse_destruct(PdmDriver *driver)
{
    ConsoleInput *input = driver->host;

    if (!input)
        return;
    if (input->mouse_port == driver->port)
        input->mouse_port = NULL;
    if (input->tablet_port == driver->port)
        input->tablet_port = NULL;
}

const PdmDriverInfo console_keyboard_driver = {
    .abi = PDM_ABI_VERSION,
    .name = "console-keyboard",
    .title = "Keyboard of the person",
    .interface = PDM_IF_KEYBOARD,
    .construct = keyboard_construct,
    .destruct = keyboard_destruct,
};

const PdmDriverInfo console_mouse_driver = {
    .abi = PDM_ABI_VERSION,
    .name = "console-mouse",
    .title = "Mouse of the person",
    .interface = PDM_IF_MOUSE,
    .construct = mouse_construct,
    .destruct = mouse_destruct,
};
