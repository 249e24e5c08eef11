/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Filters of USB devices: every field, its language, and the order of several filters. */
#include "usb/host/usb-host-list.h"
#include "vmm/base/error.h"

#include <string.h>

static const UsbHostInfo stick = {
    .bus = 3,
    .address = 9,
    .port = 12,
    .vendor = 0x0bc2,
    .product = 0x231a,
    .revision = 0x0710,
    .manufacturer = (char *)"Seagate",
    .title = (char *)"Expansion HDD",
    .permitted = true,
};

/* Whether one field alone fits the stick. */
#define FITS(field, expression)                                                                    \
    usb_host_filter_fits(&(UsbHostFilter){.field = (expression)}, &stick)
#define READABLE(field, expression)                                                                \
    usb_host_filter_check(&(UsbHostFilter){.field = (expression)}, NULL)

static void
test_any(void)
{
    g_assert_true(usb_host_filter_fits(&(UsbHostFilter){0}, &stick));
    g_assert_true(FITS(vendor_id, ""));
    g_assert_true(FITS(serial_number, ""));
    g_assert_true(READABLE(port, ""));
}

static void
test_numbers(void)
{
    g_assert_true(FITS(vendor_id, "0bc2"));
    g_assert_true(FITS(vendor_id, "BC2"));
    g_assert_true(FITS(vendor_id, "0x0BC2"));
    g_assert_false(FITS(vendor_id, "0bc3"));
    g_assert_true(FITS(product_id, "2300-23ff"));
    g_assert_false(FITS(product_id, "2400-24ff"));
    g_assert_true(FITS(product_id, "231a-"));
    g_assert_false(FITS(product_id, "231b-"));
    g_assert_true(FITS(product_id, "-231a"));
    g_assert_false(FITS(product_id, "-2319"));
    g_assert_true(FITS(revision, "100,0710"));
    g_assert_true(FITS(revision, "int:0x100 | 0x700-0x71f"));
    g_assert_false(FITS(revision, "100|200"));
    /* Ports are decimal. */
    g_assert_true(FITS(port, "12"));
    g_assert_false(FITS(port, "c"));
    g_assert_true(FITS(port, "0xc"));
    g_assert_true(FITS(port, "1-3,10-12"));
}

static void
test_texts(void)
{
    g_assert_true(FITS(manufacturer, "Seagate"));
    g_assert_false(FITS(manufacturer, "seagate"));
    g_assert_false(FITS(manufacturer, "Sea"));
    g_assert_true(FITS(product, "Expansion*"));
    g_assert_true(FITS(product, "Expansion H?D"));
    g_assert_false(FITS(product, "*SSD"));
    /* A device without a serial number fits no filter that has one. */
    g_assert_false(FITS(serial_number, "*"));
}

static void
test_remote(void)
{
    g_assert_true(FITS(remote, "0"));
    g_assert_true(FITS(remote, "no"));
    g_assert_false(FITS(remote, "1"));
    g_assert_false(FITS(remote, "Yes"));
}

static void
test_all_fields(void)
{
    UsbHostFilter filter = {.vendor_id = "0bc2", .product_id = "231a", .port = "12"};

    g_assert_true(usb_host_filter_fits(&filter, &stick));
    filter.product = "Backup";
    g_assert_false(usb_host_filter_fits(&filter, &stick));
}

static void
test_unreadable(void)
{
    static const char *const bad[] = {"x",  "12g",   "1-2-3", "5-4",  "-",   ",", "1,",
                                      "0x", "10000", "int:",  "12 4", "--4", "|1"};
    const UsbHostFilter filter = {.vendor_id = "zz"};
    g_autoptr(GError) error = NULL;

    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_test_message("\"%s\"", bad[i]);
        g_assert_false(READABLE(vendor_id, bad[i]));
        g_assert_false(FITS(vendor_id, bad[i]));
    }
    g_assert_true(READABLE(vendor_id, "ffff"));
    g_assert_false(READABLE(port, "c"));
    g_assert_false(READABLE(remote, "maybe"));
    g_assert_false(FITS(remote, "maybe"));
    g_assert_false(usb_host_filter_check(&filter, &error));
    g_assert_error(error, BASE_ERROR, BASE_ERROR_INVALID);
    g_assert_nonnull(strstr(error->message, "vendor"));
}

/* The first active one that fits decides, whatever the others want. */
static void
test_order(void)
{
    UsbHostFilter filters[] = {
        {.name = "off", .active = false},
        {.name = "another", .active = true, .vendor_id = "1111"},
        {.name = "keep", .active = true, .vendor_id = "0bc2", .action = USB_HOST_FILTER_IGNORE},
        {.name = "all", .active = true, .action = USB_HOST_FILTER_HOLD},
    };

    g_assert_cmpint(usb_host_filter_find(filters, G_N_ELEMENTS(filters), &stick), ==, 2);
    filters[2].active = false;
    g_assert_cmpint(usb_host_filter_find(filters, G_N_ELEMENTS(filters), &stick), ==, 3);
    g_assert_cmpint(usb_host_filter_find(filters, 2, &stick), ==, -1);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/usb-host-filter/any", test_any);
    g_test_add_func("/usb-host-filter/numbers", test_numbers);
    g_test_add_func("/usb-host-filter/texts", test_texts);
    g_test_add_func("/usb-host-filter/remote", test_remote);
    g_test_add_func("/usb-host-filter/all-fields", test_all_fields);
    g_test_add_func("/usb-host-filter/unreadable", test_unreadable);
    g_test_add_func("/usb-host-filter/order", test_order);
    return g_test_run();
}
