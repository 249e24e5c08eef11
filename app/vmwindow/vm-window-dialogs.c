/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the VM window asks and tells: closing, errors, a guest that cannot go on, where a screenshot
 * goes. Nothing here waits for the machine. */
#include "app/vmwindow/vm-window-private.h"

#include <glib/gi18n.h>

#define LAST_CLOSE_ACTION "GUI/LastCloseAction"
/* What is chosen until a person chooses something else. */
#define DEFAULT_WAY "SaveState"

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

/* --- closing: the ways, as the extra data names them --- */
static const struct {
    const char *name, *label, *explanation;
    gboolean detachable; /* only when the window is not the machine's process */
} ways[] = {
    {"Detach", N_("_Keep it running"),
     N_("The machine runs on without a window; “Show” in the manager opens one again."), TRUE},
    {"SaveState", N_("Sa_ve the state of the machine"),
     N_("The machine goes on where it is now when it is started again."), FALSE},
    {"Shutdown", N_("_Shut down the guest"),
     N_("Presses the machine's power button; the guest's system ends in order."), FALSE},
    {"PowerOff", N_("_Power off"),
     N_("Like pulling the plug: what the guest has not saved is lost."), FALSE},
};

static void
close_by(VmWindow *window, const char *way)
{
    vitrine_machine_set_extra_data_async(window->machine, LAST_CLOSE_ACTION, way, NULL, NULL, NULL);
    if (g_str_equal(way, "Detach")) {
        window->detached = TRUE;
        vm_window_end(window);
    } else if (g_str_equal(way, "SaveState")) {
        vm_window_save_state(window);
    } else {
        vm_window_do(window, g_str_equal(way, "PowerOff") ? VITRINE_CONSOLE_POWER_OFF
                                                          : VITRINE_CONSOLE_ACPI_POWER_BUTTON);
    }
}

static void
on_close_response(GtkDialog *dialog, int response, gpointer data)
{
    const char *way = ways[G_N_ELEMENTS(ways) - 1].name;

    for (guint i = 0; i < G_N_ELEMENTS(ways); i++) {
        GtkToggleButton *choice = g_object_get_data(G_OBJECT(dialog), ways[i].name);
        if (choice && gtk_toggle_button_get_active(choice))
            way = ways[i].name;
    }
    gtk_widget_destroy(GTK_WIDGET(dialog));
    if (response == GTK_RESPONSE_OK)
        close_by(data, way);
}

static GtkWidget *
add_choice(GtkBox *box, GtkWidget *group, const char *label, const char *explanation)
{
    GtkWidget *radio = gtk_radio_button_new_with_mnemonic_from_widget(
        group ? GTK_RADIO_BUTTON(group) : NULL, label);
    GtkWidget *text = gtk_label_new(explanation);

    gtk_label_set_xalign(GTK_LABEL(text), 0);
    gtk_label_set_line_wrap(GTK_LABEL(text), TRUE);
    gtk_label_set_max_width_chars(GTK_LABEL(text), 48);
    gtk_widget_set_margin_start(text, 24);
    gtk_style_context_add_class(gtk_widget_get_style_context(text), "dim-label");
    gtk_box_pack_start(box, radio, FALSE, FALSE, 0);
    gtk_box_pack_start(box, text, FALSE, FALSE, 0);
    return radio;
}

static void
add_ways(VmWindow *window, GtkWidget *dialog, const char *last)
{
    GtkBox *area = GTK_BOX(gtk_message_dialog_get_message_area(GTK_MESSAGE_DIALOG(dialog)));
    GtkWidget *group = NULL;

    gtk_box_set_spacing(area, 6);
    for (guint i = 0; i < G_N_ELEMENTS(ways); i++) {
        if (ways[i].detachable && !window->detachable)
            continue;
        group = add_choice(area, group, _(ways[i].label), _(ways[i].explanation));
        g_object_set_data(G_OBJECT(dialog), ways[i].name, group);
        if (g_str_equal(ways[i].name, last))
            gtk_toggle_button_set_active(GTK_TOGGLE_BUTTON(group), TRUE);
    }
}

static void
show_close_dialog(VmWindow *window, const char *last)
{
    GtkWidget *dialog = gtk_message_dialog_new(
        GTK_WINDOW(window), GTK_DIALOG_MODAL | GTK_DIALOG_DESTROY_WITH_PARENT, GTK_MESSAGE_QUESTION,
        GTK_BUTTONS_NONE, _("Close “%s”?"), vitrine_machine_get_name(window->machine));

    add_ways(window, dialog, last);
    gtk_dialog_add_buttons(GTK_DIALOG(dialog), _("_Cancel"), GTK_RESPONSE_CANCEL, _("_Close"),
                           GTK_RESPONSE_OK, NULL);
    gtk_dialog_set_default_response(GTK_DIALOG(dialog), GTK_RESPONSE_OK);
    g_signal_connect(dialog, "response", G_CALLBACK(on_close_response), window);
    gtk_widget_show_all(dialog);
}

static void
on_close_extra_data(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(VmWindow) window = data;
    g_autoptr(GHashTable) table =
        vitrine_machine_load_extra_data_finish(VITRINE_MACHINE(source), result, NULL);
    const char *last = table ? g_hash_table_lookup(table, LAST_CLOSE_ACTION) : NULL;

    if (!window->ending)
        show_close_dialog(window, last ? last : DEFAULT_WAY);
}

void
vm_window_ask_close(VmWindow *window)
{
    vm_input_release(window->input);
    vitrine_machine_load_extra_data_async(window->machine, window->cancel, on_close_extra_data,
                                          g_object_ref(window));
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
