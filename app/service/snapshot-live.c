/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Taking a snapshot of a machine that runs or is paused. Manual, chapter "Snapshots".
 *
 * Differencing images are made first. One save of the settings puts them on top of the machine's
 * disks, where they are empty: nothing has changed yet for the guest. The VM process saves its
 * state while the guest runs, and in the moment that is saved it begins to write to the new images.
 * A second save of the settings makes what was before the snapshot's. When something fails before
 * the disks were switched, the images go again; after that they are merged with what they stand
 * on, as those of a deleted snapshot are. */
#include <errno.h>
#include <fcntl.h>
#include <gio/gunixfdlist.h>
#include <glib/gstdio.h>
#include <unistd.h>

#include "app/service/machine-state.h"
#include "app/service/medium.h"
#include "app/service/settings/file-error.h"
#include "app/service/snapshot-take.h"

typedef struct {
    Service *service;
    char *machine_id;
    Task *task;
    SnapshotRecord *snapshot;
    GPtrArray *children; /* MediumRecord, as the disks are switched */
    GPtrArray *places;   /* const VitrineAttachment copy of each */
    GStatBuf *before;    /* of each child's file, when the VM process got it */
    char *unfinished;
    int file;
    gboolean attached; /* the settings have the children */
    guint switched;    /* so many children take what the guest writes */
} Live;

static void
live_free(gpointer data)
{
    Live *live = data;
    if (live->file >= 0)
        close(live->file);
    if (live->unfinished)
        g_unlink(live->unfinished);
    g_free(live->unfinished);
    g_free(live->before);
    g_free(live->machine_id);
    snapshot_record_free(live->snapshot);
    g_ptr_array_unref(live->children);
    g_ptr_array_unref(live->places);
    g_free(live);
}

/* NULL: it is gone, or cannot be read. */
static Machine *
machine_of(const Live *live)
{
    Machine *machine = service_find_machine(live->service, live->machine_id);
    return machine && machine->record ? machine : NULL;
}

/* Puts parents back in the place of the children from `first` on. */
static void
detach(const Live *live, VitrineSettings *settings, guint first)
{
    GPtrArray *attachments = vitrine_settings_get_attachments(settings);
    for (guint i = 0; i < attachments->len; i++) {
        VitrineAttachment *a = attachments->pdata[i];
        for (guint k = first; k < live->children->len; k++) {
            const MediumRecord *child = live->children->pdata[k];
            if (!g_str_equal(a->medium, child->id))
                continue;
            g_free(a->medium);
            a->medium = g_strdup(child->parent);
            break;
        }
    }
}

/* --- before the state is saved --- */

static void
find_places(Live *live, VitrineSettings *settings)
{
    GPtrArray *attachments = vitrine_settings_get_attachments(settings);
    for (guint k = 0; k < live->children->len; k++) {
        const MediumRecord *child = live->children->pdata[k];
        for (guint i = 0; i < attachments->len; i++) {
            const VitrineAttachment *a = attachments->pdata[i];
            if (g_str_equal(a->medium, child->parent)) {
                g_ptr_array_add(live->places, vitrine_attachment_copy(a));
                break;
            }
        }
    }
}

static gboolean
attach(gpointer data, GError **error)
{
    Live *live = data;
    Machine *machine = machine_of(live);
    if (machine == NULL) {
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_NOT_FOUND, "The machine is gone.");
        return FALSE;
    }
    if (!children_register(live->children, machine, error))
        return FALSE;
    find_places(live, machine->record->settings);
    children_attach(live->children, machine->record->settings);
    live->attached = machine_commit_snapshots(machine, error);
    if (!live->attached)
        children_unregister(live->children, live->service);
    return live->attached;
}

static gboolean
add_disk(Live *live, guint index, GVariantBuilder *disks, GUnixFDList *fds, GError **error)
{
    const MediumRecord *child = live->children->pdata[index];
    const VitrineAttachment *a = live->places->pdata[index];
    int fd = open(child->location, O_RDWR | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0 || g_stat(child->location, &live->before[index]) < 0) {
        file_error_set(error, errno, "The medium \"%s\" cannot be opened", child->location);
        if (fd >= 0)
            close(fd);
        return FALSE;
    }
    int number = service_lock_image(fd, TRUE, child->location, error)
                     ? g_unix_fd_list_append(fds, fd, error)
                     : -1;
    close(fd);
    if (number < 0)
        return FALSE;
    g_variant_builder_add(disks, "(suusssib)", a->controller, a->port, a->device, child->id,
                          child->location, child->format, number, FALSE);
    return TRUE;
}

/* --- the state --- */

/* A VM process that ended without an answer has switched those that were written to. */
static void
count_switched(Live *live)
{
    live->switched = 0;
    for (guint i = 0; i < live->children->len; i++) {
        const MediumRecord *child = live->children->pdata[i];
        GStatBuf now;
        if (g_stat(child->location, &now) == 0 &&
            (now.st_size != live->before[i].st_size ||
             now.st_mtim.tv_sec != live->before[i].st_mtim.tv_sec ||
             now.st_mtim.tv_nsec != live->before[i].st_mtim.tv_nsec))
            live->switched = i + 1;
    }
}

