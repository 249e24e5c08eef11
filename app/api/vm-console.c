/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The console interface as the VM process serves it: each message becomes a call of VitrineVmOps.
 * Any number of clients may be connected; all see the same. */
#include <gio/gunixfdlist.h>
#include <sys/socket.h>
#include <unistd.h>

#include "app/api/vm-session-private.h"

#define MAX_SCREENS 64
#define MAX_SCANCODES 256
#define MAX_STRING 65536
#define WINDOW_DATA "vitrine-window" /* set on the connection of a window */

typedef struct {
    guint width, height;
    gboolean enabled;
} Screen;

struct VmConsole {
    VitrineVmSession *session; /* borrowed: it owns us */
    VitrineDBusConsole *skeleton;
    GDBusServer *server;
    GPtrArray *connections;
    const VitrineVmOps *ops;
    gpointer data;
    Screen screens[MAX_SCREENS];
    guint screen_count;
    GMutex lock;                  /* guards the next */
    GArray *readers[MAX_SCREENS]; /* sockets to wake after an update */
};

static gboolean
unsupported(GDBusMethodInvocation *invocation)
{
    g_dbus_method_invocation_return_error(invocation, VITRINE_ERROR, VITRINE_ERROR_NOT_SUPPORTED,
                                          "This machine cannot do that.");
    return TRUE;
}

static gboolean
fail(GDBusMethodInvocation *invocation, GError *error)
{
    g_dbus_method_invocation_take_error(invocation, error);
    return TRUE;
}

static gboolean
do_action(VmConsole *console, GDBusMethodInvocation *invocation, VitrineConsoleAction action)
{
    GError *error = NULL;
    if (console->ops->action == NULL)
        return unsupported(invocation);
    if (!console->ops->action(console->data, action, &error))
        return fail(invocation, error);
    vm_console_flush(console);
    g_dbus_method_invocation_return_value(invocation, NULL);
    return TRUE;
}

static gboolean
on_pause(VitrineDBusConsole *skeleton, GDBusMethodInvocation *invocation, VmConsole *console)
{
    return do_action(console, invocation, VITRINE_CONSOLE_PAUSE);
}

static gboolean
on_resume(VitrineDBusConsole *skeleton, GDBusMethodInvocation *invocation, VmConsole *console)
{
    return do_action(console, invocation, VITRINE_CONSOLE_RESUME);
}

static gboolean
on_reset(VitrineDBusConsole *skeleton, GDBusMethodInvocation *invocation, VmConsole *console)
{
    return do_action(console, invocation, VITRINE_CONSOLE_RESET);
}

static gboolean
on_power_off(VitrineDBusConsole *skeleton, GDBusMethodInvocation *invocation, VmConsole *console)
{
    return do_action(console, invocation, VITRINE_CONSOLE_POWER_OFF);
}

static gboolean
on_power_button(VitrineDBusConsole *skeleton, GDBusMethodInvocation *invocation, VmConsole *console)
{
    return do_action(console, invocation, VITRINE_CONSOLE_ACPI_POWER_BUTTON);
}

static gboolean
on_sleep_button(VitrineDBusConsole *skeleton, GDBusMethodInvocation *invocation, VmConsole *console)
{
    return do_action(console, invocation, VITRINE_CONSOLE_ACPI_SLEEP_BUTTON);
}

static gboolean
on_put_scancodes(VitrineDBusConsole *skeleton, GDBusMethodInvocation *invocation, GVariant *codes,
                 VmConsole *console)
{
    gsize length;
    const guint8 *bytes = g_variant_get_fixed_array(codes, &length, 1);
    if (length > MAX_SCANCODES) {
        g_dbus_method_invocation_return_error(invocation, VITRINE_ERROR, VITRINE_ERROR_INVALID,
                                              "At most %d scan codes go in one message.",
                                              MAX_SCANCODES);
        return TRUE;
    }
    if (console->ops->put_scancodes)
        console->ops->put_scancodes(console->data, bytes, length);
    vitrine_dbus_console_complete_put_scancodes(skeleton, invocation);
    return TRUE;
}

static void
on_string_typed(GObject *source, GAsyncResult *result, gpointer user_data)
{
    GDBusMethodInvocation *invocation = user_data;
    GError *error = NULL;
    if (g_task_propagate_boolean(G_TASK(result), &error))
        g_dbus_method_invocation_return_value(invocation, NULL);
    else
        g_dbus_method_invocation_take_error(invocation, error);
}

static gboolean
on_put_string(VitrineDBusConsole *skeleton, GDBusMethodInvocation *invocation, const char *text,
              VmConsole *console)
{
    if (console->ops->put_string == NULL || strlen(text) > MAX_STRING)
        return unsupported(invocation);
    console->ops->put_string(console->data, text,
                             g_task_new(console->session, NULL, on_string_typed, invocation));
    return TRUE;
}

