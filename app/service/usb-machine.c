/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * USB devices that machines get and give back: their processes get a descriptor of the device's
 * node, detach the host's drivers, and put all back in the end. A process that died leaves the
 * device without a driver: then it is put back from here. */
#include "app/service/settings/file-error.h"
#include "app/service/usb-private.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* A device that a machine's process was asked to take. */
struct UsbAttach {
    Service *service;
    char *machine, *entry, *capture;
    GDBusMethodInvocation *invocation; /* NULL: a filter's */
};

static void
attach_free(UsbAttach *attach)
{
    g_free(attach->machine);
    g_free(attach->entry);
    g_free(attach->capture);
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

static gboolean has_left(Usb *usb, const char *id);

static void
answer_waiting(UsbEntry *entry)
{
    for (guint i = 0; i < entry->waiting->len; i++)
        g_dbus_method_invocation_return_value(entry->waiting->pdata[i], NULL);
    g_ptr_array_set_size(entry->waiting, 0);
}

void
usb_released(Usb *usb, UsbEntry *entry)
{
    g_free(entry->again);
    entry->again = entry->phase == USB_THERE ? g_strdup(entry->owner) : NULL;
    set_owner(entry, NULL, USB_FREE);
    if (entry->held)
        usb_bind(usb, entry, FALSE);
    else
        answer_waiting(entry);
    usb_refresh(usb);
}

/* --- attaching --- */
static void
answer(UsbAttach *attach, GError *error)
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
    UsbAttach *attach = user_data;
    Usb *usb = attach->service->usb;
    UsbEntry *entry = usb_find(usb, attach->entry);
    GError *error = NULL;
    g_autoptr(GVariant) reply = g_dbus_connection_call_with_unix_fd_list_finish(
        G_DBUS_CONNECTION(source), NULL, result, &error);

    if (error != NULL)
        g_dbus_error_strip_remote_error(error);
    if (reply == NULL)
        has_left(usb, attach->entry); /* it has nothing to let go of */
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

/* The device's node; -1 with error. */
static int
open_node(const UsbEntry *entry, GError **error)
{
    const int node = usb_host_list_open(entry->info, error);

    if (node < 0 && error != NULL)
        (*error)->domain = VITRINE_ERROR; /* with the same codes */
    return node;
}

/* -1 with error: the file for a record cannot be made. */
static int
open_capture(const char *capture, GError **error)
{
    const int file = open(capture, O_WRONLY | O_CREAT | O_TRUNC | O_NOCTTY | O_CLOEXEC, 0600);

    if (file < 0)
        file_error_set(error, errno, "The record of USB traffic, \"%s\", cannot be made", capture);
    return file;
}

gboolean
usb_hand_over(Machine *machine, const UsbGift *gift, GAsyncReadyCallback callback, gpointer data,
              GError **error)
{
    const gboolean records = gift->capture != NULL && *gift->capture != '\0';
    const int file = records ? open_capture(gift->capture, error) : -1;
    g_autoptr(GUnixFDList) fds = g_unix_fd_list_new();
    GVariantBuilder capture;
    gboolean ok = (!records || file >= 0) && g_unix_fd_list_append(fds, gift->node, error) >= 0 &&
                  (!records || g_unix_fd_list_append(fds, file, error) >= 0);

    if (file >= 0)
        close(file);
    if (!ok)
        return FALSE;
    g_variant_builder_init(&capture, G_VARIANT_TYPE("ah"));
    if (records)
        g_variant_builder_add(&capture, "h", 1);
    g_dbus_connection_call_with_unix_fd_list(
        machine->vm, NULL, VITRINE_VM_PROCESS_PATH, "org.vitrine.VmProcess", "AttachUsb",
        g_variant_new("(sshah)", gift->id, gift->title, 0, &capture), NULL, G_DBUS_CALL_FLAGS_NONE,
        G_MAXINT, fds, NULL, callback, data);
    return TRUE;
}

/* The entry is the machine's until that fails. */
static void
begin_attach(Machine *machine, UsbEntry *entry, UsbAttach *attach)
{
    g_autoptr(VitrineUsbDevice) device = usb_describe(entry);
    g_autofree char *title = vitrine_usb_device_get_title(device);
    GError *error = NULL;
    UsbGift gift = {entry->id, title, open_node(entry, &error), attach->capture};

    if (gift.node < 0 || !usb_hand_over(machine, &gift, on_attached, attach, &error)) {
        set_owner(entry, NULL, USB_FREE);
        answer(attach, error);
    }
    if (gift.node >= 0)
        close(gift.node);
}

/* Once nobody else is at it: no thread, and no process that had it before it was plugged in anew.
 */
static void
begin_later(Usb *usb, UsbEntry *entry)
{
    UsbAttach *attach = entry->later;
    Machine *machine;

    if (attach == NULL || entry->job != NULL || g_hash_table_contains(usb->leaving, entry->id))
        return;
    machine = service_find_machine(usb->service, attach->machine);
    if (machine == NULL || machine->vm == NULL) {
        usb_forgo(entry);
        return;
    }
    entry->later = NULL;
    begin_attach(machine, entry, attach);
}

void
usb_attach(Machine *machine, UsbEntry *entry, const char *capture,
           GDBusMethodInvocation *invocation)
{
    UsbAttach *attach = g_new0(UsbAttach, 1);
    GError *error = NULL;

    *attach = (UsbAttach){machine->service, g_strdup(machine->id), g_strdup(entry->id),
                          g_strdup(capture), invocation};
    if (!check_free(machine->service->usb, entry, &error)) {
        answer(attach, error);
        return;
    }
    set_owner(entry, machine->id, USB_COMING);
    entry->later = attach;
    begin_later(machine->service->usb, entry);
    usb_publish(machine->service->usb);
}

void
usb_bound(Usb *usb, UsbEntry *entry)
{
    answer_waiting(entry);
    begin_later(usb, entry);
}

void
usb_forgo(UsbEntry *entry)
{
    UsbAttach *attach = g_steal_pointer(&entry->later);

    if (attach == NULL)
        return;
    set_owner(entry, NULL, USB_FREE);
    answer(attach, g_error_new_literal(VITRINE_ERROR, VITRINE_ERROR_NOT_FOUND,
                                       "The machine did not get the USB device: one of them has "
                                       "gone, or it was told to give the device back."));
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
            usb_attach(machine, entry, NULL, NULL);
    }
}

