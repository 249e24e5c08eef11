/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VitrineVmSession: the VM process towards the service. The lock's descriptor outlives a service
 * that is killed, so a new one sees that the machine is taken before this process has come back. */
#include <gio/gunixfdlist.h>
#include <unistd.h>

#include "app/api/vm-session-private.h"

struct _VitrineVmSession {
    GObject parent;
    GMainContext *context;
    VitrineClient *client;
    VitrineMachine *machine;
    char *type;
    VmConsole *console;
    VitrineDBusVmProcess *vm_process; /* the service's way to us */
    VmDrives *drives;
    VmState *saving;
    VmMerge *merging;
    VmUsb *usb;
    char *console_path;
    int lock;
    VitrineMachineState state;
    guint percent; /* of a save, a load or a merge, as told last */
    const VitrineVmOps *ops;
    gpointer data;
    gulong reconnect_handler;
    gboolean serving, finished;
};

G_DEFINE_FINAL_TYPE(VitrineVmSession, vitrine_vm_session, G_TYPE_OBJECT)

RemoteCall
vm_session_call(VitrineVmSession *session, const char *method, GVariant *parameters)
{
    return (RemoteCall){machine_path(session->machine), "org.vitrine.Machine", method, parameters};
}

static void
session_dispose(GObject *object)
{
    VitrineVmSession *session = VITRINE_VM_SESSION(object);
    if (session->reconnect_handler)
        g_signal_handler_disconnect(session->client, session->reconnect_handler);
    session->reconnect_handler = 0;
    g_clear_pointer(&session->console, vm_console_free);
    g_clear_pointer(&session->drives, vm_drives_free);
    g_clear_pointer(&session->saving, vm_state_free);
    g_clear_pointer(&session->merging, vm_merge_free);
    g_clear_pointer(&session->usb, vm_usb_free);
    if (session->vm_process &&
        g_dbus_interface_skeleton_get_object_path(G_DBUS_INTERFACE_SKELETON(session->vm_process)))
        g_dbus_interface_skeleton_unexport(G_DBUS_INTERFACE_SKELETON(session->vm_process));
    g_clear_object(&session->vm_process);
    g_clear_object(&session->machine);
    g_clear_object(&session->client);
    G_OBJECT_CLASS(vitrine_vm_session_parent_class)->dispose(object);
}

static void
session_finalize(GObject *object)
{
    VitrineVmSession *session = VITRINE_VM_SESSION(object);
    if (session->lock >= 0)
        close(session->lock);
    g_free(session->type);
    g_free(session->console_path);
    g_main_context_unref(session->context);
    G_OBJECT_CLASS(vitrine_vm_session_parent_class)->finalize(object);
}

static void
vitrine_vm_session_class_init(VitrineVmSessionClass *class)
{
    G_OBJECT_CLASS(class)->dispose = session_dispose;
    G_OBJECT_CLASS(class)->finalize = session_finalize;
}

static void
vitrine_vm_session_init(VitrineVmSession *session)
{
    session->context = g_main_context_ref_thread_default();
    session->lock = -1;
    session->state = VITRINE_MACHINE_STATE_STARTING;
}

VitrineClient *
vm_session_client(VitrineVmSession *session)
{
    return session->client;
}

gboolean
vm_session_is_heard(GDBusMethodInvocation *invocation)
{
    return !g_dbus_connection_is_closed(g_dbus_method_invocation_get_connection(invocation));
}

static gboolean
on_change_adapter(VitrineDBusVmProcess *skeleton, GDBusMethodInvocation *invocation, guint slot,
                  GVariant *boxed, gboolean rewire, gboolean retrace, VitrineVmSession *session)
{
    GError *error = NULL;
    g_autoptr(GVariant) value = g_variant_get_variant(boxed);
    g_autoptr(VitrineAdapter) adapter = vitrine_adapter_from_variant(value, &error);
    if (adapter &&
        (slot >= VITRINE_ADAPTER_COUNT || !session->ops || !session->ops->change_adapter))
        g_set_error(&error, VITRINE_ERROR, VITRINE_ERROR_NOT_SUPPORTED,
                    "This network card does not change while the machine runs.");
    if (error == NULL &&
        session->ops->change_adapter(session->data, slot, adapter, rewire, retrace, &error))
        vitrine_dbus_vm_process_complete_change_adapter(skeleton, invocation);
    else
        g_dbus_method_invocation_take_error(invocation, error);
    return TRUE;
}

