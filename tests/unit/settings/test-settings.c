/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Settings files: the two complete examples of the format survive a round trip, with what we do not
 * understand; writes are atomic and keep what the manual says is kept. */
#include <glib/gstdio.h>
#include <string.h>

#include "tests/unit/settings/settings-fixture.h"

static void
test_machine_values(SettingsFixture *fixture, gconstpointer data)
{
    g_autofree char *path = settings_test_copy_example(fixture, "workbench.vbox");
    g_autoptr(SettingsFile) file = settings_file_load(path, SETTINGS_MACHINE, NULL);
    g_autoptr(MachineRecord) record = machine_file_read(file, NULL);
    g_assert_nonnull(record);
    VitrineSettings *s = record->settings;
    g_assert_cmpstr(record->id, ==, "3b0c5a1e-74de-4a39-9f1d-0c8b7a6f2e11");
    g_assert_cmpstr(record->current_snapshot, ==, "6a2f90d4-1b3c-4c7e-8e55-71d0a9b4c3f2");
    g_assert_cmpint(record->last_state_change, ==, 1741940467);
    g_assert_false(record->aborted);
    g_assert_cmpstr(vitrine_settings_get_string(s, "name"), ==, "Workbench");
    g_assert_cmpstr(vitrine_settings_get_string(s, "description"), ==,
                    "Build box for the kernel team");
    g_assert_cmpuint(vitrine_settings_get_uint(s, "memory"), ==, 4096);
    g_assert_cmpuint(vitrine_settings_get_uint(s, "cpus"), ==, 4);
    g_assert_cmpuint(vitrine_settings_get_uint(s, "cpu-execution-cap"), ==, 90);
    g_assert_cmpint(vitrine_settings_get_enum(s, "firmware"), ==, VITRINE_FIRMWARE_EFI);
    g_assert_cmpint(vitrine_settings_get_enum(s, "chipset"), ==, VITRINE_CHIPSET_ICH9);
    g_assert_cmpint(vitrine_settings_get_enum(s, "paravirt"), ==, VITRINE_PARAVIRT_KVM);
    g_assert_cmpint(vitrine_settings_get_enum(s, "pointing"), ==, VITRINE_POINTING_USB_TABLET);
    g_assert_cmpint(vitrine_settings_get_enum(s, "boot1"), ==, VITRINE_BOOT_DEVICE_DVD);
    g_assert_cmpint(vitrine_settings_get_enum(s, "boot3"), ==, VITRINE_BOOT_DEVICE_NETWORK);
    g_assert_true(vitrine_settings_get_bool(s, "x2apic"));
    g_assert_true(vitrine_settings_get_bool(s, "rtc-utc"));
    g_assert_true(vitrine_settings_get_bool(s, "accelerate-3d"));
    g_assert_cmpstr(vitrine_settings_get_groups(s)[0], ==, "/Linux/Build");
    const VitrineUart *uart = vitrine_settings_get_uart(s, 0);
    g_assert_true(uart->enabled && uart->server && uart->mode == VITRINE_UART_MODE_HOST_PIPE);
    g_assert_cmpstr(uart->path, ==, "/tmp/workbench-com1");
    g_assert_cmpuint(vitrine_settings_get_controllers(s)->len, ==, 1);
    const VitrineAttachment *disk = vitrine_settings_find_attachment(s, "sata", 0, 0);
    g_assert_nonnull(disk);
    g_assert_true(disk->non_rotational && disk->discard);
    g_assert_cmpstr(disk->medium, ==, "e8b7c6d5-1234-4abc-8def-0a1b2c3d4e5f");
    g_autoptr(GHashTable) in_snapshots = snapshot_file_media(file);
    g_assert_true(g_hash_table_contains(in_snapshots, "c1d94f2b-5f0e-4f2c-a4f3-2f6f1b0a7d21"));
    g_assert_false(g_hash_table_contains(in_snapshots, "0f1e2d3c-4b5a-4677-8899-aabbccddeeff"));
}

