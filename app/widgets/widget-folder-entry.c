/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The folder entry: GTK's own chooser button shows nothing for a folder that does not exist yet. */
#include "app/widgets/widget-folder-entry.h"

#include <glib/gi18n.h>

static void
on_chosen(GtkNativeDialog *chooser, int response, gpointer data)
{
    g_autoptr(GtkEntry) entry = data;
    g_autofree char *path = gtk_file_chooser_get_filename(GTK_FILE_CHOOSER(chooser));

    if (response == GTK_RESPONSE_ACCEPT && path)
        gtk_entry_set_text(entry, path);
    g_object_unref(chooser);
}

static void
on_icon(GtkEntry *entry, GtkEntryIconPosition position, GdkEvent *event, gpointer data)
{
    GtkWidget *window = gtk_widget_get_toplevel(GTK_WIDGET(entry));
    g_autofree char *title = gtk_entry_get_icon_tooltip_text(entry, GTK_ENTRY_ICON_SECONDARY);
    GtkFileChooserNative *chooser = gtk_file_chooser_native_new(
        title, GTK_WINDOW(window), GTK_FILE_CHOOSER_ACTION_SELECT_FOLDER, _("C_hoose"),
        _("_Cancel"));

    gtk_file_chooser_set_current_folder(GTK_FILE_CHOOSER(chooser), gtk_entry_get_text(entry));
    g_signal_connect(chooser, "response", G_CALLBACK(on_chosen), g_object_ref(entry));
    gtk_native_dialog_show(GTK_NATIVE_DIALOG(chooser));
}

void
widget_folder_entry_setup(GtkEntry *entry, const char *title)
{
    gtk_entry_set_icon_from_icon_name(entry, GTK_ENTRY_ICON_SECONDARY, "document-open-symbolic");
    gtk_entry_set_icon_tooltip_text(entry, GTK_ENTRY_ICON_SECONDARY, title);
    g_signal_connect(entry, "icon-press", G_CALLBACK(on_icon), NULL);
}

GtkWidget *
widget_folder_entry_new(const char *title)
{
    GtkWidget *entry = gtk_entry_new();

    widget_folder_entry_setup(GTK_ENTRY(entry), title);
    atk_object_set_name(gtk_widget_get_accessible(entry), title);
    return entry;
}
