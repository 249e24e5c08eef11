/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * GroupRow: a group in the list of machines: an arrow that opens and closes it, its name, how many
 * machines are in it. */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define GROUP_TYPE_ROW (group_row_get_type())
G_DECLARE_FINAL_TYPE(GroupRow, group_row, GROUP, ROW, GtkListBoxRow)

/* Signal "toggled" (): the person wants it opened or closed. */

GtkWidget *group_row_new(void);
void group_row_show(GroupRow *row, const char *name, guint machines, gboolean closed);

G_END_DECLS
