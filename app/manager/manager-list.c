/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The list of machines: a row for each node of the tree of groups, in its order. */
#include "app/manager/manager-list-private.h"

#include "app/manager/group-row.h"
#include "app/manager/machine-row.h"
#include "app/widgets/widget-window.h"

#include <glib/gi18n.h>

#define INDENT 18
#define NODE_DATA "vitrine-node"

G_DEFINE_FINAL_TYPE(ManagerList, manager_list, GTK_TYPE_LIST_BOX)

enum { SIGNAL_GROUPS_CHANGED, SIGNAL_PROBLEM, SIGNAL_COUNT };

/* Set once by class_init. */
static guint signals[SIGNAL_COUNT];

/* --- rows and nodes --- */
GroupNode *
manager_list_node(ManagerList *list, GtkListBoxRow *row)
{
    return row ? g_object_get_data(G_OBJECT(row), NODE_DATA) : NULL;
}

GroupNode *
manager_list_selected(ManagerList *list)
{
    return manager_list_node(list, gtk_list_box_get_selected_row(GTK_LIST_BOX(list)));
}

/* What a row is found by: machines keep theirs when they move. */
static char *
row_key(const GroupNode *node)
{
    return node->group ? group_node_path(node) : g_strdup(node->name);
}

GtkListBoxRow *
manager_list_row(ManagerList *list, const GroupNode *node)
{
    g_autofree char *key = node ? row_key(node) : NULL;

    return key ? g_hash_table_lookup(list->rows, key) : NULL;
}

VitrineMachine *
manager_list_machine(ManagerList *list, const GroupNode *node)
{
    return node && !node->group ? vitrine_client_find_machine(list->client, node->name) : NULL;
}

/* --- the rows follow the tree --- */
static void
on_toggled(GroupRow *row, ManagerList *list)
{
    gtk_list_box_select_row(GTK_LIST_BOX(list), GTK_LIST_BOX_ROW(row));
    manager_list_toggle_group(list);
}

static GtkWidget *
make_row(ManagerList *list, const GroupNode *node)
{
    GtkWidget *row;

    if (!node->group)
        return machine_row_new(manager_list_machine(list, node));
    row = group_row_new();
    g_signal_connect(row, "toggled", G_CALLBACK(on_toggled), list);
    return row;
}

/* old: rows that were there, by key; those that are still wanted go back to list->rows. */
static void
show_node(ManagerList *list, GroupNode *node, GHashTable *old)
{
    char *key = row_key(node), *old_key = NULL;
    GtkWidget *row = NULL;

    if (!g_hash_table_steal_extended(old, key, (gpointer *)&old_key, (gpointer *)&row)) {
        row = make_row(list, node);
        gtk_container_add(GTK_CONTAINER(list), row);
    }
    g_free(old_key);
    g_object_set_data(G_OBJECT(row), NODE_DATA, node);
    gtk_widget_set_margin_start(gtk_bin_get_child(GTK_BIN(row)), (int)node->depth * INDENT);
    if (node->group) {
        g_autoptr(GPtrArray) machines = group_node_machines(node);
        group_row_show(GROUP_ROW(row), node->name, machines->len, node->closed);
    }
    g_hash_table_replace(list->rows, key, row);
}

static void
show_children(ManagerList *list, GroupNode *group, GHashTable *old)
{
    for (guint i = 0; i < group->children->len; i++) {
        GroupNode *node = g_ptr_array_index(group->children, i);
        show_node(list, node, old);
        if (node->group)
            show_children(list, node, old);
    }
}

void
manager_list_show_tree(ManagerList *list)
{
    g_autoptr(GHashTable) old = list->rows;
    GHashTableIter iter;
    gpointer row;

    list->rows = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    group_tree_number(list->tree);
    show_children(list, group_tree_root(list->tree), old);
    g_hash_table_iter_init(&iter, old);
    while (g_hash_table_iter_next(&iter, NULL, &row)) {
        g_object_set_data(G_OBJECT(row), NODE_DATA, NULL);
        gtk_widget_destroy(row);
    }
    gtk_list_box_invalidate_sort(GTK_LIST_BOX(list));
    gtk_list_box_invalidate_filter(GTK_LIST_BOX(list));
    g_signal_emit(list, signals[SIGNAL_GROUPS_CHANGED], 0);
}

void
manager_list_changed(ManagerList *list, GroupNode *keep)
{
    GtkListBoxRow *row;

    group_tree_prune(list->tree);
    manager_list_show_tree(list);
    row = manager_list_row(list, keep);
    if (row) {
        gtk_list_box_select_row(GTK_LIST_BOX(list), row);
        gtk_widget_grab_focus(GTK_WIDGET(row));
    }
    manager_list_store(list);
}

