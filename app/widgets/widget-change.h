/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * One change of a machine's settings by a command of a window: the present settings are loaded,
 * changed and saved, so that what others changed meanwhile stays. */
#pragma once

#include "app/api/vitrine.h"

/* Puts the change into the present settings. */
typedef void (*WidgetChange)(VitrineSettings *settings, gpointer data);

/* data is change's and stays the caller's; it must be there until callback is called. */
void widget_change_settings_async(VitrineMachine *machine, WidgetChange change, gpointer data,
                                  GAsyncReadyCallback callback, gpointer user_data);
gboolean widget_change_settings_finish(VitrineMachine *machine, GAsyncResult *result,
                                       GError **error);
