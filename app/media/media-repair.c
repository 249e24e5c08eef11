/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * An image whose UUIDs are not those of the registry, because it was copied, or its parent
 * replaced: why, with both values, and the offer to give it what the registry expects. As sethduuid
 * and sethdparentuuid do on the command line. */
#include "app/media/media-private.h"

#include <glib/gi18n.h>
#include <string.h>

typedef struct {
    MediaWindow *window;
    VitrineMedium *medium;
} Repair;

static void
repair_free(Repair *repair)
{
    g_object_unref(repair->window);
    g_object_unref(repair->medium);
    g_free(repair);
}

/* What the service says of such an image names the command that repairs it, in every language. */
static gboolean
names_command(VitrineMedium *medium, const char *command)
{
    const char *problem = vitrine_medium_get_access_error(medium);

    return problem && strstr(problem, command);
}

gboolean
media_can_repair(VitrineMedium *medium)
{
    return names_command(medium, "internalcommands sethd");
}

/* The service looks at the image again when it is done. */
static void
on_repairing(GObject *source, GAsyncResult *result, gpointer data)
{
    Repair *repair = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(VitrineProgress) progress =
        vitrine_client_set_image_uuids_finish(VITRINE_CLIENT(source), result, &error);

    media_window_follow(repair->window, progress, error, _("The image was not repaired"));
    repair_free(repair);
}

static void
on_response(GtkDialog *dialog, int response, gpointer data)
{
    Repair *repair = data;
    VitrineMedium *medium = repair->medium;
    const gboolean parent = names_command(medium, "sethdparentuuid");

    gtk_widget_destroy(GTK_WIDGET(dialog));
    if (response == GTK_RESPONSE_ACCEPT)
        vitrine_client_set_image_uuids_async(
            media_window_get_client(repair->window), vitrine_medium_get_location(medium),
            parent ? NULL : vitrine_medium_get_id(medium),
            parent ? vitrine_medium_get_parent_id(medium) : NULL, NULL, on_repairing, repair);
    else
        repair_free(repair);
}

void
media_repair(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    VitrineMedium *medium = media_window_get_medium(data);
    g_autofree char *name = vitrine_medium_dup_name(medium);
    Repair *repair = g_new(Repair, 1);
    GtkWidget *dialog =
        gtk_message_dialog_new(GTK_WINDOW(data), GTK_DIALOG_MODAL | GTK_DIALOG_DESTROY_WITH_PARENT,
                               GTK_MESSAGE_QUESTION, GTK_BUTTONS_NONE, _("Repair “%s”?"), name);

    *repair = (Repair){g_object_ref(data), g_object_ref(medium)};
    gtk_message_dialog_format_secondary_text(
        GTK_MESSAGE_DIALOG(dialog), "%s\n\n%s", vitrine_medium_get_access_error(medium),
        names_command(medium, "sethdparentuuid")
            ? _("Repair only if nothing was written to the parent since the image was made: "
                "otherwise what it shows is a mixture of both.")
            : _("Repair only if this is the right file. Its content stays as it is."));
    gtk_dialog_add_buttons(GTK_DIALOG(dialog), _("_Cancel"), GTK_RESPONSE_CANCEL, _("_Repair"),
                           GTK_RESPONSE_ACCEPT, NULL);
    gtk_dialog_set_default_response(GTK_DIALOG(dialog), GTK_RESPONSE_CANCEL);
    g_signal_connect(dialog, "response", G_CALLBACK(on_response), repair);
    gtk_widget_show(dialog);
}
