/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the service tells: one subscription for all objects, so that the order of messages is the
 * order of the changes. */
#include "app/api/client-state.h"

static void
properties_changed(VitrineClient *client, const char *path, GVariant *parameters)
{
    g_autoptr(GVariant) changed = g_variant_get_child_value(parameters, 1);
    g_autofree char *machine = vitrine_object_id(VITRINE_MACHINE_PREFIX, path);
    g_autofree char *medium = vitrine_object_id(VITRINE_MEDIUM_PREFIX, path);
    VitrineProgress *progress = g_hash_table_lookup(client->progress, path);
    if (g_str_equal(path, VITRINE_SERVICE_PATH))
        client_take_properties(client, changed);
    else if (machine && g_hash_table_contains(client->machine_by_id, machine))
        machine_update(g_hash_table_lookup(client->machine_by_id, machine), changed);
    else if (medium && g_hash_table_contains(client->medium_by_id, medium))
        medium_update(g_hash_table_lookup(client->medium_by_id, medium), changed);
    else if (progress)
        progress_update(progress, changed);
}

static void
added(VitrineClient *client, GVariant *parameters,
      void (*add)(VitrineClient *, const char *, GVariant *))
{
    const char *id;
    g_autoptr(GVariant) properties = NULL;
    if (!g_variant_is_of_type(parameters, G_VARIANT_TYPE("(sa{sv})")))
        return;
    g_variant_get(parameters, "(&s@a{sv})", &id, &properties);
    add(client, id, properties);
}

static void
removed(VitrineClient *client, GVariant *parameters, void (*forget)(VitrineClient *, const char *))
{
    const char *id;
    if (!g_variant_is_of_type(parameters, G_VARIANT_TYPE("(s)")))
        return;
    g_variant_get(parameters, "(&s)", &id);
    forget(client, id);
}

static void
extra_data_changed(VitrineClient *client, GVariant *parameters)
{
    const char *machine, *key, *value;
    if (!g_variant_is_of_type(parameters, G_VARIANT_TYPE("(sss)")))
        return;
    g_variant_get(parameters, "(&s&s&s)", &machine, &key, &value);
    client_take_extra_data(client, machine, key, value);
}

void
client_on_signal(GDBusConnection *connection, const char *sender, const char *path,
                 const char *interface, const char *signal, GVariant *parameters,
                 gpointer user_data)
{
    g_autoptr(VitrineClient) client = g_object_ref(user_data);
    if (connection != client->connection) /* left over from a service that is gone */
        return;
    if (g_str_equal(signal, "PropertiesChanged") &&
        g_variant_is_of_type(parameters, G_VARIANT_TYPE("(sa{sv}as)")))
        properties_changed(client, path, parameters);
    else if (g_str_equal(signal, "MachineAdded"))
        added(client, parameters, client_add_machine);
    else if (g_str_equal(signal, "MachineRemoved"))
        removed(client, parameters, client_remove_machine);
    else if (g_str_equal(signal, "MediumAdded"))
        added(client, parameters, client_add_medium);
    else if (g_str_equal(signal, "MediumRemoved"))
        removed(client, parameters, client_remove_medium);
    else if (g_str_equal(signal, "ExtraDataChanged"))
        extra_data_changed(client, parameters);
    else if (g_str_equal(signal, "UsbDevicesChanged"))
        g_signal_emit_by_name(client, "usb-devices-changed");
}