static void
test_machine_round_trip(SettingsFixture *fixture, gconstpointer data)
{
    g_autofree char *path = settings_test_copy_example(fixture, "workbench.vbox");
    g_autofree char *before = settings_test_read(path);
    g_autoptr(SettingsFile) file = settings_file_load(path, SETTINGS_MACHINE, NULL);
    g_autoptr(MachineRecord) record = machine_file_read(file, NULL);
    g_autoptr(GPtrArray) media = settings_file_read_media(file);
    GError *error = NULL;
    g_assert_cmpuint(media->len, ==, 3);
    machine_file_write(file, record);
    settings_file_write_media(file, media);
    g_assert_true(settings_file_save(file, &error));
    g_assert_no_error(error);
    g_autofree char *after = settings_test_read(path);
    settings_test_assert_same_document(before, after);
}

/* A change goes where it belongs, and nothing else moves. */
static void
test_machine_change(SettingsFixture *fixture, gconstpointer data)
{
    g_autofree char *path = settings_test_copy_example(fixture, "workbench.vbox");
    g_autofree char *before = settings_test_read(path);
    g_autoptr(SettingsFile) file = settings_file_load(path, SETTINGS_MACHINE, NULL);
    g_autoptr(MachineRecord) record = machine_file_read(file, NULL);
    vitrine_settings_set_uint(record->settings, "memory", 512);
    vitrine_settings_set_bool(record->settings, "rtc-utc", FALSE); /* the default: not written */
    vitrine_settings_set_bool(record->settings, "hpet", TRUE);
    vitrine_settings_set_string(record->settings, "exec-engine", "iem");
    machine_file_write(file, record);
    g_assert_true(settings_file_save(file, NULL));
    g_autofree char *after = settings_test_read(path);
    static const char *const changes[][2] = {
        {"<Memory RAMSize=\"4096\"/>", "<Memory RAMSize=\"512\"/>"},
        {"<RTC localOrUTC=\"UTC\"/>", ""},
        {"<HID Pointing=\"USBTablet\"/>",
         "<HID Pointing=\"USBTablet\"/>\n<HPET enabled=\"true\"/>"},
        {"</ExtraData>",
         "<ExtraDataItem name=\"Vitrine/ExecEngine\" value=\"iem\"/>\n</ExtraData>"},
    };
    g_autoptr(GString) expected = g_string_new(before);
    for (guint i = 0; i < G_N_ELEMENTS(changes); i++)
        g_assert_cmpuint(g_string_replace(expected, changes[i][0], changes[i][1], 1), ==, 1);
    settings_test_assert_same_document(expected->str, after);
}

/* A file that says nothing of memory is taken for a damaged one: it is said even where it is the
 * default. */
static void
test_default_memory(SettingsFixture *fixture, gconstpointer data)
{
    g_autofree char *path =
        settings_test_write(fixture, "m.vbox", MACHINE("1.16-linux", PLAIN), -1);
    g_autoptr(SettingsFile) file = settings_file_load(path, SETTINGS_MACHINE, NULL);
    g_autoptr(MachineRecord) record = machine_file_read(file, NULL);
    g_autoptr(VitrineSettings) fresh = vitrine_settings_new();

    vitrine_settings_set_uint(record->settings, "memory",
                              vitrine_settings_get_uint(fresh, "memory"));
    machine_file_write(file, record);
    g_assert_true(settings_file_save(file, NULL));
    g_autoptr(SettingsFile) again = settings_file_load(path, SETTINGS_MACHINE, NULL);
    g_autoptr(MachineRecord) read = machine_file_read(again, NULL);
    g_assert_nonnull(read);
    g_assert_true(vitrine_settings_equal(read->settings, record->settings));
}

