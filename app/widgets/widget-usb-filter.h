/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The dialog that edits one filter of USB devices. */
#pragma once

#include "app/api/vitrine.h"

#include <gtk/gtk.h>

/* Of a machine, a filter asks where devices are; a global one says what becomes of them. done is
 * called with the changed filter (its own), unless the person gives up. */
void widget_usb_filter_edit(GtkWindow *parent, const VitrineUsbFilter *filter, gboolean global,
                            void (*done)(gpointer data, const VitrineUsbFilter *filter),
                            gpointer data);
