/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Disks that are not written to themselves. Manual, chapter "Virtual Storage", "Special image write
 * modes": attaching an immutable or multi-attach disk, or one that differencing images stand on,
 * attaches a new differencing image on it; that of an immutable disk starts empty at each power-on.
 */
#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>

#include "app/service/machine.h"
#include "app/service/medium.h"
#include "app/service/settings/file-error.h"

typedef struct {
    Service *service;
    char *machine_id;
    VitrineSettings *after;
    GPtrArray *children;
    GDBusMethodInvocation *invocation;
    MachineCommit commit;
} Attach;

static void
attach_free(gpointer data)
{
    Attach *attach = data;
    g_free(attach->machine_id);
    g_clear_object(&attach->after);
    g_ptr_array_unref(attach->children);
    g_free(attach);
}

static gboolean
is_indirect(Medium *medium)
{
    VitrineMediumType type = medium_type(medium);
    g_autoptr(GPtrArray) children = medium_children(medium);
    if (type == VITRINE_MEDIUM_TYPE_NORMAL)
        return children->len > 0;
    return *medium->record->parent == '\0' &&
           (type == VITRINE_MEDIUM_TYPE_IMMUTABLE || type == VITRINE_MEDIUM_TYPE_MULTI_ATTACH);
}

/* Takes from the plan what is attached already, or directly. */
static void
keep_indirect(Machine *machine, GPtrArray *children)
{
    for (guint i = children->len; i > 0; i--) {
        const MediumRecord *child = children->pdata[i - 1];
        Medium *parent = service_find_medium(machine->service, child->parent);
        if (machine_has_attached(machine, child->parent) || !is_indirect(parent))
            g_ptr_array_remove_index(children, i - 1);
    }
}

static gboolean
commit_attach(gpointer data, GError **error)
{
    Attach *attach = data;
    Machine *machine = service_find_machine(attach->service, attach->machine_id);
    if (!children_register(attach->children, machine, error))
        return FALSE;
    children_attach(attach->children, attach->after);
    if (attach->commit(machine, g_steal_pointer(&attach->after), error))
        return TRUE;
    children_unregister(attach->children, attach->service);
    return FALSE;
}

static char *
on_attached(gpointer data, GError *error)
{
    Attach *attach = data;
    Machine *machine = service_find_machine(attach->service, attach->machine_id);
    if (error)
        g_dbus_method_invocation_return_gerror(attach->invocation, error);
    else
        vitrine_dbus_machine_complete_save_settings(machine->skeleton, attach->invocation);
    return NULL;
}

static Task *
plan_attach(Machine *machine, VitrineSettings *after, GPtrArray *children, Attach **place,
            GError **error)
{
    Attach *attach = g_new0(Attach, 1);
    Task *task = task_new(machine->service, attach, attach_free);
    Journal *journal = journal_new(machine->service, machine->id);
    attach->service = machine->service;
    attach->machine_id = g_strdup(machine->id);
    attach->after = after;
    attach->children = children;
    children_add_jobs(children, machine->service, task, journal, TASK_READ);
    task_add_call(task, commit_attach);
    *place = attach;
    if (task_hold(task, machine, "attaching a disk", error) && journal_write(journal, error)) {
        task_set_journal(task, journal);
        return task;
    }
    journal_drop(journal);
    task_abandon(task);
    return NULL;
}

gboolean
machine_attach_indirectly(Machine *machine, VitrineSettings *after,
                          GDBusMethodInvocation *invocation, MachineCommit commit)
{
    GError *error = NULL;
    Attach *attach;
    GPtrArray *children = children_new();
    children_plan(machine, after, children);
    keep_indirect(machine, children);
    if (children->len == 0) {
        g_ptr_array_unref(children);
        return FALSE;
    }
    Task *task = plan_attach(machine, after, children, &attach, &error);
    if (task == NULL)
        return service_fail(invocation, error);
    attach->invocation = invocation;
    attach->commit = commit;
    task_start(task, on_attached);
    return TRUE;
}

/* --- at power-on --- */

typedef struct {
    Service *service;
    char *machine_id;
    GPtrArray *ids; /* of the images that start empty */
    GDBusMethodInvocation *invocation;
    void (*again)(Machine *machine, GDBusMethodInvocation *invocation);
} Reset;

static void
reset_free(gpointer data)
{
    Reset *reset = data;
    g_free(reset->machine_id);
    g_ptr_array_unref(reset->ids);
    g_free(reset);
}

