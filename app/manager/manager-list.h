/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * ManagerList: the machines, in groups that open and close, in the order that the person gave them
 * by drag or by keys. Order and groups are kept at the service (see group-tree.h), so that all
 * managers show the same. Signal "row-selected" of GtkListBox tells of another selection;
 * "groups-changed" (): groups were made, renamed, moved; "problem" (text): something that a person
 * should know of, as a sentence. */
#pragma once

#include "app/api/vitrine.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define MANAGER_TYPE_LIST (manager_list_get_type())
G_DECLARE_FINAL_TYPE(ManagerList, manager_list, MANAGER, LIST, GtkListBox)

/* Fills the list and follows the client. select: UUID of a machine, NULL: the first. */
void manager_list_set_client(ManagerList *list, VitrineClient *client, const char *select);
/* "": everything. */
void manager_list_set_search(ManagerList *list, const char *text);

/* The selected machine; NULL: a group, or nothing. */
VitrineMachine *manager_list_get_machine(ManagerList *list);
/**
 * manager_list_get_machines:
 * Returns: (transfer full) (element-type VitrineMachine): the selected machine, or those of the
 *   selected group and of the groups in it.
 */
GPtrArray *manager_list_get_machines(ManagerList *list);
/* Path of the selected group; NULL: a machine, or nothing. The caller's. */
char *manager_list_get_group(ManagerList *list);
/**
 * manager_list_get_groups:
 * Returns: (transfer full) (element-type utf8): paths of all groups, "/" first.
 */
GPtrArray *manager_list_get_groups(ManagerList *list);

/* All of the following are about what is selected. */

/* A new group around it, whose name is asked for at once. */
void manager_list_new_group(ManagerList *list);
/* Asks for the group's name, next to it. */
void manager_list_rename_group(ManagerList *list);
void manager_list_ungroup(ManagerList *list);
/* Sorts the group (or the one that the machine is in) by name. */
void manager_list_sort_group(ManagerList *list);
/* One row up (-1) or down (1). */
void manager_list_step(ManagerList *list, int step);
void manager_list_move_to(ManagerList *list, const char *group);
/* Opens or closes the selected group. FALSE: no group. */
gboolean manager_list_toggle_group(ManagerList *list);

G_END_DECLS
