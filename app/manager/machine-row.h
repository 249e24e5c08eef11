/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * MachineRow: a machine in the list: picture, name, state in words. Follows the machine. */
#pragma once

#include "app/api/vitrine.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define MACHINE_TYPE_ROW (machine_row_get_type())
G_DECLARE_FINAL_TYPE(MachineRow, machine_row, MACHINE, ROW, GtkListBoxRow)

GtkWidget *machine_row_new(VitrineMachine *machine);
VitrineMachine *machine_row_get_machine(MachineRow *row);
/* Whether all words of what a person searches for are in name, system or state. */
gboolean machine_row_matches(MachineRow *row, const char *search);

G_END_DECLS