void
usb_machine_started(Machine *machine)
{
    usb_machine_filters(machine);
    if (usb_takes(machine))
        usb_remote_start(machine);
}

void
usb_machine_goes_on(Machine *machine)
{
    Usb *usb = machine->service->usb;

    for (guint i = 0; usb_takes(machine) && i < usb->entries->len; i++) {
        UsbEntry *entry = usb->entries->pdata[i];

        if (g_strcmp0(entry->again, machine->id) != 0)
            continue;
        g_clear_pointer(&entry->again, g_free);
        if (check_free(usb, entry, NULL))
            usb_attach(machine, entry, NULL, NULL);
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

    if (machine == NULL || machine->vm == NULL || entry->later != NULL)
        return;
    g_hash_table_replace(usb->leaving, g_strdup(entry->id), g_strdup(machine->id));
    call_vm(machine, "DetachUsb", entry);
}

static gboolean
is_of_machine(gpointer id, gpointer owner, gpointer machine)
{
    return g_str_equal(owner, machine);
}

/* The process has let go of a device that is no longer in the host, or was plugged in anew. */
static gboolean
has_left(Usb *usb, const char *id)
{
    UsbEntry *entry = usb_find(usb, id);

    if (!g_hash_table_remove(usb->leaving, id))
        return FALSE;
    if (entry != NULL)
        begin_later(usb, entry);
    return TRUE;
}

void
usb_machine_gone(Machine *machine)
{
    Usb *usb = machine->service->usb;

    if (usb == NULL || usb->list == NULL)
        return;
    for (guint i = 0; i < usb->entries->len; i++) {
        UsbEntry *entry = usb->entries->pdata[i];

        if (g_strcmp0(entry->again, machine->id) == 0)
            g_clear_pointer(&entry->again, g_free);
        if (g_strcmp0(entry->owner, machine->id) != 0)
            continue;
        if (entry->later != NULL) {
            usb_forgo(entry);
            continue;
        }
        set_owner(entry, NULL, USB_FREE);
        usb_bind(usb, entry, !entry->held);
    }
    g_hash_table_foreach_remove(usb->leaving, is_of_machine, machine->id);
    for (guint i = 0; i < usb->entries->len; i++)
        begin_later(usb, usb->entries->pdata[i]);
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
          const char *capture, Machine *machine)
{
    UsbEntry *entry;

    if (!usb_takes(machine))
        return service_refuse(invocation, VITRINE_ERROR_STATE,
                              "The machine \"%s\" does not run: a USB filter gives it the device "
                              "when it starts.",
                              machine_name(machine));
    if (usb_is_remote(id)) {
        usb_remote_attach(machine, id, capture, invocation);
        return TRUE;
    }
    entry = find_device(machine, id, invocation);
    if (entry != NULL)
        usb_attach(machine, entry, capture, invocation);
    return TRUE;
}

static gboolean
on_detach(VitrineDBusMachine *skeleton, GDBusMethodInvocation *invocation, const char *id,
          Machine *machine)
{
    UsbEntry *entry;

    if (usb_is_remote(id)) {
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
    if (entry->later != NULL) { /* it has not come yet */
        usb_forgo(entry);
        usb_publish(machine->service->usb);
        return TRUE;
    }
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
    if (usb_is_remote(id)) {
        usb_remote_note(machine, id, FALSE);
        return TRUE;
    }
    if (!has_left(usb, id) && entry != NULL && g_strcmp0(entry->owner, machine->id) == 0)
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
    if (usb_is_remote(id)) {
        usb_remote_note(machine, id, TRUE);
        vitrine_dbus_machine_complete_usb_kept(skeleton, invocation);
        return TRUE;
    }
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
