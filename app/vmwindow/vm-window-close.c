/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The question when a machine's window is closed: keep it running, save its state, shut the guest
 * down, power off and perhaps go back to the snapshot. The last answer is offered again. */
#include "app/vmwindow/vm-window-private.h"

#include "app/widgets/widget-window.h"

#include <glib/gi18n.h>
#include <string.h>

#define LAST_CLOSE_ACTION "GUI/LastCloseAction"
/* What is chosen until a person chooses something else. */
#define DEFAULT_WAY "SaveState"
/* Characters of a snapshot's name that are shown. */
#define NAME_LENGTH 48
#define POWER_OFF "PowerOff"
#define POWER_OFF_AND_RESTORE "PowerOffRestoringSnapshot"

/* As the extra data names them. */
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
    {POWER_OFF, N_("_Power off"),
     N_("Like pulling the plug: what the guest has not saved is lost."), FALSE},
};

typedef struct {
    VmWindow *window;
    GtkWidget *choices[G_N_ELEMENTS(ways)]; /* NULL: not offered */
    GtkToggleButton *restore;               /* after power off; NULL: there is no snapshot */
} Question;

static const char *
chosen_way(const Question *question)
{
    for (guint i = 0; i < G_N_ELEMENTS(ways); i++) {
        if (question->choices[i] &&
            gtk_toggle_button_get_active(GTK_TOGGLE_BUTTON(question->choices[i])))
            return ways[i].name;
    }
    return POWER_OFF;
}

static void
power_off(VmWindow *window)
{
    vm_window_do(window, VITRINE_CONSOLE_POWER_OFF);
}

static void
on_restore_noted(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(VmWindow) window = data;
    g_autoptr(GError) error = NULL;

    if (vitrine_machine_restore_when_off_finish(VITRINE_MACHINE(source), result, &error))
        power_off(window);
    else
        vm_window_show_error(window, _("The machine was not powered off"), error);
}

static void
close_by(VmWindow *window, const char *way)
{
    vitrine_machine_set_extra_data_async(window->machine, LAST_CLOSE_ACTION, way, NULL, NULL, NULL);
    if (g_str_equal(way, "Detach")) {
        window->detached = TRUE;
        vm_window_end(window);
    } else if (g_str_equal(way, "SaveState")) {
        vm_window_save_state(window);
    } else if (g_str_equal(way, POWER_OFF_AND_RESTORE)) {
        vitrine_machine_restore_when_off_async(
            window->machine, vitrine_machine_get_current_snapshot(window->machine), window->cancel,
            on_restore_noted, g_object_ref(window));
    } else if (g_str_equal(way, POWER_OFF)) {
        power_off(window);
    } else {
        vm_window_do(window, VITRINE_CONSOLE_ACPI_POWER_BUTTON);
    }
}

static void
free_question(gpointer data, GClosure *closure)
{
    g_free(data);
}

static void
on_close_response(GtkDialog *dialog, int response, gpointer data)
{
    Question *question = data;
    g_autoptr(VmWindow) window = g_object_ref(question->window);
    const char *way = chosen_way(question);

    if (g_str_equal(way, POWER_OFF) && question->restore &&
        gtk_toggle_button_get_active(question->restore))
        way = POWER_OFF_AND_RESTORE;
    gtk_widget_destroy(GTK_WIDGET(dialog));
    if (response == GTK_RESPONSE_OK)
        close_by(window, way);
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
on_power_off_toggled(GtkToggleButton *choice, GtkWidget *restore)
{
    gtk_widget_set_sensitive(restore, gtk_toggle_button_get_active(choice));
}

/* Not too long for a sentence, and without mnemonics of its own. The caller's. */
static char *
short_name(const char *name)
{
    g_autofree char *start = g_utf8_substring(name, 0, MIN(NAME_LENGTH, g_utf8_strlen(name, -1)));
    g_auto(GStrv) parts = g_strsplit(start, "_", -1);
    g_autofree char *plain = g_strjoinv("__", parts);

    return g_strconcat(plain, strlen(start) < strlen(name) ? "…" : "", NULL);
}

/* Belongs to the last way, power off. */
static void
add_restore(Question *question, GtkBox *area, GtkWidget *choice, gboolean wanted)
{
    const char *name = vitrine_machine_get_current_snapshot_name(question->window->machine);
    g_autofree char *shown = short_name(name);
    g_autofree char *label = g_strdup_printf(_("_Then go back to the snapshot “%s”"), shown);
    GtkWidget *restore = gtk_check_button_new_with_mnemonic(label);
    GtkLabel *text = GTK_LABEL(gtk_bin_get_child(GTK_BIN(restore)));

    gtk_label_set_line_wrap(text, TRUE);
    gtk_label_set_line_wrap_mode(text, PANGO_WRAP_WORD_CHAR);
    gtk_label_set_max_width_chars(text, 44);
    gtk_label_set_xalign(text, 0);
    gtk_widget_set_tooltip_text(restore, name);
    gtk_widget_set_margin_start(restore, 24);
    question->restore = GTK_TOGGLE_BUTTON(restore);
    gtk_toggle_button_set_active(question->restore, wanted);
    on_power_off_toggled(GTK_TOGGLE_BUTTON(choice), restore);
    g_signal_connect(choice, "toggled", G_CALLBACK(on_power_off_toggled), restore);
    gtk_box_pack_start(area, restore, FALSE, FALSE, 0);
}

static void
add_ways(Question *question, GtkWidget *dialog, const char *last)
{
    GtkBox *area = GTK_BOX(gtk_message_dialog_get_message_area(GTK_MESSAGE_DIALOG(dialog)));
    const gboolean restores = g_str_equal(last, POWER_OFF_AND_RESTORE);
    const char *way = restores ? POWER_OFF : last;
    GtkWidget *group = NULL;

    gtk_box_set_spacing(area, 6);
    for (guint i = 0; i < G_N_ELEMENTS(ways); i++) {
        if (ways[i].detachable && !question->window->detachable)
            continue;
        group = add_choice(area, group, _(ways[i].label), _(ways[i].explanation));
        question->choices[i] = group;
        if (g_str_equal(ways[i].name, way))
            gtk_toggle_button_set_active(GTK_TOGGLE_BUTTON(group), TRUE);
    }
    if (*vitrine_machine_get_current_snapshot(question->window->machine))
        add_restore(question, area, group, restores);
}

static void
show_close_dialog(VmWindow *window, const char *last)
{
    Question *question = g_new0(Question, 1);
    g_autofree char *title =
        g_strdup_printf(_("Close “%s”?"), vitrine_machine_get_name(window->machine));
    g_autofree char *markup = g_markup_printf_escaped("<big><b>%s</b></big>", title);
    GtkWidget *dialog = gtk_message_dialog_new_with_markup(
        GTK_WINDOW(window), GTK_DIALOG_MODAL | GTK_DIALOG_DESTROY_WITH_PARENT, GTK_MESSAGE_QUESTION,
        GTK_BUTTONS_NONE, NULL);

    gtk_message_dialog_set_markup(GTK_MESSAGE_DIALOG(dialog), markup);
    question->window = window;
    add_ways(question, dialog, last);
    gtk_dialog_add_buttons(GTK_DIALOG(dialog), _("_Cancel"), GTK_RESPONSE_CANCEL, _("C_lose"),
                           GTK_RESPONSE_OK, NULL);
    widget_dialog_set_default(GTK_DIALOG(dialog), GTK_RESPONSE_OK);
    g_signal_connect_data(dialog, "response", G_CALLBACK(on_close_response), question,
                          free_question, 0);
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