/* A CPU profile of ours is not for the original's eyes; one of its own stays where it puts it. */
static void
test_cpu_profile(SettingsFixture *fixture, gconstpointer data)
{
    g_autofree char *path = settings_test_copy_example(fixture, "workbench.vbox");
    g_autoptr(SettingsFile) file = settings_file_load(path, SETTINGS_MACHINE, NULL);
    g_autoptr(MachineRecord) record = machine_file_read(file, NULL);
    vitrine_settings_set_string(record->settings, "cpu-profile", "Intel 80386");
    machine_file_write(file, record);
    g_assert_true(settings_file_save(file, NULL));
    g_autofree char *foreign = settings_test_read(path);
    g_assert_nonnull(strstr(foreign, "CpuProfile=\"Intel 80386\""));
    g_assert_null(strstr(foreign, "Vitrine/CpuProfile"));
    vitrine_settings_set_string(record->settings, "cpu-profile", "x86-64-v2");
    machine_file_write(file, record);
    g_assert_true(settings_file_save(file, NULL));
    g_autofree char *own = settings_test_read(path);
    g_assert_null(strstr(own, "CpuProfile=\""));
    g_assert_nonnull(strstr(own, "name=\"Vitrine/CpuProfile\" value=\"x86-64-v2\""));
    g_autoptr(SettingsFile) again = settings_file_load(path, SETTINGS_MACHINE, NULL);
    g_autoptr(MachineRecord) reread = machine_file_read(again, NULL);
    g_assert_cmpstr(vitrine_settings_get_string(reread->settings, "cpu-profile"), ==, "x86-64-v2");
}

static void
test_unknown_content(SettingsFixture *fixture, gconstpointer data)
{
    static const char text[] =
        "<VirtualBox xmlns=\"http://www.virtualbox.org/\" xmlns:o=\"urn:other\" "
        "version=\"1.16-linux\" o:mark=\"1\">\n"
        "  <!-- a remark -->\n"
        "  <Machine uuid=\"3b0c5a1e-74de-4a39-9f1d-0c8b7a6f2e11\" name=\"A\" OSType=\"Linux\" "
        "surprise=\"kept\">\n"
        "    <Surprise><Inner deep=\"yes\">text</Inner></Surprise>\n"
        "    <Hardware>\n"
        "      <CPU count=\"1\" novelty=\"9\"><Novelty enabled=\"true\"/></CPU>\n"
        "      <Memory RAMSize=\"64\"/>\n"
        "      <Network><Adapter slot=\"0\" enabled=\"true\"><NAT/></Adapter></Network>\n"
        "    </Hardware>\n"
        "  </Machine>\n"
        "</VirtualBox>\n";
    g_autofree char *path = settings_test_write(fixture, "a.vbox", text, -1);
    g_autoptr(SettingsFile) file = settings_file_load(path, SETTINGS_MACHINE, NULL);
    g_autoptr(MachineRecord) record = machine_file_read(file, NULL);
    g_assert_cmpint(vitrine_settings_get_enum(record->settings, "paravirt"), ==,
                    VITRINE_PARAVIRT_DEFAULT);
    vitrine_settings_set_uint(record->settings, "memory", 65);
    machine_file_write(file, record);
    g_assert_true(settings_file_save(file, NULL));
    g_autofree char *after = settings_test_read(path);
    static const char *const kept[] = {"o:mark=\"1\"",
                                       "<!-- a remark -->",
                                       "surprise=\"kept\"",
                                       "<Inner deep=\"yes\">text</Inner>",
                                       "novelty=\"9\"",
                                       "<Novelty enabled=\"true\"/>",
                                       "<NAT/>",
                                       "RAMSize=\"65\"",
                                       "version=\"1.16-linux\""};
    for (guint i = 0; i < G_N_ELEMENTS(kept); i++) {
        if (strstr(after, kept[i]) == NULL)
            g_error("lost: %s in\n%s", kept[i], after);
    }
}

