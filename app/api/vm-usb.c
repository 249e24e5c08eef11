/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * USB devices of the host as the VM process gets them from the service, and what a new service has
 * to know of them. */
#include <gio/gunixfdlist.h>
#include <unistd.h>

#include "app/api/vm-session-private.h"

struct VmUsb {
    VitrineVmSession *session; /* borrowed: it owns us */
    VitrineDBusVmProcess *skeleton;
    const VitrineVmOps *ops;
    gpointer data;
    GPtrArray *devices; /* ids of those that the machine has */
};

static gboolean
attach(VmUsb *usb, const char *device, const char *title, GUnixFDList *fds, int index,
       GVariant *capture, GError **error)
{
    int node, file = -1;

    if (usb->ops == NULL || usb->ops->attach_usb == NULL) {
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_NOT_SUPPORTED,
                    "This machine does not take USB devices of the host.");
        return FALSE;
    }
    node = vm_session_take_fd(fds, index, title, error);
    if (node >= 0 && g_variant_n_children(capture) > 0) {
        g_variant_get_child(capture, 0, "h", &index);
        file = vm_session_take_fd(fds, index, title, error);
        if (file < 0)
            close(node);
    }
    return node >= 0 && (file >= 0 || g_variant_n_children(capture) == 0) &&
           usb->ops->attach_usb(usb->data, device, title, node, file, error);
}

static gboolean
on_attach_usb(VitrineDBusVmProcess *skeleton, GDBusMethodInvocation *invocation, GUnixFDList *fds,
              const char *device, const char *title, GVariant *node, GVariant *capture, VmUsb *usb)
{
    GError *error = NULL;

    if (!attach(usb, device, title, fds, g_variant_get_handle(node), capture, &error)) {
        g_dbus_method_invocation_take_error(invocation, error);
        return TRUE;
    }
    g_ptr_array_add(usb->devices, g_strdup(device));
    vitrine_dbus_vm_process_complete_attach_usb(skeleton, invocation, NULL);
    return TRUE;
}

static gboolean
on_detach_usb(VitrineDBusVmProcess *skeleton, GDBusMethodInvocation *invocation, const char *device,
              VmUsb *usb)
{
    if (usb->ops != NULL && usb->ops->detach_usb != NULL)
        usb->ops->detach_usb(usb->data, device);
    vitrine_dbus_vm_process_complete_detach_usb(skeleton, invocation);
    return TRUE;
}

static gboolean
on_tell_problem(VitrineDBusVmProcess *skeleton, GDBusMethodInvocation *invocation,
                const char *message, VmUsb *usb)
{
    vitrine_vm_session_runtime_error(usb->session, FALSE, "usb", message);
    vitrine_dbus_vm_process_complete_tell_usb_problem(skeleton, invocation);
    return TRUE;
}

static void
tell(VmUsb *usb, const char *method, const char *device)
{
    const RemoteCall call = vm_session_call(usb->session, method, g_variant_new("(s)", device));

    client_call_async(vm_session_client(usb->session), usb->session, &call, NULL, NULL, NULL);
}

void
vm_usb_released(VmUsb *usb, const char *device)
{
    guint index;

    if (g_ptr_array_find_with_equal_func(usb->devices, device, g_str_equal, &index))
        g_ptr_array_remove_index(usb->devices, index);
    tell(usb, "UsbReleased", device);
}

void
vm_usb_reconnected(VmUsb *usb)
{
    for (guint i = 0; i < usb->devices->len; i++)
        tell(usb, "UsbKept", usb->devices->pdata[i]);
}

VmUsb *
vm_usb_new(VitrineVmSession *session, VitrineDBusVmProcess *skeleton)
{
    VmUsb *usb = g_new0(VmUsb, 1);

    usb->session = session;
    usb->skeleton = g_object_ref(skeleton);
    usb->devices = g_ptr_array_new_with_free_func(g_free);
    g_signal_connect(skeleton, "handle-attach-usb", G_CALLBACK(on_attach_usb), usb);
    g_signal_connect(skeleton, "handle-detach-usb", G_CALLBACK(on_detach_usb), usb);
    g_signal_connect(skeleton, "handle-tell-usb-problem", G_CALLBACK(on_tell_problem), usb);
    return usb;
}

void
vm_usb_free(VmUsb *usb)
{
    g_signal_handlers_disconnect_by_data(usb->skeleton, usb);
    g_object_unref(usb->skeleton);
    g_ptr_array_unref(usb->devices);
    g_free(usb);
}

void
vm_usb_serve(VmUsb *usb, const VitrineVmOps *ops, gpointer data)
{
    usb->ops = ops;
    usb->data = data;
}
