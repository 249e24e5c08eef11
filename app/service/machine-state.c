/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A machine's saved state: save, continue from, discard, adopt. Manual, chapter "Starter",
 * "Saving the state of a machine".
 *
 * A state is written to a file beside its place, synced and renamed; it is the machine's when the
 * settings name it, and no longer when they do not: before the guest runs again, since its disks
 * change then. A journal has the files that come and go. A process that is killed at any point
 * leaves one or the other. */
#include "app/service/machine-state.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gunixfdlist.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/service/settings/file-error.h"

#define ENDING ".sav"

VitrineMachineState
machine_resting_state(const Machine *machine, VitrineMachineState state)
{
    gboolean saved = machine->record && *machine->record->state_file;
    if (!saved)
        return state == VITRINE_MACHINE_STATE_SAVED           ? VITRINE_MACHINE_STATE_POWERED_OFF
               : state == VITRINE_MACHINE_STATE_ABORTED_SAVED ? VITRINE_MACHINE_STATE_ABORTED
                                                              : state;
    /* Saved whole before it ended: how it ended does not matter any more. */
    return state == VITRINE_MACHINE_STATE_POWERED_OFF ||
                   machine->state == VITRINE_MACHINE_STATE_SAVING
               ? VITRINE_MACHINE_STATE_SAVED
           : state == VITRINE_MACHINE_STATE_ABORTED ? VITRINE_MACHINE_STATE_ABORTED_SAVED
                                                    : state;
}

/* --- files --- */

char *
machine_new_state_path(Machine *machine, GError **error)
{
    g_autofree char *folder = machine_snapshot_folder(machine);
    gint64 now = g_get_real_time();
    g_autoptr(GDateTime) date = g_date_time_new_from_unix_utc(now / G_USEC_PER_SEC);
    g_autofree char *time = g_date_time_format(date, "%Y-%m-%dT%H-%M-%S");
    if (settings_make_folder(folder) < 0) {
        file_error_set(error, errno, "The folder \"%s\" cannot be made", folder);
        return NULL;
    }
    return g_strdup_printf("%s/%s-%09dZ" ENDING, folder, time, (int)(now % G_USEC_PER_SEC) * 1000);
}

/* Where such files of ours are. One that was adopted from elsewhere stays its owner's. */
static gboolean
is_our_file(const Machine *machine, const char *path)
{
    g_autofree char *snapshots = machine_snapshot_folder(machine);
    g_autofree char *folder = g_path_get_dirname(path);
    return g_str_equal(folder, snapshots);
}

/* path "": none. FALSE: it cannot be written down, and nothing has changed. */
static gboolean
set_state_file(Machine *machine, const char *path, GError **error)
{
    char *old = machine->record->state_file;
    machine->record->state_file = g_strdup(path);
    if (machine_save(machine, error)) {
        g_free(old);
        return TRUE;
    }
    g_free(machine->record->state_file);
    machine->record->state_file = old;
    return FALSE;
}

/* --- save --- */

typedef struct {
    Progress *progress;
    char *path, *unfinished;
    Journal *journal; /* of these two */
    int file;
    Service *service;
    char *machine_id;
} Saving;

/* Takes error. */
static void
finish(Saving *saving, GError *error)
{
    if (saving->file >= 0)
        close(saving->file);
    journal_settle(saving->journal);
    if (saving->progress)
        progress_finish(saving->progress, "", error);
    else
        g_clear_error(&error);
    g_free(saving->path);
    g_free(saving->unfinished);
    g_free(saving->machine_id);
    g_free(saving);
}

/* The file becomes the machine's. */
static gboolean
commit(Machine *machine, const Saving *saving, GError **error)
{
    if (g_rename(saving->unfinished, saving->path) < 0) {
        file_error_set(error, errno, "The saved state \"%s\" cannot be kept", saving->path);
        return FALSE;
    }
    settings_sync_folder(saving->path);
    return set_state_file(machine, saving->path, error);
}