static void
test_global_round_trip(SettingsFixture *fixture, gconstpointer data)
{
    g_autofree char *path = settings_test_copy_example(fixture, "VirtualBox.xml");
    g_autofree char *before = settings_test_read(path);
    g_autoptr(SettingsFile) file = settings_file_load(path, SETTINGS_GLOBAL, NULL);
    g_autoptr(GPtrArray) machines = global_file_read_machines(file);
    g_autoptr(GPtrArray) media = settings_file_read_media(file);
    g_autoptr(GHashTable) extra = settings_file_read_extra_data(file);
    g_autoptr(GVariant) properties = g_variant_ref_sink(global_file_read_properties(file));
    const char *folder = NULL;
    g_assert_cmpuint(machines->len, ==, 2);
    g_assert_cmpstr(((MachineEntry *)machines->pdata[1])->src, ==,
                    "/home/mara/.VirtualBox/Machines/OldXP/OldXP.xml");
    g_assert_cmpuint(media->len, ==, 1);
    g_assert_cmpstr(g_hash_table_lookup(extra, "GUI/Input/HostKeyCombination"), ==, "65508");
    g_assert_true(g_variant_lookup(properties, "machine-folder", "&s", &folder));
    g_assert_cmpstr(folder, ==, "/home/mara/VirtualBox VMs");
    settings_file_write_media(file, media);
    g_assert_true(settings_file_save(file, NULL));
    g_autofree char *after = settings_test_read(path);
    settings_test_assert_same_document(before, after);
}

static void
test_global_changes(SettingsFixture *fixture, gconstpointer data)
{
    g_autofree char *path = settings_test_copy_example(fixture, "VirtualBox.xml");
    g_autoptr(SettingsFile) file = settings_file_load(path, SETTINGS_GLOBAL, NULL);
    GError *error = NULL;
    global_file_remove_machine(file, "3b0c5a1e-74de-4a39-9f1d-0c8b7a6f2e11");
    global_file_add_machine(file, "11111111-2222-4333-8444-555555555555", "/x/y.vbox");
    g_assert_true(
        global_file_set_property(file, "log-history-count", g_variant_new_uint32(7), NULL));
    g_assert_false(
        global_file_set_property(file, "log-history-count", g_variant_new_string("7"), &error));
    g_assert_error(error, VITRINE_ERROR, VITRINE_ERROR_INVALID);
    g_clear_error(&error);
    g_assert_false(global_file_set_property(file, "nothing", g_variant_new_string(""), &error));
    g_assert_error(error, VITRINE_ERROR, VITRINE_ERROR_NOT_FOUND);
    g_clear_error(&error);
    g_assert_true(settings_file_save(file, NULL));
    g_autoptr(SettingsFile) again = settings_file_load(path, SETTINGS_GLOBAL, NULL);
    g_autoptr(GPtrArray) machines = global_file_read_machines(again);
    g_assert_cmpuint(machines->len, ==, 2);
    g_assert_cmpstr(((MachineEntry *)machines->pdata[1])->id, ==,
                    "11111111-2222-4333-8444-555555555555");
    g_autofree char *after = settings_test_read(path);
    g_assert_nonnull(strstr(after, "LogHistoryCount=\"7\""));
}

static void
test_new_machine(SettingsFixture *fixture, gconstpointer data)
{
    g_autofree char *path = g_build_filename(fixture->folder, "n.vbox", NULL);
    g_autoptr(SettingsFile) file = settings_file_new(path, SETTINGS_MACHINE);
    g_autoptr(MachineRecord) record = machine_record_new();
    g_assert_true(g_str_has_prefix(settings_file_version(file), "1.12-"));
    g_free(record->id);
    record->id = g_strdup("3b0c5a1e-74de-4a39-9f1d-0c8b7a6f2e11");
    vitrine_settings_set_string(record->settings, "name", "Ünïcode & <tags> \"quoted\"");
    vitrine_settings_set_string(record->settings, "description", "two\nlines\x01 and a control");
    vitrine_os_type_apply(vitrine_os_type_find("DOS"), record->settings);
    record->aborted = TRUE;
    machine_file_write(file, record);
    g_assert_true(settings_file_save(file, NULL));
    g_autoptr(SettingsFile) again = settings_file_load(path, SETTINGS_MACHINE, NULL);
    g_autoptr(MachineRecord) read = machine_file_read(again, NULL);
    g_assert_nonnull(read);
    g_assert_true(read->aborted);
    g_assert_cmpstr(vitrine_settings_get_string(read->settings, "description"), ==,
                    "two\nlines  and a control");
    vitrine_settings_set_string(record->settings, "description", "two\nlines  and a control");
    g_assert_true(vitrine_settings_equal(read->settings, record->settings));
}

