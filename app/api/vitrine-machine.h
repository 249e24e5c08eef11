/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VitrineMachine: one registered machine. One object per UUID for the client's life, whatever
 * happens to the service. Properties, all read-only and notified: id, name, os-type, description,
 * groups, state (VitrineMachineState), last-state-change (int64, seconds since 1970),
 * accessible, access-error, settings-file, log-folder, snapshot-folder, settings-generation (uint:
 * changes with each change of the settings), read-only-reason, session-type, session-pid,
 * console-available, busy, restore-progress, leftover-states, ejected-drives (see
 * vitrine_machine_has_ejected()), remote-usb, current-snapshot, current-snapshot-name,
 * snapshot-count (uint), current-state-modified, snapshots-generation (uint: changes when a
 * snapshot comes, goes or is edited).
 *
 * Extra data is per machine too; its changes arrive at VitrineClient::extra-data-changed and at
 * VitrineMachine::extra-data-changed (key, value or "" when removed). */
#pragma once

#include "app/api/vitrine-console.h"
#include "app/api/vitrine-progress.h"
#include "app/api/vitrine-settings.h"
#include "app/api/vitrine-snapshot.h"

G_BEGIN_DECLS

#define VITRINE_TYPE_MACHINE (vitrine_machine_get_type())
G_DECLARE_FINAL_TYPE(VitrineMachine, vitrine_machine, VITRINE, MACHINE, GObject)

const char *vitrine_machine_get_id(VitrineMachine *machine);
/* Of an inaccessible machine: made from its settings file's name. */
const char *vitrine_machine_get_name(VitrineMachine *machine);
const char *vitrine_machine_get_os_type(VitrineMachine *machine);
const char *vitrine_machine_get_description(VitrineMachine *machine);
/**
 * vitrine_machine_get_groups:
 * Returns: (transfer none) (array zero-terminated=1): at least "/"
 */
const char *const *vitrine_machine_get_groups(VitrineMachine *machine);
VitrineMachineState vitrine_machine_get_state(VitrineMachine *machine);
/* Seconds since 1970, UTC. */
gint64 vitrine_machine_get_last_state_change(VitrineMachine *machine);
gboolean vitrine_machine_get_accessible(VitrineMachine *machine);
/* "" when accessible. */
const char *vitrine_machine_get_access_error(VitrineMachine *machine);
const char *vitrine_machine_get_settings_file(VitrineMachine *machine);
const char *vitrine_machine_get_log_folder(VitrineMachine *machine);
const char *vitrine_machine_get_snapshot_folder(VitrineMachine *machine);
guint vitrine_machine_get_settings_generation(VitrineMachine *machine);
/* "" when the settings can be saved; else a sentence. */
const char *vitrine_machine_get_read_only_reason(VitrineMachine *machine);
/* "gui", "headless"; "" when no VM process holds the machine. */
const char *vitrine_machine_get_session_type(VitrineMachine *machine);
guint vitrine_machine_get_session_pid(VitrineMachine *machine);
/* "", or what the service does with the machine: it can neither start nor change until that is
 * over. */
const char *vitrine_machine_get_busy(VitrineMachine *machine);
/* For vitrine_machine_open_restore_progress(); "" when no saved state is being loaded. */
const char *vitrine_machine_get_restore_progress(VitrineMachine *machine);
/**
 * vitrine_machine_get_remote_usb:
 * Returns: (transfer none) (array zero-terminated=1): addresses of remote USB devices that the
 *   running machine has, or waits for: "usbredir:…"
 */
const char *const *vitrine_machine_get_remote_usb(VitrineMachine *machine);
/* UUID and name of the snapshot that the present state follows; "" when there is none. */
const char *vitrine_machine_get_current_snapshot(VitrineMachine *machine);
const char *vitrine_machine_get_current_snapshot_name(VitrineMachine *machine);
guint vitrine_machine_get_snapshot_count(VitrineMachine *machine);
/* Whether settings or disks changed since the current snapshot was taken or restored. */
gboolean vitrine_machine_get_current_state_modified(VitrineMachine *machine);
guint vitrine_machine_get_snapshots_generation(VitrineMachine *machine);

/**
 * vitrine_machine_load_settings_sync:
 * Returns: (transfer full): the present settings, to look at or to edit
 */
VitrineSettings *vitrine_machine_load_settings_sync(VitrineMachine *machine,
                                                    GCancellable *cancellable, GError **error);