static gboolean
on_release_keys(VitrineDBusConsole *skeleton, GDBusMethodInvocation *invocation, VmConsole *console)
{
    if (console->ops->release_keys)
        console->ops->release_keys(console->data);
    vitrine_dbus_console_complete_release_keys(skeleton, invocation);
    return TRUE;
}

static gboolean
on_mouse_relative(VitrineDBusConsole *skeleton, GDBusMethodInvocation *invocation, int dx, int dy,
                  int dz, int dw, guint buttons, VmConsole *console)
{
    if (console->ops->mouse_relative)
        console->ops->mouse_relative(console->data, dx, dy, dz, dw, buttons);
    vitrine_dbus_console_complete_mouse_relative_event(skeleton, invocation);
    return TRUE;
}

static gboolean
on_mouse_absolute(VitrineDBusConsole *skeleton, GDBusMethodInvocation *invocation, guint screen,
                  int x, int y, int dz, int dw, guint buttons, VmConsole *console)
{
    if (console->ops->mouse_absolute)
        console->ops->mouse_absolute(console->data, screen, x, y, dz, dw, buttons);
    vitrine_dbus_console_complete_mouse_absolute_event(skeleton, invocation);
    return TRUE;
}

/* A pair of sockets: the reader polls one end, vm_console_wake() writes to the other. */
static int
add_reader(VmConsole *console, guint screen, GError **error)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) < 0) {
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_IO, "No socket: %s.", g_strerror(errno));
        return -1;
    }
    g_mutex_lock(&console->lock);
    if (console->readers[screen] == NULL)
        console->readers[screen] = g_array_new(FALSE, FALSE, sizeof(int));
    g_array_append_val(console->readers[screen], ends[1]);
    g_mutex_unlock(&console->lock);
    return ends[0];
}

