/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Restoring a snapshot. Manual, chapter "Snapshots". New differencing images are made on those of
 * the snapshot; one save of the settings makes them and the snapshot's hardware the machine's; then
 * the differencing images of the state that is given up are deleted. */
#include "app/service/machine.h"
#include "app/service/medium.h"

typedef struct {
    Service *service;
    char *machine_id;
    char *snapshot_id;
    GPtrArray *children;
} Restore;

static void
restore_free(gpointer data)
{
    Restore *restore = data;
    g_free(restore->machine_id);
    g_free(restore->snapshot_id);
    g_ptr_array_unref(restore->children);
    g_free(restore);
}

/* The differencing images that only the present state has. */
static GPtrArray *
present_images(Machine *machine)
{
    GPtrArray *images = g_ptr_array_new();
    GPtrArray *attachments = vitrine_settings_get_attachments(machine->record->settings);
    for (guint i = 0; i < attachments->len; i++) {
        const VitrineAttachment *a = attachments->pdata[i];
        Medium *medium = *a->medium ? service_find_medium(machine->service, a->medium) : NULL;
        if (medium && *medium->record->parent &&
            !g_hash_table_contains(machine->snapshot_media, medium->record->id) &&
            medium_user(medium, machine) == NULL)
            g_ptr_array_add(images, medium);
    }
    return images;
}

/* The machine as the document has it after the snapshot's hardware was put there. */
static gboolean
take_hardware(Restore *restore, Machine *machine, GError **error)
{
    const SnapshotRecord *snapshot = machine_find_snapshot(machine, restore->snapshot_id);
    if (!snapshot_file_restore(machine->file, restore->snapshot_id, error))
        return FALSE;
    MachineRecord *record = machine_file_read(machine->file, error);
    if (record == NULL)
        return FALSE;
    machine_record_free(machine->record);
    machine->record = record;
    service_set_text(&record->current_snapshot, snapshot->id);
    service_set_text(&record->state_file, snapshot->state_file);
    record->current_state_modified = FALSE;
    record->aborted = FALSE;
    record->last_state_change = g_get_real_time() / G_USEC_PER_SEC;
    children_attach(restore->children, record->settings);
    return TRUE;
}

static gboolean
commit(gpointer data, GError **error)
{
    Restore *restore = data;
    Machine *machine = service_find_machine(restore->service, restore->machine_id);
    g_autoptr(GPtrArray) images = present_images(machine);
    g_autoptr(GPtrArray) dropped = g_ptr_array_new();
    if (!children_register(restore->children, machine, error))
        return FALSE;
    for (guint i = 0; i < images->len; i++)
        media_drop_chain(images->pdata[i], machine, NULL, dropped);
    gboolean saved = take_hardware(restore, machine, error) && machine_save(machine, error);
    media_finish_drop(dropped, saved);
    if (!saved)
        children_unregister(restore->children, restore->service);
    machine_load(machine); /* the state follows from the file, also when it is the old one */
    media_publish_all(machine->service);
    return saved;
}

static char *
on_done(gpointer data, GError *error)
{
    Restore *restore = data;
    return error ? NULL : g_strdup(restore->snapshot_id);
}

/* What goes when the present state goes. */
static void
list_present(Machine *machine, Journal *journal)
{
    g_autoptr(GPtrArray) images = present_images(machine);
    g_autoptr(GPtrArray) dropped = g_ptr_array_new();
    for (guint i = 0; i < images->len; i++)
        media_drop_chain(images->pdata[i], machine, journal, dropped);
    media_finish_drop(dropped, FALSE);
    if (*machine->record->state_file)
        journal_add_file(journal, machine->record->state_file);
}