void vitrine_machine_load_settings_async(VitrineMachine *machine, GCancellable *cancellable,
                                         GAsyncReadyCallback callback, gpointer user_data);
/**
 * vitrine_machine_load_settings_finish:
 * Returns: (transfer full): as vitrine_machine_load_settings_sync()
 */
VitrineSettings *vitrine_machine_load_settings_finish(VitrineMachine *machine, GAsyncResult *result,
                                                      GError **error);

/* Writes what differs from when these settings were loaded. VITRINE_ERROR_BUSY when somebody
 * changed the machine's settings in between, VITRINE_ERROR_STATE when the machine runs and the
 * change is not one of those that a running machine takes: description, groups, boot order of the
 * next start. Media of a running machine change by vitrine_machine_change_medium_*(). */
gboolean vitrine_machine_save_settings_sync(VitrineMachine *machine, VitrineSettings *settings,
                                            GCancellable *cancellable, GError **error);
void vitrine_machine_save_settings_async(VitrineMachine *machine, VitrineSettings *settings,
                                         GCancellable *cancellable, GAsyncReadyCallback callback,
                                         gpointer user_data);
gboolean vitrine_machine_save_settings_finish(VitrineMachine *machine, GAsyncResult *result,
                                              GError **error);

/**
 * vitrine_machine_load_extra_data_sync:
 * Returns: (transfer container) (element-type utf8 utf8): all keys and values
 */
GHashTable *vitrine_machine_load_extra_data_sync(VitrineMachine *machine, GCancellable *cancellable,
                                                 GError **error);
void vitrine_machine_load_extra_data_async(VitrineMachine *machine, GCancellable *cancellable,
                                           GAsyncReadyCallback callback, gpointer user_data);
/**
 * vitrine_machine_load_extra_data_finish:
 * Returns: (transfer container) (element-type utf8 utf8): all keys and values
 */
GHashTable *vitrine_machine_load_extra_data_finish(VitrineMachine *machine, GAsyncResult *result,
                                                   GError **error);

/**
 * vitrine_machine_set_extra_data_sync:
 * @value: (nullable): %NULL or "" removes the key
 */
gboolean vitrine_machine_set_extra_data_sync(VitrineMachine *machine, const char *key,
                                             const char *value, GCancellable *cancellable,
                                             GError **error);
/**
 * vitrine_machine_set_extra_data_async:
 * @value: (nullable): as vitrine_machine_set_extra_data_sync()
 */
void vitrine_machine_set_extra_data_async(VitrineMachine *machine, const char *key,
                                          const char *value, GCancellable *cancellable,
                                          GAsyncReadyCallback callback, gpointer user_data);
gboolean vitrine_machine_set_extra_data_finish(VitrineMachine *machine, GAsyncResult *result,
                                               GError **error);

/* Reads the settings file again. */
gboolean vitrine_machine_refresh_sync(VitrineMachine *machine, GCancellable *cancellable,
                                      GError **error);
void vitrine_machine_refresh_async(VitrineMachine *machine, GCancellable *cancellable,
                                   GAsyncReadyCallback callback, gpointer user_data);
gboolean vitrine_machine_refresh_finish(VitrineMachine *machine, GAsyncResult *result,
                                        GError **error);

/* Takes the machine out of the registry; delete_files: and deletes its settings, logs, and disks
 * that no other machine uses. */
gboolean vitrine_machine_unregister_sync(VitrineMachine *machine, gboolean delete_files,
                                         GCancellable *cancellable, GError **error);
void vitrine_machine_unregister_async(VitrineMachine *machine, gboolean delete_files,
                                      GCancellable *cancellable, GAsyncReadyCallback callback,
                                      gpointer user_data);
gboolean vitrine_machine_unregister_finish(VitrineMachine *machine, GAsyncResult *result,
                                           GError **error);

/* Puts a medium into a drive, also while the machine runs. medium: UUID, "host:<device>", or "" to
 * take it out. force: also when the guest has locked the tray. */
gboolean vitrine_machine_change_medium_sync(VitrineMachine *machine, const char *controller,
                                            guint port, guint device, const char *medium,
                                            gboolean force, GCancellable *cancellable,
                                            GError **error);