/* Takes the machine at the service; also after a new service has come. */
static gboolean
lock_machine(VitrineVmSession *session, GError **error)
{
    g_autoptr(GUnixFDList) fds = NULL;
    RemoteCall call = vm_session_call(
        session, "LockVm",
        g_variant_new("(ssu)", session->type,
                      vitrine_nick(VITRINE_TYPE_MACHINE_STATE, session->state), (guint)getpid()));
    g_autoptr(GVariant) reply = client_call_sync(session->client, &call, &fds, NULL, error);
    int index = -1;
    if (reply == NULL)
        return FALSE;
    g_clear_pointer(&session->console_path, g_free);
    g_variant_get(reply, "(hs)", &index, &session->console_path);
    if (session->lock < 0 && fds && g_unix_fd_list_get_length(fds) > 0)
        session->lock = g_unix_fd_list_get(fds, index, NULL);
    g_dbus_interface_skeleton_export(G_DBUS_INTERFACE_SKELETON(session->vm_process),
                                     client_connection(session->client), VITRINE_VM_PROCESS_PATH,
                                     NULL);
    return TRUE;
}

static void
on_connected(VitrineClient *client, GParamSpec *pspec, VitrineVmSession *session)
{
    g_autoptr(GError) error = NULL;
    if (session->finished || !vitrine_client_get_connected(client) ||
        g_dbus_interface_skeleton_has_connection(G_DBUS_INTERFACE_SKELETON(session->vm_process),
                                                 client_connection(client)))
        return;
    g_dbus_interface_skeleton_unexport(G_DBUS_INTERFACE_SKELETON(session->vm_process));
    if (!lock_machine(session, &error)) {
        g_warning("The new service does not know this machine: %s", error->message);
        return;
    }
    if (session->serving) {
        RemoteCall call = vm_session_call(session, "SetConsoleReady", NULL);
        client_call_async(client, session, &call, NULL, NULL, NULL);
        if (session->state == VITRINE_MACHINE_STATE_RESTORING)
            vitrine_vm_session_set_save_progress(session, session->percent);
        vm_state_reconnected(session->saving);
        vm_merge_reconnected(session->merging);
        vm_usb_reconnected(session->usb);
        vm_drives_reconnected(session->drives);
    }
}

VitrineVmSession *
vitrine_vm_session_new_sync(VitrineClient *client, VitrineMachine *machine, const char *type,
                            GError **error)
{
    g_autoptr(VitrineVmSession) session = g_object_new(VITRINE_TYPE_VM_SESSION, NULL);
    session->client = g_object_ref(client);
    session->machine = g_object_ref(machine);
    session->type = g_strdup(type);
    session->vm_process = vitrine_dbus_vm_process_skeleton_new();
    g_signal_connect(session->vm_process, "handle-change-adapter", G_CALLBACK(on_change_adapter),
                     session);
    session->drives = vm_drives_new(session->vm_process);
    session->saving = vm_state_new(session, session->vm_process);
    session->merging = vm_merge_new(session, session->vm_process);
    session->usb = vm_usb_new(session, session->vm_process);
    session->console = vm_console_new(session, vitrine_machine_get_id(machine));
    if (!lock_machine(session, error))
        return NULL;
    session->reconnect_handler =
        g_signal_connect(client, "notify::connected", G_CALLBACK(on_connected), session);
    return g_steal_pointer(&session);
}

VitrineMachine *
vitrine_vm_session_get_machine(VitrineVmSession *session)
{
    return session->machine;
}

