/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Damaged, foreign and future settings files are refused with a reason; older ones are read, and
 * raised when they have to say what their version cannot. */
#include <string.h>

#include "tests/unit/settings/settings-fixture.h"

/* Every length of a good file: an error with a sentence, never a crash or half a machine. */
static void
test_truncated(SettingsFixture *fixture, gconstpointer data)
{
    g_autofree char *good = settings_test_copy_example(fixture, "workbench.vbox");
    g_autofree char *text = settings_test_read(good);
    gsize end = strlen(g_strchomp(text));
    for (gsize length = 0; length < end; length += 97) {
        g_autoptr(GError) error = NULL;
        g_autofree char *path = settings_test_write(fixture, "cut.vbox", text, (gssize)length);
        g_autoptr(SettingsFile) file = settings_file_load(path, SETTINGS_MACHINE, &error);
        g_assert_null(file);
        g_assert_error(error, VITRINE_ERROR, VITRINE_ERROR_CORRUPT);
        g_assert_nonnull(strstr(error->message, "cut.vbox"));
    }
}

/* One byte changed anywhere: whatever is read is read without harm. */
static void
test_flipped(SettingsFixture *fixture, gconstpointer data)
{
    g_autofree char *good = settings_test_copy_example(fixture, "workbench.vbox");
    g_autofree char *text = settings_test_read(good);
    gsize length = strlen(text);
    guint refused = 0;
    for (gsize at = 0; at < length; at += 13) {
        g_autofree char *bad = g_strdup(text);
        bad[at] = (char)(bad[at] ^ (1 << (at % 7)));
        g_autofree char *path = settings_test_write(fixture, "flip.vbox", bad, (gssize)length);
        g_autoptr(SettingsFile) file = settings_file_load(path, SETTINGS_MACHINE, NULL);
        g_autoptr(MachineRecord) record = file ? machine_file_read(file, NULL) : NULL;
        refused += record == NULL;
        if (record)
            machine_file_write(file, record);
    }
    g_assert_cmpuint(refused, >, 20);
}

static void
test_refused(SettingsFixture *fixture, gconstpointer data)
{
    static const struct {
        const char *text, *word;
        VitrineError code;
    } cases[] = {
        {"", "empty", VITRINE_ERROR_CORRUPT},
        {"hello", "damaged", VITRINE_ERROR_CORRUPT},
        {"<Other version=\"1.16-linux\"/>", "not a settings file", VITRINE_ERROR_CORRUPT},
        {"<VirtualBox><Machine/></VirtualBox>", "no version", VITRINE_ERROR_CORRUPT},
        {MACHINE("new-linux", PLAIN), "no number", VITRINE_ERROR_CORRUPT},
        {MACHINE("1.2-linux", PLAIN), "older", VITRINE_ERROR_CORRUPT},
        {"<VirtualBox version=\"1.16-linux\"><Global/></VirtualBox>", "exactly one",
         VITRINE_ERROR_CORRUPT},
        {"<VirtualBox version=\"1.16-linux\"><Machine/><Machine/></VirtualBox>", "exactly one",
         VITRINE_ERROR_CORRUPT},
        {"<VirtualBox version=\"1.19-linux\"><MachineEncrypted uuid=\"{}\"/></VirtualBox>",
         "encrypted", VITRINE_ERROR_NOT_SUPPORTED},
        {"<!DOCTYPE a [<!ENTITY b \"cccc\">]>" MACHINE("1.16-linux", PLAIN), "document type",
         VITRINE_ERROR_CORRUPT},
        {MACHINE("1.16-linux", ""), "memory", VITRINE_ERROR_CORRUPT},
        {MACHINE("1.16-linux", "<Snapshot uuid=\"{6a2f90d4-1b3c-4c7e-8e55-71d0a9b4c3f2}\"/>" PLAIN),
         "snapshots", VITRINE_ERROR_CORRUPT},
        {MACHINE("1.17-linux", "<Hardware><Memory RAMSize=\"64\"/><StorageControllers>"
                               "<StorageController name=\"X\" type=\"Tape\"/></StorageControllers>"
                               "</Hardware>"),
         "kind that does not exist", VITRINE_ERROR_CORRUPT},
        {MACHINE("1.17-linux", "<Hardware><Memory RAMSize=\"64\"/><StorageControllers>"
                               "<StorageController name=\"X\" type=\"AHCI\"><AttachedDevice "
                               "type=\"HardDisk\"/></StorageController></StorageControllers>"
                               "</Hardware>"),
         "without an image", VITRINE_ERROR_CORRUPT},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *path = settings_test_write(fixture, "bad.vbox", cases[i].text, -1);
        g_autoptr(SettingsFile) file = settings_file_load(path, SETTINGS_MACHINE, &error);
        g_autoptr(MachineRecord) record = file ? machine_file_read(file, &error) : NULL;
        g_assert_null(record);
        g_assert_error(error, VITRINE_ERROR, (int)cases[i].code);
        if (strstr(error->message, cases[i].word) == NULL)
            g_error("case %u says \"%s\", not \"%s\"", i, error->message, cases[i].word);
    }
}

