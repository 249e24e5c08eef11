/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Merging disk images as the VM process sees it: the service says which, writes the settings when
 * the disk is right with and without the image that goes, and then says which of the two it is. A
 * service that is killed in between has either written them or not: the next one is asked. */
#include <gio/gunixfdlist.h>

#include "app/api/vm-session-private.h"

struct VmMerge {
    VitrineVmSession *session; /* borrowed: it owns us */
    VitrineDBusVmProcess *skeleton;
    const VitrineVmOps *ops;
    gpointer data;
    gboolean busy;    /* MergeImages is under way */
    gboolean waiting; /* for EndMerge */
    char *goes;       /* UUID of the image that is perhaps not there any more */
    /* What a new service asks for while what the last one asked for comes to its end. */
    GDBusMethodInvocation *next;
    GUnixFDList *next_fds;
};

typedef struct {
    VitrineVmSession *session; /* keeps merge alive, too */
    VmMerge *merge;
    GDBusMethodInvocation *invocation;
} Merge;

static void run(VmMerge *merge, GDBusMethodInvocation *invocation, GUnixFDList *fds);

static void
end_merge(VmMerge *merge, gboolean done)
{
    g_autoptr(GError) error = NULL;
    merge->waiting = FALSE;
    if (!merge->ops->end_merge(merge->data, done, &error))
        g_warning("The end of a merge: %s", error->message);
}

static void
run_next(VmMerge *merge)
{
    g_autoptr(GUnixFDList) fds = g_steal_pointer(&merge->next_fds);
    GDBusMethodInvocation *next = g_steal_pointer(&merge->next);
    if (next)
        run(merge, next, fds);
}

static void
on_merged(GObject *source, GAsyncResult *result, gpointer user_data)
{
    Merge *item = user_data;
    VmMerge *merge = item->merge;
    GError *error = NULL;
    gboolean heard = vm_session_is_heard(item->invocation);
    merge->busy = FALSE;
    merge->waiting = g_task_propagate_boolean(G_TASK(result), &error);
    if (merge->waiting)
        vitrine_dbus_vm_process_complete_merge_images(merge->skeleton, item->invocation, NULL);
    else
        g_dbus_method_invocation_take_error(item->invocation, error);
    /* Whoever asked for it is gone and cannot have written it down. */
    if (merge->waiting && !heard)
        end_merge(merge, FALSE);
    run_next(merge);
    g_object_unref(item->session);
    g_free(item);
}

static gboolean
check_free(const VmMerge *merge, GError **error)
{
    if (merge->ops == NULL || merge->ops->merge_images == NULL)
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_NOT_SUPPORTED,
                    "This machine cannot merge disk images.");
    else if (merge->busy || merge->waiting)
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_BUSY,
                    "The machine is merging disk images.");
    else
        return TRUE;
    return FALSE;
}

static void
run(VmMerge *merge, GDBusMethodInvocation *invocation, GUnixFDList *fds)
{
    GError *error = NULL;
    VitrineMerge request = {0};
    const char *goes;
    g_autoptr(GVariant) list = NULL;
    g_variant_get(g_dbus_method_invocation_get_parameters(invocation), "(&suuuuu@a(sssiba(si))&s)",
                  &request.controller, &request.port, &request.device, &request.levels,
                  &request.from, &request.to, &list, &goes);
    g_autoptr(GPtrArray) target =
        check_free(merge, &error) ? vm_session_parse_images(list, fds, &error) : NULL;
    if (target == NULL) {
        g_dbus_method_invocation_take_error(invocation, error);
        return;
    }
    Merge *item = g_new(Merge, 1);
    *item = (Merge){g_object_ref(merge->session), merge, invocation};
    merge->busy = TRUE;
    g_free(merge->goes);
    merge->goes = g_strdup(goes);
    request.target = target->len ? target->pdata[0] : NULL;
    merge->ops->merge_images(merge->data, &request,
                             g_task_new(merge->session, NULL, on_merged, item));
}

static gboolean
on_merge_images(VitrineDBusVmProcess *skeleton, GDBusMethodInvocation *invocation, GUnixFDList *fds,
                const char *controller, guint port, guint device, guint levels, guint from,
                guint to, GVariant *target, const char *goes, VmMerge *merge)
{
    if (merge->busy && merge->next == NULL) {
        merge->next = invocation;
        merge->next_fds = fds ? g_object_ref(fds) : NULL;
    } else {
        run(merge, invocation, fds);
    }
    return TRUE;
}

static gboolean
on_cancel_merge(VitrineDBusVmProcess *skeleton, GDBusMethodInvocation *invocation, VmMerge *merge)
{
    if (merge->busy)
        merge->ops->cancel_merge(merge->data);
    vitrine_dbus_vm_process_complete_cancel_merge(skeleton, invocation);
    return TRUE;
}

static gboolean
on_end_merge(VitrineDBusVmProcess *skeleton, GDBusMethodInvocation *invocation, gboolean done,
             VmMerge *merge)
{
    if (merge->waiting)
        end_merge(merge, done);
    vitrine_dbus_vm_process_complete_end_merge(skeleton, invocation);
    return TRUE;
}

VmMerge *
vm_merge_new(VitrineVmSession *session, VitrineDBusVmProcess *skeleton)
{
    VmMerge *merge = g_new0(VmMerge, 1);
    merge->session = session;
    merge->skeleton = g_object_ref(skeleton);
    g_signal_connect(skeleton, "handle-merge-images", G_CALLBACK(on_merge_images), merge);
    g_signal_connect(skeleton, "handle-cancel-merge", G_CALLBACK(on_cancel_merge), merge);
    g_signal_connect(skeleton, "handle-end-merge", G_CALLBACK(on_end_merge), merge);
    return merge;
}

void
vm_merge_free(VmMerge *merge)
{
    g_signal_handlers_disconnect_by_data(merge->skeleton, merge);
    g_object_unref(merge->skeleton);
    g_clear_object(&merge->next);
    g_clear_object(&merge->next_fds);
    g_free(merge->goes);
    g_free(merge);
}

void
vm_merge_serve(VmMerge *merge, const VitrineVmOps *ops, gpointer data)
{
    merge->ops = ops;
    merge->data = data;
}

static gboolean
ask_whether_it_is_there(VmMerge *merge)
{
    g_autoptr(GError) error = NULL;
    gboolean there = TRUE;
    RemoteCall call =
        vm_session_call(merge->session, "HasImage", g_variant_new("(s)", merge->goes));
    g_autoptr(GVariant) reply =
        client_call_sync(vm_session_client(merge->session), &call, NULL, NULL, &error);
    if (reply)
        g_variant_get(reply, "(b)", &there);
    else
        g_warning("The new service does not tell about the disk: %s", error->message);
    return there;
}

void
vm_merge_reconnected(VmMerge *merge)
{
    if (merge->busy)
        merge->ops->cancel_merge(merge->data); /* nobody is left who would hear of it */
    if (merge->waiting)
        end_merge(merge, !ask_whether_it_is_there(merge));
}
