/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The clone-machine dialog. Manual, chapter "First steps" (Cloning virtual machines). */
#pragma once

#include "app/api/vitrine.h"

#include <gtk/gtk.h>

/* A machine like that one; snapshot is the UUID of the state to clone, "" for the present one. The
 * dialog shows how far the clone is, and goes when it is there. */
void clone_machine_show(GtkWindow *parent, VitrineClient *client, VitrineMachine *machine,
                        const char *snapshot);