void vitrine_machine_change_medium_async(VitrineMachine *machine, const char *controller,
                                         guint port, guint device, const char *medium,
                                         gboolean force, GCancellable *cancellable,
                                         GAsyncReadyCallback callback, gpointer user_data);
gboolean vitrine_machine_change_medium_finish(VitrineMachine *machine, GAsyncResult *result,
                                              GError **error);

/**
 * vitrine_machine_launch_sync:
 * @type: "gui", "headless", or "separate": a window in a process of its own
 * @environment: (nullable) (array zero-terminated=1): NAME=value, %NULL for the caller's own
 *
 * Starts a VM process. "separate" also opens a window for a machine that runs already; the machine
 * runs on when that window is closed.
 *
 * Returns: whether the machine runs; the error is what the VM process says.
 */
gboolean vitrine_machine_launch_sync(VitrineMachine *machine, const char *type,
                                     const char *const *environment, GCancellable *cancellable,
                                     GError **error);
/**
 * vitrine_machine_launch_async:
 * @environment: (nullable) (array zero-terminated=1): as vitrine_machine_launch_sync()
 */
void vitrine_machine_launch_async(VitrineMachine *machine, const char *type,
                                  const char *const *environment, GCancellable *cancellable,
                                  GAsyncReadyCallback callback, gpointer user_data);
gboolean vitrine_machine_launch_finish(VitrineMachine *machine, GAsyncResult *result,
                                       GError **error);

/* Ends the VM process at once. The machine becomes Aborted. */
gboolean vitrine_machine_emergency_stop_sync(VitrineMachine *machine, GCancellable *cancellable,
                                             GError **error);
void vitrine_machine_emergency_stop_async(VitrineMachine *machine, GCancellable *cancellable,
                                          GAsyncReadyCallback callback, gpointer user_data);
gboolean vitrine_machine_emergency_stop_finish(VitrineMachine *machine, GAsyncResult *result,
                                               GError **error);

/**
 * vitrine_machine_save_state_sync:
 * Returns: (transfer full) (nullable): work that ends when the state is in its file and the
 *   machine's process has ended. The machine goes on as before when it fails or is cancelled.
 */
VitrineProgress *vitrine_machine_save_state_sync(VitrineMachine *machine, GCancellable *cancellable,
                                                 GError **error);
void vitrine_machine_save_state_async(VitrineMachine *machine, GCancellable *cancellable,
                                      GAsyncReadyCallback callback, gpointer user_data);
/**
 * vitrine_machine_save_state_finish:
 * Returns: (transfer full) (nullable): as vitrine_machine_save_state_sync()
 */
VitrineProgress *vitrine_machine_save_state_finish(VitrineMachine *machine, GAsyncResult *result,
                                                   GError **error);

/**
 * vitrine_machine_open_restore_progress:
 *
 * Property "restore-progress" is not empty while a machine that starts loads its saved state. It
 * can be cancelled: the machine is saved as before then, and its start fails with
 * VITRINE_ERROR_CANCELLED.
 *
 * Returns: (transfer full) (nullable): that work; %NULL when there is none
 */
VitrineProgress *vitrine_machine_open_restore_progress(VitrineMachine *machine);

/* The saved state is deleted: the machine is off, as if its plug had been pulled. */
gboolean vitrine_machine_discard_state_sync(VitrineMachine *machine, GCancellable *cancellable,
                                            GError **error);
void vitrine_machine_discard_state_async(VitrineMachine *machine, GCancellable *cancellable,
                                         GAsyncReadyCallback callback, gpointer user_data);
gboolean vitrine_machine_discard_state_finish(VitrineMachine *machine, GAsyncResult *result,
                                              GError **error);

/**
 * vitrine_machine_has_ejected:
 *
 * Returns: whether the guest has ejected the medium of this drive although the settings keep it:
 * it is back when the machine starts anew. Also of a saved machine, which continues without it.
 */
gboolean vitrine_machine_has_ejected(VitrineMachine *machine, const VitrineAttachment *drive);

/**
 * vitrine_machine_get_leftover_states:
 *
 * Saved states in the machine's snapshot folder that belong to no machine or snapshot that is
 * known. They are kept until somebody deletes them.
 *
 * Returns: (transfer none) (array zero-terminated=1): names of files
 */
const char *const *vitrine_machine_get_leftover_states(VitrineMachine *machine);
/* Deletes one of them. VITRINE_ERROR_BUSY while settings that are not registered, or cannot be
 * read, or a copy of the machine's settings may need it. */
