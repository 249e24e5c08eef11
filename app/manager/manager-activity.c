/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The activity page: plots, filled once a second from the machine's console while they are on
 * the screen. */
#include "app/manager/manager-activity.h"

#include "app/widgets/widget-engine-load.h"

#include <glib/gi18n.h>

#define POLL_SECONDS 1
#define PLOT_HEIGHT 84
#define MEGABYTE (1024.0 * 1024.0)

struct _ManagerActivity {
    GtkStack parent;
    WidgetPlot *load, *memory, *drives;
    VitrineMachine *machine;
    VitrineConsole *console;
    GCancellable *cancel; /* of the present machine and console */
    gulong handler;
    guint poll;
    WidgetEngineLoad engine_load;
    VitrineActivity last;
    gint64 last_us; /* when `last` came; 0: never */
};

G_DEFINE_FINAL_TYPE(ManagerActivity, manager_activity, GTK_TYPE_STACK)

/* --- what comes --- */

static guint64
number_of(const char *statistics, const char *name)
{
    const char *line = strstr(statistics, name);

    return line ? g_ascii_strtoull(line + strlen(name), NULL, 10) : 0;
}

static void
on_statistics(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(ManagerActivity) activity = data;
    g_autofree char *text = vitrine_console_get_info_finish(VITRINE_CONSOLE(source), result, NULL);
    double memory[WIDGET_PLOT_SERIES_MAX] = {0};

    if (!text || activity->console != VITRINE_CONSOLE(source))
        return;
    widget_engine_load_add(&activity->engine_load, activity->load, text);
    memory[0] = (double)number_of(text, "\nresident-bytes: ") / MEGABYTE;
    widget_plot_add(activity->memory, memory);
}

static void
sum_drives(const VitrineActivity *activity, double sums[2])
{
    static const VitrineActivityClass classes[] = {
        VITRINE_ACTIVITY_HARD_DISK, VITRINE_ACTIVITY_OPTICAL, VITRINE_ACTIVITY_FLOPPY};

    sums[0] = sums[1] = 0;
    for (guint i = 0; i < G_N_ELEMENTS(classes); i++) {
        sums[0] += (double)activity->reads[classes[i]];
        sums[1] += (double)activity->writes[classes[i]];
    }
}

static void
on_drives(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(ManagerActivity) activity = data;
    const gint64 time_us = g_get_monotonic_time();
    double before[2], rates[WIDGET_PLOT_SERIES_MAX] = {0};
    VitrineActivity now;

    if (!vitrine_console_get_activity_finish(VITRINE_CONSOLE(source), result, &now, NULL) ||
        activity->console != VITRINE_CONSOLE(source))
        return;
    sum_drives(&activity->last, before);
    sum_drives(&now, rates);
    for (guint i = 0; i < 2; i++)
        rates[i] = (rates[i] - before[i]) * G_USEC_PER_SEC / (double)(time_us - activity->last_us);
    if (activity->last_us != 0)
        widget_plot_add(activity->drives, rates);
    activity->last = now;
    activity->last_us = time_us;
}

/* --- asking --- */

static void
forget_console(ManagerActivity *activity)
{
    g_cancellable_cancel(activity->cancel);
    g_clear_object(&activity->cancel);
    g_clear_object(&activity->console);
    activity->engine_load = (WidgetEngineLoad){0};
    activity->last_us = 0;
    widget_plot_clear(activity->load);
    widget_plot_clear(activity->memory);
    widget_plot_clear(activity->drives);
}

static gboolean
on_poll(gpointer data)
{
    ManagerActivity *activity = data;

    if (!activity->console)
        return G_SOURCE_CONTINUE;
    vitrine_console_get_info_async(activity->console, "statistics", activity->cancel, on_statistics,
                                   g_object_ref(activity));
    vitrine_console_get_activity_async(activity->console, activity->cancel, on_drives,
                                       g_object_ref(activity));
    return G_SOURCE_CONTINUE;
}

static void
on_console(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(ManagerActivity) activity = data;
    g_autoptr(VitrineConsole) console =
        vitrine_machine_open_console_finish(VITRINE_MACHINE(source), result, NULL);

    if (!console || activity->machine != VITRINE_MACHINE(source) || !activity->cancel)
        return;
    g_set_object(&activity->console, console);
    on_poll(activity);
}

