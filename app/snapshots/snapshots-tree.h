/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Snapshots as rows of a tree; the last row of the place that it grows from is Current State. */
#pragma once

#include "app/api/vitrine.h"

#include <gtk/gtk.h>

enum {
    SNAPSHOTS_COLUMN_SNAPSHOT, /* VitrineSnapshot; NULL: Current State */
    SNAPSHOTS_COLUMN_ICON,     /* name */
    SNAPSHOTS_COLUMN_NAME,     /* as it is shown */
    SNAPSHOTS_COLUMN_WEIGHT,   /* of its font */
    SNAPSHOTS_COLUMN_AGE,      /* "2 hours ago"; of the current state: "changed", or "" */
    SNAPSHOTS_COLUMN_COUNT
};

GtkTreeStore *snapshots_tree_new(void);
/* Shows the tree from root (NULL: only Current State). */
void snapshots_tree_fill(GtkTreeStore *store, VitrineSnapshot *root, VitrineMachine *machine);
/* The row of a snapshot, by its UUID; "" is Current State. False: there is none. */
gboolean snapshots_tree_find(GtkTreeStore *store, const char *id, GtkTreeIter *found);
/* Ages go on. */
void snapshots_tree_update_ages(GtkTreeStore *store);