/* A call whose reply has a descriptor first. Takes call's parameters; reply is the caller's. */
static int
call_for_fd(VitrineVmSession *session, RemoteCall call, GVariant **reply, GError **error)
{
    g_autoptr(GUnixFDList) fds = NULL;
    int index = -1;
    *reply = client_call_sync(session->client, &call, &fds, NULL, error);
    if (*reply == NULL)
        return -1;
    g_variant_get_child(*reply, 0, "h", &index);
    if (fds == NULL || index < 0 || index >= g_unix_fd_list_get_length(fds)) {
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_CORRUPT, "The service sent no descriptor.");
        return -1;
    }
    return g_unix_fd_list_get(fds, index, error);
}

int
vitrine_vm_session_open_log(VitrineVmSession *session, char **path, GError **error)
{
    g_autoptr(GVariant) reply = NULL;
    int fd = call_for_fd(session, vm_session_call(session, "OpenLog", NULL), &reply, error);
    if (fd >= 0 && path)
        g_variant_get_child(reply, 1, "s", path);
    return fd;
}

GPtrArray *
vitrine_vm_session_open_attachment(VitrineVmSession *session, const char *controller, guint port,
                                   guint device, GError **error)
{
    g_autoptr(GUnixFDList) fds = NULL;
    RemoteCall call = vm_session_call(session, "OpenAttachment",
                                      g_variant_new("(suu)", controller, port, device));
    g_autoptr(GVariant) reply = client_call_sync(session->client, &call, &fds, NULL, error);
    if (reply == NULL)
        return NULL;
    g_autoptr(GVariant) list = g_variant_get_child_value(reply, 0);
    return vm_session_parse_images(list, fds, error);
}

static int
open_port(VitrineVmSession *session, const char *kind, guint slot, VitrinePortRole *role,
          char **detail, GError **error)
{
    g_autoptr(GVariant) reply = NULL;
    const char *word;
    int fd = call_for_fd(session,
                         vm_session_call(session, "OpenPort", g_variant_new("(su)", kind, slot)),
                         &reply, error);
    if (fd < 0)
        return -1;
    g_variant_get_child(reply, 1, "&s", &word);
    if (role)
        *role = g_str_equal(word, "listener") ? VITRINE_PORT_LISTENER
                : g_str_equal(word, "output") ? VITRINE_PORT_OUTPUT
                                              : VITRINE_PORT_STREAM;
    if (detail)
        g_variant_get_child(reply, 2, "s", detail);
    return fd;
}

int
vitrine_vm_session_open_uart(VitrineVmSession *session, guint slot, VitrinePortRole *role,
                             char **detail, GError **error)
{
    return open_port(session, "uart", slot, role, detail, error);
}

int
vitrine_vm_session_open_lpt(VitrineVmSession *session, guint slot, GError **error)
{
    return open_port(session, "lpt", slot, NULL, NULL, error);
}

int
vitrine_vm_session_open_adapter(VitrineVmSession *session, guint slot, char **warning,
                                GError **error)
{
    return open_port(session, "adapter", slot, NULL, warning, error);
}

int
vitrine_vm_session_open_trace(VitrineVmSession *session, guint slot, GError **error)
{
    return open_port(session, "trace", slot, NULL, NULL, error);
}

gboolean
vitrine_vm_session_serve(VitrineVmSession *session, const VitrineVmOps *ops, gpointer data,
                         GError **error)
{
    RemoteCall call = vm_session_call(session, "SetConsoleReady", NULL);
    session->ops = ops;
    session->data = data;
    vm_drives_serve(session->drives, ops, data);
    vm_state_serve(session->saving, ops, data);
    vm_merge_serve(session->merging, ops, data);
    vm_usb_serve(session->usb, ops, data);
    if (!vm_console_listen(session->console, session->console_path, ops, data, error))
        return FALSE;
    session->serving = TRUE;
    g_autoptr(GVariant) reply = client_call_sync(session->client, &call, NULL, NULL, error);
    return reply != NULL;
}