/* A machine that continues from its memory keeps its disks. */
static gboolean
keeps_images(Machine *machine)
{
    const SnapshotRecord *current =
        machine_find_snapshot(machine, machine->record->current_snapshot);
    return *machine->record->state_file || (current && *current->state_file);
}

static GPtrArray *
images_to_reset(Machine *machine)
{
    GPtrArray *ids = g_ptr_array_new_with_free_func(g_free);
    GPtrArray *attachments = vitrine_settings_get_attachments(machine->record->settings);
    for (guint i = 0; i < attachments->len && !keeps_images(machine); i++) {
        const VitrineAttachment *a = attachments->pdata[i];
        Medium *medium = *a->medium ? service_find_medium(machine->service, a->medium) : NULL;
        if (medium && medium->record->auto_reset && medium_parent(medium) &&
            medium_type(medium) == VITRINE_MEDIUM_TYPE_IMMUTABLE)
            g_ptr_array_add(ids, g_strdup(medium->record->id));
    }
    return ids;
}

static char *
fresh_path(const Medium *medium)
{
    return g_strconcat(medium->record->location, "-new", NULL);
}

/* The empty images take the places of the old ones. */
static gboolean
commit_reset(gpointer data, GError **error)
{
    Reset *reset = data;
    for (guint i = 0; i < reset->ids->len; i++) {
        Medium *medium = service_find_medium(reset->service, reset->ids->pdata[i]);
        g_autofree char *fresh = fresh_path(medium);
        if (g_rename(fresh, medium->record->location) < 0) {
            file_error_set(error, errno, "\"%s\" cannot be reset", medium->record->location);
            return FALSE;
        }
        settings_sync_folder(medium->record->location);
    }
    return TRUE;
}

/* After the task has let go of the machine. */
static gboolean
on_lock_again(gpointer data)
{
    Reset *reset = data;
    Machine *machine = service_find_machine(reset->service, reset->machine_id);
    if (machine)
        reset->again(machine, reset->invocation);
    else
        service_refuse(reset->invocation, VITRINE_ERROR_NOT_FOUND, "The machine is gone.");
    reset_free(reset);
    return G_SOURCE_REMOVE;
}

static char *
on_reset(gpointer data, GError *error)
{
    Reset *reset = data;
    if (error) {
        g_dbus_method_invocation_return_gerror(reset->invocation, error);
        return NULL;
    }
    Reset *next = g_new0(Reset, 1);
    *next = *reset;
    next->machine_id = g_strdup(reset->machine_id);
    next->ids = g_ptr_array_ref(reset->ids);
    service_find_machine(reset->service, reset->machine_id)->images_are_reset = TRUE;
    g_idle_add(on_lock_again, next);
    return NULL;
}

static void
add_reset_jobs(Reset *reset, Task *task, Journal *journal)
{
    for (guint i = 0; i < reset->ids->len; i++) {
        Medium *medium = service_find_medium(reset->service, reset->ids->pdata[i]);
        g_autofree char *fresh = fresh_path(medium);
        journal_add_file(journal, fresh);
        g_unlink(fresh);
        task_add_job(task, "create-child", 1.0);
        task_add_file(task, fresh, TASK_CREATE);
        task_add_word(task, medium->record->format);
        task_add_word(task, medium->record->id);
        task_add_image(task, medium_parent(medium), TASK_READ);
    }
    task_add_call(task, commit_reset);
}

gboolean
machine_reset_images(Machine *machine, GDBusMethodInvocation *invocation,
                     void (*again)(Machine *machine, GDBusMethodInvocation *invocation))
{
    GError *error = NULL;
    if (machine->record == NULL || machine->busy || machine->images_are_reset) {
        machine->images_are_reset = FALSE;
        return FALSE;
    }
    GPtrArray *ids = images_to_reset(machine);
    if (ids->len == 0) {
        g_ptr_array_unref(ids);
        return FALSE;
    }
    Reset *reset = g_new0(Reset, 1);
    Task *task = task_new(machine->service, reset, reset_free);
    Journal *journal = journal_new(machine->service, machine->id);
    reset->service = machine->service;
    reset->machine_id = g_strdup(machine->id);
    reset->ids = ids;
    reset->invocation = invocation;
    reset->again = again;
    add_reset_jobs(reset, task, journal);
    if (task_hold(task, machine, "resetting an immutable disk", &error) &&
        journal_write(journal, &error)) {
        task_set_journal(task, journal);
        task_start(task, on_reset);
        return TRUE;
    }
    journal_drop(journal);
    task_abandon(task);
    return service_fail(invocation, error);
}