static void
on_written(Service *service, const char *machine_id, guint switched, guint64 pause_ns,
           GError *error, gpointer user_data)
{
    Saving *saving = user_data;
    Machine *machine = service_find_machine(service, machine_id);
    gboolean written = error == NULL;
    if (written && (machine == NULL || machine->record == NULL))
        g_set_error(&error, VITRINE_ERROR, VITRINE_ERROR_NOT_FOUND, "The machine is gone.");
    gboolean done = error == NULL && commit(machine, saving, &error);
    if (written && machine)
        machine_save_end(machine, done);
    if (!done) {
        finish(saving, error);
        return;
    }
    machine->saved = saving; /* until its process has gone */
    if (machine->vm == NULL)
        machine_state_released(machine);
}

void
machine_state_released(Machine *machine)
{
    Saving *saving = g_steal_pointer(&machine->saved);
    if (saving)
        finish(saving, NULL);
}

static void
on_cancel(gpointer user_data)
{
    const Saving *saving = user_data;
    Machine *machine = service_find_machine(saving->service, saving->machine_id);
    if (machine)
        machine_save_cancel(machine);
}

static gboolean
write_journal(Machine *machine, Saving *saving, GError **error)
{
    saving->journal = journal_new(machine->service, machine->id);
    journal_add_file(saving->journal, saving->path);
    journal_add_file(saving->journal, saving->unfinished);
    return journal_write(saving->journal, error);
}

static gboolean
start_save(Machine *machine, Saving *saving, GError **error)
{
    saving->path = machine_new_state_path(machine, error);
    if (saving->path == NULL)
        return FALSE;
    saving->unfinished = g_strconcat(saving->path, ".tmp", NULL);
    if (!write_journal(machine, saving, error))
        return FALSE;
    saving->file = open(saving->unfinished, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (saving->file < 0) {
        file_error_set(error, errno, "The saved state \"%s\" cannot be made", saving->path);
        return FALSE;
    }
    g_autofree char *what = g_strdup_printf("Saving the state of \"%s\"", machine_name(machine));
    saving->progress = progress_start(machine->service, what, on_cancel, saving);
    const MachineSave save = {.file = saving->file,
                              .progress = saving->progress,
                              .done = on_written,
                              .user_data = saving};
    return machine_save_begin(machine, &save, error);
}

static gboolean
on_save_state(VitrineDBusMachine *skeleton, GDBusMethodInvocation *invocation, Machine *machine)
{
    GError *error = NULL;
    if (!machine_allow_change(machine, invocation))
        return TRUE;
    if (!machine_save_possible(machine, &error))
        return service_fail(invocation, error);
    Saving *saving = g_new0(Saving, 1);
    saving->file = -1;
    saving->service = machine->service;
    saving->machine_id = g_strdup(machine->id);
    if (start_save(machine, saving, &error)) {
        vitrine_dbus_machine_complete_save_state(skeleton, invocation,
                                                 progress_path(saving->progress));
        return TRUE;
    }
    service_fail(invocation, g_error_copy(error));
    finish(saving, error);
    return TRUE;
}

/* --- continue --- */

static gboolean
is_holder(Machine *machine, GDBusMethodInvocation *invocation)
{
    if (machine->vm == g_dbus_method_invocation_get_connection(invocation))
        return TRUE;
    service_refuse(invocation, VITRINE_ERROR_DENIED, "This process does not have the machine.");
    return FALSE;
}

static gboolean
on_open_state(VitrineDBusMachine *skeleton, GDBusMethodInvocation *invocation, GUnixFDList *in,
              Machine *machine)
{
    g_autoptr(GUnixFDList) fds = g_unix_fd_list_new();
    const char *path = machine->record ? machine->record->state_file : "";
    GVariantBuilder builder;
    GError *error = NULL;
    int fd = -1;
    if (!is_holder(machine, invocation))
        return TRUE;
    if (*path && (fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)) < 0) {
        file_error_set(&error, errno,
                       "The saved state \"%s\" cannot be opened. Discard it to start anew", path);
        return service_fail(invocation, error);
    }
    g_variant_builder_init(&builder, G_VARIANT_TYPE("ah"));
    if (fd >= 0) {
        g_variant_builder_add(&builder, "h", g_unix_fd_list_append(fds, fd, NULL));
        close(fd);
    }
    vitrine_dbus_machine_complete_open_state(skeleton, invocation, fds,
                                             g_variant_builder_end(&builder));
    return TRUE;
}

