/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A machine's logs: the present one and those before it, with search. */
#pragma once

#include "app/api/vitrine.h"

#include <gtk/gtk.h>

#define MANAGER_TYPE_LOGS (manager_logs_get_type())
G_DECLARE_FINAL_TYPE(ManagerLogs, manager_logs, MANAGER, LOGS, GtkBox)

GtkWidget *manager_logs_new(void);
/* NULL: none. The files are read when the widget is next shown. */
void manager_logs_set_machine(ManagerLogs *logs, VitrineMachine *machine);
