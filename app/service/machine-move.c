/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Moving a machine's folder, with all that is in it, into another folder. Manual, chapter "Moving
 * virtual machines". Within a file system one rename does it; the journal says where the settings
 * file may be until the registry says so too. To another file system the files are copied, then the
 * registry names the copy, then the old ones are deleted. */
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "app/service/machine.h"
#include "app/service/medium.h"
#include "app/service/settings/file-error.h"

#define MAX_FILES 4096

typedef struct {
    char *from, *to;
    guint64 bytes;
} MovedFile;

typedef struct {
    Service *service;
    char *machine_id;
    char *from, *to; /* folders */
    char *old_settings, *new_settings;
    GArray *files;    /* MovedFile, when they are copied */
    gboolean arrived; /* the registry names the new place */
    Task *task;
} Move;

static void
clear_file(gpointer data)
{
    MovedFile *file = data;
    g_free(file->from);
    g_free(file->to);
}

static void
move_free(gpointer data)
{
    Move *move = data;
    g_free(move->machine_id);
    g_free(move->from);
    g_free(move->to);
    g_free(move->old_settings);
    g_free(move->new_settings);
    g_array_unref(move->files);
    g_free(move);
}

/* Machines whose files name something that moved, such as the base of a linked clone. */
static gboolean
save_others(Machine *machine, GError **error)
{
    for (guint i = 0; i < machine->service->machines->len; i++) {
        Machine *other = machine->service->machines->pdata[i];
        g_autoptr(GPtrArray) listed = media_of_registry(machine->service, other);
        for (guint k = 0; other != machine && other->record && k < listed->len; k++) {
            const MediumRecord *record = listed->pdata[k];
            const Medium *medium = service_find_medium(machine->service, record->id);
            if (!g_ptr_array_find(medium->registries, machine, NULL))
                continue;
            if (!machine_save(other, error))
                return FALSE;
            break;
        }
    }
    return TRUE;
}

/* The registry learns the new place. */
static gboolean
arrive(Move *move, Machine *machine, GError **error)
{
    machine_tell_paths(machine, move->from, move->to, move->new_settings);
    if (machine_save(machine, error) && service_save(machine->service, error)) {
        move->arrived = TRUE;
        machine_publish(machine);
        media_publish_all(machine->service);
        return save_others(machine, error);
    }
    machine_tell_paths(machine, move->to, move->from, move->old_settings);
    return FALSE;
}

static gboolean
commit_rename(gpointer data, GError **error)
{
    Move *move = data;
    Machine *machine = service_find_machine(move->service, move->machine_id);
    g_autofree char *parent = g_path_get_dirname(move->to);
    if (g_rename(move->from, move->to) < 0) {
        file_error_set(error, errno, "\"%s\" cannot be moved to \"%s\"", move->from, move->to);
        return FALSE;
    }
    settings_sync_folder(move->to);
    settings_sync_folder(move->from);
    if (arrive(move, machine, error))
        return TRUE;
    if (!move->arrived)
        g_rename(move->to, move->from);
    return FALSE;
}

static gboolean
commit_copies(gpointer data, GError **error)
{
    Move *move = data;
    Machine *machine = service_find_machine(move->service, move->machine_id);
    for (guint i = 0; i < move->files->len; i++) {
        const MovedFile *file = &g_array_index(move->files, MovedFile, i);
        if (!task_end_copy(file->to, file->bytes, error))
            return FALSE;
    }
    if (!arrive(move, machine, error) && !move->arrived)
        return FALSE;
    task_drop_journal(move->task); /* logs stay too, which no settings file names */
    for (guint i = 0; i < move->files->len; i++)
        g_unlink(g_array_index(move->files, MovedFile, i).from);
    return *error == NULL;
}

/* What was copied for nothing goes, and folders that are empty on either side. */
static void
remove_folders(const char *folder)
{
    g_autofree char *snapshots = g_build_filename(folder, "Snapshots", NULL);
    g_autofree char *logs = g_build_filename(folder, "Logs", NULL);
    g_rmdir(snapshots);
    g_rmdir(logs);
    g_rmdir(folder);
}

static char *
on_done(gpointer data, GError *error)
{
    const Move *move = data;
    for (guint i = 0; !move->arrived && i < move->files->len; i++)
        g_unlink(g_array_index(move->files, MovedFile, i).to);
    if (move->files->len)
        remove_folders(move->arrived ? move->from : move->to);
    return error ? NULL : g_strdup(move->machine_id);
}

/* Regular files below the folder, with what they are to be called. Links and devices stay. */
static gboolean
list_files(Move *move, const char *from, const char *to, GError **error)
{
    g_autoptr(GDir) dir = g_dir_open(from, 0, NULL);
    const char *name;
    while (dir && (name = g_dir_read_name(dir))) {
        g_autofree char *source = g_build_filename(from, name, NULL);
        g_autofree char *target = g_build_filename(to, name, NULL);
        GStatBuf status;
        if (g_lstat(source, &status) < 0)
            continue;
        if (S_ISDIR(status.st_mode) && !list_files(move, source, target, error))
            return FALSE;
        if (!S_ISREG(status.st_mode))
            continue;
        if (move->files->len == MAX_FILES) {
            g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_NOT_SUPPORTED,
                        "\"%s\" holds too many files that are not the machine's.", move->from);
            return FALSE;
        }
        MovedFile file = {g_steal_pointer(&source), g_steal_pointer(&target),
                          (guint64)status.st_size};
        g_array_append_val(move->files, file);
    }
    return TRUE;
}

