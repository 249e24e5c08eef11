/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * USB devices that machines get and give back: their processes get a descriptor of the device's
 * node, detach the host's drivers, and put all back in the end. A process that died leaves the
 * device without a driver: then it is put back from here. */
#include "app/service/usb-private.h"

#include <unistd.h>

/* A device that a machine's process was asked to take. */
typedef struct {
    Service *service;
    char *machine, *entry;
    GDBusMethodInvocation *invocation; /* NULL: a filter's */
} Attach;

static void
attach_free(Attach *attach)
{
    g_free(attach->machine);
    g_free(attach->entry);
    g_free(attach);
}

gboolean
usb_takes(const Machine *machine)
{
    return machine->vm != NULL && machine->record != NULL &&
           (machine->state == VITRINE_MACHINE_STATE_RUNNING ||
            machine->state == VITRINE_MACHINE_STATE_PAUSED);
}

static void
set_owner(UsbEntry *entry, const char *owner, UsbPhase phase)
{
    g_free(entry->owner);
    entry->owner = g_strdup(owner);
    entry->phase = phase;
}

void
usb_released(Usb *usb, UsbEntry *entry)
{
    set_owner(entry, NULL, USB_FREE);
    if (entry->held)
        usb_bind(usb, entry, FALSE);
    for (guint i = 0; i < entry->waiting->len; i++)
        g_dbus_method_invocation_return_value(entry->waiting->pdata[i], NULL);
    g_ptr_array_set_size(entry->waiting, 0);
    usb_refresh(usb);
}

/* --- attaching --- */
static void
answer(Attach *attach, GError *error)
{
    if (error == NULL && attach->invocation != NULL)
        g_dbus_method_invocation_return_value(attach->invocation, NULL);
    else if (error != NULL && attach->invocation != NULL)
        g_dbus_method_invocation_take_error(attach->invocation, error);
    else if (error != NULL) {
        g_message("A USB filter of {%s}: %s", attach->machine, error->message);
        g_error_free(error);
    }
    attach_free(attach);
}

static void
on_attached(GObject *source, GAsyncResult *result, gpointer user_data)
{
    Attach *attach = user_data;
    Usb *usb = attach->service->usb;
    UsbEntry *entry = usb_find(usb, attach->entry);
    GError *error = NULL;
    g_autoptr(GVariant) reply = g_dbus_connection_call_with_unix_fd_list_finish(
        G_DBUS_CONNECTION(source), NULL, result, &error);

    if (error != NULL)
        g_dbus_error_strip_remote_error(error);
    if (entry != NULL && g_strcmp0(entry->owner, attach->machine) == 0) {
        if (reply != NULL)
            entry->phase = USB_THERE;
        else
            set_owner(entry, NULL, USB_FREE);
        usb_publish(usb);
    }
    answer(attach, error);
}

static gboolean
check_free(Usb *usb, const UsbEntry *entry, GError **error)
{
    g_autoptr(VitrineUsbDevice) device = usb_describe(entry);
    const Machine *owner =
        entry->owner != NULL ? service_find_machine(usb->service, entry->owner) : NULL;
    g_autofree char *why =
        vitrine_usb_device_explain(device, owner != NULL ? machine_name(owner) : NULL);

    if (why == NULL)
        return TRUE;
    g_set_error_literal(error, VITRINE_ERROR,
                        device->problem == VITRINE_USB_PROBLEM_PERMISSION ? VITRINE_ERROR_DENIED
                                                                          : VITRINE_ERROR_BUSY,
                        why);
    return FALSE;
}

/* A descriptor of the device's node in fds; FALSE with error. */
static gboolean
open_node(const UsbEntry *entry, GUnixFDList *fds, GError **error)
{
    const int node = usb_host_list_open(entry->info, error);
    int index;

    if (node < 0) {
        if (error != NULL)
            (*error)->domain = VITRINE_ERROR; /* with the same codes */
        return FALSE;
    }
    index = g_unix_fd_list_append(fds, node, error);
    close(node);
    return index >= 0;
}

void
usb_attach(Machine *machine, UsbEntry *entry, GDBusMethodInvocation *invocation)
{
    Attach *attach = g_new0(Attach, 1);
    g_autoptr(GUnixFDList) fds = g_unix_fd_list_new();
    g_autoptr(VitrineUsbDevice) device = usb_describe(entry);
    g_autofree char *title = vitrine_usb_device_get_title(device);
    GError *error = NULL;

    *attach = (Attach){machine->service, g_strdup(machine->id), g_strdup(entry->id), invocation};
    if (!check_free(machine->service->usb, entry, &error) || !open_node(entry, fds, &error)) {
        answer(attach, error);
        return;
    }
    set_owner(entry, machine->id, USB_COMING);
    usb_publish(machine->service->usb);
    g_dbus_connection_call_with_unix_fd_list(
        machine->vm, NULL, VITRINE_VM_PROCESS_PATH, "org.vitrine.VmProcess", "AttachUsb",
        g_variant_new("(ssh)", entry->id, title, 0), NULL, G_DBUS_CALL_FLAGS_NONE, G_MAXINT, fds,
        NULL, on_attached, attach);
}

void
usb_machine_filters(Machine *machine)
{
    Usb *usb = machine->service->usb;
    GPtrArray *filters;

    if (!usb_takes(machine))
        return;
    filters = vitrine_settings_get_usb_filters(machine->record->settings);
    if (filters->len == 0 || usb_start(usb, NULL) == NULL)
        return;
    usb_refresh(usb);
    for (guint i = 0; i < usb->entries->len; i++) {
        UsbEntry *entry = usb->entries->pdata[i];

        if (usb_match(filters, entry) != NULL && check_free(usb, entry, NULL))
            usb_attach(machine, entry, NULL);
    }
}

