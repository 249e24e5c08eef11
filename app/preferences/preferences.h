/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Preferences of the person: applied at once, kept by the service. */
#pragma once

#include "app/api/vitrine.h"

#include <gtk/gtk.h>

void preferences_show(GtkWindow *parent, VitrineClient *client);
