/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VmDisplay: the guest's picture. Draws what changed from the shared surface; turns places of the
 * pointer into guest pixels. It knows nothing of capture and keys: VmInput does. */
#pragma once

#include "app/api/vitrine.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define VM_TYPE_DISPLAY (vm_display_get_type())
G_DECLARE_FINAL_TYPE(VmDisplay, vm_display, VM, DISPLAY, GtkDrawingArea)

/* Signal "guest-resized" (guint width, guint height): in guest pixels; also when it is first known.
 */

GtkWidget *vm_display_new(void);
/* NULL: nothing to show. */
void vm_display_set_surface(VmDisplay *display, VitrineSurface *surface);
/* Fit the picture to the widget, keeping its shape; else guest pixels are logical pixels. */
void vm_display_set_scaled(VmDisplay *display, gboolean scaled);
/* Dims the picture and writes this across it; NULL: normal. */
void vm_display_set_overlay(VmDisplay *display, const char *text);
/* Guest pixels of a place in the widget; FALSE outside of the picture (then the nearest). */
gboolean vm_display_to_guest(VmDisplay *display, double x, double y, int *guest_x, int *guest_y);
void vm_display_get_guest_size(VmDisplay *display, guint *width, guint *height);

G_END_DECLS