static void
test_deep(SettingsFixture *fixture, gconstpointer data)
{
    g_autoptr(GString) text = g_string_new("<VirtualBox version=\"1.16-linux\"><Global>"
                                           "<MediaRegistry><HardDisks>");
    g_autoptr(GError) error = NULL;
    for (guint i = 0; i < 310; i++)
        g_string_append(text, "<HardDisk>");
    for (guint i = 0; i < 310; i++)
        g_string_append(text, "</HardDisk>");
    g_string_append(text, "</HardDisks></MediaRegistry></Global></VirtualBox>");
    g_autofree char *path = settings_test_write(fixture, "deep.xml", text->str, -1);
    g_autoptr(SettingsFile) file = settings_file_load(path, SETTINGS_GLOBAL, &error);
    g_assert_null(file);
    g_assert_error(error, VITRINE_ERROR, VITRINE_ERROR_CORRUPT);
    g_assert_nonnull(strstr(error->message, "300"));
}

static void
test_future(SettingsFixture *fixture, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path =
        settings_test_write(fixture, "new.vbox", MACHINE("1.25-linux", PLAIN), -1);
    g_autofree char *before = settings_test_read(path);
    g_autoptr(SettingsFile) file = settings_file_load(path, SETTINGS_MACHINE, NULL);
    g_assert_nonnull(file);
    g_assert_nonnull(strstr(settings_file_read_only_reason(file), "1.25"));
    g_autoptr(MachineRecord) record = machine_file_read(file, NULL);
    g_assert_nonnull(record);
    g_assert_false(settings_file_save(file, &error));
    g_assert_error(error, VITRINE_ERROR, VITRINE_ERROR_READ_ONLY);
    g_autofree char *after = settings_test_read(path);
    g_assert_cmpstr(before, ==, after);
}

/* What an older version cannot say raises it, keeps the old file, and spells out what silence
 * meant. */
static void
test_upgrade(SettingsFixture *fixture, gconstpointer data)
{
    g_autofree char *path = settings_test_write(
        fixture, "old.vbox",
        MACHINE("1.14-windows",
                "<Hardware><Memory RAMSize=\"64\"/><Network><Adapter slot=\"0\" enabled=\"true\"/>"
                "</Network></Hardware><StorageControllers><StorageController name=\"IDE\" "
                "type=\"PIIX4\" PortCount=\"2\"/></StorageControllers>"),
        -1);
    g_autofree char *before = settings_test_read(path);
    g_autoptr(SettingsFile) file = settings_file_load(path, SETTINGS_MACHINE, NULL);
    g_autoptr(MachineRecord) record = machine_file_read(file, NULL);
    g_assert_cmpint(vitrine_settings_get_enum(record->settings, "paravirt"), ==,
                    VITRINE_PARAVIRT_LEGACY);
    machine_file_write(file, record);
    g_assert_cmpstr(settings_file_version(file), ==, "1.14-windows");
    g_autoptr(VitrineUart) uart = vitrine_uart_new(0);
    uart->enabled = TRUE;
    uart->type = VITRINE_UART_TYPE_16750;
    vitrine_settings_set_uart(record->settings, 0, uart);
    machine_file_write(file, record);
    g_assert_true(g_str_has_prefix(settings_file_version(file), "1.17-"));
    g_assert_true(settings_file_save(file, NULL));
    g_autofree char *backup_path = g_build_filename(fixture->folder, "old-1.14-windows.vbox", NULL);
    g_autofree char *backup = settings_test_read(backup_path);
    g_assert_cmpstr(backup, ==, before);
    g_autofree char *after = settings_test_read(path);
    static const char *const wanted[] = {"cable=\"false\"", "type=\"Am79C970A\"",
                                         "<RemoteDisplay enabled=\"true\"/>", "provider=\"Legacy\"",
                                         "uartType=\"16750\""};
    for (guint i = 0; i < G_N_ELEMENTS(wanted); i++) {
        if (strstr(after, wanted[i]) == NULL)
            g_error("missing: %s in\n%s", wanted[i], after);
    }
    g_assert_true(strstr(after, "<StorageControllers>") < strstr(after, "</Hardware>"));
    g_autoptr(SettingsFile) again = settings_file_load(path, SETTINGS_MACHINE, NULL);
    g_autoptr(MachineRecord) same = machine_file_read(again, NULL);
    g_assert_true(vitrine_settings_equal(same->settings, record->settings));
}

int
main(int argc, char **argv)
{
    static const SettingsTest tests[] = {
        {"/settings/truncated", test_truncated}, {"/settings/flipped", test_flipped},
        {"/settings/refused", test_refused},     {"/settings/deep", test_deep},
        {"/settings/future", test_future},       {"/settings/upgrade", test_upgrade},
    };
    return SETTINGS_TEST_RUN(argc, argv, tests);
}
