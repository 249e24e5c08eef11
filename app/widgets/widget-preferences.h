/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What all windows take from the preferences. */
#pragma once

#include "app/api/vitrine.h"

#include <gtk/gtk.h>

#define WIDGET_HOST_KEY_DATA "GUI/Input/HostKeyCombination"
#define WIDGET_THEME_DATA "GUI/ColorTheme"

/* Language and theme; before the first window is made. */
void widget_preferences_apply(VitrineClient *client);
/* GDK keyval of the host key; Right Ctrl where the preference is a combination, or damaged. */
guint widget_host_key(VitrineClient *client);
/* Its name for people: "Right Ctrl". The caller's. */
char *widget_host_key_name(guint keyval);
