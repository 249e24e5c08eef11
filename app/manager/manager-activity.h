/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What a running machine does, over the last minute: CPU by engine, memory, drives. */
#pragma once

#include "app/api/vitrine.h"

#include <gtk/gtk.h>

#define MANAGER_TYPE_ACTIVITY (manager_activity_get_type())
G_DECLARE_FINAL_TYPE(ManagerActivity, manager_activity, MANAGER, ACTIVITY, GtkStack)

GtkWidget *manager_activity_new(void);
/* NULL: none. The machine is asked once a second while the widget is shown. */
void manager_activity_set_machine(ManagerActivity *activity, VitrineMachine *machine);
