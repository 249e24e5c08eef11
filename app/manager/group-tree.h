/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * GroupTree: machines in nested groups, in the person's order. Kept as the original keeps it: the
 * global extra data has one key for each group, "GUI/GroupDefinitions" and the group's path ("/",
 * "/Work/Old"), whose value lists what is in it, in its order: "go=NAME" an open group, "gc=NAME" a
 * closed one, "m=UUID" a machine. Which group a machine belongs to says its own settings file; the
 * lists only say the order. A group without a machine in it is not kept. */
#pragma once

#include <glib.h>

#define GROUP_TREE_KEY "GUI/GroupDefinitions"

typedef struct GroupTree GroupTree;

typedef struct GroupNode {
    char *name;               /* of a group; a machine's UUID */
    gboolean group, closed;   /* closed: its rows are not shown */
    struct GroupNode *parent; /* NULL: the root */
    GPtrArray *children;      /* GroupNode, owned; NULL for a machine */
    guint order, depth;       /* of group_tree_number() */
} GroupNode;

GroupTree *group_tree_new(void);
void group_tree_free(GroupTree *tree);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GroupTree, group_tree_free)
GroupNode *group_tree_root(GroupTree *tree);

/* The value of an extra-data key; NULL when there is none. */
typedef const char *(*GroupTreeLookup)(const char *key, gpointer data);
/* Reads the definitions into an empty tree; damaged or cyclic ones are bounded. Then
 * group_tree_place() each machine, and group_tree_prune(). */
void group_tree_load(GroupTree *tree, GroupTreeLookup lookup, gpointer data);
/* Puts a machine into the group of that path: where the definitions have it, else at the end. */
void group_tree_place(GroupTree *tree, const char *id, const char *path);
/* Takes out machines that were not placed and groups with nothing in them. */
void group_tree_prune(GroupTree *tree);
/* The definitions: keys and values, both owned by the table. */
GHashTable *group_tree_definitions(GroupTree *tree);

/* NULL: not in the tree. */
GroupNode *group_tree_find_machine(GroupTree *tree, const char *id);
/* Path of a group, or of the group that a machine is in; the caller's. */
char *group_node_path(const GroupNode *node);
/* Machines in a group and all below it: UUIDs, owned by the nodes. */
GPtrArray *group_node_machines(const GroupNode *group);
/* Sets order and depth of all nodes, from the top of the list down. */
void group_tree_number(GroupTree *tree);
/* Whether a closed group hides it. */
gboolean group_node_is_hidden(const GroupNode *node);

/* Changes. */

/* Puts a new group around a node and returns it. name: made unique among its neighbours. */
GroupNode *group_tree_new_group(GroupTree *tree, GroupNode *node, const char *name);
/* NULL: the group can be called so; else why not. */
const char *group_node_name_problem(const GroupNode *group, const char *name);
/* name: without a problem. */
void group_node_rename(GroupNode *group, const char *name);
/* What is in the group takes its place. Frees it. */
void group_tree_ungroup(GroupTree *tree, GroupNode *group);
/* Moves a node into a group, before the child at that index (large: to the end). FALSE: it cannot
 * go there, being that group or above it. */
gboolean group_tree_move(GroupTree *tree, GroupNode *node, GroupNode *group, guint index);
/* One row up (-1) or down (1): past its neighbour, into an open group, out of its group. */
gboolean group_tree_step(GroupTree *tree, GroupNode *node, int step);
/* compare: of two machines' UUIDs. Groups come first, by name. */
void group_node_sort(GroupNode *group, GCompareDataFunc compare, gpointer data);