void
vitrine_vm_session_usb_released(VitrineVmSession *session, const char *device)
{
    vm_usb_released(session->usb, device);
}

/* What threads post to the session's context. */
typedef struct {
    VitrineVmSession *session;
    void (*run)(VitrineVmSession *session, GVariant *what);
    GVariant *what;
} Post;

static gboolean
run_post(gpointer user_data)
{
    Post *post = user_data;
    if (!post->session->finished && post->session->console)
        post->run(post->session, post->what);
    return G_SOURCE_REMOVE;
}

static void
post_free(gpointer user_data)
{
    Post *post = user_data;
    g_object_unref(post->session);
    g_variant_unref(post->what);
    g_free(post);
}

/* Always later, and in order, also when the caller is the session's own thread. */
void
vm_session_post(VitrineVmSession *session, void (*run)(VitrineVmSession *, GVariant *),
                GVariant *what)
{
    Post *item = g_new(Post, 1);
    GSource *source = g_idle_source_new();
    item->session = g_object_ref(session);
    item->run = run;
    item->what = g_variant_ref_sink(what);
    g_source_set_priority(source, G_PRIORITY_DEFAULT);
    g_source_set_callback(source, run_post, item, post_free);
    g_source_attach(source, session->context);
    g_source_unref(source);
}

static void
run_state(VitrineVmSession *session, GVariant *what)
{
    const char *word = g_variant_get_string(what, NULL);
    int state = 0;
    vitrine_from_nick(VITRINE_TYPE_MACHINE_STATE, word, &state);
    session->state = state;
    vitrine_dbus_console_set_state(vm_console_skeleton(session->console), word);
    vm_console_flush(session->console);
    RemoteCall call = vm_session_call(session, "SetVmState", g_variant_new("(s)", word));
    client_call_async(session->client, session, &call, NULL, NULL, NULL);
}

void
vitrine_vm_session_set_state(VitrineVmSession *session, VitrineMachineState state)
{
    vm_session_post(session, run_state,
                    g_variant_new_string(vitrine_nick(VITRINE_TYPE_MACHINE_STATE, state)));
}

static void
run_engine(VitrineVmSession *session, GVariant *what)
{
    vitrine_dbus_console_set_engine(vm_console_skeleton(session->console),
                                    g_variant_get_string(what, NULL));
}

void
vitrine_vm_session_set_engine(VitrineVmSession *session, const char *engine)
{
    vm_session_post(session, run_engine, g_variant_new_string(engine));
}

static void
run_leds(VitrineVmSession *session, GVariant *what)
{
    vitrine_dbus_console_set_keyboard_leds(vm_console_skeleton(session->console),
                                           g_variant_get_uint32(what));
}

void
vitrine_vm_session_set_keyboard_leds(VitrineVmSession *session, VitrineLeds leds)
{
    vm_session_post(session, run_leds, g_variant_new_uint32(leds));
}

static void
run_mouse(VitrineVmSession *session, GVariant *what)
{
    gboolean relative, absolute;
    g_variant_get(what, "(bb)", &relative, &absolute);
    vitrine_dbus_console_set_mouse_relative(vm_console_skeleton(session->console), relative);
    vitrine_dbus_console_set_mouse_absolute(vm_console_skeleton(session->console), absolute);
}

void
vitrine_vm_session_set_mouse(VitrineVmSession *session, gboolean relative, gboolean absolute)
{
    vm_session_post(session, run_mouse, g_variant_new("(bb)", relative, absolute));
}

static void
run_screen(VitrineVmSession *session, GVariant *what)
{
    guint screen, width, height;
    gboolean enabled;
    g_variant_get(what, "(uuub)", &screen, &width, &height, &enabled);
    vm_console_set_screen(session->console, screen, width, height, enabled);
}

void
vitrine_vm_session_set_screen(VitrineVmSession *session, guint screen, guint width, guint height,
                              gboolean enabled)
{
    vm_session_post(session, run_screen, g_variant_new("(uuub)", screen, width, height, enabled));
}

