/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VitrineMachine's saved state: save, discard, adopt. */
#include "app/api/client-private.h"

static RemoteCall
machine_call(VitrineMachine *machine, const char *method, GVariant *parameters)
{
    return (RemoteCall){machine_path(machine), "org.vitrine.Machine", method, parameters};
}

/* Takes reply. */
static VitrineProgress *
started_progress(VitrineMachine *machine, GVariant *reply)
{
    g_autoptr(GVariant) owned = reply;
    const char *path;
    if (reply == NULL)
        return NULL;
    g_variant_get_child(reply, 0, "&o", &path);
    return progress_new(machine_client(machine), path);
}

VitrineProgress *
vitrine_machine_save_state_sync(VitrineMachine *machine, GCancellable *cancellable, GError **error)
{
    RemoteCall call = machine_call(machine, "SaveState", NULL);
    return started_progress(
        machine, client_call_sync(machine_client(machine), &call, NULL, cancellable, error));
}

void
vitrine_machine_save_state_async(VitrineMachine *machine, GCancellable *cancellable,
                                 GAsyncReadyCallback callback, gpointer user_data)
{
    RemoteCall call = machine_call(machine, "SaveState", NULL);
    client_call_async(machine_client(machine), machine, &call, cancellable, callback, user_data);
}

VitrineProgress *
vitrine_machine_save_state_finish(VitrineMachine *machine, GAsyncResult *result, GError **error)
{
    return started_progress(machine, client_call_finish(machine, result, error));
}

VitrineProgress *
vitrine_machine_open_restore_progress(VitrineMachine *machine)
{
    const char *path = vitrine_machine_get_restore_progress(machine);
    return *path ? progress_new(machine_client(machine), path) : NULL;
}

gboolean
vitrine_machine_discard_state_sync(VitrineMachine *machine, GCancellable *cancellable,
                                   GError **error)
{
    RemoteCall call = machine_call(machine, "DiscardState", NULL);
    return client_change_sync(machine_client(machine), &call, cancellable, error);
}

void
vitrine_machine_discard_state_async(VitrineMachine *machine, GCancellable *cancellable,
                                    GAsyncReadyCallback callback, gpointer user_data)
{
    RemoteCall call = machine_call(machine, "DiscardState", NULL);
    client_call_async(machine_client(machine), machine, &call, cancellable, callback, user_data);
}

gboolean
vitrine_machine_discard_state_finish(VitrineMachine *machine, GAsyncResult *result, GError **error)
{
    return client_call_finish_void(machine, result, error);
}

static RemoteCall
remove_call(VitrineMachine *machine, const char *name)
{
    return machine_call(machine, "RemoveLeftoverState", g_variant_new("(s)", name));
}

gboolean
vitrine_machine_remove_leftover_state_sync(VitrineMachine *machine, const char *name,
                                           GCancellable *cancellable, GError **error)
{
    RemoteCall call = remove_call(machine, name);
    return client_change_sync(machine_client(machine), &call, cancellable, error);
}

void
vitrine_machine_remove_leftover_state_async(VitrineMachine *machine, const char *name,
                                            GCancellable *cancellable, GAsyncReadyCallback callback,
                                            gpointer user_data)
{
    RemoteCall call = remove_call(machine, name);
    client_call_async(machine_client(machine), machine, &call, cancellable, callback, user_data);
}

gboolean
vitrine_machine_remove_leftover_state_finish(VitrineMachine *machine, GAsyncResult *result,
                                             GError **error)
{
    return client_call_finish_void(machine, result, error);
}

static RemoteCall
adopt_call(VitrineMachine *machine, const char *file)
{
    g_autofree char *path = g_canonicalize_filename(file, NULL);
    return machine_call(machine, "AdoptState", g_variant_new("(s)", path));
}

gboolean
vitrine_machine_adopt_state_sync(VitrineMachine *machine, const char *file,
                                 GCancellable *cancellable, GError **error)
{
    RemoteCall call = adopt_call(machine, file);
    return client_change_sync(machine_client(machine), &call, cancellable, error);
}

void
vitrine_machine_adopt_state_async(VitrineMachine *machine, const char *file,
                                  GCancellable *cancellable, GAsyncReadyCallback callback,
                                  gpointer user_data)
{
    RemoteCall call = adopt_call(machine, file);
    client_call_async(machine_client(machine), machine, &call, cancellable, callback, user_data);
}

gboolean
vitrine_machine_adopt_state_finish(VitrineMachine *machine, GAsyncResult *result, GError **error)
{
    return client_call_finish_void(machine, result, error);
}
