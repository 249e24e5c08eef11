/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Groups of machines as a tree: reading, writing, finding. group-tree-edit.c changes it. */
#include "app/manager/group-tree-private.h"

#include <string.h>

#define DEPTH_LIMIT 16 /* a definition that names itself ends somewhere */

GroupNode *
group_node_new(gboolean group, const char *name)
{
    GroupNode *node = g_new0(GroupNode, 1);

    node->name = g_strdup(name);
    node->group = group;
    if (group)
        node->children = g_ptr_array_new_with_free_func(group_node_free);
    return node;
}

void
group_node_free(gpointer data)
{
    GroupNode *node = data;

    if (!node)
        return;
    g_clear_pointer(&node->children, g_ptr_array_unref);
    g_free(node->name);
    g_free(node);
}

void
group_node_insert(GroupNode *group, GroupNode *node, guint index)
{
    node->parent = group;
    g_ptr_array_insert(group->children, index < group->children->len ? (int)index : -1, node);
}

GroupNode *
group_node_find_group(const GroupNode *group, const char *name)
{
    for (guint i = 0; i < group->children->len; i++) {
        GroupNode *child = g_ptr_array_index(group->children, i);
        if (child->group && g_str_equal(child->name, name))
            return child;
    }
    return NULL;
}

GroupTree *
group_tree_new(void)
{
    GroupTree *tree = g_new0(GroupTree, 1);

    tree->root = group_node_new(TRUE, "");
    tree->placed = g_hash_table_new(g_str_hash, g_str_equal);
    return tree;
}

void
group_tree_free(GroupTree *tree)
{
    if (!tree)
        return;
    g_hash_table_unref(tree->placed);
    group_node_free(tree->root);
    g_free(tree);
}

GroupNode *
group_tree_root(GroupTree *tree)
{
    return tree->root;
}

/* --- names --- */
char *
group_node_path(const GroupNode *node)
{
    GString *path = g_string_new(NULL);

    for (; node && node->parent; node = node->parent) {
        if (!node->group)
            continue;
        g_string_prepend(path, node->name);
        g_string_prepend_c(path, '/');
    }
    if (path->len == 0)
        g_string_append_c(path, '/');
    return g_string_free(path, FALSE);
}

static char *
group_key(const GroupNode *group)
{
    g_autofree char *path = group_node_path(group);

    return g_strconcat(GROUP_TREE_KEY, path, NULL);
}

/* --- reading --- */
static void
load_group(GroupNode *group, GroupTreeLookup lookup, gpointer data, guint depth)
{
    g_autofree char *key = group_key(group);
    const char *value = lookup(key, data);
    g_auto(GStrv) items = value && depth < DEPTH_LIMIT ? g_strsplit(value, ",", -1) : NULL;

    for (char **item = items; item && *item; item++) {
        gboolean open = g_str_has_prefix(*item, "go=");
        GroupNode *node = NULL;
        if (open || g_str_has_prefix(*item, "gc="))
            node = group_node_new(TRUE, *item + 3);
        else if (g_str_has_prefix(*item, "m="))
            node = group_node_new(FALSE, *item + 2);
        if (!node)
            continue;
        if (*node->name == '\0' || (node->group && group_node_find_group(group, node->name))) {
            group_node_free(node);
            continue;
        }
        node->closed = node->group && !open;
        group_node_insert(group, node, G_MAXUINT);
        if (node->group)
            load_group(node, lookup, data, depth + 1);
    }
}

void
group_tree_load(GroupTree *tree, GroupTreeLookup lookup, gpointer data)
{
    load_group(tree->root, lookup, data, 0);
}

static GroupNode *
ensure_group(GroupTree *tree, const char *path)
{
    g_auto(GStrv) names = g_strsplit(path, "/", -1);
    GroupNode *group = tree->root;

    for (char **name = names; *name; name++) {
        GroupNode *next;
        if (**name == '\0')
            continue;
        next = group_node_find_group(group, *name);
        if (!next) {
            next = group_node_new(TRUE, *name);
            group_node_insert(group, next, G_MAXUINT);
        }
        group = next;
    }
    return group;
}

void
group_tree_place(GroupTree *tree, const char *id, const char *path)
{
    GroupNode *group = ensure_group(tree, path), *node = NULL;

    for (guint i = 0; i < group->children->len && !node; i++) {
        GroupNode *child = g_ptr_array_index(group->children, i);
        if (!child->group && g_str_equal(child->name, id))
            node = child;
    }
    if (!node) {
        node = group_node_new(FALSE, id);
        group_node_insert(group, node, G_MAXUINT);
    }
    g_hash_table_replace(tree->placed, node->name, node);
}

static void
prune_group(GroupTree *tree, GroupNode *group)
{
    for (guint i = group->children->len; i-- > 0;) {
        GroupNode *child = g_ptr_array_index(group->children, i);
        gboolean keep;
        if (child->group)
            prune_group(tree, child);
        keep = child->group ? child->children->len > 0
                            : g_hash_table_lookup(tree->placed, child->name) == child;
        if (!keep)
            g_ptr_array_remove_index(group->children, i);
    }
}

void
group_tree_prune(GroupTree *tree)
{
    prune_group(tree, tree->root);
}

/* --- writing --- */
static void
define_group(GHashTable *table, const GroupNode *group)
{
    GString *value = g_string_new(NULL);

    for (guint i = 0; i < group->children->len; i++) {
        const GroupNode *child = g_ptr_array_index(group->children, i);
        g_string_append_printf(value, "%s%s=%s", i ? "," : "",
                               !child->group   ? "m"
                               : child->closed ? "gc"
                                               : "go",
                               child->name);
        if (child->group)
            define_group(table, child);
    }
    g_hash_table_replace(table, group_key(group), g_string_free(value, FALSE));
}

GHashTable *
group_tree_definitions(GroupTree *tree)
{
    GHashTable *table = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);

    define_group(table, tree->root);
    return table;
}

/* --- finding, counting --- */
GroupNode *
group_tree_find_machine(GroupTree *tree, const char *id)
{
    return g_hash_table_lookup(tree->placed, id);
}

static void
gather(const GroupNode *group, GPtrArray *machines)
{
    for (guint i = 0; i < group->children->len; i++) {
        GroupNode *child = g_ptr_array_index(group->children, i);
        if (child->group)
            gather(child, machines);
        else
            g_ptr_array_add(machines, child->name);
    }
}

GPtrArray *
group_node_machines(const GroupNode *group)
{
    GPtrArray *machines = g_ptr_array_new();

    gather(group, machines);
    return machines;
}

static void
number(GroupNode *group, guint depth, guint *order)
{
    for (guint i = 0; i < group->children->len; i++) {
        GroupNode *child = g_ptr_array_index(group->children, i);
        child->order = (*order)++;
        child->depth = depth;
        if (child->group)
            number(child, depth + 1, order);
    }
}

void
group_tree_number(GroupTree *tree)
{
    guint order = 0;

    number(tree->root, 0, &order);
}

gboolean
group_node_is_hidden(const GroupNode *node)
{
    for (node = node->parent; node; node = node->parent) {
        if (node->closed)
            return TRUE;
    }
    return FALSE;
}
