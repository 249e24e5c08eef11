/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Restore and delete: each asks once. */
#include "app/snapshots/snapshots-ask.h"

#include <glib/gi18n.h>

typedef struct {
    VitrineSnapshot *snapshot;
    GtkToggleButton *keep;
    SnapshotsRestore restore;
    SnapshotsDelete remove;
    GObject *data;
} Question;

static void
on_response(GtkDialog *dialog, int response, gpointer data)
{
    Question *question = data;

    if (response == GTK_RESPONSE_ACCEPT && question->restore)
        question->restore(question->data, question->snapshot,
                          gtk_toggle_button_get_active(question->keep));
    else if (response == GTK_RESPONSE_ACCEPT)
        question->remove(question->data, question->snapshot);
    gtk_widget_destroy(GTK_WIDGET(dialog));
    g_object_unref(question->snapshot);
    g_object_unref(question->data);
    g_free(question);
}

static GtkWidget *
ask(GtkWindow *parent, const char *title, const char *text, const char *verb, Question *question)
{
    GtkWidget *dialog =
        gtk_message_dialog_new(parent, GTK_DIALOG_MODAL | GTK_DIALOG_DESTROY_WITH_PARENT,
                               GTK_MESSAGE_QUESTION, GTK_BUTTONS_NONE, "%s", title);
    GtkWidget *accept;

    gtk_message_dialog_format_secondary_text(GTK_MESSAGE_DIALOG(dialog), "%s", text);
    gtk_dialog_add_button(GTK_DIALOG(dialog), _("_Cancel"), GTK_RESPONSE_CANCEL);
    accept = gtk_dialog_add_button(GTK_DIALOG(dialog), verb, GTK_RESPONSE_ACCEPT);
    gtk_style_context_add_class(gtk_widget_get_style_context(accept), "destructive-action");
    gtk_dialog_set_default_response(GTK_DIALOG(dialog), GTK_RESPONSE_CANCEL);
    g_signal_connect(dialog, "response", G_CALLBACK(on_response), question);
    return dialog;
}

void
snapshots_ask_restore(GtkWindow *parent, VitrineMachine *machine, VitrineSnapshot *snapshot,
                      SnapshotsRestore restore, GObject *data)
{
    Question *question = g_new0(Question, 1);
    g_autofree char *title =
        g_strdup_printf(_("Go back to “%s”?"), vitrine_snapshot_get_name(snapshot));
    GtkWidget *keep = gtk_check_button_new_with_mnemonic(_("_Keep the present first: take a "
                                                           "snapshot of it"));
    GtkWidget *dialog;

    *question = (Question){
        .snapshot = g_object_ref(snapshot),
        .keep = GTK_TOGGLE_BUTTON(keep),
        .restore = restore,
        .data = g_object_ref(data),
    };
    gtk_toggle_button_set_active(question->keep,
                                 vitrine_machine_get_current_state_modified(machine));
    dialog = ask(parent, title,
                 _("Settings and disks become what they were when the snapshot was taken. What "
                   "changed since the last snapshot is lost unless you keep it."),
                 _("_Restore"), question);
    gtk_box_pack_start(GTK_BOX(gtk_message_dialog_get_message_area(GTK_MESSAGE_DIALOG(dialog))),
                       keep, FALSE, FALSE, 0);
    gtk_widget_show(keep);
    gtk_widget_show(dialog);
}

void
snapshots_ask_delete(GtkWindow *parent, VitrineSnapshot *snapshot, SnapshotsDelete remove,
                     GObject *data)
{
    Question *question = g_new0(Question, 1);
    g_autofree char *title =
        g_strdup_printf(_("Delete the snapshot “%s”?"), vitrine_snapshot_get_name(snapshot));

    *question = (Question){
        .snapshot = g_object_ref(snapshot), .remove = remove, .data = g_object_ref(data)};
    gtk_widget_show(ask(parent, title,
                        _("The machine and all other snapshots stay as they are; only the way back "
                          "to this one is gone. Its disk images are merged with those that follow, "
                          "which can take a while."),
                        _("_Delete"), question));
}
