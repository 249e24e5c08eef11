/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VitrineMachine's calls about snapshots, and those that clone and move the machine. */
#include "app/api/client-private.h"
#include "app/api/settings-private.h"
#include "app/api/snapshot-private.h"

static RemoteCall
machine_call(VitrineMachine *machine, const char *method, GVariant *parameters)
{
    return (RemoteCall){machine_path(machine), "org.vitrine.Machine", method, parameters};
}

static GVariant *
call_sync(VitrineMachine *machine, RemoteCall call, GCancellable *cancellable, GError **error)
{
    return client_call_sync(machine_client(machine), &call, NULL, cancellable, error);
}

static void
call_async(VitrineMachine *machine, RemoteCall call, GCancellable *cancellable,
           GAsyncReadyCallback callback, gpointer user_data)
{
    client_call_async(machine_client(machine), machine, &call, cancellable, callback, user_data);
}

static VitrineProgress *
start_sync(VitrineMachine *machine, RemoteCall call, GCancellable *cancellable, GError **error)
{
    return progress_from_reply(machine_client(machine),
                               call_sync(machine, call, cancellable, error));
}

static VitrineProgress *
start_finish(VitrineMachine *machine, GAsyncResult *result, GError **error)
{
    return progress_from_reply(machine_client(machine), client_call_finish(machine, result, error));
}

VitrineSnapshot *
vitrine_machine_load_snapshots_sync(VitrineMachine *machine, GCancellable *cancellable,
                                    GError **error)
{
    g_autoptr(GVariant) reply =
        call_sync(machine, machine_call(machine, "GetSnapshots", NULL), cancellable, error);
    return reply ? snapshot_tree_from_reply(reply) : NULL;
}

void
vitrine_machine_load_snapshots_async(VitrineMachine *machine, GCancellable *cancellable,
                                     GAsyncReadyCallback callback, gpointer user_data)
{
    call_async(machine, machine_call(machine, "GetSnapshots", NULL), cancellable, callback,
               user_data);
}

VitrineSnapshot *
vitrine_machine_load_snapshots_finish(VitrineMachine *machine, GAsyncResult *result, GError **error)
{
    g_autoptr(GVariant) reply = client_call_finish(machine, result, error);
    return reply ? snapshot_tree_from_reply(reply) : NULL;
}

static RemoteCall
settings_call(VitrineMachine *machine, const char *id)
{
    return machine_call(machine, "GetSnapshotSettings", g_variant_new("(s)", id));
}

/* Takes reply. */
static VitrineSettings *
settings_from_reply(GVariant *reply, GError **error)
{
    g_autoptr(GVariant) owned = reply;
    if (reply == NULL)
        return NULL;
    g_autoptr(GVariant) dictionary = g_variant_get_child_value(reply, 0);
    g_autoptr(VitrineSettings) settings = vitrine_settings_new();
    if (!vitrine_settings_apply_variant(settings, dictionary, error))
        return NULL;
    return g_steal_pointer(&settings);
}

VitrineSettings *
vitrine_machine_load_snapshot_settings_sync(VitrineMachine *machine, const char *id,
                                            GCancellable *cancellable, GError **error)
{
    return settings_from_reply(call_sync(machine, settings_call(machine, id), cancellable, error),
                               error);
}

void
vitrine_machine_load_snapshot_settings_async(VitrineMachine *machine, const char *id,
                                             GCancellable *cancellable,
                                             GAsyncReadyCallback callback, gpointer user_data)
{
    call_async(machine, settings_call(machine, id), cancellable, callback, user_data);
}

VitrineSettings *
vitrine_machine_load_snapshot_settings_finish(VitrineMachine *machine, GAsyncResult *result,
                                              GError **error)
{
    return settings_from_reply(client_call_finish(machine, result, error), error);
}

static RemoteCall
picture_call(VitrineMachine *machine, const char *id)
{
    return machine_call(machine, "GetStatePicture", g_variant_new("(s)", id));
}

/* Takes reply. */
static GBytes *
picture_from_reply(GVariant *reply)
{
    g_autoptr(GVariant) owned = reply;
    if (reply == NULL)
        return NULL;
    g_autoptr(GVariant) array = g_variant_get_child_value(reply, 0);
    g_autoptr(GBytes) png = g_variant_get_data_as_bytes(array);
    return g_bytes_get_size(png) > 0 ? g_steal_pointer(&png) : NULL;
}

