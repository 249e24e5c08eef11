/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The boot order: a list with check marks whose rows are dragged, or moved by buttons and keyboard.
 */
#pragma once

#include "app/settings/settings-private.h"

GtkWidget *settings_boot_order_new(VitrineSettings *settings);
