/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VitrineClient: the object and its lists. Connection and calls are in client-*.c. */
#include <string.h>

#include "app/api/client-state.h"

G_DEFINE_FINAL_TYPE(VitrineClient, vitrine_client, G_TYPE_OBJECT)

/* clang-format off */
const CacheField client_fields[] = {
    {"ReadOnlyReason",            "read-only-reason",         's', NULL},
    {"Damage",                    "damage",                   's', NULL},
    {"NatNetworks",               "nat-networks",             'v', NULL},
    {"DhcpServers",               "dhcp-servers",             'v', NULL},
    {"machine-folder",            "machine-folder",           's', NULL},
    {"default-disk-format",       "default-disk-format",      's', NULL},
    {"log-history-count",         "log-history-count",        'u', NULL},
    {"vrde-auth-library",         "vrde-auth-library",        's', NULL},
    {"web-service-auth-library",  "web-service-auth-library", 's', NULL},
    {"default-frontend",          "default-frontend",         's', NULL},
    {"language-id",               "language-id",              's', NULL},
    {"proxy-mode",                "proxy-mode",               'u', NULL},
    {"proxy-url",                 "proxy-url",                's', NULL},
    {"exclusive-hw-virt",         "exclusive-hw-virt",        'b', NULL},
};
/* clang-format on */
const guint client_field_count = G_N_ELEMENTS(client_fields);

enum {
    PROP_CONNECTED = G_N_ELEMENTS(client_fields) + 1,
    PROP_CONFIG_FOLDER,
};

static void
client_get_property(GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
    VitrineClient *client = VITRINE_CLIENT(object);
    if (id == PROP_CONNECTED)
        g_value_set_boolean(value, vitrine_client_get_connected(client));
    else if (id == PROP_CONFIG_FOLDER)
        g_value_set_string(value, client->config_folder);
    else
        cache_get_property(client->properties, &client_fields[id - 1], value);
}

static void
client_set_property(GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
    VITRINE_CLIENT(object)->config_folder = g_value_dup_string(value);
}

static void
client_dispose(GObject *object)
{
    client_disconnect(VITRINE_CLIENT(object));
    G_OBJECT_CLASS(vitrine_client_parent_class)->dispose(object);
}

static void
client_finalize(GObject *object)
{
    VitrineClient *client = VITRINE_CLIENT(object);
    g_free(client->config_folder);
    g_hash_table_unref(client->properties);
    g_hash_table_unref(client->extra_data);
    g_hash_table_unref(client->machine_by_id);
    g_hash_table_unref(client->medium_by_id);
    g_hash_table_unref(client->progress);
    g_object_unref(client->machines);
    g_object_unref(client->media);
    g_main_context_unref(client->context);
    G_OBJECT_CLASS(vitrine_client_parent_class)->finalize(object);
}

static void
vitrine_client_class_init(VitrineClientClass *class)
{
    GObjectClass *object_class = G_OBJECT_CLASS(class);
    vitrine_error_quark(); /* before the first error can arrive */
    object_class->get_property = client_get_property;
    object_class->set_property = client_set_property;
    object_class->dispose = client_dispose;
    object_class->finalize = client_finalize;
    cache_install(object_class, client_fields, client_field_count);
    g_object_class_install_property(object_class, PROP_CONNECTED,
                                    g_param_spec_boolean("connected", "connected",
                                                         "The service answers", FALSE,
                                                         G_PARAM_READABLE));
    g_object_class_install_property(
        object_class, PROP_CONFIG_FOLDER,
        g_param_spec_string("config-folder", "config-folder", "Configuration folder", NULL,
                            G_PARAM_READWRITE | G_PARAM_CONSTRUCT_ONLY));
    static const struct {
        const char *name;
        GType (*type)(void);
    } signals[] = {{"machine-added", vitrine_machine_get_type},
                   {"machine-removed", vitrine_machine_get_type},
                   {"medium-added", vitrine_medium_get_type},
                   {"medium-removed", vitrine_medium_get_type}};
    for (guint i = 0; i < G_N_ELEMENTS(signals); i++)
        g_signal_new(signals[i].name, VITRINE_TYPE_CLIENT, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                     G_TYPE_NONE, 1, signals[i].type());
    g_signal_new("usb-devices-changed", VITRINE_TYPE_CLIENT, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                 G_TYPE_NONE, 0);
    g_signal_new("extra-data-changed", VITRINE_TYPE_CLIENT, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                 G_TYPE_NONE, 3, G_TYPE_STRING, G_TYPE_STRING, G_TYPE_STRING);
}

