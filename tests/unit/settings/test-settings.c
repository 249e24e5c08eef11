/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Settings files: the two complete examples of the format survive a round trip, with what we do not
 * understand; damaged, foreign and future files are refused with a reason; writes are atomic and
 * keep what the manual says is kept. */
#include <glib/gstdio.h>
#include <string.h>

#include "app/service/settings/global-file.h"
#include "app/service/settings/snapshot-file.h"

typedef struct {
    char *folder;
} Fixture;

static void
setup(Fixture *fixture, gconstpointer data)
{
    fixture->folder = g_dir_make_tmp("vitrine-settings-XXXXXX", NULL);
    g_assert_nonnull(fixture->folder);
}

static void
teardown(Fixture *fixture, gconstpointer data)
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

static char *
read_file(const char *path)
{
    char *text = NULL;
    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    return text;
}

static char *
write_file(Fixture *fixture, const char *name, const char *text, gssize length)
{
    char *path = g_build_filename(fixture->folder, name, NULL);
    g_assert_true(g_file_set_contents(path, text, length, NULL));
    return path;
}

static char *
copy_example(Fixture *fixture, const char *name)
{
    g_autofree char *source = g_test_build_filename(G_TEST_DIST, "data", name, NULL);
    g_autofree char *text = read_file(source);
    return write_file(fixture, name, text, -1);
}

/* Indentation and the comment's place are libxml2's business, everything else is ours. */
static char *
without_blanks(const char *text)
{
    g_autoptr(GRegex) blanks = g_regex_new(">\\s+<", 0, 0, NULL);
    g_autofree char *tight = g_regex_replace(blanks, text, -1, 0, ">\n<", 0, NULL);
    return g_strdup(g_strstrip(tight));
}

static void
assert_same_document(const char *a, const char *b)
{
    g_autofree char *x = without_blanks(a);
    g_autofree char *y = without_blanks(b);
    g_assert_cmpstr(x, ==, y);
}

