/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A plot of the last minute: how much of a machine's CPU time each engine took, one above the
 * other.
 */
#pragma once

#include <gtk/gtk.h>

#define VM_LOAD_PLOT_SERIES_MAX 4

#define VM_TYPE_LOAD_PLOT (vm_load_plot_get_type())
G_DECLARE_FINAL_TYPE(VmLoadPlot, vm_load_plot, VM, LOAD_PLOT, GtkDrawingArea)

/* The series called name, which is made when it is new; VM_LOAD_PLOT_SERIES_MAX: there are too
 * many.
 */
guint vm_load_plot_series(VmLoadPlot *plot, const char *name);
/* One more second: shares of 0 to 1 by series, VM_LOAD_PLOT_SERIES_MAX of them. */
void vm_load_plot_add(VmLoadPlot *plot, const double *shares);
