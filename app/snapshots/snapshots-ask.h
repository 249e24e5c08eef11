/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The questions before what cannot be undone. */
#pragma once

#include "app/api/vitrine.h"

#include <gtk/gtk.h>

/* Not called when the person does not want it. keep: take a snapshot of the present first. */
typedef void (*SnapshotsRestore)(gpointer data, VitrineSnapshot *snapshot, gboolean keep);
typedef void (*SnapshotsDelete)(gpointer data, VitrineSnapshot *snapshot);

/* data is an object that is kept meanwhile. */
void snapshots_ask_restore(GtkWindow *parent, VitrineMachine *machine, VitrineSnapshot *snapshot,
                           SnapshotsRestore restore, GObject *data);
void snapshots_ask_delete(GtkWindow *parent, VitrineSnapshot *snapshot, SnapshotsDelete remove,
                          GObject *data);