static void
test_machine_values(Fixture *fixture, gconstpointer data)
{
    g_autofree char *path = copy_example(fixture, "workbench.vbox");
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
test_machine_round_trip(Fixture *fixture, gconstpointer data)
{
    g_autofree char *path = copy_example(fixture, "workbench.vbox");
    g_autofree char *before = read_file(path);
    g_autoptr(SettingsFile) file = settings_file_load(path, SETTINGS_MACHINE, NULL);
    g_autoptr(MachineRecord) record = machine_file_read(file, NULL);
    g_autoptr(GPtrArray) media = settings_file_read_media(file);
    GError *error = NULL;
    g_assert_cmpuint(media->len, ==, 3);
    machine_file_write(file, record);
    settings_file_write_media(file, media);
    g_assert_true(settings_file_save(file, &error));
    g_assert_no_error(error);
    g_autofree char *after = read_file(path);
    assert_same_document(before, after);
}

/* A change goes where it belongs, and nothing else moves. */
static void
test_machine_change(Fixture *fixture, gconstpointer data)
{
    g_autofree char *path = copy_example(fixture, "workbench.vbox");
    g_autofree char *before = read_file(path);
    g_autoptr(SettingsFile) file = settings_file_load(path, SETTINGS_MACHINE, NULL);
    g_autoptr(MachineRecord) record = machine_file_read(file, NULL);
    vitrine_settings_set_uint(record->settings, "memory", 512);
    vitrine_settings_set_bool(record->settings, "rtc-utc", FALSE); /* the default: not written */
    vitrine_settings_set_bool(record->settings, "hpet", TRUE);
    vitrine_settings_set_string(record->settings, "exec-engine", "iem");
    machine_file_write(file, record);
    g_assert_true(settings_file_save(file, NULL));
    g_autofree char *after = read_file(path);
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
    assert_same_document(expected->str, after);
}

/* A CPU profile of ours is not for the original's eyes; one of its own stays where it puts it. */
static void
test_cpu_profile(Fixture *fixture, gconstpointer data)
{
    g_autofree char *path = copy_example(fixture, "workbench.vbox");
    g_autoptr(SettingsFile) file = settings_file_load(path, SETTINGS_MACHINE, NULL);
    g_autoptr(MachineRecord) record = machine_file_read(file, NULL);
    vitrine_settings_set_string(record->settings, "cpu-profile", "Intel 80386");
    machine_file_write(file, record);
    g_assert_true(settings_file_save(file, NULL));
    g_autofree char *foreign = read_file(path);
    g_assert_nonnull(strstr(foreign, "CpuProfile=\"Intel 80386\""));
    g_assert_null(strstr(foreign, "Vitrine/CpuProfile"));
    vitrine_settings_set_string(record->settings, "cpu-profile", "x86-64-v2");
    machine_file_write(file, record);
    g_assert_true(settings_file_save(file, NULL));
    g_autofree char *own = read_file(path);
    g_assert_null(strstr(own, "CpuProfile=\""));
    g_assert_nonnull(strstr(own, "name=\"Vitrine/CpuProfile\" value=\"x86-64-v2\""));
    g_autoptr(SettingsFile) again = settings_file_load(path, SETTINGS_MACHINE, NULL);
    g_autoptr(MachineRecord) reread = machine_file_read(again, NULL);
    g_assert_cmpstr(vitrine_settings_get_string(reread->settings, "cpu-profile"), ==, "x86-64-v2");
}

static void
test_unknown_content(Fixture *fixture, gconstpointer data)
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
    g_autofree char *path = write_file(fixture, "a.vbox", text, -1);
    g_autoptr(SettingsFile) file = settings_file_load(path, SETTINGS_MACHINE, NULL);
    g_autoptr(MachineRecord) record = machine_file_read(file, NULL);
    g_assert_cmpint(vitrine_settings_get_enum(record->settings, "paravirt"), ==,
                    VITRINE_PARAVIRT_DEFAULT);
    vitrine_settings_set_uint(record->settings, "memory", 65);
    machine_file_write(file, record);
    g_assert_true(settings_file_save(file, NULL));
    g_autofree char *after = read_file(path);
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
test_global_round_trip(Fixture *fixture, gconstpointer data)
{
    g_autofree char *path = copy_example(fixture, "VirtualBox.xml");
    g_autofree char *before = read_file(path);
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
    g_autofree char *after = read_file(path);
    assert_same_document(before, after);
}

static void
test_global_changes(Fixture *fixture, gconstpointer data)
{
    g_autofree char *path = copy_example(fixture, "VirtualBox.xml");
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
    g_autofree char *after = read_file(path);
    g_assert_nonnull(strstr(after, "LogHistoryCount=\"7\""));
}

/* Every length of a good file: an error with a sentence, never a crash or half a machine. */
static void
test_truncated(Fixture *fixture, gconstpointer data)
{
    g_autofree char *good = copy_example(fixture, "workbench.vbox");
    g_autofree char *text = read_file(good);
    gsize end = strlen(g_strchomp(text));
    for (gsize length = 0; length < end; length += 97) {
        g_autoptr(GError) error = NULL;
        g_autofree char *path = write_file(fixture, "cut.vbox", text, (gssize)length);
        g_autoptr(SettingsFile) file = settings_file_load(path, SETTINGS_MACHINE, &error);
        g_assert_null(file);
        g_assert_error(error, VITRINE_ERROR, VITRINE_ERROR_CORRUPT);
        g_assert_nonnull(strstr(error->message, "cut.vbox"));
    }
}

/* One byte changed anywhere: whatever is read is read without harm. */
static void
test_flipped(Fixture *fixture, gconstpointer data)
{
    g_autofree char *good = copy_example(fixture, "workbench.vbox");
    g_autofree char *text = read_file(good);
    gsize length = strlen(text);
    guint refused = 0;
    for (gsize at = 0; at < length; at += 13) {
        g_autofree char *bad = g_strdup(text);
        bad[at] = (char)(bad[at] ^ (1 << (at % 7)));
        g_autofree char *path = write_file(fixture, "flip.vbox", bad, (gssize)length);
        g_autoptr(SettingsFile) file = settings_file_load(path, SETTINGS_MACHINE, NULL);
        g_autoptr(MachineRecord) record = file ? machine_file_read(file, NULL) : NULL;
        refused += record == NULL;
        if (record)
            machine_file_write(file, record);
    }
    g_assert_cmpuint(refused, >, 20);
}

#define MACHINE(version, inside)                                                                   \
    "<VirtualBox xmlns=\"http://www.virtualbox.org/\" version=\"" version "\"><Machine "           \
    "uuid=\"{3b0c5a1e-74de-4a39-9f1d-0c8b7a6f2e11}\" name=\"A\" OSType=\"Other\">" inside          \
    "</Machine></VirtualBox>"
#define PLAIN "<Hardware><Memory RAMSize=\"64\"/></Hardware>"

static void
test_refused(Fixture *fixture, gconstpointer data)
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
        g_autofree char *path = write_file(fixture, "bad.vbox", cases[i].text, -1);
        g_autoptr(SettingsFile) file = settings_file_load(path, SETTINGS_MACHINE, &error);
        g_autoptr(MachineRecord) record = file ? machine_file_read(file, &error) : NULL;
        g_assert_null(record);
        g_assert_error(error, VITRINE_ERROR, (int)cases[i].code);
        if (strstr(error->message, cases[i].word) == NULL)
            g_error("case %u says \"%s\", not \"%s\"", i, error->message, cases[i].word);
    }
}

