/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VitrineConsole: the connection to a VM process and what it tells. Calls are in console-calls.c.
 */
#include "app/api/console-private.h"

#include <gio/gunixfdlist.h>
#include <unistd.h>

struct _VitrineConsole {
    GObject parent;
    char *machine_id;
    GDBusConnection *connection;
    guint subscription;
    gulong closed_handler;
    Cache *cache;
    GVariant *screens;    /* a(uub) */
    GHashTable *surfaces; /* screen -> GWeakRef of its VitrineSurface */
};

G_DEFINE_FINAL_TYPE(VitrineConsole, vitrine_console, G_TYPE_OBJECT)

static const CacheField fields[] = {
    {"MachineId", "machine-id", 's', NULL},
    {"State", "state", 'e', vitrine_machine_state_get_type},
    {"Engine", "engine", 's', NULL},
    {"KeyboardLeds", "keyboard-leds", 'u', NULL},
    {"MouseAbsolute", "mouse-absolute", 'b', NULL},
    {"MouseRelative", "mouse-relative", 'b', NULL},
};

enum { PROP_CLOSED = G_N_ELEMENTS(fields) + 1 };

static void
console_get_property(GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
    VitrineConsole *console = VITRINE_CONSOLE(object);
    if (id == PROP_CLOSED)
        g_value_set_boolean(value, console->connection == NULL);
    else
        cache_get_property(console->cache, &fields[id - 1], value);
}

static void
drop_connection(VitrineConsole *console)
{
    if (console->connection == NULL)
        return;
    g_dbus_connection_signal_unsubscribe(console->connection, console->subscription);
    g_signal_handler_disconnect(console->connection, console->closed_handler);
    g_clear_object(&console->connection);
}

static void
console_dispose(GObject *object)
{
    VitrineConsole *console = VITRINE_CONSOLE(object);
    if (console->connection) {
        g_autoptr(GDBusConnection) connection = g_object_ref(console->connection);
        drop_connection(console);
        g_dbus_connection_close(connection, NULL, NULL, NULL);
    }
    G_OBJECT_CLASS(vitrine_console_parent_class)->dispose(object);
}

static void
console_finalize(GObject *object)
{
    VitrineConsole *console = VITRINE_CONSOLE(object);
    g_free(console->machine_id);
    g_clear_pointer(&console->screens, g_variant_unref);
    g_hash_table_unref(console->surfaces);
    g_hash_table_unref(console->cache);
    G_OBJECT_CLASS(vitrine_console_parent_class)->finalize(object);
}

