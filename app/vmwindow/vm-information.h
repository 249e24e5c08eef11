/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The Session Information window of a running machine: what its engines count, and how its CPU time
 * went to them. Manual, chapter "Running a virtual machine" (Session Information). */
#pragma once

#include "app/api/vitrine.h"

#include <gtk/gtk.h>

#define VM_TYPE_INFORMATION (vm_information_get_type())
G_DECLARE_FINAL_TYPE(VmInformation, vm_information, VM, INFORMATION, GtkWindow)

/* Goes with its parent; follows the console, which it keeps, until the machine is gone. */
GtkWidget *vm_information_new(GtkWindow *parent, VitrineConsole *console, const char *machine);