void
manager_list_problem(ManagerList *list, const GError *error)
{
    g_autofree char *text = g_strdup_printf(_("The groups were not saved. %s"), error->message);

    g_signal_emit(list, signals[SIGNAL_PROBLEM], 0, text);
}

/* --- order and search --- */
static int
compare_rows(GtkListBoxRow *a, GtkListBoxRow *b, gpointer data)
{
    GroupNode *first = manager_list_node(data, a), *second = manager_list_node(data, b);

    return first && second ? (int)first->order - (int)second->order : 0;
}

/* While searching the groups are out of the way: all that fit are shown. */
static gboolean
filter(GtkListBoxRow *row, gpointer data)
{
    ManagerList *list = data;
    GroupNode *node = manager_list_node(list, row);

    if (!node)
        return FALSE;
    if (!list->search || *list->search == '\0')
        return !group_node_is_hidden(node);
    return !node->group && machine_row_matches(MACHINE_ROW(row), list->search);
}

void
manager_list_set_search(ManagerList *list, const char *text)
{
    g_free(list->search);
    list->search = g_strdup(text);
    gtk_list_box_invalidate_filter(GTK_LIST_BOX(list));
}

/* --- what is selected --- */
VitrineMachine *
manager_list_get_machine(ManagerList *list)
{
    return manager_list_machine(list, manager_list_selected(list));
}

GPtrArray *
manager_list_get_machines(ManagerList *list)
{
    GPtrArray *machines = g_ptr_array_new_with_free_func(g_object_unref);
    GroupNode *node = manager_list_selected(list);
    g_autoptr(GPtrArray) ids = node && node->group ? group_node_machines(node) : g_ptr_array_new();

    if (node && !node->group)
        g_ptr_array_add(ids, node->name);
    for (guint i = 0; i < ids->len; i++) {
        VitrineMachine *machine =
            vitrine_client_find_machine(list->client, g_ptr_array_index(ids, i));
        if (machine)
            g_ptr_array_add(machines, g_object_ref(machine));
    }
    return machines;
}

char *
manager_list_get_group(ManagerList *list)
{
    GroupNode *node = manager_list_selected(list);

    return node && node->group ? group_node_path(node) : NULL;
}

static void
gather_groups(const GroupNode *group, GPtrArray *paths)
{
    g_ptr_array_add(paths, group_node_path(group));
    for (guint i = 0; i < group->children->len; i++) {
        const GroupNode *child = g_ptr_array_index(group->children, i);
        if (child->group)
            gather_groups(child, paths);
    }
}

GPtrArray *
manager_list_get_groups(ManagerList *list)
{
    GPtrArray *paths = g_ptr_array_new_with_free_func(g_free);

    if (list->tree)
        gather_groups(group_tree_root(list->tree), paths);
    return paths;
}

/* --- keys --- */
static gboolean
manager_list_key_press(GtkWidget *widget, GdkEventKey *event)
{
    ManagerList *list = MANAGER_LIST(widget);
    GroupNode *node = manager_list_selected(list);
    gboolean plain = (event->state & gtk_accelerator_get_default_mod_mask()) == 0;
    gboolean rtl = gtk_widget_get_direction(widget) == GTK_TEXT_DIR_RTL;
    gboolean open = event->keyval == (rtl ? GDK_KEY_Left : GDK_KEY_Right);
    gboolean close = event->keyval == (rtl ? GDK_KEY_Right : GDK_KEY_Left);

    if (plain && node && node->group && (node->closed ? open : close))
        return manager_list_toggle_group(list);
    if (plain && node && close && node->parent->parent) { /* to the group that it is in */
        GtkListBoxRow *row = manager_list_row(list, node->parent);
        gtk_list_box_select_row(GTK_LIST_BOX(list), row);
        gtk_widget_grab_focus(GTK_WIDGET(row));
        return GDK_EVENT_STOP;
    }
    if (plain &&
        event->keyval == GDK_KEY_space) /* selects; a start is Enter's or a double click's */
        return GDK_EVENT_STOP;
    return GTK_WIDGET_CLASS(manager_list_parent_class)->key_press_event(widget, event);
}

/* --- the client --- */
static void
on_machine_groups(VitrineMachine *machine, GParamSpec *property, ManagerList *list)
{
    manager_list_reload_later(list);
}

static void
on_machine_state(VitrineMachine *machine, GParamSpec *property, ManagerList *list)
{
    VitrineMachineState state = vitrine_machine_get_state(machine);
    g_autofree char *text = NULL;

    if (state != VITRINE_MACHINE_STATE_ABORTED && state != VITRINE_MACHINE_STATE_ABORTED_SAVED)
        return;
    text = g_strdup_printf(_("“%s” has ended without being switched off. Its log may tell why."),
                           vitrine_machine_get_name(machine));
    g_signal_emit(list, signals[SIGNAL_PROBLEM], 0, text);
}

