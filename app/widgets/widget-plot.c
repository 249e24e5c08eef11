/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A plot of a minute: stacked areas or lines, a scale, a legend with the numbers of now. Colours of
 * the axes are the theme's. */
#include "app/widgets/widget-plot.h"

#include <glib/gi18n.h>

#define SAMPLES 60
#define MARGIN 6
#define SWATCH 10

typedef struct {
    double value[WIDGET_PLOT_SERIES_MAX];
} Sample;

struct _WidgetPlot {
    GtkDrawingArea parent;
    WidgetPlotKind kind;
    char *names[WIDGET_PLOT_SERIES_MAX];
    guint series;
    Sample samples[SAMPLES]; /* a ring */
    guint next, count;
};

G_DEFINE_FINAL_TYPE(WidgetPlot, widget_plot, GTK_TYPE_DRAWING_AREA)

/* The area inside the scale and above the legend. */
typedef struct {
    double x, y, width, height;
    double top; /* value at its upper edge */
} Frame;

static const Sample *
sample_at(const WidgetPlot *plot, guint age)
{
    return &plot->samples[(plot->next + SAMPLES - 1 - age) % SAMPLES];
}

/* --- data --- */
guint
widget_plot_series(WidgetPlot *plot, const char *name)
{
    guint i = 0;

    while (i < plot->series && !g_str_equal(plot->names[i], name))
        i++;
    if (i == plot->series && i < WIDGET_PLOT_SERIES_MAX)
        plot->names[plot->series++] = g_strdup(name);
    return i;
}

/* A value of a series as it stands in the legend; g_free(). */
static char *
value_text(const WidgetPlot *plot, guint series)
{
    const double value = sample_at(plot, 0)->value[series];

    switch (plot->kind) {
    case WIDGET_PLOT_SHARES: return g_strdup_printf("%s %.0f %%", plot->names[series], 100 * value);
    case WIDGET_PLOT_MEGABYTES: return g_strdup_printf(_("%s %.0f MB"), plot->names[series], value);
    default: return g_strdup_printf(_("%s %.0f/s"), plot->names[series], value);
    }
}

/* What a person who does not see the plot is told. */
static void
describe(WidgetPlot *plot)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < plot->series; i++) {
        g_autofree char *value = value_text(plot, i);
        g_string_append_printf(text, "%s%s", i > 0 ? ", " : "", value);
    }
    atk_object_set_description(gtk_widget_get_accessible(GTK_WIDGET(plot)), text->str);
    g_string_free(text, TRUE);
}

void
widget_plot_add(WidgetPlot *plot, const double *values)
{
    const double limit = plot->kind == WIDGET_PLOT_SHARES ? 1 : G_MAXDOUBLE;
    Sample *sample = &plot->samples[plot->next];

    for (guint i = 0; i < WIDGET_PLOT_SERIES_MAX; i++)
        sample->value[i] = CLAMP(values[i], 0, limit);
    plot->next = (plot->next + 1) % SAMPLES;
    plot->count = MIN(plot->count + 1, SAMPLES);
    describe(plot);
    gtk_widget_queue_draw(GTK_WIDGET(plot));
}

void
widget_plot_clear(WidgetPlot *plot)
{
    plot->count = 0;
    atk_object_set_description(gtk_widget_get_accessible(GTK_WIDGET(plot)), "");
    gtk_widget_queue_draw(GTK_WIDGET(plot));
}

/* The top of the scale: 1, or the round number (1, 2 or 5 times a power of ten) that all fit under.
 */
static double
top_of(const WidgetPlot *plot)
{
    static const double steps[] = {2, 2.5, 2};
    double highest = 0, top = 10;

    if (plot->kind == WIDGET_PLOT_SHARES)
        return 1;
    for (guint age = 0; age < plot->count; age++) {
        for (guint i = 0; i < plot->series; i++)
            highest = MAX(highest, sample_at(plot, age)->value[i]);
    }
    for (guint i = 0; top < highest; i++)
        top *= steps[i % G_N_ELEMENTS(steps)];
    return top;
}

/* --- drawing --- */
static void
set_colour(cairo_t *cairo, guint series, double alpha)
{
    static const double colours[WIDGET_PLOT_SERIES_MAX][3] = {
        {0.21, 0.52, 0.89}, {0.90, 0.38, 0.00}, {0.18, 0.70, 0.42}, {0.57, 0.25, 0.67}};
    const double *colour = colours[series];

    cairo_set_source_rgba(cairo, colour[0], colour[1], colour[2], alpha);
}

/* Returns its width. */
static int
draw_text(WidgetPlot *plot, cairo_t *cairo, double x, double y, const char *text)
{
    GtkStyleContext *style = gtk_widget_get_style_context(GTK_WIDGET(plot));
    g_autoptr(PangoLayout) layout = gtk_widget_create_pango_layout(GTK_WIDGET(plot), text);
    int width;

    pango_layout_get_pixel_size(layout, &width, NULL);
    gtk_render_layout(style, cairo, x, y, layout);
    return width;
}

static void
text_size(WidgetPlot *plot, const char *text, int *width, int *height)
{
    g_autoptr(PangoLayout) layout = gtk_widget_create_pango_layout(GTK_WIDGET(plot), text);

    pango_layout_get_pixel_size(layout, width, height);
}

static char *
scale_text(const WidgetPlot *plot, double value)
{
    if (plot->kind == WIDGET_PLOT_SHARES)
        return g_strdup_printf("%.0f %%", 100 * value);
    return value >= 10000 ? g_strdup_printf(_("%.0f k"), value / 1000)
                          : g_strdup_printf("%.0f", value);
}