/* Follows the machine while the widget is shown and the machine runs. */
static void
update(ManagerActivity *activity)
{
    gboolean online = activity->machine &&
                      vitrine_machine_state_is_online(vitrine_machine_get_state(activity->machine));
    gboolean wanted = online && gtk_widget_get_mapped(GTK_WIDGET(activity));

    gtk_stack_set_visible_child_name(GTK_STACK(activity), online ? "plots" : "off");
    if (wanted == (activity->cancel != NULL))
        return;
    if (wanted) {
        activity->cancel = g_cancellable_new();
        vitrine_machine_open_console_async(activity->machine, activity->cancel, on_console,
                                           g_object_ref(activity));
        activity->poll = g_timeout_add_seconds(POLL_SECONDS, on_poll, activity);
    } else {
        g_clear_handle_id(&activity->poll, g_source_remove);
        forget_console(activity);
    }
}

static void
drop(ManagerActivity *activity)
{
    g_clear_handle_id(&activity->poll, g_source_remove);
    if (activity->cancel)
        forget_console(activity);
}

void
manager_activity_set_machine(ManagerActivity *activity, VitrineMachine *machine)
{
    if (activity->machine == machine)
        return;
    drop(activity);
    if (activity->machine)
        g_clear_signal_handler(&activity->handler, activity->machine);
    g_set_object(&activity->machine, machine);
    if (machine)
        activity->handler =
            g_signal_connect_swapped(machine, "notify::state", G_CALLBACK(update), activity);
    update(activity);
}

/* --- the class --- */

static WidgetPlot *
add_plot(GtkBox *box, const char *title, GtkWidget *plot)
{
    GtkWidget *label = gtk_label_new(title);

    gtk_label_set_xalign(GTK_LABEL(label), 0);
    gtk_style_context_add_class(gtk_widget_get_style_context(label), "dim-label");
    gtk_widget_set_size_request(plot, -1, PLOT_HEIGHT);
    gtk_box_pack_start(box, label, FALSE, FALSE, 0);
    gtk_box_pack_start(box, plot, TRUE, TRUE, 0);
    return WIDGET_PLOT(plot);
}

static void
manager_activity_dispose(GObject *object)
{
    manager_activity_set_machine(MANAGER_ACTIVITY(object), NULL);
    G_OBJECT_CLASS(manager_activity_parent_class)->dispose(object);
}

static void
manager_activity_class_init(ManagerActivityClass *class)
{
    G_OBJECT_CLASS(class)->dispose = manager_activity_dispose;
}

static void
manager_activity_init(ManagerActivity *activity)
{
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 6);
    GtkWidget *scroller = gtk_scrolled_window_new(NULL, NULL);
    GtkWidget *off = gtk_label_new(_("The machine is off: it does nothing that could be plotted."));

    activity->load = add_plot(GTK_BOX(box), _("Processors"), widget_engine_load_plot_new());
    activity->memory = add_plot(GTK_BOX(box), _("Memory of the host"),
                                widget_plot_new(WIDGET_PLOT_MEGABYTES, _("Memory in use")));
    activity->drives = add_plot(GTK_BOX(box), _("Drives"),
                                widget_plot_new(WIDGET_PLOT_RATES, _("Accesses to drives")));
    widget_plot_series(activity->memory, _("In use"));
    widget_plot_series(activity->drives, _("Reads"));
    widget_plot_series(activity->drives, _("Writes"));
    gtk_scrolled_window_set_policy(GTK_SCROLLED_WINDOW(scroller), GTK_POLICY_NEVER,
                                   GTK_POLICY_AUTOMATIC);
    gtk_container_add(GTK_CONTAINER(scroller), box);
    gtk_label_set_line_wrap(GTK_LABEL(off), TRUE);
    gtk_style_context_add_class(gtk_widget_get_style_context(off), "dim-label");
    gtk_stack_add_named(GTK_STACK(activity), off, "off");
    gtk_stack_add_named(GTK_STACK(activity), scroller, "plots");
    g_signal_connect(activity, "map", G_CALLBACK(update), NULL);
    g_signal_connect_after(activity, "unmap", G_CALLBACK(update), NULL);
    gtk_widget_show_all(GTK_WIDGET(activity));
}

GtkWidget *
manager_activity_new(void)
{
    return g_object_new(MANAGER_TYPE_ACTIVITY, NULL);
}