static void
follow(ManagerList *list, VitrineMachine *machine)
{
    g_signal_connect_object(machine, "notify::state", G_CALLBACK(on_machine_state), list, 0);
    g_signal_connect_object(machine, "notify::groups", G_CALLBACK(on_machine_groups), list, 0);
}

/* Selects the row, also one in a closed group. */
static void
select_machine(ManagerList *list, const char *id)
{
    GroupNode *node = id ? group_tree_find_machine(list->tree, id) : NULL;

    while (node && group_node_is_hidden(node))
        node = node->parent;
    gtk_list_box_select_row(GTK_LIST_BOX(list),
                            node ? manager_list_row(list, node)
                                 : gtk_list_box_get_row_at_index(GTK_LIST_BOX(list), 0));
}

static void
on_machine_added(VitrineClient *client, VitrineMachine *machine, ManagerList *list)
{
    follow(list, machine);
    manager_list_load_tree(list);
    manager_list_show_tree(list);
    select_machine(list, vitrine_machine_get_id(machine));
}

static void
on_machine_removed(VitrineClient *client, VitrineMachine *machine, ManagerList *list)
{
    GtkListBoxRow *selected = gtk_list_box_get_selected_row(GTK_LIST_BOX(list));
    int index = selected ? gtk_list_box_row_get_index(selected) : 0;

    g_signal_handlers_disconnect_by_data(machine, list);
    manager_list_load_tree(list);
    manager_list_show_tree(list);
    if (!gtk_list_box_get_selected_row(GTK_LIST_BOX(list)))
        gtk_list_box_select_row(GTK_LIST_BOX(list), gtk_list_box_get_row_at_index(
                                                        GTK_LIST_BOX(list), MAX(index - 1, 0)));
}

static void
on_extra_data(VitrineClient *client, const char *machine_id, const char *key, const char *value,
              ManagerList *list)
{
    if (*machine_id == '\0' && g_str_has_prefix(key, GROUP_TREE_KEY "/"))
        manager_list_reload_later(list);
}

void
manager_list_set_client(ManagerList *list, VitrineClient *client, const char *select)
{
    GListModel *machines = vitrine_client_get_machines(client);

    list->client = g_object_ref(client);
    for (guint i = 0; i < g_list_model_get_n_items(machines); i++) {
        g_autoptr(VitrineMachine) machine = g_list_model_get_item(machines, i);
        follow(list, machine);
    }
    g_signal_connect_object(client, "machine-added", G_CALLBACK(on_machine_added), list, 0);
    g_signal_connect_object(client, "machine-removed", G_CALLBACK(on_machine_removed), list, 0);
    g_signal_connect_object(client, "extra-data-changed", G_CALLBACK(on_extra_data), list, 0);
    manager_list_load_tree(list);
    manager_list_show_tree(list);
    select_machine(list, select);
}

/* --- life --- */
static void
manager_list_dispose(GObject *object)
{
    ManagerList *list = MANAGER_LIST(object);

    g_clear_handle_id(&list->reload, g_source_remove);
    g_clear_object(&list->client);
    G_OBJECT_CLASS(manager_list_parent_class)->dispose(object);
}

static void
manager_list_finalize(GObject *object)
{
    ManagerList *list = MANAGER_LIST(object);

    g_clear_pointer(&list->rows, g_hash_table_unref);
    g_clear_pointer(&list->tree, group_tree_free);
    g_free(list->search);
    G_OBJECT_CLASS(manager_list_parent_class)->finalize(object);
}

static void
manager_list_class_init(ManagerListClass *class)
{
    G_OBJECT_CLASS(class)->dispose = manager_list_dispose;
    G_OBJECT_CLASS(class)->finalize = manager_list_finalize;
    GTK_WIDGET_CLASS(class)->key_press_event = manager_list_key_press;
    signals[SIGNAL_GROUPS_CHANGED] =
        g_signal_new("groups-changed", MANAGER_TYPE_LIST, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                     G_TYPE_NONE, 0);
    signals[SIGNAL_PROBLEM] = g_signal_new("problem", MANAGER_TYPE_LIST, G_SIGNAL_RUN_LAST, 0, NULL,
                                           NULL, NULL, G_TYPE_NONE, 1, G_TYPE_STRING);
}

static void
manager_list_init(ManagerList *list)
{
    list->rows = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    gtk_list_box_set_filter_func(GTK_LIST_BOX(list), filter, list, NULL);
    gtk_list_box_set_sort_func(GTK_LIST_BOX(list), compare_rows, list, NULL);
    manager_list_setup_drag(list);
    widget_list_tab_passes(GTK_LIST_BOX(list));
}
