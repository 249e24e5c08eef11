/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The snapshots in a .vbox file: <Snapshot> elements below <Machine>, each with the hardware as it
 * was, nested in <Snapshots>. Manual, chapter "Snapshots"; the schema has one snapshot at the root
 * and nests at most SNAPSHOT_MAX_DEPTH of them. */
#pragma once

#include "app/service/settings/machine-file.h"

#define SNAPSHOT_MAX_DEPTH 250

typedef struct {
    char *id;     /* lower case, without braces */
    char *parent; /* "" for the root */
    char *name;
    char *description;
    char *state_file; /* absolute; "" when it was taken of a machine that was off */
    gint64 time;      /* seconds since 1970 */
} SnapshotRecord;

SnapshotRecord *snapshot_record_new(const char *parent, const char *name, const char *description);
void snapshot_record_free(SnapshotRecord *record);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SnapshotRecord, snapshot_record_free)

/* (element-type SnapshotRecord): all of them, parents before children. */
GPtrArray *snapshot_file_read(SettingsFile *file);
/* The hardware as it was, with the machine's own texts; NULL with error. */
VitrineSettings *snapshot_file_read_settings(SettingsFile *file, const char *id,
                                             VitrineSettings *machine, GError **error);
/* The media that snapshots have attached: UUID -> GPtrArray of the snapshots' UUIDs. */
GHashTable *snapshot_file_media(SettingsFile *file);

/* Adds a snapshot of the hardware as the document has it now. VITRINE_ERROR_INVALID when the line
 * of its ancestors is too long. */
gboolean snapshot_file_add(SettingsFile *file, const SnapshotRecord *record, GError **error);
/* The document's hardware becomes the snapshot's. */
gboolean snapshot_file_restore(SettingsFile *file, const char *id, GError **error);
/* Its children become its parent's. VITRINE_ERROR_STATE for a root that has several. */
gboolean snapshot_file_remove(SettingsFile *file, const char *id, GError **error);
/* Name, description, and the place of its state file. */
void snapshot_file_edit(SettingsFile *file, const SnapshotRecord *record);
/* All snapshots that had the one medium attached have the other. */
void snapshot_file_replace_medium(SettingsFile *file, const char *old_id, const char *new_id);

/* --- for clones --- */

/* A copy of the document, to be saved at path: without registry of media and saved state. */
SettingsFile *machine_file_clone(SettingsFile *file, const char *path);
/* The current snapshot; NULL: none. */
void machine_file_set_current(SettingsFile *file, const char *id);
/* Only this snapshot and what follows it stay; NULL: none. */
void snapshot_file_keep(SettingsFile *file, const char *root);
/* Every snapshot gets a UUID of its own: old -> new, both the table's. */
GHashTable *snapshot_file_renew_ids(SettingsFile *file);
/* The same medium everywhere, in snapshots and in the present hardware. */
void machine_file_replace_medium(SettingsFile *file, const char *old_id, const char *new_id);

typedef enum { MACHINE_MACS_NEW, MACHINE_MACS_KEEP_NAT, MACHINE_MACS_KEEP } MachineMacs;
/* New MAC addresses, but for adapters that keep theirs; the same ones in all snapshots. */
void machine_file_renew_macs(SettingsFile *file, MachineMacs policy);
