/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The table of forwarded ports of a network card. */
#pragma once

#include "app/settings/settings-private.h"

/* slot: of the card. Rules are edited where they stand. */
GtkWidget *settings_forwards_new(SettingsDialog *dialog, guint slot);
