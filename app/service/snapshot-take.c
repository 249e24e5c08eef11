/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Taking a snapshot. Manual, chapter "Snapshots". Differencing images are made first, beside what
 * there is; then one save of the settings makes the disks as they were the snapshot's, and the new
 * images the machine's. A saved state belongs to the snapshot and to the machine until one of them
 * gives it up. */
#include "app/service/snapshot-take.h"
#include "app/service/machine.h"
#include "app/service/medium.h"

typedef struct {
    Service *service;
    char *machine_id;
    SnapshotRecord *snapshot;
    GPtrArray *children;
} Take;

static void
take_free(gpointer data)
{
    Take *take = data;
    g_free(take->machine_id);
    snapshot_record_free(take->snapshot);
    g_ptr_array_unref(take->children);
    g_free(take);
}

static gboolean
commit(gpointer data, GError **error)
{
    Take *take = data;
    Machine *machine = service_find_machine(take->service, take->machine_id);
    MachineRecord *record = machine->record;
    service_set_text(&take->snapshot->state_file, record->state_file);
    if (!children_register(take->children, machine, error))
        return FALSE;
    if (snapshot_file_add(machine->file, take->snapshot, error)) {
        children_attach(take->children, record->settings);
        children_move_auto_reset(take->children, take->service, FALSE);
        service_set_text(&record->current_snapshot, take->snapshot->id);
        record->current_state_modified = FALSE;
        if (machine_commit_snapshots(machine, error))
            return TRUE;
        children_move_auto_reset(take->children, take->service, TRUE);
    }
    children_unregister(take->children, take->service);
    return FALSE;
}

static char *
on_done(gpointer data, GError *error)
{
    Take *take = data;
    return error ? NULL : g_strdup(take->snapshot->id);
}

static gboolean
check(const char *name, GError **error)
{
    if (*name == '\0')
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_INVALID, "A snapshot needs a name.");
    return *name != '\0';
}

gboolean
snapshot_check_room(Machine *machine, const SnapshotRecord *snapshot, GError **error)
{
    guint depth = 0;
    for (const SnapshotRecord *above = snapshot; above && *above->parent; depth++)
        above = machine_find_snapshot(machine, above->parent);
    if (depth < SNAPSHOT_MAX_DEPTH)
        return TRUE;
    g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_INVALID,
                "At most %d snapshots can follow each other. Delete one of this line, or restore "
                "an earlier one first.",
                SNAPSHOT_MAX_DEPTH);
    return FALSE;
}

static Task *
plan(Machine *machine, const char *name, const char *description, GError **error)
{
    Take *take = g_new0(Take, 1);
    Task *task = task_new(machine->service, take, take_free);
    Journal *journal = journal_new(machine->service, machine->id);
    take->service = machine->service;
    take->machine_id = g_strdup(machine->id);
    take->snapshot = snapshot_record_new(machine->record->current_snapshot, name, description);
    take->children = children_new();
    children_plan(machine, machine->record->settings, take->children);
    children_add_jobs(take->children, machine->service, task, journal, TASK_READ);
    task_add_call(task, commit);
    if (snapshot_check_room(machine, take->snapshot, error) &&
        task_hold(task, machine, "taking a snapshot", error) && journal_write(journal, error)) {
        task_set_journal(task, journal);
        return task;
    }
    journal_drop(journal);
    task_abandon(task);
    return NULL;
}

static void
take_now(Machine *machine, GDBusMethodInvocation *invocation)
{
    GError *error = NULL;
    const char *name, *description;
    if (machine_defer(machine, take_now, invocation))
        return;
    g_variant_get(g_dbus_method_invocation_get_parameters(invocation), "(&s&s)", &name,
                  &description);
    gboolean live = machine_is_online(machine);
    Task *task = !check(name, &error) ? NULL
                 : live               ? snapshot_take_live(machine, name, description, &error)
                                      : plan(machine, name, description, &error);
    if (task == NULL) {
        service_fail(invocation, error);
        return;
    }
    g_autofree char *what = g_strdup_printf("Taking the snapshot \"%s\"", name);
    task_show(task, what, TRUE);
    vitrine_dbus_machine_complete_take_snapshot(machine->skeleton, invocation,
                                                task_progress_path(task));
    if (!live)
        task_start(task, on_done);
}

static gboolean
on_take(VitrineDBusMachine *skeleton, GDBusMethodInvocation *invocation, const char *name,
        const char *description, Machine *machine)
{
    if (machine_allow_change(machine, invocation))
        take_now(machine, invocation);
    return TRUE;
}

void
machine_connect_snapshot_take(Machine *machine)
{
    g_signal_connect(machine->skeleton, "handle-take-snapshot", G_CALLBACK(on_take), machine);
}
