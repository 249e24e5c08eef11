/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the files of the manager share. */
#pragma once

#include "app/manager/manager-list.h"
#include "app/manager/manager-window.h"
#include "app/widgets/widget-work.h"

ManagerList *manager_window_get_list(ManagerWindow *window);
/* "Move to group", filled by manager-groups.c. */
GMenu *manager_window_get_move_menu(ManagerWindow *window);
/* The header bar's button starts the machine, or shows one that runs. */
void manager_window_show_start_button(ManagerWindow *window, gboolean start);

/* manager-actions.c: the "win." actions; which are possible follows the selection and its state. */
void manager_window_add_actions(ManagerWindow *window);
void manager_window_update_actions(ManagerWindow *window);
void manager_window_toggle_search(ManagerWindow *window);
/* Opens the settings at a page. */
void manager_window_open_settings(ManagerWindow *window, const char *page);
/* The line of long work at the window's bottom; NULL once the window is gone. */
WidgetWork *manager_window_get_work(ManagerWindow *window);
/* A page of the selected machine: manager_details_show_page(). */
void manager_window_show_page(ManagerWindow *window, const char *page);

/* manager-move.c: asks for the folder, and moves. */
void manager_window_ask_move(ManagerWindow *window, VitrineMachine *machine);

/* manager-remove.c */
void manager_window_ask_remove(ManagerWindow *window, VitrineMachine *machine);

/* manager-state.c: save, discard. */
void manager_window_add_state_actions(ManagerWindow *window);
void manager_window_update_state_actions(ManagerWindow *window);

/* manager-groups.c: the actions on groups and on the order. */
void manager_window_add_group_actions(ManagerWindow *window);
void manager_window_update_group_actions(ManagerWindow *window);
