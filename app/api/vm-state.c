/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Saved states as the VM process sees them: the service brings the file and says what comes after.
 * A service that is killed between the two leaves the machine standing: the next one is asked
 * whether the state has become the machine's. */
#include <gio/gunixfdlist.h>
#include <unistd.h>

#include "app/api/vm-session-private.h"

struct VmState {
    VitrineVmSession *session; /* borrowed: it owns us */
    VitrineDBusVmProcess *skeleton;
    const VitrineVmOps *ops;
    gpointer data;
    gboolean busy;    /* SaveState is under way */
    gboolean waiting; /* for EndSave */
};

void
vitrine_saved_free(VitrineSaved *saved)
{
    g_free(saved->problem);
    g_free(saved);
}

static void
child_free(gpointer data)
{
    VitrineDiskChild *child = data;
    vm_session_image_clear(&child->image);
    g_free(child->controller);
    g_free(child);
}

/* a(suusssib) and the descriptors that it numbers. */
static GPtrArray *
parse_children(GVariant *list, GUnixFDList *fds, GError **error)
{
    g_autoptr(GPtrArray) children = g_ptr_array_new_with_free_func(child_free);
    const char *controller, *id, *location, *format;
    guint port, device;
    GVariantIter iter;
    gboolean read_only;
    int index;
    g_variant_iter_init(&iter, list);
    while (g_variant_iter_next(&iter, "(&suu&s&s&sib)", &controller, &port, &device, &id, &location,
                               &format, &index, &read_only)) {
        int fd = vm_session_take_fd(fds, index, location, error);
        if (fd < 0)
            return NULL;
        VitrineDiskChild *child = g_new0(VitrineDiskChild, 1);
        child->controller = g_strdup(controller);
        child->port = port;
        child->device = device;
        child->image = (VitrineImage){.id = g_strdup(id),
                                      .location = g_strdup(location),
                                      .format = g_strdup(format),
                                      .descriptor = fd,
                                      .read_only = read_only};
        g_ptr_array_add(children, child);
    }
    return g_steal_pointer(&children);
}

typedef struct {
    VitrineVmSession *session; /* keeps state alive, too */
    VmState *state;
    GDBusMethodInvocation *invocation;
    gboolean live;
} Save;

static void
end_save(VmState *state, gboolean done)
{
    state->waiting = FALSE;
    state->ops->end_save(state->data, done);
}

static void
on_saved(GObject *source, GAsyncResult *result, gpointer user_data)
{
    Save *save = user_data;
    VmState *state = save->state;
    GError *error = NULL;
    gboolean heard = vm_session_is_heard(save->invocation);
    VitrineSaved *saved = g_task_propagate_pointer(G_TASK(result), &error);
    state->busy = FALSE;
    state->waiting = saved && !save->live;
    if (saved)
        vitrine_dbus_vm_process_complete_save_state(state->skeleton, save->invocation, NULL,
                                                    saved->pause_ns, saved->switched,
                                                    saved->problem);
    else
        g_dbus_method_invocation_take_error(save->invocation, error);
    /* Whoever asked for it is gone and cannot have taken it. */
    if (state->waiting && !heard)
        end_save(state, FALSE);
    g_clear_pointer(&saved, vitrine_saved_free);
    g_object_unref(save->session);
    g_free(save);
}

static gboolean
check_free(VmState *state, GError **error)
{
    if (state->ops == NULL || state->ops->save_state == NULL)
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_NOT_SUPPORTED,
                    "This machine cannot be saved.");
    else if (state->busy || state->waiting)
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_BUSY, "The machine is being saved.");
    else
        return TRUE;
    return FALSE;
}

static gboolean
on_save_state(VitrineDBusVmProcess *skeleton, GDBusMethodInvocation *invocation, GUnixFDList *fds,
              GVariant *file, gboolean live, GVariant *disks, VmState *state)
{
    GError *error = NULL;
    g_autoptr(GPtrArray) children =
        check_free(state, &error) ? parse_children(disks, fds, &error) : NULL;
    int fd = children ? vm_session_take_fd(fds, g_variant_get_handle(file), "state", &error) : -1;
    if (fd < 0) {
        g_dbus_method_invocation_take_error(invocation, error);
        return TRUE;
    }
    Save *save = g_new(Save, 1);
    *save = (Save){g_object_ref(state->session), state, invocation, live};
    state->busy = TRUE;
    state->ops->save_state(state->data, fd, live, children,
                           g_task_new(state->session, NULL, on_saved, save));
    return TRUE;
}

static gboolean
on_cancel_save(VitrineDBusVmProcess *skeleton, GDBusMethodInvocation *invocation, VmState *state)
{
    if (state->ops && state->ops->cancel_save)
        state->ops->cancel_save(state->data);
    vitrine_dbus_vm_process_complete_cancel_save(skeleton, invocation);
    return TRUE;
}

static gboolean
on_end_save(VitrineDBusVmProcess *skeleton, GDBusMethodInvocation *invocation, gboolean done,
            VmState *state)
{
    vitrine_dbus_vm_process_complete_end_save(skeleton, invocation);
    if (state->waiting)
        end_save(state, done);
    return TRUE;
}

VmState *
vm_state_new(VitrineVmSession *session, VitrineDBusVmProcess *skeleton)
{
    VmState *state = g_new0(VmState, 1);
    state->session = session;
    state->skeleton = g_object_ref(skeleton);
    g_signal_connect(skeleton, "handle-save-state", G_CALLBACK(on_save_state), state);
    g_signal_connect(skeleton, "handle-cancel-save", G_CALLBACK(on_cancel_save), state);
    g_signal_connect(skeleton, "handle-end-save", G_CALLBACK(on_end_save), state);
    return state;
}

void
vm_state_free(VmState *state)
{
    g_signal_handlers_disconnect_by_data(state->skeleton, state);
    g_object_unref(state->skeleton);
    g_free(state);
}

void
vm_state_serve(VmState *state, const VitrineVmOps *ops, gpointer data)
{
    state->ops = ops;
    state->data = data;
}

void
vm_state_reconnected(VmState *state)
{
    g_autoptr(GError) error = NULL;
    int file = -1;
    if (!state->waiting)
        return;
    if (!vitrine_vm_session_open_state(state->session, &file, &error))
        g_warning("The new service does not tell about the saved state: %s", error->message);
    if (file >= 0)
        close(file);
    end_save(state, file >= 0);
}

gboolean
vitrine_vm_session_open_state(VitrineVmSession *session, int *file, GError **error)
{
    g_autoptr(GUnixFDList) fds = NULL;
    RemoteCall call = vm_session_call(session, "OpenState", NULL);
    g_autoptr(GVariant) reply =
        client_call_sync(vm_session_client(session), &call, &fds, NULL, error);
    *file = -1;
    if (reply == NULL)
        return FALSE;
    if (fds == NULL || g_unix_fd_list_get_length(fds) == 0)
        return TRUE;
    *file = g_unix_fd_list_get(fds, 0, error);
    return *file >= 0;
}

gboolean
vitrine_vm_session_state_loaded(VitrineVmSession *session, GError **error)
{
    RemoteCall call = vm_session_call(session, "StateLoaded", NULL);
    g_autoptr(GVariant) reply =
        client_call_sync(vm_session_client(session), &call, NULL, NULL, error);
    return reply != NULL;
}