/* --- giving back --- */
static void
call_vm(Machine *machine, const char *method, const UsbEntry *entry)
{
    g_dbus_connection_call(machine->vm, NULL, VITRINE_VM_PROCESS_PATH, "org.vitrine.VmProcess",
                           method, g_variant_new("(s)", entry->id), NULL, G_DBUS_CALL_FLAGS_NONE,
                           G_MAXINT, NULL, NULL, NULL);
}

/* Its process sees that by itself only when it uses the device. */
void
usb_left(Usb *usb, UsbEntry *entry)
{
    Machine *machine =
        entry->owner != NULL ? service_find_machine(usb->service, entry->owner) : NULL;

    if (machine != NULL && machine->vm != NULL)
        call_vm(machine, "DetachUsb", entry);
}

void
usb_machine_gone(Machine *machine)
{
    Usb *usb = machine->service->usb;

    if (usb == NULL || usb->list == NULL)
        return;
    for (guint i = 0; i < usb->entries->len; i++) {
        UsbEntry *entry = usb->entries->pdata[i];

        if (g_strcmp0(entry->owner, machine->id) != 0)
            continue;
        if (!entry->held)
            usb_bind(usb, entry, TRUE);
        set_owner(entry, NULL, USB_FREE);
        for (guint w = 0; w < entry->waiting->len; w++)
            g_dbus_method_invocation_return_value(entry->waiting->pdata[w], NULL);
        g_ptr_array_set_size(entry->waiting, 0);
    }
    usb_publish(usb);
}

/* --- calls --- */
static UsbEntry *
find_device(Machine *machine, const char *id, GDBusMethodInvocation *invocation)
{
    Usb *usb = machine->service->usb;
    GError *error = NULL;
    UsbEntry *entry;

    if (usb_start(usb, &error) == NULL) {
        service_fail(invocation, error);
        return NULL;
    }
    usb_refresh(usb);
    entry = usb_find(usb, id);
    if (entry == NULL)
        service_refuse(invocation, VITRINE_ERROR_NOT_FOUND,
                       "There is no USB device {%s} plugged into the host.", id);
    return entry;
}

static gboolean
on_attach(VitrineDBusMachine *skeleton, GDBusMethodInvocation *invocation, const char *id,
          Machine *machine)
{
    UsbEntry *entry;

    if (!usb_takes(machine))
        return service_refuse(invocation, VITRINE_ERROR_STATE,
                              "The machine \"%s\" does not run: a USB filter gives it the device "
                              "when it starts.",
                              machine_name(machine));
    if (usb_is_remote(id)) {
        usb_remote_attach(machine, id, invocation);
        return TRUE;
    }
    entry = find_device(machine, id, invocation);
    if (entry != NULL)
        usb_attach(machine, entry, invocation);
    return TRUE;
}

static gboolean
on_detach(VitrineDBusMachine *skeleton, GDBusMethodInvocation *invocation, const char *id,
          Machine *machine)
{
    UsbEntry *entry;

    if (usb_is_remote(id) && machine->vm != NULL) {
        usb_remote_detach(machine, id, invocation);
        return TRUE;
    }
    entry = find_device(machine, id, invocation);
    if (entry == NULL)
        return TRUE;
    if (g_strcmp0(entry->owner, machine->id) != 0 || machine->vm == NULL)
        return service_refuse(invocation, VITRINE_ERROR_STATE,
                              "The machine \"%s\" does not have this USB device.",
                              machine_name(machine));
    g_ptr_array_add(entry->waiting, invocation);
    entry->phase = USB_GOING;
    call_vm(machine, "DetachUsb", entry);
    return TRUE;
}

static gboolean
is_holder(Machine *machine, GDBusMethodInvocation *invocation)
{
    return machine->vm == g_dbus_method_invocation_get_connection(invocation) ||
           (service_refuse(invocation, VITRINE_ERROR_DENIED,
                           "This process does not have the machine."),
            FALSE);
}

static gboolean
on_released(VitrineDBusMachine *skeleton, GDBusMethodInvocation *invocation, const char *id,
            Machine *machine)
{
    Usb *usb = machine->service->usb;
    UsbEntry *entry = usb_find(usb, id);

    if (!is_holder(machine, invocation))
        return TRUE;
    vitrine_dbus_machine_complete_usb_released(skeleton, invocation);
    if (entry != NULL && g_strcmp0(entry->owner, machine->id) == 0)
        usb_released(usb, entry);
    return TRUE;
}

/* From a process that had it before this service came. */
static gboolean
on_kept(VitrineDBusMachine *skeleton, GDBusMethodInvocation *invocation, const char *id,
        Machine *machine)
{
    Usb *usb = machine->service->usb;
    UsbEntry *entry;

    if (!is_holder(machine, invocation))
        return TRUE;
    entry = usb_start(usb, NULL) != NULL ? usb_find(usb, id) : NULL;
    if (entry != NULL && entry->owner == NULL)
        set_owner(entry, machine->id, USB_THERE);
    usb_publish(usb);
    vitrine_dbus_machine_complete_usb_kept(skeleton, invocation);
    return TRUE;
}

void
machine_connect_usb(Machine *machine)
{
    g_signal_connect(machine->skeleton, "handle-attach-usb-device", G_CALLBACK(on_attach), machine);
    g_signal_connect(machine->skeleton, "handle-detach-usb-device", G_CALLBACK(on_detach), machine);
    g_signal_connect(machine->skeleton, "handle-usb-released", G_CALLBACK(on_released), machine);
    g_signal_connect(machine->skeleton, "handle-usb-kept", G_CALLBACK(on_kept), machine);
}
