/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A machine's part of its .vbox file: VitrineSettings and what only the service needs. */
#pragma once

#include "app/service/settings/settings-file.h"

typedef struct {
    char *id; /* lower case, without braces */
    VitrineSettings *settings;
    gint64 last_state_change; /* seconds since 1970; 0 when the file does not say */
    gboolean aborted;
    char *state_file;                /* "" unless there is a saved state */
    char *current_snapshot;          /* "" unless there are snapshots */
    gboolean current_state_modified; /* something differs from the current snapshot */
} MachineRecord;

MachineRecord *machine_record_new(void);
void machine_record_free(MachineRecord *record);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MachineRecord, machine_record_free)

/* NULL with error when something that a machine needs is missing or wrong. */
MachineRecord *machine_file_read(SettingsFile *file, GError **error);
/* Puts what differs from the document into it, and raises the version when the content needs it. */
void machine_file_write(SettingsFile *file, const MachineRecord *record);

/* Only what a snapshot holds too: the hardware. */
gboolean machine_file_read_hardware(SettingsFile *file, VitrineSettings *settings, GError **error);
