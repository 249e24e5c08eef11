/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VitrineMachine's calls to the service. */
#include "app/api/client-private.h"
#include "app/api/settings-private.h"

static RemoteCall
machine_call(VitrineMachine *machine, const char *method, GVariant *parameters)
{
    return (RemoteCall){machine_path(machine), "org.vitrine.Machine", method, parameters};
}

static gboolean
change(VitrineMachine *machine, RemoteCall call, GCancellable *cancellable, GError **error)
{
    return client_change_sync(machine_client(machine), &call, cancellable, error);
}

static void
call_async(VitrineMachine *machine, RemoteCall call, GCancellable *cancellable,
           GAsyncReadyCallback callback, gpointer user_data)
{
    client_call_async(machine_client(machine), machine, &call, cancellable, callback, user_data);
}

/* Takes reply. */
static VitrineSettings *
settings_from_reply(GVariant *reply, GError **error)
{
    g_autoptr(GVariant) owned = reply;
    g_autoptr(GVariant) dictionary = NULL;
    guint generation;
    if (reply == NULL)
        return NULL;
    g_variant_get(reply, "(@a{sv}u)", &dictionary, &generation);
    g_autoptr(VitrineSettings) settings = vitrine_settings_new();
    if (!vitrine_settings_apply_variant(settings, dictionary, error))
        return NULL;
    vitrine_settings_set_base(settings, generation);
    return g_steal_pointer(&settings);
}

VitrineSettings *
vitrine_machine_load_settings_sync(VitrineMachine *machine, GCancellable *cancellable,
                                   GError **error)
{
    RemoteCall call = machine_call(machine, "GetSettings", NULL);
    return settings_from_reply(
        client_call_sync(machine_client(machine), &call, NULL, cancellable, error), error);
}

void
vitrine_machine_load_settings_async(VitrineMachine *machine, GCancellable *cancellable,
                                    GAsyncReadyCallback callback, gpointer user_data)
{
    call_async(machine, machine_call(machine, "GetSettings", NULL), cancellable, callback,
               user_data);
}

VitrineSettings *
vitrine_machine_load_settings_finish(VitrineMachine *machine, GAsyncResult *result, GError **error)
{
    return settings_from_reply(client_call_finish(machine, result, error), error);
}

static RemoteCall
save_call(VitrineMachine *machine, VitrineSettings *settings)
{
    return machine_call(machine, "SaveSettings",
                        g_variant_new("(@a{sv}u)", vitrine_settings_changes(settings),
                                      vitrine_settings_get_generation(settings)));
}

gboolean
vitrine_machine_save_settings_sync(VitrineMachine *machine, VitrineSettings *settings,
                                   GCancellable *cancellable, GError **error)
{
    return change(machine, save_call(machine, settings), cancellable, error);
}

void
vitrine_machine_save_settings_async(VitrineMachine *machine, VitrineSettings *settings,
                                    GCancellable *cancellable, GAsyncReadyCallback callback,
                                    gpointer user_data)
{
    call_async(machine, save_call(machine, settings), cancellable, callback, user_data);
}

gboolean
vitrine_machine_save_settings_finish(VitrineMachine *machine, GAsyncResult *result, GError **error)
{
    return client_call_finish_void(machine, result, error);
}

/* Takes reply. */
static GHashTable *
table_from_reply(GVariant *reply)
{
    if (reply == NULL)
        return NULL;
    GHashTable *table = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_autoptr(GVariant) items = g_variant_get_child_value(reply, 0);
    GVariantIter iter;
    const char *key, *value;
    g_variant_iter_init(&iter, items);
    while (g_variant_iter_loop(&iter, "{&s&s}", &key, &value))
        g_hash_table_insert(table, g_strdup(key), g_strdup(value));
    g_variant_unref(reply);
    return table;
}

GHashTable *
vitrine_machine_load_extra_data_sync(VitrineMachine *machine, GCancellable *cancellable,
                                     GError **error)
{
    RemoteCall call = machine_call(machine, "GetExtraData", NULL);
    return table_from_reply(
        client_call_sync(machine_client(machine), &call, NULL, cancellable, error));
}

void
vitrine_machine_load_extra_data_async(VitrineMachine *machine, GCancellable *cancellable,
                                      GAsyncReadyCallback callback, gpointer user_data)
{
    call_async(machine, machine_call(machine, "GetExtraData", NULL), cancellable, callback,
               user_data);
}

GHashTable *
vitrine_machine_load_extra_data_finish(VitrineMachine *machine, GAsyncResult *result,
                                       GError **error)
{
    return table_from_reply(client_call_finish(machine, result, error));
}

static RemoteCall
extra_data_call(VitrineMachine *machine, const char *key, const char *value)
{
    return machine_call(machine, "SetExtraData", g_variant_new("(ss)", key, value ? value : ""));
}

gboolean
vitrine_machine_set_extra_data_sync(VitrineMachine *machine, const char *key, const char *value,
                                    GCancellable *cancellable, GError **error)
{
    return change(machine, extra_data_call(machine, key, value), cancellable, error);
}

void
vitrine_machine_set_extra_data_async(VitrineMachine *machine, const char *key, const char *value,
                                     GCancellable *cancellable, GAsyncReadyCallback callback,
                                     gpointer user_data)
{
    call_async(machine, extra_data_call(machine, key, value), cancellable, callback, user_data);
}