gboolean vitrine_machine_remove_leftover_state_sync(VitrineMachine *machine, const char *name,
                                                    GCancellable *cancellable, GError **error);
void vitrine_machine_remove_leftover_state_async(VitrineMachine *machine, const char *name,
                                                 GCancellable *cancellable,
                                                 GAsyncReadyCallback callback, gpointer user_data);
gboolean vitrine_machine_remove_leftover_state_finish(VitrineMachine *machine, GAsyncResult *result,
                                                      GError **error);

/* The machine, which is off, continues from this file when it is started. */
gboolean vitrine_machine_adopt_state_sync(VitrineMachine *machine, const char *file,
                                          GCancellable *cancellable, GError **error);
void vitrine_machine_adopt_state_async(VitrineMachine *machine, const char *file,
                                       GCancellable *cancellable, GAsyncReadyCallback callback,
                                       gpointer user_data);
gboolean vitrine_machine_adopt_state_finish(VitrineMachine *machine, GAsyncResult *result,
                                            GError **error);

/* Whether a VM process offers the console now. */
gboolean vitrine_machine_get_console_available(VitrineMachine *machine);

/**
 * vitrine_machine_open_console_sync:
 * Returns: (transfer full): a connection to the VM process; VITRINE_ERROR_STATE when there is none
 */
VitrineConsole *vitrine_machine_open_console_sync(VitrineMachine *machine,
                                                  GCancellable *cancellable, GError **error);
void vitrine_machine_open_console_async(VitrineMachine *machine, GCancellable *cancellable,
                                        GAsyncReadyCallback callback, gpointer user_data);
/**
 * vitrine_machine_open_console_finish:
 * Returns: (transfer full): as vitrine_machine_open_console_sync()
 */
VitrineConsole *vitrine_machine_open_console_finish(VitrineMachine *machine, GAsyncResult *result,
                                                    GError **error);

/**
 * vitrine_machine_load_snapshots_sync:
 * Returns: (transfer full) (nullable): the root of the tree of snapshots; %NULL without @error when
 *   there are none
 */
VitrineSnapshot *vitrine_machine_load_snapshots_sync(VitrineMachine *machine,
                                                     GCancellable *cancellable, GError **error);
void vitrine_machine_load_snapshots_async(VitrineMachine *machine, GCancellable *cancellable,
                                          GAsyncReadyCallback callback, gpointer user_data);
/**
 * vitrine_machine_load_snapshots_finish:
 * Returns: (transfer full) (nullable): as vitrine_machine_load_snapshots_sync()
 */
VitrineSnapshot *vitrine_machine_load_snapshots_finish(VitrineMachine *machine,
                                                       GAsyncResult *result, GError **error);

/**
 * vitrine_machine_load_snapshot_settings_sync:
 * @id: UUID of a snapshot
 * Returns: (transfer full): the machine's settings as they were, to look at. They cannot be saved.
 */
VitrineSettings *vitrine_machine_load_snapshot_settings_sync(VitrineMachine *machine,
                                                             const char *id,
                                                             GCancellable *cancellable,
                                                             GError **error);
void vitrine_machine_load_snapshot_settings_async(VitrineMachine *machine, const char *id,
                                                  GCancellable *cancellable,
                                                  GAsyncReadyCallback callback, gpointer user_data);
/**
 * vitrine_machine_load_snapshot_settings_finish:
 * Returns: (transfer full): as vitrine_machine_load_snapshot_settings_sync()
 */
VitrineSettings *vitrine_machine_load_snapshot_settings_finish(VitrineMachine *machine,
                                                               GAsyncResult *result,
                                                               GError **error);

/**
 * vitrine_machine_load_state_picture_sync:
 * @id: UUID of a snapshot, or "" for the state that the machine continues from
 * Returns: (transfer full) (nullable): the screen when the state was saved, as a small PNG file;
 * NULL also when there is no picture, and then without an error
 */
GBytes *vitrine_machine_load_state_picture_sync(VitrineMachine *machine, const char *id,
                                                GCancellable *cancellable, GError **error);
void vitrine_machine_load_state_picture_async(VitrineMachine *machine, const char *id,
                                              GCancellable *cancellable,
                                              GAsyncReadyCallback callback, gpointer user_data);
/**
 * vitrine_machine_load_state_picture_finish:
 * Returns: (transfer full) (nullable): as vitrine_machine_load_state_picture_sync()
 */
