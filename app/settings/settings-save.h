/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Saves what the dialog has changed. Those of a machine that is off are written at once. A running
 * machine takes them one after the other, each by the call that a command line uses: media, drives
 * that go, drives that come, network cards and the rest, sound, the processors' cap. */
#pragma once

#include "app/settings/settings-models.h"

/* base: the settings as they were loaded; what is done is put into it, so that after a failure the
 * rest can be saved. edited: as they shall be. All are kept meanwhile. */
void settings_save_async(VitrineMachine *machine, VitrineSettings *base, VitrineSettings *edited,
                         SettingsModels *models, GAsyncReadyCallback callback, gpointer user_data);
gboolean settings_save_finish(VitrineMachine *machine, GAsyncResult *result, GError **error);
