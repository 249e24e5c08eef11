/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Saving the machine's state from its window: a bar tells how far it is and lets one go back. The
 * window goes when the machine's process has ended. */
#include "app/vmwindow/vm-window-private.h"

#include <glib/gi18n.h>

static void
take_progress(VmWindow *window, VitrineProgress *progress)
{
    if (window->saving)
        g_signal_handlers_disconnect_by_data(window->saving, window);
    g_set_object(&window->saving, progress);
    vm_window_show_bar(window, window->saving_bar, progress != NULL);
}

static void
on_percent(VitrineProgress *progress, GParamSpec *property, VmWindow *window)
{
    gtk_progress_bar_set_fraction(window->saving_progress,
                                  vitrine_progress_get_percent(progress) / 100.0);
    gtk_info_bar_set_response_sensitive(window->saving_bar, GTK_RESPONSE_CANCEL,
                                        vitrine_progress_get_cancellable(progress));
}

static void
on_saved(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(VmWindow) window = data;
    g_autoptr(GError) error = NULL;
    g_autofree char *what = vitrine_progress_wait_finish(VITRINE_PROGRESS(source), result, &error);

    if (window->ending)
        return;
    take_progress(window, NULL);
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
    take_progress(window, progress);
    g_signal_connect(progress, "notify", G_CALLBACK(on_percent), window);
    on_percent(progress, NULL, window);
    vitrine_progress_wait_async(progress, NULL, on_saved, g_object_ref(window));
}

static void
on_bar_response(GtkInfoBar *bar, int response, VmWindow *window)
{
    if (response == GTK_RESPONSE_CANCEL && window->saving)
        vitrine_progress_cancel(window->saving);
}

void
vm_window_save_state(VmWindow *window)
{
    vm_window_show_bar(window, window->error_bar, FALSE);
    vitrine_machine_save_state_async(window->machine, window->cancel, on_started,
                                     g_object_ref(window));
}

void
vm_window_connect_save(VmWindow *window)
{
    g_signal_connect(window->saving_bar, "response", G_CALLBACK(on_bar_response), window);
}

void
vm_window_forget_save(VmWindow *window)
{
    if (window->saving)
        g_signal_handlers_disconnect_by_data(window->saving, window);
    g_clear_object(&window->saving);
}
