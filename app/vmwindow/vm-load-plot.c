/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The plot of CPU load by engine: stacked areas over a minute, a scale, a legend with the numbers
 * of now. Colours of the axes are the theme's. */
#include "app/vmwindow/vm-load-plot.h"

#include <glib/gi18n.h>

#define SAMPLES 60
#define MARGIN 6
#define SWATCH 10

typedef struct {
    double share[VM_LOAD_PLOT_SERIES_MAX];
} Sample;

struct _VmLoadPlot {
    GtkDrawingArea parent;
    char *names[VM_LOAD_PLOT_SERIES_MAX];
    guint series;
    Sample samples[SAMPLES]; /* a ring */
    guint next, count;
};

G_DEFINE_FINAL_TYPE(VmLoadPlot, vm_load_plot, GTK_TYPE_DRAWING_AREA)

/* The area inside the scale and above the legend. */
typedef struct {
    double x, y, width, height;
} Frame;

static const Sample *
sample_at(const VmLoadPlot *plot, guint age)
{
    return &plot->samples[(plot->next + SAMPLES - 1 - age) % SAMPLES];
}

/* --- data --- */
guint
vm_load_plot_series(VmLoadPlot *plot, const char *name)
{
    guint i = 0;

    while (i < plot->series && !g_str_equal(plot->names[i], name))
        i++;
    if (i == plot->series && i < VM_LOAD_PLOT_SERIES_MAX)
        plot->names[plot->series++] = g_strdup(name);
    return i;
}

/* What a person who does not see the plot is told. */
static void
describe(VmLoadPlot *plot)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < plot->series; i++)
        g_string_append_printf(text, "%s%s %.0f %%", i > 0 ? ", " : "", plot->names[i],
                               100 * sample_at(plot, 0)->share[i]);
    atk_object_set_description(gtk_widget_get_accessible(GTK_WIDGET(plot)), text->str);
    g_string_free(text, TRUE);
}

void
vm_load_plot_add(VmLoadPlot *plot, const double *shares)
{
    Sample *sample = &plot->samples[plot->next];

    for (guint i = 0; i < VM_LOAD_PLOT_SERIES_MAX; i++)
        sample->share[i] = CLAMP(shares[i], 0, 1);
    plot->next = (plot->next + 1) % SAMPLES;
    plot->count = MIN(plot->count + 1, SAMPLES);
    describe(plot);
    gtk_widget_queue_draw(GTK_WIDGET(plot));
}

/* --- drawing --- */
static void
set_colour(cairo_t *cairo, guint series, double alpha)
{
    static const double colours[VM_LOAD_PLOT_SERIES_MAX][3] = {
        {0.21, 0.52, 0.89}, {0.90, 0.38, 0.00}, {0.18, 0.70, 0.42}, {0.57, 0.25, 0.67}};
    const double *colour = colours[series];

    cairo_set_source_rgba(cairo, colour[0], colour[1], colour[2], alpha);
}

/* Returns its width. */
static int
draw_text(VmLoadPlot *plot, cairo_t *cairo, double x, double y, const char *text)
{
    GtkStyleContext *style = gtk_widget_get_style_context(GTK_WIDGET(plot));
    g_autoptr(PangoLayout) layout = gtk_widget_create_pango_layout(GTK_WIDGET(plot), text);
    int width;

    pango_layout_get_pixel_size(layout, &width, NULL);
    gtk_render_layout(style, cairo, x, y, layout);
    return width;
}

static void
text_size(VmLoadPlot *plot, const char *text, int *width, int *height)
{
    g_autoptr(PangoLayout) layout = gtk_widget_create_pango_layout(GTK_WIDGET(plot), text);

    pango_layout_get_pixel_size(layout, width, height);
}

static void
draw_scale(VmLoadPlot *plot, cairo_t *cairo, const Frame *frame, int text_height)
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
        g_autofree char *text = g_strdup_printf("%d %%", 100 - 50 * half);
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
        sum += sample->share[i];
    return MIN(sum, 1);
}

static double
x_of(const Frame *frame, guint age)
{
    return frame->x + frame->width * (SAMPLES - 1 - age) / (SAMPLES - 1);
}

static double
y_of(const Frame *frame, double share)
{
    return frame->y + frame->height * (1 - share);
}

static void
draw_series(VmLoadPlot *plot, cairo_t *cairo, const Frame *frame, guint series)
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
draw_legend(VmLoadPlot *plot, cairo_t *cairo, const Frame *frame, int text_height)
{
    double x = frame->x, y = frame->y + frame->height + 2 * MARGIN;

    for (guint i = 0; i < plot->series; i++) {
        g_autofree char *text =
            g_strdup_printf("%s %.0f %%", plot->names[i], 100 * sample_at(plot, 0)->share[i]);

        set_colour(cairo, i, 1);
        cairo_rectangle(cairo, x, y + (text_height - SWATCH) / 2.0, SWATCH, SWATCH);
        cairo_fill(cairo);
        x += SWATCH + MARGIN;
        x += draw_text(plot, cairo, x, y, text) + 3 * MARGIN;
    }
}

static gboolean
vm_load_plot_draw(GtkWidget *widget, cairo_t *cairo)
{
    VmLoadPlot *plot = VM_LOAD_PLOT(widget);
    int text_width, text_height;
    Frame frame;

    text_size(plot, "100 %", &text_width, &text_height);
    frame = (Frame){.x = text_width + MARGIN, .y = text_height / 2.0};
    frame.width = gtk_widget_get_allocated_width(widget) - frame.x - MARGIN;
    frame.height = gtk_widget_get_allocated_height(widget) - frame.y - text_height - 3 * MARGIN;
    draw_scale(plot, cairo, &frame, text_height);
    if (plot->count == 0)
        return FALSE;
    for (guint i = 0; i < plot->series; i++)
        draw_series(plot, cairo, &frame, i);
    draw_legend(plot, cairo, &frame, text_height);
    return FALSE;
}

/* --- the class --- */
static void
vm_load_plot_finalize(GObject *object)
{
    VmLoadPlot *plot = VM_LOAD_PLOT(object);

    for (guint i = 0; i < plot->series; i++)
        g_free(plot->names[i]);
    G_OBJECT_CLASS(vm_load_plot_parent_class)->finalize(object);
}

static void
vm_load_plot_class_init(VmLoadPlotClass *class)
{
    G_OBJECT_CLASS(class)->finalize = vm_load_plot_finalize;
    GTK_WIDGET_CLASS(class)->draw = vm_load_plot_draw;
}

static void
vm_load_plot_init(VmLoadPlot *plot)
{
    AtkObject *accessible = gtk_widget_get_accessible(GTK_WIDGET(plot));

    atk_object_set_name(accessible, _("CPU load by engine"));
}
