/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The list of machines: shared by its files. */
#pragma once

#include "app/manager/group-tree.h"
#include "app/manager/manager-list.h"

struct _ManagerList {
    GtkListBox parent;
    VitrineClient *client;
    GroupTree *tree;
    GHashTable *rows; /* UUID or group path to its GtkListBoxRow */
    char *search;
    guint reload;  /* idle source */
    guint pending; /* changes that the service has not answered */

    /* manager-list-drag.c */
    GroupNode *dragged;
    double press_y;
    GtkListBoxRow *drop_row;
    const char *drop_class;
};

/* NULL: no row, or it has gone. */
GroupNode *manager_list_node(ManagerList *list, GtkListBoxRow *row);
GroupNode *manager_list_selected(ManagerList *list);
GtkListBoxRow *manager_list_row(ManagerList *list, const GroupNode *node);
VitrineMachine *manager_list_machine(ManagerList *list, const GroupNode *node);

/* After a change of the tree: the rows follow, the service is told. keep: stays selected; NULL:
 * what is selected. */
void manager_list_changed(ManagerList *list, GroupNode *keep);
/* manager-list-store.c: writes groups of machines and definitions that differ. */
void manager_list_store(ManagerList *list);
/* Reads them anew, when nothing is on its way. */
void manager_list_reload_later(ManagerList *list);
/* Makes the tree from what the service has. */
void manager_list_load_tree(ManagerList *list);
/* The rows follow the tree. */
void manager_list_show_tree(ManagerList *list);

/* Tells whoever shows errors. */
void manager_list_problem(ManagerList *list, const GError *error);

void manager_list_setup_drag(ManagerList *list);