static void
vitrine_client_init(VitrineClient *client)
{
    client->context = g_main_context_ref_thread_default();
    client->properties = cache_new();
    client->extra_data = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    client->machines = g_list_store_new(VITRINE_TYPE_MACHINE);
    client->media = g_list_store_new(VITRINE_TYPE_MEDIUM);
    client->machine_by_id = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    client->medium_by_id = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    client->progress = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_queue_init(&client->waiting);
}

gboolean
vitrine_client_get_connected(VitrineClient *client)
{
    return client->connection != NULL && !g_dbus_connection_is_closed(client->connection);
}

const char *
vitrine_client_get_config_folder(VitrineClient *client)
{
    return client->config_folder;
}

const char *
vitrine_client_get_read_only_reason(VitrineClient *client)
{
    return cache_string(client->properties, "ReadOnlyReason");
}

const char *
vitrine_client_get_damage(VitrineClient *client)
{
    return cache_string(client->properties, "Damage");
}

GListModel *
vitrine_client_get_machines(VitrineClient *client)
{
    return G_LIST_MODEL(client->machines);
}

GListModel *
vitrine_client_get_media(VitrineClient *client)
{
    return G_LIST_MODEL(client->media);
}

/* A UUID with or without braces, in lower case; NULL when it is none. */
static char *
as_id(const char *text)
{
    gsize length = strlen(text);
    g_autofree char *id = text[0] == '{' && length > 2 && text[length - 1] == '}'
                              ? g_strndup(text + 1, length - 2)
                              : g_strdup(text);
    return g_uuid_string_is_valid(id) ? g_ascii_strdown(id, -1) : NULL;
}

VitrineMachine *
vitrine_client_find_machine(VitrineClient *client, const char *name_or_id)
{
    g_return_val_if_fail(name_or_id != NULL, NULL);
    g_autofree char *id = as_id(name_or_id);
    VitrineMachine *machine = id ? g_hash_table_lookup(client->machine_by_id, id) : NULL;
    g_autofree char *path = g_canonicalize_filename(name_or_id, NULL);
    guint count = g_list_model_get_n_items(G_LIST_MODEL(client->machines));
    for (guint i = 0; machine == NULL && i < count; i++) {
        g_autoptr(VitrineMachine) candidate =
            g_list_model_get_item(G_LIST_MODEL(client->machines), i);
        if (g_str_equal(vitrine_machine_get_name(candidate), name_or_id) ||
            g_str_equal(vitrine_machine_get_settings_file(candidate), path))
            machine = candidate; /* the list keeps it */
    }
    return machine;
}

VitrineMedium *
vitrine_client_find_medium(VitrineClient *client, const char *location_or_id)
{
    g_return_val_if_fail(location_or_id != NULL, NULL);
    g_autofree char *id = as_id(location_or_id);
    VitrineMedium *medium = id ? g_hash_table_lookup(client->medium_by_id, id) : NULL;
    g_autofree char *path = g_canonicalize_filename(location_or_id, NULL);
    guint count = g_list_model_get_n_items(G_LIST_MODEL(client->media));
    for (guint i = 0; medium == NULL && i < count; i++) {
        g_autoptr(VitrineMedium) candidate = g_list_model_get_item(G_LIST_MODEL(client->media), i);
        if (g_str_equal(vitrine_medium_get_location(candidate), path))
            medium = candidate;
    }
    return medium;
}

const char *
vitrine_client_get_extra_data(VitrineClient *client, const char *key)
{
    return g_hash_table_lookup(client->extra_data, key);
}

