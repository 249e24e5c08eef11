/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VitrineConsole's calls to the VM process. Input goes without a reply, so it costs one message. */
#include <gio/gunixfdlist.h>
#include <string.h>

#include "app/api/console-private.h"

#define SCANCODES_PER_MESSAGE 256

static const char *const actions[] = {
    [VITRINE_CONSOLE_PAUSE] = "Pause",
    [VITRINE_CONSOLE_RESUME] = "Resume",
    [VITRINE_CONSOLE_RESET] = "Reset",
    [VITRINE_CONSOLE_POWER_OFF] = "PowerOff",
    [VITRINE_CONSOLE_ACPI_POWER_BUTTON] = "AcpiPowerButton",
    [VITRINE_CONSOLE_ACPI_SLEEP_BUTTON] = "AcpiSleepButton",
};

static const char *const activity_words[VITRINE_ACTIVITY_COUNT] = {
    "hard-disk", "optical", "floppy", "network", "audio", "usb", "shared-folder", "display",
};

static GError *
closed_error(void)
{
    return g_error_new(VITRINE_ERROR, VITRINE_ERROR_DISCONNECTED,
                       "The machine's process has ended.");
}

static GVariant *
call_sync(VitrineConsole *console, const char *method, GVariant *parameters, const char *type,
          GUnixFDList **fds, GCancellable *cancellable, GError **error)
{
    g_autoptr(GVariant) owned = parameters ? g_variant_ref_sink(parameters) : NULL;
    g_autoptr(GDBusConnection) connection = NULL;
    g_autoptr(GError) cause = NULL;
    if (console_connection(console) == NULL) {
        g_propagate_error(error, closed_error());
        return NULL;
    }
    connection = g_object_ref(console_connection(console));
    GVariant *reply = g_dbus_connection_call_with_unix_fd_list_sync(
        connection, NULL, VITRINE_CONSOLE_PATH, "org.vitrine.Console", method, owned,
        type ? G_VARIANT_TYPE(type) : NULL, G_DBUS_CALL_FLAGS_NONE, G_MAXINT, NULL, fds,
        cancellable, &cause);
    if (reply == NULL)
        client_take_error(error, g_steal_pointer(&cause));
    return reply;
}

typedef struct {
    GVariant *reply;
    GUnixFDList *fds;
} Reply;

static void
reply_free(gpointer data)
{
    Reply *reply = data;
    g_variant_unref(reply->reply);
    g_clear_object(&reply->fds);
    g_free(reply);
}

static void
on_reply(GObject *source, GAsyncResult *result, gpointer user_data)
{
    g_autoptr(GTask) task = user_data;
    GError *cause = NULL, *error = NULL;
    g_autoptr(GUnixFDList) fds = NULL;
    GVariant *value = g_dbus_connection_call_with_unix_fd_list_finish(G_DBUS_CONNECTION(source),
                                                                      &fds, result, &cause);
    if (value == NULL) {
        client_take_error(&error, cause);
        g_task_return_error(task, error);
        return;
    }
    Reply *reply = g_new(Reply, 1);
    reply->reply = value;
    reply->fds = g_steal_pointer(&fds);
    g_task_return_pointer(task, reply, reply_free);
}

static void
call_async(VitrineConsole *console, const char *method, GVariant *parameters, const char *type,
           guint number, GCancellable *cancellable, GAsyncReadyCallback callback,
           gpointer user_data)
{
    g_autoptr(GVariant) owned = parameters ? g_variant_ref_sink(parameters) : NULL;
    GTask *task = g_task_new(console, cancellable, callback, user_data);
    g_task_set_task_data(task, GUINT_TO_POINTER(number), NULL);
    if (console_connection(console) == NULL) {
        g_task_return_error(task, closed_error());
        g_object_unref(task);
        return;
    }
    g_dbus_connection_call_with_unix_fd_list(
        console_connection(console), NULL, VITRINE_CONSOLE_PATH, "org.vitrine.Console", method,
        owned, type ? G_VARIANT_TYPE(type) : NULL, G_DBUS_CALL_FLAGS_NONE, G_MAXINT, NULL,
        cancellable, on_reply, task);
}

static Reply *
call_finish(VitrineConsole *console, GAsyncResult *result, GError **error)
{
    g_return_val_if_fail(g_task_is_valid(result, console), NULL);
    return g_task_propagate_pointer(G_TASK(result), error);
}

