/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What changes a medium that stays: its place, its size, its room on the host. */
#include "app/media/media-private.h"
#include "app/widgets/widget-form.h"

#include <glib/gi18n.h>

#define BYTES_PER_GB (1024.0 * 1024 * 1024)
#define SECTOR 512u
#define NOTE_CHARS 56

/* --- move --- */

static void
on_moving(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(MediaWindow) window = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(VitrineProgress) progress =
        vitrine_medium_move_finish(VITRINE_MEDIUM(source), result, &error);

    media_window_follow(window, progress, error, _("The medium was not moved"));
}

typedef struct {
    MediaWindow *window;
    VitrineMedium *medium;
} Change;

static Change *
change_new(MediaWindow *window)
{
    Change *change = g_new(Change, 1);

    *change = (Change){g_object_ref(window), g_object_ref(media_window_get_medium(window))};
    return change;
}

static void
change_free(Change *change)
{
    g_object_unref(change->window);
    g_object_unref(change->medium);
    g_free(change);
}

static void
on_folder(GtkNativeDialog *dialog, int response, gpointer data)
{
    Change *change = data;
    g_autofree char *folder = NULL;

    if (response == GTK_RESPONSE_ACCEPT) {
        folder = gtk_file_chooser_get_filename(GTK_FILE_CHOOSER(dialog));
        vitrine_medium_move_async(change->medium, folder, NULL, on_moving,
                                  g_object_ref(change->window));
    }
    g_object_unref(dialog);
    change_free(change);
}

void
media_move(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    GtkFileChooserNative *dialog = gtk_file_chooser_native_new(
        _("Move to a folder"), GTK_WINDOW(data), GTK_FILE_CHOOSER_ACTION_SELECT_FOLDER, _("_Move"),
        _("_Cancel"));

    g_signal_connect(dialog, "response", G_CALLBACK(on_folder), change_new(data));
    gtk_native_dialog_show(GTK_NATIVE_DIALOG(dialog));
}

/* --- resize, compact --- */

static void
on_resizing(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(MediaWindow) window = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(VitrineProgress) progress =
        vitrine_medium_resize_finish(VITRINE_MEDIUM(source), result, &error);

    media_window_follow(window, progress, error, _("The disk has its size still"));
}

static void
on_size(GtkDialog *dialog, int response, gpointer data)
{
    Change *change = data;
    GtkSpinButton *size = g_object_get_data(G_OBJECT(dialog), "size");
    guint64 bytes;

    gtk_spin_button_update(size); /* what was typed and not left yet */
    bytes = (guint64)(gtk_spin_button_get_value(size) * BYTES_PER_GB) / SECTOR * SECTOR;
    if (response == GTK_RESPONSE_OK && bytes > vitrine_medium_get_logical_size(change->medium))
        vitrine_medium_resize_async(change->medium, bytes, NULL, on_resizing,
                                    g_object_ref(change->window));
    gtk_widget_destroy(GTK_WIDGET(dialog));
    change_free(change);
}

void
media_resize(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    const double now =
        (double)vitrine_medium_get_logical_size(media_window_get_medium(data)) / BYTES_PER_GB;
    GtkWidget *dialog = gtk_dialog_new_with_buttons(
        _("Resize a disk"), GTK_WINDOW(data),
        GTK_DIALOG_MODAL | GTK_DIALOG_DESTROY_WITH_PARENT | GTK_DIALOG_USE_HEADER_BAR, _("_Cancel"),
        GTK_RESPONSE_CANCEL, _("_Resize"), GTK_RESPONSE_OK, NULL);
    GtkWidget *form = widget_form_new(), *size = gtk_spin_button_new_with_range(now, 2048, 1);
    int row = widget_form_add(form, 0, _("_Size in GB"), size);

    /* The window keeps no room for the note in more lines than it has. */
    widget_form_add_note(form, row,
                         _("A disk can only grow. The guest sees the new room at the end; enlarge "
                           "a partition there afterwards."));
    gtk_label_set_width_chars(GTK_LABEL(gtk_grid_get_child_at(GTK_GRID(form), 1, row)), NOTE_CHARS);
    gtk_spin_button_set_digits(GTK_SPIN_BUTTON(size), 2);
    gtk_spin_button_set_value(GTK_SPIN_BUTTON(size), now);
    gtk_entry_set_activates_default(GTK_ENTRY(size), TRUE);
    gtk_container_add(GTK_CONTAINER(gtk_dialog_get_content_area(GTK_DIALOG(dialog))), form);
    gtk_dialog_set_default_response(GTK_DIALOG(dialog), GTK_RESPONSE_OK);
    g_object_set_data(G_OBJECT(dialog), "size", size);
    g_signal_connect(dialog, "response", G_CALLBACK(on_size), change_new(data));
    gtk_widget_show_all(dialog);
}

static void
on_compacting(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(MediaWindow) window = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(VitrineProgress) progress =
        vitrine_medium_compact_finish(VITRINE_MEDIUM(source), result, &error);

    media_window_follow(window, progress, error, _("The disk was not compacted"));
}

void
media_compact(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    vitrine_medium_compact_async(media_window_get_medium(data), NULL, on_compacting,
                                 g_object_ref(data));
}
