/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What taking snapshots of machines that are off and of machines that run share. */
#pragma once

#include "app/service/machine.h"
#include "app/service/task.h"

/* Whether the line of snapshots has room for one more. */
gboolean snapshot_check_room(Machine *machine, const SnapshotRecord *snapshot, GError **error);
/* snapshot-live.c: of a machine that runs or is paused; started already, to be shown. */
Task *snapshot_take_live(Machine *machine, const char *name, const char *description,
                         GError **error);
