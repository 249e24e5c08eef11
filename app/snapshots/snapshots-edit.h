/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The dialog for name and description of a snapshot. Manual, chapter "First steps" (Snapshots). */
#pragma once

#include "app/api/vitrine.h"

#include <gtk/gtk.h>

/* Asks for a name and takes a snapshot; the dialog shows how far it is and goes when it is there.
 */
void snapshots_take_show(GtkWindow *parent, VitrineMachine *machine);
/* Changes name and description of one. */
void snapshots_edit_show(GtkWindow *parent, VitrineMachine *machine, VitrineSnapshot *snapshot);
