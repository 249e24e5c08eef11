/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What is plugged into the host: a mocked device with all that is known of it, and its going. */
#include "tests/lib/usb-mock.h"
#include "usb/host/usb-host-list.h"

#define PATIENCE_US (20 * G_USEC_PER_SEC)

static void
on_changed(void *user)
{
    g_atomic_int_inc((gint *)user);
}

static void
test_list(void)
{
    const gint64 end = g_get_monotonic_time() + PATIENCE_US;
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) before = NULL;
    g_autoptr(GPtrArray) after = NULL;
    UsbMock *mock = usb_mock_new(false);
    gint changes = 0;
    UsbHostList *list = usb_host_list_new(on_changed, &changes, &error);
    const UsbHostInfo *info;

    g_assert_no_error(error);
    before = usb_host_list_get(list);
    g_assert_cmpuint(before->len, ==, 1);
    info = before->pdata[0];
    g_assert_cmpuint(info->bus, ==, USB_MOCK_BUS);
    g_assert_cmpuint(info->address, ==, USB_MOCK_ADDRESS);
    g_assert_cmpuint(info->port, ==, 1);
    g_assert_cmpstr(info->path, ==, "1-1");
    g_assert_cmphex(info->vendor, ==, 0x1234);
    g_assert_cmphex(info->product, ==, 0x5678);
    g_assert_cmphex(info->revision, ==, 0x0100);
    g_assert_cmphex(info->version, ==, 0x0200);
    g_assert_cmpuint(info->speed, ==, 12);
    g_assert_cmpstr(info->title, ==, "Mock Device");
    g_assert_null(info->serial);
    g_assert_true(info->permitted);
    g_assert_cmpint(g_atomic_int_get(&changes), ==, 0);
    usb_mock_unplug(mock);
    while (g_atomic_int_get(&changes) == 0) {
        g_assert_cmpint(g_get_monotonic_time(), <, end);
        g_usleep(1000);
    }
    after = usb_host_list_get(list);
    g_assert_cmpuint(after->len, ==, 0);
    usb_host_list_free(list);
    usb_mock_free(mock);
}

static gpointer
give_back(gpointer list)
{
    g_autoptr(GError) error = NULL;

    usb_host_list_bind(list, USB_MOCK_BUS, USB_MOCK_ADDRESS, true, &error);
    g_assert_no_error(error);
    return NULL;
}

/* A process that ends has the device until its node is closed; then the host's driver gets it. */
static void
test_given_back(void)
{
    const gint64 end = g_get_monotonic_time() + PATIENCE_US;
    UsbMock *mock = usb_mock_new(false);
    g_autoptr(GError) error = NULL;
    g_autofree char *log = NULL;
    gint changes = 0;
    UsbHostList *list = usb_host_list_new(on_changed, &changes, &error);
    GThread *thread;

    g_assert_no_error(error);
    g_assert_true(usb_host_list_bind(list, USB_MOCK_BUS, USB_MOCK_ADDRESS, false, &error));
    usb_mock_set_closing(mock, true);
    thread = g_thread_new("give-back", give_back, list);
    do {
        g_assert_cmpint(g_get_monotonic_time(), <, end);
        g_usleep(1000);
        g_free(log);
        log = usb_mock_log(mock);
    } while (!g_str_has_suffix(log, "busy 0; "));
    usb_mock_set_closing(mock, false);
    g_thread_join(thread);
    g_free(log);
    log = usb_mock_log(mock);
    g_assert_true(g_str_has_prefix(log, "detach 0; busy 0; "));
    g_assert_true(g_str_has_suffix(log, "busy 0; attach 0; "));
    usb_host_list_free(list);
    usb_mock_free(mock);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/usb-host-list/list", test_list);
    g_test_add_func("/usb-host-list/given-back", test_given_back);
    return g_test_run();
}
