/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The line of long work: follows a VitrineProgress. */
#include "app/widgets/widget-work.h"

#include <glib/gi18n.h>

struct _WidgetWork {
    GtkBox parent;
    GtkLabel *label;
    GtkProgressBar *bar;
    GtkWidget *cancel;
    VitrineProgress *progress;
    GCancellable *waiting;
    gulong handler;
    WidgetWorkDone done;
    gpointer data;
};

G_DEFINE_FINAL_TYPE(WidgetWork, widget_work, GTK_TYPE_BOX)

static void
show_progress(WidgetWork *work)
{
    const guint percent = vitrine_progress_get_percent(work->progress);
    g_autofree char *text = g_strdup_printf("%u %%", percent);

    gtk_label_set_text(work->label, vitrine_progress_get_description(work->progress));
    gtk_progress_bar_set_fraction(work->bar, percent / 100.0);
    gtk_progress_bar_set_text(work->bar, text);
    gtk_widget_set_sensitive(work->cancel, vitrine_progress_get_cancellable(work->progress));
}

static void
forget(WidgetWork *work)
{
    if (!work->progress)
        return;
    g_clear_signal_handler(&work->handler, work->progress);
    g_cancellable_cancel(work->waiting);
    g_clear_object(&work->waiting);
    g_clear_object(&work->progress);
    gtk_widget_hide(GTK_WIDGET(work));
}

static void
on_completed(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(WidgetWork) work = data;
    g_autoptr(GError) error = NULL;
    g_autofree char *made = vitrine_progress_wait_finish(VITRINE_PROGRESS(source), result, &error);

    if (work->progress != VITRINE_PROGRESS(source))
        return;
    forget(work);
    work->done(work->data, made, error);
}

static void
on_cancel(WidgetWork *work)
{
    gtk_widget_set_sensitive(work->cancel, FALSE);
    vitrine_progress_cancel(work->progress);
}

void
widget_work_follow(WidgetWork *work, VitrineProgress *progress, WidgetWorkDone done, gpointer data)
{
    g_return_if_fail(work->progress == NULL);
    work->progress = g_object_ref(progress);
    work->waiting = g_cancellable_new();
    work->done = done;
    work->data = data;
    work->handler = g_signal_connect_swapped(progress, "notify", G_CALLBACK(show_progress), work);
    show_progress(work);
    gtk_widget_show(GTK_WIDGET(work));
    vitrine_progress_wait_async(progress, work->waiting, on_completed, g_object_ref(work));
}

gboolean
widget_work_is_busy(WidgetWork *work)
{
    return work->progress != NULL;
}

static void
widget_work_dispose(GObject *object)
{
    forget(WIDGET_WORK(object));
    G_OBJECT_CLASS(widget_work_parent_class)->dispose(object);
}

static void
widget_work_class_init(WidgetWorkClass *class)
{
    G_OBJECT_CLASS(class)->dispose = widget_work_dispose;
}

static void
widget_work_init(WidgetWork *work)
{
    GtkWidget *label = gtk_label_new(NULL), *bar = gtk_progress_bar_new();
    GtkWidget *cancel = gtk_button_new_with_mnemonic(_("_Cancel"));

    gtk_orientable_set_orientation(GTK_ORIENTABLE(work), GTK_ORIENTATION_HORIZONTAL);
    gtk_box_set_spacing(GTK_BOX(work), 12);
    gtk_label_set_ellipsize(GTK_LABEL(label), PANGO_ELLIPSIZE_MIDDLE);
    gtk_label_set_xalign(GTK_LABEL(label), 0);
    gtk_progress_bar_set_show_text(GTK_PROGRESS_BAR(bar), TRUE);
    gtk_widget_set_valign(bar, GTK_ALIGN_CENTER);
    gtk_widget_set_size_request(bar, 160, -1);
    atk_object_set_name(gtk_widget_get_accessible(bar), _("Progress"));
    gtk_box_pack_start(GTK_BOX(work), label, TRUE, TRUE, 0);
    gtk_box_pack_start(GTK_BOX(work), bar, FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(work), cancel, FALSE, FALSE, 0);
    g_signal_connect_swapped(cancel, "clicked", G_CALLBACK(on_cancel), work);
    gtk_widget_show_all(label);
    gtk_widget_show(bar);
    gtk_widget_show(cancel);
    gtk_widget_set_no_show_all(GTK_WIDGET(work), TRUE);
    work->label = GTK_LABEL(label);
    work->bar = GTK_PROGRESS_BAR(bar);
    work->cancel = cancel;
}

GtkWidget *
widget_work_new(void)
{
    return g_object_new(WIDGET_TYPE_WORK, NULL);
}
