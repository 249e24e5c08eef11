/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * getextradata and setextradata: keys and values of machines, or of all (global). Manual, chapter
 * VBoxManage. */
#include "app/manage/manage.h"

static bool
is_global(const char *name)
{
    return g_str_equal(name, "global");
}

/* Keys and values of a machine or of all; the caller's. */
static GHashTable *
load(Manage *manage, const char *name, GError **error)
{
    if (!is_global(name)) {
        VitrineMachine *machine = manage_machine(manage, name, error);
        return machine ? vitrine_machine_load_extra_data_sync(machine, NULL, error) : NULL;
    }
    VitrineClient *client = manage_client(manage, error);
    if (client == NULL)
        return NULL;
    GHashTable *table = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_autofree const char **keys = vitrine_client_list_extra_data(client);
    for (guint i = 0; keys[i]; i++)
        g_hash_table_insert(table, g_strdup(keys[i]),
                            g_strdup(vitrine_client_get_extra_data(client, keys[i])));
    return table;
}

static int
compare_texts(gconstpointer a, gconstpointer b)
{
    return g_strcmp0(a, b);
}

static bool
run_get(Manage *manage, ManageArgs *args, GError **error)
{
    static const ManageOption options[] = {{NULL}};
    const char *words[2];
    if (!manage_args_parse(args, options, NULL, words, 2, 2, error))
        return false;
    g_autoptr(GHashTable) table = load(manage, words[0], error);
    if (table == NULL)
        return false;
    if (!g_str_equal(words[1], "enumerate")) {
        const char *value = g_hash_table_lookup(table, words[1]);
        if (value)
            manage_print("Value: %s\n", value);
        else
            manage_print("No value set!\n");
        return true;
    }
    g_autoptr(GList) keys = g_list_sort(g_hash_table_get_keys(table), compare_texts);
    for (GList *at = keys; at; at = at->next)
        manage_print("Key: %s, Value: %s\n", (const char *)at->data,
                     (const char *)g_hash_table_lookup(table, at->data));
    return true;
}

static bool
run_set(Manage *manage, ManageArgs *args, GError **error)
{
    const char *name = manage_args_take(args);
    const char *key = manage_args_take(args);
    const char *value = manage_args_take(args);
    if (key == NULL || args->at < args->count) {
        g_set_error(error, MANAGE_SYNTAX_ERROR, 0,
                    key ? "Too many parameters" : "Not enough parameters");
        return false;
    }
    if (is_global(name)) {
        VitrineClient *client = manage_client(manage, error);
        return client && vitrine_client_set_extra_data_sync(client, key, value, NULL, error);
    }
    VitrineMachine *machine = manage_machine(manage, name, error);
    return machine && vitrine_machine_set_extra_data_sync(machine, key, value, NULL, error);
}

const ManageCommand manage_command_getextradata = {
    .name = "getextradata",
    .title = "Print extra data",
    .usage = "getextradata global|NAME|UUID KEY|enumerate\n",
    .about = "Prints the value of a key, or all keys and values.",
    .run = run_get,
};

const ManageCommand manage_command_setextradata = {
    .name = "setextradata",
    .title = "Set extra data",
    .usage = "setextradata global|NAME|UUID KEY [VALUE]\n",
    .about = "Sets a key to a value; without one, removes the key.",
    .run = run_set,
};