static Task *
plan(Machine *machine, const SnapshotRecord *snapshot, GError **error)
{
    g_autoptr(VitrineSettings) settings =
        snapshot_file_read_settings(machine->file, snapshot->id, machine->record->settings, error);
    if (settings == NULL)
        return NULL;
    Restore *restore = g_new0(Restore, 1);
    Task *task = task_new(machine->service, restore, restore_free);
    Journal *journal = journal_new(machine->service, machine->id);
    restore->service = machine->service;
    restore->machine_id = g_strdup(machine->id);
    restore->snapshot_id = g_strdup(snapshot->id);
    restore->children = children_new();
    children_plan(machine, settings, restore->children);
    children_add_jobs(restore->children, machine->service, task, journal, TASK_READ);
    list_present(machine, journal);
    task_add_call(task, commit);
    if (task_hold(task, machine, "restoring a snapshot", error) && journal_write(journal, error)) {
        task_set_journal(task, journal);
        return task;
    }
    journal_drop(journal);
    task_abandon(task);
    return NULL;
}

static void restore_now(Machine *machine, GDBusMethodInvocation *invocation);

static gboolean
on_restore(VitrineDBusMachine *skeleton, GDBusMethodInvocation *invocation, const char *id,
           Machine *machine)
{
    if (machine_allow_change(machine, invocation))
        restore_now(machine, invocation);
    return TRUE;
}

static void
restore_now(Machine *machine, GDBusMethodInvocation *invocation)
{
    GError *error = NULL;
    const char *id;
    if (machine_defer(machine, restore_now, invocation))
        return;
    g_variant_get_child(g_dbus_method_invocation_get_parameters(invocation), 0, "&s", &id);
    const SnapshotRecord *snapshot = machine_find_snapshot(machine, id);
    if (snapshot == NULL)
        g_set_error(&error, VITRINE_ERROR, VITRINE_ERROR_NOT_FOUND, "There is no snapshot {%s}.",
                    id);
    else if (machine_is_online(machine))
        g_set_error(&error, VITRINE_ERROR, VITRINE_ERROR_STATE,
                    "The machine \"%s\" is running: power it off first.", machine_name(machine));
    Task *task = error ? NULL : plan(machine, snapshot, &error);
    if (task == NULL) {
        service_fail(invocation, error);
        return;
    }
    g_autofree char *what = g_strdup_printf("Restoring the snapshot \"%s\"", snapshot->name);
    task_show(task, what, TRUE);
    vitrine_dbus_machine_complete_restore_snapshot(machine->skeleton, invocation,
                                                   task_progress_path(task));
    task_start(task, on_done);
}

/* --- when the machine is off --- */

static gboolean
on_restore_when_off(VitrineDBusMachine *skeleton, GDBusMethodInvocation *invocation, const char *id,
                    Machine *machine)
{
    if (!machine_is_online(machine))
        return service_refuse(invocation, VITRINE_ERROR_STATE, "The machine \"%s\" does not run.",
                              machine_name(machine));
    if (*id && machine_find_snapshot(machine, id) == NULL)
        return service_refuse(invocation, VITRINE_ERROR_NOT_FOUND, "There is no snapshot {%s}.",
                              id);
    g_free(machine->restore_when_off);
    machine->restore_when_off = *id ? g_strdup(id) : NULL;
    vitrine_dbus_machine_complete_restore_when_off(skeleton, invocation);
    return TRUE;
}

static char *
on_wish_done(gpointer data, GError *error)
{
    if (error)
        g_warning("The snapshot was not restored after power off: %s", error->message);
    return NULL;
}

void
machine_restore_when_off(Machine *machine)
{
    g_autofree char *id = g_steal_pointer(&machine->restore_when_off);
    g_autoptr(GError) error = NULL;
    if (id == NULL || machine->record == NULL ||
        machine->state != VITRINE_MACHINE_STATE_POWERED_OFF)
        return;
    const SnapshotRecord *snapshot = machine_find_snapshot(machine, id);
    Task *task = snapshot ? plan(machine, snapshot, &error) : NULL;
    if (task)
        task_start(task, on_wish_done);
    else if (error)
        g_warning("The snapshot is not restored after power off: %s", error->message);
}

void
machine_connect_snapshot_restore(Machine *machine)
{
    g_signal_connect(machine->skeleton, "handle-restore-snapshot", G_CALLBACK(on_restore), machine);
    g_signal_connect(machine->skeleton, "handle-restore-when-off", G_CALLBACK(on_restore_when_off),
                     machine);
}
