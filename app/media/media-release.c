/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Release: out of each machine that has the medium. An image of differences is of use to nobody
 * afterwards, but holds what was written: whether it stays is asked. */
#include "app/media/media-private.h"

#include <glib/gi18n.h>

enum { RESPONSE_KEEP = 1, RESPONSE_DELETE };

/* One for all machines: ends with the last of them. */
typedef struct {
    MediaWindow *window;
    VitrineMedium *medium;
    gboolean erase, failed;
    guint left; /* machines that have not answered */
} Release;

static void
on_deleted(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(MediaWindow) window = data;
    g_autoptr(GError) error = NULL;

    if (!vitrine_medium_close_finish(VITRINE_MEDIUM(source), result, &error))
        media_window_show_error(window, _("The medium was released, but not deleted"), error);
}

static void
release_end(Release *release, const GError *error)
{
    if (error) {
        release->failed = TRUE;
        media_window_show_error(release->window, _("The medium was not released"), error);
    }
    if (--release->left > 0)
        return;
    if (release->erase && !release->failed)
        vitrine_medium_close_async(release->medium, TRUE, NULL, on_deleted,
                                   g_object_ref(release->window));
    g_object_unref(release->medium);
    g_object_unref(release->window);
    g_free(release);
}

static void
on_saved(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GError) error = NULL;

    vitrine_machine_save_settings_finish(VITRINE_MACHINE(source), result, &error);
    release_end(data, error);
}

/* A removable medium leaves an empty drive, a disk goes with its drive. */
static void
take_out(VitrineSettings *settings, const char *medium)
{
    GPtrArray *drives = vitrine_settings_get_attachments(settings);

    for (guint i = drives->len; i-- > 0;) {
        const VitrineAttachment *drive = g_ptr_array_index(drives, i);
        g_autoptr(VitrineAttachment) copy = vitrine_attachment_copy(drive);

        if (!g_str_equal(copy->medium, medium))
            continue;
        if (copy->kind == VITRINE_MEDIUM_KIND_HARD_DISK) {
            vitrine_settings_remove_attachment(settings, copy->controller, copy->port,
                                               copy->device);
        } else {
            g_free(copy->medium);
            copy->medium = g_strdup("");
            vitrine_settings_put_attachment(settings, copy);
        }
    }
}

static void
on_settings(GObject *source, GAsyncResult *result, gpointer data)
{
    Release *release = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(VitrineSettings) settings =
        vitrine_machine_load_settings_finish(VITRINE_MACHINE(source), result, &error);

    if (!settings) {
        release_end(release, error);
        return;
    }
    take_out(settings, vitrine_medium_get_id(release->medium));
    vitrine_machine_save_settings_async(VITRINE_MACHINE(source), settings, NULL, on_saved, release);
}

static void
begin(MediaWindow *window, VitrineMedium *medium, gboolean erase)
{
    const char *const *machines = vitrine_medium_get_machines(medium);
    Release *release = g_new(Release, 1);

    *release = (Release){g_object_ref(window), g_object_ref(medium), erase, FALSE, 1};
    for (guint i = 0; machines && machines[i]; i++) {
        VitrineMachine *machine =
            vitrine_client_find_machine(media_window_get_client(window), machines[i]);

        if (!machine)
            continue;
        release->left++;
        vitrine_machine_load_settings_async(machine, NULL, on_settings, release);
    }
    release_end(release, NULL); /* the one that it began with */
}

/* --- an image of differences --- */

typedef struct {
    MediaWindow *window;
    VitrineMedium *medium;
} Question;

static void
on_response(GtkDialog *dialog, int response, gpointer data)
{
    Question *question = data;

    gtk_widget_destroy(GTK_WIDGET(dialog));
    if (response == RESPONSE_KEEP || response == RESPONSE_DELETE)
        begin(question->window, question->medium, response == RESPONSE_DELETE);
    g_object_unref(question->medium);
    g_object_unref(question->window);
    g_free(question);
}

static void
ask(MediaWindow *window, VitrineMedium *medium)
{
    g_autofree char *file = vitrine_medium_dup_name(medium);
    g_autofree char *title = media_users_title(media_window_get_users(window), medium);
    GtkWidget *dialog = gtk_message_dialog_new(
        GTK_WINDOW(window), GTK_DIALOG_MODAL | GTK_DIALOG_DESTROY_WITH_PARENT, GTK_MESSAGE_QUESTION,
        GTK_BUTTONS_NONE, _("Release “%s”?"), title ? title : file);
    Question *question = g_new(Question, 1);
    GtkWidget *delete;

    *question = (Question){g_object_ref(window), g_object_ref(medium)};
    gtk_message_dialog_format_secondary_text(
        GTK_MESSAGE_DIALOG(dialog),
        _("The machine loses this disk. The image holds what was written to it since the image "
          "above it. It can stay in the list, and be attached again later. Or it is deleted, with "
          "all that is in it; that cannot be undone."));
    gtk_dialog_add_buttons(GTK_DIALOG(dialog), _("_Cancel"), GTK_RESPONSE_CANCEL,
                           _("_Keep the image"), RESPONSE_KEEP, NULL);
    delete = gtk_dialog_add_button(GTK_DIALOG(dialog), _("_Delete the image"), RESPONSE_DELETE);
    gtk_style_context_add_class(gtk_widget_get_style_context(delete), "destructive-action");
    gtk_dialog_set_default_response(GTK_DIALOG(dialog), GTK_RESPONSE_CANCEL);
    g_signal_connect(dialog, "response", G_CALLBACK(on_response), question);
    gtk_widget_show(dialog);
}

void
media_release(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    MediaWindow *window = data;
    VitrineMedium *medium = media_window_get_medium(window);
    const char *parent = vitrine_medium_get_parent_id(medium);
    const char *const *children = vitrine_medium_get_children(medium);
    const char *const *snapshots = vitrine_medium_get_snapshots(medium);
    const gboolean needed = (children && children[0]) || (snapshots && snapshots[0]);

    if (parent && *parent && !needed)
        ask(window, medium);
    else
        begin(window, medium, FALSE);
}
