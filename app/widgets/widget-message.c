/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A dialog after which the program ends. */
#include "app/widgets/widget-message.h"

static void
on_closed(GtkWidget *dialog, int response, gpointer application)
{
    gtk_widget_destroy(dialog);
    g_application_quit(application);
}

void
widget_message_then_quit(GApplication *application, const char *title, const char *text)
{
    GtkWidget *dialog =
        gtk_message_dialog_new(NULL, 0, GTK_MESSAGE_ERROR, GTK_BUTTONS_CLOSE, "%s", title);

    g_printerr("vitrine: %s\n", text);
    gtk_message_dialog_format_secondary_text(GTK_MESSAGE_DIALOG(dialog), "%s", text);
    gtk_window_set_title(GTK_WINDOW(dialog), "Vitrine");
    g_signal_connect(dialog, "response", G_CALLBACK(on_closed), application);
    gtk_window_present(GTK_WINDOW(dialog));
}
