/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A saved state that a VM process is loading: how far it is, for whoever looks on, and giving it
 * up. It is over when the process says that the state is loaded, which is refused when somebody has
 * cancelled by then; or when the process has gone, and the machine is saved as it was before. */
#include "app/service/machine-state.h"

struct MachineRestoring {
    Progress *progress;
    Service *service;
    char *machine_id;
    gboolean cancelled;
};

static void
on_cancel(gpointer user_data)
{
    MachineRestoring *restoring = user_data;
    Machine *machine = service_find_machine(restoring->service, restoring->machine_id);
    restoring->cancelled = TRUE;
    if (machine)
        machine_vm_tell(machine, "CancelSave", NULL);
}

void
machine_restore_begin(Machine *machine)
{
    if (machine->restoring)
        return;
    MachineRestoring *restoring = g_new0(MachineRestoring, 1);
    g_autofree char *what = g_strdup_printf("Restoring the state of \"%s\"", machine_name(machine));
    restoring->service = machine->service;
    restoring->machine_id = g_strdup(machine->id);
    restoring->progress = progress_start(machine->service, what, on_cancel, restoring);
    machine->restoring = restoring;
    vitrine_dbus_machine_set_restore_progress(machine->skeleton,
                                              progress_path(restoring->progress));
}

gboolean
machine_restore_set(Machine *machine, guint percent)
{
    if (machine->restoring)
        progress_set(machine->restoring->progress, MIN(percent, 100) / 100.0);
    return machine->restoring != NULL;
}

gboolean
machine_restore_go_on(const Machine *machine, GError **error)
{
    if (machine->restoring == NULL || !machine->restoring->cancelled)
        return TRUE;
    machine_restore_set_cancelled(machine, error);
    return FALSE;
}

void
machine_restore_set_cancelled(const Machine *machine, GError **error)
{
    g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_CANCELLED,
                "The machine \"%s\" was not restored; its saved state is kept.",
                machine_name(machine));
}

void
machine_restore_end(Machine *machine, const GError *error)
{
    MachineRestoring *restoring = g_steal_pointer(&machine->restoring);
    if (restoring == NULL)
        return;
    vitrine_dbus_machine_set_restore_progress(machine->skeleton, "");
    progress_finish(restoring->progress, "", error ? g_error_copy(error) : NULL);
    g_free(restoring->machine_id);
    g_free(restoring);
}

void
machine_restore_left(Machine *machine, VitrineMachineState state)
{
    g_autoptr(GError) error = NULL;
    if (machine->restoring == NULL)
        return;
    if (state == VITRINE_MACHINE_STATE_ABORTED)
        g_set_error(&error, VITRINE_ERROR, VITRINE_ERROR_FAILED,
                    "The process of the machine \"%s\" ended before its state was restored. The "
                    "state is kept.",
                    machine_name(machine));
    else
        machine_restore_set_cancelled(machine, &error);
    machine_restore_end(machine, error);
    if (machine->start_error == NULL)
        machine->start_error = g_steal_pointer(&error);
}
