/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VmWindow: the window of a running machine. It sees the machine only through the Main API, whether
 * the VM process is this one or another. */
#pragma once

#include "app/api/vitrine.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define VM_TYPE_WINDOW (vm_window_get_type())
G_DECLARE_FINAL_TYPE(VmWindow, vm_window, VM, WINDOW, GtkApplicationWindow)

/* Follows the machine: connects as soon as a VM process serves its console. The window destroys
 * itself when the machine is off. */
VmWindow *vm_window_new(GtkApplication *application, VitrineClient *client,
                        VitrineMachine *machine);

G_END_DECLS
