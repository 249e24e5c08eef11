/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The settings of a machine: pages on the left, Save and Cancel above. */
#pragma once

#include "app/api/vitrine.h"

#include <gtk/gtk.h>

/* page: "general", "system", "display", "storage", "network", "serial", "usb"; NULL: the first one.
 */
void settings_dialog_show(GtkWindow *parent, VitrineClient *client, VitrineMachine *machine,
                          const char *page);
