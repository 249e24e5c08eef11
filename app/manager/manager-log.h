/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A window with a machine's logs: the present one and those before it. */
#pragma once

#include "app/api/vitrine.h"

#include <gtk/gtk.h>

void manager_log_show(GtkWindow *parent, VitrineMachine *machine);
