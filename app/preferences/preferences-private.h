/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the preferences' pages share. */
#pragma once

#include "app/preferences/preferences.h"

typedef struct {
    VitrineClient *client;
} Preferences;

#define PAGE(name, title, constructor) GtkWidget *constructor(Preferences *preferences);
#include "app/preferences/preferences-pages.def"
#undef PAGE

/* value: floating. Problems are told by the service in its log; the control shows what was kept. */
void preferences_apply_property(Preferences *preferences, const char *name, GVariant *value);
/* "" removes the key. */
void preferences_apply_extra_data(Preferences *preferences, const char *key, const char *value);
