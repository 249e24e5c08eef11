/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The actions on groups and on the order of the list: the same things that dragging does. */
#include "app/manager/manager-private.h"

#include "app/widgets/widget-actions.h"

#include <glib/gi18n.h>

static void
on_new_group(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    manager_list_new_group(manager_window_get_list(data));
}

static void
on_rename_group(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    manager_list_rename_group(manager_window_get_list(data));
}

static void
on_ungroup(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    manager_list_ungroup(manager_window_get_list(data));
}

static void
on_sort_group(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    manager_list_sort_group(manager_window_get_list(data));
}

static void
on_move_up(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    manager_list_step(manager_window_get_list(data), -1);
}

static void
on_move_down(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    manager_list_step(manager_window_get_list(data), 1);
}

static void
on_move_to_group(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    manager_list_move_to(manager_window_get_list(data), g_variant_get_string(parameter, NULL));
}

/* --- the menu of groups to move to --- */
static void
fill_move_menu(ManagerWindow *window)
{
    GMenu *menu = manager_window_get_move_menu(window);
    g_autoptr(GPtrArray) groups = manager_list_get_groups(manager_window_get_list(window));

    g_menu_remove_all(menu);
    for (guint i = 0; i < groups->len; i++) {
        const char *path = g_ptr_array_index(groups, i);
        g_autoptr(GMenuItem) item = g_menu_item_new(NULL, NULL);
        g_auto(GStrv) words = g_strsplit(path, "_", -1);
        g_autofree char *label = g_strjoinv("__", words); /* not a mnemonic */
        g_menu_item_set_label(item, i == 0 ? _("No group") : label + 1);
        g_menu_item_set_action_and_target(item, "win.move-to-group", "s", path);
        g_menu_append_item(menu, item);
    }
}

void
manager_window_update_group_actions(ManagerWindow *window)
{
    ManagerList *list = manager_window_get_list(window);
    GActionMap *map = G_ACTION_MAP(window);
    gboolean machine = manager_window_get_machine(window) != NULL;
    gboolean accessible =
        machine && vitrine_machine_get_accessible(manager_window_get_machine(window));
    g_autofree char *group =
        manager_window_get_client(window) ? manager_list_get_group(list) : NULL;

    widget_action_enable(map, "new-group", accessible || group);
    widget_action_enable(map, "rename-group", group != NULL);
    widget_action_enable(map, "ungroup", group != NULL);
    widget_action_enable(map, "sort-group", machine || group);
    widget_action_enable(map, "move-up", machine || group);
    widget_action_enable(map, "move-down", machine || group);
    widget_action_enable(map, "move-to-group", accessible || group);
    fill_move_menu(window);
}

void
manager_window_add_group_actions(ManagerWindow *window)
{
    static const GActionEntry entries[] = {
        {.name = "new-group", .activate = on_new_group},
        {.name = "rename-group", .activate = on_rename_group},
        {.name = "ungroup", .activate = on_ungroup},
        {.name = "sort-group", .activate = on_sort_group},
        {.name = "move-up", .activate = on_move_up},
        {.name = "move-down", .activate = on_move_down},
        {.name = "move-to-group", .activate = on_move_to_group, .parameter_type = "s"},
    };

    g_action_map_add_action_entries(G_ACTION_MAP(window), entries, G_N_ELEMENTS(entries), window);
}