/* Small files are copied at once, empty ones too, which are no disks. */
static gboolean
copy_small(const MovedFile *file, GError **error)
{
    g_autofree char *content = NULL;
    g_autofree char *folder = g_path_get_dirname(file->to);
    gsize length;
    g_autoptr(GError) cause = NULL;
    if (settings_make_folder(folder) == 0 &&
        g_file_get_contents(file->from, &content, &length, &cause))
        return settings_replace_file(file->to, content, length, error);
    g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_IO, "\"%s\" cannot be copied: %s.", file->from,
                cause ? cause->message : g_strerror(errno));
    return FALSE;
}

static gboolean
plan_copies(Move *move, Journal *journal, GError **error)
{
    const guint64 small = 1024 * 1024;
    if (!list_files(move, move->from, move->to, error))
        return FALSE;
    for (guint i = 0; i < move->files->len; i++)
        journal_add_file(journal, g_array_index(move->files, MovedFile, i).to);
    if (!journal_write(journal, error))
        return FALSE;
    for (guint i = 0; i < move->files->len; i++) {
        const MovedFile *file = &g_array_index(move->files, MovedFile, i);
        if (file->bytes >= small)
            task_add_copy(move->task, file->from, file->to, file->bytes);
        else if (!copy_small(file, error))
            return FALSE;
    }
    task_add_call(move->task, commit_copies);
    return TRUE;
}

static gboolean
same_file_system(const char *a, const char *b)
{
    GStatBuf x, y;
    return g_stat(a, &x) == 0 && g_stat(b, &y) == 0 && x.st_dev == y.st_dev;
}

static gboolean
plan_steps(Move *move, const char *target, Journal *journal, GError **error)
{
    if (!same_file_system(move->from, target))
        return plan_copies(move, journal, error);
    journal_add_place(journal, move->old_settings);
    journal_add_place(journal, move->new_settings);
    if (!journal_write(journal, error))
        return FALSE;
    task_add_call(move->task, commit_rename);
    return TRUE;
}

static Move *
new_move(Machine *machine, const char *folder)
{
    Move *move = g_new0(Move, 1);
    g_autofree char *from = machine_folder(machine);
    g_autofree char *name = g_path_get_basename(from);
    g_autofree char *file = g_path_get_basename(machine->settings_file);
    move->service = machine->service;
    move->machine_id = g_strdup(machine->id);
    move->to = g_build_filename(folder, name, NULL);
    move->from = g_steal_pointer(&from);
    move->old_settings = g_strdup(machine->settings_file);
    move->new_settings = g_build_filename(move->to, file, NULL);
    move->files = g_array_new(FALSE, FALSE, sizeof(MovedFile));
    g_array_set_clear_func(move->files, clear_file);
    return move;
}

static gboolean
check(Machine *machine, const Move *move, const char *folder, GError **error)
{
    gsize length = strlen(move->from);
    gboolean inside =
        g_str_has_prefix(folder, move->from) && (folder[length] == '/' || folder[length] == '\0');
    if (machine_is_online(machine))
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_STATE,
                    "The machine \"%s\" is running: power it off first.", machine_name(machine));
    else if (!g_path_is_absolute(folder) || inside)
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_INVALID,
                    "The machine cannot be moved to \"%s\".", folder);
    else if (g_file_test(move->to, G_FILE_TEST_EXISTS))
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_EXISTS, "\"%s\" exists already.", move->to);
    else if (settings_make_folder(folder) < 0)
        file_error_set(error, errno, "The folder \"%s\" cannot be made", folder);
    return *error == NULL;
}

static Task *
plan(Machine *machine, const char *folder, GError **error)
{
    Move *move = new_move(machine, folder);
    if (!check(machine, move, folder, error)) {
        move_free(move);
        return NULL;
    }
    Journal *journal = journal_new(machine->service, machine->id);
    move->task = task_new(machine->service, move, move_free);
    if (task_hold(move->task, machine, "being moved", error) &&
        plan_steps(move, folder, journal, error)) {
        task_set_journal(move->task, journal);
        return move->task;
    }
    journal_settle(journal);
    task_abandon(move->task);
    return NULL;
}

static void
move_now(Machine *machine, GDBusMethodInvocation *invocation)
{
    GError *error = NULL;
    const char *folder;
    if (machine_defer(machine, move_now, invocation))
        return;
    g_variant_get(g_dbus_method_invocation_get_parameters(invocation), "(&s)", &folder);
    Task *task = plan(machine, folder, &error);
    if (task == NULL) {
        service_fail(invocation, error);
        return;
    }
    g_autofree char *what = g_strdup_printf("Moving the machine \"%s\"", machine_name(machine));
    task_show(task, what, TRUE);
    vitrine_dbus_machine_complete_move(machine->skeleton, invocation, task_progress_path(task));
    task_start(task, on_done);
}

static gboolean
on_move(VitrineDBusMachine *skeleton, GDBusMethodInvocation *invocation, const char *folder,
        Machine *machine)
{
    if (machine_allow_change(machine, invocation))
        move_now(machine, invocation);
    return TRUE;
}

void
machine_connect_move(Machine *machine)
{
    g_signal_connect(machine->skeleton, "handle-move", G_CALLBACK(on_move), machine);
}
