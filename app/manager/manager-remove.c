/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Removing a machine: from the list only, or with its files. */
#include "app/manager/manager-private.h"

#include <glib/gi18n.h>

enum { RESPONSE_KEEP = 1, RESPONSE_DELETE };

typedef struct {
    ManagerWindow *window;
    VitrineMachine *machine;
} Removal;

static void
on_removed(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(ManagerWindow) window = data;
    g_autoptr(GError) error = NULL;

    if (!vitrine_machine_unregister_finish(VITRINE_MACHINE(source), result, &error))
        manager_window_show_error(window, _("The machine was not removed"), error);
}

static void
on_response(GtkDialog *dialog, int response, gpointer data)
{
    Removal *removal = data;

    if (response == RESPONSE_KEEP || response == RESPONSE_DELETE)
        vitrine_machine_unregister_async(removal->machine, response == RESPONSE_DELETE, NULL,
                                         on_removed, g_object_ref(removal->window));
    gtk_widget_destroy(GTK_WIDGET(dialog));
    g_object_unref(removal->machine);
    g_free(removal);
}

void
manager_window_ask_remove(ManagerWindow *window, VitrineMachine *machine)
{
    GtkWidget *dialog = gtk_message_dialog_new(
        GTK_WINDOW(window), GTK_DIALOG_MODAL | GTK_DIALOG_DESTROY_WITH_PARENT, GTK_MESSAGE_QUESTION,
        GTK_BUTTONS_NONE, _("Remove “%s”?"), vitrine_machine_get_name(machine));
    Removal *removal = g_new(Removal, 1);
    GtkWidget *delete;

    *removal = (Removal){window, g_object_ref(machine)};
    gtk_message_dialog_format_secondary_text(
        GTK_MESSAGE_DIALOG(dialog),
        _("It can leave the list and keep its files, so that you can add it again later. Or its "
          "settings, logs and "
          "the disks that no other machine uses can be deleted; that cannot be undone."));
    gtk_dialog_add_buttons(GTK_DIALOG(dialog), _("_Cancel"), GTK_RESPONSE_CANCEL,
                           _("_Remove from list"), RESPONSE_KEEP, NULL);
    delete = gtk_dialog_add_button(GTK_DIALOG(dialog), _("_Delete all files"), RESPONSE_DELETE);
    gtk_style_context_add_class(gtk_widget_get_style_context(delete), "destructive-action");
    gtk_dialog_set_default_response(GTK_DIALOG(dialog), GTK_RESPONSE_CANCEL);
    g_signal_connect(dialog, "response", G_CALLBACK(on_response), removal);
    gtk_widget_show(dialog);
}