GBytes *
vitrine_machine_load_state_picture_sync(VitrineMachine *machine, const char *id,
                                        GCancellable *cancellable, GError **error)
{
    return picture_from_reply(call_sync(machine, picture_call(machine, id), cancellable, error));
}

void
vitrine_machine_load_state_picture_async(VitrineMachine *machine, const char *id,
                                         GCancellable *cancellable, GAsyncReadyCallback callback,
                                         gpointer user_data)
{
    call_async(machine, picture_call(machine, id), cancellable, callback, user_data);
}

GBytes *
vitrine_machine_load_state_picture_finish(VitrineMachine *machine, GAsyncResult *result,
                                          GError **error)
{
    return picture_from_reply(client_call_finish(machine, result, error));
}

static RemoteCall
ejected_call(VitrineMachine *machine, const char *id)
{
    return machine_call(machine, "GetSnapshotEjectedDrives", g_variant_new("(s)", id));
}

/* Takes reply. */
static char **
ejected_from_reply(GVariant *reply)
{
    g_autoptr(GVariant) owned = reply;
    char **places = NULL;
    if (reply)
        g_variant_get(reply, "(^as)", &places);
    return places;
}

char **
vitrine_machine_load_snapshot_ejected_drives_sync(VitrineMachine *machine, const char *id,
                                                  GCancellable *cancellable, GError **error)
{
    return ejected_from_reply(call_sync(machine, ejected_call(machine, id), cancellable, error));
}

void
vitrine_machine_load_snapshot_ejected_drives_async(VitrineMachine *machine, const char *id,
                                                   GCancellable *cancellable,
                                                   GAsyncReadyCallback callback, gpointer user_data)
{
    call_async(machine, ejected_call(machine, id), cancellable, callback, user_data);
}

char **
vitrine_machine_load_snapshot_ejected_drives_finish(VitrineMachine *machine, GAsyncResult *result,
                                                    GError **error)
{
    return ejected_from_reply(client_call_finish(machine, result, error));
}

static RemoteCall
take_call(VitrineMachine *machine, const char *name, const char *description)
{
    return machine_call(machine, "TakeSnapshot",
                        g_variant_new("(ss)", name, description ? description : ""));
}

VitrineProgress *
vitrine_machine_take_snapshot_sync(VitrineMachine *machine, const char *name,
                                   const char *description, GCancellable *cancellable,
                                   GError **error)
{
    return start_sync(machine, take_call(machine, name, description), cancellable, error);
}

void
vitrine_machine_take_snapshot_async(VitrineMachine *machine, const char *name,
                                    const char *description, GCancellable *cancellable,
                                    GAsyncReadyCallback callback, gpointer user_data)
{
    call_async(machine, take_call(machine, name, description), cancellable, callback, user_data);
}

VitrineProgress *
vitrine_machine_take_snapshot_finish(VitrineMachine *machine, GAsyncResult *result, GError **error)
{
    return start_finish(machine, result, error);
}

static RemoteCall
id_call(VitrineMachine *machine, const char *method, const char *id)
{
    return machine_call(machine, method, g_variant_new("(s)", id));
}

VitrineProgress *
vitrine_machine_restore_snapshot_sync(VitrineMachine *machine, const char *id,
                                      GCancellable *cancellable, GError **error)
{
    return start_sync(machine, id_call(machine, "RestoreSnapshot", id), cancellable, error);
}

void
vitrine_machine_restore_snapshot_async(VitrineMachine *machine, const char *id,
                                       GCancellable *cancellable, GAsyncReadyCallback callback,
                                       gpointer user_data)
{
    call_async(machine, id_call(machine, "RestoreSnapshot", id), cancellable, callback, user_data);
}

VitrineProgress *
vitrine_machine_restore_snapshot_finish(VitrineMachine *machine, GAsyncResult *result,
                                        GError **error)
{
    return start_finish(machine, result, error);
}

VitrineProgress *
vitrine_machine_delete_snapshot_sync(VitrineMachine *machine, const char *id,
                                     GCancellable *cancellable, GError **error)
{
    return start_sync(machine, id_call(machine, "DeleteSnapshot", id), cancellable, error);
}