gboolean
vitrine_machine_set_extra_data_finish(VitrineMachine *machine, GAsyncResult *result, GError **error)
{
    return client_call_finish_void(machine, result, error);
}

gboolean
vitrine_machine_refresh_sync(VitrineMachine *machine, GCancellable *cancellable, GError **error)
{
    return change(machine, machine_call(machine, "Refresh", NULL), cancellable, error);
}

void
vitrine_machine_refresh_async(VitrineMachine *machine, GCancellable *cancellable,
                              GAsyncReadyCallback callback, gpointer user_data)
{
    call_async(machine, machine_call(machine, "Refresh", NULL), cancellable, callback, user_data);
}

gboolean
vitrine_machine_refresh_finish(VitrineMachine *machine, GAsyncResult *result, GError **error)
{
    return client_call_finish_void(machine, result, error);
}

static RemoteCall
unregister_call(VitrineMachine *machine, gboolean delete_files)
{
    return (RemoteCall){VITRINE_SERVICE_PATH, "org.vitrine.Service", "UnregisterMachine",
                        g_variant_new("(sb)", vitrine_machine_get_id(machine), delete_files)};
}

gboolean
vitrine_machine_unregister_sync(VitrineMachine *machine, gboolean delete_files,
                                GCancellable *cancellable, GError **error)
{
    return change(machine, unregister_call(machine, delete_files), cancellable, error);
}

void
vitrine_machine_unregister_async(VitrineMachine *machine, gboolean delete_files,
                                 GCancellable *cancellable, GAsyncReadyCallback callback,
                                 gpointer user_data)
{
    call_async(machine, unregister_call(machine, delete_files), cancellable, callback, user_data);
}

gboolean
vitrine_machine_unregister_finish(VitrineMachine *machine, GAsyncResult *result, GError **error)
{
    return client_call_finish_void(machine, result, error);
}

static RemoteCall
drive_call(VitrineMachine *machine, const char *controller, guint port, guint device,
           const char *medium, gboolean force)
{
    return machine_call(
        machine, "ChangeMedium",
        g_variant_new("(suusb)", controller, port, device, medium ? medium : "", force));
}

gboolean
vitrine_machine_change_medium_sync(VitrineMachine *machine, const char *controller, guint port,
                                   guint device, const char *medium, gboolean force,
                                   GCancellable *cancellable, GError **error)
{
    return change(machine, drive_call(machine, controller, port, device, medium, force),
                  cancellable, error);
}

void
vitrine_machine_change_medium_async(VitrineMachine *machine, const char *controller, guint port,
                                    guint device, const char *medium, gboolean force,
                                    GCancellable *cancellable, GAsyncReadyCallback callback,
                                    gpointer user_data)
{
    call_async(machine, drive_call(machine, controller, port, device, medium, force), cancellable,
               callback, user_data);
}

gboolean
vitrine_machine_change_medium_finish(VitrineMachine *machine, GAsyncResult *result, GError **error)
{
    return client_call_finish_void(machine, result, error);
}

static RemoteCall
launch_call(VitrineMachine *machine, const char *type, const char *const *environment)
{
    g_auto(GStrv) own = environment ? NULL : g_get_environ();
    g_autoptr(GVariantBuilder) builder = g_variant_builder_new(G_VARIANT_TYPE("as"));
    const char *const *list = environment ? environment : (const char *const *)own;
    for (guint i = 0; list && list[i]; i++) {
        if (g_utf8_validate(list[i], -1, NULL)) /* D-Bus strings are UTF-8 */
            g_variant_builder_add(builder, "s", list[i]);
    }
    return machine_call(machine, "Launch", g_variant_new("(sas)", type, builder));
}

gboolean
vitrine_machine_launch_sync(VitrineMachine *machine, const char *type,
                            const char *const *environment, GCancellable *cancellable,
                            GError **error)
{
    return change(machine, launch_call(machine, type, environment), cancellable, error);
}

void
vitrine_machine_launch_async(VitrineMachine *machine, const char *type,
                             const char *const *environment, GCancellable *cancellable,
                             GAsyncReadyCallback callback, gpointer user_data)
{
    call_async(machine, launch_call(machine, type, environment), cancellable, callback, user_data);
}

gboolean
vitrine_machine_launch_finish(VitrineMachine *machine, GAsyncResult *result, GError **error)
{
    return client_call_finish_void(machine, result, error);
}

gboolean
vitrine_machine_emergency_stop_sync(VitrineMachine *machine, GCancellable *cancellable,
                                    GError **error)
{
    return change(machine, machine_call(machine, "EmergencyStop", NULL), cancellable, error);
}

void
vitrine_machine_emergency_stop_async(VitrineMachine *machine, GCancellable *cancellable,
                                     GAsyncReadyCallback callback, gpointer user_data)
{
    call_async(machine, machine_call(machine, "EmergencyStop", NULL), cancellable, callback,
               user_data);
}

gboolean
vitrine_machine_emergency_stop_finish(VitrineMachine *machine, GAsyncResult *result, GError **error)
{
    return client_call_finish_void(machine, result, error);
}
