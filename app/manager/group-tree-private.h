/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Nodes of a GroupTree: shared by its two files. */
#pragma once

#include "app/manager/group-tree.h"

struct GroupTree {
    GroupNode *root;
    GHashTable *placed; /* UUID to its node; both the tree's */
};

GroupNode *group_node_new(gboolean group, const char *name);
void group_node_free(gpointer node);
/* Takes the node; index G_MAXUINT: to the end. */
void group_node_insert(GroupNode *group, GroupNode *node, guint index);
/* Among the children; NULL: none of that name. */
GroupNode *group_node_find_group(const GroupNode *group, const char *name);