static void
draw_scale(WidgetPlot *plot, cairo_t *cairo, const Frame *frame, int text_height)
{
    GtkStyleContext *style = gtk_widget_get_style_context(GTK_WIDGET(plot));
    GdkRGBA colour;

    gtk_style_context_get_color(style, gtk_style_context_get_state(style), &colour);
    colour.alpha *= 0.25;
    gdk_cairo_set_source_rgba(cairo, &colour);
    cairo_set_line_width(cairo, 1);
    for (int quarter = 0; quarter <= 4; quarter++) {
        double y = (int)(frame->y + frame->height * quarter / 4) + 0.5;
        cairo_move_to(cairo, frame->x, y);
        cairo_line_to(cairo, frame->x + frame->width, y);
    }
    cairo_stroke(cairo);
    for (int half = 0; half <= 2; half++) {
        g_autofree char *text = scale_text(plot, frame->top * (2 - half) / 2);
        int width, height;

        text_size(plot, text, &width, &height);
        draw_text(plot, cairo, frame->x - MARGIN - width,
                  frame->y + frame->height * half / 2 - text_height / 2.0, text);
    }
}

/* How high the stack is below a series. */
static double
height_below(const Sample *sample, guint series)
{
    double sum = 0;

    for (guint i = 0; i < series; i++)
        sum += sample->value[i];
    return MIN(sum, 1);
}

static double
x_of(const Frame *frame, guint age)
{
    return frame->x + frame->width * (SAMPLES - 1 - age) / (SAMPLES - 1);
}

static double
y_of(const Frame *frame, double value)
{
    return frame->y + frame->height * (1 - value / frame->top);
}

static void
draw_area(WidgetPlot *plot, cairo_t *cairo, const Frame *frame, guint series)
{
    cairo_new_path(cairo); /* a text leaves a point behind */
    for (guint age = 0; age < plot->count; age++)
        cairo_line_to(cairo, x_of(frame, age),
                      y_of(frame, height_below(sample_at(plot, age), series + 1)));
    for (guint age = plot->count; age-- > 0;)
        cairo_line_to(cairo, x_of(frame, age),
                      y_of(frame, height_below(sample_at(plot, age), series)));
    cairo_close_path(cairo);
    set_colour(cairo, series, 0.75);
    cairo_fill(cairo);
}

static void
draw_line(WidgetPlot *plot, cairo_t *cairo, const Frame *frame, guint series)
{
    cairo_new_path(cairo);
    for (guint age = 0; age < plot->count; age++)
        cairo_line_to(cairo, x_of(frame, age), y_of(frame, sample_at(plot, age)->value[series]));
    set_colour(cairo, series, 1);
    cairo_set_line_width(cairo, 2);
    cairo_stroke(cairo);
}

static void
draw_legend(WidgetPlot *plot, cairo_t *cairo, const Frame *frame, int text_height)
{
    double x = frame->x, y = frame->y + frame->height + 2 * MARGIN;

    for (guint i = 0; i < plot->series; i++) {
        g_autofree char *text = value_text(plot, i);

        set_colour(cairo, i, 1);
        cairo_rectangle(cairo, x, y + (text_height - SWATCH) / 2.0, SWATCH, SWATCH);
        cairo_fill(cairo);
        x += SWATCH + MARGIN;
        x += draw_text(plot, cairo, x, y, text) + 3 * MARGIN;
    }
}

static gboolean
widget_plot_draw(GtkWidget *widget, cairo_t *cairo)
{
    WidgetPlot *plot = WIDGET_PLOT(widget);
    int text_width, text_height;
    Frame frame;

    text_size(plot, "0000 %", &text_width, &text_height);
    frame = (Frame){.x = text_width + MARGIN, .y = text_height / 2.0, .top = top_of(plot)};
    frame.width = gtk_widget_get_allocated_width(widget) - frame.x - MARGIN;
    frame.height = gtk_widget_get_allocated_height(widget) - frame.y - text_height - 3 * MARGIN;
    draw_scale(plot, cairo, &frame, text_height);
    if (plot->count == 0)
        return FALSE;
    for (guint i = 0; i < plot->series; i++)
        (plot->kind == WIDGET_PLOT_SHARES ? draw_area : draw_line)(plot, cairo, &frame, i);
    draw_legend(plot, cairo, &frame, text_height);
    return FALSE;
}

/* --- the class --- */
static void
widget_plot_finalize(GObject *object)
{
    WidgetPlot *plot = WIDGET_PLOT(object);

    for (guint i = 0; i < plot->series; i++)
        g_free(plot->names[i]);
    G_OBJECT_CLASS(widget_plot_parent_class)->finalize(object);
}

static void
widget_plot_class_init(WidgetPlotClass *class)
{
    G_OBJECT_CLASS(class)->finalize = widget_plot_finalize;
    GTK_WIDGET_CLASS(class)->draw = widget_plot_draw;
}

static void
widget_plot_init(WidgetPlot *plot)
{
}

GtkWidget *
widget_plot_new(WidgetPlotKind kind, const char *name)
{
    WidgetPlot *plot = g_object_new(WIDGET_TYPE_PLOT, NULL);

    plot->kind = kind;
    atk_object_set_name(gtk_widget_get_accessible(GTK_WIDGET(plot)), name);
    return GTK_WIDGET(plot);
}