void
vitrine_vm_session_surface_updated(VitrineVmSession *session, guint screen)
{
    vm_console_wake(session->console, screen);
}

static void
run_replaced(VitrineVmSession *session, GVariant *what)
{
    vitrine_dbus_console_emit_surface_replaced(vm_console_skeleton(session->console),
                                               g_variant_get_uint32(what));
}

void
vitrine_vm_session_surface_replaced(VitrineVmSession *session, guint screen)
{
    vm_session_post(session, run_replaced, g_variant_new_uint32(screen));
}

static void
run_runtime_error(VitrineVmSession *session, GVariant *what)
{
    gboolean fatal;
    const char *id, *message;
    g_variant_get(what, "(b&s&s)", &fatal, &id, &message);
    vm_console_flush(session->console);
    vitrine_dbus_console_emit_runtime_error(vm_console_skeleton(session->console), fatal, id,
                                            message);
}

void
vitrine_vm_session_runtime_error(VitrineVmSession *session, gboolean fatal, const char *id,
                                 const char *message)
{
    vm_session_post(session, run_runtime_error, g_variant_new("(bss)", fatal, id, message));
}

static void
run_triple_fault(VitrineVmSession *session, GVariant *what)
{
    vm_console_flush(session->console);
    vitrine_dbus_console_emit_triple_fault(vm_console_skeleton(session->console),
                                           g_variant_get_string(what, NULL));
}

void
vitrine_vm_session_triple_fault(VitrineVmSession *session, const char *log_file)
{
    vm_session_post(session, run_triple_fault, g_variant_new_string(log_file));
}

static void
run_progress(VitrineVmSession *session, GVariant *what)
{
    RemoteCall call = vm_session_call(session, "SetSaveProgress", what);
    g_variant_get(what, "(u)", &session->percent);
    client_call_async(session->client, session, &call, NULL, NULL, NULL);
}

void
vitrine_vm_session_set_save_progress(VitrineVmSession *session, guint percent)
{
    vm_session_post(session, run_progress, g_variant_new("(u)", percent));
}

static void
run_ejected(VitrineVmSession *session, GVariant *what)
{
    RemoteCall call = vm_session_call(session, "MediumEjected", what);
    client_call_async(session->client, session, &call, NULL, NULL, NULL);
}

void
vitrine_vm_session_medium_ejected(VitrineVmSession *session, const char *controller, guint port,
                                  guint device)
{
    vm_session_post(session, run_ejected, g_variant_new("(suu)", controller, port, device));
}

void
vitrine_machine_report_start_error(VitrineMachine *machine, const GError *error)
{
    int code = error->domain == VITRINE_ERROR ? error->code : VITRINE_ERROR_FAILED;
    RemoteCall call = {machine_path(machine), "org.vitrine.Machine", "ReportStartError",
                       g_variant_new("(is)", code, error->message)};
    g_autoptr(GVariant) reply = client_call_sync(machine_client(machine), &call, NULL, NULL, NULL);
}

void
vitrine_vm_session_report_start_error(VitrineVmSession *session, const GError *error)
{
    vitrine_machine_report_start_error(session->machine, error);
}

void
vitrine_vm_session_finish(VitrineVmSession *session, VitrineMachineState state)
{
    const char *word = vitrine_nick(VITRINE_TYPE_MACHINE_STATE, state);
    RemoteCall call = vm_session_call(session, "UnlockVm", g_variant_new("(s)", word));
    if (session->finished)
        return;
    session->finished = TRUE;
    vitrine_dbus_console_set_state(vm_console_skeleton(session->console), word);
    vm_console_flush(session->console);
    /* Once the machine is unlocked the name of the socket belongs to the next process. */
    vm_console_stop_listening(session->console);
    g_autoptr(GVariant) reply = client_call_sync(session->client, &call, NULL, NULL, NULL);
    g_dbus_interface_skeleton_unexport(G_DBUS_INTERFACE_SKELETON(session->vm_process));
    vm_console_close(session->console);
}
