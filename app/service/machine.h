/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A registered machine inside the service: its file, its state, and the process that runs it. */
#pragma once

#include <gio/gunixfdlist.h>

#include "app/service/journal.h"
#include "app/service/service.h"
#include "app/service/settings/snapshot-file.h"

struct Machine {
    Service *service;
    char *id;
    char *settings_file;
    char *object_path;
    VitrineDBusMachine *skeleton;
    SettingsFile *file;    /* NULL while inaccessible */
    MachineRecord *record; /* NULL while inaccessible */
    char *access_error;
    VitrineMachineState state;
    guint generation;
    GPtrArray *snapshots;       /* SnapshotRecord, parents before children */
    GHashTable *snapshot_media; /* see snapshot_file_media() */
    guint snapshots_generation;
    char *busy;                /* what a task does with the machine, or NULL */
    gboolean left_busy;        /* its process went while a task worked on it */
    gboolean images_are_reset; /* by the call that takes the machine now */

    /* the session; see machine-session.c */
    GDBusConnection *vm; /* of the VM process; NULL when no process has the machine */
    gulong vm_closed;
    char *session_type;
    guint vm_pid;
    GPid child; /* spawned by us and not reaped yet */
    guint child_source;
    int child_errors;    /* an unlinked file with what the child wrote to stderr, or -1 */
    guint orphan_source; /* a VM process that is to come back after the service was replaced */
    GPtrArray *launches; /* GDBusMethodInvocation: who waits for the start */
    GError *start_error;
    gboolean start_failed; /* its process said so and is on its way out */
    guint leave_source;    /* ends a process that does not leave although calls wait for it */
    GQueue deferred;       /* calls that wait until the last process is gone; see machine_defer() */
    struct MachineSaving *saving; /* what the VM process was asked to save; see machine-save.c */
    struct MachineRestoring *restoring; /* a state that is being loaded; see machine-restore.c */
    struct MachineMerging *merging;     /* images of a disk; see machine-merge.c */
    char *restore_when_off; /* snapshot to be restored when it is powered off, or NULL */
    gpointer saved;         /* a save that is done when the process has gone; machine-state.c */
};

/* Reads the file; a machine that cannot be read is there too, and says why. */
Machine *machine_new(Service *service, const char *id, const char *settings_file);
void machine_free(Machine *machine);
void machine_load(Machine *machine);
/* Brings the D-Bus properties up to date and sends changes before anything else. */
void machine_publish(Machine *machine);
gboolean machine_is_online(const Machine *machine);
const char *machine_name(const Machine *machine);
char *machine_folder(const Machine *machine);
char *machine_log_folder(const Machine *machine);
char *machine_snapshot_folder(const Machine *machine);

/* Changes state, remembers when, and writes that down where the file says such things. */
void machine_set_state(Machine *machine, VitrineMachineState state);
/* Writes settings and the machine's part of the media registry. */
gboolean machine_save(Machine *machine, GError **error);
/* FALSE, and the call is answered, when the settings cannot be changed. */
gboolean machine_allow_change(Machine *machine, GDBusMethodInvocation *invocation);
gboolean machine_uses_medium(const Machine *machine, const char *medium);
/* Only the present settings, not those of snapshots. */
gboolean machine_has_attached(const Machine *machine, const char *medium);
/* Says what the machine is busy with, as VITRINE_ERROR_BUSY. */
void machine_set_busy_error(const Machine *machine, GError **error);
/* Something differs from the current snapshot now; to be saved with the change itself. */
void machine_set_modified(Machine *machine);
/* Settings, logs, snapshots, then the folder if nothing else is in it. */
void machine_delete_files(Machine *machine);

/* machine-snapshots.c: what snapshots there are. The calls that change them are in
 * snapshot-take.c, snapshot-restore.c and snapshot-delete.c. */
void machine_connect_snapshots(Machine *machine);
/* Reads them from the document again. */
void machine_read_snapshots(Machine *machine);
void machine_publish_snapshots(Machine *machine);
SnapshotRecord *machine_find_snapshot(const Machine *machine, const char *id);
/* Whether the machine or one of its snapshots continues from this file. */
gboolean machine_names_state_file(const Machine *machine, const char *path);
/* After the document was changed: FALSE when it cannot be written, and all is as it was. */
gboolean machine_commit_snapshots(Machine *machine, GError **error);
void machine_connect_snapshot_take(Machine *machine);
void machine_connect_snapshot_restore(Machine *machine);
/* The machine's process has gone: begins with what was wished for then. */
void machine_restore_when_off(Machine *machine);
void machine_connect_snapshot_delete(Machine *machine);
/* machine-clone.c, machine-move.c */
void machine_connect_clone(Machine *machine);
void machine_connect_move(Machine *machine);
/* machine-attach.c: FALSE when every disk can be attached as it is. Else the call is answered when
 * the differencing images are there and commit, which takes the settings, has saved them. Takes
 * after when TRUE. */