static void
vitrine_console_class_init(VitrineConsoleClass *class)
{
    GObjectClass *object_class = G_OBJECT_CLASS(class);
    GType type = VITRINE_TYPE_CONSOLE;
    vitrine_error_quark(); /* before the first error can arrive */
    object_class->get_property = console_get_property;
    object_class->dispose = console_dispose;
    object_class->finalize = console_finalize;
    cache_install(object_class, fields, G_N_ELEMENTS(fields));
    g_object_class_install_property(object_class, PROP_CLOSED,
                                    g_param_spec_boolean("closed", "closed",
                                                         "The VM process is gone", FALSE,
                                                         G_PARAM_READABLE));
    g_signal_new("surface-replaced", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 1,
                 G_TYPE_UINT);
    g_signal_new("screens-changed", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
    g_signal_new("runtime-error", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 3,
                 G_TYPE_BOOLEAN, G_TYPE_STRING, G_TYPE_STRING);
    g_signal_new("triple-fault", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 1,
                 G_TYPE_STRING);
    g_signal_new("show-requested", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
    g_signal_new("closed", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
weak_ref_free(gpointer data)
{
    g_weak_ref_clear(data);
    g_free(data);
}

static void
vitrine_console_init(VitrineConsole *console)
{
    console->cache = cache_new();
    console->surfaces = g_hash_table_new_full(g_direct_hash, g_direct_equal, NULL, weak_ref_free);
}

static void
take_properties(VitrineConsole *console, GVariant *properties)
{
    g_autoptr(GVariant) screens =
        g_variant_lookup_value(properties, "Screens", G_VARIANT_TYPE("a(uub)"));
    cache_update(console->cache, G_OBJECT(console), fields, G_N_ELEMENTS(fields), properties);
    if (screens && (console->screens == NULL || !g_variant_equal(screens, console->screens))) {
        g_clear_pointer(&console->screens, g_variant_unref);
        console->screens = g_steal_pointer(&screens);
        g_signal_emit_by_name(console, "screens-changed");
    }
}

gboolean
console_surface_fds(GVariant *reply, GUnixFDList *fds, int *memory, int *updates, GError **error)
{
    int memory_index = -1, updates_index = -1;
    if (fds && g_variant_is_of_type(reply, G_VARIANT_TYPE("(hh)")))
        g_variant_get(reply, "(hh)", &memory_index, &updates_index);
    int count = fds ? g_unix_fd_list_get_length(fds) : 0;
    if (memory_index < 0 || memory_index >= count || updates_index < 0 || updates_index >= count) {
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_CORRUPT,
                    "The VM process sent no screen memory.");
        return FALSE;
    }
    *memory = g_unix_fd_list_get(fds, memory_index, error);
    if (*memory < 0)
        return FALSE;
    *updates = g_unix_fd_list_get(fds, updates_index, error);
    if (*updates < 0)
        close(*memory);
    return *updates >= 0;
}

static void
on_new_surface(GObject *source, GAsyncResult *result, gpointer user_data)
{
    g_autoptr(VitrineSurface) surface = user_data;
    g_autoptr(GError) error = NULL;
    g_autoptr(GUnixFDList) fds = NULL;
    g_autoptr(GVariant) reply = g_dbus_connection_call_with_unix_fd_list_finish(
        G_DBUS_CONNECTION(source), &fds, result, &error);
    int memory, updates;
    if (reply == NULL || !console_surface_fds(reply, fds, &memory, &updates, &error) ||
        !vitrine_surface_replace(surface, memory, updates, &error))
        g_info("The screen's new memory was not taken: %s", error->message);
}

static void
surface_replaced(VitrineConsole *console, guint screen)
{
    GWeakRef *weak = g_hash_table_lookup(console->surfaces, GUINT_TO_POINTER(screen));
    VitrineSurface *surface = weak ? g_weak_ref_get(weak) : NULL;
    if (surface)
        g_dbus_connection_call_with_unix_fd_list(
            console->connection, NULL, VITRINE_CONSOLE_PATH, "org.vitrine.Console", "GetSurface",
            g_variant_new("(u)", screen), G_VARIANT_TYPE("(hh)"), G_DBUS_CALL_FLAGS_NONE, -1, NULL,
            NULL, on_new_surface, surface);
    g_signal_emit_by_name(console, "surface-replaced", screen);
}

static void
on_signal(GDBusConnection *connection, const char *sender, const char *path, const char *interface,
          const char *signal, GVariant *parameters, gpointer user_data)
{
    g_autoptr(VitrineConsole) console = g_object_ref(user_data);
    const GVariantType *type = g_variant_get_type(parameters);
    if (console->connection == NULL)
        return;
    if (g_str_equal(signal, "PropertiesChanged") &&
        g_variant_type_equal(type, G_VARIANT_TYPE("(sa{sv}as)"))) {
        g_autoptr(GVariant) changed = g_variant_get_child_value(parameters, 1);
        take_properties(console, changed);
    } else if (g_str_equal(signal, "SurfaceReplaced") &&
               g_variant_type_equal(type, G_VARIANT_TYPE("(u)"))) {
        guint screen;
        g_variant_get(parameters, "(u)", &screen);
        surface_replaced(console, screen);
    } else if (g_str_equal(signal, "RuntimeError") &&
               g_variant_type_equal(type, G_VARIANT_TYPE("(bss)"))) {
        gboolean fatal;
        const char *id, *message;
        g_variant_get(parameters, "(b&s&s)", &fatal, &id, &message);
        g_signal_emit_by_name(console, "runtime-error", fatal, id, message);
    } else if (g_str_equal(signal, "TripleFault") &&
               g_variant_type_equal(type, G_VARIANT_TYPE("(s)"))) {
        const char *log_file;
        g_variant_get(parameters, "(&s)", &log_file);
        g_signal_emit_by_name(console, "triple-fault", log_file);
    } else if (g_str_equal(signal, "ShowRequested")) {
        g_signal_emit_by_name(console, "show-requested");
    }
}

static void
on_closed(GDBusConnection *connection, gboolean vanished, GError *error, gpointer user_data)
{
    g_autoptr(VitrineConsole) console = g_object_ref(user_data);
    drop_connection(console);
    g_object_notify(G_OBJECT(console), "closed");
    g_signal_emit_by_name(console, "closed");
}

/* Takes connection; messages flow from here on. */
static VitrineConsole *
make_console(GDBusConnection *connection, const char *machine_id)
{
    VitrineConsole *console = g_object_new(VITRINE_TYPE_CONSOLE, NULL);
    console->machine_id = g_strdup(machine_id);
    console->connection = connection;
    console->subscription =
        g_dbus_connection_signal_subscribe(connection, NULL, NULL, NULL, NULL, NULL,
                                           G_DBUS_SIGNAL_FLAGS_NONE, on_signal, console, NULL);
    console->closed_handler =
        g_signal_connect(connection, "closed", G_CALLBACK(on_closed), console);
    g_dbus_connection_start_message_processing(connection);
    return console;
}

static GVariant *
get_all_parameters(void)
{
    return g_variant_new("(s)", "org.vitrine.Console");
}

static gboolean
fetch_properties(VitrineConsole *console, GCancellable *cancellable, GError **error)
{
    g_autoptr(GError) cause = NULL;
    g_autoptr(GDBusConnection) connection = g_object_ref(console->connection);
    g_autoptr(GVariant) reply = g_dbus_connection_call_sync(
        connection, NULL, VITRINE_CONSOLE_PATH, "org.freedesktop.DBus.Properties", "GetAll",
        get_all_parameters(), G_VARIANT_TYPE("(a{sv})"), G_DBUS_CALL_FLAGS_NONE, -1, cancellable,
        &cause);
    if (reply == NULL) {
        client_take_error(error, g_steal_pointer(&cause));
        return FALSE;
    }
    g_autoptr(GVariant) properties = g_variant_get_child_value(reply, 0);
    take_properties(console, properties);
    return TRUE;
}

void
console_refresh_sync(VitrineConsole *console)
{
    if (console->connection)
        fetch_properties(console, NULL, NULL);
}

VitrineConsole *
console_open_sync(const char *address, const char *machine_id, GCancellable *cancellable,
                  GError **error)
{
    GDBusConnection *connection = vitrine_transport_connect(address, cancellable, error);
    if (connection == NULL)
        return NULL;
    g_autoptr(VitrineConsole) console = make_console(connection, machine_id);
    return fetch_properties(console, cancellable, error) ? g_steal_pointer(&console) : NULL;
}

typedef struct {
    char *address;
    char *machine_id;
} OpenData;

static void
open_data_free(gpointer data)
{
    OpenData *open = data;
    g_free(open->address);
    g_free(open->machine_id);
    g_free(open);
}

static void
connect_thread(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
    GError *error = NULL;
    GDBusConnection *connection = vitrine_transport_connect(data, cancellable, &error);
    if (connection)
        g_task_return_pointer(task, connection, g_object_unref);
    else
        g_task_return_error(task, error);
}

static void
on_properties(GObject *source, GAsyncResult *result, gpointer user_data)
{
    g_autoptr(GTask) task = user_data;
    VitrineConsole *console = g_object_get_data(G_OBJECT(task), "console");
    GError *cause = NULL, *error = NULL;
    g_autoptr(GVariant) reply =
        g_dbus_connection_call_finish(G_DBUS_CONNECTION(source), result, &cause);
    if (reply == NULL) {
        client_take_error(&error, cause);
        g_task_return_error(task, error);
        return;
    }
    g_autoptr(GVariant) properties = g_variant_get_child_value(reply, 0);
    take_properties(console, properties);
    g_task_return_pointer(task, g_object_ref(console), g_object_unref);
}

static void
on_connected(GObject *source, GAsyncResult *result, gpointer user_data)
{
    g_autoptr(GTask) task = user_data;
    OpenData *open = g_task_get_task_data(task);
    GError *error = NULL;
    GDBusConnection *connection = g_task_propagate_pointer(G_TASK(result), &error);
    if (connection == NULL) {
        g_task_return_error(task, error);
        return;
    }
    g_object_set_data_full(G_OBJECT(task), "console", make_console(connection, open->machine_id),
                           g_object_unref);
    g_dbus_connection_call(connection, NULL, VITRINE_CONSOLE_PATH,
                           "org.freedesktop.DBus.Properties", "GetAll", get_all_parameters(),
                           G_VARIANT_TYPE("(a{sv})"), G_DBUS_CALL_FLAGS_NONE, -1,
                           g_task_get_cancellable(task), on_properties, g_object_ref(task));
}

void
console_open_async(gpointer source, const char *address, const char *machine_id,
                   GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
    GTask *task = g_task_new(source, cancellable, callback, user_data);
    OpenData *open = g_new(OpenData, 1);
    open->address = g_strdup(address);
    open->machine_id = g_strdup(machine_id);
    g_task_set_task_data(task, open, open_data_free);
    g_autoptr(GTask) connect = g_task_new(NULL, cancellable, on_connected, task);
    g_task_set_task_data(connect, g_strdup(address), g_free);
    g_task_run_in_thread(connect, connect_thread);
}

GDBusConnection *
console_connection(VitrineConsole *console)
{
    return console->connection;
}

void
console_follow_surface(VitrineConsole *console, guint screen, VitrineSurface *surface)
{
    GWeakRef *weak = g_new0(GWeakRef, 1);
    g_weak_ref_init(weak, surface);
    g_hash_table_insert(console->surfaces, GUINT_TO_POINTER(screen), weak);
}

const char *
vitrine_console_get_machine_id(VitrineConsole *console)
{
    return console->machine_id;
}

VitrineMachineState
vitrine_console_get_state(VitrineConsole *console)
{
    return cache_enum(console->cache, "State", VITRINE_TYPE_MACHINE_STATE);
}

const char *
vitrine_console_get_engine(VitrineConsole *console)
{
    return cache_string(console->cache, "Engine");
}

VitrineLeds
vitrine_console_get_keyboard_leds(VitrineConsole *console)
{
    return cache_number(console->cache, "KeyboardLeds");
}

gboolean
vitrine_console_get_mouse_absolute(VitrineConsole *console)
{
    return cache_bool(console->cache, "MouseAbsolute");
}

gboolean
vitrine_console_get_mouse_relative(VitrineConsole *console)
{
    return cache_bool(console->cache, "MouseRelative");
}

gboolean
vitrine_console_get_closed(VitrineConsole *console)
{
    return console->connection == NULL;
}

guint
vitrine_console_get_screen_count(VitrineConsole *console)
{
    return console->screens ? g_variant_n_children(console->screens) : 0;
}

gboolean
vitrine_console_get_screen(VitrineConsole *console, guint screen, guint *width, guint *height)
{
    guint own_width = 0, own_height = 0;
    gboolean enabled = FALSE;
    if (screen < vitrine_console_get_screen_count(console))
        g_variant_get_child(console->screens, screen, "(uub)", &own_width, &own_height, &enabled);
    if (width)
        *width = own_width;
    if (height)
        *height = own_height;
    return enabled;
}
