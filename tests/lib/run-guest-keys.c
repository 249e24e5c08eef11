/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * From a script to scan codes of set 1. */
#include "tests/lib/run-guest-keys.h"

#include "devices/machine.h"

#include <string.h>

#define KEY_INTERVAL_NS 40000000ull
#define EXTENDED 0xe000u
#define SHIFT 0x2au

typedef struct {
    const char *name;
    unsigned code; /* 0xe0xx: with the prefix */
} NamedKey;

static const NamedKey named_keys[] = {
    {"enter", 0x1c},    {"esc", 0x01},    {"tab", 0x0f},   {"space", 0x39},  {"backspace", 0x0e},
    {"f1", 0x3b},       {"f2", 0x3c},     {"f3", 0x3d},    {"f4", 0x3e},     {"f5", 0x3f},
    {"f6", 0x40},       {"f7", 0x41},     {"f8", 0x42},    {"f9", 0x43},     {"f10", 0x44},
    {"f11", 0x57},      {"f12", 0x58},    {"up", 0xe048},  {"down", 0xe050}, {"left", 0xe04b},
    {"right", 0xe04d},  {"home", 0xe047}, {"end", 0xe04f}, {"pgup", 0xe049}, {"pgdn", 0xe051},
    {"insert", 0xe052}, {"del", 0xe053},  {"ctrl", 0x1d},  {"alt", 0x38},    {"shift", 0x2a},
};

/* Rows of a US keyboard from their first scan code on; the second text is with shift. */
static const struct {
    unsigned code;
    const char *plain, *shifted;
} rows[] = {
    {0x02, "1234567890-=", "!@#$%^&*()_+"},
    {0x10, "qwertyuiop[]", "QWERTYUIOP{}"},
    {0x1e, "asdfghjkl;'`", "ASDFGHJKL:\"~"},
    {0x2b, "\\zxcvbnm,./", "|ZXCVBNM<>?"},
    {0x39, " ", ""},
};

struct RunKeys {
    char **tokens; /* a character, or "{…}" */
    unsigned next;
    uint64_t ready_ns; /* not before */
    bool waiting;
};

static unsigned
find_named(const char *name)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(named_keys); i++) {
        if (strcmp(named_keys[i].name, name) == 0)
            return named_keys[i].code;
    }
    return 0;
}

static bool
is_condition(const char *token)
{
    return g_str_has_prefix(token, "{wait:") || g_str_has_prefix(token, "{text:");
}

static bool
is_point(const char *token)
{
    return g_str_has_prefix(token, "{point:");
}

/* Every name of a "{ctrl-alt-del}" has to exist. */
static bool
check_token(const char *token, GError **error)
{
    g_autofree char *inner = NULL;
    g_auto(GStrv) names = NULL;

    if (token[0] != '{' || token[1] == '\0' || is_condition(token) || is_point(token))
        return true;
    inner = g_strndup(token + 1, strlen(token) - 2);
    names = g_strsplit(inner, "-", -1);
    for (char **name = names; *name != NULL; name++) {
        if (find_named(*name) == 0) {
            g_set_error(error, BASE_ERROR, BASE_ERROR_INVALID, "There is no key \"%s\"", *name);
            return false;
        }
    }
    return true;
}

static char **
split(const char *script, GError **error)
{
    GPtrArray *tokens = g_ptr_array_new();

    while (*script != '\0') {
        const char *end = strchr(script, '}');
        size_t length = 1;

        if (script[0] == '{' && script[1] == '{') {
            script++;
        } else if (script[0] == '{') {
            if (end == NULL) {
                g_set_error(error, BASE_ERROR, BASE_ERROR_INVALID, "A brace is open: %s", script);
                g_ptr_array_add(tokens, NULL);
                g_strfreev((char **)g_ptr_array_free(tokens, FALSE));
                return NULL;
            }
            length = (size_t)(end - script) + 1;
        }
        g_ptr_array_add(tokens, g_strndup(script, length));
        script += length;
    }
    g_ptr_array_add(tokens, NULL);
    return (char **)g_ptr_array_free(tokens, FALSE);
}

RunKeys *
run_keys_new(const char *script, GError **error)
{
    char **tokens = split(script, error);
    RunKeys *keys;

    if (tokens == NULL)
        return NULL;
    keys = g_new0(RunKeys, 1);
    keys->tokens = tokens;
    for (char **token = tokens; *token != NULL; token++) {
        if (!check_token(*token, error)) {
            run_keys_free(keys);
            return NULL;
        }
    }
    return keys;
}