typedef gboolean (*MachineCommit)(Machine *machine, VitrineSettings *after, GError **error);
gboolean machine_attach_indirectly(Machine *machine, VitrineSettings *after,
                                   GDBusMethodInvocation *invocation, MachineCommit commit);
/* machine-media.c: the images of a drive with this content, a(sssiba(si)) with descriptors in fds;
 * of a host drive the drive. NULL with error. */
GVariant *machine_open_images(Machine *machine, const VitrineAttachment *attachment,
                              GUnixFDList *fds, GError **error);
/* machine-plug.c: whether settings of a running machine differ in their drives; then the drive
 * comes or goes, commit is called, and the invocation is answered. Takes after in this case. */
gboolean machine_plug_drive(Machine *machine, VitrineSettings *after,
                            GDBusMethodInvocation *invocation, MachineCommit commit);
/* machine-network.c: the same for network cards: where their cables lead, and what may be seen and
 * reached there. */
gboolean machine_change_network(Machine *machine, VitrineSettings *after,
                                GDBusMethodInvocation *invocation, MachineCommit commit);
/* FALSE when no image must start empty. Else again() runs with the call once they are, or the call
 * is answered with an error. */
gboolean machine_reset_images(Machine *machine, GDBusMethodInvocation *invocation,
                              void (*again)(Machine *machine, GDBusMethodInvocation *invocation));
/* machine-settings.c */
/* All that is wrong with settings for this machine: with the models of its controllers. */
GPtrArray *machine_problems(Machine *machine, VitrineSettings *settings);
void machine_connect_settings(Machine *machine);
/* machine-rename.c: the folder and the file get the new name, if they had the old one. */
gboolean machine_rename_files(Machine *machine, const char *old_name, const char *new_name,
                              GError **error);
/* Before that: a journal of where the settings file may be meanwhile, to be settled when the
 * registry is saved; NULL when nothing is renamed. */
gboolean machine_rename_begin(Machine *machine, const char *old_name, const char *new_name,
                              Journal **journal, GError **error);
/* Everything that knows paths below from learns those below to. */
void machine_tell_paths(Machine *machine, const char *from, const char *to,
                        const char *settings_file);
/* machine-session.c */
void machine_connect_session(Machine *machine);
void machine_session_restore(Machine *machine);
void machine_session_end(Machine *machine);
/* machine-launch.c */
void machine_connect_launch(Machine *machine);
void machine_launch_done(Machine *machine);
void machine_launch_failed(Machine *machine);
/* TRUE when the machine is off but its process is still on its way out: then handler runs again
 * with the same call once it is gone. */
gboolean machine_defer(Machine *machine,
                       void (*again)(Machine *machine, GDBusMethodInvocation *call),
                       GDBusMethodInvocation *call);
/* What the machine's process held has gone: later those calls, if the process has, too. */
void machine_run_deferred_later(Machine *machine);
/* Spawns one of our programs for this machine; errors: gets the descriptor of an unlinked file with
 * what it writes to its standard error. */
gboolean machine_spawn(Machine *machine, const char *program, const char *option,
                       const char *const *environment, GPid *pid, int *errors, GError **error);
/* The end of such a file, which it closes. The caller's. */
char *machine_take_error_tail(int *errors);
/* machine-window.c: a window in a process of its own. It starts the machine headless if it does not
 * run. */
gboolean machine_open_window(Machine *machine, const char *const *environment, GError **error);
/* machine-state.c */
void machine_connect_state(Machine *machine);
/* machine-media.c */
void machine_connect_media(Machine *machine);
/* machine-ejects.c */
void machine_connect_ejects(Machine *machine);
/* EjectedDrives of a machine without a process: as its saved state has them. */
void machine_find_ejected(Machine *machine);
/* The drive is empty, or no longer, while the settings say otherwise. */
void machine_note_ejected(Machine *machine, const VitrineAttachment *attachment, gboolean ejected);
/* machine-merge.c */
void machine_connect_merge(Machine *machine);
/* machine-ports.c */
void machine_connect_ports(Machine *machine);
