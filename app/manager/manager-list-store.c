/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Groups and order at the service: reading, and writing what differs. A machine's group is in its
 * own settings, the order in the global extra data. */
#include "app/manager/manager-list-private.h"

#include <string.h>

static const char *
look_up(const char *key, gpointer client)
{
    return vitrine_client_get_extra_data(client, key);
}

static int
compare_names(gconstpointer a, gconstpointer b)
{
    return g_utf8_collate(vitrine_machine_get_name(*(VitrineMachine *const *)a),
                          vitrine_machine_get_name(*(VitrineMachine *const *)b));
}

/* Machines that the definitions do not know come last, by name. */
static GPtrArray *
sorted_machines(VitrineClient *client)
{
    GListModel *machines = vitrine_client_get_machines(client);
    GPtrArray *sorted = g_ptr_array_new_with_free_func(g_object_unref);

    for (guint i = 0; i < g_list_model_get_n_items(machines); i++)
        g_ptr_array_add(sorted, g_list_model_get_item(machines, i));
    g_ptr_array_sort(sorted, compare_names);
    return sorted;
}

void
manager_list_load_tree(ManagerList *list)
{
    g_autoptr(GPtrArray) machines = sorted_machines(list->client);

    list->dragged = NULL; /* a node of the old tree */
    g_clear_pointer(&list->tree, group_tree_free);
    list->tree = group_tree_new();
    group_tree_load(list->tree, look_up, list->client);
    for (guint i = 0; i < machines->len; i++) {
        VitrineMachine *machine = g_ptr_array_index(machines, i);
        group_tree_place(list->tree, vitrine_machine_get_id(machine),
                         vitrine_machine_get_groups(machine)[0]);
    }
    group_tree_prune(list->tree);
}

static gboolean
on_reload(gpointer data)
{
    ManagerList *list = data;

    list->reload = 0;
    if (list->pending || list->dragged)
        return G_SOURCE_REMOVE; /* comes again at the end of them */
    manager_list_load_tree(list);
    manager_list_show_tree(list);
    return G_SOURCE_REMOVE;
}

void
manager_list_reload_later(ManagerList *list)
{
    if (!list->reload)
        list->reload = g_idle_add(on_reload, list);
}

/* --- writing --- */
static void
begin(ManagerList *list)
{
    list->pending++;
}

/* The last answer reads back what has become of it: nothing new when all went well. */
static void
end(ManagerList *list)
{
    list->pending--;
    if (!list->pending && list->client)
        manager_list_reload_later(list);
}

static void
on_defined(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(ManagerList) list = data;
    g_autoptr(GError) error = NULL;

    if (!vitrine_client_set_extra_data_finish(VITRINE_CLIENT(source), result, &error))
        manager_list_problem(list, error);
    end(list);
}

static void
define(ManagerList *list, const char *key, const char *value)
{
    const char *old = vitrine_client_get_extra_data(list->client, key);

    if (g_strcmp0(old ? old : "", value) == 0)
        return;
    begin(list);
    vitrine_client_set_extra_data_async(list->client, key, value, NULL, on_defined,
                                        g_object_ref(list));
}

static void
on_grouped(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(ManagerList) list = data;
    g_autoptr(GError) error = NULL;

    if (!vitrine_machine_save_settings_finish(VITRINE_MACHINE(source), result, &error))
        manager_list_problem(list, error);
    end(list);
}

/* The first of a machine's groups is the one that it is shown in; others are kept. */
static void
set_group(VitrineSettings *settings, const char *path)
{
    const char *const *old = vitrine_settings_get_groups(settings);
    g_autoptr(GPtrArray) groups = g_ptr_array_new();

    g_ptr_array_add(groups, (gpointer)path);
    for (guint i = 1; old[0] && old[i]; i++) {
        if (!g_str_equal(old[i], path))
            g_ptr_array_add(groups, (gpointer)old[i]);
    }
    g_ptr_array_add(groups, NULL);
    vitrine_settings_set_groups(settings, (const char *const *)groups->pdata);
}

static void
on_group_settings(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(ManagerList) list = data;
    VitrineMachine *machine = VITRINE_MACHINE(source);
    g_autoptr(VitrineSettings) settings =
        vitrine_machine_load_settings_finish(machine, result, NULL);
    GroupNode *node =
        list->tree ? group_tree_find_machine(list->tree, vitrine_machine_get_id(machine)) : NULL;
    g_autofree char *path = node ? group_node_path(node) : NULL;

    if (settings && path) {
        set_group(settings, path);
        vitrine_machine_save_settings_async(machine, settings, NULL, on_grouped,
                                            g_object_ref(list));
    } else {
        end(list);
    }
}

static void
store_groups(ManagerList *list)
{
    g_autoptr(GPtrArray) ids = group_node_machines(group_tree_root(list->tree));

    for (guint i = 0; i < ids->len; i++) {
        GroupNode *node = group_tree_find_machine(list->tree, g_ptr_array_index(ids, i));
        VitrineMachine *machine = manager_list_machine(list, node);
        g_autofree char *path = group_node_path(node);
        if (!machine || !vitrine_machine_get_accessible(machine) ||
            g_str_equal(vitrine_machine_get_groups(machine)[0], path))
            continue;
        begin(list);
        vitrine_machine_load_settings_async(machine, NULL, on_group_settings, g_object_ref(list));
    }
}

void
manager_list_store(ManagerList *list)
{
    g_autoptr(GHashTable) wanted = group_tree_definitions(list->tree);
    g_autofree const char **present = vitrine_client_list_extra_data(list->client);
    GHashTableIter iter;
    gpointer key, value;

    begin(list); /* so that nothing is read back in between */
    store_groups(list);
    for (guint i = 0; present[i]; i++) {
        if (g_str_has_prefix(present[i], GROUP_TREE_KEY "/") &&
            !g_hash_table_contains(wanted, present[i]))
            define(list, present[i], "");
    }
    g_hash_table_iter_init(&iter, wanted);
    while (g_hash_table_iter_next(&iter, &key, &value))
        define(list, key, value);
    end(list);
}
