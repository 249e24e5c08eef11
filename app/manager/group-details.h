/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * GroupDetails: what the manager tells of a group: its name, what its machines do, what can be done
 * with all of them at once. Its buttons are actions of the window. */
#pragma once

#include "app/api/vitrine.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define GROUP_TYPE_DETAILS (group_details_get_type())
G_DECLARE_FINAL_TYPE(GroupDetails, group_details, GROUP, DETAILS, GtkBox)

GtkWidget *group_details_new(void);
/* path: of the group; machines: (element-type VitrineMachine), those in it and below. */
void group_details_show(GroupDetails *details, const char *path, GPtrArray *machines);

G_END_DECLS
