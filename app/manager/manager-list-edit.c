/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What a person does to groups: make, name, dissolve, sort, move, open and close. */
#include "app/manager/manager-list-private.h"

#include <glib/gi18n.h>

/* --- names --- */
typedef struct {
    ManagerList *list;
    char *path; /* of the group: the tree may be made anew meanwhile */
    GtkWidget *popover, *entry, *problem, *button;
} Naming;

static void
naming_free(gpointer data)
{
    Naming *naming = data;

    g_free(naming->path);
    g_free(naming);
}

static GroupNode *
named_group(Naming *naming)
{
    GtkListBoxRow *row = g_hash_table_lookup(naming->list->rows, naming->path);

    return manager_list_node(naming->list, row);
}

static void
on_name_changed(GtkEditable *editable, Naming *naming)
{
    GroupNode *group = named_group(naming);
    const char *name = gtk_entry_get_text(GTK_ENTRY(naming->entry));
    const char *problem = group ? group_node_name_problem(group, name) : NULL;

    gtk_label_set_text(GTK_LABEL(naming->problem), problem ? problem : "");
    gtk_widget_set_visible(naming->problem, problem != NULL);
    gtk_widget_set_sensitive(naming->button, group && !problem);
    gtk_widget_set_tooltip_text(naming->button, problem);
}

static void
on_name_given(GtkWidget *widget, Naming *naming)
{
    ManagerList *list = naming->list; /* naming goes with the popover */
    GroupNode *group = named_group(naming);
    const char *name = gtk_entry_get_text(GTK_ENTRY(naming->entry));

    if (!group || group_node_name_problem(group, name))
        return;
    group_node_rename(group, name);
    gtk_popover_popdown(GTK_POPOVER(naming->popover));
    manager_list_changed(list, group);
}

static GtkWidget *
naming_box(Naming *naming)
{
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 6);
    GtkWidget *line = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 6);
    GtkWidget *label = gtk_label_new_with_mnemonic(_("Group _name"));

    naming->entry = gtk_entry_new();
    naming->button = gtk_button_new_with_mnemonic(_("Re_name"));
    naming->problem = gtk_label_new(NULL);
    gtk_label_set_mnemonic_widget(GTK_LABEL(label), naming->entry);
    atk_object_set_name(gtk_widget_get_accessible(naming->entry), _("Group name"));
    gtk_label_set_xalign(GTK_LABEL(label), 0);
    gtk_label_set_xalign(GTK_LABEL(naming->problem), 0);
    gtk_label_set_line_wrap(GTK_LABEL(naming->problem), TRUE);
    gtk_label_set_max_width_chars(GTK_LABEL(naming->problem), 36);
    gtk_widget_set_no_show_all(naming->problem, TRUE);
    gtk_style_context_add_class(gtk_widget_get_style_context(naming->problem), "error");
    gtk_style_context_add_class(gtk_widget_get_style_context(naming->button), "suggested-action");
    gtk_box_pack_start(GTK_BOX(line), naming->entry, TRUE, TRUE, 0);
    gtk_box_pack_start(GTK_BOX(line), naming->button, FALSE, FALSE, 0);
    gtk_container_add(GTK_CONTAINER(box), label);
    gtk_container_add(GTK_CONTAINER(box), line);
    gtk_container_add(GTK_CONTAINER(box), naming->problem);
    gtk_container_set_border_width(GTK_CONTAINER(box), 12);
    gtk_widget_show_all(box);
    return box;
}

void
manager_list_rename_group(ManagerList *list)
{
    GroupNode *group = manager_list_selected(list);
    GtkListBoxRow *row = group && group->group ? manager_list_row(list, group) : NULL;
    Naming *naming;

    if (!row)
        return;
    naming = g_new0(Naming, 1);
    naming->list = list;
    naming->path = group_node_path(group);
    naming->popover = gtk_popover_new(GTK_WIDGET(row));
    gtk_popover_set_position(GTK_POPOVER(naming->popover), GTK_POS_BOTTOM);
    gtk_container_add(GTK_CONTAINER(naming->popover), naming_box(naming));
    gtk_entry_set_text(GTK_ENTRY(naming->entry), group->name);
    g_signal_connect(naming->entry, "changed", G_CALLBACK(on_name_changed), naming);
    g_signal_connect(naming->entry, "activate", G_CALLBACK(on_name_given), naming);
    g_signal_connect(naming->button, "clicked", G_CALLBACK(on_name_given), naming);
    g_signal_connect(naming->popover, "closed", G_CALLBACK(gtk_widget_destroy), NULL);
    g_object_set_data_full(G_OBJECT(naming->popover), "naming", naming, naming_free);
    gtk_popover_popup(GTK_POPOVER(naming->popover));
    gtk_widget_grab_focus(naming->entry);
}

/* --- groups --- */
void
manager_list_new_group(ManagerList *list)
{
    GroupNode *node = manager_list_selected(list);
    GroupNode *group = node ? group_tree_new_group(list->tree, node, _("New group")) : NULL;

    if (!group)
        return;
    manager_list_changed(list, group);
    manager_list_rename_group(list);
}

void
manager_list_ungroup(ManagerList *list)
{
    GroupNode *group = manager_list_selected(list), *first;

    if (!group || !group->group)
        return;
    first = g_ptr_array_index(group->children, 0);
    group_tree_ungroup(list->tree, group);
    manager_list_changed(list, first);
}

static int
compare_machines(gconstpointer a, gconstpointer b, gpointer client)
{
    VitrineMachine *first = vitrine_client_find_machine(client, a);
    VitrineMachine *second = vitrine_client_find_machine(client, b);

    return first && second
               ? g_utf8_collate(vitrine_machine_get_name(first), vitrine_machine_get_name(second))
               : 0;
}

void
manager_list_sort_group(ManagerList *list)
{
    GroupNode *node = manager_list_selected(list);

    if (!node)
        return;
    group_node_sort(node->group ? node : node->parent, compare_machines, list->client);
    manager_list_changed(list, node);
}

void
manager_list_step(ManagerList *list, int step)
{
    GroupNode *node = manager_list_selected(list);

    if (node && group_tree_step(list->tree, node, step))
        manager_list_changed(list, node);
}

void
manager_list_move_to(ManagerList *list, const char *path)
{
    GroupNode *node = manager_list_selected(list);
    GtkListBoxRow *row = g_hash_table_lookup(list->rows, path);
    GroupNode *group =
        g_str_equal(path, "/") ? group_tree_root(list->tree) : manager_list_node(list, row);

    if (node && group && group_tree_move(list->tree, node, group, G_MAXUINT))
        manager_list_changed(list, node);
}

gboolean
manager_list_toggle_group(ManagerList *list)
{
    GroupNode *group = manager_list_selected(list);

    if (!group || !group->group)
        return FALSE;
    group->closed = !group->closed;
    manager_list_changed(list, group);
    return TRUE;
}