GBytes *vitrine_machine_load_state_picture_finish(VitrineMachine *machine, GAsyncResult *result,
                                                  GError **error);

/**
 * vitrine_machine_load_snapshot_ejected_drives_sync:
 * @id: UUID of a snapshot
 * Returns: (transfer full) (array zero-terminated=1): the drives whose medium the guest had ejected
 * when it was taken although its settings keep it: vitrine_attachment_place() of each
 */
char **vitrine_machine_load_snapshot_ejected_drives_sync(VitrineMachine *machine, const char *id,
                                                         GCancellable *cancellable, GError **error);
void vitrine_machine_load_snapshot_ejected_drives_async(VitrineMachine *machine, const char *id,
                                                        GCancellable *cancellable,
                                                        GAsyncReadyCallback callback,
                                                        gpointer user_data);
/**
 * vitrine_machine_load_snapshot_ejected_drives_finish:
 * Returns: (transfer full) (array zero-terminated=1): as
 *   vitrine_machine_load_snapshot_ejected_drives_sync()
 */
char **vitrine_machine_load_snapshot_ejected_drives_finish(VitrineMachine *machine,
                                                           GAsyncResult *result, GError **error);

/**
 * vitrine_machine_take_snapshot_sync:
 * @name: not empty; need not be the only one of this name
 * @description: (nullable): free text
 *
 * Keeps the machine as it is now: settings, disks and, when it is saved, its memory. It follows the
 * current snapshot and becomes the current one. VITRINE_ERROR_INVALID when 250 snapshots follow
 * each other already.
 *
 * Returns: (transfer full): its progress, whose wait gives the snapshot's UUID
 */
VitrineProgress *vitrine_machine_take_snapshot_sync(VitrineMachine *machine, const char *name,
                                                    const char *description,
                                                    GCancellable *cancellable, GError **error);
/**
 * vitrine_machine_take_snapshot_async:
 * @description: (nullable): as vitrine_machine_take_snapshot_sync()
 */
void vitrine_machine_take_snapshot_async(VitrineMachine *machine, const char *name,
                                         const char *description, GCancellable *cancellable,
                                         GAsyncReadyCallback callback, gpointer user_data);
/**
 * vitrine_machine_take_snapshot_finish:
 * Returns: (transfer full): as vitrine_machine_take_snapshot_sync()
 */
VitrineProgress *vitrine_machine_take_snapshot_finish(VitrineMachine *machine, GAsyncResult *result,
                                                      GError **error);

/**
 * vitrine_machine_restore_snapshot_sync:
 * @id: UUID of a snapshot
 *
 * Makes the machine what it was; its present settings and the changes on its disks are lost (take a
 * snapshot first to keep them). VITRINE_ERROR_STATE while it runs. Of an online snapshot the
 * machine is in state saved afterwards.
 *
 * Returns: (transfer full): its progress
 */
VitrineProgress *vitrine_machine_restore_snapshot_sync(VitrineMachine *machine, const char *id,
                                                       GCancellable *cancellable, GError **error);
void vitrine_machine_restore_snapshot_async(VitrineMachine *machine, const char *id,
                                            GCancellable *cancellable, GAsyncReadyCallback callback,
                                            gpointer user_data);
/**
 * vitrine_machine_restore_snapshot_finish:
 * Returns: (transfer full): as vitrine_machine_restore_snapshot_sync()
 */
VitrineProgress *vitrine_machine_restore_snapshot_finish(VitrineMachine *machine,
                                                         GAsyncResult *result, GError **error);

/**
 * vitrine_machine_delete_snapshot_sync:
 * @id: UUID of a snapshot
 *
 * Forgets a snapshot; the present state and all other snapshots stay as they are. Its disk images
 * are merged with those that stand on them, which can take long; cancelled or failed then, the
 * snapshot is gone and only the room is not given back. VITRINE_ERROR_STATE while the machine runs,
 * and for the first snapshot when several follow it.
 *
 * Returns: (transfer full): its progress
 */
VitrineProgress *vitrine_machine_delete_snapshot_sync(VitrineMachine *machine, const char *id,
                                                      GCancellable *cancellable, GError **error);
void vitrine_machine_delete_snapshot_async(VitrineMachine *machine, const char *id,
                                           GCancellable *cancellable, GAsyncReadyCallback callback,
                                           gpointer user_data);
