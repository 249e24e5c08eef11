/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The kinds of storage controllers that a person can choose: a type, and a model where the
 * machine's extra data say more (settings-models.h). */
#pragma once

#include "app/settings/settings-models.h"

typedef struct {
    VitrineControllerType type;
    const char *model; /* "": none */
    const char *name;  /* what a new one is called */
    const char *title; /* translated by who shows it */
    const char *menu;  /* the same in the menu of new ones, with a mnemonic; NULL: not there */
} SettingsStorageKind;

/* In the order of the menu. */
const SettingsStorageKind *settings_storage_kinds(guint *count);
/* What a controller is: never NULL; one that this version does not build is the first kind of its
 * bus, or the first of all. */
const SettingsStorageKind *settings_storage_kind_of(SettingsModels *models,
                                                    const VitrineController *controller);
/* Whether drives come to it and go while the machine runs. */
gboolean settings_storage_hot_plugs(SettingsModels *models, const VitrineController *controller);
/* Whether drives of this kind of medium are at home there. */
gboolean settings_storage_kind_takes(const SettingsStorageKind *kind, VitrineMediumKind medium);
/* Makes the controller of this name one of another kind. Its drives move along, each to the place
 * of its number. FALSE: not all have a place there, nothing is changed. */
gboolean settings_storage_change_kind(VitrineSettings *settings, SettingsModels *models,
                                      const char *name, const SettingsStorageKind *kind);
