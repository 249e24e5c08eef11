/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Every version of every unit that we ever wrote still loads: tests/state/units has one of each as
 * text, <unit>.<instance>.<version>, lines "offset: bytes in hexadecimal", without those that are
 * zeros. What was saved by the present version is saved again as it was.
 *
 *   test-units [--write]     writes those that are missing
 *
 * "ram" is large and "pdm" is of the one machine that saved it: both are taken from this one. */
#include "tests/state/state-units.h"
#include "tests/state/whole-machine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_BYTES 32u
#define SIZE_MAX_BYTES (1u << 20)
#define USES 3000u
#define SEED 99u

static const char *
folder(void)
{
    return g_test_get_dir(G_TEST_DIST);
}

static char *
path_of(const char *name, uint32_t instance, uint32_t version)
{
    g_autofree char *file = g_strdup_printf("%s.%u.%u", name, instance, version);

    return g_build_filename(folder(), "units", file, NULL);
}

static bool
is_kept(const StateUnit *unit)
{
    return strcmp(unit->name, "ram") != 0 && strcmp(unit->name, "pdm") != 0;
}

/* --- text --- */

static char *
to_text(const GByteArray *content)
{
    GString *text = g_string_new(NULL);

    g_string_append_printf(text, "size: %x\n", content->len);
    for (guint at = 0; at < content->len; at += LINE_BYTES) {
        const guint length = MIN(LINE_BYTES, content->len - at);
        guint zeros = 0;

        while (zeros < length && content->data[at + zeros] == 0)
            zeros++;
        if (zeros == length)
            continue;
        g_string_append_printf(text, "%x: ", at);
        for (guint i = 0; i < length; i++)
            g_string_append_printf(text, "%02x", content->data[at + i]);
        g_string_append_c(text, '\n');
    }
    return g_string_free(text, FALSE);
}

static void
put_line(GByteArray *content, const char *line)
{
    char *hex;
    guint64 at = g_ascii_strtoull(line, &hex, 16);

    g_assert_cmpint(*hex, ==, ':');
    for (hex += 2; *hex != '\0'; hex += 2, at++) {
        g_assert_true(g_ascii_isxdigit(hex[0]) && g_ascii_isxdigit(hex[1]));
        g_assert_cmpuint(at, <, content->len);
        content->data[at] =
            (uint8_t)(g_ascii_xdigit_value(hex[0]) << 4 | g_ascii_xdigit_value(hex[1]));
    }
}

static GByteArray *
from_text(const char *text)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    GByteArray *content = g_byte_array_new();
    guint64 size;

    g_assert_true(g_str_has_prefix(lines[0], "size: "));
    size = g_ascii_strtoull(lines[0] + 6, NULL, 16);
    g_assert_cmpuint(size, <, SIZE_MAX_BYTES);
    g_byte_array_set_size(content, (guint)size);
    memset(content->data, 0, content->len);
    for (char **line = lines + 1; *line != NULL; line++) {
        if (**line != '\0')
            put_line(content, *line);
    }
    return content;
}

/* --- the kept units --- */

static GPtrArray *
present_units(void)
{
    g_autoptr(DeviceBench) bench = whole_machine_new();
    g_autoptr(GBytes) state = NULL;
    g_autoptr(GError) error = NULL;

    whole_machine_use(bench, SEED, USES);
    state = device_bench_save(bench, &error);
    g_assert_no_error(error);
    return state_units_take_apart(state);
}

/* Puts what is kept of this version into the unit; false: there is none. */
static bool
take_kept(StateUnit *unit, uint32_t version)
{
    g_autofree char *path = path_of(unit->name, unit->instance, version);
    g_autofree char *text = NULL;

    if (!g_file_get_contents(path, &text, NULL, NULL))
        return false;
    g_byte_array_unref(unit->content);
    unit->content = from_text(text);
    unit->state.version = version;
    return true;
}

static void
write_kept(const StateUnit *unit)
{
    g_autofree char *path = path_of(unit->name, unit->instance, unit->state.version);
    g_autofree char *text = to_text(unit->content);
    g_autoptr(GError) error = NULL;

    g_file_set_contents(path, text, -1, &error);
    g_assert_no_error(error);
}

/* The state that is saved after these units were loaded. */
static GPtrArray *
load_and_save(GPtrArray *units)
{
    g_autoptr(DeviceBench) bench = whole_machine_new();
    g_autoptr(GBytes) state = state_units_put_together(units), again = NULL;
    g_autoptr(GError) error = NULL;

    device_bench_load(bench, state, &error);
    g_assert_no_error(error);
    again = device_bench_save(bench, &error);
    g_assert_no_error(error);
    return state_units_take_apart(again);
}

static void
test_present_versions(void)
{
    g_autoptr(GPtrArray) units = present_units();
    g_autoptr(GPtrArray) again = NULL;

    for (guint i = 0; i < units->len; i++) {
        StateUnit *unit = units->pdata[i];

        if (is_kept(unit) && !take_kept(unit, unit->state.version))
            g_error("%s/%u has no kept unit of version %u: run this test with --write", unit->name,
                    unit->instance, unit->state.version);
    }
    again = load_and_save(units);
    for (guint i = 0; i < units->len; i++) {
        const StateUnit *unit = units->pdata[i];
        const StateUnit *saved = state_units_find(again, unit->name, unit->instance);

        if (!is_kept(unit))
            continue;
        if (saved->content->len != unit->content->len ||
            memcmp(saved->content->data, unit->content->data, unit->content->len) != 0)
            g_error("%s/%u: what version %u saves has changed. A new field needs a new version.",
                    unit->name, unit->instance, unit->state.version);
    }
}

/* Each alone, in a state that is otherwise of the present. */
static void
test_older_versions(void)
{
    g_autoptr(GPtrArray) units = present_units();

    for (guint i = 0; i < units->len; i++) {
        StateUnit *unit = units->pdata[i];
        const uint32_t present = unit->state.version;
        GByteArray *content = g_byte_array_ref(unit->content);

        for (uint32_t version = 1; version < present && is_kept(unit); version++) {
            if (take_kept(unit, version))
                g_ptr_array_unref(load_and_save(units));
        }
        g_byte_array_unref(unit->content);
        unit->content = content;
        unit->state.version = present;
    }
}

static void
write_missing(void)
{
    g_autoptr(GPtrArray) units = present_units();

    for (guint i = 0; i < units->len; i++) {
        const StateUnit *unit = units->pdata[i];
        g_autofree char *path = path_of(unit->name, unit->instance, unit->state.version);

        if (is_kept(unit) && !g_file_test(path, G_FILE_TEST_EXISTS))
            write_kept(unit);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    if (argc > 1 && strcmp(argv[1], "--write") == 0) {
        write_missing();
        return 0;
    }
    g_test_add_func("/state/units/present", test_present_versions);
    g_test_add_func("/state/units/older", test_older_versions);
    return g_test_run();
}
