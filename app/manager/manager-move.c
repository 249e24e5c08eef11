/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Moving a machine's folder. Manual, chapter "First steps" (Moving a VM). */
#include "app/manager/manager-private.h"

#include <glib/gi18n.h>

typedef struct {
    ManagerWindow *window;
    VitrineMachine *machine;
} Move;

static void
on_moved(gpointer data, const char *made, const GError *error)
{
    if (error && !g_error_matches(error, VITRINE_ERROR, VITRINE_ERROR_CANCELLED))
        manager_window_show_error(data, _("The machine was not moved"), error);
}

static void
on_moving(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(ManagerWindow) window = data;
    WidgetWork *work = manager_window_get_work(window);
    g_autoptr(GError) error = NULL;
    g_autoptr(VitrineProgress) progress =
        vitrine_machine_move_finish(VITRINE_MACHINE(source), result, &error);

    if (!work) /* the window is gone */
        return;
    if (!progress)
        manager_window_show_error(window, _("The machine was not moved"), error);
    else if (!widget_work_is_busy(work))
        widget_work_follow(work, progress, on_moved, window);
}

static void
on_folder(GtkNativeDialog *dialog, int response, gpointer data)
{
    Move *move = data;
    g_autofree char *folder = NULL;

    if (response == GTK_RESPONSE_ACCEPT) {
        folder = gtk_file_chooser_get_filename(GTK_FILE_CHOOSER(dialog));
        vitrine_machine_move_async(move->machine, folder, NULL, on_moving,
                                   g_object_ref(move->window));
    }
    g_object_unref(dialog);
    g_object_unref(move->window);
    g_object_unref(move->machine);
    g_free(move);
}

void
manager_window_ask_move(ManagerWindow *window, VitrineMachine *machine)
{
    g_autofree char *title =
        g_strdup_printf(_("Move “%s” to a folder"), vitrine_machine_get_name(machine));
    GtkFileChooserNative *dialog = gtk_file_chooser_native_new(
        title, GTK_WINDOW(window), GTK_FILE_CHOOSER_ACTION_SELECT_FOLDER, _("_Move"), _("_Cancel"));
    g_autofree char *folder = g_path_get_dirname(vitrine_machine_get_settings_file(machine));
    g_autofree char *above = g_path_get_dirname(folder);
    Move *move = g_new(Move, 1);

    /* Where it is now is what a person knows. */
    gtk_file_chooser_set_current_folder(GTK_FILE_CHOOSER(dialog), above);
    *move = (Move){g_object_ref(window), g_object_ref(machine)};
    g_signal_connect(dialog, "response", G_CALLBACK(on_folder), move);
    gtk_native_dialog_show(GTK_NATIVE_DIALOG(dialog));
}
