/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The new-machine wizard: from an installation image to a running guest in three pages. */
#pragma once

#include "app/api/vitrine.h"

#include <gtk/gtk.h>

/* Shows the wizard above the parent. It creates, and starts if wanted, by itself. */
void new_machine_wizard_show(GtkWindow *parent, VitrineClient *client);
