/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * RealtimeKit (its D-Bus interface org.freedesktop.RealtimeKit1): lets a thread of a program
 * without rights come before others, as sound servers and their clients ask it to. Whoever has no
 * RealtimeKit, or is refused, goes on with an ordinary thread. */
#include "app/console/console-realtime.h"

#include "vmm/base/thread-turns.h"

#include <gio/gio.h>
#include <unistd.h>

#define NAME "org.freedesktop.RealtimeKit1"
#define PATH "/org/freedesktop/RealtimeKit1"
#define TIMEOUT_MS 10000

static void
on_made(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) reply =
        g_dbus_connection_call_finish(G_DBUS_CONNECTION(source), result, &error);

    if (reply == NULL)
        g_debug("RealtimeKit: %s", error->message);
}

/* Only who limits itself is let before others. */
static void
on_limit(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autofree guint64 *thread = data;
    g_autoptr(GVariant) reply =
        g_dbus_connection_call_finish(G_DBUS_CONNECTION(source), result, NULL);
    g_autoptr(GVariant) limit = NULL;
    gint64 us;

    if (reply == NULL)
        return;
    g_variant_get(reply, "(v)", &limit);
    if (!g_variant_is_of_type(limit, G_VARIANT_TYPE_INT64))
        return;
    us = g_variant_get_int64(limit);
    if (us <= 0 || !base_thread_limit_first_turns((uint64_t)us))
        return;
    g_dbus_connection_call(
        G_DBUS_CONNECTION(source), NAME, PATH, NAME, "MakeThreadRealtimeWithPID",
        g_variant_new("(ttu)", (guint64)getpid(), *thread, (guint32)BASE_FIRST_TURNS_PRIORITY),
        NULL, G_DBUS_CALL_FLAGS_NONE, TIMEOUT_MS, NULL, on_made, NULL);
}

static void
on_bus(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autofree guint64 *thread = data;
    g_autoptr(GDBusConnection) bus = g_bus_get_finish(result, NULL);

    if (bus == NULL)
        return;
    g_dbus_connection_call(bus, NAME, PATH, "org.freedesktop.DBus.Properties", "Get",
                           g_variant_new("(ss)", NAME, "RTTimeUSecMax"), G_VARIANT_TYPE("(v)"),
                           G_DBUS_CALL_FLAGS_NONE, TIMEOUT_MS, NULL, on_limit,
                           g_steal_pointer(&thread));
}

void
console_realtime_ask(guint64 thread)
{
    g_bus_get(G_BUS_TYPE_SYSTEM, NULL, on_bus, g_memdup2(&thread, sizeof thread));
}
