/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Drives as the VM process sees them: their media change, and they come and go while the machine
 * runs. */
#include <gio/gunixfdlist.h>

#include "app/api/vm-session-private.h"

struct VmDrives {
    VitrineDBusVmProcess *skeleton;
    const VitrineVmOps *ops;
    gpointer data;
};

static gboolean
on_change_medium(VitrineDBusVmProcess *skeleton, GDBusMethodInvocation *invocation,
                 GUnixFDList *fds, const char *controller, guint port, guint device, gboolean force,
                 GVariant *list, VmDrives *drives)
{
    GError *error = NULL;
    g_autoptr(GPtrArray) images = vm_session_parse_images(list, fds, &error);
    if (images && (drives->ops == NULL || drives->ops->change_medium == NULL))
        g_set_error(&error, VITRINE_ERROR, VITRINE_ERROR_NOT_SUPPORTED,
                    "The machine cannot change this medium while it runs.");
    if (error == NULL &&
        drives->ops->change_medium(drives->data, controller, port, device, force, images, &error))
        vitrine_dbus_vm_process_complete_change_medium(skeleton, invocation, NULL);
    else
        g_dbus_method_invocation_take_error(invocation, error);
    return TRUE;
}

static gboolean
has_no_plug(const VmDrives *drives, GError **error)
{
    if (drives->ops && drives->ops->plug_drive && drives->ops->unplug_drive)
        return FALSE;
    g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_NOT_SUPPORTED,
                "Drives of this machine do not come or go while it runs.");
    return TRUE;
}

static gboolean
on_plug_drive(VitrineDBusVmProcess *skeleton, GDBusMethodInvocation *invocation, GUnixFDList *fds,
              const char *controller, guint port, guint device, const char *kind,
              gboolean non_rotational, gboolean discard, GVariant *list, VmDrives *drives)
{
    GError *error = NULL;
    int number = VITRINE_MEDIUM_KIND_HARD_DISK;
    g_autoptr(GPtrArray) images = vm_session_parse_images(list, fds, &error);
    if (images && !vitrine_from_nick(VITRINE_TYPE_MEDIUM_KIND, kind, &number))
        g_set_error(&error, VITRINE_ERROR, VITRINE_ERROR_INVALID, "There is no drive \"%s\".",
                    kind);
    g_autoptr(VitrineAttachment) attachment =
        vitrine_attachment_new(controller, port, device, (VitrineMediumKind)number, "");
    attachment->non_rotational = non_rotational;
    attachment->discard = discard;
    attachment->hot_pluggable = TRUE;
    if (error == NULL && !has_no_plug(drives, &error) &&
        drives->ops->plug_drive(drives->data, attachment, images, &error))
        vitrine_dbus_vm_process_complete_plug_drive(skeleton, invocation, NULL);
    else
        g_dbus_method_invocation_take_error(invocation, error);
    return TRUE;
}

static gboolean
on_unplug_drive(VitrineDBusVmProcess *skeleton, GDBusMethodInvocation *invocation,
                const char *controller, guint port, guint device, VmDrives *drives)
{
    GError *error = NULL;
    if (!has_no_plug(drives, &error) &&
        drives->ops->unplug_drive(drives->data, controller, port, device, &error))
        vitrine_dbus_vm_process_complete_unplug_drive(skeleton, invocation);
    else
        g_dbus_method_invocation_take_error(invocation, error);
    return TRUE;
}

void
vm_drives_reconnected(const VmDrives *drives)
{
    if (drives->ops && drives->ops->tell_ejects)
        drives->ops->tell_ejects(drives->data);
}

VmDrives *
vm_drives_new(VitrineDBusVmProcess *skeleton)
{
    VmDrives *drives = g_new0(VmDrives, 1);
    drives->skeleton = g_object_ref(skeleton);
    g_signal_connect(skeleton, "handle-change-medium", G_CALLBACK(on_change_medium), drives);
    g_signal_connect(skeleton, "handle-plug-drive", G_CALLBACK(on_plug_drive), drives);
    g_signal_connect(skeleton, "handle-unplug-drive", G_CALLBACK(on_unplug_drive), drives);
    return drives;
}

void
vm_drives_free(VmDrives *drives)
{
    g_signal_handlers_disconnect_by_data(drives->skeleton, drives);
    g_object_unref(drives->skeleton);
    g_free(drives);
}

void
vm_drives_serve(VmDrives *drives, const VitrineVmOps *ops, gpointer data)
{
    drives->ops = ops;
    drives->data = data;
}