void
run_keys_free(RunKeys *keys)
{
    if (keys == NULL)
        return;
    g_strfreev(keys->tokens);
    g_free(keys);
}

static void
send(const PdmKeyboardPort *port, unsigned code, bool release)
{
    if (code >= EXTENDED)
        port->scancode(port->user, 0xe0);
    port->scancode(port->user, (uint8_t)((code & 0x7f) | (release ? 0x80 : 0)));
}

/* "{ctrl-alt-del}": all down, then all up. */
static void
type_chord(const PdmKeyboardPort *port, const char *token)
{
    g_autofree char *inner = g_strndup(token + 1, strlen(token) - 2);
    g_auto(GStrv) names = g_strsplit(inner, "-", -1);
    const unsigned count = g_strv_length(names);

    for (unsigned i = 0; i < count; i++)
        send(port, find_named(names[i]), false);
    for (unsigned i = count; i > 0; i--)
        send(port, find_named(names[i - 1]), true);
}

static void
type_character(const PdmKeyboardPort *port, char character)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        const char *plain = strchr(rows[i].plain, character);
        const char *shifted = strchr(rows[i].shifted, character);
        unsigned code;

        if (plain == NULL && shifted == NULL)
            continue;
        code = rows[i].code +
               (unsigned)(plain != NULL ? plain - rows[i].plain : shifted - rows[i].shifted);
        if (plain == NULL)
            send(port, SHIFT, false);
        send(port, code, false);
        send(port, code, true);
        if (plain == NULL)
            send(port, SHIFT, true);
        return;
    }
}

/* "{wait:…}" and "{text:…}": true when it is over. */
static bool
condition_holds(RunKeys *keys, const char *token, uint64_t now_ns, const char *screen,
                const char *serial)
{
    g_autofree char *value = g_strndup(token + 6, strlen(token) - 7);

    if (g_str_has_prefix(token, "{wait:")) {
        if (!keys->waiting)
            keys->ready_ns = now_ns + (uint64_t)(g_ascii_strtod(value, NULL) * 1e9);
        keys->waiting = now_ns < keys->ready_ns;
        return !keys->waiting;
    }
    return (screen != NULL && strstr(screen, value) != NULL) || strstr(serial, value) != NULL;
}

/* "{point:X,Y,BUTTONS}": of the tablet, where there is one, 0 to 65535 across the screen. */
static void
point(Pdm *pdm, const char *token)
{
    const PdmMousePort *port =
        pdm_lun_port(pdm, MACHINE_USB_TABLET.device, 0, MACHINE_USB_TABLET.lun, PDM_IF_MOUSE);
    g_auto(GStrv) numbers = g_strsplit(token + strlen("{point:"), ",", 3);
    unsigned values[3] = {0};

    for (unsigned i = 0; numbers[i] != NULL; i++)
        values[i] = (unsigned)g_ascii_strtoull(numbers[i], NULL, 10);
    if (port != NULL)
        port->absolute(port->user, values[0], values[1], 0, 0, values[2]);
}

/* The USB keyboard, where there is one. */
static const PdmKeyboardPort *
find_keyboard(Pdm *pdm)
{
    const PdmKeyboardPort *port = pdm_lun_port(pdm, MACHINE_USB_KEYBOARD.device, 0,
                                               MACHINE_USB_KEYBOARD.lun, PDM_IF_KEYBOARD);

    return port != NULL ? port
                        : pdm_lun_port(pdm, MACHINE_KEYBOARD.device, 0, MACHINE_KEYBOARD.lun,
                                       PDM_IF_KEYBOARD);
}

bool
run_keys_step(RunKeys *keys, Pdm *pdm, uint64_t now_ns, const char *screen, const char *serial)
{
    const PdmKeyboardPort *port = find_keyboard(pdm);
    const char *token = keys->tokens[keys->next];

    if (token == NULL || port == NULL)
        return false;
    if (is_condition(token)) {
        keys->next += condition_holds(keys, token, now_ns, screen, serial);
        return true;
    }
    if (now_ns < keys->ready_ns)
        return true;
    g_rec_mutex_lock(pdm_device_lock(pdm));
    if (is_point(token))
        point(pdm, token);
    else if (token[0] == '{' && token[1] != '\0')
        type_chord(port, token);
    else
        type_character(port, token[0]);
    g_rec_mutex_unlock(pdm_device_lock(pdm));
    keys->ready_ns = now_ns + KEY_INTERVAL_NS;
    keys->next++;
    return true;
}