/* Without the state from now on. FALSE: nothing has changed. */
static gboolean
forget_state(Machine *machine, GError **error)
{
    Journal *journal = NULL;
    gboolean aborted = machine->record->aborted;
    if (is_our_file(machine, machine->record->state_file)) {
        journal = journal_new(machine->service, machine->id);
        journal_add_file(journal, machine->record->state_file);
    }
    machine->record->aborted = FALSE;
    gboolean done =
        (journal == NULL || journal_write(journal, error)) && set_state_file(machine, "", error);
    if (!done)
        machine->record->aborted = aborted;
    journal_settle(journal);
    return done;
}

static gboolean
on_state_loaded(VitrineDBusMachine *skeleton, GDBusMethodInvocation *invocation, Machine *machine)
{
    GError *error = NULL;
    if (!is_holder(machine, invocation))
        return TRUE;
    if (machine->record == NULL)
        return service_refuse(invocation, VITRINE_ERROR_STATE, "%s", machine->access_error);
    if (!machine_restore_go_on(machine, &error) || !forget_state(machine, &error))
        return service_fail(invocation, error);
    machine_restore_end(machine, NULL);
    vitrine_dbus_machine_complete_state_loaded(skeleton, invocation);
    return TRUE;
}

/* --- discard, adopt --- */

static gboolean
is_saved(const Machine *machine)
{
    return machine->state == VITRINE_MACHINE_STATE_SAVED ||
           machine->state == VITRINE_MACHINE_STATE_ABORTED_SAVED;
}

static gboolean
on_discard_state(VitrineDBusMachine *skeleton, GDBusMethodInvocation *invocation, Machine *machine)
{
    GError *error = NULL;
    if (!machine_allow_change(machine, invocation))
        return TRUE;
    if (!is_saved(machine))
        return service_refuse(invocation, VITRINE_ERROR_STATE,
                              "The machine \"%s\" has no saved state.", machine_name(machine));
    if (!forget_state(machine, &error))
        return service_fail(invocation, error);
    machine_set_state(machine, VITRINE_MACHINE_STATE_POWERED_OFF);
    machine_find_ejected(machine);
    machine_find_leftovers(machine);
    vitrine_dbus_machine_complete_discard_state(skeleton, invocation);
    return TRUE;
}

static gboolean
check_file(const char *path, GError **error)
{
    struct stat status;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) {
        file_error_set(error, errno, "The file \"%s\" cannot be opened", path);
        return FALSE;
    }
    gboolean regular = fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
    close(fd);
    if (!regular)
        g_set_error(error, VITRINE_ERROR, VITRINE_ERROR_INVALID, "\"%s\" is no saved state.", path);
    return regular;
}

static gboolean
on_adopt_state(VitrineDBusMachine *skeleton, GDBusMethodInvocation *invocation, const char *path,
               Machine *machine)
{
    GError *error = NULL;
    if (!machine_allow_change(machine, invocation))
        return TRUE;
    if (machine->state != VITRINE_MACHINE_STATE_POWERED_OFF &&
        machine->state != VITRINE_MACHINE_STATE_ABORTED)
        return service_refuse(invocation, VITRINE_ERROR_STATE,
                              "Only a machine that is off can adopt a saved state.");
    if (!g_path_is_absolute(path))
        return service_refuse(invocation, VITRINE_ERROR_INVALID, "\"%s\" is no absolute path.",
                              path);
    if (!check_file(path, &error) || !set_state_file(machine, path, &error))
        return service_fail(invocation, error);
    machine_set_state(machine, VITRINE_MACHINE_STATE_SAVED);
    machine_find_ejected(machine);
    machine_find_leftovers(machine);
    vitrine_dbus_machine_complete_adopt_state(skeleton, invocation);
    return TRUE;
}

void
machine_connect_state(Machine *machine)
{
    static const struct {
        const char *signal;
        GCallback handler;
    } handlers[] = {
        {"handle-save-state", G_CALLBACK(on_save_state)},
        {"handle-open-state", G_CALLBACK(on_open_state)},
        {"handle-state-loaded", G_CALLBACK(on_state_loaded)},
        {"handle-discard-state", G_CALLBACK(on_discard_state)},
        {"handle-adopt-state", G_CALLBACK(on_adopt_state)},
    };
    for (guint i = 0; i < G_N_ELEMENTS(handlers); i++)
        g_signal_connect(machine->skeleton, handlers[i].signal, handlers[i].handler, machine);
    machine_connect_save(machine);
    machine_connect_leftovers(machine);
}
