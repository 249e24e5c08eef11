/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the VM window asks and tells: errors, a guest that cannot go on, where a screenshot goes.
 * Nothing here waits for the machine. */
#include "app/vmwindow/vm-window-private.h"

#include <glib/gi18n.h>

/* --- errors --- */
void
vm_window_show_error(VmWindow *window, const char *summary, const GError *error)
{
    g_autofree char *text = NULL;

    if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED) || window->ending)
        return;
    text = g_strdup_printf("%s. %s", summary, error->message);
    gtk_label_set_text(window->error_label, text);
    gtk_info_bar_set_show_close_button(window->error_bar, TRUE);
    vm_window_show_bar(window, window->error_bar, TRUE);
}

static void
on_done(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(VmWindow) window = data;
    g_autoptr(GError) error = NULL;

    if (!vitrine_console_do_finish(VITRINE_CONSOLE(source), result, &error))
        vm_window_show_error(window, _("That did not work"), error);
    vm_window_update_actions(window);
}

void
vm_window_do(VmWindow *window, VitrineConsoleAction action)
{
    if (!window->console)
        return;
    vm_window_show_bar(window, window->error_bar, FALSE);
    vitrine_console_do_async(window->console, action, window->cancel, on_done,
                             g_object_ref(window));
}

/* --- triple fault --- */
static void
on_stuck_response(GtkDialog *dialog, int response, gpointer data)
{
    VmWindow *window = data;

    gtk_widget_destroy(GTK_WIDGET(dialog));
    if (response == GTK_RESPONSE_CLOSE)
        vm_window_do(window, VITRINE_CONSOLE_POWER_OFF);
    else if (response == GTK_RESPONSE_APPLY)
        vm_window_do(window, VITRINE_CONSOLE_RESET);
}

void
vm_window_show_triple_fault(VmWindow *window, const char *log_file)
{
    GtkWidget *dialog = gtk_message_dialog_new(GTK_WINDOW(window), GTK_DIALOG_DESTROY_WITH_PARENT,
                                               GTK_MESSAGE_ERROR, GTK_BUTTONS_NONE,
                                               _("The guest has stopped and cannot go on"));

    gtk_message_dialog_format_secondary_text(
        GTK_MESSAGE_DIALOG(dialog),
        _("Its processor met a fault while it handled a fault (a triple fault). This is usually an "
          "error of the "
          "guest's system or boot loader.\n\nDetails are in the log:\n%s"),
        log_file);
    gtk_dialog_add_buttons(GTK_DIALOG(dialog), _("_Keep it for a look"), GTK_RESPONSE_CANCEL,
                           _("_Reset"), GTK_RESPONSE_APPLY, _("Power _off"), GTK_RESPONSE_CLOSE,
                           NULL);
    gtk_dialog_set_default_response(GTK_DIALOG(dialog), GTK_RESPONSE_CLOSE);
    g_signal_connect(dialog, "response", G_CALLBACK(on_stuck_response), window);
    gtk_widget_show(dialog);
}

/* --- screenshot --- */
typedef struct {
    VmWindow *window;
    GBytes *png;
} Picture;

static void
on_picture_place(GtkNativeDialog *dialog, int response, gpointer data)
{
    Picture *picture = data;
    g_autofree char *path = gtk_file_chooser_get_filename(GTK_FILE_CHOOSER(dialog));
    g_autoptr(GError) error = NULL;
    gsize size;
    const char *bytes = g_bytes_get_data(picture->png, &size);

    if (response == GTK_RESPONSE_ACCEPT && path &&
        !g_file_set_contents(path, bytes, (gssize)size, &error))
        vm_window_show_error(picture->window, _("The picture was not saved"), error);
    g_object_unref(picture->window);
    g_bytes_unref(picture->png);
    g_free(picture);
    g_object_unref(dialog);
}

static char *
picture_name(VmWindow *window)
{
    g_autoptr(GDateTime) now = g_date_time_new_now_local();
    g_autofree char *time = g_date_time_format(now, "%Y-%m-%d %H-%M-%S");

    return g_strdup_printf("%s %s.png", vitrine_machine_get_name(window->machine), time);
}

static void
on_screenshot(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(VmWindow) window = data;
    g_autoptr(GError) error = NULL;
    GBytes *png = vitrine_console_screenshot_png_finish(VITRINE_CONSOLE(source), result, &error);
    g_autofree char *name = picture_name(window);
    GtkFileChooserNative *dialog;
    Picture *picture;

    if (!png) {
        vm_window_show_error(window, _("There is no picture"), error);
        return;
    }
    picture = g_new(Picture, 1);
    *picture = (Picture){g_object_ref(window), png};
    dialog = gtk_file_chooser_native_new(_("Save the picture"), GTK_WINDOW(window),
                                         GTK_FILE_CHOOSER_ACTION_SAVE, _("_Save"), _("_Cancel"));
    gtk_file_chooser_set_do_overwrite_confirmation(GTK_FILE_CHOOSER(dialog), TRUE);
    gtk_file_chooser_set_current_name(GTK_FILE_CHOOSER(dialog), name);
    g_signal_connect(dialog, "response", G_CALLBACK(on_picture_place), picture);
    gtk_native_dialog_show(GTK_NATIVE_DIALOG(dialog));
}

void
vm_window_save_screenshot(VmWindow *window)
{
    vm_input_release(window->input);
    vitrine_console_screenshot_png_async(window->console, 0, window->cancel, on_screenshot,
                                         g_object_ref(window));
}
