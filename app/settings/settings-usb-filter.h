/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The dialog that edits one filter of USB devices. */
#pragma once

#include "app/settings/settings-private.h"

/* done is called with the changed filter (its own), unless the person gives up. */
void settings_usb_filter_edit(GtkWindow *parent, const VitrineUsbFilter *filter,
                              void (*done)(gpointer data, const VitrineUsbFilter *filter),
                              gpointer data);
