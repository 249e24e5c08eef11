/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Saved states in the manager: save what runs, discard what was saved. */
#include "app/manager/manager-private.h"
#include "app/widgets/widget-actions.h"

#include <glib/gi18n.h>

static gboolean
can_save(VitrineMachine *machine)
{
    VitrineMachineState state = vitrine_machine_get_state(machine);

    return vitrine_machine_get_accessible(machine) &&
           (state == VITRINE_MACHINE_STATE_RUNNING || state == VITRINE_MACHINE_STATE_PAUSED);
}

static gboolean
can_discard(VitrineMachine *machine)
{
    VitrineMachineState state = vitrine_machine_get_state(machine);

    return vitrine_machine_get_accessible(machine) &&
           (state == VITRINE_MACHINE_STATE_SAVED || state == VITRINE_MACHINE_STATE_ABORTED_SAVED);
}

/* --- save --- */
static void
end_save(gpointer data, const char *made, const GError *error)
{
    if (error && !g_error_matches(error, VITRINE_ERROR, VITRINE_ERROR_CANCELLED))
        manager_window_show_error(data, _("The state was not saved"), error);
}

static void
on_saved(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(ManagerWindow) window = data;
    g_autoptr(GError) error = NULL;
    g_autofree char *what = vitrine_progress_wait_finish(VITRINE_PROGRESS(source), result, &error);

    end_save(window, what, error);
}

static void
on_started(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(ManagerWindow) window = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(VitrineProgress) progress =
        vitrine_machine_save_state_finish(VITRINE_MACHINE(source), result, &error);
    WidgetWork *work = manager_window_get_work(window);

    if (!work) /* the window is gone */
        return;
    if (!progress)
        manager_window_show_error(window, _("The state was not saved"), error);
    else if (widget_work_is_busy(work)) /* several at once */
        vitrine_progress_wait_async(progress, NULL, on_saved, g_steal_pointer(&window));
    else
        widget_work_follow(work, progress, end_save, window);
}

/* The selected machine, or all of the selected group that can. */
static void
on_save_state(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    g_autoptr(GPtrArray) machines = manager_list_get_machines(manager_window_get_list(data));

    for (guint i = 0; i < machines->len; i++) {
        VitrineMachine *machine = g_ptr_array_index(machines, i);
        if (can_save(machine))
            vitrine_machine_save_state_async(machine, NULL, on_started, g_object_ref(data));
    }
}

/* --- discard --- */
static void
on_discarded(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(ManagerWindow) window = data;
    g_autoptr(GError) error = NULL;

    if (!vitrine_machine_discard_state_finish(VITRINE_MACHINE(source), result, &error))
        manager_window_show_error(window, _("The state was not discarded"), error);
}

static void
on_response(GtkDialog *dialog, int response, gpointer data)
{
    VitrineMachine *machine = g_object_get_data(G_OBJECT(dialog), "machine");

    if (response == GTK_RESPONSE_OK)
        vitrine_machine_discard_state_async(machine, NULL, on_discarded, g_object_ref(data));
    gtk_widget_destroy(GTK_WIDGET(dialog));
}

static void
on_discard(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    VitrineMachine *machine = manager_window_get_machine(data);
    GtkWidget *dialog = gtk_message_dialog_new(
        GTK_WINDOW(data), GTK_DIALOG_MODAL | GTK_DIALOG_DESTROY_WITH_PARENT, GTK_MESSAGE_QUESTION,
        GTK_BUTTONS_NONE, _("Discard the saved state of “%s”?"), vitrine_machine_get_name(machine));
    GtkWidget *discard;

    gtk_message_dialog_format_secondary_text(
        GTK_MESSAGE_DIALOG(dialog),
        _("The machine starts anew the next time, as if its plug had been pulled. What its guest "
          "had not written to disk is lost."));
    gtk_dialog_add_button(GTK_DIALOG(dialog), _("_Cancel"), GTK_RESPONSE_CANCEL);
    discard = gtk_dialog_add_button(GTK_DIALOG(dialog), _("_Discard the state"), GTK_RESPONSE_OK);
    gtk_style_context_add_class(gtk_widget_get_style_context(discard), "destructive-action");
    gtk_dialog_set_default_response(GTK_DIALOG(dialog), GTK_RESPONSE_CANCEL);
    g_object_set_data_full(G_OBJECT(dialog), "machine", g_object_ref(machine), g_object_unref);
    g_signal_connect(dialog, "response", G_CALLBACK(on_response), data);
    gtk_widget_show(dialog);
}

/* --- what is possible now --- */
void
manager_window_update_state_actions(ManagerWindow *window)
{
    g_autoptr(GPtrArray) machines = manager_list_get_machines(manager_window_get_list(window));
    VitrineMachine *machine = manager_window_get_machine(window);
    gboolean any = FALSE;

    for (guint i = 0; i < machines->len; i++)
        any = any || can_save(g_ptr_array_index(machines, i));
    widget_action_enable(G_ACTION_MAP(window), "save-state", any);
    widget_action_enable(G_ACTION_MAP(window), "discard", machine && can_discard(machine));
}

void
manager_window_add_state_actions(ManagerWindow *window)
{
    static const GActionEntry entries[] = {
        {.name = "save-state", .activate = on_save_state},
        {.name = "discard", .activate = on_discard},
    };

    g_action_map_add_action_entries(G_ACTION_MAP(window), entries, G_N_ELEMENTS(entries), window);
}
