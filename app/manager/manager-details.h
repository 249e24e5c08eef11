/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * ManagerDetails: what the manager tells of one machine: picture, state, settings in words. Each
 * value leads to the page that changes it, by the action "win.open-settings" with the page's name.
 */
#pragma once

#include "app/api/vitrine.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define MANAGER_TYPE_DETAILS (manager_details_get_type())
G_DECLARE_FINAL_TYPE(ManagerDetails, manager_details, MANAGER, DETAILS, GtkBox)

/* menu: everything that can be done with a machine. */
GtkWidget *manager_details_new(VitrineClient *client, GMenuModel *menu);
/* NULL: nothing is selected. */
void manager_details_set_machine(ManagerDetails *details, VitrineMachine *machine);

G_END_DECLS
/* "details", "snapshots", "logs" or "activity". */
void manager_details_show_page(ManagerDetails *details, const char *page);