static void
test_deep(Fixture *fixture, gconstpointer data)
{
    g_autoptr(GString) text = g_string_new("<VirtualBox version=\"1.16-linux\"><Global>"
                                           "<MediaRegistry><HardDisks>");
    g_autoptr(GError) error = NULL;
    for (guint i = 0; i < 310; i++)
        g_string_append(text, "<HardDisk>");
    for (guint i = 0; i < 310; i++)
        g_string_append(text, "</HardDisk>");
    g_string_append(text, "</HardDisks></MediaRegistry></Global></VirtualBox>");
    g_autofree char *path = write_file(fixture, "deep.xml", text->str, -1);
    g_autoptr(SettingsFile) file = settings_file_load(path, SETTINGS_GLOBAL, &error);
    g_assert_null(file);
    g_assert_error(error, VITRINE_ERROR, VITRINE_ERROR_CORRUPT);
    g_assert_nonnull(strstr(error->message, "300"));
}

static void
test_future(Fixture *fixture, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = write_file(fixture, "new.vbox", MACHINE("1.25-linux", PLAIN), -1);
    g_autofree char *before = read_file(path);
    g_autoptr(SettingsFile) file = settings_file_load(path, SETTINGS_MACHINE, NULL);
    g_assert_nonnull(file);
    g_assert_nonnull(strstr(settings_file_read_only_reason(file), "1.25"));
    g_autoptr(MachineRecord) record = machine_file_read(file, NULL);
    g_assert_nonnull(record);
    g_assert_false(settings_file_save(file, &error));
    g_assert_error(error, VITRINE_ERROR, VITRINE_ERROR_READ_ONLY);
    g_autofree char *after = read_file(path);
    g_assert_cmpstr(before, ==, after);
}

/* What an older version cannot say raises it, keeps the old file, and spells out what silence
 * meant. */
