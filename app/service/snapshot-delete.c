/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Deleting a snapshot. Manual, chapter "Snapshots". One save of the settings takes the snapshot out
 * of the tree; from then on it is gone, whatever happens. Its images are part of the chains of what
 * follows it: each that only one other image stands on is merged with that one, one step at a time;
 * an image that several stand on stays where it is. */
#include "app/service/machine.h"
#include "app/service/medium-merge.h"

typedef struct {
    MediaMerge *merge; /* first: it is the data of the merge's steps */
    Service *service;
    char *machine_id;
    char *snapshot_id;
    char *name;
    GPtrArray *images; /* UUIDs of what the snapshot has attached */
    gboolean gone;     /* out of the tree */
    Task *task;
} Delete;

static void
delete_free(gpointer data)
{
    Delete *delete = data;
    media_merge_free(delete->merge);
    g_free(delete->machine_id);
    g_free(delete->snapshot_id);
    g_free(delete->name);
    g_ptr_array_unref(delete->images);
    g_free(delete);
}

/* Whether the snapshot is the only one that has it attached. */
static gboolean
is_only_user(Machine *machine, const Medium *medium)
{
    const GPtrArray *snapshots = g_hash_table_lookup(machine->snapshot_media, medium->record->id);
    return snapshots && snapshots->len == 1 && !machine_has_attached(machine, medium->record->id) &&
           medium_user((Medium *)medium, machine) == NULL;
}

/* What nothing stands on goes with the snapshot; what one image stands on is merged. */
static void
sort_images(Delete *delete, Machine *machine, Journal *journal, GPtrArray *dropped)
{
    for (guint i = 0; i < delete->images->len; i++) {
        Medium *medium = service_find_medium(delete->service, delete->images->pdata[i]);
        if (medium == NULL || !medium_takes_children(medium) || !is_only_user(machine, medium))
            continue;
        media_drop_chain(medium, machine, journal, dropped);
        if (!medium->dropped)
            media_merge_add(delete->merge, medium->record->id);
    }
}

/* The snapshot leaves the tree. */
static gboolean
commit(gpointer data, GError **error)
{
    Delete *delete = data;
    Machine *machine = service_find_machine(delete->service, delete->machine_id);
    const SnapshotRecord *snapshot = machine_find_snapshot(machine, delete->snapshot_id);
    gboolean is_current = g_str_equal(machine->record->current_snapshot, delete->snapshot_id);
    g_autofree char *parent = g_strdup(snapshot->parent);
    g_autoptr(GPtrArray) dropped = g_ptr_array_new();
    for (guint i = 0; i < delete->images->len; i++) {
        Medium *medium = service_find_medium(delete->service, delete->images->pdata[i]);
        if (medium && is_only_user(machine, medium))
            media_drop_chain(medium, machine, NULL, dropped);
    }
    gboolean saved = snapshot_file_remove(machine->file, delete->snapshot_id, error);
    if (saved && is_current)
        service_set_text(&machine->record->current_snapshot, parent);
    if (saved && is_current)
        machine->record->current_state_modified = TRUE;
    saved = saved && machine_commit_snapshots(machine, error);
    media_finish_drop(dropped, saved);
    delete->gone = saved;
    if (saved)
        media_publish_all(delete->service);
    return saved;
}

static void
explain(const Delete *delete, GError *error)
{
    const Machine *machine = service_find_machine(delete->service, delete->machine_id);
    gboolean runs = machine && machine_is_online(machine);
    char *text = g_strdup_printf(
        "The snapshot \"%s\" is deleted, but its disks were not merged: %s%s This is tried again "
        "%s.",
        delete->name, error->message, g_str_has_suffix(error->message, ".") ? "" : ".",
        runs ? "when the machine has ended" : "the next time Vitrine starts");
    g_free(error->message);
    error->message = text;
}

/* Images that were not merged cost room, and the snapshot is gone all the same. */
static char *
on_done(gpointer data, GError *error)
{
    Delete *delete = data;
    if (error && delete->gone)
        explain(delete, error);
    else if (error)
        journal_forget_merges(task_journal(delete->task));
    return error ? NULL : g_strdup(delete->snapshot_id);
}

static GPtrArray *
images_of(Machine *machine, const char *snapshot, GError **error)
{
    g_autoptr(VitrineSettings) settings =
        snapshot_file_read_settings(machine->file, snapshot, machine->record->settings, error);
    if (settings == NULL)
        return NULL;
    GPtrArray *images = g_ptr_array_new_with_free_func(g_free);
    GPtrArray *attachments = vitrine_settings_get_attachments(settings);
    for (guint i = 0; i < attachments->len; i++) {
        const VitrineAttachment *a = attachments->pdata[i];
        if (a->kind == VITRINE_MEDIUM_KIND_HARD_DISK && *a->medium)
            g_ptr_array_add(images, g_strdup(a->medium));
    }
    return images;
}

static guint
children_of(Machine *machine, const char *snapshot)
{
    guint count = 0;
    for (guint i = 0; i < machine->snapshots->len; i++) {
        const SnapshotRecord *other = machine->snapshots->pdata[i];
        count += g_str_equal(other->parent, snapshot);
    }
    return count;
}

/* A running machine merges what it has open by itself. */
static gboolean
may_merge(const Machine *machine)
{
    return !machine_is_online(machine) ||
           (machine->vm && (machine->state == VITRINE_MACHINE_STATE_RUNNING ||
                            machine->state == VITRINE_MACHINE_STATE_PAUSED));
}