static gboolean
finish_void(VitrineConsole *console, GAsyncResult *result, GError **error)
{
    Reply *reply = call_finish(console, result, error);
    if (reply)
        reply_free(reply);
    return reply != NULL;
}

/* Sends and forgets. */
static void
send(VitrineConsole *console, const char *method, GVariant *parameters)
{
    g_autoptr(GVariant) owned = parameters ? g_variant_ref_sink(parameters) : NULL;
    if (console_connection(console) == NULL)
        return;
    g_autoptr(GDBusMessage) message =
        g_dbus_message_new_method_call(NULL, VITRINE_CONSOLE_PATH, "org.vitrine.Console", method);
    if (owned)
        g_dbus_message_set_body(message, owned);
    g_dbus_message_set_flags(message, G_DBUS_MESSAGE_FLAGS_NO_REPLY_EXPECTED);
    g_dbus_connection_send_message(console_connection(console), message,
                                   G_DBUS_SEND_MESSAGE_FLAGS_NONE, NULL, NULL);
}

gboolean
vitrine_console_do_sync(VitrineConsole *console, VitrineConsoleAction action,
                        GCancellable *cancellable, GError **error)
{
    g_return_val_if_fail((guint)action < G_N_ELEMENTS(actions), FALSE);
    g_autoptr(GVariant) reply =
        call_sync(console, actions[action], NULL, NULL, NULL, cancellable, error);
    if (reply)
        console_refresh_sync(console);
    return reply != NULL;
}

void
vitrine_console_do_async(VitrineConsole *console, VitrineConsoleAction action,
                         GCancellable *cancellable, GAsyncReadyCallback callback,
                         gpointer user_data)
{
    g_return_if_fail((guint)action < G_N_ELEMENTS(actions));
    call_async(console, actions[action], NULL, NULL, 0, cancellable, callback, user_data);
}

gboolean
vitrine_console_do_finish(VitrineConsole *console, GAsyncResult *result, GError **error)
{
    return finish_void(console, result, error);
}

void
vitrine_console_put_scancodes(VitrineConsole *console, const guint8 *codes, gsize length)
{
    while (length > 0) {
        gsize part = MIN(length, SCANCODES_PER_MESSAGE);
        GVariant *bytes = g_variant_new_fixed_array(G_VARIANT_TYPE_BYTE, codes, part, 1);
        send(console, "PutScancodes", g_variant_new("(@ay)", bytes));
        codes += part;
        length -= part;
    }
}

void
vitrine_console_release_keys(VitrineConsole *console)
{
    send(console, "ReleaseKeys", NULL);
}

void
vitrine_console_mouse_relative(VitrineConsole *console, int dx, int dy, int dz, int dw,
                               guint buttons)
{
    send(console, "MouseRelativeEvent", g_variant_new("(iiiiu)", dx, dy, dz, dw, buttons));
}

void
vitrine_console_mouse_absolute(VitrineConsole *console, guint screen, int x, int y, int dz, int dw,
                               guint buttons)
{
    send(console, "MouseAbsoluteEvent", g_variant_new("(uiiiiu)", screen, x, y, dz, dw, buttons));
}

gboolean
vitrine_console_flush_sync(VitrineConsole *console, GCancellable *cancellable, GError **error)
{
    /* Messages are handled in order, so an answer to a later one proves the earlier. */
    g_autoptr(GVariant) reply =
        call_sync(console, "GetActivity", NULL, NULL, NULL, cancellable, error);
    return reply != NULL;
}

gboolean
vitrine_console_put_string_sync(VitrineConsole *console, const char *text,
                                GCancellable *cancellable, GError **error)
{
    g_autoptr(GVariant) reply =
        call_sync(console, "PutString", g_variant_new("(s)", text), NULL, NULL, cancellable, error);
    return reply != NULL;
}

void
vitrine_console_put_string_async(VitrineConsole *console, const char *text,
                                 GCancellable *cancellable, GAsyncReadyCallback callback,
                                 gpointer user_data)
{
    call_async(console, "PutString", g_variant_new("(s)", text), NULL, 0, cancellable, callback,
               user_data);
}

gboolean
vitrine_console_put_string_finish(VitrineConsole *console, GAsyncResult *result, GError **error)
{
    return finish_void(console, result, error);
}

