/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The part of the page USB about remote devices. */
#pragma once

#include "app/settings/settings-private.h"

/* Returns the row after. */
int settings_usb_remotes_add(SettingsDialog *dialog, GtkWidget *grid, int row);