/* The last copy stays; a folder that cannot be written to leaves the file as it was. */
static void
test_replace(SettingsFixture *fixture, gconstpointer data)
{
    g_autofree char *path =
        settings_test_write(fixture, "r.vbox", MACHINE("1.16-linux", PLAIN), -1);
    g_autofree char *before = settings_test_read(path);
    g_autoptr(SettingsFile) file = settings_file_load(path, SETTINGS_MACHINE, NULL);
    settings_file_set_extra_data(file, "a", "b");
    g_assert_true(settings_file_save(file, NULL));
    g_autofree char *prev_path = g_strconcat(path, "-prev", NULL);
    g_autofree char *tmp_path = g_strconcat(path, "-tmp", NULL);
    g_autofree char *prev = settings_test_read(prev_path);
    g_assert_cmpstr(prev, ==, before);
    g_assert_false(g_file_test(tmp_path, G_FILE_TEST_EXISTS));
    g_autofree char *now = settings_test_read(path);
    g_assert_nonnull(strstr(now, "<ExtraDataItem name=\"a\" value=\"b\"/>"));
    g_assert_cmpint(g_mkdir(tmp_path, 0700), ==, 0); /* the temporary file cannot be made */
    g_autoptr(GError) error = NULL;
    settings_file_set_extra_data(file, "a", "c");
    g_assert_false(settings_file_save(file, &error));
    g_assert_error(error, VITRINE_ERROR, VITRINE_ERROR_EXISTS);
    g_autofree char *still = settings_test_read(path);
    g_assert_cmpstr(still, ==, now);
    g_rmdir(tmp_path);
}

static void
test_relative_paths(SettingsFixture *fixture, gconstpointer data)
{
    g_autofree char *path = settings_test_copy_example(fixture, "workbench.vbox");
    g_autoptr(SettingsFile) file = settings_file_load(path, SETTINGS_MACHINE, NULL);
    g_autoptr(GPtrArray) media = settings_file_read_media(file);
    g_autofree char *inside = g_build_filename(fixture->folder, "Workbench.vdi", NULL);
    const MediumRecord *base = media->pdata[0], *child = media->pdata[1];
    g_assert_cmpstr(base->location, ==, inside);
    g_assert_cmpstr(child->parent, ==, base->id);
    g_autoptr(GPtrArray) more = g_ptr_array_new();
    MediumRecord *record = medium_record_copy(base);
    g_free(record->id);
    record->id = g_strdup("22222222-2222-4333-8444-555555555555");
    g_free(record->location);
    record->location = g_build_filename(fixture->folder, "sub", "two.vdi", NULL);
    for (guint i = 0; i < media->len; i++)
        g_ptr_array_add(more, media->pdata[i]);
    g_ptr_array_add(more, record);
    settings_file_write_media(file, more);
    g_assert_true(settings_file_save(file, NULL));
    medium_record_free(record);
    g_autofree char *after = settings_test_read(path);
    g_assert_nonnull(strstr(after, "location=\"sub/two.vdi\""));
}

int
main(int argc, char **argv)
{
    static const SettingsTest tests[] = {
        {"/settings/machine-values", test_machine_values},
        {"/settings/machine-round-trip", test_machine_round_trip},
        {"/settings/machine-change", test_machine_change},
        {"/settings/default-memory", test_default_memory},
        {"/settings/cpu-profile", test_cpu_profile},
        {"/settings/unknown-content", test_unknown_content},
        {"/settings/global-round-trip", test_global_round_trip},
        {"/settings/global-changes", test_global_changes},
        {"/settings/new-machine", test_new_machine},
        {"/settings/replace", test_replace},
        {"/settings/relative-paths", test_relative_paths},
    };
    return SETTINGS_TEST_RUN(argc, argv, tests);
}
