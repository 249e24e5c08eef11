/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The dialog that asks where a remote USB device is. */
#pragma once

#include "app/api/vitrine.h"

#include <gtk/gtk.h>

/* remote: what it begins with; NULL: nothing. done is called with what the person says (its own),
 * unless the person gives up. */
void widget_usb_remote_edit(GtkWindow *parent, const VitrineUsbRemote *remote,
                            void (*done)(gpointer data, const VitrineUsbRemote *remote),
                            gpointer data);