static VitrineSurface *
surface_from_reply(VitrineConsole *console, guint screen, GVariant *reply, GUnixFDList *fds,
                   GError **error)
{
    int memory, updates;
    if (!console_surface_fds(reply, fds, &memory, &updates, error))
        return NULL;
    VitrineSurface *surface = vitrine_surface_new(memory, updates, error);
    if (surface)
        console_follow_surface(console, screen, surface);
    return surface;
}

VitrineSurface *
vitrine_console_open_surface_sync(VitrineConsole *console, guint screen, GCancellable *cancellable,
                                  GError **error)
{
    g_autoptr(GUnixFDList) fds = NULL;
    g_autoptr(GVariant) reply = call_sync(console, "GetSurface", g_variant_new("(u)", screen),
                                          "(hh)", &fds, cancellable, error);
    return reply ? surface_from_reply(console, screen, reply, fds, error) : NULL;
}

void
vitrine_console_open_surface_async(VitrineConsole *console, guint screen, GCancellable *cancellable,
                                   GAsyncReadyCallback callback, gpointer user_data)
{
    call_async(console, "GetSurface", g_variant_new("(u)", screen), "(hh)", screen, cancellable,
               callback, user_data);
}

VitrineSurface *
vitrine_console_open_surface_finish(VitrineConsole *console, GAsyncResult *result, GError **error)
{
    Reply *reply = call_finish(console, result, error);
    if (reply == NULL)
        return NULL;
    guint screen = GPOINTER_TO_UINT(g_task_get_task_data(G_TASK(result)));
    VitrineSurface *surface = surface_from_reply(console, screen, reply->reply, reply->fds, error);
    reply_free(reply);
    return surface;
}

gboolean
vitrine_console_set_execution_cap_sync(VitrineConsole *console, guint percent,
                                       GCancellable *cancellable, GError **error)
{
    g_autoptr(GVariant) reply = call_sync(console, "SetExecutionCap", g_variant_new("(u)", percent),
                                          "()", NULL, cancellable, error);
    return reply != NULL;
}

void
vitrine_console_set_execution_cap_async(VitrineConsole *console, guint percent,
                                        GCancellable *cancellable, GAsyncReadyCallback callback,
                                        gpointer user_data)
{
    call_async(console, "SetExecutionCap", g_variant_new("(u)", percent), "()", 0, cancellable,
               callback, user_data);
}

/* The answer to a call that says nothing but that it was done. */
static gboolean
finish_plain(VitrineConsole *console, GAsyncResult *result, GError **error)
{
    Reply *reply = call_finish(console, result, error);
    if (reply == NULL)
        return FALSE;
    reply_free(reply);
    return TRUE;
}

gboolean
vitrine_console_set_execution_cap_finish(VitrineConsole *console, GAsyncResult *result,
                                         GError **error)
{
    return finish_plain(console, result, error);
}

gboolean
vitrine_console_set_audio_sync(VitrineConsole *console, gboolean input, gboolean on,
                               GCancellable *cancellable, GError **error)
{
    g_autoptr(GVariant) reply = call_sync(console, "SetAudio", g_variant_new("(bb)", input, on),
                                          "()", NULL, cancellable, error);
    return reply != NULL;
}

void
vitrine_console_set_audio_async(VitrineConsole *console, gboolean input, gboolean on,
                                GCancellable *cancellable, GAsyncReadyCallback callback,
                                gpointer user_data)
{
    call_async(console, "SetAudio", g_variant_new("(bb)", input, on), "()", 0, cancellable,
               callback, user_data);
}

gboolean
vitrine_console_set_audio_finish(VitrineConsole *console, GAsyncResult *result, GError **error)
{
    return finish_plain(console, result, error);
}

static GBytes *
bytes_of(GVariant *reply)
{
    g_autoptr(GVariant) array = g_variant_get_child_value(reply, 0);
    return g_variant_get_data_as_bytes(array);
}

GBytes *
vitrine_console_screenshot_png_sync(VitrineConsole *console, guint screen,
                                    GCancellable *cancellable, GError **error)
{
    g_autoptr(GVariant) reply = call_sync(console, "ScreenshotPng", g_variant_new("(u)", screen),
                                          "(ay)", NULL, cancellable, error);
    return reply ? bytes_of(reply) : NULL;
}

