/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * How much of a machine's CPU time each engine took, from its statistics. */
#pragma once

#include "app/widgets/widget-plot.h"

typedef struct {
    gint64 last_us; /* when the last answer came; 0: never */
    guint64 last_ns[WIDGET_PLOT_SERIES_MAX];
    guint64 total_ns[WIDGET_PLOT_SERIES_MAX]; /* of the answer that is being read */
    guint cpus;
} WidgetEngineLoad;

/* A plot for it. */
GtkWidget *widget_engine_load_plot_new(void);
/* One answer: statistics is the text of `info statistics`. The first one of a machine (a zeroed
 * WidgetEngineLoad) adds nothing to the plot. */
void widget_engine_load_add(WidgetEngineLoad *load, WidgetPlot *plot, const char *statistics);
