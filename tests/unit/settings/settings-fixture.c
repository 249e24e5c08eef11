/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the tests of settings files share. */
#include "tests/unit/settings/settings-fixture.h"

#include <glib/gstdio.h>

static void
setup(SettingsFixture *fixture, gconstpointer data)
{
    fixture->folder = g_dir_make_tmp("vitrine-settings-XXXXXX", NULL);
    g_assert_nonnull(fixture->folder);
}

static void
teardown(SettingsFixture *fixture, gconstpointer data)
{
    g_autoptr(GDir) dir = g_dir_open(fixture->folder, 0, NULL);
    const char *name;
    while ((name = g_dir_read_name(dir))) {
        g_autofree char *path = g_build_filename(fixture->folder, name, NULL);
        g_unlink(path);
    }
    g_rmdir(fixture->folder);
    g_free(fixture->folder);
}

char *
settings_test_read(const char *path)
{
    char *text = NULL;
    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    return text;
}

char *
settings_test_write(SettingsFixture *fixture, const char *name, const char *text, gssize length)
{
    char *path = g_build_filename(fixture->folder, name, NULL);
    g_assert_true(g_file_set_contents(path, text, length, NULL));
    return path;
}

char *
settings_test_copy_example(SettingsFixture *fixture, const char *name)
{
    g_autofree char *source = g_test_build_filename(G_TEST_DIST, "data", name, NULL);
    g_autofree char *text = settings_test_read(source);
    return settings_test_write(fixture, name, text, -1);
}

static char *
without_blanks(const char *text)
{
    g_autoptr(GRegex) blanks = g_regex_new(">\\s+<", 0, 0, NULL);
    g_autofree char *tight = g_regex_replace(blanks, text, -1, 0, ">\n<", 0, NULL);
    return g_strdup(g_strstrip(tight));
}

void
settings_test_assert_same_document(const char *a, const char *b)
{
    g_autofree char *x = without_blanks(a);
    g_autofree char *y = without_blanks(b);
    g_assert_cmpstr(x, ==, y);
}

int
settings_test_run(int argc, char **argv, const SettingsTest *tests, guint count)
{
    g_test_init(&argc, &argv, NULL);
    for (guint i = 0; i < count; i++)
        g_test_add(tests[i].name, SettingsFixture, NULL, setup, tests[i].test, teardown);
    return g_test_run();
}
