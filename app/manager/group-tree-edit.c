/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Changes of a GroupTree: new groups, names, moves. */
#include "app/manager/group-tree-private.h"

#include <glib/gi18n.h>
#include <string.h>

static guint
index_of(const GroupNode *node)
{
    guint index = 0;

    g_ptr_array_find(node->parent->children, node, &index);
    return index;
}

/* Out of its parent; the caller's then. */
static GroupNode *
take(GroupNode *node)
{
    return g_ptr_array_steal_index(node->parent->children, index_of(node));
}

static gboolean
is_inside(const GroupNode *node, const GroupNode *ancestor)
{
    for (; node; node = node->parent) {
        if (node == ancestor)
            return TRUE;
    }
    return FALSE;
}

/* "Name", "Name 2" … that no other group in there has. */
static char *
free_name(const GroupNode *group, const char *wanted, const GroupNode *self)
{
    char *name = g_strdup(wanted);
    const GroupNode *other;

    for (guint i = 2; (other = group_node_find_group(group, name)) && other != self; i++) {
        g_free(name);
        name = g_strdup_printf("%s %u", wanted, i);
    }
    return name;
}

static void
insert_unique(GroupNode *group, GroupNode *node, guint index)
{
    if (node->group) {
        char *name = free_name(group, node->name, node);
        g_free(node->name);
        node->name = name;
    }
    group_node_insert(group, node, index);
}

GroupNode *
group_tree_new_group(GroupTree *tree, GroupNode *node, const char *name)
{
    GroupNode *parent = node->parent;
    guint index = index_of(node);
    GroupNode *group = group_node_new(TRUE, name);

    take(node);
    insert_unique(parent, group, index);
    group_node_insert(group, node, 0);
    return group;
}

const char *
group_node_name_problem(const GroupNode *group, const char *name)
{
    const GroupNode *other;

    if (*name == '\0')
        return _("Give the group a name.");
    if (strpbrk(name, "/\\:*?\"<>,=|") || g_str_equal(name, ".") || g_str_equal(name, ".."))
        return _("A group is also a folder: its name cannot have / \\ : * ? \" < > , = | in it.");
    if (*name == ' ' || g_str_has_suffix(name, " "))
        return _("The name begins or ends with a space.");
    other = group_node_find_group(group->parent, name);
    return other && other != group ? _("There is a group of this name already.") : NULL;
}

void
group_node_rename(GroupNode *group, const char *name)
{
    char *copy = g_strdup(name);

    g_free(group->name);
    group->name = copy;
}

void
group_tree_ungroup(GroupTree *tree, GroupNode *group)
{
    GroupNode *parent = group->parent;
    guint index = index_of(group);

    take(group);
    while (group->children->len > 0)
        insert_unique(parent, g_ptr_array_steal_index(group->children, 0), index++);
    group_node_free(group);
}

gboolean
group_tree_move(GroupTree *tree, GroupNode *node, GroupNode *group, guint index)
{
    if (is_inside(group, node))
        return FALSE;
    if (node->parent == group && index_of(node) < index && index != G_MAXUINT)
        index--;
    take(node);
    insert_unique(group, node, index);
    return TRUE;
}

gboolean
group_tree_step(GroupTree *tree, GroupNode *node, int step)
{
    GroupNode *parent = node->parent, *neighbour;
    guint index = index_of(node);
    gboolean edge = step < 0 ? index == 0 : index + 1 == parent->children->len;

    if (edge && !parent->parent)
        return FALSE;
    if (edge)
        return group_tree_move(tree, node, parent->parent, index_of(parent) + (step > 0 ? 1 : 0));
    neighbour = g_ptr_array_index(parent->children, step < 0 ? index - 1 : index + 1);
    if (neighbour->group && !neighbour->closed)
        return group_tree_move(tree, node, neighbour, step < 0 ? G_MAXUINT : 0);
    return group_tree_move(tree, node, parent, step < 0 ? index - 1 : index + 2);
}

/* --- sorting --- */
typedef struct {
    GCompareDataFunc compare;
    gpointer data;
} Order;

static int
compare_nodes(gconstpointer a, gconstpointer b, gpointer data)
{
    const GroupNode *first = *(GroupNode *const *)a, *second = *(GroupNode *const *)b;
    const Order *order = data;

    if (first->group != second->group)
        return first->group ? -1 : 1;
    return first->group ? g_utf8_collate(first->name, second->name)
                        : order->compare(first->name, second->name, order->data);
}

void
group_node_sort(GroupNode *group, GCompareDataFunc compare, gpointer data)
{
    Order order = {compare, data};

    g_ptr_array_sort_with_data(group->children, compare_nodes, &order);
}