static void
test_upgrade(Fixture *fixture, gconstpointer data)
{
    g_autofree char *path = write_file(
        fixture, "old.vbox",
        MACHINE("1.14-windows",
                "<Hardware><Memory RAMSize=\"64\"/><Network><Adapter slot=\"0\" enabled=\"true\"/>"
                "</Network></Hardware><StorageControllers><StorageController name=\"IDE\" "
                "type=\"PIIX4\" PortCount=\"2\"/></StorageControllers>"),
        -1);
    g_autofree char *before = read_file(path);
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
    g_autofree char *backup = read_file(backup_path);
    g_assert_cmpstr(backup, ==, before);
    g_autofree char *after = read_file(path);
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

/* A filter of USB devices with everything in it comes into a file. */
static void
add_usb_filter(VitrineSettings *settings)
{
    g_autoptr(GPtrArray) filters =
        g_ptr_array_new_with_free_func((GDestroyNotify)vitrine_usb_filter_free);
    VitrineUsbFilter *filter = vitrine_usb_filter_new("Logic <probe>");

    filter->active = FALSE;
    vitrine_usb_filter_set_text(filter, "serialnumber", "1 \"2\"");
    vitrine_usb_filter_set_text(filter, "vendorid", "0925");
    vitrine_usb_filter_set_text(filter, "remote", "0");
    vitrine_usb_filter_set_text(filter, "maskedinterfaces", "6");
    g_ptr_array_add(filters, filter);
    vitrine_settings_set_usb_filters(settings, filters);
}

#define USB_FILTER                                                                                 \
    "<DeviceFilter name=\"Logic &lt;probe&gt;\" active=\"false\" vendorId=\"0925\" "               \
    "serialNumber=\"1 &quot;2&quot;\" remote=\"0\" maskedInterfaces=\"6\"/>"

/* Before 1.14 the controllers and their filters are one element, which a newer version takes apart.
 */
static void
test_usb_of_old(Fixture *fixture, gconstpointer data)
{
    g_autofree char *path = write_file(
        fixture, "old-usb.vbox",
        MACHINE("1.12-linux", "<Hardware><Memory RAMSize=\"64\"/><Paravirt provider=\"Legacy\"/>"
                              "<USBController enabled=\"true\" enabledEhci=\"false\">"
                              "<DeviceFilter name=\"all\" active=\"true\"/></USBController>"
                              "</Hardware>"),
        -1);
    g_autoptr(SettingsFile) file = settings_file_load(path, SETTINGS_MACHINE, NULL);
    g_autoptr(MachineRecord) record = machine_file_read(file, NULL);
    GPtrArray *filters = vitrine_settings_get_usb_filters(record->settings);

    g_assert_true(vitrine_settings_get_bool(record->settings, "usb-ohci"));
    g_assert_false(vitrine_settings_get_bool(record->settings, "usb-ehci"));
    g_assert_cmpuint(filters->len, ==, 1);
    g_assert_cmpstr(((VitrineUsbFilter *)filters->pdata[0])->name, ==, "all");
    vitrine_settings_set_enum(record->settings, "paravirt", VITRINE_PARAVIRT_LEGACY);
    vitrine_settings_set_bool(record->settings, "usb-ehci", TRUE);
    add_usb_filter(record->settings);
    machine_file_write(file, record);
    g_assert_true(g_str_has_prefix(settings_file_version(file), "1.12-"));
    g_assert_true(settings_file_save(file, NULL));
    g_autofree char *old = read_file(path);
    g_assert_nonnull(strstr(old, "<USBController enabled=\"true\" enabledEhci=\"true\">"));
    g_assert_nonnull(strstr(old, USB_FILTER));
    g_assert_null(strstr(old, "name=\"all\""));
    vitrine_settings_set_bool(record->settings, "usb-xhci", TRUE);
    machine_file_write(file, record);
    g_assert_true(settings_file_save(file, NULL));
    g_autofree char *new = read_file(path);
    g_assert_null(strstr(new, "USBController"));
    g_assert_nonnull(strstr(new, "<Controller name=\"OHCI\" type=\"OHCI\"/>"));
    g_assert_nonnull(strstr(new, "<Controller name=\"EHCI\" type=\"EHCI\"/>"));
    g_assert_nonnull(strstr(new, "<Controller name=\"xHCI\" type=\"XHCI\"/>"));
    g_assert_nonnull(strstr(new, USB_FILTER));
    g_autoptr(SettingsFile) again = settings_file_load(path, SETTINGS_MACHINE, NULL);
    g_autoptr(MachineRecord) same = machine_file_read(again, NULL);
    g_assert_true(vitrine_settings_equal(same->settings, record->settings));
}

static void
test_global_usb_filters(Fixture *fixture, gconstpointer data)
{
    g_autofree char *path = g_test_build_filename(G_TEST_DIST, "data", "VirtualBox.xml", NULL);
    g_autoptr(SettingsFile) file = settings_file_load(path, SETTINGS_GLOBAL, NULL);
    g_autoptr(GPtrArray) filters = global_file_read_usb_filters(file);
    const VitrineUsbFilter *filter = filters->pdata[0];

    g_assert_cmpuint(filters->len, ==, 1);
    g_assert_cmpstr(filter->name, ==, "Keep the backup disk");
    g_assert_cmpstr(filter->vendor_id, ==, "0bc2");
    g_assert_true(filter->active);
    g_assert_cmpint(filter->action, ==, VITRINE_USB_ACTION_IGNORE);
    g_ptr_array_set_size(filters, 0);
    global_file_write_usb_filters(file, filters);
    g_autoptr(GPtrArray) none = global_file_read_usb_filters(file);
    g_assert_cmpuint(none->len, ==, 0);
}

/* What may stand in a filter's fields, and that settings with anything else are not saved. */
static void
test_usb_fields(Fixture *fixture, gconstpointer data)
{
    static const struct {
        const char *key, *text;
        gboolean good;
    } rows[] = {
        {"vendorid", "", TRUE},         {"vendorid", "04a9", TRUE},
        {"vendorid", "0x4A9", TRUE},    {"vendorid", "04a9-04b0,1234", TRUE},
        {"vendorid", "-04b0", TRUE},    {"vendorid", "int:0x10-", TRUE},
        {"vendorid", "04a90", FALSE},   {"vendorid", "04g9", FALSE},
        {"productid", "1-2-3", FALSE},  {"revision", "1.0", FALSE},
        {"port", "x", FALSE},           {"remote", "yes", TRUE},
        {"remote", "0", TRUE},          {"remote", "perhaps", FALSE},
        {"product", "any*thing", TRUE}, {"serialnumber", "04g9", TRUE},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *problem = vitrine_usb_filter_field_problem(rows[i].key, rows[i].text);

        g_test_message("%s: %s", rows[i].key, rows[i].text);
        g_assert_cmpint(problem == NULL, ==, rows[i].good);
    }
}

/* The xHCI controller comes and goes; the others stay as the file has them. */
static void
test_usb(Fixture *fixture, gconstpointer data)
{
    g_autofree char *path = write_file(
        fixture, "usb.vbox",
        MACHINE("1.14-linux", "<Hardware><Memory RAMSize=\"64\"/><USB><Controllers><Controller "
                              "name=\"OHCI\" type=\"OHCI\"/></Controllers></USB></Hardware>"),
        -1);
    g_autoptr(SettingsFile) file = settings_file_load(path, SETTINGS_MACHINE, NULL);
    g_autoptr(MachineRecord) record = machine_file_read(file, NULL);
    g_assert_false(vitrine_settings_get_bool(record->settings, "usb-xhci"));
    g_assert_true(vitrine_settings_get_bool(record->settings, "usb-ohci"));
    vitrine_settings_set_bool(record->settings, "usb-xhci", TRUE);
    add_usb_filter(record->settings);
    machine_file_write(file, record);
    g_assert_true(g_str_has_prefix(settings_file_version(file), "1.15-"));
    g_assert_true(settings_file_save(file, NULL));
    g_autofree char *with = read_file(path);
    g_assert_nonnull(strstr(with, "<Controller name=\"OHCI\" type=\"OHCI\"/>"));
    g_assert_nonnull(strstr(with, "<Controller name=\"xHCI\" type=\"XHCI\"/>"));
    g_assert_nonnull(strstr(with, USB_FILTER));
    g_autoptr(SettingsFile) again = settings_file_load(path, SETTINGS_MACHINE, NULL);
    g_autoptr(MachineRecord) same = machine_file_read(again, NULL);
    g_assert_true(vitrine_settings_get_bool(same->settings, "usb-xhci"));
    vitrine_settings_set_bool(same->settings, "usb-xhci", FALSE);
    machine_file_write(again, same);
    g_assert_true(settings_file_save(again, NULL));
    g_autofree char *without = read_file(path);
    g_assert_nonnull(strstr(without, "type=\"OHCI\""));
    g_assert_null(strstr(without, "XHCI"));
}

static void
test_new_machine(Fixture *fixture, gconstpointer data)
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
test_replace(Fixture *fixture, gconstpointer data)
{
    g_autofree char *path = write_file(fixture, "r.vbox", MACHINE("1.16-linux", PLAIN), -1);
    g_autofree char *before = read_file(path);
    g_autoptr(SettingsFile) file = settings_file_load(path, SETTINGS_MACHINE, NULL);
    settings_file_set_extra_data(file, "a", "b");
    g_assert_true(settings_file_save(file, NULL));
    g_autofree char *prev_path = g_strconcat(path, "-prev", NULL);
    g_autofree char *tmp_path = g_strconcat(path, "-tmp", NULL);
    g_autofree char *prev = read_file(prev_path);
    g_assert_cmpstr(prev, ==, before);
    g_assert_false(g_file_test(tmp_path, G_FILE_TEST_EXISTS));
    g_autofree char *now = read_file(path);
    g_assert_nonnull(strstr(now, "<ExtraDataItem name=\"a\" value=\"b\"/>"));
    g_assert_cmpint(g_mkdir(tmp_path, 0700), ==, 0); /* the temporary file cannot be made */
    g_autoptr(GError) error = NULL;
    settings_file_set_extra_data(file, "a", "c");
    g_assert_false(settings_file_save(file, &error));
    g_assert_error(error, VITRINE_ERROR, VITRINE_ERROR_EXISTS);
    g_autofree char *still = read_file(path);
    g_assert_cmpstr(still, ==, now);
    g_rmdir(tmp_path);
}

static void
test_relative_paths(Fixture *fixture, gconstpointer data)
{
    g_autofree char *path = copy_example(fixture, "workbench.vbox");
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
    g_autofree char *after = read_file(path);
    g_assert_nonnull(strstr(after, "location=\"sub/two.vdi\""));
}

int
main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*test)(Fixture *, gconstpointer);
    } tests[] = {
        {"/settings/machine-values", test_machine_values},
        {"/settings/machine-round-trip", test_machine_round_trip},
        {"/settings/machine-change", test_machine_change},
        {"/settings/cpu-profile", test_cpu_profile},
        {"/settings/unknown-content", test_unknown_content},
        {"/settings/global-round-trip", test_global_round_trip},
        {"/settings/global-changes", test_global_changes},
        {"/settings/truncated", test_truncated},
        {"/settings/flipped", test_flipped},
        {"/settings/refused", test_refused},
        {"/settings/deep", test_deep},
        {"/settings/future", test_future},
        {"/settings/upgrade", test_upgrade},
        {"/settings/usb", test_usb},
        {"/settings/usb-of-old", test_usb_of_old},
        {"/settings/global-usb-filters", test_global_usb_filters},
        {"/settings/usb-fields", test_usb_fields},
        {"/settings/new-machine", test_new_machine},
        {"/settings/replace", test_replace},
        {"/settings/relative-paths", test_relative_paths},
    };
    g_test_init(&argc, &argv, NULL);
    for (guint i = 0; i < G_N_ELEMENTS(tests); i++)
        g_test_add(tests[i].name, Fixture, NULL, setup, tests[i].test, teardown);
    return g_test_run();
}