void
vitrine_console_screenshot_png_async(VitrineConsole *console, guint screen,
                                     GCancellable *cancellable, GAsyncReadyCallback callback,
                                     gpointer user_data)
{
    call_async(console, "ScreenshotPng", g_variant_new("(u)", screen), "(ay)", screen, cancellable,
               callback, user_data);
}

GBytes *
vitrine_console_screenshot_png_finish(VitrineConsole *console, GAsyncResult *result, GError **error)
{
    Reply *reply = call_finish(console, result, error);
    if (reply == NULL)
        return NULL;
    GBytes *bytes = bytes_of(reply->reply);
    reply_free(reply);
    return bytes;
}

static void
parse_activity(GVariant *reply, VitrineActivity *activity)
{
    g_autoptr(GVariant) counters = g_variant_get_child_value(reply, 0);
    memset(activity, 0, sizeof *activity);
    for (guint i = 0; i < VITRINE_ACTIVITY_COUNT; i++)
        g_variant_lookup(counters, activity_words[i], "(tt)", &activity->reads[i],
                         &activity->writes[i]);
}

gboolean
vitrine_console_get_activity_sync(VitrineConsole *console, VitrineActivity *activity,
                                  GCancellable *cancellable, GError **error)
{
    g_autoptr(GVariant) reply =
        call_sync(console, "GetActivity", NULL, "(a{s(tt)})", NULL, cancellable, error);
    if (reply)
        parse_activity(reply, activity);
    return reply != NULL;
}

void
vitrine_console_get_activity_async(VitrineConsole *console, GCancellable *cancellable,
                                   GAsyncReadyCallback callback, gpointer user_data)
{
    call_async(console, "GetActivity", NULL, "(a{s(tt)})", 0, cancellable, callback, user_data);
}

gboolean
vitrine_console_get_activity_finish(VitrineConsole *console, GAsyncResult *result,
                                    VitrineActivity *activity, GError **error)
{
    Reply *reply = call_finish(console, result, error);
    if (reply == NULL)
        return FALSE;
    parse_activity(reply->reply, activity);
    reply_free(reply);
    return TRUE;
}

char *
vitrine_console_get_info_sync(VitrineConsole *console, const char *name, GCancellable *cancellable,
                              GError **error)
{
    g_autoptr(GVariant) reply =
        call_sync(console, "GetInfo", g_variant_new("(s)", name), "(s)", NULL, cancellable, error);
    char *text = NULL;
    if (reply)
        g_variant_get(reply, "(s)", &text);
    return text;
}

void
vitrine_console_get_info_async(VitrineConsole *console, const char *name, GCancellable *cancellable,
                               GAsyncReadyCallback callback, gpointer user_data)
{
    call_async(console, "GetInfo", g_variant_new("(s)", name), "(s)", 0, cancellable, callback,
               user_data);
}

char *
vitrine_console_get_info_finish(VitrineConsole *console, GAsyncResult *result, GError **error)
{
    Reply *reply = call_finish(console, result, error);
    char *text;
    if (reply == NULL)
        return NULL;
    g_variant_get(reply->reply, "(s)", &text);
    reply_free(reply);
    return text;
}

void
vitrine_console_attach_window(VitrineConsole *console)
{
    send(console, "AttachWindow", NULL);
}

/* Takes reply. */
static gboolean
shown_from_reply(GVariant *reply)
{
    gboolean shown = FALSE;
    if (reply)
        g_variant_get(reply, "(b)", &shown);
    g_clear_pointer(&reply, g_variant_unref);
    return shown;
}

gboolean
vitrine_console_show_window_sync(VitrineConsole *console, GCancellable *cancellable, GError **error)
{
    return shown_from_reply(
        call_sync(console, "ShowWindow", NULL, "(b)", NULL, cancellable, error));
}

void
vitrine_console_show_window_async(VitrineConsole *console, GCancellable *cancellable,
                                  GAsyncReadyCallback callback, gpointer user_data)
{
    call_async(console, "ShowWindow", NULL, "(b)", 0, cancellable, callback, user_data);
}

gboolean
vitrine_console_show_window_finish(VitrineConsole *console, GAsyncResult *result, GError **error)
{
    Reply *reply = call_finish(console, result, error);
    gboolean shown = reply && shown_from_reply(g_variant_ref(reply->reply));
    if (reply)
        reply_free(reply);
    return shown;
}
