/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Saving the machine's state from its window, and continuing from a saved one: a bar tells how far
 * it is and lets one go back. The window goes when the machine's process has ended. */
#include "app/vmwindow/vm-window-private.h"

#include <glib/gi18n.h>

static void
on_percent(VitrineProgress *progress, GParamSpec *property, VmWindow *window)
{
    gtk_progress_bar_set_fraction(window->work_progress,
                                  vitrine_progress_get_percent(progress) / 100.0);
    gtk_info_bar_set_response_sensitive(window->work_bar, GTK_RESPONSE_CANCEL,
                                        vitrine_progress_get_cancellable(progress));
}

void
vm_window_forget_work(VmWindow *window)
{
    if (window->work)
        g_signal_handlers_disconnect_by_data(window->work, window);
    g_clear_object(&window->work);
    window->restoring = FALSE;
}

static void
show_work(VmWindow *window, VitrineProgress *progress, const char *text)
{
    vm_window_forget_work(window);
    window->work = g_object_ref(progress);
    gtk_label_set_text(window->work_label, text);
    g_signal_connect(progress, "notify", G_CALLBACK(on_percent), window);
    on_percent(progress, NULL, window);
    vm_window_show_bar(window, window->work_bar, TRUE);
}

static void
hide_work(VmWindow *window)
{
    vm_window_forget_work(window);
    vm_window_show_bar(window, window->work_bar, FALSE);
}

/* --- save --- */
static void
on_saved(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(VmWindow) window = data;
    g_autoptr(GError) error = NULL;
    g_autofree char *what = vitrine_progress_wait_finish(VITRINE_PROGRESS(source), result, &error);

    if (window->ending)
        return;
    hide_work(window);
    if (!what && !g_error_matches(error, VITRINE_ERROR, VITRINE_ERROR_CANCELLED))
        vm_window_show_error(window, _("The state was not saved"), error);
}

static void
on_started(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(VmWindow) window = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(VitrineProgress) progress =
        vitrine_machine_save_state_finish(VITRINE_MACHINE(source), result, &error);

    if (window->ending)
        return;
    if (!progress) {
        vm_window_show_error(window, _("The state was not saved"), error);
        return;
    }
    show_work(window, progress, _("Saving the state of the machine…"));
    vitrine_progress_wait_async(progress, NULL, on_saved, g_object_ref(window));
}

void
vm_window_save_state(VmWindow *window)
{
    vm_window_show_bar(window, window->error_bar, FALSE);
    vitrine_machine_save_state_async(window->machine, window->cancel, on_started,
                                     g_object_ref(window));
}

/* --- restore --- */
static void
on_restore_progress(VitrineMachine *machine, GParamSpec *property, VmWindow *window)
{
    g_autoptr(VitrineProgress) progress = vitrine_machine_open_restore_progress(machine);

    if (window->ending)
        return;
    if (progress) {
        show_work(window, progress, _("Restoring the state of the machine…"));
        window->restoring = TRUE;
    } else if (window->restoring) {
        hide_work(window);
    }
}

void
vm_window_watch_restore(VmWindow *window)
{
    g_signal_connect_object(window->machine, "notify::restore-progress",
                            G_CALLBACK(on_restore_progress), window, 0);
    on_restore_progress(window->machine, NULL, window);
}

gboolean
vm_window_cancel_restore(VmWindow *window)
{
    if (!window->restoring)
        return FALSE;
    gtk_info_bar_set_response_sensitive(window->work_bar, GTK_RESPONSE_CANCEL, FALSE);
    vitrine_progress_cancel(window->work);
    return TRUE;
}

/* --- the bar --- */
static void
on_bar_response(GtkInfoBar *bar, int response, VmWindow *window)
{
    if (response != GTK_RESPONSE_CANCEL || vm_window_cancel_restore(window))
        return;
    if (window->work)
        vitrine_progress_cancel(window->work);
}

void
vm_window_connect_work(VmWindow *window)
{
    g_signal_connect(window->work_bar, "response", G_CALLBACK(on_bar_response), window);
}