/**
 * vitrine_machine_delete_snapshot_finish:
 * Returns: (transfer full): as vitrine_machine_delete_snapshot_sync()
 */
VitrineProgress *vitrine_machine_delete_snapshot_finish(VitrineMachine *machine,
                                                        GAsyncResult *result, GError **error);

/**
 * vitrine_machine_restore_when_off_sync:
 * @id: UUID of a snapshot; "": none any more
 *
 * Restores it once the machine, which runs, has been powered off; not when it ends otherwise.
 */
gboolean vitrine_machine_restore_when_off_sync(VitrineMachine *machine, const char *id,
                                               GCancellable *cancellable, GError **error);
void vitrine_machine_restore_when_off_async(VitrineMachine *machine, const char *id,
                                            GCancellable *cancellable, GAsyncReadyCallback callback,
                                            gpointer user_data);
gboolean vitrine_machine_restore_when_off_finish(VitrineMachine *machine, GAsyncResult *result,
                                                 GError **error);

/**
 * vitrine_machine_edit_snapshot_sync:
 * @id: UUID of a snapshot
 * @name: its new name, not empty
 * @description: (nullable): its new description
 */
gboolean vitrine_machine_edit_snapshot_sync(VitrineMachine *machine, const char *id,
                                            const char *name, const char *description,
                                            GCancellable *cancellable, GError **error);
/**
 * vitrine_machine_edit_snapshot_async:
 * @description: (nullable): as vitrine_machine_edit_snapshot_sync()
 */
void vitrine_machine_edit_snapshot_async(VitrineMachine *machine, const char *id, const char *name,
                                         const char *description, GCancellable *cancellable,
                                         GAsyncReadyCallback callback, gpointer user_data);
gboolean vitrine_machine_edit_snapshot_finish(VitrineMachine *machine, GAsyncResult *result,
                                              GError **error);

/**
 * vitrine_machine_clone_sync:
 * @name: of the new machine
 * @options: (nullable): a{sv}: "mode" s: "machine" (one state), "children" (a snapshot and those
 * that follow it) or "all" (every state); "snapshot" s: UUID, "" for the present state; "linked" b:
 * the disks stand on those of the snapshot; "folder" s: base folder, "" for the usual one; "groups"
 * as; "id" s; "register" b (default true); "macs" s: "new", "keep-nat" or "keep"; "keep-disk-names"
 * b; "keep-hardware-uuids" b
 *
 * Makes a machine like this one. VITRINE_ERROR_STATE while this one runs, unless one snapshot is
 * cloned.
 *
 * Returns: (transfer full): its progress, whose wait gives the new machine's UUID
 */
VitrineProgress *vitrine_machine_clone_sync(VitrineMachine *machine, const char *name,
                                            GVariant *options, GCancellable *cancellable,
                                            GError **error);
/**
 * vitrine_machine_clone_async:
 * @options: (nullable): as vitrine_machine_clone_sync()
 */
void vitrine_machine_clone_async(VitrineMachine *machine, const char *name, GVariant *options,
                                 GCancellable *cancellable, GAsyncReadyCallback callback,
                                 gpointer user_data);
/**
 * vitrine_machine_clone_finish:
 * Returns: (transfer full): as vitrine_machine_clone_sync()
 */
VitrineProgress *vitrine_machine_clone_finish(VitrineMachine *machine, GAsyncResult *result,
                                              GError **error);

/**
 * vitrine_machine_move_sync:
 * @folder: where the machine's folder goes; it is made when it is not there
 *
 * Moves the machine's folder with settings, logs, snapshots and the disks in it, also to another
 * file system. VITRINE_ERROR_STATE while it runs.
 *
 * Returns: (transfer full): its progress
 */
VitrineProgress *vitrine_machine_move_sync(VitrineMachine *machine, const char *folder,
                                           GCancellable *cancellable, GError **error);
void vitrine_machine_move_async(VitrineMachine *machine, const char *folder,
                                GCancellable *cancellable, GAsyncReadyCallback callback,
                                gpointer user_data);
/**
 * vitrine_machine_move_finish:
 * Returns: (transfer full): as vitrine_machine_move_sync()
 */
VitrineProgress *vitrine_machine_move_finish(VitrineMachine *machine, GAsyncResult *result,
                                             GError **error);

G_END_DECLS
