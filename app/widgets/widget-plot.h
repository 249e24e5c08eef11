/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A plot of the last minute, a sample a second, with a scale and a legend that has the numbers of
 * now. Shares lie one above the other and make at most 100 %; all others are lines on a scale that
 * fits the highest of them. */
#pragma once

#include <gtk/gtk.h>

#define WIDGET_PLOT_SERIES_MAX 4

typedef enum { WIDGET_PLOT_SHARES, WIDGET_PLOT_RATES, WIDGET_PLOT_MEGABYTES } WidgetPlotKind;

#define WIDGET_TYPE_PLOT (widget_plot_get_type())
G_DECLARE_FINAL_TYPE(WidgetPlot, widget_plot, WIDGET, PLOT, GtkDrawingArea)

/* name is what assistive technology calls it. */
GtkWidget *widget_plot_new(WidgetPlotKind kind, const char *name);
/* The series called name, which is made when it is new; WIDGET_PLOT_SERIES_MAX: there are too many.
 */
guint widget_plot_series(WidgetPlot *plot, const char *name);
/* One more second: by series, WIDGET_PLOT_SERIES_MAX of them, shares of 0 to 1, events a second
 * or megabytes. */
void widget_plot_add(WidgetPlot *plot, const double *values);
/* Forgets the samples. */
void widget_plot_clear(WidgetPlot *plot);
