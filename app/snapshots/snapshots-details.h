/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * SnapshotsDetails: what is known of one snapshot, or of the present state. */
#pragma once

#include "app/api/vitrine.h"

#include <gtk/gtk.h>

#define SNAPSHOTS_TYPE_DETAILS (snapshots_details_get_type())
G_DECLARE_FINAL_TYPE(SnapshotsDetails, snapshots_details, SNAPSHOTS, DETAILS, GtkScrolledWindow)

/* Once, before anything is shown. */
void snapshots_details_set_client(SnapshotsDetails *details, VitrineClient *client);
/* snapshot NULL: the present state. machine NULL: nothing. */
void snapshots_details_show(SnapshotsDetails *details, VitrineMachine *machine,
                            VitrineSnapshot *snapshot);
