/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VitrineSnapshot: one snapshot in the tree of a machine, as it was when the tree was loaded; load
 * it again when VitrineMachine::snapshots-generation changes. A snapshot keeps its children alive,
 * so holding the root holds the tree. Properties, all read-only: id, name, description, time-stamp
 * (int64, seconds since 1970, UTC), online (boolean). */
#pragma once

#include "app/api/vitrine-types.h"

G_BEGIN_DECLS

#define VITRINE_TYPE_SNAPSHOT (vitrine_snapshot_get_type())
G_DECLARE_FINAL_TYPE(VitrineSnapshot, vitrine_snapshot, VITRINE, SNAPSHOT, GObject)

const char *vitrine_snapshot_get_id(VitrineSnapshot *snapshot);
const char *vitrine_snapshot_get_name(VitrineSnapshot *snapshot);
const char *vitrine_snapshot_get_description(VitrineSnapshot *snapshot);
/* When it was taken: seconds since 1970, UTC. */
gint64 vitrine_snapshot_get_time_stamp(VitrineSnapshot *snapshot);
/* Whether the machine's memory belongs to it: restored, the machine is in state saved. */
gboolean vitrine_snapshot_get_online(VitrineSnapshot *snapshot);
/* Where that memory is on the host; "" for a snapshot that is not online. */
const char *vitrine_snapshot_get_state_file(VitrineSnapshot *snapshot);
/**
 * vitrine_snapshot_get_parent:
 * Returns: (transfer none) (nullable): the snapshot that this one follows; %NULL for the root, or
 *   when nobody holds it any more.
 */
VitrineSnapshot *vitrine_snapshot_get_parent(VitrineSnapshot *snapshot);
/**
 * vitrine_snapshot_get_children:
 * Returns: (transfer none): a list of VitrineSnapshot, in the order in which they were taken.
 */
GListModel *vitrine_snapshot_get_children(VitrineSnapshot *snapshot);
/**
 * vitrine_snapshot_find:
 * @root: (nullable): where to look: it, and what follows it
 * @name_or_id: a UUID (braces allowed), or a name; of several with one name the first that was
 *   taken
 * Returns: (transfer none) (nullable): the snapshot
 */
VitrineSnapshot *vitrine_snapshot_find(VitrineSnapshot *root, const char *name_or_id);

G_END_DECLS
