/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A RealtimeKit of the test's own on a bus of its own: it is asked for the right thread, after the
 * process has limited itself as it wants. */
#include "app/console/console-realtime.h"
#include "vmm/base/thread-turns.h"

#include <gio/gio.h>
#include <sys/resource.h>
#include <unistd.h>

#define NAME "org.freedesktop.RealtimeKit1"
#define PATH "/org/freedesktop/RealtimeKit1"
#define LIMIT_US 200000
#define THREAD 4711u
#define SECONDS 60

static const char interface_xml[] =
    "<node><interface name='" NAME "'><method name='MakeThreadRealtimeWithPID'>"
    "<arg type='t' direction='in'/><arg type='t' direction='in'/><arg type='u' direction='in'/>"
    "</method><property name='RTTimeUSecMax' type='x' access='read'/></interface></node>";

typedef struct {
    guint64 process, thread;
    guint32 priority;
    guint64 limit; /* as it was when the call came */
    gboolean called, late;
} Asked;

static void
on_call(GDBusConnection *bus, const char *sender, const char *path, const char *interface,
        const char *method, GVariant *arguments, GDBusMethodInvocation *invocation, gpointer data)
{
    Asked *asked = data;
    struct rlimit limit;

    g_assert_cmpstr(method, ==, "MakeThreadRealtimeWithPID");
    g_variant_get(arguments, "(ttu)", &asked->process, &asked->thread, &asked->priority);
    g_assert_cmpint(getrlimit(RLIMIT_RTTIME, &limit), ==, 0);
    asked->limit = limit.rlim_max;
    asked->called = TRUE;
    g_dbus_method_invocation_return_value(invocation, NULL);
}

static GVariant *
on_get(GDBusConnection *bus, const char *sender, const char *path, const char *interface,
       const char *property, GError **error, gpointer data)
{
    return g_variant_new_int64(LIMIT_US);
}

static gboolean
on_late(gpointer data)
{
    ((Asked *)data)->late = TRUE;
    return G_SOURCE_CONTINUE;
}

static void
asks(void)
{
    static const GDBusInterfaceVTable table = {.method_call = on_call, .get_property = on_get};
    g_autoptr(GTestDBus) daemon = g_test_dbus_new(G_TEST_DBUS_NONE);
    g_autoptr(GDBusNodeInfo) node = g_dbus_node_info_new_for_xml(interface_xml, NULL);
    g_autoptr(GDBusConnection) bus = NULL;
    g_autoptr(GVariant) reply = NULL;
    g_autoptr(GError) error = NULL;
    Asked asked = {0};
    guint timer;

    g_test_dbus_up(daemon);
    g_setenv("DBUS_SYSTEM_BUS_ADDRESS", g_test_dbus_get_bus_address(daemon), TRUE);
    bus = g_dbus_connection_new_for_address_sync(g_test_dbus_get_bus_address(daemon),
                                                 G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT |
                                                     G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION,
                                                 NULL, NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(g_dbus_connection_register_object(bus, PATH, node->interfaces[0], &table,
                                                       &asked, NULL, &error),
                     !=, 0);
    reply = g_dbus_connection_call_sync(bus, "org.freedesktop.DBus", "/org/freedesktop/DBus",
                                        "org.freedesktop.DBus", "RequestName",
                                        g_variant_new("(su)", NAME, 0u), G_VARIANT_TYPE("(u)"),
                                        G_DBUS_CALL_FLAGS_NONE, -1, NULL, &error);
    g_assert_no_error(error);
    timer = g_timeout_add_seconds(SECONDS, on_late, &asked);
    console_realtime_ask(THREAD);
    while (!asked.called && !asked.late)
        g_main_context_iteration(NULL, TRUE);
    g_source_remove(timer);
    g_assert_true(asked.called);
    g_assert_cmpuint(asked.process, ==, (guint64)getpid());
    g_assert_cmpuint(asked.thread, ==, THREAD);
    g_assert_cmpuint(asked.priority, ==, BASE_FIRST_TURNS_PRIORITY);
    g_assert_cmpuint(asked.limit, <=, LIMIT_US);
    g_clear_object(&bus);
    g_test_dbus_stop(daemon);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/console/realtime/asks", asks);
    return g_test_run();
}
