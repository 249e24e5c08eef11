/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * SnapshotsPane: the snapshot tool. */
#pragma once

#include "app/api/vitrine.h"

#include <gtk/gtk.h>

#define SNAPSHOTS_TYPE_PANE (snapshots_pane_get_type())
G_DECLARE_FINAL_TYPE(SnapshotsPane, snapshots_pane, SNAPSHOTS, PANE, GtkBox)

GtkWidget *snapshots_pane_new(VitrineClient *client);
/* NULL: none. Signal "clone-wanted" (string: UUID of the selected snapshot, "" for the present
 * state). */
void snapshots_pane_set_machine(SnapshotsPane *pane, VitrineMachine *machine);
