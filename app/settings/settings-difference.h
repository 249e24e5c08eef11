/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What of a machine's settings the person has changed. */
#pragma once

#include "app/api/vitrine.h"

typedef struct {
    VitrineSettings *base, *edited; /* borrowed: as they were, and as they shall be */
    gboolean live;                  /* the machine runs: its console switches sound, and keeps it */
} SettingsDifference;

/* Whether a property of settings-properties.def was changed. */
gboolean settings_difference_has(const SettingsDifference *of, const char *property);
/* Whether there is anything for settings_difference_put(). */
gboolean settings_difference_has_rest(const SettingsDifference *of);
/* Puts changed values, network cards and USB filters into settings: all but drives and what the
 * console does. data: the SettingsDifference (a WidgetChange). */
void settings_difference_put(VitrineSettings *settings, gpointer data);

/* The drive that is in the same place there; NULL: none. */
const VitrineAttachment *settings_difference_place(VitrineSettings *settings,
                                                   const VitrineAttachment *drive);
gboolean settings_difference_same_medium(const VitrineAttachment *a, const VitrineAttachment *b);
/* A disk is one with its drive; what is in other drives comes and goes. b may be NULL. */
gboolean settings_difference_same_drive(const VitrineAttachment *a, const VitrineAttachment *b);
