/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Asks a VM process to write its state to a file: for a saved state, after which it ends, and for a
 * snapshot, after which it goes on. */
#include <gio/gunixfdlist.h>

#include "app/service/machine-merge.h"
#include "app/service/machine-state.h"

#define DISKS_TYPE "a(suusssib)"

struct MachineSaving {
    MachineSave save;
    Service *service;
    char *machine_id; /* it may be gone when the VM process answers */
};

static void
on_saved(GObject *source, GAsyncResult *result, gpointer user_data)
{
    struct MachineSaving *saving = user_data;
    const char *problem = "";
    GError *error = NULL;
    guint64 pause_ns = 0;
    guint switched = 0;
    g_autoptr(GVariant) reply = g_dbus_connection_call_with_unix_fd_list_finish(
        G_DBUS_CONNECTION(source), NULL, result, &error);
    Machine *machine = service_find_machine(saving->service, saving->machine_id);
    if (reply)
        g_variant_get(reply, "(tu&s)", &pause_ns, &switched, &problem);
    else
        g_dbus_error_strip_remote_error(error);
    if (*problem)
        g_set_error_literal(&error, VITRINE_ERROR, VITRINE_ERROR_FAILED, problem);
    if (machine)
        machine->saving = NULL;
    saving->save.done(saving->service, saving->machine_id, switched, pause_ns, error,
                      saving->save.user_data);
    g_free(saving->machine_id);
    g_free(saving);
}

gboolean
machine_save_possible(const Machine *machine, GError **error)
{
    gboolean stands = machine->state == VITRINE_MACHINE_STATE_RUNNING ||
                      machine->state == VITRINE_MACHINE_STATE_PAUSED;
    if (machine->saving)
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_BUSY, "The machine \"%s\" is being saved.",
                    machine_name(machine));
    else if (machine->vm == NULL || !stands)
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_STATE,
                    "The machine \"%s\" is not running or paused.", machine_name(machine));
    else
        return TRUE;
    return FALSE;
}

gboolean
machine_save_begin(Machine *machine, const MachineSave *save, GError **error)
{
    GVariant *disks = save->disks ? save->disks : g_variant_new(DISKS_TYPE, NULL);
    g_autoptr(GVariant) owned = g_variant_ref_sink(disks);
    g_autoptr(GUnixFDList) fds = save->fds ? g_object_ref(save->fds) : g_unix_fd_list_new();
    if (!machine_save_possible(machine, error))
        return FALSE;
    int index = g_unix_fd_list_append(fds, save->file, error);
    if (index < 0)
        return FALSE;
    machine->saving = g_new0(struct MachineSaving, 1);
    machine->saving->save = *save;
    machine->saving->service = machine->service;
    machine->saving->machine_id = g_strdup(machine->id);
    g_dbus_connection_call_with_unix_fd_list(
        machine->vm, NULL, VITRINE_VM_PROCESS_PATH, "org.vitrine.VmProcess", "SaveState",
        g_variant_new("(hb@" DISKS_TYPE ")", index, save->live, owned), G_VARIANT_TYPE("(tus)"),
        G_DBUS_CALL_FLAGS_NONE, G_MAXINT, fds, NULL, on_saved, machine->saving);
    return TRUE;
}

void
machine_vm_tell(Machine *machine, const char *method, GVariant *parameters)
{
    g_autoptr(GVariant) owned = parameters ? g_variant_ref_sink(parameters) : NULL;
    if (machine->vm)
        g_dbus_connection_call(machine->vm, NULL, VITRINE_VM_PROCESS_PATH, "org.vitrine.VmProcess",
                               method, owned, NULL, G_DBUS_CALL_FLAGS_NONE, -1, NULL, NULL, NULL);
}

void
machine_save_cancel(Machine *machine)
{
    if (machine->saving)
        machine_vm_tell(machine, "CancelSave", NULL);
}

void
machine_save_end(Machine *machine, gboolean done)
{
    machine_vm_tell(machine, "EndSave", g_variant_new("(b)", done));
}

static gboolean
on_save_progress(VitrineDBusMachine *skeleton, GDBusMethodInvocation *invocation, guint percent,
                 Machine *machine)
{
    if (machine->vm != g_dbus_method_invocation_get_connection(invocation))
        return service_refuse(invocation, VITRINE_ERROR_DENIED,
                              "This process does not have the machine.");
    if (machine->saving && machine->saving->save.progress)
        progress_set(machine->saving->save.progress, MIN(percent, 100) / 100.0);
    else if (!machine_restore_set(machine, percent))
        machine_merge_progress(machine, percent);
    vitrine_dbus_machine_complete_set_save_progress(skeleton, invocation);
    return TRUE;
}

void
machine_connect_save(Machine *machine)
{
    g_signal_connect(machine->skeleton, "handle-set-save-progress", G_CALLBACK(on_save_progress),
                     machine);
}