void
vm_console_wake(VmConsole *console, guint screen)
{
    static const char byte = 1;
    if (screen >= MAX_SCREENS)
        return;
    g_mutex_lock(&console->lock);
    GArray *readers = console->readers[screen];
    for (guint i = readers ? readers->len : 0; i > 0; i--) {
        int fd = g_array_index(readers, int, i - 1);
        /* A full socket is as good as a byte in it; a closed one is a reader that went. */
        if (send(fd, &byte, 1, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 && errno != EAGAIN &&
            errno != EINTR) {
            close(fd);
            g_array_remove_index_fast(readers, i - 1);
        }
    }
    g_mutex_unlock(&console->lock);
}

static gboolean
on_get_surface(VitrineDBusConsole *skeleton, GDBusMethodInvocation *invocation, GUnixFDList *in,
               guint screen, VmConsole *console)
{
    GError *error = NULL;
    if (console->ops->get_surface == NULL || screen >= MAX_SCREENS)
        return unsupported(invocation);
    int memory = console->ops->get_surface(console->data, screen, &error);
    if (memory < 0)
        return fail(invocation, error);
    g_autoptr(GUnixFDList) fds = g_unix_fd_list_new();
    int memory_index = g_unix_fd_list_append(fds, memory, &error);
    int updates = memory_index < 0 ? -1 : add_reader(console, screen, &error);
    if (updates < 0)
        return fail(invocation, error);
    int updates_index = g_unix_fd_list_append(fds, updates, &error);
    close(updates);
    if (updates_index < 0)
        return fail(invocation, error);
    vitrine_dbus_console_complete_get_surface(skeleton, invocation, fds,
                                              g_variant_new_handle(memory_index),
                                              g_variant_new_handle(updates_index));
    return TRUE;
}

static gboolean
on_screenshot(VitrineDBusConsole *skeleton, GDBusMethodInvocation *invocation, guint screen,
              VmConsole *console)
{
    GError *error = NULL;
    if (console->ops->screenshot_png == NULL)
        return unsupported(invocation);
    g_autoptr(GBytes) png = console->ops->screenshot_png(console->data, screen, &error);
    if (png == NULL)
        return fail(invocation, error);
    GVariant *array = g_variant_new_from_bytes(G_VARIANT_TYPE_BYTESTRING, png, TRUE);
    g_dbus_method_invocation_return_value(invocation, g_variant_new_tuple(&array, 1));
    return TRUE;
}

static gboolean
on_get_activity(VitrineDBusConsole *skeleton, GDBusMethodInvocation *invocation, VmConsole *console)
{
    static const char *const words[VITRINE_ACTIVITY_COUNT] = {
        "hard-disk", "optical", "floppy", "network", "audio", "usb", "shared-folder", "display"};
    VitrineActivity activity = {0};
    GVariantBuilder builder;
    if (console->ops->get_activity)
        console->ops->get_activity(console->data, &activity);
    g_variant_builder_init(&builder, G_VARIANT_TYPE("a{s(tt)}"));
    for (guint i = 0; i < VITRINE_ACTIVITY_COUNT; i++)
        g_variant_builder_add(&builder, "{s(tt)}", words[i], activity.reads[i], activity.writes[i]);
    vitrine_dbus_console_complete_get_activity(skeleton, invocation,
                                               g_variant_builder_end(&builder));
    return TRUE;
}

static gboolean
on_get_info(VitrineDBusConsole *skeleton, GDBusMethodInvocation *invocation, const char *name,
            VmConsole *console)
{
    GError *error = NULL;
    if (console->ops->get_info == NULL)
        return unsupported(invocation);
    g_autofree char *text = console->ops->get_info(console->data, name, &error);
    if (text == NULL)
        return fail(invocation, error);
    vitrine_dbus_console_complete_get_info(skeleton, invocation, text);
    return TRUE;
}

static gboolean
on_set_execution_cap(VitrineDBusConsole *skeleton, GDBusMethodInvocation *invocation, guint percent,
                     VmConsole *console)
{
    GError *error = NULL;
    if (console->ops->set_execution_cap == NULL)
        return unsupported(invocation);
    if (!console->ops->set_execution_cap(console->data, percent, &error))
        return fail(invocation, error);
    vitrine_dbus_console_complete_set_execution_cap(skeleton, invocation);
    return TRUE;
}

static gboolean
on_set_audio(VitrineDBusConsole *skeleton, GDBusMethodInvocation *invocation, gboolean input,
             gboolean on, VmConsole *console)
{
    GError *error = NULL;
    if (console->ops->set_audio == NULL)
        return unsupported(invocation);
    if (!console->ops->set_audio(console->data, input, on, &error))
        return fail(invocation, error);
    vitrine_dbus_console_complete_set_audio(skeleton, invocation);
    return TRUE;
}

/* --- windows: clients that said that they are one --- */
static gboolean
on_attach_window(VitrineDBusConsole *skeleton, GDBusMethodInvocation *invocation,
                 VmConsole *console)
{
    GDBusConnection *connection = g_dbus_method_invocation_get_connection(invocation);
    g_object_set_data(G_OBJECT(connection), WINDOW_DATA, console);
    vitrine_dbus_console_complete_attach_window(skeleton, invocation);
    return TRUE;
}

static gboolean
on_show_window(VitrineDBusConsole *skeleton, GDBusMethodInvocation *invocation, VmConsole *console)
{
    gboolean shown = FALSE;
    for (guint i = 0; i < console->connections->len; i++)
        shown |= g_object_get_data(console->connections->pdata[i], WINDOW_DATA) != NULL;
    if (shown)
        vitrine_dbus_console_emit_show_requested(skeleton);
    vitrine_dbus_console_complete_show_window(skeleton, invocation, shown);
    return TRUE;
}

static const struct {
    const char *signal;
    GCallback handler;
} handlers[] = {
    {"handle-pause", G_CALLBACK(on_pause)},
    {"handle-resume", G_CALLBACK(on_resume)},
    {"handle-reset", G_CALLBACK(on_reset)},
    {"handle-power-off", G_CALLBACK(on_power_off)},
    {"handle-acpi-power-button", G_CALLBACK(on_power_button)},
    {"handle-acpi-sleep-button", G_CALLBACK(on_sleep_button)},
    {"handle-put-scancodes", G_CALLBACK(on_put_scancodes)},
    {"handle-put-string", G_CALLBACK(on_put_string)},
    {"handle-release-keys", G_CALLBACK(on_release_keys)},
    {"handle-mouse-relative-event", G_CALLBACK(on_mouse_relative)},
    {"handle-mouse-absolute-event", G_CALLBACK(on_mouse_absolute)},
    {"handle-get-surface", G_CALLBACK(on_get_surface)},
    {"handle-screenshot-png", G_CALLBACK(on_screenshot)},
    {"handle-get-activity", G_CALLBACK(on_get_activity)},
    {"handle-get-info", G_CALLBACK(on_get_info)},
    {"handle-set-audio", G_CALLBACK(on_set_audio)},
    {"handle-set-execution-cap", G_CALLBACK(on_set_execution_cap)},
    {"handle-attach-window", G_CALLBACK(on_attach_window)},
    {"handle-show-window", G_CALLBACK(on_show_window)},
};

VmConsole *
vm_console_new(VitrineVmSession *session, const char *machine_id)
{
    VmConsole *console = g_new0(VmConsole, 1);
    console->session = session;
    console->skeleton = vitrine_dbus_console_skeleton_new();
    console->connections = g_ptr_array_new_with_free_func(g_object_unref);
    g_mutex_init(&console->lock);
    vitrine_dbus_console_set_machine_id(console->skeleton, machine_id);
    vitrine_dbus_console_set_state(console->skeleton, "starting");
    vitrine_dbus_console_set_engine(console->skeleton, "");
    vitrine_dbus_console_set_mouse_relative(console->skeleton, TRUE);
    vitrine_dbus_console_set_screens(console->skeleton, g_variant_new("a(uub)", NULL));
    return console;
}

static void
on_connection_closed(GDBusConnection *connection, gboolean vanished, GError *error,
                     gpointer user_data)
{
    VmConsole *console = user_data;
    g_dbus_interface_skeleton_unexport_from_connection(G_DBUS_INTERFACE_SKELETON(console->skeleton),
                                                       connection);
    g_ptr_array_remove_fast(console->connections, connection);
}

static gboolean
on_new_connection(GDBusServer *server, GDBusConnection *connection, gpointer user_data)
{
    VmConsole *console = user_data;
    if (!g_dbus_interface_skeleton_export(G_DBUS_INTERFACE_SKELETON(console->skeleton), connection,
                                          VITRINE_CONSOLE_PATH, NULL))
        return FALSE;
    g_ptr_array_add(console->connections, g_object_ref(connection));
    g_signal_connect(connection, "closed", G_CALLBACK(on_connection_closed), console);
    return TRUE;
}

gboolean
vm_console_listen(VmConsole *console, const char *path, const VitrineVmOps *ops, gpointer data,
                  GError **error)
{
    console->ops = ops;
    console->data = data;
    for (guint i = 0; i < G_N_ELEMENTS(handlers); i++)
        g_signal_connect(console->skeleton, handlers[i].signal, handlers[i].handler, console);
    console->server = vitrine_transport_listen(path, error);
    if (console->server == NULL)
        return FALSE;
    g_signal_connect(console->server, "new-connection", G_CALLBACK(on_new_connection), console);
    return TRUE;
}

void
vm_console_stop_listening(VmConsole *console)
{
    if (console->server == NULL)
        return;
    g_dbus_server_stop(console->server); /* removes the socket's name */
    g_clear_object(&console->server);
}

void
vm_console_close(VmConsole *console)
{
    vm_console_stop_listening(console);
    for (guint i = 0; i < console->connections->len; i++) {
        GDBusConnection *connection = console->connections->pdata[i];
        g_signal_handlers_disconnect_by_data(connection, console);
        g_dbus_connection_flush_sync(connection, NULL, NULL);
        g_dbus_connection_close(connection, NULL, NULL, NULL);
    }
    g_ptr_array_set_size(console->connections, 0);
    /* Without a client it is exported nowhere. */
    if (g_dbus_interface_skeleton_get_object_path(G_DBUS_INTERFACE_SKELETON(console->skeleton)))
        g_dbus_interface_skeleton_unexport(G_DBUS_INTERFACE_SKELETON(console->skeleton));
}

void
vm_console_free(VmConsole *console)
{
    if (console == NULL)
        return;
    vm_console_close(console);
    g_ptr_array_unref(console->connections);
    g_object_unref(console->skeleton);
    for (guint screen = 0; screen < MAX_SCREENS; screen++) {
        GArray *readers = console->readers[screen];
        for (guint i = 0; readers && i < readers->len; i++)
            close(g_array_index(readers, int, i));
        g_clear_pointer(&console->readers[screen], g_array_unref);
    }
    g_mutex_clear(&console->lock);
    g_free(console);
}

VitrineDBusConsole *
vm_console_skeleton(VmConsole *console)
{
    return console->skeleton;
}

void
vm_console_set_screen(VmConsole *console, guint screen, guint width, guint height, gboolean enabled)
{
    GVariantBuilder builder;
    if (screen >= MAX_SCREENS)
        return;
    console->screens[screen] = (Screen){width, height, enabled};
    console->screen_count = MAX(console->screen_count, screen + 1);
    g_variant_builder_init(&builder, G_VARIANT_TYPE("a(uub)"));
    for (guint i = 0; i < console->screen_count; i++)
        g_variant_builder_add(&builder, "(uub)", console->screens[i].width,
                              console->screens[i].height, console->screens[i].enabled);
    vitrine_dbus_console_set_screens(console->skeleton, g_variant_builder_end(&builder));
}

void
vm_console_flush(VmConsole *console)
{
    g_dbus_interface_skeleton_flush(G_DBUS_INTERFACE_SKELETON(console->skeleton));
}