static gboolean
check(Machine *machine, const SnapshotRecord *snapshot, GError **error)
{
    if (!may_merge(machine)) {
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_STATE,
                    "The machine \"%s\" is just starting or ending, or cannot go on. Try again "
                    "when it runs, is paused, or is off.",
                    machine_name(machine));
        return FALSE;
    }
    if (*snapshot->parent == '\0' && children_of(machine, snapshot->id) > 1) {
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_STATE,
                    "The snapshot \"%s\" is the first one, and %u snapshots follow it. It can be "
                    "deleted when at most one does.",
                    snapshot->name, children_of(machine, snapshot->id));
        return FALSE;
    }
    return TRUE;
}

static void
plan_files(Delete *delete, Machine *machine, const SnapshotRecord *snapshot, Journal *journal)
{
    g_autoptr(GPtrArray) dropped = g_ptr_array_new();
    sort_images(delete, machine, journal, dropped);
    media_finish_drop(dropped, FALSE);
    media_merge_list(delete->merge, journal);
    if (*snapshot->state_file)
        journal_add_file(journal, snapshot->state_file);
    g_autofree char *folder = machine_snapshot_folder(machine);
    journal_add_folder(journal, folder);
}

static Task *
plan(Machine *machine, const SnapshotRecord *snapshot, GError **error)
{
    GPtrArray *images = images_of(machine, snapshot->id, error);
    if (images == NULL)
        return NULL;
    Delete *delete = g_new0(Delete, 1);
    Task *task = task_new(machine->service, delete, delete_free);
    Journal *journal = journal_new(machine->service, machine->id);
    delete->service = machine->service;
    delete->task = task;
    delete->machine_id = g_strdup(machine->id);
    delete->snapshot_id = g_strdup(snapshot->id);
    delete->name = g_strdup(snapshot->name);
    delete->images = images;
    delete->merge = media_merge_new(machine->service, machine->id, task);
    plan_files(delete, machine, snapshot, journal);
    task_add_call(task, commit);
    media_merge_begin(delete->merge);
    if (task_hold(task, machine, "deleting a snapshot", error) && journal_write(journal, error)) {
        task_set_journal(task, journal);
        return task;
    }
    journal_drop(journal);
    task_abandon(task);
    return NULL;
}

static void
delete_now(Machine *machine, GDBusMethodInvocation *invocation)
{
    GError *error = NULL;
    const char *id;
    if (machine_defer(machine, delete_now, invocation))
        return;
    g_variant_get_child(g_dbus_method_invocation_get_parameters(invocation), 0, "&s", &id);
    const SnapshotRecord *snapshot = machine_find_snapshot(machine, id);
    if (snapshot == NULL)
        g_set_error(&error, VITRINE_ERROR, VITRINE_ERROR_NOT_FOUND, "There is no snapshot {%s}.",
                    id);
    Task *task =
        snapshot && check(machine, snapshot, &error) ? plan(machine, snapshot, &error) : NULL;
    if (task == NULL) {
        service_fail(invocation, error);
        return;
    }
    g_autofree char *what = g_strdup_printf("Deleting the snapshot \"%s\"", snapshot->name);
    task_show(task, what, TRUE);
    vitrine_dbus_machine_complete_delete_snapshot(machine->skeleton, invocation,
                                                  task_progress_path(task));
    task_start(task, on_done);
}

static gboolean
on_delete(VitrineDBusMachine *skeleton, GDBusMethodInvocation *invocation, const char *id,
          Machine *machine)
{
    if (machine_allow_change(machine, invocation))
        delete_now(machine, invocation);
    return TRUE;
}

void
machine_connect_snapshot_delete(Machine *machine)
{
    g_signal_connect(machine->skeleton, "handle-delete-snapshot", G_CALLBACK(on_delete), machine);
}

/* --- after a service was killed --- */

typedef struct {
    MediaMerge *merge; /* first: it is the data of the merge's steps */
    Service *service;
    char *machine_id;
} Again;

static void
again_free(gpointer data)
{
    Again *again = data;
    media_merge_free(again->merge);
    g_free(again->machine_id);
    g_free(again);
}

static char *
on_again_done(gpointer data, GError *error)
{
    Again *again = data;
    if (error == NULL)
        journals_merge_later(again->service, again->machine_id); /* there may be more of them */
    else
        g_warning("Disks of a deleted snapshot were not merged: %s", error->message);
    return NULL;
}

gboolean
media_may_merge(Service *service, const char *id)
{
    Machine *machine = service_find_machine(service, id);
    return machine && machine->record && machine->busy == NULL && may_merge(machine);
}

void
media_merge_again(Service *service, const char *machine_id, GPtrArray *ids)
{
    Machine *machine = service_find_machine(service, machine_id);
    GError *error = NULL;
    if (ids->len == 0 || machine == NULL || machine->record == NULL)
        return;
    Again *again = g_new0(Again, 1);
    Task *task = task_new(service, again, again_free);
    Journal *journal = journal_new(service, machine_id);
    again->service = service;
    again->machine_id = g_strdup(machine_id);
    again->merge = media_merge_new(service, machine_id, task);
    for (guint i = 0; i < ids->len; i++)
        media_merge_add(again->merge, ids->pdata[i]);
    media_merge_list(again->merge, journal);
    media_merge_begin(again->merge);
    if (task_hold(task, machine, "merging the disks of a deleted snapshot", &error) &&
        journal_write(journal, &error)) {
        task_set_journal(task, journal);
        task_start(task, on_again_done);
        return;
    }
    g_clear_error(&error);
    journal_drop(journal);
    task_abandon(task);
}
