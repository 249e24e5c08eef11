/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Times of engines, from lines like "cpu0.iem-time-ns: 1234": those of all CPUs are added. */
#include "app/widgets/widget-engine-load.h"

#include <glib/gi18n.h>

#define TIME_SUFFIX "-time-ns"

GtkWidget *
widget_engine_load_plot_new(void)
{
    return widget_plot_new(WIDGET_PLOT_SHARES, _("CPU load by engine"));
}

static void
count_line(WidgetEngineLoad *load, WidgetPlot *plot, const char *line)
{
    const char *dot = strchr(line, '.'), *colon = strstr(line, TIME_SUFFIX ": ");
    g_autofree char *engine = NULL, *title = NULL;
    guint series;

    if (!g_str_has_prefix(line, "cpu") || !dot || !colon || colon < dot)
        return;
    engine = g_strndup(dot + 1, (gsize)(colon - dot - 1));
    if (g_str_equal(engine, "em")) {
        load->cpus++; /* the total of a CPU */
        return;
    }
    title = g_ascii_strup(engine, -1);
    series = widget_plot_series(plot, title);
    if (series < WIDGET_PLOT_SERIES_MAX)
        load->total_ns[series] += g_ascii_strtoull(colon + strlen(TIME_SUFFIX ": "), NULL, 10);
}

void
widget_engine_load_add(WidgetEngineLoad *load, WidgetPlot *plot, const char *statistics)
{
    g_auto(GStrv) lines = g_strsplit(statistics, "\n", -1);
    const gint64 now = g_get_monotonic_time();
    double shares[WIDGET_PLOT_SERIES_MAX], passed_ns;

    load->cpus = 0;
    memset(load->total_ns, 0, sizeof load->total_ns);
    for (guint i = 0; lines[i]; i++)
        count_line(load, plot, lines[i]);
    passed_ns = (double)(now - load->last_us) * 1000 * MAX(load->cpus, 1);
    for (guint i = 0; i < WIDGET_PLOT_SERIES_MAX; i++) {
        const guint64 last = load->last_ns[i], total = load->total_ns[i];

        shares[i] = total > last ? (double)(total - last) / passed_ns : 0;
        load->last_ns[i] = total;
    }
    if (load->last_us != 0)
        widget_plot_add(plot, shares);
    load->last_us = now;
}