static void
on_saved(Service *service, const char *machine_id, guint switched, guint64 pause_ns, GError *error,
         gpointer user_data)
{
    Live *live = user_data;
    Machine *machine = machine_of(live);
    live->switched = switched;
    if (error && (machine == NULL || machine->vm == NULL))
        count_switched(live);
    task_continue(live->task, error);
}

static gboolean
save(gpointer data, GError **error)
{
    Live *live = data;
    Machine *machine = machine_of(live);
    g_autoptr(GUnixFDList) fds = g_unix_fd_list_new();
    g_auto(GVariantBuilder) disks = G_VARIANT_BUILDER_INIT(G_VARIANT_TYPE("a(suusssib)"));
    live->before = g_new0(GStatBuf, live->children->len + 1);
    for (guint i = 0; i < live->children->len; i++) {
        if (!add_disk(live, i, &disks, fds, error))
            return FALSE;
    }
    live->file = open(live->unfinished, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (live->file < 0) {
        file_error_set(error, errno, "The saved state \"%s\" cannot be made", live->unfinished);
        return FALSE;
    }
    const MachineSave request = {.file = live->file,
                                 .live = TRUE,
                                 .disks = g_variant_builder_end(&disks),
                                 .fds = fds,
                                 .progress = task_progress(live->task),
                                 .done = on_saved,
                                 .user_data = live};
    return machine_save_begin(machine, &request, error);
}

static void
cancel_save(gpointer data)
{
    Machine *machine = machine_of(data);
    if (machine)
        machine_save_cancel(machine);
}

/* --- afterwards --- */

static gboolean
commit(gpointer data, GError **error)
{
    Live *live = data;
    Machine *machine = machine_of(live);
    if (machine == NULL || g_rename(live->unfinished, live->snapshot->state_file) < 0) {
        file_error_set(error, machine ? errno : ENOENT, "The saved state \"%s\" cannot be kept",
                       live->snapshot->state_file);
        return FALSE;
    }
    g_clear_pointer(&live->unfinished, g_free);
    settings_sync_folder(live->snapshot->state_file);
    MachineRecord *record = machine->record;
    /* The snapshot gets what the document says: the disks as they were. */
    detach(live, record->settings, 0);
    machine_file_write(machine->file, record);
    gboolean added = snapshot_file_add(machine->file, live->snapshot, error);
    children_attach(live->children, record->settings);
    if (!added)
        return FALSE;
    children_move_auto_reset(live->children, live->service, FALSE);
    g_free(record->current_snapshot);
    record->current_snapshot = g_strdup(live->snapshot->id);
    record->current_state_modified = FALSE;
    return machine_commit_snapshots(machine, error);
}

/* What was not switched is as if it had never been. */
static void
take_back(Live *live)
{
    Machine *machine = machine_of(live);
    g_autoptr(GError) error = NULL;
    if (machine == NULL || !live->attached || live->switched == live->children->len)
        return;
    detach(live, machine->record->settings, live->switched);
    if (machine_commit_snapshots(machine, &error)) {
        g_ptr_array_remove_range(live->children, 0, live->switched);
        children_unregister(live->children, live->service);
        if (machine_save(machine, &error))
            return;
    }
    g_warning("The settings of \"%s\" were not saved: %s", machine_name(machine), error->message);
}

static char *
on_done(gpointer data, GError *error)
{
    Live *live = data;
    if (error == NULL)
        return g_strdup(live->snapshot->id);
    take_back(live);
    return NULL;
}

static Task *
plan(Machine *machine, const char *name, const char *description, GError **error)
{
    Live *live = g_new0(Live, 1);
    Task *task = task_new(machine->service, live, live_free);
    Journal *journal = journal_new(machine->service, machine->id);
    live->service = machine->service;
    live->machine_id = g_strdup(machine->id);
    live->task = task;
    live->file = -1;
    live->snapshot = snapshot_record_new(machine->record->current_snapshot, name, description);
    live->children = children_new();
    live->places = g_ptr_array_new_with_free_func((GDestroyNotify)vitrine_attachment_free);
    g_free(live->snapshot->state_file);
    live->snapshot->state_file = machine_new_state_path(machine, error);
    children_plan(machine, machine->record->settings, live->children);
    children_add_jobs(live->children, machine->service, task, journal, TASK_LOOK);
    task_add_call(task, attach);
    task_add_wait(task, save, cancel_save);
    task_add_call(task, commit);
    if (live->snapshot->state_file) {
        live->unfinished = g_strconcat(live->snapshot->state_file, ".tmp", NULL);
        journal_add_file(journal, live->snapshot->state_file);
        journal_add_file(journal, live->unfinished);
    }
    for (guint i = 0; i < live->children->len; i++)
        journal_add_merge(journal, ((const MediumRecord *)live->children->pdata[i])->parent);
    if (live->snapshot->state_file && snapshot_check_room(machine, live->snapshot, error) &&
        task_hold(task, machine, "taking a snapshot", error) && journal_write(journal, error)) {
        task_set_journal(task, journal);
        return task;
    }
    journal_drop(journal);
    task_abandon(task);
    return NULL;
}

Task *
snapshot_take_live(Machine *machine, const char *name, const char *description, GError **error)
{
    Task *task =
        machine_save_possible(machine, error) ? plan(machine, name, description, error) : NULL;
    if (task)
        task_start(task, on_done);
    return task;
}
