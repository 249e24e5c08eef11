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

/* Shows itself as soon as it knows how it was the last time. Follows the machine: connects as soon
 * as a VM process serves its console. The window destroys itself when the machine is off.
 * detachable: it may be closed while the machine runs on, which is one of the choices then. */
VmWindow *vm_window_new(GtkApplication *application, VitrineClient *client, VitrineMachine *machine,
                        gboolean detachable);
/* Whether the person has closed it and left the machine running. */
gboolean vm_window_is_detached(VmWindow *window);

G_END_DECLS