void
vitrine_machine_delete_snapshot_async(VitrineMachine *machine, const char *id,
                                      GCancellable *cancellable, GAsyncReadyCallback callback,
                                      gpointer user_data)
{
    call_async(machine, id_call(machine, "DeleteSnapshot", id), cancellable, callback, user_data);
}

VitrineProgress *
vitrine_machine_delete_snapshot_finish(VitrineMachine *machine, GAsyncResult *result,
                                       GError **error)
{
    return start_finish(machine, result, error);
}

static RemoteCall
edit_call(VitrineMachine *machine, const char *id, const char *name, const char *description)
{
    return machine_call(machine, "EditSnapshot",
                        g_variant_new("(sss)", id, name, description ? description : ""));
}

gboolean
vitrine_machine_restore_when_off_sync(VitrineMachine *machine, const char *id,
                                      GCancellable *cancellable, GError **error)
{
    RemoteCall call = id_call(machine, "RestoreWhenOff", id);
    return client_change_sync(machine_client(machine), &call, cancellable, error);
}

void
vitrine_machine_restore_when_off_async(VitrineMachine *machine, const char *id,
                                       GCancellable *cancellable, GAsyncReadyCallback callback,
                                       gpointer user_data)
{
    call_async(machine, id_call(machine, "RestoreWhenOff", id), cancellable, callback, user_data);
}

gboolean
vitrine_machine_restore_when_off_finish(VitrineMachine *machine, GAsyncResult *result,
                                        GError **error)
{
    return client_call_finish_void(machine, result, error);
}

gboolean
vitrine_machine_edit_snapshot_sync(VitrineMachine *machine, const char *id, const char *name,
                                   const char *description, GCancellable *cancellable,
                                   GError **error)
{
    RemoteCall call = edit_call(machine, id, name, description);
    return client_change_sync(machine_client(machine), &call, cancellable, error);
}

void
vitrine_machine_edit_snapshot_async(VitrineMachine *machine, const char *id, const char *name,
                                    const char *description, GCancellable *cancellable,
                                    GAsyncReadyCallback callback, gpointer user_data)
{
    call_async(machine, edit_call(machine, id, name, description), cancellable, callback,
               user_data);
}

gboolean
vitrine_machine_edit_snapshot_finish(VitrineMachine *machine, GAsyncResult *result, GError **error)
{
    return client_call_finish_void(machine, result, error);
}

static RemoteCall
clone_call(VitrineMachine *machine, const char *name, GVariant *options)
{
    GVariant *all = options ? options : g_variant_new_array(G_VARIANT_TYPE("{sv}"), NULL, 0);
    return machine_call(machine, "Clone", g_variant_new("(s@a{sv})", name, all));
}

VitrineProgress *
vitrine_machine_clone_sync(VitrineMachine *machine, const char *name, GVariant *options,
                           GCancellable *cancellable, GError **error)
{
    return start_sync(machine, clone_call(machine, name, options), cancellable, error);
}

void
vitrine_machine_clone_async(VitrineMachine *machine, const char *name, GVariant *options,
                            GCancellable *cancellable, GAsyncReadyCallback callback,
                            gpointer user_data)
{
    call_async(machine, clone_call(machine, name, options), cancellable, callback, user_data);
}

VitrineProgress *
vitrine_machine_clone_finish(VitrineMachine *machine, GAsyncResult *result, GError **error)
{
    return start_finish(machine, result, error);
}

/* The service has another working folder. */
static RemoteCall
move_call(VitrineMachine *machine, const char *folder)
{
    g_autofree char *path = g_canonicalize_filename(folder, NULL);
    return machine_call(machine, "Move", g_variant_new("(s)", path));
}

VitrineProgress *
vitrine_machine_move_sync(VitrineMachine *machine, const char *folder, GCancellable *cancellable,
                          GError **error)
{
    return start_sync(machine, move_call(machine, folder), cancellable, error);
}

void
vitrine_machine_move_async(VitrineMachine *machine, const char *folder, GCancellable *cancellable,
                           GAsyncReadyCallback callback, gpointer user_data)
{
    call_async(machine, move_call(machine, folder), cancellable, callback, user_data);
}

VitrineProgress *
vitrine_machine_move_finish(VitrineMachine *machine, GAsyncResult *result, GError **error)
{
    return start_finish(machine, result, error);
}
