/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Models of storage controllers, which the machine's extra data have beside the settings
 * (vitrine_controller_model_key()): as they were, and as the dialog changes them. */
#pragma once

#include "app/api/vitrine.h"

typedef struct _SettingsModels SettingsModels;

/* extra: the machine's extra data, borrowed; NULL: none is known. */
SettingsModels *settings_models_new(VitrineSettings *settings, GHashTable *extra);
void settings_models_free(SettingsModels *models);
/* "": the controller is what its type says. */
const char *settings_models_get(SettingsModels *models, const char *controller);
void settings_models_set(SettingsModels *models, const char *controller, const char *model);
/* Keys of extra data and their new values, "" to remove one; the caller's. */
GHashTable *settings_models_changes(SettingsModels *models, VitrineSettings *settings);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(SettingsModels, settings_models_free)
