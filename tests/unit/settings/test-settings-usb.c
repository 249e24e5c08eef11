/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * USB controllers and filters in settings files of all versions. */
#include <string.h>

#include "tests/unit/settings/settings-fixture.h"

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

/* The xHCI controller comes and goes; the others stay as the file has them. */
static void
test_usb(SettingsFixture *fixture, gconstpointer data)
{
    g_autofree char *path = settings_test_write(
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
    g_autofree char *with = settings_test_read(path);
    g_assert_nonnull(strstr(with, "<Controller name=\"OHCI\" type=\"OHCI\"/>"));
    g_assert_nonnull(strstr(with, "<Controller name=\"xHCI\" type=\"XHCI\"/>"));
    g_assert_nonnull(strstr(with, USB_FILTER));
    g_autoptr(SettingsFile) again = settings_file_load(path, SETTINGS_MACHINE, NULL);
    g_autoptr(MachineRecord) same = machine_file_read(again, NULL);
    g_assert_true(vitrine_settings_get_bool(same->settings, "usb-xhci"));
    vitrine_settings_set_bool(same->settings, "usb-xhci", FALSE);
    machine_file_write(again, same);
    g_assert_true(settings_file_save(again, NULL));
    g_autofree char *without = settings_test_read(path);
    g_assert_nonnull(strstr(without, "type=\"OHCI\""));
    g_assert_null(strstr(without, "XHCI"));
}

/* Before 1.14 the controllers and their filters are one element, which a newer version takes apart.
 */
static void
test_usb_of_old(SettingsFixture *fixture, gconstpointer data)
{
    g_autofree char *path = settings_test_write(
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
    g_autofree char *old = settings_test_read(path);
    g_assert_nonnull(strstr(old, "<USBController enabled=\"true\" enabledEhci=\"true\">"));
    g_assert_nonnull(strstr(old, USB_FILTER));
    g_assert_null(strstr(old, "name=\"all\""));
    vitrine_settings_set_bool(record->settings, "usb-xhci", TRUE);
    machine_file_write(file, record);
    g_assert_true(settings_file_save(file, NULL));
    g_autofree char *new = settings_test_read(path);
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
test_global_usb_filters(SettingsFixture *fixture, gconstpointer data)
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
test_usb_fields(SettingsFixture *fixture, gconstpointer data)
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

int
main(int argc, char **argv)
{
    static const SettingsTest tests[] = {
        {"/settings/usb", test_usb},
        {"/settings/usb-of-old", test_usb_of_old},
        {"/settings/global-usb-filters", test_global_usb_filters},
        {"/settings/usb-fields", test_usb_fields},
    };
    return SETTINGS_TEST_RUN(argc, argv, tests);
}