static int
compare_strings(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

const char **
vitrine_client_list_extra_data(VitrineClient *client)
{
    guint length;
    const char **keys = (const char **)g_hash_table_get_keys_as_array(client->extra_data, &length);
    qsort(keys, length, sizeof *keys, compare_strings);
    return keys;
}

void
client_take_properties(VitrineClient *client, GVariant *properties)
{
    g_autoptr(GVariant) system =
        g_variant_lookup_value(properties, "SystemProperties", G_VARIANT_TYPE_VARDICT);
    cache_update(client->properties, G_OBJECT(client), client_fields, client_field_count,
                 properties);
    if (system)
        cache_update(client->properties, G_OBJECT(client), client_fields, client_field_count,
                     system);
}

void
client_take_extra_data(VitrineClient *client, const char *machine, const char *key,
                       const char *value)
{
    VitrineMachine *found = g_hash_table_lookup(client->machine_by_id, machine);
    if (*machine == '\0') {
        if (*value)
            g_hash_table_insert(client->extra_data, g_strdup(key), g_strdup(value));
        else
            g_hash_table_remove(client->extra_data, key);
    }
    if (found)
        g_signal_emit_by_name(found, "extra-data-changed", key, value);
    g_signal_emit_by_name(client, "extra-data-changed", machine, key, value);
}

static void
remove_item(GListStore *list, gpointer item)
{
    guint position;
    if (g_list_store_find(list, item, &position))
        g_list_store_remove(list, position);
}

void
client_add_machine(VitrineClient *client, const char *id, GVariant *properties)
{
    VitrineMachine *machine = g_hash_table_lookup(client->machine_by_id, id);
    if (machine) {
        machine_update(machine, properties);
        return;
    }
    g_autoptr(VitrineMachine) added = machine_new(client, id, properties);
    g_hash_table_insert(client->machine_by_id, g_strdup(id), added);
    g_list_store_append(client->machines, added);
    g_signal_emit_by_name(client, "machine-added", added);
}

void
client_remove_machine(VitrineClient *client, const char *id)
{
    VitrineMachine *found = g_hash_table_lookup(client->machine_by_id, id);
    if (found == NULL)
        return;
    g_autoptr(VitrineMachine) machine = g_object_ref(found);
    g_hash_table_remove(client->machine_by_id, vitrine_machine_get_id(machine));
    remove_item(client->machines, machine);
    g_signal_emit_by_name(client, "machine-removed", machine);
}

void
client_add_medium(VitrineClient *client, const char *id, GVariant *properties)
{
    VitrineMedium *medium = g_hash_table_lookup(client->medium_by_id, id);
    if (medium) {
        medium_update(medium, properties);
        return;
    }
    g_autoptr(VitrineMedium) added = medium_new(client, id, properties);
    g_hash_table_insert(client->medium_by_id, g_strdup(id), added);
    g_list_store_append(client->media, added);
    g_signal_emit_by_name(client, "medium-added", added);
}

void
client_remove_medium(VitrineClient *client, const char *id)
{
    VitrineMedium *found = g_hash_table_lookup(client->medium_by_id, id);
    if (found == NULL)
        return;
    g_autoptr(VitrineMedium) medium = g_object_ref(found);
    g_hash_table_remove(client->medium_by_id, vitrine_medium_get_id(medium));
    remove_item(client->media, medium);
    g_signal_emit_by_name(client, "medium-removed", medium);
}

/* Adds and updates what is in a(sa{sv}), and removes what is not. */
static void
take_list(VitrineClient *client, GVariant *list, GHashTable *known,
          void (*add)(VitrineClient *, const char *, GVariant *),
          void (*remove)(VitrineClient *, const char *))
{
    g_autoptr(GHashTable) present = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GPtrArray) gone = g_ptr_array_new_with_free_func(g_free);
    GVariantIter iter;
    const char *id;
    GVariant *properties;
    g_variant_iter_init(&iter, list);
    while (g_variant_iter_loop(&iter, "(&s@a{sv})", &id, &properties)) {
        g_hash_table_add(present, g_strdup(id));
        add(client, id, properties);
    }
    GHashTableIter old;
    gpointer key;
    g_hash_table_iter_init(&old, known);
    while (g_hash_table_iter_next(&old, &key, NULL)) {
        if (!g_hash_table_contains(present, key))
            g_ptr_array_add(gone, g_strdup(key));
    }
    for (guint i = 0; i < gone->len; i++)
        remove(client, gone->pdata[i]);
}

static void
take_extra_table(VitrineClient *client, GVariant *table)
{
    GVariantIter iter;
    const char *key, *value;
    g_hash_table_remove_all(client->extra_data);
    g_variant_iter_init(&iter, table);
    while (g_variant_iter_loop(&iter, "{&s&s}", &key, &value))
        g_hash_table_insert(client->extra_data, g_strdup(key), g_strdup(value));
}

void
client_take_objects(VitrineClient *client, GVariant *objects)
{
    g_autoptr(GVariant) properties = g_variant_get_child_value(objects, 0);
    g_autoptr(GVariant) extra = g_variant_get_child_value(objects, 1);
    g_autoptr(GVariant) machines = g_variant_get_child_value(objects, 2);
    g_autoptr(GVariant) media = g_variant_get_child_value(objects, 3);
    client_take_properties(client, properties);
    take_extra_table(client, extra);
    take_list(client, media, client->medium_by_id, client_add_medium, client_remove_medium);
    take_list(client, machines, client->machine_by_id, client_add_machine, client_remove_machine);
}
