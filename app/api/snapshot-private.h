/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * How trees of snapshots come from the service. Private to this room. */
#pragma once

#include "app/api/vitrine-snapshot.h"

/* The root of what GetSnapshots answered; NULL when there are none. The caller's. */
VitrineSnapshot *snapshot_tree_from_reply(GVariant *reply);
